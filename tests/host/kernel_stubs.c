/* SPDX-License-Identifier: MIT */
/*
 * What kernel/lock.c, kernel/wait.c and mm/ call in the rest of the kernel, for one task on one CPU. Nothing here can
 * sleep: a lock that is taken twice, or an event that nobody will bring about, ends the test.
 */
#include <stdlib.h>

#include <hal/boot.h>
#include <hal/host/host.h>
#include <hal/upcall.h>
#include <kernel/task.h>
#include <lib/string.h>
#include <mm/internal.h>
#include <mm/slab.h>

#include "kernel_stubs.h"

static struct task main_task;

void stubs_start_mm(void)
{
	hal_set_current(&main_task.hal);
	host_irq_enabled = 0;
	mm_init();
	host_irq_enabled = 1;
}

/* ---- the scheduler ---- */

void task_prepare_sleep(enum task_state state)
{
	main_task.state = state;
}

void task_finish_sleep(void)
{
	main_task.state = TASK_RUNNING;
}

bool sleep_interrupted(enum task_state state)
{
	(void)state;
	return false;
}

void schedule(void)
{
	panic("the only task would sleep for ever");
}

bool schedule_until(u64 deadline_ns)
{
	if (deadline_ns == U64_MAX)
		schedule();
	task_finish_sleep();
	return true;
}

bool task_wake(struct task *t, u32 states)
{
	(void)t, (void)states;
	return false;
}

bool sched_is_running(const struct task *t)
{
	return t == &main_task;
}

void task_put(struct task *t)
{
	(void)t;
}

void cond_resched(void)
{
}

/* ---- failing allocations ---- */

static u64 countdown;
static enum { NEVER, ONE, ALL, HIT } fail_mode;

void stubs_fail_at(u64 n)
{
	countdown = n;
	fail_mode = ALL;
}

void stubs_fail_one(u64 n)
{
	countdown = n;
	fail_mode = ONE;
}

bool stubs_fail_never(void)
{
	bool hit = fail_mode == HIT || (fail_mode == ALL && countdown == 0);

	fail_mode = NEVER;
	return hit;
}

static bool fails(void)
{
	if (fail_mode != ONE && fail_mode != ALL)
		return false;
	if (countdown) {
		countdown--;
		return false;
	}
	if (fail_mode == ONE)
		fail_mode = HIT;
	return true;
}

struct page *__real_page_alloc(unsigned int gfp, unsigned int order);
struct page *__wrap_page_alloc(unsigned int gfp, unsigned int order);
struct page *__wrap_page_alloc(unsigned int gfp, unsigned int order)
{
	return fails() ? NULL : __real_page_alloc(gfp, order);
}

paddr_t __real_upcall_pt_alloc(void);
paddr_t __wrap_upcall_pt_alloc(void);
paddr_t __wrap_upcall_pt_alloc(void)
{
	return fails() ? 0 : __real_upcall_pt_alloc();
}

#define WRAP_POINTER(name, params, args)                                                                              \
	void *__real_##name params;                                                                                   \
	void *__wrap_##name params;                                                                                   \
	void *__wrap_##name params                                                                                    \
	{                                                                                                             \
		return fails() ? NULL : __real_##name args;                                                           \
	}

WRAP_POINTER(kmem_cache_alloc, (struct kmem_cache * c, unsigned int gfp), (c, gfp))
WRAP_POINTER(kmalloc, (size_t size, unsigned int gfp), (size, gfp))
WRAP_POINTER(kzalloc, (size_t size, unsigned int gfp), (size, gfp))
WRAP_POINTER(kcalloc, (size_t n, size_t size, unsigned int gfp), (n, size, gfp))
WRAP_POINTER(krealloc, (void *p, size_t size, unsigned int gfp), (p, size, gfp))
WRAP_POINTER(kstrdup, (const char *s, unsigned int gfp), (s, gfp))
WRAP_POINTER(kpages_alloc, (unsigned int gfp, unsigned int order), (gfp, order))

/* ---- what is in use ---- */

static void add_objects(void *ctx, const char *name, size_t size, u64 inuse, u64 total)
{
	(void)name, (void)size, (void)total;
	*(u64 *)ctx += inuse;
}

void stubs_in_use(struct stubs_usage *out)
{
	struct mm_stats st;

	mm_get_stats(&st);
	*out = (struct stubs_usage){
		.anon = st.anon, .cache = st.cache, .tables = st.tables, .kernel = st.kernel
	};
	kmem_cache_stats(add_objects, &out->objects);
}

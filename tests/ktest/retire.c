/* SPDX-License-Identifier: MIT */
/* Retired memory: not freed while a reader that found it is inside, freed in the end, and readers_wait() waits. */
#include <kernel/retire.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <lib/string.h>

#include "ktest.h"

#define THREADS	 4
#define SLOTS	 64
#define ROUNDS	 4000
#define ALIVE	 0x600du
#define POISONED 0xdeadu

/* Objects come back from free() at once, changed: a reader that may still see one would notice. */
static struct object {
	struct retired retired;
	u32 state; /* atomic */
	u32 busy;  /* atomic: published or retired */
} pool[SLOTS * THREADS];

static struct object *published;     /* atomic */
static u32 freed, replaced, running; /* atomic */

static void free_object(struct retired *r)
{
	struct object *o = container_of(r, struct object, retired);

	EXPECT(__atomic_exchange_n(&o->state, POISONED, __ATOMIC_SEQ_CST) == ALIVE);
	__atomic_fetch_add(&freed, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&o->busy, 0, __ATOMIC_SEQ_CST);
}

static struct object *take_object(unsigned int self)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct object *o = &pool[self * SLOTS + i];

		if (!__atomic_exchange_n(&o->busy, 1, __ATOMIC_SEQ_CST)) {
			__atomic_store_n(&o->state, ALIVE, __ATOMIC_SEQ_CST);
			return o;
		}
	}
	return NULL;
}

static void replace(unsigned int self)
{
	struct object *o = take_object(self), *old;

	if (!o) /* all wait for readers */
		return;
	old = __atomic_exchange_n(&published, o, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&replaced, 1, __ATOMIC_SEQ_CST);
	if (old)
		retire(&old->retired, free_object);
}

static void read_often(void)
{
	struct object *o;

	reader_begin();
	o = READ_ONCE(published);
	for (unsigned int i = 0; o && i < 20; i++)
		EXPECT(READ_ONCE(o->state) == ALIVE);
	reader_end();
}

static void read_and_replace(unsigned int self)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (i % 4 == self)
			replace(self);
		else
			read_often();
		if (i % 64 == 0)
			cond_resched();
	}
}

static void test_retire_waits_for_readers(void)
{
	memset(pool, 0, sizeof(pool));
	published = NULL;
	freed = replaced = 0;
	ktest_parallel(THREADS, read_and_replace, true);
	EXPECT(freed > 0);
	EXPECT(freed < replaced); /* the last one is published still */
}

/* ---- readers_wait() ---- */

static bool wait_over; /* atomic */

static void inside_or_waiting(unsigned int self)
{
	if (self == 0) {
		reader_begin_local();
		__atomic_store_n(&running, 1, __ATOMIC_SEQ_CST);
		for (u64 end = hal_clock_ns() + 5 * NSEC_PER_MSEC; hal_clock_ns() < end;)
			EXPECT(!READ_ONCE(wait_over));
		reader_end();
		return;
	}
	while (!__atomic_load_n(&running, __ATOMIC_SEQ_CST))
		hal_cpu_relax();
	readers_wait();
	__atomic_store_n(&wait_over, true, __ATOMIC_SEQ_CST);
}

static void test_retire_readers_wait(void)
{
	running = 0;
	wait_over = false;
	ktest_parallel(2, inside_or_waiting, true);
	EXPECT(wait_over);
}

const struct ktest ktest_retire[] = {
	{ "retire_waits_for_readers", test_retire_waits_for_readers, false },
	{ "retire_readers_wait", test_retire_readers_wait, true },
	KTEST_END,
};

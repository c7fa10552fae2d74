/* SPDX-License-Identifier: MIT */
/*
 * When retired memory may be freed (kernel/retire.h).
 *
 * Each CPU counts its readers' beginnings and ends; the count is odd inside. What a CPU retires it collects; with BATCH objects together it looks
 * at the counts of all. A reader that began before the objects were taken out shows as an odd count that has not changed since:
 *
 *	reader				who retires
 *	count = odd			takes the object out
 *	barrier				barrier
 *	looks for the object		reads count
 *
 * Either the reader does not find the object, or its count is seen to be odd. Mostly no CPU reads, and all is freed at once. Otherwise the batch
 * waits for those CPUs, by the counts seen then, while the next one is collected. Nobody spins for a reader: the CPU of a virtual machine may
 * not be running just then.
 *
 * Locking: none; a CPU's lists are used by tasks on it, which nothing preempts.
 */
#include <hal/boot.h>
#include <kernel/retire.h>
#include <kernel/sched.h>

#define BATCH 32

struct collection {
	struct retired *fresh, *waiting;
	unsigned int nfresh;
	unsigned long seen[CONFIG_NR_CPUS]; /* counts when `waiting` began to wait */
};

DEFINE_PERCPU(unsigned long, reader_count);
static DEFINE_PERCPU(struct collection, collection);

static unsigned long count_of(unsigned int cpu)
{
	return smp_load_acquire(&percpu_of(reader_count, cpu));
}

static void free_all(struct retired *r)
{
	struct retired *next;

	for (; r; r = next) {
		next = r->next;
		r->free(r);
	}
}

/* Has every reader that was seen ended? */
static bool all_passed(const struct collection *c)
{
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		if ((c->seen[cpu] & 1) && count_of(cpu) == c->seen[cpu])
			return false;
	return true;
}

static __noinline void look_around(struct collection *c)
{
	struct retired *done = NULL;

	if (c->waiting) {
		if (!all_passed(c))
			return;
		done = c->waiting;
	}
	c->waiting = c->fresh;
	c->fresh = NULL;
	c->nfresh = 0;
	smp_mb();
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		c->seen[cpu] = count_of(cpu);
	free_all(done);
	if (all_passed(c)) {
		done = c->waiting;
		c->waiting = NULL;
		free_all(done);
	}
}

void retire(struct retired *r, void (*free)(struct retired *r))
{
	struct collection *c = &percpu(collection);

	if (boot_info.ncpus == 1) { /* no reader is interrupted by a task */
		free(r);
		return;
	}
	r->free = free;
	r->next = c->fresh;
	c->fresh = r;
	if (++c->nfresh >= BATCH)
		look_around(c);
}

void readers_wait(void)
{
	/* Every CPU's count is visible, or its next reader sees what was written before. */
	sched_sync_all_cpus();
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		unsigned long n = count_of(cpu);

		while ((n & 1) && count_of(cpu) == n)
			hal_cpu_relax();
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Memory that other CPUs may still be looking at without a lock.
 *
 *	reader_begin();				the writer, elsewhere:
 *	d = what is published;			take d out of where it is found
 *	look at d;				retire(&d->retired, free_it);
 *	reader_end();
 *
 * What a reader found stays memory of its kind until reader_end(); whether it still is what it was, the reader has to find out by other means
 * (a counter of changes, a reference that can be refused). A reader does not sleep, does not write what it found, and is not nested; interrupt
 * handlers are no readers. retire() does not wait: it keeps the memory until every reader of that time has ended, see retire.c.
 */
#ifndef KERNEL_RETIRE_H
#define KERNEL_RETIRE_H

#include <hal/cpu.h>
#include <lib/atomic.h>

/* Lies in the object; nothing that readers look at. */
struct retired {
	struct retired *next;
	void (*free)(struct retired *r);
};

/* Of each CPU: odd while it reads. */
DECLARE_PERCPU(unsigned long, reader_count);

/** reader_begin_local() - as reader_begin(), but only readers_wait() waits for it, retire() does not. No barrier. */
static __always_inline void reader_begin_local(void)
{
	unsigned long *n = &percpu(reader_count);

	WRITE_ONCE(*n, *n + 1);
	barrier();
}
/** reader_begin() - what is found from now on stays until reader_end(). Context: task; nothing in between sleeps. */
static __always_inline void reader_begin(void)
{
	reader_begin_local();
	smp_mb(); /* who does not see us reading has taken out before what we look for now */
}
static __always_inline void reader_end(void)
{
	unsigned long *n = &percpu(reader_count);

	smp_store_release(n, *n + 1);
}

/** retire() - call @free(@r) when no reader can look at it any more: at once, or at a later retire(). @free does not sleep. Context: task. */
void retire(struct retired *r, void (*free)(struct retired *r));
/** readers_wait() - returns when all readers that were inside have ended. Interrupts every CPU. Context: task, interrupts on, no reader itself. */
void readers_wait(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Sleeping, for drivers that serve a request in the task that makes it.
 *
 *	completion_wait(&c, deadline_ns)	until the interrupt handler's completion_signal(&c), or the deadline
 *	sleep_until_ns(deadline_ns)		for the time that a device needs
 *
 * Times are of hal_clock_ns(). Implemented by kernel/sleep.c; here, in include/, because drivers do not see kernel/.
 */
#ifndef SLEEP_H
#define SLEEP_H

#include <types.h>

/* One waiter, signals of any number; they are not counted. */
struct completion {
	u32 signalled; /* atomic; a word, because GCC has no exchange of a byte on riscv64 */
};

/** completion_reset() - forget a signal that nobody waited for. Any context. */
static inline void completion_reset(struct completion *c)
{
	__atomic_store_n(&c->signalled, 0, __ATOMIC_RELAXED);
}
/** completion_signal() - let the waiter go on. Any context. */
void completion_signal(struct completion *c);
/** completion_wait() - true: signalled, and the signal is used up; false: @deadline_ns has passed. Task context, no spinlocks. */
bool completion_wait(struct completion *c, u64 deadline_ns);
/** sleep_until_ns() - at least until then. Task context, no spinlocks. */
void sleep_until_ns(u64 deadline_ns);
/** cond_resched() - let others run if they should. Task context, no spinlocks. */
void cond_resched(void);

#endif

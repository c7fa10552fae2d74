/* SPDX-License-Identifier: MIT */
/*
 * Wait queues: sleeping until a condition holds.
 *
 *	r = wait_event_interruptible(&q, condition);	0, or -EINTR when a signal is pending
 *	waitq_wake_all(&q);				after making the condition true
 *
 * The condition is evaluated with no lock held; order: waker sets condition, then wakes; sleeper enqueues, then tests.
 * A waiter with its own wake function (poll, epoll, futex) is called under the queue's lock.
 * waitq locks are taken with interrupts off: wake-ups work in any context.
 */
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H

#include <lib/atomic.h>
#include <lock.h>

struct task;
struct waiter;
/* Called under the queue's lock. Return true if a task was woken (counts against exclusive wake-ups). */
typedef bool (*wake_fn)(struct waiter *w, u64 key);

struct waitq {
	struct spinlock lock;
	struct list waiters;
};
#define WAITQ_INIT(name) { SPINLOCK_INIT(RANK_WAITQ), LIST_HEAD_INIT((name).waiters) }
void waitq_init(struct waitq *q);

struct waiter {
	struct list link;
	struct task *task;
	wake_fn wake; /* NULL: wake task */
	bool exclusive;
};
void waiter_init(struct waiter *w);			     /* current task, default wake */
void waitq_add(struct waitq *q, struct waiter *w);	     /* at the head: non-exclusive */
void waitq_add_exclusive(struct waitq *q, struct waiter *w); /* at the tail */
void waitq_remove(struct waitq *q, struct waiter *w);
static inline bool waitq_active(struct waitq *q)
{
	smp_mb();
	return !list_empty(&q->waiters);
}
/* Wake all non-exclusive waiters and up to @n exclusive ones. key: POLL* mask for pollers, 0: any. */
void waitq_wake(struct waitq *q, unsigned int n, u64 key);
static inline void waitq_wake_all(struct waitq *q)
{
	if (waitq_active(q))
		waitq_wake(q, ~0u, 0);
}
static inline void waitq_wake_one(struct waitq *q)
{
	if (waitq_active(q))
		waitq_wake(q, 1, 0);
}
static inline void waitq_wake_poll(struct waitq *q, u64 key)
{
	if (waitq_active(q))
		waitq_wake(q, ~0u, key);
}

/* Building blocks (kernel/sched.c): */
enum task_state {
	TASK_RUNNING,
	TASK_INTERRUPTIBLE,
	TASK_KILLABLE,
	TASK_UNINTERRUPTIBLE,
	TASK_STOPPED,
	TASK_TRACED,
	TASK_ZOMBIE,
	TASK_DEAD
};
/** task_prepare_sleep() - set current's state before testing the condition. */
void task_prepare_sleep(enum task_state state);
/** task_finish_sleep() - back to running without having slept. */
void task_finish_sleep(void);
/** schedule() - give up the CPU; returns when woken. */
void schedule(void);
/** schedule_until() - as schedule(), at the latest at @deadline_ns (hal_clock_ns; U64_MAX: never). Returns true if the deadline passed. */
bool schedule_until(u64 deadline_ns);
/** signal_pending() - a signal would interrupt the current task's sleep in @state. */
bool sleep_interrupted(enum task_state state);

/**
 * waitq_wait() - sleep until a function says that it need not.
 * @ready: called with @arg, and no lock held.
 * @deadline_ns: of hal_clock_ns; U64_MAX: none.
 * @exclusive: one of waitq_wake()'s n, which wakes one sleeper and not all. A signal never takes a wake-up away from the others.
 * Context: may sleep. Return: 0, -EINTR: a signal is pending, -ETIMEDOUT.
 */
int waitq_wait(struct waitq *q, bool (*ready)(void *arg), void *arg, u64 deadline_ns,
	       bool exclusive);

/* Core of all wait_event forms: 0; -EINTR; -ETIMEDOUT (deadline passed and condition still false). */
#define __wait_event(q, cond, state, deadline)                                                     \
	({                                                                                         \
		int __r = 0;                                                                       \
		if (!(cond)) {                                                                     \
			struct waiter __w;                                                         \
			waiter_init(&__w);                                                         \
			waitq_add((q), &__w);                                                      \
			for (;;) {                                                                 \
				task_prepare_sleep(state);                                         \
				if (cond)                                                          \
					break;                                                     \
				if (sleep_interrupted(state)) {                                    \
					__r = -EINTR;                                              \
					break;                                                     \
				}                                                                  \
				if (schedule_until(deadline)) {                                    \
					__r = (cond) ? 0 : -ETIMEDOUT;                             \
					break;                                                     \
				}                                                                  \
			}                                                                          \
			task_finish_sleep();                                                       \
			waitq_remove((q), &__w);                                                   \
		}                                                                                  \
		__r;                                                                               \
	})
#define wait_event(q, cond)			      ((void)__wait_event(q, cond, TASK_UNINTERRUPTIBLE, ~0ULL))
#define wait_event_interruptible(q, cond)	      __wait_event(q, cond, TASK_INTERRUPTIBLE, ~0ULL)
#define wait_event_killable(q, cond)		      __wait_event(q, cond, TASK_KILLABLE, ~0ULL)
#define wait_event_interruptible_until(q, cond, dl) __wait_event(q, cond, TASK_INTERRUPTIBLE, dl)

#endif

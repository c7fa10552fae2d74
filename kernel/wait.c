/* SPDX-License-Identifier: MIT */
/* Wait queues (kernel/wait.h). */
#include <kernel/task.h>
#include <kernel/wait.h>

void waitq_init(struct waitq *q)
{
	spin_init(&q->lock, RANK_WAITQ);
	list_init(&q->waiters);
}

void waiter_init(struct waiter *w)
{
	w->task = current;
	w->wake = NULL;
	w->exclusive = false;
	list_init(&w->link);
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	unsigned long flags = spin_lock_irqsave(&q->lock);

	w->exclusive = false;
	list_add(&w->link, &q->waiters);
	spin_unlock_irqrestore(&q->lock, flags);
}

void waitq_add_exclusive(struct waitq *q, struct waiter *w)
{
	unsigned long flags = spin_lock_irqsave(&q->lock);

	w->exclusive = true;
	list_add_tail(&w->link, &q->waiters);
	spin_unlock_irqrestore(&q->lock, flags);
}

void waitq_remove(struct waitq *q, struct waiter *w)
{
	unsigned long flags = spin_lock_irqsave(&q->lock);

	list_del_init(&w->link);
	spin_unlock_irqrestore(&q->lock, flags);
}

/* Until @ready, a signal or the deadline; the waiter is queued. */
static int sleep_until_ready(bool (*ready)(void *arg), void *arg, u64 deadline_ns)
{
	for (;;) {
		task_prepare_sleep(TASK_INTERRUPTIBLE);
		if (ready(arg))
			return 0;
		if (sleep_interrupted(TASK_INTERRUPTIBLE))
			return -EINTR;
		if (schedule_until(deadline_ns))
			return ready(arg) ? 0 : -ETIMEDOUT;
	}
}

int waitq_wait(struct waitq *q, bool (*ready)(void *arg), void *arg, u64 deadline_ns,
	       bool exclusive)
{
	struct waiter w;
	int r;

	waiter_init(&w);
	if (exclusive)
		waitq_add_exclusive(q, &w);
	else
		waitq_add(q, &w);
	r = sleep_until_ready(ready, arg, deadline_ns);
	task_finish_sleep();
	waitq_remove(q, &w);
	/*
	 * A signal and the one wake-up for all who wait here may have come together:
	 *
	 *	sleeper A			waker			sleeper B
	 *	!ready(), a signal		makes it ready		sleeps
	 *	-EINTR, still to be woken	wakes A, not B
	 *
	 * Then it is A that goes on, and finds the signal when it has taken what is there.
	 */
	return r && exclusive && ready(arg) ? 0 : r;
}

void waitq_wake(struct waitq *q, unsigned int n, u64 key)
{
	unsigned long flags = spin_lock_irqsave(&q->lock);
	struct waiter *w, *next;

	/* A wake function may take its waiter off the queue. */
	list_for_each_entry_safe(w, next, &q->waiters, link) {
		bool exclusive = w->exclusive;
		bool woken = w->wake ? w->wake(w, key) : task_wake(w->task, WAKE_NORMAL);

		if (exclusive && woken && --n == 0)
			break;
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

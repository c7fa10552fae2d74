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

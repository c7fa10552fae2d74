/* SPDX-License-Identifier: MIT */
/*
 * Deferred work (kernel/defer.h): a queue, workers, and a monitor that adds workers.
 *
 * One worker is always there. Who finds all of them busy while something waits, whether it brings that or has just become busy itself,
 * wakes the monitor: that is a thread because making one may sleep. A worker that has had nothing to do for DEFER_IDLE_NS leaves,
 * unless it is the last. The one that became idle last is called first, so the others do get to leave.
 *
 * Nothing waits for a worker that has gone:
 *
 *	defer()					worker
 *	add to the queue   (pool_lock)		stop being busy
 *	call an idle worker (pool_lock)		queue empty: among the idle, sleep (pool_lock)
 *	none: all busy?				queue empty, nobody called: count less (pool_lock)
 *
 * A worker that is neither busy nor among the idle is on its way to look at the queue; one that becomes busy looks at whether more waits.
 *
 * Locking: pool_lock, interrupts off, for the queue, the idle and the state of each work; wake-ups are made inside it.
 */
#include <err.h>
#include <hal/upcall.h>
#include <kernel/defer.h>
#include <kernel/defer_count.h>
#include <kernel/process.h>
#include <kernel/sched.h>

#define RETRY_NS (100 * NSEC_PER_MSEC)

struct worker { /* on the stack of an idle one */
	struct list link;
	struct task *task;
};

static struct spinlock pool_lock = SPINLOCK_INIT(RANK_WAITQ);
static DEFINE_LIST(queue); /* pool_lock: struct deferred */
static DEFINE_LIST(idle);  /* pool_lock: struct worker, the last first */
static u32 count;	   /* atomic: defer_count.h */
static struct waitq monitor_wait = WAITQ_INIT(monitor_wait);

/* ---- bringing work ---- */

static bool too_few(void)
{
	u32 now = __atomic_load_n(&count, __ATOMIC_SEQ_CST);

	return defer_all_busy(now) && defer_total(now) < DEFER_WORKERS_MAX && !list_empty(&queue);
}

/* pool_lock held. */
static void call_worker(void)
{
	struct worker *w;

	if (list_empty(&idle))
		return;
	w = list_first_entry(&idle, struct worker, link);
	list_del_init(&w->link);
	task_wake(w->task, WAKE_NORMAL);
}

void defer(struct deferred *d)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);

	if (d->running) {
		d->again = true;
	} else if (list_empty(&d->link)) {
		list_add_tail(&d->link, &queue);
		call_worker();
	}
	spin_unlock_irqrestore(&pool_lock, flags);
	if (too_few())
		waitq_wake_all(&monitor_wait);
}

void defer_timer_fired(struct ktimer *t)
{
	struct deferred_timer *d = container_of(t, struct deferred_timer, timer);

	/* First, so that who changes something now either finds it set and is seen by the work, or sets it anew. */
	__atomic_store_n(&d->set, 0, __ATOMIC_SEQ_CST);
	defer(&d->work);
}

void defer_start_timer(struct deferred_timer *d, u64 ns)
{
	if (!__atomic_exchange_n(&d->set, 1, __ATOMIC_SEQ_CST))
		ktimer_start(&d->timer, hal_clock_ns() + ns);
}

bool defer_idle(struct deferred *d)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);
	bool is_idle = list_empty(&d->link) && !d->running;

	spin_unlock_irqrestore(&pool_lock, flags);
	return is_idle;
}

u32 defer_count(void)
{
	return __atomic_load_n(&count, __ATOMIC_SEQ_CST);
}

/* ---- doing it ---- */

static struct deferred *take_work(void)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);
	struct deferred *d = NULL;

	if (!list_empty(&queue)) {
		d = list_first_entry(&queue, struct deferred, link);
		list_del_init(&d->link);
		d->running = true;
		defer_count_begin(&count);
	}
	spin_unlock_irqrestore(&pool_lock, flags);
	return d;
}

static void work_done(struct deferred *d)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);

	d->running = false;
	if (d->again)
		list_add_tail(&d->link, &queue);
	d->again = false;
	defer_count_end(&count);
	spin_unlock_irqrestore(&pool_lock, flags);
}

/* Sleeps until called. Return: whether the worker is to go. */
static bool sleep_idle(void)
{
	struct worker self = { .task = current };
	unsigned long flags = spin_lock_irqsave(&pool_lock);
	bool leave = false;

	if (list_empty(&queue)) {
		u64 until =
			defer_total(defer_count()) > 1 ? hal_clock_ns() + DEFER_IDLE_NS : U64_MAX;

		list_add(&self.link, &idle);
		while (!list_empty(&self.link)) {
			bool late;

			task_prepare_sleep(TASK_UNINTERRUPTIBLE);
			spin_unlock_irqrestore(&pool_lock, flags);
			late = schedule_until(until);
			flags = spin_lock_irqsave(&pool_lock);
			leave = late && !list_empty(&self.link) && defer_count_leave(&count, 1);
			if (late)
				list_del_init(&self.link);
		}
		task_finish_sleep();
	}
	spin_unlock_irqrestore(&pool_lock, flags);
	return leave;
}

static void worker(void *arg)
{
	struct deferred *d;

	(void)arg;
	do {
		while ((d = take_work()) != NULL) {
			if (too_few())
				waitq_wake_all(&monitor_wait);
			d->fn(d);
			work_done(d);
			cond_resched();
		}
	} while (!sleep_idle());
}

static int add_worker(void)
{
	struct task *t;

	if (!defer_count_join(&count, DEFER_WORKERS_MAX))
		return 0;
	t = kthread_create(worker, NULL, "worker");
	if (!IS_ERR(t))
		return 0;
	defer_count_leave(&count, 0);
	return PTR_ERR(t);
}

static void monitor(void *arg)
{
	(void)arg;
	for (;;) {
		wait_event(&monitor_wait, too_few());
		if (!add_worker())
			continue;
		/* No memory: meanwhile the others go on. */
		task_prepare_sleep(TASK_UNINTERRUPTIBLE);
		schedule_until(hal_clock_ns() + RETRY_NS);
		task_finish_sleep();
	}
}

void defer_init(void)
{
	if (add_worker() || IS_ERR(kthread_create(monitor, NULL, "monitor")))
		panic("no memory for deferred work");
}

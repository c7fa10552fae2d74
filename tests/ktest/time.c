/* SPDX-License-Identifier: MIT */
/* Timers and wait queues: nothing early, nothing lost, nothing after a cancel. */
#include <kernel/sched.h>
#include <kernel/time.h>
#include <kernel/wait.h>

#include "ktest.h"

#define NTIMERS 60

static struct numbered {
	struct ktimer timer;
	u64 wanted_ns;
	u32 fired;
} timers[NTIMERS];
static u32 nfired, disorder, early;
static u64 last_deadline;

static void on_timer(struct ktimer *t)
{
	struct numbered *n = container_of(t, struct numbered, timer);

	early += hal_clock_ns() < n->wanted_ns;
	disorder += n->wanted_ns < last_deadline;
	last_deadline = n->wanted_ns;
	n->fired++;
	__atomic_fetch_add(&nfired, 1, __ATOMIC_SEQ_CST);
}

/* Armed in a scrambled order on one CPU, they fire in the order of their times; one in five is cancelled, one moved. */
static void test_timer_order(void)
{
	unsigned long flags;
	u64 base, expected = 0;

	ktest_pin(0);
	nfired = disorder = early = 0;
	last_deadline = 0;
	/* However slow the machine is, none fires before all are arranged. */
	flags = hal_irq_save();
	base = hal_clock_ns() + 5 * NSEC_PER_MSEC;
	for (unsigned int i = 0; i < NTIMERS; i++) {
		struct numbered *n = &timers[i];

		ktimer_init(&n->timer, on_timer);
		n->fired = 0;
		n->wanted_ns = base + (i * 37 % NTIMERS) * NSEC_PER_MSEC / 2;
		ktimer_start(&n->timer, n->wanted_ns);
	}
	for (unsigned int i = 0; i < NTIMERS; i += 5) {
		EXPECT(ktimer_cancel(&timers[i].timer));
		timers[i].wanted_ns = 0;
		EXPECT(!ktimer_cancel(&timers[i].timer));
	}
	for (unsigned int i = 1; i < NTIMERS; i += 7) {
		if (timers[i].wanted_ns) {
			timers[i].wanted_ns += 40 * NSEC_PER_MSEC;
			ktimer_start(&timers[i].timer, timers[i].wanted_ns);
		}
	}
	hal_irq_restore(flags);
	ktest_sleep_ns(150 * NSEC_PER_MSEC);
	for (unsigned int i = 0; i < NTIMERS; i++) {
		EXPECT(timers[i].fired == (timers[i].wanted_ns != 0));
		expected += timers[i].wanted_ns != 0;
	}
	EXPECT(nfired == expected && early == 0 && disorder == 0);
	ktest_unpin();
}

/* After ktimer_cancel() the callback neither runs nor will run, wherever the timer was. */
static struct racing {
	struct ktimer timer;
	u32 ran, forbidden;
} racing[CONFIG_NR_CPUS];
static u32 ran_late;

static void on_race(struct ktimer *t)
{
	struct racing *r = container_of(t, struct racing, timer);

	if (__atomic_load_n(&r->forbidden, __ATOMIC_SEQ_CST))
		__atomic_fetch_add(&ran_late, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&r->ran, 1, __ATOMIC_SEQ_CST);
}

static void cancel_worker(unsigned int self)
{
	struct racing *r = &racing[self];

	ktimer_init(&r->timer, on_race);
	for (unsigned int i = 0; i < 300; i++) {
		u64 until = hal_clock_ns() + (i * 7919 % 60) * NSEC_PER_USEC;
		bool armed;

		r->ran = r->forbidden = 0;
		ktimer_start(&r->timer, hal_clock_ns() + 30 * NSEC_PER_USEC);
		/* Cancelled from another CPU than it was started on, now and then. */
		if (i % 16 == 0)
			ktest_pin(self + 1 + i / 16);
		while (hal_clock_ns() < until)
			hal_cpu_relax();
		armed = ktimer_cancel(&r->timer);
		__atomic_store_n(&r->forbidden, 1, __ATOMIC_SEQ_CST);
		EXPECT(r->ran == !armed);
		cond_resched();
	}
}

static void test_timer_cancel(void)
{
	ran_late = 0;
	ktest_parallel(cpu_online_count(), cancel_worker, true);
	EXPECT(ran_late == 0);
}

static void sleep_worker(unsigned int self)
{
	for (unsigned int i = 0; i < 20; i++) {
		u64 until = hal_clock_ns() + (1 + (self * 3 + i) % 7) * 300 * NSEC_PER_USEC;

		do
			task_prepare_sleep(TASK_UNINTERRUPTIBLE);
		while (!schedule_until(until));
		EXPECT(hal_clock_ns() >= until);
	}
}

static void test_sleep(void)
{
	u64 start = hal_clock_ns();

	ktest_parallel(12, sleep_worker, false);
	EXPECT(hal_clock_ns() - start >= 20 * 300 * NSEC_PER_USEC);
	EXPECT(hal_clock_ns() - start < 2 * KTEST_LIMIT_NS);
}

/* Every waiter sees every generation: a lost wake-up ends in the deadline. */
static struct waitq herd = WAITQ_INIT(herd), back = WAITQ_INIT(back);
static u32 generation, seen;
#define HERD   12
#define ROUNDS 100

static void herd_worker(unsigned int self)
{
	(void)self;
	for (u32 g = 1; g <= ROUNDS; g++) {
		u64 deadline = hal_clock_ns() + KTEST_LIMIT_NS;

		EXPECT(__wait_event(&herd, READ_ONCE(generation) >= g, TASK_UNINTERRUPTIBLE,
				    deadline) == 0);
		__atomic_fetch_add(&seen, 1, __ATOMIC_SEQ_CST);
		waitq_wake_all(&back);
	}
}

static void herd_driver(unsigned int self)
{
	if (self) {
		herd_worker(self);
		return;
	}
	for (u32 g = 1; g <= ROUNDS; g++) {
		WRITE_ONCE(generation, g);
		waitq_wake_all(&herd);
		EXPECT(__wait_event(&back, __atomic_load_n(&seen, __ATOMIC_SEQ_CST) == g * HERD,
				    TASK_UNINTERRUPTIBLE, hal_clock_ns() + KTEST_LIMIT_NS) == 0);
	}
}

static void test_wake_storm(void)
{
	generation = seen = 0;
	ktest_parallel(HERD + 1, herd_driver, false);
	EXPECT(seen == ROUNDS * HERD);
	EXPECT(list_empty(&herd.waiters) && list_empty(&back.waiters));
}

/* One wake-up, one exclusive waiter. */
static struct waitq door = WAITQ_INIT(door);
static u32 tickets, through;

static void door_worker(unsigned int self)
{
	struct waiter w;

	if (!self) {
		for (u32 i = 1; i <= 6; i++) {
			ktest_sleep_ns(3 * NSEC_PER_MSEC);
			__atomic_fetch_add(&tickets, 1, __ATOMIC_SEQ_CST);
			waitq_wake_one(&door);
			for (u32 k = 0;
			     k < 40000 && __atomic_load_n(&through, __ATOMIC_SEQ_CST) < i; k++)
				ktest_sleep_ns(3 * NSEC_PER_MSEC);
			EXPECT(__atomic_load_n(&through, __ATOMIC_SEQ_CST) == i);
		}
		return;
	}
	waiter_init(&w);
	waitq_add_exclusive(&door, &w);
	for (;;) {
		u32 n;

		task_prepare_sleep(TASK_UNINTERRUPTIBLE);
		n = __atomic_load_n(&tickets, __ATOMIC_SEQ_CST);
		if (n && __atomic_compare_exchange_n(&tickets, &n, n - 1, false, __ATOMIC_SEQ_CST,
						     __ATOMIC_SEQ_CST))
			break;
		schedule();
	}
	task_finish_sleep();
	waitq_remove(&door, &w);
	__atomic_fetch_add(&through, 1, __ATOMIC_SEQ_CST);
}

static void test_wake_exclusive(void)
{
	tickets = through = 0;
	ktest_parallel(7, door_worker, false);
	EXPECT(through == 6 && tickets == 0);
}

static void test_timeout(void)
{
	u64 start = hal_clock_ns();

	EXPECT(__wait_event(&door, false, TASK_UNINTERRUPTIBLE, start + 5 * NSEC_PER_MSEC) ==
	       -ETIMEDOUT);
	EXPECT(hal_clock_ns() >= start + 5 * NSEC_PER_MSEC);
	EXPECT(__wait_event(&door, true, TASK_UNINTERRUPTIBLE, start) == 0);
	EXPECT(list_empty(&door.waiters));
}

const struct ktest ktest_time[] = {
	{ "timer_order", test_timer_order, false },
	{ "timer_cancel", test_timer_cancel, false },
	{ "sleep", test_sleep, false },
	{ "wake_storm", test_wake_storm, false },
	{ "wake_exclusive", test_wake_exclusive, false },
	{ "wait_timeout", test_timeout, false },
	KTEST_END,
};

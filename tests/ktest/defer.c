/* SPDX-License-Identifier: MIT */
/* Deferred work: nothing is lost or done twice at a time, workers come while all others are busy, and leave. */
#include <kernel/defer.h>
#include <kernel/defer_count.h>
#include <kernel/sched.h>

#include "ktest.h"

static bool within_limit(bool (*holds)(void))
{
	u64 end = hal_clock_ns() + KTEST_LIMIT_NS;

	while (!holds() && hal_clock_ns() < end)
		ktest_sleep_ns(NSEC_PER_MSEC / 10);
	return holds();
}

/* ---- one work from many sides ---- */

#define BRINGERS 8
#define TIMES	 2000

static u32 brought, seen, inside; /* atomic */

static void look(struct deferred *d)
{
	(void)d;
	EXPECT(__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) == 1);
	__atomic_store_n(&seen, __atomic_load_n(&brought, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
}

static struct deferred looking = DEFERRED_INIT(looking, look);

static void bring(unsigned int self)
{
	for (unsigned int i = 0; i < TIMES; i++) {
		__atomic_fetch_add(&brought, 1, __ATOMIC_SEQ_CST);
		defer(&looking);
		if (i % 16 == self)
			cond_resched();
	}
}

static bool all_seen(void)
{
	return __atomic_load_n(&seen, __ATOMIC_SEQ_CST) == BRINGERS * TIMES && defer_idle(&looking);
}

static void test_defer_none_lost(void)
{
	brought = seen = 0;
	ktest_parallel(BRINGERS, bring, true);
	EXPECT(within_limit(all_seen));
}

/* ---- more work than workers ---- */

#define BLOCKED (DEFER_WORKERS_MAX + 4)

static struct deferred blocking[BLOCKED];
static bool gate_open;
static struct waitq gate = WAITQ_INIT(gate);
static u32 blocked, passed; /* atomic */

static void block(struct deferred *d)
{
	(void)d;
	__atomic_fetch_add(&blocked, 1, __ATOMIC_SEQ_CST);
	wait_event(&gate, READ_ONCE(gate_open));
	__atomic_fetch_add(&passed, 1, __ATOMIC_SEQ_CST);
}

static bool all_workers_blocked(void)
{
	return __atomic_load_n(&blocked, __ATOMIC_SEQ_CST) == DEFER_WORKERS_MAX;
}

static bool all_passed(void)
{
	return __atomic_load_n(&passed, __ATOMIC_SEQ_CST) == BLOCKED;
}

static bool one_left(void)
{
	return defer_count() == DEFER_ONE_WORKER;
}

static void test_defer_grows(void)
{
	u64 start;

	blocked = passed = 0;
	gate_open = false;
	for (unsigned int i = 0; i < BLOCKED; i++) {
		blocking[i].fn = block;
		list_init(&blocking[i].link);
		defer(&blocking[i]);
	}
	EXPECT(within_limit(all_workers_blocked));
	EXPECT(defer_total(defer_count()) == DEFER_WORKERS_MAX);
	EXPECT(defer_all_busy(defer_count()));
	ktest_sleep_ns(50 * NSEC_PER_MSEC);
	EXPECT(all_workers_blocked());
	start = hal_clock_ns();
	WRITE_ONCE(gate_open, true);
	waitq_wake_all(&gate);
	EXPECT(within_limit(all_passed));
	EXPECT(within_limit(one_left));
	EXPECT(hal_clock_ns() - start >= DEFER_IDLE_NS);
}

static bool all_looked(void)
{
	return defer_idle(&looking);
}

/* A few works in turn need one worker. */
static void test_defer_stays_small(void)
{
	EXPECT(within_limit(one_left));
	for (unsigned int i = 0; i < 50; i++) {
		brought = i + 1;
		defer(&looking);
		EXPECT(within_limit(all_looked));
		EXPECT(seen == i + 1);
	}
	EXPECT(defer_total(defer_count()) == 1);
}

/* ---- later ---- */

static u64 rang_ns; /* atomic */

static void ring(struct deferred *d)
{
	(void)d;
	__atomic_store_n(&rang_ns, hal_clock_ns(), __ATOMIC_SEQ_CST);
}

static struct deferred_timer bell = DEFERRED_TIMER_INIT(bell, ring);

static bool has_rung(void)
{
	return __atomic_load_n(&rang_ns, __ATOMIC_SEQ_CST);
}

static void test_defer_after(void)
{
	for (unsigned int i = 0; i < 3; i++) {
		u64 start = hal_clock_ns();

		rang_ns = 0;
		defer_after(&bell, 20 * NSEC_PER_MSEC);
		defer_after(&bell, 1000 * NSEC_PER_SEC); /* it is set */
		EXPECT(within_limit(has_rung));
		EXPECT(rang_ns - start >= 20 * NSEC_PER_MSEC);
	}
}

const struct ktest ktest_defer[] = {
	{ "defer_none_lost", test_defer_none_lost, false },
	{ "defer_grows", test_defer_grows, false },
	{ "defer_stays_small", test_defer_stays_small, false },
	{ "defer_after", test_defer_after, false },
	KTEST_END,
};

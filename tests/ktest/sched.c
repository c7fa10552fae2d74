/* SPDX-License-Identifier: MIT */
/* The scheduler: shares by weight, all CPUs used, affinity kept, every CPU reached by a barrier. */
#include <kernel/sched.h>
#include <kernel/time.h>
#include <uapi/sched.h>

#include "ktest.h"

/*
 * What a host takes away from a virtual CPU counts as time of the thread that was running there. The scheduler makes up for it afterwards,
 * so that shares come true the better the longer they are measured: these tests measure again for twice as long until they do, or until
 * MOST_NS, against which what is taken at the end is nothing. A scheduler that shares out wrongly does so for any time.
 */
#define MOST_NS (32 * NSEC_PER_SEC)

static u64 busy_ns, run_ns[CONFIG_NR_CPUS * 2 + 2], busy_start;
static u64 cpus_seen; /* atomic; CPUs 0..63 */
static int nice_of[2];

static void busy(unsigned int self)
{
	u64 end = busy_start + busy_ns;
	struct cpu_times t0, t1;

	sched_get_times(current, &t0);
	while (hal_clock_ns() < end) {
		__atomic_fetch_or(&cpus_seen, 1ULL << (hal_cpu_id() % 64), __ATOMIC_RELAXED);
		cond_resched();
	}
	sched_get_times(current, &t1);
	run_ns[self] = t1.system_ns - t0.system_ns;
}

static void fair_worker(unsigned int self)
{
	ktest_pin(0);
	sched_set(current, SCHED_OTHER, nice_of[self], 0);
	busy(self);
}

/* @n busy threads for longer and longer, until what they got is @right. Whether it was. */
static bool busy_until(unsigned int n, void (*fn)(unsigned int self), u64 first_ns,
		       bool (*right)(unsigned int n))
{
	for (busy_ns = first_ns; busy_ns <= MOST_NS; busy_ns *= 2) {
		cpus_seen = 0;
		busy_start = hal_clock_ns() + 10 * NSEC_PER_MSEC;
		if (ktest_parallel(n, fn, false) && right(n))
			return true;
	}
	for (unsigned int i = 0; i < n; i++)
		ktest_note("thread %u of %u ran %llu ms of %llu", i, n, run_ns[i] / NSEC_PER_MSEC,
			   busy_ns / 2 / NSEC_PER_MSEC);
	return false;
}

static u64 low_percent, high_percent;

static bool in_proportion(unsigned int n)
{
	u64 percent = run_ns[1] * 100 / (run_ns[0] + 1);

	(void)n;
	return percent >= low_percent && percent <= high_percent;
}

/* Two busy threads on one CPU share it as their weights say. */
static void shares(int nice, u64 low, u64 high)
{
	nice_of[0] = 0;
	nice_of[1] = nice;
	low_percent = low;
	high_percent = high;
	EXPECT(busy_until(2, fair_worker, 800 * NSEC_PER_MSEC, in_proportion));
}

static void test_fairness(void)
{
	/* Weights 1024:1024, 335:1024 = 33 %, 110:1024 = 11 %. */
	shares(0, 75, 134);
	shares(5, 22, 46);
	shares(10, 6, 19);
}

static bool each_its_cpu(unsigned int n)
{
	u64 total = 0;

	for (unsigned int i = 0; i < n; i++)
		total += run_ns[i];
	return (unsigned int)__builtin_popcountll(cpus_seen) == n && total >= n * busy_ns * 7 / 10;
}

/* As many busy threads as CPUs, started on one: each gets a CPU. */
static void test_spread(void)
{
	EXPECT(busy_until(cpu_online_count(), busy, 400 * NSEC_PER_MSEC, each_its_cpu));
}

static bool nobody_starves(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (run_ns[i] < busy_ns / 20)
			return false;
	return true;
}

/* More threads than CPUs. */
static void test_crowd(void)
{
	EXPECT(busy_until(2 * cpu_online_count() + 1, busy, 2 * NSEC_PER_SEC, nobody_starves));
}

static void affinity_worker(unsigned int self)
{
	for (unsigned int i = 0; i < 100; i++) {
		unsigned int cpu = ktest_pin(self + i);

		EXPECT(hal_cpu_id() == cpu);
		for (unsigned int k = 0; k < 5; k++) {
			if (k & 1)
				ktest_sleep_ns(50 * NSEC_PER_USEC);
			else
				sched_yield_current();
			EXPECT(hal_cpu_id() == cpu && current->hal.cpu == cpu);
		}
	}
}

static void test_affinity(void)
{
	ktest_parallel(2 * cpu_online_count(), affinity_worker, false);
}

/* A real-time thread runs until it sleeps, whoever else wants the CPU. */
static u32 rt_started, rt_done;

static void rt_worker(unsigned int self)
{
	u64 end;

	ktest_pin(0);
	if (self) {
		/* Ordinary: gets the CPU only after the real-time one is done. */
		do
			ktest_sleep_ns(5 * NSEC_PER_MSEC);
		while (!__atomic_load_n(&rt_started, __ATOMIC_SEQ_CST));
		EXPECT(__atomic_load_n(&rt_done, __ATOMIC_SEQ_CST) == 1);
		return;
	}
	sched_set(current, SCHED_FIFO, 0, 10);
	__atomic_store_n(&rt_started, 1, __ATOMIC_SEQ_CST);
	end = hal_clock_ns() + 60 * NSEC_PER_MSEC;
	while (hal_clock_ns() < end)
		cond_resched();
	__atomic_store_n(&rt_done, 1, __ATOMIC_SEQ_CST);
	sched_set(current, SCHED_OTHER, 0, 0);
}

static void test_realtime(void)
{
	rt_started = rt_done = 0;
	ktest_parallel(2, rt_worker, false);
	EXPECT(rt_done == 1);
}

static u32 flag_a[CONFIG_NR_CPUS];
static u32 stop;

/* sched_sync_all_cpus() is a barrier on CPUs that make none themselves (membarrier). */
static void sync_worker(unsigned int self)
{
	if (self) {
		while (!READ_ONCE(stop)) {
			WRITE_ONCE(flag_a[self], flag_a[self] + 1);
			cond_resched();
		}
		return;
	}
	for (unsigned int i = 0; i < 20; i++)
		sched_sync_all_cpus();
	WRITE_ONCE(stop, 1);
}

static void test_sync_all(void)
{
	stop = 0;
	ktest_parallel(cpu_online_count(), sync_worker, true);
	EXPECT(stop == 1);
}

/* Threads come and go: each leaves its stack and task behind for the next. */
static u32 short_lives;

static void short_life(unsigned int self)
{
	(void)self;
	__atomic_fetch_add(&short_lives, 1, __ATOMIC_SEQ_CST);
}

static void test_thread_churn(void)
{
	short_lives = 0;
	for (unsigned int i = 0; i < 60; i++)
		ktest_parallel(8, short_life, i & 1);
	EXPECT(short_lives == 480);
}

#define RING	    6
#define RING_ROUNDS 400
static struct waitq ring_wait[RING];
static struct task *ring_task[RING]; /* atomic */
static u32 ring_turn, ring_left;     /* atomic */

static void ring_member(unsigned int self)
{
	unsigned int next = (self + 1) % RING;

	__atomic_store_n(&ring_task[self], current, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < RING_ROUNDS; i++) {
		wait_event(&ring_wait[self], READ_ONCE(ring_turn) == self);
		WRITE_ONCE(ring_turn, next);
		waitq_wake_one(&ring_wait[next]);
	}
	/* The others' tasks are moved as long as one may be woken. */
	__atomic_fetch_sub(&ring_left, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&ring_left, __ATOMIC_SEQ_CST))
		ktest_sleep_ns(100 * NSEC_PER_USEC);
}

/* Each wakes the next, while a thread moves them from CPU to CPU: no wake-up is lost on the way, and none comes to a CPU that is forbidden. */
static void ring_worker(unsigned int self)
{
	unsigned long bits[ARRAY_SIZE(current->affinity.bits)] = { 0 };

	if (self < RING) {
		ring_member(self);
		return;
	}
	for (unsigned int i = 0; __atomic_load_n(&ring_left, __ATOMIC_SEQ_CST) > 1; i++) {
		struct task *t = __atomic_load_n(&ring_task[i % RING], __ATOMIC_SEQ_CST);

		bits[0] = 1UL << (i / 3 % cpu_online_count());
		if (t)
			sched_set_affinity(t, bits);
		cond_resched();
	}
	__atomic_fetch_sub(&ring_left, 1, __ATOMIC_SEQ_CST);
}

static void test_wake_moving(void)
{
	for (unsigned int i = 0; i < RING; i++)
		waitq_init(&ring_wait[i]);
	ring_turn = 0;
	ring_left = RING + 1;
	ktest_parallel(RING + 1, ring_worker, false);
	EXPECT(!ring_left);
}

const struct ktest ktest_sched[] = {
	{ "fairness", test_fairness, false },
	{ "spread", test_spread, true },
	{ "crowd", test_crowd, false },
	{ "affinity", test_affinity, true },
	{ "realtime", test_realtime, false },
	{ "sync_all_cpus", test_sync_all, true },
	{ "wake_moving", test_wake_moving, true },
	{ "thread_churn", test_thread_churn, false },
	KTEST_END,
};

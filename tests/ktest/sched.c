/* SPDX-License-Identifier: MIT */
/* The scheduler: shares by weight, all CPUs used, affinity kept, every CPU reached by a barrier. */
#include <kernel/sched.h>
#include <kernel/time.h>
#include <uapi/sched.h>

#include "ktest.h"

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

/* Two busy threads on one CPU share it as their weights say. */
static void shares(int nice, u64 low_percent, u64 high_percent)
{
	u64 percent;

	nice_of[0] = 0;
	nice_of[1] = nice;
	busy_start = hal_clock_ns() + 10 * NSEC_PER_MSEC;
	busy_ns = 800 * NSEC_PER_MSEC;
	ktest_parallel(2, fair_worker, false);
	percent = run_ns[1] * 100 / (run_ns[0] + 1);
	if (!EXPECT(percent >= low_percent && percent <= high_percent))
		ktest_note("nice %d: %llu ms against %llu ms", nice, run_ns[1] / 1000000,
			   run_ns[0] / 1000000);
}

static void test_fairness(void)
{
	/* Weights 1024:1024, 335:1024 = 33 %, 110:1024 = 11 %. */
	shares(0, 75, 134);
	shares(5, 22, 46);
	shares(10, 6, 19);
}

/* As many busy threads as CPUs, started on one: each gets a CPU. */
static void test_spread(void)
{
	unsigned int n = cpu_online_count();
	u64 total = 0;

	cpus_seen = 0;
	busy_ns = 400 * NSEC_PER_MSEC;
	busy_start = hal_clock_ns();
	ktest_parallel(n, busy, false);
	EXPECT((unsigned int)__builtin_popcountll(cpus_seen) == n);
	for (unsigned int i = 0; i < n; i++)
		total += run_ns[i];
	if (!EXPECT(total >= n * busy_ns * 7 / 10))
		ktest_note("%u threads ran %llu ms of %llu", n, total / 1000000,
			   n * busy_ns / 1000000);
}

/* More threads than CPUs: nobody starves. */
static void test_crowd(void)
{
	unsigned int n = 2 * cpu_online_count() + 1;

	/* Long against the time that an emulated CPU may stand still on a busy machine. */
	busy_ns = 2 * NSEC_PER_SEC;
	busy_start = hal_clock_ns();
	ktest_parallel(n, busy, false);
	for (unsigned int i = 0; i < n; i++)
		if (!EXPECT(run_ns[i] >= busy_ns / 20))
			ktest_note("thread %u of %u ran %llu ms", i, n, run_ns[i] / 1000000);
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
static u32 rt_done;

static void rt_worker(unsigned int self)
{
	u64 end;

	ktest_pin(0);
	if (self) {
		/* Ordinary: gets the CPU only after the real-time one is done. */
		ktest_sleep_ns(5 * NSEC_PER_MSEC);
		EXPECT(__atomic_load_n(&rt_done, __ATOMIC_SEQ_CST) == 1);
		return;
	}
	sched_set(current, SCHED_FIFO, 0, 10);
	end = hal_clock_ns() + 60 * NSEC_PER_MSEC;
	while (hal_clock_ns() < end)
		cond_resched();
	__atomic_store_n(&rt_done, 1, __ATOMIC_SEQ_CST);
	sched_set(current, SCHED_OTHER, 0, 0);
}

static void test_realtime(void)
{
	rt_done = 0;
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

const struct ktest ktest_sched[] = {
	{ "fairness", test_fairness, false },
	{ "spread", test_spread, true },
	{ "crowd", test_crowd, false },
	{ "affinity", test_affinity, true },
	{ "realtime", test_realtime, false },
	{ "sync_all_cpus", test_sync_all, true },
	{ "thread_churn", test_thread_churn, false },
	KTEST_END,
};

/* SPDX-License-Identifier: MIT */
/*
 * Runs the tests inside the kernel: CONFIG_KTEST=y and `caelum.ktest` on the command line.
 *
 * Prints TAP on the console's log channel and switches the machine off with status 0, or 1 when a test failed.
 */
#include <hal/power.h>
#include <hal/upcall.h>
#include <kernel/console.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <ktest.h>
#include <lib/printf.h>
#include <mm/slab.h>

#include "ktest.h"

#define MAX_REPORTS 10 /* of one test */

static const struct ktest *const suites[] = { ktest_mm,	   ktest_locks, ktest_time,
					      ktest_sched, ktest_user,	ktest_paging,
					      ktest_msi,   ktest_defer, ktest_retire };
static u32 failures; /* of the running test; atomic */
static const char *skipped;

static __printf(1, 2) void say(const char *fmt, ...)
{
	char line[200];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = (size_t)vscnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_write(CONSOLE_LOG, line, n);
}

void ktest_note(const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vscnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say("# %s\n", text);
}

bool ktest_expect(bool ok, const char *what, const char *file, int line)
{
	if (likely(ok))
		return true;
	if (__atomic_fetch_add(&failures, 1, __ATOMIC_SEQ_CST) < MAX_REPORTS)
		say("# %s:%d: %s (cpu %u)\n", file, line, what, hal_cpu_id());
	return false;
}

void ktest_skip(const char *why)
{
	skipped = why;
}

/* ---- threads ---- */

struct crew {
	void (*fn)(unsigned int i);
	bool pinned;
	u32 next, done, gone; /* atomic */
	u32 n;
	struct waitq q;
};

unsigned int ktest_pin(unsigned int i)
{
	unsigned long bits[(CONFIG_NR_CPUS + 63) / 64] = { 0 };
	unsigned int cpu = 0;

	for (i %= cpu_online_count(); !cpu_online(cpu) || i--; cpu++)
		;
	bits[cpu / 64] = 1UL << (cpu % 64);
	sched_set_affinity(current, bits);
	while (hal_cpu_id() != cpu)
		ktest_sleep_ns(NSEC_PER_MSEC / 10);
	return cpu;
}

void ktest_unpin(void)
{
	sched_set_affinity(current, cpu_online_mask);
}

static void crew_member(void *arg)
{
	struct crew *crew = arg;
	unsigned int i = __atomic_fetch_add(&crew->next, 1, __ATOMIC_RELAXED);

	if (crew->pinned)
		ktest_pin(i);
	else
		ktest_unpin();
	crew->fn(i);
	__atomic_fetch_add(&crew->done, 1, __ATOMIC_SEQ_CST);
	waitq_wake_all(&crew->q);
	__atomic_fetch_add(&crew->gone, 1, __ATOMIC_RELEASE);
}

bool ktest_parallel(unsigned int n, void (*fn)(unsigned int i), bool pinned)
{
	struct crew *crew = kzalloc(sizeof(*crew), GFP_KERNEL);
	unsigned int started = 0;

	if (!EXPECT(crew != NULL))
		return false;
	crew->fn = fn;
	crew->pinned = pinned;
	crew->n = n;
	waitq_init(&crew->q);
	while (started < n && EXPECT(!IS_ERR(kthread_create(crew_member, crew, "ktest"))))
		started++;
	wait_event(&crew->q, __atomic_load_n(&crew->done, __ATOMIC_SEQ_CST) == started);
	/* The last thread may still be in its wake-up. */
	while (__atomic_load_n(&crew->gone, __ATOMIC_ACQUIRE) != started)
		ktest_sleep_ns(NSEC_PER_MSEC / 10);
	kfree(crew);
	return started == n;
}

void ktest_sleep_ns(u64 ns)
{
	u64 until = hal_clock_ns() + ns;

	do
		task_prepare_sleep(TASK_UNINTERRUPTIBLE);
	while (!schedule_until(until));
}

/* ---- the run ---- */

/* Return: whether it did not fail. */
static bool run_one(const struct ktest *t, unsigned int number)
{
	u64 start = hal_clock_ns(), ms;

	failures = 0;
	skipped = t->smp && cpu_online_count() < 2 ? "needs two CPUs" : NULL;
	if (!skipped)
		t->run();
	ms = (hal_clock_ns() - start) / NSEC_PER_MSEC;
	if (failures)
		say("not ok %u - %s # %u failed checks, %llu ms\n", number, t->name, failures, ms);
	else if (skipped)
		say("ok %u - %s # SKIP %s\n", number, t->name, skipped);
	else
		say("ok %u - %s # %llu ms\n", number, t->name, ms);
	return failures == 0;
}

static void run_all(void *arg)
{
	unsigned int number = 0, failed = 0;

	(void)arg;
	for (unsigned int s = 0; s < ARRAY_SIZE(suites); s++)
		for (const struct ktest *t = suites[s]; t->name; t++)
			number++;
	say("1..%u\n", number);
	number = 0;
	for (unsigned int s = 0; s < ARRAY_SIZE(suites); s++)
		for (const struct ktest *t = suites[s]; t->name; t++)
			failed += !run_one(t, ++number);
	console_report_exit(failed != 0);
	hal_power_off(failed != 0);
}

void ktest_main(void)
{
	struct task *t = kthread_create(run_all, NULL, "ktest");

	if (IS_ERR(t))
		panic("caelum.ktest: cannot start: %pe", t);
	for (;;)
		ktest_sleep_ns(NSEC_PER_SEC);
}

/* SPDX-License-Identifier: MIT */
/*
 * Tests inside the kernel: what each file of tests/ktest offers, and what it has to work with.
 *
 * A test is a function; it fails when an EXPECT() in it, or in a thread it started, does not hold. Threads are kernel
 * threads pinned to one CPU each, so that with several CPUs they really run at the same time.
 */
#ifndef KTEST_H
#define KTEST_H

#include <compiler.h>
#include <types.h>

struct ktest {
	const char *name;
	void (*run)(void);
	bool smp; /* needs at least two CPUs */
};
extern const struct ktest ktest_mm[], ktest_locks[], ktest_time[], ktest_sched[], ktest_user[],
	ktest_paging[], ktest_msi[], ktest_defer[], ktest_retire[];
#define KTEST_END { NULL, NULL, false }

/* A condition that must hold; the test goes on. True when it does. */
#define EXPECT(cond) ktest_expect(cond, #cond, __FILE__, __LINE__)
bool ktest_expect(bool ok, const char *what, const char *file, int line);
/** ktest_note() - a line of explanation in the output. */
__printf(1, 2) void ktest_note(const char *fmt, ...);
/** ktest_skip() - the test cannot be made here. */
void ktest_skip(const char *why);

/**
 * ktest_parallel() - run @fn(0) .. @fn(n-1) in @n threads, number i on the i-th online CPU (round robin) if @pinned, and wait
 * for all of them. Return: false when they could not be started.
 */
bool ktest_parallel(unsigned int n, void (*fn)(unsigned int i), bool pinned);
/** ktest_pin() - the current task runs only on the @i-th online CPU from now on (modulo their number); returns that CPU. */
unsigned int ktest_pin(unsigned int i);
/** ktest_unpin() - on any CPU again. */
void ktest_unpin(void);
/** How long a test waits for what must come, however slow the machine is. */
#define KTEST_LIMIT_NS (120 * NSEC_PER_SEC)
/** ktest_sleep_ns() - sleep without being interrupted. */
void ktest_sleep_ns(u64 ns);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The vDSO's clock functions: clock_gettime(2), gettimeofday(2), time(2) without a system call.
 *
 * The arithmetic is hal_clock_ns()'s, on the same numbers (<hal/clock_time.h>).
 * What needs the kernel (clocks of CPU time, time zones) is a system call of the same name. This is user code: it is linked
 * into the vDSO, by itself, and its only data is the page before it.
 */
#include <arch/counter.h>
#include <arch/vdso.h>
#include <compiler.h>
#include <hal/clock_time.h>
#include <hal/vdso.h>
#include <types.h>
#include <uapi/time.h>

#define MONOTONIC_CLOCKS                                                                           \
	(1u << CLOCK_MONOTONIC | 1u << CLOCK_MONOTONIC_RAW | 1u << CLOCK_MONOTONIC_COARSE |        \
	 1u << CLOCK_BOOTTIME)
#define REAL_CLOCKS (1u << CLOCK_REALTIME | 1u << CLOCK_REALTIME_COARSE)

struct timespec {
	s64 tv_sec, tv_nsec;
};
struct timeval {
	s64 tv_sec, tv_usec;
};

extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

int VDSO_NAME(clock_gettime)(int clock, struct timespec *ts);
int VDSO_NAME(clock_getres)(int clock, struct timespec *ts);
int VDSO_NAME(gettimeofday)(struct timeval *tv, void *tz);

static __always_inline u64 ticks(void)
{
	return arch_counter_ordered() - vdso_data.origin;
}

static __always_inline u64 monotonic_ns(void)
{
	return clock_ns_of(ticks(), vdso_data.sec_per_tick);
}

static __always_inline u64 real_ns(void)
{
	return monotonic_ns() + READ_ONCE(vdso_data.real_offset_ns);
}

/* The two that programs ask for are told apart by a comparison each; the others by a set of bits. */
static __noinline int any_clock_gettime(int clock, struct timespec *ts)
{
	u32 bit;
	u64 ns;

	if (likely(clock == CLOCK_REALTIME)) {
		ns = real_ns();
	} else {
		bit = (u32)clock < 32 ? 1u << clock : 0;
		if (bit & MONOTONIC_CLOCKS)
			ns = monotonic_ns();
		else if (bit & REAL_CLOCKS)
			ns = real_ns();
		else if (clock == CLOCK_TAI)
			ns = real_ns() + READ_ONCE(vdso_data.tai_offset_ns);
		else
			return (int)vdso_syscall(VDSO_NR_clock_gettime, clock, ts);
	}
	ts->tv_sec = (s64)(ns / NSEC_PER_SEC);
	ts->tv_nsec = (s64)(ns % NSEC_PER_SEC);
	return 0;
}

int VDSO_NAME(clock_gettime)(int clock, struct timespec *ts)
{
	struct clock_time t;

	if (unlikely(clock != CLOCK_MONOTONIC))
		return any_clock_gettime(clock, ts);
	t = clock_time_of(ticks(), vdso_data.sec_per_tick);
	ts->tv_sec = (s64)t.sec;
	ts->tv_nsec = (s64)t.nsec;
	return 0;
}

int VDSO_NAME(clock_getres)(int clock, struct timespec *ts)
{
	return (int)vdso_syscall(VDSO_NR_clock_getres, clock, ts);
}

int VDSO_NAME(gettimeofday)(struct timeval *tv, void *tz)
{
	u64 us;

	if (unlikely(tz))
		return (int)vdso_syscall(VDSO_NR_gettimeofday, (long)tv, tz);
	if (!tv)
		return 0;
	us = real_ns() / 1000;
	tv->tv_sec = (s64)(us / 1000000);
	tv->tv_usec = (s64)(us % 1000000);
	return 0;
}

#ifdef VDSO_PLAIN_NAMES
s64 __vdso_time(s64 *t);

s64 __vdso_time(s64 *t)
{
	s64 now = (s64)(real_ns() / NSEC_PER_SEC);

	if (t)
		*t = now;
	return now;
}

#define PLAIN_NAME(name)                                                                           \
	extern __typeof__(__vdso_##name) name __attribute__((weak, alias("__vdso_" #name)))
PLAIN_NAME(clock_gettime);
PLAIN_NAME(clock_getres);
PLAIN_NAME(gettimeofday);
PLAIN_NAME(time);
#endif

/* SPDX-License-Identifier: MIT */
/* The clock functions of the vDSO under x86_64's names: see <vdso/clock.h>. */
#include <vdso/clock.h>

#define NR_CLOCK_GETTIME 228
#define NR_GETTIMEOFDAY	 96

static __always_inline long call(long nr, long a, long b)
{
	long r;

	__asm__ __volatile__("syscall"
			     : "=a"(r)
			     : "a"(nr), "D"(a), "S"(b)
			     : "rcx", "r11", "memory");
	return r;
}

static long call_clock_gettime(long clock, long ts)
{
	return call(NR_CLOCK_GETTIME, clock, ts);
}

static long call_gettimeofday(long tv, long tz)
{
	return call(NR_GETTIMEOFDAY, tv, tz);
}

int __vdso_clock_gettime(int clock, struct vdso_timespec *ts);
int __vdso_clock_gettime(int clock, struct vdso_timespec *ts)
{
	return (int)vdso_clock_gettime(clock, ts, call_clock_gettime);
}

int __vdso_gettimeofday(struct vdso_timeval *tv, void *tz);
int __vdso_gettimeofday(struct vdso_timeval *tv, void *tz)
{
	return (int)vdso_gettimeofday(tv, tz, call_gettimeofday);
}

s64 __vdso_time(s64 *t);
s64 __vdso_time(s64 *t)
{
	struct vdso_timeval tv;

	vdso_gettimeofday(&tv, NULL, call_gettimeofday);
	if (t)
		*t = tv.sec;
	return tv.sec;
}

/* The names without prefix are part of the ABI, too. */
__typeof__(__vdso_clock_gettime) clock_gettime __attribute__((weak, alias("__vdso_clock_gettime")));
__typeof__(__vdso_gettimeofday) gettimeofday __attribute__((weak, alias("__vdso_gettimeofday")));
__typeof__(__vdso_time) time __attribute__((weak, alias("__vdso_time")));

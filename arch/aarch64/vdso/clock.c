/* SPDX-License-Identifier: MIT */
/* The clock functions of the vDSO under aarch64's names: see <vdso/clock.h>. */
#include <vdso/clock.h>

#define NR_CLOCK_GETTIME 113
#define NR_GETTIMEOFDAY	 169

static __always_inline long call(long nr, long a, long b)
{
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b;

	__asm__ __volatile__("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
	return x0;
}

static long call_clock_gettime(long clock, long ts)
{
	return call(NR_CLOCK_GETTIME, clock, ts);
}

static long call_gettimeofday(long tv, long tz)
{
	return call(NR_GETTIMEOFDAY, tv, tz);
}

int __kernel_clock_gettime(int clock, struct vdso_timespec *ts);
int __kernel_clock_gettime(int clock, struct vdso_timespec *ts)
{
	return (int)vdso_clock_gettime(clock, ts, call_clock_gettime);
}

int __kernel_gettimeofday(struct vdso_timeval *tv, void *tz);
int __kernel_gettimeofday(struct vdso_timeval *tv, void *tz)
{
	return (int)vdso_gettimeofday(tv, tz, call_gettimeofday);
}

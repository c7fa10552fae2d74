/* SPDX-License-Identifier: MIT */
/* The clock functions of the vDSO under riscv64's names: see <vdso/clock.h>. */
#include <vdso/clock.h>

#define NR_CLOCK_GETTIME 113
#define NR_GETTIMEOFDAY	 169

static __always_inline long call(long nr, long a, long b)
{
	register long a7 __asm__("a7") = nr, a0 __asm__("a0") = a, a1 __asm__("a1") = b;

	__asm__ __volatile__("ecall" : "+r"(a0) : "r"(a7), "r"(a1) : "memory");
	return a0;
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

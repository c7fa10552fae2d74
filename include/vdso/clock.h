/* SPDX-License-Identifier: MIT */
/*
 * The clock functions of the vDSO, the same on every CPU: arch/<isa>/vdso/clock.c names them as its ABI does. The clocks
 * that are counted from boot or from 1970 are read here; for the others the system call is made.
 * Source: vdso(7), clock_gettime(2).
 */
#ifndef VDSO_CLOCK_H
#define VDSO_CLOCK_H

#include <arch/counter.h>
#include <compiler.h>
#include <uapi/time.h>
#include <vdso/data.h>

#define VDSO_NSEC_PER_SEC 1000000000ULL

/* Bit n: clock n is read here, from boot or from 1970. */
#define VDSO_BOOT_CLOCKS                                                                           \
	(1u << CLOCK_MONOTONIC | 1u << CLOCK_MONOTONIC_RAW | 1u << CLOCK_MONOTONIC_COARSE |        \
	 1u << CLOCK_BOOTTIME)
#define VDSO_REAL_CLOCKS (1u << CLOCK_REALTIME | 1u << CLOCK_REALTIME_COARSE | 1u << CLOCK_TAI)

extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

struct vdso_timespec {
	s64 sec, nsec;
};
struct vdso_timeval {
	s64 sec, usec;
};

/* @call: the system call, for what is not read here. */
static __always_inline long vdso_clock_gettime(int clock, struct vdso_timespec *ts,
					       long (*call)(long, long))
{
	u64 ns = vdso_boot_ns(&vdso_data, arch_counter_ordered());

	if ((unsigned int)clock > 31 || !((VDSO_BOOT_CLOCKS | VDSO_REAL_CLOCKS) >> clock & 1))
		return call(clock, (long)ts);
	if (VDSO_REAL_CLOCKS >> clock & 1)
		ns += READ_ONCE(vdso_data.real_offset_ns);
	ts->sec = (s64)(ns / VDSO_NSEC_PER_SEC);
	ts->nsec = (s64)(ns % VDSO_NSEC_PER_SEC);
	return 0;
}

/* The obsolete time zone is the kernel's to tell. */
static __always_inline long vdso_gettimeofday(struct vdso_timeval *tv, void *tz,
					      long (*call)(long, long))
{
	u64 ns = vdso_boot_ns(&vdso_data, arch_counter_ordered()) +
		 READ_ONCE(vdso_data.real_offset_ns);

	if (tz)
		return call((long)tv, (long)tz);
	if (!tv)
		return 0;
	tv->sec = (s64)(ns / VDSO_NSEC_PER_SEC);
	tv->usec = (s64)(ns % VDSO_NSEC_PER_SEC / 1000);
	return 0;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * From ticks of the counter to time: the arithmetic that the kernel and the vDSO share, so that a program sees one clock whichever way it asks.
 *
 * A tick is a 0.64 fixed-point number of seconds. The product with a number of ticks has the whole seconds in its upper half, so that nobody
 * divides; the lower half is the fraction.
 */
#ifndef HAL_CLOCK_TIME_H
#define HAL_CLOCK_TIME_H

#include <compiler.h>
#include <types.h>

#define NSEC_PER_SEC 1000000000ULL

struct clock_time {
	u64 sec, nsec;
};

/* Rounded up, so that a counter of 1 GHz shows n ns after n ticks and not n - 1. Off by less than 1 in 10^9 up to 4 GHz. @freq: Hz, above 1. */
static inline u64 clock_sec_per_tick(u64 freq)
{
	return U64_MAX / freq + 1;
}

static __always_inline struct clock_time clock_time_of(u64 ticks, u64 sec_per_tick)
{
	unsigned __int128 t = (unsigned __int128)ticks * sec_per_tick;

	return (struct clock_time){
		.sec = (u64)(t >> 64),
		.nsec = (u64)((unsigned __int128)(u64)t * NSEC_PER_SEC >> 64),
	};
}

/* The same in nanoseconds. */
static __always_inline u64 clock_ns_of(u64 ticks, u64 sec_per_tick)
{
	struct clock_time t = clock_time_of(ticks, sec_per_tick);

	return t.sec * NSEC_PER_SEC + t.nsec;
}

#endif

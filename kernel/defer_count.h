/* SPDX-License-Identifier: MIT */
/*
 * How many workers there are and how many of them are busy, in one word: total in the upper half, busy in the lower. Who looks
 * at it sees both as they were at one moment, without a lock.
 */
#ifndef KERNEL_DEFER_COUNT_H
#define KERNEL_DEFER_COUNT_H

#include <types.h>

#define DEFER_ONE_WORKER (1u << 16)

static inline unsigned int defer_total(u32 count)
{
	return count >> 16;
}

static inline unsigned int defer_busy(u32 count)
{
	return count & 0xffff;
}

/** defer_all_busy() - nobody is there to take what comes next. */
static inline bool defer_all_busy(u32 count)
{
	return defer_busy(count) >= defer_total(count);
}

/** defer_count_join() - one more worker, idle. False: there are @max. */
static inline bool defer_count_join(u32 *count, unsigned int max)
{
	u32 old = __atomic_load_n(count, __ATOMIC_RELAXED);

	do {
		if (defer_total(old) >= max)
			return false;
	} while (!__atomic_compare_exchange_n(count, &old, old + DEFER_ONE_WORKER, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return true;
}

/** defer_count_leave() - an idle worker less. False: only @min are left. */
static inline bool defer_count_leave(u32 *count, unsigned int min)
{
	u32 old = __atomic_load_n(count, __ATOMIC_RELAXED);

	do {
		if (defer_total(old) <= min)
			return false;
	} while (!__atomic_compare_exchange_n(count, &old, old - DEFER_ONE_WORKER, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return true;
}

/** defer_count_begin() - a worker becomes busy. Return: the count, with it. */
static inline u32 defer_count_begin(u32 *count)
{
	return __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
}

static inline void defer_count_end(u32 *count)
{
	__atomic_fetch_sub(count, 1, __ATOMIC_SEQ_CST);
}

#endif

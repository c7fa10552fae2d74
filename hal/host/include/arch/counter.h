/* SPDX-License-Identifier: MIT */
/* The counter that never stops: see hal_counter() in <hal/timer.h>. */
#ifndef ARCH_COUNTER_H
#define ARCH_COUNTER_H

#include <compiler.h>
#include <time.h>
#include <types.h>

static __always_inline u64 arch_counter(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

#endif

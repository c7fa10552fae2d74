/* SPDX-License-Identifier: MIT */
/* The counter that never stops: see hal_counter() in <hal/timer.h>. */
#ifndef ARCH_COUNTER_H
#define ARCH_COUNTER_H

#include <compiler.h>
#include <types.h>

static __always_inline u64 arch_counter(void)
{
	u64 lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return hi << 32 | lo; /* RDTSC clears the upper halves */
}

/* The same, not read before earlier instructions are done: for clocks that are compared between CPUs. */
static __always_inline u64 arch_counter_ordered(void)
{
	__asm__ __volatile__("lfence" ::: "memory");
	return arch_counter();
}

#endif

/* SPDX-License-Identifier: MIT */
/* The counter that never stops: see hal_counter() in <hal/timer.h>. */
#ifndef ARCH_COUNTER_H
#define ARCH_COUNTER_H

#include <compiler.h>
#include <types.h>

static __always_inline u64 arch_counter(void)
{
	u64 v;

	__asm__ __volatile__("rdtime %0" : "=r"(v)::"memory");
	return v;
}

/* For clocks that are compared between CPUs; the CSR is read in program order. */
static __always_inline u64 arch_counter_ordered(void)
{
	return arch_counter();
}

#endif

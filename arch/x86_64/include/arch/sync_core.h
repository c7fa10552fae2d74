/* SPDX-License-Identifier: MIT */
/* Fetching code anew: membarrier(2)'s SYNC_CORE. Context: any. */
#ifndef ARCH_SYNC_CORE_H
#define ARCH_SYNC_CORE_H

#include <compiler.h>

/* What other CPUs wrote into code is fetched anew: CPUID waits for everything before it. SDM volume 3, 9.3. */
#define ARCH_HAS_SYNC_CORE 1
static __always_inline void arch_sync_core(void)
{
	unsigned int a = 0, b, c = 0, d;

	__asm__ __volatile__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d)::"memory");
}

#endif

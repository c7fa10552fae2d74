/* SPDX-License-Identifier: MIT */
/* Fetching code anew: membarrier(2)'s SYNC_CORE. Context: any. */
#ifndef ARCH_SYNC_CORE_H
#define ARCH_SYNC_CORE_H

#include <compiler.h>

/* What other CPUs wrote into code is fetched anew. */
#define ARCH_HAS_SYNC_CORE 1
static __always_inline void arch_sync_core(void)
{
	__asm__ __volatile__("fence.i" ::: "memory");
}

#endif

/* SPDX-License-Identifier: MIT */
/* Fetching code anew, for membarrier(2)'s SYNC_CORE. */
#ifndef HAL_SYNC_CORE_H
#define HAL_SYNC_CORE_H

#include <arch/sync_core.h>

#define HAL_HAS_SYNC_CORE ARCH_HAS_SYNC_CORE /* whether Linux offers it on this architecture */

/** hal_sync_core() - after this, this CPU runs what others had written into code and made visible before. Context: any. */
static __always_inline void hal_sync_core(void)
{
	arch_sync_core();
}

#endif

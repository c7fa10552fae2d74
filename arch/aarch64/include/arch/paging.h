/* SPDX-License-Identifier: MIT */
/* A user address space: its table (TTBR0_EL1) and the number that tags its translations. */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <hal/asid.h>
#include <hal/pt_radix.h>

struct hal_pt {
	struct pt_radix radix;
	struct hal_asid asid;
};

#endif

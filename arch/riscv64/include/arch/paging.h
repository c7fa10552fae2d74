/* SPDX-License-Identifier: MIT */
/* One user address space: the radix table, its ASID, and the CPUs that may hold translations of it. */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <hal/asid.h>
#include <hal/pt_radix.h>
#include <hal/tlb.h>

struct hal_pt {
	struct pt_radix radix;
	struct hal_asid asid;
	struct tlb_cpus tlb;
};

#endif

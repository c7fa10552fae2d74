/* SPDX-License-Identifier: MIT */
/* A user address space's page table on x86_64: the generic radix table, the PCID and the CPUs that may cache it. */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <hal/asid.h>
#include <hal/pt_radix.h>
#include <hal/tlb.h>

struct hal_pt {
	struct pt_radix radix;
	struct hal_asid asid; /* PCID; unused where the CPU has none */
	struct tlb_cpus tlb;
};

#endif

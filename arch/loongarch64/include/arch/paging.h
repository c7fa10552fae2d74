/* SPDX-License-Identifier: MIT */
/* A user page table of loongarch64: generic radix table, ASID, and the CPUs that may cache it. */
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

/* SPDX-License-Identifier: MIT */
/* What the machine crate asks of the MMU while booting, before hal_paging_init(). Boot CPU only. */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H

#include <types.h>

/** aarch64_early_map() - make [pa, pa+size) reachable by phys_to_virt(), as normal memory. Return: 0, -1 without tables. */
int aarch64_early_map(paddr_t pa, u64 size);
/**
 * aarch64_early_map_device() - map the page of registers that @pa is in; one in all, kept for good.
 * Return: its address, or NULL without tables.
 */
void *aarch64_early_map_device(paddr_t pa);
/** aarch64_asid_init() - tell the allocator how many ASIDs this CPU has. */
void aarch64_asid_init(void);

#endif

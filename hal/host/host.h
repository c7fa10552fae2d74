/* SPDX-License-Identifier: MIT */
/*
 * What a host test sets up before it calls portable code.
 *
 *	host_ram_init(64 << 20, 0x80000000);	RAM for mm_init()
 *	host_current = &task.hal;		the current task
 *	hal_pt_activate(&vm->pt);		what the user-copy functions walk
 *	host_tlb_check();			after each change: is a stale translation left?
 *
 * The pretended CPU caches every translation it uses until it is told to forget it, so that a missing flush
 * shows up as access to memory that is gone, or in host_tlb_check().
 */
#ifndef HAL_HOST_H
#define HAL_HOST_H

#include <hal/cpu.h>
#include <types.h>

/**
 * host_ram_init() - make @size bytes of zeroed RAM at physical address @base and enter them into boot_info.
 * Again: the RAM before is given back, and boot_info begins anew.
 */
void host_ram_init(size_t size, paddr_t base);

/** host_tlb_check() - number of cached translations that grant what the page table does not. */
unsigned int host_tlb_check(void);

extern struct hal_pt *host_active_pt; /* as hal_pt_activate() said */
extern u64 host_tlb_flushes;	      /* counts requests */

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The generic radix page table: what hal/common/pagetable.c and an architecture give each other.
 *
 * hal/common/pagetable.c implements everything of <hal/paging.h> that is not hardware: hal_pt_init,
 * fini, map, map_pages, query, unmap, protect, move, clone, hal_paging_init, hal_kernel_map, unmap
 * and hal_ioremap. Tables have 512 entries of 64 bits; level 0 holds 4 KiB pages, level PT_LEVELS-1
 * is the root. User pages are always level 0.
 *
 * <arch/paging.h> defines
 *	struct hal_pt { struct pt_radix radix; ... };	radix first; ASID, CPU mask ... behind it
 *
 * <arch/pte.h> defines (inline functions, or macros where a constant will do):
 *	PT_LEVELS	   levels of user and kernel tables (constant, or a variable: riscv64)
 *	PT_MAX_LEAF_LEVEL  highest level that may hold a leaf (1: 2 MiB, 2: 1 GiB; may be a variable)
 *	PT_SHARED_ROOT	   1: one root for user and kernel (x86_64, riscv64): the kernel's root entries are
 *			   copied into each user root. 0: the kernel has its own root register
 *	PT_MAP_LINEAR	   1: the linear map is made of page-table entries; 0: a direct window (loongarch64)
 *	PT_MAP_IMAGE	   1: the kernel image is mapped by page-table entries at KERNEL_BASE
 *	PT_EMPTY_ZERO	   1: an empty entry is 0. 0: pte_empty() says what it is; new tables are filled with it
 *	PT_BREAK_BEFORE_MAKE 1: a page may only be replaced by another one through an empty entry and a TLB
 *			   flush (Arm); not defined: directly
 *	pte_t pte_broken(pte_t leaf)			only needed with it: not present, but not empty either, so that nobody
 *			   fills it meanwhile
 *	pte_t pte_empty(unsigned level)			only needed with PT_EMPTY_ZERO 0
 *	bool pte_present(pte_t e, unsigned level)	holds a page or a table. A page with no rights
 *			   (PROT_NONE) is present too although the hardware must fault on it
 *	bool pte_is_leaf(pte_t e, unsigned level)	a present entry that is a page (always so at level 0)
 *	paddr_t pte_pa(pte_t e, unsigned level)		of a leaf's page or of the next table
 *	unsigned pte_prot(pte_t e)			HAL_* of a leaf
 *	pte_t pte_leaf(paddr_t pa, unsigned prot, unsigned level)	accessed and dirty set already: hardware
 *			   never writes to entries
 *	pte_t pte_table(paddr_t pa, bool user)		entry of an upper level
 *	pte_t pte_wrprotect(pte_t leaf)			the same page without write permission
 *	void pte_publish(void)				called once after a batch of stores: new entries become
 *			   visible to this CPU's table walker (dsb ishst + isb, sfence, dbar, nothing)
 *
 * <arch/layout.h> defines, besides what <hal/paging.h> names:
 *	IOREMAP_BASE/END   where hal_ioremap() maps (apart from VMALLOC), or ARCH_HAS_IOREMAP: the arch
 *			   defines hal_ioremap() itself (direct uncached window)
 *
 * The linker script provides page-aligned symbols: __text_start/__text_end (RX, init text included),
 * __rodata_start/__rodata_end (R), __data_start/__image_end (RW: data, percpu, init data, bss).
 *
 * The arch defines these functions:
 *	arch_pt_init, arch_pt_fini, arch_kernel_activate, arch_tlb_flush_kernel (below)
 *	hal_pt_activate, hal_tlb_flush_*
 *
 * Until hal_paging_init() the early table must make phys_to_virt() work for whatever
 * upcall_pt_alloc() returns. Table pages passed to upcall_pt_free() hold only empty entries (zero
 * with PT_EMPTY_ZERO), so mm may hand them out again without clearing them.
 */
#ifndef HAL_PT_RADIX_H
#define HAL_PT_RADIX_H

#include <types.h>

typedef u64 pte_t;

#define PT_ENTRIES   512
#define PT_LOG_SLOTS 20

struct hal_pt;

struct pt_radix {
	pte_t *root; /* in the linear map */
	/*
	 * The slots of upper tables that point to tables, in the order of their making: a small
	 * program's tables are freed without scanning. ntables counts on when the log is full.
	 */
	unsigned int ntables;
	pte_t *slots[PT_LOG_SLOTS];
};

/**
 * arch_pt_init() - initialise the arch's own fields of @pt (ASID: none yet; CPU mask: empty).
 * arch_pt_fini() - the table is about to be freed: drop the ASID, forget cached copies.
 * arch_pt_init returns 0 or -ENOMEM.
 */
int arch_pt_init(struct hal_pt *pt);
void arch_pt_fini(struct hal_pt *pt);

/** arch_kernel_activate() - make the final kernel table at @root this CPU's (boot CPU, interrupts off). */
void arch_kernel_activate(paddr_t root);

/** arch_tlb_flush_kernel() - forget kernel translations of [start, end) on all CPUs. Interrupts on. */
void arch_tlb_flush_kernel(vaddr_t start, vaddr_t end);

/** pt_kernel_root() - physical address of the final kernel table; for secondary CPUs and kernel-only activation. */
paddr_t pt_kernel_root(void);

/**
 * pt_kernel_map() - enter [va, va+size) -> @pa into the kernel table with the largest pages that fit.
 * For arch code that needs more than the linear map, image and VMALLOC. Return: 0 or -ENOMEM.
 * With PT_SHARED_ROOT, a va whose root slot was not in use when the first user table was made is a bug.
 */
int pt_kernel_map(vaddr_t va, paddr_t pa, size_t size, unsigned int prot);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Kernel address space of loongarch64: 48-bit virtual addresses, 4-level tables.
 *
 *	0x0000000000000000  user, 128 TiB (PGDL)
 *	0x8000000000000000  all physical memory, strongly ordered uncached (direct window 0): ioremap
 *	0x9000000000000000  all physical memory, cached (direct window 1): linear map
 *	0xffff800000000000  VMALLOC, 64 TiB (PGDH)
 *	0xffffffff80000000  kernel image (PGDH)
 *
 * Direct windows are only valid at privilege level 0. They know no rights: what a page holds can be
 * written, and executed, through the window; see docs/loongarch64.md.
 * Included by assembly files and the linker script.
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#ifdef __ASSEMBLER__
#define __LAYOUT_UL(x) x
#else
#define __LAYOUT_UL(x) x##UL
#endif

#define USER_BITS	47
#define USER_END	__LAYOUT_UL(0x0000800000000000)
#define UNCACHED_BASE	__LAYOUT_UL(0x8000000000000000)
#define LINEAR_BASE	__LAYOUT_UL(0x9000000000000000)
#define LINEAR_PHYS_BASE __LAYOUT_UL(0)
#define VMALLOC_BASE	__LAYOUT_UL(0xffff800000000000)
#define VMALLOC_END	__LAYOUT_UL(0xffffc00000000000)
#define KERNEL_BASE	__LAYOUT_UL(0xffffffff80000000)
#define KERNEL_MAX_SIZE	__LAYOUT_UL(0x40000000)
#define PHYS_ADDR_MASK	__LAYOUT_UL(0x0000ffffffffffff)

/* hal_ioremap() answers from the uncached window. */
#define ARCH_HAS_IOREMAP 1

/* Of an address in a page-table entry. */
#define ARCH_PHYS_BITS 48

#ifndef __ASSEMBLER__

#include <types.h>

/* Physical address of the image minus KERNEL_BASE's; set by entry.S. */
extern paddr_t arch_image_phys;

static inline void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(pa | LINEAR_BASE);
}

static inline paddr_t arch_virt_to_phys(const void *va)
{
	return (paddr_t)va & PHYS_ADDR_MASK;
}

static inline paddr_t arch_image_to_phys(const void *va)
{
	return (paddr_t)va - KERNEL_BASE + arch_image_phys;
}

#endif
#endif

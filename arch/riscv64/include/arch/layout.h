/* SPDX-License-Identifier: MIT */
/*
 * The address space of riscv64 with Sv39, which every CPU with larger ones offers too:
 *
 *	0x0000000000000000  user, 256 GiB
 *	0xffffffc000000000  linear map of physical addresses from 0, 192 GiB
 *	0xfffffff000000000  VMALLOC: kernel stacks, 8 GiB
 *	0xfffffff200000000  device registers, 4 GiB
 *	0xffffffff80000000  the kernel image, 1 GiB
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#define KERNEL_BASE 0xffffffff80000000
#define LINEAR_BASE 0xffffffc000000000

/* Of an address in a page-table entry. */
#define ARCH_PHYS_BITS 56

#ifndef __ASSEMBLER__

#include <types.h>

#define USER_END	 0x4000000000UL
#define LINEAR_PHYS_BASE 0UL
#define LINEAR_SIZE	 0x3000000000UL
#define VMALLOC_BASE	 0xfffffff000000000UL
#define VMALLOC_END	 0xfffffff200000000UL
#define IOREMAP_BASE	 0xfffffff200000000UL
#define IOREMAP_END	 0xfffffff300000000UL

/* Physical address of the image minus its linked one; set by entry.S. */
extern unsigned long kernel_phys_offset;

static inline void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(pa + LINEAR_BASE);
}

static inline paddr_t arch_virt_to_phys(const void *va)
{
	return (unsigned long)va - LINEAR_BASE;
}

static inline paddr_t arch_image_to_phys(const void *va)
{
	return (unsigned long)va + kernel_phys_offset;
}

#endif
#endif

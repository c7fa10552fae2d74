/* SPDX-License-Identifier: MIT */
/*
 * The address space of x86_64 with four table levels.
 *
 *	0 .. USER_END				programs (Linux's TASK_SIZE_MAX)
 *	ffff8000'00000000 + 64 TiB		linear map of all RAM, from physical 0
 *	ffffc900'00000000 + 512 GiB		VMALLOC: kernel stacks and other 4 KiB mappings
 *	ffffc980'00000000 + 512 GiB		device registers
 *	ffffffff'80000000			the image, at this offset from its physical place
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#define LINEAR_BASE	 0xffff800000000000
#define LINEAR_PHYS_BASE 0
#define VMALLOC_BASE	 0xffffc90000000000
#define VMALLOC_END	 0xffffc98000000000
#define IOREMAP_BASE	 0xffffc98000000000
#define IOREMAP_END	 0xffffca0000000000
#define KERNEL_BASE	 0xffffffff80000000
#define USER_END	 0x00007ffffffff000

/* Where the loader puts the image. */
#define KERNEL_PHYS 0x100000

/* Of an address in a page-table entry. */
#define ARCH_PHYS_BITS 52

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

static __always_inline void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(pa + LINEAR_BASE);
}

static __always_inline paddr_t arch_virt_to_phys(const void *va)
{
	return (paddr_t)va - LINEAR_BASE;
}

/* Of an address inside the image (code, data, bss). */
static __always_inline paddr_t arch_image_to_phys(const void *va)
{
	return (paddr_t)va - KERNEL_BASE;
}

#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * The address space of aarch64: 48 bits on both sides, four table levels of 4 KiB.
 *
 *	0 .. USER_END				programs (TTBR0)
 *	ffff0000'00000000 + 128 TiB		linear map of all RAM, from physical 0
 *	ffff8000'00000000 + 512 GiB		VMALLOC: kernel stacks and other 4 KiB mappings
 *	ffff8080'00000000 + 512 GiB		device registers
 *	ffffff80'00000000			registers of the early console
 *	ffffffff'80000000			the image, wherever it was loaded
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#ifdef __ASSEMBLER__
#define ARCH_UL(x) x
#else
#define ARCH_UL(x) x##UL
#endif

#define USER_END	 ARCH_UL(0x0001000000000000)
#define LINEAR_BASE	 ARCH_UL(0xffff000000000000)
#define LINEAR_PHYS_BASE 0
#define LINEAR_SIZE	 ARCH_UL(0x0000800000000000)
#define VMALLOC_BASE	 ARCH_UL(0xffff800000000000)
#define VMALLOC_END	 ARCH_UL(0xffff808000000000)
#define IOREMAP_BASE	 ARCH_UL(0xffff808000000000)
#define IOREMAP_END	 ARCH_UL(0xffff810000000000)
#define EARLYCON_BASE	 ARCH_UL(0xffffff8000000000)
#define KERNEL_BASE	 ARCH_UL(0xffffffff80000000)

/* Of an address in a page-table entry. */
#define ARCH_PHYS_BITS 48

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

/* Physical address that KERNEL_BASE is mapped to; set by entry.S. */
extern paddr_t image_phys_base;

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
	return (paddr_t)va - KERNEL_BASE + image_phys_base;
}

#endif
#endif

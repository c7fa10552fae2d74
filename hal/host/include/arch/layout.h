/* SPDX-License-Identifier: MIT */
/* The address space of host tests: "physical" memory is host memory at the same address. */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#include <types.h>

#define USER_END	 0x800000000000UL
#define LINEAR_BASE	 0UL
#define LINEAR_PHYS_BASE 0UL
#define VMALLOC_BASE	 0xffff800000000000UL
#define VMALLOC_END	 0xffff900000000000UL
#define KERNEL_BASE	 0xffffffff80000000UL

static inline void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(unsigned long)pa;
}

static inline paddr_t arch_virt_to_phys(const void *va)
{
	return (unsigned long)va;
}

static inline paddr_t arch_image_to_phys(const void *va)
{
	return (unsigned long)va;
}

#endif

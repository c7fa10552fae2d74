/* SPDX-License-Identifier: MIT */
/*
 * The address space of host tests. "Physical" memory is host memory, host_linear_offset below its host
 * address: 0 until host_ram_init() makes RAM whose physical addresses it chooses. Likewise variables, as a
 * part of the image, and host_image_offset, which a test may set.
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#include <types.h>

#define USER_END      0x800000000000UL
#define ARCH_PHYS_BITS 48
#define LINEAR_BASE   host_linear_offset
#define VMALLOC_BASE  0xffff800000000000UL
#define VMALLOC_END   0xffff801000000000UL
#define KERNEL_BASE   0xffffffff80000000UL

extern unsigned long host_linear_offset, host_image_offset;

static inline void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(unsigned long)(pa + host_linear_offset);
}

static inline paddr_t arch_virt_to_phys(const void *va)
{
	return (unsigned long)va - host_linear_offset;
}

static inline paddr_t arch_image_to_phys(const void *va)
{
	return (unsigned long)va - host_image_offset;
}

#endif

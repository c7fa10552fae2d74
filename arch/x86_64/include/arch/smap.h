/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing user memory for the kernel (SMAP).
 *
 * STAC and CLAC are assembled as three-byte nops; x86_cpu_enable() turns them into the instructions at
 * boot, before the kernel's text becomes read-only, if the CPU has SMAP. Assembly files only.
 */
/* clang-format off */
#ifndef ARCH_SMAP_H
#define ARCH_SMAP_H

#define SMAP_CLAC 0xca
#define SMAP_STAC 0xcb

.macro SMAP_SITE op
771:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.balign 4
	.long 771b - .
	.long \op
	.popsection
.endm

#define STAC SMAP_SITE SMAP_STAC
#define CLAC SMAP_SITE SMAP_CLAC

#endif

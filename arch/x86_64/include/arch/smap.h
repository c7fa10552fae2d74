/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing user memory for the kernel (SMAP).
 *
 * STAC and CLAC are assembled as three-byte nops; x86_cpu_enable() turns them into the instructions at
 * boot, before the kernel's text becomes read-only, if the CPU has SMAP. In C they are strings for inline assembly.
 */
/* clang-format off */
#ifndef ARCH_SMAP_H
#define ARCH_SMAP_H

#define SMAP_CLAC 0xca
#define SMAP_STAC 0xcb

#ifdef __ASSEMBLER__

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

#else

#define SMAP_SITE(op)                      \
	"771:	.byte 0x0f, 0x1f, 0x00\n"  \
	".pushsection .smap_sites, \"a\"\n" \
	".balign 4\n"                      \
	".long 771b - .\n"                 \
	".long " op "\n"                   \
	".popsection\n"

#define STAC SMAP_SITE("0xcb")
#define CLAC SMAP_SITE("0xca")

#endif

#endif

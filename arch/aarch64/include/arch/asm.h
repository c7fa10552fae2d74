/* SPDX-License-Identifier: MIT */
/* Macros of the assembly files. */
#ifndef ARCH_ASM_H
#define ARCH_ASM_H

/* clang-format off */

.macro FUNC name, align=4
	.section .text.asm.\name, "ax"
	.balign 1 << \align
	.globl \name
	.type \name, %function
\name:
.endm

.macro ENDFUNC name
	.size \name, . - \name
.endm

/* Address of a symbol of the image, position-independent. */
.macro ADR_L reg, sym
	adrp \reg, \sym
	add \reg, \reg, :lo12:\sym
.endm

#define MOPS_LEAST 192 /* bytes from which FEAT_MOPS's instructions are used: the loops' rounds are 64 */

#define PAN_OFF .inst 0xd500409f /* msr pan, #0 */
#define PAN_ON	.inst 0xd500419f /* msr pan, #1 */

#endif

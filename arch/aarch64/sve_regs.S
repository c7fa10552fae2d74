/* SPDX-License-Identifier: MIT */
/* All SVE registers to and from memory, in the layout of signal frames: Z0-Z31, P0-P15, FFR. SVE is enabled for EL1. */
#include <arch/asm.h>

	.arch_extension simd
	.arch_extension sve
	.text

.macro EACH_Z op
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op z\n, [x0, #\n, mul vl]
	.endr
.endm

.macro EACH_P op
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	\op p\n, [x1, #\n, mul vl]
	.endr
.endm

/* x1: behind the Z registers */
.macro P_AREA
	addvl x1, x0, #31
	addvl x1, x1, #1
.endm

/* void aarch64_sve_save(u8 *area): the registers keep their values. */
FUNC aarch64_sve_save
	P_AREA
	EACH_Z str
	EACH_P str
	rdffr p0.b
	str p0, [x1, #16, mul vl]
	ldr p0, [x1, #0, mul vl]
	ret
ENDFUNC aarch64_sve_save

/* void aarch64_sve_load(const u8 *area) */
FUNC aarch64_sve_load
	P_AREA
	ldr p0, [x1, #16, mul vl]
	wrffr p0.b
	EACH_Z ldr
	EACH_P ldr
	ret
ENDFUNC aarch64_sve_load

/* unsigned int aarch64_sve_length(void): bytes */
FUNC aarch64_sve_length
	rdvl x0, #1
	ret
ENDFUNC aarch64_sve_length

/* Calls keep what they have of the FP registers; the rest of the vectors, predicates and FFR become 0. */
FUNC aarch64_sve_flush
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	mov v\n\().16b, v\n\().16b
	.endr
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	pfalse p\n\().b
	.endr
	wrffr p0.b
	ret
ENDFUNC aarch64_sve_flush

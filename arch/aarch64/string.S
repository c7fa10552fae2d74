/* SPDX-License-Identifier: MIT */
/*
 * memcpy, memmove and memset of aarch64: pairs of registers, 64 bytes in a round.
 *
 * Up to 64 bytes, everything is loaded before anything is stored, and the two ends may overlap; so the
 * short path ends copies in either direction. Unaligned access is fine: only normal memory is copied.
 * Longer copies of memcpy and memset are three instructions where the CPU has FEAT_MOPS. The kernel does not move to
 * another CPU, of perhaps another kind, between them.
 */
#include <arch/asm.h>

	.arch_extension mops

/* Branch to \loop unless the CPU has FEAT_MOPS and x2 is worth it. Clobbers x4. */
.macro IF_MOPS loop
	cmp x2, #MOPS_LEAST
	b.lo \loop
	ADR_L x4, aarch64_has_mops
	ldrb w4, [x4]
	cbz w4, \loop
.endm

#define ZVA_64 4 /* DCZID_EL0: DC ZVA clears 64 bytes (2^4 words) and is allowed */

/* x0: dst (kept), x1: src, x2: n; x3: where to store next */
FUNC memmove
	sub x4, x0, x1
	cmp x4, x2
	b.lo copy_backwards
	b copy_forwards
	.globl memcpy
	.type memcpy, %function
memcpy:
	IF_MOPS copy_forwards
	mov x3, x0
	cpyfp [x3]!, [x1]!, x2!
	cpyfm [x3]!, [x1]!, x2!
	cpyfe [x3]!, [x1]!, x2!
	ret
copy_forwards:
	mov x3, x0
	cmp x2, #64
	b.ls copy_short
1:	ldp x6, x7, [x1]
	ldp x8, x9, [x1, #16]
	ldp x10, x11, [x1, #32]
	ldp x12, x13, [x1, #48]
	stp x6, x7, [x3]
	stp x8, x9, [x3, #16]
	stp x10, x11, [x3, #32]
	stp x12, x13, [x3, #48]
	add x1, x1, #64
	add x3, x3, #64
	sub x2, x2, #64
	cmp x2, #64
	b.hi 1b

copy_short:
	add x4, x1, x2
	add x5, x3, x2
	cmp x2, #16
	b.ls 2f
	ldp x6, x7, [x1]
	ldp x8, x9, [x4, #-16]
	cmp x2, #32
	b.ls 1f
	ldp x10, x11, [x1, #16]
	ldp x12, x13, [x4, #-32]
	stp x10, x11, [x3, #16]
	stp x12, x13, [x5, #-32]
1:	stp x6, x7, [x3]
	stp x8, x9, [x5, #-16]
	ret
2:	tbz x2, #4, 3f
	ldp x6, x7, [x1]
	stp x6, x7, [x3]
	ret
3:	tbz x2, #3, 4f
	ldr x6, [x1]
	ldr x7, [x4, #-8]
	str x6, [x3]
	str x7, [x5, #-8]
	ret
4:	tbz x2, #2, 5f
	ldr w6, [x1]
	ldr w7, [x4, #-4]
	str w6, [x3]
	str w7, [x5, #-4]
	ret
5:	cbz x2, 6f
	lsr x8, x2, #1		/* 1 to 3 bytes: first, middle, last */
	ldrb w6, [x1]
	ldrb w7, [x1, x8]
	ldrb w9, [x4, #-1]
	strb w6, [x3]
	strb w7, [x3, x8]
	strb w9, [x5, #-1]
6:	ret

copy_backwards:
	mov x3, x0
	cmp x2, #64
	b.ls copy_short
	add x4, x1, x2
	add x5, x0, x2
1:	ldp x6, x7, [x4, #-16]
	ldp x8, x9, [x4, #-32]
	ldp x10, x11, [x4, #-48]
	ldp x12, x13, [x4, #-64]
	stp x6, x7, [x5, #-16]
	stp x8, x9, [x5, #-32]
	stp x10, x11, [x5, #-48]
	stp x12, x13, [x5, #-64]
	sub x4, x4, #64
	sub x5, x5, #64
	sub x2, x2, #64
	cmp x2, #64
	b.hi 1b
	b copy_short
ENDFUNC memmove

FUNC memset
	IF_MOPS 0f
	mov x3, x0
	setp [x3]!, x2!, x1
	setm [x3]!, x2!, x1
	sete [x3]!, x2!, x1
	ret
0:
	and x1, x1, #255
	mov x8, #0x0101010101010101
	mul x7, x1, x8
	add x5, x0, x2
	mov x3, x0
	cmp x2, #16
	b.lo 4f
	stp x7, x7, [x0]
	stp x7, x7, [x5, #-16]
	cmp x2, #32
	b.ls 9f
	stp x7, x7, [x0, #16]
	stp x7, x7, [x5, #-32]
	cmp x2, #64
	b.ls 9f
	/* The first 32 and the last 32 are done; whole rounds between them. */
	cbnz x1, 1f
	cmp x2, #192
	b.lo 1f
	mrs x8, dczid_el0
	cmp x8, #ZVA_64
	b.eq 2f
1:	sub x4, x5, x3
	cmp x4, #96
	b.lo 8f
	stp x7, x7, [x3, #32]
	stp x7, x7, [x3, #48]
	stp x7, x7, [x3, #64]
	stp x7, x7, [x3, #80]
	add x3, x3, #64
	b 1b
8:	/* Less than 96 left from x3, of which the first 32 are done. */
	cmp x4, #64
	b.ls 9f
	stp x7, x7, [x5, #-64]
	stp x7, x7, [x5, #-48]
9:	ret
2:	stp x7, x7, [x0, #32]
	stp x7, x7, [x0, #48]
	add x3, x0, #64
	bic x3, x3, #63
3:	dc zva, x3
	add x3, x3, #64
	sub x4, x5, x3
	cmp x4, #64
	b.hs 3b
	stp x7, x7, [x5, #-64]
	stp x7, x7, [x5, #-48]
	ret
4:	tbz x2, #3, 5f
	str x7, [x0]
	str x7, [x5, #-8]
	ret
5:	tbz x2, #2, 6f
	str w7, [x0]
	str w7, [x5, #-4]
	ret
6:	cbz x2, 7f
	lsr x8, x2, #1
	strb w7, [x0]
	strb w7, [x0, x8]
	strb w7, [x5, #-1]
7:	ret
ENDFUNC memset

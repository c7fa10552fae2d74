/* SPDX-License-Identifier: MIT */
/*
 * memcpy, memmove and memset for loongarch64 (<lib/string.h>): 64 bytes a turn, then a piece for each bit that the length
 * has left, without loops: most copies are short. Unaligned accesses are done by hardware (CPUCFG.UAL), so nothing is
 * aligned first.
 */
	.text

.macro FUNCTION name
	.globl	\name
	.type	\name, @function
	.balign	16
\name:
.endm

/* @bytes from $a1 to $a3 if the length in $a2 has that bit */
.macro COPY_BIT bytes, size
	andi	$t8, $a2, \bytes
	beqz	$t8, 9f
	ld.\size	$t0, $a1, 0
	addi.d	$a1, $a1, \bytes
	st.\size	$t0, $a3, 0
	addi.d	$a3, $a3, \bytes
9:
.endm

/* @bytes of the pattern in $a1 to $a3 if the length in $a2 has that bit */
.macro SET_BIT bytes, size
	andi	$t8, $a2, \bytes
	beqz	$t8, 9f
	st.\size	$a1, $a3, 0
	addi.d	$a3, $a3, \bytes
9:
.endm

/* void *memmove(void *dst, const void *src, size_t n); $a0 stays the result, $a3 moves */
FUNCTION memmove
	sub.d	$t0, $a0, $a1
	bltu	$t0, $a2, .Lbackward	/* dst inside [src, src + n) */
FUNCTION memcpy
	move	$a3, $a0
	li.w	$t8, 64
	bltu	$a2, $t8, .Lcopy_rest
.Lcopy_block:
	ld.d	$t0, $a1, 0
	ld.d	$t1, $a1, 8
	ld.d	$t2, $a1, 16
	ld.d	$t3, $a1, 24
	ld.d	$t4, $a1, 32
	ld.d	$t5, $a1, 40
	ld.d	$t6, $a1, 48
	ld.d	$t7, $a1, 56
	addi.d	$a2, $a2, -64
	addi.d	$a1, $a1, 64
	st.d	$t0, $a3, 0
	st.d	$t1, $a3, 8
	st.d	$t2, $a3, 16
	st.d	$t3, $a3, 24
	st.d	$t4, $a3, 32
	st.d	$t5, $a3, 40
	st.d	$t6, $a3, 48
	st.d	$t7, $a3, 56
	addi.d	$a3, $a3, 64
	bgeu	$a2, $t8, .Lcopy_block
.Lcopy_rest:
	andi	$t8, $a2, 32
	beqz	$t8, 1f
	ld.d	$t0, $a1, 0
	ld.d	$t1, $a1, 8
	ld.d	$t2, $a1, 16
	ld.d	$t3, $a1, 24
	addi.d	$a1, $a1, 32
	st.d	$t0, $a3, 0
	st.d	$t1, $a3, 8
	st.d	$t2, $a3, 16
	st.d	$t3, $a3, 24
	addi.d	$a3, $a3, 32
1:	andi	$t8, $a2, 16
	beqz	$t8, 2f
	ld.d	$t0, $a1, 0
	ld.d	$t1, $a1, 8
	addi.d	$a1, $a1, 16
	st.d	$t0, $a3, 0
	st.d	$t1, $a3, 8
	addi.d	$a3, $a3, 16
2:	andi	$t8, $a2, 8
	beqz	$t8, 3f
	ld.d	$t0, $a1, 0
	addi.d	$a1, $a1, 8
	st.d	$t0, $a3, 0
	addi.d	$a3, $a3, 8
3:	andi	$t8, $a2, 7
	beqz	$t8, .Lcopy_done
	COPY_BIT 4, w
	COPY_BIT 2, h
	COPY_BIT 1, b
.Lcopy_done:
	ret
	.size	memcpy, . - memcpy

/* From the end: words, then bytes. */
.Lbackward:
	add.d	$a3, $a0, $a2
	add.d	$a1, $a1, $a2
	li.w	$t8, 8
.Lback_word:
	bltu	$a2, $t8, .Lback_bytes
	addi.d	$a1, $a1, -8
	addi.d	$a3, $a3, -8
	ld.d	$t0, $a1, 0
	addi.d	$a2, $a2, -8
	st.d	$t0, $a3, 0
	b	.Lback_word
.Lback_bytes:
	beqz	$a2, .Lback_done
	addi.d	$a1, $a1, -1
	addi.d	$a3, $a3, -1
	ld.b	$t0, $a1, 0
	addi.d	$a2, $a2, -1
	st.b	$t0, $a3, 0
	b	.Lback_bytes
.Lback_done:
	ret
	.size	memmove, . - memmove

/* void *memset(void *dst, int c, size_t n) */
FUNCTION memset
	move	$a3, $a0
	bstrins.d $a1, $a1, 15, 8
	bstrins.d $a1, $a1, 31, 16
	bstrins.d $a1, $a1, 63, 32
	li.w	$t8, 64
	bltu	$a2, $t8, .Lset_rest
.Lset_block:
	st.d	$a1, $a3, 0
	st.d	$a1, $a3, 8
	st.d	$a1, $a3, 16
	st.d	$a1, $a3, 24
	st.d	$a1, $a3, 32
	st.d	$a1, $a3, 40
	st.d	$a1, $a3, 48
	st.d	$a1, $a3, 56
	addi.d	$a2, $a2, -64
	addi.d	$a3, $a3, 64
	bgeu	$a2, $t8, .Lset_block
.Lset_rest:
	andi	$t8, $a2, 32
	beqz	$t8, 1f
	st.d	$a1, $a3, 0
	st.d	$a1, $a3, 8
	st.d	$a1, $a3, 16
	st.d	$a1, $a3, 24
	addi.d	$a3, $a3, 32
1:	andi	$t8, $a2, 16
	beqz	$t8, 2f
	st.d	$a1, $a3, 0
	st.d	$a1, $a3, 8
	addi.d	$a3, $a3, 16
2:	SET_BIT	8, d
	andi	$t8, $a2, 7
	beqz	$t8, .Lset_done
	SET_BIT	4, w
	SET_BIT	2, h
	SET_BIT	1, b
.Lset_done:
	ret
	.size	memset, . - memset

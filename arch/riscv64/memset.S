/* SPDX-License-Identifier: MIT */
/*
 * memset(), with whole cache blocks zeroed by one instruction (Zicboz) where the CPU has it.
 * cpuinfo.c stores the size of a block in riscv64_cbo_zero_size; 0: not there.
 */
#include <hal/extable.h>

	.macro cbo_zero reg
	.insn	i 0x0f, 2, x0, \reg, 4
	.endm

	.section .data
	.balign	8
	.globl	riscv64_cbo_zero_size
riscv64_cbo_zero_size:
	.dword	0

	.text
/* void *memset(void *dst, int c, size_t n) */
	.globl	memset
	.type	memset, @function
memset:
	mv	t0, a0			/* next byte */
	add	a3, a0, a2		/* end */
	li	t1, 16
	bltu	a2, t1, .Lbytes
	andi	a1, a1, 0xff		/* the byte in all eight places */
	beqz	a1, 1f
	slli	t1, a1, 8
	or	a1, a1, t1
	slli	t1, a1, 16
	or	a1, a1, t1
	slli	t1, a1, 32
	or	a1, a1, t1
1:	andi	t1, t0, 7
	beqz	t1, 2f
	sb	a1, (t0)
	addi	t0, t0, 1
	j	1b
2:	bnez	a1, 3f
	lla	t2, riscv64_cbo_zero_size
	ld	t2, (t2)
	beqz	t2, 3f
	slli	t3, t2, 3		/* for less the way to whole blocks is longer */
	bgeu	a2, t3, .Lblocks
3:	addi	a4, a3, -64
	bltu	a4, t0, 5f
4:	sd	a1, 0(t0)
	sd	a1, 8(t0)
	sd	a1, 16(t0)
	sd	a1, 24(t0)
	sd	a1, 32(t0)
	sd	a1, 40(t0)
	sd	a1, 48(t0)
	sd	a1, 56(t0)
	addi	t0, t0, 64
	bgeu	a4, t0, 4b
5:	addi	a4, a3, -8
	bltu	a4, t0, .Lbytes
6:	sd	a1, (t0)
	addi	t0, t0, 8
	bgeu	a4, t0, 6b
.Lbytes:
	bgeu	t0, a3, 8f
7:	sb	a1, (t0)
	addi	t0, t0, 1
	bltu	t0, a3, 7b
8:	ret

	/* t2: block size; at least eight blocks are left. */
.Lblocks:
	addi	t3, t2, -1
9:	and	t4, t0, t3
	beqz	t4, 10f
	sd	zero, (t0)
	addi	t0, t0, 8
	j	9b
10:	sub	a4, a3, t2
11:	cbo_zero t0
	add	t0, t0, t2
	bgeu	a4, t0, 11b
	j	5b
	.size	memset, . - memset

/* bool riscv64_try_cbo_zero(void *block): whether the instruction works here; firmware may forbid it. */
	.globl	riscv64_try_cbo_zero
	.type	riscv64_try_cbo_zero, @function
riscv64_try_cbo_zero:
1:	cbo_zero a0
	li	a0, 1
	ret
2:	li	a0, 0
	ret
	EXTABLE	1b, 2b
	.size	riscv64_try_cbo_zero, . - riscv64_try_cbo_zero

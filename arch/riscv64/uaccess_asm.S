/* SPDX-License-Identifier: MIT */
/*
 * Copying between kernel and user memory. <hal/paging.h> has the contracts; the wrappers in uaccess.c
 * have checked the range. sstatus.SUM is set only here.
 *
 * A fault resumes at the fixup of the instruction when the kernel cannot resolve it. Word loops
 * resume in the byte loop, which finds the exact byte.
 */
#include <arch/csr.h>
#include <hal/extable.h>

	/* An instruction that touches user memory, and where to go when it cannot. */
	.macro u op, reg, addr, fixup
9:	\op	\reg, \addr
	EXTABLE 9b, \fixup
	.endm

#define FEW_WORDS 8

	.text
/*
 * For <arch/uaccess.h>: t3 bytes from t2 to t1, with SUM set; the return address is in t0. On return t3 is the number of bytes not
 * copied. Only t0 to t4 change.
 */
	.globl	riscv64_copy_bytes
	.type	riscv64_copy_bytes, @function
riscv64_copy_bytes:
	u	lb, t4, (t2), 1f
	u	sb, t4, (t1), 1f
	addi	t1, t1, 1
	addi	t2, t2, 1
	addi	t3, t3, -1
	bnez	t3, riscv64_copy_bytes
1:	jr	t0
	.size	riscv64_copy_bytes, . - riscv64_copy_bytes

/*
 * size_t riscv64_user_copy(void *dst, const void *src, size_t n): one side is user memory.
 * Returns the number of bytes not copied.
 */
	.globl	riscv64_user_copy
	.type	riscv64_user_copy, @function
riscv64_user_copy:
	li	t6, SR_SUM
	csrs	sstatus, t6
	add	a3, a0, a2		/* end of dst */
	or	t0, a0, a1
	or	t0, t0, a2
	andi	t0, t0, 7
	bnez	t0, .Lodd
	li	t0, 8 * FEW_WORDS
	bltu	t0, a2, 2f

	/* A few whole words: into the row of pairs, eight bytes each, as far from its end as there are bytes. */
	lla	t1, .Lpairs_end
	sub	t1, t1, a2
	add	a1, a1, a2
	mv	a0, a3
	jr	t1
	.option push
	.option norvc
	.balign	4
	.set	k, FEW_WORDS
	.rept	FEW_WORDS
	u	ld, t0, -8*k(a1), .Lpair_fault
	u	sd, t0, -8*k(a0), .Lpair_fault
	.set	k, k - 1
	.endr
.Lpairs_end:
	.option pop
	csrc	sstatus, t6
	li	a0, 0
	ret
	/* Again from the start, but by bytes. */
.Lpair_fault:
	sub	a1, a1, a2
	sub	a0, a0, a2
	j	.Lbytes

.Lodd:	li	t0, 16
	bltu	a2, t0, .Lbytes
	xor	t0, a0, a1
	andi	t0, t0, 7
	bnez	t0, .Lunaligned

1:	andi	t0, a0, 7		/* up to a word boundary */
	beqz	t0, 2f
	u	lb, t1, (a1), .Ldone
	u	sb, t1, (a0), .Ldone
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	1b

2:	addi	a4, a3, -64		/* 64 bytes a turn */
	bltu	a4, a0, 4f
3:	u	ld, t0, 0(a1), .Lbytes
	u	ld, t1, 8(a1), .Lbytes
	u	ld, t2, 16(a1), .Lbytes
	u	ld, t3, 24(a1), .Lbytes
	u	ld, t4, 32(a1), .Lbytes
	u	ld, t5, 40(a1), .Lbytes
	u	ld, a5, 48(a1), .Lbytes
	u	ld, a6, 56(a1), .Lbytes
	u	sd, t0, 0(a0), .Lbytes
	u	sd, t1, 8(a0), .Lbytes
	u	sd, t2, 16(a0), .Lbytes
	u	sd, t3, 24(a0), .Lbytes
	u	sd, t4, 32(a0), .Lbytes
	u	sd, t5, 40(a0), .Lbytes
	u	sd, a5, 48(a0), .Lbytes
	u	sd, a6, 56(a0), .Lbytes
	addi	a0, a0, 64
	addi	a1, a1, 64
	bgeu	a4, a0, 3b

4:	addi	a4, a3, -8		/* 8 bytes a turn */
	bltu	a4, a0, .Lfour
5:	u	ld, t0, (a1), .Lbytes
	u	sd, t0, (a0), .Lbytes
	addi	a0, a0, 8
	addi	a1, a1, 8
	bgeu	a4, a0, 5b
.Lfour:	addi	a4, a3, -4		/* and 4 */
	bltu	a4, a0, .Lbytes
	u	lw, t0, (a1), .Lbytes
	u	sw, t0, (a0), .Lbytes
	addi	a0, a0, 4
	addi	a1, a1, 4

.Lbytes:
	bgeu	a0, a3, .Ldone
6:	u	lb, t0, (a1), .Ldone
	u	sb, t0, (a0), .Ldone
	addi	a0, a0, 1
	addi	a1, a1, 1
	bltu	a0, a3, 6b

.Ldone:
	csrc	sstatus, t6
	sub	a0, a3, a0
	ret

/*
 * dst and src do not agree modulo 8: whole words of src, shifted into place. Reading the words that
 * src's first and last bytes lie in never leaves their pages.
 */
.Lunaligned:
	andi	t0, a0, 7
	beqz	t0, 7f
	u	lb, t1, (a1), .Ldone
	u	sb, t1, (a0), .Ldone
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	.Lunaligned
7:	andi	a5, a1, 7
	slli	a5, a5, 3		/* right shift of the lower word */
	neg	a6, a5			/* left shift of the upper: modulo 64 */
	andi	a7, a1, -8
	addi	a4, a3, -16		/* the upper word must lie inside the range */
	bltu	a4, a0, .Lbytes
	u	ld, t0, (a7), .Lbytes
8:	u	ld, t1, 8(a7), .Lbytes
	srl	t2, t0, a5
	sll	t3, t1, a6
	or	t2, t2, t3
	u	sd, t2, (a0), .Lbytes
	mv	t0, t1
	addi	a7, a7, 8
	addi	a0, a0, 8
	addi	a1, a1, 8
	bgeu	a4, a0, 8b
	j	.Lbytes
	.size	riscv64_user_copy, . - riscv64_user_copy

/*
 * size_t riscv64_user_copy_v(void *dst, const void *src, size_t n): the same by vectors, between
 * riscv64_v_borrow() and riscv64_v_give_back(). Stops at a page that is not there; what it has copied of
 * the piece where that happened is copied again.
 */
	.option push
	.option arch, +v
	.globl	riscv64_user_copy_v
	.type	riscv64_user_copy_v, @function
riscv64_user_copy_v:
	li	t6, SR_SUM
	csrs	sstatus, t6
1:	vsetvli	t0, a2, e8, m8, ta, ma
	u	vle8.v, v0, (a1), 2f
	u	vse8.v, v0, (a0), 2f
	add	a0, a0, t0
	add	a1, a1, t0
	sub	a2, a2, t0
	bnez	a2, 1b
2:	csrw	vstart, zero
	csrc	sstatus, t6
	mv	a0, a2
	ret
	.size	riscv64_user_copy_v, . - riscv64_user_copy_v
	.option pop

	/* Its accesses, for the page fault handler. */
	.section .rodata
	.balign	8
	.globl	riscv64_v_copy_range
riscv64_v_copy_range:
	.dword	1b, 2b
	.text

/* size_t riscv64_user_clear(void *dst, size_t n): zeroes; returns the bytes not cleared. */
	.globl	riscv64_user_clear
	.type	riscv64_user_clear, @function
riscv64_user_clear:
	li	t6, SR_SUM
	csrs	sstatus, t6
	add	a3, a0, a1
1:	andi	t0, a0, 7
	beqz	t0, 2f
	bgeu	a0, a3, 5f
	u	sb, zero, (a0), 5f
	addi	a0, a0, 1
	j	1b
2:	li	t0, 64			/* 64 bytes a turn */
	bltu	a1, t0, 6f
	addi	a4, a3, -64
	bltu	a4, a0, 6f
7:	u	sd, zero, 0(a0), 4f
	u	sd, zero, 8(a0), 4f
	u	sd, zero, 16(a0), 4f
	u	sd, zero, 24(a0), 4f
	u	sd, zero, 32(a0), 4f
	u	sd, zero, 40(a0), 4f
	u	sd, zero, 48(a0), 4f
	u	sd, zero, 56(a0), 4f
	addi	a0, a0, 64
	bgeu	a4, a0, 7b
6:	addi	a4, a3, -8
	li	t0, 8
	bltu	a1, t0, 4f
	bltu	a4, a0, 8f
3:	u	sd, zero, (a0), 4f
	addi	a0, a0, 8
	bgeu	a4, a0, 3b
8:	addi	a4, a3, -4		/* and 4 */
	bltu	a4, a0, 4f
	u	sw, zero, (a0), 4f
	addi	a0, a0, 4
4:	bgeu	a0, a3, 5f
	u	sb, zero, (a0), 5f
	addi	a0, a0, 1
	j	4b
5:	csrc	sstatus, t6
	sub	a0, a3, a0
	ret
	.size	riscv64_user_clear, . - riscv64_user_clear

/*
 * long riscv64_user_strncpy(char *dst, const char *src, size_t n): up to a NUL, at most n bytes.
 * Returns the length without NUL, n if there was none, -14 (EFAULT) for a fault.
 */
	.globl	riscv64_user_strncpy
	.type	riscv64_user_strncpy, @function
riscv64_user_strncpy:
	li	t6, SR_SUM
	csrs	sstatus, t6
	mv	a3, a1
	add	a4, a1, a2
1:	bgeu	a1, a4, 2f
	u	lbu, t0, (a1), 3f
	sb	t0, (a0)
	beqz	t0, 2f
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	1b
2:	csrc	sstatus, t6
	sub	a0, a1, a3
	ret
3:	csrc	sstatus, t6
	li	a0, -14
	ret
	.size	riscv64_user_strncpy, . - riscv64_user_strncpy

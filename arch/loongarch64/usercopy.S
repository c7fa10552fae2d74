/* SPDX-License-Identifier: MIT */
/*
 * Access to user memory: the only instructions of the kernel that may touch it. Each has an entry in
 * the exception table (<hal/extable.h>). The callers in paging.c have checked that the range lies
 * below USER_END. When a wide access faults, the copy goes on byte by byte up to the exact address.
 */
#include <hal/extable.h>

	.text

/* Instruction that may fault, and where to continue. */
.macro USER fixup, insn:vararg
9:	\insn
	EXTABLE	9b, \fixup
.endm

.macro COPIED bytes
	addi.d	$a2, $a2, -\bytes
	addi.d	$a0, $a0, \bytes
	addi.d	$a1, $a1, \bytes
.endm

/* size_t arch_copy_user(void *dst, const void *src, size_t n): bytes not copied; one side is user memory */
	.globl	arch_copy_user
	.type	arch_copy_user, @function
arch_copy_user:
	sltui	$t0, $a2, 64
	bnez	$t0, .Lcopy_rest
.Lcopy_block:
	USER	.Lcopy_bytes, ld.d $t0, $a1, 0
	USER	.Lcopy_bytes, ld.d $t1, $a1, 8
	USER	.Lcopy_bytes, ld.d $t2, $a1, 16
	USER	.Lcopy_bytes, ld.d $t3, $a1, 24
	USER	.Lcopy_bytes, ld.d $t4, $a1, 32
	USER	.Lcopy_bytes, ld.d $t5, $a1, 40
	USER	.Lcopy_bytes, ld.d $t6, $a1, 48
	USER	.Lcopy_bytes, ld.d $t7, $a1, 56
	USER	.Lcopy_bytes, st.d $t0, $a0, 0
	USER	.Lcopy_bytes, st.d $t1, $a0, 8
	USER	.Lcopy_bytes, st.d $t2, $a0, 16
	USER	.Lcopy_bytes, st.d $t3, $a0, 24
	USER	.Lcopy_bytes, st.d $t4, $a0, 32
	USER	.Lcopy_bytes, st.d $t5, $a0, 40
	USER	.Lcopy_bytes, st.d $t6, $a0, 48
	USER	.Lcopy_bytes, st.d $t7, $a0, 56
	COPIED	64
	li.w	$t0, 64
	bgeu	$a2, $t0, .Lcopy_block
.Lcopy_rest:
	/* What is left, a piece for each bit of the length: most copies are short. */
	andi	$t0, $a2, 32
	beqz	$t0, 1f
	USER	.Lcopy_bytes, ld.d $t0, $a1, 0
	USER	.Lcopy_bytes, ld.d $t1, $a1, 8
	USER	.Lcopy_bytes, ld.d $t2, $a1, 16
	USER	.Lcopy_bytes, ld.d $t3, $a1, 24
	USER	.Lcopy_bytes, st.d $t0, $a0, 0
	USER	.Lcopy_bytes, st.d $t1, $a0, 8
	USER	.Lcopy_bytes, st.d $t2, $a0, 16
	USER	.Lcopy_bytes, st.d $t3, $a0, 24
	COPIED	32
1:	andi	$t0, $a2, 16
	beqz	$t0, 2f
	USER	.Lcopy_bytes, ld.d $t0, $a1, 0
	USER	.Lcopy_bytes, ld.d $t1, $a1, 8
	USER	.Lcopy_bytes, st.d $t0, $a0, 0
	USER	.Lcopy_bytes, st.d $t1, $a0, 8
	COPIED	16
2:	andi	$t0, $a2, 8
	beqz	$t0, 3f
	USER	.Lcopy_bytes, ld.d $t0, $a1, 0
	USER	.Lcopy_bytes, st.d $t0, $a0, 0
	COPIED	8
3:	andi	$t0, $a2, 4
	beqz	$t0, .Lcopy_bytes
	USER	.Lcopy_bytes, ld.w $t0, $a1, 0
	USER	.Lcopy_bytes, st.w $t0, $a0, 0
	COPIED	4
.Lcopy_bytes:
	beqz	$a2, .Lcopy_done
	USER	.Lcopy_done, ld.b $t0, $a1, 0
	USER	.Lcopy_done, st.b $t0, $a0, 0
	addi.d	$a2, $a2, -1
	addi.d	$a0, $a0, 1
	addi.d	$a1, $a1, 1
	b	.Lcopy_bytes
.Lcopy_done:
	move	$a0, $a2
	ret
	.size	arch_copy_user, . - arch_copy_user

/* size_t arch_clear_user(uaddr_t dst, size_t n): bytes not cleared */
	.globl	arch_clear_user
	.type	arch_clear_user, @function
arch_clear_user:
	li.w	$t0, 32
	bltu	$a1, $t0, .Lclear_bytes
.Lclear_block:
	USER	.Lclear_bytes, st.d $zero, $a0, 0
	USER	.Lclear_bytes, st.d $zero, $a0, 8
	USER	.Lclear_bytes, st.d $zero, $a0, 16
	USER	.Lclear_bytes, st.d $zero, $a0, 24
	addi.d	$a1, $a1, -32
	addi.d	$a0, $a0, 32
	bgeu	$a1, $t0, .Lclear_block
.Lclear_bytes:
	beqz	$a1, .Lclear_done
	USER	.Lclear_done, st.b $zero, $a0, 0
	addi.d	$a1, $a1, -1
	addi.d	$a0, $a0, 1
	b	.Lclear_bytes
.Lclear_done:
	move	$a0, $a1
	ret
	.size	arch_clear_user, . - arch_clear_user

/* long arch_strncpy_user(char *dst, uaddr_t src, size_t n): length without NUL, n if none was found, -1 on a fault */
	.globl	arch_strncpy_user
	.type	arch_strncpy_user, @function
arch_strncpy_user:
	move	$t1, $zero
.Lstr_next:
	beq	$t1, $a2, .Lstr_done
	USER	.Lstr_fault, ld.bu $t0, $a1, 0
	st.b	$t0, $a0, 0
	beqz	$t0, .Lstr_done
	addi.d	$t1, $t1, 1
	addi.d	$a0, $a0, 1
	addi.d	$a1, $a1, 1
	b	.Lstr_next
.Lstr_done:
	move	$a0, $t1
	ret
.Lstr_fault:
	li.w	$a0, -1
	ret
	.size	arch_strncpy_user, . - arch_strncpy_user

/* int arch_get_user32(u32 *val, uaddr_t src) and its relatives: 0, or -1 on a fault */
	.globl	arch_get_user32, arch_get_user64, arch_put_user32, arch_put_user64
arch_get_user32:
	USER	.Lword_fault, ld.wu $t0, $a1, 0
	st.w	$t0, $a0, 0
	move	$a0, $zero
	ret
arch_get_user64:
	USER	.Lword_fault, ld.d $t0, $a1, 0
	st.d	$t0, $a0, 0
	move	$a0, $zero
	ret
arch_put_user32:
	USER	.Lword_fault, st.w $a1, $a0, 0
	move	$a0, $zero
	ret
arch_put_user64:
	USER	.Lword_fault, st.d $a1, $a0, 0
	move	$a0, $zero
	ret
.Lword_fault:
	li.w	$a0, -1
	ret

/* int arch_cmpxchg_user32(uaddr_t addr, u32 expected, u32 desired, u32 *old) */
	.globl	arch_cmpxchg_user32
arch_cmpxchg_user32:
	addi.w	$a1, $a1, 0		/* ll.w extends the sign */
1:	USER	.Lword_fault, ll.w $t0, $a0, 0
	bne	$t0, $a1, 2f
	move	$t1, $a2
	USER	.Lword_fault, sc.w $t1, $a0, 0
	beqz	$t1, 1b
2:	dbar	0x700
	st.w	$t0, $a3, 0
	move	$a0, $zero
	ret

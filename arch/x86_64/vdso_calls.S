/* SPDX-License-Identifier: MIT */
/* The part of the vDSO that is not hal/common/vdso/clock.c: getcpu, by the system call of its name. */
	.text

	.balign	16
	.globl	__vdso_getcpu
	.type	__vdso_getcpu, @function
	.weak	getcpu
	.set	getcpu, __vdso_getcpu
__vdso_getcpu:
	.cfi_startproc
	movl	$309, %eax
	syscall
	ret
	.cfi_endproc
	.size	__vdso_getcpu, . - __vdso_getcpu

	.section .note.GNU-stack, "", @progbits

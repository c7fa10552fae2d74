/* SPDX-License-Identifier: MIT */
/*
 * The vDSO. x86_64 programs bring their own signal trampoline; what they look up here are the clock functions
 * (clock.c) and these two, each of which makes the system call of its name.
 */
	.text

.macro VDSO_CALL name, nr
	.balign	16
	.globl	__vdso_\name
	.type	__vdso_\name, @function
	.weak	\name
	.set	\name, __vdso_\name
__vdso_\name:
	.cfi_startproc
	movl	$\nr, %eax
	syscall
	ret
	.cfi_endproc
	.size	__vdso_\name, . - __vdso_\name
.endm

VDSO_CALL clock_getres, 229
VDSO_CALL getcpu, 309

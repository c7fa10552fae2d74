/* SPDX-License-Identifier: MIT */
/*
 * The part of the vDSO that is not hal/common/vdso/clock.c: where signal handlers return to, and getcpu by the system call
 * of its name.
 *
 * Unwinders of loongarch64 recognise the two instructions of the trampoline, so there is no unwind
 * information for it, as in Linux's; nothing may be put before or between them.
 */
	.section .text.sigreturn, "ax", @progbits
	.globl	__vdso_rt_sigreturn
	.type	__vdso_rt_sigreturn, @function
__vdso_rt_sigreturn:
	li.w	$a7, 139
	syscall	0
	.size	__vdso_rt_sigreturn, . - __vdso_rt_sigreturn

	.text

	.balign	16
	.globl	__vdso_getcpu
	.type	__vdso_getcpu, @function
__vdso_getcpu:
	.cfi_startproc
	li.w	$a7, 168
	syscall	0
	ret
	.cfi_endproc
	.size	__vdso_getcpu, . - __vdso_getcpu

/* SPDX-License-Identifier: MIT */
/*
 * Where signal handlers return to. Unwinders of loongarch64 recognise the two instructions, so there
 * is no unwind information; nothing may be put before or between them.
 */
	.section .text.sigreturn, "ax", @progbits
	.globl	__vdso_rt_sigreturn
	.type	__vdso_rt_sigreturn, @function
__vdso_rt_sigreturn:
	li.w	$a7, 139		/* rt_sigreturn */
	syscall	0
	.size	__vdso_rt_sigreturn, . - __vdso_rt_sigreturn

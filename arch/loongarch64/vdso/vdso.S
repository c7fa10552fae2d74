/* SPDX-License-Identifier: MIT */
/*
 * The vDSO: where signal handlers return to, and functions that programs look up by name, each of
 * which makes the system call of its name; the clock functions are in clock.c.
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

.macro VDSO_CALL name, nr
	.balign	16
	.globl	__vdso_\name
	.type	__vdso_\name, @function
__vdso_\name:
	.cfi_startproc
	li.w	$a7, \nr
	syscall	0
	ret
	.cfi_endproc
	.size	__vdso_\name, . - __vdso_\name
.endm

VDSO_CALL clock_getres, 114
VDSO_CALL getcpu, 168

/* SPDX-License-Identifier: MIT */
/*
 * The part of the vDSO that is not hal/common/vdso/clock.c: the signal trampoline, for handlers installed without SA_RESTORER (aarch64's C libraries do
 * not give one).
 *
 * Unwinders find the interrupted frame either by these two instructions or by the CFI: x29 points to the
 * frame record that the kernel put above the signal frame. The nop before the label belongs to the range,
 * because an unwinder looks up the return address minus one.
 */
	.section .text.sigreturn, "ax", %progbits
	.balign 4
	.cfi_sections .eh_frame
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa x29, 0
	.cfi_offset x29, 0
	.cfi_offset x30, 8
	nop
	.globl __kernel_rt_sigreturn
	.type __kernel_rt_sigreturn, %function
__kernel_rt_sigreturn:
	mov x8, #139
	svc #0
	.cfi_endproc
	.size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn

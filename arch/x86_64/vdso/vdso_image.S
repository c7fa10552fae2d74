/* SPDX-License-Identifier: MIT */
/* The linked vDSO as data of the kernel, in whole pages. */
	.section .rodata.vdso, "a"
	.balign	4096
	.globl	x86_vdso_start, x86_vdso_end
x86_vdso_start:
	.incbin	"arch/x86_64/vdso/vdso.so"
	.balign	4096
x86_vdso_end:

	.section .note.GNU-stack, "", @progbits

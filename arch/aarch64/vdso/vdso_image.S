/* SPDX-License-Identifier: MIT */
/* The linked vDSO as data of the kernel, in whole pages. */
	.section .rodata.vdso, "a"
	.balign	4096
	.globl	aarch64_vdso_start, aarch64_vdso_end
aarch64_vdso_start:
	.incbin	"arch/aarch64/vdso/vdso.so"
	.balign	4096
aarch64_vdso_end:

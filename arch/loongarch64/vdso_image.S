/* SPDX-License-Identifier: MIT */
/* The vDSO's ELF image as built by the Makefile, in whole pages. */
	.section .rodata.vdso, "a"
	.balign	4096
	.globl	arch_vdso_start, arch_vdso_end
arch_vdso_start:
	.incbin "arch/loongarch64/vdso/vdso.so"
	.balign	4096
arch_vdso_end:

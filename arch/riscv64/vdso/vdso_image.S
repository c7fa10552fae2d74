/* SPDX-License-Identifier: MIT */
/* The linked vDSO as data of the kernel, in whole pages. */
	.section .rodata.vdso, "a"
	.balign	4096
	.globl	riscv64_vdso_start, riscv64_vdso_end
riscv64_vdso_start:
	.incbin	"arch/riscv64/vdso/vdso.so"
	.balign	4096
riscv64_vdso_end:

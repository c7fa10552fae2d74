/* SPDX-License-Identifier: MIT */
/* The linked vDSO as data of the kernel, in whole pages. */
	.section .rodata.vdso, "a"
	.balign	4096
	.globl	vdso_image_start, vdso_image_end
vdso_image_start:
	.incbin	"hal/common/vdso/vdso.so"
	.balign	4096
vdso_image_end:

	.section .note.GNU-stack, ""

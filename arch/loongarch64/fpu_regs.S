/* SPDX-License-Identifier: MIT */
/*
 * Storing and loading FPU, LSX and LASX registers (struct fpu_state, <arch/cpu.h>): register n at
 * 32 * n; condition flags and FCSR behind. EUEN must allow the level. A level leaves the parts of
 * the area that it does not have alone; they are 0.
 */
#include <arch/cpu.h>

	.text

.macro EACH op, prefix
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	$\prefix\n, $a0, 32 * \n
	.endr
.endm

.macro SAVE_FCC
	movcf2gr $t0, $fcc0
	move	$t1, $t0
	.irp	n, 1,2,3,4,5,6,7
	movcf2gr $t0, $fcc\n
	bstrins.d $t1, $t0, \n * 8 + 7, \n * 8
	.endr
	movfcsr2gr $t0, $fcsr0
	st.d	$t1, $a0, FPU_FCC
	st.w	$t0, $a0, FPU_FCSR
.endm

.macro LOAD_FCC
	ld.d	$t0, $a0, FPU_FCC
	ld.wu	$t1, $a0, FPU_FCSR
	.irp	n, 0,1,2,3,4,5,6,7
	bstrpick.d $t2, $t0, \n * 8 + 7, \n * 8
	movgr2cf $fcc\n, $t2
	.endr
	movgr2fcsr $fcsr0, $t1
.endm

.macro FPU_FUNCTION name, op, prefix, extra
	.globl	\name
	.type	\name, @function
\name:
	EACH	\op, \prefix
	\extra
	ret
	.size	\name, . - \name
.endm

	FPU_FUNCTION fpu_save_fp, fst.d, f, SAVE_FCC
	FPU_FUNCTION fpu_save_lsx, vst, vr, SAVE_FCC
	FPU_FUNCTION fpu_save_lasx, xvst, xr, SAVE_FCC
	FPU_FUNCTION fpu_load_fp, fld.d, f, LOAD_FCC
	FPU_FUNCTION fpu_load_lsx, vld, vr, LOAD_FCC
	FPU_FUNCTION fpu_load_lasx, xvld, xr, LOAD_FCC

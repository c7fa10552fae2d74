/* SPDX-License-Identifier: MIT */
/*
 * The part of the vDSO that is not hal/common/vdso/clock.c. The signal trampoline: riscv64 has no SA_RESTORER, handlers return here.
 *
 * Unwinders find the interrupted frame by the CFI: every register is at its place in the sigcontext, and
 * the return address column is the interrupted pc. The nop before the label is part of the frame's range,
 * because an unwinder looks up the return address minus one.
 */
#include <hal/vdso.h>

#define NR_riscv_hwprobe 258
#define SC_REGS (128 + 176) /* sigcontext from the frame's start: siginfo, then ucontext up to it */
#define SIGNAL_RA 64	    /* DWARF's alternate return column on riscv */
#define NR_rt_sigreturn 139

	.option norvc
	.section .text.sigreturn, "ax", @progbits
	.balign	4
	.cfi_sections .eh_frame
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_return_column SIGNAL_RA
	.cfi_def_cfa sp, 0
	.cfi_offset SIGNAL_RA, SC_REGS
	.irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	.cfi_offset x\n, SC_REGS + 8 * \n
	.endr
	nop
	.globl	__vdso_rt_sigreturn
	.type	__vdso_rt_sigreturn, @function
__vdso_rt_sigreturn:
	li	a7, NR_rt_sigreturn
	ecall
	.cfi_endproc
	.size	__vdso_rt_sigreturn, . - __vdso_rt_sigreturn

	.text
.macro VDSO_CALL name, nr
	.balign	4
	.globl	__vdso_\name
	.type	__vdso_\name, @function
__vdso_\name:
	.cfi_startproc
	li	a7, \nr
	ecall
	ret
	.cfi_endproc
	.size	__vdso_\name, . - __vdso_\name
.endm

VDSO_CALL getcpu, 168
VDSO_CALL flush_icache, 259

/* riscv_hwprobe(pairs, count, cpusetsize, cpus, flags): for all CPUs, from the data page. */
	.balign	4
	.hidden	vdso_data
	.globl	__vdso_riscv_hwprobe
	.type	__vdso_riscv_hwprobe, @function
__vdso_riscv_hwprobe:
	.cfi_startproc
	or	t0, a2, a3
	or	t0, t0, a4
	bnez	t0, 5f
	lla	t1, vdso_data
	ld	t2, VDSO_HWPROBE_KEYS(t1)
	li	t3, VDSO_NHWPROBE
	slli	a1, a1, 4
	add	a1, a0, a1
1:	beq	a0, a1, 4f
	ld	t0, 0(a0)
	bgeu	t0, t3, 2f
	srl	t4, t2, t0
	andi	t4, t4, 1
	beqz	t4, 2f
	slli	t0, t0, 3
	add	t0, t1, t0
	ld	t0, VDSO_HWPROBE_VALUES(t0)
	j	3f
2:	li	t0, -1 /* not a key */
	sd	t0, 0(a0)
	li	t0, 0
3:	sd	t0, 8(a0)
	addi	a0, a0, 16
	j	1b
4:	li	a0, 0
	ret
5:	li	a7, NR_riscv_hwprobe
	ecall
	ret
	.cfi_endproc
	.size	__vdso_riscv_hwprobe, . - __vdso_riscv_hwprobe

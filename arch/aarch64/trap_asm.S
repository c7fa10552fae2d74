/* SPDX-License-Identifier: MIT */
/*
 * Exception vectors, and uctx_run(): user mode as a function call.
 *
 * uctx_run() is an inline call of aarch64_run_user() that tells the compiler that every register but sp and
 * x29 changes, so the caller saves what it needs and nothing else. aarch64_run_user() leaves a small frame
 * on the task's kernel stack (return address, the task) and enters user mode with SP_EL1
 * pointing at it. The next exception from EL0 stores the user registers in task->uctx, takes the frame
 * down, and so returns from uctx_run(): straight away for a system call, through aarch64_user_trap() or
 * aarch64_user_irq() for the rest. SP_EL0 holds the user's stack pointer in user mode and the current
 * task in the kernel.
 *
 * An exception from EL1 stores a struct kframe on the stack it interrupted. A synchronous one first
 * asks the MMU whether that stack is writable: it is not when the stack ran into its guard page, and then
 * the report is made on a stack kept for it.
 */
#include <arch/asm.h>
#include <arch/cpu.h>
#include <arch/sysreg.h>
#include <arch/uctx.h>

/* The frame of aarch64_run_user() */
#define RUN_TASK    16
#define RUN_SCRATCH 24
#define RUN_SIZE    32

#define KFRAME_SIZE 272

/* Store all user registers. After it: x0 = task, x1 = ESR, x2 = user x0, x8 = user x8. */
.macro SAVE_USER
	str x0, [sp, #RUN_SCRATCH]
	ldr x0, [sp, #RUN_TASK]
	stp x1, x2, [x0, #8]
	stp x3, x4, [x0, #24]
	stp x5, x6, [x0, #40]
	stp x7, x8, [x0, #56]
	stp x9, x10, [x0, #72]
	stp x11, x12, [x0, #88]
	stp x13, x14, [x0, #104]
	stp x15, x16, [x0, #120]
	stp x17, x18, [x0, #136]
	stp x19, x20, [x0, #152]
	stp x21, x22, [x0, #168]
	stp x23, x24, [x0, #184]
	stp x25, x26, [x0, #200]
	stp x27, x28, [x0, #216]
	stp x29, x30, [x0, #232]
	ldr x2, [sp, #RUN_SCRATCH]
	mrs x4, sp_el0
	mrs x5, elr_el1
	mrs x6, spsr_el1
	mrs x7, tpidr_el0
	str x2, [x0]
	stp x4, x5, [x0, #UCTX_SP]
	stp x6, x7, [x0, #UCTX_PSTATE]
	msr sp_el0, x0
	mrs x1, esr_el1
.endm

/* Back to the frame of uctx_run()'s caller. */
.macro POP_RUN_FRAME
	ldp x29, x30, [sp], #RUN_SIZE
.endm

/*
 * x0: task; returns an enum uctx_reason.
 * Interrupts are off, so nothing but user mode can see the user's SP_EL0.
 */
FUNC aarch64_run_user, 6
	ldr w2, [x0, #TASK_FP_READY]
	cbz w2, 2f
1:	stp x29, x30, [sp, #-RUN_SIZE]!
	str x0, [sp, #RUN_TASK]
	ldp x2, x3, [x0, #UCTX_SP]
	ldp x4, x5, [x0, #UCTX_PSTATE]
	msr sp_el0, x2
	msr elr_el1, x3
	msr spsr_el1, x4
	msr tpidr_el0, x5
	ldp x29, x30, [x0, #232]
	ldp x27, x28, [x0, #216]
	ldp x25, x26, [x0, #200]
	ldp x23, x24, [x0, #184]
	ldp x21, x22, [x0, #168]
	ldp x19, x20, [x0, #152]
	ldp x17, x18, [x0, #136]
	ldp x15, x16, [x0, #120]
	ldp x13, x14, [x0, #104]
	ldp x11, x12, [x0, #88]
	ldp x9, x10, [x0, #72]
	ldp x7, x8, [x0, #56]
	ldp x5, x6, [x0, #40]
	ldp x3, x4, [x0, #24]
	ldp x1, x2, [x0, #8]
	ldr x0, [x0]
	eret
2:	stp x0, x30, [sp, #-16]!
	bl aarch64_user_prepare
	ldp x0, x30, [sp], #16
	b 1b

	.balign 64
el0_sync:
	SAVE_USER
	lsr x3, x1, #ESR_EC_SHIFT
	cmp x3, #EC_SVC64
	b.ne 1f
	stp x2, x8, [x0, #UCTX_ORIG_X0]
	ldr w3, [x0, #TASK_FP_USED]
	tbnz w3, #USE_SVE_SHIFT, 2f
3:	mov w0, #0			/* UCTX_SYSCALL */
	POP_RUN_FRAME
	msr daifclr, #6			/* interrupts, SError */
	ret
1:	mov x2, #-1
	str x2, [x0, #UCTX_SYSCALL_NR]
	mrs x2, far_el1
	POP_RUN_FRAME
	b aarch64_user_trap
2:	bl aarch64_sve_flush
	b 3b

el0_irq:
	SAVE_USER
	mov x2, #-1
	str x2, [x0, #UCTX_SYSCALL_NR]
	POP_RUN_FRAME
	b aarch64_user_irq

el0_serror:
	SAVE_USER
	mov x2, #-1
	str x2, [x0, #UCTX_SYSCALL_NR]
	POP_RUN_FRAME
	b aarch64_user_serror
ENDFUNC aarch64_run_user

/* Registers into a struct kframe at sp; @top is added to sp for the value that is stored. */
.macro KFRAME_SAVE
	stp x0, x1, [sp, #0]
	stp x2, x3, [sp, #16]
	stp x4, x5, [sp, #32]
	stp x6, x7, [sp, #48]
	stp x8, x9, [sp, #64]
	stp x10, x11, [sp, #80]
	stp x12, x13, [sp, #96]
	stp x14, x15, [sp, #112]
	stp x16, x17, [sp, #128]
	stp x18, x19, [sp, #144]
	stp x20, x21, [sp, #160]
	stp x22, x23, [sp, #176]
	stp x24, x25, [sp, #192]
	stp x26, x27, [sp, #208]
	stp x28, x29, [sp, #224]
	add x1, sp, #KFRAME_SIZE
	stp x30, x1, [sp, #240]
	mrs x2, elr_el1
	mrs x3, spsr_el1
	stp x2, x3, [sp, #256]
.endm

FUNC el1_sync
	msr tpidrro_el0, x0
	sub x0, sp, #KFRAME_SIZE
	at s1e1w, x0
	isb
	mrs x0, par_el1
	tbnz x0, #0, 1f
	mrs x0, tpidrro_el0
	msr tpidrro_el0, xzr
	sub sp, sp, #KFRAME_SIZE
	KFRAME_SAVE
	mov x0, sp
	mrs x1, esr_el1
	mrs x2, far_el1
	bl aarch64_kernel_sync
	b kframe_return
1:	/* No stack. tpidr_el0 is the program's, but it will not run again. */
	msr tpidr_el0, x1
	mov x1, sp
	msr par_el1, x1
	ADR_L x0, emergency_stack_end
	mrs x1, tpidr_el1
	add x0, x0, x1
	mov sp, x0
	mrs x0, tpidrro_el0
	mrs x1, tpidr_el0
	sub sp, sp, #KFRAME_SIZE
	KFRAME_SAVE
	mrs x1, par_el1
	str x1, [sp, #248]
	mov x0, sp
	mrs x1, esr_el1
	mrs x2, far_el1
	b aarch64_stack_overflow

el1_irq:
	sub sp, sp, #KFRAME_SIZE
	KFRAME_SAVE
	mov x0, sp
	bl aarch64_kernel_irq

/* Leave an exception taken from EL1; interrupts are off. */
kframe_return:
	ldp x2, x3, [sp, #256]
	msr elr_el1, x2
	msr spsr_el1, x3
	ldp x2, x3, [sp, #16]
	ldp x4, x5, [sp, #32]
	ldp x6, x7, [sp, #48]
	ldp x8, x9, [sp, #64]
	ldp x10, x11, [sp, #80]
	ldp x12, x13, [sp, #96]
	ldp x14, x15, [sp, #112]
	ldp x16, x17, [sp, #128]
	ldp x18, x19, [sp, #144]
	ldp x20, x21, [sp, #160]
	ldp x22, x23, [sp, #176]
	ldp x24, x25, [sp, #192]
	ldp x26, x27, [sp, #208]
	ldp x28, x29, [sp, #224]
	ldr x30, [sp, #240]
	ldp x0, x1, [sp], #KFRAME_SIZE
	eret

/* What never comes: FIQ, anything with SP_EL0 as the kernel's stack, AArch32. */
el1_unexpected:
	sub sp, sp, #KFRAME_SIZE
	KFRAME_SAVE
	mov x0, sp
	mrs x1, esr_el1
	mrs x2, far_el1
	b aarch64_unexpected
ENDFUNC el1_sync

	.section .data..percpu, "aw"
	.balign 16
emergency_stack:
	.skip 4096
emergency_stack_end:

.macro VECTOR target
	.balign 128
	b \target
.endm

	.section .text.vectors, "ax"
	.balign 2048
	.globl vectors
vectors:
	VECTOR el1_unexpected	/* EL1t */
	VECTOR el1_unexpected
	VECTOR el1_unexpected
	VECTOR el1_unexpected
	VECTOR el1_sync		/* EL1h */
	VECTOR el1_irq
	VECTOR el1_unexpected
	VECTOR el1_unexpected
	VECTOR el0_sync		/* EL0, AArch64 */
	VECTOR el0_irq
	VECTOR el1_unexpected
	VECTOR el0_serror
	VECTOR el1_unexpected	/* EL0, AArch32 */
	VECTOR el1_unexpected
	VECTOR el1_unexpected
	VECTOR el1_unexpected

/*
 * struct hal_task *hal_task_switch(struct hal_task *prev, struct hal_task *next)
 * x0 stays prev, which is what it returns in next's context.
 */
FUNC hal_task_switch
	ldr w2, [x0, #TASK_LIVE]
	cbnz w2, 2f
1:	str wzr, [x0, #TASK_FP_READY]
	stp x19, x20, [x0, #TASK_X19]
	stp x21, x22, [x0, #TASK_X19 + 16]
	stp x23, x24, [x0, #TASK_X19 + 32]
	stp x25, x26, [x0, #TASK_X19 + 48]
	stp x27, x28, [x0, #TASK_X19 + 64]
	stp x29, x30, [x0, #TASK_X19 + 80]
	mov x2, sp
	str x2, [x0, #TASK_SP]
	ldr x2, [x1, #TASK_SP]
	ldp x29, x30, [x1, #TASK_X19 + 80]
	ldp x27, x28, [x1, #TASK_X19 + 64]
	ldp x25, x26, [x1, #TASK_X19 + 48]
	ldp x23, x24, [x1, #TASK_X19 + 32]
	ldp x21, x22, [x1, #TASK_X19 + 16]
	ldp x19, x20, [x1, #TASK_X19]
	mov sp, x2
	msr sp_el0, x1
	ret
2:	stp x0, x1, [sp, #-32]!
	str x30, [sp, #16]
	bl aarch64_switch_out
	ldr x30, [sp, #16]
	ldp x0, x1, [sp], #32
	b 1b
ENDFUNC hal_task_switch

/* void arch_call_on_stack(void (*fn)(unsigned long), unsigned long arg, unsigned long top, unsigned long low) */
FUNC arch_call_on_stack
	stp x29, x30, [sp, #-16]!
	mov x29, sp
	str x29, [x2]
	mov sp, x2
	mov x4, x0
	mov x0, x1
	blr x4
	mov sp, x29
	ldp x29, x30, [sp], #16
	ret
ENDFUNC arch_call_on_stack

/* First code of a kernel task: x19 = entry, x20 = argument. */
FUNC aarch64_task_start
	mov x29, xzr
	mov x30, xzr
	mov x0, x20
	br x19
ENDFUNC aarch64_task_start

	.arch_extension fp
	.arch_extension simd

/* void aarch64_fp_save(struct arch_fpstate *) */
FUNC aarch64_fp_save
	mrs x1, fpsr
	str w1, [x0]
	mrs x1, fpcr
	str w1, [x0, #4]
	add x0, x0, #16
	stp q0, q1, [x0, #0]
	stp q2, q3, [x0, #32]
	stp q4, q5, [x0, #64]
	stp q6, q7, [x0, #96]
	stp q8, q9, [x0, #128]
	stp q10, q11, [x0, #160]
	stp q12, q13, [x0, #192]
	stp q14, q15, [x0, #224]
	stp q16, q17, [x0, #256]
	stp q18, q19, [x0, #288]
	stp q20, q21, [x0, #320]
	stp q22, q23, [x0, #352]
	stp q24, q25, [x0, #384]
	stp q26, q27, [x0, #416]
	stp q28, q29, [x0, #448]
	stp q30, q31, [x0, #480]
	ret
ENDFUNC aarch64_fp_save

/* void aarch64_fp_load(const struct arch_fpstate *) */
FUNC aarch64_fp_load
	ldr w1, [x0]
	msr fpsr, x1
	ldr w1, [x0, #4]
	msr fpcr, x1
	add x0, x0, #16
	ldp q0, q1, [x0, #0]
	ldp q2, q3, [x0, #32]
	ldp q4, q5, [x0, #64]
	ldp q6, q7, [x0, #96]
	ldp q8, q9, [x0, #128]
	ldp q10, q11, [x0, #160]
	ldp q12, q13, [x0, #192]
	ldp q14, q15, [x0, #224]
	ldp q16, q17, [x0, #256]
	ldp q18, q19, [x0, #288]
	ldp q20, q21, [x0, #320]
	ldp q22, q23, [x0, #352]
	ldp q24, q25, [x0, #384]
	ldp q26, q27, [x0, #416]
	ldp q28, q29, [x0, #448]
	ldp q30, q31, [x0, #480]
	ret
ENDFUNC aarch64_fp_load

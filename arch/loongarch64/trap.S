/* SPDX-License-Identifier: MIT */
/*
 * Traps of loongarch64: entering and leaving user mode, traps from the kernel, TLB refill, task
 * switch, idling.
 *
 * arch_run_user(), the inside of uctx_run(), leaves its return address, $sp and $fp in the task, loads the
 * user's registers and executes ertn. A trap from user mode stores the user's registers into the task,
 * takes those three back, and returns. The
 * compiler knows that all other registers are lost and saves what it needs (<arch/uctx.h>).
 *
 * In user mode KS_TASK holds the task; the first instruction of a trap exchanges it with the user's
 * $tp. A trap whose PRMD says privilege 0 came from the kernel, where $tp is the task already.
 *
 * Kernel stacks are mapped by page tables, so touching one may raise a page-invalid exception when
 * this CPU's TLB still holds an invalid entry for a page that was mapped since. Therefore a trap from
 * user mode keeps all exception registers in the task (direct window: never faults) before it touches
 * the stack, and a page-invalid exception from the kernel first drops the TLB entry and tries the
 * instruction again, once per address, without a stack.
 *
 * Source: LoongArch Reference Manual, volume 1, chapters 4, 6 and 7; calling convention: LoongArch
 * psABI. System calls may destroy $t0-$t8 (Linux's convention), so their old values are not stored.
 */
#include <arch/cpu.h>
#include <arch/csr.h>
#include <arch/layout.h>
#include <arch/trap.h>
#include <arch/uctx.h>

	.text

.macro SAVE_CALLEE base
	st.d	$ra, \base, 0
	st.d	$fp, \base, 8
	st.d	$s0, \base, 16
	st.d	$s1, \base, 24
	st.d	$s2, \base, 32
	st.d	$s3, \base, 40
	st.d	$s4, \base, 48
	st.d	$s5, \base, 56
	st.d	$s6, \base, 64
	st.d	$s7, \base, 72
	st.d	$s8, \base, 80
.endm

.macro LOAD_CALLEE base
	ld.d	$ra, \base, 0
	ld.d	$fp, \base, 8
	ld.d	$s0, \base, 16
	ld.d	$s1, \base, 24
	ld.d	$s2, \base, 32
	ld.d	$s3, \base, 40
	ld.d	$s4, \base, 48
	ld.d	$s5, \base, 56
	ld.d	$s6, \base, 64
	ld.d	$s7, \base, 72
	ld.d	$s8, \base, 80
.endm

/* All that a system call must keep; $tp is handled apart. */
.macro SAVE_FOR_SYSCALL base
	st.d	$ra, \base, 8
	st.d	$sp, \base, 24
	st.d	$a0, \base, 32
	st.d	$a1, \base, 40
	st.d	$a2, \base, 48
	st.d	$a3, \base, 56
	st.d	$a4, \base, 64
	st.d	$a5, \base, 72
	st.d	$a6, \base, 80
	st.d	$a7, \base, 88
	st.d	$r21, \base, 168
	st.d	$fp, \base, 176
	st.d	$s0, \base, 184
	st.d	$s1, \base, 192
	st.d	$s2, \base, 200
	st.d	$s3, \base, 208
	st.d	$s4, \base, 216
	st.d	$s5, \base, 224
	st.d	$s6, \base, 232
	st.d	$s7, \base, 240
	st.d	$s8, \base, 248
.endm

.macro SAVE_TEMPS base
	st.d	$t0, \base, 96
	st.d	$t1, \base, 104
	st.d	$t2, \base, 112
	st.d	$t3, \base, 120
	st.d	$t4, \base, 128
	st.d	$t5, \base, 136
	st.d	$t6, \base, 144
	st.d	$t7, \base, 152
	st.d	$t8, \base, 160
.endm

/* Everything but $tp, $sp, $r21, and $a0, which may be the base. */
.macro LOAD_MOST base
	ld.d	$ra, \base, 8
	ld.d	$a1, \base, 40
	ld.d	$a2, \base, 48
	ld.d	$a3, \base, 56
	ld.d	$a4, \base, 64
	ld.d	$a5, \base, 72
	ld.d	$a6, \base, 80
	ld.d	$a7, \base, 88
	ld.d	$t0, \base, 96
	ld.d	$t1, \base, 104
	ld.d	$t2, \base, 112
	ld.d	$t3, \base, 120
	ld.d	$t4, \base, 128
	ld.d	$t5, \base, 136
	ld.d	$t6, \base, 144
	ld.d	$t7, \base, 152
	ld.d	$t8, \base, 160
	ld.d	$fp, \base, 176
	ld.d	$s0, \base, 184
	ld.d	$s1, \base, 192
	ld.d	$s2, \base, 200
	ld.d	$s3, \base, 208
	ld.d	$s4, \base, 216
	ld.d	$s5, \base, 224
	ld.d	$s6, \base, 232
	ld.d	$s7, \base, 240
	ld.d	$s8, \base, 248
.endm

/*
 * long arch_run_user(void); $tp: the task; interrupts off; keeps $sp, $fp, $tp, $r21
 *
 * Off is a flag (<arch/cpu.h>), so one may come all the same. Between .Lload_user and .Lin_user the registers are the program's by and by:
 * trap_kernel, which finds the task in KS_TASK, begins there anew with the CPU's interrupts off. ertn switches them on, and it comes again.
 */
	.globl	arch_run_user
	.type	arch_run_user, @function
arch_run_user:
	st.d	$fp, $tp, TASK_RUN_FP
	st.d	$ra, $tp, TASK_RUN_RA
	st.d	$sp, $tp, TASK_RUN_SP
.Lenter_user:
	ld.hu	$t0, $tp, TASK_ENTRY_WORK
	bnez	$t0, .Lentry_work
.Lenter_user_now:
	ld.d	$t0, $tp, UCTX_ERA
	srli.d	$t3, $t0, USER_BITS
	bnez	$t3, .Lbad_ip
	move	$t2, $tp
	csrwr	$t2, CSR_KS_TASK
.Lload_user:
	ld.d	$t0, $tp, UCTX_ERA
	li.w	$t1, PRMD_USER
	csrwr	$t0, CSR_ERA
	csrwr	$t1, CSR_PRMD
	LOAD_MOST $tp
	ld.d	$sp, $tp, 24
	ld.d	$r21, $tp, 168
	ld.d	$a0, $tp, 32
	ld.d	$tp, $tp, 16
	ertn
.Lin_user:
.Lentry_work:
	li.w	$t0, CRMD_IE
	csrxchg	$zero, $t0, CSR_CRMD
	move	$a0, $tp
	bl	arch_before_user
	b	.Lenter_user_now
	.size	arch_run_user, . - arch_run_user

/* Every other vector. */
trap_common:
	csrwr	$t0, CSR_KS0
	csrrd	$t0, CSR_PRMD
	andi	$t0, $t0, CRMD_PLV_MASK
	beqz	$t0, trap_kernel
	csrrd	$t0, CSR_KS0
	csrwr	$tp, CSR_KS_TASK
	SAVE_FOR_SYSCALL $tp
	SAVE_TEMPS $tp
	csrrd	$t0, CSR_KS_TASK
	csrrd	$t1, CSR_ERA
	csrrd	$t2, CSR_ESTAT
	csrrd	$t3, CSR_BADV
	csrrd	$t4, CSR_BADI
	st.d	$t0, $tp, 16
	st.d	$t1, $tp, UCTX_ERA
	st.w	$zero, $tp, UCTX_IN_SYSCALL
	st.d	$t2, $tp, TASK_ESTAT
	st.d	$t3, $tp, TASK_BADV
	st.d	$t4, $tp, TASK_BADI
	csrrd	$r21, CSR_KS_PERCPU
	ld.d	$sp, $tp, TASK_RUN_SP
	move	$a0, $tp
	move	$fp, $zero
	bl	arch_trap_user
	bltz	$a0, .Lenter_user
.Lreturn_reason:
	ld.d	$fp, $tp, TASK_RUN_FP
	ld.d	$ra, $tp, TASK_RUN_RA
	ret
/*
 * No program is at this address. To go there would be an exception, but QEMU (10.0) does not survive those of kernel pages, and of what
 * is equal to them in the lower 48 bits: delivering one, it fetches the instruction that may not be fetched, without end.
 */
.Lbad_ip:
	move	$a0, $tp
	move	$fp, $zero
	bl	arch_bad_user_ip
	b	.Lreturn_reason

/* From the kernel; KS0 holds $t0. */
trap_kernel:
	csrwr	$t1, CSR_KS1
	csrrd	$t0, CSR_ESTAT
	bstrpick.d $t0, $t0, 21, 16
	beqz	$t0, .Lkernel_interrupt
	/* A page-invalid exception on a kernel address: perhaps only the TLB is behind. */
	addi.d	$t0, $t0, -EXC_PIL
	sltui	$t0, $t0, EXC_PIF - EXC_PIL + 1
	beqz	$t0, .Lkernel_frame
	csrrd	$t0, CSR_BADV
	bgez	$t0, .Lkernel_frame
	move	$t1, $t0
	csrwr	$t1, CSR_KS_RETRY
	beq	$t0, $t1, .Lkernel_frame
	csrrd	$t1, CSR_ASID
	invtlb	0x6, $t1, $t0
	csrrd	$t0, CSR_KS0
	csrrd	$t1, CSR_KS1
	ertn
.Lkernel_frame:
	/* A stack that has overflowed is not used any further. */
	ld.d	$t1, $tp, TASK_STACK_LOW
	addi.d	$t0, $sp, -FRAME_SIZE
	bltu	$t0, $t1, stack_overflow
	move	$t1, $sp
	move	$sp, $t0
	csrrd	$t0, CSR_KS0
	st.d	$t1, $sp, 24
	csrrd	$t1, CSR_KS1
	SAVE_TEMPS $sp
	st.d	$zero, $sp, 0
	st.d	$ra, $sp, 8
	st.d	$tp, $sp, 16
	st.d	$a0, $sp, 32
	st.d	$a1, $sp, 40
	st.d	$a2, $sp, 48
	st.d	$a3, $sp, 56
	st.d	$a4, $sp, 64
	st.d	$a5, $sp, 72
	st.d	$a6, $sp, 80
	st.d	$a7, $sp, 88
	st.d	$r21, $sp, 168
	st.d	$fp, $sp, 176
	st.d	$s0, $sp, 184
	st.d	$s1, $sp, 192
	st.d	$s2, $sp, 200
	st.d	$s3, $sp, 208
	st.d	$s4, $sp, 216
	st.d	$s5, $sp, 224
	st.d	$s6, $sp, 232
	st.d	$s7, $sp, 240
	st.d	$s8, $sp, 248
	csrrd	$t0, CSR_ERA
	csrrd	$t1, CSR_PRMD
	csrrd	$t2, CSR_ESTAT
	csrrd	$t3, CSR_BADV
	st.d	$t0, $sp, FRAME_ERA
	st.d	$t1, $sp, FRAME_PRMD
	st.d	$t2, $sp, FRAME_ESTAT
	st.d	$t3, $sp, FRAME_BADV
	csrrd	$r21, CSR_KS_PERCPU
	move	$a0, $sp
	bl	arch_trap_kernel
	/* It may have slept and come back on another CPU: $r21 is this CPU's. */
	ld.d	$t0, $sp, FRAME_ERA
	ld.d	$t1, $sp, FRAME_PRMD
	csrrd	$r21, CSR_KS_PERCPU
	csrwr	$t0, CSR_ERA
	csrwr	$t1, CSR_PRMD
	move	$a0, $sp
	LOAD_MOST $a0
	ld.d	$sp, $a0, 24
	ld.d	$a0, $a0, 32
	ertn

/*
 * An interrupt. Where the registers are the program's in part it is taken in user mode. While irq_off it is noted, without a
 * stack: between arch_switch()'s two changes the stack is not current's.
 */
.Lkernel_interrupt:
	csrrd	$t0, CSR_ERA
	la.pcrel $t1, .Lload_user
	bltu	$t0, $t1, 1f
	la.pcrel $t1, .Lin_user
	bltu	$t0, $t1, .Lload_user_again
1:	ld.bu	$t1, $tp, TASK_IRQ_OFF
	beqz	$t1, .Lkernel_frame
	la.pcrel $t1, .Lswitch_current
	bne	$t0, $t1, 2f
	move	$tp, $a1
2:	li.w	$t0, 1
	st.b	$t0, $tp, TASK_IRQ_MASKED
	li.w	$t0, PRMD_PIE
	csrxchg	$zero, $t0, CSR_PRMD
	csrrd	$t0, CSR_KS0
	csrrd	$t1, CSR_KS1
	ertn
.Lload_user_again:
	csrrd	$tp, CSR_KS_TASK
	b	.Lload_user

/* Kernel stack used up: report it from this CPU's spare stack. KS0, KS1 hold $t0, $t1. */
stack_overflow:
	csrrd	$t0, CSR_KS_PERCPU
	la.pcrel $t1, arch_overflow_stack
	add.d	$t0, $t0, $t1
	li.w	$t1, OVERFLOW_STACK_SIZE - FRAME_SIZE
	add.d	$t0, $t0, $t1
	st.d	$sp, $t0, 24
	st.d	$ra, $t0, 8
	st.d	$fp, $t0, 176
	move	$sp, $t0
	csrrd	$t1, CSR_ERA
	st.d	$t1, $sp, FRAME_ERA
	csrrd	$t1, CSR_ESTAT
	st.d	$t1, $sp, FRAME_ESTAT
	csrrd	$t1, CSR_BADV
	st.d	$t1, $sp, FRAME_BADV
	csrrd	$r21, CSR_KS_PERCPU
	move	$a0, $sp
	b	arch_stack_overflow

/*
 * struct hal_task *arch_switch(struct hal_task *prev, struct hal_task *next); interrupts off, which is a flag of prev and of next. What
 * comes between the stack's change and the task's is next's (trap_kernel). That the CPU's interrupts are off goes over to it.
 */
	.globl	arch_switch
	.type	arch_switch, @function
arch_switch:
	addi.d	$sp, $sp, -96
	SAVE_CALLEE $sp
	st.d	$sp, $a0, TASK_SP
	ld.d	$sp, $a1, TASK_SP
.Lswitch_current:
	move	$tp, $a1
	ld.bu	$t0, $a0, TASK_IRQ_MASKED
	bnez	$t0, .Lswitch_masked
.Lswitch_load:
	LOAD_CALLEE $sp
	addi.d	$sp, $sp, 96
	ret
.Lswitch_masked:
	st.b	$t0, $a1, TASK_IRQ_MASKED
	st.b	$zero, $a0, TASK_IRQ_MASKED
	b	.Lswitch_load
	.size	arch_switch, . - arch_switch

/*
 * void arch_call_on_stack(void (*fn)(unsigned long), unsigned long arg, unsigned long top, unsigned long low)
 * stack_low is never that of another stack than $sp's: trap_kernel.
 */
	.globl	arch_call_on_stack
	.type	arch_call_on_stack, @function
arch_call_on_stack:
	addi.d	$sp, $sp, -32
	st.d	$ra, $sp, 24
	st.d	$fp, $sp, 16
	st.d	$s0, $sp, 8
	addi.d	$fp, $sp, 32
	ld.d	$s0, $tp, TASK_STACK_LOW
	st.d	$sp, $a2, 0
	st.d	$zero, $tp, TASK_STACK_LOW
	move	$sp, $a2
	st.d	$a3, $tp, TASK_STACK_LOW
	move	$t0, $a0
	move	$a0, $a1
	jirl	$ra, $t0, 0
	st.d	$zero, $tp, TASK_STACK_LOW
	addi.d	$sp, $fp, -32
	st.d	$s0, $tp, TASK_STACK_LOW
	ld.d	$ra, $sp, 24
	ld.d	$fp, $sp, 16
	ld.d	$s0, $sp, 8
	addi.d	$sp, $sp, 32
	ret
	.size	arch_call_on_stack, . - arch_call_on_stack

/* First code of a new task: $s0(argument) is called for $s1. */
	.globl	arch_task_start
	.type	arch_task_start, @function
arch_task_start:
	move	$a0, $s1
	move	$fp, $zero
	move	$ra, $zero
	jr	$s0
	.size	arch_task_start, . - arch_task_start

/*
 * void arch_idle(void) - enable interrupts and wait for one. An interrupt taken in between start and
 * end makes arch_trap_kernel() continue at the end, so that it cannot be slept over. Before the flag is
 * cleared the CPU's switch is off.
 */
	.globl	arch_idle, arch_idle_start, arch_idle_end
	.type	arch_idle, @function
arch_idle:
	li.w	$t0, CRMD_IE
	csrxchg	$zero, $t0, CSR_CRMD
	st.h	$zero, $tp, TASK_IRQ_OFF
arch_idle_start:
	csrxchg	$t0, $t0, CSR_CRMD
	idle	0
arch_idle_end:
	ret
	.size	arch_idle, . - arch_idle

/* Exception vectors. */
	.section .text.vectors, "ax"
	.balign	4096
	.globl	arch_vectors
arch_vectors:
	.set	vector, 0
	.rept	EXC_VECTORS
	.balign	(4 << EXC_VS)
	.if	vector == EXC_SYS
	csrwr	$tp, CSR_KS_TASK
	b	trap_syscall
	.else
	b	trap_common
	.endif
	.set	vector, vector + 1
	.endr
	.balign	(4 << EXC_VS)

/* The system call vector goes on here, in its own page; $tp and KS_TASK are exchanged already. */
trap_syscall:
	SAVE_FOR_SYSCALL $tp
	csrrd	$t0, CSR_KS_TASK
	csrrd	$t1, CSR_ERA
	addi.d	$t1, $t1, 4
	li.w	$t2, 1
	st.d	$t0, $tp, 16
	st.d	$t1, $tp, UCTX_ERA
	st.d	$a0, $tp, UCTX_ORIG_A0
	st.w	$t2, $tp, UCTX_IN_SYSCALL
	csrrd	$r21, CSR_KS_PERCPU
	ld.d	$sp, $tp, TASK_RUN_SP
	ld.d	$fp, $tp, TASK_RUN_FP
	ld.d	$ra, $tp, TASK_RUN_RA
	li.w	$t0, CRMD_IE
	st.h	$zero, $tp, TASK_IRQ_OFF
	csrxchg	$t0, $t0, CSR_CRMD
	move	$a0, $zero		/* UCTX_SYSCALL */
	ret

/*
 * TLB refill: runs with address translation off, at its physical address, and so may use no symbol.
 * Empty upper entries are 0; LDDIR on them would read physical page 0, hence the branches. Both
 * halves of a kernel pair are made global, also when one is empty: flushes of kernel addresses must
 * not have to know the ASID under which the pair was loaded.
 *
 * QEMU (10.0) loses NX and NR in LDPTE. Loading the entries by hand would keep them, but QEMU does not
 * survive the exception for NX: delivering it, it fetches the instruction that may not be fetched.
 */
.macro LOAD_PAIR
	csrrd	$t0, CSR_PGD
	lddir	$t0, $t0, 3
	beqz	$t0, .Lrefill_invalid
	lddir	$t0, $t0, 2
	beqz	$t0, .Lrefill_invalid
	lddir	$t0, $t0, 1
	beqz	$t0, .Lrefill_invalid
	ldpte	$t0, 0
	ldpte	$t0, 1
.endm

.macro FILL
	tlbfill
	csrrd	$t0, CSR_TLBRSAVE
	ertn
.endm

	.balign	4096
	.globl	arch_tlb_refill
arch_tlb_refill:
	csrwr	$t0, CSR_TLBRSAVE
	csrrd	$t0, CSR_TLBRBADV
	bltz	$t0, .Lrefill_kernel
	LOAD_PAIR
	FILL
.Lrefill_kernel:
	LOAD_PAIR
.Lrefill_global:
	csrrd	$t0, CSR_TLBRELO0
	ori	$t0, $t0, 0x40
	csrwr	$t0, CSR_TLBRELO0
	csrrd	$t0, CSR_TLBRELO1
	ori	$t0, $t0, 0x40
	csrwr	$t0, CSR_TLBRELO1
	FILL
.Lrefill_invalid:
	/* The access faults again, as a page-invalid exception. */
	csrrd	$t0, CSR_TLBREHI
	bstrins.d $t0, $zero, 5, 0
	addi.d	$t0, $t0, 12
	csrwr	$t0, CSR_TLBREHI
	csrwr	$zero, CSR_TLBRELO0
	csrwr	$zero, CSR_TLBRELO1
	csrrd	$t0, CSR_TLBRBADV
	bltz	$t0, .Lrefill_global
	FILL

/* Machine error: nothing can be said from here. */
	.balign	4096
	.globl	arch_machine_error
arch_machine_error:
	idle	0
	b	arch_machine_error

/* SPDX-License-Identifier: MIT */
/*
 * Into user mode and out of it, traps from the kernel, stack switching.
 *
 * x86_run_user saves rbp on the kernel stack, notes the stack pointer in x86_kernel_sp, and leaves
 * with SYSRET or IRET. Each way back stores the user registers in the task's struct uctx (rsp0 of the
 * TSS points behind its `ss`, so the CPU itself stores five of them), loads x86_kernel_sp, and returns.
 *
 * GS: the kernel's base while in the kernel. User code may set its own base to anything (FSGSBASE), so
 * NMI, double fault, machine check and debug exceptions, which can hit between SWAPGS and the border,
 * set it from the word at the top of their own stack.
 */
#include <arch/smap.h>
#include <arch/uctx.h>
#include <arch/x86.h>

/* Offsets in struct uctx; uctx.c asserts them. */
#define U_R15	8
#define U_R11	56
#define U_CX	96
#define U_DI	120
#define U_IP	136
#define U_CS	144
#define U_FLAGS 152
#define U_SP	160

#define RSP0	%gs:x86_tss + 4(%rip)

	.text

.macro PUSH_CALLEE_SAVED
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
.endm

.macro POP_CALLEE_SAVED
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
.endm

/* All general registers but di, downwards, in the order of struct uctx. */
.macro PUSH_REGS_BELOW_DI
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
.endm

.macro POP_REGS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
.endm

/*
 * uctx_run()'s outer half is inline (<arch/uctx.h>): rdi = task; interrupts off. Returns an enum uctx_reason. With
 * rbp and the return address on the stack, this is at a multiple of 16, as calls of C want it.
 */
	.globl	x86_run_user
	.type	x86_run_user, @function
	.balign 64
x86_run_user:
	pushq	%rbp
	cmpq	%rdi, %gs:x86_fpu_owner(%rip)
	jne	.Lrestore_fpu
.Lfpu_ready:
	movq	%rsp, %gs:x86_kernel_sp(%rip)
	movq	U_IP(%rdi), %rcx
	movq	%rcx, %rax
	shrq	$47, %rax
	jnz	.Lbad_ip
	movq	U_FLAGS(%rdi), %r11
	cmpq	U_CX(%rdi), %rcx
	jne	.Lreturn_iret
	cmpq	U_R11(%rdi), %r11
	jne	.Lreturn_iret
	testl	$(X86_FLAGS_TF | X86_FLAGS_RF), %r11d
	jnz	.Lreturn_iret

	leaq	U_R15(%rdi), %rsp
	POP_CALLEE_SAVED
	addq	$8, %rsp
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	addq	$8, %rsp
	popq	%rdx
	popq	%rsi
	popq	%rdi
	movq	U_SP - U_DI - 8(%rsp), %rsp
	swapgs
	sysretq

.Lreturn_iret:
	leaq	U_R15(%rdi), %rsp
	POP_REGS
	addq	$8, %rsp
	swapgs
	iretq

.Lrestore_fpu:
	pushq	%rdi
	pushq	%rdi			/* twice: alignment */
	call	x86_fpu_restore
	popq	%rdi
	popq	%rdi
	jmp	.Lfpu_ready

/* SYSRET and IRET would fault in the kernel; report it as the fault that user mode would have had. */
.Lbad_ip:
	call	x86_bad_user_ip
	sti
	jmp	.Lleave

/*
 * SYSCALL from user code: rcx = ip, r11 = flags, on the user's stack. SFMASK has cleared IF, TF, DF, AC, NT.
 */
	.globl	x86_syscall_entry
	.type	x86_syscall_entry, @function
	.balign 64
x86_syscall_entry:
	swapgs
	movq	%rsp, %gs:x86_scratch(%rip)
	movq	RSP0, %rsp
	pushq	$X86_USER_DS
	pushq	%gs:x86_scratch(%rip)
	pushq	%r11
	pushq	$X86_USER_CS
	pushq	%rcx
	pushq	%rax
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	$-38			/* result until there is one: -ENOSYS, as tracers expect */
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	PUSH_CALLEE_SAVED
	movq	%gs:x86_kernel_sp(%rip), %rsp
	xorl	%eax, %eax		/* UCTX_SYSCALL */
	sti
.Lleave:
	popq	%rbp
	ret

/* SYSCALL from 32-bit code cannot happen (there is no such segment to run in); answer ENOSYS. */
	.globl	x86_syscall32_entry
x86_syscall32_entry:
	movl	$-38, %eax
	sysretl

/* All exceptions and interrupts but those on their own stack: vector and error code pushed. */
	.balign 64
trap_common:
	testb	$3, 24(%rsp)
	jz	.Lkernel_trap
	swapgs
	xchgq	%rdi, (%rsp)		/* vector; user's di takes its place */
	PUSH_REGS_BELOW_DI
.Luser_trap:
	cld
	CLAC
	movq	%gs:x86_kernel_sp(%rip), %rsp
	movq	%gs:x86_current(%rip), %rsi
	call	x86_user_trap
	jmp	.Lleave

/* What is on the stack is a struct uctx from its begin to ss, the error code as orig_ax. Behind ss goes on what was interrupted. */
.Lkernel_trap:
	xchgq	%rdi, (%rsp)
	PUSH_REGS_BELOW_DI
	pushq	$0			/* fs_base, which nobody reads */
	cld
	CLAC
	movl	%edi, %esi		/* vector */
	movq	%rsp, %rdi
	call	x86_kernel_trap
.Lkernel_return:
	addq	$8, %rsp
	POP_REGS
	addq	$8, %rsp
	iretq

/* NMI, double fault, machine check, debug: on a stack of their own, GS unknown. */
trap_ist:
	xchgq	%rdi, (%rsp)
	PUSH_REGS_BELOW_DI
	pushq	$0
	cld
	CLAC
	movl	%edi, %esi
	testb	$3, U_CS(%rsp)
	jnz	.List_user
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	movl	%eax, %r12d
	movl	%edx, %r13d
	movq	%rsp, %rax
	orq	$(X86_IST_SIZE - 1), %rax
	movl	-3(%rax), %edx
	movl	-7(%rax), %eax
	wrmsr
	movq	%rsp, %rdi
	call	x86_kernel_trap
	movl	$MSR_GS_BASE, %ecx
	movl	%r12d, %eax
	movl	%r13d, %edx
	wrmsr
	jmp	.Lkernel_return
.List_user:
	swapgs
	movq	%rsp, %rdi		/* the vector is in rsi, and comes back */
	call	x86_ist_to_uctx
	movl	%eax, %edi
	jmp	.Luser_trap

/* One stub a vector, 16 bytes apart. */
	.globl	x86_stubs
	.balign 16
x86_stubs:
	.set	vec, 0
	.rept	256
	.balign 16
	.if !(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21 || vec == 29 || vec == 30)
	pushq	$0
	.endif
	pushq	$vec
	.if vec == 1 || vec == 2 || vec == 8 || vec == 18
	jmp	trap_ist
	.else
	jmp	trap_common
	.endif
	.set	vec, vec + 1
	.endr

/* struct hal_task *x86_switch_stacks(struct hal_task *prev, u64 *prev_sp, u64 next_sp) */
	.globl	x86_switch_stacks
	.type	x86_switch_stacks, @function
x86_switch_stacks:
	PUSH_CALLEE_SAVED
	movq	%rsp, (%rsi)
	movq	%rdx, %rsp
	POP_CALLEE_SAVED
	movq	%rdi, %rax
	ret

/* A task's first return from x86_switch_stacks: entry in rbx, its argument in rbp. */
	.globl	x86_task_start
x86_task_start:
	movq	%rbp, %rdi
	xorl	%ebp, %ebp
	call	*%rbx
	ud2

/* void arch_call_on_stack(void (*fn)(unsigned long), unsigned long arg, unsigned long top, unsigned long low) */
	.globl	arch_call_on_stack
	.type	arch_call_on_stack, @function
arch_call_on_stack:
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rsp, (%rdx)
	movq	%rdx, %rsp
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	movq	%rbp, %rsp
	popq	%rbp
	ret

	.section .note.GNU-stack, "", @progbits

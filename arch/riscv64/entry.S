/* SPDX-License-Identifier: MIT */
/*
 * Where the CPU enters the kernel: boot, secondary start, traps; and where it changes stacks.
 *
 *	_start			Linux's riscv64 Image header, then the boot CPU (a0 hart id, a1 device tree)
 *	riscv64_secondary	another hart, from SBI HSM (a0 hart id, a1 struct riscv64_start_args)
 *	riscv64_trap_entry	every trap, from user or kernel
 *	riscv64_run_user	into user mode, and back when it traps
 *	riscv64_switch		from one kernel stack to another
 *
 * In the kernel tp is the current task and sscratch is 0; in user mode sscratch is the task. gp is not
 * used by the kernel.
 * Source: Linux Documentation/arch/riscv/{boot,boot-image-header}.rst; RISC-V SBI 2.0, HSM.
 */
#include <arch/cpu.h>
#include <arch/csr.h>
#include <arch/layout.h>
#include <arch/trap.h>
#include <arch/uctx.h>
#include <hal/pe_header.h>

#define PTE_KERNEL_RW  0xe7 /* V R W G A D */
#define PTE_KERNEL_RWX 0xef
#define PTE_TABLE      0x01
#define LINEAR_SLOT    256 /* root slot of LINEAR_BASE */
#define LINEAR_SLOTS   192
#define KERNEL_SLOT    510
#define TREE_ROOM      0x10000 /* behind the image, for a device tree that the linear map does not reach */

	.section .head.text, "ax"
	.globl	_start
_start:
	c.li	s4, -13			/* "MZ" */
	j	boot
	.balign	8
	.dword	0x200000		/* load offset from the start of RAM */
	.dword	__image_end - _start + TREE_ROOM
	.dword	0			/* flags: little endian */
	.word	2			/* header version 0.2 */
	.word	0
	.dword	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\005"
	.word	pe_header - _start
	pe_headers PE_MACHINE_RISCV64
	.balign	4096

/*
 * arch_efi_enter(kernel, size, tree, hart): from the firmware's identity mapping to the kernel's entry with translation
 * off. The code runs in the loaded image, which stays where it is.
 */
	.globl	arch_efi_enter
arch_efi_enter:
	csrci	sstatus, SR_SIE
	csrw	sie, zero
	mv	t0, a0
	mv	a0, a3
	mv	a1, a2
	fence.i
	csrw	satp, zero
	sfence.vma
	jr	t0

boot:
	csrci	sstatus, SR_SIE
	csrw	sie, zero
	/* One hart boots; others that a loader sent here as well wait for good. */
	lla	t0, boot_lottery
	li	t1, 1
	amoadd.w t1, t1, (t0)
	bnez	t1, park
	mv	s0, a0
	mv	s1, a1

	lla	t0, __bss_start
	lla	t1, __bss_end
1:	bgeu	t0, t1, 2f
	sd	zero, (t0)
	addi	t0, t0, 8
	j	1b

	/* A device tree beyond the linear map is copied behind the image. One that does not fit there stays, and is refused. */
2:	li	t0, LINEAR_SLOTS << 30
	andi	t1, s1, 7
	bltu	s1, t0, 3f
	bnez	t1, 3f
	lbu	t1, 5(s1)		/* its size, big endian, less than 16 MiB */
	lbu	t2, 6(s1)
	lbu	t3, 7(s1)
	slli	t1, t1, 16
	slli	t2, t2, 8
	or	t1, t1, t2
	or	t1, t1, t3
	li	t2, TREE_ROOM
	bgtu	t1, t2, 3f
	mv	t2, s1
	lla	t0, __image_end
	add	t1, t1, t0
	mv	s1, t0
1:	ld	t3, (t2)
	sd	t3, (t0)
	addi	t2, t2, 8
	addi	t0, t0, 8
	bltu	t0, t1, 1b

	/* The early table maps the image by 2 MiB pages, so it must lie on such a boundary. */
3:	lla	t0, _start
	slli	t1, t0, 43
	bnez	t1, misplaced

	/* The linear map: 1 GiB pages. */
	lla	s2, early_root
	li	t1, LINEAR_SLOT * 8
	add	t1, s2, t1
	li	t2, PTE_KERNEL_RW
	li	t3, LINEAR_SLOTS
	li	t4, 1 << 28
3:	sd	t2, (t1)
	addi	t1, t1, 8
	add	t2, t2, t4
	addi	t3, t3, -1
	bnez	t3, 3b

	/* The image: 2 MiB pages. */
	lla	t1, early_image
	srli	t2, t1, 2
	ori	t2, t2, PTE_TABLE
	li	t3, KERNEL_SLOT * 8
	add	t3, s2, t3
	sd	t2, (t3)
	srli	t2, t0, 2
	ori	t2, t2, PTE_KERNEL_RWX
	lla	t3, __image_end
	li	t4, 1 << 19
	li	t5, 1 << 21
4:	sd	t2, (t1)
	addi	t1, t1, 8
	add	t2, t2, t4
	add	t0, t0, t5
	bltu	t0, t3, 4b

	lla	s3, _start
	li	t0, KERNEL_BASE
	sub	s3, s3, t0		/* physical minus linked address */
	srli	a0, s2, 12
	li	t1, SATP_SV39
	or	a0, a0, t1
	mv	a1, s3
	jal	enable_paging

	lla	t0, kernel_phys_offset
	sd	s3, (t0)
	lla	tp, boot_task
	lla	sp, boot_stack_top
	call	setup_csrs
	mv	a0, s0
	mv	a1, s1
	call	riscv64_start

park:	wfi
	j	park

	/* Say so through the legacy console; there is nothing else yet. */
misplaced:
	lla	s0, misplaced_text
1:	lbu	a0, (s0)
	beqz	a0, park
	li	a7, 1
	ecall
	addi	s0, s0, 1
	j	1b

/*
 * Turn translation on and return to the linked address of the caller. a0: satp, a1: physical minus
 * linked address. The instruction after the write to satp faults, because physical addresses are not
 * mapped, and the trap vector leads on at the linked address.
 */
enable_paging:
	lla	t0, 1f
	sub	t0, t0, a1
	sub	ra, ra, a1
	csrw	stvec, t0
	sfence.vma
	csrw	satp, a0
	.balign	4
1:	sfence.vma
	ret

setup_csrs:
	lla	t0, riscv64_trap_entry
	csrw	stvec, t0
	csrw	sscratch, zero
	li	t0, SR_FS | SR_VS | SR_SUM | SR_SPP
	csrc	sstatus, t0
	li	t0, SR_SPIE
	csrs	sstatus, t0
	ret

	/* a0: hart id, a1: physical address of struct riscv64_start_args. */
	.globl	riscv64_secondary
	.balign	4
riscv64_secondary:
	csrci	sstatus, SR_SIE
	csrw	sie, zero
	ld	a0, START_SATP(a1)
	ld	s0, START_STACK(a1)
	ld	s1, START_TASK(a1)
	lla	t0, _start
	li	t1, KERNEL_BASE
	sub	a1, t0, t1
	jal	enable_paging
	mv	sp, s0
	mv	tp, s1
	call	setup_csrs
	call	riscv64_secondary_start
	j	park

	.section .rodata
misplaced_text:
	.asciz	"caelum: the image must be loaded at a multiple of 2 MiB\r\n"

	/* Not in bss: written before it is cleared. */
	.section .data
	.balign	8
boot_lottery:
	.dword	0
	.globl	kernel_phys_offset
kernel_phys_offset:
	.dword	0

	.section .bss
	.balign	4096
early_root:
	.space	4096
early_image:
	.space	4096
	.balign	16
	.globl	boot_stack
boot_stack:
	.space	BOOT_STACK_SIZE
	.globl	boot_stack_top
boot_stack_top:
overflow_stack:
	.space	4096
overflow_stack_top:

/* ---- User mode ------------------------------------------------------------------------------- */

	/* All user registers but tp, from or to the context that tp points to. */
	.macro user_regs op
	\op	x1, 8(tp)
	\op	x2, 16(tp)
	\op	x3, 24(tp)
	.irp n, 5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	x\n, 8*\n(tp)
	.endr
	.endm

	.macro callee_regs op
	\op	ra, 0(sp)
	\op	s0, 8(sp)
	\op	s1, 16(sp)
	\op	s2, 24(sp)
	\op	s3, 32(sp)
	\op	s4, 40(sp)
	\op	s5, 48(sp)
	\op	s6, 56(sp)
	\op	s7, 64(sp)
	\op	s8, 72(sp)
	\op	s9, 80(sp)
	\op	s10, 88(sp)
	\op	s11, 96(sp)
	.endm

	.text
/*
 * uctx_run() without the saving of callee-saved registers, which its inline half tells the compiler to
 * do; interrupts off. Returns an enum uctx_reason in a0. What the return needs is kept in the task.
 *
 * sstatus is not written: SPP is 0 and SPIE is 1 whenever the kernel runs outside of its own trap
 * handlers, and these clear SPP before they call anything that may switch tasks. FS is the task's:
 * hal_task_switch() sets it.
 */
	.globl	riscv64_run_user
	.type	riscv64_run_user, @function
riscv64_run_user:
	lw	t0, TASK_RELOAD(tp)
	sd	ra, TASK_RUN_RA(tp)
	sd	s0, TASK_RUN_S0(tp)
	sd	sp, TASK_KSP(tp)
	bnez	t0, 2f
1:	ld	t1, UCTX_PC(tp)
	csrw	sscratch, tp
	csrw	sepc, t1
	user_regs ld
	ld	tp, 32(tp)
	sret
2:	call	riscv64_fpu_reload
	j	1b
	.size	riscv64_run_user, . - riscv64_run_user

/*
 * Every trap. From user mode tp becomes the task, the user registers go into its context, and uctx_run()
 * returns on the stack that it left. Interrupts stay off until then.
 */
	.globl	riscv64_trap_entry
	.type	riscv64_trap_entry, @function
	.balign	4
riscv64_trap_entry:
	csrrw	tp, sscratch, tp
	beqz	tp, kernel_entry
	user_regs sd
	csrrw	t0, sscratch, zero
	csrr	t1, sepc
	csrr	t3, scause
	ld	sp, TASK_KSP(tp)
	ld	s0, TASK_RUN_S0(tp)
	sd	t0, 32(tp)
	sd	t3, UCTX_CAUSE(tp)
	li	t4, CAUSE_ECALL_U
	bne	t3, t4, 1f
	sd	a0, UCTX_ORIG_A0(tp)
	addi	t1, t1, 4
	li	a0, 0			/* UCTX_SYSCALL */
	sd	t1, UCTX_PC(tp)
2:	ld	ra, TASK_RUN_RA(tp)
	csrsi	sstatus, SR_SIE
	ret
1:	sd	t1, UCTX_PC(tp)
	mv	a0, tp
	call	riscv64_user_trap
	j	2b

/* ---- Traps from the kernel ------------------------------------------------------------------- */

	.macro kernel_regs op
	\op	x1, 8(sp)
	.irp n, 3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	x\n, 8*\n(sp)
	.endr
	.endm

	/* Fill the struct kframe at sp; t0 is the interrupted sp, t0's own value is in the scratch field. */
	.macro save_kernel_frame
	sd	t0, 16(sp)
	ld	t0, TASK_SCRATCH(tp)
	sd	t0, 40(sp)
	kernel_regs sd
	csrr	t0, sepc
	csrr	t1, sstatus
	csrr	t2, scause
	csrr	t3, stval
	sd	t0, 0(sp)
	sd	t1, KFRAME_STATUS(sp)
	sd	t2, KFRAME_CAUSE(sp)
	sd	t3, KFRAME_TVAL(sp)
	.endm

	.balign	4
kernel_entry:
	csrr	tp, sscratch
	csrw	sscratch, zero
	sd	t0, TASK_SCRATCH(tp)
	ld	t0, TASK_STACK_LOW(tp)
	addi	t0, t0, KFRAME_SIZE
	bltu	sp, t0, overflow
	mv	t0, sp
	addi	sp, sp, -KFRAME_SIZE
	save_kernel_frame
	li	t0, SR_SUM | SR_SPP	/* the handler may sleep, and another task enter user mode */
	csrc	sstatus, t0
	li	t0, SR_SPIE
	csrs	sstatus, t0
	mv	a0, sp
	call	riscv64_kernel_trap
	csrci	sstatus, SR_SIE
	ld	t0, 0(sp)
	ld	t1, KFRAME_STATUS(sp)
	csrw	sepc, t0
	csrw	sstatus, t1
	kernel_regs ld
	ld	t0, 40(sp)
	addi	sp, sp, KFRAME_SIZE
	sret

	/* The stack has no room for a frame: report on another one. */
overflow:
	mv	t0, sp
	lla	sp, overflow_stack_top
	addi	sp, sp, -KFRAME_SIZE
	save_kernel_frame
	mv	a0, sp
	call	riscv64_stack_overflow
	.size	riscv64_trap_entry, . - riscv64_trap_entry

/* ---- Kernel stacks --------------------------------------------------------------------------- */

/* struct hal_task *riscv64_switch(struct hal_task *prev, struct hal_task *next); returns prev. */
	.globl	riscv64_switch
	.type	riscv64_switch, @function
riscv64_switch:
	addi	sp, sp, -112
	callee_regs sd
	sd	sp, TASK_KSP(a0)
	ld	sp, TASK_KSP(a1)
	mv	tp, a1
	callee_regs ld
	addi	sp, sp, 112
	ret
	.size	riscv64_switch, . - riscv64_switch

/*
 * void arch_call_on_stack(void (*fn)(unsigned long), unsigned long arg, unsigned long top, unsigned long low)
 * stack_low is never that of another stack than sp's: kernel_entry.
 */
	.globl	arch_call_on_stack
	.type	arch_call_on_stack, @function
arch_call_on_stack:
	addi	sp, sp, -32
	sd	ra, 24(sp)
	sd	s0, 16(sp)
	sd	s1, 8(sp)
	mv	s0, sp
	ld	s1, TASK_STACK_LOW(tp)
	sd	sp, 0(a2)
	sd	zero, TASK_STACK_LOW(tp)
	mv	sp, a2
	sd	a3, TASK_STACK_LOW(tp)
	mv	t0, a0
	mv	a0, a1
	jalr	t0
	sd	zero, TASK_STACK_LOW(tp)
	mv	sp, s0
	sd	s1, TASK_STACK_LOW(tp)
	ld	ra, 24(sp)
	ld	s0, 16(sp)
	ld	s1, 8(sp)
	addi	sp, sp, 32
	ret
	.size	arch_call_on_stack, . - arch_call_on_stack

/* First return of a new task: s0 is its function, s1 the argument. */
	.globl	riscv64_task_entry
	.type	riscv64_task_entry, @function
riscv64_task_entry:
	mv	a0, s1
	jalr	s0
	unimp
	.size	riscv64_task_entry, . - riscv64_task_entry

/* ---- Floating point -------------------------------------------------------------------------- */

	.option push
	.option arch, +f, +d
	.macro fpu_regs op
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	f\n, 8*\n(a0)
	.endr
	.endm

/* void riscv64_fpu_store(struct fpu_state *), riscv64_fpu_load(const struct fpu_state *); FS is not off. */
	.globl	riscv64_fpu_store
	.type	riscv64_fpu_store, @function
riscv64_fpu_store:
	fpu_regs fsd
	frcsr	t0
	sw	t0, FPU_FCSR(a0)
	ret
	.size	riscv64_fpu_store, . - riscv64_fpu_store

	.globl	riscv64_fpu_load
	.type	riscv64_fpu_load, @function
riscv64_fpu_load:
	fpu_regs fld
	lw	t0, FPU_FCSR(a0)
	fscsr	t0
	ret
	.size	riscv64_fpu_load, . - riscv64_fpu_load
	.option pop

/* ---- Vectors --------------------------------------------------------------------------------- */

	.option push
	.option arch, +v
	/* Eight registers from v\first on; a1 moves behind them, t1 is their size. */
	.macro v_eight insn, first
	\insn	v\first, (a1)
	add	a1, a1, t1
	.endm

/* void riscv64_v_store(struct v_header *, u8 *data); VS is not off. Whole-register stores want vstart 0 only. */
	.globl	riscv64_v_store
	.type	riscv64_v_store, @function
riscv64_v_store:
	csrr	t0, vstart
	csrr	t1, vl
	csrr	t2, vtype
	csrr	t3, vcsr
	sd	t0, V_VSTART(a0)
	sd	t1, V_VL(a0)
	sd	t2, V_VTYPE(a0)
	sd	t3, V_VCSR(a0)
	csrw	vstart, zero
	csrr	t1, vlenb
	slli	t1, t1, 3
	v_eight	vs8r.v, 0
	v_eight	vs8r.v, 8
	v_eight	vs8r.v, 16
	v_eight	vs8r.v, 24
	csrw	vstart, t0		/* the state stays live */
	ret
	.size	riscv64_v_store, . - riscv64_v_store

/* void riscv64_v_load(const struct v_header *, const u8 *data) */
	.globl	riscv64_v_load
	.type	riscv64_v_load, @function
riscv64_v_load:
	csrw	vstart, zero
	csrr	t1, vlenb
	slli	t1, t1, 3
	v_eight	vl8re8.v, 0
	v_eight	vl8re8.v, 8
	v_eight	vl8re8.v, 16
	v_eight	vl8re8.v, 24
	ld	t0, V_VSTART(a0)
	ld	t1, V_VL(a0)
	ld	t2, V_VTYPE(a0)
	ld	t3, V_VCSR(a0)
	vsetvl	zero, t1, t2		/* any value: what is no type becomes the illegal one */
	csrw	vcsr, t3
	csrw	vstart, t0
	ret
	.size	riscv64_v_load, . - riscv64_v_load

	.globl	riscv64_read_vlenb
	.type	riscv64_read_vlenb, @function
riscv64_read_vlenb:
	csrr	a0, vlenb
	ret
	.size	riscv64_read_vlenb, . - riscv64_read_vlenb
	.option pop

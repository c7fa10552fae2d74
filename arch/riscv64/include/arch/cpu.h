/* SPDX-License-Identifier: MIT */
/*
 * The current task, per-CPU data, interrupt masking and switch context of riscv64.
 *
 * In the kernel tp holds the current task (struct hal_task *), and the offset of this CPU's per-CPU
 * data is a field of the task, written whenever the task is made current. In user mode sscratch
 * holds the task; in the kernel sscratch is 0, which is how trap entry tells where it came from.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <arch/csr.h>
#include <arch/uctx.h>

/* Offsets in struct hal_task, for entry.S; asserted in uctx.c. */
#define TASK_PERCPU	(UCTX_SIZE + 0)
#define TASK_KSP	(UCTX_SIZE + 8)
#define TASK_STACK_LOW	(UCTX_SIZE + 16)
#define TASK_SCRATCH	(UCTX_SIZE + 24)
#define TASK_RELOAD	(UCTX_SIZE + 32)
#define TASK_RUN_RA	(UCTX_SIZE + 40)
#define TASK_RUN_S0	(UCTX_SIZE + 48)
#define FPU_FCSR	256 /* in struct fpu_state */
/* In struct v_header */
#define V_VSTART 0
#define V_VL	 8
#define V_VTYPE	 16
#define V_VCSR	 24

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

struct hal_task;

/* F and D registers as a signal frame holds them (struct __riscv_d_ext_state). */
struct fpu_state {
	u64 f[32];
	u32 fcsr;
	u32 pad;
};

/* The vector unit's CSRs, as a signal frame and NT_RISCV_VECTOR begin. */
struct v_header {
	u64 vstart, vl, vtype, vcsr, vlenb;
};

/* Units, in arch.used and arch.reload. */
#define USE_FPU 1U
#define USE_V	2U

struct arch_thread {
	unsigned long percpu;	 /* what arch_percpu_base() returns while the task is current */
	unsigned long ksp;	 /* kernel stack pointer: of hal_task_switch() or of uctx_run() */
	unsigned long stack_low; /* lowest address of the kernel stack; 0: not checked */
	unsigned long scratch;	 /* trap entry's */
	u32 reload;		 /* USE_*: state that must be loaded before user mode */
	u32 used;		 /* USE_*: units that the program touched since exec */
	unsigned long run_ra, run_s0; /* of uctx_run()'s caller, while in user mode */
	u32 fpu_cpu; /* CPU whose FPU was loaded with the task's state last; ~0: none */
	u32 v_cpu;   /* the same for the vector unit */
	unsigned long last_fault; /* page of the last page fault */
	unsigned long stack_high; /* end of the kernel stack, for backtraces; 0: not known */
	u32 v_ctrl;		  /* PR_RISCV_V_SET_CONTROL */
	struct fpu_state fpu;	  /* newest unless sstatus.FS is dirty while the task is current */
	struct v_header v;	  /* the same for sstatus.VS, both */
	u8 *v_data;		  /* v0 .. v31 one behind the other; NULL if not used */
};

/* Read each time: the task may move to another CPU while it sleeps. */
static __always_inline struct hal_task *arch_current(void)
{
	struct hal_task *task;

	__asm__("mv %0, tp" : "=r"(task));
	return task;
}

static __always_inline unsigned long arch_percpu_base(void)
{
	unsigned long base;

	__asm__ __volatile__("ld %0, %1(tp)" : "=r"(base) : "i"(TASK_PERCPU));
	return base;
}

/* The pause hint; without Zihintpause it is a fence that does nothing. */
static __always_inline void arch_cpu_relax(void)
{
	__asm__ __volatile__(".4byte 0x0100000f" ::: "memory");
}

static __always_inline unsigned long arch_irq_save(void)
{
	return csr_read_clear(sstatus, SR_SIE) & SR_SIE;
}

static __always_inline void arch_irq_restore(unsigned long flags)
{
	csr_set(sstatus, flags & SR_SIE);
}

static __always_inline void arch_irq_enable(void)
{
	csr_set(sstatus, SR_SIE);
}

static __always_inline void arch_irq_disable(void)
{
	csr_clear(sstatus, SR_SIE);
}

static __always_inline bool arch_irq_enabled(void)
{
	return csr_read(sstatus) & SR_SIE;
}

#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * What <hal/cpu.h> needs of aarch64. In the kernel TPIDR_EL1 is the offset of this CPU's per-CPU copy
 * and SP_EL0 the current task; programs get SP_EL0 back as their stack pointer.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

/* Offsets in struct hal_task for assembly, asserted in arch/aarch64/uctx.c. */
#define TASK_X19      304 /* x19 .. x29, lr, sp */
#define TASK_SP	      400
#define TASK_FP_READY 408
#define TASK_LIVE     412
#define TASK_FP_USED  416
#define TASK_FP	      448

#define USE_SVE_SHIFT 1

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

struct hal_task;

/* The FP and SIMD registers as the signal frame has them: fpsr and fpcr first, then the registers. */
struct arch_fpstate {
	u32 fpsr, fpcr;
	u64 pad;
	unsigned __int128 v[32];
};

/* The kernel side of a task that does not run. */
struct arch_thread {
	u64 x19_lr[12]; /* x19 .. x30 */
	u64 sp;
	u32 fp_ready; /* 1: the CPU is set up for this task's FP use, user mode may be entered at once */
	u32 live;    /* LIVE_*: what hal_task_switch() has to take out of the CPU's registers */
	u32 fp_used; /* USE_*: what the program has used since exec */
	u32 fp_cpu;  /* CPU whose registers held fp last, see fpu.c */
	/* Of the last exception in user mode that was no interrupt: for the signal frame. */
	u64 fault_addr, fault_esr;
	u32 debug; /* DEBUG_*: what of the CPU's debug features user mode of this task needs */
	u32 pad;
	struct arch_fpstate fp;
	struct aarch64_hw_debug *hw_debug; /* breakpoints and watchpoints; NULL: never had any */
	u8 *sve;	  /* with USE_SVE: Z0-Z31, P0-P15, FFR while not live; see sve.c */
	u16 sve_vl;	  /* vector length in bytes; 0: no SVE */
	u16 sve_vl_exec;  /* that of the next program; 0: the default */
	bool sve_inherit; /* ... and of those after it */
};

#define USE_FP	1U
#define USE_SVE 2U

#define LIVE_FP	   1 /* newer FP state than fp */
#define LIVE_DEBUG 2 /* single-step, breakpoints or watchpoints */

#define DEBUG_STEP 1
#define DEBUG_HW   2

/* Not volatile and without memory operand: a task's current task is the same wherever it runs. */
static __always_inline struct hal_task *arch_current(void)
{
	struct hal_task *task;

	__asm__("mrs %0, sp_el0" : "=r"(task));
	return task;
}

/* Volatile, so that it is read again after each call: the task may have moved while it slept. */
static __always_inline unsigned long arch_percpu_base(void)
{
	unsigned long base;

	__asm__ __volatile__("mrs %0, tpidr_el1" : "=r"(base));
	return base;
}

static __always_inline void arch_cpu_relax(void)
{
	__asm__ __volatile__("yield" ::: "memory");
}

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long flags;

	__asm__ __volatile__("mrs %0, daif\n\tmsr daifset, #2" : "=r"(flags)::"memory");
	return flags;
}

static __always_inline void arch_irq_restore(unsigned long flags)
{
	__asm__ __volatile__("msr daif, %0" ::"r"(flags) : "memory");
}

static __always_inline void arch_irq_enable(void)
{
	__asm__ __volatile__("msr daifclr, #2" ::: "memory");
}

static __always_inline void arch_irq_disable(void)
{
	__asm__ __volatile__("msr daifset, #2" ::: "memory");
}

static __always_inline bool arch_irq_enabled(void)
{
	unsigned long flags;

	__asm__ __volatile__("mrs %0, daif" : "=r"(flags)::"memory");
	return !(flags & 0x80);
}

#endif
#endif

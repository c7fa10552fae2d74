/* SPDX-License-Identifier: MIT */
/*
 * loongarch64 behind <hal/cpu.h>. In the kernel, $tp holds the current struct hal_task and $r21 the
 * offset of this CPU's per-CPU data; user mode has both for itself (trap.S exchanges them).
 * Offsets are used by trap.S and fpu_regs.S; they are asserted in traps.c.
 *
 * Interrupts are switched off by a flag of the current task, for that is a store where CRMD is a write that takes as long as ten. An
 * interrupt that comes nevertheless is noted and left pending, and the CPU's own switch goes off until the flag is cleared:
 *
 *	hal_irq_disable()	hal_irq_enable()			an interrupt while irq_off
 *	irq_off = 1		irq_off = 0				irq_masked = 1
 *				irq_masked? = 0, CRMD.IE on		return with CRMD.IE off
 *
 * The CPU's switch is off only where irq_masked says so, and in trap.S and traps.c. Whatever interrupts between the two steps of
 * hal_irq_enable() finds irq_off clear and is handled; what came before them is seen by the second. In user mode irq_off is set and
 * means nothing.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <arch/csr.h>

/* Offsets in struct hal_task: struct uctx is 280 bytes, and the FPU area is aligned to 32. */
#define TASK_FPU	288
#define TASK_SP		(TASK_FPU + 1056)
#define TASK_RUN_SP	(TASK_FPU + 1064)
#define TASK_RUN_FP	(TASK_FPU + 1072)
#define TASK_RUN_RA	(TASK_FPU + 1080)
#define TASK_STACK_LOW	(TASK_FPU + 1088)
#define TASK_ESTAT	(TASK_FPU + 1096)
#define TASK_BADV	(TASK_FPU + 1104)
#define TASK_BADI	(TASK_FPU + 1112)
#define TASK_ENTRY_WORK	(TASK_FPU + 1120)
#define TASK_IRQ_OFF	(TASK_FPU + 1122)
#define TASK_IRQ_MASKED (TASK_FPU + 1123)

/* Both irq_off and irq_masked. */
#define IRQ_OFF_MASKED	0x101

#define FPU_FCC		1024
#define FPU_FCSR	1032

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

struct hal_task;

/* What a task has used; also what is saved and restored. */
enum fpu_level { FPU_NONE, FPU_FP, FPU_LSX, FPU_LASX };

/* What programs may set of fcsr: flags, rounding mode, enables; not the cause bits, which would trap. */
#define FCSR_WRITABLE 0x1f031fU
#define FCC_WRITABLE  0x0101010101010101ULL

/* Register n is at reg[n]; parts that a level does not have are 0. */
struct fpu_state {
	u64 reg[32][4];
	u64 fcc; /* eight condition flags, one a byte */
	u32 fcsr;
} __attribute__((__aligned__(32)));

struct arch_thread {
	struct fpu_state fpu;
	unsigned long sp;		      /* kernel stack pointer while switched away */
	unsigned long run_sp, run_fp, run_ra; /* of uctx_run()'s caller, while in user mode */
	unsigned long stack_low;	      /* kernel stack's lowest address; 0: not known */
	unsigned long estat;		      /* of the last trap from user mode */
	unsigned long badv;
	unsigned long badi;
	union {
		u16 entry_work; /* 0: user mode may be entered at once */
		struct {
			u8 fpu_load; /* the state must be made live before user mode */
			u8 tlb_load; /* so must the TLB entry for badv: a page fault was handled */
		};
	};
	union {
		u16 irq;
		struct {
			u8 irq_off;    /* interrupts are off */
			u8 irq_masked; /* and CRMD.IE is, too */
		};
	};
	u8 fpu_level; /* enum fpu_level */
	u32 fpu_cpu;  /* CPU whose registers hold this state, + 1 */
};

register unsigned long arch_percpu_reg __asm__("$r21");

static __always_inline unsigned long arch_percpu_base(void)
{
	return arch_percpu_reg;
}

static __always_inline struct hal_task *arch_current(void)
{
	return (struct hal_task *)__builtin_thread_pointer();
}

static __always_inline void arch_cpu_relax(void)
{
	__asm__ __volatile__("" ::: "memory");
}

/* The CPU's own switch, for what the flag is not enough. */
static __always_inline void arch_irq_mask(void)
{
	csr_xchg(0, CRMD_IE, CSR_CRMD);
}

/* What was noted while interrupts were off happens now. */
static __always_inline void arch_irq_unmask(void)
{
	__asm__ __volatile__("st.b $zero, $tp, %0" ::"i"(TASK_IRQ_MASKED) : "memory");
	csr_xchg(CRMD_IE, CRMD_IE, CSR_CRMD);
}

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long old;

	__asm__ __volatile__("ld.bu %0, $tp, %2\n\tst.b %1, $tp, %2"
			     : "=&r"(old)
			     : "r"(1), "i"(TASK_IRQ_OFF)
			     : "memory");
	return old;
}

static __always_inline void arch_irq_restore(unsigned long flags)
{
	unsigned long masked;

	__asm__ __volatile__("st.b %1, $tp, %2\n\tld.bu %0, $tp, %3"
			     : "=&r"(masked)
			     : "r"(flags), "i"(TASK_IRQ_OFF), "i"(TASK_IRQ_MASKED)
			     : "memory");
	if (unlikely(masked > flags))
		arch_irq_unmask();
}

static __always_inline void arch_irq_enable(void)
{
	unsigned long masked;

	__asm__ __volatile__("st.b $zero, $tp, %1\n\tld.bu %0, $tp, %2"
			     : "=r"(masked)
			     : "i"(TASK_IRQ_OFF), "i"(TASK_IRQ_MASKED)
			     : "memory");
	if (unlikely(masked))
		arch_irq_unmask();
}

static __always_inline void arch_irq_disable(void)
{
	__asm__ __volatile__("st.b %0, $tp, %1" ::"r"(1), "i"(TASK_IRQ_OFF) : "memory");
}

static __always_inline bool arch_irq_enabled(void)
{
	unsigned long off;

	__asm__ __volatile__("ld.bu %0, $tp, %1" : "=r"(off) : "i"(TASK_IRQ_OFF) : "memory");
	return !off;
}

#endif
#endif

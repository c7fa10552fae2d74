/* SPDX-License-Identifier: MIT */
/*
 * What <hal/cpu.h> needs of x86_64. In the kernel the GS base is the offset of this CPU's per-CPU
 * copy, so %gs:symbol is this CPU's variable (CPU 0: offset 0, the template itself).
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

struct hal_task;

/* Debug registers as ptrace shows them; the CPU's follow while the task runs. */
struct x86_debug {
	u64 addr[4];
	u64 status;  /* DR6, with the bits that are 1 at rest taken as 0 */
	u64 control; /* DR7; 0: nothing is set, and switching to this task costs nothing */
};

/* The kernel side of a task that does not run. */
struct arch_thread {
	u64 sp;	   /* of the switched-away kernel stack; callee-saved registers are on it */
	void *fpu; /* XSAVE or FXSAVE area; NULL for kernel threads */
	unsigned int fpu_cpu; /* CPU whose registers held the FPU state last */
	u32 trap_no;	      /* the last exception, for the signal frame */
	u64 trap_error, trap_addr;
	bool no_tsc;	/* RDTSC faults: PR_SET_TSC */
	bool forced_tf; /* TF in the user's flags is the debugger's, not the program's */
	struct x86_debug debug;
	void *stack; /* lowest address of the kernel stack */
	size_t stack_size;
};

extern unsigned long x86_percpu_offset; /* per-CPU: its own offset */
extern struct hal_task *x86_current;	/* per-CPU */

static __always_inline unsigned long arch_percpu_base(void)
{
	unsigned long base;

	__asm__("movq %%gs:%1, %0" : "=r"(base) : "m"(x86_percpu_offset));
	return base;
}

static __always_inline struct hal_task *arch_current(void)
{
	struct hal_task *task;

	__asm__("movq %%gs:%1, %0" : "=r"(task) : "m"(x86_current));
	return task;
}

static __always_inline void arch_cpu_relax(void)
{
	__asm__ __volatile__("pause" ::: "memory");
}

#define X86_FLAGS_IF 0x200UL

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long flags;

	__asm__ __volatile__("pushfq\n\tpopq %0\n\tcli" : "=r"(flags)::"memory");
	return flags;
}

static __always_inline void arch_irq_enable(void)
{
	__asm__ __volatile__("sti" ::: "memory");
}

static __always_inline void arch_irq_disable(void)
{
	__asm__ __volatile__("cli" ::: "memory");
}

static __always_inline void arch_irq_restore(unsigned long flags)
{
	if (flags & X86_FLAGS_IF)
		arch_irq_enable();
	else
		barrier();
}

static __always_inline bool arch_irq_enabled(void)
{
	unsigned long flags;

	__asm__ __volatile__("pushfq\n\tpopq %0" : "=r"(flags)::"memory");
	return flags & X86_FLAGS_IF;
}

#endif
#endif

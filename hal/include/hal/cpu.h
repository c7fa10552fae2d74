/* SPDX-License-Identifier: MIT */
/*
 * CPUs: identity, per-CPU data, interrupt masking, idling, starting and interrupting each other, and
 * switching kernel stacks.
 *
 * Per-CPU data: DEFINE_PERCPU(type, name) puts a template into .data..percpu; every CPU has its own
 * copy at a constant offset. percpu(name) is this CPU's copy (stable until the task sleeps: the
 * kernel is not preemptible), percpu_of(name, cpu) another CPU's.
 *
 * <arch/cpu.h> provides, inline: arch_percpu_base() (unsigned long: byte offset to add to a template's address for
 * this CPU), arch_current() (struct hal_task *), arch_cpu_relax(), arch_irq_save/restore/enable/disable/enabled,
 * struct arch_thread (switch context, FPU area, kernel stack pointer; the arch's own).
 */
#ifndef HAL_CPU_H
#define HAL_CPU_H

#include <arch/cpu.h>
#include <arch/uctx.h>
#include <compiler.h>
#include <hal/uctx_event.h>
#include <types.h>

/*
 * The part of a task that the HAL owns. struct task (kernel/task.h) begins with it, so trap code
 * finds the user context at a fixed offset from the current-task register.
 */
struct hal_task {
	struct uctx uctx;	 /* user registers; valid while the task is in the kernel */
	struct arch_thread arch; /* kernel switch context, FPU state, debug registers */
	unsigned int cpu;	 /* CPU it runs on or ran on last; written by the scheduler */
	struct uctx_event
		event; /* why uctx_run() came back last, for all reasons but system calls and interrupts */
};

#define DEFINE_PERCPU(type, name)  __section(".data..percpu") __aligned(8) type name
#define DECLARE_PERCPU(type, name) extern type name
#define percpu(name)		   (*(__typeof__(name) *)((unsigned long)&(name) + arch_percpu_base()))
#define percpu_of(name, cpu_)	   (*(__typeof__(name) *)((unsigned long)&(name) + hal_percpu_offset[cpu_]))

/* Offset of each CPU's copy; filled by hal_percpu_init(). */
extern unsigned long hal_percpu_offset[CONFIG_NR_CPUS];

/**
 * hal_percpu_init() - give every CPU of boot_info its copy of the per-CPU template.
 * CPU 0 uses the template itself (offset 0) from the first instruction on.
 * @alloc: returns zeroed, page-aligned kernel memory for `size` bytes; never fails at boot
 * Context: boot CPU, once, when the early page allocator is up and before anything that keeps per-CPU state
 * beyond its initial value: the template is copied as it stands. Called by mm_init(). Implemented in hal/common.
 */
void hal_percpu_init(void *(*alloc)(size_t size));

/** hal_cpu_id() - logical number of this CPU, 0 .. boot_info.ncpus-1. Any context. */
DECLARE_PERCPU(unsigned int, hal_cpu_number);
static inline unsigned int hal_cpu_id(void)
{
	return percpu(hal_cpu_number);
}

/* Interrupt masking on this CPU. save returns the previous state for restore. Any context. */
static __always_inline unsigned long hal_irq_save(void)
{
	return arch_irq_save();
}
static __always_inline void hal_irq_restore(unsigned long flags)
{
	arch_irq_restore(flags);
}
static __always_inline void hal_irq_enable(void)
{
	arch_irq_enable();
}
static __always_inline void hal_irq_disable(void)
{
	arch_irq_disable();
}
static __always_inline bool hal_irq_enabled(void)
{
	return arch_irq_enabled();
}
static __always_inline void hal_cpu_relax(void)
{
	arch_cpu_relax();
}

/**
 * hal_cpu_idle() - sleep until an interrupt is pending, then take it.
 * Called with interrupts off; an interrupt that became pending before the call ends the sleep at
 * once, so the caller's check of its run queue cannot miss a wake-up. Returns with interrupts on,
 * after the handler ran.
 */
void hal_cpu_idle(void);

/**
 * hal_cpu_start() - start a secondary CPU.
 * @cpu:   logical number
 * @stack: top of the kernel stack it begins on
 * @task:  its idle task; becomes its current task
 * It enters upcall_secondary_main() with interrupts off and the kernel's page table active.
 * Return: 0 when the firmware accepted the request, -EIO or -ENODEV otherwise. The kernel waits for
 * the CPU to report itself and gives up after a time.
 * Context: boot CPU, may sleep.
 */
int hal_cpu_start(unsigned int cpu, void *stack, struct hal_task *task);

/** hal_cpu_halt() - stop this CPU for good, interrupts off. */
__noreturn void hal_cpu_halt(void);

enum hal_ipi {
	HAL_IPI_RESCHED, /* upcall_ipi_resched() */
	HAL_IPI_TLB,	 /* hal's own: TLB shootdown */
	HAL_IPI_STOP,	 /* panic: halt */
	HAL_IPI_CALL,	 /* upcall_ipi_call() */
};

/** hal_ipi_send() - interrupt another CPU. Asynchronous; equal ones may merge. Context: any. */
void hal_ipi_send(unsigned int cpu, enum hal_ipi ipi);

/**
 * hal_task_init_kernel() - prepare a task that has never run.
 * @task:      its HAL part, zeroed
 * @stack:     lowest address of its kernel stack; @size bytes
 * @entry:     first function, called with @arg on the new stack, interrupts off; never returns
 * Context: any.
 */
void hal_task_init_kernel(struct hal_task *task, void *stack, size_t size, void (*entry)(void *),
			  void *arg);

/**
 * hal_task_switch() - switch kernel stacks and current task.
 * Saves prev's callee-saved registers, its live FPU state and user TLS register(s) as needed, makes next current. Returns
 * in next's context, with the task that ran before it (never seen as `prev` of the call that returns).
 * Context: interrupts off, run-queue lock held by the caller's discipline. The page table is switched
 * separately by hal_pt_activate().
 */
struct hal_task *hal_task_switch(struct hal_task *prev, struct hal_task *next);

/*
 * What this CPU was doing when it took the interrupt whose handler runs, if that was in the kernel: the next instruction and the
 * frame pointer. ip is 0 otherwise: user mode was interrupted (its registers are in the current task's context), or no handler runs.
 * Interrupts off. The arch sets it around the handler with hal_interrupted_set().
 */
struct hal_interrupted {
	unsigned long ip, fp;
};
DECLARE_PERCPU(struct hal_interrupted, hal_interrupted);
static __always_inline void hal_interrupted_set(unsigned long ip, unsigned long fp)
{
	percpu(hal_interrupted) = (struct hal_interrupted){ ip, fp };
}

/*
 * What interrupts the kernel is handled on a stack of the CPU's own, so that a task's needs room for the registers only. Handlers have
 * interrupts off and do not sleep, so one such stack is enough, and nobody leaves it but by returning. What interrupts user mode is handled on
 * the task's stack, which holds next to nothing then.
 */
struct hal_irq_stack {
	unsigned long low,
		top; /* top: where a handler begins; the word there is the interrupted stack pointer */
	bool busy;
};
DECLARE_PERCPU(struct hal_irq_stack, hal_irq_stack);

/**
 * hal_irq_stack_set() - give a CPU its interrupt stack. Until then handlers run on the stack that they interrupt.
 * @stack: lowest address, above an unmapped page; @size bytes
 * Context: on the CPU itself with interrupts off, or on the boot CPU before @cpu is started.
 */
void hal_irq_stack_set(unsigned int cpu, void *stack, size_t size);

/**
 * hal_irq_on_stack() - call an interrupt's handler on this CPU's interrupt stack, if it has one and is not on it.
 * Context: trap code, interrupts off. Exceptions of the kernel may come meanwhile, on the same stack.
 */
void hal_irq_on_stack(void (*handler)(unsigned long), unsigned long arg);

/** arch_call_on_stack() - fn(arg) with the stack pointer at @top, where the old one is left; @low is that stack's lowest address. */
void arch_call_on_stack(void (*fn)(unsigned long), unsigned long arg, unsigned long top,
			unsigned long low);

static __always_inline bool hal_in_irq_stack(unsigned long addr)
{
	return addr - percpu(hal_irq_stack).low <
	       percpu(hal_irq_stack).top - percpu(hal_irq_stack).low;
}

/*
 * Frames, of code compiled with frame pointers: <arch/uctx.h> has uctx_fp(), and says where the caller's frame pointer and the
 * return address lie, in bytes from the frame pointer: ARCH_FRAME_PREV, ARCH_FRAME_RETURN.
 */

/** hal_set_current() - make @task the current task of this CPU (boot, secondary start). */
void hal_set_current(struct hal_task *task);

#endif

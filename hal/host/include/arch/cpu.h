/* SPDX-License-Identifier: MIT */
/*
 * The CPU of host tests: one, whose interrupts are a flag that nothing looks at. A test that needs a
 * current task sets host_current.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <arch/uctx.h>
#include <compiler.h>
#include <types.h>

struct hal_task;

struct arch_thread {
	void (*entry)(void *arg);
	void *arg;
};

extern struct hal_task *host_current;
extern unsigned long host_irq_enabled;

static __always_inline struct hal_task *arch_current(void)
{
	return host_current;
}

static __always_inline unsigned long arch_percpu_base(void)
{
	return 0;
}

static __always_inline void arch_cpu_relax(void)
{
}

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long flags = host_irq_enabled;

	host_irq_enabled = 0;
	return flags;
}

static __always_inline void arch_irq_restore(unsigned long flags)
{
	host_irq_enabled = flags;
}

static __always_inline void arch_irq_enable(void)
{
	host_irq_enabled = 1;
}

static __always_inline void arch_irq_disable(void)
{
	host_irq_enabled = 0;
}

static __always_inline bool arch_irq_enabled(void)
{
	return host_irq_enabled;
}

#endif

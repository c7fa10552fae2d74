/* SPDX-License-Identifier: MIT */
/*
 * FPU, LSX and LASX state of user tasks.
 *
 * A task starts without any of it. Its first FPU, LSX or LASX instruction traps (EUEN says no) and
 * raises its level; from then on the state of that level is live in the registers while the task
 * runs, and EUEN is open. System calls leave it there: the kernel has no such instructions.
 * hal_task_switch() saves it and sets fpu_load, on which uctx_run() calls arch_fpu_load(): if no
 * other task's state came into this CPU's registers since, only EUEN is opened.
 *
 * Invariant, interrupts off: EUEN is open if and only if the current task's state is live here, that
 * is, fpu_level > 0 and fpu_load = 0.
 *
 * All functions are for the current task or a task that cannot run; interrupts off, except for what
 * works on the saved copy only.
 */
#include <arch/trap.h>
#include <hal/cpu.h>
#include <lib/string.h>

#define FCSR_CAUSES 0x1f000000U

#define CPUCFG2_FP   BIT(0)
#define CPUCFG2_LSX  BIT(6)
#define CPUCFG2_LASX BIT(7)

/* The task whose state is (or was last) in this CPU's registers. Compared only, never followed. */
static DEFINE_PERCPU(const struct hal_task *, fpu_owner);

static const unsigned long level_euen[] = {
	[FPU_NONE] = 0,
	[FPU_FP] = EUEN_FPE,
	[FPU_LSX] = EUEN_FPE | EUEN_SXE,
	[FPU_LASX] = EUEN_FPE | EUEN_SXE | EUEN_ASXE,
};

unsigned int arch_fpu_max(void)
{
	u32 cfg = cpucfg(2);

	if (!(cfg & CPUCFG2_FP))
		return FPU_NONE;
	if (!(cfg & CPUCFG2_LSX))
		return FPU_FP;
	return cfg & CPUCFG2_LASX ? FPU_LASX : FPU_LSX;
}

static void store_registers(struct hal_task *task)
{
	switch (task->arch.fpu_level) {
	case FPU_FP:
		fpu_save_fp(&task->arch.fpu);
		break;
	case FPU_LSX:
		fpu_save_lsx(&task->arch.fpu);
		break;
	case FPU_LASX:
		fpu_save_lasx(&task->arch.fpu);
		break;
	}
}

static void load_registers(const struct hal_task *task)
{
	switch (task->arch.fpu_level) {
	case FPU_FP:
		fpu_load_fp(&task->arch.fpu);
		break;
	case FPU_LSX:
		fpu_load_lsx(&task->arch.fpu);
		break;
	case FPU_LASX:
		fpu_load_lasx(&task->arch.fpu);
		break;
	}
}

static bool is_live(const struct hal_task *task)
{
	return task->arch.fpu_level && !task->arch.fpu_load;
}

/* Make the saved copy current; the state stays live. */
void arch_fpu_save(struct hal_task *task)
{
	if (is_live(task))
		store_registers(task);
}

/* Called by uctx_run(), interrupts off. */
void arch_fpu_load(struct hal_task *task)
{
	unsigned int cpu = hal_cpu_id() + 1;

	task->arch.fpu_load = 0;
	csr_write(level_euen[task->arch.fpu_level], CSR_EUEN);
	if (percpu(fpu_owner) == task && task->arch.fpu_cpu == cpu)
		return;
	load_registers(task);
	percpu(fpu_owner) = task;
	task->arch.fpu_cpu = cpu;
}

void arch_fpu_switch_out(struct hal_task *task)
{
	if (!is_live(task))
		return;
	store_registers(task);
	task->arch.fpu_load = 1;
	csr_write(0, CSR_EUEN);
}

/* The saved copy was changed or is to replace what is live: load it before user mode. */
void arch_fpu_set_stale(struct hal_task *task)
{
	unsigned long flags = hal_irq_save();

	if (task == arch_current())
		csr_write(0, CSR_EUEN);
	task->arch.fpu_cpu = 0;
	task->arch.fpu_load = task->arch.fpu_level != FPU_NONE;
	hal_irq_restore(flags);
}

/* Raise the task's level to @level. Return: false if this CPU has no such unit, or it was enabled. */
bool arch_fpu_raise(struct hal_task *task, unsigned int level)
{
	if (level > arch_fpu_max() || task->arch.fpu_level >= level)
		return false;
	arch_fpu_save(task);
	task->arch.fpu_level = level;
	arch_fpu_set_stale(task);
	return true;
}

/* The cause bits of the last exception, which are cleared. Live state. */
u32 arch_fpu_take_causes(struct hal_task *task)
{
	u32 fcsr;

	arch_fpu_save(task);
	fcsr = task->arch.fpu.fcsr;
	task->arch.fpu.fcsr = fcsr & ~FCSR_CAUSES;
	arch_fpu_set_stale(task);
	return fcsr & FCSR_CAUSES;
}

/* No state: as after exec. */
void arch_fpu_reset(struct hal_task *task)
{
	memset(&task->arch.fpu, 0, sizeof(task->arch.fpu));
	task->arch.fpu_level = FPU_NONE;
	arch_fpu_set_stale(task);
}

/* Give @child, which has never run, a copy of the current task's state. */
void arch_fpu_fork(struct hal_task *child, struct hal_task *parent)
{
	unsigned long flags = hal_irq_save();

	arch_fpu_save(parent);
	hal_irq_restore(flags);
	child->arch.fpu_level = parent->arch.fpu_level;
	child->arch.fpu_load = parent->arch.fpu_level != FPU_NONE;
	child->arch.fpu_cpu = 0;
	if (parent->arch.fpu_level)
		child->arch.fpu = parent->arch.fpu;
	else
		memset(&child->arch.fpu, 0, sizeof(child->arch.fpu));
}

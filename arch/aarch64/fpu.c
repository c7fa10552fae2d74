/* SPDX-License-Identifier: MIT */
/*
 * Who owns the FP and SIMD registers, and with them the SVE registers of a task that uses those (sve.c).
 *
 * The kernel uses none, so a program's state stays in the registers while it is in the kernel and is
 * stored by hal_task_switch() only if it is live there. A program that has used none since exec runs with
 * FP trapped for EL0 and costs nothing. Coming back to the CPU where its state still is, a task
 * loads nothing:
 *
 *	live & LIVE_FP	registers of this CPU hold the state, arch.fp is old
 *	fp_cpu, fp_owner  both say this CPU and this task: the registers still equal arch.fp
 *
 * All of it is the current task's or a new task's own; no lock. Interrupt handlers do not touch it.
 */
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <hal/cpu.h>
#include <lib/string.h>

static DEFINE_PERCPU(struct hal_task *, fp_owner);

static bool is_owner(const struct hal_task *task)
{
	return percpu(fp_owner) == task && task->arch.fp_cpu == hal_cpu_id() + 1;
}

static void fp_prepare(struct hal_task *task)
{
	struct arch_thread *t = &task->arch;

	if (!t->fp_used) {
		write_sysreg(cpacr_el1, CPACR_FP_EL1);
		return;
	}
	write_sysreg(cpacr_el1, CPACR_FP_ALL | (t->fp_used & USE_SVE ? CPACR_SVE_ALL : 0));
	if (t->fp_used & USE_SVE)
		aarch64_sve_enable(task);
	if (!(t->live & LIVE_FP) && !is_owner(task)) {
		aarch64_fp_load(&t->fp);
		if (t->fp_used & USE_SVE)
			aarch64_sve_load(t->sve);
		percpu(fp_owner) = task;
		t->fp_cpu = hal_cpu_id() + 1;
	}
	t->live |= LIVE_FP;
}

static void save(struct hal_task *task)
{
	aarch64_fp_save(&task->arch.fp);
	if (task->arch.fp_used & USE_SVE)
		aarch64_sve_save(task->arch.sve);
}

void aarch64_user_prepare(struct hal_task *task)
{
	fp_prepare(task);
	if (unlikely(task->arch.debug))
		aarch64_debug_load(task);
	task->arch.fp_ready = 1;
}

void aarch64_switch_out(struct hal_task *task)
{
	if (task->arch.live & LIVE_FP)
		save(task);
	if (task->arch.live & LIVE_DEBUG)
		aarch64_debug_unload();
	task->arch.live = 0;
}

void aarch64_fp_trap(struct hal_task *task)
{
	task->arch.fp_used |= USE_FP;
	task->arch.fp_ready = 0;
}

void aarch64_fp_sync(struct hal_task *task)
{
	unsigned long flags = hal_irq_save();

	if (task->arch.live & LIVE_FP)
		save(task);
	hal_irq_restore(flags);
}

void aarch64_fp_replaced(struct hal_task *task)
{
	task->arch.live &= ~(u32)LIVE_FP;
	task->arch.fp_cpu = 0;
	task->arch.fp_ready = 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Tasks as the CPU sees them: making user contexts and kernel contexts, idling, halting.
 */
#include <arch/barrier.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/debug.h>
#include <hal/uctx.h>
#include <lib/string.h>
#include <uapi/prctl.h>

/* What the assembly files count on. */
static_assert(offsetof(struct hal_task, uctx) == 0);
static_assert(offsetof(struct uctx, sp) == UCTX_SP);
static_assert(offsetof(struct uctx, pc) == UCTX_PC);
static_assert(offsetof(struct uctx, pstate) == UCTX_PSTATE);
static_assert(offsetof(struct uctx, tls) == UCTX_TLS);
static_assert(offsetof(struct uctx, orig_x0) == UCTX_ORIG_X0);
static_assert(offsetof(struct uctx, syscall_nr) == UCTX_SYSCALL_NR);
static_assert(offsetof(struct hal_task, arch.x19_lr) == TASK_X19);
static_assert(offsetof(struct hal_task, arch.sp) == TASK_SP);
static_assert(offsetof(struct hal_task, arch.fp_ready) == TASK_FP_READY);
static_assert(offsetof(struct hal_task, arch.live) == TASK_LIVE);
static_assert(offsetof(struct hal_task, arch.fp_used) == TASK_FP_USED);
static_assert(offsetof(struct hal_task, arch.fp) == TASK_FP);
static_assert(BIT(USE_SVE_SHIFT) == USE_SVE);
static_assert(sizeof(struct kframe) == 272);
static_assert(UCTX_SYSCALL == 0);

void uctx_init_user(struct hal_task *task, uaddr_t ip, uaddr_t sp)
{
	memset(&task->uctx, 0, sizeof(task->uctx));
	task->uctx.pc = ip;
	task->uctx.sp = sp;
	task->uctx.pstate = PSR_MODE_EL0t;
	task->uctx.syscall_nr = -1;
	aarch64_sve_exec(task);
	memset(&task->arch.fp, 0, sizeof(task->arch.fp));
	task->arch.fp_used = 0;
	task->arch.fault_esr = 0;
	task->arch.fault_addr = 0;
	aarch64_fp_replaced(task);
	hal_debug_reset(task);
}

int uctx_fork(struct hal_task *child, struct hal_task *parent, uaddr_t sp, bool set_tls,
	      uaddr_t tls)
{
	child->uctx = parent->uctx;
	child->uctx.x[0] = 0;
	child->uctx.pstate &= ~(u64)PSR_SS;
	if (sp)
		child->uctx.sp = sp;
	if (set_tls)
		child->uctx.tls = tls;
	child->arch.fp_used = parent->arch.fp_used;
	child->arch.fault_esr = 0;
	if (parent->arch.fp_used) {
		aarch64_fp_sync(parent);
		child->arch.fp = parent->arch.fp;
	}
	aarch64_sve_fork(child, parent);
	aarch64_fp_replaced(child);
	return 0;
}

void uctx_exit(struct hal_task *task)
{
	hal_debug_reset(task);
	aarch64_sve_drop(task);
	aarch64_fp_replaced(task);
}

void hal_task_init_kernel(struct hal_task *task, void *stack, size_t size, void (*entry)(void *),
			  void *arg)
{
	struct arch_thread *t = &task->arch;

	t->x19_lr[0] = (u64)entry;
	t->x19_lr[1] = (u64)arg;
	t->x19_lr[10] = 0;
	t->x19_lr[11] = (u64)aarch64_task_start;
	t->sp = ((u64)stack + size) & ~15ULL;
}

void hal_set_current(struct hal_task *task)
{
	write_sysreg(sp_el0, (u64)task);
}

/* WFI ends with a pending interrupt even while it is masked. */
void hal_cpu_idle(void)
{
	dsb(sy);
	__asm__ __volatile__("wfi" ::: "memory");
	hal_irq_enable();
}

__noreturn void hal_cpu_halt(void)
{
	__asm__ __volatile__("msr daifset, #15" ::: "memory");
	for (;;)
		__asm__ __volatile__("wfi" ::: "memory");
}

/* As a Linux whose mitigation of speculative store bypass is off: it may speculate, and cannot be told not to. */
static long set_speculation(unsigned long which, unsigned long how)
{
	if (which != PR_SPEC_STORE_BYPASS)
		return -ENODEV;
	if (how == PR_SPEC_ENABLE)
		return 0;
	return how == PR_SPEC_DISABLE || how == PR_SPEC_FORCE_DISABLE ||
			       how == PR_SPEC_DISABLE_NOEXEC
		       ? -EPERM
		       : -ERANGE;
}

long uctx_prctl(struct hal_task *task, int option, unsigned long arg, unsigned long value)
{
	switch (option) {
	case PR_SVE_SET_VL:
		return aarch64_sve_prctl_set(task, arg);
	case PR_SVE_GET_VL:
		return aarch64_sve_prctl_get(task);
	case PR_GET_SPECULATION_CTRL:
		return arg == PR_SPEC_STORE_BYPASS ? PR_SPEC_ENABLE : -ENODEV;
	case PR_SET_SPECULATION_CTRL:
		return set_speculation(arg, value);
	default:
		return -EINVAL;
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * User contexts and kernel stacks. Floating-point and vector state is fpu.c's.
 *
 * No locking: a task's context belongs to the task, or to its creator before it first runs.
 */
#include <arch/csr.h>
#include <arch/trap.h>
#include <arch/uctx.h>
#include <compiler.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/uctx.h>
#include <lib/string.h>
#include <uapi/prctl.h>

static_assert(sizeof(struct uctx) == UCTX_SIZE);
static_assert(offsetof(struct uctx, orig_a0) == UCTX_ORIG_A0);
static_assert(offsetof(struct uctx, cause) == UCTX_CAUSE);
static_assert(offsetof(struct hal_task, uctx) == 0);
static_assert(offsetof(struct hal_task, arch.percpu) == TASK_PERCPU);
static_assert(offsetof(struct hal_task, arch.ksp) == TASK_KSP);
static_assert(offsetof(struct hal_task, arch.stack_low) == TASK_STACK_LOW);
static_assert(offsetof(struct hal_task, arch.scratch) == TASK_SCRATCH);
static_assert(offsetof(struct hal_task, arch.reload) == TASK_RELOAD);
static_assert(offsetof(struct hal_task, arch.run_ra) == TASK_RUN_RA);
static_assert(offsetof(struct hal_task, arch.run_s0) == TASK_RUN_S0);
static_assert(offsetof(struct fpu_state, fcsr) == FPU_FCSR);
static_assert(offsetof(struct v_header, vstart) == V_VSTART);
static_assert(offsetof(struct v_header, vl) == V_VL);
static_assert(offsetof(struct v_header, vtype) == V_VTYPE);
static_assert(offsetof(struct v_header, vcsr) == V_VCSR);
static_assert(offsetof(struct kframe, status) == KFRAME_STATUS);
static_assert(offsetof(struct kframe, tval) == KFRAME_TVAL);
static_assert(sizeof(struct kframe) == KFRAME_SIZE);

/* Callee-saved frame of riscv64_switch: ra, s0 .. s11, one word of padding. */
#define SWITCH_WORDS 14

struct hal_task boot_task;

/* ---- Kernel stacks ---- */

void hal_set_current(struct hal_task *task)
{
	task->arch.percpu = arch_percpu_base();
	__asm__ __volatile__("mv tp, %0" ::"r"(task) : "memory");
}

void hal_task_init_kernel(struct hal_task *task, void *stack, size_t size, void (*entry)(void *),
			  void *arg)
{
	unsigned long *frame = (unsigned long *)((char *)stack + size) - SWITCH_WORDS;

	memset(frame, 0, SWITCH_WORDS * sizeof(*frame));
	frame[0] = (unsigned long)riscv64_task_entry; /* ra */
	frame[1] = (unsigned long)entry;	      /* s0 */
	frame[2] = (unsigned long)arg;		      /* s1 */
	task->arch.ksp = (unsigned long)frame;
	task->arch.stack_low = (unsigned long)stack;
	task->arch.stack_high = (unsigned long)stack + size;
	task->arch.fpu_cpu = ~0U;
	task->arch.v_cpu = ~0U;
}

struct hal_task *hal_task_switch(struct hal_task *prev, struct hal_task *next)
{
	riscv64_fpu_sync(prev);
	next->arch.percpu = prev->arch.percpu;
	riscv64_fpu_switch(prev, next);
	return riscv64_switch(prev, next);
}

/* ---- User contexts ---- */

void uctx_init_user(struct hal_task *task, uaddr_t ip, uaddr_t sp)
{
	memset(&task->uctx, 0, sizeof(task->uctx));
	riscv64_fpu_exec(task);
	uctx_set_ip(&task->uctx, ip);
	uctx_set_sp(&task->uctx, sp);
}

int uctx_fork(struct hal_task *child, struct hal_task *parent, uaddr_t sp, bool set_tls,
	      uaddr_t tls)
{
	riscv64_fpu_fork(child, parent);
	child->uctx = parent->uctx;
	uctx_set_result(&child->uctx, 0);
	if (sp)
		uctx_set_sp(&child->uctx, sp);
	if (set_tls)
		uctx_set_tls(&child->uctx, tls);
	return 0;
}

void uctx_exit(struct hal_task *task)
{
	riscv64_fpu_exit(task);
}

long uctx_prctl(struct hal_task *task, int option, unsigned long arg, unsigned long value)
{
	(void)value;
	switch (option) {
	case PR_RISCV_V_SET_CONTROL:
		return riscv64_v_set_control(task, arg);
	case PR_RISCV_V_GET_CONTROL:
		return riscv64_v_get_control(task);
	default:
		return -EINVAL;
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * User contexts, kernel stacks, and who owns the floating-point registers.
 *
 * The FPU is off (sstatus.FS) until a program first uses it. Then its state stays in the registers
 * across syscalls and interrupts; hal_task_switch() stores it when it is dirty, and the next uctx_run()
 * loads it again unless this CPU still holds it: percpu(fpu_owner) is the task whose state was loaded
 * last, and fpu_cpu the CPU where a task's state was loaded last; they must agree.
 *
 * No locking: a task's context belongs to the task, or to its creator before it first runs.
 */
#include <arch/csr.h>
#include <arch/trap.h>
#include <arch/uctx.h>
#include <compiler.h>
#include <hal/cpu.h>
#include <hal/uctx.h>
#include <lib/string.h>

static_assert(sizeof(struct uctx) == UCTX_SIZE);
static_assert(offsetof(struct uctx, orig_a0) == UCTX_ORIG_A0);
static_assert(offsetof(struct uctx, cause) == UCTX_CAUSE);
static_assert(offsetof(struct hal_task, uctx) == 0);
static_assert(offsetof(struct hal_task, arch.percpu) == TASK_PERCPU);
static_assert(offsetof(struct hal_task, arch.ksp) == TASK_KSP);
static_assert(offsetof(struct hal_task, arch.stack_low) == TASK_STACK_LOW);
static_assert(offsetof(struct hal_task, arch.scratch) == TASK_SCRATCH);
static_assert(offsetof(struct hal_task, arch.fpu_reload) == TASK_FPU_RELOAD);
static_assert(offsetof(struct fpu_state, fcsr) == FPU_FCSR);
static_assert(offsetof(struct kframe, status) == KFRAME_STATUS);
static_assert(offsetof(struct kframe, tval) == KFRAME_TVAL);
static_assert(sizeof(struct kframe) == KFRAME_SIZE);

#define FPU_NOWHERE (~0U)

/* Callee-saved frame of riscv64_switch: ra, s0 .. s11, one word of padding. */
#define SWITCH_WORDS 14

struct hal_task boot_task;

static DEFINE_PERCPU(struct hal_task *, fpu_owner);

/* ---- Floating point ---- */

/* sstatus.FS is the current task's: what its next instructions in user mode find. */
static void set_fs(unsigned long fs)
{
	csr_clear(sstatus, SR_FS);
	csr_set(sstatus, fs);
}

void riscv64_fpu_sync(struct hal_task *task)
{
	if ((csr_read(sstatus) & SR_FS) != SR_FS_DIRTY)
		return;
	riscv64_fpu_store(&task->arch.fpu);
	set_fs(SR_FS_CLEAN);
}

/* From uctx_run(): the current task is about to use registers that are not in the FPU. */
void riscv64_fpu_reload(void)
{
	struct hal_task *task = arch_current();

	set_fs(SR_FS_CLEAN);
	riscv64_fpu_load(&task->arch.fpu);
	set_fs(SR_FS_CLEAN);
	task->arch.fpu_reload = 0;
	task->arch.fpu_cpu = hal_cpu_id();
	percpu(fpu_owner) = task;
}

void riscv64_fpu_replace(struct hal_task *task, const struct fpu_state *state)
{
	if (!(riscv64_isa_letters & (1UL << ('d' - 'a'))))
		return;
	if (task == arch_current())
		set_fs(SR_FS_CLEAN); /* what the registers hold is stale now */
	task->arch.fpu = *state;
	task->arch.fpu_used = 1;
	task->arch.fpu_reload = 1;
	task->arch.fpu_cpu = FPU_NOWHERE;
}

bool riscv64_fpu_first_use(struct hal_task *task)
{
	bool has_fpu = riscv64_isa_letters & (1UL << ('d' - 'a'));

	if (!has_fpu || task->arch.fpu_used)
		return false;
	set_fs(SR_FS_CLEAN);
	task->arch.fpu_used = 1;
	task->arch.fpu_reload = 1;
	return true;
}

/* Forget the FPU state: as a new program begins. */
static void fpu_reset(struct hal_task *task)
{
	set_fs(SR_FS_OFF);
	memset(&task->arch.fpu, 0, sizeof(task->arch.fpu));
	task->arch.fpu_used = 0;
	task->arch.fpu_reload = 0;
	task->arch.fpu_cpu = FPU_NOWHERE;
}

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
	task->arch.fpu_cpu = FPU_NOWHERE;
}

struct hal_task *hal_task_switch(struct hal_task *prev, struct hal_task *next)
{
	riscv64_fpu_sync(prev);
	next->arch.percpu = prev->arch.percpu;
	if (prev->arch.fpu_used != next->arch.fpu_used)
		set_fs(next->arch.fpu_used ? SR_FS_CLEAN : SR_FS_OFF);
	if (next->arch.fpu_used)
		next->arch.fpu_reload =
			percpu(fpu_owner) != next || next->arch.fpu_cpu != hal_cpu_id();
	return riscv64_switch(prev, next);
}

/* ---- User contexts ---- */

void uctx_init_user(struct hal_task *task, uaddr_t ip, uaddr_t sp)
{
	memset(&task->uctx, 0, sizeof(task->uctx));
	fpu_reset(task);
	uctx_set_ip(&task->uctx, ip);
	uctx_set_sp(&task->uctx, sp);
}

int uctx_fork(struct hal_task *child, struct hal_task *parent, uaddr_t sp, bool set_tls,
	      uaddr_t tls)
{
	if (parent->arch.fpu_used) {
		riscv64_fpu_sync(parent);
		child->arch.fpu = parent->arch.fpu;
	}
	child->arch.fpu_used = parent->arch.fpu_used;
	child->arch.fpu_cpu = FPU_NOWHERE;
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
	/* Nothing was allocated; a later task at the same address has fpu_cpu FPU_NOWHERE. */
	(void)task;
}

bool uctx_emulate(struct hal_task *task, const struct uctx_event *ev)
{
	(void)task;
	(void)ev;
	return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * User contexts and kernel threads: making them, copying them, switching between them.
 *
 * Contracts: <hal/uctx.h>, <hal/cpu.h>. The FS and GS bases of the running task are in the CPU (GS in
 * the one SWAPGS brings back), those of the others in their struct uctx.
 */
#include <arch/x86.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/debug.h>
#include <hal/paging.h>
#include <hal/uctx.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <uapi/prctl.h>

/* What trap_asm.S believes. */
static_assert(offsetof(struct uctx, r15) == 8);
static_assert(offsetof(struct uctx, r11) == 56);
static_assert(offsetof(struct uctx, cx) == 96);
static_assert(offsetof(struct uctx, di) == 120);
static_assert(offsetof(struct uctx, ip) == 136);
static_assert(offsetof(struct uctx, cs) == 144);
static_assert(offsetof(struct uctx, flags) == 152);
static_assert(offsetof(struct uctx, sp) == 160);
static_assert(offsetof(struct hal_task, uctx) == 0);

DECLARE_PERCPU(struct x86_tss, x86_tss);

extern char x86_task_start[];
struct hal_task *x86_switch_stacks(struct hal_task *prev, u64 *prev_sp, u64 next_sp);

/* ---- FS and GS bases ---- */

static u64 read_fs(void)
{
	u64 base;

	if (!x86_features.fsgsbase)
		return rdmsr(MSR_FS_BASE);
	__asm__ __volatile__("rdfsbase %0" : "=r"(base));
	return base;
}

static void write_fs(u64 base)
{
	if (x86_features.fsgsbase)
		__asm__ __volatile__("wrfsbase %0" ::"r"(base));
	else
		wrmsr(MSR_FS_BASE, base);
}

/* The user's GS base, while the kernel's is loaded. Interrupts off: GS is the user's for a moment. */
static u64 read_user_gs(void)
{
	u64 base;

	if (!x86_features.fsgsbase)
		return rdmsr(MSR_KERNEL_GS_BASE);
	__asm__ __volatile__("swapgs\n\trdgsbase %0\n\tswapgs" : "=r"(base)::"memory");
	return base;
}

static void write_user_gs(u64 base)
{
	if (x86_features.fsgsbase)
		__asm__ __volatile__("swapgs\n\twrgsbase %0\n\tswapgs" ::"r"(base) : "memory");
	else
		wrmsr(MSR_KERNEL_GS_BASE, base);
}

static bool is_current(const struct uctx *u)
{
	return u == &arch_current()->uctx;
}

/* A base that is no address would make the CPU fault in the kernel when it is loaded. */
static bool canonical(u64 base)
{
	return (s64)(base << 16) >> 16 == (s64)base;
}

void x86_set_fs_base(struct uctx *u, unsigned long base)
{
	if (!canonical(base))
		base = 0;
	u->fs_base = base;
	if (is_current(u))
		write_fs(base);
}

unsigned long x86_fs_base(const struct uctx *u)
{
	return is_current(u) ? read_fs() : u->fs_base;
}

void x86_set_gs_base(struct uctx *u, unsigned long base)
{
	unsigned long flags = hal_irq_save();

	if (!canonical(base))
		base = 0;
	u->gs_base = base;
	if (is_current(u))
		write_user_gs(base);
	hal_irq_restore(flags);
}

unsigned long x86_gs_base(const struct uctx *u)
{
	unsigned long flags = hal_irq_save();
	unsigned long base = is_current(u) ? read_user_gs() : u->gs_base;

	hal_irq_restore(flags);
	return base;
}

/* ---- Switching ---- */

void hal_set_current(struct hal_task *task)
{
	percpu(x86_current) = task;
	percpu(x86_tss).rsp[0] = (u64)task + UCTX_TOP;
}

static void switch_bases(struct hal_task *prev, struct hal_task *next)
{
	if (prev->arch.fpu) {
		prev->uctx.fs_base = read_fs();
		prev->uctx.gs_base = read_user_gs();
	}
	if (next->arch.fpu) {
		write_fs(next->uctx.fs_base);
		write_user_gs(next->uctx.gs_base);
	}
}

static void flip_tsc(void)
{
	write_cr4(read_cr4() ^ CR4_TSD);
}

struct hal_task *hal_task_switch(struct hal_task *prev, struct hal_task *next)
{
	x86_fpu_switch(prev, next);
	switch_bases(prev, next);
	if (unlikely((prev->arch.debug.control | next->arch.debug.control) != 0))
		x86_debug_switch(next);
	if (unlikely(prev->arch.no_tsc != next->arch.no_tsc))
		flip_tsc();
	hal_set_current(next);
	return x86_switch_stacks(prev, &prev->arch.sp, next->arch.sp);
}

void hal_task_init_kernel(struct hal_task *task, void *stack, size_t size, void (*entry)(void *),
			  void *arg)
{
	/* Alignment: x86_task_start begins with sp a multiple of 16. */
	u64 *top = (u64 *)((char *)stack + size) - 2;

	if ((u64)task % 16)
		panic("x86: a task must be 16-byte aligned (%p)", task);
	*--top = (u64)x86_task_start;
	*--top = (u64)entry; /* rbx */
	*--top = (u64)arg;   /* rbp */
	for (unsigned int i = 0; i < 4; i++)
		*--top = 0;
	task->arch.sp = (u64)top;
	task->arch.stack = stack;
	task->arch.stack_size = size;
}

/* ---- User contexts ---- */

void uctx_init_user(struct hal_task *task, uaddr_t ip, uaddr_t sp)
{
	struct uctx *u = &task->uctx;

	if (!task->arch.fpu) {
		task->arch.fpu = x86_fpu_alloc();
		if (!task->arch.fpu)
			panic("no memory for the first program's FPU state");
	}
	memset(u, 0, sizeof(*u));
	u->ip = ip;
	u->sp = sp;
	u->cs = X86_USER_CS;
	u->ss = X86_USER_DS;
	u->flags = X86_FLAGS_IF | 2;
	hal_debug_reset(task);
	u->orig_ax = ~0ULL;
	x86_set_fs_base(u, 0);
	x86_set_gs_base(u, 0);
	x86_fpu_reset(task);
}

int uctx_fork(struct hal_task *child, struct hal_task *parent, uaddr_t sp, bool set_tls,
	      uaddr_t tls)
{
	child->arch.fpu = x86_fpu_alloc();
	if (!child->arch.fpu)
		return -ENOMEM;
	child->arch.fpu_cpu = ~0U;
	x86_fpu_save(parent, child->arch.fpu);
	child->uctx = parent->uctx;
	child->arch.no_tsc = parent->arch.no_tsc;
	child->uctx.ax = 0;
	child->uctx.fs_base = set_tls ? (canonical(tls) ? tls : 0) : x86_fs_base(&parent->uctx);
	child->uctx.gs_base = x86_gs_base(&parent->uctx);
	child->uctx.flags = x86_debug_flags(parent);
	if (sp)
		child->uctx.sp = sp;
	return 0;
}

/* No CPU may go on believing that its registers hold a task that is gone; see x86_fpu_switch(). */
void uctx_exit(struct hal_task *task)
{
	if (!task->arch.fpu)
		return;
	x86_fpu_free(task->arch.fpu);
	task->arch.fpu = NULL;
	task->arch.fpu_cpu = ~0U;
}

enum uctx_emulation uctx_emulate(struct hal_task *task, struct uctx_event *ev)
{
	(void)task;
	(void)ev;
	return UCTX_NOT_EMULATED;
}

/* As a Linux whose mitigations are off: it speculates, and cannot be told not to. */
static long get_speculation(unsigned long which)
{
	switch (which) {
	case PR_SPEC_STORE_BYPASS:
	case PR_SPEC_INDIRECT_BRANCH:
		return PR_SPEC_ENABLE;
	case PR_SPEC_L1D_FLUSH:
		return PR_SPEC_FORCE_DISABLE;
	default:
		return -ENODEV;
	}
}

static long set_speculation(unsigned long which, unsigned long how)
{
	switch (which) {
	case PR_SPEC_STORE_BYPASS:
		return -ENXIO;
	case PR_SPEC_INDIRECT_BRANCH:
		if (how == PR_SPEC_ENABLE)
			return 0;
		return how == PR_SPEC_DISABLE || how == PR_SPEC_FORCE_DISABLE ? -EPERM : -ERANGE;
	case PR_SPEC_L1D_FLUSH:
		return -EPERM;
	default:
		return -ENODEV;
	}
}

/* Whether programs may read the time-stamp counter. */
static long set_tsc(struct hal_task *task, unsigned long how)
{
	unsigned long flags;

	if (how != PR_TSC_ENABLE && how != PR_TSC_SIGSEGV)
		return -EINVAL;
	flags = hal_irq_save();
	if (task->arch.no_tsc != (how == PR_TSC_SIGSEGV))
		flip_tsc();
	task->arch.no_tsc = how == PR_TSC_SIGSEGV;
	hal_irq_restore(flags);
	return 0;
}

long uctx_prctl(struct hal_task *task, int option, unsigned long arg, unsigned long value)
{
	switch (option) {
	case PR_GET_TSC:
		return hal_put_user32(arg, task->arch.no_tsc ? PR_TSC_SIGSEGV : PR_TSC_ENABLE);
	case PR_SET_TSC:
		return set_tsc(task, arg);
	case PR_GET_SPECULATION_CTRL:
		return get_speculation(arg);
	case PR_SET_SPECULATION_CTRL:
		return set_speculation(arg, value);
	default:
		return -EINVAL;
	}
}

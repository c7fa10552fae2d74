/* SPDX-License-Identifier: MIT */
/*
 * Single-step, debug registers and the breakpoint instruction of x86_64. Contract: <hal/debug.h>.
 *
 * Stepping: TF in the user's flags. If the debugger set it (forced_tf), nobody sees it: register sets and
 * signal frames show the flags without it. A program that sets TF itself, by popf or in a signal frame,
 * keeps it; pushf shows a debugger's TF, as under Linux. RF is set after a hit of an instruction
 * breakpoint, so that going on does not hit it again.
 *
 * Debug registers: struct x86_debug of a task says what DR0-DR3 and DR7 hold while it runs. They are
 * written when a task that has any comes or goes. Only addresses below USER_END get in.
 *
 * Locking: a task's own, or its tracer's while it is stopped.
 * Source: Intel SDM volume 3B chapter 18 (debug registers); ptrace(2); Linux's behaviour for errors.
 */
#include <arch/x86.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/debug.h>
#include <hal/paging.h>
#include <lib/string.h>

#define TRAP_BRKPT  1
#define TRAP_TRACE  2
#define TRAP_HWBKPT 4

#define DR6_HITS  0xfUL
#define DR6_STEP  0x4000UL
#define DR6_FIXED 0xffff0ff0UL /* bits that read as 1 */

#define DR7_UNUSED 0xffffffff0000fc00UL
#define DR7_ENABLE(n) (3UL << (2 * (n)))
#define DR7_TYPE(dr7, n) ((dr7) >> (16 + 4 * (n)) & 3)
#define DR7_LEN(dr7, n)	 ((dr7) >> (18 + 4 * (n)) & 3)

enum { DR_EXECUTE, DR_WRITE, DR_IO, DR_READ_WRITE };

/* ---- Single-step ---- */

u64 x86_debug_flags(const struct hal_task *task)
{
	u64 flags = task->uctx.flags;

	return task->arch.forced_tf ? flags & ~X86_FLAGS_TF : flags;
}

void x86_debug_set_flags(struct hal_task *task, u64 flags)
{
	struct uctx *u = &task->uctx;

	if (flags & X86_FLAGS_TF)
		task->arch.forced_tf = false;
	else if (task->arch.forced_tf)
		flags |= X86_FLAGS_TF;
	u->flags = (u->flags & ~X86_FLAGS_USER) | (flags & X86_FLAGS_USER);
}

/*
 * Whether the next instruction loads the flags: popf or iret behind prefixes. TF is then what the program
 * makes it, not ours to take away.
 */
static bool loads_flags(const struct uctx *u)
{
	u8 code[16];
	size_t n = sizeof(code);

	n -= hal_copy_from_user(code, u->ip, n);
	for (size_t i = 0; i < n; i++) {
		switch (code[i]) {
		case 0x9d: /* popf */
		case 0xcf: /* iret */
			return true;
		case 0x26: /* segments, operand and address size, lock, rep */
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64 ... 0x67:
		case 0xf0:
		case 0xf2:
		case 0xf3:
		case 0x40 ... 0x4f: /* REX */
			break;
		default:
			return false;
		}
	}
	return false;
}

void uctx_step_arm(struct hal_task *task)
{
	struct uctx *u = &task->uctx;

	if (u->flags & X86_FLAGS_TF)
		return;
	task->arch.forced_tf = !loads_flags(u);
	u->flags |= X86_FLAGS_TF;
}

void uctx_step_disarm(struct hal_task *task)
{
	if (task->arch.forced_tf)
		task->uctx.flags &= ~(u64)X86_FLAGS_TF;
	task->arch.forced_tf = false;
}

/* ---- Debug registers ---- */

static u64 read_dr6(void)
{
	u64 v;

	__asm__ __volatile__("movq %%dr6, %0" : "=r"(v));
	return v;
}

static void write_dr6(u64 v)
{
	__asm__ __volatile__("movq %0, %%dr6" ::"r"(v));
}

static void write_dr7(u64 v)
{
	__asm__ __volatile__("movq %0, %%dr7" ::"r"(v) : "memory");
}

void x86_debug_switch(struct hal_task *next)
{
	const struct x86_debug *d = &next->arch.debug;

	write_dr7(0);
	if (!d->control)
		return;
	__asm__ __volatile__("movq %0, %%dr0" ::"r"(d->addr[0]));
	__asm__ __volatile__("movq %0, %%dr1" ::"r"(d->addr[1]));
	__asm__ __volatile__("movq %0, %%dr2" ::"r"(d->addr[2]));
	__asm__ __volatile__("movq %0, %%dr3" ::"r"(d->addr[3]));
	write_dr7(d->control);
}

static void changed(struct hal_task *task)
{
	unsigned long flags = hal_irq_save();

	if (task == arch_current())
		x86_debug_switch(task);
	hal_irq_restore(flags);
}

int x86_debug_trap(struct hal_task *task)
{
	struct x86_debug *d = &task->arch.debug;
	u64 dr6 = read_dr6() ^ DR6_FIXED;

	write_dr6(DR6_FIXED);
	d->status = dr6 & (DR6_STEP | DR6_HITS);
	for (unsigned int n = 0; n < 4; n++)
		if (dr6 & BIT(n) && DR7_TYPE(d->control, n) == DR_EXECUTE)
			task->uctx.flags |= X86_FLAGS_RF;
	if (dr6 & DR6_STEP)
		return TRAP_TRACE;
	return dr6 & DR6_HITS ? TRAP_HWBKPT : TRAP_BRKPT;
}

void x86_debug_ignore(void)
{
	write_dr6(DR6_FIXED);
}

/* Whether slot @n of @dr7, if it is enabled, watches user memory in a way there is. */
static bool is_slot(const struct x86_debug *d, u64 dr7, unsigned int n)
{
	/* 1, 2, 8, 4 bytes, less one */
	static const u8 masks[4] = { 0, 1, 7, 3 };
	u64 mask = masks[DR7_LEN(dr7, n)];

	if (!(dr7 & DR7_ENABLE(n)))
		return true;
	if (DR7_TYPE(dr7, n) == DR_IO || (DR7_TYPE(dr7, n) == DR_EXECUTE && mask))
		return false;
	return !(d->addr[n] & mask) && d->addr[n] + mask < USER_END;
}

static int set_address(struct hal_task *task, unsigned int n, u64 addr)
{
	struct x86_debug *d = &task->arch.debug, new = *d;

	new.addr[n] = addr;
	if (addr >= USER_END || !is_slot(&new, d->control, n))
		return -EINVAL;
	d->addr[n] = addr;
	changed(task);
	return 0;
}

static int set_control(struct hal_task *task, u64 dr7)
{
	struct x86_debug *d = &task->arch.debug;

	dr7 &= ~DR7_UNUSED;
	for (unsigned int n = 0; n < 4; n++)
		if (!is_slot(d, dr7, n))
			return -EINVAL;
	d->control = dr7;
	changed(task);
	return 0;
}

int x86_debug_peek(const struct hal_task *task, unsigned int n, u64 *value)
{
	const struct x86_debug *d = &task->arch.debug;

	*value = 0;
	if (n < 4)
		*value = d->addr[n];
	else if (n == 6)
		*value = d->status ^ DR6_FIXED;
	else if (n == 7)
		*value = d->control;
	return 0;
}

int x86_debug_poke(struct hal_task *task, unsigned int n, u64 value)
{
	if (n < 4)
		return set_address(task, n, value);
	if (n == 7)
		return set_control(task, value);
	if (n != 6)
		return -EIO;
	task->arch.debug.status = value ^ DR6_FIXED;
	return 0;
}

void hal_debug_reset(struct hal_task *task)
{
	uctx_step_disarm(task);
	if (task->arch.debug.control) {
		task->arch.debug.control = 0;
		changed(task);
	}
	memset(&task->arch.debug, 0, sizeof(task->arch.debug));
}

unsigned int hal_breakpoint(const u8 *insn, u8 out[HAL_BREAKPOINT_MAX])
{
	(void)insn;
	out[0] = 0xcc; /* int3 */
	return 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * Single-step, breakpoints and watchpoints of aarch64. Contract: <hal/debug.h>.
 *
 * task->arch.debug says which features user mode of the task needs. It makes aarch64_user_prepare() call
 * aarch64_debug_load(), which marks the debug registers live; hal_task_switch() then turns them off when
 * the task leaves. A task without any is never asked.
 *
 * Stepping: MDSCR_EL1.SS, and SPSR.SS for the next return to user mode: one instruction, then the trap. An
 * SVC uses the step up; the kernel reports it (see <hal/debug.h>). PSTATE.SS is hidden from register sets.
 *
 * The kernel runs with MDSCR_EL1.KDE clear: nothing of this reaches it, and slots are made for EL0 and
 * addresses below USER_END only.
 *
 * Locking: a task's own, or its tracer's while it is stopped.
 * Source: Arm ARM D2 (self-hosted debug); ptrace(2), Linux asm/ptrace.h (struct user_hwdebug_state).
 */
#include <arch/barrier.h>
#include <arch/layout.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <err.h>
#include <hal/debug.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <lib/string.h>

struct slot {
	u64 addr; /* as the debugger wrote it */
	u32 ctrl;
};

struct aarch64_hw_debug {
	struct slot breaks[HW_DEBUG_MAX], watches[HW_DEBUG_MAX];
};
static_assert(sizeof(struct aarch64_hw_debug) <= PAGE_SIZE);

/* Fields of the control word, which are those of DBGBCR and DBGWCR. */
#define CTRL_ENABLE    1U
#define CTRL_EL0       (2U << 1)
#define CTRL_TYPE(c)   ((c) >> 3 & 3)
#define CTRL_LEN(c)    ((c) >> 5 & 0xff)
#define CTRL_KNOWN     0x1fffU
#define TYPE_EXECUTE   0
#define BREAK_LEN      0xfU

static unsigned int slot_count(bool watch)
{
	return id_field(read_sysreg(id_aa64dfr0_el1), watch ? 20 : 12) + 1;
}

/* ---- Registers with numbers in their names ---- */

#define FOR_EACH_SLOT(op)                                                                          \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13)    \
		op(14) op(15)

static void write_break(unsigned int n, u64 addr, u64 ctrl)
{
	switch (n) {
#define WRITE_BREAK(i)                                                                             \
	case i:                                                                                    \
		write_sysreg(dbgbvr##i##_el1, addr);                                               \
		write_sysreg(dbgbcr##i##_el1, ctrl);                                               \
		break;
		FOR_EACH_SLOT(WRITE_BREAK)
	}
}

static void write_watch(unsigned int n, u64 addr, u64 ctrl)
{
	switch (n) {
#define WRITE_WATCH(i)                                                                             \
	case i:                                                                                    \
		write_sysreg(dbgwvr##i##_el1, addr);                                               \
		write_sysreg(dbgwcr##i##_el1, ctrl);                                               \
		break;
		FOR_EACH_SLOT(WRITE_WATCH)
	}
}

/* The CPU wants aligned addresses and the bytes selected behind them. */
static void write_slot(bool watch, unsigned int n, const struct slot *s)
{
	u64 mask = watch ? 7 : 3, offset = s->addr & mask;
	u64 len = (u64)CTRL_LEN(s->ctrl) << offset & 0xff;
	u64 ctrl = s->ctrl & CTRL_ENABLE ? CTRL_ENABLE | CTRL_EL0 | (s->ctrl & (3U << 3)) : 0;

	if (watch)
		write_watch(n, s->addr & ~mask, ctrl | (ctrl ? len << 5 : 0));
	else
		write_break(n, s->addr & ~mask, ctrl | (ctrl ? BREAK_LEN << 5 : 0));
}

/* ---- Coming and going ---- */

void aarch64_debug_init_cpu(void)
{
	write_sysreg(oslar_el1, 0);
	write_sysreg(mdscr_el1, 0);
	isb();
}

void aarch64_debug_load(struct hal_task *task)
{
	const struct aarch64_hw_debug *hw = task->arch.hw_debug;
	u64 mdscr = task->arch.debug & DEBUG_STEP ? MDSCR_SS : 0;

	if (task->arch.debug & DEBUG_HW) {
		for (unsigned int n = 0; n < slot_count(false); n++)
			write_slot(false, n, &hw->breaks[n]);
		for (unsigned int n = 0; n < slot_count(true); n++)
			write_slot(true, n, &hw->watches[n]);
		mdscr |= MDSCR_MDE;
	}
	write_sysreg(mdscr_el1, mdscr);
	task->arch.live |= LIVE_DEBUG;
}

void aarch64_debug_unload(void)
{
	write_sysreg(mdscr_el1, 0);
}

/* What is needed has changed: prepare user mode anew. */
static void changed(struct hal_task *task)
{
	unsigned long flags = hal_irq_save();

	if (task->arch.live & LIVE_DEBUG)
		aarch64_debug_unload();
	task->arch.live &= ~(u32)LIVE_DEBUG;
	task->arch.fp_ready = 0;
	hal_irq_restore(flags);
}

/* ---- Single-step ---- */

void uctx_step_arm(struct hal_task *task)
{
	task->uctx.pstate |= PSR_SS;
	if (task->arch.debug & DEBUG_STEP)
		return;
	task->arch.debug |= DEBUG_STEP;
	changed(task);
}

void uctx_step_disarm(struct hal_task *task)
{
	task->uctx.pstate &= ~(u64)PSR_SS;
	if (!(task->arch.debug & DEBUG_STEP))
		return;
	task->arch.debug &= ~(u32)DEBUG_STEP;
	changed(task);
}

/* ---- Breakpoints and watchpoints ---- */

void aarch64_hw_debug_get(const struct hal_task *task, bool watch, struct user_hw_debug *out)
{
	const struct aarch64_hw_debug *hw = task->arch.hw_debug;

	memset(out, 0, sizeof(*out));
	out->info = id_field(read_sysreg(id_aa64dfr0_el1), 0) << 8 | slot_count(watch);
	if (!hw)
		return;
	for (unsigned int n = 0; n < HW_DEBUG_MAX; n++) {
		const struct slot *s = watch ? &hw->watches[n] : &hw->breaks[n];

		out->regs[n].addr = s->addr;
		out->regs[n].ctrl = s->ctrl;
	}
}

/* Bytes selected: one run of ones. */
static bool is_run(u32 len)
{
	len /= len & -len;
	return (len & (len + 1)) == 0;
}

static int check_slot(bool watch, const struct slot *s)
{
	u32 len = CTRL_LEN(s->ctrl);

	if (s->addr >= USER_END)
		return -EINVAL;
	if (!(s->ctrl & CTRL_ENABLE))
		return 0;
	if (!len || !is_run(len) || (CTRL_TYPE(s->ctrl) == TYPE_EXECUTE) == watch ||
	    (!watch && CTRL_TYPE(s->ctrl)))
		return -EINVAL;
	return s->addr + 8 < USER_END ? 0 : -EINVAL;
}

static int alloc_hw(struct hal_task *task)
{
	paddr_t pa;

	if (task->arch.hw_debug)
		return 0;
	pa = upcall_pt_alloc();
	if (!pa)
		return -ENOMEM;
	task->arch.hw_debug = phys_to_virt(pa);
	return 0;
}

/* Whether any slot is enabled decides whether the task needs the debug registers. */
static void update_use(struct hal_task *task)
{
	const struct aarch64_hw_debug *hw = task->arch.hw_debug;
	u32 any = 0;

	for (unsigned int n = 0; n < HW_DEBUG_MAX; n++)
		any |= hw->breaks[n].ctrl | hw->watches[n].ctrl;
	task->arch.debug &= ~(u32)DEBUG_HW;
	if (any & CTRL_ENABLE)
		task->arch.debug |= DEBUG_HW;
	changed(task);
}

int aarch64_hw_debug_set(struct hal_task *task, bool watch, const struct user_hw_debug *in,
			 size_t len)
{
	size_t at = offsetof(struct user_hw_debug, regs);
	int err = alloc_hw(task);

	for (unsigned int n = 0; !err && at < len; n++, at += sizeof(in->regs[0])) {
		struct slot *s =
			watch ? &task->arch.hw_debug->watches[n] : &task->arch.hw_debug->breaks[n];
		struct slot new = { .addr = in->regs[n].addr, .ctrl = s->ctrl };

		/* The last one may be an address alone. */
		if (len - at < sizeof(u64))
			err = -EINVAL;
		else if (len - at > sizeof(u64))
			new.ctrl = in->regs[n].ctrl & CTRL_KNOWN;
		if (!err && n >= slot_count(watch))
			err = -ENOSPC;
		if (!err)
			err = check_slot(watch, &new);
		if (!err)
			*s = new;
	}
	if (task->arch.hw_debug)
		update_use(task);
	return err;
}

void hal_debug_reset(struct hal_task *task)
{
	uctx_step_disarm(task);
	if (!task->arch.hw_debug)
		return;
	task->arch.debug = 0;
	changed(task);
	upcall_pt_free(virt_to_phys(task->arch.hw_debug));
	task->arch.hw_debug = NULL;
}

unsigned int hal_breakpoint(const u8 *insn, u8 out[HAL_BREAKPOINT_MAX])
{
	static const u8 brk[4] = { 0x00, 0x00, 0x20, 0xd4 }; /* brk #0 */

	(void)insn;
	memcpy(out, brk, sizeof(brk));
	return sizeof(brk);
}

/* SPDX-License-Identifier: MIT */
/*
 * uctx_emulate(): misaligned loads and stores of user programs, where neither the CPU nor the firmware does them. Atomic and vector ones are
 * not carried out, as on Linux.
 */
#include <arch/csr.h>
#include <arch/trap.h>
#include <hal/paging.h>
#include <hal/unaligned.h>
#include <lib/string.h>

static struct fpu_state fpu_of(struct hal_task *task)
{
	unsigned long flags = hal_irq_save();
	struct fpu_state state;

	riscv64_fpu_sync(task);
	state = task->arch.fpu;
	hal_irq_restore(flags);
	return state;
}

void arch_register_read(struct hal_task *task, const struct load_store *ls, u8 *buf)
{
	u64 v = ls->file == FILE_FP ? fpu_of(task).f[ls->reg]
		: ls->reg	    ? task->uctx.regs[ls->reg]
				    : 0;

	memcpy(buf, &v, ls->bytes);
}

void arch_register_write(struct hal_task *task, const struct load_store *ls, const u8 *buf)
{
	u64 v = ~0ULL; /* a narrow value is boxed in ones */
	struct fpu_state state;

	if (ls->file == FILE_FP) {
		memcpy(&v, buf, ls->bytes);
		state = fpu_of(task);
		state.f[ls->reg] = v;
		riscv64_fpu_replace(task, &state);
	} else if (ls->reg) {
		task->uctx.regs[ls->reg] = load_store_value(ls, buf);
	}
}

static bool fetch(unsigned long pc, u32 *insn)
{
	u16 half[2] = { 0 };

	if (hal_copy_from_user(&half[0], pc, 2) ||
	    ((half[0] & 3) == 3 && hal_copy_from_user(&half[1], pc + 2, 2)))
		return false;
	*insn = (u32)half[1] << 16 | half[0];
	return true;
}

enum uctx_emulation uctx_emulate(struct hal_task *task, struct uctx_event *ev)
{
	unsigned long cause = ev->raw[0];
	enum uctx_emulation r;
	struct load_store ls;
	u32 insn;

	if (ev->kind != UCTX_EXC_MISALIGNED ||
	    (cause != CAUSE_LOAD_MISALGN && cause != CAUSE_STORE_MISALGN) ||
	    !fetch(uctx_ip(&task->uctx), &insn) || !insn_load_store(insn, &ls))
		return UCTX_NOT_EMULATED;
	r = unaligned_carry_out(task, &ls, ev);
	if (r == UCTX_EMULATED)
		uctx_set_ip(&task->uctx, uctx_ip(&task->uctx) + ls.length);
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * uctx_emulate(): unaligned loads and stores of user programs, on CPUs or for instructions that do
 * not do them in hardware: integer, FPU and vector ones in all addressing modes. Atomic and bound-checking ones are not carried out, as on Linux.
 */
#include <arch/trap.h>
#include <hal/paging.h>
#include <hal/unaligned.h>
#include <lib/string.h>
#include <uapi/signal.h>

void arch_register_read(struct hal_task *task, const struct load_store *ls, u8 *buf)
{
	const u8 *from = (const u8 *)&task->uctx.regs[ls->reg];
	unsigned long flags;

	if (ls->file != FILE_INTEGER) {
		flags = hal_irq_save();
		arch_fpu_save(task);
		hal_irq_restore(flags);
		from = (const u8 *)task->arch.fpu.reg[ls->reg] + ls->element * ls->bytes;
	}
	memcpy(buf, from, ls->bytes);
}

void arch_register_write(struct hal_task *task, const struct load_store *ls, const u8 *buf)
{
	u8 *to = (u8 *)task->arch.fpu.reg[ls->reg];
	unsigned long flags;

	if (ls->file == FILE_INTEGER) {
		if (ls->reg != 0)
			task->uctx.regs[ls->reg] = load_store_value(ls, buf);
		return;
	}
	flags = hal_irq_save();
	arch_fpu_save(task);
	if (ls->file == FILE_FP)
		memset(to, 0xff, 8);
	memcpy(to, buf, ls->bytes);
	if (ls->file == FILE_REPLICA)
		for (unsigned int at = ls->bytes; at < ls->width; at += ls->bytes)
			memcpy(to + at, buf, ls->bytes);
	arch_fpu_set_stale(task);
	hal_irq_restore(flags);
}

enum uctx_emulation uctx_emulate(struct hal_task *task, struct uctx_event *ev)
{
	enum uctx_emulation r;
	struct load_store ls;
	u32 insn;

	if (ev->kind != UCTX_EXC_MISALIGNED || ev->code != BUS_ADRALN ||
	    hal_get_user32(&insn, task->uctx.era) != 0 || !insn_load_store(insn, &ls))
		return UCTX_NOT_EMULATED;
	r = unaligned_carry_out(task, &ls, ev);
	if (r == UCTX_EMULATED)
		task->uctx.era += ls.length;
	return r;
}

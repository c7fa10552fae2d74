/* SPDX-License-Identifier: MIT */
/*
 * uctx_emulate(): unaligned loads and stores of user programs, on CPUs or for instructions that do
 * not do them in hardware. Integer and FPU accesses in all addressing modes are carried out byte by
 * byte through the user-copy functions, as Linux does; atomic and bound-checking ones are not.
 * Instruction formats: LoongArch Reference Manual, volume 1, appendix B.
 */
#include <arch/trap.h>
#include <hal/paging.h>
#include <hal/uctx.h>
#include <uapi/signal.h>

struct access {
	u8 size; /* bytes; 0: not a load or store known here */
	bool store;
	bool is_signed;
	bool fp;
};

#define LD(n, s) { .size = (n), .is_signed = (s) }
#define ST(n)	 { .size = (n), .store = true }
#define FLD(n)	 { .size = (n), .fp = true }
#define FST(n)	 { .size = (n), .store = true, .fp = true }

/* Bits 25:22 of the format with a 12-bit offset (bits 31:26 are 001010). */
static const struct access si12_ops[16] = {
	LD(1, true),  LD(2, true),  LD(4, true),  LD(8, false), ST(1),	ST(2),	ST(4),	ST(8),
	LD(1, false), LD(2, false), LD(4, false), { 0 },	FLD(4), FST(4), FLD(8), FST(8),
};

/* Bits 25:24 of the format with a 14-bit offset in words (bits 31:26 are 001001). */
static const struct access si14_ops[4] = { LD(4, true), ST(4), LD(8, false), ST(8) };

/* Bits 21:18 of the format with a register offset (bits 31:22 are 0011100000). */
static const struct access indexed_ops[16] = {
	LD(1, true),  LD(2, true),  LD(4, true),  LD(8, false), ST(1),	ST(2),	ST(4),	ST(8),
	LD(1, false), LD(2, false), LD(4, false), { 0 },	FLD(4), FLD(8), FST(4), FST(8),
};

static struct access decode(u32 insn)
{
	if (insn >> 26 == 0x0a)
		return si12_ops[insn >> 22 & 15];
	if (insn >> 26 == 0x09)
		return si14_ops[insn >> 24 & 3];
	if (insn >> 22 == 0x0e0 && (insn >> 15 & 7) == 0)
		return indexed_ops[insn >> 18 & 15];
	return (struct access){ 0 };
}

/* The register's value, kept in the task. */
static u64 get_register(struct hal_task *task, struct access op, unsigned int r)
{
	return op.fp ? task->arch.fpu.reg[r][0] : task->uctx.regs[r];
}

static void set_register(struct hal_task *task, struct access op, unsigned int r, u64 v)
{
	if (op.fp)
		task->arch.fpu.reg[r][0] = op.size == 4 ? v | 0xffffffff00000000ULL : v;
	else if (r != 0)
		task->uctx.regs[r] = v;
}

static u64 sign_extend(u64 v, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return (u64)((s64)(v << shift) >> shift);
}

static bool carry_out(struct hal_task *task, struct access op, unsigned int r, uaddr_t addr)
{
	u64 v = get_register(task, op, r);

	if (op.store)
		return hal_copy_to_user(addr, &v, op.size) == 0;
	v = 0;
	if (hal_copy_from_user(&v, addr, op.size) != 0)
		return false;
	set_register(task, op, r, op.is_signed ? sign_extend(v, op.size) : v);
	return true;
}

bool uctx_emulate(struct hal_task *task, const struct uctx_event *ev)
{
	unsigned long flags;
	struct access op;
	bool done;
	u32 insn;

	if (ev->kind != UCTX_EXC_MISALIGNED || ev->code != BUS_ADRALN ||
	    hal_get_user32(&insn, task->uctx.era) != 0)
		return false;
	op = decode(insn);
	if (op.size == 0)
		return false;
	if (op.fp) {
		flags = hal_irq_save();
		arch_fpu_save(task);
		arch_fpu_set_stale(task);
		hal_irq_restore(flags);
	}
	done = carry_out(task, op, insn & 31, ev->addr);
	if (done)
		task->uctx.era += 4;
	return done;
}

/* SPDX-License-Identifier: MIT */
/*
 * hal_next_pcs(): where riscv64 goes after the instruction at the pc. The CPU cannot step, so a debugger
 * plants breakpoints there.
 *
 * Registers are known, so a branch has one successor: whether it is taken is worked out here. Only an
 * LR/SC sequence has several (<hal/llsc.h>).
 * Source: RISC-V Unprivileged ISA 20240411, chapters 2, 13 (A), 27 (C).
 */
#include <err.h>
#include <hal/llsc.h>

#define OP_BRANCH 0x63
#define OP_JALR	  0x67
#define OP_JAL	  0x6f
#define OP_AMO	  0x2f
#define OP_SYSTEM 0x73

#define AMO_LR 2
#define AMO_SC 3

/* The bits @hi to @lo of an instruction, placed at bit @at. */
static unsigned long bits(u32 insn, unsigned int hi, unsigned int lo, unsigned int at)
{
	return (unsigned long)(insn >> lo & ((1U << (hi - lo + 1)) - 1)) << at;
}

static long sign_extend(unsigned long v, unsigned int sign_bit)
{
	unsigned int shift = 63 - sign_bit;

	return (long)(v << shift) >> shift;
}

static bool is_compressed(u32 insn)
{
	return (insn & 3) != 3;
}

/* Words of 16 bits: the second may lie on another page, and there may be none. */
static int fetch_insn(hal_fetch_t fetch, void *ctx, uaddr_t pc, u32 *insn)
{
	u16 low, high = 0;

	if (fetch(ctx, pc, &low, sizeof(low)))
		return -EFAULT;
	if (!is_compressed(low) && fetch(ctx, pc + 2, &high, sizeof(high)))
		return -EFAULT;
	*insn = (u32)high << 16 | low;
	return 0;
}

static long jal_offset(u32 insn)
{
	return sign_extend(bits(insn, 31, 31, 20) | bits(insn, 19, 12, 12) |
				   bits(insn, 20, 20, 11) | bits(insn, 30, 21, 1),
			   20);
}

static long branch_offset(u32 insn)
{
	return sign_extend(bits(insn, 31, 31, 12) | bits(insn, 7, 7, 11) | bits(insn, 30, 25, 5) |
				   bits(insn, 11, 8, 1),
			   12);
}

static long c_j_offset(u32 insn)
{
	return sign_extend(bits(insn, 12, 12, 11) | bits(insn, 11, 11, 4) | bits(insn, 10, 9, 8) |
				   bits(insn, 8, 8, 10) | bits(insn, 7, 7, 6) |
				   bits(insn, 6, 6, 7) | bits(insn, 5, 3, 1) | bits(insn, 2, 2, 5),
			   11);
}

static long c_branch_offset(u32 insn)
{
	return sign_extend(bits(insn, 12, 12, 8) | bits(insn, 11, 10, 3) | bits(insn, 6, 5, 6) |
				   bits(insn, 4, 3, 1) | bits(insn, 2, 2, 5),
			   8);
}

/* Quadrant 1: c.j, c.beqz, c.bnez by funct3; quadrant 2: c.jr, c.jalr, c.ebreak. */
static struct insn_info decode_compressed(u32 insn, uaddr_t pc)
{
	unsigned int key = (insn & 3) << 3 | insn >> 13;
	struct insn_info info = { .flow = FLOW_NEXT, .len = 2 };

	if (key == (1 << 3 | 5)) {
		info.flow = FLOW_JUMP;
		info.target = pc + (unsigned long)c_j_offset(insn);
	} else if (key == (1 << 3 | 6) || key == (1 << 3 | 7)) {
		info.flow = FLOW_BRANCH;
		info.target = pc + (unsigned long)c_branch_offset(insn);
	} else if (key == (2 << 3 | 4) && !bits(insn, 6, 2, 0) &&
		   (bits(insn, 11, 7, 0) || bits(insn, 12, 12, 0))) {
		info.flow = FLOW_INDIRECT;
	}
	return info;
}

static struct insn_info decode_full(u32 insn, uaddr_t pc)
{
	struct insn_info info = { .flow = FLOW_NEXT, .len = 4 };

	switch (insn & 0x7f) {
	case OP_JAL: /* one that links is a call */
		info.flow = bits(insn, 11, 7, 0) ? FLOW_INDIRECT : FLOW_JUMP;
		info.target = pc + (unsigned long)jal_offset(insn);
		break;
	case OP_BRANCH:
		info.flow = FLOW_BRANCH;
		info.target = pc + (unsigned long)branch_offset(insn);
		break;
	case OP_JALR:
	case OP_SYSTEM:
		info.flow = FLOW_INDIRECT;
		break;
	case OP_AMO:
		if (insn >> 27 == AMO_LR)
			info.flow = FLOW_LINKED;
		else if (insn >> 27 == AMO_SC)
			info.flow = FLOW_CONDITIONAL;
		break;
	}
	return info;
}

static int decode(hal_fetch_t fetch, void *ctx, uaddr_t pc, struct insn_info *out)
{
	u32 insn;
	int err = fetch_insn(fetch, ctx, pc, &insn);

	if (!err)
		*out = is_compressed(insn) ? decode_compressed(insn, pc) : decode_full(insn, pc);
	return err;
}

/* regs[0] of the context is the pc; x0 is 0. */
static unsigned long reg(const struct uctx *u, unsigned long n)
{
	return n ? u->regs[n] : 0;
}

static bool branch_taken(const struct uctx *u, u32 insn)
{
	unsigned long a = reg(u, bits(insn, 19, 15, 0)), b = reg(u, bits(insn, 24, 20, 0));

	switch (insn >> 12 & 7) {
	case 0:
		return a == b;
	case 1:
		return a != b;
	case 4:
		return (long)a < (long)b;
	case 5:
		return (long)a >= (long)b;
	case 6:
		return a < b;
	case 7:
		return a >= b;
	default: /* no instruction: it will trap */
		return false;
	}
}

static bool c_branch_taken(const struct uctx *u, u32 insn)
{
	bool is_zero = u->regs[8 + bits(insn, 9, 7, 0)] == 0;

	return is_zero == (insn >> 13 == 6);
}

static uaddr_t indirect_target(const struct uctx *u, u32 insn, uaddr_t pc)
{
	if (is_compressed(insn)) /* c.jr, c.jalr; c.ebreak has no register and traps */
		return bits(insn, 11, 7, 0) ? u->regs[bits(insn, 11, 7, 0)] & ~1UL : pc + 2;
	if ((insn & 0x7f) == OP_JALR)
		return (reg(u, bits(insn, 19, 15, 0)) +
			(unsigned long)sign_extend(bits(insn, 31, 20, 0), 11)) &
		       ~1UL;
	if ((insn & 0x7f) == OP_JAL)
		return pc + (unsigned long)jal_offset(insn);
	return pc + 4; /* ecall, ebreak, CSR instructions */
}

static bool is_taken(const struct uctx *u, u32 insn)
{
	return is_compressed(insn) ? c_branch_taken(u, insn) : branch_taken(u, insn);
}

int hal_next_pcs(const struct uctx *u, hal_fetch_t fetch, void *ctx, uaddr_t *pcs)
{
	uaddr_t pc = uctx_ip(u);
	struct insn_info info;
	u32 insn;
	int n = 0;

	if (fetch_insn(fetch, ctx, pc, &insn))
		return -EFAULT;
	(void)decode(fetch, ctx, pc, &info);
	if (info.flow == FLOW_LINKED)
		n = hal_llsc_exits(decode, fetch, ctx, pc, pcs);
	if (n > 0)
		return n;
	pcs[0] = pc + info.len;
	if (info.flow == FLOW_JUMP || (info.flow == FLOW_BRANCH && is_taken(u, insn)))
		pcs[0] = info.target;
	else if (info.flow == FLOW_INDIRECT)
		pcs[0] = indirect_target(u, insn, pc);
	return 1;
}

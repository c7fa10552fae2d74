/* SPDX-License-Identifier: MIT */
/*
 * hal_next_pcs(): where loongarch64 goes after the instruction at the pc. The CPU cannot step, so a
 * debugger plants breakpoints there.
 *
 * Registers are known, so a branch on them has one successor. A branch on a condition flag has two: the
 * flag may be in the CPU only. An LL/SC sequence has several (<hal/llsc.h>).
 * Source: LoongArch Reference Manual, volume 1, 2.2.5 (branches), 2.2.7 (LL, SC), appendix B.
 */
#include "branch.h"

#include <err.h>
#include <hal/llsc.h>

/* Bits 31:24 */
#define OP_LL_W 0x20
#define OP_SC_W 0x21
#define OP_LL_D 0x22
#define OP_SC_D 0x23

/* Bits 31:15 and 31:10: what version 1.1 of the architecture adds */
#define OP_SC_Q	    0x070ae
#define OP_LLACQ_W  0x0e15e0
#define OP_SCREL_W  0x0e15e1
#define OP_LLACQ_D  0x0e15e2
#define OP_SCREL_D  0x0e15e3
#define OP_BREAK    0x00054
#define OP_SYSCALL  0x00056

/* What is not a branch. */
static enum insn_flow plain_flow(u32 insn)
{
	switch (insn >> 24) {
	case OP_LL_W:
	case OP_LL_D:
		return FLOW_LINKED;
	case OP_SC_W:
	case OP_SC_D:
		return FLOW_CONDITIONAL;
	}
	switch (insn >> 10) {
	case OP_LLACQ_W:
	case OP_LLACQ_D:
		return FLOW_LINKED;
	case OP_SCREL_W:
	case OP_SCREL_D:
		return FLOW_CONDITIONAL;
	}
	switch (insn >> 15) {
	case OP_SC_Q:
		return FLOW_CONDITIONAL;
	case OP_BREAK:
	case OP_SYSCALL:
		return FLOW_INDIRECT;
	}
	return FLOW_NEXT;
}

static int decode(hal_fetch_t fetch, void *ctx, uaddr_t pc, struct insn_info *out)
{
	u32 insn;

	if (fetch(ctx, pc, &insn, sizeof(insn)))
		return -EFAULT;
	*out = (struct insn_info){ .flow = FLOW_BRANCH, .len = 4 };
	switch (branch_op(insn)) {
	case OP_BEQZ:
	case OP_BNEZ:
	case OP_BCXXZ:
		out->target = pc + (uaddr_t)branch_offset21(insn);
		break;
	case OP_BEQ:
	case OP_BNE:
	case OP_BLT:
	case OP_BGE:
	case OP_BLTU:
	case OP_BGEU:
		out->target = pc + (uaddr_t)branch_offset16(insn);
		break;
	case OP_B:
		out->flow = FLOW_JUMP;
		out->target = pc + (uaddr_t)branch_offset26(insn);
		break;
	case OP_BL:
	case OP_JIRL:
		out->flow = FLOW_INDIRECT;
		break;
	default:
		out->flow = plain_flow(insn);
	}
	return 0;
}

static bool is_taken(const struct uctx *u, u32 insn)
{
	return branch_taken(branch_op(insn), u->regs[insn >> 5 & 31], u->regs[insn & 31]);
}

static uaddr_t indirect_target(const struct uctx *u, u32 insn, uaddr_t pc)
{
	switch (branch_op(insn)) {
	case OP_JIRL:
		return u->regs[insn >> 5 & 31] + (uaddr_t)branch_offset16(insn);
	case OP_BL:
		return pc + (uaddr_t)branch_offset26(insn);
	default: /* syscall; break traps */
		return pc + 4;
	}
}

/* A branch to itself that were taken would leave everything as it is: only the way on counts. */
static int flag_branch(uaddr_t pc, uaddr_t target, uaddr_t *pcs)
{
	pcs[0] = pc + 4;
	pcs[1] = target;
	return target == pc || target == pc + 4 ? 1 : 2;
}

int hal_next_pcs(const struct uctx *u, hal_fetch_t fetch, void *ctx, uaddr_t *pcs)
{
	uaddr_t pc = uctx_ip(u);
	struct insn_info info;
	u32 insn;
	int n = 0;

	if (fetch(ctx, pc, &insn, sizeof(insn)) || decode(fetch, ctx, pc, &info))
		return -EFAULT;
	if (info.flow == FLOW_LINKED)
		n = hal_llsc_exits(decode, fetch, ctx, pc, pcs);
	if (n > 0)
		return n;
	if (branch_op(insn) == OP_BCXXZ)
		return flag_branch(pc, info.target, pcs);
	pcs[0] = pc + 4;
	if (info.flow == FLOW_JUMP || (info.flow == FLOW_BRANCH && is_taken(u, insn)))
		pcs[0] = info.target;
	else if (info.flow == FLOW_INDIRECT)
		pcs[0] = indirect_target(u, insn, pc);
	return 1;
}

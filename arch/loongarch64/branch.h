/* SPDX-License-Identifier: MIT */
/*
 * The branches of loongarch64 as probes emulate them and single-steps foresee them: numbers, offsets, conditions.
 *
 * Source: LoongArch Reference Manual, volume 1, 2.2.5 and appendix B. Also builds on the host, for tests.
 */
#pragma once

#include <types.h>

/* Bits 31:26 */
enum {
	OP_BEQZ = 0x10,
	OP_BNEZ = 0x11,
	OP_BCXXZ = 0x12, /* bceqz and bcnez */
	OP_JIRL = 0x13,
	OP_B = 0x14,
	OP_BL = 0x15,
	OP_BEQ = 0x16,
	OP_BNE = 0x17,
	OP_BLT = 0x18,
	OP_BGE = 0x19,
	OP_BLTU = 0x1a,
	OP_BGEU = 0x1b,
};

static inline unsigned int branch_op(u32 insn)
{
	return insn >> 26;
}

/* @v, a number of instructions whose sign is bit @sign, in bytes. */
static inline s64 branch_bytes(u64 v, unsigned int sign)
{
	return (s64)(v << (63 - sign)) >> (61 - sign);
}

/* beq and its like, jirl */
static inline s64 branch_offset16(u32 insn)
{
	return branch_bytes(insn >> 10 & 0xffff, 15);
}

/* beqz, bnez, bceqz, bcnez */
static inline s64 branch_offset21(u32 insn)
{
	return branch_bytes((u64)(insn & 0x1f) << 16 | (insn >> 10 & 0xffff), 20);
}

/* b, bl */
static inline s64 branch_offset26(u32 insn)
{
	return branch_bytes((u64)(insn & 0x3ff) << 16 | (insn >> 10 & 0xffff), 25);
}

/* Whether a branch @op goes its way when its registers rj and rd hold @a and @b; one without a condition does. */
static inline bool branch_taken(unsigned int op, unsigned long a, unsigned long b)
{
	switch (op) {
	case OP_BEQZ:
		return a == 0;
	case OP_BNEZ:
		return a != 0;
	case OP_BEQ:
		return a == b;
	case OP_BNE:
		return a != b;
	case OP_BLT:
		return (long)a < (long)b;
	case OP_BGE:
		return (long)a >= (long)b;
	case OP_BLTU:
		return a < b;
	case OP_BGEU:
		return a >= b;
	default:
		return true;
	}
}

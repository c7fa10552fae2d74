/* SPDX-License-Identifier: MIT */
/*
 * Probes on loongarch64 (<hal/probe.h>): which instructions use the program counter, and what those do.
 *
 * The breakpoint is `break 12`, as in Linux. Load-linked, store-conditional and the atomic memory operations are refused as in Linux; so are
 * breakpoints. Branches on a floating-point condition are executed in the slot, which has a second breakpoint for the way they
 * take. Source: LoongArch Reference Manual, volume 1. Also builds on the host, for tests.
 */
#include "branch.h"
#include "include/arch/uctx.h"

#include <err.h>
#include <hal/probe.h>
#include <lib/string.h>

#define INSN_BREAK 0x002a000cU
#define INSN_B	   0x50000000U

/* What is emulated besides branches; numbers that no branch has. */
enum {
	OP_PCADDI = 1,
	OP_PCALAU12I,
	OP_ADDI,
};

static u32 bits(u32 v, unsigned int hi, unsigned int lo)
{
	return v >> lo & (u32)((1ULL << (hi - lo + 1)) - 1);
}

static s64 sext(u64 v, unsigned int width)
{
	return (s64)(v << (64 - width)) >> (64 - width);
}

static void put32(u8 *out, u32 v)
{
	memcpy(out, &v, 4);
}

static void emulate_as(struct probe_insn *p, unsigned int op, s64 imm)
{
	p->action = PROBE_EMULATE;
	p->op = (u8)op;
	p->imm = imm;
}

/* pcaddi, pcalau12i, pcaddu12i, pcaddu18i */
static void decode_pc_relative(struct probe_insn *p, u32 i)
{
	static const u8 shift[4] = { 2, 12, 12, 18 };
	unsigned int which = bits(i, 26, 25);

	emulate_as(p, which == 1 ? OP_PCALAU12I : OP_PCADDI,
		   sext(bits(i, 24, 5), 20) * (1LL << shift[which]));
}

/* bceqz, bcnez: in the slot the branch leads over the first breakpoint, to the second. */
static void decode_fp_branch(struct probe_insn *p, u32 i)
{
	p->branches = 1;
	p->imm = branch_offset21(i);
	put32(p->slot, (i & 0xfc0003e0) | 2 << 10);
}

static bool decode_branch(struct probe_insn *p, u32 i)
{
	switch (branch_op(i)) {
	case OP_BCXXZ:
		decode_fp_branch(p, i);
		return true;
	case OP_BEQZ:
	case OP_BNEZ:
		emulate_as(p, branch_op(i), branch_offset21(i));
		return true;
	case OP_B:
	case OP_BL:
		emulate_as(p, branch_op(i), branch_offset26(i));
		return true;
	case OP_JIRL:
	case OP_BEQ:
	case OP_BNE:
	case OP_BLT:
	case OP_BGE:
	case OP_BLTU:
	case OP_BGEU:
		emulate_as(p, branch_op(i), branch_offset16(i));
		return true;
	default:
		return false;
	}
}

/* A trap in between makes ll/sc fail; break and dbcl are traps themselves. */
static bool refused(u32 i)
{
	u32 op17 = i >> 15;

	return bits(i, 31, 26) == 8 ||		     /* ll, sc */
	       (op17 >= 0x70c0 && op17 <= 0x70df) || /* am... */
	       (op17 >= 0x70ae && op17 <= 0x70bf) || /* sc.q, llacq, screl, amcas, am.b, am.h */
	       op17 == 0x54 || op17 == 0x55;	     /* break, dbcl */
}

int probe_decode(struct probe_insn *p, const u8 *b, size_t n)
{
	u32 i;

	memset(p, 0, sizeof(*p));
	p->len = p->slot_len = 4;
	if (n < 4)
		return -ENOEXEC;
	memcpy(p->bytes, b, 4);
	memcpy(p->slot, b, 4);
	i = b[0] | (u32)b[1] << 8 | (u32)b[2] << 16 | (u32)b[3] << 24;
	p->rd = (u8)bits(i, 4, 0);
	p->rs = (u8)bits(i, 9, 5);
	if (refused(i))
		return -EINVAL;
	if (i >> 15 == 0x56)
		p->action = PROBE_SYSCALL;
	else if (bits(i, 31, 27) == 3)
		decode_pc_relative(p, i);
	else if (i >> 22 == 0xb) /* addi.d: how functions begin */
		emulate_as(p, OP_ADDI, sext(bits(i, 21, 10), 12));
	else
		(void)decode_branch(p, i);
	return 0;
}

unsigned int probe_align(void)
{
	return 4;
}

unsigned int probe_breakpoint(u8 *out)
{
	put32(out, INSN_BREAK);
	return 4;
}

unsigned long probe_trap_ip(const struct uctx *u)
{
	return u->era;
}

void probe_fill_slot(const struct probe_insn *p, u8 *out)
{
	memset(out, 0, PROBE_SLOT);
	memcpy(out, p->slot, p->slot_len);
	put32(out + p->slot_len, INSN_BREAK);
	put32(out + p->slot_len + 4, INSN_BREAK);
}

static void set_reg(struct uctx *u, unsigned int r, unsigned long v)
{
	if (r)
		u->regs[r] = v;
}

int probe_emulate(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		  const struct probe_mem *mem, struct probe_fault *fault)
{
	unsigned long next = ip + 4, target = ip + (unsigned long)p->imm;
	unsigned long rs = u->regs[p->rs], rd = u->regs[p->rd];

	(void)mem, (void)fault;
	switch (p->op) {
	case OP_PCADDI:
		set_reg(u, p->rd, target);
		break;
	case OP_PCALAU12I:
		set_reg(u, p->rd, target & ~0xfffUL);
		break;
	case OP_ADDI:
		set_reg(u, p->rd, rs + (unsigned long)p->imm);
		break;
	case OP_JIRL:
		set_reg(u, p->rd, next);
		next = rs + (unsigned long)p->imm;
		break;
	default:
		if (branch_taken(p->op, rs, rd))
			next = target;
		if (p->op == OP_BL)
			u->regs[REG_RA] = ip + 4;
		break;
	}
	u->era = next;
	return 0;
}

void probe_slot_enter(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      unsigned long slot, struct probe_saved *saved)
{
	(void)p, (void)ip, (void)saved;
	u->era = slot;
}

bool probe_slot_next(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		     unsigned long slot, unsigned long at, const struct probe_saved *saved)
{
	(void)saved;
	if (at == slot + p->slot_len)
		u->era = ip + p->len;
	else if (p->branches && at == slot + p->slot_len + 4)
		u->era = ip + (unsigned long)p->imm;
	else
		return false;
	return true;
}

void probe_slot_leave(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      const struct probe_saved *saved)
{
	(void)p, (void)saved;
	u->era = ip;
}

void probe_syscall(const struct probe_insn *p, struct uctx *u, unsigned long ip)
{
	u->era = ip + p->len;
	u->orig_a0 = u->regs[REG_A0];
	u->in_syscall = 1;
}

int probe_return_address(const struct uctx *u, const struct probe_mem *mem, unsigned long *out)
{
	(void)mem;
	*out = u->regs[REG_RA];
	return 0;
}

int probe_set_return_address(struct uctx *u, const struct probe_mem *mem, unsigned long addr)
{
	(void)mem;
	u->regs[REG_RA] = addr;
	return 0;
}

int probe_kernel_slot(const struct probe_insn *p, unsigned long ip, unsigned long slot, u8 *out)
{
	s64 d = (s64)(ip + p->len - (slot + p->slot_len));
	u32 off = (u32)(d >> 2);

	/* An addition to sp must not be undone by how traps restore it. */
	if (p->action == PROBE_EMULATE && p->op != OP_ADDI)
		return 1;
	if (p->action == PROBE_SYSCALL || p->branches || d < -(1LL << 27) || d >= 1LL << 27)
		return -EINVAL;
	memset(out, 0, PROBE_SLOT);
	memcpy(out, p->slot, p->slot_len);
	put32(out + p->slot_len, INSN_B | bits(off, 15, 0) << 10 | bits(off, 25, 16));
	return 0;
}

/* "r0" to "r31", and names of the control registers that a trap saves. */
int probe_register(const char *name)
{
	unsigned int n = 0;

	if (!strcmp(name, "csr_era"))
		return offsetof(struct uctx, era);
	if (!strcmp(name, "orig_a0"))
		return offsetof(struct uctx, orig_a0);
	if (name[0] != 'r' || !name[1] || (name[1] == '0' && name[2]))
		return -EINVAL;
	for (name++; *name; name++) {
		if (*name < '0' || *name > '9' || n > 3)
			return -EINVAL;
		n = n * 10 + (unsigned int)(*name - '0');
	}
	return n < 32 ? (int)(offsetof(struct uctx, regs) + 8 * n) : -EINVAL;
}

int probe_argument(unsigned int n)
{
	return n < 8 ? (int)(offsetof(struct uctx, regs) + 8 * (REG_A0 + n)) : -EINVAL;
}

int probe_result(void)
{
	return offsetof(struct uctx, regs) + 8 * REG_A0;
}

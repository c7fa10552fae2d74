/* SPDX-License-Identifier: MIT */
/*
 * Probes on riscv64 (<hal/probe.h>): which instructions use the program counter, and what those do.
 *
 * The breakpoint is c.ebreak, which fits over every instruction. Load-reserved and store-conditional are refused: a trap
 * between them makes the sequence fail for ever. System instructions and fences are refused as Linux does.
 * Source: the RISC-V unprivileged specification, chapters RV32I, A, C. Also builds on the host, for tests.
 */
#include "include/arch/uctx.h"

#include <err.h>
#include <hal/probe.h>
#include <lib/string.h>

#define C_EBREAK 0x9002

#define ACCESS_READ 1

enum { OP_AUIPC, OP_JAL, OP_JALR, OP_BRANCH, OP_ADDI, OP_NONE };

/* Funct3 of the branches. */
enum { BEQ = 0, BNE = 1, BLT = 4, BGE = 5, BLTU = 6, BGEU = 7 };

static u32 bits(u32 v, unsigned int hi, unsigned int lo)
{
	return v >> lo & (u32)((1ULL << (hi - lo + 1)) - 1);
}

static s64 sext(u64 v, unsigned int width)
{
	return (s64)(v << (64 - width)) >> (64 - width);
}

static unsigned long get_reg(const struct uctx *u, unsigned int r)
{
	return r ? u->regs[r] : 0;
}

static void set_reg(struct uctx *u, unsigned int r, unsigned long v)
{
	if (r)
		u->regs[r] = v;
}

static void emulate_as(struct probe_insn *p, unsigned int op, unsigned int rd, unsigned int rs,
		       s64 imm)
{
	p->action = PROBE_EMULATE;
	p->op = (u8)op;
	p->rd = (u8)rd;
	p->rs = (u8)rs;
	p->imm = imm;
}

/* A branch: @size holds the condition. */
static void branch_as(struct probe_insn *p, unsigned int cond, unsigned int rs, unsigned int rt,
		      s64 imm)
{
	emulate_as(p, OP_BRANCH, 0, rs, imm);
	p->rt = (u8)rt;
	p->size = (u8)cond;
}

static s64 imm_b(u32 i)
{
	return sext(bits(i, 31, 31) << 12 | bits(i, 7, 7) << 11 | bits(i, 30, 25) << 5 |
			    bits(i, 11, 8) << 1,
		    13);
}

static s64 imm_j(u32 i)
{
	return sext(bits(i, 31, 31) << 20 | bits(i, 19, 12) << 12 | bits(i, 20, 20) << 11 |
			    bits(i, 30, 21) << 1,
		    21);
}

static int decode_full(struct probe_insn *p, u32 i)
{
	unsigned int rd = bits(i, 11, 7), rs = bits(i, 19, 15), funct3 = bits(i, 14, 12);

	switch (bits(i, 6, 0)) {
	case 0x17:
		emulate_as(p, OP_AUIPC, rd, 0, (s32)(i & 0xfffff000));
		break;
	case 0x6f:
		emulate_as(p, OP_JAL, rd, 0, imm_j(i));
		break;
	case 0x67:
		emulate_as(p, OP_JALR, rd, rs, sext(bits(i, 31, 20), 12));
		return funct3 ? -EINVAL : 0;
	case 0x63:
		branch_as(p, funct3, rs, bits(i, 24, 20), imm_b(i));
		return funct3 == 2 || funct3 == 3 ? -EINVAL : 0;
	case 0x13:
		if (funct3 == 0)
			emulate_as(p, OP_ADDI, rd, rs, sext(bits(i, 31, 20), 12));
		break;
	case 0x2f: /* lr, sc */
		if (bits(i, 31, 27) == 2 || bits(i, 31, 27) == 3)
			return -EINVAL;
		break;
	case 0x73: /* ecall, ebreak, csr */
	case 0x0f: /* fence */
		return -EINVAL;
	default:
		break;
	}
	return 0;
}

static s64 imm_cj(u32 i)
{
	return sext(bits(i, 12, 12) << 11 | bits(i, 8, 8) << 10 | bits(i, 10, 9) << 8 |
			    bits(i, 6, 6) << 7 | bits(i, 7, 7) << 6 | bits(i, 2, 2) << 5 |
			    bits(i, 11, 11) << 4 | bits(i, 5, 3) << 1,
		    12);
}

static s64 imm_cb(u32 i)
{
	return sext(bits(i, 12, 12) << 8 | bits(i, 6, 5) << 6 | bits(i, 2, 2) << 5 |
			    bits(i, 11, 10) << 3 | bits(i, 4, 3) << 1,
		    9);
}

static s64 imm_addi16sp(u32 i)
{
	return sext(bits(i, 12, 12) << 9 | bits(i, 4, 3) << 7 | bits(i, 5, 5) << 6 |
			    bits(i, 2, 2) << 5 | bits(i, 6, 6) << 4,
		    10);
}

/* c.jr, c.jalr, c.ebreak share one encoding with c.mv and c.add, which have a second register. */
static int decode_quadrant2(struct probe_insn *p, u32 i)
{
	unsigned int rs = bits(i, 11, 7);

	if (bits(i, 15, 13) != 4 || bits(i, 6, 2))
		return 0;
	if (!rs) /* c.ebreak, or reserved */
		return -EINVAL;
	emulate_as(p, OP_JALR, bits(i, 12, 12) ? REG_RA : 0, rs, 0);
	return 0;
}

static int decode_compressed(struct probe_insn *p, u32 i)
{
	unsigned int funct3 = bits(i, 15, 13), rs = bits(i, 9, 7) + 8;

	if ((i & 3) == 2)
		return decode_quadrant2(p, i);
	if ((i & 3) != 1)
		return 0;
	if (funct3 == 5)
		emulate_as(p, OP_JAL, 0, 0, imm_cj(i));
	else if (funct3 == 6 || funct3 == 7)
		branch_as(p, funct3 == 6 ? BEQ : BNE, rs, 0, imm_cb(i));
	else if (funct3 == 3 && bits(i, 11, 7) == REG_SP && imm_addi16sp(i))
		emulate_as(p, OP_ADDI, REG_SP, REG_SP, imm_addi16sp(i));
	else if (funct3 == 0 && bits(i, 11, 7))
		emulate_as(p, OP_ADDI, bits(i, 11, 7), bits(i, 11, 7),
			   sext(bits(i, 12, 12) << 5 | bits(i, 6, 2), 6));
	return 0;
}

int probe_decode(struct probe_insn *p, const u8 *b, size_t n)
{
	u32 insn;
	int r;

	memset(p, 0, sizeof(*p));
	p->op = OP_NONE;
	if (n < 2)
		return -ENOEXEC;
	p->len = (b[0] & 3) == 3 ? 4 : 2;
	if (n < p->len || (b[0] & 0x1f) == 0x1f)
		return -EINVAL;
	memcpy(p->bytes, b, p->len);
	memcpy(p->slot, b, p->len);
	p->slot_len = p->len;
	insn = b[0] | (u32)b[1] << 8;
	if (p->len == 4)
		insn |= (u32)b[2] << 16 | (u32)b[3] << 24;
	r = p->len == 4 ? decode_full(p, insn) : decode_compressed(p, insn);
	return r;
}

unsigned int probe_align(void)
{
	return 2;
}

unsigned int probe_breakpoint(u8 *out)
{
	out[0] = C_EBREAK & 0xff;
	out[1] = C_EBREAK >> 8;
	return 2;
}

unsigned long probe_trap_ip(const struct uctx *u)
{
	return u->regs[REG_PC];
}

void probe_fill_slot(const struct probe_insn *p, u8 *out)
{
	memset(out, 0, PROBE_SLOT);
	memcpy(out, p->slot, p->slot_len);
	probe_breakpoint(out + p->slot_len);
}

static bool branch_taken(unsigned int cond, unsigned long a, unsigned long b)
{
	switch (cond) {
	case BEQ:
		return a == b;
	case BNE:
		return a != b;
	case BLT:
		return (long)a < (long)b;
	case BGE:
		return (long)a >= (long)b;
	case BLTU:
		return a < b;
	default:
		return a >= b;
	}
}

int probe_emulate(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		  const struct probe_mem *mem, struct probe_fault *fault)
{
	unsigned long next = ip + p->len, rs = get_reg(u, p->rs);

	(void)mem, (void)fault;
	switch (p->op) {
	case OP_AUIPC:
		set_reg(u, p->rd, ip + (unsigned long)p->imm);
		break;
	case OP_JAL:
		set_reg(u, p->rd, next);
		next = ip + (unsigned long)p->imm;
		break;
	case OP_JALR:
		set_reg(u, p->rd, next);
		next = (rs + (unsigned long)p->imm) & ~1UL;
		break;
	case OP_BRANCH:
		if (branch_taken(p->size, rs, get_reg(u, p->rt)))
			next = ip + (unsigned long)p->imm;
		break;
	case OP_ADDI:
		set_reg(u, p->rd, rs + (unsigned long)p->imm);
		break;
	default:
		break;
	}
	u->regs[REG_PC] = next;
	return 0;
}

void probe_slot_enter(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      unsigned long slot, struct probe_saved *saved)
{
	(void)p, (void)ip, (void)saved;
	u->regs[REG_PC] = slot;
}

bool probe_slot_next(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		     unsigned long slot, unsigned long at, const struct probe_saved *saved)
{
	(void)saved;
	if (at != slot + p->slot_len)
		return false;
	u->regs[REG_PC] = ip + p->len;
	return true;
}

void probe_slot_leave(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      const struct probe_saved *saved)
{
	(void)p, (void)saved;
	u->regs[REG_PC] = ip;
}

void probe_syscall(const struct probe_insn *p, struct uctx *u, unsigned long ip)
{
	u->regs[REG_PC] = ip + p->len;
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

static void put32(u8 *out, u32 v)
{
	memcpy(out, &v, 4);
}

/* jal reaches 1 MiB to both sides. */
int probe_kernel_slot(const struct probe_insn *p, unsigned long ip, unsigned long slot, u8 *out)
{
	s64 d = (s64)(ip + p->len - (slot + p->slot_len));
	u32 imm = (u32)d;

	/* An addition to sp must not be undone by how traps restore it. */
	if (p->action == PROBE_EMULATE && p->op != OP_ADDI)
		return 1;
	if (p->action == PROBE_SYSCALL || d < -(1 << 20) || d >= 1 << 20)
		return -EINVAL;
	memset(out, 0, PROBE_SLOT);
	memcpy(out, p->slot, p->slot_len);
	put32(out + p->slot_len, 0x6f | bits(imm, 20, 20) << 31 | bits(imm, 10, 1) << 21 |
					 bits(imm, 11, 11) << 20 | bits(imm, 19, 12) << 12);
	return 0;
}

static const char reg_names[32][8] = {
	"epc", "ra", "sp", "gp", "tp",	"t0",  "t1", "t2", "s0", "s1", "a0",
	"a1",  "a2", "a3", "a4", "a5",	"a6",  "a7", "s2", "s3", "s4", "s5",
	"s6",  "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

int probe_register(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(reg_names); i++)
		if (!strcmp(name, reg_names[i]))
			return (int)(offsetof(struct uctx, regs) + 8 * i);
	return !strcmp(name, "orig_a0") ? (int)offsetof(struct uctx, orig_a0) : -EINVAL;
}

int probe_argument(unsigned int n)
{
	return n < 8 ? (int)(offsetof(struct uctx, regs) + 8 * (REG_A0 + n)) : -EINVAL;
}

int probe_result(void)
{
	return offsetof(struct uctx, regs) + 8 * REG_A0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Probes on aarch64 (<hal/probe.h>): which instructions use the program counter, and what those do.
 *
 * The breakpoint is `brk #5`, as in Linux. Refused: exclusives (a trap clears the monitor, and their loop would never end), what raises
 * exceptions or waits, branches with pointer authentication. Loads of literals into general registers are emulated, those into vector
 * registers executed with their address in a scratch register. Source: Arm ARM, C4.1. Also builds on the host, for tests.
 */
#include "include/arch/uctx.h"

#include <err.h>
#include <hal/probe.h>
#include <lib/string.h>

#define BRK_UPROBE 0xd42000a0U
#define INSN_B	   0x14000000U
#define ACCESS_READ 1
#define XZR 31

enum { OP_NOP, OP_ADR, OP_ADRP, OP_B, OP_BL, OP_BCOND, OP_CBZ, OP_TBZ, OP_BR, OP_BLR, OP_LDR };

static u32 bits(u32 v, unsigned int hi, unsigned int lo)
{
	return v >> lo & (u32)((1ULL << (hi - lo + 1)) - 1);
}

static s64 sext(u64 v, unsigned int width)
{
	return (s64)(v << (64 - width)) >> (64 - width);
}

static void emulate_as(struct probe_insn *p, unsigned int op, s64 imm)
{
	p->action = PROBE_EMULATE;
	p->op = (u8)op;
	p->imm = imm;
}

static void put32(u8 *out, u32 v)
{
	memcpy(out, &v, 4);
}

/* ldr Vt, label: becomes ldr Vt, [x16], with the address in x16. */
static int decode_vector_literal(struct probe_insn *p, u32 i)
{
	static const u32 load[3] = { 0xbd400000, 0xfd400000, 0x3dc00000 };

	if (bits(i, 31, 30) == 3)
		return -EINVAL;
	p->uses_scratch = 1;
	p->scratch = 16;
	p->imm = sext(bits(i, 23, 5), 19) * 4;
	put32(p->slot, load[bits(i, 31, 30)] | 16 << 5 | bits(i, 4, 0));
	return 0;
}

static int decode_literal(struct probe_insn *p, u32 i)
{
	if (bits(i, 26, 26))
		return decode_vector_literal(p, i);
	emulate_as(p, OP_LDR, sext(bits(i, 23, 5), 19) * 4);
	p->rd = (u8)bits(i, 4, 0);
	p->size = (u8)bits(i, 31, 30); /* 0: 32 bits, 1: 64, 2: 32 signed, 3: prefetch */
	return 0;
}

/* System instructions: hints that do nothing, authentication of return addresses, barriers, caches, registers. */
static int decode_system(struct probe_insn *p, u32 i)
{
	unsigned int hint = bits(i, 11, 5);

	if ((i & 0xfffff01f) == 0xd503201f) {
		if (hint == 0 || (hint & ~6u) == 32) { /* nop, bti */
			emulate_as(p, OP_NOP, 0);
			return 0;
		}
		/* paciasp and its like, xpaclri */
		return (hint >= 24 && hint <= 31) || hint == 7 || hint == 8 || hint == 10 ||
				       hint == 12 || hint == 14
			       ? 0
			       : -EINVAL;
	}
	if (bits(i, 21, 19) == 0 && bits(i, 15, 12) == 4) /* msr of an immediate: DAIF, SP, ... */
		return -EINVAL;
	if ((i & 0xfffff0ff) == 0xd503305f) /* clrex */
		return 0;
	if (bits(i, 21, 5) == 0x1da11 || bits(i, 20, 5) == 0xda11) /* mrs, msr of DAIF */
		return -EINVAL;
	return 0;
}

static int decode_register_branch(struct probe_insn *p, u32 i)
{
	switch (i & 0xfffffc1f) {
	case 0xd61f0000: /* br */
	case 0xd65f0000: /* ret */
		emulate_as(p, OP_BR, 0);
		break;
	case 0xd63f0000:
		emulate_as(p, OP_BLR, 0);
		break;
	default: /* eret, drps, those with authentication */
		return -EINVAL;
	}
	p->rs = (u8)bits(i, 9, 5);
	return 0;
}

static int decode_branch(struct probe_insn *p, u32 i)
{
	if (bits(i, 30, 26) == 5) {
		emulate_as(p, i >> 31 ? OP_BL : OP_B, sext(bits(i, 25, 0), 26) * 4);
	} else if (bits(i, 30, 25) == 0x1a) {
		emulate_as(p, OP_CBZ, sext(bits(i, 23, 5), 19) * 4);
		p->size = (u8)bits(i, 31, 31);
	} else if (bits(i, 30, 25) == 0x1b) {
		emulate_as(p, OP_TBZ, sext(bits(i, 18, 5), 14) * 4);
		p->size = (u8)(bits(i, 31, 31) << 5 | bits(i, 23, 19));
	} else if (bits(i, 31, 24) == 0x54) {
		emulate_as(p, OP_BCOND, sext(bits(i, 23, 5), 19) * 4);
		p->size = (u8)bits(i, 3, 0);
	} else if (bits(i, 31, 22) == 0x354) {
		return decode_system(p, i);
	} else if (bits(i, 31, 25) == 0x6b) {
		return decode_register_branch(p, i);
	} else { /* svc, hvc, smc, brk, hlt, ... */
		return -EINVAL;
	}
	p->rt = (u8)bits(i, 4, 0);
	p->rd = (u8)bits(i, 24, 24); /* cbnz, tbnz */
	return 0;
}

static void decode_adr(struct probe_insn *p, u32 i)
{
	s64 imm = sext(bits(i, 23, 5) << 2 | bits(i, 30, 29), 21);

	if (i >> 31)
		emulate_as(p, OP_ADRP, imm * 4096);
	else
		emulate_as(p, OP_ADR, imm);
	p->rd = (u8)bits(i, 4, 0);
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
	if (bits(i, 28, 24) == 0x10) {
		decode_adr(p, i);
		return 0;
	}
	if (bits(i, 28, 26) == 5)
		return decode_branch(p, i);
	if (bits(i, 29, 27) == 3 && bits(i, 25, 24) == 0)
		return decode_literal(p, i);
	/* Exclusive loads and stores, compare-and-swap of pairs. */
	if (bits(i, 29, 23) == 0x10)
		return -EINVAL;
	return 0;
}

unsigned int probe_align(void)
{
	return 4;
}

unsigned int probe_breakpoint(u8 *out)
{
	put32(out, BRK_UPROBE);
	return 4;
}

unsigned long probe_trap_ip(const struct uctx *u)
{
	return u->pc;
}

void probe_fill_slot(const struct probe_insn *p, u8 *out)
{
	memset(out, 0, PROBE_SLOT);
	memcpy(out, p->slot, p->slot_len);
	put32(out + p->slot_len, BRK_UPROBE);
}

static u64 get_x(const struct uctx *u, unsigned int r)
{
	return r == XZR ? 0 : u->x[r];
}

static void set_x(struct uctx *u, unsigned int r, u64 v)
{
	if (r != XZR)
		u->x[r] = v;
}

static bool condition(u64 pstate, unsigned int cond)
{
	bool n = pstate >> 31 & 1, z = pstate >> 30 & 1, c = pstate >> 29 & 1, v = pstate >> 28 & 1;
	bool r;

	switch (cond >> 1) {
	case 0:
		r = z;
		break;
	case 1:
		r = c;
		break;
	case 2:
		r = n;
		break;
	case 3:
		r = v;
		break;
	case 4:
		r = c && !z;
		break;
	case 5:
		r = n == v;
		break;
	case 6:
		r = n == v && !z;
		break;
	default:
		return true;
	}
	return r != (cond & 1);
}

static bool branch_taken(const struct probe_insn *p, const struct uctx *u)
{
	u64 v = get_x(u, p->rt);

	switch (p->op) {
	case OP_BCOND:
		return condition(u->pstate, p->size);
	case OP_CBZ:
		return ((p->size ? v : (u32)v) == 0) != p->rd;
	case OP_TBZ:
		return (v >> p->size & 1) == p->rd;
	default:
		return true;
	}
}

static int load_literal(const struct probe_insn *p, struct uctx *u, u64 addr,
			const struct probe_mem *mem, struct probe_fault *fault)
{
	u64 v = 0;

	if (p->size == 3)
		return 0;
	if (mem->get(addr, &v, p->size == 1 ? 8 : 4)) {
		*fault = (struct probe_fault){ addr, ACCESS_READ };
		return -EFAULT;
	}
	set_x(u, p->rd, p->size == 2 ? (u64)(s32)v : v);
	return 0;
}

int probe_emulate(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		  const struct probe_mem *mem, struct probe_fault *fault)
{
	u64 next = ip + 4, target = ip + (u64)p->imm;

	u->pc = ip;
	switch (p->op) {
	case OP_ADR:
		set_x(u, p->rd, target);
		break;
	case OP_ADRP:
		set_x(u, p->rd, (ip & ~0xfffUL) + (u64)p->imm);
		break;
	case OP_LDR:
		if (load_literal(p, u, target, mem, fault))
			return -EFAULT;
		break;
	case OP_BR:
	case OP_BLR:
		target = get_x(u, p->rs);
		if (p->op == OP_BLR)
			u->x[30] = next;
		next = target;
		break;
	case OP_B:
	case OP_BL:
	case OP_BCOND:
	case OP_CBZ:
	case OP_TBZ:
		if (branch_taken(p, u))
			next = target;
		if (p->op == OP_BL)
			u->x[30] = ip + 4;
		break;
	default:
		break;
	}
	u->pc = next;
	return 0;
}

void probe_slot_enter(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      unsigned long slot, struct probe_saved *saved)
{
	if (p->uses_scratch) {
		saved->scratch = u->x[p->scratch];
		u->x[p->scratch] = ip + (unsigned long)p->imm;
	}
	u->pc = slot;
}

void probe_slot_leave(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      const struct probe_saved *saved)
{
	if (p->uses_scratch)
		u->x[p->scratch] = saved->scratch;
	u->pc = ip;
}

bool probe_slot_next(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		     unsigned long slot, unsigned long at, const struct probe_saved *saved)
{
	if (at != slot + p->slot_len)
		return false;
	probe_slot_leave(p, u, ip + p->len, saved);
	return true;
}

void probe_syscall(const struct probe_insn *p, struct uctx *u, unsigned long ip)
{
	u->pc = ip + p->len;
}

int probe_return_address(const struct uctx *u, const struct probe_mem *mem, unsigned long *out)
{
	(void)mem;
	*out = u->x[30];
	return 0;
}

int probe_set_return_address(struct uctx *u, const struct probe_mem *mem, unsigned long addr)
{
	(void)mem;
	u->x[30] = addr;
	return 0;
}

int probe_kernel_slot(const struct probe_insn *p, unsigned long ip, unsigned long slot, u8 *out)
{
	s64 d = (s64)(ip + p->len - (slot + p->slot_len));

	if (p->action == PROBE_EMULATE)
		return 1;
	if (p->action != PROBE_XOL || p->uses_scratch || d < -(1LL << 27) || d >= 1LL << 27)
		return -EINVAL;
	memset(out, 0, PROBE_SLOT);
	memcpy(out, p->slot, p->slot_len);
	put32(out + p->slot_len, INSN_B | ((u32)(d >> 2) & 0x3ffffff));
	return 0;
}

int probe_register(const char *name)
{
	unsigned int n = 0;

	if (!strcmp(name, "sp"))
		return offsetof(struct uctx, sp);
	if (!strcmp(name, "pc"))
		return offsetof(struct uctx, pc);
	if (!strcmp(name, "pstate"))
		return offsetof(struct uctx, pstate);
	if (!strcmp(name, "lr"))
		return offsetof(struct uctx, x) + 8 * 30;
	if (name[0] != 'x' || !name[1] || (name[1] == '0' && name[2]))
		return -EINVAL;
	for (name++; *name; name++) {
		if (*name < '0' || *name > '9' || n > 3)
			return -EINVAL;
		n = n * 10 + (unsigned int)(*name - '0');
	}
	return n < 31 ? (int)(offsetof(struct uctx, x) + 8 * n) : -EINVAL;
}

int probe_argument(unsigned int n)
{
	return n < 8 ? (int)(offsetof(struct uctx, x) + 8 * n) : -EINVAL;
}

int probe_result(void)
{
	return offsetof(struct uctx, x);
}

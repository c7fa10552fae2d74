/* SPDX-License-Identifier: MIT */
/*
 * Probes on x86_64 (<hal/probe.h>): which instructions use the program counter, and what those do.
 *
 * Calls, jumps, returns and loops are emulated, so is what begins most functions (push, endbr64). Everything else is executed in
 * a slot; an operand relative to rip becomes one relative to a register that the instruction does not use. The
 * kernel's slots lie in its own image, so there rip-relative operands become absolute ones.
 * Refused as Linux does, with its ENOTSUPP: breakpoints, far transfers, in and out, cli, sti, hlt.
 * Source: Intel SDM volume 2. Also builds on the host, for tests.
 */
#include "include/arch/uctx.h"
#include "insn.h"

#include <err.h>
#include <hal/probe.h>
#include <lib/string.h>

#define ACCESS_READ  1
#define ACCESS_WRITE 2

#define FLAG_CF 0x001
#define FLAG_PF 0x004
#define FLAG_ZF 0x040
#define FLAG_SF 0x080
#define FLAG_OF 0x800

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
#define NO_REG 0xff

enum {
	OP_NONE,
	OP_NOP,
	OP_CALL,
	OP_JMP,
	OP_JCC,	     /* size: condition */
	OP_LOOP,     /* size: opcode, e0 to e3 */
	OP_RET,	     /* imm: bytes to pop behind the address */
	OP_PUSH,     /* rs */
	OP_CALL_IND, /* through a register or memory, decoded again */
	OP_JMP_IND,
};

/* ---- registers ---- */

static const u8 reg_offset[16] = {
	offsetof(struct uctx, ax),  offsetof(struct uctx, cx),	offsetof(struct uctx, dx),
	offsetof(struct uctx, bx),  offsetof(struct uctx, sp),	offsetof(struct uctx, bp),
	offsetof(struct uctx, si),  offsetof(struct uctx, di),	offsetof(struct uctx, r8),
	offsetof(struct uctx, r9),  offsetof(struct uctx, r10), offsetof(struct uctx, r11),
	offsetof(struct uctx, r12), offsetof(struct uctx, r13), offsetof(struct uctx, r14),
	offsetof(struct uctx, r15),
};

static u64 *reg_ptr(const struct uctx *u, unsigned int r)
{
	return (u64 *)((char *)u + reg_offset[r & 15]);
}

/* ---- decoding ---- */

static void emulate_as(struct probe_insn *p, unsigned int op, s64 imm)
{
	p->action = PROBE_EMULATE;
	p->op = (u8)op;
	p->imm = imm;
}

static s64 immediate(const struct probe_insn *p, const struct x86_insn *x)
{
	u64 v = 0;

	memcpy(&v, p->bytes + x->imm_at, x->imm_len < 8 ? x->imm_len : 8);
	return x->imm_len == 1 ? (s8)v : x->imm_len == 4 ? (s32)v : (s64)v;
}

/* A branch relative to the next instruction. 66 changes the size of its displacement on some CPUs: refused, as in Linux. */
static int branch_as(struct probe_insn *p, const struct x86_insn *x, unsigned int op,
		     unsigned int cond)
{
	emulate_as(p, op, immediate(p, x) + p->len);
	p->size = (u8)cond;
	return x->opsize ? -PROBE_ENOTSUPP : 0;
}

static int decode_group5(struct probe_insn *p, const struct x86_insn *x)
{
	switch (x86_reg(x)) {
	case 2:
	case 4:
		emulate_as(p, x86_reg(x) == 2 ? OP_CALL_IND : OP_JMP_IND, 0);
		return x->opsize ? -PROBE_ENOTSUPP : 0;
	case 3: /* far */
	case 5:
	case 7:
		return -PROBE_ENOTSUPP;
	default:
		return 0;
	}
}

/* Opcodes of the first map that have a meaning of their own here. */
static int decode_one(struct probe_insn *p, const struct x86_insn *x)
{
	u8 o = x->opcode;

	if (o >= 0x70 && o <= 0x7f)
		return branch_as(p, x, OP_JCC, o & 15);
	if (o >= 0x50 && o <= 0x57 && !x->opsize) {
		emulate_as(p, OP_PUSH, 0);
		p->rs = (u8)((o & 7) | (x->rex & 1) << 3);
		return 0;
	}
	switch (o) {
	case 0x90:
		if (!(x->rex & 1))
			emulate_as(p, OP_NOP, 0);
		return 0;
	case 0xc2:
		emulate_as(p, OP_RET, (u16)immediate(p, x));
		return x->opsize ? -PROBE_ENOTSUPP : 0;
	case 0xc3:
		emulate_as(p, OP_RET, 0);
		return x->opsize ? -PROBE_ENOTSUPP : 0;
	case 0xe0:
	case 0xe1:
	case 0xe2:
	case 0xe3:
		return branch_as(p, x, OP_LOOP, o);
	case 0xe8:
		return branch_as(p, x, OP_CALL, 0);
	case 0xe9:
	case 0xeb:
		return branch_as(p, x, OP_JMP, 0);
	case 0xc7: /* xbegin is a branch */
		return x86_mod(x) == 3 && x86_reg(x) == 7 ? -PROBE_ENOTSUPP : 0;
	case 0xff:
		return decode_group5(p, x);
	case 0x6c ... 0x6f: /* ins, outs */
	case 0xca ... 0xcd: /* far returns, breakpoints */
	case 0xcf:
	case 0xe4 ... 0xe7: /* in, out */
	case 0xec ... 0xef:
	case 0xf1: /* int1, hlt, cli, sti */
	case 0xf4:
	case 0xfa:
	case 0xfb:
		return -PROBE_ENOTSUPP;
	default:
		return 0;
	}
}

static int decode_two(struct probe_insn *p, const struct x86_insn *x)
{
	u8 o = x->opcode;

	if (o >= 0x80 && o <= 0x8f)
		return branch_as(p, x, OP_JCC, o & 15);
	if (o == 0x05)
		p->action = PROBE_SYSCALL;
	if (o == 0x1f || (o == 0x1e && x->rep && x->modrm == 0xfa)) /* nop, endbr64 */
		emulate_as(p, OP_NOP, 0);
	/* sysret, sysenter, sysexit */
	return o == 0x07 || o == 0x34 || o == 0x35 ? -PROBE_ENOTSUPP : 0;
}

/* A register for the address of a rip-relative operand: neither named by the instruction nor used by one with such an operand. */
static unsigned int pick_scratch(const struct x86_insn *x)
{
	static const u8 candidate[] = { RSI, RDI, RBX };
	unsigned int reg = x86_reg(x) | (x->rex << 1 & 8);

	for (unsigned int i = 0; i < ARRAY_SIZE(candidate); i++)
		if (candidate[i] != reg && candidate[i] != x->vvvv)
			return candidate[i];
	return NO_REG;
}

/* Take the extension of ModRM.rm (REX.B; also X where EVEX gives it a meaning) back from the slot's prefix. */
static void clear_rm_extension(u8 *slot, const struct x86_insn *x)
{
	u8 *prefix = slot + x->prefix_at;

	if (!x->prefix_len)
		return;
	if (!x->vex)
		prefix[0] &= (u8)~1;
	else if (x->prefix_len == 4)
		prefix[1] |= 0x60; /* stored inverted */
	else if (x->prefix_len == 3)
		prefix[1] |= 0x20;
}

static int make_scratch(struct probe_insn *p, const struct x86_insn *x)
{
	unsigned int reg = pick_scratch(x);

	if (reg == NO_REG)
		return -PROBE_ENOTSUPP;
	p->uses_scratch = 1;
	p->scratch = (u8)reg;
	p->imm = p->len;
	p->slot[x->modrm_at] = (u8)(0x80 | (x->modrm & 0x38) | reg);
	clear_rm_extension(p->slot, x);
	return 0;
}

int probe_decode(struct probe_insn *p, const u8 *b, size_t n)
{
	struct x86_insn x;
	int r;

	memset(p, 0, sizeof(*p));
	r = x86_insn_decode(&x, b, n);
	if (r)
		return r;
	p->len = p->slot_len = x.len;
	memcpy(p->bytes, b, x.len);
	memcpy(p->slot, b, x.len);
	if (x.map == MAP_ONE)
		r = decode_one(p, &x);
	else if (x.map == MAP_0F)
		r = decode_two(p, &x);
	if (!r && p->action == PROBE_XOL && x86_rip_relative(&x))
		r = make_scratch(p, &x);
	return r;
}

unsigned int probe_align(void)
{
	return 1;
}

unsigned int probe_breakpoint(u8 *out)
{
	out[0] = 0xcc;
	return 1;
}

/* The CPU has gone over it. */
unsigned long probe_trap_ip(const struct uctx *u)
{
	return u->ip - 1;
}

void probe_fill_slot(const struct probe_insn *p, u8 *out)
{
	memset(out, 0xcc, PROBE_SLOT);
	memcpy(out, p->slot, p->slot_len);
}

/* ---- emulation ---- */

static bool condition(u64 flags, unsigned int cond)
{
	bool r, less = !(flags & FLAG_SF) != !(flags & FLAG_OF);

	switch (cond >> 1) {
	case 0:
		r = flags & FLAG_OF;
		break;
	case 1:
		r = flags & FLAG_CF;
		break;
	case 2:
		r = flags & FLAG_ZF;
		break;
	case 3:
		r = flags & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		r = flags & FLAG_SF;
		break;
	case 5:
		r = flags & FLAG_PF;
		break;
	case 6:
		r = less;
		break;
	default:
		r = less || (flags & FLAG_ZF);
		break;
	}
	return r != (cond & 1);
}

/* loopne, loope, loop count rcx (or ecx) down; jrcxz only looks at it. */
static bool loop_taken(const struct probe_insn *p, struct uctx *u, bool narrow)
{
	u64 count = narrow ? (u32)u->cx : u->cx;

	if (p->size == 0xe3)
		return count == 0;
	count = narrow ? (u32)(count - 1) : count - 1;
	u->cx = count;
	if (p->size == 0xe2)
		return count != 0;
	return count && !(u->flags & FLAG_ZF) == (p->size == 0xe0);
}

static u64 memory_operand(const struct x86_insn *x, const struct uctx *u, u64 next)
{
	u64 addr = (u64)x->disp;
	unsigned int index;

	if (x86_rip_relative(x)) {
		addr += next;
	} else if (x->sib_at) {
		if ((x->sib & 7) != 5 || x86_mod(x) != 0)
			addr += *reg_ptr(u, (x->sib & 7) | (x->rex << 3 & 8));
		index = (x->sib >> 3 & 7) | (x->rex << 2 & 8);
		if (index != RSP)
			addr += *reg_ptr(u, index) << (x->sib >> 6);
	} else {
		addr += *reg_ptr(u, x86_rm(x) | (x->rex << 3 & 8));
	}
	if (x->addrsize)
		addr = (u32)addr;
	if (x->segment)
		addr += x->segment == 0x64 ? x86_fs_base(u) : x86_gs_base(u);
	return addr;
}

static int fail(struct probe_fault *fault, u64 addr, unsigned int access)
{
	*fault = (struct probe_fault){ addr, access };
	return -EFAULT;
}

/* Where an indirect call or jump leads. */
static int indirect_target(const struct probe_insn *p, const struct uctx *u, unsigned long ip,
			   const struct probe_mem *mem, struct probe_fault *fault, u64 *target)
{
	struct x86_insn x;
	u64 addr;

	if (x86_insn_decode(&x, p->bytes, p->len))
		return fail(fault, ip, ACCESS_READ);
	if (x86_mod(&x) == 3) {
		*target = *reg_ptr(u, x86_rm(&x) | (x.rex << 3 & 8));
		return 0;
	}
	addr = memory_operand(&x, u, ip + p->len);
	return mem->get(addr, target, 8) ? fail(fault, addr, ACCESS_READ) : 0;
}

static int push(struct uctx *u, u64 v, const struct probe_mem *mem, struct probe_fault *fault)
{
	if (mem->put(u->sp - 8, v))
		return fail(fault, u->sp - 8, ACCESS_WRITE);
	u->sp -= 8;
	return 0;
}

static bool has_addrsize(const struct probe_insn *p)
{
	for (unsigned int i = 0; i + 2 < p->len; i++)
		if (p->bytes[i] == 0x67)
			return true;
	return false;
}

int probe_emulate(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		  const struct probe_mem *mem, struct probe_fault *fault)
{
	u64 next = ip + p->len, target = ip + (u64)p->imm;
	int r = 0;

	u->ip = ip;
	switch (p->op) {
	case OP_CALL_IND:
	case OP_JMP_IND:
		r = indirect_target(p, u, ip, mem, fault, &target);
		if (!r && p->op == OP_CALL_IND)
			r = push(u, next, mem, fault);
		break;
	case OP_CALL:
		r = push(u, next, mem, fault);
		break;
	case OP_JMP:
		break;
	case OP_JCC:
		if (!condition(u->flags, p->size))
			target = next;
		break;
	case OP_LOOP:
		if (!loop_taken(p, u, has_addrsize(p)))
			target = next;
		break;
	case OP_RET:
		r = mem->get(u->sp, &target, 8) ? fail(fault, u->sp, ACCESS_READ) : 0;
		if (!r)
			u->sp += 8 + (u64)p->imm;
		break;
	case OP_PUSH:
		r = push(u, *reg_ptr(u, p->rs), mem, fault);
		target = next;
		break;
	default:
		target = next;
		break;
	}
	if (!r)
		u->ip = target;
	return r;
}

/* ---- slots ---- */

void probe_slot_enter(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      unsigned long slot, struct probe_saved *saved)
{
	if (p->uses_scratch) {
		saved->scratch = *reg_ptr(u, p->scratch);
		*reg_ptr(u, p->scratch) = ip + (u64)p->imm;
	}
	u->ip = slot;
}

void probe_slot_leave(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		      const struct probe_saved *saved)
{
	if (p->uses_scratch)
		*reg_ptr(u, p->scratch) = saved->scratch;
	u->ip = ip;
}

bool probe_slot_next(const struct probe_insn *p, struct uctx *u, unsigned long ip,
		     unsigned long slot, unsigned long at, const struct probe_saved *saved)
{
	if (at != slot + p->slot_len)
		return false;
	probe_slot_leave(p, u, ip + p->len, saved);
	return true;
}

/* rcx and r11 as the instruction leaves them; the rest as the entry code does. */
void probe_syscall(const struct probe_insn *p, struct uctx *u, unsigned long ip)
{
	u->ip = ip + p->len;
	u->cx = u->ip;
	u->r11 = u->flags;
	u->orig_ax = u->ax;
	u->ax = (u64)-ENOSYS;
}

int probe_return_address(const struct uctx *u, const struct probe_mem *mem, unsigned long *out)
{
	u64 v;

	if (mem->get(u->sp, &v, 8))
		return -EFAULT;
	*out = v;
	return 0;
}

int probe_set_return_address(struct uctx *u, const struct probe_mem *mem, unsigned long addr)
{
	return mem->put(u->sp, addr);
}

/* ---- the kernel's slots ---- */

static void put32(u8 *out, u32 v)
{
	memcpy(out, &v, 4);
}

static bool fits32(u64 v)
{
	return (s64)(s32)v == (s64)v;
}

/* At @out, which will stand at @at: jmp @to. Five bytes. */
static void put_jmp(u8 *out, u64 at, u64 to)
{
	out[0] = 0xe9;
	put32(out + 1, (u32)(to - at - 5));
}

/* push @addr, an address of the kernel image: sign-extended 32 bits. */
static void put_push(u8 *out, u64 addr)
{
	out[0] = 0x68;
	put32(out + 1, (u32)addr);
}

/* A call pushes what is not the slot's address, then jumps. */
static int kernel_call(const struct probe_insn *p, u64 ip, u64 slot, u8 *out)
{
	struct x86_insn x;

	put_push(out, ip + p->len);
	if (p->op == OP_CALL) {
		put_jmp(out + 5, slot + 5, ip + (u64)p->imm);
		return 0;
	}
	if (x86_insn_decode(&x, p->bytes, p->len) || x86_rip_relative(&x))
		return -EINVAL;
	/* The operand is evaluated after the push: it must not depend on rsp. */
	if ((x.sib_at ? x.sib & 7 : x86_rm(&x)) == RSP && !(x.rex & 1))
		return -EINVAL;
	memcpy(out + 5, p->bytes, p->len);
	out[5 + x.modrm_at] = (u8)((x.modrm & ~0x38) | 4 << 3);
	return 0;
}

/* The operand at rip + disp becomes one at an absolute address, which takes a SIB byte. */
static int kernel_absolute(const struct probe_insn *p, u64 ip, u8 *out, unsigned int *len)
{
	struct x86_insn x;
	u64 addr;

	if (x86_insn_decode(&x, p->bytes, p->len))
		return -EINVAL;
	addr = ip + p->len + (u64)x.disp;
	if (!fits32(addr))
		return -EINVAL;
	memcpy(out, p->bytes, x.modrm_at);
	out[x.modrm_at] = (u8)((x.modrm & 0x38) | 4);
	out[x.modrm_at + 1] = 0x25;
	put32(out + x.modrm_at + 2, (u32)addr);
	memcpy(out + x.modrm_at + 6, p->bytes + x.imm_at, x.imm_len);
	*len = p->len + 1;
	return 0;
}

int probe_kernel_slot(const struct probe_insn *p, unsigned long ip, unsigned long slot, u8 *out)
{
	unsigned int len = p->len;

	memset(out, 0xcc, PROBE_SLOT);
	if (!fits32(ip) || !fits32(slot) || p->action == PROBE_SYSCALL)
		return -EINVAL;
	if (p->op == OP_CALL || p->op == OP_CALL_IND)
		return kernel_call(p, ip, slot, out);
	/* A push would overwrite the frame of the trap, were it emulated. */
	if (p->action == PROBE_EMULATE && p->op != OP_PUSH)
		return 1;
	if (!p->uses_scratch)
		memcpy(out, p->bytes, p->len);
	else if (kernel_absolute(p, ip, out, &len))
		return -EINVAL;
	put_jmp(out + len, slot + len, ip + p->len);
	return 0;
}

/* ---- names ---- */

static const struct {
	char name[8];
	u8 offset;
} reg_names[] = {
	{ "r15", offsetof(struct uctx, r15) },	   { "r14", offsetof(struct uctx, r14) },
	{ "r13", offsetof(struct uctx, r13) },	   { "r12", offsetof(struct uctx, r12) },
	{ "r11", offsetof(struct uctx, r11) },	   { "r10", offsetof(struct uctx, r10) },
	{ "r9", offsetof(struct uctx, r9) },	   { "r8", offsetof(struct uctx, r8) },
	{ "bx", offsetof(struct uctx, bx) },	   { "cx", offsetof(struct uctx, cx) },
	{ "dx", offsetof(struct uctx, dx) },	   { "si", offsetof(struct uctx, si) },
	{ "di", offsetof(struct uctx, di) },	   { "bp", offsetof(struct uctx, bp) },
	{ "ax", offsetof(struct uctx, ax) },	   { "orig_ax", offsetof(struct uctx, orig_ax) },
	{ "ip", offsetof(struct uctx, ip) },	   { "cs", offsetof(struct uctx, cs) },
	{ "flags", offsetof(struct uctx, flags) }, { "sp", offsetof(struct uctx, sp) },
	{ "ss", offsetof(struct uctx, ss) },
};

int probe_register(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(reg_names); i++)
		if (!strcmp(name, reg_names[i].name))
			return reg_names[i].offset;
	return -EINVAL;
}

int probe_argument(unsigned int n)
{
	static const u8 arg[6] = { RDI, RSI, RDX, RCX, 8, 9 };

	return n < ARRAY_SIZE(arg) ? reg_offset[arg[n]] : -EINVAL;
}

int probe_result(void)
{
	return offsetof(struct uctx, ax);
}

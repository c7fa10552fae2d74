/* SPDX-License-Identifier: MIT */
/*
 * The lengths of x86_64 instructions: prefixes, opcode maps (one byte, 0F, 0F38, 0F3A, VEX, EVEX, XOP), ModRM,
 * displacement, immediate. Nothing is known here of what an instruction does. Source: Intel SDM volume 2, chapter 2 and
 * appendix A; AMD APM volume 3. Pure C, also built on the host, for tests;
 * in the kernel linked where no probes may be.
 */
#include "insn.h"

#include <err.h>
#include <lib/string.h>

#define REX_W 8

struct reader {
	const u8 *b;
	size_t n, at;
};

/* The next byte, or -ENOEXEC where the instruction is cut off or longer than the CPU takes. */
static int next(struct reader *r)
{
	return r->at < r->n && r->at < 15 ? r->b[r->at++] : -ENOEXEC;
}

/* Sets of opcodes: bit o%32 of word o/32. */
static bool in_set(const u32 set[8], u8 opcode)
{
	return set[opcode / 32] >> (opcode % 32) & 1;
}

static const u32 one_modrm[8] = {
	0x0f0f0f0f, 0x0f0f0f0f, 0x00000000, 0x00000a08,
	0x0000fffb, 0x00000000, 0xff0f00c3, 0xc0c00000,
};
/* Also prefixes, which may not follow REX. */
static const u32 one_invalid[8] = {
	0xc0c040c0, 0xc0c0c0c0, 0x0000ffff, 0x000000f3,
	0x04000004, 0x00000000, 0x00704000, 0x000d0400,
};
static const u32 one_imm8[8] = {
	0x10101010, 0x10101010, 0x00000000, 0xffff0c00,
	0x00000009, 0x00ff0100, 0x00002043, 0x000008ff,
};
/* Two or four bytes. */
static const u32 one_immz[8] = {
	0x20202020, 0x20202020, 0x00000000, 0x00000300,
	0x00000002, 0x00000200, 0x00000080, 0x00000000,
};
static const u32 two_no_modrm[8] = {
	0x00004be0, 0x00ff0000, 0x00000000, 0x00800000,
	0x0000ffff, 0x00000707, 0x0000ff00, 0x00000000,
};
static const u32 two_invalid[8] = {
	0x00001410, 0xfa4000f0, 0x00000000, 0x00000000,
	0x00000000, 0x00000000, 0x00000000, 0x00000000,
};
static const u32 two_imm8[8] = {
	0x00008000, 0x00000000, 0x00000000, 0x000f0000,
	0x00000000, 0x04001010, 0x00000074, 0x00000000,
};
static const u32 vex_imm8[8] = {
	0x00000000, 0x00000000, 0x00000000, 0x000f0000,
	0x00000000, 0x00000000, 0x00000074, 0x00000000,
};

/* Legacy prefixes; returns the first byte behind them. */
static int read_prefixes(struct x86_insn *x, struct reader *r)
{
	for (;;) {
		int c = next(r);

		switch (c) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			break;
		case 0x64:
		case 0x65:
			x->segment = (u8)c;
			break;
		case 0x66:
			x->opsize = true;
			break;
		case 0x67:
			x->addrsize = true;
			break;
		case 0xf0:
			x->lock = true;
			break;
		case 0xf2:
			x->repne = true;
			x->rep = false;
			break;
		case 0xf3:
			x->rep = true;
			x->repne = false;
			break;
		default:
			return c;
		}
	}
}

static int read_opcode(struct x86_insn *x, struct reader *r, int first)
{
	int c = first;

	x->map = MAP_ONE;
	if (c == 0x0f) {
		c = next(r);
		x->map = MAP_0F;
		if (c == 0x38 || c == 0x3a) {
			x->map = c == 0x38 ? MAP_0F38 : MAP_0F3A;
			c = next(r);
		}
	}
	if (c < 0)
		return c;
	x->opcode = (u8)c;
	if ((x->map == MAP_ONE && in_set(one_invalid, x->opcode)) ||
	    (x->map == MAP_0F && in_set(two_invalid, x->opcode)))
		return -ENOEXEC;
	return 0;
}

/* VEX, EVEX and XOP store R, X, B and vvvv inverted. */
static int read_vex(struct x86_insn *x, struct reader *r, u8 first)
{
	static const u8 evex_map[8] = {
		0, MAP_VEX1, MAP_VEX2, MAP_VEX3, 0, MAP_EVEX5, MAP_EVEX5, 0
	};
	int p0 = next(r), p1 = first == 0xc5 ? p0 : next(r), p2 = first == 0x62 ? next(r) : 0;
	unsigned int map = 1;

	if (p0 < 0 || p1 < 0 || p2 < 0 || x->prefix_len || x->lock || x->rep || x->repne ||
	    x->opsize)
		return -ENOEXEC;
	x->vex = true;
	x->prefix_len = first == 0x62 ? 4 : first == 0xc5 ? 2 : 3;
	x->rex = first == 0xc5 ? (u8)(~p0 >> 5 & 4) : (u8)((~p0 >> 5 & 7) | (p1 >> 4 & REX_W));
	x->vvvv = ~p1 >> 3 & 15;
	if (first == 0x62) {
		map = p0 & 7;
		if ((p0 & 8) || !(p1 & 4) || !evex_map[map])
			return -ENOEXEC;
		x->vvvv |= p2 & 8 ? 0 : 16;
		x->map = evex_map[map];
	} else if (first == 0x8f) {
		map = p0 & 31;
		if (map < 8 || map > 10)
			return -ENOEXEC;
		x->map = (u8)(MAP_XOP8 + map - 8);
	} else {
		if (first == 0xc4)
			map = p0 & 31;
		if (map < 1 || map > 3)
			return -ENOEXEC;
		x->map = (u8)(MAP_VEX1 + map - 1);
	}
	p0 = next(r);
	if (p0 < 0)
		return p0;
	x->opcode = (u8)p0;
	return 0;
}

static bool has_modrm(const struct x86_insn *x)
{
	switch (x->map) {
	case MAP_ONE:
		return in_set(one_modrm, x->opcode);
	case MAP_0F:
		return !in_set(two_no_modrm, x->opcode);
	case MAP_VEX1:
		return x->opcode != 0x77;
	default:
		return true;
	}
}

static int read_modrm(struct x86_insn *x, struct reader *r)
{
	int c = next(r);
	u8 mod;

	if (c < 0)
		return c;
	x->modrm_at = (u8)(r->at - 1);
	x->modrm = (u8)c;
	mod = x86_mod(x);
	/* Moves of control and debug registers ignore mod. */
	if (mod == 3 || (x->map == MAP_0F && x->opcode >= 0x20 && x->opcode <= 0x23))
		return 0;
	if (x86_rm(x) == 4) {
		c = next(r);
		if (c < 0)
			return c;
		x->sib_at = (u8)(r->at - 1);
		x->sib = (u8)c;
	}
	if (mod == 1)
		x->disp_len = 1;
	else if (mod == 2 || x86_rip_relative(x) || (x->sib_at && (x->sib & 7) == 5))
		x->disp_len = 4;
	return 0;
}

static unsigned int one_imm_len(const struct x86_insn *x)
{
	u8 o = x->opcode;
	unsigned int z = x->opsize && !(x->rex & REX_W) ? 2 : 4;

	if (in_set(one_imm8, o) || (o == 0xf6 && x86_reg(x) < 2))
		return 1;
	if (o == 0xe8 || o == 0xe9)
		return 4;
	if (in_set(one_immz, o) || (o == 0xf7 && x86_reg(x) < 2))
		return z;
	if (o >= 0xb8 && o <= 0xbf)
		return x->rex & REX_W ? 8 : z;
	if (o >= 0xa0 && o <= 0xa3)
		return x->addrsize ? 4 : 8;
	if (o == 0xc2 || o == 0xca)
		return 2;
	return o == 0xc8 ? 3 : 0;
}

static unsigned int imm_len(const struct x86_insn *x)
{
	switch (x->map) {
	case MAP_ONE:
		return one_imm_len(x);
	case MAP_0F:
		if (x->opcode >= 0x80 && x->opcode <= 0x8f)
			return 4;
		if (x->opcode == 0x78 && (x->opsize || x->repne)) /* extrq, insertq */
			return 2;
		return in_set(two_imm8, x->opcode);
	case MAP_VEX1:
		return in_set(vex_imm8, x->opcode);
	case MAP_0F3A:
	case MAP_VEX3:
	case MAP_XOP8:
		return 1;
	case MAP_XOPA:
		return 4;
	default:
		return 0;
	}
}

/* Displacement and immediate; the displacement's value is wanted. */
static int read_tail(struct x86_insn *x, struct reader *r)
{
	u32 disp = 0;

	x->disp_at = (u8)r->at;
	for (unsigned int i = 0; i < x->disp_len; i++) {
		int c = next(r);

		if (c < 0)
			return c;
		disp |= (u32)c << (8 * i);
	}
	x->disp = x->disp_len == 1 ? (s8)disp : (s32)disp;
	x->imm_len = (u8)imm_len(x);
	x->imm_at = (u8)r->at;
	for (unsigned int i = 0; i < x->imm_len; i++)
		if (next(r) < 0)
			return -ENOEXEC;
	return 0;
}

int x86_insn_decode(struct x86_insn *x, const u8 *b, size_t n)
{
	struct reader r = { b, n, 0 };
	int c, err;

	memset(x, 0, sizeof(*x));
	c = read_prefixes(x, &r);
	if (c < 0)
		return c;
	x->prefix_at = (u8)(r.at - 1);
	if ((c & 0xf0) == 0x40) {
		x->rex = c & 15;
		x->prefix_len = 1;
		c = next(&r);
		if (c < 0)
			return c;
	}
	/* 8f is pop unless its ModRM byte would have a register field other than 0. */
	if (c == 0xc4 || c == 0xc5 || c == 0x62 || (c == 0x8f && r.at < n && (b[r.at] & 0x1f) >= 8))
		err = read_vex(x, &r, (u8)c);
	else
		err = read_opcode(x, &r, c);
	if (!err && has_modrm(x))
		err = read_modrm(x, &r);
	if (!err)
		err = read_tail(x, &r);
	x->len = (u8)r.at;
	return err;
}

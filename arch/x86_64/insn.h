/* SPDX-License-Identifier: MIT */
/* How long an instruction is and where its parts lie: see insn.c. */
#ifndef X86_INSN_H
#define X86_INSN_H

#include <types.h>

enum x86_map {
	MAP_ONE,
	MAP_0F,
	MAP_0F38,
	MAP_0F3A,
	MAP_VEX1,
	MAP_VEX2,
	MAP_VEX3,
	MAP_EVEX5,
	MAP_XOP8,
	MAP_XOP9,
	MAP_XOPA
};

struct x86_insn {
	u8 len;
	u8 map;	   /* enum x86_map */
	u8 opcode; /* the last byte of it */
	u8 rex;	   /* W R X B, whatever prefix they came in; 0: none */
	u8 vvvv;   /* register in VEX.vvvv or EVEX.vvvv (with V'); 0 without such a prefix */
	bool opsize, addrsize, lock, rep, repne, vex;
	u8 segment;   /* 0x64, 0x65 or 0 */
	u8 prefix_at; /* offset of the REX, VEX, EVEX or XOP prefix; of the opcode if there is none */
	u8 prefix_len; /* its bytes; 0: none */
	u8 modrm_at;   /* offset; 0: there is none (it is never the first byte) */
	u8 sib_at;     /* offset; 0: none */
	u8 modrm, sib;
	u8 disp_at, disp_len;
	u8 imm_at, imm_len;
	s32 disp;
};

/** x86_insn_decode() - take the instruction at @b apart; @n bytes can be read. Return: 0; -ENOEXEC: not an instruction of 64-bit mode, or cut off. */
int x86_insn_decode(struct x86_insn *x, const u8 *b, size_t n);

static inline u8 x86_mod(const struct x86_insn *x)
{
	return x->modrm >> 6;
}
/* Without REX.R and REX.B. */
static inline u8 x86_reg(const struct x86_insn *x)
{
	return x->modrm >> 3 & 7;
}
static inline u8 x86_rm(const struct x86_insn *x)
{
	return x->modrm & 7;
}
static inline bool x86_rip_relative(const struct x86_insn *x)
{
	return x->modrm_at && x86_mod(x) == 0 && x86_rm(x) == 5;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a load or store does, compressed ones included; not atomic and vector ones. Formats: RISC-V Unprivileged ISA 20240411, chapters 2, 20, 21, 26 and
 * 27 (C, Zcb). Pure: also linked into host tests.
 */
#include <hal/unaligned.h>

#define OP_LOAD	    0x03
#define OP_LOAD_FP  0x07
#define OP_STORE    0x23
#define OP_STORE_FP 0x27

static struct load_store access(unsigned int bytes, bool store, unsigned int file, unsigned int reg)
{
	return (struct load_store){ .bytes = (u8)bytes,
				    .store = store,
				    .is_signed = bytes < 8,
				    .file = (u8)file,
				    .reg = (u8)reg };
}

static struct load_store decode_word(u32 insn)
{
	unsigned int size = insn >> 12 & 7, rd = insn >> 7 & 31, rs2 = insn >> 20 & 31;
	struct load_store ls = { 0 };

	switch (insn & 0x7f) {
	case OP_LOAD:
		ls = access(1U << (size & 3), false, FILE_INTEGER, rd);
		ls.is_signed = !(size & 4);
		if (size == 7)
			ls.bytes = 0;
		break;
	case OP_STORE:
		if (size <= 3)
			ls = access(1U << size, true, FILE_INTEGER, rs2);
		break;
	case OP_LOAD_FP: /* the other sizes are vectors' */
		if (size >= 1 && size <= 3)
			ls = access(1U << size, false, FILE_FP, rd);
		break;
	case OP_STORE_FP:
		if (size >= 1 && size <= 3)
			ls = access(1U << size, true, FILE_FP, rs2);
		break;
	}
	return ls;
}

/* c.lbu, c.lhu, c.lh, c.sb, c.sh */
static struct load_store decode_zcb(u32 insn, unsigned int reg)
{
	bool high = insn >> 6 & 1;
	struct load_store ls = { 0 };

	switch (insn >> 10 & 7) {
	case 0:
		ls = access(1, false, FILE_INTEGER, reg);
		ls.is_signed = false;
		break;
	case 1:
		ls = access(2, false, FILE_INTEGER, reg);
		ls.is_signed = high;
		break;
	case 2:
		ls = access(1, true, FILE_INTEGER, reg);
		break;
	case 3:
		if (!high)
			ls = access(2, true, FILE_INTEGER, reg);
		break;
	}
	return ls;
}

static struct load_store decode_half(u32 insn)
{
	unsigned int kind = insn >> 13 & 7;
	bool store = kind & 4, by_sp = (insn & 3) == 2;
	unsigned int reg = !by_sp ? 8 + (insn >> 2 & 7) : store ? insn >> 2 & 31 : insn >> 7 & 31;

	if ((insn & 3) != 0 && !by_sp)
		return (struct load_store){ 0 };
	switch (kind & 3) {
	case 1:
		return access(8, store, FILE_FP, reg);
	case 2:
		return access(4, store, FILE_INTEGER, reg);
	case 3:
		return access(8, store, FILE_INTEGER, reg);
	}
	return kind == 4 && !by_sp ? decode_zcb(insn, reg) : (struct load_store){ 0 };
}

bool insn_load_store(u32 insn, struct load_store *ls)
{
	bool half = (insn & 3) != 3;

	*ls = half ? decode_half(insn & 0xffff) : decode_word(insn);
	ls->length = half ? 2 : 4;
	return ls->bytes != 0;
}

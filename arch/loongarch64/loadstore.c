/* SPDX-License-Identifier: MIT */
/*
 * What a load or store does. Formats: LoongArch Reference Manual, volume 1, appendix B, and the vector volume. Pure: also linked into host tests.
 */
#include <hal/unaligned.h>

#define LD(n, s)  { .bytes = (n), .is_signed = (s) }
#define ST(n)	  { .bytes = (n), .store = true }
#define FLD(n)	  { .bytes = (n), .file = FILE_FP }
#define FST(n)	  { .bytes = (n), .store = true, .file = FILE_FP }
#define VLD(n)	  { .bytes = (n), .file = FILE_VECTOR }
#define VST(n)	  { .bytes = (n), .store = true, .file = FILE_VECTOR }

/* Bits 25:22 of the format with a 12-bit offset: bits 31:26 are 001010, or 001011 for vectors. */
static const struct load_store si12_ops[16] = {
	LD(1, true),  LD(2, true),  LD(4, true),  LD(8, false), ST(1),	ST(2),	ST(4),	ST(8),
	LD(1, false), LD(2, false), LD(4, false), { 0 },	FLD(4), FST(4), FLD(8), FST(8),
};
static const struct load_store vector_si12_ops[4] = { VLD(16), VST(16), VLD(32), VST(32) };

/* Bits 25:24 of the format with a 14-bit offset in words: bits 31:26 are 001001. */
static const struct load_store si14_ops[4] = { LD(4, true), ST(4), LD(8, false), ST(8) };

/* Bits 22:18 of the format with a register offset: bits 31:23 are 001110000. */
static const struct load_store indexed_ops[32] = {
	LD(1, true), LD(2, true),  LD(4, true),	 LD(8, false), ST(1),	ST(2),	 ST(4),
	ST(8),	     LD(1, false), LD(2, false), LD(4, false), { 0 },	FLD(4),	 FLD(8),
	FST(4),	     FST(8),	   VLD(16),	 VST(16),      VLD(32), VST(32),
};

/*
 * Bits 31:26 are 001100: [x]vldrepl, or with bit 24 [x]vstelm; bit 25 is the x. The highest one of bits 23:20 gives the element's size. Behind it
 * lies the offset; for a store the number of the element from bit 18 on, and the offset is below that.
 */
static struct load_store vector_element(u32 insn)
{
	unsigned int width = insn >> 25 & 1 ? 32 : 16, size = insn >> 20 & 15, bytes;

	if (!size)
		return (struct load_store){ 0 };
	bytes = 8U >> (31 - __builtin_clz(size));
	if (insn >> 24 & 1)
		return (struct load_store){ .bytes = (u8)bytes,
					    .store = true,
					    .file = FILE_ELEMENT,
					    .element = insn >> 18 & (width / bytes - 1) };
	return (struct load_store){ .bytes = (u8)bytes, .file = FILE_REPLICA, .width = (u8)width };
}

static struct load_store decode(u32 insn)
{
	if (insn >> 26 == 0x0a)
		return si12_ops[insn >> 22 & 15];
	if (insn >> 24 == 0x2c)
		return vector_si12_ops[insn >> 22 & 3];
	if (insn >> 26 == 0x09)
		return si14_ops[insn >> 24 & 3];
	if (insn >> 23 == 0x070 && (insn >> 15 & 7) == 0)
		return indexed_ops[insn >> 18 & 31];
	if (insn >> 26 == 0x0c)
		return vector_element(insn);
	return (struct load_store){ 0 };
}

bool insn_load_store(u32 insn, struct load_store *ls)
{
	*ls = decode(insn);
	ls->reg = insn & 31;
	ls->length = 4;
	return ls->bytes != 0;
}

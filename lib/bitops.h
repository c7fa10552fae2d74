/* SPDX-License-Identifier: MIT */
/*
 * Single words as sets of bits, and powers of two.
 */
#ifndef LIB_BITOPS_H
#define LIB_BITOPS_H

#include <compiler.h>
#include <types.h>

/* Index of the lowest and of the highest set bit; @x is not 0. */
static __always_inline unsigned int bit_lowest(u64 x)
{
	return (unsigned int)__builtin_ctzll(x);
}

static __always_inline unsigned int bit_highest(u64 x)
{
	return 63u - (unsigned int)__builtin_clzll(x);
}

/* Number of set bits. Not the builtin, which is a library call where the CPU may lack it. */
static __always_inline unsigned int bit_count(u64 x)
{
	x -= (x >> 1) & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (unsigned int)((x * 0x0101010101010101ULL) >> 56);
}

/* Logarithm to base 2, rounded down; @x is not 0. */
static __always_inline unsigned int ilog2(u64 x)
{
	return bit_highest(x);
}

/* The same rounded up; 0 for 0 and 1. */
static __always_inline unsigned int ilog2_up(u64 x)
{
	return x <= 1 ? 0 : bit_highest(x - 1) + 1;
}

/* Smallest power of two that is not less than @x; @x is 1 to 2^63. */
static __always_inline u64 roundup_pow2(u64 x)
{
	return 1ULL << ilog2_up(x);
}

static __always_inline u64 rounddown_pow2(u64 x)
{
	return 1ULL << bit_highest(x);
}

static __always_inline u32 rol32(u32 x, unsigned int n)
{
	return (x << (n & 31)) | (x >> (-n & 31));
}

static __always_inline u64 rol64(u64 x, unsigned int n)
{
	return (x << (n & 63)) | (x >> (-n & 63));
}

static __always_inline u64 ror64(u64 x, unsigned int n)
{
	return rol64(x, -n);
}

/* The value whose sign bit is bit @bit of @x. */
static __always_inline s64 sign_extend64(u64 x, unsigned int bit)
{
	return (s64)(x << (63 - bit)) >> (63 - bit);
}

#endif /* LIB_BITOPS_H */

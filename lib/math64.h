/* SPDX-License-Identifier: MIT */
/*
 * Products wider than 64 bits, for clocks and rates. No division of 128 bits: that would be a
 * library call, which mul_div_u64 avoids by dividing in two steps.
 */
#ifndef LIB_MATH64_H
#define LIB_MATH64_H

#include <compiler.h>
#include <types.h>

/* (@a * @b) >> @shift, the product taken in full; @shift is 0 to 64; high bits are lost. */
static __always_inline u64 mul_u64_shr(u64 a, u64 b, unsigned int shift)
{
	return (u64)(((unsigned __int128)a * b) >> shift);
}

/**
 * mul_div_u64 - a * b / c without overflow in between
 * @a: a count, such as ticks
 * @b: the new unit per second; @b * @c must be less than 2^64
 * @c: the old unit per second, not 0
 *
 * Return: the quotient rounded down, exact as long as it fits 64 bits.
 */
static __always_inline u64 mul_div_u64(u64 a, u64 b, u64 c)
{
	return a / c * b + a % c * b / c;
}

#endif /* LIB_MATH64_H */

/* SPDX-License-Identifier: MIT */
/*
 * The functions that GCC calls where clang writes the instructions itself, for machines that lack
 * them in their base instruction set (RISC-V without Zbb). They are in no header: only the
 * compiler knows them. Each must be written without the builtin that it implements.
 */
#include <compiler.h>
#include <lib/bitops.h>

int __popcountdi2(u64 x);
int __ctzdi2(u64 x);
int __clzdi2(u64 x);
u32 __bswapsi2(u32 x);
u64 __bswapdi2(u64 x);

int __popcountdi2(u64 x)
{
	return (int)bit_count(x);
}

/* The bits below the lowest set one, counted. */
int __ctzdi2(u64 x)
{
	return (int)bit_count(~x & (x - 1));
}

/* Halve the part in which the highest set bit is, six times. */
int __clzdi2(u64 x)
{
	int zeros = 64;

	for (int width = 32; width; width >>= 1) {
		if (x >> width) {
			zeros -= width;
			x >>= width;
		}
	}
	return zeros - (int)x;
}

u32 __bswapsi2(u32 x)
{
	return (x >> 24) | ((x >> 8) & 0xff00) | ((x & 0xff00) << 8) | (x << 24);
}

u64 __bswapdi2(u64 x)
{
	return ((u64)__bswapsi2((u32)x) << 32) | __bswapsi2((u32)(x >> 32));
}

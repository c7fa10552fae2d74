/* SPDX-License-Identifier: MIT */
/* Low memory of a PC in which fuzz targets lay out firmware's tables: from BASE on, which the including file defines. */
#ifndef FUZZ_FIRMWARE_H
#define FUZZ_FIRMWARE_H

#include <stdlib.h>

#include <types.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

static u8 *memory;
static size_t memory_size;

static const void *map(paddr_t pa, u64 size)
{
	u64 offset = pa - BASE;

	return pa >= BASE && offset <= memory_size && size <= memory_size - offset ? memory + offset
										   : NULL;
}

static void fix_sum(u8 *p, size_t n, size_t at)
{
	u8 sum = 0;

	p[at] = 0;
	for (size_t i = 0; i < n; i++)
		sum += p[i];
	p[at] = (u8)-sum;
}

#endif

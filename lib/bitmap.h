/* SPDX-License-Identifier: MIT */
/*
 * Arrays of bits, a machine word at a time.
 *
 * Bit n is bit n % 64 of word n / 64. @nbits is the size of the map; bits of the last word beyond
 * it are ignored by every function that reads and may be set by bitmap_fill. The finds return
 * @nbits (or something not less) when there is none.
 *
 * Locking: the caller's, except for the _atomic functions, which are sequentially consistent.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <lib/bitops.h>

#define BITS_PER_LONG		64
#define BITS_TO_LONGS(n)	DIV_ROUND_UP(n, BITS_PER_LONG)
#define DECLARE_BITMAP(name, nbits)	unsigned long name[BITS_TO_LONGS(nbits)]

#define __bit_word(n)		((n) / BITS_PER_LONG)
#define __bit_mask(n)		(1UL << ((n) % BITS_PER_LONG))

/* ---- One bit ---- */

static __always_inline bool bitmap_test_bit(const unsigned long *map, size_t n)
{
	return (READ_ONCE(map[__bit_word(n)]) & __bit_mask(n)) != 0;
}

static __always_inline void bitmap_set_bit(unsigned long *map, size_t n)
{
	map[__bit_word(n)] |= __bit_mask(n);
}

static __always_inline void bitmap_clear_bit(unsigned long *map, size_t n)
{
	map[__bit_word(n)] &= ~__bit_mask(n);
}

static __always_inline void bitmap_assign_bit(unsigned long *map, size_t n, bool value)
{
	if (value)
		bitmap_set_bit(map, n);
	else
		bitmap_clear_bit(map, n);
}

/* Set or clear one bit against other CPUs; return whether it was set before. */
static __always_inline bool bitmap_test_and_set_atomic(unsigned long *map, size_t n)
{
	return (__atomic_fetch_or(&map[__bit_word(n)], __bit_mask(n), __ATOMIC_SEQ_CST) &
		__bit_mask(n)) != 0;
}

static __always_inline bool bitmap_test_and_clear_atomic(unsigned long *map, size_t n)
{
	return (__atomic_fetch_and(&map[__bit_word(n)], ~__bit_mask(n), __ATOMIC_SEQ_CST) &
		__bit_mask(n)) != 0;
}

static __always_inline void bitmap_set_atomic(unsigned long *map, size_t n)
{
	bitmap_test_and_set_atomic(map, n);
}

static __always_inline void bitmap_clear_atomic(unsigned long *map, size_t n)
{
	bitmap_test_and_clear_atomic(map, n);
}

/* ---- The whole map ---- */

static inline void bitmap_zero(unsigned long *map, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		map[i] = 0;
}

static inline void bitmap_fill(unsigned long *map, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		map[i] = ~0UL;
}

static inline void bitmap_copy(unsigned long *dst, const unsigned long *src, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = src[i];
}

static inline void bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b,
			      size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = a[i] & b[i];
}

static inline void bitmap_or(unsigned long *dst, const unsigned long *a, const unsigned long *b,
			     size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = a[i] | b[i];
}

/* The bits of @a that are not in @b. */
static inline void bitmap_andnot(unsigned long *dst, const unsigned long *a, const unsigned long *b,
				 size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = a[i] & ~b[i];
}

size_t bitmap_weight(const unsigned long *map, size_t nbits);
bool bitmap_equal(const unsigned long *a, const unsigned long *b, size_t nbits);
bool bitmap_intersects(const unsigned long *a, const unsigned long *b, size_t nbits);

/* ---- Finding ---- */

/* The first set bit at @from or after it. */
size_t bitmap_find_next(const unsigned long *map, size_t nbits, size_t from);
/* The first clear bit at @from or after it. */
size_t bitmap_find_next_zero(const unsigned long *map, size_t nbits, size_t from);

static inline size_t bitmap_find_first(const unsigned long *map, size_t nbits)
{
	return bitmap_find_next(map, nbits, 0);
}

static inline size_t bitmap_find_first_zero(const unsigned long *map, size_t nbits)
{
	return bitmap_find_next_zero(map, nbits, 0);
}

static inline bool bitmap_empty(const unsigned long *map, size_t nbits)
{
	return bitmap_find_first(map, nbits) >= nbits;
}

static inline bool bitmap_full(const unsigned long *map, size_t nbits)
{
	return bitmap_find_first_zero(map, nbits) >= nbits;
}

#define bitmap_for_each_set(bit, map, nbits)						\
	for ((bit) = bitmap_find_first(map, nbits); (bit) < (nbits);			\
	     (bit) = bitmap_find_next(map, nbits, (bit) + 1))

/* ---- Ranges: @n bits from @start, which lie inside the map ---- */

void bitmap_set_range(unsigned long *map, size_t start, size_t n);
void bitmap_clear_range(unsigned long *map, size_t start, size_t n);

/**
 * bitmap_find_zero_range - find a run of clear bits
 * @map: the map
 * @nbits: its size
 * @from: where to begin
 * @n: length of the run, at least 1
 * @align: a power of two that the run's start is a multiple of; 1 for any
 *
 * Return: the start of the first such run, @nbits when there is none.
 */
size_t bitmap_find_zero_range(const unsigned long *map, size_t nbits, size_t from, size_t n,
			      size_t align);

#endif /* LIB_BITMAP_H */

/* SPDX-License-Identifier: MIT */
/*
 * The searches and ranges of lib/bitmap.h, a word at a time.
 */
#include <lib/bitmap.h>

/* The bits of the last word that belong to a map of @nbits, which is not 0. */
static unsigned long last_mask(size_t nbits)
{
	return ~0UL >> (-nbits % BITS_PER_LONG);
}

size_t bitmap_weight(const unsigned long *map, size_t nbits)
{
	size_t words = nbits / BITS_PER_LONG, weight = 0;

	for (size_t i = 0; i < words; i++)
		weight += bit_count(map[i]);
	if (nbits % BITS_PER_LONG)
		weight += bit_count(map[words] & last_mask(nbits));
	return weight;
}

bool bitmap_equal(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	size_t words = nbits / BITS_PER_LONG;

	for (size_t i = 0; i < words; i++)
		if (a[i] != b[i])
			return false;
	return !(nbits % BITS_PER_LONG) || !((a[words] ^ b[words]) & last_mask(nbits));
}

bool bitmap_intersects(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	size_t words = nbits / BITS_PER_LONG;

	for (size_t i = 0; i < words; i++)
		if (a[i] & b[i])
			return true;
	return nbits % BITS_PER_LONG && (a[words] & b[words] & last_mask(nbits));
}

/* The first bit from @from on that is set in the map with every word xored with @invert. */
static size_t find(const unsigned long *map, size_t nbits, size_t from, unsigned long invert)
{
	size_t i = from / BITS_PER_LONG;
	unsigned long word;

	if (from >= nbits)
		return nbits;
	word = (READ_ONCE(map[i]) ^ invert) & (~0UL << (from % BITS_PER_LONG));
	while (!word) {
		if (++i >= BITS_TO_LONGS(nbits))
			return nbits;
		word = READ_ONCE(map[i]) ^ invert;
	}
	return min(i * BITS_PER_LONG + bit_lowest(word), nbits);
}

size_t bitmap_find_next(const unsigned long *map, size_t nbits, size_t from)
{
	return find(map, nbits, from, 0);
}

size_t bitmap_find_next_zero(const unsigned long *map, size_t nbits, size_t from)
{
	return find(map, nbits, from, ~0UL);
}

/* The bits from @start on, @n of them or to the end of the word. */
static unsigned long range_mask(size_t start, size_t n)
{
	size_t offset = start % BITS_PER_LONG;
	size_t in_word = min(n, BITS_PER_LONG - offset);

	return (~0UL >> (BITS_PER_LONG - in_word)) << offset;
}

void bitmap_set_range(unsigned long *map, size_t start, size_t n)
{
	size_t end = start + n;

	while (start < end) {
		map[__bit_word(start)] |= range_mask(start, end - start);
		start = ALIGN_DOWN(start, BITS_PER_LONG) + BITS_PER_LONG;
	}
}

void bitmap_clear_range(unsigned long *map, size_t start, size_t n)
{
	size_t end = start + n;

	while (start < end) {
		map[__bit_word(start)] &= ~range_mask(start, end - start);
		start = ALIGN_DOWN(start, BITS_PER_LONG) + BITS_PER_LONG;
	}
}

size_t bitmap_find_zero_range(const unsigned long *map, size_t nbits, size_t from, size_t n,
			      size_t align)
{
	size_t start = from, used;

	for (;;) {
		start = bitmap_find_next_zero(map, nbits, start);
		start = ALIGN_UP(start, align);
		if (start >= nbits || nbits - start < n)
			return nbits;
		used = bitmap_find_next(map, start + n, start);
		if (used >= start + n)
			return start;
		start = used + 1;
	}
}

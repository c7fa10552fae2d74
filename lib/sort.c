/* SPDX-License-Identifier: MIT */
/*
 * Heap sort and binary search. The interface is in lib/sort.h.
 */
#include <compiler.h>
#include <lib/sort.h>

static void swap_elements(u8 *a, u8 *b, size_t size)
{
	while (size--) {
		swap(*a, *b);
		a++;
		b++;
	}
}

/* Let element @i sink below its larger children until the part up to @n is a heap again. */
static void sift_down(u8 *base, size_t i, size_t n, size_t size,
		      int (*cmp)(const void *a, const void *b))
{
	size_t child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && cmp(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (cmp(base + i * size, base + child * size) >= 0)
			return;
		swap_elements(base + i * size, base + child * size, size);
		i = child;
	}
}

void sort(void *base, size_t n, size_t size, int (*cmp)(const void *a, const void *b))
{
	u8 *b = base;

	for (size_t i = n / 2; i-- > 0;)
		sift_down(b, i, n, size, cmp);
	for (size_t end = n; end-- > 1;) {
		swap_elements(b, b + end * size, size);
		sift_down(b, 0, end, size, cmp);
	}
}

void *sorted_find(const void *key, const void *base, size_t n, size_t size,
		  int (*cmp)(const void *key, const void *element))
{
	const u8 *low = base;

	while (n) {
		const u8 *middle = low + n / 2 * size;
		int c = cmp(key, middle);

		if (c == 0)
			return (void *)middle;
		if (c > 0) {
			low = middle + size;
			n--;
		}
		n /= 2;
	}
	return NULL;
}

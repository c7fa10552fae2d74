/* SPDX-License-Identifier: MIT */
/*
 * Sorting and searching arrays. sort() is a heap sort: O(n log n) always, no memory, not stable.
 */
#ifndef LIB_SORT_H
#define LIB_SORT_H

#include <types.h>

/**
 * sort - sort an array in place
 * @base: its first element
 * @n: number of elements
 * @size: of one element, in bytes
 * @cmp: negative, 0 or positive as *a sorts before, with or after *b
 *
 * Context: that of @cmp.
 */
void sort(void *base, size_t n, size_t size, int (*cmp)(const void *a, const void *b));

/**
 * sorted_find - find an element of a sorted array
 * @key: what to look for; passed to @cmp as its first argument
 * @base: the first element
 * @n: number of elements
 * @size: of one element, in bytes
 * @cmp: as for sort()
 *
 * Return: an element equal to @key, or NULL.
 */
void *sorted_find(const void *key, const void *base, size_t n, size_t size,
		  int (*cmp)(const void *key, const void *element));

#endif /* LIB_SORT_H */

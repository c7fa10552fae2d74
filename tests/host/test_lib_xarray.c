/* SPDX-License-Identifier: MIT */
/*
 * Sparse arrays against a plain table of index and entry, with an allocator that can fail and that
 * counts, so that a node too many or too few is seen.
 */
#include "test_lib.h"

#include <lib/string.h>
#include <lib/xarray.h>

static long nodes;	     /* allocated now */
static long fail_after = -1; /* allocations that still succeed; negative: all */

static void *node_alloc(size_t size)
{
	void *p;

	if (fail_after == 0)
		return NULL;
	if (fail_after > 0)
		fail_after--;
	p = malloc(size);
	memset(p, 0xa5, size);
	nodes++;
	return p;
}

static void node_free(void *node, size_t size)
{
	assert_int_equal(size, sizeof(struct xa_node));
	nodes--;
	free(node);
}

static const struct xa_ops ops = { node_alloc, node_free };

static void *entry_of(u64 n)
{
	return (void *)(unsigned long)(n * 8 + 8);
}

static const u64 edges[] = {
	0,
	1,
	63,
	64,
	65,
	4095,
	4096,
	262143,
	262144,
	1ULL << 32,
	(1ULL << 60) - 1,
	1ULL << 60,
	1ULL << 63,
	U64_MAX - 64,
	U64_MAX - 1,
	U64_MAX,
};

static void test_edges_of_levels(void **state)
{
	struct xarray xa = XARRAY_INIT(&ops);

	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		assert_null(xa_load(&xa, edges[i]));
		assert_int_equal(xa_store(&xa, edges[i], entry_of(i)), 0);
		for (size_t j = 0; j < ARRAY_SIZE(edges); j++)
			assert_ptr_equal(xa_load(&xa, edges[j]), j <= i ? entry_of(j) : NULL);
	}
	for (size_t i = ARRAY_SIZE(edges); i-- > 0;) {
		assert_ptr_equal(xa_erase(&xa, edges[i]), entry_of(i));
		assert_null(xa_erase(&xa, edges[i]));
		for (size_t j = 0; j < ARRAY_SIZE(edges); j++)
			assert_ptr_equal(xa_load(&xa, edges[j]), j < i ? entry_of(j) : NULL);
	}
	assert_true(xa_empty(&xa));
	assert_int_equal(nodes, 0);
}

static void test_visit_edges(void **state)
{
	struct xarray xa = XARRAY_INIT(&ops);
	size_t n = 0;
	void *entry;
	u64 index;

	xa_for_each(&xa, index, entry)
		fail();
	for (size_t i = ARRAY_SIZE(edges); i-- > 0;)
		assert_int_equal(xa_store(&xa, edges[i], entry_of(i)), 0);
	xa_for_each(&xa, index, entry) {
		assert_int_equal(index, edges[n]);
		assert_ptr_equal(entry, entry_of(n));
		n++;
	}
	assert_int_equal(n, ARRAY_SIZE(edges));
	n = 2;
	xa_for_each_range(&xa, index, entry, 2, 4096) assert_int_equal(index, edges[n++]);
	assert_int_equal(n, 7);
	xa_for_each(&xa, index, entry)
		xa_erase(&xa, index);
	assert_true(xa_empty(&xa));
	assert_int_equal(nodes, 0);
}

static void test_store_and_insert(void **state)
{
	struct xarray xa = XARRAY_INIT(&ops);

	assert_int_equal(xa_insert(&xa, 7, entry_of(1)), 0);
	assert_int_equal(xa_insert(&xa, 7, entry_of(2)), -EBUSY);
	assert_ptr_equal(xa_load(&xa, 7), entry_of(1));
	assert_int_equal(xa_store(&xa, 7, entry_of(2)), 0);
	assert_ptr_equal(xa_load(&xa, 7), entry_of(2));
	assert_int_equal(xa_store(&xa, 7, NULL), 0);
	assert_true(xa_empty(&xa));
	assert_int_equal(xa_store(&xa, 7, NULL), 0);
	assert_int_equal(nodes, 0);
}

/* At every point where memory can run out, the array stays as it was. */
static void test_out_of_memory(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		for (int empty = 0; empty < 2; empty++) {
			struct xarray xa = XARRAY_INIT(&ops);
			long before, allowed = 0;
			int err;

			if (!empty)
				assert_int_equal(xa_store(&xa, 100, entry_of(100)), 0);
			before = nodes;
			do {
				fail_after = allowed++;
				err = xa_store(&xa, edges[i], entry_of(1));
				fail_after = -1;
				if (err) {
					assert_int_equal(err, -ENOMEM);
					assert_int_equal(nodes, before);
					assert_null(xa_load(&xa, edges[i]));
				}
			} while (err);
			assert_ptr_equal(xa_load(&xa, edges[i]), entry_of(1));
			assert_ptr_equal(xa_load(&xa, 100), empty ? NULL : entry_of(100));
			xa_destroy(&xa);
			assert_int_equal(nodes, 0);
		}
	}
}

static void test_alloc(void **state)
{
	struct xarray xa = XARRAY_INIT(&ops);
	u64 id;

	for (u64 i = 0; i < 5000; i++) {
		assert_int_equal(xa_alloc(&xa, &id, entry_of(i), 3, 5002), 0);
		assert_int_equal(id, i + 3);
	}
	assert_int_equal(xa_alloc(&xa, &id, entry_of(0), 3, 5002), -EBUSY);
	xa_erase(&xa, 4096);
	xa_erase(&xa, 77);
	assert_int_equal(xa_alloc(&xa, &id, entry_of(0), 78, 5002), 0);
	assert_int_equal(id, 4096);
	assert_int_equal(xa_alloc(&xa, &id, entry_of(0), 0, U64_MAX), 0);
	assert_int_equal(id, 0);
	assert_int_equal(xa_alloc(&xa, &id, entry_of(0), 3, U64_MAX), 0);
	assert_int_equal(id, 77);
	assert_int_equal(xa_alloc(&xa, &id, entry_of(0), 3, U64_MAX), 0);
	assert_int_equal(id, 5003);
	xa_destroy(&xa);
}

static void test_alloc_at_the_top(void **state)
{
	struct xarray xa = XARRAY_INIT(&ops);
	u64 id = 0;

	for (u64 i = 0; i < 70; i++) {
		assert_int_equal(xa_alloc(&xa, &id, entry_of(i), U64_MAX - 69, U64_MAX), 0);
		assert_int_equal(id, U64_MAX - 69 + i);
	}
	assert_int_equal(xa_alloc(&xa, &id, entry_of(0), U64_MAX - 69, U64_MAX), -EBUSY);
	assert_int_equal(xa_alloc(&xa, &id, entry_of(0), U64_MAX, U64_MAX), -EBUSY);
	assert_int_equal(id, U64_MAX);
	xa_destroy(&xa);
	assert_int_equal(nodes, 0);
}

static void test_marks(void **state)
{
	struct xarray xa = XARRAY_INIT(&ops);
	void *entry;
	u64 index, expect = 0;

	for (u64 i = 0; i < 10000; i++)
		assert_int_equal(xa_store(&xa, i, entry_of(i)), 0);
	assert_false(xa_marked(&xa, 1));
	for (u64 i = 0; i < 10000; i += 100)
		xa_set_mark(&xa, i, 1);
	xa_set_mark(&xa, 10001, 1);
	xa_set_mark(&xa, 5, 2);
	xa_for_each_marked(&xa, index, entry, 0, U64_MAX, 1)
	{
		assert_int_equal(index, expect);
		expect += 100;
	}
	assert_int_equal(expect, 10000);
	assert_true(xa_get_mark(&xa, 300, 1));
	assert_false(xa_get_mark(&xa, 301, 1));
	assert_false(xa_get_mark(&xa, 300, 0));
	assert_false(xa_get_mark(&xa, 10001, 1));
	/* Overwriting keeps the mark, erasing takes it away. */
	assert_int_equal(xa_store(&xa, 300, entry_of(1)), 0);
	assert_true(xa_get_mark(&xa, 300, 1));
	xa_erase(&xa, 300);
	assert_int_equal(xa_store(&xa, 300, entry_of(1)), 0);
	assert_false(xa_get_mark(&xa, 300, 1));
	for (u64 i = 0; i < 10000; i++)
		xa_clear_mark(&xa, i, 1);
	assert_false(xa_marked(&xa, 1));
	assert_true(xa_marked(&xa, 2));
	/* The mark of an entry stays with it when the tree grows. */
	assert_int_equal(xa_store(&xa, 1ULL << 40, entry_of(1)), 0);
	index = 0;
	assert_ptr_equal(xa_find_marked(&xa, &index, U64_MAX, 2), entry_of(5));
	assert_int_equal(index, 5);
	xa_destroy(&xa);
	assert_int_equal(nodes, 0);
}

/* A long random sequence, compared with a table after each step. */
static void test_random_steps(void **state)
{
	enum { RANGE = 700 };
	static void *table[RANGE];
	static bool marked[RANGE];
	struct xarray xa = XARRAY_INIT(&ops);
	u64 seed = 7, index;
	void *entry;

	for (int step = 0; step < 20000; step++) {
		u64 r = test_random(&seed), i = r % RANGE, want;

		switch ((r >> 32) % 4) {
		case 0:
		case 1:
			table[i] = entry_of(r % 1000);
			assert_int_equal(xa_store(&xa, i * 37, table[i]), 0);
			break;
		case 2:
			assert_ptr_equal(xa_erase(&xa, i * 37), table[i]);
			table[i] = NULL;
			marked[i] = false;
			break;
		default:
			marked[i] = table[i] != NULL;
			xa_set_mark(&xa, i * 37, 0);
		}
		want = test_random(&seed) % RANGE;
		index = want * 37;
		while (want < RANGE && !table[want])
			want++;
		entry = xa_find(&xa, &index, U64_MAX);
		assert_ptr_equal(entry, want < RANGE ? table[want] : NULL);
		if (entry)
			assert_int_equal(index, want * 37);
	}
	for (u64 i = 0; i < RANGE; i++) {
		assert_ptr_equal(xa_load(&xa, i * 37), table[i]);
		assert_int_equal(xa_get_mark(&xa, i * 37, 0), marked[i]);
		xa_erase(&xa, i * 37);
	}
	assert_int_equal(nodes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges_of_levels),
		cmocka_unit_test(test_visit_edges),
		cmocka_unit_test(test_store_and_insert),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_alloc_at_the_top),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_random_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

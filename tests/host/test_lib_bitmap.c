/* SPDX-License-Identifier: MIT */
/* Bitmaps and CPU sets against arrays of bool, bit counting, and the word helpers. */
#include "test_lib.h"

#include <lib/bitmap.h>
#include <lib/cpumask.h>

#define BITS 200

static void test_words(void **state)
{
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(bit_lowest(1ULL << i), i);
		assert_int_equal(bit_highest(1ULL << i | 1), i);
		assert_int_equal(bit_lowest(~0ULL << i), i);
		assert_int_equal(bit_count(~0ULL >> i), 64 - i);
		assert_int_equal(ilog2_up(1ULL << i), i);
	}
	assert_int_equal(bit_count(0), 0);
	assert_int_equal(ilog2_up(0), 0);
	assert_int_equal(ilog2_up(5), 3);
	assert_int_equal(ilog2(5), 2);
	assert_int_equal(roundup_pow2(1), 1);
	assert_int_equal(roundup_pow2(4097), 8192);
	assert_int_equal(rounddown_pow2(4097), 4096);
	assert_int_equal(rol64(0x8000000000000001ULL, 1), 3);
	assert_int_equal(rol64(5, 0), 5);
	assert_int_equal(ror64(3, 1), 0x8000000000000001ULL);
	assert_int_equal(rol32(0x80000001u, 1), 3);
	assert_int_equal(sign_extend64(0xfff, 11), -1);
	assert_int_equal(sign_extend64(0x7ff, 11), 0x7ff);
}

static void check(const unsigned long *map, const bool *ref, size_t nbits)
{
	size_t weight = 0;

	for (size_t i = 0; i <= nbits; i++) {
		size_t set = i, clear = i;

		while (set < nbits && !ref[set])
			set++;
		while (clear < nbits && ref[clear])
			clear++;
		assert_int_equal(bitmap_find_next(map, nbits, i), set);
		assert_int_equal(bitmap_find_next_zero(map, nbits, i), clear);
		if (i < nbits) {
			assert_int_equal(bitmap_test_bit(map, i), ref[i]);
			weight += ref[i];
		}
	}
	assert_int_equal(bitmap_weight(map, nbits), weight);
	assert_int_equal(bitmap_empty(map, nbits), weight == 0);
	assert_int_equal(bitmap_full(map, nbits), weight == nbits);
}

/* Sizes around the word boundaries; bits beyond the size are set, to be ignored. */
static void test_random_ranges(void **state)
{
	static const size_t sizes[] = { 1, 2, 63, 64, 65, 127, 128, 129, BITS };
	u64 seed = 3;

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		size_t nbits = sizes[s];
		DECLARE_BITMAP(map, BITS);
		bool ref[BITS] = { false };

		bitmap_fill(map, BITS);
		bitmap_clear_range(map, 0, nbits);
		check(map, ref, nbits);
		for (int step = 0; step < 200; step++) {
			size_t start = test_random(&seed) % nbits;
			size_t n = test_random(&seed) % (nbits - start + 1);
			bool set = test_random(&seed) % 2;

			if (set)
				bitmap_set_range(map, start, n);
			else
				bitmap_clear_range(map, start, n);
			for (size_t i = start; i < start + n; i++)
				ref[i] = set;
			check(map, ref, nbits);
		}
	}
}

static void test_single_bits(void **state)
{
	DECLARE_BITMAP(map, BITS);
	bool ref[BITS] = { false };
	size_t bit, n = 0;

	bitmap_zero(map, BITS);
	for (size_t i = 0; i < BITS; i += 7) {
		assert_false(bitmap_test_and_set_atomic(map, i));
		assert_true(bitmap_test_and_set_atomic(map, i));
		ref[i] = true;
	}
	check(map, ref, BITS);
	bitmap_for_each_set(bit, map, BITS) assert_int_equal(bit, 7 * n++);
	assert_int_equal(n, DIV_ROUND_UP(BITS, 7));
	for (size_t i = 0; i < BITS; i += 14) {
		assert_true(bitmap_test_and_clear_atomic(map, i));
		assert_false(bitmap_test_and_clear_atomic(map, i));
		ref[i] = false;
	}
	bitmap_assign_bit(map, 1, true);
	bitmap_assign_bit(map, 7, false);
	ref[1] = true;
	ref[7] = false;
	check(map, ref, BITS);
}

static void test_zero_range(void **state)
{
	DECLARE_BITMAP(map, BITS);

	bitmap_zero(map, BITS);
	assert_int_equal(bitmap_find_zero_range(map, BITS, 0, BITS, 1), 0);
	assert_int_equal(bitmap_find_zero_range(map, BITS, 1, BITS, 1), BITS);
	bitmap_set_range(map, 0, 70);
	bitmap_set_bit(map, 100);
	assert_int_equal(bitmap_find_zero_range(map, BITS, 0, 30, 1), 70);
	assert_int_equal(bitmap_find_zero_range(map, BITS, 0, 31, 1), 101);
	assert_int_equal(bitmap_find_zero_range(map, BITS, 0, 8, 16), 80);
	assert_int_equal(bitmap_find_zero_range(map, BITS, 0, 32, 32), 128);
	assert_int_equal(bitmap_find_zero_range(map, BITS, 0, 100, 1), BITS);
	assert_int_equal(bitmap_find_zero_range(map, BITS, 150, 50, 1), 150);
	assert_int_equal(bitmap_find_zero_range(map, BITS, 150, 51, 1), BITS);
}

static void test_set_operations(void **state)
{
	DECLARE_BITMAP(a, 70) = { 0xff00, 1 };
	DECLARE_BITMAP(b, 70) = { 0x0ff0, ~0x3eUL };
	DECLARE_BITMAP(c, 70);

	bitmap_and(c, a, b, 70);
	assert_int_equal(bitmap_weight(c, 70), 5);
	bitmap_or(c, a, b, 70);
	assert_int_equal(bitmap_weight(c, 70), 13);
	bitmap_andnot(c, a, b, 70);
	assert_int_equal(c[0], 0xf000);
	assert_int_equal(c[1], 0);
	assert_true(bitmap_intersects(a, b, 70));
	assert_false(bitmap_intersects(c, b, 70));
	assert_false(bitmap_equal(a, b, 70));
	bitmap_copy(c, a, 70);
	c[1] |= ~0x3fUL; /* beyond the map */
	assert_true(bitmap_equal(a, c, 70));
	a[1] = 0;
	assert_true(bitmap_equal(a, c, 64));
	assert_false(bitmap_equal(a, c, 65));
}

static void test_cpumask(void **state)
{
	struct cpumask all, one = cpumask_of(0), none = CPUMASK_NONE;
	unsigned int cpu, n = 0;

	cpumask_fill(&all);
	assert_int_equal(cpumask_weight(&all), CONFIG_NR_CPUS);
	for_each_cpu(cpu, &all)
		assert_int_equal(cpu, n++);
	assert_int_equal(n, CONFIG_NR_CPUS);
	assert_true(cpumask_empty(&none));
	assert_int_equal(cpumask_first(&none), CONFIG_NR_CPUS);
	assert_true(cpumask_test(&one, 0));
	assert_true(cpumask_intersects(&all, &one));
	cpumask_andnot(&none, &all, &one);
	assert_int_equal(cpumask_weight(&none), CONFIG_NR_CPUS - 1);
	assert_false(cpumask_test_and_set_atomic(&none, 0));
	assert_true(cpumask_equal(&none, &all));
	assert_true(cpumask_test_and_clear_atomic(&none, 0));
	assert_false(cpumask_equal(&none, &all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	       cmocka_unit_test(test_random_ranges),
		cmocka_unit_test(test_single_bits),    cmocka_unit_test(test_zero_range),
		cmocka_unit_test(test_set_operations), cmocka_unit_test(test_cpumask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

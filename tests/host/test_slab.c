/* SPDX-License-Identifier: MIT */
/*
 * The slab allocator: objects are disjoint, aligned, as large as asked for; random allocation with every byte of every
 * object marked as its owner's; two CPUs with a magazine each; what fails leaves nothing behind.
 */
#include "test_lib.h"

#include <hal/boot.h>
#include <hal/host/host.h>
#include <lib/string.h>
#include <mm/internal.h>
#include <mm/slab.h>

#include "kernel_stubs.h"

#define RAM_SIZE (32UL << 20)

static int setup(void **state)
{
	(void)state;
	/* Two CPUs' magazines; hal_cpu_number says which CPU this is. */
	host_ram_init(RAM_SIZE, 0x80000000);
	boot_info.ncpus = 2;
	stubs_start_mm();
	boot_info.ncpus = 1;
	return 0;
}

static u64 in_use(void)
{
	struct stubs_usage u;

	stubs_in_use(&u);
	return u.objects;
}

static void test_sizes(void **state)
{
	u64 before = in_use();

	(void)state;
	for (size_t size = 1; size <= 3 * PAGE_SIZE; size += size < 600 ? 1 : 61) {
		u8 *p = kmalloc(size, 0), *q = kmalloc(size, GFP_ZERO);

		assert_non_null(p);
		assert_non_null(q);
		assert_true(IS_ALIGNED((unsigned long)p, 8));
		assert_true(p + size <= q || q + size <= p);
		memset(p, 0xa5, size);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(q[i], 0);
		kfree(p);
		kfree(q);
	}
	assert_int_equal(in_use(), before);
	kfree(NULL);
	assert_null(kmalloc(5UL << 20, 0));
	assert_null(kcalloc(SIZE_MAX / 8, 16, 0));
}

static void test_resize(void **state)
{
	char *p = krealloc(NULL, 20, 0);

	(void)state;
	assert_non_null(p);
	strscpy(p, "nineteen characters", 20);
	for (size_t size = 32; size < 4 * PAGE_SIZE; size *= 2) {
		p = krealloc(p, size, 0);
		assert_non_null(p);
		assert_string_equal(p, "nineteen characters");
	}
	kfree(p);
	p = kstrdup("copy", 0);
	assert_string_equal(p, "copy");
	kfree(p);
}

struct held {
	u8 *p;
	size_t size;
	u8 mark;
};

static void check_marks(const struct held *h)
{
	for (size_t i = 0; i < h->size; i++)
		assert_int_equal(h->p[i], h->mark);
}

static void test_random_objects(void **state)
{
	static struct held held[3000];
	u64 rng = 0x9e3779b97f4a7c15ULL, before = in_use();

	(void)state;
	for (unsigned int round = 0; round < 200000; round++) {
		u64 r = test_random(&rng);
		struct held *h = &held[r % ARRAY_SIZE(held)];

		if (h->p) {
			check_marks(h);
			kfree(h->p);
			h->p = NULL;
			continue;
		}
		h->size = 1 + (r >> 20) % ((r >> 16) % 8 ? 500 : 6000);
		h->mark = (u8)(r >> 56);
		h->p = kmalloc(h->size, 0);
		if (h->p)
			memset(h->p, h->mark, h->size);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(held); i++) {
		if (held[i].p) {
			check_marks(&held[i]);
			kfree(held[i].p);
		}
	}
	assert_int_equal(in_use(), before);
}

/* Objects allocated on one CPU and freed on the other come back through the slabs. */
static void test_two_cpus(void **state)
{
	struct kmem_cache *cache;
	void *obj[500];
	u64 before;

	(void)state;
	boot_info.ncpus = 2;
	cache = kmem_cache_create("test", 200, 64);
	before = in_use();
	for (unsigned int round = 0; round < 20; round++) {
		hal_cpu_number = round & 1;
		for (unsigned int i = 0; i < ARRAY_SIZE(obj); i++) {
			obj[i] = kmem_cache_alloc(cache, 0);
			assert_non_null(obj[i]);
			assert_true(IS_ALIGNED((unsigned long)obj[i], 64));
			memset(obj[i], (int)i, 200);
		}
		hal_cpu_number = !hal_cpu_number;
		for (unsigned int i = 0; i < ARRAY_SIZE(obj); i++) {
			assert_int_equal(*(u8 *)obj[i], (u8)i);
			kmem_cache_free(cache, obj[i]);
		}
		assert_int_equal(in_use(), before);
	}
	hal_cpu_number = 0;
	boot_info.ncpus = 1;
}

/* All memory in small objects; then all of it, but for what a cache keeps, is pages again. */
static void test_exhaust(void **state)
{
	struct mm_stats start, full, end;
	void **list = NULL, **p;

	(void)state;
	mm_get_stats(&start);
	while ((p = kmalloc(64, 0))) {
		*p = list;
		list = p;
	}
	mm_get_stats(&full);
	assert_true(full.free < 8);
	while (list) {
		p = *list;
		kfree(list);
		list = p;
	}
	mm_get_stats(&end);
	assert_true(end.free + 16 >= start.free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	       cmocka_unit_test(test_resize),
		cmocka_unit_test(test_random_objects), cmocka_unit_test(test_two_cpus),
		cmocka_unit_test(test_exhaust),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

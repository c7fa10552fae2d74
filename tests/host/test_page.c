/* SPDX-License-Identifier: MIT */
/*
 * The page allocator: blocks are disjoint, aligned and in their zone; everything can be taken and comes back merged; random
 * allocation against a map of who owns each page.
 */
#include "test_lib.h"

#include <hal/boot.h>
#include <hal/host/host.h>
#include <lib/string.h>
#include <mm/internal.h>

#include "kernel_stubs.h"

#define RAM_SIZE (32UL << 20)
/* RAM lies across the border of the two zones. */
#define RAM_BASE (0x100000000ULL - (RAM_SIZE / 2))
#define NPAGES	 (RAM_SIZE / PAGE_SIZE)

#define RESERVED_BASE (RAM_BASE + 0x100800)
#define RESERVED_SIZE 0x10000ULL

static int setup(void **state)
{
	(void)state;
	host_ram_init(RAM_SIZE, RAM_BASE);
	boot_add_reserved(RESERVED_BASE, RESERVED_SIZE);
	boot_finish_memory();
	stubs_start_mm();
	return 0;
}

static u64 free_pages(void)
{
	struct mm_stats st;

	mm_get_stats(&st);
	return st.free;
}

/* Free pages all in the largest blocks there are: as many such blocks can be taken now as at the start. */
static unsigned int largest_blocks(void)
{
	struct page *block[NPAGES >> 10];
	unsigned int n = 0;

	while (n < ARRAY_SIZE(block) && (block[n] = page_alloc(GFP_ATOMIC, 10)))
		n++;
	for (unsigned int i = 0; i < n; i++)
		page_free(block[i], 10);
	return n;
}

static void test_exhaust_and_merge(void **state)
{
	static struct page *page[NPAGES];
	unsigned int n = 0, blocks = largest_blocks();
	u64 before = free_pages();

	(void)state;
	assert_true(blocks >= 5);
	while ((page[n] = page_alloc(GFP_KERNEL, 0)))
		n++;
	assert_int_equal(n, before);
	assert_int_equal(free_pages(), 0);
	assert_null(page_alloc(GFP_ATOMIC, 3));
	/* Every second one first, so that nothing can merge until the others come. */
	for (unsigned int i = 0; i < n; i += 2)
		page_put(page[i]);
	for (unsigned int i = 1; i < n; i += 2)
		page_free(page[i], 0);
	assert_int_equal(free_pages(), before);
	assert_int_equal(largest_blocks(), blocks);
}

static void test_zeroed_and_counted(void **state)
{
	struct page *page = page_alloc(0, 2);
	struct mm_stats a, b;

	(void)state;
	memset(page_to_virt(page), 0xff, 4 * PAGE_SIZE);
	page_free(page, 2);
	mm_get_stats(&a);
	page = page_alloc(GFP_ZERO, 2);
	mm_get_stats(&b);
	assert_int_equal(b.kernel, a.kernel + 4);
	assert_int_equal(b.free, a.free - 4);
	for (size_t i = 0; i < 4 * PAGE_SIZE; i++)
		assert_int_equal(((u8 *)page_to_virt(page))[i], 0);
	assert_ptr_equal(virt_to_page(page_to_virt(page)), page);
	assert_ptr_equal(phys_to_page(page_to_phys(page)), page);
	assert_null(phys_to_page(RAM_BASE + RAM_SIZE));
	assert_null(phys_to_page(RAM_BASE - 1));
	page_free(page, 2);
}

static void test_references(void **state)
{
	struct page *page = page_alloc(0, 0);
	u64 before = free_pages();

	(void)state;
	page_get(page);
	page_get(page);
	assert_int_equal(page_count(page), 3);
	page_put(page);
	page_put(page);
	assert_int_equal(free_pages(), before);
	page_put(page);
	assert_int_equal(free_pages(), before + 1);
}

/* Users may not take the last pages; the kernel may. */
static void test_reserve(void **state)
{
	static struct page *page[NPAGES];
	unsigned int n = 0, more = 0;

	(void)state;
	while ((page[n] = page_alloc(GFP_USER, 0)))
		n++;
	while ((page[n + more] = page_alloc(GFP_ATOMIC, 0)))
		more++;
	assert_in_range(more, 16, 4096);
	for (unsigned int i = 0; i < n + more; i++)
		page_put(page[i]);
}

static u8 owner[NPAGES];

static void mark(const struct page *page, unsigned int order, bool take)
{
	u64 first = (page_to_phys(page) - RAM_BASE) >> PAGE_SHIFT;

	assert_true(IS_ALIGNED(page_to_phys(page), PAGE_SIZE << order));
	for (u64 i = first; i < first + (1u << order); i++) {
		assert_true(i < NPAGES);
		assert_int_equal(owner[i], !take);
		owner[i] = take;
	}
	/* A block never spans the two zones. */
	assert_int_equal(page_to_phys(page) >> 32,
			 (page_to_phys(page) + (PAGE_SIZE << order) - 1) >> 32);
}

static void test_random_blocks(void **state)
{
	struct {
		struct page *page;
		unsigned int order;
	} held[600] = { 0 };
	u64 rng = 88172645463325252ULL, before = free_pages(), out = 0;

	(void)state;
	for (unsigned int round = 0; round < 300000; round++) {
		u64 r = test_random(&rng);
		unsigned int i = (r >> 8) % ARRAY_SIZE(held);

		if (held[i].page) {
			mark(held[i].page, held[i].order, false);
			out -= 1u << held[i].order;
			page_free(held[i].page, held[i].order);
			held[i].page = NULL;
			continue;
		}
		held[i].order = (r >> 32) % 4 ? 0 : (r >> 40) % 9;
		held[i].page = page_alloc(r & 1 ? GFP_ATOMIC : GFP_KERNEL, held[i].order);
		if (held[i].page) {
			mark(held[i].page, held[i].order, true);
			out += 1u << held[i].order;
		}
		if (round % 256 == 0)
			assert_int_equal(free_pages(), before - out);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i].page)
			page_free(held[i].page, held[i].order);
	assert_int_equal(free_pages(), before);
}

/* Memory that was reserved at boot (an initrd) can be given back, once. */
static void test_boot_range(void **state)
{
	u64 before;

	(void)state;
	before = free_pages();
	mm_free_boot_range(RESERVED_BASE, RESERVED_SIZE);
	assert_int_equal(free_pages(), before + 15);
	mm_free_boot_range(RESERVED_BASE, RESERVED_SIZE);
	assert_int_equal(free_pages(), before + 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exhaust_and_merge), cmocka_unit_test(test_zeroed_and_counted),
		cmocka_unit_test(test_references),	  cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_random_blocks),	  cmocka_unit_test(test_boot_range),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

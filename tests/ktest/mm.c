/* SPDX-License-Identifier: MIT */
/* Pages and slab objects on several CPUs, and that all of it comes back. */
#include <hal/cpu.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/slab.h>

#include "ktest.h"

static u64 pages_free(void)
{
	struct mm_stats st;

	mm_get_stats(&st);
	return st.free;
}

static unsigned int largest_blocks(void)
{
	unsigned int n = 0;
	struct page *page;
	DEFINE_LIST(list);

	while ((page = page_alloc(GFP_ATOMIC, 10))) {
		list_add(&page->link, &list);
		n++;
	}
	while (!list_empty(&list)) {
		page = list_first_entry(&list, struct page, link);
		list_del(&page->link);
		page_free(page, 10);
	}
	return n;
}

/* All memory as single pages; when they are back, they have merged. */
static void test_buddy_exhaust(void)
{
	unsigned int blocks = largest_blocks();
	u64 before = pages_free(), taken = 0;
	struct page *page;
	DEFINE_LIST(list);

	EXPECT(blocks > 0);
	while ((page = page_alloc(GFP_ATOMIC, 0))) {
		list_add(&page->link, &list);
		taken++;
	}
	EXPECT(page_alloc(GFP_ATOMIC, 1) == NULL);
	/* Other CPUs keep a few in their own stacks. */
	EXPECT(taken <= before && taken + 64 * CONFIG_NR_CPUS >= before);
	while (!list_empty(&list)) {
		page = list_first_entry(&list, struct page, link);
		list_del(&page->link);
		page_put(page);
	}
	EXPECT(pages_free() == before);
	EXPECT(largest_blocks() == blocks);
}

static void test_buddy_split(void)
{
	u64 before = pages_free();
	struct page *page[11];

	for (unsigned int order = 0; order <= 10; order++) {
		page[order] = page_alloc(GFP_KERNEL, order);
		if (EXPECT(page[order] != NULL))
			EXPECT(IS_ALIGNED(page_to_phys(page[order]), PAGE_SIZE << order));
	}
	EXPECT(pages_free() == before - 2047);
	for (unsigned int order = 0; order <= 10; order++)
		if (page[order])
			page_free(page[order], order);
	EXPECT(pages_free() == before);
}

/* Every word of a block is its owner's number while it is held. */
static void buddy_worker(unsigned int self)
{
	enum { HELD = 32 };
	static const u8 orders[] = { 0, 0, 0, 1, 2, 3, 0, 5 };
	struct page *held[HELD] = { NULL };
	u64 *words;

	for (unsigned int round = 0; round < 2000; round++) {
		unsigned int slot = (round * 7 + round / 32) % HELD,
			     order = orders[slot % ARRAY_SIZE(orders)];
		u64 mark = ((u64)self << 32) + slot;

		if (held[slot]) {
			words = page_to_virt(held[slot]);
			EXPECT(words[0] == mark && words[(PAGE_SIZE << order) / 8 - 1] == mark);
			page_free(held[slot], order);
			held[slot] = NULL;
			continue;
		}
		held[slot] = page_alloc(GFP_KERNEL, order);
		if (!EXPECT(held[slot] != NULL))
			continue;
		words = page_to_virt(held[slot]);
		words[0] = words[(PAGE_SIZE << order) / 8 - 1] = mark;
	}
	for (unsigned int slot = 0; slot < HELD; slot++)
		if (held[slot])
			page_free(held[slot], orders[slot % ARRAY_SIZE(orders)]);
}

static struct {
	u32 arrived; /* atomic */
	u64 before, after;
} crew_count;

/* Wait until all CPUs' workers are here for the @nth time. */
static void crew_meet(unsigned int nth)
{
	__atomic_fetch_add(&crew_count.arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&crew_count.arrived, __ATOMIC_SEQ_CST) < nth * cpu_online_count())
		ktest_sleep_ns(NSEC_PER_MSEC / 10);
}

/* Counted while the threads live: what they leave to the CPU they die on (stacks, slab objects) is not the buddy system's. */
static void counted_buddy_worker(unsigned int self)
{
	crew_meet(1);
	if (self == 0)
		crew_count.before = pages_free();
	crew_meet(2);
	buddy_worker(self);
	crew_meet(3);
	if (self == 0)
		crew_count.after = pages_free();
	crew_meet(4);
}

static void test_buddy_parallel(void)
{
	crew_count.arrived = 0;
	if (!ktest_parallel(cpu_online_count(), counted_buddy_worker, true))
		return;
	if (!EXPECT(crew_count.after == crew_count.before))
		ktest_note("%llu free pages before, %llu after", crew_count.before,
			   crew_count.after);
}

static void count_objects(void *ctx, const char *name, size_t size, u64 inuse, u64 total)
{
	(void)total;
	if (!strncmp(name, "kmalloc-", 8) && size <= 2048)
		*(u64 *)ctx += inuse;
}

static u64 objects(void)
{
	u64 n = 0;

	kmem_cache_stats(count_objects, &n);
	return n;
}

/* Every size up to some pages: aligned, whole, zeroed when asked. */
static void test_slab_sizes(void)
{
	u64 before = objects();

	for (size_t size = 1; size < 20000; size += 1 + size / 16) {
		u8 *p = kmalloc(size, GFP_KERNEL), *q = kmalloc(size, GFP_ZERO);

		if (EXPECT(p && q)) {
			EXPECT(p + size <= q || q + size <= p);
			EXPECT(IS_ALIGNED((unsigned long)p, 8));
			memset(p, 0xff, size);
			EXPECT(q[0] == 0 && q[size / 2] == 0 && q[size - 1] == 0);
			memset(q, 0xee, size);
			EXPECT(p[0] == 0xff && p[size - 1] == 0xff);
		}
		kfree(p);
		kfree(q);
	}
	EXPECT(objects() == before);
}

/* Half of the objects go to whoever takes them out of the common slots: freed on another CPU than they came from. */
static u64 *slots[64];
static const u16 sizes[] = { 16, 48, 96, 200, 384, 768, 1500, 2048 };

static void slab_worker(unsigned int self)
{
	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int slot = (round * 13 + self * 5) % ARRAY_SIZE(slots);
		size_t size = sizes[slot % ARRAY_SIZE(sizes)];
		u64 *obj = kmalloc(size, GFP_KERNEL), *old;

		if (!EXPECT(obj != NULL))
			return;
		obj[0] = obj[size / 8 - 1] = slot;
		old = __atomic_exchange_n(&slots[slot], obj, __ATOMIC_ACQ_REL);
		if (!old)
			continue;
		EXPECT(old[0] == slot && old[size / 8 - 1] == slot);
		old[0] = old[size / 8 - 1] = ~0ULL;
		kfree(old);
	}
}

static void test_slab_parallel(void)
{
	u64 before = objects(), after;

	ktest_parallel(cpu_online_count(), slab_worker, true);
	for (unsigned int i = 0; i < ARRAY_SIZE(slots); i++) {
		kfree(slots[i]);
		slots[i] = NULL;
	}
	/* What the threads leave goes after them. The crew's own record is one object. */
	for (u64 end = hal_clock_ns() + KTEST_LIMIT_NS;
	     (after = objects()) > before + 1 && hal_clock_ns() < end;)
		ktest_sleep_ns(NSEC_PER_MSEC);
	EXPECT(after <= before + 1);
}

const struct ktest ktest_mm[] = {
	{ "buddy_exhaust", test_buddy_exhaust, false },
	{ "buddy_split", test_buddy_split, false },
	{ "buddy_parallel", test_buddy_parallel, false },
	{ "slab_sizes", test_slab_sizes, false },
	{ "slab_parallel", test_slab_parallel, false },
	KTEST_END,
};

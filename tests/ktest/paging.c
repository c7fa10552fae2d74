/* SPDX-License-Identifier: MIT */
/* Page tables as <hal/paging.h> promises them, and the kernel's own: guard pages, nothing writable and executable. */
#include <hal/cpu.h>
#include <kernel/task.h>
#include <lib/string.h>
#include <mm/internal.h>
#include <mm/page.h>

#include "ktest.h"

#define BASE   0x40000000UL
#define FAR    (USER_END - (4UL << 20))
#define RIGHTS (HAL_READ | HAL_WRITE | HAL_EXEC)
#define NPAGES 40

static u64 tables(void)
{
	struct mm_stats st;

	mm_get_stats(&st);
	return st.tables;
}

static unsigned int callbacks;
static paddr_t pa_sum;

static void on_unmap(void *ctx, uaddr_t va, paddr_t pa, unsigned int prot)
{
	(void)ctx, (void)va, (void)prot;
	callbacks++;
	pa_sum += pa;
}

static void on_clone(void *ctx, paddr_t pa)
{
	(void)ctx;
	callbacks++;
	pa_sum += pa;
}

static bool is(struct hal_pt *pt, uaddr_t va, paddr_t pa, unsigned int prot)
{
	struct hal_pte_info info;

	return hal_pt_query(pt, va, &info) && info.pa == pa && (info.prot & RIGHTS) == prot;
}

static paddr_t page_pa(struct page *block, unsigned int i)
{
	return page_to_phys(block) + i * PAGE_SIZE;
}

/* An empty table with NPAGES pages of @block at @va. */
static bool fill(struct hal_pt *pt, struct page *block, uaddr_t va)
{
	if (!EXPECT(hal_pt_init(pt) == 0))
		return false;
	for (unsigned int i = 0; i < NPAGES; i++)
		EXPECT(hal_pt_map(pt, va + i * PAGE_SIZE, page_pa(block, i),
				  HAL_READ | HAL_WRITE) == 0);
	return true;
}

static void test_map_query(void)
{
	struct page *block = page_alloc(GFP_KERNEL, 6);
	struct hal_pte_info info;
	u64 before = tables();
	static struct hal_pt pt;

	pt = (struct hal_pt){ 0 };
	/* Across the border of two last-level tables, and at the end of the address space. */
	if (!EXPECT(block != NULL) || !fill(&pt, block, BASE - 8 * PAGE_SIZE))
		return;
	EXPECT(hal_pt_map(&pt, FAR, page_pa(block, 0), HAL_READ | HAL_EXEC) == 0);
	for (unsigned int i = 0; i < NPAGES; i++)
		EXPECT(is(&pt, BASE + i * PAGE_SIZE - 8 * PAGE_SIZE, page_pa(block, i),
			  HAL_READ | HAL_WRITE));
	EXPECT(is(&pt, FAR, page_pa(block, 0), HAL_READ | HAL_EXEC));
	EXPECT(!hal_pt_query(&pt, BASE + NPAGES * PAGE_SIZE, &info));
	EXPECT(!hal_pt_query(&pt, FAR + PAGE_SIZE, &info) && !hal_pt_query(&pt, 0, &info));
	EXPECT(hal_pt_map(&pt, BASE, page_pa(block, 50), HAL_READ) == 0);
	EXPECT(is(&pt, BASE, page_pa(block, 50), HAL_READ));
	hal_pt_unmap(&pt, 0, USER_END, NULL, NULL);
	EXPECT(!hal_pt_query(&pt, BASE, &info) && !hal_pt_query(&pt, FAR, &info));
	hal_pt_fini(&pt);
	EXPECT(tables() == before);
	page_free(block, 6);
}

static void test_protect(void)
{
	static const unsigned int rights[] = {
		0, HAL_READ, HAL_READ | HAL_WRITE, HAL_READ | HAL_EXEC, RIGHTS, 0, HAL_READ
	};
	struct page *block = page_alloc(GFP_KERNEL, 6);
	static struct hal_pt pt;

	pt = (struct hal_pt){ 0 };
	if (!EXPECT(block != NULL) || !fill(&pt, block, BASE))
		return;
	for (unsigned int k = 0; k < ARRAY_SIZE(rights); k++) {
		hal_pt_protect(&pt, BASE + 4 * PAGE_SIZE, BASE + 20 * PAGE_SIZE, rights[k]);
		/* Without any right a page is still there. */
		for (unsigned int i = 0; i < NPAGES; i++)
			EXPECT(is(&pt, BASE + i * PAGE_SIZE, page_pa(block, i),
				  i >= 4 && i < 20 ? rights[k] : HAL_READ | HAL_WRITE));
	}
	hal_pt_unmap(&pt, BASE, BASE + NPAGES * PAGE_SIZE, NULL, NULL);
	hal_pt_fini(&pt);
	page_free(block, 6);
}

static void test_unmap_callback(void)
{
	struct page *block = page_alloc(GFP_KERNEL, 6);
	static struct hal_pt pt;
	paddr_t expected = 0;

	pt = (struct hal_pt){ 0 };
	if (!EXPECT(block != NULL) || !fill(&pt, block, BASE))
		return;
	callbacks = 0;
	pa_sum = 0;
	for (unsigned int i = 3; i < 30; i++)
		expected += page_pa(block, i);
	hal_pt_protect(&pt, BASE + 5 * PAGE_SIZE, BASE + 6 * PAGE_SIZE, 0);
	hal_pt_unmap(&pt, BASE + 3 * PAGE_SIZE, BASE + 30 * PAGE_SIZE, on_unmap, NULL);
	EXPECT(callbacks == 27 && pa_sum == expected);
	hal_pt_unmap(&pt, 0, USER_END, on_unmap, NULL);
	EXPECT(callbacks == NPAGES);
	hal_pt_fini(&pt);
	page_free(block, 6);
}

static void test_move(void)
{
	struct page *block = page_alloc(GFP_KERNEL, 6);
	struct hal_pte_info info;
	static struct hal_pt pt;

	pt = (struct hal_pt){ 0 };
	if (!EXPECT(block != NULL) || !fill(&pt, block, BASE))
		return;
	hal_pt_protect(&pt, BASE, BASE + PAGE_SIZE, 0);
	EXPECT(hal_pt_move(&pt, BASE, FAR, 16 * PAGE_SIZE) == 0);
	for (unsigned int i = 0; i < NPAGES; i++) {
		EXPECT(hal_pt_query(&pt, BASE + i * PAGE_SIZE, &info) == (i >= 16));
		if (i < 16)
			EXPECT(is(&pt, FAR + i * PAGE_SIZE, page_pa(block, i),
				  i ? HAL_READ | HAL_WRITE : 0));
	}
	hal_pt_unmap(&pt, 0, USER_END, NULL, NULL);
	hal_pt_fini(&pt);
	page_free(block, 6);
}

static void test_clone(void)
{
	struct page *block = page_alloc(GFP_KERNEL, 6);
	static struct hal_pt pt, copy;
	u64 before = tables();

	pt = copy = (struct hal_pt){ 0 };
	if (!EXPECT(block != NULL) || !fill(&pt, block, BASE) || !EXPECT(hal_pt_init(&copy) == 0))
		return;
	callbacks = 0;
	hal_pt_protect(&pt, BASE + PAGE_SIZE, BASE + 2 * PAGE_SIZE, 0);
	EXPECT(hal_pt_clone(&copy, &pt, BASE, BASE + 10 * PAGE_SIZE, true, on_clone, NULL) == 0);
	EXPECT(hal_pt_clone(&copy, &pt, BASE + 10 * PAGE_SIZE, BASE + NPAGES * PAGE_SIZE, false,
			    on_clone, NULL) == 0);
	EXPECT(callbacks == NPAGES);
	for (unsigned int i = 0; i < NPAGES; i++) {
		unsigned int prot = i == 1 ? 0 : i < 10 ? HAL_READ : HAL_READ | HAL_WRITE;

		EXPECT(is(&pt, BASE + i * PAGE_SIZE, page_pa(block, i), prot));
		EXPECT(is(&copy, BASE + i * PAGE_SIZE, page_pa(block, i), prot));
	}
	hal_pt_unmap(&pt, 0, USER_END, NULL, NULL);
	hal_pt_unmap(&copy, 0, USER_END, NULL, NULL);
	hal_pt_fini(&copy);
	hal_pt_fini(&pt);
	EXPECT(tables() == before);
	page_free(block, 6);
}

static void test_map_pages(void)
{
	struct page *block = page_alloc(GFP_KERNEL, 4);
	struct hal_pte_info info;
	static struct hal_pt pt;
	paddr_t pas[16];
	u64 mapped = 0;

	pt = (struct hal_pt){ 0 };
	if (!EXPECT(block != NULL) || !EXPECT(hal_pt_init(&pt) == 0))
		return;
	for (unsigned int i = 0; i < 16; i++)
		pas[i] = i % 5 ? page_pa(block, i) : 0;
	EXPECT(hal_pt_map(&pt, BASE + 7 * PAGE_SIZE, page_pa(block, 0), HAL_READ) == 0);
	EXPECT(hal_pt_map_pages(&pt, BASE, pas, 16, HAL_READ, &mapped) == 0);
	for (unsigned int i = 0; i < 16; i++) {
		EXPECT((mapped >> i & 1) == (i % 5 && i != 7));
		if (i % 5 && i != 7)
			EXPECT(is(&pt, BASE + i * PAGE_SIZE, page_pa(block, i), HAL_READ));
	}
	EXPECT(is(&pt, BASE + 7 * PAGE_SIZE, page_pa(block, 0), HAL_READ));
	EXPECT(!hal_pt_query(&pt, BASE, &info));
	hal_pt_unmap(&pt, 0, USER_END, NULL, NULL);
	hal_pt_fini(&pt);
	page_free(block, 4);
}

/* ---- the kernel's own table ---- */

static void check_stack(vaddr_t stack)
{
	struct hal_pte_info info = { 0 };

	for (vaddr_t va = stack; va < stack + KSTACK_SIZE; va += PAGE_SIZE)
		EXPECT(hal_kernel_query(va, &info) &&
		       (info.prot & RIGHTS) == (HAL_READ | HAL_WRITE));
	EXPECT(!hal_kernel_query(stack - PAGE_SIZE, &info));
}

static void test_stack_guard(void)
{
	void *stack = kstack_alloc();
	char here;

	check_stack((vaddr_t)current->kstack);
	EXPECT((vaddr_t)&here > (vaddr_t)current->kstack &&
	       (vaddr_t)&here < (vaddr_t)current->kstack + KSTACK_SIZE);
	if (!EXPECT(stack != NULL))
		return;
	check_stack((vaddr_t)stack);
	kstack_free(stack);
}

static u64 free_pages(void)
{
	struct mm_stats st;

	mm_get_stats(&st);
	return st.free;
}

/* Stacks that are kept give their pages back when memory is short, and can be had again. */
static void test_stacks_given_back(void)
{
	static void *stack[60];
	u64 before;
	size_t n;

	for (int round = 0; round < 2; round++) {
		for (n = 0; n < ARRAY_SIZE(stack) && (stack[n] = kstack_alloc()); n++) {
			memset(stack[n], 0x5a, KSTACK_SIZE);
			check_stack((vaddr_t)stack[n]);
		}
		EXPECT(n == ARRAY_SIZE(stack));
		before = free_pages();
		while (n)
			kstack_free(stack[--n]);
		while (mm_shrink())
			;
		EXPECT(free_pages() >= before + 40 * KSTACK_SIZE / PAGE_SIZE);
	}
}

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[], __data_start[],
	__image_end[];

/* Each page of the image and its alias in the linear map. */
static void check_rights(const char *start, const char *end, unsigned int prot)
{
	struct hal_pte_info info = { 0 };

	for (const char *va = start; va < end; va += PAGE_SIZE) {
		EXPECT(hal_kernel_query((vaddr_t)va, &info) && (info.prot & RIGHTS) == prot);
		EXPECT(info.pa == arch_image_to_phys(va));
		if (hal_kernel_query((vaddr_t)phys_to_virt(arch_image_to_phys(va)), &info))
			EXPECT((info.prot & RIGHTS) == (prot & ~HAL_EXEC));
	}
}

static void test_wx(void)
{
	struct hal_pte_info info;

	if (!hal_kernel_query((vaddr_t)__text_start, &info)) {
		ktest_skip("this CPU maps the kernel by a window without pages");
		return;
	}
	check_rights(__text_start, __text_end, HAL_READ | HAL_EXEC);
	check_rights(__rodata_start, __rodata_end, HAL_READ);
	check_rights(__data_start, __image_end, HAL_READ | HAL_WRITE);
}

const struct ktest ktest_paging[] = {
	{ "map_query", test_map_query, false },
	{ "protect", test_protect, false },
	{ "unmap_callback", test_unmap_callback, false },
	{ "move", test_move, false },
	{ "clone", test_clone, false },
	{ "map_pages", test_map_pages, false },
	{ "stack_guard", test_stack_guard, false },
	{ "stacks_given_back", test_stacks_given_back, false },
	{ "kernel_w_xor_x", test_wx, false },
	KTEST_END,
};

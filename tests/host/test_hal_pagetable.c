/* SPDX-License-Identifier: MIT */
/*
 * The generic page table against a model: random changes at the borders of tables of every level, with and
 * without memory for new tables. Table pages must come back holding nothing, and all of them.
 */
#include "test_lib.h"

#include <arch/pte.h>
#include <hal/boot.h>
#include <hal/paging.h>
#include <hal/pt_radix.h>
#include <hal/upcall.h>
#include <string.h>

#define WINDOW 48 /* pages around each border */
#define NVA    (ARRAY_SIZE(border) * WINDOW)

/* Addresses where a table of level 1, 2 and 3 ends, the lowest page and the highest. */
static const uaddr_t border[] = {
	0x200000,
	0x40000000,
	0x8000000000,
	WINDOW / 2 * PAGE_SIZE,
	USER_END - WINDOW / 2 * PAGE_SIZE,
};

struct model {
	struct hal_pt pt;
	struct hal_pte_info page[ARRAY_SIZE(border) * WINDOW]; /* pa 0: absent */
};

static struct model a, b;
static u64 seed = 20;
static unsigned int tables_out;
static u64 allocations_left = U64_MAX;

paddr_t upcall_pt_alloc(void)
{
	void *page;

	if (allocations_left == 0)
		return 0;
	allocations_left--;
	page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	assert_non_null(page);
	memset(page, 0, PAGE_SIZE);
	tables_out++;
	return virt_to_phys(page);
}

void upcall_pt_free(paddr_t pa)
{
	static const char zero[PAGE_SIZE];

	assert_memory_equal(phys_to_virt(pa), zero, PAGE_SIZE);
	free(phys_to_virt(pa));
	tables_out--;
}

static u64 rnd(u64 n)
{
	return test_random(&seed) % n;
}

static uaddr_t va_of(unsigned int i)
{
	return border[i / WINDOW] + (i % WINDOW) * PAGE_SIZE - WINDOW / 2 * PAGE_SIZE;
}

/* Any page but that at 0. */
static paddr_t random_pa(void)
{
	return (1 + rnd(1 << 20)) << PAGE_SHIFT;
}

static unsigned int random_prot(void)
{
	return (unsigned int)rnd(8);
}

/* A run of model pages with consecutive addresses. */
static void random_run(unsigned int *first, unsigned int *n)
{
	unsigned int window = (unsigned int)rnd(ARRAY_SIZE(border)), at = (unsigned int)rnd(WINDOW);

	*first = window * WINDOW + at;
	*n = (unsigned int)rnd(WINDOW - at) + 1;
}

static void check(struct model *m)
{
	for (unsigned int i = 0; i < NVA; i++) {
		struct hal_pte_info got = { 0 };

		assert_int_equal(hal_pt_query(&m->pt, va_of(i), &got), m->page[i].pa != 0);
		if (!m->page[i].pa)
			continue;
		assert_int_equal(got.pa, m->page[i].pa);
		assert_int_equal(got.prot, m->page[i].prot | HAL_USER);
	}
}

static void do_map(struct model *m)
{
	unsigned int i = (unsigned int)rnd(NVA), prot = random_prot();
	paddr_t pa = random_pa();

	if (hal_pt_map(&m->pt, va_of(i), pa, prot) == 0)
		m->page[i] = (struct hal_pte_info){ pa, prot };
	else
		assert_int_equal(allocations_left, 0);
}

/* Fault-around stays within one last-level table. */
static void do_map_pages(struct model *m)
{
	unsigned int first, n, prot = random_prot(), room;
	paddr_t pas[WINDOW];
	u64 mapped;

	random_run(&first, &n);
	room = (unsigned int)(0x200000 - (va_of(first) & 0x1fffff)) >> PAGE_SHIFT;
	n = min(n, room);
	for (unsigned int i = 0; i < n; i++)
		pas[i] = rnd(3) ? random_pa() : 0;
	if (hal_pt_map_pages(&m->pt, va_of(first), pas, n, prot, &mapped)) {
		assert_int_equal(allocations_left, 0);
		assert_int_equal(mapped, 0);
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		bool wanted = pas[i] && !m->page[first + i].pa;

		assert_int_equal(mapped >> i & 1, wanted);
		if (wanted)
			m->page[first + i] = (struct hal_pte_info){ pas[i], prot };
	}
}

static void do_protect(struct model *m)
{
	unsigned int first, n, prot = random_prot();

	random_run(&first, &n);
	hal_pt_protect(&m->pt, va_of(first), va_of(first) + n * PAGE_SIZE, prot);
	for (unsigned int i = first; i < first + n; i++)
		m->page[i].prot = prot;
}

static void unmapped(void *ctx, uaddr_t va, paddr_t pa, unsigned int prot)
{
	struct model *m = ctx;

	for (unsigned int i = 0; i < NVA; i++) {
		if (va_of(i) != va)
			continue;
		assert_int_equal(m->page[i].pa, pa);
		assert_int_equal(m->page[i].prot | HAL_USER, prot);
		m->page[i].pa = 0;
		return;
	}
	fail();
}

static void do_unmap(struct model *m)
{
	unsigned int first, n;

	random_run(&first, &n);
	hal_pt_unmap(&m->pt, va_of(first), va_of(first) + n * PAGE_SIZE, unmapped, m);
	for (unsigned int i = first; i < first + n; i++)
		assert_int_equal(m->page[i].pa, 0);
}

/* From one window to another, the destination emptied first as mremap does. Without memory it stops in between. */
static void do_move(struct model *m)
{
	unsigned int from = (unsigned int)rnd(ARRAY_SIZE(border)) * WINDOW;
	unsigned int to = (unsigned int)rnd(ARRAY_SIZE(border)) * WINDOW;
	int err;

	if (from == to)
		return;
	hal_pt_unmap(&m->pt, va_of(to), va_of(to) + WINDOW * PAGE_SIZE, unmapped, m);
	err = hal_pt_move(&m->pt, va_of(from), va_of(to), WINDOW * PAGE_SIZE);
	if (err)
		assert_int_equal(allocations_left, 0);
	for (unsigned int i = 0; i < WINDOW; i++) {
		struct hal_pte_info info;

		if (err && hal_pt_query(&m->pt, va_of(from + i), &info))
			continue;
		m->page[to + i] = m->page[from + i];
		m->page[from + i].pa = 0;
	}
}

static u64 references;

static void referenced(void *ctx, paddr_t pa)
{
	assert_ptr_equal(ctx, &references);
	assert_int_not_equal(pa, 0);
	references++;
}

/* Fork: @b becomes a copy of @a. What was copied before memory ran out is there and was counted. */
static void do_clone(void)
{
	bool cow = rnd(2);
	u64 copied = 0;
	int err;

	hal_pt_unmap(&b.pt, 0, USER_END, unmapped, &b);
	references = 0;
	err = hal_pt_clone(&b.pt, &a.pt, 0, USER_END, cow, referenced, &references);
	if (err)
		assert_int_equal(allocations_left, 0);
	for (unsigned int i = 0; i < NVA; i++) {
		struct hal_pte_info info;
		bool there = hal_pt_query(&b.pt, va_of(i), &info);

		assert_true(err || there == (a.page[i].pa != 0));
		b.page[i].pa = 0;
		if (!there)
			continue;
		copied++;
		if (cow)
			a.page[i].prot &= ~(unsigned int)HAL_WRITE;
		b.page[i] = a.page[i];
	}
	assert_int_equal(copied, references);
}

static void start(void)
{
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	allocations_left = U64_MAX;
	tables_out = 0;
	assert_int_equal(hal_pt_init(&a.pt), 0);
	assert_int_equal(hal_pt_init(&b.pt), 0);
}

static void finish(void)
{
	hal_pt_unmap(&a.pt, 0, USER_END, unmapped, &a);
	hal_pt_unmap(&b.pt, 0, USER_END, unmapped, &b);
	check(&a);
	check(&b);
	hal_pt_fini(&a.pt);
	hal_pt_fini(&b.pt);
	assert_int_equal(tables_out, 0);
}

static void change(struct model *m)
{
	switch (rnd(16)) {
	case 0:
		do_clone();
		break;
	case 1:
		do_move(m);
		break;
	case 2:
		do_protect(m);
		break;
	case 3:
		do_unmap(m);
		break;
	case 4:
		do_map_pages(m);
		break;
	default:
		do_map(m);
		break;
	}
}

static void test_random_changes(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 100; round++) {
		start();
		for (unsigned int i = 0; i < 300; i++)
			change(rnd(2) ? &a : &b);
		check(&a);
		check(&b);
		finish();
	}
}

/* The same with room for only a few tables: each failure leaves both tables as the model says. */
static void test_no_memory(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		start();
		allocations_left = rnd(12);
		for (unsigned int i = 0; i < 40; i++)
			change(rnd(2) ? &a : &b);
		check(&a);
		check(&b);
		finish();
	}
	allocations_left = 0;
	assert_int_equal(hal_pt_init(&a.pt), -ENOMEM);
}

/* More tables than the log remembers: they are found by looking. */
static void test_many_tables(void **state)
{
	u64 pages = 0;

	(void)state;
	start();
	for (uaddr_t va = 0; va < USER_END; va += 0x10000200000)
		pages += hal_pt_map(&a.pt, va, PAGE_SIZE, HAL_READ) == 0;
	assert_true(a.pt.radix.ntables > PT_LOG_SLOTS);
	assert_int_equal(pages, DIV_ROUND_UP(USER_END, 0x10000200000));
	hal_pt_unmap(&a.pt, 0, USER_END, NULL, NULL);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_many_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown against a model: CPUs that fill their TLBs, switch address spaces and answer requests
 * at any moment while one of them flushes. When a flush returns, no CPU may hold what was taken out of
 * the table before. hal/common/tlb.c is compiled in here with per-CPU data that is an array.
 */
#include "test_lib.h"

/* Stand-ins for <hal/cpu.h>, <hal/paging.h> and <hal/pt_radix.h>. */
#define HAL_CPU_H
#define HAL_PAGING_H
#define HAL_PT_RADIX_H

#define NCPUS  4
#define SPACES 3
#define PAGES  64

typedef u64 pte_t;
enum hal_ipi { HAL_IPI_TLB };

#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))
#define DEFINE_PERCPU(type, name) type name[NCPUS]
#define percpu(name)		  name[this_cpu]
#define percpu_of(name, cpu)	  name[cpu]

static unsigned int this_cpu;

static unsigned int hal_cpu_id(void)
{
	return this_cpu;
}

static unsigned long hal_irq_save(void)
{
	return 0;
}

static void hal_irq_restore(unsigned long flags)
{
	(void)flags;
}

static bool hal_irq_enabled(void)
{
	return true;
}

static void hal_irq_disable(void)
{
}

static void hal_irq_enable(void)
{
}

struct hal_pt;

static void hal_cpu_idle(void);
static void hal_ipi_send(unsigned int cpu, enum hal_ipi ipi);
static void hal_cpu_relax(void);
void hal_tlb_flush_range(struct hal_pt *pt, unsigned long start, unsigned long end);
void hal_tlb_flush_page(struct hal_pt *pt, unsigned long va);
void hal_tlb_flush_all(struct hal_pt *pt);
void arch_tlb_flush_kernel(unsigned long start, unsigned long end);

#include <hal/tlb.h>
#include <string.h>

struct hal_pt {
	struct tlb_cpus tlb;
	bool present[PAGES];
};

#include "../../hal/common/tlb.c"

/* ---- The model ---- */

#define KERNEL SPACES /* its table is loaded everywhere */

static struct hal_pt tables[SPACES + 1];
static bool cached[NCPUS][SPACES + 1][PAGES];
static struct hal_pt *loaded[NCPUS];
static bool interrupted[NCPUS];
static unsigned int interrupts, halts;
static u64 seed;

static unsigned int pick(unsigned int n)
{
	return (unsigned int)(test_random(&seed) >> 32) % n;
}

static void hal_ipi_send(unsigned int cpu, enum hal_ipi ipi)
{
	(void)ipi;
	assert_int_not_equal(cpu, this_cpu);
	interrupted[cpu] = true;
	interrupts++;
}

void arch_tlb_flush_local(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	for (uaddr_t va = start; va < end; va += PAGE_SIZE)
		cached[this_cpu][pt - tables][va / PAGE_SIZE] = false;
}

void arch_tlb_flush_local_all(struct hal_pt *pt)
{
	memset(cached[this_cpu][pt - tables], 0, PAGES);
}

void arch_tlb_flush_local_kernel(vaddr_t start, vaddr_t end)
{
	arch_tlb_flush_local(&tables[KERNEL], start, end);
}

bool arch_pt_is_active(const struct hal_pt *pt)
{
	return loaded[this_cpu] == pt;
}

bool arch_pt_is_active_on(const struct hal_pt *pt, unsigned int cpu)
{
	return loaded[cpu] == pt;
}

static void fill(struct hal_pt *pt)
{
	unsigned int page = pick(PAGES);

	if (pt && pt->present[page])
		cached[this_cpu][pt - tables][page] = true;
}

static void switch_to(struct hal_pt *pt)
{
	if (loaded[this_cpu] == pt)
		return;
	loaded[this_cpu] = pt;
	if (pt && tlb_activate(pt))
		arch_tlb_flush_local_all(pt);
}

/* Something that any CPU may do between two instructions of the flushing one. */
static void other_cpu_acts(unsigned int cpu)
{
	unsigned int self = this_cpu;

	this_cpu = cpu;
	switch (pick(4)) {
	case 0:
		if (interrupted[cpu]) {
			interrupted[cpu] = false;
			tlb_handle_ipi();
		}
		break;
	case 1:
		switch_to(pick(3) ? &tables[pick(SPACES)] : NULL);
		break;
	default:
		fill(pick(4) ? loaded[cpu] : &tables[KERNEL]);
	}
	this_cpu = self;
}

static void hal_cpu_relax(void)
{
	unsigned int cpu = pick(NCPUS);

	if (cpu != this_cpu)
		other_cpu_acts(cpu);
}

/* Whoever halts is woken by an interrupt; the others do something now and then. */
static void hal_cpu_idle(void)
{
	for (unsigned int turns = 0; !interrupted[this_cpu]; turns++) {
		assert_true(turns < 100000);
		hal_cpu_relax();
	}
	interrupted[this_cpu] = false;
	halts++;
	tlb_handle_ipi();
}

static void remove_pages(struct hal_pt *pt, unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++)
		pt->present[i] = false;
	if (pt == &tables[KERNEL])
		arch_tlb_flush_kernel(first * PAGE_SIZE, (first + n) * PAGE_SIZE);
	else if (n == 1 && pick(2))
		hal_tlb_flush_page(pt, first * PAGE_SIZE + pick(PAGE_SIZE));
	else if (n == PAGES)
		hal_tlb_flush_all(pt);
	else
		hal_tlb_flush_range(pt, first * PAGE_SIZE, (first + n) * PAGE_SIZE);
	/* Where the table is not loaded old translations may stay, if they are known to be old. */
	for (unsigned int cpu = 0; cpu < NCPUS; cpu++)
		for (unsigned int i = first; i < first + n; i++)
			if (loaded[cpu] == pt || pt == &tables[KERNEL] ||
			    !has_bit(pt->tlb.stale, cpu))
				assert_false(cached[cpu][pt - tables][i]);
	for (unsigned int i = first; i < first + n; i++)
		pt->present[i] = true;
}

static void reset(u64 with)
{
	memset(tables, 0, sizeof(tables));
	memset(cached, 0, sizeof(cached));
	memset(loaded, 0, sizeof(loaded));
	memset(interrupted, 0, sizeof(interrupted));
	interrupts = 0;
	seed = with;
	for (unsigned int i = 0; i <= SPACES; i++)
		memset(tables[i].present, true, PAGES);
	for (this_cpu = 0; this_cpu < NCPUS; this_cpu++)
		tlb_cpu_online();
	this_cpu = 0;
}

/* ---- Tests ---- */

static void test_random_flushes(void **state)
{
	(void)state;
	reset(1);
	for (unsigned int i = 0; i < 50000; i++) {
		unsigned int n = pick(8) ? 1 + pick(PAGES / 2) : PAGES;

		this_cpu = pick(NCPUS);
		switch_to(&tables[pick(SPACES)]);
		for (unsigned int j = 0; j < 8; j++)
			hal_cpu_relax();
		remove_pages(&tables[pick(SPACES + 1)], pick(PAGES - n + 1), n);
	}
	assert_true(halts > 0); /* or it has not been tried */
}

/* An address space that has run on one CPU only interrupts no other. */
static void test_local_flush(void **state)
{
	(void)state;
	reset(2);
	switch_to(&tables[0]);
	fill(&tables[0]);
	hal_tlb_flush_all(&tables[0]);
	hal_tlb_flush_page(&tables[0], 0);
	assert_int_equal(interrupts, 0);
}

/* A CPU that has switched away is left in peace, and forgets when it comes back. */
static void test_left_cpu(void **state)
{
	(void)state;
	reset(3);
	this_cpu = 1;
	switch_to(&tables[0]);
	cached[1][0][0] = cached[1][0][1] = true;
	switch_to(NULL);
	this_cpu = 0;
	switch_to(&tables[0]);
	hal_tlb_flush_page(&tables[0], 0);
	assert_int_equal(interrupts, 0);
	this_cpu = 1;
	switch_to(&tables[0]);
	assert_false(cached[1][0][0] || cached[1][0][1]);
	cached[1][0][1] = true;
	switch_to(NULL);
	switch_to(&tables[0]);
	assert_true(cached[1][0][1]);
}

static void test_empty_range(void **state)
{
	(void)state;
	reset(4);
	this_cpu = 1;
	switch_to(&tables[0]);
	this_cpu = 0;
	hal_tlb_flush_range(&tables[0], PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(interrupts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_flushes),
		cmocka_unit_test(test_local_flush),
		cmocka_unit_test(test_left_cpu),
		cmocka_unit_test(test_empty_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

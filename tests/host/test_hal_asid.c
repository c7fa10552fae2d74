/* SPDX-License-Identifier: MIT */
/*
 * The ASID allocator against a model of each CPU's TLB: an identifier must never be used for an address
 * space while the TLB may hold another one's translations under it, and two CPUs that run the same
 * address space at one time must use the same identifier.
 */
#include "test_lib.h"

#include <hal/asid.h>
#include <hal/cpu.h>

#define BITS   4
#define NCPUS  4
#define SPACES 60
#define EMPTY  -1

static struct hal_asid spaces[SPACES];
static int tlb[NCPUS][1 << BITS]; /* the space whose translations may be there */
static unsigned int running[NCPUS], hw_of[NCPUS];
static unsigned int flushes;

static void flush_local(void)
{
	for (unsigned int i = 0; i < 1 << BITS; i++)
		tlb[hal_cpu_number][i] = EMPTY;
	flushes++;
}

static void switch_to(unsigned int cpu, unsigned int space)
{
	unsigned int hw;

	hal_cpu_number = cpu;
	hw = asid_activate(&spaces[space]);
	assert_in_range(hw, 1, (1 << BITS) - 1);
	assert_int_equal(hw, asid_hw(&spaces[space]));
	if (tlb[cpu][hw] != EMPTY)
		assert_int_equal(tlb[cpu][hw], (int)space);
	tlb[cpu][hw] = (int)space;
	running[cpu] = space;
	hw_of[cpu] = hw;
	for (unsigned int other = 0; other < NCPUS; other++) {
		if (running[other] == space && tlb[other][hw_of[other]] == (int)space)
			assert_int_equal(hw_of[other], hw);
	}
}

static void test_rollover(void **state)
{
	unsigned int x = 1;

	(void)state;
	for (hal_cpu_number = 0; hal_cpu_number < NCPUS; hal_cpu_number++) {
		running[hal_cpu_number] = SPACES;
		flush_local();
	}
	flushes = 0;
	asid_init(BITS, flush_local);
	for (unsigned int i = 0; i < 200000; i++) {
		x = x * 1664525 + 1013904223;
		/* Mostly few address spaces, so that CPUs meet in one; now and then any. */
		switch_to((x >> 8) % NCPUS, (x >> 16) % (i % 7 ? 6 : SPACES));
	}
	assert_true(flushes > 1000);
	hal_cpu_number = 0;
}

static void test_never_ran(void **state)
{
	struct hal_asid fresh = { 0 };

	(void)state;
	assert_int_equal(asid_hw(&fresh), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rollover),
		cmocka_unit_test(test_never_ran),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

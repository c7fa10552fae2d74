/* SPDX-License-Identifier: MIT */
/* The tests of arch/<isa>/loadstore.c, which the including file supplies with that architecture's instruction words. */
#ifndef TESTS_HOST_LOADSTORE_H
#define TESTS_HOST_LOADSTORE_H

#include "test_lib.h"

#include <hal/unaligned.h>

struct expectation {
	u32 insn;
	unsigned int bytes;
	bool store, is_signed;
	unsigned int file, reg, length, element, width;
};

/* What the including test hands over. */
static const struct expectation *accesses; /* loads and stores, and what is to come out */
static const u32 *others;		   /* words that are neither */
static size_t naccesses, nothers;

static void test_accesses(void **state)
{
	const struct expectation *e = accesses;
	struct load_store ls;

	(void)state;
	for (size_t i = 0; i < naccesses; i++) {
		if (!insn_load_store(e[i].insn, &ls))
			fail_msg("%08x is not taken for an access", e[i].insn);
		assert_int_equal(ls.bytes, e[i].bytes);
		assert_int_equal(ls.store, e[i].store);
		if (!e[i].store && e[i].file == FILE_INTEGER && e[i].bytes < 8)
			assert_int_equal(ls.is_signed, e[i].is_signed);
		assert_int_equal(ls.file, e[i].file);
		assert_int_equal(ls.reg, e[i].reg);
		assert_int_equal(ls.length, e[i].length);
		assert_int_equal(ls.element, e[i].element);
		if (e[i].file == FILE_REPLICA)
			assert_int_equal(ls.width, e[i].width);
	}
}

static void test_others(void **state)
{
	struct load_store ls;

	(void)state;
	for (size_t i = 0; i < nothers; i++)
		if (insn_load_store(others[i], &ls))
			fail_msg("%08x is taken for an access", others[i]);
}

/* Whatever the word: what comes out fits the buffer and the register files. */
static void test_all_words(void **state)
{
	struct load_store ls;
	u32 insn = 1;

	(void)state;
	for (unsigned int i = 0; i < 4000000; i++) {
		insn = insn * 1664525 + 1013904223;
		if (!insn_load_store(insn ^ insn >> 13, &ls))
			continue;
		assert_true(ls.bytes >= 1 && ls.bytes <= LOAD_STORE_MAX);
		assert_true(ls.reg < 32 && (ls.length == 2 || ls.length == 4));
		assert_true(ls.element * ls.bytes + ls.bytes <= LOAD_STORE_MAX);
		assert_true(ls.width <= LOAD_STORE_MAX);
	}
}

static int run_load_store_tests(const struct expectation *e, size_t ne, const u32 *o, size_t no)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accesses),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_all_words),
	};

	accesses = e;
	naccesses = ne;
	others = o;
	nothers = no;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

/* SPDX-License-Identifier: MIT */
/* What the tests of arch/<isa>/loadstore.c share. */
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

static void check(const struct expectation *e, size_t n)
{
	struct load_store ls;

	for (size_t i = 0; i < n; i++) {
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

static void check_none(const u32 *insn, size_t n)
{
	struct load_store ls;

	for (size_t i = 0; i < n; i++)
		if (insn_load_store(insn[i], &ls))
			fail_msg("%08x is taken for an access", insn[i]);
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

#endif

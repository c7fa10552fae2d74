/* SPDX-License-Identifier: MIT */
/*
 * What every test of lib/ starts with: cmocka and its prerequisites, and repeatable random numbers.
 */
#ifndef TEST_LIB_H
#define TEST_LIB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <compiler.h>
#include <err.h>
#include <types.h>

/* The next of a fixed sequence of 64-bit numbers (xorshift); @state is any number but 0. */
static inline u64 test_random(u64 *state)
{
	u64 x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

#endif /* TEST_LIB_H */

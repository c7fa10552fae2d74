/* SPDX-License-Identifier: MIT */
/* A kernel with one task that never has to wait, for host tests of code that takes sleeping locks. */
#ifndef KERNEL_STUBS_H
#define KERNEL_STUBS_H

#include <types.h>

/** stubs_start_mm() - mm_init() with the RAM of boot_info, and a current task. Once in a program. */
void stubs_start_mm(void);

/*
 * Allocation failures: from stubs_fail_at(n) on, allocation number n (0: the next) and all that follow fail until
 * stubs_fail_never(). The linker sends the allocators through these (ldflags-test_X := $(wrap-alloc)).
 */
void stubs_fail_at(u64 n);
/** stubs_fail_one() - only that allocation fails. */
void stubs_fail_one(u64 n);
/** stubs_fail_never() - returns whether the chosen allocation was reached. */
bool stubs_fail_never(void);

/** stubs_in_use() - objects in slab caches and pages by kind, as one number per kind, to compare. */
struct stubs_usage {
	u64 objects, anon, cache, tables, kernel;
};
void stubs_in_use(struct stubs_usage *out);

#endif

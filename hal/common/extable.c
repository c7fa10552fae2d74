/* SPDX-License-Identifier: MIT */
/*
 * Lookup in the exception table (<hal/extable.h>).
 *
 * The table has a few dozen entries, and it is asked only when a system call is about to fail with
 * EFAULT, so it is searched from front to back and needs no sorting at boot. It is constant: no lock.
 */
#include <hal/extable.h>

extern const struct extable_entry __ex_table_start[], __ex_table_end[];

static unsigned long entry_address(const s32 *field)
{
	return (unsigned long)field + (long)*field;
}

unsigned long extable_fixup(unsigned long ip)
{
	const struct extable_entry *e;

	for (e = __ex_table_start; e < __ex_table_end; e++)
		if (entry_address(&e->insn) == ip)
			return entry_address(&e->fixup);
	return 0;
}

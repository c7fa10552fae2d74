/* SPDX-License-Identifier: MIT */
/*
 * From a system call number to its handler. The table is generated from syscalls.tbl: one small function per call takes the
 * arguments out of the user context with their types, so that no handler sees garbage in the upper half of an int.
 * The plain path is inline in kernel/syscall.h; here is the path for calls that are watched.
 */
#include <kernel/syscall.h>
#include <syscall/proto.h>
#include <syscall/strace.h>

#include <generated/syscall_table.h>

const long restart_syscall_nr = NR_RESTART_SYSCALL;

long syscall_watched(struct task *t, unsigned long nr)
{
	const struct syscall_desc *desc = NULL;
	struct uctx *u = &t->hal.uctx;
	struct strace_line line;
	long r = -ENOSYS;

	if (nr < SYSCALL_TABLE_SIZE && syscall_table[nr].call)
		desc = &syscall_table[nr];
	strace_enter(&line, desc, (long)nr, u);
	if (desc) {
		t->restart_class = desc->restart;
		r = desc->call(u);
	}
	strace_exit(&line, desc, u, r);
	return r;
}

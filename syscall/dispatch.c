/* SPDX-License-Identifier: MIT */
/*
 * From a system call number to its handler. The table is generated from syscalls.tbl: one small function per call takes the
 * arguments out of the user context with their types, so that no handler sees garbage in the upper half of an int.
 * The plain path is inline in kernel/syscall.h; here is the path for calls that are watched.
 */
#include <kernel/seccomp.h>
#include <kernel/syscall.h>
#include <kernel/trace/points.h>
#include <syscall/proto.h>
#include <syscall/strace.h>

#include <generated/syscall_table.h>

const long restart_syscall_nr = NR_RESTART_SYSCALL;

long syscall_watched(struct task *t, unsigned long nr)
{
	const struct syscall_desc *desc = NULL;
	struct uctx *u = &t->hal.uctx;
	struct strace_line line;
	bool strace = t->work & WORK_STRACE;
	long r = -ENOSYS;

	if (nr < SYSCALL_TABLE_SIZE && syscall_table[nr].call)
		desc = &syscall_table[nr];
	if (t->work & WORK_TRACE)
		trace_syscall_enter((long)nr, u);
	if (strace)
		strace_enter(&line, desc, (long)nr, u);
	if ((t->work & WORK_SECCOMP) && !seccomp_allows((long)nr, &r)) {
		/* r is what the program gets for it */
	} else if (desc) {
		t->restart_class = desc->restart;
		r = desc->call(u);
	}
	if (strace)
		strace_exit(&line, desc, u, r);
	if (READ_ONCE(t->work) & WORK_TRACE)
		trace_syscall_exit((long)nr, r);
	return r;
}

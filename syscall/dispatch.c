/* SPDX-License-Identifier: MIT */
/*
 * From a system call number to its handler. The table is generated from syscalls.tbl: one small function per call takes the
 * arguments out of the user context with their types, so that no handler sees garbage in the upper half of an int.
 */
#include <hal/uctx.h>
#include <kernel/process.h>
#include <syscall/proto.h>
#include <syscall/strace.h>

#include <generated/syscall_table.h>

const long restart_syscall_nr = NR_RESTART_SYSCALL;

static const struct syscall_desc *syscall_describe(long nr)
{
	if (nr < 0 || nr >= NR_SYSCALLS || !syscall_table[nr].call)
		return NULL;
	return &syscall_table[nr];
}

/* Somebody watches this task's calls. */
static __noinline long dispatch_watched(struct task *t, long nr)
{
	struct uctx *u = &t->hal.uctx;
	const struct syscall_desc *desc = syscall_describe(nr);
	struct strace_line line;
	long r = -ENOSYS;

	strace_enter(&line, desc, nr, u);
	if (desc) {
		t->restart_class = desc->restart;
		r = desc->call(u);
	}
	strace_exit(&line, desc, u, r);
	return r;
}

long syscall_dispatch(struct task *t)
{
	struct uctx *u = &t->hal.uctx;
	unsigned long nr = (unsigned long)uctx_syscall_nr(u);
	long r = -ENOSYS;

	if (unlikely(READ_ONCE(t->work) & WORK_ENTRY)) {
		r = dispatch_watched(t, (long)nr);
	} else if (likely(nr < NR_SYSCALLS && syscall_table[nr].call)) {
		t->restart_class = syscall_table[nr].restart;
		r = syscall_table[nr].call(u);
	}
	uctx_set_result(u, r);
	return r;
}

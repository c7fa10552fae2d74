/* SPDX-License-Identifier: MIT */
/*
 * The table of system calls, as the user-task loop sees it: generated from syscall/syscalls.tbl, defined in
 * syscall/dispatch.c.
 */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include <kernel/process.h>
#include <kernel/signal.h>

#define SYSCALL_TABLE_SIZE 512

struct syscall_desc {
	long (*call)(const struct uctx *u); /* takes its arguments out of the context */
	u8 restart;			    /* enum syscall_restart */
	const char *
		format; /* for the call log, a letter per argument: i u l x o p s(tring) b(ytes) a(ddress of a socket) f(amily) t(ype of one) */
	const char *name; /* NULL: there is no such call, and call() says so */
};

extern const struct syscall_desc syscall_table[SYSCALL_TABLE_SIZE];

/*
 * What the events of a call say about it (kernel/trace/syscalls.c): its name, then each argument as the letter of its type ('A' is
 * syscall_types[0]) and its name. A zero byte ends each of them, one more the last. NULL: no such call.
 */
extern const char *const syscall_info[SYSCALL_TABLE_SIZE];
extern const char *const syscall_types[];

/** syscall_watched() - dispatch for a task whose calls somebody wants to see (WORK_ENTRY), or to change. May sleep. */
void syscall_watched(struct task *t);

/**
 * user_dispatch_set() - make calls of @t its own business, or let the kernel have them all again (kernel/user_dispatch.c).
 * @t: current, or its tracee held in a stop. @mode: PR_SYS_DISPATCH_*. Return: 0; -EINVAL: no such mode, or values that do not go
 * with it; -EFAULT: the selector is no user address.
 */
int user_dispatch_set(struct task *t, u64 mode, const struct user_dispatch *want);
/** user_dispatch_mode() - PR_SYS_DISPATCH_ON or _OFF. */
u64 user_dispatch_mode(const struct task *t);

/** syscall_dispatch() - run the syscall in current's context and set its result register. May sleep. */
static __always_inline void syscall_dispatch(struct task *t)
{
	struct uctx *u = &t->hal.uctx;
	unsigned long nr = (unsigned long)uctx_syscall_nr(u);

	if (unlikely(READ_ONCE(t->work) & WORK_ENTRY))
		syscall_watched(t);
	else
		uctx_set_result(u, likely(nr < SYSCALL_TABLE_SIZE) ? syscall_table[nr].call(u)
								   : -ENOSYS);
}

#endif

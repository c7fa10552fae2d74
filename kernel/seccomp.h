/* SPDX-License-Identifier: MIT */
/* Which system calls a task may make (kernel/seccomp.c). Source: seccomp(2). */
#ifndef KERNEL_SECCOMP_H
#define KERNEL_SECCOMP_H

#include <kernel/task.h>
#include <uapi/seccomp.h>

/** seccomp_set_strict() - for current. 0 or -EINVAL. */
int seccomp_set_strict(void);
/** seccomp_add_filter() - one more for current, and (TSYNC) for all threads. @uprog: a struct sock_fprog. 0; a thread that could not follow; -EINVAL, -EACCES, -EFAULT, -ENOMEM, -ESRCH. */
long seccomp_add_filter(unsigned int flags, uaddr_t uprog);
/** seccomp_action_known() - can a filter return this action here? */
bool seccomp_action_known(u32 action);
struct syscall_turn;
/** seccomp_allows() - at entry of a call of current. A tracer may be asked, and change @turn. False: it is not to be made, and *@result is its result. */
bool seccomp_allows(struct syscall_turn *turn, long *result);
/** seccomp_fork() - what current has, @t has too. s held. seccomp_release(): the last reference on @t goes. */
void seccomp_fork(struct task *t);
void seccomp_release(struct task *t);
/** seccomp_exit() - current ends and makes no more calls: a listener is to know. */
void seccomp_exit(void);
unsigned int seccomp_filters(const struct task *t); /* how many there are; takes s */

/*
 * For a tracer. @t is stopped; its filters are counted from 0, the oldest. Both: -EACCES without CAP_SYS_ADMIN or with filters of one's
 * own, -EINVAL without filters in @t, -ENOENT for none of that number, -EFAULT. Source: ptrace(2), PTRACE_SECCOMP_GET_FILTER.
 */
/** seccomp_get_filter() - copy filter @n to @data, if that is not 0. Return: its number of instructions. */
long seccomp_get_filter(struct task *t, unsigned long n, uaddr_t data);
/** seccomp_get_metadata() - the flags of a filter, into a struct seccomp_metadata of @size bytes at @data. Return: bytes. */
long seccomp_get_metadata(struct task *t, unsigned long size, uaddr_t data);

#endif

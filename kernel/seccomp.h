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
/** seccomp_allows() - at entry of a call of current. False: it is not to be made, and *@result is its result. */
bool seccomp_allows(long nr, long *result);
/** seccomp_fork() - what current has, @t has too. s held. seccomp_release(): the last reference on @t goes. */
void seccomp_fork(struct task *t);
void seccomp_release(struct task *t);
unsigned int seccomp_filters(const struct task *t); /* how many there are */

#endif

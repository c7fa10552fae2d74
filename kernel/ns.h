/* SPDX-License-Identifier: MIT */
/* Namespaces (kernel/ns.c). All in task context; may sleep. */
#ifndef KERNEL_NS_H
#define KERNEL_NS_H

#include <kernel/task.h>
#include <uapi/sched.h>

#define NS_KINDS (CLONE_NEWNS | CLONE_NEWUTS) /* of which there may be several */

extern struct ns_set init_ns; /* never freed */

/** ns_fork() - @t, which has its directories already, gets current's namespaces, or copies as clone's @flags say. 0, -ENOMEM, -ENOSPC. */
int ns_fork(struct task *t, u64 flags);
/** ns_unshare() - current, whose directories nobody shares, gets copies as @flags say. 0, -ENOMEM, -ENOSPC. */
int ns_unshare(u64 flags);
/** ns_exit() - @t needs its namespaces no more. The last user of mounts unmounts them. */
void ns_exit(struct task *t);

#endif

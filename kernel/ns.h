/* SPDX-License-Identifier: MIT */
/* Namespaces (kernel/ns.c). All in task context; may sleep. */
#ifndef KERNEL_NS_H
#define KERNEL_NS_H

#include <kernel/task.h>
#include <uapi/sched.h>

/* Numbers of the first ones, as Linux has them. */
#define UTS_NS_ID 4026531838u
#define MNT_NS_ID 4026531841u
#define NS_KINDS (CLONE_NEWNS | CLONE_NEWUTS) /* of which there may be several */

extern struct ns_set init_ns; /* never freed */

/** ns_fork() - @t, which has its directories already, gets current's namespaces, or copies as clone's @flags say. 0, -ENOMEM, -ENOSPC. */
int ns_fork(struct task *t, u64 flags);
/** ns_unshare() - current, whose directories nobody shares, gets copies as @flags say. 0, -ENOMEM, -ENOSPC. */
int ns_unshare(u64 flags);
/* A reference on one namespace, of the kind that its number is of. */
struct ns_ref {
	u64 kind; /* CLONE_NEWNS, CLONE_NEWUTS; 0: none */
	struct mnt_ns *mnt;
	struct uts_ns *uts;
};
/** ns_ref_get() - the namespace of @kind that @t has. 0, or -ESRCH: @t has ended. ns_ref_put(): of none, too. */
int ns_ref_get(struct task *t, u64 kind, struct ns_ref *out);
void ns_ref_put(struct ns_ref *ns);
/** ns_ref_id() - its number, which no other namespace has or had. */
u32 ns_ref_id(const struct ns_ref *ns);
u32 ns_new_id(void);
/** ns_enter() - setns: current goes into @mnt and @uts (NULL: stays where it is). 0, -EPERM, -EINVAL: it shares its directories, -ENOMEM. */
int ns_enter(struct mnt_ns *mnt, struct uts_ns *uts);
/** ns_exit() - @t needs its namespaces no more. The last user of mounts unmounts them. */
void ns_exit(struct task *t);

#endif

/* SPDX-License-Identifier: MIT */
/* Going into namespaces of others: setns(2). */
#include <fs/internal.h>
#include <fs/nsfs.h>
#include <kernel/files.h>
#include <kernel/ns.h>
#include <kernel/ptrace.h>
#include <syscall/proto.h>

/* All of the kinds @flags that a process has. */
static long enter_those_of(struct process *p, u64 flags)
{
	struct ns_ref mnt = { 0 }, uts = { 0 };
	long r;

	if (!flags || (flags & ~(u64)NS_KINDS))
		return -EINVAL;
	if (READ_ONCE(p->dead))
		return -ESRCH;
	if (ptrace_may_access(p->leader, PTRACE_MODE_READ_REALCREDS))
		return -EPERM;
	r = flags & CLONE_NEWNS ? ns_ref_get(p->leader, CLONE_NEWNS, &mnt) : 0;
	if (!r && (flags & CLONE_NEWUTS))
		r = ns_ref_get(p->leader, CLONE_NEWUTS, &uts);
	if (!r)
		r = ns_enter(mnt.mnt, uts.uts);
	ns_ref_put(&mnt);
	ns_ref_put(&uts);
	return r;
}

static long enter_by_pidfd(fd_t fd, u64 flags)
{
	struct process *p = pidfd_get_process(fd);
	long r;

	if (IS_ERR(p))
		return -EINVAL; /* a descriptor, but of something else */
	r = enter_those_of(p, flags);
	process_put(p);
	return r;
}

long sys_setns(fd_t fd, int nstype)
{
	const struct ns_ref *ns;
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	ns = nsfs_get(f.file);
	if (!ns)
		r = enter_by_pidfd(fd, (u32)nstype);
	else if (nstype && (u32)nstype != ns->kind)
		r = -EINVAL;
	else
		r = ns_enter(ns->mnt, ns->uts);
	fdput(f);
	return r;
}

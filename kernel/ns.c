/* SPDX-License-Identifier: MIT */
/*
 * Namespaces: which names a task sees. A task has one set (struct ns_set), shared with its relatives until one of them asks for its own
 * mounts (CLONE_NEWNS) or host names (CLONE_NEWUTS). The other kinds there are once. Source: namespaces(7), unshare(2).
 */
#include <kernel/files.h>
#include <kernel/ns.h>
#include <mm/slab.h>
#include <uapi/sched.h>

static struct uts_ns *uts_copy(struct uts_ns *from)
{
	struct uts_ns *uts = kmalloc(sizeof(*uts), 0);

	if (!uts)
		return ERR_PTR(-ENOMEM);
	/* A name that is being changed may be torn, as it may for one who reads it. */
	*uts = *from;
	refcount_set(&uts->refs, 1);
	return uts;
}

static void uts_put(struct uts_ns *uts)
{
	if (refcount_dec_and_test(&uts->refs))
		kfree(uts);
}

static void set_put(struct ns_set *set)
{
	if (!refcount_dec_and_test(&set->refs))
		return;
	if (set->mnt)
		files_mounts_put(set->mnt);
	if (set->uts)
		uts_put(set->uts);
	kfree(set);
}

/* Context and rights have been checked. */
static struct ns_set *set_copy(struct ns_set *from, u64 flags, struct fs_ctx *fs)
{
	struct ns_set *set = kzalloc(sizeof(*set), 0);
	struct uts_ns *uts;
	struct mnt_ns *mnt;

	if (!set)
		return ERR_PTR(-ENOMEM);
	refcount_set(&set->refs, 1);
	if (flags & CLONE_NEWUTS) {
		uts = uts_copy(from->uts);
	} else {
		uts = from->uts;
		refcount_inc(&uts->refs);
	}
	if (IS_ERR(uts)) {
		kfree(set);
		return ERR_CAST(uts);
	}
	set->uts = uts;
	mnt = flags & CLONE_NEWNS ? files_mounts_copy(from->mnt, fs) : files_mounts_get(from->mnt);
	if (IS_ERR(mnt)) {
		set_put(set);
		return ERR_CAST(mnt);
	}
	set->mnt = mnt;
	return set;
}

int ns_fork(struct task *t, u64 flags)
{
	struct ns_set *set = current->ns;

	if (likely(!(flags & NS_KINDS))) {
		refcount_inc(&set->refs);
	} else {
		set = set_copy(set, flags, t->fs);
		if (IS_ERR(set))
			return PTR_ERR(set);
	}
	t->ns = set;
	return 0;
}

int ns_unshare(u64 flags)
{
	struct ns_set *old = current->ns, *set;

	if (!(flags & NS_KINDS))
		return 0;
	set = set_copy(old, flags, current->fs);
	if (IS_ERR(set))
		return PTR_ERR(set);
	current->ns = set;
	set_put(old);
	return 0;
}

void ns_exit(struct task *t)
{
	struct ns_set *set = t->ns;

	t->ns = &init_ns;
	set_put(set);
}

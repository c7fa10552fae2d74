/* SPDX-License-Identifier: MIT */
/*
 * Namespaces: which names a task sees. A task has one set (struct ns_set), shared with its relatives until one of them asks for its own
 * mounts (CLONE_NEWNS) or host names (CLONE_NEWUTS). The other kinds there are once.
 * Locking: a task's pointer to its set is changed by itself alone, under its wake_lock, which others read it under.
 * Source: namespaces(7), unshare(2), setns(2).
 */
#include <kernel/files.h>
#include <kernel/ns.h>
#include <mm/slab.h>
#include <uapi/capability.h>
#include <uapi/sched.h>

u32 ns_new_id(void)
{
	static u32 last = MNT_NS_ID;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

static struct uts_ns *uts_copy(struct uts_ns *from)
{
	struct uts_ns *uts = kmalloc(sizeof(*uts), 0);

	if (!uts)
		return ERR_PTR(-ENOMEM);
	/* A name that is being changed may be torn, as it may for one who reads it. */
	*uts = *from;
	refcount_set(&uts->refs, 1);
	uts->id = ns_new_id();
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

static struct uts_ns *uts_get(struct uts_ns *uts)
{
	refcount_inc(&uts->refs);
	return uts;
}

/* @t has another set from now on. Return: the one it had, with its reference. */
static struct ns_set *set_swap(struct task *t, struct ns_set *set)
{
	unsigned long flags = spin_lock_irqsave(&t->wake_lock);
	struct ns_set *old = t->ns;

	t->ns = set;
	spin_unlock_irqrestore(&t->wake_lock, flags);
	return old;
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
	uts = flags & CLONE_NEWUTS ? uts_copy(from->uts) : uts_get(from->uts);
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
	struct ns_set *set;

	if (!(flags & NS_KINDS))
		return 0;
	set = set_copy(current->ns, flags, current->fs);
	if (IS_ERR(set))
		return PTR_ERR(set);
	set_put(set_swap(current, set));
	return 0;
}

void ns_exit(struct task *t)
{
	set_put(set_swap(t, &init_ns));
}

/* ---- those of others ---- */

int ns_ref_get(struct task *t, u64 kind, struct ns_ref *out)
{
	unsigned long flags = spin_lock_irqsave(&t->wake_lock);
	struct ns_set *set = t->ns;

	*out = (struct ns_ref){ .kind = kind };
	if (kind == CLONE_NEWNS && set->mnt)
		out->mnt = files_mounts_get(set->mnt);
	else if (kind == CLONE_NEWUTS)
		out->uts = uts_get(set->uts);
	spin_unlock_irqrestore(&t->wake_lock, flags);
	return out->mnt || out->uts ? 0 : -ESRCH;
}

void ns_ref_put(struct ns_ref *ns)
{
	if (ns->mnt)
		files_mounts_put(ns->mnt);
	if (ns->uts)
		uts_put(ns->uts);
}

u32 ns_ref_id(const struct ns_ref *ns)
{
	return ns->mnt ? files_mounts_id(ns->mnt) : ns->uts->id;
}

int ns_enter(struct mnt_ns *mnt, struct uts_ns *uts)
{
	struct ns_set *set;
	int r = 0;

	if (!capable(CAP_SYS_ADMIN) || (mnt && !capable(CAP_SYS_CHROOT)))
		return -EPERM;
	set = kzalloc(sizeof(*set), 0);
	if (!set)
		return -ENOMEM;
	refcount_set(&set->refs, 1);
	set->mnt = files_mounts_get(mnt ? mnt : current->ns->mnt);
	set->uts = uts_get(uts ? uts : current->ns->uts);
	if (mnt)
		r = files_enter_mounts(mnt);
	set_put(r ? set : set_swap(current, set));
	return r;
}

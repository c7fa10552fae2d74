/* SPDX-License-Identifier: MIT */
/*
 * pivot_root(2): another mount becomes the root of the tree, and the old root hangs on a directory below it.
 *
 * Whoever has the old root as root or working directory gets the new one instead. Unlike on Linux the first root, which has no parent,
 * may be put away, too: there is no root file system under it here.
 * Locking: mount_mutex. Source: pivot_root(2).
 */
#include <fs/internal.h>
#include <fs/mount.h>
#include <kernel/ns.h>
#include <kernel/task.h>
#include <uapi/capability.h>

/* Does the way up from @p lead through the mount @top? */
static bool is_below(const struct path *p, const struct mount *top)
{
	const struct mount *m = p->mnt;

	while (m != top && m->parent)
		m = m->parent;
	return m == top;
}

/* Replace *@slot by @to if it is @from. Return: it was, and its references are the caller's now. @fs->lock held. */
static bool replace(struct path *slot, const struct path *from, const struct path *to)
{
	if (!path_equal(slot, from))
		return false;
	path_get(to);
	*slot = *to;
	return true;
}

static void move_tasks(const struct path *from, const struct path *to)
{
	for (pid_t nr = 1; nr < PID_MAX; nr++) {
		struct task *t = task_find_get(nr);
		struct fs_ctx *fs = t ? task_fs_get(t) : NULL;
		unsigned int freed;

		if (t)
			task_put(t);
		if (!fs)
			continue;
		spin_lock(&fs->lock);
		tree_change_begin(&fs->changes);
		freed = replace(&fs->root, from, to);
		freed += replace(&fs->cwd, from, to);
		tree_change_end(&fs->changes);
		spin_unlock(&fs->lock);
		while (freed--)
			path_put(from);
		fs_ctx_put(fs);
	}
}

static int check(const struct path *root, const struct path *new, const struct path *old)
{
	if (!mount_is_ours(root->mnt) || !mount_is_ours(new->mnt) || !mount_is_ours(old->mnt))
		return -EINVAL;
	if (new->mnt == root->mnt || old->mnt == root->mnt)
		return -EBUSY;
	if (root->dentry != root->mnt->root || new->dentry != new->mnt->root || !new->mnt->parent)
		return -EINVAL;
	return is_below(old, new->mnt) && is_below(new, root->mnt) ? 0 : -EINVAL;
}

static void exchange(const struct path *root, const struct path *new, const struct path *old)
{
	struct mnt_ns *ns = root->mnt->ns;
	struct path new_place = mount_detach(new->mnt), root_place = mount_detach(root->mnt);

	if (root_place.mnt)
		mount_attach(new->mnt, &root_place);
	else
		mount_set_root(ns, new->mnt);
	mount_attach(root->mnt, old);
	path_put(&new_place);
	if (root_place.mnt)
		path_put(&root_place);
}

int do_pivot_root(const char *new_root, const char *put_old)
{
	struct path root, new, old;
	int r;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	r = path_lookup(AT_FDCWD, new_root, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);
	if (r)
		return r;
	r = path_lookup(AT_FDCWD, put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &old);
	if (!r) {
		spin_lock(&current->fs->lock);
		root = current->fs->root;
		path_get(&root);
		spin_unlock(&current->fs->lock);
		mutex_lock(&mount_mutex);
		r = check(&root, &new, &old);
		if (!r)
			exchange(&root, &new, &old);
		mutex_unlock(&mount_mutex);
		if (!r)
			move_tasks(&root, &new);
		path_put(&root);
		path_put(&old);
	}
	path_put(&new);
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * Mounts: file systems, their instances (supers), and where they hang in the tree.
 *
 * fs_type_register() announces a type; do_mount() and do_umount() are mount(2) and umount2(2); kern_mount() makes the first
 * root. A mount holds a reference on its super, on its parent and on the dentry it covers, so a busy mount shows as a
 * number of references above 1 (the tree's own). They are counted by each CPU for itself, see mnt_get(); the sum is looked at, under
 * mount_lock, by umount, and by each mnt_put() from when the tree has let go of the mount until the last one.
 *
 * A namespace has a tree of its own; changes are made in the tree of one's own namespace only. All mounts are private: MS_SHARED and
 * MS_UNBINDABLE are refused.
 * Locking: mount_lock for the tree and the hash; mount_mutex, outside, serialises mount, remount and umount. Readers without locks look through
 * the hash and up the tree; tree_changes.mounts tells them that it changed, and the memory of a mount is retired (kernel/retire.h).
 * Source: mount(2), umount(2), proc(5).
 */
#include <fs/internal.h>
#include <fs/mount.h>
#include <kernel/files.h>
#include <kernel/ns.h>
#include <hal/boot.h>
#include <lib/hash.h>
#include <uapi/capability.h>

#define MOUNT_BITS 10
#define MNT_FLAGS                                                                                                     \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME |   \
	 MS_NOSYMFOLLOW)

struct spinlock mount_lock = SPINLOCK_INIT(RANK_DENTRY);
struct mutex mount_mutex;
static struct hlist_head mount_hash[1u << MOUNT_BITS];
static struct fs_type *fs_types;
static int next_mount_id = 1;
static atomic64_t nmounts;
u32 mount_max = 100000; /* as Linux's */
static struct list all_mounts = LIST_HEAD_INIT(all_mounts);
struct mnt_ns init_mnt_ns = { .refs = REFCOUNT_INIT(1), .id = MNT_NS_ID };
struct fs_ctx init_fs_ctx;

void mount_init(void)
{
	mutex_init(&mount_mutex);
	refcount_set(&init_fs_ctx.refs, 1);
	spin_init(&init_fs_ctx.lock, RANK_FILES);
	init_fs_ctx.umask = 0022;
}

/* ---- types and supers ---- */

void fs_type_register(struct fs_type *type)
{
	struct fs_type **p = &fs_types;

	while (*p)
		p = &(*p)->next;
	*p = type;
}

struct fs_type *fs_type_find(const char *name)
{
	struct fs_type *t;

	for (t = fs_types; t; t = t->next)
		if (!strcmp(t->name, name))
			break;
	return t;
}

struct fs_type *fs_type_next(struct fs_type *t)
{
	return t ? t->next : fs_types;
}

u64 anon_dev(void)
{
	static unsigned int minor;

	return mkdev(0, __atomic_add_fetch(&minor, 1, __ATOMIC_RELAXED));
}

/* New options for what is mounted already. A file system without a function for it has no options. */
static int super_change(struct super *sb, unsigned long flags, const char *data)
{
	if (sb->ops && sb->ops->remount)
		return sb->ops->remount(sb, flags, data);
	return data && *data ? -EINVAL : 0;
}

static struct super *super_create_flags(struct fs_type *type, const char *source, const char *data,
					unsigned long flags)
{
	struct super *sb;
	int r;

	if (type->instance) {
		r = super_change(type->instance, 0, data);
		if (r)
			return ERR_PTR(r);
		refcount_inc(&type->instance->refs);
		return type->instance;
	}
	sb = kzalloc(sizeof(*sb), GFP_KERNEL);
	if (!sb)
		return ERR_PTR(-ENOMEM);
	refcount_set(&sb->refs, 1);
	sb->type = type;
	sb->dev = anon_dev();
	sb->max_bytes = S64_MAX;
	sb->flags = flags & SB_FLAGS;
	r = type->fill(sb, source, data);
	if (r) {
		kfree(sb);
		return ERR_PTR(r);
	}
	if (type->single) {
		type->instance = sb;
		refcount_inc(&sb->refs);
	}
	return sb;
}

struct super *super_create(struct fs_type *type, const char *source, const char *data)
{
	return super_create_flags(type, source, data, 0);
}

int super_sync(struct super *sb)
{
	return sb->ops && sb->ops->sync ? sb->ops->sync(sb) : 0;
}

void super_put(struct super *sb)
{
	if (!refcount_dec_and_test(&sb->refs))
		return;
	fsnotify_super_gone(sb);
	dcache_shrink_super(sb);
	if (sb->ops && sb->ops->put_super)
		sb->ops->put_super(sb);
	dput(sb->root);
	dcache_shrink_super(sb);
	if (sb->ops && sb->ops->free_super)
		sb->ops->free_super(sb);
	kfree(sb);
}

/* ---- the tree ---- */

static struct hlist_head *mount_bucket(struct mount *mnt, struct dentry *d)
{
	return &mount_hash[hash_64((u64)(unsigned long)mnt ^ ((u64)(unsigned long)d >> 3),
				   MOUNT_BITS)];
}

struct mount *mount_lookup(struct mount *mnt, struct dentry *d)
{
	struct mount *m;

	spin_lock(&mount_lock);
	hlist_for_each_entry(m, mount_bucket(mnt, d), hash_link)
		if (m->parent == mnt && m->mountpoint == d) {
			mnt_get(m);
			break;
		}
	spin_unlock(&mount_lock);
	return m;
}

struct mount *mount_lookup_quick(struct mount *mnt, struct dentry *d)
{
	struct mount *m;

	hlist_for_each_entry_quick(m, mount_bucket(mnt, d), hash_link)
		if (READ_ONCE(m->parent) == mnt && READ_ONCE(m->mountpoint) == d)
			break;
	return m;
}

static struct mount *mount_new_object(const char *source)
{
	struct mount *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	m->users = kcalloc(boot_info.ncpus, sizeof(*m->users), GFP_KERNEL);
	m->source = kstrdup(source && *source ? source : "none", GFP_KERNEL);
	if (m->users && m->source)
		return m;
	kfree(m->users);
	kfree(m->source);
	kfree(m);
	return NULL;
}

struct mount *mount_alloc(struct super *sb, struct dentry *root, const char *source, u32 flags)
{
	struct mount *m;

	/* Copies of copies double in number. */
	if (atomic64_read(&nmounts) >= READ_ONCE(mount_max))
		return ERR_PTR(-ENOSPC);
	m = mount_new_object(source);
	if (!m)
		return ERR_PTR(-ENOMEM);
	mnt_get(m);
	m->held = true;
	m->sb = sb;
	m->root = dget(root);
	m->flags = flags;
	hlist_node_init(&m->hash_link);
	list_init(&m->all_link);
	list_init(&m->children);
	list_init(&m->child_link);
	atomic64_inc(&nmounts);
	m->id = __atomic_fetch_add(&next_mount_id, 1, __ATOMIC_RELAXED);
	return m;
}

static void mount_free(struct retired *r)
{
	struct mount *m = container_of(r, struct mount, retired);

	kfree(m->users);
	kfree(m);
}

/* The number of references. Exact for "none" if all puts take mount_lock, which is held: who has one may get another meanwhile, but not lose both. */
static int mount_users(const struct mount *m)
{
	int n = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		n += READ_ONCE(m->users[cpu].n);
	return n;
}

static void count_put(struct mount *m)
{
	int *n = &m->users[hal_cpu_id()].n;

	WRITE_ONCE(*n, *n - 1);
}

/* The first reference has been dropped, or is: each put may be the last. */
static __noinline void mnt_put_slow(struct mount *m)
{
	bool last;

	spin_lock(&mount_lock);
	count_put(m);
	last = !m->held && !m->dead && mount_users(m) == 0;
	if (last)
		m->dead = true;
	spin_unlock(&mount_lock);
	if (!last)
		return;
	atomic64_dec(&nmounts);
	if (unlikely(m->marks))
		fanotify_object_gone(&m->marks);
	dput(m->root);
	super_put(m->sb);
	kfree(m->source);
	retire(&m->retired, mount_free);
}

/*
 * While the mount is held there is nothing to find out. mounts_let_go() waits until nobody is any more between the question and the subtraction;
 * from then on all take the lock.
 */
void mnt_put(struct mount *m)
{
	bool held;

	reader_begin_local();
	held = READ_ONCE(m->held);
	if (likely(held))
		count_put(m);
	reader_end();
	if (unlikely(!held))
		mnt_put_slow(m);
}

/*
 * Drop the first references of @mounts, which are linked by child_link and hang nowhere. Who found one as part of the tree before has its reference,
 * or has seen that the tree has changed, when readers_wait() returns.
 */
static void mounts_let_go(struct list *mounts)
{
	struct mount *m, *next;

	spin_lock(&mount_lock);
	list_for_each_entry(m, mounts, child_link)
		m->held = false;
	spin_unlock(&mount_lock);
	readers_wait();
	list_for_each_entry_safe(m, next, mounts, child_link) {
		list_del_init(&m->child_link);
		mnt_put(m);
	}
}

/* Of a mount that may be dead. If it is, @m's count is taken back. The lock makes the count visible to whoever decides. */
static bool still_alive(struct mount *m)
{
	bool dead;

	spin_lock(&mount_lock);
	dead = m->dead;
	if (dead)
		count_put(m);
	spin_unlock(&mount_lock);
	return !dead;
}

/*
 * The one spot where references are taken that nobody guarantees. Either the reader sees that the tree has changed, or who changes it sees the
 * reference:
 *
 *	reader				umount, with mount_lock
 *	users + 1			tree_changes.mounts = odd
 *	barrier				barrier
 *	reads tree_changes		reads users
 *
 * A mount that is held lives until mounts_let_go() has waited for this reader, and sees its count. One that is not held may be dead.
 */
bool path_get_quick(const struct path *p, u64 seen)
{
	struct mount *m = p->mnt;
	bool got, alive = true;

	mnt_get(m);
	smp_mb();
	if (unlikely(!READ_ONCE(m->held)))
		alive = still_alive(m);
	got = alive && !tree_changed(seen) && dget_alive(p->dentry);
	reader_end();
	if (unlikely(!got) && alive)
		mnt_put(m);
	return got;
}

int mnt_want_write(const struct mount *m)
{
	if (!m)
		return 0;
	return (m->flags & MS_RDONLY) || (m->sb->flags & MS_RDONLY) ? -EROFS : 0;
}

static struct mount *first_child(struct mount *m)
{
	return list_first_entry_or_null(&m->children, struct mount, child_link);
}

/* The next one on the same mount, or NULL. */
static struct mount *next_sibling(struct mount *m)
{
	return list_is_last(&m->child_link, &m->parent->children) ? NULL
								  : list_next_entry(m, child_link);
}

struct mount *mount_next(struct mount *m, const struct mount *top)
{
	struct mount *next = first_child(m);

	while (!next && m != top) {
		next = next_sibling(m);
		m = m->parent;
	}
	return next;
}

void mount_attach(struct mount *m, const struct path *at)
{
	path_get(at);
	spin_lock(&mount_lock);
	tree_change_begin(&tree_changes.mounts);
	m->parent = at->mnt;
	m->mountpoint = at->dentry;
	m->detached = false;
	for (struct mount *i = m; i; i = mount_next(i, m))
		i->ns = at->mnt->ns;
	WRITE_ONCE(at->dentry->mounts, at->dentry->mounts + 1);
	hlist_publish_head(&m->hash_link, mount_bucket(at->mnt, at->dentry));
	list_add_tail(&m->all_link, &all_mounts);
	list_add_tail(&m->child_link, &at->mnt->children);
	tree_change_end(&tree_changes.mounts);
	spin_unlock(&mount_lock);
}

/* mount_lock held, tree_changes.mounts odd. */
static struct path detach_locked(struct mount *m)
{
	struct path at = { m->parent, m->mountpoint };

	m->parent = NULL;
	m->mountpoint = NULL;
	m->ns = NULL;
	hlist_del(&m->hash_link);
	list_del_init(&m->all_link);
	list_del_init(&m->child_link);
	if (at.dentry)
		WRITE_ONCE(at.dentry->mounts, at.dentry->mounts - 1);
	return at;
}

/* Unless there are more than @max references on it, or mounts: then nothing is done. Return: it is off. */
static bool detach_unless_busy(struct mount *m, int max, struct path *at)
{
	bool off;

	spin_lock(&mount_lock);
	tree_change_begin(&tree_changes.mounts);
	off = max == INT_MAX || (mount_users(m) <= max && list_empty(&m->children));
	if (off)
		*at = detach_locked(m);
	tree_change_end(&tree_changes.mounts);
	spin_unlock(&mount_lock);
	return off;
}

struct path mount_detach(struct mount *m)
{
	struct path at = { NULL, NULL };

	detach_unless_busy(m, INT_MAX, &at);
	return at;
}

struct mount *kern_mount(struct fs_type *type)
{
	struct super *sb = super_create(type, type->name, NULL);
	struct mount *m;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	m = mount_alloc(sb, sb->root, type->name, MS_RELATIME);
	if (IS_ERR(m))
		super_put(sb);
	return m;
}

void mount_set_root(struct mnt_ns *ns, struct mount *m)
{
	spin_lock(&mount_lock);
	m->ns = ns;
	ns->root = m;
	list_add_tail(&m->all_link, &all_mounts);
	spin_unlock(&mount_lock);
}

bool mount_is_ours(const struct mount *m)
{
	return m && m->ns == current->ns->mnt;
}

/* MNT_DETACH: children first, so that nothing hangs on a mount that has left the tree. The tree may be deeper than a stack. */
void mount_detach_tree(struct mount *top)
{
	struct mount *m = top, *child, *parent;
	DEFINE_LIST(off);
	struct path at;

	do {
		while ((child = first_child(m)))
			m = child;
		parent = m->parent;
		at = mount_detach(m);
		if (at.dentry) /* a copy that failed half-way hangs nowhere */
			path_put(&at);
		list_add_tail(&m->child_link, &off);
		child = m;
		m = parent;
	} while (child != top);
	mounts_let_go(&off);
}

/* ---- mount(2) ---- */

static u32 mount_flags(unsigned long flags)
{
	u32 f = (u32)(flags & MNT_FLAGS);

	if (!(f & (MS_NOATIME | MS_STRICTATIME)))
		f |= MS_RELATIME;
	return f;
}

struct super *super_obtain(struct fs_type *t, const char *source, const char *data,
			   unsigned long flags)
{
	struct super *sb = t->find ? t->find(source) : NULL;

	if (sb && ((sb->flags ^ flags) & MS_RDONLY)) {
		super_put(sb);
		return ERR_PTR(-EBUSY);
	}
	if (!sb)
		sb = super_create_flags(t, source, data, flags);
	if (!IS_ERR(sb))
		sb->flags |= flags & SB_FLAGS;
	return sb;
}

static int mount_new(const struct path *at, const char *source, const char *type,
		     unsigned long flags, const char *data)
{
	struct fs_type *t = type ? fs_type_find(type) : NULL;
	struct super *sb;
	struct mount *m;

	if (!type)
		return -EINVAL;
	if (!t)
		return -ENODEV;
	sb = super_obtain(t, source, data, flags);
	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	m = mount_alloc(sb, sb->root, source, mount_flags(flags));
	if (IS_ERR(m)) {
		super_put(sb);
		return (int)PTR_ERR(m);
	}
	mount_attach(m, at);
	return 0;
}

static struct mount *mount_clone(struct mount *from, struct dentry *root)
{
	struct mount *m;

	refcount_inc(&from->sb->refs);
	m = mount_alloc(from->sb, root, from->source, from->flags);
	if (IS_ERR(m))
		super_put(from->sb);
	return m;
}

/* From @m on, the first sibling that lies below @src if its parent is @src's mount. */
static struct mount *below(const struct path *src, struct mount *m)
{
	while (m && m->parent == src->mnt && !d_is_ancestor(src->dentry, m->mountpoint))
		m = next_sibling(m);
	return m;
}

/*
 * Copy what is mounted below @src's dentry onto the copy @dst, which hangs nowhere yet. mount_mutex held: the tree stands still. @to is the
 * copy of @from's parent.
 */
static int clone_children(const struct path *src, struct mount *dst)
{
	struct mount *from = below(src, first_child(src->mnt)), *to = dst, *copy;
	struct path at;

	while (from) {
		copy = mount_clone(from, from->root);
		if (IS_ERR(copy))
			return (int)PTR_ERR(copy);
		at = (struct path){ to, from->mountpoint };
		mount_attach(copy, &at);
		if (first_child(from)) {
			from = first_child(from);
			to = copy;
			continue;
		}
		while (from->parent != src->mnt && !next_sibling(from)) {
			from = from->parent;
			to = to->parent;
		}
		from = below(src, next_sibling(from));
	}
	return 0;
}

struct mount *mount_clone_tree(const struct path *src, bool rec)
{
	struct mount *m = mount_clone(src->mnt, src->dentry);
	int r;

	if (IS_ERR(m) || !rec)
		return m;
	r = clone_children(src, m);
	if (!r)
		return m;
	mount_detach_tree(m);
	return ERR_PTR(r);
}

static int mount_bind(const struct path *at, const char *source, bool rec)
{
	struct path src;
	struct mount *m;
	int r;

	if (!source || !*source)
		return -EINVAL;
	r = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &src);
	if (r)
		return r;
	if (!mount_is_ours(src.mnt)) {
		path_put(&src);
		return -EINVAL;
	}
	if (S_ISDIR(d_inode(src.dentry)->mode) != S_ISDIR(d_inode(at->dentry)->mode)) {
		path_put(&src);
		return -ENOTDIR;
	}
	m = mount_clone_tree(&src, rec);
	if (!IS_ERR(m))
		mount_attach(m, at);
	path_put(&src);
	return IS_ERR(m) ? (int)PTR_ERR(m) : 0;
}

int super_remount(struct super *sb, unsigned long flags, unsigned long mask, const char *data)
{
	int r = super_change(sb, flags, data);

	if (!r && (flags & mask & MS_RDONLY) && atomic_read(&sb->writers))
		r = -EBUSY;
	if (!r)
		sb->flags = (sb->flags & ~mask) | (flags & mask);
	return r;
}

static int mount_remount(const struct path *at, unsigned long flags, const char *data)
{
	int r;

	if (at->dentry != at->mnt->root)
		return -EINVAL;
	if (flags & MS_BIND)
		r = (flags & MS_RDONLY) && atomic_read(&at->mnt->writers) ? -EBUSY : 0;
	else
		r = super_remount(at->mnt->sb, flags, SB_FLAGS, data);
	if (!r)
		at->mnt->flags = mount_flags(flags);
	return r;
}

static int mount_move(const struct path *at, const char *source)
{
	struct path src, old;
	struct mount *up;
	int r;

	if (!source || !*source)
		return -EINVAL;
	r = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &src);
	if (r)
		return r;
	r = -EINVAL;
	if (!mount_is_ours(src.mnt) || src.dentry != src.mnt->root || !src.mnt->parent)
		goto out;
	r = -ELOOP;
	for (up = at->mnt; up; up = up->parent)
		if (up == src.mnt)
			goto out;
	old = mount_detach(src.mnt);
	path_put(&old);
	mount_attach(src.mnt, at);
	r = 0;
out:
	path_put(&src);
	return r;
}

static int mount_dispatch(const struct path *at, const char *source, const char *type,
			  unsigned long flags, const char *data)
{
	unsigned long propagation = flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);

	if (flags & MS_REMOUNT)
		return mount_remount(at, flags, data);
	if (propagation) /* private they all are: to be nobody's slave changes nothing */
		return (propagation == MS_PRIVATE || propagation == MS_SLAVE) &&
				       at->dentry == at->mnt->root &&
				       !(flags & ~(propagation | MS_REC | MS_SILENT))
			       ? 0
			       : -EINVAL;
	if (flags & MS_BIND)
		return mount_bind(at, source, flags & MS_REC);
	if (flags & MS_MOVE)
		return mount_move(at, source);
	if (!S_ISDIR(d_inode(at->dentry)->mode))
		return -ENOTDIR;
	return mount_new(at, source, type, flags, data);
}

int do_mount(const char *source, const char *target, const char *type, unsigned long flags,
	     const char *data)
{
	struct path at;
	int r;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	r = path_lookup(AT_FDCWD, target, LOOKUP_FOLLOW, &at);
	if (r)
		return r;
	r = at.mnt ? -EPERM : -EINVAL;
	if (at.mnt && capable(CAP_SYS_ADMIN)) {
		mutex_lock(&mount_mutex);
		r = mount_is_ours(at.mnt) ? mount_dispatch(&at, source, type, flags, data)
					  : -EINVAL;
		mutex_unlock(&mount_mutex);
	}
	path_put(&at);
	return r;
}

/* ---- umount2(2) ---- */

static bool is_busy(struct mount *m)
{
	bool yes;

	spin_lock(&mount_lock);
	yes = mount_users(m) > 2 || first_child(m);
	spin_unlock(&mount_lock);
	return yes;
}

static int umount_idle(struct mount *m)
{
	DEFINE_LIST(off);
	struct path at;

	if (!detach_unless_busy(m, 2, &at))
		return -EBUSY;
	path_put(&at);
	list_add_tail(&m->child_link, &off);
	mounts_let_go(&off);
	return 0;
}

/* @p holds one reference on the mount, the tree the other. */
static int umount_checked(const struct path *p, int flags)
{
	struct mount *m = p->mnt;

	if (p->dentry != m->root || !m->parent || !mount_is_ours(m))
		return -EINVAL;
	if (flags & MNT_EXPIRE) {
		if (is_busy(m))
			return -EBUSY;
		if (!xchg(&m->expiry_mark, 1))
			return -EAGAIN;
	}
	if (!(flags & MNT_DETACH))
		return umount_idle(m);
	mount_detach_tree(m);
	return 0;
}

int do_umount(const char *target, int flags)
{
	struct path p;
	int r;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if ((flags & MNT_EXPIRE) && (flags & (MNT_FORCE | MNT_DETACH)))
		return -EINVAL;
	r = path_lookup(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &p);
	if (r)
		return r;
	r = p.mnt ? -EPERM : -EINVAL;
	if (p.mnt && capable(CAP_SYS_ADMIN)) {
		mutex_lock(&mount_mutex);
		r = umount_checked(&p, flags);
		mutex_unlock(&mount_mutex);
	}
	path_put(&p);
	return r;
}

/* ---- namespaces ---- */

/* What is on @old's mounts is on their copies: both trees have the same order. */
static void move_to_copy(struct fs_ctx *fs, struct mount *old, struct mount *copy)
{
	struct mount *from = old, *to = copy, *root = NULL, *cwd = NULL;

	for (; from && to; from = mount_next(from, old), to = mount_next(to, copy)) {
		if (fs->root.mnt == from)
			root = mnt_get(to);
		if (fs->cwd.mnt == from)
			cwd = mnt_get(to);
	}
	spin_lock(&fs->lock);
	tree_change_begin(&fs->changes);
	if (root)
		swap(root, fs->root.mnt);
	if (cwd)
		swap(cwd, fs->cwd.mnt);
	tree_change_end(&fs->changes);
	spin_unlock(&fs->lock);
	if (root)
		mnt_put(root);
	if (cwd)
		mnt_put(cwd);
}

/* mount_mutex held. */
static int copy_tree(struct mnt_ns *ns, struct mount *old, struct fs_ctx *fs)
{
	const struct path src = { old, old->root };
	struct mount *copy = mount_clone(old, old->root);
	int r;

	if (IS_ERR(copy))
		return (int)PTR_ERR(copy);
	copy->ns = ns;
	r = clone_children(&src, copy);
	if (r) {
		mount_detach_tree(copy);
		return r;
	}
	mount_set_root(ns, copy);
	move_to_copy(fs, old, copy);
	return 0;
}

struct mnt_ns *files_mounts_copy(struct mnt_ns *from, struct fs_ctx *fs)
{
	struct mnt_ns *ns = kzalloc(sizeof(*ns), GFP_KERNEL);
	int r;

	if (!ns)
		return ERR_PTR(-ENOMEM);
	refcount_set(&ns->refs, 1);
	ns->id = ns_new_id();
	mutex_lock(&mount_mutex);
	r = copy_tree(ns, from->root, fs);
	mutex_unlock(&mount_mutex);
	if (!r)
		return ns;
	kfree(ns);
	return ERR_PTR(r);
}

struct mnt_ns *files_mounts_get(struct mnt_ns *ns)
{
	refcount_inc(&ns->refs);
	return ns;
}

u32 files_mounts_id(const struct mnt_ns *ns)
{
	return ns->id;
}

/* The root of a tree, under what is mounted on it. */
static void root_of(struct mnt_ns *ns, struct path *out)
{
	struct mount *m, *upper;

	mutex_lock(&mount_mutex);
	m = mnt_get(ns->root);
	mutex_unlock(&mount_mutex);
	while ((upper = mount_lookup(m, m->root))) {
		mnt_put(m);
		m = upper;
	}
	*out = (struct path){ m, dget(m->root) };
}

int files_enter_mounts(struct mnt_ns *ns)
{
	struct fs_ctx *fs = current->fs;
	struct path root, old_root, old_cwd;

	if (refcount_read(&fs->refs) != 1)
		return -EINVAL;
	root_of(ns, &root);
	path_get(&root);
	fs_ctx_swap(&fs->root, &root, &old_root);
	fs_ctx_swap(&fs->cwd, &root, &old_cwd);
	path_put(&old_root);
	path_put(&old_cwd);
	return 0;
}

void files_mounts_put(struct mnt_ns *ns)
{
	if (!refcount_dec_and_test(&ns->refs))
		return;
	mutex_lock(&mount_mutex);
	mount_detach_tree(ns->root);
	mutex_unlock(&mount_mutex);
	kfree(ns);
}

/* ---- /proc/PID/mounts, mountinfo ---- */

static const struct {
	u32 flag;
	const char *text;
} option_text[] = {
	{ MS_NOSUID, ",nosuid" },	    { MS_NODEV, ",nodev" },
	{ MS_NOEXEC, ",noexec" },	    { MS_NOATIME, ",noatime" },
	{ MS_NODIRATIME, ",nodiratime" },   { MS_RELATIME, ",relatime" },
	{ MS_NOSYMFOLLOW, ",nosymfollow" },
};

static void show_flags(struct printbuf *pb, u32 flags)
{
	printbuf_puts(pb, flags & MS_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < ARRAY_SIZE(option_text); i++)
		if (flags & option_text[i].flag)
			printbuf_puts(pb, option_text[i].text);
}

/* Space, tab, newline and backslash as octal escapes, as getmntent(3) reads them. */
static void show_escaped(struct printbuf *pb, const char *s)
{
	for (; *s; s++) {
		if (strchr(" \t\n\\#", *s))
			printbuf_printf(pb, "\\%03o", (unsigned char)*s);
		else
			printbuf_putc(pb, *s);
	}
}

/* The line of mountinfo; @where is the mount's place, @opts what its file system says of itself. */
static void show_info(struct printbuf *pb, struct mount *m, const char *where, const char *in_fs,
		      const char *opts)
{
	printbuf_printf(pb, "%d %d %u:%u ", m->id, m->parent ? m->parent->id : 0,
			dev_major(m->sb->dev), dev_minor(m->sb->dev));
	show_escaped(pb, in_fs);
	printbuf_putc(pb, ' ');
	show_escaped(pb, where);
	printbuf_putc(pb, ' ');
	show_flags(pb, m->flags);
	printbuf_printf(pb, " - %s ", m->sb->type->name);
	show_escaped(pb, m->source);
	printbuf_printf(pb, " %s%s\n", m->sb->flags & MS_RDONLY ? "ro" : "rw", opts);
}

static void show_mount(struct printbuf *pb, struct mount *m, char *buf, bool info)
{
	char opts[128] = "", *where, *in_fs;
	struct path p = { m, m->root };

	where = path_name(&p, buf, PATH_MAX);
	in_fs = dentry_name(m->root, buf + PATH_MAX, PATH_MAX);
	if (IS_ERR(where) || IS_ERR(in_fs))
		return;
	if (m->sb->ops && m->sb->ops->show_options)
		m->sb->ops->show_options(m->sb, opts, sizeof(opts));
	if (info) {
		show_info(pb, m, where, in_fs, opts);
		return;
	}
	show_escaped(pb, m->source);
	printbuf_putc(pb, ' ');
	show_escaped(pb, where);
	printbuf_printf(pb, " %s ", m->sb->type->name);
	show_flags(pb, m->flags | (u32)(m->sb->flags & MS_RDONLY));
	printbuf_printf(pb, "%s 0 0\n", opts);
}

struct mnt_ns *mount_tree_of(struct fs_ctx *fs)
{
	struct mnt_ns *ns;

	spin_lock(&fs->lock);
	ns = fs->root.mnt ? fs->root.mnt->ns : NULL;
	spin_unlock(&fs->lock);
	return ns;
}

int mounts_show(struct printbuf *pb, struct fs_ctx *fs, bool info)
{
	char *buf = kmalloc(2 * PATH_MAX, GFP_KERNEL);
	struct mnt_ns *ns;
	struct mount *m;

	if (!buf)
		return -ENOMEM;
	mutex_lock(&mount_mutex);
	ns = mount_tree_of(fs);
	list_for_each_entry(m, &all_mounts, all_link)
		if (ns && m->ns == ns)
			show_mount(pb, m, buf, info);
	mutex_unlock(&mount_mutex);
	kfree(buf);
	return 0;
}

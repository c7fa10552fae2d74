/* SPDX-License-Identifier: MIT */
/*
 * Where what happens to a file is turned into what inotify and fanotify hear: of the object, of its directory, of its name. See fsnotify.h.
 * Locking: none of its own; inotify.c and fanotify.c have a mutex each. A directory's lock may be held.
 */
#include <fs/fsnotify.h>
#include <fs/internal.h>

/* What a directory's watchers hear about an object that is in it. */
#define CHILD_EVENTS                                                                               \
	(IN_ACCESS | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_OPEN |         \
	 FAN_OPEN_EXEC | FAN_PERM_EVENTS)

bool fsnotify_active;
static int nwatches;
static struct spinlock nwatches_lock = SPINLOCK_INIT(RANK_DENTRY);

void fsnotify_watches(int change)
{
	spin_lock(&nwatches_lock);
	nwatches += change;
	WRITE_ONCE(fsnotify_active, nwatches > 0);
	spin_unlock(&nwatches_lock);
}

static bool is_watched(const struct inode *inode)
{
	return READ_ONCE(inode->watches) || READ_ONCE(inode->marks);
}

/* The directory that @d is in, and a copy of its name; NULL when neither it nor, which @wanted says, the object has watchers. */
static struct dentry *watched_parent(struct dentry *d, bool wanted, char *name)
{
	struct dentry *parent = NULL;

	spin_lock(&dcache_rename_lock);
	if (d->parent != d && d->parent->inode && (wanted || is_watched(d->parent->inode)) &&
	    d->len < 256) {
		parent = dget(d->parent);
		memcpy(name, d->name, d->len + 1);
	}
	spin_unlock(&dcache_rename_lock);
	return parent;
}

static int tell_or_ask(struct dentry *d, const struct path *path, u32 mask)
{
	struct inode *inode = d_inode(d);
	bool wanted = fanotify_wanted(d, path);
	struct fan_happening h = { mask | fsnotify_isdir(inode), d, path };
	char name[256];
	int r = 0;

	if (d->flags & DENTRY_ANON)
		return 0;
	h.dir = mask & CHILD_EVENTS ? watched_parent(d, wanted, name) : NULL;
	h.name = h.dir ? name : NULL;
	inode_get(inode);
	if (mask & FAN_PERM_EVENTS) {
		if (h.dir || wanted)
			r = fanotify_ask(&h);
	} else {
		if (h.dir)
			inotify_object(d_inode(h.dir), h.mask, 0, name);
		inotify_object(inode, h.mask, 0, NULL);
		if (h.dir || wanted)
			fanotify_tell(&h);
	}
	inode_put(inode);
	if (h.dir)
		dput(h.dir);
	return r;
}

void __fsnotify_event(struct dentry *d, const struct path *path, u32 mask)
{
	tell_or_ask(d, path, mask);
}

int __fsnotify_perm(struct file *f, u32 mask)
{
	if (!f->path.dentry || (f->mode & (FMODE_PATH | FMODE_NONOTIFY)))
		return 0;
	return tell_or_ask(f->path.dentry, &f->path, mask);
}

void __fsnotify_inode(struct dentry *d, u32 mask)
{
	struct fan_happening h = { mask | fsnotify_isdir(d_inode(d)), d };

	inotify_object(d_inode(d), h.mask, 0, NULL);
	if (fanotify_wanted(d, NULL))
		fanotify_tell(&h);
}

void __fsnotify_name(struct dentry *dir, struct dentry *d, const char *name, u32 mask, u32 cookie)
{
	struct fan_happening h = { mask, d, NULL, dir, name };

	inotify_object(d_inode(dir), mask, cookie, name);
	if (fanotify_wanted(dir, NULL))
		fanotify_tell(&h);
}

void __fsnotify_rename(struct dentry *from, struct dentry *to, struct dentry *d, const char *oname)
{
	struct fan_happening h = {
		FAN_RENAME | fsnotify_isdir(d_inode(d)), d, NULL, from, oname, to, d->name
	};

	if (fanotify_wanted(from, NULL) || fanotify_wanted(to, NULL))
		fanotify_tell(&h);
}

void __fsnotify_gone(struct dentry *d)
{
	struct inode *inode = d_inode(d);

	if (inode->nlink && !S_ISDIR(inode->mode))
		return;
	__fsnotify_inode(d, IN_DELETE_SELF);
	inode_get(inode);
	inotify_drop_inode(inode);
	fanotify_drop_inode(inode);
	inode_put(inode);
}

void fsnotify_super_gone(struct super *sb)
{
	if (likely(!READ_ONCE(fsnotify_active)))
		return;
	inotify_super_gone(sb);
	fanotify_super_gone(sb);
}

u32 fsnotify_dev(const struct super *sb)
{
	return dev_major(sb->dev) << 20 | dev_minor(sb->dev);
}

void fsnotify_show_fid(struct printbuf *pb, const struct file_fid *fid)
{
	const u8 *bytes = (const u8 *)fid->id;

	printbuf_printf(pb, " fhandle-bytes:%zx fhandle-type:%x f_handle:", sizeof(fid->id),
			(u32)fid->type);
	for (size_t i = 0; i < sizeof(fid->id); i++)
		printbuf_printf(pb, "%02x", bytes[i]);
}

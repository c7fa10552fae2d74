/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes on tmpfs: a list of name and value on the inode, for trusted.*, security.* and (on files and
 * directories) user.*. Other file systems have none: EOPNOTSUPP, and an empty list.
 * Locking: inode->lock. Source: xattr(7).
 */
#include <fs/internal.h>
#include <fs/tmpfs/tmpfs.h>
#include <fs/xattr.h>
#include <uapi/capability.h>

#define XATTR_TOTAL_MAX (2u * XATTR_SIZE_MAX) /* of one inode: names and values */

struct tmpfs_xattr {
	struct tmpfs_xattr *next;
	char *name;
	size_t size;
	u8 value[];
};

void tmpfs_xattr_free(struct tmpfs_xattr *list)
{
	struct tmpfs_xattr *next;

	for (; list; list = next) {
		next = list->next;
		kfree(list->name);
		kfree(list);
	}
}

static struct tmpfs_xattr **find(struct inode *inode, const char *name)
{
	struct tmpfs_xattr **p = tmpfs_xattrs(inode);

	while (*p && strcmp((*p)->name, name))
		p = &(*p)->next;
	return p;
}

/* May current use this attribute of this inode? */
static int check(struct inode *inode, const char *name, bool write)
{
	if (str_has_prefix(name, "user.") && !S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
		return write ? -EPERM : -ENODATA;
	if (!inode_is_tmpfs(inode))
		return -EOPNOTSUPP;
	if (!strcmp(name, "user.") || !strcmp(name, "trusted.") || !strcmp(name, "security."))
		return -EINVAL;
	if (str_has_prefix(name, "user.")) {
		if (write && S_ISDIR(inode->mode) && (inode->mode & S_ISVTX) &&
		    !inode_owner_or_capable(inode))
			return -EPERM;
		return inode_permission(inode, write ? MAY_WRITE : MAY_READ);
	}
	if (str_has_prefix(name, "trusted."))
		return capable(CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
	if (!strcmp(name, XATTR_CAPS))
		return !write || capable(CAP_SETFCAP) ? 0 : -EPERM;
	if (str_has_prefix(name, "security."))
		return !write || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	return -EOPNOTSUPP;
}

ssize_t xattr_get(struct inode *inode, const char *name, void *value, size_t size)
{
	struct tmpfs_xattr *x;
	ssize_t r = check(inode, name, false);

	if (r)
		return r;
	rwsem_down_read(&inode->lock);
	x = *find(inode, name);
	if (!x)
		r = -ENODATA;
	else if (size && size < x->size)
		r = -ERANGE;
	else
		r = (ssize_t)x->size;
	if (r > 0 && size)
		memcpy(value, x->value, x->size);
	rwsem_up_read(&inode->lock);
	return r;
}

static size_t total_size(struct inode *inode)
{
	size_t n = 0;

	for (struct tmpfs_xattr *x = *tmpfs_xattrs(inode); x; x = x->next)
		n += strlen(x->name) + 1 + x->size;
	return n;
}

static struct tmpfs_xattr *make(const char *name, const void *value, size_t size)
{
	struct tmpfs_xattr *x = kmalloc(sizeof(*x) + size, GFP_KERNEL);

	if (!x)
		return NULL;
	x->name = kstrdup(name, GFP_KERNEL);
	if (!x->name) {
		kfree(x);
		return NULL;
	}
	x->size = size;
	memcpy(x->value, value, size);
	return x;
}

int xattr_set(const struct path *p, const char *name, const void *value, size_t size, int flags)
{
	struct inode *inode = d_inode(p->dentry);
	struct tmpfs_xattr **slot, *fresh, *old;
	bool caps = !strcmp(name, XATTR_CAPS);
	int r = caps ? file_caps_check(value, size) : 0;

	if (!r)
		r = mnt_want_write(p->mnt);
	if (!r)
		r = check(inode, name, true);
	if (r)
		return r;
	fresh = make(name, value, size);
	if (!fresh)
		return -ENOMEM;
	rwsem_down_write(&inode->lock);
	slot = find(inode, name);
	old = *slot;
	if (old && (flags & XATTR_CREATE))
		r = -EEXIST;
	else if (!old && (flags & XATTR_REPLACE))
		r = -ENODATA;
	else if (total_size(inode) + strlen(name) + 1 + size > XATTR_TOTAL_MAX)
		r = -ENOSPC;
	if (!r) {
		fresh->next = old ? old->next : NULL;
		*slot = fresh;
		inode->has_caps |= caps;
		inode_touch(inode, ATTR_CTIME);
		fresh = old;
	}
	rwsem_up_write(&inode->lock);
	if (fresh) { /* the replaced one, or the one that was refused */
		fresh->next = NULL;
		tmpfs_xattr_free(fresh);
	}
	if (!r)
		fsnotify_dentry(p->dentry, IN_ATTRIB);
	return r;
}

int xattr_remove(const struct path *p, const char *name)
{
	struct inode *inode = d_inode(p->dentry);
	struct tmpfs_xattr **slot, *old;
	int r = mnt_want_write(p->mnt);

	if (!r)
		r = check(inode, name, true);
	if (r)
		return r;
	rwsem_down_write(&inode->lock);
	slot = find(inode, name);
	old = *slot;
	if (old) {
		*slot = old->next;
		inode_touch(inode, ATTR_CTIME);
	}
	rwsem_up_write(&inode->lock);
	if (!old)
		return -ENODATA;
	old->next = NULL;
	tmpfs_xattr_free(old);
	fsnotify_dentry(p->dentry, IN_ATTRIB);
	return 0;
}

void xattr_drop_caps(struct inode *inode)
{
	struct tmpfs_xattr **slot, *old;

	if (likely(!inode->has_caps))
		return;
	inode->has_caps = false;
	slot = find(inode, XATTR_CAPS);
	old = *slot;
	if (!old)
		return;
	*slot = old->next;
	old->next = NULL;
	tmpfs_xattr_free(old);
}

ssize_t xattr_list(struct inode *inode, char *list, size_t size)
{
	size_t n = 0;

	if (!inode_is_tmpfs(inode))
		return 0;
	rwsem_down_read(&inode->lock);
	for (struct tmpfs_xattr *x = *tmpfs_xattrs(inode); x; x = x->next) {
		size_t len = strlen(x->name) + 1;

		if (str_has_prefix(x->name, "trusted.") && !capable(CAP_SYS_ADMIN))
			continue;
		if (size && n + len <= size)
			memcpy(list + n, x->name, len);
		n += len;
	}
	rwsem_up_read(&inode->lock);
	return size && n > size ? -ERANGE : (ssize_t)n;
}

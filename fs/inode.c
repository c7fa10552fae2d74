/* SPDX-License-Identifier: MIT */
/*
 * Inodes: allocation, attributes, permission.
 *
 * inode_new() makes one for a file system; inode_put() evicts it with the last reference. inode_permission() is the one
 * check every path operation ends in. vfs_setattr() is behind chmod, chown, utimes and truncate.
 * Locking: inode->lock for mode, owner, size and times; readers of single words do without.
 * Source: inode(7), path_resolution(7), chmod(2), chown(2), utimensat(2).
 */
#include <fs/internal.h>
#include <fs/lease.h>
#include <fs/pipe.h>
#include <fs/xattr.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <uapi/capability.h>

static struct kmem_cache *inode_cache;

void inode_init(void)
{
	inode_cache = kmem_cache_create("inode", sizeof(struct inode), 0);
}

u64 inode_now(void)
{
	return ktime_real_ns();
}

struct inode *inode_new(struct super *sb, struct inode *dir, u32 mode)
{
	struct inode *i = kmem_cache_alloc(inode_cache, GFP_KERNEL | GFP_ZERO);
	const struct creds *cr = current_creds();

	if (!i)
		return NULL;
	refcount_set(&i->refs, 1);
	i->sb = sb;
	i->ino = (u64)atomic64_inc_return(&sb->next_ino);
	i->nlink = 1;
	rwsem_init(&i->lock);
	i->uid = cr ? cr->fsuid : 0;
	i->gid = cr ? cr->fsgid : 0;
	if (dir && (dir->mode & S_ISGID)) {
		i->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
			 !creds_in_group(cr, i->gid) && !capable(CAP_FSETID))
			mode &= ~S_ISGID;
	}
	i->mode = mode;
	i->atime_ns = i->mtime_ns = i->ctime_ns = i->btime_ns = inode_now();
	return i;
}

static void inode_free(struct retired *r)
{
	kmem_cache_free(inode_cache, container_of(r, struct inode, retired));
}

/* Content and resources go at once; the memory stays for readers that look at the mode and the owner. */
void inode_put(struct inode *inode)
{
	if (!refcount_dec_and_test(&inode->refs))
		return;
	if (inode->sb->ops && inode->sb->ops->evict)
		inode->sb->ops->evict(inode);
	if (inode->pipe)
		pipe_free(inode->pipe);
	locks_free(inode);
	BUG_ON(inode->watches); /* each holds a reference */
	if (unlikely(inode->marks))
		fanotify_object_gone(&inode->marks);
	retire(&inode->retired, inode_free);
}

void inode_touch(struct inode *inode, unsigned int which)
{
	u64 now = inode_now();

	if (which & ATTR_ATIME)
		inode->atime_ns = now;
	if (which & ATTR_MTIME)
		inode->mtime_ns = now;
	if (which & ATTR_CTIME)
		inode->ctime_ns = now;
}

/* relatime: the access time moves when it is not after the last change, or a day old. */
void file_accessed(struct file *f)
{
	struct inode *i = f->inode;
	u32 mflags = f->path.mnt ? f->path.mnt->flags : 0;
	u64 now;

	if ((f->flags & O_NOATIME) || (mflags & (MS_NOATIME | MS_RDONLY)) ||
	    (S_ISDIR(i->mode) && (mflags & MS_NODIRATIME)))
		return;
	now = inode_now();
	if (!(mflags & MS_STRICTATIME) && i->atime_ns > i->mtime_ns && i->atime_ns > i->ctime_ns &&
	    now - i->atime_ns < 86400 * NSEC_PER_SEC)
		return;
	i->atime_ns = now;
}

void generic_fill_stat(struct inode *inode, struct kstat *st)
{
	memset(st, 0, sizeof(*st));
	st->dev = inode->sb->dev;
	st->ino = inode->ino;
	st->rdev = inode->rdev;
	st->size = inode->size;
	st->blocks = inode->object.npages * (PAGE_SIZE / 512);
	st->mode = inode->mode;
	st->nlink = inode->nlink;
	st->blksize = PAGE_SIZE;
	st->uid = inode->uid;
	st->gid = inode->gid;
	st->atime_ns = inode->atime_ns;
	st->mtime_ns = inode->mtime_ns;
	st->ctime_ns = inode->ctime_ns;
	st->btime_ns = inode->btime_ns;
}

int vfs_getattr(const struct path *p, struct kstat *st)
{
	struct inode *i = d_inode(p->dentry);
	int r = 0;

	generic_fill_stat(i, st);
	if (i->ops && i->ops->getattr)
		r = i->ops->getattr(i, st);
	st->mnt_id = p->mnt ? (u64)p->mnt->id : 0;
	if (p->mnt && p->dentry == p->mnt->root)
		st->attributes |= STATX_ATTR_MOUNT_ROOT;
	return r;
}

/* ---- permission ---- */

bool inode_owner_or_capable(struct inode *inode)
{
	return current_creds()->fsuid == inode->uid || capable(CAP_FOWNER);
}

/* The rights the mode bits give current, as MAY_* in the low three bits. */
static u32 mode_rights(const struct inode *inode)
{
	const struct creds *cr = current_creds();

	if (cr->fsuid == inode->uid)
		return inode->mode >> 6;
	if (creds_in_group(cr, inode->gid))
		return inode->mode >> 3;
	return inode->mode;
}

int generic_permission(struct inode *inode, unsigned int may)
{
	may &= MAY_READ | MAY_WRITE | MAY_EXEC;
	/* Searching a directory that everyone may search: the usual case on every path component. */
	if (may == MAY_EXEC && (inode->mode & S_IXUGO) == S_IXUGO)
		return 0;
	if (!(may & ~mode_rights(inode)))
		return 0;
	if (S_ISDIR(inode->mode)) {
		if (!(may & MAY_WRITE) && capable(CAP_DAC_READ_SEARCH))
			return 0;
		return capable(CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (may == MAY_READ && capable(CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(may & MAY_EXEC) || (inode->mode & S_IXUGO)) && capable(CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int inode_permission(struct inode *inode, unsigned int may)
{
	if ((may & MAY_WRITE) && (inode->sb->flags & MS_RDONLY) &&
	    (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode)))
		return -EROFS;
	if (inode->ops && inode->ops->permission)
		return inode->ops->permission(inode, may);
	return generic_permission(inode, may);
}

/* ---- changing attributes ---- */

void generic_setattr(struct inode *inode, const struct iattr *attr)
{
	if (attr->valid & ATTR_UID)
		inode->uid = attr->uid;
	if (attr->valid & ATTR_GID)
		inode->gid = attr->gid;
	if (attr->valid & ATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (attr->mode & S_IALLUGO);
	if (attr->valid & ATTR_ATIME)
		inode->atime_ns = attr->atime_ns;
	if (attr->valid & ATTR_MTIME)
		inode->mtime_ns = attr->mtime_ns;
	inode->ctime_ns = inode_now();
}

static int check_owner_change(struct inode *inode, const struct iattr *attr)
{
	const struct creds *cr = current_creds();
	bool owner = cr->fsuid == inode->uid;

	if ((attr->valid & ATTR_UID) && !(owner && attr->uid == inode->uid) && !capable(CAP_CHOWN))
		return -EPERM;
	if ((attr->valid & ATTR_GID) &&
	    !(owner && (attr->gid == inode->gid || creds_in_group(cr, attr->gid))) &&
	    !capable(CAP_CHOWN))
		return -EPERM;
	return 0;
}

/* chown by anyone, also of neither id, clears the setuid bits of a program; chmod by a stranger to the group cannot set setgid. */
static void adjust_mode(struct inode *inode, struct iattr *attr)
{
	if ((attr->valid & ATTR_CHOWN) && !S_ISDIR(inode->mode)) {
		attr->mode = inode->mode & ~S_ISUID;
		if (inode->mode & S_IXGRP)
			attr->mode &= ~S_ISGID;
		if (attr->mode != inode->mode)
			attr->valid |= ATTR_MODE;
	} else if ((attr->valid & ATTR_MODE) && (attr->mode & S_ISGID) &&
		   !creds_in_group(current_creds(), inode->gid) && !capable(CAP_FSETID)) {
		attr->mode &= ~S_ISGID;
	}
}

static int check_setattr(struct inode *inode, struct iattr *attr)
{
	int r = check_owner_change(inode, attr);

	if (r)
		return r;
	adjust_mode(inode, attr);
	if ((attr->valid & ATTR_MODE) && !inode_owner_or_capable(inode))
		return -EPERM;
	if ((attr->valid & ATTR_MODE) && (inode->seals & F_SEAL_EXEC) &&
	    ((attr->mode ^ inode->mode) & S_IXUGO))
		return -EPERM;
	return 0;
}

#define FILEID_INO64_GEN 0x81

int file_fid(struct dentry *d, struct file_fid *fid)
{
	const struct super_ops *ops = d->sb->ops;
	struct file_id id = { d_inode(d)->ino, 0 };
	bool found = ops && ops->handle;
	int r = found ? ops->handle(d, &id) : 0;
	u32 low = (u32)id.ino, high = (u32)(id.ino >> 32);

	if (found)
		*fid = (struct file_fid){ 1, { id.generation, low, high } };
	else
		*fid = (struct file_fid){ FILEID_INO64_GEN, { low, high, 0 } };
	return r;
}

/* One time alone is what an access, or a change, would have set. */
static u32 change_event(unsigned int valid)
{
	if (valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		return IN_ATTRIB;
	switch (valid & (ATTR_ATIME | ATTR_MTIME)) {
	case ATTR_ATIME:
		return IN_ACCESS;
	case ATTR_MTIME:
		return IN_MODIFY;
	default:
		return IN_ATTRIB;
	}
}

int vfs_setattr(const struct path *p, struct iattr *attr)
{
	struct inode *i = d_inode(p->dentry);
	int r = mnt_want_write(p->mnt);

	if (r)
		return r;
	rwsem_down_write(&i->lock);
	r = check_setattr(i, attr);
	if (!r && i->ops && i->ops->setattr)
		r = i->ops->setattr(i, attr);
	else if (!r)
		generic_setattr(i, attr);
	if (!r && (attr->valid & ATTR_CHOWN) && !S_ISDIR(i->mode))
		xattr_drop_caps(i);
	rwsem_up_write(&i->lock);
	if (!r)
		fsnotify_dentry(p->dentry, change_event(attr->valid));
	return r;
}

int inode_write_limit(const struct inode *inode, u64 pos, size_t *n)
{
	u64 limit = task_rlimit(RLIMIT_FSIZE);

	if (unlikely(pos + *n > limit)) {
		if (pos >= limit) {
			sig_send_self(SIGXFSZ);
			return -EFBIG;
		}
		*n = (size_t)(limit - pos);
	}
	if (pos >= inode->sb->max_bytes)
		return -EFBIG;
	*n = (size_t)min_t(u64, *n, inode->sb->max_bytes - pos);
	return 0;
}

void file_remove_privs(struct inode *inode)
{
	u32 kill = 0;

	xattr_drop_caps(inode);
	if (likely(!(inode->mode & (S_ISUID | S_ISGID))) || !S_ISREG(inode->mode) ||
	    capable(CAP_FSETID))
		return;
	if (inode->mode & S_ISUID)
		kill |= S_ISUID;
	if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		kill |= S_ISGID;
	inode->mode &= ~kill;
}

int inode_may_grow(const struct inode *i, u64 size)
{
	if (size <= i->size)
		return 0;
	if (size > task_rlimit(RLIMIT_FSIZE)) {
		sig_send_self(SIGXFSZ);
		return -EFBIG;
	}
	return size > i->sb->max_bytes ? -EFBIG : 0;
}

int vfs_truncate(const struct path *p, u64 size)
{
	struct inode *i = d_inode(p->dentry);
	struct iattr attr = { .valid = ATTR_SIZE, .size = size };
	int r;

	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode))
		return -EINVAL;
	r = mnt_want_write(p->mnt);
	if (!r)
		r = lease_break(i, true, false);
	if (!r && READ_ONCE(i->write_denied) < 0)
		r = -ETXTBSY;
	if (r)
		return r;
	r = inode_may_grow(i, size);
	if (r)
		return r;
	if (!i->ops || !i->ops->setattr)
		return -EINVAL;
	rwsem_down_write(&i->lock);
	r = i->ops->setattr(i, &attr);
	if (!r)
		file_remove_privs(i);
	rwsem_up_write(&i->lock);
	if (!r)
		fsnotify_dentry(p->dentry, IN_MODIFY);
	return r;
}

int file_truncate(struct file *f, u64 size)
{
	if (!(f->mode & FMODE_WRITE) || !S_ISREG(f->inode->mode))
		return -EINVAL;
	return vfs_truncate(&f->path, size);
}

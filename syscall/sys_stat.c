/* SPDX-License-Identifier: MIT */
/*
 * Attributes: stat, statx, chmod, chown, times, access, truncate, statfs; reading directories.
 * Source: stat(2), statx(2), chmod(2), chown(2), utimensat(2), access(2), truncate(2), statfs(2), getdents(2).
 */
#include <fs/internal.h>
#include <kernel/time.h>
#include <syscall/internal.h>
#include <syscall/proto.h>
#include <uapi/capability.h>
#include <uapi/dirent.h>
#include <uapi/prctl.h>

/* The path a *at call means. @flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
int path_at(fd_t dfd, path_t upath, int flags, struct path *out)
{
	unsigned int lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	char *name = getname_flags(upath, flags & AT_EMPTY_PATH);
	int r;

	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	r = path_lookup(dfd, name, lookup | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0), out);
	putname(name);
	return r;
}

/* ---- stat ---- */

static long put_stat(uaddr_t buf, const struct kstat *ks)
{
	struct stat st;

	memset(&st, 0, sizeof(st));
	st.st_dev = ks->dev;
	st.st_ino = ks->ino;
	st.st_mode = ks->mode;
	st.st_nlink = ks->nlink;
	st.st_uid = ks->uid;
	st.st_gid = ks->gid;
	st.st_rdev = ks->rdev;
	st.st_size = (s64)ks->size;
	st.st_blksize = (s32)ks->blksize;
	st.st_blocks = (s64)ks->blocks;
	st.st_atime_sec = (s64)(ks->atime_ns / NSEC_PER_SEC);
	st.st_atime_nsec = ks->atime_ns % NSEC_PER_SEC;
	st.st_mtime_sec = (s64)(ks->mtime_ns / NSEC_PER_SEC);
	st.st_mtime_nsec = ks->mtime_ns % NSEC_PER_SEC;
	st.st_ctime_sec = (s64)(ks->ctime_ns / NSEC_PER_SEC);
	st.st_ctime_nsec = ks->ctime_ns % NSEC_PER_SEC;
	return put_user_obj(buf, &st);
}

static int getattr_of_fd(fd_t fd, struct kstat *ks)
{
	struct fd f = fdget_raw(fd);
	int r;

	if (!f.file)
		return -EBADF;
	r = vfs_getattr(&f.file->path, ks);
	fdput(f);
	return r;
}

/* No name: the descriptor itself is meant. A name that cannot be read is for path_at() to refuse. */
static bool is_empty_path(path_t path, int flags)
{
	u8 first;

	return (flags & AT_EMPTY_PATH) && (!path || (!copy_from_user(&first, path, 1) && !first));
}

/* @path may be NULL with AT_EMPTY_PATH. What a C library makes of fstat() where it has statx only looks nothing up. */
static int getattr_at(fd_t dfd, path_t path, int flags, struct kstat *ks)
{
	bool empty = is_empty_path(path, flags);
	struct path p;
	int r;

	if (empty && dfd >= 0)
		return getattr_of_fd(dfd, ks);
	r = empty ? path_of_fd(dfd, &p) : path_at(dfd, path, flags, &p);
	if (r)
		return r;
	r = vfs_getattr(&p, ks);
	path_put(&p);
	return r;
}

static long stat_at(fd_t dfd, path_t path, uaddr_t buf, int flags)
{
	struct kstat ks;
	int r = getattr_at(dfd, path, flags, &ks);

	return r ? r : put_stat(buf, &ks);
}

long sys_newfstatat(fd_t dfd, path_t path, uaddr_t buf, int flags)
{
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_FORCE_SYNC |
		      AT_STATX_DONT_SYNC))
		return -EINVAL;
	return stat_at(dfd, path, buf, flags);
}

long sys_stat(path_t path, uaddr_t buf)
{
	return stat_at(AT_FDCWD, path, buf, 0);
}

long sys_lstat(path_t path, uaddr_t buf)
{
	return stat_at(AT_FDCWD, path, buf, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(fd_t fd, uaddr_t buf)
{
	struct kstat ks;
	int r = getattr_of_fd(fd, &ks);

	return r ? r : put_stat(buf, &ks);
}

static struct statx_timestamp statx_time(u64 ns)
{
	return (struct statx_timestamp){ .tv_sec = (s64)(ns / NSEC_PER_SEC),
					 .tv_nsec = (u32)(ns % NSEC_PER_SEC) };
}

static long put_statx(uaddr_t buf, const struct kstat *ks, uint mask)
{
	struct statx sx;

	memset(&sx, 0, sizeof(sx));
	sx.stx_mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID;
	sx.stx_blksize = ks->blksize;
	sx.stx_attributes = ks->attributes;
	sx.stx_attributes_mask = STATX_ATTR_MOUNT_ROOT;
	sx.stx_nlink = ks->nlink;
	sx.stx_uid = ks->uid;
	sx.stx_gid = ks->gid;
	sx.stx_mode = (u16)ks->mode;
	sx.stx_ino = ks->ino;
	sx.stx_size = ks->size;
	sx.stx_blocks = ks->blocks;
	sx.stx_atime = statx_time(ks->atime_ns);
	sx.stx_btime = statx_time(ks->btime_ns);
	sx.stx_ctime = statx_time(ks->ctime_ns);
	sx.stx_mtime = statx_time(ks->mtime_ns);
	sx.stx_rdev_major = dev_major(ks->rdev);
	sx.stx_rdev_minor = dev_minor(ks->rdev);
	sx.stx_dev_major = dev_major(ks->dev);
	sx.stx_dev_minor = dev_minor(ks->dev);
	sx.stx_mnt_id = ks->mnt_id;
	if (mask & STATX_MNT_ID_UNIQUE) {
		sx.stx_mask ^= STATX_MNT_ID | STATX_MNT_ID_UNIQUE;
		sx.stx_mnt_id = mount_unique_id(ks->mnt_id);
	}
	return put_user_obj(buf, &sx);
}

long sys_statx(fd_t dfd, path_t path, int flags, uint mask, uaddr_t buf)
{
	struct kstat ks;
	int r;

	if (mask & STATX__RESERVED)
		return -EINVAL;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_FORCE_SYNC |
		      AT_STATX_DONT_SYNC))
		return -EINVAL;
	if ((flags & (AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC)) ==
	    (AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC))
		return -EINVAL;
	r = getattr_at(dfd, path, flags, &ks);
	return r ? r : put_statx(buf, &ks, mask);
}

/* ---- access ---- */

/* The real ids instead of the effective ones, for the time of a look. */
static const struct creds *access_creds(void)
{
	struct creds *c = creds_prepare();

	if (!c)
		return ERR_PTR(-ENOMEM);
	c->fsuid = c->uid;
	c->fsgid = c->gid;
	if (!(c->securebits & SECURE_NO_SETUID_FIXUP))
		c->cap_effective = c->uid ? 0 : c->cap_permitted;
	return c;
}

static int check_access(const struct path *p, int mode)
{
	struct inode *i = d_inode(p->dentry);
	int r;

	if ((mode & X_OK) && S_ISREG(i->mode) && path_noexec(p))
		return -EACCES;
	r = mode ? inode_permission(i, (unsigned int)mode) : 0;
	if (!r && (mode & W_OK) && !S_ISCHR(i->mode) && !S_ISBLK(i->mode) && !S_ISFIFO(i->mode) &&
	    !S_ISSOCK(i->mode))
		r = mnt_want_write(p->mnt);
	return r;
}

long sys_faccessat2(fd_t dfd, path_t path, int mode, int flags)
{
	const struct creds *old = current->creds, *now = NULL;
	struct path p;
	int r;

	if ((mode & ~7) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	if (!(flags & AT_EACCESS) &&
	    (old->uid != old->fsuid || old->gid != old->fsgid || old->uid)) {
		now = access_creds();
		if (IS_ERR(now))
			return PTR_ERR(now);
		(void)creds_override(now);
	}
	r = path_at(dfd, path, flags, &p);
	if (!r) {
		r = check_access(&p, mode);
		path_put(&p);
	}
	if (now) {
		(void)creds_override(old);
		creds_put(now);
	}
	return r;
}

long sys_faccessat(fd_t dfd, path_t path, int mode)
{
	return sys_faccessat2(dfd, path, mode, 0);
}

long sys_access(path_t path, int mode)
{
	return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

/* ---- mode, owner, times ---- */

static long setattr_at(fd_t dfd, path_t path, int flags, struct iattr *attr)
{
	struct path p;
	int r = path_at(dfd, path, flags, &p);

	if (r)
		return r;
	if ((attr->valid & ATTR_MODE) && S_ISLNK(d_inode(p.dentry)->mode))
		r = -EOPNOTSUPP;
	else
		r = vfs_setattr(&p, attr);
	path_put(&p);
	return r;
}

static long setattr_fd(fd_t fd, struct iattr *attr)
{
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	r = vfs_setattr(&f.file->path, attr);
	fdput(f);
	return r;
}

long sys_fchmodat2(fd_t dfd, path_t path, mode_t mode, uint flags)
{
	struct iattr attr = { .valid = ATTR_MODE, .mode = mode };

	if (flags & ~(uint)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return setattr_at(dfd, path, (int)flags, &attr);
}

long sys_fchmodat(fd_t dfd, path_t path, mode_t mode)
{
	return sys_fchmodat2(dfd, path, mode, 0);
}

long sys_chmod(path_t path, mode_t mode)
{
	return sys_fchmodat2(AT_FDCWD, path, mode, 0);
}

long sys_fchmod(fd_t fd, mode_t mode)
{
	return setattr_fd(fd, &(struct iattr){ .valid = ATTR_MODE, .mode = mode });
}

/* An id of -1 leaves that one alone. */
static struct iattr owner_attr(uint uid, uint gid)
{
	return (struct iattr){ .valid = ATTR_CHOWN | (uid == ~0u ? 0 : ATTR_UID) |
					(gid == ~0u ? 0 : ATTR_GID),
			       .uid = uid,
			       .gid = gid };
}

long sys_fchownat(fd_t dfd, path_t path, uint uid, uint gid, int flags)
{
	struct iattr attr = owner_attr(uid, gid);

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return setattr_at(dfd, path, flags, &attr);
}

long sys_chown(path_t path, uint uid, uint gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long sys_lchown(path_t path, uint uid, uint gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(fd_t fd, uint uid, uint gid)
{
	struct iattr attr = owner_attr(uid, gid);

	return setattr_fd(fd, &attr);
}

/* Setting exact times is the owner's; "now" is for whoever may write. */
static int check_times(const struct path *p, bool now)
{
	struct inode *i = d_inode(p->dentry);

	if (inode_owner_or_capable(i))
		return 0;
	return now ? inode_permission(i, MAY_WRITE) : -EPERM;
}

static int times_attr(const struct timespec64 t[2], struct iattr *attr)
{
	static const unsigned int bits[] = { ATTR_ATIME, ATTR_MTIME };
	u64 *slots[] = { &attr->atime_ns, &attr->mtime_ns };

	attr->valid = 0;
	for (int i = 0; i < 2; i++) {
		if (t[i].tv_nsec == UTIME_OMIT)
			continue;
		attr->valid |= bits[i];
		if (t[i].tv_nsec == UTIME_NOW) {
			*slots[i] = inode_now();
			continue;
		}
		if (t[i].tv_nsec < 0 || t[i].tv_nsec >= (s64)NSEC_PER_SEC)
			return -EINVAL;
		*slots[i] =
			t[i].tv_sec < 0 ? 0 : (u64)t[i].tv_sec * NSEC_PER_SEC + (u64)t[i].tv_nsec;
	}
	return 0;
}

/* The path of a descriptor that is more than a path. */
static int path_of_open(fd_t fd, int flags, struct path *out)
{
	struct fd f;

	if (flags)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	*out = f.file->path;
	path_get(out);
	fdput(f);
	return 0;
}

/* @t NULL: both now. @path 0: the descriptor itself. */
static long set_times(fd_t dfd, path_t path, const struct timespec64 *t, int flags)
{
	static const struct timespec64 both_now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	struct iattr attr;
	struct path p;
	bool now;
	int r;

	if (!t)
		t = both_now;
	now = t[0].tv_nsec == UTIME_NOW && t[1].tv_nsec == UTIME_NOW;
	r = times_attr(t, &attr);
	if (r)
		return r;
	r = !path && dfd != AT_FDCWD ? path_of_open(dfd, flags, &p) : path_at(dfd, path, flags, &p);
	if (r)
		return r;
	if (attr.valid)
		r = check_times(&p, now);
	if (!r && attr.valid)
		r = vfs_setattr(&p, &attr);
	path_put(&p);
	return r;
}

long sys_utimensat(fd_t dfd, path_t path, uaddr_t utimes, int flags)
{
	struct timespec64 t[2];

	if (utimes && get_user_obj(&t, utimes))
		return -EFAULT;
	/* Nothing to do: nothing else is looked at, as on Linux. */
	if (utimes && t[0].tv_nsec == UTIME_OMIT && t[1].tv_nsec == UTIME_OMIT)
		return 0;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return set_times(dfd, path, utimes ? t : NULL, flags);
}

long sys_futimesat(fd_t dfd, path_t path, uaddr_t utv)
{
	struct timespec64 t[2];

	if (utv && get_user_obj(&t, utv))
		return -EFAULT;
	for (int i = 0; utv && i < 2; i++) {
		if (t[i].tv_nsec < 0 || t[i].tv_nsec >= 1000000)
			return -EINVAL;
		t[i].tv_nsec *= 1000;
	}
	return set_times(dfd, path, utv ? t : NULL, 0);
}

long sys_utimes(path_t path, uaddr_t utv)
{
	return sys_futimesat(AT_FDCWD, path, utv);
}

long sys_utime(path_t path, uaddr_t ubuf)
{
	struct timespec64 t[2] = { { 0, 0 }, { 0, 0 } };
	s64 sec[2];

	if (ubuf) {
		if (get_user_obj(&sec, ubuf))
			return -EFAULT;
		t[0].tv_sec = sec[0];
		t[1].tv_sec = sec[1];
	}
	return set_times(AT_FDCWD, path, ubuf ? t : NULL, 0);
}

/* ---- size ---- */

long sys_truncate(path_t path, loff_t size)
{
	struct path p;
	long r;

	if (size < 0)
		return -EINVAL;
	r = path_at(AT_FDCWD, path, 0, &p);
	if (r)
		return r;
	r = S_ISDIR(d_inode(p.dentry)->mode) ? -EISDIR
					     : inode_permission(d_inode(p.dentry), MAY_WRITE);
	if (!r && READ_ONCE(d_inode(p.dentry)->write_denied) < 0)
		r = -ETXTBSY;
	if (!r)
		r = vfs_truncate(&p, (u64)size);
	path_put(&p);
	return r;
}

long sys_ftruncate(fd_t fd, loff_t size)
{
	struct fd f;
	long r;

	if (size < 0)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	r = file_truncate(f.file, (u64)size);
	fdput(f);
	return r;
}

long sys_fallocate(fd_t fd, int mode, loff_t off, loff_t len)
{
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	if (off < 0 || len <= 0)
		r = -EINVAL;
	else if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
		r = -EOPNOTSUPP;
	else if (!(f.file->mode & FMODE_WRITE))
		r = -EBADF;
	else if (S_ISFIFO(f.file->inode->mode))
		r = -ESPIPE;
	else if (S_ISDIR(f.file->inode->mode))
		r = -EISDIR;
	else if (!S_ISREG(f.file->inode->mode))
		r = -ENODEV;
	else if ((u64)off + (u64)len > f.file->inode->sb->max_bytes)
		r = -EFBIG;
	else
		r = f.file->ops->fallocate ? f.file->ops->fallocate(f.file, mode, off, len)
					   : -EOPNOTSUPP;
	if (!r)
		fsnotify_file(f.file, IN_MODIFY);
	fdput(f);
	return r;
}

/* ---- statfs ---- */

static long put_statfs(const struct path *p, uaddr_t buf)
{
	static const struct {
		u32 ms, st;
	} map[] = { { MS_RDONLY, ST_RDONLY },	  { MS_NOSUID, ST_NOSUID },
		    { MS_NODEV, ST_NODEV },	  { MS_NOEXEC, ST_NOEXEC },
		    { MS_NOATIME, ST_NOATIME },	  { MS_NODIRATIME, ST_NODIRATIME },
		    { MS_RELATIME, ST_RELATIME }, { MS_NOSYMFOLLOW, ST_NOSYMFOLLOW } };
	struct super *sb = p->dentry->sb;
	struct statfs st;
	int r;

	memset(&st, 0, sizeof(st));
	st.f_type = (s64)sb->magic;
	st.f_bsize = st.f_frsize = PAGE_SIZE;
	st.f_namelen = 255;
	st.f_fsid[0] = (s32)sb->dev;
	st.f_flags = ST_VALID | (sb->flags & MS_SYNCHRONOUS ? ST_SYNCHRONOUS : 0);
	for (size_t i = 0; p->mnt && i < ARRAY_SIZE(map); i++)
		if (p->mnt->flags & map[i].ms)
			st.f_flags |= map[i].st;
	r = sb->ops && sb->ops->statfs ? sb->ops->statfs(sb, &st) : 0;
	return r ? r : put_user_obj(buf, &st);
}

long sys_statfs(path_t path, uaddr_t buf)
{
	struct path p;
	long r = path_at(AT_FDCWD, path, 0, &p);

	if (r)
		return r;
	r = put_statfs(&p, buf);
	path_put(&p);
	return r;
}

long sys_fstatfs(fd_t fd, uaddr_t buf)
{
	struct fd f = fdget_raw(fd);
	long r;

	if (!f.file)
		return -EBADF;
	r = put_statfs(&f.file->path, buf);
	fdput(f);
	return r;
}

/* ---- directories ---- */

struct getdents {
	struct dir_ctx ctx;
	uaddr_t buf;
	size_t room, used;
	bool old; /* struct linux_dirent */
	int error;
};

static bool emit_dirent(struct dir_ctx *ctx, const char *name, size_t len, u64 ino,
			unsigned int type, s64 next)
{
	struct getdents *g = container_of(ctx, struct getdents, ctx);
	size_t head = g->old ? offsetof(struct linux_dirent, d_name)
			     : offsetof(struct linux_dirent64, d_name);
	size_t reclen = ALIGN_UP(head + len + 1 + g->old, 8);
	u8 rec[ALIGN_UP(sizeof(struct linux_dirent64) + 258, 8)];

	if (reclen > g->room - g->used) {
		g->error = g->used ? 0 : -EINVAL;
		return false;
	}
	memset(rec, 0, reclen);
	if (g->old) {
		*(struct linux_dirent *)rec = (struct linux_dirent){ ino, (u64)next, (u16)reclen };
		rec[reclen - 1] = (u8)type;
	} else {
		*(struct linux_dirent64 *)rec =
			(struct linux_dirent64){ ino, next, (u16)reclen, (u8)type };
	}
	memcpy(rec + head, name, len);
	rec[head + len] = '\0';
	if (copy_to_user(g->buf + g->used, rec, reclen)) {
		g->error = -EFAULT;
		return false;
	}
	g->used += reclen;
	return true;
}

static long getdents(fd_t fd, uaddr_t buf, uint count, bool old)
{
	struct getdents g = { .ctx.emit = emit_dirent, .buf = buf, .room = count, .old = old };
	struct fd fd_ref = fdget(fd);
	struct file *f = fd_ref.file;
	long r;

	if (!f)
		return -EBADF;
	if (!f->ops->iterate) {
		fdput(fd_ref);
		return -ENOTDIR;
	}
	r = fsnotify_perm(f, FAN_ACCESS_PERM);
	if (r) {
		fdput(fd_ref);
		return r;
	}
	mutex_lock(&f->pos_lock);
	g.ctx.pos = f->pos;
	rwsem_down_read(&f->inode->lock);
	r = f->inode->nlink ? f->ops->iterate(f, &g.ctx) : -ENOENT;
	rwsem_up_read(&f->inode->lock);
	f->pos = g.ctx.pos;
	mutex_unlock(&f->pos_lock);
	if (!r) {
		file_accessed(f);
		fsnotify_file(f, IN_ACCESS);
	}
	fdput(fd_ref);
	if (g.used)
		return (long)g.used;
	return r ? r : g.error;
}

long sys_getdents64(fd_t fd, uaddr_t buf, uint count)
{
	return getdents(fd, buf, count, false);
}

long sys_getdents(fd_t fd, uaddr_t buf, uint count)
{
	return getdents(fd, buf, count, true);
}

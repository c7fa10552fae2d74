/* SPDX-License-Identifier: MIT */
/* fanotify_init(2), fanotify_mark(2): which flags go together, for whom, and where a mark may be. */
#include <fs/fanotify.h>
#include <fs/internal.h>
#include <syscall/internal.h>
#include <syscall/proto.h>
#include <uapi/capability.h>

#define EVENT_FILE_FLAGS                                                                           \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | __O_SYNC | O_DSYNC | O_CLOEXEC | O_LARGEFILE | O_NOATIME)

static int check_init(u32 flags, u32 event_flags)
{
	u32 fids = flags & FAN_FID_BITS, class = flags & FAN_CLASS_BITS;

	if (!capable(CAP_SYS_ADMIN) && ((flags & FAN_ADMIN_INIT_FLAGS) || !fids))
		return -EPERM;
	if (flags & ~FAN_INIT_FLAGS)
		return -EINVAL;
	if ((flags & FAN_REPORT_PIDFD) && (flags & FAN_REPORT_TID))
		return -EINVAL;
	if ((event_flags & ~EVENT_FILE_FLAGS) || (event_flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	if (class == FAN_CLASS_BITS || (fids && class))
		return -EINVAL;
	if ((fids & FAN_REPORT_NAME) && !(fids & FAN_REPORT_DIR_FID))
		return -EINVAL;
	if ((fids & FAN_REPORT_TARGET_FID) &&
	    (!(fids & FAN_REPORT_NAME) || !(fids & FAN_REPORT_FID)))
		return -EINVAL;
	return 0;
}

long sys_fanotify_init(uint flags, uint event_flags)
{
	int r = check_init(flags, event_flags);
	struct file *f;
	long fd;

	if (r)
		return r;
	f = fanotify_create(flags, event_flags, !capable(CAP_SYS_ADMIN));
	if (IS_ERR(f))
		return PTR_ERR(f);
	fd = fd_alloc_install(f, 0, flags & FAN_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* ---- marks ---- */

static int check_mark(u32 flags, u64 mask)
{
	u32 cmd = flags & FAN_MARK_CMD_BITS;

	if (mask >> 32 || (flags & ~FAN_MARK_ALL_BITS) ||
	    (flags & FAN_MARK_TYPE_BITS) == FAN_MARK_TYPE_BITS)
		return -EINVAL;
	if (cmd == FAN_MARK_FLUSH) {
		if (flags & ~(FAN_MARK_TYPE_BITS | FAN_MARK_FLUSH))
			return -EINVAL;
	} else if ((cmd != FAN_MARK_ADD && cmd != FAN_MARK_REMOVE) || !mask) {
		return -EINVAL;
	}
	if (mask & ~(u64)(FAN_ALL_EVENTS | FAN_EVENT_FLAGS))
		return -EINVAL;
	return (flags & FAN_MARK_IGNORE_BITS) == FAN_MARK_IGNORE_BITS ? -EINVAL : 0;
}

/* May a mark like this be of this group? */
static int check_group(const struct fan_group *g, u32 flags, u32 mask)
{
	u32 type = flags & FAN_MARK_TYPE_BITS, fids = g->flags & FAN_FID_BITS;

	if (type && (!capable(CAP_SYS_ADMIN) || g->unprivileged))
		return -EPERM;
	if ((mask & FAN_PERM_EVENTS) && !(g->flags & FAN_CLASS_BITS))
		return -EINVAL;
	if ((mask & FAN_FS_ERROR) && type != FAN_MARK_FILESYSTEM)
		return -EINVAL;
	if ((flags & FAN_MARK_EVICTABLE) && type)
		return -EINVAL;
	if ((mask & ~(FAN_PATH_EVENTS | FAN_PERM_EVENTS | FAN_EVENT_FLAGS)) &&
	    (!fids || type == FAN_MARK_MOUNT))
		return -EINVAL;
	return (mask & FAN_RENAME) && !(fids & FAN_REPORT_NAME) ? -EINVAL : 0;
}

static int find_path(fd_t dfd, uaddr_t upath, u32 flags, struct path *p)
{
	unsigned int lookup = (flags & FAN_MARK_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) |
			      (flags & FAN_MARK_ONLYDIR ? LOOKUP_DIRECTORY : 0);
	char *name;
	struct fd f;
	int r = 0;

	if (upath) {
		name = getname(upath);
		if (IS_ERR(name))
			return (int)PTR_ERR(name);
		r = path_lookup(dfd, name, lookup, p);
		putname(name);
	} else {
		f = fdget(dfd);
		if (!f.file)
			return -EBADF;
		*p = f.file->path;
		if ((flags & FAN_MARK_ONLYDIR) && !S_ISDIR(f.file->inode->mode))
			r = -ENOTDIR;
		else if (!p->mnt) /* pipes and their like have no place to report */
			r = -EINVAL;
		else
			path_get(p);
		fdput(f);
	}
	if (r)
		return r;
	r = inode_permission(d_inode(p->dentry), MAY_READ);
	if (r)
		path_put(p);
	return r;
}

/* May there be a mark like this on this? */
static int check_place(const struct fan_group *g, const struct path *p, u32 flags, u32 mask)
{
	bool dir = S_ISDIR(d_inode(p->dentry)->mode), adding = flags & FAN_MARK_ADD;
	const struct super_ops *ops = p->dentry->sb->ops;
	u32 type = flags & FAN_MARK_TYPE_BITS;

	/* procfs opens files with locks held on Linux. */
	if (adding && (mask & FAN_PERM_EVENTS) && p->dentry->sb->magic == PROC_SUPER_MAGIC)
		return -EINVAL;
	if (adding && !type && !dir &&
	    (mask & (FAN_DIRENT_EVENTS | FAN_EVENT_ON_CHILD | FAN_ONDIR)) &&
	    ((g->flags & FAN_REPORT_TARGET_FID) || (mask & FAN_RENAME) ||
	     (flags & FAN_MARK_IGNORE)))
		return -ENOTDIR;
	/* Who hears of a whole file system must be able to find what he is told. */
	if ((g->flags & FAN_FID_BITS) && type && !(ops && ops->open_handle))
		return -EOPNOTSUPP;
	if (adding && (flags & FAN_MARK_IGNORE) && (type || dir) &&
	    !(flags & FAN_MARK_IGNORED_SURV_MODIFY))
		return type ? -EINVAL : -EISDIR;
	return 0;
}

static long change_mark(struct fan_group *g, const struct path *p, u32 flags, u32 mask)
{
	bool dir = S_ISDIR(d_inode(p->dentry)->mode) && !(flags & FAN_MARK_TYPE_BITS);
	bool ignore = flags & FAN_MARK_IGNORE_BITS;
	u32 umask = 0;

	/* What has no effect in the old kind of ignore mask. */
	if (flags & FAN_MARK_IGNORED_MASK) {
		mask &= ~FAN_EVENT_FLAGS;
		umask = FAN_EVENT_FLAGS;
	}
	if (!dir) {
		mask &= ~FAN_EVENT_ON_CHILD;
		umask = FAN_EVENT_ON_CHILD;
		if ((g->flags & FAN_REPORT_DIR_FID) && (flags & FAN_MARK_ADD) && !ignore)
			mask |= FAN_EVENT_ON_CHILD;
	}
	return flags & FAN_MARK_ADD ? fanotify_add(g, p, mask, flags)
				    : fanotify_remove(g, p, mask, flags, umask);
}

static long mark_group(struct fan_group *g, u32 flags, u32 mask, fd_t dfd, uaddr_t upath)
{
	struct path p;
	long r;

	if (flags & FAN_MARK_IGNORED_MASK)
		mask &= ~FAN_EVENT_FLAGS;
	r = check_group(g, flags, mask);
	if (r)
		return r;
	if (flags & FAN_MARK_FLUSH) {
		fanotify_flush(g, flags);
		return 0;
	}
	r = find_path(dfd, upath, flags, &p);
	if (r)
		return r;
	r = check_place(g, &p, flags, mask);
	if (!r)
		r = change_mark(g, &p, flags, mask);
	path_put(&p);
	return r;
}

long sys_fanotify_mark(fd_t fd, uint flags, ulong mask, fd_t dfd, path_t upath)
{
	struct fan_group *g;
	struct fd f;
	long r = check_mark(flags, mask);

	if (r)
		return r;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	g = fanotify_group(f.file);
	r = g ? mark_group(g, flags, (u32)mask, dfd, upath) : -EINVAL;
	fdput(f);
	return r;
}

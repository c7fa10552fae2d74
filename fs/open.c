/* SPDX-License-Identifier: MIT */
/*
 * Opening files.
 *
 * file_open_how() is openat2: it checks the flags, walks to the last component, creates it if asked, checks the rights and
 * makes a struct file of it. file_open() is openat for the kernel, file_open_path() opens what is already resolved,
 * file_open_exec() opens a program and keeps writers out until
 * file_exec_done().
 *
 * Locking: creation holds the directory's lock from the look-up to the new inode, so that O_EXCL means what it says.
 * inode->write_denied counts writers (positive) or programs being run (negative), by compare and exchange.
 * Source: open(2), openat2(2).
 */
#include <fs/internal.h>
#include <fs/lease.h>
#include <fs/tmpfs/tmpfs.h>
#include <uapi/capability.h>

#define VALID_OPEN_FLAGS                                                                                              \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | FASYNC | O_DIRECT |    \
	 O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | __O_SYNC | O_PATH | __O_TMPFILE)
#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define RESOLVE_ALL                                                                                                   \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT |          \
	 RESOLVE_CACHED)

static const struct file_ops path_only_ops;

/* ---- writers against programs ---- */

static int writers_add(struct inode *inode)
{
	s32 old = READ_ONCE(inode->write_denied);

	do {
		if (old < 0)
			return -ETXTBSY;
	} while (!try_cmpxchg(&inode->write_denied, &old, old + 1));
	return 0;
}

static int writers_deny(struct inode *inode)
{
	s32 old = READ_ONCE(inode->write_denied);

	do {
		if (old > 0)
			return -ETXTBSY;
	} while (!try_cmpxchg(&inode->write_denied, &old, old - 1));
	return 0;
}

/* ---- from a path to a file ---- */

static unsigned int open_rights(int flags)
{
	static const unsigned int rights[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
					       MAY_READ | MAY_WRITE };

	return rights[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/* May current open this, this way? */
static int may_open(const struct path *p, int flags, unsigned int may)
{
	struct inode *inode = d_inode(p->dentry);
	int r;

	if (S_ISLNK(inode->mode))
		return -ELOOP;
	if (S_ISDIR(inode->mode) && (may & MAY_WRITE))
		return -EISDIR;
	if (S_ISDIR(inode->mode) && (may & MAY_EXEC))
		return -EACCES;
	if (p->mnt && (S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) && (p->mnt->flags & MS_NODEV))
		return -EACCES;
	if ((may & MAY_EXEC) && path_noexec(p))
		return -EACCES;
	if ((may & MAY_WRITE) && (S_ISREG(inode->mode) || S_ISDIR(inode->mode))) {
		r = mnt_want_write(p->mnt);
		if (r)
			return r;
	}
	r = may ? inode_permission(inode, may) : 0;
	if (r)
		return r;
	if ((flags & O_NOATIME) && !inode_owner_or_capable(inode))
		return -EPERM;
	return 0;
}

static u32 open_mode(int flags)
{
	static const u32 modes[] = { FMODE_READ, FMODE_WRITE, FMODE_READ | FMODE_WRITE, 0 };

	return modes[flags & O_ACCMODE] | FMODE_LSEEK | FMODE_PREAD;
}

struct file *file_open_path_only(const struct path *p, int flags, const struct file_ops *ops)
{
	struct file *f = file_alloc(ops, flags & PATH_FLAGS & ~O_CLOEXEC, FMODE_PATH);

	if (IS_ERR(f))
		return f;
	f->path = *p;
	path_get(p);
	f->inode = d_inode(p->dentry);
	return f;
}

static struct file *open_path_only(const struct path *p, int flags)
{
	return file_open_path_only(p, flags, &path_only_ops);
}

bool file_can_direct(const struct file *f)
{
	return S_ISREG(f->inode->mode) && inode_is_tmpfs(f->inode);
}

/* Make the file; rights are checked. @p: references stay the caller's. */
static struct file *open_finish(const struct path *p, int flags, u32 extra_mode)
{
	struct inode *inode = d_inode(p->dentry);
	struct file *f = file_alloc(inode->fops, flags & ~(O_CREAT | O_TRUNC | O_CLOEXEC),
				    open_mode(flags) | extra_mode);
	int r = 0;

	if (IS_ERR(f))
		return f;
	f->path = *p;
	path_get(p);
	f->inode = inode;
	if ((f->mode & FMODE_WRITE) && S_ISREG(inode->mode)) {
		r = writers_add(inode);
		if (!r) {
			f->mode |= FMODE_WRITER;
			atomic_inc(&inode->sb->writers);
			if (p->mnt)
				atomic_inc(&p->mnt->writers);
		}
	}
	if (!r && !f->ops)
		r = -ENXIO;
	if (!r && (f->mode & FMODE_EXEC))
		r = fsnotify_perm(f, FAN_OPEN_EXEC_PERM);
	if (!r)
		r = fsnotify_perm(f, FAN_OPEN_PERM);
	if (!r && f->ops->open)
		r = f->ops->open(inode, f);
	if (!r && (flags & O_DIRECT) && !file_can_direct(f))
		r = -EINVAL;
	if (r) {
		file_put(f);
		return ERR_PTR(r);
	}
	f->mode |= FMODE_OPENED;
	f->flags &= ~(O_NOCTTY | O_EXCL); /* open() has seen them */
	fsnotify_file(f, f->mode & FMODE_EXEC ? FAN_OPEN | FAN_OPEN_EXEC : FAN_OPEN);
	return f;
}

/* The last steps of every open of an existing object: rights, truncation, file. */
static struct file *open_existing(const struct path *p, int flags, unsigned int may)
{
	struct inode *inode = d_inode(p->dentry);
	struct file *f;
	int r;

	if (flags & O_PATH) {
		if ((flags & O_DIRECTORY) && !S_ISDIR(inode->mode))
			return ERR_PTR(-ENOTDIR);
		return open_path_only(p, flags);
	}
	if ((flags & O_DIRECTORY) && !S_ISDIR(inode->mode))
		return ERR_PTR(-ENOTDIR);
	r = may_open(p, flags, may);
	if (!r)
		r = lease_break(inode, may & MAY_WRITE, flags & O_NONBLOCK);
	if (r)
		return ERR_PTR(r);
	f = open_finish(p, flags, 0);
	if (!IS_ERR(f) && (flags & O_TRUNC) && S_ISREG(inode->mode)) {
		r = vfs_truncate(p, 0);
		if (r) {
			file_put(f);
			return ERR_PTR(r);
		}
	}
	return f;
}

struct file *file_open_unnoticed(const struct path *p, int flags)
{
	int r = (flags & O_ACCMODE) == O_RDONLY ? 0 : mnt_want_write(p->mnt);

	return r ? ERR_PTR(r) : open_finish(p, flags, FMODE_NONOTIFY);
}

struct file *file_open_path(const struct path *p, int flags)
{
	return open_existing(p, flags, open_rights(flags));
}

/* ---- O_CREAT ---- */

/*
 * The last component under its directory's lock: create it, or say what is there. Returns 1: created, *out is it; 0: it
 * exists, open by path; or -Exxx.
 */
static int create_last(const struct path *parent, const struct filename_last *last, int flags,
		       u32 mode, struct path *out)
{
	struct inode *dir = d_inode(parent->dentry);
	struct dentry *d;
	int r = 0;

	rwsem_down_write(&dir->lock);
	d = lookup_one(parent->dentry, last->name, last->len);
	if (IS_ERR(d)) {
		r = (int)PTR_ERR(d);
		goto unlock;
	}
	if (d_inode(d)) {
		if (flags & O_EXCL)
			r = -EEXIST;
		goto drop;
	}
	r = mnt_want_write(parent->mnt);
	if (!r)
		r = may_create(dir);
	if (!r)
		r = dir->ops->create
			    ? dir->ops->create(dir, d, (mode & ~current->fs->umask) | S_IFREG)
			    : -EACCES;
	if (!r) {
		fsnotify_name(parent->dentry, d, d->name, IN_CREATE, 0);
		*out = (struct path){ mnt_get(parent->mnt), d };
		rwsem_up_write(&dir->lock);
		return 1;
	}
drop:
	dput(d);
unlock:
	rwsem_up_write(&dir->lock);
	return r;
}

/* In a sticky directory others may write to, root does not fall for a planted file (fs.protected_regular=0: allowed). */
static struct file *open_created(const struct path *p, int flags)
{
	int r = mnt_want_write(p->mnt);

	if (r)
		return ERR_PTR(r);
	return open_finish(p, flags, FMODE_CREATED);
}

/* The text of the symlink at the last component, for the next round; NULL: it is none. */
static char *last_link_text(const struct path *parent, const struct filename_last *last)
{
	struct dentry *d = d_lookup(parent->dentry, last->name, last->len);
	struct path jump = { NULL, NULL };
	struct inode *inode;
	char *text = NULL;
	ssize_t n;

	if (!d)
		return NULL;
	inode = d_inode(d);
	if (inode && S_ISLNK(inode->mode) && (text = name_alloc()) != NULL) {
		n = inode->ops->readlink(inode, text, 4096, &jump);
		if (n <= 0) {
			if (jump.dentry)
				path_put(&jump);
			name_free(text);
			text = NULL;
		}
	}
	dput(d);
	return text;
}

/* One round of O_CREAT: 1: *f is the result; 0: a dangling or live link, *text is to be resolved relative to *parent. */
static int create_round(int dfd, const char *name, const struct open_how *how, unsigned int lookup,
			struct path *parent, char **text, struct file **f)
{
	int flags = (int)how->flags;
	struct filename_last last;
	struct path p;
	int r = path_parent(dfd, name, lookup & ~LOOKUP_FOLLOW, parent, &last);

	*text = NULL;
	if (r) {
		*f = ERR_PTR(r);
		parent->dentry = NULL;
		return 1;
	}
	if (last.type != LAST_NORM || last.is_dir_syntax) {
		*f = ERR_PTR(last.type != LAST_NORM && (flags & O_EXCL) ? -EEXIST : -EISDIR);
		return 1;
	}
	r = create_last(parent, &last, flags, (u32)how->mode, &p);
	if (r == 1) {
		*f = open_created(&p, flags);
		path_put(&p);
		return 1;
	}
	if (r == 0 && (lookup & LOOKUP_FOLLOW)) {
		*text = last_link_text(parent, &last);
		if (*text)
			return 0;
	}
	if (r == 0)
		r = path_lookup(dfd, name, lookup, &p);
	if (r) {
		*f = ERR_PTR(r);
		return 1;
	}
	*f = S_ISDIR(d_inode(p.dentry)->mode) ? ERR_PTR(-EISDIR)
					      : open_existing(&p, flags, open_rights(flags));
	path_put(&p);
	return 1;
}

/*
 * Inside a root of its own (RESOLVE_IN_ROOT, RESOLVE_BENEATH) the walk begins anew at that root: @name up to the link, then the link's @text.
 * Takes over @text. ERR_PTR(-EXDEV, -ENAMETOOLONG, -ENOMEM).
 */
static char *rebase_link(const char *name, char *text, unsigned int lookup)
{
	const char *slash = strrchr(name, '/');
	size_t dir = slash ? (size_t)(slash - name) + 1 : 0, len = strlen(text);
	char *whole;
	int r = -EXDEV;

	if (text[0] == '/' && (lookup & LOOKUP_BENEATH))
		goto fail;
	if (text[0] == '/')
		return text;
	r = -ENAMETOOLONG;
	if (dir + len >= PATH_MAX)
		goto fail;
	r = -ENOMEM;
	whole = name_alloc();
	if (!whole)
		goto fail;
	memcpy(whole, name, dir);
	memcpy(whole + dir, text, len + 1);
	name_free(text);
	return whole;
fail:
	name_free(text);
	return ERR_PTR(r);
}

/*
 * Open with O_CREAT. A symlink at the end is followed by hand, because its target may have to be created; relative targets
 * are resolved from the directory that holds the link, which a temporary O_PATH descriptor stands for.
 */
static struct file *open_create(int dfd, const char *name, const struct open_how *how,
				unsigned int lookup)
{
	char *text = NULL, *prev = NULL;
	struct path parent;
	struct file *f = ERR_PTR(-ELOOP);
	int at = dfd;

	for (int links = 0; links < 40; links++) {
		struct file *dir;
		bool done = create_round(at, prev ? prev : name, how, lookup, &parent, &text, &f);

		if (at != dfd)
			fd_close(at);
		at = dfd;
		if (!done && (lookup & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)))
			text = rebase_link(prev ? prev : name, text, lookup);
		if (prev)
			name_free(prev);
		prev = text;
		if (done) {
			if (parent.dentry)
				path_put(&parent);
			return f;
		}
		f = ERR_PTR(-ELOOP);
		if (lookup & (LOOKUP_NO_SYMLINKS | LOOKUP_BENEATH | LOOKUP_IN_ROOT)) {
			path_put(&parent);
			if (IS_ERR(text)) {
				f = ERR_CAST(text);
				prev = NULL;
				break;
			}
			if (lookup & LOOKUP_NO_SYMLINKS)
				break;
			continue;
		}
		dir = open_path_only(&parent, O_PATH);
		path_put(&parent);
		at = IS_ERR(dir) ? (int)PTR_ERR(dir) : fd_alloc_install(dir, 0, true);
		if (at < 0) {
			if (!IS_ERR(dir))
				file_put(dir);
			f = ERR_PTR(at);
			at = dfd;
			break;
		}
	}
	if (at != dfd)
		fd_close(at);
	if (prev)
		name_free(prev);
	return f;
}

/* ---- O_TMPFILE ---- */

static struct file *open_tmpfile(int dfd, const char *name, const struct open_how *how,
				 unsigned int lookup)
{
	struct inode *dir, *inode;
	struct path p, tmp;
	struct file *f;
	int r = path_lookup(dfd, name, lookup | LOOKUP_DIRECTORY, &p);

	if (r)
		return ERR_PTR(r);
	dir = d_inode(p.dentry);
	r = mnt_want_write(p.mnt);
	if (!r)
		r = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (!r)
		r = dir->ops->tmpfile
			    ? dir->ops->tmpfile(dir, &inode,
						((u32)how->mode & ~current->fs->umask) | S_IFREG)
			    : -EOPNOTSUPP;
	f = ERR_PTR(r);
	if (!r) {
		char text[24];
		int len = snprintf(text, sizeof(text), "#%llu", inode->ino);

		tmp = (struct path){ p.mnt, d_alloc(p.dentry->sb, p.dentry, text, (size_t)len) };
		if (tmp.dentry) {
			d_instantiate(tmp.dentry, inode);
			inode->linkable = !(how->flags & O_EXCL);
			f = open_finish(&tmp, (int)how->flags, 0);
			dput(tmp.dentry);
		} else {
			inode_put(inode);
			f = ERR_PTR(-ENOMEM);
		}
	}
	path_put(&p);
	return f;
}

/* ---- checks of the request ---- */

static int check_how(const struct open_how *how)
{
	u64 flags = how->flags;

	if ((flags & ~(u64)VALID_OPEN_FLAGS) || (how->resolve & ~(u64)RESOLVE_ALL))
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (flags & (O_CREAT | __O_TMPFILE)) {
		if (how->mode & ~(u64)S_IALLUGO)
			return -EINVAL;
	} else if (how->mode) {
		return -EINVAL;
	}
	if (flags & __O_TMPFILE) {
		if ((flags & O_TMPFILE) != O_TMPFILE || (flags & O_CREAT) ||
		    (flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
	}
	if ((flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
		return -EINVAL;
	if ((flags & O_PATH) && (flags & ~(u64)PATH_FLAGS))
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED) && (flags & (O_TRUNC | O_CREAT | __O_TMPFILE)))
		return -EAGAIN;
	return 0;
}

static unsigned int lookup_flags(const struct open_how *how)
{
	unsigned int l = 0;

	if (!(how->flags & O_NOFOLLOW) && (how->flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
		l |= LOOKUP_FOLLOW;
	if (how->flags & O_DIRECTORY)
		l |= LOOKUP_DIRECTORY;
	if (how->resolve & RESOLVE_NO_XDEV)
		l |= LOOKUP_NO_XDEV;
	if (how->resolve & RESOLVE_NO_MAGICLINKS)
		l |= LOOKUP_NO_MAGICLINKS;
	if (how->resolve & RESOLVE_NO_SYMLINKS)
		l |= LOOKUP_NO_SYMLINKS;
	if (how->resolve & RESOLVE_BENEATH)
		l |= LOOKUP_BENEATH;
	if (how->resolve & RESOLVE_IN_ROOT)
		l |= LOOKUP_IN_ROOT;
	return l;
}

struct file *file_open_how(int dfd, const char *name, const struct open_how *how)
{
	unsigned int lookup = lookup_flags(how);
	struct path p;
	struct file *f;
	int r = check_how(how);

	if (r)
		return ERR_PTR(r);
	if (how->flags & __O_TMPFILE)
		return open_tmpfile(dfd, name, how, lookup);
	if (how->flags & O_CREAT)
		return open_create(dfd, name, how, lookup);
	/* O_PATH|O_NOFOLLOW may name a symlink; O_DIRECTORY then still says ENOTDIR. */
	r = path_lookup(dfd, name, lookup, &p);
	if (r)
		return ERR_PTR(r);
	f = open_existing(&p, (int)how->flags, open_rights((int)how->flags));
	path_put(&p);
	return f;
}

struct file *file_open(int dfd, const char *name, int flags, u32 mode)
{
	struct open_how how = { .flags = (u64)(u32)flags & VALID_OPEN_FLAGS };

	/* openat(2), other than openat2(2), ignores what it does not know and what O_PATH makes meaningless. */
	if (how.flags & O_PATH)
		how.flags &= PATH_FLAGS;
	if (how.flags & (O_CREAT | __O_TMPFILE))
		how.mode = mode & S_IALLUGO;
	if ((how.flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
		return ERR_PTR(-EINVAL);
	return file_open_how(dfd, name, &how);
}

/* ---- programs ---- */

struct file *file_open_exec(int dfd, const char *name, int at_flags)
{
	unsigned int lookup = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct inode *inode;
	struct file *f;
	struct path p;
	int r;

	if (at_flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	r = path_lookup(dfd, name, lookup, &p);
	if (r)
		return ERR_PTR(r);
	inode = d_inode(p.dentry);
	r = may_open(&p, 0, MAY_EXEC);
	if (!r && !S_ISREG(inode->mode))
		r = -EACCES;
	if (!r)
		r = writers_deny(inode);
	if (r) {
		path_put(&p);
		return ERR_PTR(r);
	}
	f = open_finish(&p, O_RDONLY, FMODE_EXEC);
	if (IS_ERR(f))
		__atomic_fetch_add(&inode->write_denied, 1, __ATOMIC_ACQ_REL);
	path_put(&p);
	return f;
}

void file_exec_done(struct file *f)
{
	__atomic_fetch_add(&f->inode->write_denied, 1, __ATOMIC_ACQ_REL);
}

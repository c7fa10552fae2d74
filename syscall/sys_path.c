/* SPDX-License-Identifier: MIT */
/*
 * Calls that take path names: opening, making, removing, directories of the process, mounting.
 * Source: the man page of each.
 */
#include <fs/internal.h>
#include <syscall/proto.h>
#include <uapi/capability.h>

/* Open and install. @how is checked by file_open_how(). */
static long open_fd(fd_t dfd, path_t upath, const struct open_how *how, bool classic)
{
	char *name = getname(upath);
	struct file *f;
	int fd;

	if (IS_ERR(name))
		return PTR_ERR(name);
	fd = fd_reserve(0, how->flags & O_CLOEXEC);
	if (fd >= 0) {
		f = classic ? file_open(dfd, name, (int)how->flags, (u32)how->mode)
			    : file_open_how(dfd, name, how);
		if (IS_ERR(f)) {
			fd_unreserve(fd);
			fd = (int)PTR_ERR(f);
		} else {
			fd_install(fd, f);
		}
	}
	putname(name);
	return fd;
}

long sys_openat(fd_t dfd, path_t path, int flags, mode_t mode)
{
	return open_fd(dfd, path, &(struct open_how){ .flags = (u32)flags, .mode = mode }, true);
}

long sys_open(path_t path, int flags, mode_t mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

long sys_creat(path_t path, mode_t mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_openat2(fd_t dfd, path_t path, uaddr_t uhow, size_t usize)
{
	struct open_how how;
	int r;

	if (usize < 24)
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	r = copy_struct_from_user(&how, sizeof(how), uhow, usize);
	return r ? r : open_fd(dfd, path, &how, false);
}

/* ---- names ---- */

long sys_mkdirat(fd_t dfd, path_t path, mode_t mode)
{
	char *name = getname(path);
	long r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	r = vfs_mkdir(dfd, name, mode);
	putname(name);
	return r;
}

long sys_mkdir(path_t path, mode_t mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_mknodat(fd_t dfd, path_t path, mode_t mode, uint dev)
{
	char *name = getname(path);
	long r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	r = vfs_mknod(dfd, name, mode, dev);
	putname(name);
	return r;
}

long sys_mknod(path_t path, mode_t mode, uint dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

long sys_unlinkat(fd_t dfd, path_t path, int flags)
{
	char *name;
	long r;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	name = getname(path);
	if (IS_ERR(name))
		return PTR_ERR(name);
	r = flags & AT_REMOVEDIR ? vfs_rmdir(dfd, name) : vfs_unlink(dfd, name);
	putname(name);
	return r;
}

long sys_unlink(path_t path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

long sys_rmdir(path_t path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

long sys_symlinkat(path_t target, fd_t dfd, path_t path)
{
	char *text = getname(target), *name;
	long r;

	if (IS_ERR(text))
		return PTR_ERR(text);
	name = getname(path);
	if (IS_ERR(name)) {
		putname(text);
		return PTR_ERR(name);
	}
	r = vfs_symlink(text, dfd, name);
	putname(name);
	putname(text);
	return r;
}

long sys_symlink(path_t target, path_t path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

long sys_linkat(fd_t odfd, path_t opath, fd_t ndfd, path_t npath, int flags)
{
	unsigned int lookup = 0;
	char *old, *new;
	struct path p;
	long r;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_SYMLINK_FOLLOW)
		lookup |= LOOKUP_FOLLOW;
	if (flags & AT_EMPTY_PATH) {
		if (!capable(CAP_DAC_READ_SEARCH))
			return -ENOENT;
		lookup |= LOOKUP_EMPTY;
	}
	old = getname_flags(opath, flags & AT_EMPTY_PATH);
	if (IS_ERR(old))
		return PTR_ERR(old);
	new = getname(npath);
	r = IS_ERR(new) ? PTR_ERR(new) : path_lookup(odfd, old, lookup, &p);
	if (!r) {
		r = vfs_link(&p, ndfd, new);
		path_put(&p);
	}
	if (!IS_ERR(new))
		putname(new);
	putname(old);
	return r;
}

long sys_link(path_t opath, path_t npath)
{
	return sys_linkat(AT_FDCWD, opath, AT_FDCWD, npath, 0);
}

long sys_renameat2(fd_t odfd, path_t opath, fd_t ndfd, path_t npath, uint flags)
{
	char *old = getname(opath), *new;
	long r;

	if (IS_ERR(old))
		return PTR_ERR(old);
	new = getname(npath);
	if (IS_ERR(new)) {
		putname(old);
		return PTR_ERR(new);
	}
	r = vfs_rename(odfd, old, ndfd, new, flags);
	putname(new);
	putname(old);
	return r;
}

long sys_renameat(fd_t odfd, path_t opath, fd_t ndfd, path_t npath)
{
	return sys_renameat2(odfd, opath, ndfd, npath, 0);
}

long sys_rename(path_t opath, path_t npath)
{
	return sys_renameat2(AT_FDCWD, opath, AT_FDCWD, npath, 0);
}

long sys_readlinkat(fd_t dfd, path_t path, uaddr_t buf, int size)
{
	struct path p, jump = { NULL, NULL };
	char *name, *text;
	struct inode *i;
	long r;

	if (size <= 0)
		return -EINVAL;
	name = getname_flags(path, true);
	if (IS_ERR(name))
		return PTR_ERR(name);
	r = path_lookup(dfd, name, LOOKUP_EMPTY, &p);
	if (r)
		goto out;
	i = d_inode(p.dentry);
	r = *name ? -EINVAL : -ENOENT;
	if (i->ops && i->ops->readlink && S_ISLNK(i->mode)) {
		text = name_alloc();
		r = text ? i->ops->readlink(i, text, 4096, &jump) : -ENOMEM;
		if (r == 0 && jump.dentry) {
			char *s = path_name(&jump, text, 4096);

			path_put(&jump);
			r = IS_ERR(s) ? PTR_ERR(s) : (long)strlen(s);
			if (r > 0)
				memmove(text, s, (size_t)r + 1);
		}
		if (r > 0) {
			r = min_t(long, r, size);
			if (copy_to_user(buf, text, (size_t)r))
				r = -EFAULT;
		}
		if (text)
			name_free(text);
	}
	path_put(&p);
out:
	putname(name);
	return r;
}

long sys_readlink(path_t path, uaddr_t buf, int size)
{
	return sys_readlinkat(AT_FDCWD, path, buf, size);
}

/* ---- directories of the process ---- */

/* Replace root or cwd by @p, whose references are taken over. */
static void set_dir(struct path *slot, struct path *p)
{
	struct path old;

	fs_ctx_swap(slot, p, &old);
	path_put(&old);
}

static long enter_dir(struct path *p, struct path *slot)
{
	long r = inode_permission(d_inode(p->dentry), MAY_EXEC);

	if (!r && slot == &current->fs->root && !capable(CAP_SYS_CHROOT))
		r = -EPERM;
	if (r)
		path_put(p);
	else
		set_dir(slot, p);
	return r;
}

static long change_dir(path_t path, struct path *slot)
{
	char *name = getname(path);
	struct path p;
	long r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	r = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);
	putname(name);
	return r ? r : enter_dir(&p, slot);
}

long sys_chdir(path_t path)
{
	return change_dir(path, &current->fs->cwd);
}

long sys_chroot(path_t path)
{
	return change_dir(path, &current->fs->root);
}

long sys_fchdir(fd_t fd)
{
	struct path p;
	int r;

	if (fd < 0)
		return -EBADF;
	r = path_of_fd(fd, &p);
	if (r)
		return r;
	if (!S_ISDIR(d_inode(p.dentry)->mode)) {
		path_put(&p);
		return -ENOTDIR;
	}
	return enter_dir(&p, &current->fs->cwd);
}

long sys_getcwd(uaddr_t buf, ulong size)
{
	char *name = name_alloc(), *text;
	struct path cwd;
	long r;

	if (!name)
		return -ENOMEM;
	r = path_of_fd(AT_FDCWD, &cwd);
	text = path_name(&cwd, name, 4096);
	if (IS_ERR(text)) {
		r = PTR_ERR(text);
	} else if (d_unhashed(cwd.dentry) && cwd.dentry->parent != cwd.dentry) {
		r = -ENOENT;
	} else {
		r = (long)strlen(text) + 1;
		if ((ulong)r > size)
			r = -ERANGE;
		else if (copy_to_user(buf, text, (size_t)r))
			r = -EFAULT;
	}
	path_put(&cwd);
	name_free(name);
	return r;
}

long sys_umask(mode_t mask)
{
	return (long)xchg(&current->fs->umask, mask & S_IRWXUGO);
}

/* ---- mounting ---- */

/* An optional string argument: NULL for a null pointer. ERR_PTR. */
static char *opt_name(uaddr_t p)
{
	return p ? getname_flags(p, true) : NULL;
}

static void put_opt_name(char *s)
{
	if (!IS_ERR_OR_NULL(s))
		putname(s);
}

long sys_mount(path_t source, path_t target, path_t type, ulong flags, uaddr_t data)
{
	char *to = getname(target), *from, *fstype, *opts;
	long r = 0;

	if (IS_ERR(to))
		return PTR_ERR(to);
	from = opt_name(source);
	fstype = opt_name(type);
	opts = opt_name(data);
	if (IS_ERR(from))
		r = PTR_ERR(from);
	else if (IS_ERR(fstype))
		r = PTR_ERR(fstype);
	else if (IS_ERR(opts))
		r = PTR_ERR(opts);
	else
		r = do_mount(from, to, fstype, flags, opts);
	put_opt_name(opts);
	put_opt_name(fstype);
	put_opt_name(from);
	putname(to);
	return r;
}

long sys_pivot_root(path_t new_root, path_t put_old)
{
	char *new = getname(new_root), *old;
	long r;

	if (IS_ERR(new))
		return PTR_ERR(new);
	old = getname(put_old);
	r = IS_ERR(old) ? PTR_ERR(old) : do_pivot_root(new, old);
	if (!IS_ERR(old))
		putname(old);
	putname(new);
	return r;
}

long sys_umount2(path_t target, int flags)
{
	char *name = getname(target);
	long r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	r = do_umount(name, flags);
	putname(name);
	return r;
}

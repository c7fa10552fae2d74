/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes: by path, by path without following a link, by descriptor. Source: setxattr(2), getxattr(2) ...
 */
#include <fs/internal.h>
#include <fs/xattr.h>
#include <syscall/proto.h>

/* What an attribute call is about: a path, or a descriptor when @path is 0. */
struct target {
	path_t path;
	fd_t fd;
	bool follow;
};

static int get_target(const struct target *t, struct path *out)
{
	struct fd f;
	char *name;
	int r;

	if (!t->path) {
		f = fdget(t->fd);
		if (!f.file)
			return -EBADF;
		*out = f.file->path;
		path_get(out);
		fdput(f);
		return 0;
	}
	name = getname(t->path);
	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	r = path_lookup(AT_FDCWD, name, t->follow ? LOOKUP_FOLLOW : 0, out);
	putname(name);
	return r;
}

static int get_attr_name(char *name, uaddr_t uname)
{
	long n = strncpy_from_user(name, uname, XATTR_NAME_MAX + 1);

	return n == 0 || n == -ENAMETOOLONG ? -ERANGE : n < 0 ? (int)n : 0;
}

static long set_attr(struct target t, uaddr_t uname, uaddr_t uvalue, size_t size, int flags)
{
	char name[XATTR_NAME_MAX + 1];
	struct path p;
	void *value;
	long r;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	r = get_attr_name(name, uname);
	if (r)
		return r;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	value = kmalloc(size + 1, GFP_KERNEL);
	if (!value)
		return -ENOMEM;
	r = size && copy_from_user(value, uvalue, size) ? -EFAULT : get_target(&t, &p);
	if (!r) {
		r = xattr_set(&p, name, value, size, flags);
		path_put(&p);
	}
	kfree(value);
	return r;
}

/* Read a value, or with @uname 0 the list of names. */
static long get_attr(struct target t, uaddr_t uname, uaddr_t uvalue, size_t size)
{
	char name[XATTR_NAME_MAX + 1];
	struct path p;
	void *value = NULL;
	long r = uname ? get_attr_name(name, uname) : 0;

	if (r)
		return r;
	size = min_t(size_t, size, XATTR_SIZE_MAX);
	if (size && !(value = kmalloc(size, GFP_KERNEL)))
		return -ENOMEM;
	r = get_target(&t, &p);
	if (!r) {
		r = uname ? xattr_get(d_inode(p.dentry), name, value, size)
			  : xattr_list(d_inode(p.dentry), value, size);
		path_put(&p);
	}
	if (r > 0 && size && copy_to_user(uvalue, value, (size_t)r))
		r = -EFAULT;
	kfree(value);
	return r;
}

static long remove_attr(struct target t, uaddr_t uname)
{
	char name[XATTR_NAME_MAX + 1];
	struct path p;
	long r = get_attr_name(name, uname);

	if (!r)
		r = get_target(&t, &p);
	if (r)
		return r;
	r = xattr_remove(&p, name);
	path_put(&p);
	return r;
}

#define BY_PATH(p) ((struct target){ .path = (p), .follow = true })
#define BY_LINK(p) ((struct target){ .path = (p) })
#define BY_FD(f)   ((struct target){ .fd = (f) })

long sys_setxattr(path_t path, uaddr_t name, uaddr_t value, size_t size, int flags)
{
	return path ? set_attr(BY_PATH(path), name, value, size, flags) : -EFAULT;
}

long sys_lsetxattr(path_t path, uaddr_t name, uaddr_t value, size_t size, int flags)
{
	return path ? set_attr(BY_LINK(path), name, value, size, flags) : -EFAULT;
}

long sys_fsetxattr(fd_t fd, uaddr_t name, uaddr_t value, size_t size, int flags)
{
	return set_attr(BY_FD(fd), name, value, size, flags);
}

long sys_getxattr(path_t path, uaddr_t name, uaddr_t value, size_t size)
{
	return path && name ? get_attr(BY_PATH(path), name, value, size) : -EFAULT;
}

long sys_lgetxattr(path_t path, uaddr_t name, uaddr_t value, size_t size)
{
	return path && name ? get_attr(BY_LINK(path), name, value, size) : -EFAULT;
}

long sys_fgetxattr(fd_t fd, uaddr_t name, uaddr_t value, size_t size)
{
	return name ? get_attr(BY_FD(fd), name, value, size) : -EFAULT;
}

long sys_listxattr(path_t path, uaddr_t list, size_t size)
{
	return path ? get_attr(BY_PATH(path), 0, list, size) : -EFAULT;
}

long sys_llistxattr(path_t path, uaddr_t list, size_t size)
{
	return path ? get_attr(BY_LINK(path), 0, list, size) : -EFAULT;
}

long sys_flistxattr(fd_t fd, uaddr_t list, size_t size)
{
	return get_attr(BY_FD(fd), 0, list, size);
}

long sys_removexattr(path_t path, uaddr_t name)
{
	return path ? remove_attr(BY_PATH(path), name) : -EFAULT;
}

long sys_lremovexattr(path_t path, uaddr_t name)
{
	return path ? remove_attr(BY_LINK(path), name) : -EFAULT;
}

long sys_fremovexattr(fd_t fd, uaddr_t name)
{
	return remove_attr(BY_FD(fd), name);
}

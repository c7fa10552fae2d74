/* SPDX-License-Identifier: MIT */
/* Mounting by descriptors: fsopen(2), fsconfig(2), fsmount(2), fspick(2), open_tree(2), move_mount(2), mount_setattr(2). The work is done by fs/newmount.c. */
#include <fs/internal.h>
#include <syscall/internal.h>
#include <syscall/proto.h>
#include <uapi/capability.h>

#define FSOPEN_CLOEXEC	1u
#define FSMOUNT_CLOEXEC 1u

#define FSPICK_CLOEXEC		1u
#define FSPICK_SYMLINK_NOFOLLOW 2u
#define FSPICK_NO_AUTOMOUNT	4u
#define FSPICK_EMPTY_PATH	8u

#define OPEN_TREE_CLONE	  1u
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#define AT_RECURSIVE	  0x8000

#define MOVE_MOUNT_F_SYMLINKS	1u
#define MOVE_MOUNT_F_EMPTY_PATH 4u
#define MOVE_MOUNT_T_SYMLINKS	0x10u
#define MOVE_MOUNT_T_EMPTY_PATH 0x40u
#define MOVE_MOUNT_ALL		0x377u
#define MOVE_MOUNT_SET_GROUP	0x100u
#define MOVE_MOUNT_BENEATH	0x200u

enum fsconfig_cmd {
	FSCONFIG_SET_FLAG,
	FSCONFIG_SET_STRING,
	FSCONFIG_SET_BINARY,
	FSCONFIG_SET_PATH,
	FSCONFIG_SET_PATH_EMPTY,
	FSCONFIG_SET_FD,
	FSCONFIG_CMD_CREATE,
	FSCONFIG_CMD_RECONFIGURE,
};

struct mount_attr {
	u64 attr_set, attr_clr, propagation, userns_fd;
};

/* Enter @f, or the error it is, in current's table. */
static long install(struct file *f, bool cloexec)
{
	long r;

	if (IS_ERR(f))
		return PTR_ERR(f);
	r = fd_alloc_install(f, 0, cloexec);
	if (r < 0)
		file_put(f);
	return r;
}

/* A string of at most @max bytes with its end: kfree() it. ERR_PTR(-EFAULT, -EINVAL, -ENOMEM). */
static char *get_string(uaddr_t from, size_t max)
{
	char *s = kmalloc(max, GFP_KERNEL);
	long n;

	if (!s)
		return ERR_PTR(-ENOMEM);
	n = strncpy_from_user(s, from, max);
	if (n >= 0 && (size_t)n < max)
		return s;
	kfree(s);
	return ERR_PTR(n == -EFAULT ? -EFAULT : -EINVAL);
}

long sys_fsopen(uaddr_t uname, uint flags)
{
	char *name;
	long r;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~FSOPEN_CLOEXEC)
		return -EINVAL;
	name = get_string(uname, PAGE_SIZE);
	if (IS_ERR(name))
		return PTR_ERR(name);
	r = install(mount_context_open(name), flags & FSOPEN_CLOEXEC);
	kfree(name);
	return r;
}

long sys_fspick(fd_t dfd, path_t path, uint flags)
{
	int at = (flags & FSPICK_SYMLINK_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0) |
		 (flags & FSPICK_EMPTY_PATH ? AT_EMPTY_PATH : 0);
	struct path p;
	long r;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags &
	    ~(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH))
		return -EINVAL;
	r = path_at(dfd, path, at, &p);
	if (r)
		return r;
	r = install(mount_context_pick(&p), flags & FSPICK_CLOEXEC);
	path_put(&p);
	return r;
}

/* ---- fsconfig ---- */

/* Are the arguments those that @cmd has? */
static int check_config(uint cmd, uaddr_t key, uaddr_t value, int aux)
{
	bool ok;

	switch (cmd) {
	case FSCONFIG_SET_FLAG:
		ok = key && !value && !aux;
		break;
	case FSCONFIG_SET_STRING:
		ok = key && value && !aux;
		break;
	case FSCONFIG_SET_BINARY:
		ok = key && value && aux > 0 && aux <= 1024 * 1024;
		break;
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		ok = key && value && (aux == AT_FDCWD || aux >= 0);
		break;
	case FSCONFIG_SET_FD:
		ok = key && !value && aux >= 0;
		break;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_RECONFIGURE:
		ok = !key && !value && !aux;
		break;
	default:
		return -EOPNOTSUPP;
	}
	return ok ? 0 : -EINVAL;
}

static long set_option(struct file *f, uaddr_t ukey, uaddr_t uvalue)
{
	char *key = get_string(ukey, 256), *value = NULL;
	long r;

	if (IS_ERR(key))
		return PTR_ERR(key);
	if (uvalue)
		value = get_string(uvalue, 256);
	r = IS_ERR(value) ? PTR_ERR(value) : mount_context_set(f, key, value);
	if (!IS_ERR(value))
		kfree(value);
	kfree(key);
	return r;
}

static long configure(struct file *f, uint cmd, uaddr_t key, uaddr_t value)
{
	switch (cmd) {
	case FSCONFIG_CMD_CREATE:
		return capable(CAP_SYS_ADMIN) ? mount_context_create(f) : -EPERM;
	case FSCONFIG_CMD_RECONFIGURE:
		return capable(CAP_SYS_ADMIN) ? mount_context_reconfigure(f) : -EPERM;
	case FSCONFIG_SET_FLAG:
	case FSCONFIG_SET_STRING:
		return set_option(f, key, value);
	default: /* no file system has an option of these kinds */
		return -EINVAL;
	}
}

long sys_fsconfig(fd_t fd, uint cmd, uaddr_t key, uaddr_t value, int aux)
{
	struct fd f;
	long r;

	if (fd < 0)
		return -EINVAL;
	r = check_config(cmd, key, value, aux);
	if (r)
		return r;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	r = file_is_mount_context(f.file) ? configure(f.file, cmd, key, value) : -EINVAL;
	fdput(f);
	return r;
}

/* ---- mounts ---- */

long sys_fsmount(fd_t fd, uint flags, uint attr)
{
	struct fd f;
	long r;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if ((flags & ~FSMOUNT_CLOEXEC) || (attr & ~MOUNT_ATTR_ALL) ||
	    (attr & MOUNT_ATTR__ATIME) > MOUNT_ATTR_STRICTATIME)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	r = file_is_mount_context(f.file)
		    ? install(mount_context_mount(f.file, attr), flags & FSMOUNT_CLOEXEC)
		    : -EINVAL;
	fdput(f);
	return r;
}

long sys_open_tree(fd_t dfd, path_t path, uint flags)
{
	bool clone = flags & OPEN_TREE_CLONE, rec = flags & AT_RECURSIVE;
	struct path p;
	long r;

	if (flags & ~(uint)(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))
		return -EINVAL;
	if (rec && !clone)
		return -EINVAL;
	if (clone && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	r = path_at(dfd, path, (int)flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW), &p);
	if (r)
		return r;
	r = install(clone ? mount_open_clone(&p, rec) : file_open_path(&p, O_PATH),
		    flags & OPEN_TREE_CLOEXEC);
	path_put(&p);
	return r;
}

long sys_move_mount(fd_t from_dfd, path_t from_path, fd_t to_dfd, path_t to_path, uint flags)
{
	int from_at = (flags & MOVE_MOUNT_F_SYMLINKS ? 0 : AT_SYMLINK_NOFOLLOW) |
		      (flags & MOVE_MOUNT_F_EMPTY_PATH ? AT_EMPTY_PATH : 0);
	int to_at = (flags & MOVE_MOUNT_T_SYMLINKS ? 0 : AT_SYMLINK_NOFOLLOW) |
		    (flags & MOVE_MOUNT_T_EMPTY_PATH ? AT_EMPTY_PATH : 0);
	struct path from, to;
	long r;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~MOVE_MOUNT_ALL)
		return -EINVAL;
	r = path_at(from_dfd, from_path, from_at, &from);
	if (r)
		return r;
	r = path_at(to_dfd, to_path, to_at, &to);
	if (!r) {
		/* There are no peer groups to join, and nothing is mounted beneath another mount. */
		r = flags & (MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_BENEATH)
			    ? -EINVAL
			    : mount_move_path(&from, &to);
		path_put(&to);
	}
	path_put(&from);
	return r;
}

static int check_attr(const struct mount_attr *a)
{
	const u64 known = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED;
	u64 atime = a->attr_set & MOUNT_ATTR__ATIME;

	if ((a->propagation & ~known) || (a->propagation & (a->propagation - 1)))
		return -EINVAL;
	/* No mount maps ids; private is what all of them are. */
	if (((a->attr_set | a->attr_clr) & ~MOUNT_ATTR_ALL) ||
	    (a->propagation & (MS_UNBINDABLE | MS_SHARED)))
		return -EINVAL;
	if (!(a->attr_clr & MOUNT_ATTR__ATIME))
		return atime ? -EINVAL : 0;
	return (a->attr_clr & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME ||
			       atime > MOUNT_ATTR_STRICTATIME
		       ? -EINVAL
		       : 0;
}

long sys_mount_setattr(fd_t dfd, path_t path, uint flags, uaddr_t uattr, size_t size)
{
	struct mount_attr a;
	struct path p;
	long r;

	if (flags & ~(uint)(AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < sizeof(a))
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	r = copy_struct_from_user(&a, sizeof(a), uattr, size);
	if (r || !(a.attr_set | a.attr_clr | a.propagation))
		return r;
	r = check_attr(&a);
	if (!r)
		r = path_at(dfd, path, (int)flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW), &p);
	if (r)
		return r;
	r = mount_change_attr(&p, a.attr_set, a.attr_clr, flags & AT_RECURSIVE);
	path_put(&p);
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * fcntl, flock, ioctl, and the calls that make data durable or advise about it.
 * Source: fcntl(2), flock(2), ioctl(2), fsync(2), posix_fadvise(2), readahead(2).
 */
#include <fs/fasync.h>
#include <fs/internal.h>
#include <fs/lease.h>
#include <fs/locks.h>
#include <fs/splice.h>
#include <fs/tmpfs/tmpfs.h>
#include <kernel/files.h>
#include <syscall/proto.h>
#include <uapi/capability.h>

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC)

static long set_flags(struct file *f, int fd, unsigned long arg)
{
	u32 next = (u32)arg & SETFL_MASK;
	int r;

	if ((next & O_NOATIME) && !(f->flags & O_NOATIME) && !inode_owner_or_capable(f->inode))
		return -EPERM;
	if ((next & O_DIRECT) && !S_ISFIFO(f->inode->mode) && !file_can_direct(f))
		return -EINVAL;
	if ((next ^ f->flags) & FASYNC) {
		r = file_set_async(f, fd, next & FASYNC);
		if (r)
			return r;
	}
	if (!file_can_async(f))
		next &= ~(u32)FASYNC;
	spin_lock(&f->f_lock);
	f->flags = (f->flags & ~SETFL_MASK) | next;
	spin_unlock(&f->f_lock);
	return f->ops->set_flags ? f->ops->set_flags(f, f->flags) : 0;
}

static long dup_min(struct file *f, unsigned long min, bool cloexec)
{
	int fd;

	if (min >= task_rlimit(RLIMIT_NOFILE))
		return -EINVAL;
	fd = fd_alloc_install(file_get(f), (unsigned int)min, cloexec);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* ---- record locks ---- */

/* struct flock into an inclusive range. 0, -EINVAL, -EOVERFLOW. */
static int flock_range(struct file *f, const struct flock *fl, struct lock_request *rq)
{
	s64 base, start, end;

	switch (fl->l_whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = f->pos;
		break;
	case SEEK_END:
		base = (s64)f->inode->size;
		break;
	default:
		return -EINVAL;
	}
	if (add_overflow(base, fl->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	if (fl->l_len > 0) {
		if (add_overflow(start, fl->l_len - 1, &end))
			return -EOVERFLOW;
	} else if (fl->l_len < 0) {
		end = start - 1;
		start += fl->l_len;
		if (start < 0)
			return -EINVAL;
	} else {
		end = S64_MAX;
	}
	rq->start = (u64)start;
	rq->end = (u64)end;
	return 0;
}

static long record_lock(struct file *f, unsigned int cmd, uaddr_t arg)
{
	bool ofd = cmd >= F_OFD_GETLK;
	bool test = cmd == F_GETLK || cmd == F_OFD_GETLK,
	     wait = cmd == F_SETLKW || cmd == F_OFD_SETLKW;
	struct lock_request rq = { .owner = ofd ? (void *)f : (void *)current->files, .ofd = ofd };
	struct flock fl;
	int r;

	if (get_user_obj(&fl, arg))
		return -EFAULT;
	if ((ofd && fl.l_pid) || (u16)fl.l_type > F_UNLCK || (test && fl.l_type == F_UNLCK && !ofd))
		return -EINVAL;
	rq.type = (u8)fl.l_type;
	r = flock_range(f, &fl, &rq);
	if (r)
		return r;
	if (test) {
		locks_test(f->inode, &rq);
		fl.l_type = rq.type;
		if (rq.type != F_UNLCK) {
			fl.l_whence = SEEK_SET;
			fl.l_start = (s64)rq.start;
			fl.l_len = rq.end == (u64)S64_MAX ? 0 : (s64)(rq.end - rq.start + 1);
			fl.l_pid = rq.pid;
		}
		return put_user_obj(arg, &fl);
	}
	if ((rq.type == F_RDLCK && !(f->mode & FMODE_READ)) ||
	    (rq.type == F_WRLCK && !(f->mode & FMODE_WRITE)))
		return -EBADF;
	return locks_set(f->inode, &rq, wait);
}

long sys_flock(fd_t fd, uint cmd)
{
	static const u8 types[] = { [LOCK_SH] = F_RDLCK, [LOCK_EX] = F_WRLCK, [LOCK_UN] = F_UNLCK };
	uint op = cmd & ~(uint)LOCK_NB;
	struct fd f;
	long r;

	/* Share modes, which Linux has given up: it says yes, of any descriptor. */
	if (cmd & LOCK_MAND)
		return 0;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
		r = -EINVAL;
	else
		r = locks_flock(f.file, types[op], !(cmd & LOCK_NB));
	fdput(f);
	return r;
}

/* ---- owner of signals ---- */

static long set_owner_ex(struct file *f, uaddr_t arg)
{
	struct f_owner_ex o;

	if (get_user_obj(&o, arg))
		return -EFAULT;
	if (o.type < F_OWNER_TID || o.type > F_OWNER_PGRP)
		return -EINVAL;
	return file_set_owner(f, o.type, o.pid);
}

static long set_owner(struct file *f, int who)
{
	if (who == INT_MIN)
		return -EINVAL;
	return who < 0 ? file_set_owner(f, F_OWNER_PGRP, -who)
		       : file_set_owner(f, F_OWNER_PID, who);
}

static long fcntl_owner(struct file *f, uint cmd, ulong arg)
{
	struct f_owner_ex o;

	file_get_owner(f, &o);
	switch (cmd) {
	case F_SETOWN:
		return set_owner(f, (int)arg);
	case F_GETOWN:
		return o.type == F_OWNER_PGRP ? -o.pid : o.pid;
	case F_SETOWN_EX:
		return set_owner_ex(f, arg);
	case F_GETOWN_EX:
		return put_user_obj(arg, &o);
	case F_SETSIG:
		return arg > NSIG ? -EINVAL : file_set_owner_signal(f, (int)arg);
	}
	return file_owner_signal(f);
}

/* How long what is written will live: kept for whoever asks, there is no disk that wants to know. */
static long set_write_hint(struct inode *i, uaddr_t arg)
{
	u64 hint;

	if (!inode_owner_or_capable(i))
		return -EPERM;
	if (get_user_obj(&hint, arg))
		return -EFAULT;
	if (hint > RWH_WRITE_LIFE_EXTREME)
		return -EINVAL;
	WRITE_ONCE(i->write_hint, (u8)hint);
	return 0;
}

static long get_write_hint(const struct inode *i, uaddr_t arg)
{
	u64 hint = READ_ONCE(i->write_hint);

	return put_user_obj(arg, &hint);
}

static long fcntl_same_file(struct file *f, fd_t other)
{
	struct fd o = fdget_raw(other);
	long r;

	if (!o.file)
		return -EBADF;
	r = o.file == f;
	fdput(o);
	return r;
}

static long fcntl_file(struct file *f, fd_t fd, uint cmd, ulong arg)
{
	long r;

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup_min(f, arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_get_cloexec(fd);
	case F_SETFD:
		return fd_set_cloexec(fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return f->flags;
	case F_DUPFD_QUERY:
		return fcntl_same_file(f, (fd_t)arg);
	}
	if (f->mode & FMODE_PATH)
		return -EBADF;
	switch (cmd) {
	case F_SETFL:
		return set_flags(f, fd, arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return record_lock(f, cmd, arg);
	case F_SETOWN:
	case F_GETOWN:
	case F_SETSIG:
	case F_GETSIG:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
		return fcntl_owner(f, cmd, arg);
	case F_SETLEASE:
		return lease_set(f, (int)arg);
	case F_GETLEASE:
		return lease_get(f);
	case F_GET_RW_HINT:
		return get_write_hint(f->inode, arg);
	case F_SET_RW_HINT:
		return set_write_hint(f->inode, arg);
	case F_CREATED_QUERY:
		return !!(f->mode & FMODE_CREATED);
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		return f->ops->fcntl && !f->ops->fcntl(f, cmd, arg, &r) ? r : -EBADF;
	}
	if (f->ops->fcntl && !f->ops->fcntl(f, cmd, arg, &r))
		return r;
	return -EINVAL;
}

long sys_fcntl(fd_t fd, uint cmd, ulong arg)
{
	struct fd f = fdget_raw(fd);
	long r;

	if (!f.file)
		return -EBADF;
	r = fcntl_file(f.file, fd, cmd, arg);
	fdput(f);
	return r;
}

/* ---- ioctl ---- */

static long set_async(struct file *f, int fd, uaddr_t arg)
{
	int on;

	if (get_user_obj(&on, arg))
		return -EFAULT;
	if (!f->ops->async)
		return !on == !(f->flags & FASYNC) ? 0 : -ENOTTY;
	return set_flags(f, fd, on ? f->flags | FASYNC : f->flags & ~FASYNC);
}

static long set_nonblock(struct file *f, uaddr_t arg)
{
	int on;

	if (get_user_obj(&on, arg))
		return -EFAULT;
	spin_lock(&f->f_lock);
	f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~(u32)O_NONBLOCK;
	spin_unlock(&f->f_lock);
	return 0;
}

/* ---- ranges of files that share blocks; no file system here has such ---- */

struct file_clone_range {
	s64 src_fd;
	u64 src_offset, src_length, dest_offset;
};
struct file_dedupe_range {
	u64 src_offset, src_length;
	u16 dest_count, reserved1;
	u32 reserved2;
};
#define DEDUPE_INFO_SIZE 32

static long clone_file(struct file *out, int fd)
{
	struct fd in = fdget(fd);
	long r;

	if (!in.file)
		return -EBADF;
	r = in.file->inode->sb == out->inode->sb ? check_copy_files(in.file, out) : -EXDEV;
	fdput(in);
	return r ? r : -EOPNOTSUPP;
}

static long clone_file_range(struct file *out, uaddr_t arg)
{
	struct file_clone_range range;

	return get_user_obj(&range, arg) ? -EFAULT : clone_file(out, (int)range.src_fd);
}

static long dedupe_file_range(struct file *f, uaddr_t arg)
{
	struct file_dedupe_range range;
	u16 count;
	char info[DEDUPE_INFO_SIZE];

	if (get_user_obj(&count, arg + offsetof(struct file_dedupe_range, dest_count)))
		return -EFAULT;
	if (sizeof(range) + count * sizeof(info) > PAGE_SIZE)
		return -ENOMEM;
	if (get_user_obj(&range, arg))
		return -EFAULT;
	for (size_t i = 0; i < count; i++)
		if (get_user_obj(&info, arg + sizeof(range) + i * sizeof(info)))
			return -EFAULT;
	if (!(f->mode & FMODE_READ) || range.reserved1 || range.reserved2)
		return -EINVAL;
	return S_ISDIR(f->inode->mode) ? -EISDIR : S_ISREG(f->inode->mode) ? -EOPNOTSUPP : -EINVAL;
}

/* What every regular file and directory answers. */
static long ioctl_regular(struct file *f, uint cmd, uaddr_t arg)
{
	s64 size = (s64)f->inode->size;
	int n;

	if (cmd == FIGETBSZ) {
		n = PAGE_SIZE;
		return put_user_obj(arg, &n);
	}
	if (cmd == FIOQSIZE)
		return put_user_obj(arg, &size);
	if (cmd == FIONREAD && S_ISREG(f->inode->mode)) {
		n = (int)(size - f->pos);
		return put_user_obj(arg, &n);
	}
	if (cmd == FS_IOC_FIEMAP)
		return -EOPNOTSUPP;
	return vfs_ioctl(f, cmd, arg);
}

long sys_ioctl(fd_t fd, uint cmd, ulong arg)
{
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		r = fd_set_cloexec(fd, cmd == FIOCLEX);
		break;
	case FIONBIO:
		r = set_nonblock(f.file, arg);
		break;
	case FIOASYNC:
		r = set_async(f.file, fd, arg);
		break;
	case FICLONE:
		r = clone_file(f.file, (int)arg);
		break;
	case FICLONERANGE:
		r = clone_file_range(f.file, arg);
		break;
	case FIDEDUPERANGE:
		r = dedupe_file_range(f.file, arg);
		break;
	default:
		if (S_ISREG(f.file->inode->mode) || S_ISDIR(f.file->inode->mode))
			r = ioctl_regular(f.file, cmd, arg);
		else
			r = vfs_ioctl(f.file, cmd, arg);
	}
	fdput(f);
	return r;
}

/* ---- durability and advice ---- */

static long fsync_fd(fd_t fd, bool datasync)
{
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	r = vfs_fsync(f.file, datasync);
	fdput(f);
	return r;
}

long sys_fsync(fd_t fd)
{
	return fsync_fd(fd, false);
}

long sys_fdatasync(fd_t fd)
{
	return fsync_fd(fd, true);
}

long sys_sync(void)
{
	files_sync();
	return 0;
}

long sys_syncfs(fd_t fd)
{
	struct fd f = fdget(fd);

	long r;

	if (!f.file)
		return -EBADF;
	r = super_sync(f.file->inode->sb);
	fdput(f);
	return r;
}

long sys_sync_file_range(fd_t fd, loff_t off, loff_t n, uint flags)
{
	struct fd f;
	long r = 0;

	if (flags & ~SYNC_FILE_RANGE_ALL || off < 0 || n < 0 || off + n < off)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	if (!S_ISREG(f.file->inode->mode) && !S_ISDIR(f.file->inode->mode) &&
	    !S_ISBLK(f.file->inode->mode))
		r = -ESPIPE;
	fdput(f);
	return r;
}

long sys_fadvise64(fd_t fd, loff_t off, loff_t len, int advice)
{
	struct fd f = fdget(fd);
	long r = 0;

	if (!f.file)
		return -EBADF;
	if (S_ISFIFO(f.file->inode->mode))
		r = -ESPIPE;
	else if (len < 0 || advice < 0 || advice > POSIX_FADV_NOREUSE)
		r = -EINVAL;
	fdput(f);
	return r; /* all pages are in memory already */
}

long sys_readahead(fd_t fd, loff_t off, size_t count)
{
	struct fd f = fdget(fd);
	long r = 0;

	if (!f.file || !(f.file->mode & FMODE_READ))
		r = -EBADF;
	else if (!S_ISREG(f.file->inode->mode))
		r = -EINVAL;
	if (f.file)
		fdput(f);
	return r;
}

/* ---- memfd ---- */

long sys_memfd_create(path_t uname, uint flags)
{
	char *name = getname_flags(uname, true);
	struct file *f;
	int fd;

	if (IS_ERR(name))
		return PTR_ERR(name) == -ENAMETOOLONG ? -EINVAL : PTR_ERR(name);
	f = memfd_create(name, flags);
	putname(name);
	if (IS_ERR(f))
		return PTR_ERR(f);
	fd = fd_alloc_install(f, 0, flags & MFD_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

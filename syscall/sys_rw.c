/* SPDX-License-Identifier: MIT */
/*
 * read, write and their kin; lseek; descriptors: close, dup, pipe.
 * Source: read(2), readv(2), pread(2), lseek(2), dup(2), pipe(2), close_range(2).
 */
#include <fs/internal.h>
#include <fs/pipe.h>
#include <kernel/random.h>
#include <syscall/internal.h>
#include <syscall/proto.h>
#include <uapi/uio.h>

static __always_inline void count_io(ssize_t r, bool write)
{
	struct io_counts *io = &current->io;
	u64 n = r > 0 ? (u64)r : 0;

	if (write) {
		io->wchar += n;
		io->syscw++;
	} else {
		io->rchar += n;
		io->syscr++;
	}
}

/* ---- one buffer ---- */

static ssize_t rw_one(fd_t fd, uaddr_t buf, size_t count, loff_t *pos, bool write)
{
	struct iovec_u iov = { buf, count };
	struct iov_iter it;
	struct fd f = fdget(fd);
	ssize_t r;

	if (unlikely(!f.file))
		return -EBADF;
	if (unlikely((ssize_t)count < 0)) {
		r = -EINVAL;
	} else if (pos && !(f.file->mode & FMODE_PREAD)) {
		r = -ESPIPE;
	} else {
		iov_iter_init(&it, &iov, 1, count);
		r = write ? vfs_write(f.file, &it, pos, 0) : vfs_read(f.file, &it, pos, 0);
	}
	count_io(r, write);
	fdput(f);
	return r;
}

long sys_read(fd_t fd, buf_t buf, size_t count)
{
	return rw_one(fd, buf, count, NULL, false);
}

long sys_write(fd_t fd, buf_t buf, size_t count)
{
	return rw_one(fd, buf, count, NULL, true);
}

long sys_pread64(fd_t fd, buf_t buf, size_t count, loff_t pos)
{
	return pos < 0 ? -EINVAL : rw_one(fd, buf, count, &pos, false);
}

long sys_pwrite64(fd_t fd, buf_t buf, size_t count, loff_t pos)
{
	return pos < 0 ? -EINVAL : rw_one(fd, buf, count, &pos, true);
}

/* ---- vectors ---- */

#define MAX_RW ((size_t)INT_MAX & PAGE_MASK) /* of one call */

struct iovec_u *import_iov(uaddr_t uvec, ulong n, struct iovec_u *fast, size_t *total)
{
	struct iovec_u *iov = fast;

	if (n > UIO_MAXIOV)
		return ERR_PTR(-EINVAL);
	if (n > UIO_FASTIOV && !(iov = kmalloc(n * sizeof(*iov), GFP_KERNEL)))
		return ERR_PTR(-ENOMEM);
	*total = 0;
	if (n && copy_from_user(iov, uvec, n * sizeof(*iov))) {
		if (iov != fast)
			kfree(iov);
		return ERR_PTR(-EFAULT);
	}
	for (ulong i = 0; i < n; i++) {
		/* One alone is cut before it is looked at, as on Linux. */
		size_t len = n == 1 ? min_t(size_t, iov[i].len, MAX_RW) : iov[i].len;
		int r = (s64)iov[i].len < 0					 ? -EINVAL
			: iov[i].base > USER_END || len > USER_END - iov[i].base ? -EFAULT
										 : 0;

		if (r) {
			if (iov != fast)
				kfree(iov);
			return ERR_PTR(r);
		}
		*total = min_t(size_t, *total + iov[i].len, MAX_RW);
	}
	return iov;
}

/* What is told before the vector is looked at, and for one that holds nothing, of which the file hears nothing. */
static int check_vec(const struct file *f, const loff_t *pos, bool write)
{
	if (pos && !(f->mode & FMODE_PREAD))
		return -ESPIPE;
	if (!(f->mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	if (write ? !f->ops->write : !f->ops->read && !S_ISDIR(f->inode->mode))
		return -EINVAL;
	return 0;
}

static ssize_t rw_vec(fd_t fd, uaddr_t vec, ulong n, loff_t *pos, int flags, bool write)
{
	struct iovec_u fast[UIO_FASTIOV], *iov;
	struct iov_iter it;
	struct fd f = fdget(fd);
	size_t total;
	ssize_t r;

	if (!f.file)
		return -EBADF;
	r = check_vec(f.file, pos, write);
	iov = r ? ERR_PTR(r) : import_iov(vec, n, fast, &total);
	if (IS_ERR(iov)) {
		fdput(f);
		return PTR_ERR(iov);
	}
	iov_iter_init(&it, iov, (unsigned int)n, total);
	r = !total  ? 0
	    : write ? vfs_write(f.file, &it, pos, flags)
		    : vfs_read(f.file, &it, pos, flags);
	if (iov != fast)
		kfree(iov);
	count_io(r, write);
	fdput(f);
	return r;
}

long sys_readv(fd_t fd, uaddr_t vec, ulong n)
{
	return rw_vec(fd, vec, n, NULL, 0, false);
}

long sys_writev(fd_t fd, uaddr_t vec, ulong n)
{
	return rw_vec(fd, vec, n, NULL, 0, true);
}

long sys_preadv(fd_t fd, uaddr_t vec, ulong n, loff_t pos)
{
	return pos < 0 ? -EINVAL : rw_vec(fd, vec, n, &pos, 0, false);
}

long sys_pwritev(fd_t fd, uaddr_t vec, ulong n, loff_t pos)
{
	return pos < 0 ? -EINVAL : rw_vec(fd, vec, n, &pos, 0, true);
}

/* Position -1 stands for the file's own. */
static ssize_t rw_vec2(fd_t fd, uaddr_t vec, ulong n, loff_t pos, int flags, bool write)
{
	if (pos < -1)
		return -EINVAL;
	return rw_vec(fd, vec, n, pos == -1 ? NULL : &pos, flags, write);
}

long sys_preadv2(fd_t fd, uaddr_t vec, ulong n, loff_t pos, ulong pos_high, int flags)
{
	if (flags & (RWF_APPEND | RWF_NOAPPEND))
		return -EOPNOTSUPP;
	return rw_vec2(fd, vec, n, pos, flags, false);
}

long sys_pwritev2(fd_t fd, uaddr_t vec, ulong n, loff_t pos, ulong pos_high, int flags)
{
	return rw_vec2(fd, vec, n, pos, flags, true);
}

long sys_lseek(fd_t fd, loff_t off, uint whence)
{
	struct fd f = fdget(fd);
	loff_t r;

	if (!f.file)
		return -EBADF;
	r = vfs_llseek(f.file, off, (int)whence);
	fdput(f);
	return r;
}

/* ---- descriptors ---- */

long sys_close(fd_t fd)
{
	int r = fd_close(fd);

	return r == -EINTR ? -EIO : r; /* the descriptor is gone: never to be repeated */
}

long sys_close_range(uint first, uint last, uint flags)
{
	int r = 0;

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	if (first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE)
		r = fdtable_unshare();
	return r ? r : fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
}

long sys_dup(fd_t fd)
{
	struct fd f = fdget_raw(fd);
	int r;

	if (!f.file)
		return -EBADF;
	r = fd_alloc_install(file_get(f.file), 0, false);
	if (r < 0)
		file_put(f.file);
	fdput(f);
	return r;
}

static long dup_to(fd_t oldfd, fd_t newfd, bool cloexec)
{
	struct fd f = fdget_raw(oldfd);
	long r;

	if (!f.file)
		return -EBADF;
	r = fd_dup_to(f.file, newfd, cloexec);
	fdput(f);
	return r;
}

long sys_dup2(fd_t oldfd, fd_t newfd)
{
	struct fd f;

	if (oldfd != newfd)
		return dup_to(oldfd, newfd, false);
	f = fdget_raw(oldfd);
	if (!f.file)
		return -EBADF;
	fdput(f);
	return newfd;
}

long sys_dup3(fd_t oldfd, fd_t newfd, int flags)
{
	if ((flags & ~O_CLOEXEC) || oldfd == newfd)
		return -EINVAL;
	return dup_to(oldfd, newfd, flags & O_CLOEXEC);
}

long sys_pipe2(uaddr_t ufds, int flags)
{
	struct file *files[2];
	int fds[2], r;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	r = pipe_create(files, (unsigned int)flags);
	if (r)
		return r;
	fds[0] = fd_reserve(0, flags & O_CLOEXEC);
	fds[1] = fds[0] < 0 ? fds[0] : fd_reserve(0, flags & O_CLOEXEC);
	r = fds[1] < 0 ? fds[1] : put_user_obj(ufds, &fds);
	if (!r) {
		fd_install(fds[0], files[0]);
		fd_install(fds[1], files[1]);
		return 0;
	}
	if (fds[0] >= 0)
		fd_unreserve(fds[0]);
	if (fds[0] >= 0 && fds[1] >= 0)
		fd_unreserve(fds[1]);
	file_put(files[0]);
	file_put(files[1]);
	return r;
}

long sys_pipe(uaddr_t ufds)
{
	return sys_pipe2(ufds, 0);
}

/* ---- random numbers ---- */

#define GRND_NONBLOCK 1u
#define GRND_RANDOM   2u
#define GRND_INSECURE 4u

long sys_getrandom(buf_t buf, size_t count, uint flags)
{
	u8 block[256];
	size_t done = 0;

	if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	count = min_t(size_t, count, INT_MAX);
	while (done < count) {
		size_t n = min(count - done, sizeof(block));

		random_bytes(block, n);
		if (copy_to_user(buf + done, block, n)) {
			memzero_explicit(block, sizeof(block));
			return done ? (long)done : -EFAULT;
		}
		done += n;
		if (done < count && signal_pending())
			break;
		cond_resched();
	}
	memzero_explicit(block, sizeof(block));
	return (long)done;
}

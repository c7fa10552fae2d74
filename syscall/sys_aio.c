/* SPDX-License-Identifier: MIT */
/* Native asynchronous I/O: io_setup(2), io_destroy(2), io_submit(2), io_cancel(2), io_getevents(2), io_pgetevents. Contexts are fs/aio.c's. */
#include <fs/aio.h>
#include <fs/events.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <mm/slab.h>
#include <syscall/internal.h>
#include <syscall/proto.h>
#include <uapi/fcntl.h>
#include <uapi/uio.h>

enum {
	IOCB_CMD_PREAD = 0,
	IOCB_CMD_PWRITE = 1,
	IOCB_CMD_FSYNC = 2,
	IOCB_CMD_FDSYNC = 3,
	IOCB_CMD_PREADV = 7,
	IOCB_CMD_PWRITEV = 8,
};
#define IOCB_FLAG_RESFD 1u
#define EVENTS_MAX	(0x10000000u / sizeof(struct aio_event) / 2)

struct iocb {
	u64 data;
	u32 key; /* little-endian machines: before the flags */
	s32 rw_flags;
	u16 opcode;
	s16 reqprio;
	u32 fildes;
	u64 buf, nbytes;
	s64 offset;
	u64 reserved2;
	u32 flags, resfd;
};

/* ---- contexts ---- */

long sys_io_setup(uint n, uaddr_t uctx)
{
	u64 id;
	int r;

	if (get_user_obj(&id, uctx))
		return -EFAULT;
	if (id || !n || n > EVENTS_MAX)
		return -EINVAL;
	r = aio_create(n, &id);
	if (!r && put_user_obj(uctx, &id)) {
		aio_destroy(id);
		r = -EFAULT;
	}
	return r;
}

long sys_io_destroy(ulong ctx)
{
	return aio_destroy(ctx);
}

/* Everything is done by the time it could be cancelled. */
long sys_io_cancel(ulong ctx, uaddr_t uiocb, uaddr_t result)
{
	struct aio_ctx *c;
	struct iocb cb;

	if (copy_from_user(&cb.key, uiocb + offsetof(struct iocb, key), sizeof(cb.key)))
		return -EFAULT;
	c = cb.key ? NULL : aio_find(ctx);
	if (c)
		aio_put(c);
	return -EINVAL;
}

/* ---- operations ---- */

/* What a read or write may be refused for at once. */
static int check_rw(const struct file *f, const struct iocb *cb, bool write)
{
	if (!(f->mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	if (write ? !f->ops->write : !f->ops->read)
		return -EINVAL;
	return cb->offset < 0 ? -EINVAL : 0;
}

/* Bytes, or an error that is the operation's result, in *@res. Return: an error that is the submission's. */
static int do_rw(struct file *f, const struct iocb *cb, bool vec, bool write, s64 *res)
{
	struct iovec_u fast[UIO_FASTIOV], *iov = fast;
	loff_t pos = cb->offset, *ppos = f->mode & FMODE_PREAD ? &pos : NULL;
	struct iov_iter it;
	size_t total = cb->nbytes;
	int r = check_rw(f, cb, write);

	if (r)
		return r;
	if (vec)
		iov = import_iov(cb->buf, cb->nbytes, fast, &total);
	else
		fast[0] = (struct iovec_u){ cb->buf, cb->nbytes };
	if (IS_ERR(iov))
		return PTR_ERR(iov);
	iov_iter_init(&it, iov, vec ? (uint)cb->nbytes : 1, total);
	*res = write ? vfs_write(f, &it, ppos, cb->rw_flags) : vfs_read(f, &it, ppos, cb->rw_flags);
	if (iov != fast)
		kfree(iov);
	return *res == -EOPNOTSUPP ? (int)*res : 0;
}

static int do_sync(struct file *f, const struct iocb *cb, s64 *res)
{
	if (cb->buf || cb->offset || cb->nbytes || cb->rw_flags || !f->ops->fsync)
		return -EINVAL;
	*res = vfs_fsync(f, cb->opcode == IOCB_CMD_FDSYNC);
	return 0;
}

static int do_op(struct file *f, const struct iocb *cb, s64 *res)
{
	switch (cb->opcode) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PWRITE:
		return do_rw(f, cb, false, cb->opcode == IOCB_CMD_PWRITE, res);
	case IOCB_CMD_PREADV:
	case IOCB_CMD_PWRITEV:
		return do_rw(f, cb, true, cb->opcode == IOCB_CMD_PWRITEV, res);
	case IOCB_CMD_FSYNC:
	case IOCB_CMD_FDSYNC:
		return do_sync(f, cb, res);
	default:
		return -EINVAL;
	}
}

/* Room for the event is reserved. */
static int submit_reserved(struct aio_ctx *ctx, const struct iocb *cb, uaddr_t uiocb)
{
	struct aio_event e = { .data = cb->data, .obj = uiocb };
	struct fd f = fdget((int)cb->fildes), note = { NULL, false };
	u32 key = 0;
	int r = f.file ? 0 : -EBADF;

	if (!r && (cb->flags & IOCB_FLAG_RESFD)) {
		note = fdget((int)cb->resfd);
		r = !note.file ? -EBADF : file_is_eventfd(note.file) ? 0 : -EINVAL;
	}
	if (!r && copy_to_user(uiocb + offsetof(struct iocb, key), &key, sizeof(key)))
		r = -EFAULT;
	if (!r)
		r = do_op(f.file, cb, &e.res);
	if (!r) {
		aio_complete(ctx, &e);
		if (note.file)
			eventfd_signal(note.file);
	}
	if (note.file)
		fdput(note);
	if (f.file)
		fdput(f);
	return r;
}

static int submit_one(struct aio_ctx *ctx, uaddr_t uiocb)
{
	struct iocb cb;
	int r;

	if (get_user_obj(&cb, uiocb))
		return -EFAULT;
	if (cb.reserved2 || (s64)cb.nbytes < 0)
		return -EINVAL;
	if (!aio_reserve(ctx))
		return -EAGAIN;
	r = submit_reserved(ctx, &cb, uiocb);
	if (r)
		aio_unreserve(ctx);
	return r;
}

long sys_io_submit(ulong id, long n, uaddr_t iocbs)
{
	struct aio_ctx *ctx;
	long done = 0;
	u64 uiocb;
	int r = 0;

	if (n < 0)
		return -EINVAL;
	ctx = aio_find(id);
	if (!ctx)
		return -EINVAL;
	for (; done < n && !r && !fatal_signal_pending(); done += !r) {
		if (get_user_obj(&uiocb, iocbs + (ulong)done * sizeof(uiocb)))
			r = -EFAULT;
		else
			r = submit_one(ctx, uiocb);
		cond_resched();
	}
	aio_put(ctx);
	return done ? done : r;
}

/* ---- completions ---- */

static long get_events(struct aio_ctx *ctx, long min, long max, uaddr_t events, u64 deadline)
{
	struct aio_event e;
	long n = 0;
	int r = 0;

	while (n < max) {
		if (aio_get(ctx, &e)) {
			if (put_user_obj(events + (ulong)n * sizeof(e), &e)) {
				aio_put_back(ctx, &e);
				r = -EFAULT;
				break;
			}
			aio_unreserve(ctx);
			n++;
			continue;
		}
		if (n >= min || !deadline)
			break;
		r = aio_wait(ctx, deadline);
		if (r)
			break;
	}
	return n ? n : r == -ETIMEDOUT ? 0 : r;
}

static long getevents(ulong id, long min, long max, uaddr_t events, u64 deadline)
{
	struct aio_ctx *ctx = aio_find(id);
	long r = -EINVAL;

	if (!ctx)
		return r;
	if (min >= 0 && min <= max)
		r = get_events(ctx, min, max, events, deadline);
	aio_put(ctx);
	return r;
}

/* A time that is none is over at once. 0 in *@deadline: do not wait. */
static int get_deadline(uaddr_t utimeout, u64 *deadline)
{
	int r = deadline_from_user(utimeout, deadline);

	if (r == -EINVAL)
		*deadline = 0;
	return r == -EINVAL ? 0 : r;
}

long sys_io_getevents(ulong ctx, long min, long max, uaddr_t events, uaddr_t timeout)
{
	u64 deadline;
	int r = get_deadline(timeout, &deadline);

	return r ? r : getevents(ctx, min, max, events, deadline);
}

struct aio_sigset {
	uaddr_t mask;
	size_t size;
};

long sys_io_pgetevents(ulong ctx, long min, long max, uaddr_t events, uaddr_t timeout, uaddr_t usig)
{
	struct aio_sigset sig = { 0, 0 };
	u64 deadline;
	long r = get_deadline(timeout, &deadline);

	if (!r && usig && get_user_obj(&sig, usig))
		r = -EFAULT;
	if (!r)
		r = sig_set_temp_mask(sig.mask, sig.size);
	if (r)
		return r;
	r = getevents(ctx, min, max, events, deadline);
	sig_end_temp_mask(r == -EINTR);
	return r;
}

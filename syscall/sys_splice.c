/* SPDX-License-Identifier: MIT */
/*
 * sendfile, splice, tee, vmsplice, copy_file_range. Source: the man page of each.
 */
#include <fs/internal.h>
#include <fs/splice.h>
#include <syscall/proto.h>

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* Two files; both or none. */
struct pair {
	struct fd in, out;
};

static int get_pair(struct pair *p, fd_t in, fd_t out)
{
	p->in = fdget(in);
	if (!p->in.file)
		return -EBADF;
	p->out = fdget(out);
	if (p->out.file)
		return 0;
	fdput(p->in);
	return -EBADF;
}

static void put_pair(struct pair *p)
{
	fdput(p->out);
	fdput(p->in);
}

long sys_sendfile(fd_t out, fd_t in, uaddr_t uoff, size_t n)
{
	struct pair p;
	loff_t off;
	long r;

	if (uoff && get_user_obj(&off, uoff))
		return -EFAULT;
	r = get_pair(&p, in, out);
	if (r)
		return r;
	r = do_sendfile(p.in.file, uoff ? &off : NULL, p.out.file, n);
	put_pair(&p);
	if (uoff && r >= 0 && put_user_obj(uoff, &off))
		r = -EFAULT;
	return r;
}

/* The offset argument of a file that is no pipe: copied in when given. A pipe takes none. */
static int get_offset(uaddr_t uoff, const struct file *f, const struct pipe *pipe, loff_t *off)
{
	if (!uoff)
		return 0;
	if (pipe)
		return -ESPIPE;
	if (!(f->mode & FMODE_PREAD))
		return -EINVAL;
	return get_user_obj(off, uoff);
}

/* Eventfds, timerfds and what else has no place in the tree take no part. */
static bool can_splice(const struct file *f)
{
	return f->inode->mode & S_IFMT;
}

static long splice_files(struct file *in, loff_t *ioff, struct file *out, loff_t *ooff, size_t n,
			 bool nonblock)
{
	struct pipe *ip = pipe_of(in), *op = pipe_of(out);

	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if (!can_splice(in) || !can_splice(out))
		return -EINVAL;
	if (ip && op)
		return splice_pipes(ip, op, n, false,
				    nonblock || ((in->flags | out->flags) & O_NONBLOCK));
	if (ip)
		return !out->ops->write || (out->flags & O_APPEND)
			       ? -EINVAL
			       : splice_from_pipe(ip, out, ooff, n,
						  nonblock || (in->flags & O_NONBLOCK));
	if (op)
		return !in->ops->read ? -EINVAL
				      : splice_to_pipe(in, ioff, op, n,
						       nonblock || (out->flags & O_NONBLOCK));
	return -EINVAL;
}

long sys_splice(fd_t in, uaddr_t uioff, fd_t out, uaddr_t uooff, size_t n, uint flags)
{
	loff_t ioff, ooff;
	struct pair p;
	long r;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!n)
		return 0;
	r = get_pair(&p, in, out);
	if (r)
		return r;
	r = get_offset(uioff, p.in.file, pipe_of(p.in.file), &ioff);
	if (!r)
		r = get_offset(uooff, p.out.file, pipe_of(p.out.file), &ooff);
	if (!r)
		r = splice_files(p.in.file, uioff ? &ioff : NULL, p.out.file, uooff ? &ooff : NULL,
				 n, flags & SPLICE_F_NONBLOCK);
	put_pair(&p);
	if (r >= 0 && uioff && put_user_obj(uioff, &ioff))
		r = -EFAULT;
	if (r >= 0 && uooff && put_user_obj(uooff, &ooff))
		r = -EFAULT;
	return r;
}

long sys_tee(fd_t in, fd_t out, size_t n, uint flags)
{
	struct pipe *ip, *op;
	struct pair p;
	long r;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!n)
		return 0;
	r = get_pair(&p, in, out);
	if (r)
		return r;
	ip = pipe_of(p.in.file);
	op = pipe_of(p.out.file);
	if (!(p.in.file->mode & FMODE_READ) || !(p.out.file->mode & FMODE_WRITE))
		r = -EBADF;
	else if (!ip || !op)
		r = -EINVAL;
	else
		r = splice_pipes(ip, op, n, true, flags & SPLICE_F_NONBLOCK);
	put_pair(&p);
	return r;
}

/* Pages are copied, not gifted: the caller may not tell the difference. */
long sys_vmsplice(fd_t fd, uaddr_t vec, ulong n, uint flags)
{
	struct fd f;
	bool write;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	write = f.file->mode & FMODE_WRITE;
	if (!pipe_of(f.file)) {
		fdput(f);
		return -EBADF;
	}
	fdput(f);
	return write ? sys_pwritev2(fd, vec, n, -1, 0, flags & SPLICE_F_NONBLOCK ? RWF_NOWAIT : 0)
		     : sys_preadv2(fd, vec, n, -1, 0, flags & SPLICE_F_NONBLOCK ? RWF_NOWAIT : 0);
}

long sys_copy_file_range(fd_t in, uaddr_t uioff, fd_t out, uaddr_t uooff, size_t n, uint flags)
{
	loff_t ioff, ooff;
	struct pair p;
	long r;

	if (flags)
		return -EINVAL;
	r = get_pair(&p, in, out);
	if (r)
		return r;
	ioff = p.in.file->pos;
	ooff = p.out.file->pos;
	if ((uioff && get_user_obj(&ioff, uioff)) || (uooff && get_user_obj(&ooff, uooff))) {
		put_pair(&p);
		return -EFAULT;
	}
	r = do_copy_range(p.in.file, &ioff, p.out.file, &ooff, n);
	if (r > 0 && !uioff)
		p.in.file->pos = ioff;
	if (r > 0 && !uooff)
		p.out.file->pos = ooff;
	put_pair(&p);
	if (r > 0 && uioff && put_user_obj(uioff, &ioff))
		r = -EFAULT;
	if (r > 0 && uooff && put_user_obj(uooff, &ooff))
		r = -EFAULT;
	return r;
}

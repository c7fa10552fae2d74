/* SPDX-License-Identifier: MIT */
/*
 * Moving data between files inside the kernel: sendfile, splice, tee, copy_file_range.
 *
 * Between two pipes buffers change hands without a copy; a pipe's buffers are written to a file from where they are; from a
 * file data is read into fresh pages. Files that are no pipes are copied through one buffer.
 * Locking: two pipes' locks in the order of their addresses; a pipe's lock is not held over reading or writing a file, so a
 * buffer that is being written out is pinned by a reference and taken off only afterwards, as far as it was written.
 * Source: sendfile(2), splice(2), tee(2), copy_file_range(2).
 */
#include <fs/internal.h>
#include <fs/pipe.h>
#include <fs/splice.h>
#include <uapi/uio.h>

#define COPY_CHUNK 65536u

/* ---- file to file ---- */

static void kernel_iter(struct iov_iter *it, struct iovec_u *iov, void *buf, size_t n)
{
	*iov = (struct iovec_u){ (uaddr_t)buf, n };
	iov_iter_init(it, iov, 1, n);
	it->kernel = true;
}

static ssize_t read_chunk(struct file *f, loff_t *pos, void *buf, size_t n, bool nowait)
{
	struct iovec_u iov;
	struct iov_iter it;

	kernel_iter(&it, &iov, buf, n);
	return vfs_read(f, &it, pos, nowait && (f->mode & FMODE_NOWAIT) ? RWF_NOWAIT : 0);
}

static ssize_t write_chunk(struct file *f, loff_t *pos, void *buf, size_t n)
{
	struct iovec_u iov;
	struct iov_iter it;

	kernel_iter(&it, &iov, buf, n);
	return vfs_write(f, &it, pos, 0);
}

/* Write all of it unless the file takes no more. Bytes written, or -Exxx if none. */
static ssize_t write_fully(struct file *f, loff_t *pos, char *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w = write_chunk(f, pos, buf + done, n - done);

		if (w <= 0)
			return done ? (ssize_t)done : w;
		done += (size_t)w;
		if (signal_pending())
			break;
	}
	return (ssize_t)done;
}

/* @ipos is never NULL; it moves by what was written, so that nothing is lost. @opos NULL: the file's own position. */
ssize_t file_copy_bytes(struct file *in, loff_t *ipos, struct file *out, loff_t *opos, size_t n)
{
	char *buf = kmalloc(min_t(size_t, n, COPY_CHUNK), GFP_KERNEL);
	ssize_t done = 0, r = 0;

	if (!buf)
		return -ENOMEM;
	while (n) {
		loff_t at = *ipos;
		ssize_t w;

		r = read_chunk(in, &at, buf, min_t(size_t, n, COPY_CHUNK), false);
		if (r <= 0)
			break;
		w = write_fully(out, opos, buf, (size_t)r);
		if (w > 0) {
			*ipos += w;
			done += w;
			n -= (size_t)w;
		}
		if (w < r || signal_pending()) {
			r = w < 0 ? w : 0;
			break;
		}
		cond_resched();
	}
	kfree(buf);
	return done ? done : r;
}

static bool is_dir(const struct file *f)
{
	return S_ISDIR(f->inode->mode);
}

ssize_t do_sendfile(struct file *in, loff_t *pos, struct file *out, size_t n)
{
	loff_t ipos = pos ? *pos : in->pos;
	ssize_t r;

	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if (is_dir(in) || !in->ops->read || !out->ops->write || (out->flags & O_APPEND))
		return -EINVAL;
	if (pos && !(in->mode & FMODE_PREAD))
		return -ESPIPE;
	/* What was read and could not be written must be readable again. */
	if (!(in->mode & FMODE_LSEEK) || ipos < 0)
		return -EINVAL;
	n = min_t(size_t, n, (size_t)INT_MAX &PAGE_MASK);
	r = n ? file_copy_bytes(in, &ipos, out, NULL, n) : 0;
	if (pos)
		*pos = ipos;
	else if (!(in->mode & FMODE_NOPOS))
		in->pos = ipos;
	return r;
}

int check_copy_files(const struct file *in, const struct file *out)
{
	if (is_dir(in) || is_dir(out))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE) || (out->flags & O_APPEND))
		return -EBADF;
	return 0;
}

ssize_t do_copy_range(struct file *in, loff_t *ipos, struct file *out, loff_t *opos, size_t n)
{
	u64 end;
	int r = check_copy_files(in, out);

	if (r)
		return r;
	if (in->inode->sb != out->inode->sb)
		return -EXDEV;
	if (add_overflow((u64)*ipos, n, &end) || add_overflow((u64)*opos, n, &end))
		return -EOVERFLOW;
	n = (u64)*ipos >= in->inode->size ? 0 : (size_t)min_t(u64, n, in->inode->size - (u64)*ipos);
	r = n ? inode_write_limit(out->inode, (u64)*opos, &n) : 0;
	if (r)
		return r;
	if (in->inode == out->inode && (u64)*ipos < (u64)*opos + n && (u64)*opos < (u64)*ipos + n)
		return -EINVAL;
	if (*ipos < 0 || *opos < 0)
		return -EINVAL;
	n = min_t(size_t, n, (size_t)INT_MAX &PAGE_MASK);
	if (!n)
		return 0;
	return file_copy_bytes(in, ipos, out, opos, n);
}

/* ---- pipe to file ---- */

/* Take @n bytes off the first buffer, which is still @page's. */
static void consume(struct pipe *p, struct page *page, size_t n)
{
	struct pipe_buf *b;

	mutex_lock(&p->lock);
	b = pipe_buf_at(p, p->tail);
	if (p->tail != p->head && b->page == page) {
		b->off += (u32)n;
		b->len -= (u32)n;
		if (!b->len)
			pipe_pop(p);
	}
	mutex_unlock(&p->lock);
	pipe_wake_writers(p);
}

ssize_t splice_from_pipe(struct pipe *p, struct file *out, loff_t *pos, size_t n, bool nonblock)
{
	ssize_t done = 0, r = 0;

	while (n) {
		struct pipe_buf b;

		mutex_lock(&p->lock);
		b = *pipe_buf_at(p, p->tail);
		if (p->tail == p->head) {
			bool eof = !p->writers;

			mutex_unlock(&p->lock);
			if (done || eof)
				break;
			r = pipe_wait_readable(p, nonblock);
			if (r)
				break;
			continue;
		}
		page_get(b.page);
		mutex_unlock(&p->lock);
		r = write_fully(out, pos, (char *)page_to_virt(b.page) + b.off,
				min_t(size_t, b.len, n));
		if (r > 0) {
			consume(p, b.page, (size_t)r);
			done += r;
			n -= (size_t)r;
		}
		page_put(b.page);
		if (r <= 0 || signal_pending())
			break;
	}
	return done ? done : r;
}

/* ---- file to pipe ---- */

ssize_t splice_to_pipe(struct file *in, loff_t *pos, struct pipe *p, size_t n, bool nonblock)
{
	ssize_t done = 0, r = 0;

	while (n) {
		struct page *page;
		bool pushed;

		r = pipe_wait_writable(p, nonblock || done);
		if (r)
			break;
		page = page_alloc(GFP_KERNEL | GFP_USER, 0);
		r = page ? read_chunk(in, pos, page_to_virt(page), min_t(size_t, n, PAGE_SIZE),
				      nonblock || done)
			 : -ENOMEM;
		if (r <= 0) {
			if (page)
				page_put(page);
			break;
		}
		/* Room was there; if a writer took it meanwhile, wait for it again rather than lose what was read. */
		while (!(pushed = pipe_push(p, &(struct pipe_buf){ page, 0, (u32)r, 0 })) &&
		       !pipe_wait_writable(p, false))
			;
		if (!pushed) {
			page_put(page);
			r = -EPIPE;
			break;
		}
		done += r;
		n -= (size_t)r;
		if ((size_t)r < PAGE_SIZE || signal_pending())
			break;
	}
	return done ? done : r;
}

/* ---- pipe to pipe ---- */

static void lock_pipes(struct pipe *a, struct pipe *b)
{
	if (a > b)
		swap(a, b);
	mutex_lock(&a->lock);
	mutex_lock(&b->lock);
}

static void unlock_pipes(struct pipe *a, struct pipe *b)
{
	mutex_unlock(&a->lock);
	mutex_unlock(&b->lock);
}

/* Hand buffers over (or, @dup, share them) while both allow. Bytes. Both locks held. */
static size_t move_buffers(struct pipe *in, struct pipe *out, size_t n, bool dup)
{
	size_t done = 0;

	for (u32 i = in->tail; n && i != in->head && out->head - out->tail < out->nbufs; i++) {
		struct pipe_buf *b = pipe_buf_at(in, i), *o = pipe_buf_at(out, out->head);
		u32 len = (u32)min_t(size_t, b->len, n);

		*o = (struct pipe_buf){ b->page, b->off, len, b->flags };
		out->head++;
		done += len;
		n -= len;
		if (!dup && len == b->len) {
			in->tail++; /* the reference goes along */
			continue;
		}
		page_get(b->page);
		b->flags |= PIPE_BUF_SHARED;
		o->flags |= PIPE_BUF_SHARED;
		if (!dup) {
			b->off += len;
			b->len -= len;
		}
	}
	return done;
}

ssize_t splice_pipes(struct pipe *in, struct pipe *out, size_t n, bool dup, bool nonblock)
{
	size_t done;
	int r;

	if (in == out)
		return -EINVAL;
	for (;;) {
		bool eof;

		r = pipe_wait_readable(in, nonblock);
		if (!r)
			r = pipe_wait_writable(out, nonblock);
		if (r)
			return r;
		lock_pipes(in, out);
		done = out->readers ? move_buffers(in, out, n, dup) : 0;
		eof = in->head == in->tail && !in->writers;
		unlock_pipes(in, out);
		if (done || eof)
			break;
	}
	if (done) {
		pipe_wake_readers(out);
		if (!dup)
			pipe_wake_writers(in);
	}
	return (ssize_t)done;
}

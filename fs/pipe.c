/* SPDX-License-Identifier: MIT */
/*
 * Pipes and FIFOs.
 *
 * A pipe is a ring of buffers, each a page with an offset and a length. A write of up to PIPE_BUF bytes is atomic: it goes in
 * whole or waits. One page is kept back when a buffer becomes empty, so that small messages neither allocate nor free.
 * With O_DIRECT each write is a packet of its own.
 *
 * Locking: pipe->lock (mutex) for the ring and the counts. Sleepers wait on rd_wait and wr_wait with exclusive waiters:
 * a write wakes one reader, and who leaves data behind passes the wake-up on.
 * Source: pipe(2), pipe(7), fifo(7), fcntl(2).
 */
#include <fs/internal.h>
#include <fs/pipe.h>
#include <uapi/capability.h>
#include <uapi/poll.h>

#define DEFAULT_BUFS 16u
#define MAX_SIZE     (1u << 20)

unsigned int pipe_max_size = MAX_SIZE;
static struct super *pipe_super;
static const struct file_ops pipe_ops;

static int pipe_statfs(struct super *sb, struct statfs *st)
{
	return 0;
}

static const struct super_ops pipe_super_ops = { .statfs = pipe_statfs };

static int pipe_fill(struct super *sb, const char *source, const char *data)
{
	sb->ops = &pipe_super_ops;
	sb->magic = PIPEFS_MAGIC;
	return 0;
}

static struct fs_type pipe_type = {
	.name = "pipefs", .nodev = true, .fill = pipe_fill, .single = true
};

void pipe_init(void)
{
	fs_type_register(&pipe_type);
	pipe_super = super_create(&pipe_type, NULL, NULL);
	if (IS_ERR(pipe_super))
		panic("pipefs: no memory");
}

struct pipe *pipe_alloc(void)
{
	struct pipe *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return NULL;
	p->nbufs = DEFAULT_BUFS;
	p->bufs = p->inline_bufs;
	mutex_init(&p->lock);
	waitq_init(&p->rd_wait);
	waitq_init(&p->wr_wait);
	return p;
}

void pipe_free(struct pipe *p)
{
	while (p->tail != p->head)
		page_put(pipe_buf_at(p, p->tail++)->page);
	if (p->spare)
		page_put(p->spare);
	if (p->bufs != p->inline_bufs)
		kfree(p->bufs);
	kfree(p);
}

/* ---- the ring; lock held ---- */

static struct page *take_page(struct pipe *p)
{
	struct page *page = p->spare;

	p->spare = NULL;
	return page ? page : page_alloc(GFP_KERNEL | GFP_USER, 0);
}

/* The oldest buffer is used up. */
void pipe_pop(struct pipe *p)
{
	struct page *page = pipe_buf_at(p, p->tail)->page;

	p->tail++;
	if (!p->spare && page_count(page) == 1)
		p->spare = page;
	else
		page_put(page);
}

/* Room for @n bytes without a new buffer: the last one, when it is not a packet and its page is ours alone. */
static struct pipe_buf *mergeable(struct pipe *p, size_t n)
{
	struct pipe_buf *b;

	if (p->head == p->tail)
		return NULL;
	b = pipe_buf_at(p, p->head - 1);
	if ((b->flags & (PIPE_BUF_PACKET | PIPE_BUF_SHARED)) || b->off + b->len + n > PAGE_SIZE)
		return NULL;
	return b;
}

static size_t bytes_in(struct pipe *p)
{
	size_t n = 0;

	for (u32 i = p->tail; i != p->head; i++)
		n += pipe_buf_at(p, i)->len;
	return n;
}

/* ---- reading ---- */

static ssize_t read_ring(struct pipe *p, struct iov_iter *to)
{
	ssize_t done = 0;

	while (to->count && p->tail != p->head) {
		struct pipe_buf *b = pipe_buf_at(p, p->tail);
		size_t n = min_t(size_t, b->len, to->count);
		size_t got = iov_iter_to(to, (char *)page_to_virt(b->page) + b->off, n);
		bool packet = b->flags & PIPE_BUF_PACKET;

		b->off += (u32)got;
		b->len -= (u32)got;
		done += (ssize_t)got;
		if (got < n)
			return done ? done : -EFAULT;
		if (!b->len || packet) /* the rest of a packet is lost */
			pipe_pop(p);
		if (packet)
			break;
	}
	return done;
}

static bool pipe_readable(void *arg)
{
	struct pipe *p = arg;

	return READ_ONCE(p->head) != READ_ONCE(p->tail) || !READ_ONCE(p->writers);
}

static bool pipe_writable(void *arg)
{
	struct pipe *p = arg;

	return READ_ONCE(p->head) - READ_ONCE(p->tail) < READ_ONCE(p->nbufs) ||
	       !READ_ONCE(p->readers);
}

static int pipe_wait(struct waitq *q, bool (*ready)(void *arg), struct pipe *p)
{
	return waitq_wait(q, ready, p, U64_MAX, true);
}

void pipe_wake_readers(struct pipe *p)
{
	if (waitq_active(&p->rd_wait))
		waitq_wake(&p->rd_wait, 1, POLLIN | POLLRDNORM);
}

void pipe_wake_writers(struct pipe *p)
{
	if (waitq_active(&p->wr_wait))
		waitq_wake(&p->wr_wait, 1, POLLOUT | POLLWRNORM);
}

static ssize_t pipe_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct pipe *p = f->priv;
	bool was_full, more;
	ssize_t r;

	if (!to->count)
		return 0;
	for (;;) {
		mutex_lock(&p->lock);
		was_full = p->head - p->tail == p->nbufs;
		r = read_ring(p, to);
		more = p->head != p->tail;
		if (r || !p->writers)
			break;
		mutex_unlock(&p->lock);
		if ((f->flags & O_NONBLOCK) || (flags & RWF_NOWAIT))
			return -EAGAIN;
		r = pipe_wait(&p->rd_wait, pipe_readable, p);
		if (r)
			return r;
	}
	mutex_unlock(&p->lock);
	if (was_full)
		pipe_wake_writers(p);
	if (more)
		pipe_wake_readers(p);
	if (r > 0)
		file_accessed(f);
	return r;
}

/* ---- writing ---- */

/* Put bytes in until the ring is full. @atomic: all or nothing. Bytes (0: no room), or -Exxx. */
static ssize_t write_ring(struct pipe *p, struct iov_iter *from, bool packet)
{
	size_t tail_part = from->count & (PAGE_SIZE - 1);
	struct pipe_buf *b = packet || !tail_part ? NULL : mergeable(p, tail_part);
	ssize_t done = 0;

	if (b) {
		size_t got = iov_iter_from(from, (char *)page_to_virt(b->page) + b->off + b->len,
					   tail_part);

		b->len += (u32)got;
		done = (ssize_t)got;
		if (got < tail_part)
			return done ? done : -EFAULT;
	}
	while (from->count && p->head - p->tail < p->nbufs) {
		struct page *page = take_page(p);
		size_t n = min_t(size_t, from->count, PAGE_SIZE), got;

		if (!page)
			return done ? done : -ENOMEM;
		got = iov_iter_from(from, page_to_virt(page), n);
		if (!got) {
			p->spare = page;
			return done ? done : -EFAULT;
		}
		*pipe_buf_at(p, p->head) =
			(struct pipe_buf){ page, 0, (u32)got, packet ? PIPE_BUF_PACKET : 0 };
		p->head++;
		done += (ssize_t)got;
		if (got < n)
			break;
	}
	return done;
}

static ssize_t no_reader(void)
{
	sig_send_self(SIGPIPE);
	return -EPIPE;
}

static ssize_t pipe_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct pipe *p = f->priv;
	bool packet = f->flags & O_DIRECT;
	ssize_t done = 0, r = 0;

	if (!from->count)
		return 0;
	for (;;) {
		size_t tail_part = from->count & (PAGE_SIZE - 1);
		bool was_empty, fits;

		mutex_lock(&p->lock);
		if (!p->readers) {
			mutex_unlock(&p->lock);
			r = no_reader();
			break;
		}
		was_empty = p->head == p->tail;
		/* Up to PIPE_BUF bytes need at most one buffer: atomic when one is free, or the last has room. */
		fits = p->head - p->tail < p->nbufs ||
		       (!packet && tail_part && mergeable(p, tail_part));
		r = fits ? write_ring(p, from, packet) : 0;
		mutex_unlock(&p->lock);
		if (r > 0) {
			done += r;
			if (was_empty || p->polled)
				pipe_wake_readers(p);
		}
		if (r < 0 || !from->count)
			break;
		if ((f->flags & O_NONBLOCK) || (flags & RWF_NOWAIT)) {
			r = -EAGAIN;
			break;
		}
		if (r > 0 && !was_empty)
			pipe_wake_readers(p);
		r = pipe_wait(&p->wr_wait, pipe_writable, p);
		if (r)
			break;
	}
	if (done) {
		inode_touch(f->inode, ATTR_MTIME | ATTR_CTIME);
		if (pipe_writable(p))
			pipe_wake_writers(p);
		return done;
	}
	return r;
}

/* ---- for splice ---- */

int pipe_wait_readable(struct pipe *p, bool nonblock)
{
	if (pipe_readable(p))
		return 0;
	return nonblock ? -EAGAIN : pipe_wait(&p->rd_wait, pipe_readable, p);
}

int pipe_wait_writable(struct pipe *p, bool nonblock)
{
	int r = 0;

	if (!pipe_writable(p))
		r = nonblock ? -EAGAIN : pipe_wait(&p->wr_wait, pipe_writable, p);
	return !r && !READ_ONCE(p->readers) ? (int)no_reader() : r;
}

bool pipe_push(struct pipe *p, const struct pipe_buf *b)
{
	bool fits;

	mutex_lock(&p->lock);
	fits = p->readers && p->head - p->tail < p->nbufs;
	if (fits)
		*pipe_buf_at(p, p->head++) = *b;
	mutex_unlock(&p->lock);
	if (fits)
		pipe_wake_readers(p);
	return fits;
}

/* The writer becomes a reader for a while: the true readers meet the end of the data, and the pipe tells when it is the last. */
void pipe_wait_unread(struct pipe *p)
{
	mutex_lock(&p->lock);
	p->readers++;
	p->writers--;
	mutex_unlock(&p->lock);
	waitq_wake_poll(&p->rd_wait, POLLIN | POLLRDNORM | POLLHUP);
	(void)wait_event_interruptible(&p->rd_wait, READ_ONCE(p->readers) == 1);
	mutex_lock(&p->lock);
	p->readers--;
	p->writers++;
	mutex_unlock(&p->lock);
}

/* ---- the rest ---- */

static u32 poll_either(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->priv;
	u32 mask = 0, head, tail;

	if (pt && pt->queue)
		WRITE_ONCE(p->polled, true);
	if (f->mode & FMODE_READ)
		poll_wait(f, &p->rd_wait, pt);
	if (f->mode & FMODE_WRITE)
		poll_wait(f, &p->wr_wait, pt);
	head = READ_ONCE(p->head);
	tail = READ_ONCE(p->tail);
	if (f->mode & FMODE_READ) {
		if (head != tail)
			mask |= POLLIN | POLLRDNORM;
		if (!READ_ONCE(p->writers) && f->owner_seen != READ_ONCE(p->writer_opens))
			mask |= POLLHUP;
	}
	if (f->mode & FMODE_WRITE) {
		if (head - tail < READ_ONCE(p->nbufs))
			mask |= POLLOUT | POLLWRNORM;
		if (!READ_ONCE(p->readers))
			mask |= POLLERR;
	}
	return mask;
}

/* Nothing to register, and the file is one end: the case that loops over many descriptors meet. */
static u32 pipe_poll(struct file *f, struct poll_table *pt)
{
	const struct pipe *p = f->priv;
	u32 mask = 0, head, tail;

	if ((pt && pt->queue) || (f->mode & (FMODE_READ | FMODE_WRITE)) != FMODE_READ)
		return poll_either(f, pt);
	head = READ_ONCE(p->head);
	tail = READ_ONCE(p->tail);
	if (head != tail)
		mask = POLLIN | POLLRDNORM;
	if (!READ_ONCE(p->writers) && f->owner_seen != READ_ONCE(p->writer_opens))
		mask |= POLLHUP;
	return mask;
}

static long pipe_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct pipe *p = f->priv;
	int n;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->lock);
	n = (int)bytes_in(p);
	mutex_unlock(&p->lock);
	return put_user_obj((uaddr_t)arg, &n);
}

size_t pipe_round_size(size_t size)
{
	size_t rounded = PAGE_SIZE;

	while (rounded < size)
		rounded *= 2;
	return rounded;
}

/* F_SETPIPE_SZ: the ring grows or shrinks to a power of two of pages. */
static long pipe_set_size(struct pipe *p, unsigned long size)
{
	u32 nbufs, used;
	struct pipe_buf *bufs;

	if (size > (1ul << 31))
		return -EINVAL;
	nbufs = (u32)(pipe_round_size(size) / PAGE_SIZE);
	if ((size_t)nbufs * PAGE_SIZE > pipe_max_size && nbufs > p->nbufs &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	bufs = kcalloc(nbufs, sizeof(*bufs), GFP_KERNEL);
	if (!bufs)
		return -ENOMEM;
	mutex_lock(&p->lock);
	used = p->head - p->tail;
	if (used > nbufs) {
		mutex_unlock(&p->lock);
		kfree(bufs);
		return -EBUSY;
	}
	for (u32 i = 0; i < used; i++)
		bufs[i] = *pipe_buf_at(p, p->tail + i);
	if (p->bufs != p->inline_bufs)
		kfree(p->bufs);
	p->bufs = bufs;
	p->tail = 0;
	p->head = used;
	WRITE_ONCE(p->nbufs, nbufs);
	mutex_unlock(&p->lock);
	waitq_wake_poll(&p->wr_wait, POLLOUT | POLLWRNORM);
	return (long)(nbufs * PAGE_SIZE);
}

static int pipe_fcntl(struct file *f, unsigned int cmd, unsigned long arg, long *ret)
{
	struct pipe *p = f->priv;

	if (cmd == F_GETPIPE_SZ)
		*ret = (long)(p->nbufs * PAGE_SIZE);
	else if (cmd == F_SETPIPE_SZ)
		*ret = pipe_set_size(p, arg);
	else
		return -ENOTTY;
	return 0;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->priv;
	bool gone;

	mutex_lock(&p->lock);
	if (f->mode & FMODE_READ)
		p->readers--;
	if (f->mode & FMODE_WRITE)
		p->writers--;
	gone = !p->readers || !p->writers;
	mutex_unlock(&p->lock);
	if (gone) { /* everyone is to see the end */
		waitq_wake_poll(&p->rd_wait, POLLIN | POLLRDNORM | POLLHUP | POLLERR);
		waitq_wake_poll(&p->wr_wait, POLLOUT | POLLWRNORM | POLLERR | POLLHUP);
	}
}

static const struct file_ops pipe_ops = {
	.async = true,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.fcntl = pipe_fcntl,
	.release = pipe_release,
};

struct pipe *pipe_of(struct file *f)
{
	return f->ops == &pipe_ops ? f->priv : NULL;
}

/* A new pipe's two files. */
int pipe_create(struct file *out[2], unsigned int flags)
{
	struct inode *inode = inode_new(pipe_super, NULL, S_IFIFO | S_IRUSR | S_IWUSR);
	char name[32];

	if (!inode)
		return -ENOMEM;
	inode->fops = &fifo_ops; /* reopened through /proc */
	inode->pipe = pipe_alloc();
	if (!inode->pipe) {
		inode_put(inode);
		return -ENOMEM;
	}
	inode->pipe->readers = inode->pipe->writers = inode->pipe->writer_opens = 1;
	snprintf(name, sizeof(name), "pipe:[%llu]", inode->ino);
	out[0] = anon_inode_file(inode_get(inode), name, &pipe_ops, inode->pipe,
				 O_RDONLY | (flags & O_NONBLOCK));
	if (IS_ERR(out[0])) {
		inode_put(inode);
		return (int)PTR_ERR(out[0]);
	}
	out[1] = anon_inode_file(inode, name, &pipe_ops, out[0]->priv,
				 O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)));
	if (IS_ERR(out[1])) {
		file_put(out[0]);
		return (int)PTR_ERR(out[1]);
	}
	out[0]->mode |= FMODE_NOWAIT;
	out[1]->mode |= FMODE_NOWAIT;
	return 0;
}

/* ---- FIFOs ---- */

static struct pipe *fifo_pipe(struct inode *inode)
{
	rwsem_down_write(&inode->lock);
	if (!inode->pipe) {
		inode->pipe = pipe_alloc();
		if (inode->pipe)
			inode->pipe->named = true;
	}
	rwsem_up_write(&inode->lock);
	return inode->pipe;
}

/* Wait until the other side was opened once more than *@opens said before. */
static int wait_for_partner(struct pipe *p, struct waitq *q, u32 *opens, u32 before)
{
	int r;

	mutex_unlock(&p->lock);
	r = wait_event_interruptible(q, READ_ONCE(*opens) != before);
	mutex_lock(&p->lock);
	return READ_ONCE(*opens) != before ? 0 : r;
}

static int fifo_open_read(struct pipe *p, struct file *f)
{
	p->reader_opens++;
	if (p->readers++ == 0)
		waitq_wake_all(&p->wr_wait);
	if (p->writers || !p->named)
		return 0;
	if (f->flags & O_NONBLOCK) {
		f->owner_seen = p->writer_opens; /* no POLLHUP before a writer has been there */
		return 0;
	}
	return wait_for_partner(p, &p->rd_wait, &p->writer_opens, p->writer_opens);
}

static int fifo_open_write(struct pipe *p, struct file *f)
{
	if (p->named && (f->flags & O_NONBLOCK) && !p->readers)
		return -ENXIO;
	p->writer_opens++;
	if (p->writers++ == 0)
		waitq_wake_all(&p->rd_wait);
	if (p->readers || !p->named)
		return 0;
	return wait_for_partner(p, &p->wr_wait, &p->reader_opens, p->reader_opens);
}

static int fifo_open(struct inode *inode, struct file *f)
{
	struct pipe *p = fifo_pipe(inode);
	u32 rw = f->mode & (FMODE_READ | FMODE_WRITE);
	int r = 0;

	if (!p)
		return -ENOMEM;
	f->ops = &pipe_ops;
	f->priv = p;
	f->mode = (f->mode & ~(FMODE_LSEEK | FMODE_PREAD)) | FMODE_NOPOS | FMODE_NOWAIT;
	mutex_lock(&p->lock);
	if (rw == FMODE_READ) {
		r = fifo_open_read(p, f);
		if (r)
			p->readers--;
	} else if (rw == FMODE_WRITE) {
		r = fifo_open_write(p, f);
		if (r && r != -ENXIO)
			p->writers--;
	} else {
		p->readers++;
		p->writers++;
		p->reader_opens++;
		p->writer_opens++;
		waitq_wake_all(&p->rd_wait);
		waitq_wake_all(&p->wr_wait);
	}
	mutex_unlock(&p->lock);
	return r;
}

const struct file_ops fifo_ops = { .open = fifo_open };

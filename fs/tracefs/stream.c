/* SPDX-License-Identifier: MIT */
/*
 * trace, trace_pipe, snapshot, trace_marker and trace_marker_raw.
 *
 * A reader has an iterator over the rings and a buffer of text. Records are printed into the buffer under trace_mutex until it is
 * full; it is copied out without that lock, and what the program did not take waits there for its next read.
 * Locking: the stream's own mutex, outside trace_mutex.
 */
#include <fs/tracefs/tracefs.h>
#include <uapi/poll.h>

#define TEXT_SIZE   8192u
#define MARKER_MAX  1024u

struct stream {
	struct mutex lock;
	struct trace_iter *it;
	loff_t pos;	   /* of the next byte; trace can be read anew from 0 */
	bool header_shown; /* trace */
	bool read_any;	   /* trace_pipe */
	size_t len, taken; /* of text */
	char text[TEXT_SIZE];
};

static struct stream *stream_create(const struct tracefs_node *n, bool consuming, bool snapshot)
{
	struct stream *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return ERR_PTR(-ENOMEM);
	mutex_init(&s->lock);
	s->it = trace_iter_create(n->in, n->cpu, consuming, snapshot);
	if (IS_ERR(s->it)) {
		int r = PTR_ERR(s->it);

		kfree(s);
		return ERR_PTR(r);
	}
	return s;
}

static int stream_open_as(struct inode *i, struct file *f, bool consuming, bool snapshot)
{
	int r = tracefs_use(tracefs_node(i));

	if (r)
		return r;
	f->priv = stream_create(tracefs_node(i), consuming, snapshot);
	if (IS_ERR(f->priv))
		tracefs_unuse(tracefs_node(i));
	return PTR_ERR_OR_ZERO(f->priv);
}

static void stream_release(struct file *f)
{
	struct stream *s = f->priv;

	trace_iter_free(s->it);
	kfree(s);
	tracefs_unuse(tracefs_node(f->inode));
}

/* Print records until the buffer is full or there are no more. A single one that does not fit is cut. trace_mutex held. */
static void print_records(struct stream *s, struct printbuf *pb)
{
	struct trace_cursor *c;

	while ((c = trace_iter_next(s->it))) {
		size_t before = pb->len;

		trace_show_record(pb, s->it->in, c);
		if (printbuf_overflowed(pb) && before) {
			pb->len = before;
			break;
		}
		trace_iter_done(s->it, c);
		if (printbuf_overflowed(pb)) {
			s->text[TEXT_SIZE - 2] = '\n';
			break;
		}
	}
}

static void show_no_snapshot(struct printbuf *pb, bool made)
{
	printbuf_puts(pb, "# tracer: nop\n#\n#\n");
	printbuf_puts(pb,
		      made ? "# * Snapshot is allocated *\n#\n" : "# * Snapshot is freed *\n#\n");
	printbuf_puts(pb, "# Write 1 to allocate and take one, another number but 0 to clear it, 0 "
			  "to free it.\n");
}

static void refill(struct stream *s, bool header)
{
	struct printbuf pb;

	printbuf_init(&pb, s->text, sizeof(s->text));
	mutex_lock(&trace_mutex);
	if (header && s->it->snapshot && !trace_iter_next(s->it))
		show_no_snapshot(&pb, s->it->in->snapshot[0]);
	else if (header)
		trace_show_header(&pb, s->it);
	print_records(s, &pb);
	mutex_unlock(&trace_mutex);
	s->len = printbuf_used(&pb);
	s->taken = 0;
}

static ssize_t take(struct stream *s, struct iov_iter *to)
{
	size_t n = min_t(size_t, s->len - s->taken, to->count);

	n = n ? iov_iter_to(to, s->text + s->taken, n) : 0;
	if (!n)
		return -EFAULT;
	s->taken += n;
	s->pos += (loff_t)n;
	return (ssize_t)n;
}

/* ---- trace ---- */

static int trace_open(struct inode *i, struct file *f)
{
	return stream_open_as(i, f, false, false);
}

static void rewind_stream(struct stream *s)
{
	mutex_lock(&trace_mutex);
	trace_iter_rewind(s->it);
	mutex_unlock(&trace_mutex);
	s->pos = 0;
	s->len = s->taken = 0;
	s->header_shown = false;
}

/* Have text at @pos in the buffer. False: the end. */
static bool seek_to(struct stream *s, loff_t pos)
{
	if (pos < s->pos || pos == 0)
		rewind_stream(s);
	for (;;) {
		size_t skip = (size_t)min_t(u64, (u64)(pos - s->pos), s->len - s->taken);

		s->taken += skip;
		s->pos += (loff_t)skip;
		if (s->taken < s->len)
			return true;
		refill(s, !s->header_shown);
		s->header_shown = true;
		if (!s->len)
			return false;
	}
}

static ssize_t trace_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct stream *s = f->priv;
	ssize_t r = 0;

	if (!to->count)
		return 0;
	mutex_lock(&s->lock);
	if (seek_to(s, *pos))
		r = take(s, to);
	mutex_unlock(&s->lock);
	if (r > 0)
		*pos += r;
	return r;
}

/* Only truncating it means something. */
static ssize_t trace_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	return (ssize_t)from->count;
}

int tracefs_trace_truncate(const struct tracefs_node *n)
{
	trace_buffers_clear(n->in, n->cpu, false);
	return 0;
}

const struct file_ops tracefs_trace_ops = {
	.open = trace_open,
	.read = trace_read,
	.write = trace_write,
	.release = stream_release,
};

/* ---- snapshot ---- */

static int snapshot_open(struct inode *i, struct file *f)
{
	return stream_open_as(i, f, false, true);
}

/* 0 frees it (that of one CPU cannot be), 1 takes one, others forget what is in it. trace_mutex held. */
static int snapshot_command(const struct tracefs_node *n, u64 v)
{
	int r = 0;

	if (v == 0 && n->cpu != TRACE_ALL_CPUS)
		return -EINVAL;
	if (v == 0) {
		trace_snapshot_free(n->in);
	} else if (v == 1) {
		r = trace_snapshot_make(n->in);
		if (!r)
			trace_snapshot_take(n->in, n->cpu);
	} else {
		trace_buffers_clear(n->in, n->cpu, true);
	}
	return r;
}

static ssize_t snapshot_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	size_t n = from->count;
	char text[24];
	u64 v;
	int r;

	if (!n || n >= sizeof(text))
		return -EINVAL;
	if (iov_iter_from(from, text, n) != n)
		return -EFAULT;
	text[n] = '\0';
	if (kstrtou64(tracefs_trim(text), 10, &v))
		return -EINVAL;
	mutex_lock(&trace_mutex);
	r = snapshot_command(tracefs_node(f->inode), v);
	mutex_unlock(&trace_mutex);
	return r ? r : (ssize_t)n;
}

const struct file_ops tracefs_snapshot_ops = {
	.open = snapshot_open,
	.read = trace_read,
	.write = snapshot_write,
	.release = stream_release,
};

/* ---- trace_pipe ---- */

/* What is taken out is one reader's: a CPU's records have one pipe at a time. 0, -EBUSY. */
static int claim_pipe(struct trace_instance *in, int cpu)
{
	unsigned long *piped = in->piped;
	int r = 0;

	mutex_lock(&trace_mutex);
	for (int i = 0; i < CONFIG_NR_CPUS; i++)
		if ((cpu == TRACE_ALL_CPUS || cpu == i) && (piped[i / 64] & BIT(i % 64)))
			r = -EBUSY;
	for (int i = 0; !r && i < CONFIG_NR_CPUS; i++)
		if (cpu == TRACE_ALL_CPUS || cpu == i)
			piped[i / 64] |= BIT(i % 64);
	mutex_unlock(&trace_mutex);
	return r;
}

static void release_pipe(struct trace_instance *in, int cpu)
{
	unsigned long *piped = in->piped;

	mutex_lock(&trace_mutex);
	for (int i = 0; i < CONFIG_NR_CPUS; i++)
		if (cpu == TRACE_ALL_CPUS || cpu == i)
			piped[i / 64] &= ~BIT(i % 64);
	mutex_unlock(&trace_mutex);
}

static int pipe_open(struct inode *i, struct file *f)
{
	const struct tracefs_node *n = tracefs_node(i);
	int r = stream_open_as(i, f, true, false);

	if (r)
		return r;
	r = claim_pipe(n->in, n->cpu);
	if (r) {
		stream_release(f);
		return r;
	}
	f->mode &= ~(FMODE_LSEEK | FMODE_PREAD);
	f->mode |= FMODE_NOPOS;
	return 0;
}

static void pipe_release(struct file *f)
{
	struct stream *s = f->priv;

	release_pipe(s->it->in, s->it->cpu);
	stream_release(f);
}

/* Wait until there is something to read. 0: nothing will come, recording is off; 1: there is; -Exxx. */
static int pipe_wait(struct file *f, struct stream *s)
{
	while (trace_iter_empty(s->it)) {
		int r;

		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (!READ_ONCE(s->it->in->recording) && s->read_any)
			return 0;
		r = trace_wait(s->it);
		if (r)
			return r;
	}
	return 1;
}

static ssize_t pipe_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct stream *s = f->priv;
	ssize_t r = 1;

	if (!to->count)
		return 0;
	mutex_lock(&s->lock);
	while (r > 0 && s->taken == s->len) {
		mutex_unlock(&s->lock);
		r = pipe_wait(f, s);
		mutex_lock(&s->lock);
		if (r > 0 && s->taken == s->len)
			refill(s, false);
	}
	if (r > 0) {
		s->read_any = true;
		r = take(s, to);
	}
	mutex_unlock(&s->lock);
	return r;
}

static u32 pipe_poll(struct file *f, struct poll_table *pt)
{
	struct stream *s = f->priv;

	poll_wait(f, trace_wait_queue(), pt);
	if (s->taken < s->len || !trace_iter_empty(s->it))
		return POLLIN | POLLRDNORM;
	if (pt && pt->queue)
		trace_wait_kick();
	return 0;
}

const struct file_ops tracefs_pipe_ops = {
	.open = pipe_open,
	.read = pipe_read,
	.poll = pipe_poll,
	.release = pipe_release,
};

/* ---- trace_marker, trace_marker_raw ---- */

static int marker_open(struct inode *i, struct file *f)
{
	const struct tracefs_node *n = tracefs_node(i);
	int r = tracefs_use(n);

	if (r)
		return r;
	mutex_lock(&trace_mutex);
	r = trace_buffers_make(n->in);
	mutex_unlock(&trace_mutex);
	if (r)
		tracefs_unuse(n);
	return r;
}

static void marker_release(struct file *f)
{
	tracefs_unuse(tracefs_node(f->inode));
}

static ssize_t mark(struct file *f, struct iov_iter *from, bool raw)
{
	struct trace_instance *in = tracefs_node(f->inode)->in;
	size_t n = min_t(size_t, from->count, MARKER_MAX);
	char text[MARKER_MAX];

	if (!(READ_ONCE(in->options) & 1u << TRACE_OPT_MARKERS))
		return -EINVAL;
	/* A number of four bytes, and what belongs to it. */
	if (raw && (n < sizeof(u32) || n < from->count))
		return -EINVAL;
	if (iov_iter_from(from, text, n) != n)
		return -EFAULT;
	if (!READ_ONCE(in->recording))
		return -EBADF;
	trace_mark(in, text, n, raw);
	return (ssize_t)n;
}

static ssize_t marker_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	return mark(f, from, false);
}

static ssize_t raw_marker_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	return mark(f, from, true);
}

const struct file_ops tracefs_marker_ops = { .open = marker_open,
					     .write = marker_write,
					     .release = marker_release };
const struct file_ops tracefs_raw_marker_ops = { .open = marker_open,
						 .write = raw_marker_write,
						 .release = marker_release };

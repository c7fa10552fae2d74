/* SPDX-License-Identifier: MIT */
/*
 * eventfd: a 64-bit counter as a file. Locking: the queue's lock guards the count. Source: eventfd(2).
 */
#include <fs/events.h>
#include <fs/internal.h>
#include <uapi/poll.h>

struct eventfd {
	struct spinlock lock;
	u64 count; /* lock */
	bool semaphore;
	struct waitq wait;
};

/* Take the count (or one of it); 0: there is none. */
static u64 take(struct eventfd *e)
{
	u64 v;

	spin_lock(&e->lock);
	v = e->semaphore && e->count ? 1 : e->count;
	e->count -= v;
	spin_unlock(&e->lock);
	return v;
}

static ssize_t eventfd_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct eventfd *e = f->priv;
	u64 v;
	int r;

	if (to->count < sizeof(v))
		return -EINVAL;
	while (!(v = take(e))) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event_interruptible(&e->wait, READ_ONCE(e->count) != 0);
		if (r)
			return r;
	}
	waitq_wake_poll(&e->wait, POLLOUT | POLLWRNORM);
	return iov_iter_to(to, &v, sizeof(v)) == sizeof(v) ? (ssize_t)sizeof(v) : -EFAULT;
}

static bool add(struct eventfd *e, u64 v)
{
	bool fits;

	spin_lock(&e->lock);
	fits = U64_MAX - e->count > v;
	if (fits)
		e->count += v;
	spin_unlock(&e->lock);
	return fits;
}

static ssize_t eventfd_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct eventfd *e = f->priv;
	u64 v;
	int r;

	if (from->count != sizeof(v))
		return -EINVAL;
	if (iov_iter_from(from, &v, sizeof(v)) != sizeof(v))
		return -EFAULT;
	if (v == U64_MAX)
		return -EINVAL;
	while (!add(e, v)) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event_interruptible(&e->wait, U64_MAX - READ_ONCE(e->count) > v);
		if (r)
			return r;
	}
	waitq_wake_poll(&e->wait, POLLIN | POLLRDNORM);
	return sizeof(v);
}

static u32 eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->priv;
	u64 n;

	poll_wait(f, &e->wait, pt);
	n = READ_ONCE(e->count);
	return (n ? POLLIN | POLLRDNORM : 0) | (n == U64_MAX ? POLLERR : 0) |
	       (n < U64_MAX - 1 ? POLLOUT | POLLWRNORM : 0);
}

static void eventfd_release(struct file *f)
{
	kfree(f->priv);
}

static void eventfd_show(struct file *f, struct printbuf *pb)
{
	struct eventfd *e = f->priv;

	printbuf_printf(pb, "eventfd-count: %16llx\neventfd-semaphore: %d\n", e->count,
			e->semaphore);
}

static const struct file_ops eventfd_ops = {
	.llseek = noop_llseek,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.show_fdinfo = eventfd_show,
};

bool file_is_eventfd(const struct file *f)
{
	return f->ops == &eventfd_ops;
}

void eventfd_signal(struct file *f)
{
	struct eventfd *e = f->priv;

	if (add(e, 1))
		waitq_wake_poll(&e->wait, POLLIN | POLLRDNORM);
}

struct file *eventfd_create(unsigned int count, int flags)
{
	struct eventfd *e = kzalloc(sizeof(*e), GFP_KERNEL);
	struct file *f;

	if (!e)
		return ERR_PTR(-ENOMEM);
	spin_init(&e->lock, RANK_PIPE);
	waitq_init(&e->wait);
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	f = anon_file_create("anon_inode:[eventfd]", &eventfd_ops, e,
			     O_RDWR | ((unsigned int)flags & O_NONBLOCK));
	if (IS_ERR(f))
		kfree(e);
	return f;
}

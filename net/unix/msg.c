/* SPDX-License-Identifier: MIT */
/*
 * Messages: their memory, and whom it is charged to (net/unix/unix.h).
 *
 * Up to INLINE_MAX bytes lie behind the head; more lie in pages. A sender whose charges have reached SO_SNDBUF waits until
 * they have fallen to a quarter of it, as on Linux. What a message costs beside its bytes is counted as Linux counts it.
 */
#include <fs/internal.h>
#include <net/unix/unix.h>
#include <uapi/poll.h>

#define INLINE_MAX   1920u
#define HEAD_CHARGE  704u
#define MAX_PAGES    8192u /* of one message, whatever SO_SNDBUF allows */

static void uncharge(struct unix_sock *u, u32 n)
{
	atomic_sub_return((int)n, &u->wmem);
	if (unlikely(waitq_active(&u->wr_wait)) && unix_writable(u))
		waitq_wake(&u->wr_wait, ~0u, UNIX_WRITABLE);
}

static void free_memory(struct unix_msg *msg)
{
	for (u32 i = 0; i < msg->npages; i++)
		page_put(msg->page[i]);
	kfree(msg);
}

static void drop_riders(struct unix_msg *msg)
{
	if (msg->pid)
		pid_put(msg->pid);
	if (msg->fds) {
		unix_fds_land(msg->fds);
		unix_fds_release(msg->fds);
	}
}

void unix_msg_done(struct unix_msg *msg)
{
	uncharge(msg->sender, msg->charge);
	if (unlikely(msg->pid || msg->fds))
		drop_riders(msg);
	free_memory(msg);
}

void unix_msg_free(struct unix_msg *msg)
{
	struct unix_sock *u = msg->sender;

	/* One byte of the charge keeps the sender until the wake-up is done. */
	msg->charge--;
	unix_msg_done(msg);
	if (!atomic_dec_return(&u->wmem))
		unix_free_struct(u);
}

static bool may_charge(void *arg)
{
	struct unix_sock *u = arg;

	return (u32)atomic_read(&u->wmem) < READ_ONCE(u->s.sndbuf) || READ_ONCE(u->s.error) ||
	       (READ_ONCE(u->s.shutdown) & SHUTDOWN_SEND);
}

/* Wait until @u may be charged. */
static __noinline int wait_for_room(struct unix_sock *u, u64 deadline)
{
	for (;;) {
		int r = socket_take_error(&u->s);

		if (r)
			return r;
		if (READ_ONCE(u->s.shutdown) & SHUTDOWN_SEND)
			return -EPIPE;
		if ((u32)atomic_read(&u->wmem) < READ_ONCE(u->s.sndbuf))
			return 0;
		r = socket_wait(&u->wr_wait, may_charge, u, deadline, false);
		if (r)
			return r;
	}
}

static struct unix_msg *alloc_paged(size_t len)
{
	u32 npages = (u32)DIV_ROUND_UP(len, PAGE_SIZE);
	struct unix_msg *msg;

	if (npages > MAX_PAGES)
		return NULL;
	msg = kmalloc(sizeof(*msg) + npages * sizeof(struct page *), GFP_KERNEL);
	if (!msg)
		return NULL;
	for (msg->npages = 0; msg->npages < npages; msg->npages++) {
		msg->page[msg->npages] = page_alloc(GFP_KERNEL | GFP_USER, 0);
		if (!msg->page[msg->npages]) {
			free_memory(msg);
			return NULL;
		}
	}
	return msg;
}

struct unix_msg *unix_msg_alloc(struct unix_sock *u, size_t len, u64 deadline)
{
	struct unix_msg *msg;
	int r;

	if (unlikely((u32)atomic_read(&u->wmem) >= READ_ONCE(u->s.sndbuf) ||
		     READ_ONCE(u->s.error) || (READ_ONCE(u->s.shutdown) & SHUTDOWN_SEND))) {
		r = wait_for_room(u, deadline);
		if (r)
			return ERR_PTR(r);
	}
	if (likely(len <= INLINE_MAX)) {
		msg = kmalloc(sizeof(*msg) + len, GFP_KERNEL);
		if (msg)
			msg->npages = 0;
	} else {
		msg = alloc_paged(len);
	}
	if (unlikely(!msg))
		return ERR_PTR(-ENOBUFS);
	msg->sender = u;
	msg->fds = NULL;
	msg->pid = NULL;
	msg->stamp_ns = 0;
	msg->len = (u32)len;
	msg->off = 0;
	msg->charge = HEAD_CHARGE + ALIGN_UP((u32)len, 64);
	atomic_add((int)msg->charge, &u->wmem);
	return msg;
}

static int fill_pages(struct unix_msg *msg, struct iov_iter *from)
{
	for (u32 i = 0; i < msg->npages; i++) {
		size_t n = min_t(size_t, msg->len - i * PAGE_SIZE, PAGE_SIZE);

		if (iov_iter_from(from, page_to_virt(msg->page[i]), n) != n)
			return -EFAULT;
	}
	return 0;
}

int unix_msg_fill(struct unix_msg *msg, struct iov_iter *from)
{
	if (msg->npages)
		return fill_pages(msg, from);
	return msg->len && iov_iter_from(from, msg->data, msg->len) != msg->len ? -EFAULT : 0;
}

static size_t read_pages(const struct unix_msg *msg, size_t off, struct iov_iter *to, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t at = (off + done) & (PAGE_SIZE - 1), part = min(n - done, PAGE_SIZE - at);
		const char *page = page_to_virt(msg->page[(off + done) / PAGE_SIZE]);
		size_t got = iov_iter_to(to, page + at, part);

		done += got;
		if (got < part)
			break;
	}
	return done;
}

size_t unix_msg_read(const struct unix_msg *msg, size_t off, struct iov_iter *to, size_t n)
{
	return msg->npages ? read_pages(msg, off, to, n) : iov_iter_to(to, msg->data + off, n);
}

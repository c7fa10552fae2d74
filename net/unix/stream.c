/* SPDX-License-Identifier: MIT */
/*
 * Streams: a write becomes messages of at most CHUNK bytes, a read takes as many as it has room for.
 *
 * Reading takes a message off the queue before it copies, when it has room for all of it, so that the usual read takes the
 * queue's lock once. Only readers take messages off, one at a time (read_mutex). A connected stream's peer never changes, and is
 * the sender of all that is in its queue. Source: unix(7), send(2), recv(2).
 */
#include <fs/internal.h>
#include <kernel/signal.h>
#include <net/unix/unix.h>
#include <uapi/poll.h>

#define CHUNK 32768u

/* ---- sending ---- */

static ssize_t broken_pipe(u32 flags)
{
	if (!(flags & MSG_NOSIGNAL))
		sig_send_self(SIGPIPE);
	return -EPIPE;
}

/* Put @msg on the queue of @peer; false: it does not read any more. */
static bool enqueue(struct unix_sock *peer, struct unix_msg *msg)
{
	bool open;

	spin_lock(&peer->lock);
	open = !(peer->s.shutdown & SHUTDOWN_RCV);
	if (likely(open))
		list_add_tail(&msg->link, &peer->queue);
	spin_unlock(&peer->lock);
	if (likely(open) && waitq_active(&peer->rd_wait))
		waitq_wake(&peer->rd_wait, ~0u, UNIX_READABLE);
	return open;
}

/* One message of up to @n bytes. Bytes or -Exxx. */
static ssize_t send_chunk(struct unix_sock *u, struct unix_sock *peer, struct sock_msg *m,
			  struct unix_scm *scm, size_t n, u64 deadline)
{
	struct unix_msg *msg = unix_msg_alloc(u, n, deadline);
	int r;

	if (IS_ERR(msg))
		return PTR_ERR(msg);
	r = unix_msg_fill(msg, m->iter);
	if (!r)
		r = unix_scm_attach(u, peer, msg, scm);
	if (!r && !enqueue(peer, msg))
		r = -EPIPE;
	if (unlikely(r)) {
		unix_msg_free(msg);
		return r;
	}
	return (ssize_t)n;
}

static ssize_t send_all(struct unix_sock *u, struct unix_sock *peer, struct sock_msg *m,
			struct unix_scm *scm, u64 deadline)
{
	ssize_t done = 0, r = 0;

	if (READ_ONCE(u->s.shutdown) & SHUTDOWN_SEND)
		r = -EPIPE;
	while (r >= 0 && m->iter->count) {
		r = send_chunk(u, peer, m, scm, min_t(size_t, m->iter->count, CHUNK), deadline);
		if (r > 0)
			done += r;
	}
	if (done)
		return done;
	return r == -EPIPE ? broken_pipe(m->flags) : r;
}

ssize_t unix_stream_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s), *peer = smp_load_acquire(&u->peer);
	struct unix_scm scm = { NULL, NULL };
	ssize_t r;

	if (unlikely(m->flags & MSG_OOB))
		return -EOPNOTSUPP;
	if (unlikely(m->controllen)) {
		r = unix_scm_parse(m, &scm);
		if (r)
			return r;
	}
	if (unlikely(m->name))
		r = READ_ONCE(u->state) == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	else if (unlikely(!peer))
		r = -ENOTCONN;
	else
		r = send_all(u, peer, m, &scm, socket_send_deadline(s, m->flags));
	if (unlikely(scm.fds || scm.pid))
		unix_scm_drop(&scm);
	return r;
}

/* ---- receiving; read_mutex held ---- */

struct stream_read {
	struct unix_sock *u;
	struct sock_msg *m;
	struct unix_scm scm;
	size_t done, target, skip; /* skip: bytes of the queue that a peek passes over */
	bool creds_known;	   /* further messages must be of the same sender */
	struct list *tail;	   /* end of the queue when nothing was found in it */
};

/* The message that is to be read next; with room for all of it, it is taken off. */
static struct unix_msg *next_msg(struct stream_read *rd, size_t room, bool *taken)
{
	struct unix_sock *u = rd->u;
	struct unix_msg *msg;

	*taken = false;
	spin_lock(&u->lock);
	msg = list_first_entry_or_null(&u->queue, struct unix_msg, link);
	if (msg && msg->len - msg->off <= room) {
		list_del(&msg->link);
		*taken = true;
	}
	rd->tail = &u->queue;
	spin_unlock(&u->lock);
	return msg;
}

/* What was taken off and not read goes back. */
static void put_back(struct unix_sock *u, struct unix_msg *msg)
{
	spin_lock(&u->lock);
	list_add(&msg->link, &u->queue);
	spin_unlock(&u->lock);
	waitq_wake_poll(&u->rd_wait, UNIX_READABLE);
}

/* Is @msg of another sender than what was read so far? If it is the first, remember whose it is. */
static bool other_sender(struct stream_read *rd, struct unix_msg *msg)
{
	if (!socket_has(&rd->u->s, SOCK_F_PASSCRED | SOCK_F_PASSPIDFD))
		return false;
	if (rd->creds_known)
		return !unix_scm_same(msg, &rd->scm);
	rd->creds_known = true;
	return false;
}

static void tell_sender(struct stream_read *rd)
{
	struct sock_msg *m = rd->m;
	struct unix_sock *peer = rd->u->peer;

	/* A sender without a name is told as none. */
	if (m->name && peer && smp_load_acquire(&peer->addr))
		m->namelen = unix_addr_copy(peer, m->name);
}

static void peeked_past(struct unix_sock *u, size_t n)
{
	s32 off = READ_ONCE(u->s.peek_off);

	if (unlikely(off >= 0))
		WRITE_ONCE(u->s.peek_off, off > (s64)n ? off - (s32)n : 0);
}

/* Read from the first message. 1: there may be more to read, 0: it ends here, -EAGAIN: nothing there, -EFAULT. */
static int read_one(struct stream_read *rd)
{
	struct iov_iter *to = rd->m->iter;
	struct unix_sock *u = rd->u;
	size_t n, left;
	bool taken;
	struct unix_msg *msg = next_msg(rd, to->count, &taken);

	if (!msg)
		return -EAGAIN;
	left = msg->len - msg->off;
	n = min(left, to->count);
	if (unlikely(other_sender(rd, msg))) {
		if (taken)
			put_back(u, msg);
		return 0;
	}
	if (unlikely(rd->m->name))
		tell_sender(rd);
	if (unlikely(n && unix_msg_read(msg, msg->off, to, n) != n)) {
		if (taken)
			put_back(u, msg);
		return -EFAULT;
	}
	if (unlikely(msg->pid || msg->fds))
		(void)unix_scm_take(msg, &rd->scm, false);
	rd->done += n;
	peeked_past(u, n);
	if (!taken) {
		WRITE_ONCE(msg->off, msg->off + (u32)n);
		return 0;
	}
	unix_msg_done(msg);
	return !rd->scm.fds;
}

/* The first message that a peek does not pass over; @after NULL: from the start of the queue. */
static struct unix_msg *peek_next(struct stream_read *rd, struct unix_msg *after)
{
	struct unix_sock *u = rd->u;
	struct list *l;
	struct unix_msg *found = NULL;

	spin_lock(&u->lock);
	for (l = after ? after->link.next : u->queue.next; l != &u->queue; l = l->next) {
		struct unix_msg *msg = list_entry(l, struct unix_msg, link);

		if (rd->skip < msg->len - msg->off) {
			found = msg;
			break;
		}
		rd->skip -= msg->len - msg->off;
	}
	rd->tail = u->queue.prev;
	spin_unlock(&u->lock);
	return found;
}

/* As read_one(), for all that is there. Messages stay where they are: only readers take them off. */
static int peek_all(struct stream_read *rd)
{
	struct iov_iter *to = rd->m->iter;
	struct unix_sock *u = rd->u;
	s32 off = READ_ONCE(u->s.peek_off);
	struct unix_msg *msg = NULL;
	size_t peeked = 0;
	int r = -EAGAIN;

	while ((msg = peek_next(rd, msg)) != NULL) {
		size_t n = min_t(size_t, msg->len - msg->off - rd->skip, to->count);

		r = 0;
		if (other_sender(rd, msg))
			break;
		tell_sender(rd);
		if (unix_msg_read(msg, msg->off + rd->skip, to, n) != n) {
			r = -EFAULT;
			break;
		}
		rd->skip = 0;
		peeked += n;
		(void)unix_scm_take(msg, &rd->scm, true);
		if (msg->fds || !to->count)
			break;
	}
	rd->done += peeked;
	if (off >= 0)
		WRITE_ONCE(u->s.peek_off, off + (s32)peeked);
	return r;
}

static bool stream_readable(void *arg)
{
	const struct stream_read *rd = arg;
	const struct unix_sock *u = rd->u;

	return READ_ONCE(u->queue.prev) != rd->tail || READ_ONCE(u->s.error) ||
	       (READ_ONCE(u->s.shutdown) & SHUTDOWN_RCV);
}

/* There is nothing to read: what does that mean? 0: the end, 1: now there may be, or -Exxx. */
static __noinline int wait_for_data(struct stream_read *rd, u64 deadline)
{
	struct unix_sock *u = rd->u;
	int r;

	if (rd->done >= rd->target)
		return 0;
	r = socket_take_error(&u->s);
	if (r)
		return r;
	if (READ_ONCE(u->s.shutdown) & SHUTDOWN_RCV)
		return READ_ONCE(u->queue.prev) != rd->tail;
	if (!deadline)
		return -EAGAIN;
	mutex_unlock(&u->read_mutex);
	r = socket_wait(&u->rd_wait, stream_readable, rd, deadline, false);
	mutex_lock(&u->read_mutex);
	return r ? r : 1;
}

static int read_all(struct stream_read *rd, u64 deadline)
{
	u32 peek = rd->m->flags & MSG_PEEK;
	int r;

	do {
		rd->skip = peek ? (size_t)max(READ_ONCE(rd->u->s.peek_off), 0) : 0;
		r = peek ? peek_all(rd) : read_one(rd);
		if (r == -EAGAIN)
			r = wait_for_data(rd, deadline);
	} while (r > 0 && (rd->m->iter->count || !rd->done));
	return r;
}

ssize_t unix_stream_recv(struct socket *s, struct sock_msg *m)
{
	size_t want = m->iter->count, lowat = READ_ONCE(s->rcvlowat);
	struct unix_sock *u = unix_of(s);
	struct stream_read rd;
	int r;

	if (unlikely(READ_ONCE(u->state) != UNIX_CONNECTED))
		return -EINVAL;
	if (unlikely(m->flags & MSG_OOB))
		return -EOPNOTSUPP;
	rd.u = u;
	rd.m = m;
	rd.scm.fds = NULL;
	rd.scm.pid = NULL;
	rd.done = 0;
	rd.creds_known = false;
	rd.target = m->flags & MSG_WAITALL ? want : min(lowat, want);
	if (!rd.target)
		rd.target = 1;
	mutex_lock(&u->read_mutex);
	r = read_all(&rd, socket_recv_deadline(s, m->flags));
	mutex_unlock(&u->read_mutex);
	unix_scm_deliver(s, m, &rd.scm);
	return rd.done ? (ssize_t)rd.done : r;
}

/* SPDX-License-Identifier: MIT */
/*
 * Datagrams, and the messages of SOCK_SEQPACKET, which are datagrams between two that are connected.
 *
 * Who sends to a socket that is not connected back waits while its queue is full (net.unix.max_dgram_qlen); a socket that is
 * polled and would have to wait is in the receiver's list `blocked`, so that it hears of room. Source: unix(7), send(2), recv(2).
 */
#include <fs/internal.h>
#include <kernel/time.h>
#include <net/unix/unix.h>
#include <uapi/poll.h>

/* ---- waiting for room in the receiver's queue ---- */

static bool queue_full(const struct unix_sock *u)
{
	return READ_ONCE(u->qlen) > READ_ONCE(u->backlog);
}

static bool has_room(void *arg)
{
	struct unix_sock *u = arg;

	return !queue_full(u) || READ_ONCE(u->dead) || (READ_ONCE(u->s.shutdown) & SHUTDOWN_RCV);
}

void unix_unblock(struct unix_sock *u)
{
	while (!list_empty(&u->blocked)) {
		struct unix_sock *w = list_first_entry(&u->blocked, struct unix_sock, blocked_link);

		list_del_init(&w->blocked_link);
		waitq_wake_poll(&w->wr_wait, UNIX_WRITABLE);
	}
}

void unix_forget_blocked(struct unix_sock *u, struct unix_sock *peer)
{
	spin_lock(&peer->lock);
	list_del_init(&u->blocked_link);
	spin_unlock(&peer->lock);
}

/* Would @u have to wait for its peer @to? Then it is to hear of room. */
static bool block_on(struct unix_sock *u, struct unix_sock *to)
{
	bool full;

	unix_lock_two(u, to);
	full = u->peer == to && to != u && to->peer != u && queue_full(to) && !to->dead;
	if (full && list_empty(&u->blocked_link))
		list_add_tail(&u->blocked_link, &to->blocked);
	unix_unlock_two(u, to);
	return full;
}

u32 unix_dgram_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct unix_sock *u = unix_of(s), *to;
	u32 mask = unix_poll_common(u, f, pt);
	bool writable = READ_ONCE(u->state) != UNIX_LISTENING && unix_writable(u);

	if (writable && s->type == SOCK_DGRAM && (to = unix_peer_get(u)) != NULL) {
		writable = !block_on(u, to);
		unix_put(to);
	}
	return writable ? mask | UNIX_WRITABLE : mask;
}

/* ---- connecting ---- */

/* The old peer is one no more: what it sent is not to be mixed with what the next one sends. */
static void disconnected(struct unix_sock *u, struct unix_sock *old)
{
	struct unix_msg *msg, *next;
	DEFINE_LIST(lost);
	bool tell;

	unix_forget_blocked(u, old);
	mutex_lock(&u->read_mutex); /* somebody may be looking at a message */
	unix_lock_two(u, old);
	tell = !list_empty(&u->queue) && !old->dead && old->peer == u;
	list_splice(&u->queue, &lost);
	WRITE_ONCE(u->qlen, 0);
	unix_unblock(u);
	if (tell)
		WRITE_ONCE(old->s.error, ECONNRESET);
	unix_unlock_two(u, old);
	mutex_unlock(&u->read_mutex);
	if (tell)
		unix_state_changed(old, POLLERR);
	waitq_wake_all(&u->conn_wait);
	list_for_each_entry_safe(msg, next, &lost, link)
		unix_msg_free(msg);
}

/* Make @to (NULL: nobody; a reference that is taken over) the peer. 0, -EPERM, -ERESTARTSYS: it has gone. */
static int set_peer(struct unix_sock *u, struct unix_sock *to)
{
	struct unix_sock *old;
	int r = 0;

	unix_lock_two(u, to ? to : u);
	old = u->peer;
	if (to && to->dead)
		r = -ERESTARTSYS;
	else if (to && to->peer && to->peer != u)
		r = -EPERM;
	if (!r) {
		u->peer = to;
		WRITE_ONCE(u->state, to ? UNIX_CONNECTED : UNIX_CLOSED);
		if (to)
			WRITE_ONCE(to->state, UNIX_CONNECTED);
	}
	unix_unlock_two(u, to ? to : u);
	if (r) {
		unix_put(to);
		return r;
	}
	if (old && old != to)
		disconnected(u, old);
	if (old)
		unix_put(old);
	return 0;
}

int unix_dgram_connect(struct socket *s, const struct sockaddr_storage *addr, int len, u64 deadline)
{
	struct unix_sock *u = unix_of(s), *to;
	int r;

	if (len < (int)sizeof(addr->family))
		return -EINVAL;
	if (addr->family == AF_UNSPEC)
		return set_peer(u, NULL);
	r = unix_addr_check(addr, len);
	if (!r && socket_has(s, SOCK_F_PASSCRED | SOCK_F_PASSPIDFD))
		r = unix_autobind(u);
	if (r)
		return r;
	do {
		to = unix_find(addr, len, s->type);
		if (IS_ERR(to))
			return (int)PTR_ERR(to);
		r = set_peer(u, to);
	} while (r == -ERESTARTSYS);
	return r;
}

/* ---- sending ---- */

/* The peer has gone. -EPIPE for a connection; a datagram socket is not connected any more: -ECONNREFUSED, once. */
static int peer_gone(struct unix_sock *u, struct unix_sock *to)
{
	bool was;

	if (unix_connection_based(u))
		return -EPIPE;
	spin_lock(&u->lock);
	was = u->peer == to;
	if (was) {
		u->peer = NULL;
		WRITE_ONCE(u->state, UNIX_CLOSED);
	}
	spin_unlock(&u->lock);
	if (!was)
		return -ERESTARTSYS;
	disconnected(u, to);
	unix_put(to);
	return -ECONNREFUSED;
}

/* Put @msg on the queue of @to. 0; -EAGAIN: it is full; -ENOENT: it has gone; -EPERM, -EPIPE. */
static int enqueue(struct unix_sock *u, struct unix_sock *to, struct unix_msg *msg)
{
	int r = 0;

	spin_lock(&to->lock);
	if (unlikely(to->dead))
		r = -ENOENT;
	else if (unlikely(to->peer && to->peer != u))
		r = -EPERM;
	else if (unlikely(to->s.shutdown & SHUTDOWN_RCV))
		r = -EPIPE;
	else if (unlikely(to != u && to->peer != u && queue_full(to)))
		r = -EAGAIN;
	if (likely(!r)) {
		list_add_tail(&msg->link, &to->queue);
		WRITE_ONCE(to->qlen, to->qlen + 1);
	}
	spin_unlock(&to->lock);
	if (likely(!r) && waitq_active(&to->rd_wait))
		waitq_wake(&to->rd_wait, 1, UNIX_READABLE);
	return r;
}

/* Deliver @msg to @to, waiting for room. 0, or -Exxx: -ERESTARTSYS: look for the address again. */
static int deliver(struct unix_sock *u, struct unix_sock *to, struct unix_msg *msg, u64 deadline)
{
	for (;;) {
		int r = enqueue(u, to, msg);

		if (r == -ENOENT)
			return peer_gone(u, to);
		if (r != -EAGAIN)
			return r;
		if (!deadline) {
			if (block_on(u, to) || READ_ONCE(u->peer) != to)
				return r;
			continue; /* there is room by now */
		}
		r = socket_wait(&to->conn_wait, has_room, to, deadline, true);
		if (r)
			return r;
	}
}

/* Whom a message goes to, with a reference: the address it has, or the peer. ERR_PTR. */
static struct unix_sock *receiver(struct unix_sock *u, const struct sock_msg *m)
{
	struct unix_sock *to;

	if (m->name)
		return unix_find(m->name, m->namelen, u->s.type);
	to = unix_peer_get(u);
	return to ? to : ERR_PTR(-ENOTCONN);
}

/* 0, or -Exxx: -ERESTARTSYS: who it was for has gone, look again. */
static int find_and_deliver(struct unix_sock *u, const struct sock_msg *m, struct unix_msg *msg,
			    struct unix_scm *scm, u64 deadline)
{
	struct unix_sock *to = receiver(u, m);
	int r = 0;

	if (IS_ERR(to))
		return m->name ? (int)PTR_ERR(to) : -ECONNRESET;
	if (!msg->pid && !msg->fds)
		r = unix_scm_attach(u, to, msg, scm);
	if (socket_has(&to->s, SOCK_F_TIMESTAMP))
		msg->stamp_ns = ktime_real_ns();
	if (!r)
		r = deliver(u, to, msg, deadline);
	unix_put(to);
	return r;
}

static ssize_t send_msg(struct unix_sock *u, struct sock_msg *m, struct unix_scm *scm)
{
	u64 deadline = socket_send_deadline(&u->s, m->flags);
	size_t len = m->iter->count;
	struct unix_msg *msg;
	int r;

	if (!m->name && !READ_ONCE(u->peer))
		return -ENOTCONN;
	if (len > READ_ONCE(u->s.sndbuf) - 32)
		return -EMSGSIZE;
	msg = unix_msg_alloc(u, len, deadline);
	if (IS_ERR(msg))
		return PTR_ERR(msg);
	r = unix_msg_fill(msg, m->iter);
	if (!r)
		do
			r = find_and_deliver(u, m, msg, scm, deadline);
		while (r == -ERESTARTSYS);
	if (!r)
		return (ssize_t)len;
	unix_msg_free(msg);
	return r;
}

ssize_t unix_dgram_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);
	struct unix_scm scm = { NULL, NULL };
	ssize_t r = 0;

	if (unlikely(m->flags & MSG_OOB))
		return -EOPNOTSUPP;
	if (unlikely(m->controllen))
		r = unix_scm_parse(m, &scm);
	if (!r && m->name)
		r = unix_addr_check(m->name, m->namelen);
	if (!r && unlikely(socket_has(s, SOCK_F_PASSCRED | SOCK_F_PASSPIDFD)))
		r = unix_autobind(u);
	if (!r)
		r = send_msg(u, m, &scm);
	if (unlikely(scm.fds || scm.pid))
		unix_scm_drop(&scm);
	return r;
}

ssize_t unix_seqpacket_send(struct socket *s, struct sock_msg *m)
{
	int r = socket_take_error(s);

	if (r)
		return r;
	if (READ_ONCE(unix_of(s)->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	m->name = NULL;
	return unix_dgram_send(s, m);
}

/* ---- receiving ---- */

/* Where a reader found nothing, and until when it waits for it. */
struct dgram_read {
	struct unix_sock *u;
	struct list *tail; /* end of the queue then */
	u64 deadline;
};

static bool dgram_readable(void *arg)
{
	const struct dgram_read *rd = arg;
	const struct unix_sock *u = rd->u;

	return READ_ONCE(u->queue.prev) != rd->tail || READ_ONCE(u->s.error) ||
	       (READ_ONCE(u->s.shutdown) & SHUTDOWN_RCV);
}

/* The message a peek at @*skip bytes means; @*skip becomes the bytes to pass over in it. NULL: none. u->lock held. */
static struct unix_msg *at_offset(struct unix_sock *u, size_t *skip)
{
	struct unix_msg *msg;

	list_for_each_entry(msg, &u->queue, link) {
		if (!*skip || *skip < msg->len)
			return msg;
		*skip -= msg->len;
	}
	return NULL;
}

/* The next message, taken off unless it is only looked at; NULL: none. read_mutex held. */
static struct unix_msg *take_msg(struct dgram_read *rd, bool peek, size_t *skip)
{
	struct unix_sock *u = rd->u;
	struct unix_msg *msg;

	spin_lock(&u->lock);
	msg = at_offset(u, skip);
	rd->tail = u->queue.prev;
	if (msg && !peek) {
		list_del(&msg->link);
		WRITE_ONCE(u->qlen, u->qlen - 1);
		if (unlikely(!list_empty(&u->blocked)) && !queue_full(u))
			unix_unblock(u);
	}
	spin_unlock(&u->lock);
	if (msg && !peek)
		waitq_wake_one(&u->conn_wait);
	return msg;
}

/* No message is there. 1: look again, 0: there will be none, or -Exxx. read_mutex held. */
static int wait_for_msg(struct dgram_read *rd)
{
	struct unix_sock *u = rd->u;
	bool ended = READ_ONCE(u->s.shutdown) & SHUTDOWN_RCV;
	int r = socket_take_error(&u->s);

	if (r)
		return r;
	if (ended && READ_ONCE(u->queue.prev) != rd->tail)
		return 1;
	if (ended && (rd->deadline || u->s.type == SOCK_SEQPACKET))
		return 0;
	if (!rd->deadline)
		return -EAGAIN;
	mutex_unlock(&u->read_mutex);
	r = socket_wait(&u->rd_wait, dgram_readable, rd, rd->deadline, true);
	mutex_lock(&u->read_mutex);
	return r ? r : 1;
}

static void move_peek_off(struct unix_sock *u, size_t n, bool peek)
{
	s32 off = READ_ONCE(u->s.peek_off);

	if (unlikely(off >= 0))
		WRITE_ONCE(u->s.peek_off, peek ? off + (s32)n : off > (s64)n ? off - (s32)n : 0);
}

/* What @msg holds, to the program. Bytes or -EFAULT. */
static ssize_t copy_out(struct unix_sock *u, struct sock_msg *m, struct unix_msg *msg, size_t skip)
{
	bool peek = m->flags & MSG_PEEK;
	size_t len = msg->len - min_t(size_t, skip, msg->len), n = min(len, m->iter->count);
	struct unix_scm scm = { NULL, NULL };

	if (m->name && smp_load_acquire(&msg->sender->addr))
		m->namelen = unix_addr_copy(msg->sender, m->name);
	if (n < len)
		m->out_flags |= MSG_TRUNC;
	if (n && unix_msg_read(msg, skip, m->iter, n) != n)
		return -EFAULT;
	cmsg_put_timestamp(&u->s, m, msg->stamp_ns);
	move_peek_off(u, peek ? n : msg->len, peek);
	(void)unix_scm_take(msg, &scm, peek);
	unix_scm_deliver(&u->s, m, &scm);
	return m->flags & MSG_TRUNC ? (ssize_t)len : (ssize_t)n;
}

ssize_t unix_dgram_recv(struct socket *s, struct sock_msg *m)
{
	struct dgram_read rd = { unix_of(s), NULL, socket_recv_deadline(s, m->flags) };
	bool peek = m->flags & MSG_PEEK;
	struct unix_sock *u = rd.u;
	struct unix_msg *msg;
	ssize_t r;

	if (unlikely(m->flags & MSG_OOB))
		return -EOPNOTSUPP;
	mutex_lock(&u->read_mutex);
	for (;;) {
		size_t skip = peek ? (size_t)max(READ_ONCE(s->peek_off), 0) : 0;

		r = socket_take_error(s);
		if (r)
			break;
		msg = take_msg(&rd, peek, &skip);
		if (msg) {
			r = copy_out(u, m, msg, skip);
			if (!peek)
				unix_msg_free(msg);
			break;
		}
		r = wait_for_msg(&rd);
		if (r <= 0)
			break;
	}
	mutex_unlock(&u->read_mutex);
	return r;
}

ssize_t unix_seqpacket_recv(struct socket *s, struct sock_msg *m)
{
	if (READ_ONCE(unix_of(s)->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	return unix_dgram_recv(s, m);
}

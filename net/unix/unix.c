/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX sockets: making, connecting, accepting, ending. See net/unix/unix.h for the parts and the locks.
 *
 * A connection is made by connect() alone: it makes the other end, which waits in the listener's list to be accepted, and both can
 * be written to at once. Source: unix(7), connect(2), accept(2), listen(2), shutdown(2).
 */
#include <fs/internal.h>
#include <fs/procfs/net.h>
#include <net/unix/unix.h>
#include <uapi/poll.h>

static const struct socket_ops stream_ops, dgram_ops, seqpacket_ops;
static struct kmem_cache *sock_cache;
static struct spinlock all_lock = SPINLOCK_INIT(RANK_SOCKET);
static DEFINE_LIST(all_socks); /* all_lock */
static atomic64_t nsocks;

/* ---- structures ---- */

static void init_fields(struct unix_sock *u)
{
	refcount_set(&u->refs, 1);
	atomic_set(&u->wmem, 1);
	spin_init(&u->lock, RANK_SOCKET);
	list_init(&u->queue);
	list_init(&u->accept);
	list_init(&u->accept_link);
	list_init(&u->blocked);
	list_init(&u->blocked_link);
	waitq_init(&u->rd_wait);
	waitq_init(&u->wr_wait);
	waitq_init(&u->conn_wait);
	mutex_init(&u->read_mutex);
	mutex_init(&u->bind_mutex);
	hlist_node_init(&u->name_link);
	list_init(&u->gc_link);
	u->backlog = READ_ONCE(net_limits.max_dgram_qlen);
}

static struct unix_sock *new_sock(const struct socket_ops *ops, int type)
{
	struct unix_sock *u;

	if ((u64)atomic64_inc_return(&nsocks) > 2 * file_max) {
		atomic64_dec(&nsocks);
		return ERR_PTR(-ENFILE);
	}
	u = kmem_cache_alloc(sock_cache, GFP_KERNEL | GFP_ZERO);
	if (!u) {
		atomic64_dec(&nsocks);
		return ERR_PTR(-ENOMEM);
	}
	socket_init(&u->s, ops, AF_UNIX, type);
	init_fields(u);
	spin_lock(&all_lock);
	list_add_tail(&u->all_link, &all_socks);
	spin_unlock(&all_lock);
	return u;
}

void unix_free_struct(struct unix_sock *u)
{
	if (u->addr)
		unix_addr_put(u->addr);
	socket_fini(&u->s);
	kmem_cache_free(sock_cache, u);
	atomic64_dec(&nsocks);
}

void unix_put(struct unix_sock *u)
{
	if (refcount_dec_and_test(&u->refs) && !atomic_dec_return(&u->wmem))
		unix_free_struct(u);
}

void unix_each(void (*fn)(struct unix_sock *u, void *arg), void *arg)
{
	struct unix_sock *u;

	spin_lock(&all_lock);
	list_for_each_entry(u, &all_socks, all_link)
		fn(u, arg);
	spin_unlock(&all_lock);
}

void unix_lock_two(struct unix_sock *a, struct unix_sock *b)
{
	if (a > b)
		swap(a, b);
	spin_lock(&a->lock);
	if (a != b)
		spin_lock(&b->lock);
}

void unix_unlock_two(struct unix_sock *a, struct unix_sock *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

struct unix_sock *unix_peer_get(struct unix_sock *u)
{
	struct unix_sock *peer;

	spin_lock(&u->lock);
	peer = u->peer;
	if (peer)
		unix_get(peer);
	spin_unlock(&u->lock);
	return peer;
}

static struct socket *unix_create(int type, int protocol)
{
	const struct socket_ops *ops;
	struct unix_sock *u;

	if (protocol && protocol != AF_UNIX)
		return ERR_PTR(-EPROTONOSUPPORT);
	if (type == SOCK_RAW)
		type = SOCK_DGRAM; /* as it always was */
	if (type == SOCK_STREAM)
		ops = &stream_ops;
	else if (type == SOCK_DGRAM)
		ops = &dgram_ops;
	else if (type == SOCK_SEQPACKET)
		ops = &seqpacket_ops;
	else
		return ERR_PTR(-ESOCKTNOSUPPORT);
	u = new_sock(ops, type);
	return IS_ERR(u) ? ERR_CAST(u) : &u->s;
}

/* ---- the end ---- */

void unix_state_changed(struct unix_sock *u, u32 events)
{
	waitq_wake_poll(&u->rd_wait, events);
	waitq_wake_poll(&u->wr_wait, events | UNIX_WRITABLE);
}

/* What a released socket leaves to be taken care of without its lock. */
struct remains {
	struct path path;
	struct unix_sock *peer;
	struct list queue, accept;
};

static void take_down(struct unix_sock *u, struct remains *rest)
{
	list_init(&rest->queue);
	list_init(&rest->accept);
	spin_lock(&u->lock);
	u->dead = true;
	u->state = UNIX_CLOSED;
	WRITE_ONCE(u->s.shutdown, SHUTDOWN_BOTH);
	rest->path = u->path;
	u->path = (struct path){ NULL, NULL };
	rest->peer = u->peer;
	u->peer = NULL;
	list_splice(&u->queue, &rest->queue);
	list_splice(&u->accept, &rest->accept);
	u->qlen = 0;
	unix_unblock(u);
	spin_unlock(&u->lock);
	waitq_wake_all(&u->conn_wait);
}

/* The other end hears of it; @lost: data that it sent was never read. */
static void leave_peer(struct unix_sock *u, struct unix_sock *peer, bool lost)
{
	if (unix_connection_based(u)) {
		spin_lock(&peer->lock);
		WRITE_ONCE(peer->s.shutdown, SHUTDOWN_BOTH);
		if (lost)
			WRITE_ONCE(peer->s.error, ECONNRESET);
		spin_unlock(&peer->lock);
		unix_state_changed(peer, UNIX_HANGUP);
	}
	unix_forget_blocked(u, peer);
}

static void release_sock(struct unix_sock *u, bool unaccepted)
{
	struct remains rest;
	struct unix_msg *msg, *next_msg;
	struct unix_sock *e, *next;

	unix_name_remove(u);
	spin_lock(&all_lock);
	list_del(&u->all_link);
	spin_unlock(&all_lock);
	take_down(u, &rest);
	if (rest.peer)
		leave_peer(u, rest.peer, unaccepted || !list_empty(&rest.queue));
	list_for_each_entry_safe(e, next, &rest.accept, accept_link) {
		list_del_init(&e->accept_link);
		release_sock(e, true);
	}
	list_for_each_entry_safe(msg, next_msg, &rest.queue, link)
		unix_msg_free(msg);
	if (rest.path.dentry)
		path_put(&rest.path);
	if (rest.peer)
		unix_put(rest.peer);
	unix_put(u);
}

static void unix_release(struct socket *s)
{
	release_sock(unix_of(s), false);
	unix_gc(NULL);
}

/* A descriptor is closed: was it the last one of a socket that is in flight? */
static void unix_flush(struct socket *s)
{
	struct unix_sock *u = unix_of(s);

	if (unlikely(READ_ONCE(u->inflight)))
		unix_gc(u);
}

static int unix_shutdown(struct socket *s, int how)
{
	u32 mine = (u32)how + 1;
	u32 its = (mine & SHUTDOWN_RCV ? SHUTDOWN_SEND : 0) |
		  (mine & SHUTDOWN_SEND ? SHUTDOWN_RCV : 0);
	struct unix_sock *u = unix_of(s), *peer;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	spin_lock(&u->lock);
	WRITE_ONCE(s->shutdown, s->shutdown | mine);
	peer = unix_connection_based(u) ? u->peer : NULL;
	if (peer)
		unix_get(peer);
	spin_unlock(&u->lock);
	unix_state_changed(u, UNIX_HANGUP);
	if (u->state == UNIX_LISTENING)
		waitq_wake_all(&u->conn_wait);
	if (!peer)
		return 0;
	spin_lock(&peer->lock);
	WRITE_ONCE(peer->s.shutdown, peer->s.shutdown | its);
	spin_unlock(&peer->lock);
	unix_state_changed(peer, its == SHUTDOWN_BOTH ? UNIX_HANGUP : UNIX_HANGUP & ~POLLHUP);
	unix_put(peer);
	return 0;
}

/* ---- connecting ---- */

static void join(struct unix_sock *u, struct unix_sock *peer)
{
	unix_get(peer);
	smp_store_release(&u->peer, peer);
	WRITE_ONCE(u->state, UNIX_CONNECTED);
}

static int unix_pair(struct socket *a, struct socket *b)
{
	join(unix_of(a), unix_of(b));
	join(unix_of(b), unix_of(a));
	socket_set_peer(a, current->process->pid, current_creds());
	socket_set_peer(b, current->process->pid, current_creds());
	return 0;
}

/* Is there room in the listener's list, or none to wait for? */
static bool may_queue(void *arg)
{
	struct unix_sock *l = arg;

	return READ_ONCE(l->qlen) <= READ_ONCE(l->backlog) || READ_ONCE(l->dead) ||
	       READ_ONCE(l->state) != UNIX_LISTENING || (READ_ONCE(l->s.shutdown) & SHUTDOWN_RCV);
}

/* Both locked. 0, or why @u cannot be connected to @l. */
static int check_connect(const struct unix_sock *u, const struct unix_sock *l)
{
	if (l->dead)
		return -ERESTARTSYS;
	if (l->state != UNIX_LISTENING || (l->s.shutdown & SHUTDOWN_RCV))
		return -ECONNREFUSED;
	if (l->qlen > l->backlog)
		return -EAGAIN;
	if (u->state != UNIX_CLOSED)
		return u->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	return 0;
}

/* Connect @u to @other, the new end, which waits at @l. */
static int connect_at(struct unix_sock *u, struct unix_sock *l, struct unix_sock *other)
{
	int r;

	unix_lock_two(u, l);
	r = check_connect(u, l);
	if (!r) {
		other->addr = l->addr;
		refcount_inc(&other->addr->refs);
		if (l->path.dentry) {
			other->path = l->path;
			path_get(&other->path);
		}
		join(other, u);
		join(u, other);
		list_add_tail(&other->accept_link, &l->accept);
		WRITE_ONCE(l->qlen, l->qlen + 1);
	}
	unix_unlock_two(u, l);
	return r;
}

static int unix_stream_connect(struct socket *s, const struct sockaddr_storage *addr, int len,
			       u64 deadline)
{
	struct unix_sock *u = unix_of(s), *other, *l;
	int r = unix_addr_check(addr, len);

	if (!r && socket_has(s, SOCK_F_PASSCRED | SOCK_F_PASSPIDFD))
		r = unix_autobind(u);
	if (r)
		return r;
	other = new_sock(s->ops, s->type);
	if (IS_ERR(other))
		return (int)PTR_ERR(other);
	socket_set_peer(&other->s, current->process->pid, current_creds());
	do {
		l = unix_find(addr, len, s->type);
		r = IS_ERR(l) ? (int)PTR_ERR(l) : connect_at(u, l, other);
		if (r == -EAGAIN && deadline) {
			r = socket_wait(&l->conn_wait, may_queue, l, deadline, true);
			if (!r)
				r = -ERESTARTSYS;
		}
		if (!r) {
			socket_copy_peer(s, &l->s);
			waitq_wake_poll(&l->rd_wait, UNIX_READABLE);
		}
		if (!IS_ERR(l))
			unix_put(l);
	} while (r == -ERESTARTSYS);
	if (r)
		release_sock(other, true);
	return r;
}

static int unix_listen(struct socket *s, int backlog)
{
	struct unix_sock *u = unix_of(s);
	int r = 0;

	spin_lock(&u->lock);
	if (!u->addr || u->state == UNIX_CONNECTED) {
		r = -EINVAL;
	} else {
		WRITE_ONCE(u->backlog, (u32)backlog);
		WRITE_ONCE(u->state, UNIX_LISTENING);
	}
	spin_unlock(&u->lock);
	if (r)
		return r;
	socket_set_peer(s, current->process->pid, current_creds());
	waitq_wake_all(&u->conn_wait);
	return 0;
}

static bool may_accept(void *arg)
{
	struct unix_sock *u = arg;

	return !list_empty(&u->accept) || (READ_ONCE(u->s.shutdown) & SHUTDOWN_RCV);
}

static struct unix_sock *take_connection(struct unix_sock *u)
{
	struct unix_sock *e;

	spin_lock(&u->lock);
	e = list_first_entry_or_null(&u->accept, struct unix_sock, accept_link);
	if (e) {
		list_del_init(&e->accept_link);
		WRITE_ONCE(u->qlen, u->qlen - 1);
	}
	spin_unlock(&u->lock);
	return e;
}

static struct socket *unix_accept(struct socket *s, u64 deadline)
{
	const u32 inherited = SOCK_F_PASSCRED | SOCK_F_PASSPIDFD;
	struct unix_sock *u = unix_of(s), *e;
	int r;

	if (READ_ONCE(u->state) != UNIX_LISTENING)
		return ERR_PTR(-EINVAL);
	while (!(e = take_connection(u))) {
		if (deadline && (READ_ONCE(s->shutdown) & SHUTDOWN_RCV))
			return ERR_PTR(-EINVAL);
		r = socket_wait(&u->rd_wait, may_accept, u, deadline, true);
		if (r)
			return ERR_PTR(r);
	}
	waitq_wake_one(&u->conn_wait);
	__atomic_fetch_or(&e->s.flags, READ_ONCE(s->flags) & inherited, __ATOMIC_ACQ_REL);
	return &e->s;
}

/* ---- looking ---- */

static int unix_getname(struct socket *s, struct sockaddr_storage *addr, bool peer)
{
	struct unix_sock *u = unix_of(s);
	int len;

	if (!peer)
		return unix_addr_copy(u, addr);
	u = unix_peer_get(u);
	if (!u)
		return -ENOTCONN;
	len = unix_addr_copy(u, addr);
	unix_put(u);
	return len;
}

u32 unix_poll_common(struct unix_sock *u, struct file *f, struct poll_table *pt)
{
	u32 mask = 0, shutdown;

	poll_wait(f, &u->rd_wait, pt);
	poll_wait(f, &u->wr_wait, pt);
	shutdown = READ_ONCE(u->s.shutdown);
	if (READ_ONCE(u->s.error))
		mask |= POLLERR;
	if (shutdown == SHUTDOWN_BOTH)
		mask |= POLLHUP;
	if (shutdown & SHUTDOWN_RCV)
		mask |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (!list_empty(&u->queue) || !list_empty(&u->accept))
		mask |= POLLIN | POLLRDNORM;
	if (unix_connection_based(u) && READ_ONCE(u->state) == UNIX_CLOSED)
		mask |= POLLHUP;
	return mask;
}

static u32 unix_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct unix_sock *u = unix_of(s);
	u32 mask = unix_poll_common(u, f, pt);

	/* Also when the other side has gone: a write then fails at once. */
	if (READ_ONCE(u->state) != UNIX_LISTENING && unix_writable(u))
		mask |= UNIX_WRITABLE;
	return mask;
}

/* Bytes to be read: all of a connection's, the next datagram's. */
static long bytes_queued(struct unix_sock *u)
{
	struct unix_msg *msg;
	long n = 0;

	spin_lock(&u->lock);
	if (u->state == UNIX_LISTENING)
		n = -EINVAL;
	else
		list_for_each_entry(msg, &u->queue, link) {
			n += msg->len - msg->off;
			if (!unix_connection_based(u))
				break;
		}
	spin_unlock(&u->lock);
	return n;
}

static long unix_ioctl(struct socket *s, unsigned int cmd, unsigned long arg)
{
	struct unix_sock *u = unix_of(s);
	long n;
	int val;

	switch (cmd) {
	case SIOCINQ:
		n = bytes_queued(u);
		break;
	case SIOCOUTQ:
		n = atomic_read(&u->wmem) - 1;
		break;
	default:
		return -ENOIOCTLCMD;
	}
	if (n < 0)
		return n;
	val = (int)n;
	return put_user_obj((uaddr_t)arg, &val);
}

static bool unix_listening(const struct socket *s)
{
	return READ_ONCE(((const struct unix_sock *)s)->state) == UNIX_LISTENING;
}

#define COMMON_OPS                                                                             \
	.release = unix_release, .flush = unix_flush, .bind = unix_bind, .pair = unix_pair, .getname = unix_getname, \
	.shutdown = unix_shutdown, .ioctl = unix_ioctl, .listening = unix_listening,            \
	.peek_off = true

static const struct socket_ops stream_ops = {
	COMMON_OPS,
	.connect = unix_stream_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.poll = unix_poll,
	.send = unix_stream_send,
	.recv = unix_stream_recv,
};
static const struct socket_ops dgram_ops = {
	COMMON_OPS,
	.connect = unix_dgram_connect,
	.poll = unix_dgram_poll,
	.send = unix_dgram_send,
	.recv = unix_dgram_recv,
};
static const struct socket_ops seqpacket_ops = {
	COMMON_OPS,
	.connect = unix_stream_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.poll = unix_dgram_poll,
	.send = unix_seqpacket_send,
	.recv = unix_seqpacket_recv,
};

static const struct socket_family unix_family = { AF_UNIX, unix_create };

void unix_init(void)
{
	sock_cache = kmem_cache_create("unix_sock", sizeof(struct unix_sock), 0);
	unix_gc_init();
	unix_names_init();
	unix_proc_init();
	socket_family_register(&unix_family);
}

/* SPDX-License-Identifier: MIT */
/*
 * The inside of AF_UNIX.
 *
 * unix.c: a socket's life and its state; names.c: addresses; stream.c, dgram.c: moving data; msg.c: messages and whom they are charged to;
 * scm.c: descriptors and credentials that travel along; gc.c: sockets that only reach each other; proc.c: /proc/net/unix.
 *
 * A message is built by the sender without a lock and put on the receiver's queue under the receiver's lock. Its memory is charged to the
 * sender (wmem) until the receiver has read it, and that charge keeps the sender's structure, so that its address can be told.
 *
 * Locks: u->lock (spin; letter u): state, peer, queues; of two the lower address first, a listener's before those of its unaccepted
 * ones. u->read_mutex (r): who reads, so that data is copied in order; outside u->lock. u->bind_mutex: one bind at a time. gc_mutex (g): gc.c.
 * Sources: unix(7), socketpair(2), bind(2), connect(2), send(2), recv(2).
 */
#ifndef NET_UNIX_H
#define NET_UNIX_H

#include <net/socket.h>

enum unix_state { UNIX_CLOSED, UNIX_LISTENING, UNIX_CONNECTED };

/* An address as programs see it. Shared by a listener and what it accepts. */
struct unix_addr {
	refcount_t refs;
	int len; /* of what follows, as getsockname tells it */
	u16 family;
	char path[UNIX_PATH_MAX +
		  1]; /* first byte 0: abstract; else ends with 0, which is counted */
};

struct unix_user;
/* Descriptors on their way. */
struct unix_fds {
	struct list link;	/* to be dropped */
	struct unix_user *user; /* who is charged; NULL: not on their way yet, or no more */
	unsigned int n, nunix;	/* of them AF_UNIX sockets */
	struct file *file[];
};

struct unix_msg {
	struct list link;	  /* u of the receiver */
	struct unix_sock *sender; /* charged, and by that kept */
	struct unix_fds *fds;
	struct pid *pid; /* a reference; NULL: nobody asked for credentials */
	uid_t uid;
	gid_t gid;
	u64 stamp_ns; /* when it was sent, 0: nobody asked */
	u32 len, off; /* off: r: how much of a stream's has been read */
	u32 charge;
	u32 npages; /* 0: the bytes are in data */
	union {
		char data[0];
		struct page *page[0];
	};
};

struct unix_sock {
	struct socket s; /* must be first */
	refcount_t refs;
	atomic_t wmem; /* bytes of messages charged, and 1 while there are references */
	struct spinlock lock;
	u8 state;		 /* u: enum unix_state */
	bool dead;		 /* u: released */
	struct unix_sock *peer;	 /* u: a reference; of a connected stream it stays until release */
	struct unix_addr *addr;	 /* set once */
	struct path path;	 /* u: of a name in the file system: references, or NULL */
	struct list queue;	 /* u: struct unix_msg */
	u32 qlen;		 /* u: of queue, or of accept */
	u32 backlog;		 /* u */
	struct list accept;	 /* u: accept_link of sockets that wait to be accepted */
	struct list accept_link; /* u of the listener */
	struct list blocked; /* u: blocked_link of those that wait to write to us and are polled */
	struct list blocked_link; /* u of the peer */
	struct waitq rd_wait, wr_wait;
	struct waitq conn_wait; /* for room: connect() at a listener, datagrams to us */
	struct mutex read_mutex, bind_mutex;
	struct hlist_node name_link; /* names.c */
	struct list all_link;	     /* unix.c */
	u32 inflight;		     /* g: descriptors of this socket on their way */
	u32 gc_inner;		     /* g: of these, in queues of candidates */
	u8 gc_mark;		     /* g */
	struct list gc_link;	     /* g */
};

static inline struct unix_sock *unix_of(struct socket *s)
{
	return (struct unix_sock *)s;
}
static inline bool unix_connection_based(const struct unix_sock *u)
{
	return u->s.type != SOCK_DGRAM;
}
static inline void unix_get(struct unix_sock *u)
{
	refcount_inc(&u->refs);
}
void unix_put(struct unix_sock *u);
/** unix_free_struct() - the last reference and the last charge are gone. */
void unix_free_struct(struct unix_sock *u);
/** unix_peer_get() - with a reference, or NULL. */
struct unix_sock *unix_peer_get(struct unix_sock *u);
void unix_lock_two(struct unix_sock *a, struct unix_sock *b);
void unix_unlock_two(struct unix_sock *a, struct unix_sock *b);
void unix_init(void);
/** unix_each() - call @fn for every socket, in the order of making, all_lock held. */
void unix_each(void (*fn)(struct unix_sock *u, void *arg), void *arg);

/* Wake-ups. A reader is woken for each message: edge-triggered pollers count on it. */
#define UNIX_READABLE (POLLIN | POLLRDNORM | POLLPRI | POLLRDBAND)
#define UNIX_WRITABLE (POLLOUT | POLLWRNORM | POLLWRBAND)
#define UNIX_HANGUP   (POLLIN | POLLRDNORM | POLLRDHUP | POLLHUP | POLLERR)
static inline bool unix_writable(const struct unix_sock *u)
{
	return ((u64)(u32)atomic_read(&u->wmem) << 2) <= READ_ONCE(u->s.sndbuf) + 4;
}
/** unix_state_changed() - something ended: everybody is to look. */
void unix_state_changed(struct unix_sock *u, u32 events);

/* names.c */
void unix_names_init(void);
int unix_bind(struct socket *s, const struct sockaddr_storage *addr, int len);
int unix_autobind(struct unix_sock *u); /* 0 also when it has a name */
int unix_addr_check(const struct sockaddr_storage *addr, int len);
/** unix_find() - who is bound to a checked address, with a reference. ERR_PTR(-ECONNREFUSED, -EPROTOTYPE, -EACCES, path errors). */
struct unix_sock *unix_find(const struct sockaddr_storage *addr, int len, int type);
void unix_name_remove(struct unix_sock *u);
void unix_addr_put(struct unix_addr *a);
/** unix_addr_copy() - to *@out; its length, 2 for a socket without a name. */
int unix_addr_copy(const struct unix_sock *u, struct sockaddr_storage *out);

/* msg.c */
/** unix_msg_alloc() - room for @len bytes, charged to @u, waiting for it until @deadline. ERR_PTR(-EAGAIN, -EINTR, -EPIPE, -ENOBUFS, what happened to the socket). */
struct unix_msg *unix_msg_alloc(struct unix_sock *u, size_t len, u64 deadline);
/** unix_msg_fill() - its bytes; 0 or -EFAULT. unix_msg_read(): @n bytes from @off on; how many were copied. */
int unix_msg_fill(struct unix_msg *msg, struct iov_iter *from);
size_t unix_msg_read(const struct unix_msg *msg, size_t off, struct iov_iter *to, size_t n);
/** unix_msg_free() - with what travels along. unix_msg_done(): of one whose sender the caller keeps alive otherwise. */
void unix_msg_free(struct unix_msg *msg);
void unix_msg_done(struct unix_msg *msg);

/* scm.c */
struct unix_scm {
	struct unix_fds *fds;
	struct pid *pid; /* a reference */
	uid_t uid;
	gid_t gid;
};
/** unix_scm_parse() - what a sender sends along. 0 or -EBADF, -EINVAL, -EPERM, -ESRCH, -ETOOMANYREFS, -ENOMEM. */
int unix_scm_parse(const struct sock_msg *m, struct unix_scm *scm);
/** unix_scm_drop() - what was not given to a message. */
void unix_scm_drop(struct unix_scm *scm);
/** unix_scm_attach() - descriptors and credentials to @msg; the sender's own credentials where either side wants some. 0 or -ETOOMANYREFS. */
int unix_scm_attach(struct unix_sock *u, struct unix_sock *peer, struct unix_msg *msg,
		    struct unix_scm *scm);
/** unix_scm_take() - receiving: credentials, and descriptors (@peek: copies of them), from @msg. 0 or -ENOMEM. */
int unix_scm_take(struct unix_msg *msg, struct unix_scm *scm, bool peek);
bool unix_scm_same(const struct unix_msg *msg, const struct unix_scm *scm);
/** unix_scm_deliver() - to the program, and let go of it. */
void unix_scm_deliver(struct socket *s, struct sock_msg *m, struct unix_scm *scm);
/** unix_fds_release() - drop files; however deep they hold each other, the stack is not. */
void unix_fds_release(struct unix_fds *fds);
/**
 * unix_gc() - find sockets that only reach each other, and drop what is in their queues. @closing (or NULL): current is about to
 * let go of a reference on it, which does not count. May sleep.
 */
void unix_gc(struct unix_sock *closing);

/* gc.c */
void unix_gc_init(void);
int unix_fds_fly(struct unix_fds *fds); /* 0, -ETOOMANYREFS, -ENOMEM */
void unix_fds_land(struct unix_fds *fds);
struct unix_fds *unix_fds_dup(struct unix_fds *fds); /* NULL: no memory */
bool unix_gc_needed(void);
/** unix_gc_collect() - the work of unix_gc(): what is found is given to unix_fds_release(). */
void unix_gc_collect(const struct unix_sock *closing);

/* stream.c, dgram.c */
ssize_t unix_stream_send(struct socket *s, struct sock_msg *m);
ssize_t unix_stream_recv(struct socket *s, struct sock_msg *m);
ssize_t unix_dgram_send(struct socket *s, struct sock_msg *m);
ssize_t unix_dgram_recv(struct socket *s, struct sock_msg *m);
ssize_t unix_seqpacket_send(struct socket *s, struct sock_msg *m);
ssize_t unix_seqpacket_recv(struct socket *s, struct sock_msg *m);
int unix_dgram_connect(struct socket *s, const struct sockaddr_storage *addr, int len,
		       u64 deadline);
u32 unix_dgram_poll(struct socket *s, struct file *f, struct poll_table *pt);
u32 unix_poll_common(struct unix_sock *u, struct file *f, struct poll_table *pt);
/** unix_unblock() - there is room in @u's queue again, or never will be. u->lock held. */
void unix_unblock(struct unix_sock *u);
/** unix_forget_blocked() - @u no longer waits to write to @peer, which is its peer no more. */
void unix_forget_blocked(struct unix_sock *u, struct unix_sock *peer);

/* proc.c */
void unix_proc_init(void);

#endif

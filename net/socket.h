/* SPDX-License-Identifier: MIT */
/*
 * Sockets, whatever their family.
 *
 * net/socket.c makes files of sockets and carries the system calls to a family's operations; net/options.c has the options
 * of SOL_SOCKET; net/message.c the parts of a message that are not its bytes. A family registers itself with
 * socket_family_register(); its sockets embed struct socket, and all they do is in their struct socket_ops.
 *
 * Locking: options are single words that are stored and read whole; peer_lock guards who the peer is. Everything else is the
 * family's. Source: socket(2), socket(7), send(2), recv(2), cmsg(3).
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <fs/file.h>
#include <kernel/wait.h>
#include <uapi/socket.h>

struct socket;
struct printbuf;

/* A message under way. The iterator is what is to be sent, or where to put what comes. */
struct sock_msg {
	struct iov_iter *iter;
	u32 flags;     /* MSG_* as asked for; O_NONBLOCK of the file is in it as MSG_DONTWAIT */
	u32 out_flags; /* receiving: MSG_* for the program */
	struct sockaddr_storage *name; /* NULL: none (given, wanted) */
	int namelen;		       /* receiving: filled in */
	const void *control;	       /* sending: ancillary data, in kernel memory */
	uaddr_t ucontrol;	       /* receiving: where the next piece goes; 0: nowhere */
	size_t controllen;	       /* bytes of either, or left */
};

/* All in task context. Deadlines are of hal_clock_ns(): 0 is "do not wait", U64_MAX "for ever". */
struct socket_ops {
	void (*release)(struct socket *s); /* the last descriptor has gone, or it never had one */
	void (*flush)(struct socket *s);   /* a descriptor is closed; or NULL */
	int (*bind)(struct socket *s, const struct sockaddr_storage *addr, int len);
	int (*connect)(struct socket *s, const struct sockaddr_storage *addr, int len,
		       u64 deadline);
	int (*pair)(struct socket *a, struct socket *b); /* NULL: -EOPNOTSUPP */
	int (*listen)(struct socket *s, int backlog);
	/* A connected socket without a file. ERR_PTR. */
	struct socket *(*accept)(struct socket *s, u64 deadline);
	/* The own or the peer's address; its length or -Exxx. */
	int (*getname)(struct socket *s, struct sockaddr_storage *addr, bool peer);
	int (*shutdown)(struct socket *s, int how); /* SHUT_* */
	ssize_t (*send)(struct socket *s, struct sock_msg *m);
	ssize_t (*recv)(struct socket *s, struct sock_msg *m);
	u32 (*poll)(struct socket *s, struct file *f, struct poll_table *pt);
	/* -ENOIOCTLCMD: not the family's. */
	long (*ioctl)(struct socket *s, unsigned int cmd, unsigned long arg);
	bool (*listening)(const struct socket *s);
	bool peek_off; /* SO_PEEK_OFF means something */
};

/* Options that are on or off, and flags; changed by atomic operations. */
#define SOCK_F_DEBUG	    0x0001u
#define SOCK_F_REUSEADDR    0x0002u
#define SOCK_F_DONTROUTE    0x0004u
#define SOCK_F_BROADCAST    0x0008u
#define SOCK_F_KEEPALIVE    0x0010u
#define SOCK_F_OOBINLINE    0x0020u
#define SOCK_F_NO_CHECK	    0x0040u
#define SOCK_F_LINGER	    0x0080u
#define SOCK_F_PASSCRED	    0x0100u
#define SOCK_F_PASSPIDFD    0x0200u
#define SOCK_F_TIMESTAMP    0x0400u /* times wanted ... */
#define SOCK_F_TIMESTAMP_NS 0x0800u /* ... in ns */
#define SOCK_F_TIMESTAMP_NEW 0x1000u /* by the option's new number */
#define SOCK_F_RXQ_OVFL	    0x2000u
#define SOCK_F_NOFCS	    0x4000u
#define SOCK_F_LOCK_FILTER  0x8000u
#define SOCK_F_SELECT_ERR   0x10000u

struct socket {
	const struct socket_ops *ops;
	u16 family, type;
	int protocol;
	struct inode *inode; /* of its file; NULL: has none yet */
	struct file *file;   /* no reference: the file holds the socket */

	u32 flags;    /* atomic, SOCK_F_* */
	u32 shutdown; /* the family's lock: SHUTDOWN_* */
	int error;    /* atomic: what happened, positive; told once */
	u32 sndbuf, rcvbuf, rcvlowat;
	u8 buf_lock; /* SOCK_*BUF_LOCK */
	u32 priority, mark;
	u32 linger_s;
	s32 peek_off;		      /* -1: off */
	u64 rcvtimeo_ns, sndtimeo_ns; /* U64_MAX: none */
	u64 cookie;

	struct spinlock peer_lock;
	struct pid *peer_pid;		/* peer_lock: a reference, or NULL */
	const struct creds *peer_creds; /* peer_lock: a reference, or NULL */
};
#define SHUTDOWN_RCV  1u
#define SHUTDOWN_SEND 2u
#define SHUTDOWN_BOTH 3u

struct socket_family {
	int family;
	/* A socket of its own; the type was checked to be one that could be. ERR_PTR(-ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENFILE, -ENOMEM). */
	struct socket *(*create)(int type, int protocol);
};
/** socket_family_register() - at boot. */
void socket_family_register(const struct socket_family *family);

/** socket_init() - the fields that every family has. socket_fini(): let go of what they hold. */
void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type);
void socket_fini(struct socket *s);
/** socket_create() - socket(2) without a descriptor. ERR_PTR(-EAFNOSUPPORT, -EINVAL, ...). */
struct socket *socket_create(int family, int type, int protocol);
/** socket_file_create() - the file of @s, which it takes over; @flags O_NONBLOCK. On failure @s is released. ERR_PTR. */
struct file *socket_file_create(struct socket *s, unsigned int flags);
/** socket_of() - the socket behind a file, or NULL. */
struct socket *socket_of(const struct file *f);

static inline bool socket_has(const struct socket *s, u32 flag)
{
	return READ_ONCE(s->flags) & flag;
}
/** socket_take_error() - 0 or -Exxx of what happened since it was asked last. */
static inline int socket_take_error(struct socket *s)
{
	return likely(!READ_ONCE(s->error)) ? 0
					    : -__atomic_exchange_n(&s->error, 0, __ATOMIC_ACQ_REL);
}

/** socket_deadline() - until when a call may wait that has MSG_DONTWAIT or not, with the socket's limit for its kind. */
u64 socket_deadline(u64 timeo_ns, bool nonblock);
static inline u64 socket_recv_deadline(const struct socket *s, u32 flags)
{
	return socket_deadline(READ_ONCE(s->rcvtimeo_ns), flags & MSG_DONTWAIT);
}
static inline u64 socket_send_deadline(const struct socket *s, u32 flags)
{
	return socket_deadline(READ_ONCE(s->sndtimeo_ns), flags & MSG_DONTWAIT);
}
/**
 * socket_wait() - sleep on @q until @ready(@arg). With @exclusive one waker wakes one sleeper.
 * Return: 0; -EAGAIN: the deadline passed; -EINTR: restarted by SA_RESTART only if there was no time limit, as signal(7) says.
 */
int socket_wait(struct waitq *q, bool (*ready)(void *arg), void *arg, u64 deadline, bool exclusive);

/** socket_set_peer() - @pid and @creds (no reference is taken over) become what SO_PEERCRED tells. Either may be NULL. */
void socket_set_peer(struct socket *s, struct pid *pid, const struct creds *creds);
void socket_copy_peer(struct socket *s, struct socket *from);

/* Options (net/options.c): SOL_SOCKET; 0 or -Exxx. */
int socket_set_option(struct socket *s, int option, uaddr_t val, int len);
int socket_get_option(struct socket *s, int option, uaddr_t val, uaddr_t ulen);

/* Ancillary data (net/message.c). */
/** cmsg_first(), cmsg_next() - walk through what a program sent; NULL at the end. *@cm is a copy of the head. */
const struct cmsghdr *cmsg_first(const struct sock_msg *m);
const struct cmsghdr *cmsg_next(const struct sock_msg *m, const struct cmsghdr *c);
/** cmsg_ok() - does it lie in the buffer with all of its length? */
bool cmsg_ok(const struct sock_msg *m, const struct cmsghdr *c);
static inline const void *cmsg_data(const struct cmsghdr *c)
{
	return c + 1;
}
/** cmsg_put() - one piece for the receiver; what does not fit is cut and MSG_CTRUNC set. 0 or -EFAULT. */
int cmsg_put(struct sock_msg *m, int level, int type, const void *data, size_t len);
/** cmsg_put_timestamp() - the time @real_ns as the options of @s ask for it, if they do. */
void cmsg_put_timestamp(struct socket *s, struct sock_msg *m, u64 real_ns);
/** cmsg_put_files() - SCM_RIGHTS: new descriptors for as many of @files as there is room for; the references stay the caller's. */
void cmsg_put_files(struct sock_msg *m, struct file *const *files, unsigned int n);

/* System calls (net/calls.c is in socket.c's place for those that move messages): see syscall/sys_socket.c. */
/** socket_send(), socket_recv() - with MSG_DONTWAIT added for non-blocking files. Bytes or -Exxx. */
ssize_t socket_send(struct socket *s, struct sock_msg *m);
ssize_t socket_recv(struct socket *s, struct sock_msg *m);

/* Limits in /proc/sys/net, defined in fs/procfs/net.c. */
#define SOCK_MIN_SNDBUF 4608u
#define SOCK_MIN_RCVBUF 2304u

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The calls of sockets: addresses, messages and their parts between user memory and net/socket.h.
 * Source: socket(2), socketpair(2), bind(2), listen(2), accept(2), connect(2), getsockname(2), getpeername(2), send(2), recv(2),
 * sendmmsg(2), recvmmsg(2), getsockopt(2), shutdown(2).
 */
#include <fs/internal.h>
#include <fs/procfs/net.h>
#include <kernel/time.h>
#include <net/socket.h>
#include <syscall/internal.h>
#include <syscall/proto.h>
#include <uapi/uio.h>

/* The socket of a descriptor, to be put with fdput(*@f). ERR_PTR(-EBADF, -ENOTSOCK). */
static __always_inline struct socket *get_socket(fd_t fd, struct fd *f)
{
	struct socket *s;

	*f = fdget(fd);
	if (unlikely(!f->file))
		return ERR_PTR(-EBADF);
	s = socket_of(f->file);
	if (unlikely(!s)) {
		fdput(*f);
		return ERR_PTR(-ENOTSOCK);
	}
	return s;
}

static int addr_from_user(struct sockaddr_storage *addr, uaddr_t uaddr, int len)
{
	if (len < 0 || len > (int)sizeof(*addr))
		return -EINVAL;
	addr->family = AF_UNSPEC;
	return len ? copy_from_user(addr, uaddr, (size_t)len) : 0;
}

/* @len bytes of an address as far as the program has room; *@ulen becomes its whole length. */
static int addr_to_user(const struct sockaddr_storage *addr, int len, uaddr_t uaddr, uaddr_t ulen)
{
	int room;

	if (get_user_obj(&room, ulen))
		return -EFAULT;
	room = min(room, len);
	if (room < 0)
		return -EINVAL;
	if (room && copy_to_user(uaddr, addr, (size_t)room))
		return -EFAULT;
	return put_user_obj(ulen, &len);
}

/* ---- making ---- */

static bool bad_type_flags(int type)
{
	return (type & ~SOCK_TYPE_MASK) & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* A descriptor for @s, which is taken over. */
static int install_socket(struct socket *s, int flags)
{
	struct file *f = socket_file_create(s, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	int fd;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	fd = fd_alloc_install(f, 0, flags & SOCK_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

long sys_socket(int family, int type, int protocol)
{
	struct socket *s;

	if (bad_type_flags(type))
		return -EINVAL;
	s = socket_create(family, type & SOCK_TYPE_MASK, protocol);
	return IS_ERR(s) ? PTR_ERR(s) : install_socket(s, type);
}

/* Two connected sockets as files. 0 or -Exxx. */
static int make_pair(int family, int type, int protocol, struct file *out[2])
{
	unsigned int flags = type & SOCK_NONBLOCK ? O_NONBLOCK : 0;
	struct socket *a, *b;
	int r;

	a = socket_create(family, type & SOCK_TYPE_MASK, protocol);
	if (IS_ERR(a))
		return (int)PTR_ERR(a);
	b = socket_create(family, type & SOCK_TYPE_MASK, protocol);
	if (IS_ERR(b)) {
		a->ops->release(a);
		return (int)PTR_ERR(b);
	}
	r = a->ops->pair ? a->ops->pair(a, b) : -EOPNOTSUPP;
	if (r) {
		a->ops->release(a);
		b->ops->release(b);
		return r;
	}
	out[0] = socket_file_create(a, flags);
	out[1] = socket_file_create(b, flags);
	for (int i = 0; i < 2; i++)
		if (IS_ERR(out[i])) {
			if (!IS_ERR(out[!i]))
				file_put(out[!i]);
			return (int)PTR_ERR(out[i]);
		}
	return 0;
}

long sys_socketpair(int family, int type, int protocol, uaddr_t ufds)
{
	bool cloexec = type & SOCK_CLOEXEC;
	struct file *files[2];
	int fds[2], r;

	if (bad_type_flags(type))
		return -EINVAL;
	fds[0] = fd_reserve(0, cloexec);
	if (fds[0] < 0)
		return fds[0];
	fds[1] = fd_reserve(0, cloexec);
	r = fds[1] < 0 ? fds[1] : put_user_obj(ufds, &fds);
	if (!r)
		r = make_pair(family, type, protocol, files);
	if (!r) {
		fd_install(fds[0], files[0]);
		fd_install(fds[1], files[1]);
		return 0;
	}
	fd_unreserve(fds[0]);
	if (fds[1] >= 0)
		fd_unreserve(fds[1]);
	return r;
}

/* ---- names and connections ---- */

long sys_bind(fd_t fd, uaddr_t uaddr, int len)
{
	struct sockaddr_storage addr;
	struct fd f;
	struct socket *s = get_socket(fd, &f);
	int r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = addr_from_user(&addr, uaddr, len);
	if (!r)
		r = s->ops->bind(s, &addr, len);
	fdput(f);
	return r;
}

long sys_connect(fd_t fd, uaddr_t uaddr, int len)
{
	struct sockaddr_storage addr;
	struct fd f;
	struct socket *s = get_socket(fd, &f);
	int r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = addr_from_user(&addr, uaddr, len);
	if (!r)
		r = s->ops->connect(s, &addr, len,
				    socket_deadline(READ_ONCE(s->sndtimeo_ns),
						    f.file->flags & O_NONBLOCK));
	fdput(f);
	return r;
}

long sys_listen(fd_t fd, int backlog)
{
	struct fd f;
	struct socket *s = get_socket(fd, &f);
	u32 most = READ_ONCE(net_limits.somaxconn);
	int r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = s->ops->listen ? s->ops->listen(s, (int)min((u32)backlog, most)) : -EOPNOTSUPP;
	fdput(f);
	return r;
}

static int tell_peer(struct socket *s, uaddr_t uaddr, uaddr_t ulen)
{
	struct sockaddr_storage addr;
	int len = s->ops->getname(s, &addr, true);

	return len < 0 ? -ECONNABORTED : addr_to_user(&addr, len, uaddr, ulen);
}

/* The file of the next connection at @s. ERR_PTR. */
static struct file *accept_file(struct socket *s, uaddr_t uaddr, uaddr_t ulen, int flags)
{
	struct socket *new;
	struct file *f;
	int r = 0;

	if (!s)
		return ERR_PTR(-ENOTSOCK);
	if (!s->ops->accept)
		return ERR_PTR(-EOPNOTSUPP);
	new = s->ops->accept(s, socket_deadline(READ_ONCE(s->rcvtimeo_ns),
						s->file->flags & O_NONBLOCK));
	if (IS_ERR(new))
		return ERR_CAST(new);
	f = socket_file_create(new, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	if (!IS_ERR(f) && uaddr)
		r = tell_peer(new, uaddr, ulen);
	if (!r)
		return f;
	file_put(f);
	return ERR_PTR(r);
}

long sys_accept4(fd_t fd, uaddr_t uaddr, uaddr_t ulen, int flags)
{
	struct fd f = fdget(fd);
	struct file *new;
	int newfd;

	if (!f.file)
		return -EBADF;
	newfd = flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) ? -EINVAL
							: fd_reserve(0, flags & SOCK_CLOEXEC);
	if (newfd >= 0) {
		new = accept_file(socket_of(f.file), uaddr, ulen, flags);
		if (IS_ERR(new)) {
			fd_unreserve(newfd);
			newfd = (int)PTR_ERR(new);
		} else {
			fd_install(newfd, new);
		}
	}
	fdput(f);
	return newfd;
}

long sys_accept(fd_t fd, uaddr_t uaddr, uaddr_t ulen)
{
	return sys_accept4(fd, uaddr, ulen, 0);
}

static long get_name(fd_t fd, uaddr_t uaddr, uaddr_t ulen, bool peer)
{
	struct sockaddr_storage addr;
	struct fd f;
	struct socket *s = get_socket(fd, &f);
	int r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = s->ops->getname(s, &addr, peer);
	if (r >= 0)
		r = addr_to_user(&addr, r, uaddr, ulen);
	fdput(f);
	return r;
}

long sys_getsockname(fd_t fd, uaddr_t uaddr, uaddr_t ulen)
{
	return get_name(fd, uaddr, ulen, false);
}

long sys_getpeername(fd_t fd, uaddr_t uaddr, uaddr_t ulen)
{
	return get_name(fd, uaddr, ulen, true);
}

long sys_shutdown(fd_t fd, int how)
{
	struct fd f;
	struct socket *s = get_socket(fd, &f);
	int r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = s->ops->shutdown(s, how);
	fdput(f);
	return r;
}

long sys_setsockopt(fd_t fd, int level, int option, uaddr_t value, int len)
{
	struct fd f;
	struct socket *s = get_socket(fd, &f);
	int r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (len < 0)
		r = -EINVAL;
	else
		r = level == SOL_SOCKET ? socket_set_option(s, option, value, len) : -EOPNOTSUPP;
	fdput(f);
	return r;
}

long sys_getsockopt(fd_t fd, int level, int option, uaddr_t value, uaddr_t len)
{
	struct fd f;
	struct socket *s = get_socket(fd, &f);
	int r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	r = level == SOL_SOCKET ? socket_get_option(s, option, value, len) : -EOPNOTSUPP;
	fdput(f);
	return r;
}

/* ---- one buffer ---- */

long sys_sendto(fd_t fd, buf_t buf, size_t len, uint flags, uaddr_t uaddr, int addrlen)
{
	struct iovec_u iov = { buf, min_t(size_t, len, INT_MAX &PAGE_MASK) };
	struct sockaddr_storage addr;
	struct iov_iter it;
	struct sock_msg m = { .iter = &it, .flags = flags & ~MSG_INTERNAL };
	struct fd f;
	struct socket *s = get_socket(fd, &f);
	ssize_t r = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	iov_iter_init(&it, &iov, 1, iov.len);
	if (uaddr) {
		r = addr_from_user(&addr, uaddr, addrlen);
		m.name = &addr;
		m.namelen = addrlen;
		if (!addrlen)
			m.name = NULL;
	}
	if (!r)
		r = socket_send(s, &m);
	fdput(f);
	return r;
}

long sys_recvfrom(fd_t fd, buf_t buf, size_t len, uint flags, uaddr_t uaddr, uaddr_t ulen)
{
	struct iovec_u iov = { buf, min_t(size_t, len, INT_MAX &PAGE_MASK) };
	struct sockaddr_storage addr;
	struct iov_iter it;
	struct sock_msg m = { .iter = &it, .flags = flags };
	struct fd f;
	struct socket *s = get_socket(fd, &f);
	ssize_t r;

	if (IS_ERR(s))
		return PTR_ERR(s);
	iov_iter_init(&it, &iov, 1, iov.len);
	if (uaddr)
		m.name = &addr;
	r = socket_recv(s, &m);
	if (r >= 0 && uaddr) {
		int err = addr_to_user(&addr, m.namelen, uaddr, ulen);

		if (err)
			r = err;
	}
	fdput(f);
	return r;
}

/* ---- whole messages ---- */

/* What a message of user memory is made of, in kernel memory. */
struct msg_parts {
	struct user_msghdr hdr;
	struct sockaddr_storage addr;
	struct iovec_u fast[UIO_FASTIOV], *iov;
	struct iov_iter it;
	u64 control_fast[8];
	void *control; /* NULL, control_fast, or to be freed */
	struct sock_msg m;
};

static void free_parts(struct msg_parts *p)
{
	if (p->iov != p->fast)
		kfree(p->iov);
	if (p->control != p->control_fast)
		kfree(p->control);
}

/* Head and vector. */
static int import_head(struct msg_parts *p, uaddr_t umsg)
{
	size_t total;

	p->iov = p->fast;
	p->control = NULL;
	if (get_user_obj(&p->hdr, umsg))
		return -EFAULT;
	if (!p->hdr.name)
		p->hdr.namelen = 0;
	if (p->hdr.namelen < 0)
		return -EINVAL;
	if (p->hdr.iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	p->iov = import_iov(p->hdr.iov, p->hdr.iovlen, p->fast, &total);
	if (IS_ERR(p->iov)) {
		int r = (int)PTR_ERR(p->iov);

		p->iov = p->fast;
		return r;
	}
	iov_iter_init(&p->it, p->iov, (unsigned int)p->hdr.iovlen, total);
	return 0;
}

static int import_control(struct msg_parts *p)
{
	size_t n = p->hdr.controllen;

	if (n > INT_MAX || n > READ_ONCE(net_limits.optmem_max))
		return -ENOBUFS;
	if (!n)
		return 0;
	p->control = n <= sizeof(p->control_fast) ? p->control_fast : kmalloc(n, GFP_KERNEL);
	if (!p->control)
		return -ENOBUFS;
	p->m.control = p->control;
	p->m.controllen = n;
	return copy_from_user(p->control, p->hdr.control, n);
}

static ssize_t send_one(struct socket *s, uaddr_t umsg, u32 flags)
{
	struct msg_parts p;
	ssize_t r = import_head(&p, umsg);

	p.m = (struct sock_msg){ .iter = &p.it, .flags = flags & ~MSG_INTERNAL };
	if (!r && p.hdr.namelen) {
		p.m.namelen = min_t(int, p.hdr.namelen, sizeof(p.addr));
		p.m.name = &p.addr;
		r = addr_from_user(&p.addr, p.hdr.name, p.m.namelen);
	}
	if (!r)
		r = import_control(&p);
	if (!r)
		r = socket_send(s, &p.m);
	free_parts(&p);
	return r;
}

/* What a received message is besides its bytes, to the head at @umsg. */
static int export_head(struct msg_parts *p, uaddr_t umsg)
{
	u64 controllen = p->m.ucontrol - p->hdr.control;
	u32 flags = p->m.out_flags | (p->m.flags & MSG_CMSG_CLOEXEC);
	int r = 0;

	if (p->hdr.name)
		r = addr_to_user(&p->addr, p->m.namelen, p->hdr.name,
				 umsg + offsetof(struct user_msghdr, namelen));
	if (!r)
		r = put_user_obj(umsg + offsetof(struct user_msghdr, flags), &flags);
	if (!r)
		r = put_user_obj(umsg + offsetof(struct user_msghdr, controllen), &controllen);
	return r;
}

static ssize_t recv_one(struct socket *s, uaddr_t umsg, u32 flags)
{
	struct msg_parts p;
	ssize_t r = import_head(&p, umsg);

	p.m = (struct sock_msg){ .iter = &p.it, .flags = flags };
	if (!r) {
		p.m.name = p.hdr.name ? &p.addr : NULL;
		p.m.ucontrol = p.hdr.control;
		p.m.controllen = p.hdr.controllen;
		r = socket_recv(s, &p.m);
	}
	if (r >= 0) {
		int err = export_head(&p, umsg);

		if (err)
			r = err;
	}
	free_parts(&p);
	return r;
}

static long one_message(fd_t fd, uaddr_t umsg, u32 flags,
			ssize_t (*fn)(struct socket *s, uaddr_t umsg, u32 flags))
{
	struct fd f;
	struct socket *s;
	ssize_t r;

	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	s = get_socket(fd, &f);
	if (IS_ERR(s))
		return PTR_ERR(s);
	r = fn(s, umsg, flags);
	fdput(f);
	return r;
}

long sys_sendmsg(fd_t fd, uaddr_t umsg, uint flags)
{
	return one_message(fd, umsg, flags, send_one);
}

long sys_recvmsg(fd_t fd, uaddr_t umsg, uint flags)
{
	return one_message(fd, umsg, flags, recv_one);
}

/* ---- several messages ---- */

static int put_len(uaddr_t uvec, u32 i, ssize_t len)
{
	u32 n = (u32)len;

	return put_user_obj(
		uvec + i * sizeof(struct user_mmsghdr) + offsetof(struct user_mmsghdr, len), &n);
}

long sys_sendmmsg(fd_t fd, uaddr_t uvec, uint n, uint flags)
{
	struct fd f;
	struct socket *s;
	ssize_t r = 0;
	u32 done = 0;

	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	s = get_socket(fd, &f);
	if (IS_ERR(s))
		return PTR_ERR(s);
	n = min_t(uint, n, UIO_MAXIOV);
	while (done < n) {
		r = send_one(s, uvec + done * sizeof(struct user_mmsghdr), flags);
		if (r >= 0)
			r = put_len(uvec, done, r);
		if (r < 0)
			break;
		done++;
		if (signal_pending())
			break;
		cond_resched();
	}
	fdput(f);
	return done ? (long)done : r;
}

static ssize_t recv_many(struct socket *s, uaddr_t uvec, u32 n, u32 flags, u64 deadline)
{
	ssize_t r = socket_take_error(s);
	u32 done = 0;

	if (r)
		return r;
	while (done < n) {
		r = recv_one(s, uvec + done * sizeof(struct user_mmsghdr), flags & ~MSG_WAITFORONE);
		if (r >= 0)
			r = put_len(uvec, done, r);
		if (r < 0)
			break;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		/* The limit is looked at between messages only, as on Linux. */
		if (deadline != U64_MAX && hal_clock_ns() >= deadline)
			break;
		cond_resched();
	}
	/* What happened after some were received is told by the next call. */
	if (done && r < 0 && r != -EAGAIN && r != -EINTR)
		WRITE_ONCE(s->error, (int)-r);
	return done ? (ssize_t)done : r;
}

/* What is left until @deadline, to the program's own limit. */
static int put_time_left(uaddr_t utime, u64 deadline)
{
	u64 now = hal_clock_ns(), left = deadline > now ? deadline - now : 0;
	struct timespec64 ts = { (s64)(left / NSEC_PER_SEC), (s64)(left % NSEC_PER_SEC) };

	return put_user_obj(utime, &ts);
}

long sys_recvmmsg(fd_t fd, uaddr_t uvec, uint n, uint flags, uaddr_t utime)
{
	struct fd f;
	struct socket *s;
	u64 deadline;
	ssize_t r;

	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	r = deadline_from_user(utime, &deadline);
	if (r)
		return r;
	s = get_socket(fd, &f);
	if (IS_ERR(s))
		return PTR_ERR(s);
	r = recv_many(s, uvec, n, flags, deadline);
	fdput(f);
	if (r > 0 && utime && put_time_left(utime, deadline))
		r = -EFAULT;
	return r;
}

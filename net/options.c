/* SPDX-License-Identifier: MIT */
/*
 * Options of SOL_SOCKET, for every family: setsockopt(2), getsockopt(2).
 *
 * Most are a flag or a number that the family looks at when it matters to it; what makes no sense for a family is kept and told
 * all the same, as Linux does. Options that would need filters, devices or congestion control are refused: ENOPROTOOPT.
 * Locking: single words. Source: socket(7), unix(7).
 */
#include <fs/internal.h>
#include <fs/procfs/net.h>
#include <kernel/files.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <net/socket.h>
#include <uapi/capability.h>

/* Options that are one flag. */
static const struct {
	int option;
	u32 flag;
} flag_options[] = {
	{ SO_DEBUG, SOCK_F_DEBUG },	    { SO_REUSEADDR, SOCK_F_REUSEADDR },
	{ SO_DONTROUTE, SOCK_F_DONTROUTE }, { SO_BROADCAST, SOCK_F_BROADCAST },
	{ SO_KEEPALIVE, SOCK_F_KEEPALIVE }, { SO_OOBINLINE, SOCK_F_OOBINLINE },
	{ SO_NO_CHECK, SOCK_F_NO_CHECK },   { SO_PASSCRED, SOCK_F_PASSCRED },
	{ SO_PASSPIDFD, SOCK_F_PASSPIDFD }, { SO_RXQ_OVFL, SOCK_F_RXQ_OVFL },
	{ SO_NOFCS, SOCK_F_NOFCS },	    { SO_SELECT_ERR_QUEUE, SOCK_F_SELECT_ERR },
};

static u32 flag_of(int option)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_options); i++)
		if (flag_options[i].option == option)
			return flag_options[i].flag;
	return 0;
}

static void change_flags(struct socket *s, u32 clear, u32 set)
{
	__atomic_fetch_and(&s->flags, ~clear, __ATOMIC_ACQ_REL);
	__atomic_fetch_or(&s->flags, set, __ATOMIC_ACQ_REL);
}

/* ---- setting ---- */

/* Twice what was asked for, because bookkeeping counts, too. */
static void set_buffer(struct socket *s, bool send, int val, u32 max, u8 lock)
{
	u32 n = min(min((u32)val, max), (u32)INT_MAX / 2) * 2;

	if (send)
		WRITE_ONCE(s->sndbuf, max(n, SOCK_MIN_SNDBUF));
	else
		WRITE_ONCE(s->rcvbuf, max(n, SOCK_MIN_RCVBUF));
	s->buf_lock |= lock;
}

static int set_forced_buffer(struct socket *s, bool send, int val)
{
	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	set_buffer(s, send, max(val, 0), INT_MAX, send ? SOCK_SNDBUF_LOCK : SOCK_RCVBUF_LOCK);
	return 0;
}

/* A time limit: 0 is none. */
static int set_timeout(u64 *limit, uaddr_t uval, int len)
{
	s64 tv[2];
	u64 ns;

	if (len < (int)sizeof(tv))
		return -EINVAL;
	if (get_user_obj(&tv, uval))
		return -EFAULT;
	if (tv[1] < 0 || tv[1] >= 1000000)
		return -EDOM;
	if (tv[0] < 0)
		ns = 0;
	else if ((!tv[0] && !tv[1]) || (u64)tv[0] > U64_MAX / NSEC_PER_SEC - 1)
		ns = U64_MAX;
	else
		ns = (u64)tv[0] * NSEC_PER_SEC + (u64)tv[1] * NSEC_PER_USEC;
	WRITE_ONCE(*limit, ns);
	return 0;
}

static int set_linger(struct socket *s, uaddr_t uval, int len)
{
	struct linger l;

	if (len < (int)sizeof(l))
		return -EINVAL;
	if (get_user_obj(&l, uval))
		return -EFAULT;
	if (l.onoff)
		WRITE_ONCE(s->linger_s, (u32)l.linger);
	change_flags(s, l.onoff ? 0 : SOCK_F_LINGER, l.onoff ? SOCK_F_LINGER : 0);
	return 0;
}

static int set_priority(struct socket *s, int val)
{
	if ((val < 0 || val > 6) && !capable(CAP_NET_RAW) && !capable(CAP_NET_ADMIN))
		return -EPERM;
	WRITE_ONCE(s->priority, (u32)val);
	return 0;
}

static int set_mark(struct socket *s, int val)
{
	if (!capable(CAP_NET_RAW) && !capable(CAP_NET_ADMIN))
		return -EPERM;
	WRITE_ONCE(s->mark, (u32)val);
	return 0;
}

static int set_peek_off(struct socket *s, int val)
{
	if (!s->ops->peek_off)
		return -EOPNOTSUPP;
	WRITE_ONCE(s->peek_off, val);
	return 0;
}

static int set_buf_lock(struct socket *s, int val)
{
	if (val & ~(SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK))
		return -EINVAL;
	s->buf_lock = (u8)val;
	return 0;
}

static int set_timestamp(struct socket *s, int option, bool on)
{
	const u32 all = SOCK_F_TIMESTAMP | SOCK_F_TIMESTAMP_NS | SOCK_F_TIMESTAMP_NEW;
	bool ns = option == SO_TIMESTAMPNS || option == SO_TIMESTAMPNS_NEW;
	bool new = option == SO_TIMESTAMP_NEW || option == SO_TIMESTAMPNS_NEW;

	change_flags(s, all,
		     on ? SOCK_F_TIMESTAMP | (ns ? SOCK_F_TIMESTAMP_NS : 0) |
				     (new ? SOCK_F_TIMESTAMP_NEW : 0)
			: 0);
	return 0;
}

static int set_lock_filter(struct socket *s, bool on)
{
	if (socket_has(s, SOCK_F_LOCK_FILTER) && !on)
		return -EPERM;
	change_flags(s, 0, on ? SOCK_F_LOCK_FILTER : 0);
	return 0;
}

static int set_number(struct socket *s, int option, int val)
{
	switch (option) {
	case SO_SNDBUF:
		set_buffer(s, true, val, READ_ONCE(net_limits.wmem_max), SOCK_SNDBUF_LOCK);
		return 0;
	case SO_RCVBUF:
		set_buffer(s, false, val, READ_ONCE(net_limits.rmem_max), SOCK_RCVBUF_LOCK);
		return 0;
	case SO_SNDBUFFORCE:
		return set_forced_buffer(s, true, val);
	case SO_RCVBUFFORCE:
		return set_forced_buffer(s, false, val);
	case SO_RCVLOWAT:
		WRITE_ONCE(s->rcvlowat, val < 0 ? INT_MAX : val ? (u32)val : 1);
		return 0;
	case SO_PRIORITY:
		return set_priority(s, val);
	case SO_MARK:
		return set_mark(s, val);
	case SO_PEEK_OFF:
		return set_peek_off(s, val);
	case SO_BUF_LOCK:
		return set_buf_lock(s, val);
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		return set_timestamp(s, option, val);
	case SO_LOCK_FILTER:
		return set_lock_filter(s, val);
	case SO_BSDCOMPAT:
		return 0; /* never did anything */
	default:
		return -ENOPROTOOPT;
	}
}

int socket_set_option(struct socket *s, int option, uaddr_t uval, int len)
{
	u32 flag = flag_of(option);
	int val;

	if (len < (int)sizeof(val))
		return -EINVAL;
	if (get_user_obj(&val, uval))
		return -EFAULT;
	if (option == SO_LINGER)
		return set_linger(s, uval, len);
	if (option == SO_RCVTIMEO || option == SO_RCVTIMEO_NEW)
		return set_timeout(&s->rcvtimeo_ns, uval, len);
	if (option == SO_SNDTIMEO || option == SO_SNDTIMEO_NEW)
		return set_timeout(&s->sndtimeo_ns, uval, len);
	if (option == SO_DEBUG && val && !capable(CAP_NET_ADMIN))
		return -EACCES;
	if (!flag)
		return set_number(s, option, val);
	change_flags(s, val ? 0 : flag, val ? flag : 0);
	return 0;
}

/* ---- getting ---- */

union option_value {
	int val;
	u64 val64;
	struct linger linger;
	s64 tv[2];
	struct ucred ucred;
	struct sockaddr_storage addr;
};

static int get_timeout(u64 limit, union option_value *v)
{
	v->tv[0] = limit == U64_MAX ? 0 : (s64)(limit / NSEC_PER_SEC);
	v->tv[1] = limit == U64_MAX ? 0 : (s64)(limit % NSEC_PER_SEC / NSEC_PER_USEC);
	return sizeof(v->tv);
}

static int get_peercred(struct socket *s, union option_value *v)
{
	spin_lock(&s->peer_lock);
	v->ucred.pid = s->peer_pid ? s->peer_pid->nr : 0;
	v->ucred.uid = s->peer_creds ? s->peer_creds->euid : ~0u;
	v->ucred.gid = s->peer_creds ? s->peer_creds->egid : ~0u;
	spin_unlock(&s->peer_lock);
	return sizeof(v->ucred);
}

static u64 socket_cookie(struct socket *s)
{
	static atomic64_t last;
	u64 none = 0;

	if (!READ_ONCE(s->cookie)) {
		u64 next = (u64)atomic64_inc_return(&last);

		try_cmpxchg(&s->cookie, &none, next);
	}
	return READ_ONCE(s->cookie);
}

static bool stamps(const struct socket *s, int option)
{
	u32 kind = SOCK_F_TIMESTAMP;

	if (option == SO_TIMESTAMPNS || option == SO_TIMESTAMPNS_NEW)
		kind |= SOCK_F_TIMESTAMP_NS;
	if (option == SO_TIMESTAMP_NEW || option == SO_TIMESTAMPNS_NEW)
		kind |= SOCK_F_TIMESTAMP_NEW;
	return (READ_ONCE(s->flags) &
		(SOCK_F_TIMESTAMP | SOCK_F_TIMESTAMP_NS | SOCK_F_TIMESTAMP_NEW)) == kind;
}

/* Options that are one int. False: @option is not. */
static bool get_number(struct socket *s, int option, int *val)
{
	switch (option) {
	case SO_SNDBUF:
		*val = (int)READ_ONCE(s->sndbuf);
		return true;
	case SO_RCVBUF:
		*val = (int)READ_ONCE(s->rcvbuf);
		return true;
	case SO_TYPE:
		*val = s->type;
		return true;
	case SO_PROTOCOL:
		*val = s->protocol;
		return true;
	case SO_DOMAIN:
		*val = s->family;
		return true;
	case SO_ERROR:
		*val = -socket_take_error(s);
		return true;
	case SO_PRIORITY:
		*val = (int)READ_ONCE(s->priority);
		return true;
	case SO_MARK:
		*val = (int)READ_ONCE(s->mark);
		return true;
	case SO_RCVLOWAT:
		*val = (int)READ_ONCE(s->rcvlowat);
		return true;
	case SO_SNDLOWAT:
		*val = 1;
		return true;
	case SO_ACCEPTCONN:
		*val = s->ops->listening(s);
		return true;
	case SO_BUF_LOCK:
		*val = s->buf_lock;
		return true;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		*val = stamps(s, option);
		return true;
	case SO_LOCK_FILTER:
		*val = socket_has(s, SOCK_F_LOCK_FILTER);
		return true;
	case SO_BSDCOMPAT:
		*val = 0;
		return true;
	default:
		return false;
	}
}

static int peer_name(struct socket *s, union option_value *v, int len)
{
	int n = s->ops->getname(s, &v->addr, true);

	if (n < 0)
		return -ENOTCONN;
	return n < len ? -EINVAL : n;
}

/* A descriptor for the peer's process. Number or -Exxx. */
static int peer_pidfd(struct socket *s, struct file **f)
{
	struct process *p = NULL;
	struct pid *pid;
	unsigned long flags;
	int fd;

	spin_lock(&s->peer_lock);
	pid = s->peer_pid;
	if (pid)
		pid_get(pid);
	spin_unlock(&s->peer_lock);
	if (!pid)
		return -ENODATA;
	flags = spin_lock_irqsave(&tasklist_lock);
	p = pid->process;
	if (p)
		refcount_inc(&p->refs);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	pid_put(pid);
	if (!p)
		return -ESRCH;
	fd = pidfd_reserve(p, NULL, 0, f);
	process_put(p);
	return fd;
}

static int get_pidfd(struct socket *s, uaddr_t uval, uaddr_t ulen, int len)
{
	struct file *f;
	int fd = peer_pidfd(s, &f);

	if (fd < 0)
		return fd;
	len = min_t(int, len, sizeof(fd));
	if (copy_to_user(uval, &fd, (size_t)len) || put_user_obj(ulen, &len)) {
		pidfd_cancel(fd, f);
		return -EFAULT;
	}
	pidfd_install(fd, f);
	return 0;
}

static int get_groups(struct socket *s, uaddr_t uval, uaddr_t ulen, int len)
{
	const struct creds *c;
	int need, r = 0;

	spin_lock(&s->peer_lock);
	c = s->peer_creds;
	if (c)
		creds_get(c);
	spin_unlock(&s->peer_lock);
	if (!c)
		return -ENODATA;
	need = (int)(c->ngroups * sizeof(gid_t));
	if (len < need)
		r = -ERANGE;
	else if (copy_to_user(uval, c->groups, (size_t)need))
		r = -EFAULT;
	creds_put(c);
	if (r != -EFAULT && put_user_obj(ulen, &need))
		r = -EFAULT;
	return r;
}

/* The value of an option; its size or -Exxx. */
static int get_value(struct socket *s, int option, int len, union option_value *v)
{
	u32 flag = flag_of(option);

	if (flag || get_number(s, option, &v->val)) {
		if (flag)
			v->val = socket_has(s, flag);
		return sizeof(v->val);
	}
	switch (option) {
	case SO_LINGER:
		v->linger = (struct linger){ socket_has(s, SOCK_F_LINGER),
					     (s32)READ_ONCE(s->linger_s) };
		return sizeof(v->linger);
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return get_timeout(READ_ONCE(s->rcvtimeo_ns), v);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return get_timeout(READ_ONCE(s->sndtimeo_ns), v);
	case SO_PEERCRED:
		return get_peercred(s, v);
	case SO_PEERNAME:
		return peer_name(s, v, len);
	case SO_PEEK_OFF:
		v->val = READ_ONCE(s->peek_off);
		return s->ops->peek_off ? (int)sizeof(v->val) : -EOPNOTSUPP;
	case SO_COOKIE:
		v->val64 = socket_cookie(s);
		return len < (int)sizeof(v->val64) ? -EINVAL : (int)sizeof(v->val64);
	case SO_BINDTODEVICE:
		return 0; /* bound to none */
	default:
		return -ENOPROTOOPT;
	}
}

int socket_get_option(struct socket *s, int option, uaddr_t uval, uaddr_t ulen)
{
	union option_value v = { 0 };
	int len, n;

	if (get_user_obj(&len, ulen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (option == SO_PEERGROUPS)
		return get_groups(s, uval, ulen, len);
	if (option == SO_PEERPIDFD)
		return get_pidfd(s, uval, ulen, len);
	n = get_value(s, option, len, &v);
	if (n < 0)
		return n;
	len = min(len, n);
	return copy_to_user(uval, &v, (size_t)len) || put_user_obj(ulen, &len) ? -EFAULT : 0;
}

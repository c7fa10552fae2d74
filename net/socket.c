/* SPDX-License-Identifier: MIT */
/*
 * Sockets as files, for every family: see net/socket.h.
 *
 * A socket's file lies on "sockfs", which is not in the tree, and is named socket:[INODE]. read and write are receiving and sending
 * without flags, addresses and ancillary data. Source: socket(2), socket(7).
 */
#include <fs/fasync.h>
#include <fs/internal.h>
#include <fs/procfs/net.h>
#include <kernel/net.h>
#include <kernel/process.h>
#include <kernel/time.h>
#include <net/socket.h>
#include <net/unix/unix.h>
#include <uapi/uio.h>

static struct super *sock_super;
static const struct file_ops socket_file_ops;
static const struct socket_family *families[AF_MAX];

/* ---- sockfs ---- */

static int sockfs_statfs(struct super *sb, struct statfs *st)
{
	return 0;
}

static const struct super_ops sockfs_super_ops = { .statfs = sockfs_statfs };

static int sockfs_fill(struct super *sb, const char *source, const char *data)
{
	sb->ops = &sockfs_super_ops;
	sb->magic = SOCKFS_MAGIC;
	return 0;
}

static struct fs_type sockfs_type = {
	.name = "sockfs", .nodev = true, .fill = sockfs_fill, .single = true
};

void net_init(void)
{
	fs_type_register(&sockfs_type);
	sock_super = super_create(&sockfs_type, NULL, NULL);
	if (IS_ERR(sock_super))
		panic("sockfs: no memory");
	unix_init();
}

struct file *socket_file_create(struct socket *s, unsigned int flags)
{
	struct inode *inode = inode_new(sock_super, NULL, S_IFSOCK | S_IRWXUGO);
	struct file *f;
	char name[40];

	if (!inode) {
		s->ops->release(s);
		return ERR_PTR(-ENOMEM);
	}
	inode->fops = &sock_ops; /* reopened through /proc: ENXIO */
	snprintf(name, sizeof(name), "socket:[%llu]", inode->ino);
	f = anon_inode_file(inode, name, &socket_file_ops, s, O_RDWR | (flags & O_NONBLOCK));
	if (IS_ERR(f)) {
		s->ops->release(s);
		return f;
	}
	f->mode |= FMODE_NOWAIT;
	s->inode = inode;
	s->file = f;
	return f;
}

struct socket *socket_of(const struct file *f)
{
	return f->ops == &socket_file_ops ? f->priv : NULL;
}

/* ---- families ---- */

void socket_family_register(const struct socket_family *family)
{
	families[family->family] = family;
}

struct socket *socket_create(int family, int type, int protocol)
{
	if (family < 0 || family >= AF_MAX)
		return ERR_PTR(-EAFNOSUPPORT);
	if (type < 0 || type >= SOCK_TYPE_MAX)
		return ERR_PTR(-EINVAL);
	if (!families[family])
		return ERR_PTR(-EAFNOSUPPORT);
	return families[family]->create(type, protocol);
}

void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type)
{
	s->ops = ops;
	s->family = (u16)family;
	s->type = (u16)type;
	s->sndbuf = READ_ONCE(net_limits.wmem_default);
	s->rcvbuf = READ_ONCE(net_limits.rmem_default);
	s->rcvlowat = 1;
	s->peek_off = -1;
	s->rcvtimeo_ns = s->sndtimeo_ns = U64_MAX;
	spin_init(&s->peer_lock, RANK_SOCKET);
}

void socket_fini(struct socket *s)
{
	if (s->peer_pid)
		pid_put(s->peer_pid);
	if (s->peer_creds)
		creds_put(s->peer_creds);
}

/* ---- who the peer is ---- */

void socket_set_peer(struct socket *s, struct pid *pid, const struct creds *creds)
{
	struct pid *old_pid;
	const struct creds *old_creds;

	if (pid)
		pid_get(pid);
	if (creds)
		creds_get(creds);
	spin_lock(&s->peer_lock);
	old_pid = s->peer_pid;
	old_creds = s->peer_creds;
	s->peer_pid = pid;
	s->peer_creds = creds;
	spin_unlock(&s->peer_lock);
	if (old_pid)
		pid_put(old_pid);
	if (old_creds)
		creds_put(old_creds);
}

void socket_copy_peer(struct socket *s, struct socket *from)
{
	struct pid *pid;
	const struct creds *creds;

	spin_lock(&from->peer_lock);
	pid = from->peer_pid;
	creds = from->peer_creds;
	if (pid)
		pid_get(pid);
	if (creds)
		creds_get(creds);
	spin_unlock(&from->peer_lock);
	socket_set_peer(s, pid, creds);
	if (pid)
		pid_put(pid);
	if (creds)
		creds_put(creds);
}

/* ---- waiting ---- */

u64 socket_deadline(u64 timeo_ns, bool nonblock)
{
	u64 deadline;

	if (nonblock || !timeo_ns)
		return 0;
	if (likely(timeo_ns == U64_MAX) || add_overflow(hal_clock_ns(), timeo_ns, &deadline))
		return U64_MAX;
	return deadline;
}

int socket_wait(struct waitq *q, bool (*ready)(void *arg), void *arg, u64 deadline, bool exclusive)
{
	int r;

	if (!deadline)
		return -EAGAIN;
	r = waitq_wait(q, ready, arg, deadline, exclusive);
	if (r == -EINTR && deadline != U64_MAX)
		syscall_restart_as(RESTART_NEVER);
	return r == -ETIMEDOUT ? -EAGAIN : r;
}

/* ---- moving messages ---- */

ssize_t socket_send(struct socket *s, struct sock_msg *m)
{
	if (s->file->flags & O_NONBLOCK)
		m->flags |= MSG_DONTWAIT;
	return s->ops->send(s, m);
}

ssize_t socket_recv(struct socket *s, struct sock_msg *m)
{
	if (s->file->flags & O_NONBLOCK)
		m->flags |= MSG_DONTWAIT;
	return s->ops->recv(s, m);
}

static u32 message_flags(const struct file *f, int rwf)
{
	return (f->flags & O_NONBLOCK) || (rwf & RWF_NOWAIT) ? MSG_DONTWAIT : 0;
}

static ssize_t socket_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct socket *s = f->priv;
	struct sock_msg m = { .iter = to, .flags = message_flags(f, flags) };

	return to->count ? s->ops->recv(s, &m) : 0;
}

static ssize_t socket_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct socket *s = f->priv;
	struct sock_msg m = { .iter = from, .flags = message_flags(f, flags) };

	if (s->type == SOCK_SEQPACKET)
		m.flags |= MSG_EOR;
	return s->ops->send(s, &m);
}

static u32 socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->priv;

	return s->ops->poll(s, f, pt);
}

/* FIOSETOWN and its kin: a negative number is a process group's. */
static long set_owner(struct file *f, uaddr_t arg)
{
	s32 nr;

	if (get_user_obj(&nr, arg))
		return -EFAULT;
	if (nr == INT_MIN)
		return -ESRCH;
	return file_set_owner(f, nr < 0 ? F_OWNER_PGRP : F_OWNER_PID, nr < 0 ? -nr : nr);
}

static long get_owner(struct file *f, uaddr_t arg)
{
	struct f_owner_ex o;
	s32 nr;

	file_get_owner(f, &o);
	nr = o.type == F_OWNER_PGRP ? -o.pid : o.pid;
	return put_user_obj(arg, &nr);
}

static long socket_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct socket *s = f->priv;

	switch (cmd) {
	case FIOSETOWN:
	case SIOCSPGRP:
		return set_owner(f, arg);
	case FIOGETOWN:
	case SIOCGPGRP:
		return get_owner(f, arg);
	default:
		return s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOIOCTLCMD;
	}
}

static int socket_flush(struct file *f)
{
	struct socket *s = f->priv;

	if (s->ops->flush)
		s->ops->flush(s);
	return 0;
}

static void socket_release(struct file *f)
{
	struct socket *s = f->priv;

	s->ops->release(s);
}

static const struct file_ops socket_file_ops = {
	.async = true,
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.flush = socket_flush,
	.release = socket_release,
};

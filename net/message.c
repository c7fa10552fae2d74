/* SPDX-License-Identifier: MIT */
/*
 * Ancillary data: walking through what a program sends, and putting together what it receives.
 * Source: cmsg(3), recvmsg(2), unix(7).
 */
#include <fs/internal.h>
#include <kernel/time.h>
#include <net/socket.h>

const struct cmsghdr *cmsg_first(const struct sock_msg *m)
{
	return m->controllen >= sizeof(struct cmsghdr) ? m->control : NULL;
}

static size_t offset_of(const struct sock_msg *m, const struct cmsghdr *c)
{
	return (size_t)((const char *)c - (const char *)m->control);
}

bool cmsg_ok(const struct sock_msg *m, const struct cmsghdr *c)
{
	return c->len >= sizeof(*c) && c->len <= m->controllen - offset_of(m, c);
}

const struct cmsghdr *cmsg_next(const struct sock_msg *m, const struct cmsghdr *c)
{
	size_t next = offset_of(m, c) + CMSG_ALIGN(c->len);

	if (m->controllen < sizeof(*c) || next > m->controllen - sizeof(*c))
		return NULL;
	return (const struct cmsghdr *)((const char *)m->control + next);
}

/* The next piece has been written: @space bytes with what aligns the one behind it. */
static void advance(struct sock_msg *m, size_t space)
{
	space = min(space, m->controllen);
	m->ucontrol += space;
	m->controllen -= space;
}

int cmsg_put(struct sock_msg *m, int level, int type, const void *data, size_t len)
{
	struct cmsghdr head = { CMSG_LEN(len), level, type };

	if (!m->ucontrol || m->controllen < sizeof(head)) {
		m->out_flags |= MSG_CTRUNC;
		return 0;
	}
	if (m->controllen < head.len) {
		m->out_flags |= MSG_CTRUNC;
		head.len = m->controllen;
	}
	if (put_user_obj(m->ucontrol, &head) ||
	    copy_to_user(m->ucontrol + sizeof(head), data, head.len - sizeof(head)))
		return -EFAULT;
	advance(m, CMSG_SPACE(len));
	return 0;
}

void cmsg_put_timestamp(struct socket *s, struct sock_msg *m, u64 real_ns)
{
	bool ns = socket_has(s, SOCK_F_TIMESTAMP_NS), new = socket_has(s, SOCK_F_TIMESTAMP_NEW);
	u64 time[2];
	int type;

	if (!socket_has(s, SOCK_F_TIMESTAMP))
		return;
	if (!real_ns)
		real_ns = ktime_real_ns();
	time[0] = real_ns / NSEC_PER_SEC;
	time[1] = real_ns % NSEC_PER_SEC / (ns ? 1 : NSEC_PER_USEC);
	if (new)
		type = ns ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMP_NEW;
	else
		type = ns ? SCM_TIMESTAMPNS : SCM_TIMESTAMP;
	(void)cmsg_put(m, SOL_SOCKET, type, time, sizeof(time));
}

/* A descriptor for @f, whose number the program finds at @where. 0 or -Exxx. */
static int receive_file(struct file *f, uaddr_t where, bool cloexec)
{
	int fd = fd_reserve(0, cloexec);

	if (fd < 0)
		return fd;
	if (put_user_obj(where, &fd)) {
		fd_unreserve(fd);
		return -EFAULT;
	}
	fd_install(fd, file_get(f));
	return 0;
}

void cmsg_put_files(struct sock_msg *m, struct file *const *files, unsigned int n)
{
	size_t room = m->ucontrol && m->controllen > sizeof(struct cmsghdr)
			      ? (m->controllen - sizeof(struct cmsghdr)) / sizeof(int)
			      : 0;
	unsigned int done = 0;
	struct cmsghdr head;

	while (done < n && done < room &&
	       !receive_file(files[done], m->ucontrol + sizeof(head) + done * sizeof(int),
			     m->flags & MSG_CMSG_CLOEXEC))
		done++;
	if (done < n)
		m->out_flags |= MSG_CTRUNC;
	if (!done)
		return;
	head = (struct cmsghdr){ CMSG_LEN(done * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	if (!put_user_obj(m->ucontrol, &head))
		advance(m, CMSG_SPACE(done * sizeof(int)));
}

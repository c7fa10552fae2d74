/* SPDX-License-Identifier: MIT */
/* What the tests of AF_UNIX sockets share: addresses, poll states, ancillary data. */
#ifndef TESTS_USER_UN_H
#define TESTS_USER_UN_H

#include "tap.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define HEAD offsetof(struct sockaddr_un, sun_path)

/* An address: of a path, or, with a leading @, an abstract one. Return its length. */
__attribute__((unused)) static socklen_t un_addr(struct sockaddr_un *a, const char *name)
{
	size_t n = strlen(name);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path, name, n);
	if (name[0] != '@')
		return (socklen_t)(HEAD + n + 1);
	a->sun_path[0] = '\0';
	return (socklen_t)(HEAD + n);
}

__attribute__((unused)) static int un_bind(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = un_addr(&a, name);

	return bind(fd, (struct sockaddr *)&a, len);
}

__attribute__((unused)) static int un_connect(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = un_addr(&a, name);

	return connect(fd, (struct sockaddr *)&a, len);
}

__attribute__((unused)) static int un_socket(int type)
{
	int fd = socket(AF_UNIX, type, 0);

	REQUIRE(fd >= 0);
	return fd;
}

__attribute__((unused)) static int un_listen(int type, const char *name, int backlog)
{
	int fd = un_socket(type);

	REQUIRE(un_bind(fd, name) == 0);
	REQUIRE(listen(fd, backlog) == 0);
	return fd;
}

__attribute__((unused)) static void un_pair(int type, int fds[2])
{
	REQUIRE(socketpair(AF_UNIX, type, 0, fds) == 0);
}

__attribute__((unused)) static void un_close(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

__attribute__((unused)) static int un_revents(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	poll(&p, 1, 0);
	return p.revents;
}

__attribute__((unused)) static void un_timeout(int fd, int option, long ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	CHECK_OK(setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv)));
}

__attribute__((unused)) static void un_set(int fd, int option, int value)
{
	CHECK_OK(setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)));
}

__attribute__((unused)) static int un_get(int fd, int option)
{
	int value = -12345;
	socklen_t len = sizeof(value);

	CHECK_OK(getsockopt(fd, SOL_SOCKET, option, &value, &len));
	CHECK_EQ(len, sizeof(value));
	return value;
}

/* Send @text with @n descriptors. */
__attribute__((unused)) static ssize_t un_send_fds(int s, const char *text, const int *fds, int n)
{
	char control[CMSG_SPACE(sizeof(int) * 256)] = { 0 };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	m.msg_control = control;
	m.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * (size_t)n);
	return sendmsg(s, &m, 0);
}

/* Receive up to @size bytes, and up to *@n descriptors, whose number *@n becomes; *@flags: msg_flags. */
__attribute__((unused)) static ssize_t un_recv_fds(int s, char *text, size_t size, int *fds, int *n,
						   int flags, int *out_flags)
{
	char control[CMSG_SPACE(sizeof(int) * 256)];
	struct iovec iov = { text, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c;
	ssize_t r;

	m.msg_controllen = CMSG_LEN(sizeof(int) * (size_t)*n);
	r = recvmsg(s, &m, flags);
	*n = 0;
	if (out_flags)
		*out_flags = m.msg_flags;
	if (r < 0)
		return r;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			*n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(fds, CMSG_DATA(c), sizeof(int) * (size_t)*n);
		}
	return r;
}

#endif

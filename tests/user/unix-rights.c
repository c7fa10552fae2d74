/* SPDX-License-Identifier: MIT */
/*
 * What travels along on AF_UNIX sockets: descriptors (limits, truncation, peeking, sealed memfds, sockets sent over themselves and in
 * circles, deep nesting), credentials and who may claim which, times, descriptors of processes. Semantics: unix(7), cmsg(3).
 */
#include "un.h"
#include <sys/mman.h>
#include <sys/resource.h>
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#define SCM_PIDFD_ 4

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void one_file(void)
{
	int fds[2], p[2], got[4], n = 4, flags, before;
	char c, path[64], a[64], b[64];

	un_pair(SOCK_STREAM, fds);
	REQUIRE(pipe(p) == 0);
	before = open_fds();
	CHECK_EQ(un_send_fds(fds[0], "x", &p[1], 1), 1);
	CHECK_EQ(un_recv_fds(fds[1], &c, 1, got, &n, MSG_CMSG_CLOEXEC, &flags), 1);
	CHECK_EQ(n, 1);
	CHECK_EQ(flags & ~MSG_CMSG_CLOEXEC, 0);
	REQUIRE(got[0] > p[1]);
	CHECK_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(open_fds(), before + 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", got[0]);
	a[readlink(path, a, sizeof(a) - 1)] = 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
	b[readlink(path, b, sizeof(b) - 1)] = 0;
	CHECK(!strncmp(a, "pipe:", 5) && !strncmp(a, b, 8));
	close(p[1]);
	CHECK_EQ(write(got[0], "!", 1), 1);
	CHECK_EQ(read(p[0], &c, 1), 1);
	close(got[0]);
	CHECK_EQ(read(p[0], &c, 1), 0);
	/* Not taken: closed with the socket. */
	REQUIRE(pipe(p) == 0);
	CHECK_EQ(un_send_fds(fds[0], "x", &p[1], 1), 1);
	close(p[1]);
	CHECK_EQ(read(fds[1], &c, 1), 1); /* by read: lost */
	CHECK_EQ(read(p[0], &c, 1), 0);
	REQUIRE(pipe(p) == 0);
	CHECK_EQ(un_send_fds(fds[0], "x", &p[1], 1), 1);
	close(p[1]);
	un_close(fds);
	CHECK_EQ(read(p[0], &c, 1), 0);
}

static void bad_control(void)
{
	int fds[2], bad[2] = { 0, 999 };
	char control[64] = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c = (struct cmsghdr *)control;
	char ch;

	un_pair(SOCK_STREAM, fds);
	CHECK_ERRNO(un_send_fds(fds[0], "x", bad, 2), EBADF);
	m.msg_controllen = CMSG_SPACE(4);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = 3;
	CHECK_ERRNO(sendmsg(fds[0], &m, 0), EINVAL);
	c->cmsg_len = 60;
	CHECK_ERRNO(sendmsg(fds[0], &m, 0), EINVAL);
	c->cmsg_len = CMSG_LEN(0);
	CHECK_EQ(sendmsg(fds[0], &m, 0), 1);
	c->cmsg_type = 77;
	CHECK_ERRNO(sendmsg(fds[0], &m, 0), EINVAL);
	c->cmsg_level = 99; /* nobody's */
	CHECK_EQ(sendmsg(fds[0], &m, 0), 1);
	m.msg_controllen = 8; /* too short for a head: as none */
	CHECK_EQ(sendmsg(fds[0], &m, 0), 1);
	CHECK_EQ(read(fds[1], &ch, 1), 1);
	m.msg_controllen = CMSG_SPACE(4);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(4);
	CHECK_ERRNO(sendmsg(fds[0], &m, 0), EINVAL);
	un_close(fds);
}

static void many_files(void)
{
	int fds[2], in[254], out[256], n = 256;
	char c;

	un_pair(SOCK_STREAM, fds);
	for (int i = 0; i < 254; i++)
		in[i] = 0;
	CHECK_ERRNO(un_send_fds(fds[0], "x", in, 254), EINVAL);
	CHECK_EQ(un_send_fds(fds[0], "x", in, 253), 1);
	CHECK_EQ(un_recv_fds(fds[1], &c, 1, out, &n, 0, NULL), 1);
	CHECK_EQ(n, 253);
	for (int i = 0; i < n; i++)
		CHECK_OK(close(out[i]));
	un_close(fds);
}

static void cut(void)
{
	int fds[2], in[3] = { 0, 0, 0 }, out[4], n = 2, flags, before;
	struct rlimit rl = { 0, 0 };
	char c;

	un_pair(SOCK_STREAM, fds);
	before = open_fds();
	CHECK_EQ(un_send_fds(fds[0], "x", in, 3), 1);
	CHECK_EQ(un_recv_fds(fds[1], &c, 1, out, &n, 0, &flags), 1);
	CHECK_EQ(n, 2);
	CHECK_EQ(flags, MSG_CTRUNC);
	CHECK_EQ(open_fds(), before + 2);
	close(out[0]);
	close(out[1]);
	n = 0;
	CHECK_EQ(un_send_fds(fds[0], "x", in, 3), 1);
	CHECK_EQ(un_recv_fds(fds[1], &c, 1, out, &n, 0, &flags), 1);
	CHECK_EQ(n, 0);
	CHECK_EQ(flags, MSG_CTRUNC);
	CHECK_EQ(open_fds(), before);
	/* No room in the table for all of them. */
	CHECK_EQ(un_send_fds(fds[0], "x", in, 3), 1);
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = (rlim_t)fds[1] + 2;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &rl));
	n = 4;
	CHECK_EQ(un_recv_fds(fds[1], &c, 1, out, &n, 0, &flags), 1);
	CHECK_EQ(n, 1);
	CHECK_EQ(flags, MSG_CTRUNC);
	un_close(fds);
}

/* A read ends behind a message with descriptors. */
static void barriers(void)
{
	int fds[2], zero = 0, out[4], n = 4;
	char buf[16] = "";

	un_pair(SOCK_STREAM, fds);
	CHECK_EQ(write(fds[0], "ab", 2), 2);
	CHECK_EQ(un_send_fds(fds[0], "cd", &zero, 1), 2);
	CHECK_EQ(write(fds[0], "ef", 2), 2);
	CHECK_EQ(un_recv_fds(fds[1], buf, 16, out, &n, 0, NULL), 4);
	CHECK_STR(buf, "abcd");
	CHECK_EQ(n, 1);
	close(out[0]);
	CHECK_EQ(un_send_fds(fds[0], "gh", &zero, 1), 2);
	n = 4;
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(un_recv_fds(fds[1], buf, 3, out, &n, 0, NULL), 3);
	CHECK_STR(buf, "efg");
	CHECK_EQ(n, 1); /* with the first byte */
	close(out[0]);
	n = 4;
	CHECK_EQ(un_recv_fds(fds[1], buf, 3, out, &n, 0, NULL), 1);
	CHECK_EQ(n, 0);
	/* Looking at it makes another descriptor each time. */
	CHECK_EQ(un_send_fds(fds[0], "ij", &zero, 1), 2);
	for (int i = 0; i < 2; i++) {
		n = 4;
		CHECK_EQ(un_recv_fds(fds[1], buf, 8, out, &n, MSG_PEEK, NULL), 2);
		CHECK_EQ(n, 1);
		close(out[0]);
	}
	n = 4;
	CHECK_EQ(un_recv_fds(fds[1], buf, 8, out, &n, 0, NULL), 2);
	CHECK_EQ(n, 1);
	close(out[0]);
	un_close(fds);
}

static void sealed(void)
{
	int fds[2], m = memfd_create("shared", MFD_ALLOW_SEALING | MFD_CLOEXEC), n = 1, got;
	char c, *p;
	pid_t pid;

	un_pair(SOCK_SEQPACKET, fds);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(un_recv_fds(fds[1], &c, 1, &got, &n, 0, NULL), 1);
		REQUIRE(n == 1);
		CHECK_EQ(fcntl(got, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, got, 0);
		REQUIRE(p != MAP_FAILED);
		CHECK_STR(p, "in common");
		CHECK_ERRNO(write(got, "x", 1), EPERM);
		CHECK_ERRNO(ftruncate(got, 0), EPERM);
		CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, got, 0) == MAP_FAILED);
		_exit(tap_nfailed);
	}
	CHECK_OK(ftruncate(m, 4096));
	CHECK_EQ(write(m, "in common", 9), 9);
	CHECK_OK(fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
	CHECK_EQ(un_send_fds(fds[0], "x", &m, 1), 1);
	close(m);
	CHECK_EXIT(pid, 0);
	un_close(fds);
}

/* Has the write end in the pipe @p been closed everywhere? Linux collects in the background, and sometimes only when another socket is closed. */
static int is_closed(int p)
{
	struct pollfd pf = { .fd = p, .events = POLLIN };
	int other[2];

	for (int i = 0; i < 1000; i++) {
		if (poll(&pf, 1, 100) == 1)
			return pf.revents & POLLHUP;
		un_pair(SOCK_STREAM, other);
		un_close(other);
	}
	return 0;
}

/* Each pair's second end into the other's queue, with the only write end of the pipe @p as a witness. */
static void entangle(const int a[2], const int b[2], int p[2])
{
	int send[2];

	REQUIRE(pipe(p) == 0);
	send[0] = b[1];
	send[1] = p[1];
	CHECK_EQ(un_send_fds(a[0], "x", send, 2), 1);
	send[0] = a[1];
	CHECK_EQ(un_send_fds(b[0], "x", send, 1), 1);
	close(p[1]);
}

static void circles(void)
{
	int a[2], b[2], p[2], send[2], n = 2, got[2];
	char c;

	/* A socket in its own queue, with a witness. */
	un_pair(SOCK_STREAM, a);
	REQUIRE(pipe(p) == 0);
	send[0] = a[1];
	send[1] = p[1];
	CHECK_EQ(un_send_fds(a[0], "x", send, 2), 1);
	close(p[1]);
	un_close(a);
	CHECK(is_closed(p[0]));
	close(p[0]);
	/* Two pairs, each in the other's queue. */
	un_pair(SOCK_DGRAM, a);
	un_pair(SOCK_STREAM, b);
	entangle(a, b, p);
	un_close(a);
	un_close(b);
	CHECK(is_closed(p[0]));
	close(p[0]);
	/* The same, but one of them is still held: nothing may be lost. */
	un_pair(SOCK_STREAM, a);
	un_pair(SOCK_STREAM, b);
	entangle(a, b, p);
	un_close(b);
	close(a[0]);
	for (int i = 0; i < 5; i++) { /* closing others looks for what to collect */
		un_pair(SOCK_STREAM, b);
		un_close(b);
	}
	tap_sleep_ms(50);
	CHECK_EQ(un_revents(p[0], POLLIN), 0);
	CHECK_EQ(un_recv_fds(a[1], &c, 1, got, &n, 0, NULL), 1);
	CHECK_EQ(n, 2);
	CHECK_EQ(write(got[1], "!", 1), 1);
	n = 2;
	close(p[0]);
	close(a[1]);
	CHECK_EQ(un_recv_fds(got[0], &c, 1, a, &n, 0, NULL), 1);
	CHECK_EQ(n, 1);
	close(a[0]);
	un_close(got);
}

/* A listener, in whose list a connection waits that holds the listener. */
static void unaccepted(void)
{
	int l = un_listen(SOCK_STREAM, "@circle", 5), c = un_socket(SOCK_STREAM), p[2], send[2];

	REQUIRE(pipe(p) == 0);
	CHECK_OK(un_connect(c, "@circle"));
	send[0] = l;
	send[1] = p[1];
	CHECK_EQ(un_send_fds(c, "x", send, 2), 1);
	close(p[1]);
	close(l);
	close(c);
	CHECK(is_closed(p[0]));
	close(p[0]);
	c = un_socket(SOCK_STREAM);
	CHECK_ERRNO(un_connect(c, "@circle"), ECONNREFUSED);
	close(c);
}

/* Each socket in the next one's queue: letting go of the last lets go of all. */
static void nested(void)
{
	int p[2], a[2], inner;

	REQUIRE(pipe(p) == 0);
	inner = p[1];
	for (int i = 0; i < 3000; i++) {
		un_pair(SOCK_DGRAM, a);
		REQUIRE(un_send_fds(a[0], "x", &inner, 1) == 1);
		close(inner);
		close(a[0]);
		inner = a[1];
	}
	CHECK_EQ(un_revents(p[0], POLLIN), 0);
	close(inner);
	CHECK(is_closed(p[0]));
	close(p[0]);
}

static void too_many(void)
{
	int fds[2], zero[50] = { 0 }, n = 0;
	struct rlimit rl;

	if (getuid()) {
		NOTE("not root");
		return;
	}
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = 100;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &rl));
	CHECK_OK(setresuid(4321, 4321, 4321));
	un_pair(SOCK_STREAM | SOCK_NONBLOCK, fds);
	while (n < 20 && un_send_fds(fds[0], "x", zero, 50) == 1)
		n++;
	CHECK_EQ(errno, ETOOMANYREFS);
	CHECK_EQ(n, 3); /* more than the limit, then no more */
	un_close(fds);
	un_pair(SOCK_STREAM, fds);
	CHECK_EQ(un_send_fds(fds[0], "x", zero, 50), 1);
	un_close(fds);
}

/* ---- credentials ---- */

static ssize_t send_creds(int s, pid_t pid, uid_t uid, gid_t gid)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] = { 0 };
	struct iovec iov = { "c", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct ucred u = { pid, uid, gid };
	struct cmsghdr *c;

	m.msg_controllen = sizeof(control);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(u));
	memcpy(CMSG_DATA(c), &u, sizeof(u));
	return sendmsg(s, &m, 0);
}

/* Receive at most @n bytes; the data of the piece of ancillary data of @type goes to @data. */
static ssize_t recv_piece(int s, char *buf, size_t n, int type, void *data, size_t size, int *found)
{
	char control[256];
	struct iovec iov = { buf, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c;
	ssize_t r;

	m.msg_controllen = sizeof(control);
	r = recvmsg(s, &m, 0);
	*found = 0;
	for (c = CMSG_FIRSTHDR(&m); r >= 0 && c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == type) {
			*found = (int)(c->cmsg_len - CMSG_LEN(0));
			memcpy(data, CMSG_DATA(c), size);
		}
	return r;
}

static void credentials(void)
{
	struct ucred u;
	int fds[2], found, status;
	char buf[8];
	pid_t pid;

	un_pair(SOCK_STREAM, fds);
	CHECK_EQ(write(fds[0], "before", 6), 6);
	un_set(fds[1], SO_PASSCRED, 1);
	CHECK_EQ(un_get(fds[1], SO_PASSCRED), 1);
	CHECK_EQ(recv_piece(fds[1], buf, 8, SCM_CREDENTIALS, &u, sizeof(u), &found), 6);
	CHECK_EQ(found, sizeof(u));
	CHECK_EQ(u.pid, 0); /* nobody had asked when it was sent */
	CHECK_EQ(u.uid, 65534);
	CHECK_EQ(write(fds[0], "a", 1), 1);
	pid = fork();
	if (pid == 0)
		_exit(write(fds[0], "bc", 2) != 2);
	status = tap_wait(pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(recv_piece(fds[1], buf, 8, SCM_CREDENTIALS, &u, sizeof(u), &found), 1);
	CHECK_EQ(u.pid, getpid());
	CHECK_EQ(u.uid, getuid());
	CHECK_EQ(u.gid, getgid());
	CHECK_EQ(recv_piece(fds[1], buf, 8, SCM_CREDENTIALS, &u, sizeof(u), &found), 2);
	CHECK_EQ(u.pid, pid); /* although it has gone */
	CHECK_EQ(send_creds(fds[0], getpid(), getuid(), getgid()), 1);
	CHECK_EQ(recv_piece(fds[1], buf, 8, SCM_CREDENTIALS, &u, sizeof(u), &found), 1);
	CHECK_EQ(u.pid, getpid());
	CHECK_ERRNO(send_creds(fds[0], getpid(), (uid_t)-1, getgid()), EINVAL);
	if (getuid()) {
		un_close(fds);
		return;
	}
	CHECK_EQ(send_creds(fds[0], 1, 77, 88), 1);
	CHECK_EQ(recv_piece(fds[1], buf, 8, SCM_CREDENTIALS, &u, sizeof(u), &found), 1);
	CHECK_EQ(u.pid, 1);
	CHECK_EQ(u.uid, 77);
	CHECK_EQ(u.gid, 88);
	CHECK_ERRNO(send_creds(fds[0], 4000000, 0, 0), ESRCH);
	CHECK_OK(setresgid(11, 12, 13));
	CHECK_OK(setresuid(21, 22, 23));
	CHECK_EQ(send_creds(fds[0], getpid(), 21, 13), 1);
	CHECK_EQ(send_creds(fds[0], getpid(), 22, 11), 1);
	CHECK_EQ(send_creds(fds[0], getpid(), 23, 12), 1);
	CHECK_ERRNO(send_creds(fds[0], 1, 21, 11), EPERM);
	CHECK_ERRNO(send_creds(fds[0], getpid(), 0, 11), EPERM);
	CHECK_ERRNO(send_creds(fds[0], getpid(), 21, 0), EPERM);
	un_close(fds);
}

static void of_peers(void)
{
	int l = un_listen(SOCK_STREAM, "@peers", 5), s, c, found, fd = -1;
	struct ucred u;
	socklen_t len = sizeof(u);
	char buf[4];
	pid_t pid;

	un_set(l, SO_PASSCRED, 1);
	pid = fork();
	if (pid == 0) {
		c = un_socket(SOCK_STREAM);
		CHECK_OK(un_connect(c, "@peers"));
		CHECK_OK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &len));
		CHECK_EQ(u.pid, getppid());    /* who listens */
		CHECK_EQ(write(c, "x", 1), 1); /* seen before it is accepted: with credentials */
		CHECK_EQ(read(c, buf, 1), 0);
		_exit(tap_nfailed);
	}
	tap_sleep_ms(50);
	s = accept(l, NULL, NULL);
	CHECK_EQ(un_get(s, SO_PASSCRED), 1); /* inherited */
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_PEERCRED, &u, &len));
	CHECK_EQ(u.pid, pid);
	CHECK_EQ(recv_piece(s, buf, 1, SCM_CREDENTIALS, &u, sizeof(u), &found), 1);
	CHECK_EQ(u.pid, pid);
	len = sizeof(fd);
	if (getsockopt(s, SOL_SOCKET, SO_PEERPIDFD, &fd, &len) == 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
		CHECK_EQ(poll(&p, 1, 0), 0);
		close(s);
		CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
		close(fd);
	} else {
		CHECK_EQ(errno, ENOPROTOOPT);
		close(s);
	}
	CHECK_EXIT(pid, 0);
	close(l);
}

static void pidfds(void)
{
	int fds[2], found, fd = -1, on = 1;
	char c;

	un_pair(SOCK_DGRAM, fds);
	if (setsockopt(fds[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) != 0) {
		NOTE("no SO_PASSPIDFD");
		un_close(fds);
		return;
	}
	CHECK_EQ(write(fds[0], "x", 1), 1);
	CHECK_EQ(recv_piece(fds[1], &c, 1, SCM_PIDFD_, &fd, sizeof(fd), &found), 1);
	CHECK_EQ(found, sizeof(fd));
	CHECK_OK(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	close(fd);
	un_close(fds);
}

static void times(void)
{
	struct timeval tv = { 0, 0 };
	struct timespec ts = { 0, 0 };
	int fds[2], found;
	long now = (long)time(NULL);
	char c;

	un_pair(SOCK_DGRAM, fds);
	un_set(fds[1], SO_TIMESTAMP, 1);
	CHECK_EQ(un_get(fds[1], SO_TIMESTAMP), 1);
	CHECK_EQ(write(fds[0], "x", 1), 1);
	CHECK_EQ(recv_piece(fds[1], &c, 1, SCM_TIMESTAMP, &tv, sizeof(tv), &found), 1);
	CHECK_EQ(found, sizeof(tv));
	CHECK(tv.tv_sec >= now - 1 && tv.tv_sec <= now + 100 && tv.tv_usec < 1000000);
	un_set(fds[1], SO_TIMESTAMPNS, 1);
	CHECK_EQ(un_get(fds[1], SO_TIMESTAMP), 0);
	CHECK_EQ(write(fds[0], "x", 1), 1);
	CHECK_EQ(recv_piece(fds[1], &c, 1, SCM_TIMESTAMPNS, &ts, sizeof(ts), &found), 1);
	CHECK_EQ(found, sizeof(ts));
	CHECK(ts.tv_sec >= now - 1 && ts.tv_nsec < 1000000000);
	un_close(fds);
}

static volatile int io_fd = -1, io_code;

static void on_io(int sig, siginfo_t *info, void *context)
{
	io_fd = info->si_fd;
	io_code = info->si_code;
}

static void signal_driven(void)
{
	struct sigaction sa = { .sa_sigaction = on_io, .sa_flags = SA_SIGINFO };
	int fds[2], on = 1, pid = getpid(), got = 0;

	sigaction(SIGRTMIN, &sa, NULL);
	un_pair(SOCK_STREAM, fds);
	CHECK_OK(ioctl(fds[0], 0x8901 /* FIOSETOWN */, &pid));
	CHECK_OK(ioctl(fds[0], 0x8904 /* SIOCGPGRP */, &got));
	CHECK_EQ(got, pid);
	CHECK_EQ(fcntl(fds[0], F_GETOWN), pid);
	CHECK_OK(fcntl(fds[0], F_SETSIG, SIGRTMIN));
	CHECK_OK(ioctl(fds[0], FIOASYNC, &on));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	(void)TAP_AWAIT(io_fd >= 0);
	CHECK_EQ(io_fd, fds[0]);
	CHECK_EQ(io_code, POLL_IN);
	io_fd = -1;
	close(fds[1]);
	(void)TAP_AWAIT(io_fd >= 0);
	CHECK_EQ(io_fd, fds[0]);
	CHECK_EQ(io_code, POLL_HUP);
	close(fds[0]);
}

int main(void)
{
	TAP_FORK(one_file);
	TAP_RUN(bad_control);
	TAP_RUN(many_files);
	TAP_FORK(cut);
	TAP_RUN(barriers);
	TAP_RUN(sealed);
	TAP_FORK(circles);
	TAP_FORK(unaccepted);
	TAP_FORK(nested);
	TAP_FORK(too_many);
	TAP_FORK(credentials);
	TAP_FORK(of_peers);
	TAP_RUN(pidfds);
	TAP_RUN(times);
	TAP_FORK(signal_driven);
	return tap_done();
}

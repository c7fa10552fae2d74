/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX datagrams and SOCK_SEQPACKET: boundaries, truncation, addresses of senders, full queues and who waits for them, connecting
 * and disconnecting, peers that go away, peeking, poll. Semantics: unix(7).
 */
#include "un.h"
#include <sys/epoll.h>

static void boundaries(void)
{
	char buf[16] = "";
	int fds[2], n;

	un_pair(SOCK_DGRAM, fds);
	CHECK_EQ(write(fds[0], "first", 5), 5);
	CHECK_EQ(send(fds[0], "", 0, 0), 0);
	CHECK_EQ(write(fds[0], "third one", 9), 9);
	CHECK_OK(ioctl(fds[1], FIONREAD, &n));
	CHECK_EQ(n, 5);
	CHECK_EQ(recv(fds[1], buf, 2, MSG_PEEK), 2);
	CHECK_EQ(recv(fds[1], buf, 2, MSG_PEEK | MSG_TRUNC), 5);
	CHECK_EQ(read(fds[1], buf, sizeof(buf)), 5);
	CHECK_STR(buf, "first");
	CHECK_EQ(read(fds[1], buf, sizeof(buf)), 0);
	CHECK_EQ(recv(fds[1], buf, 3, 0), 3); /* the rest is lost */
	CHECK_ERRNO(recv(fds[1], buf, 3, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(write(fds[0], "again", 5), 5);
	CHECK_EQ(recv(fds[1], buf, 3, MSG_TRUNC), 5);
	CHECK_EQ(write(fds[0], "gone", 4), 4);
	CHECK_ERRNO(read(fds[1], (char *)8, 4), EFAULT);
	CHECK_ERRNO(recv(fds[1], buf, 3, MSG_DONTWAIT), EAGAIN); /* that one is lost, too */
	CHECK_ERRNO(send(fds[0], "x", 1, MSG_OOB), EOPNOTSUPP);
	CHECK_ERRNO(recv(fds[0], buf, 1, MSG_OOB), EOPNOTSUPP);
	un_close(fds);
}

static void sizes(void)
{
	static char big[300000], back[300000];
	int fds[2];

	un_pair(SOCK_DGRAM, fds);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i / 100 + i);
	CHECK_ERRNO(write(fds[0], big, 212992 - 31), EMSGSIZE);
	CHECK_EQ(write(fds[0], big, 212992 - 32), 212992 - 32);
	CHECK_EQ(un_revents(fds[0], POLLOUT), 0);
	CHECK_ERRNO(send(fds[0], big, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(read(fds[1], back, sizeof(back)), 212992 - 32);
	CHECK(!memcmp(big, back, 212992 - 32));
	CHECK_EQ(un_revents(fds[0], POLLOUT), POLLOUT);
	for (int n = 1900; n < 4200; n += 61) {
		memset(back, 0, sizeof(back));
		CHECK_EQ(write(fds[0], big, (size_t)n), n);
		CHECK_EQ(read(fds[1], back, sizeof(back)), n);
		CHECK(!memcmp(big, back, (size_t)n) && !back[n]);
	}
	un_close(fds);
}

static void truncation(void)
{
	char buf[4];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_flags = -1 };
	int fds[2];

	un_pair(SOCK_DGRAM, fds);
	CHECK_EQ(write(fds[0], "12345", 5), 5);
	CHECK_EQ(write(fds[0], "1234", 4), 4);
	CHECK_EQ(recvmsg(fds[1], &m, 0), 4);
	CHECK_EQ(m.msg_flags, MSG_TRUNC);
	CHECK_EQ(recvmsg(fds[1], &m, MSG_CMSG_CLOEXEC), 4);
	CHECK_EQ(m.msg_flags, MSG_CMSG_CLOEXEC);
	un_close(fds);
}

static void senders(void)
{
	struct sockaddr_un a, b;
	int server = un_socket(SOCK_DGRAM), named = un_socket(SOCK_DGRAM);
	int nameless = un_socket(SOCK_DGRAM);
	socklen_t len = un_addr(&a, "server"), got = sizeof(b);
	char c[8];

	CHECK_OK(un_bind(server, "server"));
	CHECK_OK(un_bind(named, "@named"));
	CHECK_EQ(sendto(named, "1", 1, 0, (struct sockaddr *)&a, len), 1);
	CHECK_EQ(sendto(nameless, "22", 2, 0, (struct sockaddr *)&a, len), 2);
	CHECK_EQ(recvfrom(server, c, 8, 0, (struct sockaddr *)&b, &got), 1);
	CHECK_EQ(got, HEAD + 6);
	CHECK(!memcmp(b.sun_path, "\0named", 6));
	got = sizeof(b);
	CHECK_EQ(recvfrom(server, c, 8, 0, (struct sockaddr *)&b, &got), 2);
	CHECK_EQ(got, 0); /* no address at all */
	CHECK_ERRNO(send(named, "x", 1, 0), ENOTCONN);
	CHECK_ERRNO(sendto(named, "x", 1, 0, (struct sockaddr *)&a, 1), EINVAL);
	a.sun_family = AF_INET;
	CHECK_ERRNO(sendto(named, "x", 1, 0, (struct sockaddr *)&a, len), EINVAL);
	len = un_addr(&a, "@nobody");
	CHECK_ERRNO(sendto(named, "x", 1, 0, (struct sockaddr *)&a, len), ECONNREFUSED);
	len = un_addr(&a, "nofile");
	CHECK_ERRNO(sendto(named, "x", 1, 0, (struct sockaddr *)&a, len), ENOENT);
	CHECK_OK(un_connect(named, "server"));
	CHECK_EQ(send(named, "x", 1, 0), 1);
	CHECK_EQ(sendto(named, "y", 1, 0, NULL, 0), 1);
	CHECK_EQ(read(server, c, 8), 1);
	CHECK_EQ(read(server, c, 8), 1);
	close(server);
	CHECK_ERRNO(send(named, "x", 1, 0), ECONNREFUSED); /* once; */
	CHECK_ERRNO(send(named, "x", 1, 0), ENOTCONN);	   /* by that it is disconnected */
	close(named);
	close(nameless);
	unlink("server");
}

static void full_queue(void)
{
	struct sockaddr_un a;
	int server = un_socket(SOCK_DGRAM), c = un_socket(SOCK_DGRAM | SOCK_NONBLOCK), n = 0;
	int ep = epoll_create1(0), max;
	struct epoll_event e = { .events = EPOLLOUT | EPOLLET };
	char buf[32];
	pid_t pid;

	CHECK(tap_read_file("/proc/sys/net/unix/max_dgram_qlen", buf, sizeof(buf)) > 0);
	max = atoi(buf) + 1;
	CHECK_OK(un_bind(server, "@full"));
	CHECK_OK(un_connect(c, "@full"));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, c, &e));
	CHECK_EQ(epoll_wait(ep, &e, 1, 0), 1);
	while (n < 5000 && send(c, "x", 1, 0) == 1)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, max);
	CHECK_EQ(un_revents(c, POLLOUT), 0);
	CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
	CHECK_ERRNO(sendto(c, "x", 1, 0, (struct sockaddr *)&a, un_addr(&a, "@full")), EAGAIN);
	CHECK_EQ(read(server, buf, 1), 1);
	CHECK_EQ(un_revents(c, POLLOUT), POLLOUT);
	CHECK_EQ(epoll_wait(ep, &e, 1, TAP_LIMIT_MS), 1); /* room is news */
	CHECK_EQ(send(c, "y", 1, 0), 1);
	fcntl(c, F_SETFL, 0);
	un_timeout(c, SO_SNDTIMEO, 30);
	CHECK_ERRNO(send(c, "x", 1, 0), EAGAIN);
	un_timeout(c, SO_SNDTIMEO, 0);
	pid = fork();
	if (pid == 0) {
		alarm(TAP_LIMIT_MS / 1000);
		_exit(send(c, "last", 4, 0) == 4 ? 0 : 1);
	}
	CHECK(tap_wait_state(pid, 'S'));
	for (n = 0; n < max; n++)
		CHECK_EQ(read(server, buf, 8), 1);
	CHECK_EQ(read(server, buf, 8), 4);
	CHECK_EXIT(pid, 0);
	/* Many wait, and one reads all. */
	for (n = 0; n < 20; n++)
		if (fork() == 0) {
			alarm(TAP_LIMIT_MS / 1000);
			_exit(send(c, "w", 1, 0) == 1 ? 0 : 1);
		}
	for (n = 0; n < 20; n++) {
		CHECK_EQ(read(server, buf, 8), 1);
		if (n % 5 == 0)
			tap_sleep_ms(20);
	}
	for (n = 0; n < 20; n++)
		CHECK_EQ(tap_wait(-1), 0);
	/* A poller hears that the receiver has gone. */
	fcntl(c, F_SETFL, O_NONBLOCK);
	while (send(c, "x", 1, 0) == 1)
		;
	CHECK_EQ(un_revents(c, POLLOUT), 0);
	close(server);
	CHECK_EQ(un_revents(c, POLLOUT), POLLOUT);
	close(c);
	close(ep);
}

static void connecting(void)
{
	struct sockaddr_un a;
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int x = un_socket(SOCK_DGRAM), y = un_socket(SOCK_DGRAM), z = un_socket(SOCK_DGRAM);
	char c;

	CHECK_OK(un_bind(x, "@x"));
	CHECK_OK(un_bind(y, "@y"));
	CHECK_OK(un_bind(z, "@z"));
	CHECK_OK(un_connect(x, "@y"));
	CHECK_OK(un_connect(y, "@x"));
	CHECK_ERRNO(un_connect(z, "@x"), EPERM); /* x hears y only */
	CHECK_ERRNO(sendto(z, "?", 1, 0, (struct sockaddr *)&a, un_addr(&a, "@x")), EPERM);
	CHECK_EQ(send(x, "to y", 4, 0), 4);
	CHECK_OK(connect(y, &none, sizeof(none))); /* what it had not read is gone */
	CHECK_ERRNO(recv(y, &c, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(un_get(x, SO_ERROR), ECONNRESET);
	CHECK_ERRNO(send(y, "?", 1, 0), ENOTCONN);
	CHECK_OK(un_connect(y, "@z"));
	CHECK_EQ(send(y, "z", 1, 0), 1);
	CHECK_EQ(read(z, &c, 1), 1);
	CHECK_ERRNO(connect(y, &none, 1), EINVAL);
	close(x);
	close(y);
	close(z);
	/* To oneself. */
	x = un_socket(SOCK_DGRAM);
	CHECK_OK(un_bind(x, "@self"));
	CHECK_OK(un_connect(x, "@self"));
	CHECK_EQ(send(x, "m", 1, 0), 1);
	CHECK_EQ(read(x, &c, 1), 1);
	close(x);
	y = un_socket(SOCK_DGRAM);
	CHECK_OK(un_bind(y, "@self")); /* it is free again */
	close(y);
}

static void shutdowns(void)
{
	char c;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	un_pair(SOCK_DGRAM, fds);
	CHECK_OK(shutdown(fds[0], SHUT_WR));
	CHECK_ERRNO(send(fds[0], "x", 1, 0), EPIPE);
	CHECK_ERRNO(recv(fds[1], &c, 1, MSG_DONTWAIT), EAGAIN); /* the other side does not hear */
	CHECK_OK(shutdown(fds[1], SHUT_RD));
	CHECK_EQ(recv(fds[1], &c, 1, 0), 0);
	CHECK_ERRNO(recv(fds[1], &c, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(un_revents(fds[1], POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
	un_close(fds);
	un_pair(SOCK_DGRAM, fds);
	CHECK_OK(shutdown(fds[1], SHUT_RD));
	CHECK_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	close(fds[1]);
	CHECK_ERRNO(send(fds[0], "x", 1, 0), ECONNREFUSED);
	CHECK_EQ(un_revents(fds[0], POLLIN | POLLOUT), POLLOUT);
	close(fds[0]);
}

static void peeking(void)
{
	char buf[8] = "";
	int fds[2];

	un_pair(SOCK_DGRAM, fds);
	CHECK_EQ(write(fds[0], "abc", 3), 3);
	CHECK_EQ(write(fds[0], "de", 2), 2);
	un_set(fds[1], SO_PEEK_OFF, 1);
	CHECK_EQ(recv(fds[1], buf, 1, MSG_PEEK), 1);
	CHECK_EQ(buf[0], 'b');
	CHECK_EQ(recv(fds[1], buf, 8, MSG_PEEK), 1);
	CHECK_EQ(buf[0], 'c');
	CHECK_EQ(recv(fds[1], buf, 8, MSG_PEEK), 2);
	CHECK(!memcmp(buf, "de", 2));
	CHECK_ERRNO(recv(fds[1], buf, 8, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	un_timeout(fds[1], SO_RCVTIMEO, 30);
	CHECK_ERRNO(recv(fds[1], buf, 8, MSG_PEEK), EAGAIN);
	CHECK_EQ(read(fds[1], buf, 8), 3);
	CHECK_EQ(un_get(fds[1], SO_PEEK_OFF), 2);
	un_close(fds);
}

static void seqpacket(void)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	int l = un_listen(SOCK_SEQPACKET, "@seq", 2), c = un_socket(SOCK_SEQPACKET), s;
	struct iovec iov = { &a, 3 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	char buf[8];

	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(send(c, "x", 1, 0), ENOTCONN);
	CHECK_ERRNO(recv(c, buf, 1, 0), ENOTCONN);
	CHECK_EQ(un_revents(c, POLLIN | POLLOUT), POLLOUT | POLLHUP);
	CHECK_OK(un_connect(c, "@seq"));
	s = accept(l, (struct sockaddr *)&a, &len);
	REQUIRE(s >= 0);
	CHECK_EQ(len, HEAD);
	CHECK_EQ(write(c, "12345", 5), 5);
	CHECK_EQ(write(c, "67", 2), 2);
	CHECK_EQ(recvmsg(s, &m, 0), 3);
	CHECK_EQ(m.msg_flags & (MSG_TRUNC | MSG_EOR), MSG_TRUNC);
	CHECK_EQ(read(s, buf, 8), 2);
	CHECK_EQ(sendto(s, "x", 1, 0, (struct sockaddr *)&a, 1),
		 1); /* the address is not looked at */
	CHECK_EQ(read(c, buf, 8), 1);
	CHECK_EQ(write(c, "left", 4), 4);
	CHECK_EQ(write(s, "lost", 4), 4);
	close(c);
	CHECK_EQ(un_revents(s, POLLIN | POLLOUT | POLLRDHUP),
		 POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR);
	CHECK_ERRNO(read(s, buf, 8), ECONNRESET);
	CHECK_EQ(read(s, buf, 8), 4);
	CHECK_EQ(read(s, buf, 8), 0);
	CHECK_EQ(recv(s, buf, 8, MSG_DONTWAIT), 0);
	CHECK_ERRNO(send(s, "x", 1, MSG_NOSIGNAL), EPIPE);
	close(s);
	close(l);
}

/* Several readers: each message comes to one of them, and none sleeps on while there are some. */
static void several_readers(void)
{
	int fds[2], counts[2];
	long total = 0, n;
	char buf[8];

	un_pair(SOCK_DGRAM, fds);
	REQUIRE(pipe(counts) == 0);
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			alarm(TAP_LIMIT_MS / 1000);
			for (n = 0; read(fds[1], buf, 8) == 1; n++)
				;
			_exit(write(counts[1], &n, sizeof(n)) != sizeof(n));
		}
	for (int i = 0; i < 4000; i++)
		CHECK_EQ(write(fds[0], "m", 1), 1);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(write(fds[0], "", 0), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(read(counts[0], &n, sizeof(n)), sizeof(n));
		total += n;
		CHECK_EQ(tap_wait(-1), 0);
	}
	CHECK_EQ(total, 4000);
	un_close(counts);
	un_close(fds);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	TAP_RUN(boundaries);
	TAP_RUN(sizes);
	TAP_RUN(truncation);
	TAP_RUN(senders);
	TAP_FORK(full_queue);
	TAP_RUN(connecting);
	TAP_FORK(shutdowns);
	TAP_RUN(peeking);
	TAP_FORK(seqpacket);
	TAP_FORK(several_readers);
	tap_rmdir(dir);
	return tap_done();
}

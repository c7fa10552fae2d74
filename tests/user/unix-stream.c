/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX stream sockets: creation and its errors, names, connecting and accepting, moving data, shutdown and the end, poll and epoll,
 * time limits and signals, buffers, flags of send and recv, sockfs. Semantics: unix(7), socket(7).
 */
#include "un.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/vfs.h>

static void creation(void)
{
	int fds[2] = { -7, -7 }, fd;

	CHECK_ERRNO(socket(AF_UNIX, 99, 0), EINVAL);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
	CHECK_ERRNO(socket(77, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8), EFAULT);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_RDM, 0, fds), ESOCKTNOSUPPORT);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, PF_UNIX);
	REQUIRE(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(un_get(fd, SO_TYPE), SOCK_STREAM);
	CHECK_EQ(un_get(fd, SO_DOMAIN), AF_UNIX);
	CHECK_EQ(un_get(fd, SO_PROTOCOL), 0);
	close(fd);
	fd = un_socket(SOCK_RAW);
	CHECK_EQ(un_get(fd, SO_TYPE), SOCK_DGRAM);
	close(fd);
	CHECK_ERRNO(listen(0, 1), ENOTSOCK);
	CHECK_ERRNO(listen(-1, 1), EBADF);
	fd = open("/", O_PATH);
	CHECK_ERRNO(send(fd, "x", 1, 0), EBADF);
	CHECK_ERRNO(accept(fd, NULL, NULL), EBADF);
	close(fd);
}

static void as_a_file(void)
{
	char path[64], link[64], want[64];
	struct statfs fs;
	struct stat st;
	int fds[2];
	ssize_t n;

	un_pair(SOCK_STREAM, fds);
	CHECK_OK(fstat(fds[0], &st));
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0777);
	CHECK_OK(fstatfs(fds[0], &fs));
	CHECK_EQ(fs.f_type, 0x534f434b);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	n = readlink(path, link, sizeof(link) - 1);
	REQUIRE(n > 0);
	link[n] = '\0';
	snprintf(want, sizeof(want), "socket:[%lu]", (unsigned long)st.st_ino);
	CHECK_STR(link, want);
	CHECK_ERRNO(open(path, O_RDWR), ENXIO);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(pread(fds[0], path, 1, 0), ESPIPE);
	CHECK_ERRNO(ftruncate(fds[0], 0), EINVAL);
	CHECK_ERRNO(fsync(fds[0]), EINVAL);
	CHECK_EQ(read(fds[0], path, 0), 0);
	un_close(fds);
}

static void names(void)
{
	struct sockaddr_un a, b;
	struct sockaddr_storage big;
	int fd = un_socket(SOCK_STREAM), other = un_socket(SOCK_STREAM);
	socklen_t len = sizeof(b);
	struct stat st;

	memset(&b, 0xff, sizeof(b));
	CHECK_OK(getsockname(fd, (struct sockaddr *)&b, &len));
	CHECK_EQ(len, HEAD);
	CHECK_EQ(b.sun_family, AF_UNIX);
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&b, &len), ENOTCONN);
	umask(022);
	CHECK_OK(fchmod(fd, 0725)); /* the file gets the socket's mode */
	CHECK_OK(un_bind(fd, "sock"));
	CHECK_OK(stat("sock", &st));
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0705);
	CHECK_ERRNO(open("sock", O_RDWR), ENXIO);
	CHECK_ERRNO(un_bind(other, "sock"), EADDRINUSE);
	CHECK_ERRNO(un_bind(fd, "again"), EINVAL);
	CHECK_ERRNO(access("again", F_OK), ENOENT);
	len = sizeof(big);
	CHECK_OK(getsockname(fd, (struct sockaddr *)&big, &len));
	CHECK_EQ(len, HEAD + 5);
	CHECK_STR(((struct sockaddr_un *)&big)->sun_path, "sock");
	len = 4;
	memset(&b, 'z', sizeof(b));
	CHECK_OK(getsockname(fd, (struct sockaddr *)&b, &len));
	CHECK_EQ(len, HEAD + 5);
	CHECK_EQ(b.sun_path[2], 'z');
	len = (socklen_t)-1;
	CHECK_ERRNO(getsockname(fd, (struct sockaddr *)&b, &len), EINVAL);
	len = sizeof(b);
	CHECK_ERRNO(getsockname(fd, (struct sockaddr *)8, &len), EFAULT);
	CHECK_ERRNO(getsockname(fd, (struct sockaddr *)&b, (socklen_t *)8), EFAULT);
	CHECK_ERRNO(un_bind(other, "none/sock"), ENOENT);
	CHECK_ERRNO(bind(other, (struct sockaddr *)&a, 1), EINVAL);
	CHECK_ERRNO(bind(other, (struct sockaddr *)&a, 500), EINVAL);
	CHECK_ERRNO(bind(other, (struct sockaddr *)8, 10), EFAULT);
	CHECK_ERRNO(bind(other, (struct sockaddr *)&a, 0), EINVAL);
	un_addr(&a, "x");
	a.sun_family = AF_INET;
	CHECK_ERRNO(bind(other, (struct sockaddr *)&a, sizeof(a)), EINVAL);
	/* A path of 108 bytes needs no 0. */
	a.sun_family = AF_UNIX;
	memset(a.sun_path, 'p', sizeof(a.sun_path));
	CHECK_OK(bind(other, (struct sockaddr *)&a, sizeof(a)));
	len = sizeof(big);
	CHECK_OK(getsockname(other, (struct sockaddr *)&big, &len));
	CHECK_EQ(len, sizeof(a) + 1);
	close(fd);
	CHECK_OK(stat("sock", &st));
	CHECK_ERRNO(un_connect(un_socket(SOCK_STREAM), "sock"), ECONNREFUSED);
	CHECK_OK(unlink("sock"));
	close(other);
}

static void abstract(void)
{
	int fd = un_socket(SOCK_STREAM), other = un_socket(SOCK_STREAM), d = un_socket(SOCK_DGRAM);
	struct sockaddr_un a;
	socklen_t len = sizeof(a);

	CHECK_OK(un_bind(fd, "@tap-stream"));
	CHECK_ERRNO(un_bind(other, "@tap-stream"), EADDRINUSE);
	CHECK_OK(un_bind(d, "@tap-stream")); /* another type is another name */
	CHECK_OK(getsockname(fd, (struct sockaddr *)&a, &len));
	CHECK_EQ(len, HEAD + 11);
	CHECK(!memcmp(a.sun_path, "\0tap-stream", 11));
	CHECK_ERRNO(un_connect(other, "@tap-stream"), ECONNREFUSED); /* does not listen */
	CHECK_ERRNO(un_connect(other, "@tap-nobody"), ECONNREFUSED);
	CHECK_OK(listen(fd, 1));
	CHECK_ERRNO(un_connect(other, "@tap-strea"), ECONNREFUSED);
	CHECK_OK(un_connect(other, "@tap-stream"));
	CHECK_ERRNO(un_connect(other, "@tap-stream"), EISCONN);
	close(fd);
	fd = un_socket(SOCK_STREAM);
	CHECK_OK(un_bind(fd, "@tap-stream")); /* free again */
	close(fd);
	fd = un_socket(SOCK_STREAM);
	a.sun_family = AF_UNIX;
	CHECK_OK(bind(fd, (struct sockaddr *)&a, HEAD));
	len = sizeof(a);
	CHECK_OK(getsockname(fd, (struct sockaddr *)&a, &len));
	CHECK_EQ(len, HEAD + 6);
	CHECK_EQ(a.sun_path[0], 0);
	CHECK_EQ(strspn(a.sun_path + 1, "0123456789abcdef"), 5);
	CHECK_OK(bind(fd, (struct sockaddr *)&a, HEAD));
	CHECK_ERRNO(un_bind(fd, "@more"), EINVAL);
	close(fd);
	close(other);
	close(d);
}

static void listening(void)
{
	int l = un_socket(SOCK_STREAM), c, s, d;
	struct sockaddr_un a;
	socklen_t len = sizeof(a);

	CHECK_ERRNO(listen(l, 1), EINVAL);
	CHECK_ERRNO(accept(l, NULL, NULL), EINVAL);
	CHECK_EQ(un_get(l, SO_ACCEPTCONN), 0);
	CHECK_OK(un_bind(l, "l"));
	CHECK_OK(listen(l, 1));
	CHECK_EQ(un_get(l, SO_ACCEPTCONN), 1);
	CHECK_ERRNO(accept4(l, NULL, NULL, 1), EINVAL);
	CHECK_ERRNO(send(l, "x", 1, MSG_NOSIGNAL), ENOTCONN);
	CHECK_ERRNO(recv(l, &a, 1, 0), EINVAL);
	CHECK_EQ(un_revents(l, POLLIN | POLLOUT), 0);
	CHECK_ERRNO(un_connect(l, "l"), EINVAL);
	d = un_socket(SOCK_DGRAM);
	CHECK_ERRNO(un_connect(d, "l"), EPROTOTYPE);
	CHECK_ERRNO(listen(d, 1), EOPNOTSUPP);
	CHECK_ERRNO(accept(d, NULL, NULL), EOPNOTSUPP);
	close(d);
	c = un_socket(SOCK_STREAM);
	CHECK_EQ(un_revents(c, POLLIN | POLLOUT), POLLOUT | POLLHUP);
	CHECK_OK(un_bind(c, "client"));
	CHECK_OK(un_connect(c, "l"));
	CHECK_EQ(un_revents(c, POLLIN | POLLOUT), POLLOUT);
	CHECK_EQ(un_revents(l, POLLIN), POLLIN);
	CHECK_EQ(write(c, "early", 5), 5); /* before it is accepted */
	s = accept4(l, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	REQUIRE(s >= 0);
	CHECK_EQ(len, HEAD + 7);
	CHECK_STR(a.sun_path, "client");
	CHECK_EQ(fcntl(s, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	CHECK_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
	len = sizeof(a);
	CHECK_OK(getsockname(s, (struct sockaddr *)&a, &len));
	CHECK_STR(a.sun_path, "l");
	len = sizeof(a);
	CHECK_OK(getpeername(c, (struct sockaddr *)&a, &len));
	CHECK_STR(a.sun_path, "l");
	memset(&a, 0, sizeof(a));
	CHECK_EQ(read(s, &a, sizeof(a)), 5);
	CHECK(!memcmp(&a, "early", 5));
	CHECK_ERRNO(read(s, &a, 1), EAGAIN);
	CHECK_EQ(un_revents(l, POLLIN), 0);
	CHECK_OK(fcntl(l, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(accept(l, NULL, NULL), EAGAIN);
	close(s);
	close(c);
	close(l);
}

static void backlog(void)
{
	int l = un_listen(SOCK_STREAM, "@backlog", 1), c[4], s;
	pid_t pid;

	for (int i = 0; i < 3; i++)
		c[i] = un_socket(SOCK_STREAM | SOCK_NONBLOCK);
	CHECK_OK(un_connect(c[0], "@backlog"));
	CHECK_OK(un_connect(c[1], "@backlog"));
	CHECK_ERRNO(un_connect(c[2], "@backlog"), EAGAIN);
	fcntl(c[2], F_SETFL, 0);
	un_timeout(c[2], SO_SNDTIMEO, 50);
	CHECK_ERRNO(un_connect(c[2], "@backlog"), EAGAIN);
	un_timeout(c[2], SO_SNDTIMEO, 0);
	pid = fork();
	if (pid == 0) {
		alarm(TAP_LIMIT_MS / 1000);
		_exit(un_connect(c[2], "@backlog") == 0 && write(c[2], "3", 1) == 1 ? 0 : 1);
	}
	CHECK(tap_wait_state(pid, 'S'));
	s = accept(l, NULL, NULL);
	CHECK_EXIT(pid, 0);
	close(s);
	/* Closing the listener resets what was not accepted. */
	close(l);
	CHECK_EQ(un_revents(c[1], POLLIN) & (POLLHUP | POLLERR), POLLHUP | POLLERR);
	CHECK_ERRNO(read(c[1], &s, 1), ECONNRESET);
	CHECK_EQ(read(c[1], &s, 1), 0);
	for (int i = 0; i < 3; i++)
		close(c[i]);
	/* A listener that is shut down. */
	l = un_listen(SOCK_STREAM, "@backlog2", 1);
	CHECK_OK(shutdown(l, SHUT_RD));
	CHECK_ERRNO(accept(l, NULL, NULL), EINVAL);
	c[0] = un_socket(SOCK_STREAM);
	CHECK_ERRNO(un_connect(c[0], "@backlog2"), ECONNREFUSED);
	close(c[0]);
	close(l);
}

static void permissions(void)
{
	int l = un_listen(SOCK_STREAM, "guarded", 5);
	pid_t pid;

	if (getuid()) {
		NOTE("not root");
		close(l);
		return;
	}
	CHECK_OK(chmod("guarded", 0755));
	pid = fork();
	if (pid == 0) {
		CHECK_OK(setresuid(1234, 1234, 1234));
		CHECK_ERRNO(un_connect(un_socket(SOCK_STREAM), "guarded"), EACCES);
		CHECK_ERRNO(un_bind(un_socket(SOCK_STREAM), "mine"), EACCES);
		_exit(tap_nfailed);
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(chmod("guarded", 0722));
	pid = fork();
	if (pid == 0) {
		CHECK_OK(setresuid(1234, 1234, 1234));
		CHECK_OK(un_connect(un_socket(SOCK_STREAM), "guarded"));
		_exit(tap_nfailed);
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(rename("guarded", "moved"));
	CHECK_OK(un_connect(un_socket(SOCK_STREAM), "moved"));
	CHECK_OK(link("moved", "second"));
	CHECK_OK(un_connect(un_socket(SOCK_STREAM), "second"));
	CHECK_OK(symlink("second", "third"));
	CHECK_OK(un_connect(un_socket(SOCK_STREAM), "third"));
	CHECK_ERRNO(un_connect(un_socket(SOCK_STREAM), "guarded"), ENOENT);
	CHECK_ERRNO(un_connect(un_socket(SOCK_STREAM), "."), ECONNREFUSED);
	CHECK_OK(mknod("node", S_IFSOCK | 0666, 0));
	CHECK_ERRNO(un_connect(un_socket(SOCK_STREAM), "node"), ECONNREFUSED);
	close(l);
}

static void moving(void)
{
	static char in[300000], out[300000];
	struct iovec iov[3] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };
	int fds[2], n;
	pid_t pid;

	un_pair(SOCK_STREAM, fds);
	CHECK_EQ(writev(fds[0], iov, 3), 5);
	CHECK_EQ(write(fds[0], "fg", 2), 2);
	CHECK_EQ(write(fds[0], "x", 0), 0);
	CHECK_OK(ioctl(fds[1], FIONREAD, &n));
	CHECK_EQ(n, 7);
	CHECK_OK(ioctl(fds[0], TIOCOUTQ, &n));
	CHECK(n >= 7);
	CHECK_EQ(read(fds[1], out, 3), 3);
	CHECK_EQ(read(fds[1], out + 3, 100), 4);
	CHECK(!memcmp(out, "abcdefg", 7));
	CHECK_OK(ioctl(fds[0], TIOCOUTQ, &n));
	CHECK_EQ(n, 0);
	CHECK_EQ(write(fds[0], "hello", 5), 5);
	CHECK_ERRNO(read(fds[1], (char *)8, 5), EFAULT);
	CHECK_EQ(read(fds[1], out, 10), 5); /* nothing was lost */
	CHECK_ERRNO(write(fds[0], (char *)8, 5), EFAULT);
	CHECK_ERRNO(recv(fds[1], out, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(ioctl(fds[0], 0x12345678, &n), ENOTTY);
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)(i * 7 + i / 4096);
	pid = fork();
	if (pid == 0)
		_exit(write(fds[0], in, sizeof(in)) == sizeof(in) ? 0 : 1);
	CHECK_EQ(recv(fds[1], out, sizeof(out), MSG_WAITALL), sizeof(out));
	CHECK(!memcmp(in, out, sizeof(in)));
	CHECK_EXIT(pid, 0);
	un_close(fds);
}

static void not_connected(void)
{
	int fd = un_socket(SOCK_STREAM);
	struct sockaddr_un a;
	socklen_t len = un_addr(&a, "@x");
	char c;

	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(send(fd, "x", 1, 0), ENOTCONN);
	CHECK_ERRNO(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, len), EOPNOTSUPP);
	CHECK_ERRNO(recv(fd, &c, 1, 0), EINVAL);
	CHECK_OK(shutdown(fd, SHUT_WR));
	CHECK_ERRNO(shutdown(fd, 3), EINVAL);
	CHECK_ERRNO(shutdown(fd, -1), EINVAL);
	close(fd);
}

static void ends(void)
{
	int fds[2];
	char c;

	signal(SIGPIPE, SIG_IGN);
	un_pair(SOCK_STREAM, fds);
	CHECK_EQ(write(fds[0], "z", 1), 1);
	CHECK_OK(shutdown(fds[0], SHUT_WR));
	CHECK_ERRNO(write(fds[0], "z", 1), EPIPE);
	CHECK_EQ(un_revents(fds[0], POLLIN | POLLOUT | POLLRDHUP), POLLOUT);
	CHECK_EQ(un_revents(fds[1], POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(read(fds[1], &c, 1), 1);
	CHECK_EQ(read(fds[1], &c, 1), 0);
	CHECK_EQ(write(fds[1], "y", 1), 1); /* the other way still works */
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_OK(shutdown(fds[0], SHUT_RD));
	CHECK_EQ(un_revents(fds[0], POLLIN | POLLRDHUP), POLLIN | POLLRDHUP | POLLHUP);
	CHECK_EQ(un_revents(fds[1], POLLIN | POLLRDHUP), POLLIN | POLLRDHUP | POLLHUP);
	CHECK_EQ(read(fds[0], &c, 1), 0);
	CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
	un_close(fds);

	un_pair(SOCK_STREAM, fds);
	CHECK_EQ(write(fds[1], "left", 4), 4);
	close(fds[1]);
	CHECK_EQ(un_revents(fds[0], POLLIN | POLLOUT | POLLRDHUP),
		 POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_ERRNO(write(fds[0], "x", 1), EPIPE);
	CHECK_EQ(recv(fds[0], &c, 1, 0), 1);
	close(fds[0]);

	/* What the other side never read is an error here, once. */
	un_pair(SOCK_STREAM, fds);
	CHECK_EQ(write(fds[0], "lost", 4), 4);
	close(fds[1]);
	CHECK_EQ(un_get(fds[0], SO_ERROR), ECONNRESET);
	CHECK_EQ(un_get(fds[0], SO_ERROR), 0);
	CHECK_EQ(read(fds[0], &c, 1), 0);
	close(fds[0]);
}

static volatile int pipes, *alarms;

static void on_pipe(int sig)
{
	pipes++;
}

static void on_alarm(int sig)
{
	++*alarms;
}

static void sigpipe(void)
{
	int fds[2];

	signal(SIGPIPE, on_pipe);
	un_pair(SOCK_STREAM, fds);
	close(fds[1]);
	CHECK_ERRNO(write(fds[0], "x", 1), EPIPE);
	CHECK_EQ(pipes, 1);
	CHECK_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(pipes, 1);
	CHECK_ERRNO(send(fds[0], "x", 1, 0), EPIPE);
	CHECK_EQ(pipes, 2);
	close(fds[0]);
}

static void timeouts(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct timeval tv = { -1, 0 };
	int fds[2];
	char c, *big = calloc(1, 1 << 20);
	socklen_t len = sizeof(tv);
	long long t;

	alarms = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(alarms != MAP_FAILED);
	un_pair(SOCK_STREAM, fds);
	un_timeout(fds[0], SO_RCVTIMEO, 60);
	CHECK_OK(getsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	CHECK_EQ(tv.tv_sec, 0);
	CHECK(tv.tv_usec >= 60000 && tv.tv_usec < 70000);
	t = tap_now_ns();
	CHECK_ERRNO(read(fds[0], &c, 1), EAGAIN);
	CHECK(tap_now_ns() - t >= 55000000);
	un_timeout(fds[0], SO_SNDTIMEO, 60);
	t = tap_now_ns();
	CHECK(write(fds[0], big, 1 << 20) > 0); /* what went in */
	CHECK(tap_now_ns() - t >= 55000000);
	CHECK_ERRNO(write(fds[0], big, 1), EAGAIN);
	tv.tv_usec = 1000000;
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), EDOM);
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, 4), EINVAL);
	un_close(fds);

	/* SA_RESTART restarts only without a limit. */
	un_pair(SOCK_STREAM, fds);
	sigaction(SIGALRM, &sa, NULL);
	tap_tick(30);
	CHECK_ERRNO(read(fds[0], &c, 1), EINTR);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	un_timeout(fds[0], SO_RCVTIMEO, TAP_LIMIT_MS);
	CHECK_ERRNO(recv(fds[0], &c, 1, 0), EINTR);
	un_timeout(fds[0], SO_RCVTIMEO, 0);
	*alarms = 0;
	if (fork() == 0) {
		CHECK(TAP_AWAIT(*alarms >= 2)); /* while the parent reads */
		_exit(write(fds[1], "r", 1) != 1 || tap_nfailed);
	}
	CHECK_EQ(read(fds[0], &c, 1), 1);
	tap_tick(0);
	CHECK_EQ(tap_wait(-1), 0);
	free(big);
	un_close(fds);
}

static void buffers(void)
{
	static char block[4096];
	int fds[2], n = 0, small;
	char text[32];

	un_pair(SOCK_STREAM | SOCK_NONBLOCK, fds);
	CHECK_EQ(un_get(fds[0], SO_SNDBUF), 212992);
	CHECK_EQ(un_get(fds[0], SO_RCVBUF), 212992);
	un_set(fds[0], SO_SNDBUF, 1);
	CHECK_EQ(un_get(fds[0], SO_SNDBUF), 4608);
	un_set(fds[0], SO_RCVBUF, 1);
	CHECK_EQ(un_get(fds[0], SO_RCVBUF), 2304);
	un_set(fds[0], SO_SNDBUF, 20000);
	CHECK_EQ(un_get(fds[0], SO_SNDBUF), 40000);
	while (write(fds[0], block, 1000) == 1000)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n >= 10 && n <= 41);
	CHECK_EQ(un_revents(fds[0], POLLOUT), 0);
	CHECK_EQ(read(fds[1], block, 1000), 1000);
	CHECK_EQ(un_revents(fds[0], POLLOUT), 0); /* not before most has been read */
	while (read(fds[1], block, 4096) > 0)
		;
	CHECK_EQ(un_revents(fds[0], POLLOUT), POLLOUT);
	/* Small messages count with what they cost. */
	for (small = 0; write(fds[0], "x", 1) == 1; small++)
		;
	CHECK(small > 20 && small < 200);
	if (getuid() == 0) {
		un_set(fds[0], SO_SNDBUFFORCE, 1 << 20);
		CHECK_EQ(un_get(fds[0], SO_SNDBUF), 2 << 20);
	}
	un_set(fds[0], SO_SNDBUF, 1 << 30);
	CHECK(tap_read_file("/proc/sys/net/core/wmem_max", text, sizeof(text)) > 0);
	CHECK_EQ(un_get(fds[0], SO_SNDBUF), 2 * atoi(text));
	un_close(fds);
}

static void flags(void)
{
	char buf[16] = "";
	int fds[2];

	un_pair(SOCK_STREAM, fds);
	CHECK_EQ(send(fds[0], "abc", 3, 0), 3);
	CHECK_EQ(send(fds[0], "def", 3, MSG_EOR), 3);
	CHECK_EQ(recv(fds[1], buf, 5, MSG_PEEK), 5);
	CHECK_STR(buf, "abcde");
	CHECK_EQ(recv(fds[1], buf, 2, MSG_PEEK | MSG_WAITALL), 2);
	CHECK_EQ(un_get(fds[1], SO_PEEK_OFF), -1);
	un_set(fds[1], SO_PEEK_OFF, 1);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(recv(fds[1], buf, 3, MSG_PEEK), 3);
	CHECK_STR(buf, "bcd");
	CHECK_EQ(un_get(fds[1], SO_PEEK_OFF), 4);
	CHECK_EQ(read(fds[1], buf, 2), 2);
	CHECK_EQ(un_get(fds[1], SO_PEEK_OFF), 2);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(recv(fds[1], buf, 16, MSG_PEEK), 2);
	CHECK_STR(buf, "ef");
	CHECK_ERRNO(recv(fds[1], buf, 16, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	un_timeout(fds[1], SO_RCVTIMEO, 30);
	CHECK_ERRNO(recv(fds[1], buf, 16, MSG_PEEK), EAGAIN);
	un_set(fds[1], SO_PEEK_OFF, -1);
	CHECK_EQ(recv(fds[1], buf, 16, 0), 4);
	CHECK_EQ(un_get(fds[1], SO_RCVLOWAT), 1);
	un_set(fds[1], SO_RCVLOWAT, 4);
	CHECK_EQ(send(fds[0], "abc", 3, 0), 3);
	CHECK_EQ(recv(fds[1], buf, 16, MSG_DONTWAIT), 3); /* waits for four bytes, but must not */
	CHECK_ERRNO(sendto(fds[0], "x", 1, 0, (struct sockaddr *)buf, 2), EISCONN);
	un_close(fds);
}

static void many_messages(void)
{
	char a[4] = "", b[4] = "";
	struct iovec in[2] = { { "one", 3 }, { "four", 4 } }, out[2] = { { a, 3 }, { b, 4 } };
	struct mmsghdr v[2] = { { .msg_hdr = { .msg_iov = &in[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &in[1], .msg_iovlen = 1 } } };
	struct msghdr m = { .msg_iov = in, .msg_iovlen = 1025 };
	struct timespec ts = { 0, 0 };
	int fds[2];

	un_pair(SOCK_STREAM, fds);
	CHECK_EQ(sendmmsg(fds[0], v, 2, 0), 2);
	CHECK_EQ(v[0].msg_len, 3);
	CHECK_EQ(v[1].msg_len, 4);
	v[0].msg_hdr.msg_iov = &out[0];
	v[1].msg_hdr.msg_iov = &out[1];
	CHECK_EQ(recvmmsg(fds[1], v, 2, 0, NULL), 2);
	CHECK(!memcmp(a, "one", 3) && !memcmp(b, "four", 4));
	CHECK_EQ(write(fds[0], "x", 1), 1);
	CHECK_EQ(recvmmsg(fds[1], v, 2, MSG_WAITFORONE, NULL), 1);
	CHECK_EQ(write(fds[0], "x", 1), 1);
	CHECK_EQ(recvmmsg(fds[1], v, 2, 0, &ts), 1); /* the limit passed with the first */
	ts.tv_nsec = 2000000000;
	CHECK_ERRNO(recvmmsg(fds[1], v, 2, 0, &ts), EINVAL);
	CHECK_ERRNO(recvmmsg(fds[1], v, 2, MSG_DONTWAIT, NULL), EAGAIN);
	CHECK_ERRNO(sendmsg(fds[0], &m, 0), EMSGSIZE);
	CHECK_ERRNO(recvmsg(fds[0], &m, 0), EMSGSIZE);
	CHECK_ERRNO(syscall(SYS_sendmsg, fds[0], 8, 0), EFAULT); /* no library looks at it */
	m.msg_iovlen = 1;
	m.msg_control = a;
	m.msg_controllen = 1 << 30;
	CHECK_ERRNO(syscall(SYS_sendmsg, fds[0], &m, 0), ENOBUFS);
	un_close(fds);
}

static int next_event(int ep)
{
	struct epoll_event e;

	return epoll_wait(ep, &e, 1, 0) == 1 ? (int)e.events : 0;
}

static void edges(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	int ep = epoll_create1(0), fds[2];
	char c;

	un_pair(SOCK_STREAM, fds);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &e));
	CHECK_EQ(next_event(ep), EPOLLOUT);
	CHECK_EQ(next_event(ep), 0);
	CHECK_EQ(write(fds[1], "1", 1), 1);
	CHECK_EQ(next_event(ep), EPOLLIN | EPOLLOUT);
	CHECK_EQ(next_event(ep), 0);
	CHECK_EQ(write(fds[1], "2", 1), 1);
	CHECK_EQ(next_event(ep), EPOLLIN | EPOLLOUT); /* each message is news */
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_OK(shutdown(fds[1], SHUT_WR));
	CHECK_EQ(next_event(ep), EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	CHECK_EQ(next_event(ep), 0);
	close(fds[1]);
	CHECK_EQ(next_event(ep), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
	CHECK_EQ(next_event(ep), 0);
	close(fds[0]);
	close(ep);
}

static void *poller(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };

	return (void *)(long)(poll(&p, 1, TAP_LIMIT_MS) == 1 ? p.revents : 0);
}

static void wakes_poll(void)
{
	pthread_t t;
	void *r;
	int fds[2], l;

	un_pair(SOCK_STREAM, fds);
	pthread_create(&t, NULL, poller, &fds[0]);
	tap_sleep_ms(30);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	pthread_join(t, &r);
	CHECK_EQ((long)r, POLLIN);
	CHECK_EQ(read(fds[0], &r, 1), 1);
	pthread_create(&t, NULL, poller, &fds[0]);
	tap_sleep_ms(30);
	close(fds[1]);
	pthread_join(t, &r);
	CHECK_EQ((long)r, POLLIN | POLLHUP);
	close(fds[0]);
	l = un_listen(SOCK_STREAM, "@wakes", 1);
	pthread_create(&t, NULL, poller, &l);
	tap_sleep_ms(30);
	CHECK_OK(un_connect(fds[0] = un_socket(SOCK_STREAM), "@wakes"));
	pthread_join(t, &r);
	CHECK_EQ((long)r, POLLIN);
	close(l);
	close(fds[0]);
}

static void splicing(void)
{
	char buf[64] = "";
	int fds[2], p[2], f;

	un_pair(SOCK_STREAM, fds);
	REQUIRE(pipe(p) == 0);
	CHECK_EQ(write(p[1], "through", 7), 7);
	CHECK_EQ(splice(p[0], NULL, fds[0], NULL, 100, 0), 7);
	CHECK_EQ(splice(fds[1], NULL, p[1], NULL, 100, 0), 7);
	CHECK_EQ(read(p[0], buf, sizeof(buf)), 7);
	CHECK_STR(buf, "through");
	CHECK_ERRNO(splice(fds[1], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_OK(tap_write_file("f", "file", 4, 0600));
	f = open("f", O_RDONLY);
	off_t off = 1;
	CHECK_EQ(syscall(SYS_sendfile, fds[0], f, &off, 10), 3);
	CHECK_EQ(read(fds[1], buf, sizeof(buf)), 3);
	CHECK(!memcmp(buf, "ile", 3));
	close(f);
	un_close(p);
	un_close(fds);
}

static void options(void)
{
	struct linger l = { 1, 5 };
	struct ucred u;
	socklen_t len = sizeof(l);
	gid_t groups[64];
	int fds[2], val = 1;

	un_pair(SOCK_STREAM, fds);
	CHECK_OK(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	memset(&l, 0, sizeof(l));
	CHECK_OK(getsockopt(fds[0], SOL_SOCKET, SO_LINGER, &l, &len));
	CHECK_EQ(l.l_onoff, 1);
	CHECK_EQ(l.l_linger, 5);
	un_set(fds[0], SO_REUSEADDR, 7);
	CHECK_EQ(un_get(fds[0], SO_REUSEADDR), 1);
	un_set(fds[0], SO_KEEPALIVE, 1);
	CHECK_EQ(un_get(fds[0], SO_KEEPALIVE), 1);
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_TYPE, &val, 4), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_ERROR, &val, 4), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, 9999, &val, 4), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_KEEPALIVE, &val, 3), EINVAL);
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_KEEPALIVE, (void *)8, 4), EFAULT);
	CHECK_ERRNO(setsockopt(fds[0], 6, 1, &val, 4), EOPNOTSUPP);
	len = 4;
	CHECK_ERRNO(getsockopt(fds[0], 6, 1, &val, &len), EOPNOTSUPP);
	CHECK_ERRNO(getsockopt(fds[0], SOL_SOCKET, 9999, &val, &len), ENOPROTOOPT);
	CHECK_ERRNO(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, (void *)8, &len), EFAULT);
	len = (socklen_t)-1;
	CHECK_ERRNO(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &val, &len), EINVAL);
	len = 2;
	val = 0;
	CHECK_OK(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &val, &len));
	CHECK_EQ(len, 2);
	len = sizeof(u);
	CHECK_OK(getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &u, &len));
	CHECK_EQ(u.pid, getpid());
	CHECK_EQ(u.uid, geteuid());
	CHECK_EQ(u.gid, getegid());
	len = sizeof(groups);
	CHECK_OK(getsockopt(fds[0], SOL_SOCKET, 59 /* SO_PEERGROUPS */, groups, &len));
	CHECK_EQ(len / sizeof(gid_t), getgroups(0, NULL));
	un_close(fds);
	len = sizeof(u);
	val = un_socket(SOCK_STREAM);
	CHECK_OK(getsockopt(val, SOL_SOCKET, SO_PEERCRED, &u, &len));
	CHECK_EQ(u.pid, 0);
	CHECK_EQ(u.uid, (uid_t)-1);
	close(val);
}

static void in_proc(void)
{
	static char text[1 << 20];
	char line[128];
	int l = un_listen(SOCK_STREAM, "@in\nproc", 1), p = un_listen(SOCK_STREAM, "seen", 1);
	struct stat st;

	fstat(l, &st);
	CHECK(tap_read_file("/proc/net/unix", text, sizeof(text)) > 0);
	CHECK(!strncmp(text, "Num       RefCount Protocol Flags    Type St Inode Path\n", 56));
	snprintf(line, sizeof(line), " 00000000 00010000 0001 01 %5lu @in\nproc\n",
		 (unsigned long)st.st_ino);
	CHECK(strstr(text, line) != NULL);
	fstat(p, &st);
	snprintf(line, sizeof(line), " 00000000 00010000 0001 01 %5lu seen\n",
		 (unsigned long)st.st_ino);
	CHECK(strstr(text, line) != NULL);
	close(l);
	close(p);
}

/* How often @what is in /proc/net/unix. */
static int listed(const char *what)
{
	static char text[1 << 20];
	int n = 0;

	REQUIRE(tap_read_file("/proc/net/unix", text, sizeof(text)) > 0);
	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void check_names(int l, int c, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);

	memset(&a, 0, sizeof(a));
	CHECK_OK(getsockname(l, (struct sockaddr *)&a, &len));
	CHECK_STR(a.sun_path, name);
	memset(&a, 0, sizeof(a));
	len = sizeof(a);
	CHECK_OK(getpeername(c, (struct sockaddr *)&a, &len));
	CHECK_STR(a.sun_path, name);
}

/* Who is bound stays known when the name is gone, and is not confused with who takes the name next. An accepted socket has its listener's name. */
static void unlinked(void)
{
	int l = un_listen(SOCK_STREAM, "gone", 4), c = un_socket(SOCK_STREAM), s, next, other, s2;
	struct ucred u;
	socklen_t len = sizeof(u);

	CHECK_OK(un_connect(c, "gone"));
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	CHECK_EQ(listed(" gone\n"), 2);
	CHECK_OK(unlink("gone"));
	CHECK_EQ(listed(" gone\n"), 2);
	check_names(l, c, "gone");
	CHECK_OK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &len));
	CHECK_EQ(u.pid, getpid());
	other = un_socket(SOCK_STREAM);
	CHECK_ERRNO(un_connect(other, "gone"), ENOENT);
	next = un_listen(SOCK_STREAM, "gone", 4);
	CHECK_OK(un_connect(other, "gone"));
	CHECK_OK(fcntl(l, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(accept(l, NULL, NULL), EAGAIN);
	s2 = accept(next, NULL, NULL);
	CHECK(s2 >= 0);
	CHECK_EQ(listed(" gone\n"), 4);
	close(l);
	CHECK_EQ(listed(" gone\n"), 3);
	check_names(s, c, "gone");
	close(s);
	CHECK_EQ(listed(" gone\n"), 2);
	close(next);
	close(s2);
	CHECK_EQ(listed(" gone\n"), 0);
	close(c);
	close(other);
	CHECK_OK(unlink("gone"));
}

#define BYTES (4 << 20)

static void *writer(void *arg)
{
	static unsigned char block[10007];
	long sent = 0;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (unsigned char)i;
	while (sent < BYTES) {
		size_t from = (size_t)(sent % 256), n = 1 + (size_t)(sent * 31 % 9000);
		ssize_t r;

		if ((long)n > BYTES - sent)
			n = (size_t)(BYTES - sent);
		r = write(*(int *)arg, block + from, n);
		if (r <= 0)
			return (void *)1;
		sent += r;
	}
	return NULL;
}

static void in_order(void)
{
	static unsigned char buf[20000];
	long got = 0, wrong = 0;
	pthread_t t;
	void *r;
	int fds[2];

	un_pair(SOCK_STREAM, fds);
	pthread_create(&t, NULL, writer, &fds[0]);
	while (got < BYTES) {
		ssize_t n = read(fds[1], buf, 1 + (size_t)(got * 17 % 19000));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			wrong += buf[i] != (unsigned char)(got + i);
		got += n;
	}
	CHECK_EQ(got, BYTES);
	CHECK_EQ(wrong, 0);
	pthread_join(t, &r);
	CHECK(r == NULL);
	un_close(fds);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	TAP_RUN(creation);
	TAP_RUN(as_a_file);
	TAP_RUN(names);
	TAP_RUN(abstract);
	TAP_FORK(listening);
	TAP_FORK(backlog);
	TAP_FORK(permissions);
	TAP_RUN(moving);
	TAP_FORK(not_connected);
	TAP_FORK(ends);
	TAP_FORK(sigpipe);
	TAP_FORK(timeouts);
	TAP_RUN(buffers);
	TAP_RUN(flags);
	TAP_RUN(many_messages);
	TAP_RUN(edges);
	TAP_RUN(wakes_poll);
	TAP_RUN(splicing);
	TAP_RUN(options);
	TAP_RUN(in_proc);
	TAP_RUN(unlinked);
	TAP_RUN(in_order);
	tap_rmdir(dir);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Pipes: capacity, atomic writes, non-blocking ends, broken pipes, packet mode, poll states, sizes,
 * many writers. Semantics: pipe(7).
 */
#include "tap.h"
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>

static int fds[2];

static void open_pipe(int flags)
{
	REQUIRE(pipe2(fds, flags) == 0);
}

static void close_pipe(void)
{
	close(fds[0]);
	close(fds[1]);
}

static short revents(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	poll(&pfd, 1, 0);
	return pfd.revents;
}

static void creation(void)
{
	int fd[2] = { -7, -7 };

	CHECK_ERRNO(pipe2(fd, 0x1), EINVAL);
	CHECK_EQ(fd[0], -7);
	open_pipe(O_CLOEXEC | O_NONBLOCK);
	CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fds[0], F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY | O_NONBLOCK);
	CHECK_EQ(fcntl(fds[1], F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_WRONLY | O_NONBLOCK);
	CHECK_ERRNO(read(fds[1], fd, 1), EBADF);
	CHECK_ERRNO(write(fds[0], fd, 1), EBADF);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(pread(fds[0], fd, 1, 0), ESPIPE);
	CHECK_ERRNO(ftruncate(fds[1], 0), EINVAL);
	close_pipe();
}

static void metadata(void)
{
	struct stat a, b;
	int n = -1;

	open_pipe(0);
	CHECK_OK(fstat(fds[0], &a));
	CHECK_OK(fstat(fds[1], &b));
	CHECK(S_ISFIFO(a.st_mode));
	CHECK_EQ(a.st_mode & 07777, 0600);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(write(fds[1], "12345", 5), 5);
	CHECK_OK(ioctl(fds[0], FIONREAD, &n));
	CHECK_EQ(n, 5);
	close_pipe();
}

static void capacity(void)
{
	static char page[4096];
	char byte;
	int n = 0;

	open_pipe(O_NONBLOCK);
	CHECK_EQ(fcntl(fds[0], F_GETPIPE_SZ), 65536);
	while (write(fds[1], page, sizeof(page)) == sizeof(page))
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, 16);
	CHECK_ERRNO(write(fds[1], "x", 1), EAGAIN);
	CHECK_EQ(revents(fds[1], POLLOUT), 0);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_EQ(revents(fds[1], POLLOUT), 0); /* no whole page is free yet */
	CHECK_EQ(read(fds[0], page, 4095), 4095);
	CHECK_EQ(revents(fds[1], POLLOUT), POLLOUT);
	CHECK_EQ(write(fds[1], page, 4096), 4096);
	close_pipe();
}

static void resize(void)
{
	static char data[8192];

	open_pipe(O_NONBLOCK);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 1), 4096);
	CHECK_EQ(fcntl(fds[1], F_GETPIPE_SZ), 4096);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 5000), 8192);
	CHECK_EQ(write(fds[1], data, 8192), 8192);
	CHECK_ERRNO(fcntl(fds[1], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 65536), 65536);
	CHECK_EQ(read(fds[0], data, 8192), 8192);
	CHECK_ERRNO(fcntl(fds[1], F_SETPIPE_SZ, -1), EINVAL);
	close_pipe();
}

/* Up to PIPE_BUF a non-blocking write is all or nothing; above it may be partial. */
static void atomicity(void)
{
	static char data[70000];
	long part;

	open_pipe(O_NONBLOCK);
	CHECK_EQ(write(fds[1], data, 70000), 65536);
	CHECK_EQ(read(fds[0], data, 4096), 4096);
	CHECK_EQ(write(fds[1], data, 100), 100);
	CHECK_ERRNO(write(fds[1], data, PIPE_BUF), EAGAIN);
	part = CHECK_OK(write(fds[1], data, 10000));
	CHECK(part > 0 && part <= 3996);
	CHECK_EQ(read(fds[0], data, 70000), 61440 + 100 + part);
	CHECK_ERRNO(read(fds[0], data, 1), EAGAIN);
	close_pipe();
}

static void ends(void)
{
	char c;

	open_pipe(0);
	CHECK_EQ(write(fds[1], "ab", 2), 2);
	close(fds[1]);
	CHECK_EQ(revents(fds[0], POLLIN), POLLIN | POLLHUP);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(read(fds[0], &c, 1), 0);
	CHECK_EQ(revents(fds[0], POLLIN), POLLHUP);
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	open_pipe(0);
	CHECK_EQ(revents(fds[0], POLLIN), 0);
	CHECK_EQ(revents(fds[1], POLLOUT), POLLOUT);
	close(fds[0]);
	CHECK_EQ(revents(fds[1], POLLOUT), POLLOUT | POLLERR);
	CHECK_ERRNO(write(fds[1], &c, 1), EPIPE);
	close(fds[1]);
	signal(SIGPIPE, SIG_DFL);
}

static void zero_bytes(void)
{
	char c;

	open_pipe(O_NONBLOCK);
	CHECK_EQ(write(fds[1], "", 0), 0);
	CHECK_EQ(read(fds[0], &c, 0), 0);
	CHECK_ERRNO(read(fds[0], &c, 1), EAGAIN);
	close_pipe();
}

static void broken_pipe_kills(void)
{
	open_pipe(0);
	close(fds[0]);
	(void)!write(fds[1], "x", 1);
}

/* A blocked reader gets what is there; a blocked writer goes on when there is room. */
static void blocking(void)
{
	static char data[100000];
	long total = 0, n;
	pid_t pid;

	open_pipe(0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		memset(data, 'd', sizeof(data));
		_exit(write(fds[1], data, sizeof(data)) == sizeof(data) ? 0 : 1);
	}
	close(fds[1]);
	CHECK(tap_wait_state(pid, 'S'));
	while ((n = read(fds[0], data, 30000)) > 0)
		total += n;
	CHECK_EQ(total, sizeof(data));
	CHECK_EXIT(pid, 0);
	close(fds[0]);
}

struct reader {
	volatile pid_t tid;
	volatile int go; /* the round it may read in */
};

static struct reader readers[2];
static volatile int nread, stopping;

static void *read_each_round(void *arg)
{
	struct reader *r = arg;
	char c;

	r->tid = (pid_t)syscall(SYS_gettid);
	for (int round = 1; !stopping; round++) {
		while (r->go < round && !stopping)
			sched_yield();
		if (!stopping && read(fds[0], &c, 1) == 1)
			nread++;
	}
	return NULL;
}

static void on_signal(int sig)
{
}

/* A signal for the first of two sleeping readers comes together with a byte: one of the two reads it. */
static void interrupted_reader(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pthread_t threads[2];

	open_pipe(0);
	CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
	for (int i = 0; i < 2; i++)
		REQUIRE(pthread_create(&threads[i], NULL, read_each_round, &readers[i]) == 0);
	CHECK(TAP_AWAIT(readers[0].tid && readers[1].tid));
	for (int round = 1; round <= 200 && nread == round - 1; round++) {
		for (int i = 0; i < 2; i++) { /* in this order */
			readers[i].go = round;
			CHECK(tap_wait_state(readers[i].tid, 'S'));
		}
		CHECK_OK(syscall(SYS_tgkill, getpid(), readers[0].tid, SIGUSR1));
		for (volatile int k = 0; k < round % 40 * 20; k++)
			;
		CHECK_EQ(write(fds[1], "x", 1), 1);
		CHECK(TAP_AWAIT(nread == round));
		/* Whoever did not get it sleeps still, or was interrupted. */
		for (int i = 0; i < 2; i++)
			CHECK_OK(syscall(SYS_tgkill, getpid(), readers[i].tid, SIGUSR1));
	}
	stopping = 1;
	close(fds[1]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	close(fds[0]);
}

static void packets(void)
{
	char buf[8];

	if (pipe2(fds, O_DIRECT) != 0) {
		CHECK_EQ(errno, EINVAL);
		NOTE("left out: no packet mode");
		return;
	}
	CHECK_EQ(write(fds[1], "abc", 3), 3);
	CHECK_EQ(write(fds[1], "defgh", 5), 5);
	CHECK_EQ(read(fds[0], buf, 8), 3);
	CHECK_EQ(read(fds[0], buf, 2), 2); /* the rest of the packet is dropped */
	CHECK_EQ(write(fds[1], "i", 1), 1);
	CHECK_EQ(read(fds[0], buf, 8), 1);
	CHECK_EQ(buf[0], 'i');
	close_pipe();
}

/* Eight writers of records below PIPE_BUF: none is torn, none is lost. */
static void many_writers(void)
{
	char record[128];
	int counts[8] = { 0 };
	pid_t pids[8];

	open_pipe(0);
	for (int w = 0; w < 8; w++) {
		pids[w] = fork();
		if (pids[w] == 0) {
			memset(record, 'a' + w, sizeof(record));
			for (int i = 0; i < 100; i++)
				if (write(fds[1], record, sizeof(record)) != sizeof(record))
					_exit(1);
			_exit(0);
		}
	}
	close(fds[1]);
	for (int i = 0; i < 800; i++) {
		size_t got = 0;
		ssize_t n;

		while (got < sizeof(record) && (n = read(fds[0], record + got, 128 - got)) > 0)
			got += (size_t)n;
		for (int k = 1; k < 128; k++)
			if (record[k] != record[0])
				REQUIRE(!"a record was torn");
		counts[(record[0] - 'a') & 7]++;
	}
	for (int w = 0; w < 8; w++) {
		CHECK_EXIT(pids[w], 0);
		CHECK_EQ(counts[w], 100);
	}
	CHECK_EQ(read(fds[0], record, 1), 0);
	close(fds[0]);
}

/* Named pipes: opening waits for the other side, except without blocking. */
static void fifos(void)
{
	char byte;
	pid_t pid;
	int fd, wr;

	CHECK_OK(mkfifo("fifo", 0600));
	CHECK_ERRNO(mkfifo("fifo", 0600), EEXIST);
	CHECK_ERRNO(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	fd = (int)CHECK_OK(open("fifo", O_RDONLY | O_NONBLOCK));
	CHECK_EQ(read(fd, &byte, 1), 0);
	wr = (int)CHECK_OK(open("fifo", O_WRONLY | O_NONBLOCK));
	CHECK_ERRNO(read(fd, &byte, 1), EAGAIN);
	CHECK_EQ(write(wr, "q", 1), 1);
	CHECK_EQ(read(fd, &byte, 1), 1);
	close(fd);
	close(wr);
	pid = fork();
	if (pid == 0) {
		fd = open("fifo", O_WRONLY);
		_exit(write(fd, "z", 1) == 1 ? 0 : 1);
	}
	fd = (int)CHECK_OK(open("fifo", O_RDONLY));
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_EQ(byte, 'z');
	CHECK_EXIT(pid, 0);
	close(fd);
}

/* /proc/self/fd reopens a pipe's other direction. */
static void reopen(void)
{
	char path[64], c;
	int fd;

	open_pipe(0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	fd = (int)CHECK_OK(open(path, O_WRONLY));
	CHECK_EQ(write(fd, "r", 1), 1);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	close(fd);
	close_pipe();
}

/* A pipe is not a FIFO: reopening it never waits for the other side, nor fails for want of it. */
static void reopen_alone(void)
{
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	char path[64], c;
	int fd;

	open_pipe(0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	CHECK_EQ(write(fds[1], "w", 1), 1);
	close(fds[1]);
	fd = (int)CHECK_OK(open(path, O_RDONLY));
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, 'w');
	CHECK_EQ(read(fd, &c, 1), 0);
	close(fd);
	fd = (int)CHECK_OK(open(path, O_RDONLY | O_NONBLOCK));
	CHECK_EQ(read(fd, &c, 1), 0);
	close(fd);
	close(fds[0]);
	open_pipe(0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[1]);
	close(fds[0]);
	fd = (int)CHECK_OK(open(path, O_WRONLY | O_NONBLOCK));
	CHECK_ERRNO(write(fd, "x", 1), EPIPE);
	close(fd);
	fd = (int)CHECK_OK(open(path, O_WRONLY));
	CHECK_ERRNO(write(fd, "x", 1), EPIPE);
	close(fd);
	close(fds[1]);
	signal(SIGPIPE, old);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	TAP_RUN(creation);
	TAP_RUN(metadata);
	TAP_RUN(capacity);
	TAP_RUN(resize);
	TAP_RUN(atomicity);
	TAP_RUN(ends);
	TAP_RUN(zero_bytes);
	CHECK_KILLED(tap_spawn(broken_pipe_kills), SIGPIPE);
	TAP_RUN(blocking);
	TAP_RUN(interrupted_reader);
	TAP_RUN(packets);
	TAP_RUN(many_writers);
	TAP_RUN(fifos);
	TAP_RUN(reopen);
	TAP_RUN(reopen_alone);
	tap_rmdir(dir);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Signal-driven I/O and leases: F_SETOWN and relatives, O_ASYNC on pipes and terminals, F_SETSIG with siginfo, F_SETLEASE and what
 * breaks a lease. fcntl(2).
 */
#include "tap.h"

#include <pty.h>
#include <poll.h>
#include <sys/mman.h>
#include <termios.h>

#ifndef F_SETLEASE
#define F_SETLEASE 1024
#define F_GETLEASE 1025
#endif
#ifndef F_SETOWN_EX
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
#define F_OWNER_TID 0
#define F_OWNER_PID 1
#define F_OWNER_PGRP 2
struct f_owner_ex {
	int type;
	pid_t pid;
};
#endif

/* Block @sig and wait for it at most @ms. Returns si_code, or -1. */
static int await(int sig, siginfo_t *info, long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, sig);
	do
		r = sigtimedwait(&set, info, &ts);
	while (r < 0 && errno == EINTR);
	return r == sig ? info->si_code : -1;
}

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

static void owners(void)
{
	struct f_owner_ex o;
	int fd[2];

	REQUIRE(!pipe(fd));
	CHECK_EQ(fcntl(fd[0], F_GETOWN), 0);
	CHECK_EQ(fcntl(fd[0], F_GETSIG), 0);
	CHECK_OK(fcntl(fd[0], F_SETOWN, getpid()));
	CHECK_EQ(fcntl(fd[0], F_GETOWN), getpid());
	CHECK_OK(fcntl(fd[0], F_GETOWN_EX, &o));
	CHECK_EQ(o.type, F_OWNER_PID);
	CHECK_EQ(o.pid, getpid());
	CHECK_ERRNO(fcntl(fd[0], F_SETOWN, 4000000), ESRCH);
	o.type = 7;
	CHECK_ERRNO(fcntl(fd[0], F_SETOWN_EX, &o), EINVAL);
	o.type = F_OWNER_PGRP;
	o.pid = getpgrp();
	CHECK_OK(fcntl(fd[0], F_SETOWN_EX, &o));
	o.pid = 0;
	CHECK_OK(fcntl(fd[0], F_GETOWN_EX, &o));
	CHECK_EQ(o.type, F_OWNER_PGRP);
	CHECK_EQ(o.pid, getpgrp());
	CHECK_ERRNO(fcntl(fd[0], F_SETSIG, 65), EINVAL);
	CHECK_OK(fcntl(fd[0], F_SETSIG, SIGRTMIN));
	CHECK_EQ(fcntl(fd[0], F_GETSIG), SIGRTMIN);
	CHECK_OK(fcntl(fd[0], F_SETOWN, 0));
	CHECK_EQ(fcntl(fd[0], F_GETOWN), 0);
	close(fd[0]);
	close(fd[1]);
}

static void plain_sigio(void)
{
	siginfo_t info;
	int fd[2];

	block(SIGIO);
	REQUIRE(!pipe(fd));
	CHECK_EQ(write(fd[1], "a", 1), 1);
	CHECK_OK(fcntl(fd[0], F_SETOWN, getpid()));
	CHECK_OK(fcntl(fd[0], F_SETFL, O_ASYNC));
	CHECK_EQ(fcntl(fd[0], F_GETFL) & O_ASYNC, O_ASYNC);
	CHECK_EQ(write(fd[1], "b", 1), 1);
	CHECK(await(SIGIO, &info, TAP_LIMIT_MS) == SI_KERNEL);
	CHECK_OK(fcntl(fd[0], F_SETFL, 0));
	CHECK_EQ(write(fd[1], "c", 1), 1);
	CHECK_EQ(await(SIGIO, &info, 50), -1);
	close(fd[0]);
	close(fd[1]);
}

static void signal_with_reason(void)
{
	siginfo_t info;
	int fd[2], sig = SIGRTMIN + 3;
	char c;

	block(sig);
	REQUIRE(!pipe(fd));
	for (int end = 0; end < 2; end++) {
		CHECK_OK(fcntl(fd[end], F_SETOWN, getpid()));
		CHECK_OK(fcntl(fd[end], F_SETSIG, sig));
		CHECK_OK(fcntl(fd[end], F_SETFL, O_ASYNC | O_NONBLOCK));
	}
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(await(sig, &info, TAP_LIMIT_MS), POLL_IN);
	CHECK_EQ(info.si_fd, fd[0]);
	CHECK_EQ(info.si_band & POLLIN, POLLIN);
	/* A full pipe that is read from can be written again. */
	while (write(fd[1], &info, sizeof(info)) > 0)
		;
	while (await(sig, &info, 50) != -1)
		;
	while (read(fd[0], &info, sizeof(info)) > 0)
		;
	CHECK_EQ(await(sig, &info, TAP_LIMIT_MS), POLL_OUT);
	CHECK_EQ(info.si_fd, fd[1]);
	(void)c;
	close(fd[0]);
	close(fd[1]);
}

static void terminal(void)
{
	struct termios t;
	siginfo_t info;
	int master, slave;

	block(SIGIO);
	REQUIRE(!openpty(&master, &slave, NULL, NULL, NULL));
	CHECK_OK(tcgetattr(slave, &t));
	cfmakeraw(&t);
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	CHECK_OK(fcntl(slave, F_SETOWN, getpid()));
	CHECK_OK(fcntl(slave, F_SETFL, O_ASYNC));
	CHECK_EQ(write(master, "q", 1), 1);
	CHECK(await(SIGIO, &info, TAP_LIMIT_MS) != -1);
	close(master);
	close(slave);
}

/* To a whole process group. */
static void group(void)
{
	int fd[2], ready[2], status, ok = 0;
	pid_t pid[2];
	char c;

	REQUIRE(!pipe(fd) && !pipe(ready));
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			siginfo_t info;

			block(SIGIO);
			setpgid(0, i ? pid[0] : 0);
			if (write(ready[1], "r", 1) != 1)
				_exit(2);
			_exit(await(SIGIO, &info, TAP_LIMIT_MS) == -1);
		}
		CHECK_EQ(read(ready[0], &c, 1), 1);
	}
	CHECK_OK(fcntl(fd[0], F_SETOWN, -pid[0]));
	CHECK_EQ(fcntl(fd[0], F_GETOWN), -pid[0]);
	CHECK_OK(fcntl(fd[0], F_SETFL, O_ASYNC));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	for (int i = 0; i < 2; i++)
		ok += waitpid(pid[i], &status, 0) == pid[i] && !status;
	CHECK_EQ(ok, 2);
}

/* ---- leases ---- */

static int lease_file(int flags)
{
	int fd = open("/tmp/lease-test", O_CREAT | O_RDWR, 0644);

	if (fd >= 0)
		close(fd);
	return open("/tmp/lease-test", flags);
}

static void lease_rules(void)
{
	int rd = lease_file(O_RDONLY), wr, fd[2];

	REQUIRE(rd >= 0);
	CHECK_EQ(fcntl(rd, F_GETLEASE), F_UNLCK);
	CHECK_ERRNO(fcntl(rd, F_SETLEASE, 77), EINVAL);
	CHECK_ERRNO(fcntl(rd, F_SETLEASE, F_UNLCK), EAGAIN);
	CHECK_OK(fcntl(rd, F_SETLEASE, F_RDLCK));
	CHECK_EQ(fcntl(rd, F_GETLEASE), F_RDLCK);
	CHECK_OK(fcntl(rd, F_SETLEASE, F_UNLCK));
	CHECK_EQ(fcntl(rd, F_GETLEASE), F_UNLCK);
	CHECK_OK(fcntl(rd, F_SETLEASE, F_WRLCK));
	CHECK_EQ(fcntl(rd, F_GETLEASE), F_WRLCK);
	CHECK_OK(fcntl(rd, F_SETLEASE, F_UNLCK));
	wr = lease_file(O_WRONLY);
	CHECK_ERRNO(fcntl(wr, F_SETLEASE, F_RDLCK), EAGAIN);
	CHECK_ERRNO(fcntl(wr, F_SETLEASE, F_WRLCK), EAGAIN); /* rd is open, too */
	close(rd);
	CHECK_OK(fcntl(wr, F_SETLEASE, F_WRLCK));
	close(wr);
	REQUIRE(!pipe(fd));
	CHECK_ERRNO(fcntl(fd[0], F_SETLEASE, F_RDLCK), EINVAL);
}

static void lease_broken(void)
{
	int fd = lease_file(O_RDONLY), status;
	siginfo_t info;
	pid_t pid;

	block(SIGIO);
	CHECK_OK(fcntl(fd, F_SETLEASE, F_RDLCK));
	/* Reading is in nobody's way. */
	status = open("/tmp/lease-test", O_RDONLY);
	CHECK(status >= 0);
	close(status);
	CHECK_EQ(await(SIGIO, &info, 20), -1);
	CHECK_ERRNO(open("/tmp/lease-test", O_WRONLY | O_NONBLOCK), EWOULDBLOCK);
	CHECK(await(SIGIO, &info, TAP_LIMIT_MS) != -1);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK); /* what it is to become */
	CHECK_OK(fcntl(fd, F_SETLEASE, F_UNLCK));

	CHECK_OK(fcntl(fd, F_SETLEASE, F_WRLCK));
	pid = fork();
	if (!pid) {
		close(fd); /* the file stays open in the parent */
		_exit(open("/tmp/lease-test", O_RDONLY) < 0);
	}
	CHECK(await(SIGIO, &info, TAP_LIMIT_MS) != -1);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0); /* it waits for us */
	CHECK_OK(fcntl(fd, F_SETLEASE, F_RDLCK));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);

	pid = fork();
	if (!pid)
		_exit(truncate("/tmp/lease-test", 0) < 0);
	CHECK(await(SIGIO, &info, TAP_LIMIT_MS) != -1);
	CHECK_OK(fcntl(fd, F_SETLEASE, F_UNLCK));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	unlink("/tmp/lease-test");
}

static void direct_io(void)
{
	char name[] = "/dev/shm/direct-test-XXXXXX";
	int fd = mkstemp(name);

	if (fd < 0)
		return;
	CHECK_OK(fcntl(fd, F_SETFL, O_DIRECT));
	CHECK_EQ(write(fd, "unaligned", 9), 9);
	CHECK_ERRNO(open("/proc/self/stat", O_RDONLY | O_DIRECT), EINVAL);
	CHECK_ERRNO(open("/dev/null", O_RDONLY | O_DIRECT), EINVAL);
	unlink(name);
}

int main(void)
{
	TAP_FORK(owners);
	TAP_FORK(plain_sigio);
	TAP_FORK(signal_with_reason);
	TAP_FORK(terminal);
	TAP_FORK(group);
	TAP_FORK(lease_rules);
	TAP_FORK(lease_broken);
	TAP_FORK(direct_io);
	return tap_done();
}

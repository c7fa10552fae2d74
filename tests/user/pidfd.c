/* SPDX-License-Identifier: MIT */
/*
 * Descriptors for processes and threads, taking others' descriptors, comparing: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), kcmp(2),
 * waitid(2) with P_PIDFD. And timers that follow a clock that is set: timerfd_create(2).
 */
#include "tap.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define P_PIDFD_ 3
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#define PIDFD_THREAD_ O_EXCL

enum { K_FILE, K_VM, K_FILES, K_FS, K_SIGHAND, K_IO, K_SYSVSEM, K_EPOLL_TFD };

static int pidfd_open_(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int send_(int fd, int sig, siginfo_t *si, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, sig, si, flags);
}

static long kcmp_(pid_t a, pid_t b, int type, unsigned long x, unsigned long y)
{
	return syscall(SYS_kcmp, a, b, type, x, y);
}

static short ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) < 0 ? -1 : p.revents;
}

static pid_t child_that_waits(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void opening(void)
{
	siginfo_t si = { 0 };
	pid_t pid = child_that_waits();
	int fd = (int)CHECK_OK(pidfd_open_(pid, 0)), non = pidfd_open_(pid, O_NONBLOCK);

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(non, F_GETFL) & O_NONBLOCK);
	CHECK_ERRNO(pidfd_open_(0, 0), EINVAL);
	CHECK_ERRNO(pidfd_open_(-1, 0), EINVAL);
	CHECK_ERRNO(pidfd_open_(pid, 1), EINVAL);
	CHECK_ERRNO(pidfd_open_(30011, 0), ESRCH);
	CHECK_EQ(ready(fd, 0), 0);
	CHECK_ERRNO(waitid(P_PIDFD_, (id_t)non, &si, WEXITED), EAGAIN);
	CHECK_OK(waitid(P_PIDFD_, (id_t)fd, &si, WEXITED | WNOHANG));
	CHECK_EQ(si.si_pid, 0);
	CHECK_ERRNO(waitid(P_PIDFD_, 0x7ff0, &si, WEXITED), EBADF);
	CHECK_OK(send_(fd, 0, NULL, 0));
	CHECK_ERRNO(send_(fd, SIGTERM, NULL, 8), EINVAL);
	CHECK_ERRNO(send_(fd, SIGTERM, NULL, 3), EINVAL);
	CHECK_ERRNO(send_(1, SIGTERM, NULL, 0), EBADF);
	si.si_signo = SIGUSR1;
	si.si_code = SI_QUEUE;
	CHECK_ERRNO(send_(fd, SIGTERM, &si, 0), EINVAL);
	si.si_signo = SIGTERM;
	si.si_code = SI_USER;
	CHECK_ERRNO(send_(fd, SIGTERM, &si, 0), EPERM);
	CHECK_OK(send_(fd, SIGTERM, NULL, 0));
	CHECK_EQ(ready(fd, TAP_LIMIT_MS), POLLIN);
	CHECK_OK(waitid(P_PIDFD_, (id_t)non, &si, WEXITED));
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(si.si_status, SIGTERM);
	CHECK_EQ(ready(fd, 0) & POLLIN, POLLIN);
	CHECK_ERRNO(send_(fd, SIGTERM, NULL, 0), ESRCH);
	close(fd);
	close(non);
}

static volatile pid_t thread_id;
static volatile int thread_end, hits;

static void count(int sig)
{
	hits++;
}

static void *thread(void *arg)
{
	thread_id = (pid_t)syscall(SYS_gettid);
	while (!thread_end)
		usleep(1000);
	return NULL;
}

/* A thread may have one of its own, with PIDFD_THREAD. */
static void threads(void)
{
	pthread_t t;
	int fd;

	REQUIRE(pthread_create(&t, NULL, thread, NULL) == 0);
	while (!thread_id)
		usleep(100);
	CHECK(pidfd_open_(thread_id, 0) == -1);
	fd = pidfd_open_(thread_id, PIDFD_THREAD_);
	if (fd < 0 && errno == EINVAL) {
		NOTE("no PIDFD_THREAD here");
	} else {
		CHECK(fcntl(fd, F_GETFL) & O_EXCL);
		CHECK_EQ(ready(fd, 0), 0);
		signal(SIGUSR1, count);
		CHECK_OK(send_(fd, SIGUSR1, NULL, 0));
		CHECK(TAP_AWAIT(hits == 1));
	}
	thread_end = 1;
	pthread_join(t, NULL);
	if (fd >= 0)
		CHECK(ready(fd, TAP_LIMIT_MS) & POLLIN);
}

static void getting(void)
{
	int fds[2], sync[2], pid_fd, mine;
	pid_t pid;
	char c;

	REQUIRE(pipe(sync) == 0);
	pid = fork();
	if (!pid) {
		REQUIRE(pipe(fds) == 0 && dup2(fds[0], 100) == 100);
		(void)!write(fds[1], "secret", 6);
		(void)!write(sync[1], "x", 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(sync[0], &c, 1), 1);
	pid_fd = pidfd_open_(pid, 0);
	mine = (int)CHECK_OK(syscall(SYS_pidfd_getfd, pid_fd, 100, 0));
	CHECK_EQ(fcntl(mine, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(mine, &c, 1), 1);
	CHECK_EQ(c, 's');
	CHECK_EQ(kcmp_(getpid(), pid, K_FILE, (unsigned long)mine, 100), 0);
	CHECK(kcmp_(getpid(), pid, K_FILE, (unsigned long)mine, 0) != 0);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, pid_fd, 99, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, pid_fd, 100, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, 1, 100, 0), EBADF);
	if (!getuid()) {
		pid_t other = fork();

		if (!other) {
			CHECK_OK(setuid(1234));
			CHECK_ERRNO(syscall(SYS_pidfd_getfd, pid_fd, 100, 0), EPERM);
			CHECK_ERRNO(kcmp_(getpid(), pid, K_VM, 0, 0), EPERM);
			_exit(tap_nfailed != 0);
		}
		CHECK_EXIT(other, 0);
	}
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, pid_fd, 100, 0), ESRCH);
}

static char stack[65536] __attribute__((aligned(16)));

static int sleeper(void *arg)
{
	for (;;)
		pause();
}

static void comparing(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct {
		unsigned efd, tfd, toff;
	} slot;
	int two = dup(1), other = open("/dev/null", O_RDONLY), ep, fds[2];
	pid_t pid, me = getpid();

	CHECK_EQ(kcmp_(me, me, K_FILE, 1, (unsigned long)two), 0);
	CHECK(kcmp_(me, me, K_FILE, 1, (unsigned long)other) > 0);
	CHECK_EQ(kcmp_(me, me, K_FILE, 1, (unsigned long)other) +
			 kcmp_(me, me, K_FILE, (unsigned long)other, 1),
		 3); /* one is less, the other greater */
	CHECK_ERRNO(kcmp_(me, me, K_FILE, 1, 999), EBADF);
	CHECK_ERRNO(kcmp_(me, me, 8, 0, 0), EINVAL);
	CHECK_ERRNO(kcmp_(me, 30011, K_VM, 0, 0), ESRCH);
	pid = clone(sleeper, stack + sizeof(stack), CLONE_VM | CLONE_FS | SIGCHLD, NULL);
	REQUIRE(pid > 0);
	CHECK_EQ(kcmp_(me, pid, K_VM, 0, 0), 0);
	CHECK_EQ(kcmp_(me, pid, K_FS, 0, 0), 0);
	CHECK(kcmp_(me, pid, K_FILES, 0, 0) > 0);
	CHECK(kcmp_(me, pid, K_SIGHAND, 0, 0) > 0);
	CHECK_EQ(kcmp_(me, pid, K_SYSVSEM, 0, 0), 0);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	ep = epoll_create1(0);
	REQUIRE(ep >= 0 && pipe(fds) == 0);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &ev));
	slot.efd = (unsigned)ep;
	slot.tfd = (unsigned)fds[0];
	slot.toff = 0;
	if (kcmp_(me, me, K_EPOLL_TFD, (unsigned long)fds[0], (unsigned long)&slot) == -1 &&
	    errno == EOPNOTSUPP)
		return;
	CHECK_EQ(kcmp_(me, me, K_EPOLL_TFD, (unsigned long)fds[0], (unsigned long)&slot), 0);
	CHECK(kcmp_(me, me, K_EPOLL_TFD, (unsigned long)fds[1], (unsigned long)&slot) > 0);
	slot.toff = 1;
	CHECK_ERRNO(kcmp_(me, me, K_EPOLL_TFD, (unsigned long)fds[0], (unsigned long)&slot),
		    ENOENT);
}

/* ---- a clock that is set ---- */

static void set_clock(long add)
{
	struct timespec now;

	REQUIRE(clock_gettime(CLOCK_REALTIME, &now) == 0);
	now.tv_sec += add;
	REQUIRE(clock_settime(CLOCK_REALTIME, &now) == 0);
}

static void cancel_on_set(void)
{
	struct itimerspec its = { 0 };
	unsigned long long n;
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);

	clock_gettime(CLOCK_REALTIME, &its.it_value);
	its.it_value.tv_sec += 1000;
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
	CHECK_ERRNO(read(fd, &n, sizeof(n)), EAGAIN);
	set_clock(0);
	CHECK_EQ(ready(fd, TAP_LIMIT_MS), POLLIN);
	CHECK_ERRNO(read(fd, &n, sizeof(n)), ECANCELED);
	CHECK_ERRNO(read(fd, &n, sizeof(n)), EAGAIN);
	set_clock(0);
	CHECK_ERRNO(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL),
		    ECANCELED);
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	set_clock(0);
	CHECK_ERRNO(read(fd, &n, sizeof(n)), EAGAIN);
	close(fd);
}

/* Absolute times of CLOCK_REALTIME come when the clock shows them. Not done to a machine that others use. */
static void follows_clock(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec its = { 0 };
	struct timespec now;
	unsigned long long n;
	timer_t timer;
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	pid_t pid;

	hits = 0;
	signal(SIGUSR1, count);
	clock_gettime(CLOCK_REALTIME, &now);
	its.it_value = now;
	its.it_value.tv_sec += 500;
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	CHECK_OK(timer_create(CLOCK_REALTIME, &ev, &timer));
	CHECK_OK(timer_settime(timer, TIMER_ABSTIME, &its, NULL));
	pid = fork();
	if (!pid) {
		CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &its.it_value, NULL), 0);
		_exit(tap_nfailed != 0);
	}
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_EQ(ready(fd, 0), 0);
	set_clock(600);
	CHECK_EQ(ready(fd, 5000) & POLLIN, POLLIN);
	CHECK_EQ(read(fd, &n, sizeof(n)), 8);
	CHECK_EQ(n, 1);
	CHECK_EXIT(pid, 0);
	/* The three are due at once, in no order that anybody promises. */
	(void)TAP_AWAIT(hits);
	CHECK_EQ(hits, 1);
	set_clock(-600);
}

static volatile sig_atomic_t caught;

static void catch (int sig)
{
	caught = sig;
}

/* An open /proc/PID stands for the process when a signal is sent, and for that process only. */
static void signal_by_proc(void)
{
	char name[32];
	int self = (int)CHECK_OK(open("/proc/self", O_DIRECTORY | O_CLOEXEC)),
	    task = (int)CHECK_OK(open("/proc/thread-self", O_DIRECTORY)),
	    root = (int)CHECK_OK(open("/", O_DIRECTORY)), dir;
	pid_t pid;

	signal(SIGUSR1, catch);
	CHECK_OK(syscall(SYS_pidfd_send_signal, self, SIGUSR1, NULL, 0));
	CHECK_EQ(caught, SIGUSR1);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, task, 0, NULL, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, root, 0, NULL, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, self, 0, 0), EBADF);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	snprintf(name, sizeof(name), "/proc/%d", pid);
	dir = (int)CHECK_OK(open(name, O_DIRECTORY));
	CHECK_OK(syscall(SYS_pidfd_send_signal, dir, SIGKILL, NULL, 0));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, dir, 0, NULL, 0), ESRCH);
	close(dir);
	close(self);
	close(task);
	close(root);
}

int main(void)
{
	TAP_FORK(opening);
	TAP_FORK(threads);
	TAP_FORK(getting);
	TAP_FORK(comparing);
	TAP_FORK(signal_by_proc);
	if (getuid())
		return tap_done();
	TAP_FORK(cancel_on_set);
	if (tap_on_caelum())
		TAP_FORK(follows_clock);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * POSIX message queues by their system calls: names, rights and limits, priorities, blocking, timeouts, polling,
 * notification. mq_overview(7), mq_open(3), mq_send(3), mq_receive(3), mq_notify(3).
 */
#include "tap.h"
#include <poll.h>
#include <sys/resource.h>

struct attr {
	long flags, maxmsg, msgsize, curmsgs, reserved[4];
};

static const char name[] = "caelum-test-queue";

static int mq_open_(const char *n, int flags, int mode, struct attr *a)
{
	return (int)syscall(SYS_mq_open, n, flags, mode, a);
}

static int mq_send_(int q, const char *text, size_t len, unsigned prio, struct timespec *t)
{
	return (int)syscall(SYS_mq_timedsend, q, text, len, prio, t);
}

static long mq_recv_(int q, char *buf, size_t len, unsigned *prio, struct timespec *t)
{
	return syscall(SYS_mq_timedreceive, q, buf, len, prio, t);
}

static int fresh(int flags, long maxmsg, long msgsize)
{
	struct attr a = { .maxmsg = maxmsg, .msgsize = msgsize };

	syscall(SYS_mq_unlink, name);
	return (int)CHECK_OK(mq_open_(name, O_CREAT | O_EXCL | O_RDWR | flags, 0600, &a));
}

static struct timespec in_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / NSEC_PER_SEC;
	t.tv_nsec %= NSEC_PER_SEC;
	return t;
}

static void names(void)
{
	char longest[300];
	struct attr a = { .maxmsg = 2, .msgsize = 16 };
	int q = fresh(0, 2, 16), other;

	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	CHECK_ERRNO(mq_open_(longest, O_CREAT | O_RDWR, 0600, &a), ENAMETOOLONG);
	CHECK_ERRNO(mq_open_("", O_CREAT | O_RDWR, 0600, &a), ENOENT);
	CHECK_ERRNO(mq_open_("a/b", O_CREAT | O_RDWR, 0600, &a), EACCES);
	CHECK_ERRNO(mq_open_("no-such-queue", O_RDWR, 0, NULL), ENOENT);
	CHECK_ERRNO(mq_open_(name, O_CREAT | O_EXCL | O_RDWR, 0600, &a), EEXIST);
	CHECK_ERRNO(mq_open_((char *)8, O_RDWR, 0, NULL), EFAULT);
	CHECK_ERRNO(mq_open_(name, O_RDWR | O_CREAT, 0600, (struct attr *)8), EFAULT);
	other = (int)CHECK_OK(mq_open_(name, O_WRONLY, 0, NULL));
	CHECK_EQ(fcntl(other, F_GETFD), FD_CLOEXEC);
	CHECK_OK(mq_send_(other, "hello", 5, 0, NULL));
	CHECK_ERRNO(mq_recv_(other, longest, 16, NULL, NULL), EBADF);
	CHECK_OK(syscall(SYS_mq_unlink, name));
	CHECK_ERRNO(syscall(SYS_mq_unlink, name), ENOENT);
	CHECK_EQ(mq_recv_(q, longest, 16, NULL, NULL), 5); /* the queue lives on without its name */
	close(other);
	close(q);
	CHECK_ERRNO(mq_recv_(q, longest, 16, NULL, NULL), EBADF);
	CHECK_ERRNO(mq_send_(1, "x", 1, 0, NULL), EBADF);
}

static void order(void)
{
	int q = fresh(O_NONBLOCK, 4, 16);
	struct attr a = { 0 };
	char buf[16];
	unsigned prio;

	CHECK_OK(mq_send_(q, "low", 3, 1, NULL));
	CHECK_OK(mq_send_(q, "high1", 5, 32767, NULL));
	CHECK_OK(mq_send_(q, "high2", 5, 32767, NULL));
	CHECK_OK(mq_send_(q, "", 0, 5, NULL));
	CHECK_ERRNO(mq_send_(q, "full", 4, 0, NULL), EAGAIN);
	CHECK_ERRNO(mq_send_(q, "x", 1, 32768, NULL), EINVAL);
	CHECK_ERRNO(mq_send_(q, buf, 17, 0, NULL), EMSGSIZE);
	CHECK_ERRNO(mq_recv_(q, buf, 15, &prio, NULL), EMSGSIZE);
	CHECK_OK(syscall(SYS_mq_getsetattr, q, NULL, &a));
	CHECK(a.flags == O_NONBLOCK && a.maxmsg == 4 && a.msgsize == 16 && a.curmsgs == 4);
	CHECK_EQ(mq_recv_(q, buf, 16, &prio, NULL), 5);
	CHECK(!memcmp(buf, "high1", 5) && prio == 32767);
	CHECK_EQ(mq_recv_(q, buf, 16, &prio, NULL), 5);
	CHECK(!memcmp(buf, "high2", 5));
	CHECK_EQ(mq_recv_(q, buf, 16, &prio, NULL), 0);
	CHECK_EQ(prio, 5);
	CHECK_EQ(mq_recv_(q, buf, 16, NULL, NULL), 3);
	CHECK_ERRNO(mq_recv_(q, buf, 16, NULL, NULL), EAGAIN);
	a.flags = O_APPEND;
	CHECK_ERRNO(syscall(SYS_mq_getsetattr, q, &a, NULL), EINVAL);
	a.flags = 0;
	CHECK_OK(syscall(SYS_mq_getsetattr, q, &a, NULL));
	CHECK_EQ(fcntl(q, F_GETFL) & O_NONBLOCK, 0);
	close(q);
}

static void handler(int sig)
{
	(void)sig;
}

static void blocking(void)
{
	int q = fresh(0, 1, 16);
	struct timespec soon = in_ms(50), bad = { 0, -1 };
	struct pollfd p = { q, POLLIN | POLLOUT, 0 };
	struct sigaction sa = { .sa_handler = handler };
	char buf[16];
	pid_t pid;

	CHECK_ERRNO(mq_recv_(q, buf, 16, NULL, &soon), ETIMEDOUT);
	CHECK_ERRNO(mq_recv_(q, buf, 16, NULL, &bad), EINVAL);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT);
	CHECK_OK(mq_send_(q, "one", 3, 0, NULL));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	soon = in_ms(50);
	CHECK_ERRNO(mq_send_(q, "two", 3, 0, &soon), ETIMEDOUT);
	pid = fork();
	if (!pid)
		_exit(mq_send_(q, "two", 3, 0, NULL) != 0); /* waits for room */
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_EQ(mq_recv_(q, buf, 16, NULL, NULL), 3);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(mq_recv_(q, buf, 16, NULL, NULL), 3);
	pid = fork();
	if (!pid) {
		sigaction(SIGUSR1, &sa, NULL);
		_exit(mq_recv_(q, buf, 16, NULL, NULL) != -1 || errno != EINTR);
	}
	CHECK(tap_wait_state(pid, 'S'));
	kill(pid, SIGUSR1);
	CHECK_EXIT(pid, 0);
	close(q);
}

static volatile sig_atomic_t got, value, code;

static void told(int sig, siginfo_t *si, void *uc)
{
	got = sig;
	value = si->si_value.sival_int;
	code = si->si_code;
}

static void notification(void)
{
	int q = fresh(O_NONBLOCK, 4, 16);
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGUSR1,
			       .sigev_value.sival_int = 77 };
	struct sigaction sa = { .sa_sigaction = told, .sa_flags = SA_SIGINFO };
	char buf[128];
	pid_t pid;

	sigaction(SIGUSR1, &sa, NULL);
	CHECK_OK(syscall(SYS_mq_notify, q, &ev));
	CHECK_ERRNO(syscall(SYS_mq_notify, q, &ev), EBUSY);
	CHECK(pread(q, buf, sizeof(buf), 0) > 0);
	CHECK(!strncmp(buf, "QSIZE:0          NOTIFY:0     SIGNO:10    NOTIFY_PID:", 52));
	CHECK_OK(mq_send_(q, "a", 1, 0, NULL));
	CHECK(got == SIGUSR1 && value == 77 && code == SI_MESGQ);
	got = 0;
	CHECK_OK(mq_send_(q, "b", 1, 0, NULL)); /* told once, and only of the first */
	CHECK_EQ(got, 0);
	CHECK_OK(syscall(SYS_mq_notify, q, &ev));
	CHECK_OK(mq_send_(q, "c", 1, 0, NULL)); /* not empty */
	CHECK_EQ(got, 0);
	pid = fork();
	if (!pid)
		_exit(syscall(SYS_mq_notify, q, &ev) != -1 || errno != EBUSY ||
		      syscall(SYS_mq_notify, q, NULL) != 0); /* not its own: stays */
	CHECK_EXIT(pid, 0);
	CHECK_ERRNO(syscall(SYS_mq_notify, q, &ev), EBUSY);
	CHECK_OK(syscall(SYS_mq_notify, q, NULL));
	CHECK_OK(syscall(SYS_mq_notify, q, &ev));
	CHECK_OK(syscall(SYS_mq_notify, q, NULL));
	ev.sigev_signo = 65;
	CHECK_ERRNO(syscall(SYS_mq_notify, q, &ev), EINVAL);
	ev.sigev_notify = 99;
	CHECK_ERRNO(syscall(SYS_mq_notify, q, &ev), EINVAL);
	close(q);
}

static void limits_and_rights(void)
{
	struct attr big = { .maxmsg = 11, .msgsize = 16 }, none = { .maxmsg = 0, .msgsize = 16 },
		    a = { .maxmsg = 10, .msgsize = 8192 };
	struct rlimit tight = { 10000, 10000 };
	struct stat st;
	int q = fresh(0, 2, 16), fds[2];

	CHECK_OK(fstat(q, &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	CHECK_EQ(st.st_size, 80);
	if (getuid() == 0)
		CHECK_OK(setresuid(1000, 1000, 1000));
	else
		return;
	CHECK_ERRNO(mq_open_(name, O_RDONLY, 0, NULL), EACCES);
	CHECK_ERRNO(syscall(SYS_mq_unlink, name), EPERM);
	CHECK_ERRNO(mq_open_("caelum-other", O_CREAT | O_RDWR, 0600, &big), EINVAL);
	CHECK_ERRNO(mq_open_("caelum-other", O_CREAT | O_RDWR, 0600, &none), EINVAL);
	fds[0] = (int)CHECK_OK(mq_open_("caelum-other", O_CREAT | O_RDWR, 0600, &a));
	CHECK_OK(syscall(SYS_mq_unlink, "caelum-other"));
	close(fds[0]);
	CHECK_OK(setrlimit(RLIMIT_MSGQUEUE, &tight));
	CHECK_ERRNO(mq_open_("caelum-other", O_CREAT | O_RDWR, 0600, &a), EMFILE);
	a.msgsize = 512;
	fds[0] = (int)CHECK_OK(mq_open_("caelum-other", O_CREAT | O_RDWR, 0600, &a));
	CHECK_ERRNO(mq_open_("caelum-more", O_CREAT | O_RDWR, 0600, &a), EMFILE);
	CHECK_OK(syscall(SYS_mq_unlink, "caelum-other"));
	close(fds[0]);
	fds[0] = (int)CHECK_OK(mq_open_("caelum-more", O_CREAT | O_RDWR, 0600, &a));
	CHECK_OK(syscall(SYS_mq_unlink, "caelum-more"));
	close(fds[0]);
}

int main(void)
{
	TAP_RUN(names);
	TAP_RUN(order);
	TAP_RUN(blocking);
	TAP_RUN(notification);
	TAP_FORK(limits_and_rights);
	syscall(SYS_mq_unlink, name);
	return tap_done();
}

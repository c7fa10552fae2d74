/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many descriptors: poll, ppoll, select, pselect, epoll, and the descriptors made for
 * it: eventfd, timerfd, signalfd. Semantics: the manual page of each.
 */
#include "tap.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int fds[2];
static volatile sig_atomic_t hits;

static void count(int sig)
{
	hits++;
}

static void open_pipe(void)
{
	REQUIRE(pipe(fds) == 0);
}

static void close_pipe(void)
{
	close(fds[0]);
	close(fds[1]);
}

static long long ms_since(long long start)
{
	return (tap_now_ns() - start) / 1000000;
}

static void poll_states(void)
{
	struct pollfd p[4];
	char byte;
	int file = open("/proc/self/exe", O_RDONLY);

	open_pipe();
	p[0] = (struct pollfd){ fds[0], POLLIN, 0x7f };
	p[1] = (struct pollfd){ fds[1], POLLOUT, 0 };
	p[2] = (struct pollfd){ -1, POLLIN, 0x7f };
	p[3] = (struct pollfd){ 1000, POLLIN, 0 };
	CHECK_EQ(poll(p, 4, 0), 2);
	CHECK_EQ(p[0].revents, 0);
	CHECK_EQ(p[1].revents, POLLOUT);
	CHECK_EQ(p[2].revents, 0);
	CHECK_EQ(p[3].revents, POLLNVAL);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	p[0].events = 0;
	CHECK_EQ(poll(p, 1, 0), 0);
	p[0].events = POLLIN | POLLRDNORM | POLLOUT;
	CHECK_EQ(poll(p, 1, -1), 1);
	CHECK_EQ(p[0].revents, POLLIN | POLLRDNORM);
	p[0] = (struct pollfd){ file, POLLIN | POLLOUT | POLLPRI, 0 };
	CHECK_EQ(poll(p, 1, 0), 1);
	CHECK_EQ(p[0].revents, POLLIN | POLLOUT); /* a file is always ready */
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	close(file);
	close_pipe();
}

static void poll_limits(void)
{
	struct rlimit limit = { 10, 10 };
	struct pollfd p[11] = { { 0 } };
	struct timespec bad = { 0, -1 };

	CHECK_EQ(poll(NULL, 0, 0), 0);
	CHECK_ERRNO(poll((void *)8, 1, 0), EFAULT);
	CHECK_ERRNO(ppoll(p, 0, &bad, NULL), EINVAL);
	REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_ERRNO(poll(p, 11, 0), EINVAL);
}

static void timeouts(void)
{
	long long start = tap_now_ns();
	struct timeval tv = { 0, 20000 };
	struct timespec ts = { 0, 20000000 };

	CHECK_EQ(poll(NULL, 0, 20), 0);
	CHECK(ms_since(start) >= 20);
	start = tap_now_ns();
	CHECK_EQ(select(0, NULL, NULL, NULL, &tv), 0);
	CHECK(ms_since(start) >= 20);
	CHECK(tv.tv_sec == 0 && (tv.tv_usec == 0 || tv.tv_usec == 20000));
	start = tap_now_ns();
	CHECK_EQ(pselect(0, NULL, NULL, NULL, &ts, NULL), 0);
	CHECK(ms_since(start) >= 20);
	CHECK_EQ(ts.tv_nsec, 20000000);
}

static void woken(void)
{
	struct pollfd p = { .events = POLLIN };
	pid_t parent = getpid(), pid;

	open_pipe();
	p.fd = fds[0];
	pid = fork();
	if (pid == 0) {
		tap_wait_state(parent, 'S');
		_exit(write(fds[1], "w", 1) == 1 ? 0 : 1);
	}
	close(fds[1]);
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK(p.revents & POLLIN);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK_EQ(p.revents, POLLIN | POLLHUP);
	close(fds[0]);
}

static void select_sets(void)
{
	fd_set rd, wr;
	int high;

	open_pipe();
	high = (int)CHECK_OK(fcntl(fds[0], F_DUPFD, 200));
	FD_ZERO(&rd);
	FD_ZERO(&wr);
	FD_SET(high, &rd);
	FD_SET(fds[1], &wr);
	CHECK_EQ(select(high + 1, &rd, &wr, NULL, NULL), 1);
	CHECK(!FD_ISSET(high, &rd) && FD_ISSET(fds[1], &wr));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	FD_SET(high, &rd);
	CHECK_EQ(select(high + 1, &rd, &wr, NULL, NULL), 2);
	CHECK(FD_ISSET(high, &rd));
	close(high);
	CHECK_ERRNO(select(high + 1, &rd, NULL, NULL, &(struct timeval){ 0, 0 }), EBADF);
	CHECK_ERRNO(select(-1, NULL, NULL, NULL, &(struct timeval){ 0, 0 }), EINVAL);
	close_pipe();
}

/* ppoll and pselect let a blocked signal in exactly while they wait. */
static void masks(void)
{
	struct sigaction sa = { .sa_handler = count };
	sigset_t usr1, none, now;
	struct timespec long_time = { TAP_LIMIT_MS / 1000, 0 };

	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	raise(SIGUSR1);
	CHECK_EQ(poll(NULL, 0, 5), 0);
	CHECK_EQ(hits, 0);
	CHECK_ERRNO(ppoll(NULL, 0, &long_time, &none), EINTR);
	CHECK_EQ(hits, 1);
	raise(SIGUSR1);
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &long_time, &none), EINTR);
	CHECK_EQ(hits, 2);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1));
	raise(SIGUSR1);
	open_pipe();
	CHECK_EQ(write(fds[1], "x", 1), 1);
	/* ready at once: the signal stays pending */
	CHECK_EQ(ppoll(&(struct pollfd){ fds[0], POLLIN, 0 }, 1, &long_time, &usr1), 1);
	CHECK_EQ(hits, 2);
	close_pipe();
}

static void epoll_levels(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0x123456789abcdefULL }, out[4];
	int ep = (int)CHECK_OK(epoll_create1(EPOLL_CLOEXEC));
	char byte;

	CHECK_ERRNO(epoll_create1(1), EINVAL);
	open_pipe();
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &ev));
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &ev), EEXIST);
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
	CHECK_EQ(write(fds[1], "ab", 2), 2);
	CHECK_EQ(epoll_wait(ep, out, 4, -1), 1);
	CHECK_EQ(out[0].events, EPOLLIN);
	CHECK_EQ(out[0].data.u64, 0x123456789abcdefULL);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 1); /* level: still ready */
	ev.events = EPOLLIN | EPOLLET;
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &ev));
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 1);
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 0); /* edge: told once */
	CHECK_EQ(write(fds[1], "c", 1), 1);
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 1);
	ev.events = EPOLLIN | EPOLLONESHOT;
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &ev));
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 1);
	CHECK_EQ(write(fds[1], "d", 1), 1);
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &ev));
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 1);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], NULL));
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
	close_pipe();
	close(ep);
}

static void epoll_errors(void)
{
	struct epoll_event ev = { .events = EPOLLIN }, out[4];
	int ep = (int)CHECK_OK(epoll_create1(0)), file;

	open_pipe();
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], &ev), ENOENT);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &ev), ENOENT);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, 1000, &ev), EBADF);
	CHECK_ERRNO(epoll_ctl(1000, EPOLL_CTL_ADD, fds[0], &ev), EBADF);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[1], &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(ep, 99, fds[0], &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], (void *)8), EFAULT);
	CHECK_ERRNO(epoll_wait(ep, out, 0, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(fds[0], out, 1, 0), EINVAL);
	file = (int)CHECK_OK(open("/proc/self/exe", O_RDONLY));
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, file, &ev), EPERM);
	close(file);
	/* closing the last descriptor takes the file out of the set; hang-up is always told */
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &ev));
	close(fds[1]);
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 1);
	CHECK_EQ(out[0].events, EPOLLHUP);
	close(fds[0]);
	CHECK_EQ(epoll_wait(ep, out, 4, 0), 0);
	close(ep);
}

/* An epoll descriptor can itself be polled, and nested, but not in a circle. */
static void epoll_nested(void)
{
	struct epoll_event ev = { .events = EPOLLIN }, out[4];
	int inner = epoll_create1(0), outer = epoll_create1(0);
	struct pollfd p = { .fd = outer, .events = POLLIN };

	open_pipe();
	CHECK_OK(epoll_ctl(inner, EPOLL_CTL_ADD, fds[0], &ev));
	CHECK_OK(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &ev));
	CHECK_ERRNO(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &ev), ELOOP);
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(write(fds[1], "n", 1), 1);
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK_EQ(epoll_wait(outer, out, 4, 0), 1);
	CHECK_EQ(epoll_wait(inner, out, 4, 0), 1);
	close(inner);
	close(outer);
	close_pipe();
}

static void event_descriptors(void)
{
	int fd = (int)CHECK_OK(eventfd(3, EFD_NONBLOCK));
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
	uint64_t value = 0;

	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, 3);
	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
	value = UINT64_MAX - 1;
	CHECK_EQ(write(fd, &value, 8), 8);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	value = 1;
	CHECK_ERRNO(write(fd, &value, 8), EAGAIN);
	value = UINT64_MAX;
	CHECK_ERRNO(write(fd, &value, 8), EINVAL);
	CHECK_ERRNO(write(fd, &value, 4), EINVAL);
	CHECK_ERRNO(read(fd, &value, 7), EINVAL);
	close(fd);
	CHECK_ERRNO(eventfd(0, 0x40), EINVAL);
	fd = (int)CHECK_OK(eventfd(2, EFD_SEMAPHORE | EFD_CLOEXEC));
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, 1);
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
	close(fd);
}

static void timer_descriptors(void)
{
	int fd = (int)CHECK_OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
	struct itimerspec it = { { 0, 5000000 }, { 0, 5000000 } }, old;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t ticks = 0;

	CHECK_ERRNO(timerfd_create(99, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 0x1), EINVAL);
	CHECK_ERRNO(read(fd, &ticks, 8), EAGAIN);
	CHECK_OK(timerfd_settime(fd, 0, &it, NULL));
	CHECK_OK(timerfd_gettime(fd, &old));
	CHECK_EQ(old.it_interval.tv_nsec, 5000000);
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	tap_sleep_ms(12);
	CHECK_EQ(read(fd, &ticks, 8), 8);
	CHECK(ticks >= 2);
	it = (struct itimerspec){ { 0, 0 }, { 0, 0 } };
	CHECK_OK(timerfd_settime(fd, 0, &it, &old));
	CHECK_EQ(old.it_interval.tv_nsec, 5000000);
	CHECK_EQ(poll(&p, 1, 20), 0);
	it.it_value.tv_nsec = 1; /* absolute and long past: at once */
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL));
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK_EQ(read(fd, &ticks, 8), 8);
	CHECK_EQ(ticks, 1);
	it.it_value.tv_nsec = 1000000000;
	CHECK_ERRNO(timerfd_settime(fd, 0, &it, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(0, 0, &old, NULL), EINVAL);
	CHECK_ERRNO(read(fd, &ticks, 4), EINVAL);
	close(fd);
}

static void signal_descriptors(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = (int)CHECK_OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	CHECK_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
	CHECK_ERRNO(read(fd, &info, 5), EINVAL);
	CHECK_OK(sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 77 }));
	CHECK_EQ(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0), 1);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_signo, SIGUSR2);
	CHECK_EQ(info.ssi_int, 77);
	CHECK_EQ(info.ssi_pid, getpid());
	CHECK_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
	close(fd);
}

int main(void)
{
	TAP_RUN(poll_states);
	TAP_FORK(poll_limits);
	TAP_RUN(timeouts);
	TAP_RUN(woken);
	TAP_FORK(select_sets);
	TAP_FORK(masks);
	TAP_RUN(epoll_levels);
	TAP_RUN(epoll_errors);
	TAP_RUN(epoll_nested);
	TAP_RUN(event_descriptors);
	TAP_RUN(timer_descriptors);
	TAP_FORK(signal_descriptors);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Files that are waited for: epoll (level and edge, one shot, nesting), eventfd, timerfd, signalfd, inotify; and data moved
 * between pipes and files inside the kernel: splice, tee, vmsplice. epoll(7), eventfd(2), timerfd_create(2), signalfd(2),
 * inotify(7), splice(2), tee(2).
 */
#include "tap.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static int ep, fds[2];

static void open_pair(void)
{
	ep = (int)CHECK_OK(epoll_create1(EPOLL_CLOEXEC));
	CHECK_OK(pipe2(fds, O_NONBLOCK));
}

static void close_pair(void)
{
	close(ep);
	close(fds[0]);
	close(fds[1]);
}

static int add(int epfd, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };

	return epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
}

static int modify(int epfd, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.u64 = 77 };

	return epoll_ctl(epfd, EPOLL_CTL_MOD, fd, &e);
}

/* The number of events there are now; the first goes to *@e. */
static int ready(int epfd, struct epoll_event *e)
{
	struct epoll_event all[8];
	int n = epoll_wait(epfd, all, 8, 0);

	if (n > 0)
		*e = all[0];
	return n;
}

static void level(void)
{
	struct epoll_event e;
	char c;

	open_pair();
	CHECK_OK(add(ep, fds[0], EPOLLIN, 0x1122334455667788));
	CHECK_EQ(ready(ep, &e), 0);
	CHECK_EQ(write(fds[1], "ab", 2), 2);
	CHECK_EQ(ready(ep, &e), 1);
	CHECK_EQ(e.events, EPOLLIN);
	CHECK_EQ(e.data.u64, 0x1122334455667788);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(ready(ep, &e), 1); /* as long as there is something */
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(ready(ep, &e), 0);
	CHECK_OK(modify(ep, fds[0], 0));
	CHECK_EQ(write(fds[1], "a", 1), 1);
	CHECK_EQ(ready(ep, &e), 0);
	CHECK_OK(modify(ep, fds[0], EPOLLIN)); /* ready already: told at once */
	CHECK_EQ(ready(ep, &e), 1);
	CHECK_EQ(e.data.u64, 77);
	close(fds[1]);
	CHECK_EQ(ready(ep, &e), 1);
	CHECK_EQ(e.events, EPOLLIN | EPOLLHUP);
	close(fds[0]); /* the last descriptor: the item goes */
	CHECK_EQ(ready(ep, &e), 0);
	close(ep);
}

static void edge_and_one_shot(void)
{
	struct epoll_event e;
	char buf[8];

	open_pair();
	CHECK_OK(add(ep, fds[0], EPOLLIN | EPOLLET, 1));
	CHECK_EQ(write(fds[1], "ab", 2), 2);
	CHECK_EQ(ready(ep, &e), 1);
	CHECK_EQ(ready(ep, &e), 0); /* once for each change */
	CHECK_EQ(write(fds[1], "c", 1), 1);
	CHECK_EQ(ready(ep, &e), 1);
	CHECK_EQ(read(fds[0], buf, 8), 3);
	CHECK_OK(modify(ep, fds[0], EPOLLIN | EPOLLONESHOT));
	CHECK_EQ(write(fds[1], "d", 1), 1);
	CHECK_EQ(ready(ep, &e), 1);
	CHECK_EQ(ready(ep, &e), 0); /* disarmed */
	CHECK_EQ(write(fds[1], "e", 1), 1);
	CHECK_EQ(ready(ep, &e), 0);
	CHECK_OK(modify(ep, fds[0], EPOLLIN | EPOLLONESHOT));
	CHECK_EQ(ready(ep, &e), 1);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], NULL));
	CHECK_OK(add(ep, fds[1], EPOLLOUT | EPOLLET, 2));
	CHECK_EQ(ready(ep, &e), 1);
	CHECK_EQ(e.events, EPOLLOUT);
	close_pair();
}

/* More that are ready than are asked for: all get their turn, and those that are not ready any more are left out. */
static void turns(void)
{
	enum { FILES = 20, ROOM = 3 };
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct epoll_event got[FILES], *last_two;
	int file[FILES], seen[FILES] = { 0 };
	uint64_t one = 1;

	ep = (int)CHECK_OK(epoll_create1(0));
	for (int i = 0; i < FILES; i++) {
		file[i] = (int)CHECK_OK(eventfd(1, EFD_NONBLOCK));
		CHECK_OK(add(ep, file[i], EPOLLIN, (uint64_t)i));
	}
	for (int round = 0; round < (FILES + ROOM - 1) / ROOM; round++) {
		int n = epoll_wait(ep, got, ROOM, 0);

		CHECK_EQ(n, ROOM);
		for (int k = 0; k < n; k++)
			seen[got[k].data.u64]++;
	}
	for (int i = 0; i < FILES; i++)
		CHECK(seen[i] == 1 || seen[i] == 2);
	CHECK_EQ(epoll_wait(ep, got, FILES, 0), FILES); /* each once, though there is room */
	for (int i = 0; i < FILES; i += 2)
		CHECK_EQ(read(file[i], &one, 8), 8);
	CHECK_EQ(epoll_wait(ep, got, FILES, 0), FILES / 2);
	for (int k = 0; k < FILES / 2; k++)
		CHECK(got[k].data.u64 % 2 == 1);
	/* No room in memory for the third: the first two are told, none is lost. */
	mprotect(page + 4096, 4096, PROT_NONE);
	last_two = (struct epoll_event *)(page + 4096) - 2;
	CHECK_EQ(epoll_wait(ep, last_two, 5, 0), 2);
	CHECK_ERRNO(epoll_wait(ep, last_two + 2, 5, 0), EFAULT);
	CHECK_EQ(epoll_wait(ep, got, FILES, 0), FILES / 2);
	/* Memory that is not aligned will do. */
	CHECK_EQ(epoll_wait(ep, (struct epoll_event *)(page + 1), 1, 0), 1);
	memcpy(got, page + 1, sizeof(got[0]));
	CHECK_EQ(got[0].events, EPOLLIN);
	CHECK(got[0].data.u64 < FILES);
	for (int i = 0; i < FILES; i++)
		close(file[i]);
	CHECK_EQ(epoll_wait(ep, got, FILES, 0), 0);
	close(ep);
	munmap(page, 8192);
}

static void refused(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int file = (int)CHECK_OK(open(".", O_RDONLY)), other = (int)CHECK_OK(epoll_create1(0));

	open_pair();
	CHECK_ERRNO(epoll_create1(1), EINVAL);
	CHECK_ERRNO(epoll_create(0), EINVAL);
	CHECK_ERRNO(add(ep, file, EPOLLIN, 0), EPERM); /* always ready: cannot be waited for */
	CHECK_ERRNO(add(ep, ep, EPOLLIN, 0), EINVAL);
	CHECK_ERRNO(add(fds[0], fds[1], EPOLLIN, 0), EINVAL);
	CHECK_ERRNO(add(ep, 999, EPOLLIN, 0), EBADF);
	CHECK_ERRNO(modify(ep, fds[0], EPOLLIN), ENOENT);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], &e), ENOENT);
	CHECK_OK(add(ep, fds[0], EPOLLIN, 0));
	CHECK_ERRNO(add(ep, fds[0], EPOLLIN, 0), EEXIST);
	CHECK_ERRNO(epoll_ctl(ep, 9, fds[0], &e), EINVAL);
	CHECK_ERRNO(epoll_wait(ep, &e, 0, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(fds[0], &e, 1, 0), EINVAL);
	CHECK_ERRNO(add(ep, other, EPOLLIN | EPOLLEXCLUSIVE, 0), EINVAL);
	CHECK_OK(add(ep, fds[1], EPOLLOUT | EPOLLEXCLUSIVE, 0));
	CHECK_ERRNO(modify(ep, fds[1], EPOLLOUT), EINVAL);
	CHECK_OK(add(other, ep, EPOLLIN, 0));
	CHECK_ERRNO(add(ep, other, EPOLLIN, 0), ELOOP);
	close(other);
	close(file);
	close_pair();
}

static void nested(void)
{
	struct pollfd p = { .events = POLLIN };
	struct epoll_event e;
	int outer = (int)CHECK_OK(epoll_create1(0));

	open_pair();
	CHECK_OK(add(outer, ep, EPOLLIN, 5));
	CHECK_OK(add(ep, fds[0], EPOLLIN, 6));
	CHECK_EQ(ready(outer, &e), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(ready(outer, &e), 1);
	CHECK_EQ(e.data.u64, 5);
	p.fd = outer;
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	close(outer);
	close_pair();
}

static void *late_writer(void *arg)
{
	tap_sleep_ms(30);
	CHECK_EQ(write(*(int *)arg, "x", 1), 1);
	return NULL;
}

static void waiting(void)
{
	struct timespec ts = { 0, 20000000 };
	struct epoll_event e;
	long long start = tap_clock_ns(CLOCK_MONOTONIC);
	pthread_t thread;

	open_pair();
	CHECK_OK(add(ep, fds[0], EPOLLIN, 1));
	CHECK_EQ(epoll_wait(ep, &e, 1, 20), 0);
	CHECK(tap_clock_ns(CLOCK_MONOTONIC) - start >= 19000000);
	if (syscall(SYS_epoll_pwait2, ep, &e, 1, &ts, NULL, 0) == -1)
		CHECK_EQ(errno, ENOSYS); /* Linux before 5.11 */
	REQUIRE(pthread_create(&thread, NULL, late_writer, &fds[1]) == 0);
	CHECK_EQ(epoll_wait(ep, &e, 1, -1), 1);
	pthread_join(thread, NULL);
	close_pair();
}

static void counters(void)
{
	struct pollfd p = { .events = POLLIN | POLLOUT };
	uint64_t v = 0;
	int fd = (int)CHECK_OK(eventfd(3, EFD_NONBLOCK));

	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 3);
	CHECK_ERRNO(read(fd, &v, 8), EAGAIN);
	CHECK_ERRNO(read(fd, &v, 4), EINVAL);
	v = UINT64_MAX;
	CHECK_ERRNO(write(fd, &v, 8), EINVAL);
	v = UINT64_MAX - 1;
	CHECK_EQ(write(fd, &v, 8), 8);
	p.fd = fd;
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	v = 1;
	CHECK_ERRNO(write(fd, &v, 8), EAGAIN);
	close(fd);
	fd = (int)CHECK_OK(eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE));
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 1);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_ERRNO(read(fd, &v, 8), EAGAIN);
	CHECK_ERRNO(eventfd(0, 0x100), EINVAL);
	close(fd);
}

static void timers(void)
{
	struct itimerspec set = { .it_value.tv_nsec = 10000000, .it_interval.tv_nsec = 5000000 },
			  now;
	struct pollfd p = { .events = POLLIN };
	uint64_t n = 0;
	int fd = (int)CHECK_OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));

	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	CHECK_OK(timerfd_settime(fd, 0, &set, NULL));
	CHECK_OK(timerfd_gettime(fd, &now));
	CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0 &&
	      now.it_value.tv_nsec <= 10000000);
	CHECK_EQ(now.it_interval.tv_nsec, 5000000);
	p.fd = fd;
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	tap_sleep_ms(20);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK(n >= 4);
	memset(&set, 0, sizeof(set));
	CHECK_OK(timerfd_settime(fd, 0, &set, NULL));
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &set.it_value); /* in the past: at once */
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL));
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK_EQ(n, 1);
	memset(&set, 0, sizeof(set));
	set.it_interval.tv_nsec = 5000000; /* a disarmed timer keeps its interval */
	CHECK_OK(timerfd_settime(fd, 0, &set, NULL));
	CHECK_OK(timerfd_gettime(fd, &now));
	CHECK_EQ(now.it_interval.tv_nsec, 5000000);
	CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
	CHECK_OK(timerfd_settime(fd, 0, &set, &now));
	CHECK_EQ(now.it_interval.tv_nsec, 5000000);
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	set.it_value.tv_nsec = 1000000000;
	CHECK_ERRNO(timerfd_settime(fd, 0, &set, NULL), EINVAL);
	CHECK_ERRNO(timerfd_create(999, 0), EINVAL);
	close(fd);
}

static void signals(void)
{
	struct pollfd p = { .events = POLLIN };
	struct signalfd_siginfo info;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p.fd = (int)CHECK_OK(signalfd(-1, &set, SFD_NONBLOCK));
	CHECK_ERRNO(read(p.fd, &info, sizeof(info)), EAGAIN);
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK_EQ(read(p.fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_signo, SIGUSR1);
	CHECK_EQ(info.ssi_pid, getpid());
	pid = fork();
	if (pid == 0)
		_exit(9);
	CHECK_EQ(poll(&p, 1, TAP_LIMIT_MS), 1);
	CHECK_EQ(read(p.fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_signo, SIGCHLD);
	CHECK_EQ(info.ssi_pid, pid);
	CHECK_EQ(info.ssi_status, 9);
	CHECK_EXIT(pid, 9);
	CHECK_ERRNO(signalfd(p.fd, &set, 0x10), EINVAL);
	close(p.fd);
}

/* The next event: its mask; the name goes to @name. */
static uint32_t next_event(int fd, char *name)
{
	static char buf[4096] __attribute__((aligned(8)));
	static ssize_t len, pos;
	struct inotify_event *e;

	if (pos >= len) {
		len = read(fd, buf, sizeof(buf));
		pos = 0;
		if (len <= 0)
			return 0;
	}
	e = (struct inotify_event *)(buf + pos);
	pos += (ssize_t)sizeof(*e) + e->len;
	strcpy(name, e->len ? e->name : "");
	return e->mask;
}

#define EXPECT_EVENT(mask_, name_)                                                                 \
	do {                                                                                       \
		CHECK_EQ(next_event(fd, name), mask_);                                             \
		CHECK_STR(name, name_);                                                            \
	} while (0)

static void watches(void)
{
	int fd = (int)CHECK_OK(inotify_init1(IN_NONBLOCK)), file, wd;
	char name[256] = "";

	CHECK_OK(mkdir("watched", 0755));
	wd = (int)CHECK_OK(inotify_add_watch(fd, "watched", IN_ALL_EVENTS));
	CHECK_EQ(inotify_add_watch(fd, "watched", IN_ALL_EVENTS), wd);
	file = (int)CHECK_OK(open("watched/a", O_CREAT | O_RDWR, 0644));
	EXPECT_EVENT(IN_CREATE, "a");
	EXPECT_EVENT(IN_OPEN, "a");
	CHECK_EQ(write(file, "x", 1), 1);
	close(file);
	EXPECT_EVENT(IN_MODIFY, "a");
	EXPECT_EVENT(IN_CLOSE_WRITE, "a");
	CHECK_OK(rename("watched/a", "watched/b"));
	EXPECT_EVENT(IN_MOVED_FROM, "a");
	EXPECT_EVENT(IN_MOVED_TO, "b");
	CHECK_OK(chmod("watched/b", 0600));
	EXPECT_EVENT(IN_ATTRIB, "b");
	CHECK_OK(mkdir("watched/d", 0700));
	EXPECT_EVENT(IN_CREATE | IN_ISDIR, "d");
	CHECK_OK(rmdir("watched/d"));
	EXPECT_EVENT(IN_DELETE | IN_ISDIR, "d");
	CHECK_OK(unlink("watched/b"));
	EXPECT_EVENT(IN_DELETE, "b");
	CHECK_OK(inotify_rm_watch(fd, wd));
	EXPECT_EVENT(IN_IGNORED, "");
	CHECK_ERRNO(inotify_rm_watch(fd, wd), EINVAL);
	CHECK_EQ(next_event(fd, name), 0);
	CHECK_ERRNO(inotify_add_watch(fd, "missing", IN_OPEN), ENOENT);
	CHECK_ERRNO(inotify_add_watch(fd, "watched", 0), EINVAL);
	CHECK_ERRNO(inotify_add_watch(0x7ffffff, "watched", IN_OPEN), EBADF);
	close(fd);
}

static void splicing(void)
{
	int a[2], b[2], file = (int)CHECK_OK(open("data", O_CREAT | O_TRUNC | O_RDWR, 0600));
	struct iovec iov = { "vector", 6 };
	loff_t off = 2;
	char buf[32] = "";

	CHECK_OK(pipe2(a, O_NONBLOCK));
	CHECK_OK(pipe2(b, O_NONBLOCK));
	CHECK_EQ(write(file, "0123456789", 10), 10);
	CHECK_EQ(splice(file, &off, a[1], NULL, 5, 0), 5);
	CHECK_EQ(off, 7);
	CHECK_EQ(tee(a[0], b[1], 3, 0), 3); /* a copy stays */
	CHECK_EQ(read(b[0], buf, 32), 3);
	CHECK(memcmp(buf, "234", 3) == 0);
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 2, 0), 2);
	CHECK_EQ(read(b[0], buf, 32), 2);
	CHECK(memcmp(buf, "23", 2) == 0);
	off = 0;
	CHECK_EQ(splice(a[0], NULL, file, &off, 100, 0), 3);
	CHECK_EQ(pread(file, buf, 10, 0), 10);
	CHECK(memcmp(buf, "4563456789", 10) == 0);
	CHECK_EQ(vmsplice(a[1], &iov, 1, 0), 6);
	CHECK_EQ(read(a[0], buf, 32), 6);
	CHECK(memcmp(buf, "vector", 6) == 0);
	CHECK_ERRNO(splice(a[0], NULL, b[1], NULL, 1, 0), EAGAIN);
	CHECK_ERRNO(splice(file, NULL, file, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(a[0], &off, b[1], NULL, 1, 0), ESPIPE);
	CHECK_ERRNO(splice(a[0], NULL, b[1], NULL, 1, 0x100), EINVAL);
	CHECK_ERRNO(tee(a[0], file, 1, 0), EINVAL);
	close(a[1]);
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 1, 0), 0);
	close(a[0]);
	close(b[0]);
	close(b[1]);
	close(file);
}

int main(void)
{
	tap_tmpdir();
	TAP_RUN(level);
	TAP_RUN(edge_and_one_shot);
	TAP_RUN(turns);
	TAP_RUN(refused);
	TAP_RUN(nested);
	TAP_RUN(waiting);
	TAP_RUN(counters);
	TAP_RUN(timers);
	TAP_FORK(signals);
	TAP_RUN(watches);
	TAP_RUN(splicing);
	return tap_done();
}

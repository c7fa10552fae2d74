/* SPDX-License-Identifier: MIT */
/*
 * What calls answer to odd requests: which of several errors is told, flags that are let pass, what a failed call leaves behind.
 */
#include "tap.h"
#include "mounts.h"
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/random.h>

#define PAGE 4096
#define NOBODY 65534
#define ST_SYNC 0x10
#define ST_NOSYMFOLLOW 0x2000

/* A number in /proc/sys/fs/inotify. */
static long proc_number(const char *name)
{
	char path[80], text[32];

	snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
	return tap_read_file(path, text, sizeof(text)) > 0 ? atol(text) : -1;
}

static int proc_set(const char *name, long value)
{
	char path[80], text[32];

	snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
	return tap_write_file(path, text, (size_t)snprintf(text, sizeof(text), "%ld\n", value), 0);
}

static void clocks(void)
{
	struct timespec ts = { 1, 0 };

	/* Nobody can set them; a CPU clock of a task might be, by someone with the right. */
	CHECK_ERRNO(clock_settime(CLOCK_PROCESS_CPUTIME_ID, &ts), EINVAL);
	CHECK_ERRNO(clock_settime(CLOCK_THREAD_CPUTIME_ID, &ts), EINVAL);
	CHECK_ERRNO(clock_settime((clockid_t)(~(unsigned)getpid() << 3 | 2), &ts), EPERM);
}

static void share_modes(void)
{
	CHECK_OK(flock(-1, 32)); /* LOCK_MAND */
	CHECK_OK(flock(-1, 32 | LOCK_SH | 64));
	CHECK_ERRNO(flock(-1, LOCK_SH), EBADF);
}

static void event_counts(void)
{
	uint64_t v[2] = { 1, 1 };
	int fd = eventfd(0, EFD_NONBLOCK);

	CHECK_ERRNO(write(fd, v, 4), EINVAL);
	if (tap_on_caelum()) /* Linux from 6.9 */
		CHECK_ERRNO(write(fd, v, 16), EINVAL);
	CHECK_EQ(write(fd, v, 8), 8);
	CHECK_EQ(read(fd, v, 16), 8);
	close(fd);
}

static void seeks(void)
{
	int fd = open("seeks", O_RDWR | O_CREAT, 0600);

	CHECK_EQ(lseek(fd, LLONG_MAX - 1, SEEK_SET), LLONG_MAX - 1);
	CHECK_ERRNO(lseek(fd, 2, SEEK_CUR), EINVAL);
	CHECK_OK(ftruncate(fd, 1 << 20));
	CHECK_ERRNO(lseek(fd, LLONG_MAX, SEEK_END), EINVAL);
	close(fd);
}

static void signal_flag(void)
{
	int fd = open("signal_flag", O_RDWR | O_CREAT, 0600), pipes[2];

	REQUIRE(pipe(pipes) == 0);
	CHECK_OK(fcntl(fd, F_SETFL, O_ASYNC | O_APPEND));
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ASYNC | O_APPEND), O_APPEND);
	CHECK_OK(fcntl(pipes[0], F_SETFL, O_ASYNC));
	CHECK_EQ(fcntl(pipes[0], F_GETFL) & O_ASYNC, O_ASYNC);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

/* chown takes set-user-id away, even when it gives nothing; and nobody takes it from another's file like this. */
static void chown_nothing(void)
{
	struct stat st;

	CHECK_OK(close(open("program", O_CREAT | O_RDWR, 0600)));
	CHECK_OK(chmod("program", 06755));
	CHECK_OK(chown("program", -1, -1));
	CHECK_OK(stat("program", &st));
	CHECK_EQ(st.st_mode & 07777, 0755);
	CHECK_OK(chmod("program", 06755));
	CHECK_OK(setuid(NOBODY));
	CHECK_ERRNO(chown("program", -1, -1), EPERM);
	CHECK_OK(stat("program", &st));
	CHECK_EQ(st.st_mode & 07777, 06755);
}

static void attributes(void)
{
	static char value[65536], big[65536];
	int pipes[2], fd = open("attributes", O_RDWR | O_CREAT, 0600);

	REQUIRE(pipe(pipes) == 0);
	CHECK_ERRNO(fsetxattr(pipes[0], "user.a", "v", 1, 0), EPERM);
	CHECK_ERRNO(fgetxattr(pipes[0], "user.a", value, 1), ENODATA);
	CHECK_EQ(listxattr("/proc/version", value, 10), 0);
	if (fsetxattr(fd, "user.a", "v", 1, 0) == 0) {
		memset(value, 'x', sizeof(value));
		CHECK_OK(fsetxattr(fd, "user.a", value, sizeof(value), 0));
		CHECK_EQ(fgetxattr(fd, "user.a", big, sizeof(big)), sizeof(big));
		CHECK(memcmp(value, big, sizeof(big)) == 0);
		CHECK_OK(fsetxattr(fd, "user.a", "w", 1, 0));
	}
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

static void mappings(void)
{
	int fd = open("mappings", O_RDWR | O_CREAT, 0600);

	CHECK_OK(ftruncate(fd, PAGE));
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) ==
		      MAP_FAILED &&
	      errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0) == MAP_FAILED &&
	      errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_HUGETLB, fd, 0) == MAP_FAILED &&
	      errno == EINVAL);
	close(fd);
}

static void event_buffers(void)
{
	int ep = epoll_create1(0), notify = inotify_init1(0);
	struct epoll_event ev = { EPOLLIN, { 0 } };

	CHECK_ERRNO(epoll_wait(ep, (void *)-4096L, 1, 0), EFAULT);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, open("/proc/self/mounts", O_RDONLY), &ev));
	CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 1);
	CHECK(inotify_add_watch(notify, ".", IN_ONESHOT) > 0); /* never fires */
	CHECK_ERRNO(inotify_add_watch(notify, ".", 1 << 20), EINVAL);
}

/* The owner that the word names does not exist: told also to who will not wait. */
static void no_owner(void)
{
	int word = 0x3ffffff0;

	CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_TRYLOCK_PI, 0, NULL), ESRCH);
	CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL), ESRCH);
	word = getpid();
	CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_TRYLOCK_PI, 0, NULL), EDEADLK);
	word = 1;
	if (getpid() != 1)
		CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_TRYLOCK_PI, 0, NULL), EAGAIN);
}

static void read_only_mount(void)
{
	struct statfs st;

	CHECK_OK(mkdir("ro", 0755));
	CHECK_OK(mount("x", "ro", "tmpfs", MS_RDONLY | MS_NOSYMFOLLOW, NULL));
	CHECK_ERRNO(unlink("ro/nothing"), EROFS);
	CHECK_ERRNO(rmdir("ro/nothing"), EROFS);
	CHECK_ERRNO(truncate("ro", 0), EISDIR);
	CHECK_OK(statfs("ro", &st));
	CHECK_EQ(st.f_flags & (ST_SYNC | ST_NOSYMFOLLOW), ST_NOSYMFOLLOW);
	CHECK_OK(umount("ro"));
	CHECK_OK(mount("x", "ro", "tmpfs", MS_SYNCHRONOUS, NULL));
	CHECK_OK(statfs("ro", &st));
	CHECK_EQ(st.f_flags & (ST_SYNC | ST_NOSYMFOLLOW), ST_SYNC);
	CHECK_OK(umount("ro"));
	CHECK_OK(rmdir("ro"));
}

/* What could not be had whole is given back: the file system is as empty as before. */
static void failed_allocation(void)
{
	struct statfs before, after;
	int fd;

	mounts_enter_tmpfs("size=4m");
	fd = open("a", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_OK(statfs(".", &before));
	CHECK_ERRNO(fallocate(fd, 0, 0, (4 << 20) + PAGE), ENOSPC);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, PAGE, 4 << 20), ENOSPC);
	CHECK_OK(statfs(".", &after));
	CHECK_EQ(after.f_bfree, before.f_bfree);
	close(fd);
	CHECK_OK(unlink("a"));
	mounts_leave_tmpfs();
}

/* Limits of inotify: what a user may have, and how long a queue gets. */
static void watch_limits(void)
{
	char events[4096];
	long old;
	int a, b;

	if (geteuid() != 0 || !tap_on_caelum()) /* not on a machine that others use */
		return;
	old = proc_number("max_queued_events");
	CHECK_EQ(old, 16384);
	CHECK_OK(proc_set("max_queued_events", 2));
	a = inotify_init1(IN_NONBLOCK);
	CHECK_OK(proc_set("max_queued_events", old));
	CHECK_OK(inotify_add_watch(a, ".", IN_CREATE));
	for (char name[] = "w0"; name[1] < '5'; name[1]++)
		CHECK_OK(mkdir(name, 0700));
	/* Two events with a name of up to 16 bytes, and one that says that others are lost. */
	CHECK_EQ(read(a, events, sizeof(events)),
		 2 * (sizeof(struct inotify_event) + 16) + sizeof(struct inotify_event));
	CHECK_OK(setuid(NOBODY));
	close(a);
	old = proc_number("max_user_instances");
	for (long i = 0; i < old; i++)
		REQUIRE(inotify_init1(0) >= 0);
	CHECK_ERRNO(inotify_init1(0), EMFILE);
	b = dup(0);
	CHECK(b >= 0); /* it was not descriptors that were missing */
	CHECK_OK(close(b - 1));
	CHECK_OK(a = inotify_init1(0));
	CHECK_ERRNO(proc_set("max_user_instances", 5), EACCES);
}

/* The kernel's configuration, by the names that Linux has for its parts: a gzip file. */
static void configuration(void)
{
	unsigned char head[4096];
	int fd = open("/proc/config.gz", O_RDONLY);

	if (fd < 0 && !tap_on_caelum())
		return;
	CHECK(read(fd, head, sizeof(head)) > 100);
	CHECK_EQ(head[0] << 16 | head[1] << 8 | head[2], 0x1f8b08);
	close(fd);
}

/* Bytes for the random generator, as boot scripts give them. */
static void entropy(void)
{
	struct {
		int bits, size;
		char bytes[300];
	} seed = { 8, sizeof(seed.bytes), "seed" };
	int fd = open("/dev/urandom", O_RDWR), n = -1;

	if (geteuid() == 0) {
		CHECK_OK(ioctl(fd, RNDADDENTROPY, &seed));
		CHECK_OK(ioctl(fd, RNDZAPENTCNT));
		CHECK_OK(ioctl(fd, RNDRESEEDCRNG));
		CHECK_ERRNO(ioctl(fd, RNDADDTOENTCNT, &n), EINVAL);
		seed.bits = -1;
		CHECK_ERRNO(ioctl(fd, RNDADDENTROPY, &seed), EINVAL);
		CHECK_ERRNO(ioctl(fd, RNDADDENTROPY, (void *)8), EFAULT);
		CHECK_OK(setuid(NOBODY));
	}
	seed.bits = 8;
	CHECK_ERRNO(ioctl(fd, RNDADDENTROPY, &seed), EPERM);
	CHECK_ERRNO(ioctl(fd, RNDZAPENTCNT), EPERM);
	CHECK_ERRNO(ioctl(fd, 0x5299), EINVAL);
	CHECK_OK(ioctl(fd, RNDGETENTCNT, &n));
}

static void extents(void)
{
	char map[64] = { 0 };
	int fd = open("extents", O_RDWR | O_CREAT, 0600);

	CHECK_ERRNO(ioctl(fd, FS_IOC_FIEMAP, map), EOPNOTSUPP); /* tmpfs has none */
	close(fd);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	mounts_unshare();
	mounts_enter_tmpfs("size=64m");
	CHECK_OK(chmod(".", 0777));

	TAP_RUN(clocks);
	TAP_RUN(share_modes);
	TAP_RUN(event_counts);
	TAP_RUN(seeks);
	TAP_RUN(signal_flag);
	TAP_FORK(chown_nothing);
	TAP_RUN(attributes);
	TAP_RUN(mappings);
	TAP_FORK(event_buffers);
	TAP_RUN(no_owner);
	TAP_FORK(read_only_mount);
	TAP_FORK(failed_allocation);
	TAP_FORK(watch_limits);
	TAP_RUN(configuration);
	TAP_FORK(entropy);
	TAP_RUN(extents);
	mounts_leave_tmpfs();
	tap_rmdir(dir);
	return tap_done();
}

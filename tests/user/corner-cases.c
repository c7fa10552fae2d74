/* SPDX-License-Identifier: MIT */
/* What Linux answers at the edges of calls that have other tests of their own: which of two errors, and things that are allowed although they seem not to be. */
#include "tap.h"
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>

#define PAGE (sysconf(_SC_PAGESIZE))
#define SCHED_EXT_POLICY 7
#define GET_RW_HINT 1035
#define SET_RW_HINT 1036
#define DROPPABLE 0x08
#define SPECULATION_GET 52
#define SPECULATION_SET 53
#define MCE_KILL 33
#define MCE_KILL_GET 34

/* Nothing is to be changed: not even the name is looked at. */
static void times_omitted(void)
{
	struct timespec omit[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };

	CHECK_OK(syscall(SYS_utimensat, AT_FDCWD, "/no/such/file", omit, 0));
	CHECK_OK(syscall(SYS_utimensat, -1, "no-such-file", omit, 0));
	omit[1].tv_nsec = UTIME_NOW;
	CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "/no/such/file", omit, 0x10000), EINVAL);
	CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "/no/such/file", omit, 0), ENOENT);
}

static void errors_in_order(void)
{
	struct itimerspec it = { .it_value.tv_nsec = NSEC_PER_SEC };
	struct timespec bad = { -1, 0 };

	CHECK_ERRNO(setpgid(-1, 0), EINVAL);
	CHECK_ERRNO(setpgid(0, -1), EINVAL);
	CHECK_ERRNO(syscall(SYS_timerfd_settime, -1, 0, &it, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_timerfd_settime, -1, 0, (void *)8, NULL), EFAULT);
	it.it_value.tv_nsec = 0;
	CHECK_ERRNO(syscall(SYS_timerfd_settime, -1, 0x100, &it, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_timerfd_settime, -1, 0, &it, NULL), EBADF);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &bad, NULL),
		    EOPNOTSUPP);
	CHECK_EQ(sched_get_priority_max(SCHED_EXT_POLICY), 0);
	CHECK_EQ(sched_get_priority_min(SCHED_EXT_POLICY), 0);
	CHECK_ERRNO(sched_get_priority_max(SCHED_EXT_POLICY + 1), EINVAL);
}

/* Files without a position that can be asked for it, and the order of lseek's errors. */
static void positions(void)
{
	int fds[] = { eventfd(1, EFD_NONBLOCK), epoll_create1(0), signalfd(-1, &(sigset_t){ 0 }, 0),
		      timerfd_create(CLOCK_MONOTONIC, 0), inotify_init1(0) };
	int p[2];
	char b[8];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		CHECK(fds[i] >= 0);
		CHECK_EQ(lseek(fds[i], 0, SEEK_SET), 0);
		CHECK_EQ(lseek(fds[i], 77, SEEK_CUR), 0);
		CHECK_ERRNO(lseek(fds[i], 0, 99), EINVAL);
		CHECK_ERRNO(pread(fds[i], b, 8, 0), ESPIPE);
		close(fds[i]);
	}
	REQUIRE(pipe(p) == 0);
	CHECK_ERRNO(lseek(p[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERRNO(lseek(p[0], 0, 99), EINVAL);
}

static void *map(int prot, int flags, int fd, off_t off)
{
	return mmap(NULL, PAGE, prot, flags, fd, off);
}

static void mapping_offsets_and_flags(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	off_t last = (off_t)(((uint64_t)INT64_MAX & ~(uint64_t)(PAGE - 1)) - PAGE);

	REQUIRE(ftruncate(fd, 3 * PAGE) == 0);
	CHECK(map(PROT_READ, MAP_PRIVATE, fd, (off_t)-PAGE) == MAP_FAILED && errno == EOVERFLOW);
	CHECK((void *)syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, last + 2 * PAGE) ==
		      MAP_FAILED &&
	      errno == EOVERFLOW);
	CHECK(map(PROT_READ, MAP_PRIVATE, fd, last - PAGE) != MAP_FAILED);
	/* The bits of a huge page's size are old enough for MAP_SHARED_VALIDATE to know them; others are not. */
	CHECK(map(PROT_READ, MAP_SHARED_VALIDATE | 0x40000000, fd, 0) != MAP_FAILED);
	CHECK(map(PROT_READ, MAP_SHARED_VALIDATE | 0x80, fd, 0) != MAP_FAILED);
	CHECK(map(PROT_READ, MAP_SHARED_VALIDATE | 0x200000, fd, 0) == MAP_FAILED &&
	      errno == EOPNOTSUPP);
	CHECK(map(PROT_READ, MAP_SHARED_VALIDATE | 0x100000, fd, 0) == MAP_FAILED &&
	      errno == EOPNOTSUPP);
	close(fd);
}

static void droppable(void)
{
	char *p = map(PROT_READ | PROT_WRITE, DROPPABLE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (p == MAP_FAILED && !tap_on_caelum() && (errno == EINVAL || errno == EOPNOTSUPP)) {
		NOTE("no MAP_DROPPABLE before Linux 6.11");
		return;
	}
	REQUIRE(p != MAP_FAILED);
	*p = 7;
	CHECK_ERRNO(madvise(p, PAGE, MADV_DODUMP), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, MADV_KEEPONFORK), EINVAL);
	CHECK_OK(mlock(p, PAGE));
	CHECK_OK(madvise(p, PAGE, MADV_DONTNEED)); /* which mlock would have forbidden */
	*p = 7;
	pid = fork();
	if (pid == 0)
		_exit(*p);
	CHECK_EXIT(pid, 0);
	/* Reclaimed is dropped; elsewhere a page may leave user space for the moment only. */
	if (tap_on_caelum()) {
		*p = 7;
		CHECK_OK(madvise(p, PAGE, MADV_COLD));
		CHECK_EQ(*p, 7);
		CHECK_OK(madvise(p, PAGE, MADV_PAGEOUT));
		CHECK_EQ(*p, 0);
	}
	CHECK(map(PROT_READ, DROPPABLE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED &&
	      errno == EINVAL);
	CHECK(map(PROT_READ, DROPPABLE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) == MAP_FAILED &&
	      errno == EINVAL);
	CHECK(map(PROT_READ, DROPPABLE, open("f", O_RDONLY), 0) == MAP_FAILED && errno == EINVAL);
}

static void remap_pages(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p;

	for (char c = 'a'; c < 'd'; c++)
		REQUIRE(pwrite(fd, &c, 1, (c - 'a') * PAGE) == 1);
	REQUIRE(ftruncate(fd, 3 * PAGE) == 0);
	p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	CHECK_OK(syscall(SYS_remap_file_pages, p, PAGE, 0, 2, 0));
	CHECK(p[0] == 'c' && p[PAGE] == 'b' && p[2 * PAGE] == 'c');
	p[0] = 'x';
	CHECK_EQ(p[2 * PAGE], 'x');
	CHECK_OK(syscall(SYS_remap_file_pages, p + 2 * PAGE, PAGE, 0, 0, MAP_NONBLOCK));
	CHECK_EQ(p[2 * PAGE], 'a');
	CHECK_OK(syscall(SYS_remap_file_pages, p, 3 * PAGE, 0, 0, 0)); /* over what was cut */
	CHECK(p[0] == 'a' && p[2 * PAGE] == 'x');
	close(fd);
	CHECK_OK(syscall(SYS_remap_file_pages, p, 2 * PAGE, 0, 1, 0));
	CHECK(p[0] == 'b' && p[PAGE] == 'x');
	CHECK_ERRNO(syscall(SYS_remap_file_pages, p, PAGE, PROT_READ, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_remap_file_pages, p, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_remap_file_pages, p, PAGE, 0, -1L, 0), EINVAL);
	CHECK_OK(munmap(p + 2 * PAGE, PAGE));
	CHECK_ERRNO(syscall(SYS_remap_file_pages, p, 3 * PAGE, 0, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_remap_file_pages, p + 2 * PAGE, PAGE, 0, 0, 0), EINVAL);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_ERRNO(syscall(SYS_remap_file_pages, p, PAGE, 0, 0, 0), EINVAL);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	p[PAGE] = 5;
	CHECK_OK(syscall(SYS_remap_file_pages, p, PAGE, 0, 1, 0));
	CHECK_EQ(p[0], 5);
}

static void attribute_names(void)
{
	const char *names[] = { "user.", "trusted.", "security." };
	char b[8];

	REQUIRE(tap_write_file("f", "x", 1, 0600) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CHECK_ERRNO(setxattr("f", names[i], "v", 1, 0), EINVAL);
		CHECK_ERRNO(getxattr("f", names[i], b, sizeof(b)), EINVAL);
		CHECK_ERRNO(removexattr("f", names[i]), EINVAL);
	}
	CHECK_ERRNO(setxattr("f", "none.x", "v", 1, 0), EOPNOTSUPP);
}

static void copied_ranges(void)
{
	int in = memfd_create("in", 0), out = memfd_create("out", 0);
	loff_t at = -1, far = INT64_MAX - 15 - PAGE;

	REQUIRE(write(in, "0123456789", 10) == 10);
	CHECK_ERRNO(syscall(SYS_copy_file_range, in, &at, out, NULL, 5, 0), EOVERFLOW);
	CHECK_ERRNO(syscall(SYS_copy_file_range, in, NULL, out, &at, 5, 0), EOVERFLOW);
	at = INT64_MIN;
	CHECK_EQ(syscall(SYS_copy_file_range, in, &far, out, NULL, 100, 0), 0);
	/* The end of the source shortens it before the end of the destination is looked at. */
	at = 0;
	CHECK_EQ(syscall(SYS_copy_file_range, in, &at, out, &far, 100, 0), 10);
	CHECK_EQ(at, 10);
	at = 0;
	far = 5;
	CHECK_ERRNO(syscall(SYS_copy_file_range, in, &at, in, &far, 100, 0), EINVAL);
	far = 10;
	CHECK_EQ(syscall(SYS_copy_file_range, in, &at, in, &far, 10, 0), 10);
}

static void write_hints(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600), other = open("f", O_RDONLY);
	uint64_t hint = 3;

	CHECK_OK(fcntl(fd, SET_RW_HINT, &hint));
	hint = 9;
	CHECK_OK(fcntl(other, GET_RW_HINT, &hint)); /* it is the inode's */
	CHECK_EQ(hint, 3);
	hint = 6;
	CHECK_ERRNO(fcntl(fd, SET_RW_HINT, &hint), EINVAL);
	CHECK_ERRNO(fcntl(fd, SET_RW_HINT, (void *)8), EFAULT);
	CHECK_ERRNO(fcntl(fd, GET_RW_HINT, (void *)8), EFAULT);
}

static void task_properties(void)
{
	CHECK_EQ(prctl(MCE_KILL_GET, 0, 0, 0, 0), 2);
	CHECK_OK(prctl(MCE_KILL, 1, 0, 0, 0));
	CHECK_EQ(prctl(MCE_KILL_GET, 0, 0, 0, 0), 0);
	CHECK_OK(prctl(MCE_KILL, 1, 1, 0, 0));
	CHECK_EQ(prctl(MCE_KILL_GET, 0, 0, 0, 0), 1);
	CHECK_OK(prctl(MCE_KILL, 0, 0, 0, 0));
	CHECK_EQ(prctl(MCE_KILL_GET, 0, 0, 0, 0), 2);
#if defined(__x86_64__) || defined(__aarch64__)
	CHECK_ERRNO(prctl(SPECULATION_GET, 99, 0, 0, 0), ENODEV);
	CHECK_ERRNO(prctl(SPECULATION_SET, 99, 0, 0, 0), ENODEV);
	CHECK(prctl(SPECULATION_GET, 0, 0, 0, 0) >= 0);
#else
	CHECK_ERRNO(prctl(SPECULATION_GET, 99, 0, 0, 0), EINVAL);
#endif
	CHECK_ERRNO(prctl(SPECULATION_GET, 0, 1, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(SPECULATION_SET, 0, 0, 1, 0), EINVAL);
#ifdef __x86_64__
	int mode = 0;

	CHECK_OK(prctl(PR_GET_TSC, &mode));
	CHECK_EQ(mode, PR_TSC_ENABLE);
	CHECK_OK(prctl(PR_SET_TSC, PR_TSC_ENABLE));
	CHECK_ERRNO(prctl(PR_GET_TSC, 8), EFAULT);
#endif
}

#ifdef __x86_64__
static void read_tsc(void)
{
	unsigned int lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi));
}

/* Children inherit that they may not read it, others go on as they did. */
static void time_stamps(void)
{
	int mode = 0;

	CHECK_OK(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
	CHECK_OK(prctl(PR_GET_TSC, &mode));
	CHECK_EQ(mode, PR_TSC_SIGSEGV);
	CHECK_KILLED(tap_spawn(read_tsc), SIGSEGV);
	CHECK_ERRNO(prctl(PR_SET_TSC, 3), EINVAL);
	CHECK_OK(prctl(PR_SET_TSC, PR_TSC_ENABLE));
	read_tsc();
	CHECK_EXIT(tap_spawn(read_tsc), 0);
}
#endif

int main(void)
{
	const char *dir = tap_tmpdir();

	TAP_RUN(times_omitted);
	TAP_RUN(errors_in_order);
	TAP_RUN(positions);
	TAP_RUN(mapping_offsets_and_flags);
	TAP_RUN(droppable);
	TAP_RUN(remap_pages);
	TAP_RUN(attribute_names);
	TAP_RUN(copied_ranges);
	TAP_RUN(write_hints);
	TAP_FORK(task_properties);
#ifdef __x86_64__
	TAP_FORK(time_stamps);
#endif
	tap_rmdir(dir);
	return tap_done();
}

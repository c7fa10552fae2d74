/* SPDX-License-Identifier: MIT */
/* What Linux answers at the edges of calls that have other tests of their own: which of two errors, and things that are allowed although they seem not to be. */
#include "tap.h"
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <linux/fs.h>

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

/* Ranges that share blocks: which of the errors is told, where the file system has none. */
static void shared_blocks(void)
{
	int in = open("in", O_RDWR | O_CREAT, 0600), out = open("out", O_RDWR | O_CREAT, 0600);
	int write_only = open("in", O_WRONLY), read_only = open("out", O_RDONLY);
	int append = open("out", O_WRONLY | O_APPEND), dir = open(".", O_RDONLY);
	int elsewhere = memfd_create("elsewhere", 0), p[2];
	struct file_clone_range range = { .src_fd = in };
	struct {
		struct file_dedupe_range head;
		struct file_dedupe_range_info info[2];
	} dedupe = { .head.dest_count = 1 };

	REQUIRE(pipe(p) == 0 && dir >= 0 && elsewhere >= 0 && append >= 0);
	CHECK_ERRNO(ioctl(out, FICLONE, in), EOPNOTSUPP);
	CHECK_ERRNO(ioctl(out, FICLONE, -1), EBADF);
	CHECK_ERRNO(ioctl(out, FICLONE, elsewhere), EXDEV);
	CHECK_ERRNO(ioctl(out, FICLONE, dir), EISDIR);
	CHECK_ERRNO(ioctl(dir, FICLONE, in), EISDIR);
	CHECK_ERRNO(ioctl(out, FICLONE, p[0]), EXDEV);
	CHECK_ERRNO(ioctl(p[1], FICLONE, p[0]), EINVAL);
	CHECK_ERRNO(ioctl(out, FICLONE, write_only), EBADF);
	CHECK_ERRNO(ioctl(read_only, FICLONE, in), EBADF);
	CHECK_ERRNO(ioctl(append, FICLONE, in), EBADF);
	CHECK_ERRNO(ioctl(out, FICLONERANGE, &range), EOPNOTSUPP);
	CHECK_ERRNO(ioctl(out, FICLONERANGE, (void *)8), EFAULT);
	CHECK_ERRNO(ioctl(in, FIDEDUPERANGE, &dedupe), EOPNOTSUPP);
	CHECK_ERRNO(ioctl(in, FIDEDUPERANGE, (void *)8), EFAULT);
	CHECK_ERRNO(ioctl(write_only, FIDEDUPERANGE, &dedupe), EINVAL);
	CHECK_ERRNO(ioctl(dir, FIDEDUPERANGE, &dedupe), EISDIR);
	CHECK_ERRNO(ioctl(p[0], FIDEDUPERANGE, &dedupe), EINVAL);
	dedupe.head.reserved1 = 1;
	CHECK_ERRNO(ioctl(dir, FIDEDUPERANGE, &dedupe), EINVAL);
	dedupe.head.dest_count = 65535;
	CHECK_ERRNO(ioctl(dir, FIDEDUPERANGE, &dedupe), ENOMEM);
	for (int fd = in; fd <= p[1]; fd++)
		close(fd);
}

/* Writing nothing to /dev/full fails; a vector of nothing is written by whoever may write. */
static void nothing_written(void)
{
	struct iovec none = { NULL, 0 };
	int full = open("/dev/full", O_RDWR), event = eventfd(0, 0), dir = open(".", O_RDONLY);
	int write_only = open("/dev/null", O_WRONLY);

	CHECK_ERRNO(write(full, "", 0), ENOSPC);
	CHECK_ERRNO(syscall(SYS_pwrite64, full, "", 0, 5L),
		    ENOSPC); /* not the library, which may write a vector */
	CHECK_EQ(writev(full, &none, 1), 0);
	CHECK_EQ(writev(full, NULL, 0), 0);
	CHECK_ERRNO(write(event, "", 0), EINVAL);
	CHECK_EQ(writev(event, &none, 1), 0);
	CHECK_EQ(readv(event, &none, 1), 0);
	CHECK_ERRNO(readv(write_only, (void *)8, 1), EBADF);
	CHECK_ERRNO(writev(dir, &none, 1), EBADF);
	CHECK_ERRNO(preadv(event, (void *)8, 1, 0), ESPIPE);
	CHECK_ERRNO(syscall(SYS_splice, full, NULL, write_only, NULL, 1, 0), EINVAL);
	CHECK_EQ(syscall(SYS_splice, -1, NULL, -1, NULL, 0, 0), 0);
	close(full);
	close(event);
	close(dir);
	close(write_only);
}

/* A program that is none, with arguments that are none: the name first, then the file, then the arguments, then what is in the file. */
static void exec_errors(void)
{
	char *none[] = { NULL };
	int fd = open("text", O_WRONLY | O_CREAT | O_TRUNC, 0700);

	REQUIRE(write(fd, "no program\n", 11) == 11);
	CHECK_ERRNO(execve("text", none, none), ETXTBSY);
	CHECK_ERRNO(execve("text", (char **)8, none), ETXTBSY);
	close(fd);
	CHECK_ERRNO(execve("text", none, none), ENOEXEC);
	CHECK_ERRNO(execve("text", (char **)8, none), EFAULT);
	CHECK_ERRNO(execve("text", none, (char **)8), EFAULT);
	CHECK_ERRNO(execve("text", (char *[]){ (char *)8, NULL }, none), EFAULT);
	CHECK_ERRNO(execve("no-such-file", (char **)8, none), ENOENT);
	CHECK_ERRNO(execve((char *)8, (char **)8, none), EFAULT);
	CHECK_ERRNO(syscall(SYS_execveat, -1, (char *)8, NULL, NULL, 0x10), EFAULT);
	CHECK_ERRNO(syscall(SYS_execveat, -1, "text", NULL, NULL, 0x10), EINVAL);
	CHECK_ERRNO(syscall(SYS_execveat, -1, "text", NULL, NULL, 0), EBADF);
	CHECK_OK(unlink("text"));
}

static void sync_lengths(void)
{
	char *p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_OK(msync(p, -1, MS_SYNC)); /* rounded up to nothing */
	CHECK_OK(msync(p + PAGE, 0, MS_SYNC));
	CHECK_ERRNO(msync(p, -PAGE, MS_SYNC), ENOMEM);
	CHECK_ERRNO(msync(p, 3 * PAGE, MS_SYNC), ENOMEM);
	CHECK_OK(mlock(p + 2 * PAGE, PAGE));
	CHECK_ERRNO(msync(p, 3 * PAGE, MS_INVALIDATE), EBUSY);
	CHECK_OK(munmap(p, 3 * PAGE));
}

/* What cannot be brought in is locked all the same, and told. */
static void locked_without_pages(void)
{
	int fd = open("short", O_RDWR | O_CREAT, 0600);
	char *p = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	unsigned char vec[2];

	CHECK_ERRNO(mlock(p, PAGE), ENOMEM);
	CHECK_ERRNO(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_OK(munlock(p, PAGE));
	CHECK_OK(syscall(SYS_mlock2, p, PAGE, 1)); /* MLOCK_ONFAULT */
	CHECK_OK(munlock(p, PAGE));
	CHECK_OK(mprotect(p, PAGE, PROT_WRITE));
	CHECK_ERRNO(mlock(p, 2 * PAGE), ENOMEM);
	CHECK_OK(mincore(p, 2 * PAGE, vec));
	CHECK_EQ(vec[0] & 1, 1);
	CHECK_OK(munmap(p, 2 * PAGE));
	q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK_ERRNO(mlock(q, PAGE), ENOMEM); /* behind the end of the file */
	CHECK_OK(munmap(q, PAGE));
	close(fd);
	CHECK_OK(unlink("short"));
}

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
	TAP_RUN(shared_blocks);
	TAP_RUN(nothing_written);
	TAP_RUN(exec_errors);
	TAP_RUN(sync_lengths);
	TAP_RUN(locked_without_pages);
	TAP_FORK(task_properties);
#ifdef __x86_64__
	TAP_FORK(time_stamps);
#endif
	tap_rmdir(dir);
	return tap_done();
}

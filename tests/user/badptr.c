/* SPDX-License-Identifier: MIT */
/*
 * Bad pointers: every system call that takes one is given NULL, an odd small number, unmapped,
 * inaccessible, read-only (where it writes) and kernel addresses, and says EFAULT and nothing else.
 * Each row is a call in which everything but one argument is valid.
 */
#include "tap.h"
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/uio.h>

#define BAD -7777L	 /* stands for the bad pointer */
#define RD 1		 /* the kernel reads through it */
#define WR 2		 /* the kernel writes through it */
#define NULLOK 4	 /* NULL means something else there */
#define BUF ((long)good) /* some valid memory */

static char good[8192] __attribute__((aligned(4096)));
static char path[64];
static int file_fd, pipe_rd, pipe_wr, dir_fd, epoll_fd;
static sigset_t usr1_set;
static struct timespec zero_time;

struct row {
	const char *name;
	long number;
	int how;
	long args[6];
};

static struct row rows[128];
static size_t nrows;

static void add(struct row row)
{
	REQUIRE(nrows < ARRAY_SIZE(rows));
	rows[nrows++] = row;
}

#define ADD(call, how, ...) add((struct row){ #call, SYS_##call, how, { __VA_ARGS__ } })

static void add_file_calls(void)
{
	ADD(openat, RD, AT_FDCWD, BAD, O_RDONLY, 0);
	ADD(read, WR, file_fd, BAD, 16);
	ADD(write, RD, pipe_wr, BAD, 16);
	ADD(pread64, WR, file_fd, BAD, 16, 0);
	ADD(pwrite64, RD, file_fd, BAD, 16, 0);
	ADD(readv, WR | RD, file_fd, BAD, 1);
	ADD(writev, RD, file_fd, BAD, 1);
	ADD(preadv, RD, file_fd, BAD, 1, 0, 0);
	ADD(pwritev, RD, file_fd, BAD, 1, 0, 0);
#ifdef SYS_fstat /* the newest architectures have statx alone */
	ADD(fstat, WR, file_fd, BAD);
#endif
	ADD(statx, RD, AT_FDCWD, BAD, 0, 0x7ff, BUF);
	ADD(statx, WR, AT_FDCWD, (long)path, 0, 0x7ff, BAD);
	ADD(statfs, WR, (long)"/", BAD);
	ADD(statfs, RD, BAD, BUF);
	ADD(fstatfs, WR, file_fd, BAD);
	ADD(faccessat, RD, AT_FDCWD, BAD, 0);
	ADD(readlinkat, RD, AT_FDCWD, BAD, BUF, 100);
	ADD(readlinkat, WR, AT_FDCWD, (long)"/proc/self/exe", BAD, 100);
	ADD(unlinkat, RD, AT_FDCWD, BAD, 0);
	ADD(mkdirat, RD, AT_FDCWD, BAD, 0700);
	ADD(mknodat, RD, AT_FDCWD, BAD, S_IFREG | 0600, 0);
	ADD(linkat, RD, AT_FDCWD, BAD, AT_FDCWD, (long)"l", 0);
	ADD(linkat, RD, AT_FDCWD, (long)path, AT_FDCWD, BAD, 0);
	ADD(symlinkat, RD, BAD, AT_FDCWD, (long)"l");
	ADD(symlinkat, RD, (long)"t", AT_FDCWD, BAD);
	ADD(renameat2, RD, AT_FDCWD, BAD, AT_FDCWD, (long)"x", 0);
	ADD(renameat2, RD, AT_FDCWD, (long)path, AT_FDCWD, BAD, 0);
	ADD(fchmodat, RD, AT_FDCWD, BAD, 0600);
	ADD(fchownat, RD, AT_FDCWD, BAD, -1, -1, 0);
	ADD(utimensat, RD | NULLOK, AT_FDCWD, (long)path, BAD, 0);
	ADD(truncate, RD, BAD, 0);
	ADD(chdir, RD, BAD);
	ADD(getcwd, WR, BAD, 4096);
	ADD(getdents64, WR, dir_fd, BAD, 4096);
	ADD(pipe2, WR, BAD, 0);
	ADD(sendfile, WR | RD | NULLOK, pipe_wr, file_fd, BAD, 1);
	ADD(copy_file_range, RD | NULLOK, file_fd, BAD, file_fd, 0, 1, 0);
	ADD(fcntl, WR | RD, file_fd, F_GETLK, BAD);
	ADD(execve, RD, BAD, 0, 0);
	ADD(memfd_create, RD, BAD, 0);
}

static void add_waiting_calls(void)
{
	ADD(ppoll, RD, BAD, 1, (long)&zero_time, 0, 8);
	ADD(ppoll, RD | NULLOK, 0, 0, BAD, 0, 8);
	ADD(pselect6, RD | NULLOK, 1, BAD, 0, 0, (long)&zero_time, 0);
	ADD(epoll_ctl, RD, epoll_fd, 1, pipe_rd, BAD);
	ADD(futex, RD | WR, BAD, 0, 0, (long)&zero_time);
	ADD(nanosleep, RD, BAD, 0);
	ADD(clock_nanosleep, RD, CLOCK_MONOTONIC, 0, BAD, 0);
}

static void add_time_calls(void)
{
	ADD(clock_gettime, WR, CLOCK_MONOTONIC, BAD);
	ADD(clock_getres, WR | NULLOK, CLOCK_MONOTONIC, BAD);
	ADD(gettimeofday, WR | NULLOK, BAD, 0);
	ADD(times, WR | NULLOK, BAD);
	ADD(getitimer, WR, ITIMER_REAL, BAD);
	ADD(setitimer, RD | NULLOK, ITIMER_VIRTUAL, BAD, 0);
	ADD(timer_create, WR, CLOCK_MONOTONIC, 0, BAD);
	ADD(timer_create, RD | NULLOK, CLOCK_MONOTONIC, BAD, BUF);
}

static void add_process_calls(void)
{
	ADD(rt_sigaction, RD | NULLOK, SIGUSR2, BAD, 0, 8);
	ADD(rt_sigaction, WR | NULLOK, SIGUSR2, 0, BAD, 8);
	ADD(rt_sigprocmask, RD | NULLOK, SIG_BLOCK, BAD, 0, 8);
	ADD(rt_sigprocmask, WR | NULLOK, SIG_BLOCK, 0, BAD, 8);
	ADD(rt_sigpending, WR, BAD, 8);
	ADD(rt_sigsuspend, RD, BAD, 8);
	ADD(rt_sigtimedwait, RD, BAD, 0, (long)&zero_time, 8);
	ADD(rt_sigtimedwait, RD | NULLOK, (long)&usr1_set, 0, BAD, 8);
	ADD(rt_sigqueueinfo, RD, 0, SIGUSR1, BAD);
	ADD(sigaltstack, RD | NULLOK, BAD, 0);
	ADD(sigaltstack, WR | NULLOK, 0, BAD);
	ADD(uname, WR, BAD);
	ADD(sysinfo, WR, BAD);
	ADD(getrusage, WR, RUSAGE_SELF, BAD);
	ADD(prlimit64, RD | NULLOK, 0, RLIMIT_CORE, BAD, 0);
	ADD(prlimit64, WR | NULLOK, 0, RLIMIT_CORE, 0, BAD);
	ADD(getresuid, WR, BAD, BUF, BUF);
	ADD(getresuid, WR, BUF, BUF, BAD);
	ADD(getresgid, WR, BUF, BAD, BUF);
	ADD(getrandom, WR, BAD, 16, 0);
	ADD(sched_getaffinity, WR, 0, 128, BAD);
	ADD(sched_setaffinity, RD, 0, 128, BAD);
	ADD(sched_setscheduler, RD | NULLOK, 0, SCHED_OTHER, BAD);
	ADD(prctl, WR, 16, BAD); /* PR_GET_NAME */
	ADD(prctl, RD, 15, BAD); /* PR_SET_NAME */
	ADD(getcpu, WR | NULLOK, BAD, 0, 0);
	ADD(get_robust_list, WR, 0, BAD, BUF);
	ADD(mincore, WR, BUF, 4096, BAD);
}

/* Say what went wrong in one row. */
static void try_pointer(const struct row *row, const char *kind, long pointer)
{
	long a[6], result;

	memcpy(a, row->args, sizeof(a));
	for (int i = 0; i < 6; i++)
		if (a[i] == BAD)
			a[i] = pointer;
	if (row->number == SYS_rt_sigqueueinfo)
		a[0] = getpid();
	errno = 0;
	result = syscall(row->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (result == -1 && errno == EFAULT)
		return;
	tap_fail(__FILE__, __LINE__, "%s(%ld, %ld, %ld..) with a %s pointer: %ld %s, wanted EFAULT",
		 row->name, row->args[0], row->args[1], row->args[2], kind, result,
		 tap_errname(result == -1 ? errno : 0));
}

static void every_call(void)
{
	char *none = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *gone = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(none != MAP_FAILED && ro != MAP_FAILED && gone != MAP_FAILED);
	munmap(gone, 4096);
	for (size_t i = 0; i < nrows; i++) {
		const struct row *row = &rows[i];

		if (!(row->how & NULLOK))
			try_pointer(row, "NULL", 0);
		if (row->number != SYS_futex) { /* a futex says EINVAL when misaligned */
			try_pointer(row, "small odd", 0x101);
			try_pointer(row, "highest", -1);
		}
		try_pointer(row, "unmapped", (long)gone);
		try_pointer(row, "PROT_NONE", (long)none + 4096);
		try_pointer(row, "kernel", (long)(1UL << 63));
		try_pointer(row, "kernel", -4096L);
		try_pointer(row, "beyond user", (long)0x00ffffffffff0000);
		if ((row->how & (RD | WR)) == WR)
			try_pointer(row, "read-only", (long)ro);
	}
	munmap(none, 8192);
	munmap(ro, 4096);
}

/* A structure or string that runs into an inaccessible page. */
static void across_the_edge(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[2] = { { p, 10 }, { p + 4096, 10 } };

	REQUIRE(p != MAP_FAILED);
	mprotect(p + 4096, 4096, PROT_NONE);
	memset(p, 'a', 4096);
	CHECK_ERRNO(syscall(SYS_openat, AT_FDCWD, p + 4090, O_RDONLY), EFAULT);
	p[4095] = '\0';
	CHECK_ERRNO(syscall(SYS_openat, AT_FDCWD, p + 4090, O_RDONLY), ENOENT);
	CHECK_ERRNO(syscall(SYS_uname, p + 4096 - 100), EFAULT);
	CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p + 4096 - 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_statfs, "/", p + 4096 - 64), EFAULT);
	CHECK_ERRNO(syscall(SYS_pipe2, p + 4096 - 4, 0), EFAULT);
	CHECK_EQ(writev(file_fd, iov, 2), 10);
	CHECK_EQ(pread(file_fd, p + 4096 - 10, 10, 0), 10);
	munmap(p, 8192);
}

/* Nothing was changed or leaked by the calls that failed. */
static void nothing_leaked(void)
{
	int fd = open(path, O_RDONLY), highest = fd;

	CHECK(fd >= 0 && highest < 20);
	close(fd);
	CHECK_ERRNO(access("l", F_OK), ENOENT);
	CHECK_ERRNO(access("x", F_OK), ENOENT);
}

int main(void)
{
	const char *dir = tap_tmpdir();
	int fds[2];

	snprintf(path, sizeof(path), "file");
	file_fd = open(path, O_RDWR | O_CREAT, 0600);
	REQUIRE(file_fd >= 0 && ftruncate(file_fd, 4096) == 0 && pipe(fds) == 0);
	pipe_rd = fds[0];
	pipe_wr = fds[1];
	dir_fd = open("/", O_RDONLY | O_DIRECTORY);
	epoll_fd = (int)syscall(SYS_epoll_create1, 0);
	sigemptyset(&usr1_set);
	sigaddset(&usr1_set, SIGUSR1);
	add_file_calls();
	add_waiting_calls();
	add_time_calls();
	add_process_calls();
	TAP_RUN(every_call);
	TAP_RUN(across_the_edge);
	TAP_RUN(nothing_leaked);
	tap_rmdir(dir);
	return tap_done();
}

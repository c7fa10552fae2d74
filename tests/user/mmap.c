/* SPDX-License-Identifier: MIT */
/*
 * Memory mappings: placement, file mappings and their coherence with read and write, splits, mremap,
 * brk, the stack, protection, madvise, mincore, mlock, and the table of errors. mmap(2) and friends.
 */
#include "tap.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static size_t page;
static sigjmp_buf jump;

static void escape(int sig)
{
	siglongjmp(jump, sig);
}

/* Touch a byte; return 0, or the signal that it raised. */
static int touch(volatile char *p, int write)
{
	int sig = sigsetjmp(jump, 1);

	if (sig)
		return sig;
	if (write)
		*p = 7;
	else
		(void)*p;
	return 0;
}

static char *map(size_t pages, int prot, int flags, int fd)
{
	char *p = mmap(NULL, pages * page, prot, flags, fd, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

static int temp_file(size_t size)
{
	char name[] = "/tmp/mmap.XXXXXX";
	int fd = mkstemp(name);

	REQUIRE(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	unlink(name);
	return fd;
}

static void anonymous(void)
{
	char *p = map(64, RW, ANON, -1);

	CHECK_EQ((uintptr_t)p % page, 0);
	for (size_t i = 0; i < 64 * page; i += page)
		if (p[i] || p[i + page - 1])
			CHECK(!"new memory is not zero");
	memset(p, 0x5a, 64 * page);
	CHECK_OK(munmap(p, 64 * page));
	CHECK_EQ(touch(p, 0), SIGSEGV);
	p = map(64, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	CHECK_EQ(p[64 * page - 1], 0);
	CHECK_OK(munmap(p, 64 * page));
}

static void placement(void)
{
	char *area = map(8, RW, ANON, -1), *p;

	area[2 * page] = 1;
	p = mmap(area + 2 * page, page, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(p == area + 2 * page);
	CHECK_EQ(*p, 0);
	CHECK_ERRNO(mmap(area + page, page, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK_OK(munmap(area + 4 * page, page));
	p = mmap(area + 4 * page, page, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(p == area + 4 * page);
	CHECK_OK(munmap(area + 4 * page, page));
	p = mmap(area + 4 * page, page, RW, ANON, -1, 0);
	CHECK(p == area + 4 * page); /* a free hint is honoured */
	p = mmap(area + 4 * page, page, RW, ANON, -1, 0);
	CHECK(p != MAP_FAILED && (p < area || p >= area + 8 * page)); /* a taken one is not */
	CHECK_OK(munmap(p, page));
	CHECK_OK(munmap(area, 8 * page));
	CHECK_OK(munmap(area, 8 * page)); /* nothing there: no error */
}

static void mmap_errors(void)
{
	int fd = temp_file(100), rd, wr;
	char path[64];

	CHECK_ERRNO(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, RW, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERRNO(mmap((char *)1, page, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_mmap, NULL, page, RW, MAP_PRIVATE, fd, 1L), EINVAL);
	CHECK_ERRNO(mmap(NULL, (size_t)1 << 62, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERRNO(mmap(NULL, -page, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERRNO(mmap((void *)(-page * 4), page, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rd = open(path, O_RDONLY);
	wr = open(path, O_WRONLY);
	REQUIRE(rd >= 0 && wr >= 0);
	CHECK_ERRNO(mmap(NULL, page, RW, MAP_SHARED, rd, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_PRIVATE, wr, 0), EACCES);
	char *p = mmap(NULL, page, PROT_READ, MAP_SHARED, rd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, page, RW), EACCES);
	CHECK_OK(munmap(p, page));
	CHECK_ERRNO(munmap((char *)1, page), EINVAL);
	CHECK_ERRNO(munmap(p, 0), EINVAL);
	close(fd);
	close(rd);
	close(wr);
	fd = open("/tmp", O_RDONLY);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	close(fd);
}

static void unmap_middle(void)
{
	char *p = map(5, RW, ANON, -1);

	memset(p, 1, 5 * page);
	CHECK_OK(munmap(p + 2 * page, page));
	CHECK_EQ(touch(p + page, 1), 0);
	CHECK_EQ(touch(p + 2 * page, 0), SIGSEGV);
	CHECK_EQ(touch(p + 3 * page - 1, 1), SIGSEGV);
	CHECK_EQ(p[3 * page], 1);
	CHECK_OK(munmap(p, 5 * page));
}

/* Count the lines of /proc/self/maps in [lo, hi), and their permissions into @perms. */
static int maps_lines(char *lo, char *hi, char perms[][5], int max)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[512], perm[5];
	int n = 0;

	REQUIRE(f != NULL);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %4s", &start, &end, perm) == 3 &&
		    start >= (uintptr_t)lo && end <= (uintptr_t)hi && n < max)
			memcpy(perms[n++], perm, 5);
	fclose(f);
	return n;
}

static void protection(void)
{
	char *p = map(6, PROT_NONE, ANON, -1), perms[8][5];

	CHECK_EQ(touch(p, 0), SIGSEGV);
	CHECK_OK(mprotect(p + page, 4 * page, RW));
	CHECK_EQ(touch(p + page, 1), 0);
	CHECK_OK(mprotect(p + 2 * page, page, PROT_READ));
	CHECK_EQ(touch(p + 2 * page, 0), 0);
	CHECK_EQ(touch(p + 2 * page, 1), SIGSEGV);
	CHECK_EQ(touch(p + 3 * page, 1), 0);
	CHECK_EQ(maps_lines(p, p + 6 * page, perms, 8), 5);
	CHECK_STR(perms[0], "---p");
	CHECK_STR(perms[1], "rw-p");
	CHECK_STR(perms[2], "r--p");
	CHECK_STR(perms[3], "rw-p");
	CHECK_OK(mprotect(p + 2 * page, page, RW));
	CHECK_EQ(maps_lines(p, p + 6 * page, perms, 8), 3); /* merged again */
	CHECK_OK(munmap(p + 5 * page, page));
	CHECK_ERRNO(mprotect(p, 6 * page, RW), ENOMEM);
	CHECK_ERRNO(syscall(SYS_mprotect, p + 1, page, RW), EINVAL); /* a libc may round */
	CHECK_ERRNO(mprotect(p, page, 0x40), EINVAL);
	CHECK_OK(mprotect(p, 0, RW));
	CHECK_OK(munmap(p, 6 * page));
}

static void private_file(void)
{
	int fd = temp_file(2 * page);
	char *p, c;

	CHECK_EQ(pwrite(fd, "abc", 3, (off_t)page), 3);
	p = map(2, RW, MAP_PRIVATE, fd);
	CHECK(memcmp(p + page, "abc", 3) == 0);
	p[page] = 'X';
	CHECK_EQ(pread(fd, &c, 1, (off_t)page), 1);
	CHECK_EQ(c, 'a');
	CHECK_EQ(pwrite(fd, "Q", 1, 0), 1);
	CHECK_EQ(p[0], 'Q'); /* not yet copied: it shows the file */
	CHECK_EQ(pwrite(fd, "R", 1, (off_t)page), 1);
	CHECK_EQ(p[page], 'X');
	close(fd);
	CHECK_EQ(p[0], 'Q'); /* the mapping keeps the file */
	CHECK_OK(munmap(p, 2 * page));
}

static void shared_file(void)
{
	int fd = temp_file(page + 100);
	char *a = map(2, RW, MAP_SHARED, fd), *b = map(2, PROT_READ, MAP_SHARED, fd), buf[8];
	struct stat st;
	pid_t pid;

	memcpy(a, "mapped", 6);
	CHECK_EQ(pread(fd, buf, 6, 0), 6);
	CHECK(memcmp(buf, "mapped", 6) == 0);
	CHECK(memcmp(b, "mapped", 6) == 0);
	CHECK_EQ(pwrite(fd, "written", 7, 50), 7);
	CHECK(memcmp(a + 50, "written", 7) == 0);
	pid = fork();
	if (pid == 0) {
		a[page] = 'c';
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(b[page], 'c');
	a[page + 200] = 'z'; /* past the end, in the last page: lost */
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, page + 100);
	CHECK_OK(msync(a, 2 * page, MS_SYNC));
	CHECK_OK(ftruncate(fd, (off_t)(3 * page)));
	CHECK_OK(ftruncate(fd, 10));
	CHECK_EQ(touch(a + page, 0), SIGBUS);
	CHECK_EQ(a[20], 0); /* the tail of the last page was cleared */
	CHECK_EQ(a[0], 'm');
	CHECK_OK(munmap(a, 2 * page));
	CHECK_OK(munmap(b, 2 * page));
	close(fd);
}

static void offsets(void)
{
	int fd = temp_file(4 * page);
	char *p;

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pwrite(fd, &"0123"[i], 1, (off_t)(i * page)), 1);
	p = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, fd, (off_t)(2 * page));
	REQUIRE(p != MAP_FAILED);
	CHECK_EQ(p[0], '2');
	CHECK_EQ(p[page], '3');
	CHECK_OK(munmap(p, 2 * page));
	close(fd);
}

static void remap(void)
{
	char *p = map(4, RW, ANON, -1), *q, *target;

	memset(p, 3, 4 * page);
	q = mremap(p, 4 * page, 2 * page, 0);
	CHECK(q == p);
	CHECK_EQ(touch(p + 2 * page, 0), SIGSEGV);
	q = mmap(p + 2 * page, page, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(q == p + 2 * page);
	CHECK_OK(mprotect(q, page, PROT_READ));
	CHECK_ERRNO(mremap(p, 2 * page, 4 * page, 0), ENOMEM);
	q = mremap(p, 2 * page, 40 * page, MREMAP_MAYMOVE);
	REQUIRE(q != MAP_FAILED);
	CHECK(q != p);
	CHECK_EQ(q[0], 3);
	CHECK_EQ(q[2 * page - 1], 3);
	CHECK_EQ(q[2 * page], 0);
	CHECK_EQ(q[40 * page - 1], 0);
	CHECK_EQ(touch(p, 0), SIGSEGV);
	target = map(40, RW, ANON, -1);
	p = mremap(q, 40 * page, 10 * page, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	CHECK(p == target);
	CHECK_EQ(p[page], 3);
	CHECK_EQ(touch(q, 0), SIGSEGV);
	CHECK_OK(munmap(target, 40 * page));
}

static void remap_errors(void)
{
	char *p = map(4, RW, ANON, -1);

	CHECK_ERRNO(mremap(p + 1, page, page, 0), EINVAL);
	CHECK_ERRNO(mremap(p, page, 0, 0), EINVAL);
	CHECK_ERRNO(mremap(p, page, 2 * page, 0x80), EINVAL);
	CHECK_ERRNO(mremap(p, page, page, MREMAP_FIXED, p + 2 * page), EINVAL);
	CHECK_ERRNO(mremap(p, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, p + page), EINVAL);
	CHECK_OK(munmap(p, 4 * page));
	CHECK_ERRNO(mremap(p, page, 2 * page, MREMAP_MAYMOVE), EFAULT);
}

static void program_break(void)
{
	char *start = (char *)syscall(SYS_brk, 0L), *now;

	CHECK(start != NULL);
	now = (char *)syscall(SYS_brk, start + 10 * page);
	CHECK(now == start + 10 * page);
	CHECK_EQ(start[10 * page - 1], 0);
	memset(start, 9, 10 * page);
	now = (char *)syscall(SYS_brk, start + page);
	CHECK(now == start + page);
	now = (char *)syscall(SYS_brk, start + 10 * page);
	CHECK(now == start + 10 * page);
	CHECK_EQ(start[5 * page], 0); /* given back and zero again */
	CHECK((char *)syscall(SYS_brk, 1L) == now);
	CHECK((char *)syscall(SYS_brk, -1L) == now);
	syscall(SYS_brk, start);
}

__attribute__((noinline)) static long use_stack(int depth)
{
	volatile char frame[8192];

	frame[0] = (char)depth;
	return depth == 0 ? frame[0] : use_stack(depth - 1) + frame[0] * 0;
}

static void stack_grows(void)
{
	CHECK_EQ(use_stack(400), 0); /* 3.2 MiB */
}

static void advice(void)
{
	char *p = map(4, RW, ANON, -1);
	int fd = temp_file(page);

	memset(p, 8, 4 * page);
	CHECK_OK(madvise(p + page, 2 * page, MADV_DONTNEED));
	CHECK_EQ(p[0], 8);
	CHECK_EQ(p[page], 0);
	CHECK_EQ(p[3 * page - 1], 0);
	CHECK_EQ(p[3 * page], 8);
	CHECK_OK(madvise(p, 4 * page, MADV_NORMAL));
	CHECK_OK(madvise(p, 4 * page, MADV_WILLNEED));
	CHECK_ERRNO(madvise(p + 1, page, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise(p, page, 9999), EINVAL);
	CHECK_OK(munmap(p + page, page));
	CHECK_ERRNO(madvise(p, 4 * page, MADV_DONTNEED), ENOMEM);
	CHECK_OK(munmap(p, 4 * page));
	CHECK_EQ(pwrite(fd, "F", 1, 0), 1);
	p = map(1, RW, MAP_PRIVATE, fd);
	p[0] = 'P';
	CHECK_OK(madvise(p, page, MADV_DONTNEED));
	CHECK_EQ(p[0], 'F'); /* the private copy is gone */
	CHECK_OK(munmap(p, page));
	close(fd);
}

static void residence(void)
{
	char *p = map(4, RW, ANON, -1);
	unsigned char vec[4] = { 9, 9, 9, 9 };

	p[page] = 1;
	CHECK_OK(mincore(p, 4 * page, vec));
	CHECK_EQ(vec[0] & 1, 0);
	CHECK_EQ(vec[1] & 1, 1);
	CHECK_ERRNO(mincore(p + 1, page, vec), EINVAL);
	CHECK_ERRNO(mincore(p, page, (unsigned char *)8), EFAULT);
	CHECK_OK(msync(p, page, MS_ASYNC));
	CHECK_ERRNO(msync(p, page, MS_ASYNC | MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(p, page, 0x80), EINVAL);
	CHECK_OK(munmap(p, 4 * page));
	CHECK_ERRNO(mincore(p, page, vec), ENOMEM);
	CHECK_ERRNO(msync(p, page, MS_SYNC), ENOMEM);
}

static void locking(void)
{
	struct rlimit limit = { 2 * page, 2 * page };
	char *p = map(4, RW, ANON, -1);
	unsigned char vec[4];

	CHECK_OK(mlock(p, page));
	CHECK_ERRNO(madvise(p, page, MADV_COLD), EINVAL);
	CHECK_ERRNO(madvise(p, page, MADV_PAGEOUT), EINVAL);
	CHECK_OK(mincore(p, page, vec));
	CHECK_EQ(vec[0] & 1, 1);
	CHECK_OK(munlock(p, page));
	CHECK_ERRNO(mlock(p, -page), geteuid() ? ENOMEM : EINVAL); /* beyond the limit first */
	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK_ERRNO(mlockall(64), EINVAL);
	REQUIRE(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	if (geteuid() == 0)
		REQUIRE(setresuid(12345, 12345, 12345) == 0);
	CHECK_OK(mlock(p, 2 * page));
	CHECK_ERRNO(mlock(p, 3 * page), ENOMEM);
	CHECK_OK(munlock(p, 4 * page));
	limit = (struct rlimit){ 0, 0 };
	REQUIRE(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	CHECK_ERRNO(mlock(p, page), EPERM);
	CHECK_OK(munmap(p, page));
	CHECK_ERRNO(munlock(p, page), ENOMEM);
}

static void address_space_limit(void)
{
	struct rlimit limit;

	REQUIRE(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = 64 << 20;
	REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
	CHECK_ERRNO(mmap(NULL, 128 << 20, RW, ANON, -1, 0), ENOMEM);
	CHECK_OK(mmap(NULL, 8 << 20, RW, ANON, -1, 0));
}

/* The kernel checks protections too, and copies as far as it can. */
static void user_copies(void)
{
	char *p = map(2, RW, ANON, -1);
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	CHECK_OK(mprotect(p + page, page, PROT_NONE));
	CHECK_EQ(write(fds[1], "0123456789", 10), 10);
	CHECK_ERRNO(read(fds[0], p + page, 5), EFAULT);
	CHECK_OK(mprotect(p, page, PROT_READ));
	CHECK_ERRNO(read(fds[0], p, 5), EFAULT);
	CHECK_OK(mprotect(p, page, RW));
	CHECK_EQ(read(fds[0], p, 10), 10);
	CHECK_ERRNO(write(fds[1], p + page, 1), EFAULT);
	CHECK_OK(munmap(p, 2 * page));
	close(fds[0]);
	close(fds[1]);
}

/* Memory for writing or executing only, never touched: reading it, by the program or for it, ends one way or the other. */
static void no_read_right(void)
{
	static const int prots[] = { PROT_WRITE, PROT_EXEC, PROT_WRITE | PROT_EXEC };

	for (size_t i = 0; i < ARRAY_SIZE(prots); i++) {
		char *p = mmap(NULL, 4096, prots[i], MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		REQUIRE(p != MAP_FAILED);
		CHECK_EQ(access(p, F_OK), -1);
		CHECK(errno == ENOENT || errno == EFAULT);
		if (prots[i] & PROT_WRITE)
			CHECK_EQ(*(volatile char *)(p + 5), 0);
		CHECK_OK(munmap(p, 4096));
	}
}

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

static int resident(char *p)
{
	unsigned char vec = 0;

	CHECK_OK(mincore(p, page, &vec));
	return vec & 1;
}

/* Locked when touched: nothing is brought in beforehand. */
static void lock_on_fault(void)
{
	char *p = map(4, RW, ANON, -1);

	CHECK_OK(syscall(SYS_mlock2, p, 2 * page, MLOCK_ONFAULT));
	CHECK(!resident(p));
	CHECK_EQ(touch(p, 1), 0);
	CHECK(resident(p) && !resident(p + page));
	CHECK_ERRNO(madvise(p, page, MADV_DONTNEED), EINVAL);
	CHECK_OK(mlock(p + page, page));
	CHECK(resident(p + page));
	CHECK_ERRNO(syscall(SYS_mlock2, p, page, 2), EINVAL);
	CHECK_OK(munlock(p, 2 * page));
	CHECK_OK(madvise(p, 2 * page, MADV_DONTNEED));
	CHECK_OK(mlockall(MCL_FUTURE | MCL_ONFAULT));
	p = map(1, RW, ANON, -1);
	CHECK(!resident(p));
	CHECK_OK(mlockall(MCL_FUTURE));
	p = map(1, RW, ANON, -1);
	CHECK(resident(p));
	p = (char *)syscall(SYS_brk, 0);
	CHECK((char *)syscall(SYS_brk, p + 4 * page) == p + 4 * page);
	CHECK(resident((char *)(((uintptr_t)p + 3 * page) & -page)));
	CHECK_OK(munlockall());
}

/* Beyond RLIMIT_MEMLOCK, without the capability. */
static void lock_limits(void)
{
	struct rlimit small = { 4 * page, 4 * page }, none = { 0, 0 };
	char *p, *q;

	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &small));
	if (getuid() == 0)
		CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERRNO(mmap(NULL, 5 * page, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
	p = map(3, RW, ANON | MAP_LOCKED, -1);
	CHECK_ERRNO(mmap(NULL, 2 * page, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
	CHECK_ERRNO(mremap(p, 3 * page, 5 * page, MREMAP_MAYMOVE), EAGAIN);
	q = mremap(p, 3 * page, 4 * page, MREMAP_MAYMOVE);
	REQUIRE(q != MAP_FAILED);
	CHECK(resident(q + 3 * page));
	CHECK_OK(munmap(q, 4 * page));
	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &none));
	CHECK_ERRNO(syscall(SYS_mmap, NULL, page, RW, ANON | MAP_LOCKED, -1, 0), EPERM);
}

/* MADV_REMOVE makes a hole in what is mapped, for everybody. */
static void advice_remove(void)
{
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
	char *p = map(4, RW, MAP_SHARED | MAP_ANONYMOUS, -1), *q;

	p[0] = p[page] = 1;
	CHECK_OK(madvise(p, page, MADV_REMOVE));
	CHECK(p[0] == 0 && p[page] == 1);
	CHECK_OK(mlock(p, page));
	CHECK_ERRNO(madvise(p, page, MADV_REMOVE), EINVAL);
	CHECK_OK(munmap(p, 4 * page));
	p = map(2, RW, ANON, -1);
	CHECK_ERRNO(madvise(p, page, MADV_REMOVE), EINVAL);
	CHECK_OK(munmap(p, 2 * page));
	if (fd < 0)
		return;
	CHECK_OK(ftruncate(fd, (off_t)(2 * page)));
	p = map(2, RW, MAP_SHARED, fd);
	q = map(2, RW, MAP_PRIVATE, fd);
	p[0] = p[page] = 1;
	CHECK_OK(madvise(p + page, page, MADV_REMOVE));
	CHECK(p[0] == 1 && p[page] == 0);
	CHECK_ERRNO(madvise(q, page, MADV_REMOVE), EACCES);
	CHECK_OK(munmap(q + page, page));
	CHECK_ERRNO(madvise(q, 2 * page, MADV_REMOVE), EACCES);
	CHECK_OK(munmap(p, 2 * page));
	CHECK_OK(munmap(q, page));
	close(fd);
}

static long seal(void *p, size_t len, unsigned long flags)
{
	return syscall(462, p, len, flags);
}

static void sealing(void)
{
	char *p = map(4, RW, ANON, -1);

	if (seal(p, 0, 0) < 0 && errno == ENOSYS)
		return; /* before Linux 6.10 */
	CHECK_ERRNO(seal(p, page, 1), EINVAL);
	CHECK_ERRNO(seal(p + 1, page, 0), EINVAL);
	CHECK_ERRNO(seal(p, (size_t)-1 - page, 0), EINVAL);
	CHECK_OK(munmap(p + 3 * page, page));
	CHECK_ERRNO(seal(p + page, 3 * page, 0), ENOMEM);
	CHECK_OK(mprotect(p + page, page, PROT_READ));
	CHECK_OK(seal(p + page, page, 0));
	CHECK_OK(seal(p + page, page, 0));
	CHECK_ERRNO(munmap(p, 3 * page), EPERM);
	CHECK_ERRNO(mprotect(p + page, page, RW), EPERM);
	CHECK_ERRNO(mremap(p + page, page, 2 * page, MREMAP_MAYMOVE), EPERM);
	CHECK_ERRNO(mremap(p + 2 * page, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, p + page),
		    EPERM);
	CHECK_ERRNO(mmap(p + page, page, RW, ANON | MAP_FIXED, -1, 0), EPERM);
	CHECK_ERRNO(madvise(p + page, page, MADV_DONTNEED), EPERM);
	CHECK_ERRNO(madvise(p + page, page, MADV_DONTFORK), EPERM);
	CHECK_OK(mprotect(p, page, PROT_READ));
	CHECK_OK(munmap(p, page));
	CHECK_EQ(touch(p + page, 0), 0);
	CHECK_EQ(touch(p + page, 1), SIGSEGV);
}

/* Mapping a file is an access of it. */
static void access_time(void)
{
	struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
	struct stat st;
	char *p;

	if (fd < 0)
		return;
	CHECK_OK(ftruncate(fd, (off_t)page));
	CHECK_OK(futimens(fd, old));
	p = map(1, RW, MAP_SHARED, fd);
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_atim.tv_sec > 2000);
	CHECK_OK(munmap(p, page));
	close(fd);
}

/* Shorter may reach over several mappings; longer may not. */
static void remap_shorter(void)
{
	char *p = map(4, RW, ANON, -1);

	CHECK_OK(mprotect(p + 2 * page, page, PROT_READ));
	CHECK(mremap(p, 4 * page, page, 0) == p);
	CHECK_EQ(touch(p, 1), 0);
	CHECK_EQ(touch(p + page, 0), SIGSEGV);
	CHECK_ERRNO(mremap(p, 4 * page, 5 * page, MREMAP_MAYMOVE), EFAULT);
	CHECK_OK(munmap(p, page));
}

int main(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	signal(SIGSEGV, escape);
	signal(SIGBUS, escape);
	TAP_RUN(anonymous);
	TAP_RUN(placement);
	TAP_RUN(mmap_errors);
	TAP_RUN(unmap_middle);
	TAP_RUN(protection);
	TAP_RUN(private_file);
	TAP_RUN(shared_file);
	TAP_RUN(offsets);
	TAP_RUN(remap);
	TAP_RUN(remap_errors);
	TAP_FORK(program_break);
	TAP_RUN(stack_grows);
	TAP_RUN(advice);
	TAP_RUN(residence);
	TAP_FORK(locking);
	TAP_FORK(address_space_limit);
	TAP_RUN(user_copies);
	TAP_FORK(no_read_right);
	TAP_FORK(lock_on_fault);
	TAP_FORK(lock_limits);
	TAP_RUN(advice_remove);
	TAP_FORK(sealing);
	TAP_RUN(remap_shorter);
	TAP_RUN(access_time);
	return tap_done();
}

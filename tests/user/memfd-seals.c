/* SPDX-License-Identifier: MIT */
/*
 * Seals of memfds to the letter: who sees them, which mapping is in their way, what each forbids in every way there is to do it, that
 * none is added half, and that nothing they forbid is still under way when F_ADD_SEALS returns. Source: fcntl(2), "File Sealing".
 */
#include "tap.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW 4
#define F_SEAL_WRITE 8
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 32
#endif
#define CLOEXEC 1U
#define ALLOW_SEALING 2U
#define NOEXEC_SEAL 8U
#define EXEC 16U
#define PAGE 4096UL

static int create(size_t size, unsigned flags)
{
	int fd = (int)syscall(SYS_memfd_create, "seals", flags);

	REQUIRE(fd >= 0);
	REQUIRE(ftruncate(fd, (off_t)size) == 0);
	return fd;
}

static int seal(int fd, int seals)
{
	return fcntl(fd, F_ADD_SEALS, seals);
}

static int seals_of(int fd)
{
	return fcntl(fd, F_GET_SEALS);
}

static char *share(int fd, size_t len, int prot)
{
	return mmap(NULL, len, prot, MAP_SHARED, fd, 0);
}

static int reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

/* ---- creating ---- */

static void creating(void)
{
	char name[252];
	struct stat st;
	int fd;

	memset(name, 'n', sizeof(name));
	name[249] = '\0';
	fd = (int)CHECK_OK(syscall(SYS_memfd_create, name, 0));
	CHECK_EQ(seals_of(fd), F_SEAL_SEAL);
	close(fd);
	name[249] = 'n';
	name[250] = '\0';
	CHECK_ERRNO(syscall(SYS_memfd_create, name, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_memfd_create, "x", 0x100), EINVAL);
	CHECK_ERRNO(syscall(SYS_memfd_create, "x", 1U << 26),
		    EINVAL); /* a page size without MFD_HUGETLB */
	CHECK_ERRNO(syscall(SYS_memfd_create, 8UL, 0), EFAULT);
	fd = (int)syscall(SYS_memfd_create, "x", NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) {
		NOTE("no MFD_NOEXEC_SEAL here");
		return;
	}
	CHECK_ERRNO(syscall(SYS_memfd_create, "x", NOEXEC_SEAL | EXEC), EINVAL);
	CHECK_EQ(seals_of(fd), F_SEAL_EXEC); /* and can be sealed further */
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mode & 0777, 0666);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_ERRNO(fchmod(fd, 0777), EPERM);
	CHECK_OK(fchmod(fd, 0600));
	CHECK_OK(seal(fd, F_SEAL_SHRINK));
	close(fd);
	fd = (int)CHECK_OK(syscall(SYS_memfd_create, "x", EXEC));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mode & 0777, 0777);
	CHECK_EQ(seals_of(fd), F_SEAL_SEAL);
	close(fd);
	/* Frozen x bits that are set imply that the content is frozen, too. */
	fd = create(PAGE, ALLOW_SEALING);
	CHECK_OK(seal(fd, F_SEAL_EXEC));
	CHECK_EQ(seals_of(fd),
		 F_SEAL_EXEC | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
	CHECK_ERRNO(fchmod(fd, 0666), EPERM);
	close(fd);
}

/* ---- whose they are ---- */

static void on_the_inode(void)
{
	int fd = create(PAGE, ALLOW_SEALING), copy = dup(fd), again = reopen(fd, O_RDWR),
	    reader = reopen(fd, O_RDONLY);
	pid_t pid;

	REQUIRE(again >= 0 && reader >= 0);
	CHECK_ERRNO(seal(reader, F_SEAL_WRITE), EPERM); /* not open for writing */
	CHECK_OK(seal(copy, F_SEAL_SHRINK));
	pid = fork();
	if (!pid) {
		CHECK_EQ(seals_of(fd), F_SEAL_SHRINK);
		CHECK_OK(seal(again, F_SEAL_GROW));
		_exit(tap_nfailed != 0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(seals_of(fd), F_SEAL_SHRINK | F_SEAL_GROW);
	CHECK_EQ(seals_of(reader), F_SEAL_SHRINK | F_SEAL_GROW);
	CHECK_ERRNO(reopen(fd, O_RDWR | O_TRUNC), EPERM);
	CHECK_ERRNO(ftruncate(again, 0), EPERM);
	/* All or nothing. */
	CHECK_ERRNO(seal(fd, F_SEAL_WRITE | 0x1000), EINVAL);
	CHECK_EQ(seals_of(fd), F_SEAL_SHRINK | F_SEAL_GROW);
	CHECK_OK(seal(fd, 0));
	CHECK_OK(seal(fd, F_SEAL_SEAL | F_SEAL_WRITE));
	CHECK_ERRNO(seal(fd, F_SEAL_GROW), EPERM);
	CHECK_ERRNO(seal(fd, 0), EPERM);
	/* A file sealed against writing may still be opened for it. */
	again = reopen(fd, O_RDWR);
	CHECK(again >= 0);
	CHECK_ERRNO(write(again, "x", 1), EPERM);
}

static void on_others(void)
{
	int fds[2], fd = open("/tmp/not-a-memfd", O_RDWR | O_CREAT, 0600);

	REQUIRE(pipe(fds) == 0);
	CHECK_ERRNO(seals_of(fds[0]), EINVAL);
	CHECK_ERRNO(seal(fds[1], F_SEAL_WRITE), EINVAL);
	CHECK(seal(fd, F_SEAL_WRITE) == -1 && (errno == EINVAL || errno == EPERM));
	unlink("/tmp/not-a-memfd");
	fd = open("/proc/self/fd", O_RDONLY);
	CHECK_ERRNO(seals_of(fd), EINVAL);
}

/* ---- mappings in the way of F_SEAL_WRITE ---- */

static void check_busy(int fd, int line)
{
	int before = seals_of(fd);

	if (seal(fd, F_SEAL_WRITE | F_SEAL_SHRINK) != -1 || errno != EBUSY)
		tap_fail(__FILE__, line, "sealing was not refused with EBUSY");
	CHECK_EQ(seals_of(fd), before);
}
#define BUSY(fd) check_busy(fd, __LINE__)

static void mappings(void)
{
	int fd = create(8 * PAGE, ALLOW_SEALING), reader = reopen(fd, O_RDONLY), sync[2];
	char *p = share(fd, 8 * PAGE, PROT_READ | PROT_WRITE), *q, c;
	pid_t pid;

	REQUIRE(p != MAP_FAILED);
	BUSY(fd);
	CHECK_OK(munmap(p + 3 * PAGE, 2 * PAGE)); /* of one mapping two */
	BUSY(fd);
	CHECK_OK(munmap(p, 3 * PAGE));
	BUSY(fd);
	CHECK_OK(mprotect(p + 5 * PAGE, 3 * PAGE, PROT_READ)); /* may become writable again */
	BUSY(fd);
	CHECK_OK(mprotect(p + 6 * PAGE, PAGE, PROT_READ | PROT_WRITE)); /* three */
	BUSY(fd);
	q = mremap(p + 5 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK_OK(munmap(p + 6 * PAGE, 2 * PAGE));
	BUSY(fd);
	REQUIRE(pipe(sync) == 0);
	pid = fork();
	if (!pid) {
		(void)!read(sync[0], &c, 1);
		_exit(0);
	}
	CHECK_OK(munmap(q, 2 * PAGE));
	BUSY(fd); /* the child's */
	CHECK_EQ(write(sync[1], "x", 1), 1);
	CHECK_EXIT(pid, 0);
	/* Read-only by a descriptor that cannot write, and private ones, are in nobody's way. */
	q = share(reader, PAGE, PROT_READ);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	REQUIRE(q != MAP_FAILED && p != MAP_FAILED);
	CHECK_OK(seal(fd, F_SEAL_WRITE));
	CHECK(mprotect(q, PAGE, PROT_READ | PROT_WRITE) == -1);
	p[0] = 'p';
	CHECK_EQ(q[0], 0);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	p = share(fd, PAGE, PROT_READ);
	if (p != MAP_FAILED) /* Linux before 6.7: EPERM */
		CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE) == -1);
}

static char exec_arg[16];

/* Mappings go with exec and with the last thread. */
static void mappings_end(void)
{
	int fd = create(PAGE, ALLOW_SEALING), ready[2];
	pid_t pid;
	char c;

	REQUIRE(pipe2(ready, O_CLOEXEC) == 0);
	for (int i = 0; i < 20; i++) {
		pid = fork();
		if (!pid) {
			REQUIRE(share(fd, PAGE, PROT_READ | PROT_WRITE) != MAP_FAILED);
			REQUIRE(share(fd, PAGE, PROT_READ) != MAP_FAILED);
			(void)!write(ready[1], "x", 1);
			if (i & 1)
				_exit(0);
			snprintf(exec_arg, sizeof(exec_arg), "%d", fd);
			execl("/proc/self/exe", "memfd-seals", "quit", NULL);
			_exit(1);
		}
		CHECK_EQ(read(ready[0], &c, 1), 1);
		CHECK_EXIT(pid, 0);
	}
	CHECK_OK(seal(fd, F_SEAL_WRITE));
}

/* ---- what they forbid ---- */

static ssize_t by_splice(int fd, off_t at, size_t n)
{
	static const char zeros[3 * PAGE];
	int p[2];
	ssize_t r;

	REQUIRE(pipe(p) == 0);
	REQUIRE(write(p[1], zeros, n) == (ssize_t)n);
	r = splice(p[0], NULL, fd, &at, n, 0);
	close(p[0]);
	close(p[1]);
	return r;
}

static ssize_t by_sendfile(int fd, off_t at, size_t n)
{
	int from = create(n, 0);
	ssize_t r;

	REQUIRE(lseek(fd, at, SEEK_SET) == at);
	r = sendfile(fd, from, NULL, n);
	close(from);
	return r;
}

static ssize_t by_copy(int fd, off_t at, size_t n)
{
	int from = create(n, 0);
	ssize_t r = syscall(SYS_copy_file_range, from, NULL, fd, &at, n, 0);

	close(from);
	return r;
}

static ssize_t by_writev(int fd, off_t at, size_t n)
{
	static char zeros[3 * PAGE];
	struct iovec v[2] = { { zeros, n / 2 }, { zeros, n - n / 2 } };

	return pwritev(fd, v, 2, at);
}

static ssize_t by_pwrite(int fd, off_t at, size_t n)
{
	static const char zeros[3 * PAGE];

	return pwrite(fd, zeros, n, at);
}

static ssize_t by_append(int fd, off_t at, size_t n)
{
	static const char zeros[3 * PAGE];
	ssize_t r;

	REQUIRE(fcntl(fd, F_SETFL, O_APPEND) == 0);
	r = write(fd, zeros, n);
	REQUIRE(fcntl(fd, F_SETFL, 0) == 0);
	return r;
}

static ssize_t by_append_once(int fd, off_t at, size_t n)
{
	static char zeros[3 * PAGE];
	struct iovec v = { zeros, n };

	return syscall(SYS_pwritev2, fd, &v, 1, 0, 0, 0x10 /* RWF_APPEND */);
}

static ssize_t (*const ways[])(int fd, off_t at, size_t n) = { by_pwrite,     by_writev, by_splice,
							       by_sendfile,   by_copy,	 by_append,
							       by_append_once };

static void against_writing(void)
{
	static const int which[] = { F_SEAL_WRITE, F_SEAL_FUTURE_WRITE };

	for (size_t s = 0; s < ARRAY_SIZE(which); s++) {
		int fd = create(2 * PAGE, ALLOW_SEALING);

		CHECK_OK(seal(fd, which[s]));
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
			CHECK_ERRNO(ways[i](fd, 0, 10), EPERM);
			CHECK_EQ(lseek(fd, 0, SEEK_END), 2 * PAGE);
		}
		CHECK_EQ(write(fd, "", 0), 0);
		CHECK_EQ(pwrite(fd, "", 0, 0), 0);
		CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
			    EPERM);
		CHECK_OK(ftruncate(fd, PAGE)); /* that is for other seals to forbid */
		CHECK_OK(ftruncate(fd, 2 * PAGE));
		close(fd);
	}
}

static void against_growing(void)
{
	int fd = create(2 * PAGE, ALLOW_SEALING);
	char c = 0;

	CHECK_OK(seal(fd, F_SEAL_GROW));
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		CHECK_ERRNO(ways[i](fd, 2 * PAGE, 10), EPERM);
		CHECK_ERRNO(ways[i](fd, 2 * PAGE, PAGE), EPERM);
		CHECK_EQ(lseek(fd, 0, SEEK_END), 2 * PAGE);
	}
	/* One that straddles the end is done up to it. */
	for (size_t i = 0; i < 2; i++)
		CHECK_EQ(ways[i](fd, PAGE, 2 * PAGE), PAGE);
	CHECK_EQ(lseek(fd, PAGE, SEEK_SET), PAGE);
	static const char zeros[2 * PAGE];
	CHECK_EQ(write(fd, zeros, 2 * PAGE), PAGE);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 2 * PAGE);
	CHECK_ERRNO(write(fd, &c, 1), EPERM);
	CHECK_EQ(write(fd, &c, 0), 0);
	CHECK_ERRNO(ftruncate(fd, 2 * PAGE + 1), EPERM);
	CHECK_ERRNO(fallocate(fd, 0, PAGE, 2 * PAGE), EPERM);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 * PAGE, PAGE), EPERM);
	CHECK_OK(fallocate(fd, 0, 0, 2 * PAGE));
	CHECK_OK(ftruncate(fd, PAGE));
	CHECK_ERRNO(ftruncate(fd, 2 * PAGE), EPERM);
	close(fd);
}

static void against_shrinking(void)
{
	int fd = create(2 * PAGE, ALLOW_SEALING);

	CHECK_OK(seal(fd, F_SEAL_SHRINK));
	CHECK_ERRNO(ftruncate(fd, 2 * PAGE - 1), EPERM);
	CHECK_ERRNO(reopen(fd, O_WRONLY | O_TRUNC), EPERM);
	CHECK_OK(ftruncate(fd, 2 * PAGE));
	CHECK_OK(ftruncate(fd, 3 * PAGE));
	CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	CHECK_EQ(by_append(fd, 0, 10), 10);
	close(fd);
}

/* A writable mapping from before F_SEAL_FUTURE_WRITE goes on being one; its copies, too. */
static void future(void)
{
	int fd = create(2 * PAGE, ALLOW_SEALING);
	char *p = share(fd, 2 * PAGE, PROT_READ | PROT_WRITE);
	pid_t pid;

	REQUIRE(p != MAP_FAILED);
	CHECK_OK(seal(fd, F_SEAL_FUTURE_WRITE));
	p[0] = 'a';
	CHECK_OK(mprotect(p, PAGE, PROT_READ));
	CHECK_OK(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	pid = fork();
	if (!pid) {
		p[1] = 'b';
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(p[1], 'b');
	CHECK_ERRNO(seal(fd, F_SEAL_WRITE), EBUSY);
	CHECK_OK(munmap(p, 2 * PAGE));
	CHECK_OK(seal(fd, F_SEAL_WRITE));
}

/* ---- races ---- */

static volatile int stop;
static int race_fd;

static void *truncater(void *arg)
{
	for (unsigned i = 0; !stop; i++)
		(void)!ftruncate(race_fd, (off_t)((1 + i % 5) * PAGE));
	return NULL;
}

static void *writer(void *arg)
{
	char buf[2 * PAGE];

	for (unsigned i = 0; !stop; i++) {
		memset(buf, (int)(1 + i % 250), sizeof(buf));
		(void)!pwrite(race_fd, buf, sizeof(buf), (off_t)(i % 3 * PAGE));
	}
	return NULL;
}

static void *mapper(void *arg)
{
	for (unsigned char i = 0; !stop; i++) {
		char *p = share(race_fd, PAGE, PROT_READ | PROT_WRITE);

		if (p == MAP_FAILED)
			continue;
		p[7] = (char)i;
		munmap(p, PAGE);
		usleep(20); /* a moment without */
	}
	return NULL;
}

static void race(void *(*fn)(void *), int seals, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		char a[4 * PAGE], b[4 * PAGE];
		struct stat before, after;
		pthread_t t[2];

		race_fd = create(4 * PAGE, ALLOW_SEALING);
		stop = 0;
		for (int k = 0; k < 2; k++)
			REQUIRE(pthread_create(&t[k], NULL, fn, NULL) == 0);
		usleep((useconds_t)(i % 7 * 50));
		while (seal(race_fd, seals) == -1)
			CHECK_EQ(errno, EBUSY);
		/* From now on nothing moves. */
		memset(a, 0, sizeof(a));
		memset(b, 0, sizeof(b));
		CHECK_OK(fstat(race_fd, &before));
		CHECK(pread(race_fd, a, sizeof(a), 0) >= 0);
		usleep(200);
		CHECK(pread(race_fd, b, sizeof(b), 0) >= 0);
		CHECK_OK(fstat(race_fd, &after));
		if (seals & F_SEAL_SHRINK)
			CHECK_EQ(before.st_size, after.st_size);
		if (seals & F_SEAL_WRITE)
			CHECK(!memcmp(a, b, sizeof(a)));
		stop = 1;
		for (int k = 0; k < 2; k++)
			pthread_join(t[k], NULL);
		close(race_fd);
	}
}

static void races(void)
{
	race(truncater, F_SEAL_SHRINK | F_SEAL_GROW, 30);
	race(writer, F_SEAL_WRITE, 30);
	race(mapper, F_SEAL_WRITE, 20);
}

/* ---- running one ---- */

static void run_sealed(void)
{
	char buf[65536], *argv[] = { "memfd-seals", "quit", NULL }, *envp[] = { NULL };
	int from = open("/proc/self/exe", O_RDONLY), fd = create(0, ALLOW_SEALING | CLOEXEC);
	ssize_t n;
	pid_t pid;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		REQUIRE(write(fd, buf, (size_t)n) == n);
	CHECK_OK(seal(fd, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
	pid = fork();
	if (!pid) {
		fexecve(fd, argv, envp);
		_exit(1);
	}
	CHECK_EXIT(pid, 0);
	/* One that may not be executed is not. */
	fd = (int)syscall(SYS_memfd_create, "x", NOEXEC_SEAL);
	if (fd < 0)
		return;
	REQUIRE(lseek(from, 0, SEEK_SET) == 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		REQUIRE(write(fd, buf, (size_t)n) == n);
	CHECK_ERRNO(fexecve(fd, argv, envp), EACCES);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return 0;
	TAP_FORK(creating);
	TAP_FORK(on_the_inode);
	TAP_FORK(on_others);
	TAP_FORK(mappings);
	TAP_FORK(mappings_end);
	TAP_FORK(against_writing);
	TAP_FORK(against_growing);
	TAP_FORK(against_shrinking);
	TAP_FORK(future);
	TAP_FORK(races);
	TAP_FORK(run_sealed);
	return tap_done();
}

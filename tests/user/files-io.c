/* SPDX-License-Identifier: MIT */
/*
 * File contents: positions, holes, vectors, truncation, preallocation, and copies inside the kernel.
 */
#include "tap.h"
#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static int make(const char *name, const char *text)
{
	REQUIRE(tap_write_file(name, text, strlen(text), 0644) == 0);
	return (int)CHECK_OK(open(name, O_RDWR));
}

static off_t size_of(int fd)
{
	struct stat st;

	CHECK_OK(fstat(fd, &st));
	return st.st_size;
}

static void seeking(void)
{
	int fd = make("seek", "0123456789");

	CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
	CHECK_EQ(lseek(fd, 2, SEEK_CUR), 5);
	CHECK_EQ(lseek(fd, -1, SEEK_END), 9);
	CHECK_EQ(lseek(fd, 100, SEEK_END), 110);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, -200, SEEK_CUR), EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 110);
	CHECK_ERRNO(lseek(fd, 0, 99), EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
	CHECK_EQ(lseek(fd, 4, SEEK_HOLE), 10);
	CHECK_ERRNO(lseek(fd, 10, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, 10, SEEK_HOLE), ENXIO);
	CHECK_ERRNO(lseek(fd, -1, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(1000, 0, SEEK_SET), EBADF);
	close(fd);
}

static void sparse(void)
{
	const off_t far = 64 << 20;
	int fd = (int)CHECK_OK(open("sparse", O_RDWR | O_CREAT, 0644));
	struct stat st;
	off_t data;
	char c = 1;

	CHECK_EQ(pwrite(fd, "z", 1, far), 1);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, far + 1);
	CHECK(st.st_blocks > 0 && st.st_blocks < 1024);
	CHECK_EQ(pread(fd, &c, 1, far / 2), 1);
	CHECK_EQ(c, 0);
	data = lseek(fd, 0, SEEK_DATA);
	CHECK(data > 0 && data <= far);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK_EQ(lseek(fd, data, SEEK_HOLE), far + 1);
	CHECK_OK(ftruncate(fd, 0));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_blocks, 0);
	close(fd);
}

static void positioned(void)
{
	int fd = make("pos", "abcdefgh");
	char buf[16];

	CHECK_EQ(pread(fd, buf, 3, 2), 3);
	CHECK(memcmp(buf, "cde", 3) == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(pwrite(fd, "XY", 2, 7), 2);
	CHECK_EQ(size_of(fd), 9);
	CHECK_EQ(pread(fd, buf, 16, 9), 0);
	CHECK_EQ(pread(fd, buf, 16, 8), 1);
	CHECK_ERRNO(pread(fd, buf, 1, -1), EINVAL);
	CHECK_ERRNO(pwrite(fd, buf, 1, -1), EINVAL);
	CHECK_EQ(read(fd, buf, 0), 0);
	CHECK_EQ(write(fd, buf, 0), 0);
	CHECK_EQ(pread(fd, buf, 16, 1LL << 40), 0);
	CHECK_ERRNO(pwrite(fd, buf, 1, LLONG_MAX), EINVAL); /* the end would overflow */
	close(fd);
}

static void vectors(void)
{
	int fd = make("vec", "");
	char a[4] = "", b[4] = "", c[4] = "";
	struct iovec out[] = { { "abc", 3 }, { "", 0 }, { "defg", 4 } };
	struct iovec in[] = { { a, 2 }, { b, 1 }, { c, 4 } };
	struct iovec bad[] = { { "ok", 2 }, { (void *)8, 4 } };
	static struct iovec many[1025];

	CHECK_EQ(writev(fd, out, 3), 7);
	CHECK_EQ(preadv(fd, in, 3, 0), 7);
	CHECK(memcmp(a, "ab", 2) == 0 && b[0] == 'c' && memcmp(c, "defg", 4) == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 7);
	CHECK_EQ(pwritev(fd, out, 3, 100), 7);
	CHECK_EQ(size_of(fd), 107);
	CHECK_EQ(readv(fd, in, 0), 0);
	CHECK_ERRNO(readv(fd, in, -1), EINVAL);
	CHECK_ERRNO(writev(fd, many, 1025), EINVAL);
	CHECK_EQ(writev(fd, many, 1024), 0);
	in[1].iov_len = (size_t)-1;
	CHECK_ERRNO(readv(fd, in, 3), EINVAL);
	CHECK_EQ(pwritev(fd, bad, 2, 0), 2); /* as far as it goes */
	bad[0] = bad[1];
	CHECK_ERRNO(writev(fd, bad, 1), EFAULT);
	CHECK_ERRNO(writev(fd, (void *)8, 1), EFAULT);
	close(fd);
}

static void truncation(void)
{
	int fd = make("trunc", "0123456789");
	char buf[16];

	CHECK_OK(ftruncate(fd, 4));
	CHECK_OK(ftruncate(fd, 8));
	CHECK_EQ(pread(fd, buf, 16, 0), 8);
	CHECK(memcmp(buf, "0123\0\0\0\0", 8) == 0);
	CHECK_OK(truncate("trunc", 2));
	CHECK_EQ(size_of(fd), 2);
	CHECK_ERRNO(truncate("trunc", -1), EINVAL);
	CHECK_ERRNO(truncate("missing", 1), ENOENT);
	CHECK_ERRNO(truncate(".", 1), EISDIR);
	CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
	CHECK_EQ(write(fd, "end", 3), 3);
	CHECK_EQ(pread(fd, buf, 16, 0), 9);
	CHECK(memcmp(buf, "01\0\0\0\0end", 9) == 0);
	close(fd);
}

static void size_limit(void)
{
	struct rlimit limit = { 1000, 1000 };
	int fd = make("limit", "");
	char data[2000] = "";

	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK_EQ(write(fd, data, 2000), 1000);
	CHECK_ERRNO(write(fd, data, 1), EFBIG);
	CHECK_ERRNO(ftruncate(fd, 1001), EFBIG);
	CHECK_OK(ftruncate(fd, 1000));
	close(fd);
}

static void size_limit_signal(void)
{
	struct rlimit limit = { 10, 10 };
	int fd = make("limit2", "0123456789");

	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	lseek(fd, 0, SEEK_END);
	(void)!write(fd, "x", 1);
}

static void preallocation(void)
{
	int fd = make("alloc", "0123456789"), rd;
	struct stat st;
	char buf[10];

	if (fallocate(fd, 0, 0, 100000) == -1 && errno == EOPNOTSUPP) {
		NOTE("left out: no fallocate here");
		close(fd);
		return;
	}
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 100000);
	CHECK(st.st_blocks * 512 >= 100000);
	CHECK_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 200000, 1000));
	CHECK_EQ(size_of(fd), 100000);
	CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3));
	CHECK_EQ(pread(fd, buf, 10, 0), 10);
	CHECK(memcmp(buf,
		     "01\0\0\0"
		     "56789",
		     10) == 0);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	CHECK_ERRNO(fallocate(fd, 0, -1, 1), EINVAL);
	CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERRNO(fallocate(fd, 0x4000, 0, 1), EOPNOTSUPP);
	rd = (int)CHECK_OK(open("alloc", O_RDONLY));
	CHECK_ERRNO(fallocate(rd, 0, 0, 1), EBADF);
	close(rd);
	close(fd);
}

static void sending(void)
{
	int in = make("in", "0123456789"), out = make("out", ""), fds[2];
	off_t offset = 2;
	char buf[16];

	CHECK_EQ(sendfile(out, in, &offset, 5), 5);
	CHECK_EQ(offset, 7);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
	CHECK_EQ(sendfile(out, in, NULL, 100), 10);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 10);
	CHECK_EQ(sendfile(out, in, NULL, 100), 0);
	CHECK_EQ(pread(out, buf, 16, 0), 15);
	CHECK(memcmp(buf, "234560123456789", 15) == 0);
	REQUIRE(pipe(fds) == 0);
	offset = 0;
	CHECK_EQ(sendfile(fds[1], in, &offset, 4), 4);
	CHECK_EQ(read(fds[0], buf, 16), 4);
	CHECK_ERRNO(sendfile(out, 1000, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(out, fds[0], &offset, 1), ESPIPE);
	offset = -1;
	CHECK_ERRNO(sendfile(out, in, &offset, 1), EINVAL);
	close(in);
	close(out);
	close(fds[0]);
	close(fds[1]);
}

static void copying(void)
{
	int in = make("in", "0123456789"), out = make("out", "");
	long long from = 3, to = 1;
	char buf[16];

	CHECK_EQ(syscall(SYS_copy_file_range, in, &from, out, &to, 4L, 0), 4);
	CHECK_EQ(from, 7);
	CHECK_EQ(to, 5);
	CHECK_EQ(pread(out, buf, 16, 0), 5);
	CHECK(memcmp(buf,
		     "\0"
		     "3456",
		     5) == 0);
	CHECK_EQ(syscall(SYS_copy_file_range, in, NULL, out, NULL, 100L, 0), 10);
	CHECK_EQ(syscall(SYS_copy_file_range, in, NULL, out, NULL, 100L, 0), 0);
	CHECK_ERRNO(syscall(SYS_copy_file_range, in, NULL, out, NULL, 1L, 1), EINVAL);
	from = to = 0;
	CHECK_ERRNO(syscall(SYS_copy_file_range, in, &from, in, &to, 5L, 0), EINVAL); /* overlap */
	close(in);
	close(out);
}

static void deleted(void)
{
	int fd = make("gone", "still here");
	struct stat st;
	char buf[16];

	CHECK_OK(unlink("gone"));
	CHECK_ERRNO(open("gone", O_RDONLY), ENOENT);
	CHECK_EQ(pread(fd, buf, 16, 0), 10);
	CHECK_EQ(pwrite(fd, "more", 4, 10), 4);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(st.st_size, 14);
	close(fd);
}

/* Kinds of files between which nothing is moved, and places that are no user memory. */
static void not_to_be_moved(void)
{
	int p[2], file = (int)CHECK_OK(open("unmoved", O_RDWR | O_CREAT | O_TRUNC, 0600));
	int count = (int)CHECK_OK(syscall(SYS_eventfd2, 1, 0)),
	    path = (int)CHECK_OK(open("unmoved", O_PATH)), proc = open("/proc/self/maps", O_RDONLY);
	struct iovec iov[2] = { { "ab", 2 }, { (void *)-4096L, 2 } };

	REQUIRE(pipe(p) == 0);
	CHECK_EQ(write(p[1], "12345678", 8), 8);
	CHECK_ERRNO(splice(count, NULL, p[1], NULL, 8, 0), EINVAL);
	CHECK_ERRNO(splice(p[0], NULL, count, NULL, 8, 0), EINVAL);
	CHECK_EQ(splice(p[0], NULL, file, NULL, 8, 0), 8);
	CHECK_ERRNO(syscall(SYS_copy_file_range, proc, NULL, file, NULL, 8, 0), EXDEV);
	CHECK_ERRNO(futimens(path, NULL), EBADF);
	CHECK_ERRNO(writev(file, iov, 2), EFAULT);
	CHECK_ERRNO(preadv(file, iov + 1, 1, 0), EFAULT);
	iov[0].iov_len = LONG_MAX; /* past the end of memory */
	iov[1] = (struct iovec){ "cd", 2 };
	CHECK_ERRNO(writev(file, iov, 2), EFAULT);
	CHECK_EQ(lseek(file, 0, SEEK_END), 8);
	close(p[0]);
	close(p[1]);
	close(file);
	close(count);
	close(path);
	close(proc);
	CHECK_OK(unlink("unmoved"));
}

static void special_files(void)
{
	char buf[64];
	int zero = (int)CHECK_OK(open("/dev/zero", O_RDWR));
	int null = (int)CHECK_OK(open("/dev/null", O_RDWR));
	int full = open("/dev/full", O_RDWR);

	memset(buf, 1, sizeof(buf));
	CHECK_EQ(read(zero, buf, 64), 64);
	CHECK_EQ(buf[63], 0);
	CHECK_EQ(write(zero, buf, 64), 64);
	CHECK_EQ(read(null, buf, 64), 0);
	CHECK_EQ(write(null, buf, 64), 64);
	CHECK_EQ(lseek(null, 5, SEEK_SET), 0);
	if (full >= 0) {
		CHECK_ERRNO(write(full, buf, 1), ENOSPC);
		CHECK_EQ(read(full, buf, 1), 1);
	}
	close(zero);
	close(null);
	close(full);
}

/* Four processes append records to one file: all arrive whole. */
static void concurrent_append(void)
{
	char record[64];
	pid_t pids[4];
	int fd = make("append", "");

	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			int mine = open("append", O_WRONLY | O_APPEND);

			memset(record, 'a' + i, 64);
			for (int k = 0; k < 100; k++)
				if (write(mine, record, 64) != 64)
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK_EXIT(pids[i], 0);
	CHECK_EQ(size_of(fd), 4 * 100 * 64);
	while (read(fd, record, 64) == 64)
		for (int i = 1; i < 64; i++)
			if (record[i] != record[0])
				REQUIRE(!"a record was torn");
	close(fd);
}

/* A byte for each place in a file that does not repeat with any page or word. */
static unsigned char byte_at(size_t at)
{
	return (unsigned char)(at * 167 / 251 + at / 4093);
}

static bool bytes_are(const unsigned char *p, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != byte_at(at + i))
			return false;
	return true;
}

/* Into memory that is not there yet, at all alignments, by lengths around those where kernels change their way of copying. */
static void long_copies(void)
{
	static const size_t lengths[] = { 511,	512,  513,   640,   1023,  4095,
					  4097, 8192, 20001, 65536, 100003 };
	static unsigned char all[200000];
	int fd = make("long", "");

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = byte_at(i);
	for (size_t off = 0; off < sizeof(all); off += 99999)
		write(fd, all + off, sizeof(all) - off < 99999 ? sizeof(all) - off : 99999);
	CHECK_EQ(size_of(fd), (long)sizeof(all));
	for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		for (size_t shift = 0; shift < 24; shift += 3) {
			unsigned char *p = mmap(NULL, 131072, PROT_READ | PROT_WRITE,
						MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			size_t at = 13 * shift + k;

			if (pread(fd, p + shift, lengths[k], (off_t)at) != (ssize_t)lengths[k] ||
			    !bytes_are(p + shift, lengths[k], at) || p[shift + lengths[k]])
				REQUIRE(!"a long read brought something else");
			munmap(p, 131072);
		}
	}
	close(fd);
}

/* A page that may not be touched in the middle of a long copy: what is before it is copied, nothing behind. */
static void long_copy_with_gap(void)
{
	unsigned char *p =
		mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("long", O_RDWR), fds[2];
	ssize_t n;

	mprotect(p + 20480, 4096, PROT_NONE);
	n = pread(fd, p + 5, 60000, 0);
	CHECK(n > 0 && n <= 20475);
	CHECK(n > 0 && bytes_are(p + 5, (size_t)n, 0));
	CHECK(p[24576] == 0 && p[65535] == 0);
	CHECK_EQ(pread(fd, p + 24576, 40960, 0), 40960);
	CHECK_EQ(pipe(fds), 0);
	n = write(fds[1], p + 8, 60000);
	CHECK(n > 0 && n <= 20472);
	munmap(p, 65536);
	close(fds[0]);
	close(fds[1]);
	close(fd);
}

/* The program's own registers of every kind, with long copies of another thread and of its own in between. */
static void long_copies_and_registers(void)
{
	static char from[65536], to[65536];
	double sums[16];
	int fds[2];
	pid_t pid;

	pipe(fds);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 50; i++)
			write(fds[1], from, sizeof(from));
		_exit(0);
	}
	for (int i = 0; i < 16; i++)
		sums[i] = i * 0.5;
	for (long got = 0; got < 50 * 65536;) {
		ssize_t n = read(fds[0], to, sizeof(to));

		if (n <= 0)
			break;
		got += n;
		for (int i = 0; i < 16; i++)
			sums[i] = sums[i] * 0.5 + i;
	}
	for (int i = 0; i < 16; i++)
		CHECK(sums[i] >= i * 1.99 && sums[i] < i * 2.01 + 0.001);
	CHECK_EXIT(pid, 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	TAP_RUN(seeking);
	TAP_RUN(sparse);
	TAP_RUN(positioned);
	TAP_RUN(vectors);
	TAP_RUN(truncation);
	TAP_FORK(size_limit);
	CHECK_KILLED(tap_spawn(size_limit_signal), SIGXFSZ);
	TAP_RUN(preallocation);
	TAP_RUN(sending);
	TAP_RUN(copying);
	TAP_RUN(deleted);
	TAP_RUN(not_to_be_moved);
	TAP_RUN(special_files);
	TAP_RUN(concurrent_append);
	TAP_RUN(long_copies);
	TAP_RUN(long_copy_with_gap);
	TAP_RUN(long_copies_and_registers);
	tap_rmdir(dir);
	return tap_done();
}

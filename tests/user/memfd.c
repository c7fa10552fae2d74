/* SPDX-License-Identifier: MIT */
/* memfd_create(2) and file seals, as fcntl(2) describes them. */
#include "tap.h"
#include <sys/mman.h>

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
#define CLOEXEC 1U
#define ALLOW_SEALING 2U

static int create(const char *name, unsigned flags)
{
	return (int)syscall(SYS_memfd_create, name, flags);
}

static void basics(void)
{
	char name[300], path[64], buf[64];
	struct stat st;
	int fd = (int)CHECK_OK(create("a name/with slash", CLOEXEC));
	ssize_t n;

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0777);
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK_EQ(pread(fd, buf, 5, 0), 5);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	CHECK_STR(buf, "/memfd:a name/with slash (deleted)");
	close(fd);
	memset(name, 'n', sizeof(name));
	name[249] = '\0';
	fd = (int)CHECK_OK(create(name, 0));
	close(fd);
	name[249] = 'n';
	name[250] = '\0';
	CHECK_ERRNO(create(name, 0), EINVAL);
	CHECK_ERRNO(create("x", 0x100), EINVAL);
	CHECK_ERRNO(create((char *)8, 0), EFAULT);
}

static void seals(void)
{
	int fd = (int)CHECK_OK(create("seals", ALLOW_SEALING)), plain = create("plain", 0);
	char *p;

	CHECK_EQ(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_ERRNO(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	CHECK_OK(ftruncate(fd, 8192));
	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, 0x100), EINVAL);
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	CHECK_ERRNO(ftruncate(fd, 4096), EPERM);
	CHECK_OK(ftruncate(fd, 12288));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	CHECK_ERRNO(ftruncate(fd, 20000), EPERM);
	CHECK_ERRNO(pwrite(fd, "x", 1, 12288), EPERM);
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK_OK(munmap(p, 4096));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK_ERRNO(write(fd, "x", 1), EPERM);
	CHECK_ERRNO(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && p[0] == 'x');
	p[0] = 'y';
	CHECK_OK(munmap(p, 4096));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), EPERM);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	close(fd);
	close(plain);
	fd = open("/dev/null", O_RDWR);
	CHECK_ERRNO(fcntl(fd, F_GET_SEALS), EINVAL);
	close(fd);
}

static void future_write(void)
{
	int fd = (int)CHECK_OK(create("future", ALLOW_SEALING));
	char *p;

	CHECK_OK(ftruncate(fd, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	p[0] = 'm'; /* what is mapped stays writable */
	CHECK_ERRNO(write(fd, "x", 1), EPERM);
	CHECK_ERRNO(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	CHECK_OK(munmap(p, 4096));
	close(fd);
}

/* Two processes see one memfd, through inherited and through reopened descriptors. */
static void shared(void)
{
	int fd = (int)CHECK_OK(create("shared", 0)), again;
	char path[64], c = 0;
	char *p;
	pid_t pid;

	CHECK_OK(ftruncate(fd, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		p[5] = 'c';
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(p[5], 'c');
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = (int)CHECK_OK(open(path, O_RDONLY));
	CHECK_EQ(pread(again, &c, 1, 5), 1);
	CHECK_EQ(c, 'c');
	CHECK_ERRNO(write(again, "x", 1), EBADF);
	close(again);
	close(fd);
	CHECK_OK(munmap(p, 4096));
}

int main(void)
{
	TAP_RUN(basics);
	TAP_RUN(seals);
	TAP_RUN(future_write);
	TAP_RUN(shared);
	return tap_done();
}

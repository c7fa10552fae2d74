/* SPDX-License-Identifier: MIT */
/*
 * Which pages of files and mappings are in memory: mincore, cachestat; and advice about another process's, process_madvise. On tmpfs, which brings in
 * nothing by itself, so that Linux and Caelum can be asked for exact numbers.
 */
#include "tap.h"
#include "mounts.h"
#include <sys/mman.h>
#include <sys/uio.h>

#define NR_cachestat	   451
#define NR_process_madvise 440
#define NR_pidfd_open	   434

#define NPAGES 64

struct range {
	uint64_t off, len;
};
struct counts {
	uint64_t cache, dirty, writeback, evicted, recently_evicted;
};

static size_t page;

static long cachestat(int fd, uint64_t off, uint64_t len, struct counts *c)
{
	struct range r = { off, len };

	memset(c, 0xff, sizeof(*c));
	return syscall(NR_cachestat, fd, &r, c, 0);
}

static uint64_t cached(int fd, uint64_t off, uint64_t len)
{
	struct counts c;

	CHECK_OK(cachestat(fd, off, len, &c));
	CHECK_EQ(c.dirty, 0);
	CHECK_EQ(c.writeback, 0);
	CHECK_EQ(c.evicted, 0);
	CHECK_EQ(c.recently_evicted, 0);
	return c.cache;
}

static int resident(void *at, size_t npages)
{
	unsigned char vec[NPAGES];
	int n = 0;

	memset(vec, 0xff, sizeof(vec));
	CHECK_OK(mincore(at, npages * page, vec));
	for (size_t i = 0; i < npages; i++)
		n += vec[i] & 1;
	return n;
}

static int new_file(size_t npages)
{
	int fd = (int)CHECK_OK(open("file", O_RDWR | O_CREAT | O_EXCL, 0600));

	CHECK_OK(unlink("file"));
	CHECK_OK(ftruncate(fd, (off_t)(npages * page)));
	return fd;
}

static char *map(int fd, int flags)
{
	char *at = mmap(NULL, NPAGES * page, PROT_READ | PROT_WRITE, flags, fd, 0);

	REQUIRE(at != MAP_FAILED);
	return at;
}

static void holes(void)
{
	int fd = new_file(NPAGES);
	char *at = map(fd, MAP_SHARED);

	CHECK_EQ(resident(at, NPAGES), 0);
	CHECK_EQ(cached(fd, 0, 0), 0);
	at[20 * page] = 1;
	CHECK_EQ(resident(at, NPAGES), 1);
	CHECK_EQ(resident(at + 20 * page, 1), 1);
	CHECK_EQ(resident(at + 21 * page, 4), 0);
	CHECK_EQ(cached(fd, 0, 0), 1);
	CHECK_EQ(pwrite(fd, "x", 1, (off_t)(30 * page)), 1);
	CHECK_EQ(resident(at + 30 * page, 1), 1);
	CHECK_EQ(cached(fd, 0, 0), 2);
	munmap(at, NPAGES * page);
	close(fd);
}

/* Room that was asked for but never used counts as cached, and is not in memory to those who map it. */
static void reserved(void)
{
	int fd = new_file(0);
	char *at, byte = 1;

	CHECK_OK(fallocate(fd, 0, 0, (off_t)(NPAGES * page)));
	at = map(fd, MAP_SHARED);
	CHECK_EQ(cached(fd, 0, 0), NPAGES);
	CHECK_EQ(resident(at, NPAGES), 0);
	CHECK_ERRNO(lseek(fd, 0, SEEK_DATA), ENXIO);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK_EQ(pread(fd, &byte, 1, (off_t)(3 * page)), 1);
	CHECK_EQ(byte, 0);
	CHECK_EQ(resident(at, NPAGES), 0);
	CHECK_EQ(at[5 * page], 0);
	CHECK_EQ(resident(at, NPAGES), 1);
	CHECK_EQ(pwrite(fd, "xy", 2, (off_t)(9 * page - 1)), 2);
	CHECK_EQ(resident(at + 8 * page, 2), 2);
	CHECK_EQ(lseek(fd, (off_t)(6 * page), SEEK_DATA), 8 * page);
	CHECK_EQ(lseek(fd, (off_t)(8 * page), SEEK_HOLE), 10 * page);
	CHECK_EQ(at[8 * page], 0);
	CHECK_EQ(at[9 * page - 1], 'x');
	CHECK_EQ(at[9 * page], 'y');
	CHECK_EQ(cached(fd, 0, 0), NPAGES);
	CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)(16 * page)));
	CHECK_EQ(cached(fd, 0, 0), NPAGES - 16);
	munmap(at, NPAGES * page);
	close(fd);
}

static void anonymous(void)
{
	char *at = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);

	CHECK_EQ(resident(at, NPAGES), 0);
	at[3 * page] = 1;
	CHECK_EQ(resident(at + 3 * page, 1), 1);
	munmap(at, NPAGES * page);
	at = map(-1, MAP_SHARED | MAP_ANONYMOUS);
	CHECK_EQ(resident(at, NPAGES), 0);
	at[3 * page] = 1;
	CHECK_EQ(resident(at, NPAGES), 1);
	munmap(at, NPAGES * page);
}

static void private_copies(void)
{
	int fd = new_file(NPAGES);
	char *at = map(fd, MAP_PRIVATE);

	CHECK_EQ(pwrite(fd, "x", 1, (off_t)page), 1);
	CHECK_EQ(resident(at, 4), 1);
	at[2 * page] = 1;
	CHECK(resident(at + 2 * page, 1) == 1);
	munmap(at, NPAGES * page);
	close(fd);
}

static void mincore_errors(void)
{
	unsigned char vec[4];
	char *at = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);

	CHECK_ERRNO(mincore(at + 1, page, vec), EINVAL);
	CHECK_ERRNO(mincore(at, page, (void *)-1L), EFAULT);
	CHECK_ERRNO(mincore(at, page, NULL), EFAULT);
	CHECK_ERRNO(mincore(at, (size_t)-1, vec), ENOMEM);
	munmap(at + page, page);
	CHECK_ERRNO(mincore(at, 2 * page, vec), ENOMEM);
	CHECK_OK(mincore(at, 0, vec));
	munmap(at, NPAGES * page);
}

/* Of a file that one may neither write nor owns nothing is told. */
static void others_file(void)
{
	int fd = (int)CHECK_OK(open("theirs", O_RDONLY | O_CREAT, 0644));
	char *at;

	CHECK_OK(truncate("theirs", (off_t)(NPAGES * page)));
	CHECK_OK(setresgid(1, 1, 1));
	CHECK_OK(setresuid(1, 1, 1));
	at = mmap(NULL, 4 * page, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(at != MAP_FAILED);
	CHECK_EQ(resident(at, 4), 4);
	munmap(at, 4 * page);
	close(fd);
}

static void cachestat_ranges(void)
{
	int fd = new_file(NPAGES);
	char *text = calloc(1, 16 * page);

	CHECK_EQ(pwrite(fd, text, 16 * page, 0), 16 * page);
	CHECK_EQ(cached(fd, 0, 0), 16);
	CHECK_EQ(cached(fd, 0, 1), 1);
	CHECK_EQ(cached(fd, page - 1, 2), 2);
	CHECK_EQ(cached(fd, page, page), 1);
	CHECK_EQ(cached(fd, 10 * page, 0), 6);
	CHECK_EQ(cached(fd, 15 * page, 100 * page), 1);
	CHECK_EQ(cached(fd, 16 * page, 0), 0);
	CHECK_EQ(cached(fd, UINT64_MAX - 10, 0), 0);
	CHECK_OK(ftruncate(fd, (off_t)(4 * page)));
	CHECK_EQ(cached(fd, 0, 0), 4);
	close(fd);
	free(text);
}

/* More than is looked at in one go. */
static void cachestat_large(void)
{
	int fd = new_file(0);

	CHECK_OK(fallocate(fd, 0, 0, (off_t)(1000 * page)));
	CHECK_EQ(cached(fd, 0, 0), 1000);
	CHECK_EQ(cached(fd, page, 998 * page), 998);
	close(fd);
}

static void cachestat_errors(void)
{
	struct range r = { 0, 0 };
	struct counts c;
	int fd = new_file(1), fds[2], path = (int)CHECK_OK(open(".", O_PATH));

	CHECK_ERRNO(syscall(NR_cachestat, -1, &r, &c, 0), EBADF);
	CHECK_ERRNO(syscall(NR_cachestat, path, &r, &c, 0), EBADF);
	CHECK_ERRNO(syscall(NR_cachestat, fd, NULL, &c, 0), EFAULT);
	CHECK_ERRNO(syscall(NR_cachestat, fd, &r, NULL, 0), EFAULT);
	CHECK_ERRNO(syscall(NR_cachestat, fd, &r, &c, 1), EINVAL);
	CHECK_OK(pipe(fds));
	CHECK_OK(cachestat(fds[0], 0, 0, &c));
	CHECK_EQ(c.cache, 0);
	close(fds[0]);
	close(fds[1]);
	close(fd);
	fd = (int)CHECK_OK(open("/dev/zero", O_RDWR));
	CHECK_OK(cachestat(fd, 0, 0, &c));
	CHECK_EQ(c.cache, 0);
	close(fd);
	close(path);
}

/* ---- process_madvise ---- */

static long advise(int pidfd, void *at, size_t len, int advice)
{
	struct iovec iov = { at, len };

	return syscall(NR_process_madvise, pidfd, &iov, 1, advice, 0);
}

static void advice_to_others(void)
{
	char *at = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);
	struct iovec two[2] = { { at, page }, { at + 2 * page, 3 * page } };
	pid_t child;
	int pidfd;

	memset(at, 7, NPAGES * page);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	pidfd = (int)CHECK_OK(syscall(NR_pidfd_open, child, 0));
	CHECK_EQ(advise(pidfd, at, 4 * page, MADV_COLD), 4 * page);
	CHECK_EQ(advise(pidfd, at, 4 * page, MADV_PAGEOUT), 4 * page);
	CHECK_EQ(syscall(NR_process_madvise, pidfd, two, 2, MADV_COLD, 0), 4 * page);
	CHECK_EQ(advise(pidfd, at, 0, MADV_COLD), 0);
	CHECK_EQ(syscall(NR_process_madvise, pidfd, NULL, 0, MADV_COLD, 0), 0);
	/* What would destroy is for oneself only. */
	CHECK_ERRNO(advise(pidfd, at, page, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(advise(pidfd, at, page, MADV_DONTFORK), EINVAL);
	CHECK_ERRNO(advise(pidfd, at, page, 12345), EINVAL);
	CHECK_ERRNO(advise(pidfd, at + 1, page, MADV_COLD), EINVAL);
	CHECK_ERRNO(syscall(NR_process_madvise, pidfd, two, 2, MADV_COLD, 1), EINVAL);
	CHECK_ERRNO(syscall(NR_process_madvise, pidfd, two, 1025, MADV_COLD, 0), EINVAL);
	CHECK_ERRNO(syscall(NR_process_madvise, pidfd, (void *)8, 2, MADV_COLD, 0), EFAULT);
	CHECK_ERRNO(syscall(NR_process_madvise, -1, two, 2, MADV_COLD, 0), EBADF);
	CHECK_ERRNO(syscall(NR_process_madvise, 0, two, 2, MADV_COLD, 0), EBADF);
	munmap(at, NPAGES * page);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK_ERRNO(advise(pidfd, at, page, MADV_COLD), ESRCH);
	close(pidfd);
}

/* A piece that is not mapped ends it; what was done before counts. */
static void advice_in_pieces(void)
{
	char *at = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);
	struct iovec iov[2] = { { at, page }, { at + 8 * page, page } };
	int pidfd = (int)CHECK_OK(syscall(NR_pidfd_open, getpid(), 0));

	munmap(at + 8 * page, page);
	CHECK_EQ(syscall(NR_process_madvise, pidfd, iov, 2, MADV_COLD, 0), page);
	CHECK_ERRNO(advise(pidfd, at + 8 * page, page, MADV_COLD), ENOMEM);
	munmap(at, NPAGES * page);
	close(pidfd);
}

static void advice_without_rights(void)
{
	char *at = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);
	int init = (int)CHECK_OK(syscall(NR_pidfd_open, 1, 0));

	CHECK_OK(setresgid(1, 1, 1));
	CHECK_OK(setresuid(1, 1, 1));
	CHECK_ERRNO(advise(init, at, page, MADV_COLD), EACCES);
	close(init);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	page = (size_t)sysconf(_SC_PAGESIZE);
	mounts_unshare();
	mounts_enter_tmpfs("mode=755,huge=never");
	TAP_RUN(holes);
	TAP_RUN(reserved);
	TAP_RUN(anonymous);
	TAP_RUN(private_copies);
	TAP_RUN(mincore_errors);
	TAP_FORK(others_file);
	TAP_RUN(cachestat_ranges);
	TAP_RUN(cachestat_large);
	TAP_RUN(cachestat_errors);
	TAP_RUN(advice_to_others);
	TAP_RUN(advice_in_pieces);
	TAP_FORK(advice_without_rights);
	mounts_leave_tmpfs();
	tap_rmdir(dir);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * open(2) and descriptors: every flag with its errors, O_PATH, O_TMPFILE, names and paths at their
 * limits, dup and fcntl, close_range, record locks and flock.
 */
#include "tap.h"
#include <limits.h>
#include <sys/file.h>
#include <sys/resource.h>

static int make(const char *name, const char *text)
{
	REQUIRE(tap_write_file(name, text, strlen(text), 0644) == 0);
	return (int)CHECK_OK(open(name, O_RDWR));
}

static void flags_table(void)
{
	static const struct {
		const char *path;
		int flags, error;
	} table[] = {
		{ "missing", O_RDONLY, ENOENT },
		{ "file", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
		{ "dir", O_WRONLY, EISDIR },
		{ "dir", O_RDWR, EISDIR },
		{ "dir", O_RDONLY | O_CREAT, EISDIR },
		{ "dir", O_RDONLY | O_TRUNC, EISDIR },
		{ "file", O_RDONLY | O_DIRECTORY, ENOTDIR },
		{ "file/x", O_RDONLY, ENOTDIR },
		{ "file/", O_RDONLY, ENOTDIR },
		{ "new/", O_WRONLY | O_CREAT, EISDIR },
		{ "missing/x", O_WRONLY | O_CREAT, ENOENT },
		{ "link", O_RDONLY | O_NOFOLLOW, ELOOP },
		{ "link", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
		{ "dangling", O_RDONLY, ENOENT },
		{ "dangling", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
		{ "loop", O_RDONLY, ELOOP },
		{ "loop/x", O_RDONLY, ELOOP },
		{ "dirlink", O_RDONLY | O_NOFOLLOW | O_DIRECTORY, ENOTDIR },
		{ "", O_RDONLY, ENOENT },
		{ "dir", O_TMPFILE | O_RDONLY, EINVAL },
		{ "file", O_TMPFILE | O_RDWR, ENOTDIR },
	};

	close(make("file", "text"));
	CHECK_OK(mkdir("dir", 0755));
	CHECK_OK(symlink("file", "link"));
	CHECK_OK(symlink("nowhere", "dangling"));
	CHECK_OK(symlink("loop", "loop"));
	CHECK_OK(symlink("dir", "dirlink"));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int fd = open(table[i].path, table[i].flags, 0644), error = errno;

		if (fd >= 0 || error != table[i].error)
			tap_fail(__FILE__, __LINE__, "open(\"%s\", %#o): %s, wanted %s",
				 table[i].path, table[i].flags,
				 fd >= 0 ? "opened" : tap_errname(error),
				 tap_errname(table[i].error));
		close(fd);
	}
}

static void create_through_link(void)
{
	int fd = (int)CHECK_OK(open("dangling", O_WRONLY | O_CREAT, 0600));

	close(fd);
	CHECK_OK(access("nowhere", F_OK));
	CHECK_OK(unlink("nowhere"));
}

static void truncate_and_append(void)
{
	struct stat st;
	char buf[16];
	int fd = make("ta", "0123456789"), other;

	other = (int)CHECK_OK(open("ta", O_WRONLY | O_APPEND));
	CHECK_EQ(lseek(other, 0, SEEK_CUR), 0);
	CHECK_EQ(write(fd, "AB", 2), 2);
	CHECK_EQ(write(other, "yz", 2), 2);
	CHECK_EQ(lseek(other, 0, SEEK_CUR), 12);
	CHECK_EQ(lseek(other, 0, SEEK_SET), 0);
	CHECK_EQ(write(other, "!", 1), 1);
	CHECK_EQ(pread(fd, buf, 16, 0), 13);
	CHECK(memcmp(buf, "AB23456789yz!", 13) == 0);
	close(other);
	other = (int)CHECK_OK(open("ta", O_WRONLY | O_TRUNC));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(read(fd, buf, 16), 0);
	close(other);
	close(fd);
}

static void access_modes(void)
{
	int rd, wr;
	char c;

	close(make("am", "x"));
	rd = (int)CHECK_OK(open("am", O_RDONLY));
	wr = (int)CHECK_OK(open("am", O_WRONLY));
	CHECK_ERRNO(write(rd, "y", 1), EBADF);
	CHECK_ERRNO(read(wr, &c, 1), EBADF);
	CHECK_ERRNO(ftruncate(rd, 0), EINVAL);
	CHECK_EQ(fcntl(rd, F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK_EQ(fcntl(wr, F_GETFL) & O_ACCMODE, O_WRONLY);
	close(rd);
	close(wr);
	CHECK_ERRNO(close(wr), EBADF);
	CHECK_ERRNO(close(-1), EBADF);
	CHECK_ERRNO(read(wr, &c, 1), EBADF);
	rd = (int)CHECK_OK(open("dir", O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(read(rd, &c, 1), EISDIR);
	CHECK_ERRNO(write(rd, &c, 1), EBADF);
	close(rd);
}

static void path_descriptors(void)
{
	struct stat st;
	char buf[64];
	int fd, again;

	fd = (int)CHECK_OK(open("link", O_PATH | O_NOFOLLOW));
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(readlinkat(fd, "", buf, sizeof(buf)), 4);
	CHECK_ERRNO(read(fd, buf, 1), EBADF);
	CHECK_ERRNO(syscall(SYS_fchmod, fd, 0600), EBADF);
	CHECK_ERRNO(fcntl(fd, F_SETFL, O_APPEND), EBADF);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	close(fd);
	fd = (int)CHECK_OK(open("dir", O_PATH));
	again = (int)CHECK_OK(openat(fd, "inside", O_WRONLY | O_CREAT, 0644));
	close(again);
	CHECK_OK(access("dir/inside", F_OK));
	CHECK_OK(fchdir(fd));
	CHECK_OK(chdir(".."));
	CHECK_OK(unlinkat(fd, "inside", 0));
	CHECK_ERRNO(unlinkat(fd, "inside", 0), ENOENT);
	close(fd);
	fd = (int)CHECK_OK(open("file", O_PATH));
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
	again = (int)CHECK_OK(open(buf, O_RDONLY));
	CHECK_EQ(read(again, buf, 4), 4);
	close(again);
	CHECK_ERRNO(openat(fd, "x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(openat(1000, "x", O_RDONLY), EBADF);
	close(fd);
}

static void unnamed_files(void)
{
	char path[64];
	struct stat st;
	int fd = open("dir", O_TMPFILE | O_RDWR, 0600);

	if (fd < 0 && errno == EOPNOTSUPP) {
		NOTE("left out: no O_TMPFILE here");
		return;
	}
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "tmp", 3), 3);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_OK(rmdir("dir"));
	CHECK_OK(mkdir("dir", 0755));
	close(fd);
	fd = (int)CHECK_OK(open("dir", O_TMPFILE | O_RDWR, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_OK(linkat(AT_FDCWD, path, AT_FDCWD, "dir/named", AT_SYMLINK_FOLLOW));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 1);
	CHECK_OK(unlink("dir/named"));
	close(fd);
	fd = (int)CHECK_OK(open("dir", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_ERRNO(linkat(AT_FDCWD, path, AT_FDCWD, "dir/named", AT_SYMLINK_FOLLOW), ENOENT);
	close(fd);
}

static void name_limits(void)
{
	char name[300], *path = malloc(8192);
	int fd;

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	fd = (int)CHECK_OK(open(name, O_CREAT | O_WRONLY, 0600));
	close(fd);
	CHECK_OK(unlink(name));
	name[255] = 'n';
	name[256] = '\0';
	CHECK_ERRNO(open(name, O_CREAT | O_WRONLY, 0600), ENAMETOOLONG);
	CHECK_ERRNO(mkdir(name, 0700), ENAMETOOLONG);
	CHECK_ERRNO(open(name, O_RDONLY), ENAMETOOLONG);
	for (int i = 0; i < 8192; i += 2)
		memcpy(path + i, "./", 2);
	memcpy(path + 4091, "file", 5); /* 4095 bytes and the NUL */
	path[4090] = '/';
	CHECK_EQ(strlen(path), 4095);
	fd = (int)CHECK_OK(open(path, O_RDONLY));
	close(fd);
	memcpy(path + 4091, "/file", 6);
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	CHECK_ERRNO(symlink(path, "toolong"), ENAMETOOLONG);
	free(path);
}

static void duplicates(void)
{
	int fd = make("dup", "abcdef"), two, three;
	char c;

	two = (int)CHECK_OK(dup(fd));
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(read(two, &c, 1), 1);
	CHECK_EQ(c, 'b'); /* one position for both */
	CHECK_EQ(dup2(fd, fd), fd);
	CHECK_ERRNO(syscall(SYS_dup3, fd, fd, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_dup3, fd, two, 1), EINVAL);
	CHECK_ERRNO(dup2(1000, 5), EBADF);
	CHECK_ERRNO(dup2(fd, -1), EBADF);
	CHECK_EQ(dup3(fd, 90, O_CLOEXEC), 90);
	CHECK_EQ(fcntl(90, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(dup2(fd, 90), 90);
	CHECK_EQ(fcntl(90, F_GETFD), 0);
	three = (int)CHECK_OK(fcntl(fd, F_DUPFD, 95));
	CHECK_EQ(three, 95);
	CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 95), 96);
	CHECK_EQ(fcntl(96, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
	CHECK_ERRNO(fcntl(fd, 9999, 0), EINVAL);
	CHECK_OK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	CHECK_EQ(fcntl(two, F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
	CHECK_OK(syscall(SYS_close_range, 90, 96, 4)); /* CLOSE_RANGE_CLOEXEC */
	CHECK_EQ(fcntl(95, F_GETFD), FD_CLOEXEC);
	CHECK_OK(syscall(SYS_close_range, 90, ~0U, 0));
	CHECK_ERRNO(fcntl(95, F_GETFD), EBADF);
	CHECK_ERRNO(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_close_range, 5, 6, 64), EINVAL);
	close(fd);
	close(two);
}

static void lowest_and_limit(void)
{
	struct rlimit limit = { 20, 20 };
	int fd, first;

	first = (int)CHECK_OK(open("file", O_RDONLY));
	fd = (int)CHECK_OK(open("file", O_RDONLY));
	close(first);
	CHECK_EQ(open("file", O_RDONLY), first);
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	while ((fd = open("file", O_RDONLY)) >= 0)
		CHECK(fd < 20);
	CHECK_EQ(errno, EMFILE);
	CHECK_ERRNO(dup(0), EMFILE);
	CHECK_ERRNO(dup2(0, 20), EBADF);
	CHECK_ERRNO(fcntl(0, F_DUPFD, 20), EINVAL);
}

static struct flock lock_of(short type, off_t start, off_t len)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len
	};
}

/* What another process sees when it asks for a write lock on [start, start + len). */
static short seen_by_child(int fd, off_t start, off_t len)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct flock lock = lock_of(F_WRLCK, start, len);
		pid_t parent = getppid();

		if (fcntl(fd, F_GETLK, &lock) != 0)
			_exit(99);
		if (lock.l_type != F_UNLCK && lock.l_pid != parent)
			_exit(98);
		_exit(lock.l_type);
	}
	status = tap_wait(pid);
	return (short)WEXITSTATUS(status);
}

static void record_locks(void)
{
	int fd = make("locks", "0123456789"), other;
	struct flock lock = lock_of(F_WRLCK, 0, 10);
	pid_t pid;

	CHECK_OK(fcntl(fd, F_SETLK, &lock));
	CHECK_EQ(seen_by_child(fd, 5, 1), F_WRLCK);
	CHECK_EQ(seen_by_child(fd, 10, 1), F_UNLCK);
	lock = lock_of(F_UNLCK, 4, 2);
	CHECK_OK(fcntl(fd, F_SETLK, &lock));
	CHECK_EQ(seen_by_child(fd, 4, 2), F_UNLCK);
	CHECK_EQ(seen_by_child(fd, 3, 1), F_WRLCK);
	lock = lock_of(F_RDLCK, 0, 1);
	CHECK_OK(fcntl(fd, F_SETLK, &lock));
	CHECK_EQ(seen_by_child(fd, 0, 1), F_RDLCK);
	pid = fork();
	if (pid == 0) {
		tap_nfailed = 0;
		lock = lock_of(F_WRLCK, 8, 1);
		CHECK_ERRNO(fcntl(fd, F_SETLK, &lock), EAGAIN);
		lock = lock_of(F_RDLCK, 0, 1);
		CHECK_OK(fcntl(fd, F_SETLK, &lock));
		lock = lock_of(F_WRLCK, 8, 1);
		CHECK_OK(fcntl(fd, F_SETLKW, &lock)); /* waits until the parent closes */
		_exit(tap_nfailed);
	}
	CHECK(tap_wait_state(pid, 'S'));
	other = (int)CHECK_OK(open("locks", O_RDONLY));
	close(other); /* closing any descriptor of the file drops the process's locks */
	CHECK_EXIT(pid, 0);
	lock = lock_of(77, 0, 1);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &lock), EINVAL);
	lock = lock_of(F_WRLCK, -5, 1);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &lock), EINVAL);
	close(fd);
	fd = (int)CHECK_OK(open("locks", O_RDONLY));
	lock = lock_of(F_WRLCK, 0, 1);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &lock), EBADF);
	close(fd);
}

static void deadlock(void)
{
	int fd = make("dead", "ab");
	struct flock first = lock_of(F_WRLCK, 0, 1), second = lock_of(F_WRLCK, 1, 1);
	int fds[2];
	pid_t pid;
	char c;

	REQUIRE(pipe(fds) == 0);
	CHECK_OK(fcntl(fd, F_SETLK, &first));
	pid = fork();
	if (pid == 0) {
		tap_nfailed = 0;
		CHECK_OK(fcntl(fd, F_SETLK, &second));
		CHECK_EQ(write(fds[1], "x", 1), 1);
		CHECK_OK(fcntl(fd, F_SETLKW, &first));
		_exit(tap_nfailed);
	}
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_ERRNO(fcntl(fd, F_SETLKW, &second), EDEADLK);
	first.l_type = F_UNLCK;
	CHECK_OK(fcntl(fd, F_SETLK, &first));
	CHECK_EXIT(pid, 0);
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

static void whole_file_locks(void)
{
	int a = make("flock", ""), b = open("flock", O_RDONLY), c = dup(a);

	CHECK_OK(flock(a, LOCK_EX));
	CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EAGAIN);
	CHECK_OK(flock(c, LOCK_EX | LOCK_NB)); /* the same open file */
	CHECK_OK(flock(a, LOCK_SH));
	CHECK_OK(flock(b, LOCK_SH | LOCK_NB));
	CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
	CHECK_OK(flock(c, LOCK_UN));
	CHECK_OK(flock(b, LOCK_EX | LOCK_NB));
	close(b);
	CHECK_OK(flock(a, LOCK_EX | LOCK_NB));
	CHECK_ERRNO(flock(a, 0), EINVAL);
	CHECK_ERRNO(flock(1000, LOCK_SH), EBADF);
	close(a);
	close(c);
}

#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY 1028
#endif
#define RESOLVE_BENEATH_ 8
#define RESOLVE_IN_ROOT_ 16

/* What an open file remembers of how it came to be. */
static void remembers_creation(void)
{
	int made, there, unnamed = (int)CHECK_OK(open(".", O_TMPFILE | O_RDWR, 0600));

	CHECK_EQ(fcntl(unnamed, F_GETFL) & O_TMPFILE, O_TMPFILE);
	unlink("fresh");
	made = (int)CHECK_OK(open("fresh", O_CREAT | O_RDWR, 0600));
	there = (int)CHECK_OK(open("fresh", O_CREAT | O_RDWR, 0600));
	CHECK_EQ(fcntl(made, F_CREATED_QUERY), 1);
	CHECK_EQ(fcntl(there, F_CREATED_QUERY), 0);
	CHECK_EQ(fcntl(unnamed, F_CREATED_QUERY), 0); /* O_CREAT is what is asked about */
	CHECK_ERRNO(fcntl(-1, F_CREATED_QUERY), EBADF);
	close(made);
	close(there);
	close(unnamed);
	unlink("fresh");
}

/* O_CREAT through links at the end of a path, inside a root and beneath a directory. */
static void creates_within_root(void)
{
	static const struct {
		const char *link, *target, *made;
		int resolve, error;
	} cases[] = {
		{ "abs", "/new1", "new1", RESOLVE_IN_ROOT_, 0 },
		{ "up", "../../../new2", "new2", RESOLVE_IN_ROOT_, 0 },
		{ "sub/rel", "../new3", "new3", RESOLVE_IN_ROOT_, 0 },
		{ "twice", "sub/to-abs", "sub/new4", RESOLVE_IN_ROOT_, 0 },
		{ "beside", "new5", "new5", RESOLVE_BENEATH_, 0 },
		{ "sub/back", "../new6", "new6", RESOLVE_BENEATH_, 0 },
		{ "sub/out", "../../new7", NULL, RESOLVE_BENEATH_, EXDEV },
		{ "abs-out", "/new8", NULL, RESOLVE_BENEATH_, EXDEV },
	};
	int jail;

	CHECK_OK(mkdir("jail", 0755));
	CHECK_OK(mkdir("jail/sub", 0755));
	CHECK_OK(symlink("/sub/new4", "jail/sub/to-abs"));
	jail = (int)CHECK_OK(open("jail", O_PATH));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct {
			unsigned long long flags, mode, resolve;
		} how = { O_CREAT | O_RDWR, 0600, (unsigned)cases[i].resolve };
		long fd;

		CHECK_OK(symlinkat(cases[i].target, jail, cases[i].link));
		fd = syscall(437, jail, cases[i].link, &how, sizeof(how));
		if (cases[i].error) {
			CHECK(fd == -1 && errno == cases[i].error);
		} else {
			CHECK_OK(fd);
			close((int)fd);
			CHECK_OK(unlinkat(jail, cases[i].made, 0));
		}
		CHECK_OK(unlinkat(jail, cases[i].link, 0));
	}
	close(jail);
	CHECK_OK(unlink("jail/sub/to-abs"));
	CHECK_OK(rmdir("jail/sub"));
	CHECK_OK(rmdir("jail"));
}

/* A directory moved out from below the root of a walk never leads past it: EAGAIN, EXDEV, or the right answer. */
static void beneath_while_renaming(void)
{
	struct {
		unsigned long long flags, mode, resolve;
	} how = { O_PATH, 0, RESOLVE_BENEATH_ };
	static const char path[] = "c/../../c/../../c/../../c/../../c/../../c/../../c/../..";
	int a, wrong = 0;
	pid_t pid;

	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mkdir("a/c", 0755));
	CHECK_OK(mkdir("b", 0755));
	a = (int)CHECK_OK(open("a", O_PATH));
	pid = fork();
	if (!pid)
		for (;;)
			syscall(SYS_renameat2, AT_FDCWD, "a/c", AT_FDCWD, "b", 2);
	for (int i = 0; i < 30000; i++) {
		int fd = (int)syscall(437, a, path, &how, sizeof(how));

		wrong += fd >= 0 || (errno != EAGAIN && errno != EXDEV);
		if (fd >= 0)
			close(fd);
	}
	CHECK_EQ(wrong, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(a);
	rmdir("a/c");
	rmdir("a");
	rmdir("b");
}

/* fallocate() beyond the size a process may make files. */
static void size_limit(void)
{
	struct rlimit small = { 8192, RLIM_INFINITY };
	int fd = (int)CHECK_OK(open(".", O_TMPFILE | O_RDWR, 0600));

	signal(SIGXFSZ, SIG_IGN);
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &small));
	CHECK_OK(fallocate(fd, 0, 0, 8192));
	CHECK_ERRNO(fallocate(fd, 0, 4096, 4097), EFBIG);
	CHECK_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4096, 8192));
	CHECK_ERRNO(ftruncate(fd, 8193), EFBIG);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 8192);
	close(fd);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	umask(022);
	TAP_RUN(flags_table);
	TAP_RUN(create_through_link);
	TAP_RUN(truncate_and_append);
	TAP_RUN(access_modes);
	TAP_RUN(path_descriptors);
	TAP_RUN(unnamed_files);
	TAP_RUN(name_limits);
	TAP_RUN(remembers_creation);
	TAP_RUN(creates_within_root);
	TAP_RUN(beneath_while_renaming);
	TAP_FORK(size_limit);
	TAP_FORK(duplicates);
	TAP_FORK(lowest_and_limit);
	TAP_RUN(record_locks);
	TAP_RUN(deadlock);
	TAP_RUN(whole_file_locks);
	tap_rmdir(dir);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Advisory locks: flock, POSIX record locks, open-file-description locks; who is in the way, splitting and joining of
 * ranges, release by close and exit, waiting, deadlock. flock(2), fcntl(2).
 */
#include "tap.h"
#include <sys/file.h>

#ifndef F_OFD_SETLK
#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#endif

static int fd;

static int lock(int file, int cmd, int type, long start, long len)
{
	struct flock fl = {
		.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len
	};

	return fcntl(file, cmd, &fl);
}

/* In a child, which has no locks of its own: who holds [start, start + len) against a write lock? 0: nobody. */
static pid_t holder(long start, long len)
{
	int result[2];
	pid_t who = -1, pid;

	REQUIRE(pipe(result) == 0);
	pid = fork();
	if (pid == 0) {
		struct flock fl = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len
		};
		int file = open("file", O_RDWR);

		who = fcntl(file, F_GETLK, &fl) ? -2 : fl.l_type == F_UNLCK ? 0 : fl.l_pid;
		_exit(write(result[1], &who, sizeof(who)) != sizeof(who));
	}
	CHECK_EQ(read(result[0], &who, sizeof(who)), sizeof(who));
	close(result[0]);
	close(result[1]);
	tap_wait(pid);
	return who;
}

static void record_locks(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 5 };
	int other;

	CHECK_EQ(holder(0, 0), 0);
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 10, 20));
	CHECK_EQ(holder(0, 10), 0);
	CHECK_EQ(holder(0, 11), getpid());
	CHECK_EQ(holder(29, 1), getpid());
	CHECK_EQ(holder(30, 0), 0);
	CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 15, 5)); /* a hole: two locks of one */
	CHECK_EQ(holder(15, 5), 0);
	CHECK_EQ(holder(14, 1), getpid());
	CHECK_EQ(holder(20, 1), getpid());
	CHECK_OK(lock(fd, F_SETLK, F_RDLCK, 0, 0)); /* everything, for reading */
	CHECK_EQ(holder(1000000, 1), getpid());
	CHECK_OK(fcntl(fd, F_GETLK, &fl)); /* one's own are never in the way */
	CHECK_EQ(fl.l_type, F_UNLCK);
	other = (int)CHECK_OK(open("file", O_RDONLY));
	CHECK_ERRNO(lock(other, F_SETLK, F_WRLCK, 0, 1), EBADF);
	close(other); /* closing any descriptor of the file drops them all */
	CHECK_EQ(holder(0, 0), 0);
	fl.l_type = 9;
	CHECK_ERRNO(fcntl(fd, F_SETLK, &fl), EINVAL);
	CHECK_ERRNO(lock(fd, F_SETLK, F_RDLCK, -1, 1), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SETLK, (void *)8), EFAULT);
}

static void child_takes_lock(void)
{
	int file = open("file", O_RDWR);

	CHECK_ERRNO(lock(file, F_SETLK, F_WRLCK, 0, 10), EAGAIN);
	CHECK_OK(lock(file, F_SETLK, F_WRLCK, 10, 10));
	CHECK_OK(lock(file, F_SETLKW, F_WRLCK, 0, 10)); /* until the parent lets go */
}

static void waiting(void)
{
	pid_t pid;

	CHECK_OK(lock(fd, F_SETLK, F_RDLCK, 0, 10));
	pid = tap_spawn(child_takes_lock);
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 0, 10));
	CHECK_EXIT(pid, 0);
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0)); /* its locks went with it */
	CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 0, 0));
}

static void child_waits_for_parent(void)
{
	int file = open("file", O_RDWR);

	CHECK_OK(lock(file, F_SETLK, F_WRLCK, 1, 1));
	CHECK_OK(lock(file, F_SETLKW, F_WRLCK, 0, 1));
}

static void deadlock(void)
{
	pid_t pid;

	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
	pid = tap_spawn(child_waits_for_parent);
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 0, 1));
	CHECK_EXIT(pid, 0);
}

static void description_locks(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 5 };
	int other = (int)CHECK_OK(open("file", O_RDWR)), same = (int)CHECK_OK(dup(fd));

	CHECK_OK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 5));
	CHECK_OK(lock(same, F_OFD_SETLK, F_WRLCK, 0, 5));
	CHECK_ERRNO(lock(other, F_OFD_SETLK, F_RDLCK, 4, 5), EAGAIN); /* also within one process */
	CHECK_OK(fcntl(other, F_OFD_GETLK, &fl));
	CHECK_EQ(fl.l_type, F_WRLCK);
	CHECK_EQ(fl.l_pid, -1);
	CHECK_EQ(fl.l_len, 5);
	close(same);
	CHECK_ERRNO(lock(other, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
	fl.l_pid = 1;
	CHECK_ERRNO(fcntl(fd, F_OFD_SETLK, &fl), EINVAL);
	CHECK_OK(lock(fd, F_OFD_SETLK, F_UNLCK, 0, 0));
	CHECK_OK(lock(other, F_OFD_SETLK, F_WRLCK, 0, 5));
	close(other);
	CHECK_OK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 5));
	CHECK_OK(lock(fd, F_OFD_SETLK, F_UNLCK, 0, 5));
}

static void child_flock(void)
{
	int file = open("file", O_RDONLY);

	CHECK_ERRNO(flock(file, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(flock(file, LOCK_SH | LOCK_NB));
	CHECK_OK(flock(file, LOCK_EX)); /* until the parent lets go */
}

static void whole_files(void)
{
	int other = (int)CHECK_OK(open("file", O_RDONLY));
	pid_t pid;

	CHECK_OK(flock(fd, LOCK_EX));
	CHECK_ERRNO(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0)); /* the two kinds do not see each other */
	CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 0, 0));
	CHECK_OK(flock(fd, LOCK_SH));
	CHECK_OK(flock(other, LOCK_SH | LOCK_NB));
	close(other);
	pid = tap_spawn(child_flock);
	CHECK(tap_wait_state(pid, 'S'));
	CHECK_OK(flock(fd, LOCK_UN));
	CHECK_EXIT(pid, 0);
	CHECK_ERRNO(flock(fd, 0), EINVAL);
	CHECK_ERRNO(flock(999, LOCK_SH), EBADF);
}

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

/* F_OFD_GETLK of type F_UNLCK tells of the open file's own locks, not of others'. */
static void own_description_locks(void)
{
	int other = (int)CHECK_OK(open("file", O_RDWR));
	struct flock fl = { .l_type = F_WRLCK, .l_start = 100, .l_len = 10 };

	CHECK_OK(fcntl(fd, F_OFD_SETLK, &fl));
	fl = (struct flock){ .l_type = F_UNLCK };
	CHECK_OK(fcntl(fd, F_OFD_GETLK, &fl));
	CHECK_EQ(fl.l_type, F_WRLCK);
	CHECK_EQ(fl.l_start, 100);
	CHECK_EQ(fl.l_len, 10);
	CHECK_EQ(fl.l_pid, -1);
	fl = (struct flock){ .l_type = F_UNLCK };
	CHECK_OK(fcntl(other, F_OFD_GETLK, &fl));
	CHECK_EQ(fl.l_type, F_UNLCK);
	fl = (struct flock){ .l_type = F_UNLCK, .l_start = 110 };
	CHECK_OK(fcntl(fd, F_OFD_GETLK, &fl));
	CHECK_EQ(fl.l_type, F_UNLCK);
	fl = (struct flock){ .l_type = F_UNLCK };
	CHECK_ERRNO(fcntl(fd, F_GETLK, &fl), EINVAL);
	CHECK_OK(fcntl(fd, F_OFD_SETLK, &fl));
	close(other);
}

int main(void)
{
	tap_tmpdir();
	fd = open("file", O_CREAT | O_RDWR, 0600);
	REQUIRE(fd >= 0);
	TAP_RUN(record_locks);
	TAP_RUN(waiting);
	TAP_RUN(deadlock);
	TAP_RUN(description_locks);
	TAP_RUN(own_description_locks);
	TAP_RUN(whole_files);
	return tap_done();
}

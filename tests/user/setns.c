/* SPDX-License-Identifier: MIT */
/* Going into another process's namespaces, of mounts and of host names: setns(2), /proc/PID/ns, ioctl_nsfs(2). Needs root. */
#include "tap.h"
#include "mounts.h"
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#define NSTYPE	   0xb703
#define NSFS_MAGIC 0x6e736673

static int ns_fd(pid_t pid, const char *kind)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
	return (int)CHECK_OK(open(path, O_RDONLY | O_CLOEXEC));
}

static const char *host_name(void)
{
	static struct utsname u;

	CHECK_OK(uname(&u));
	return u.nodename;
}

static ino_t number(pid_t pid, const char *kind)
{
	char path[64], text[64], want[64];
	struct stat st = { 0 }, opened = { 0 };
	ssize_t n;
	int fd = ns_fd(pid, kind);

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
	CHECK_OK(stat(path, &st));
	CHECK_OK(fstat(fd, &opened));
	CHECK(st.st_ino == opened.st_ino && st.st_dev == opened.st_dev);
	n = readlink(path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	snprintf(want, sizeof(want), "%s:[%lu]", kind, (unsigned long)st.st_ino);
	CHECK_STR(text, want);
	close(fd);
	return st.st_ino;
}

/* A child with namespaces of its own, a name "inside" and a tmpfs with a file "mark" at /tmp; it ends when @fd is closed. */
static pid_t inhabitant(int *fd)
{
	int ready[2], end[2];
	pid_t pid;
	char c;

	REQUIRE(!pipe(ready) && !pipe(end));
	pid = fork();
	if (!pid) {
		close(end[1]);
		if (unshare(CLONE_NEWNS | CLONE_NEWUTS) || sethostname("inside", 6) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", "/tmp", "tmpfs", 0, NULL) ||
		    tap_write_file("/tmp/mark", "x", 1, 0600) || write(ready[1], "x", 1) != 1)
			_exit(1);
		(void)!read(end[0], &c, 1);
		_exit(0);
	}
	close(end[0]);
	close(ready[1]);
	CHECK_EQ(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*fd = end[1];
	return pid;
}

static void links(void)
{
	struct statfs sf;
	int fd, end;
	pid_t pid = inhabitant(&end);

	CHECK_EQ(number(getpid(), "uts"), number(getppid(), "uts"));
	CHECK_EQ(number(getpid(), "mnt"), number(getppid(), "mnt"));
	CHECK(number(getpid(), "uts") != number(pid, "uts"));
	CHECK(number(getpid(), "mnt") != number(pid, "mnt"));
	fd = ns_fd(pid, "mnt");
	CHECK_OK(fstatfs(fd, &sf));
	CHECK_EQ(sf.f_type, NSFS_MAGIC);
	CHECK_EQ(ioctl(fd, NSTYPE), CLONE_NEWNS);
	CHECK_ERRNO(ioctl(fd, 0xb7ff), ENOTTY);
	CHECK_EQ(ioctl(ns_fd(pid, "uts"), NSTYPE), CLONE_NEWUTS);
	close(end);
	CHECK_EXIT(pid, 0);
}

static void host_names(void)
{
	int mine = ns_fd(getpid(), "uts"), end, fd;
	char before[65];
	pid_t pid = inhabitant(&end);

	snprintf(before, sizeof(before), "%s", host_name());
	fd = ns_fd(pid, "uts");
	CHECK_OK(setns(fd, 0));
	CHECK_STR(host_name(), "inside");
	CHECK_EQ(number(getpid(), "uts"), number(pid, "uts"));
	CHECK_OK(setns(mine, CLONE_NEWUTS));
	CHECK_STR(host_name(), before);
	/* The descriptor keeps it when its last inhabitant has gone. */
	close(end);
	CHECK_EXIT(pid, 0);
	CHECK_OK(setns(fd, CLONE_NEWUTS));
	CHECK_STR(host_name(), "inside");
}

static void mounts(void)
{
	int mine = ns_fd(getpid(), "mnt"), end, fd;
	char cwd[64];
	pid_t pid = inhabitant(&end);

	CHECK_OK(chdir("/tmp"));
	fd = ns_fd(pid, "mnt");
	CHECK(access("/tmp/mark", F_OK) == -1);
	CHECK_OK(setns(fd, CLONE_NEWNS));
	CHECK_OK(access("/tmp/mark", F_OK));
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	CHECK_STR(cwd, "/"); /* the working directory is the root of there */
	CHECK_OK(setns(mine, 0));
	CHECK(access("/tmp/mark", F_OK) == -1);
	close(end);
	CHECK_EXIT(pid, 0);
	CHECK_OK(setns(fd, 0));
	CHECK_OK(access("/tmp/mark", F_OK));
	CHECK_OK(umount("/tmp"));
	CHECK(access("/tmp/mark", F_OK) == -1);
}

static void by_pidfd(void)
{
	int end, fd;
	pid_t pid = inhabitant(&end);

	fd = (int)CHECK_OK(syscall(SYS_pidfd_open, pid, 0));
	CHECK_ERRNO(setns(fd, 0), EINVAL);
	CHECK_ERRNO(setns(fd, CLONE_NEWNS | CLONE_FS), EINVAL);
	CHECK_OK(setns(fd, CLONE_NEWNS | CLONE_NEWUTS));
	CHECK_STR(host_name(), "inside");
	CHECK_OK(access("/tmp/mark", F_OK));
	close(end);
	CHECK_EXIT(pid, 0);
	CHECK_ERRNO(setns(fd, CLONE_NEWUTS), ESRCH);
}

static void *sleeper(void *arg)
{
	pause();
	return NULL;
}

static void refused(void)
{
	int uts = ns_fd(getpid(), "uts"), mnt = ns_fd(getpid(), "mnt"), p[2];
	pthread_t t;

	REQUIRE(pipe(p) == 0);
	CHECK_ERRNO(setns(-1, 0), EBADF);
	CHECK_ERRNO(setns(p[0], 0), EINVAL);
	CHECK_ERRNO(setns(uts, CLONE_NEWNS), EINVAL);
	CHECK_ERRNO(setns(uts, CLONE_NEWNS | CLONE_NEWUTS), EINVAL);
	CHECK_ERRNO(setns(uts, 1), EINVAL);
	CHECK_EQ(pthread_create(&t, NULL, sleeper, NULL), 0);
	CHECK_ERRNO(setns(mnt, 0), EINVAL); /* its directories are two threads' */
	CHECK_OK(setns(uts, 0));
	CHECK_OK(setresuid(54000, 54000, 54000));
	CHECK_ERRNO(setns(uts, 0), EPERM);
	CHECK_ERRNO(setns(mnt, 0), EPERM);
	CHECK(open("/proc/1/ns/uts", O_RDONLY) == -1 && (errno == EACCES || errno == ENOENT));
}

int main(void)
{
	mounts_unshare();
	if (unshare(CLONE_NEWUTS))
		SKIP("no namespaces here");
	TAP_FORK(links);
	TAP_FORK(host_names);
	TAP_FORK(mounts);
	TAP_FORK(by_pidfd);
	TAP_FORK(refused);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/* Namespaces of mounts and of host names: unshare(2), clone(2), mount_namespaces(7), uts_namespaces(7). Needs root. */
#include "tap.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/utsname.h>

static void make_private(void)
{
	CHECK_OK(mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL));
}

static long clone_with(unsigned long flags)
{
	fflush(NULL);
	return syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static int count_mounts(const char *pid, const char *where)
{
	char path[64], line[1024];
	FILE *f;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%s/mounts", pid);
	f = fopen(path, "r");
	REQUIRE(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, where) != NULL;
	fclose(f);
	return n;
}

static void arguments(void)
{
	CHECK_ERRNO(clone_with(CLONE_NEWNS | CLONE_FS), EINVAL);
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(unshare(CLONE_NEWUTS));
}

static void without_rights(void)
{
	CHECK_OK(setuid(1000));
	CHECK_ERRNO(unshare(CLONE_NEWNS), EPERM);
	CHECK_ERRNO(unshare(CLONE_NEWUTS), EPERM);
	CHECK_ERRNO(clone_with(CLONE_NEWUTS), EPERM);
}

/* What a child mounts the parent does not see, nor the other way round; what was there both have. */
static void mounts_are_apart(void)
{
	int go[2], done[2];
	struct stat before, after;
	char c = 0, dir[] = "/tmp/ns-XXXXXX", pid_text[16];
	pid_t pid;

	CHECK_OK(unshare(CLONE_NEWNS));
	make_private();
	REQUIRE(mkdtemp(dir));
	CHECK_OK(mount("outer", dir, "tmpfs", 0, NULL));
	CHECK_OK(stat(dir, &before));
	CHECK_OK(chdir(dir));
	REQUIRE(!pipe(go) && !pipe(done));
	pid = (pid_t)clone_with(CLONE_NEWNS);
	if (pid == 0) {
		struct stat here, there;

		CHECK_OK(stat(".", &here));
		CHECK_OK(stat(dir, &there));
		CHECK_EQ(here.st_dev, there.st_dev);
		/* The directory it is in is the copy: it can be unmounted here once we are out of it. */
		CHECK_ERRNO(umount(dir), EBUSY);
		CHECK_OK(chdir("/"));
		CHECK_OK(umount(dir));
		CHECK_OK(mount("inner", dir, "tmpfs", 0, NULL));
		CHECK_EQ(write(done[1], &c, 1), 1);
		CHECK_EQ(read(go[0], &c, 1), 1);
		CHECK_EQ(count_mounts("self", "second"), 0);
		_exit(tap_nfailed);
	}
	CHECK_EQ(read(done[0], &c, 1), 1);
	CHECK_OK(stat(dir, &after));
	CHECK_EQ(after.st_dev, before.st_dev);
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	CHECK_EQ(count_mounts("self", "inner"), 0);
	CHECK_EQ(count_mounts(pid_text, "inner"), 1);
	CHECK_EQ(count_mounts(pid_text, "outer"), 0);
	CHECK_OK(mkdir("sub", 0755));
	CHECK_OK(mount("second", "sub", "tmpfs", 0, NULL));
	CHECK_EQ(write(go[1], &c, 1), 1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(count_mounts("self", "second"), 1);
	CHECK_OK(umount("sub"));
	CHECK_OK(chdir("/"));
	CHECK_OK(umount(dir));
	CHECK_OK(rmdir(dir));
}

/* A tree of another namespace is not to be changed through a descriptor that leads into it. */
static void not_ours(void)
{
	char dir[] = "/tmp/ns-XXXXXX", path[64];
	pid_t pid;
	int fd;

	CHECK_OK(unshare(CLONE_NEWNS));
	make_private();
	REQUIRE(mkdtemp(dir));
	CHECK_OK(mount("a", dir, "tmpfs", 0, NULL));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	pid = (pid_t)clone_with(CLONE_NEWNS);
	if (pid == 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		CHECK_ERRNO(mount("b", path, "tmpfs", 0, NULL), EINVAL);
		CHECK_ERRNO(mount(path, "/tmp", NULL, MS_BIND, NULL), EINVAL);
		CHECK_ERRNO(umount2(path, MNT_DETACH), EINVAL);
		_exit(tap_nfailed);
	}
	CHECK_EXIT(pid, 0);
	close(fd);
	CHECK_OK(umount(dir));
	CHECK_OK(rmdir(dir));
}

/* The last one out unmounts: a file system that only the child had is gone, and the directory free again. */
static void ends_with_its_last(void)
{
	char dir[] = "/tmp/ns-XXXXXX";
	pid_t pid;

	REQUIRE(mkdtemp(dir));
	for (int i = 0; i < 20; i++) {
		pid = (pid_t)clone_with(CLONE_NEWNS);
		if (pid == 0) {
			make_private();
			CHECK_OK(mount("x", dir, "tmpfs", 0, NULL));
			CHECK_OK(chdir(dir));
			CHECK_OK(mkdir("d", 0755));
			CHECK_OK(mount(dir, "d", NULL, MS_BIND, NULL));
			_exit(tap_nfailed);
		}
		CHECK_EXIT(pid, 0);
	}
	CHECK_OK(rmdir(dir));
}

static void in_a_root_of_its_own(void)
{
	char dir[] = "/tmp/ns-XXXXXX";
	struct stat a, b;

	REQUIRE(mkdtemp(dir));
	CHECK_OK(unshare(CLONE_NEWNS));
	make_private();
	CHECK_OK(mount("r", dir, "tmpfs", 0, NULL));
	CHECK_OK(chdir(dir));
	CHECK_OK(chroot("."));
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(stat("/", &a));
	CHECK_OK(stat(".", &b));
	CHECK(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	CHECK_OK(mkdir("/x", 0755));
	CHECK_OK(mount("s", "/x", "tmpfs", 0, NULL));
	CHECK_OK(umount("/x"));
}

static long pivot(const char *new_root, const char *put_old)
{
	return syscall(SYS_pivot_root, new_root, put_old);
}

/* In a tmpfs that is a root: /new is another, with a directory for the old root. */
static void make_roots(void)
{
	char dir[] = "/tmp/ns-XXXXXX";

	REQUIRE(mkdtemp(dir));
	CHECK_OK(unshare(CLONE_NEWNS));
	make_private();
	CHECK_OK(mount("outer", dir, "tmpfs", 0, NULL));
	CHECK_OK(chdir(dir));
	CHECK_OK(chroot("."));
	CHECK_OK(mkdir("/plain", 0755));
	CHECK_OK(mkdir("/beside", 0755));
	CHECK_OK(mkdir("/new", 0755));
	CHECK_OK(mount("inner", "/new", "tmpfs", 0, NULL));
	CHECK_OK(mount("third", "/beside", "tmpfs", 0, NULL));
	CHECK_OK(mkdir("/new/old", 0755));
	CHECK_OK(close(creat("/new/file", 0600)));
}

static void another_root(void)
{
	struct stat st;
	int go[2];
	pid_t pid;
	char c;

	make_roots();
	CHECK_ERRNO(pivot("/nowhere", "/new/old"), ENOENT);
	CHECK_ERRNO(pivot("/new", "/new/nowhere"), ENOENT);
	CHECK_ERRNO(pivot("/new", "/new/file"), ENOTDIR);
	CHECK_ERRNO(pivot("/plain", "/plain"), EBUSY);
	CHECK_ERRNO(pivot("/new", "/plain"), EBUSY);
	CHECK_ERRNO(pivot("/new/old", "/new/old"), EINVAL); /* no mount */
	CHECK_ERRNO(pivot("/new", "/beside"), EINVAL);	    /* not below it */
	REQUIRE(pipe(go) == 0);
	pid = fork();
	if (pid == 0) { /* its root and directory go along */
		CHECK_OK(chdir("/"));
		CHECK_EQ(write(go[1], "x", 1), 1);
		tap_wait_state(getppid(), 'S');
		CHECK_EQ(syscall(SYS_kill, getpid(), SIGSTOP), 0);
		CHECK_OK(stat("/file", &st));
		CHECK_OK(stat("file", &st));
		_exit(tap_nfailed);
	}
	CHECK_EQ(read(go[0], &c, 1), 1);
	CHECK_EQ(waitpid(pid, NULL, WUNTRACED), pid);
	CHECK_OK(pivot("/new", "/new/old"));
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_EXIT(pid, 0);
	CHECK_OK(stat("/file", &st));
	CHECK_OK(stat("/old/plain", &st));
	CHECK_OK(stat("/old/beside", &st));
	CHECK_OK(mkdir("/mnt", 0755));
	CHECK_OK(mount("m", "/mnt", "tmpfs", 0, NULL));
	CHECK_OK(umount("/mnt"));
	CHECK_OK(umount2("/old", MNT_DETACH));
	CHECK_ERRNO(stat("/old/plain", &st), ENOENT);
	CHECK_OK(setuid(1000));
	CHECK_ERRNO(pivot("/nowhere", "/nowhere"), EPERM);
}

static void host_names(void)
{
	struct utsname before, after;
	char name[65];
	pid_t pid;

	CHECK_OK(unshare(CLONE_NEWUTS));
	CHECK_OK(uname(&before));
	pid = (pid_t)clone_with(CLONE_NEWUTS);
	if (pid == 0) {
		CHECK_OK(sethostname("inside", 6));
		CHECK_OK(setdomainname("within", 6));
		CHECK_OK(gethostname(name, sizeof(name)));
		CHECK_STR(name, "inside");
		_exit(tap_nfailed);
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(uname(&after));
	CHECK_STR(after.nodename, before.nodename);
	CHECK_OK(sethostname("outside", 7));
	pid = (pid_t)clone_with(0); /* shares it */
	if (pid == 0) {
		CHECK_OK(sethostname("common", 6));
		_exit(tap_nfailed);
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(uname(&after));
	CHECK_STR(after.nodename, "common");
	CHECK_STR(after.sysname, before.sysname);
}

int main(void)
{
	if (geteuid() != 0 || unshare(CLONE_FS | CLONE_NEWNS))
		SKIP("not root");
	make_private();
	TAP_FORK(arguments);
	TAP_FORK(without_rights);
	TAP_FORK(mounts_are_apart);
	TAP_FORK(not_ours);
	TAP_FORK(ends_with_its_last);
	TAP_FORK(in_a_root_of_its_own);
	TAP_FORK(another_root);
	TAP_FORK(host_names);
	return tap_done();
}

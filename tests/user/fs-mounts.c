/* SPDX-License-Identifier: MIT */
/*
 * Where a process is in the tree: getcwd, chdir, fchdir, chroot, and mounting and unmounting tmpfs
 * and bind mounts. The parts that need privileges run in a mount namespace of their own when they
 * can, and are skipped for ordinary users.
 */
#include "tap.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#define TMPFS_MAGIC 0x01021994

static char base[64];

static void current_directory(void)
{
	char buf[256], want[128], small[4];
	int fd;

	CHECK_OK(mkdir("one", 0755));
	CHECK_OK(mkdir("one/two", 0755));
	CHECK_OK(symlink("one/two", "short"));
	CHECK_OK(chdir("short"));
	snprintf(want, sizeof(want), "%s/one/two", base);
	CHECK_STR(getcwd(buf, sizeof(buf)), want);
	CHECK_EQ(syscall(SYS_getcwd, buf, sizeof(buf)), strlen(want) + 1);
	CHECK_ERRNO(syscall(SYS_getcwd, small, sizeof(small)), ERANGE);
	CHECK_OK(chdir("../.././one/../one//two/"));
	CHECK_STR(getcwd(buf, sizeof(buf)), want);
	CHECK_OK(rename("../../one", "../../uno"));
	snprintf(want, sizeof(want), "%s/uno/two", base);
	CHECK_STR(getcwd(buf, sizeof(buf)), want);
	fd = (int)CHECK_OK(open("..", O_RDONLY | O_DIRECTORY));
	CHECK_OK(chdir("/"));
	CHECK_STR(getcwd(buf, sizeof(buf)), "/");
	CHECK_OK(chdir("../../.."));
	CHECK_STR(getcwd(buf, sizeof(buf)), "/");
	CHECK_OK(fchdir(fd));
	CHECK_OK(access("two", F_OK));
	close(fd);
	CHECK_OK(chdir(base));
	CHECK_ERRNO(chdir("missing"), ENOENT);
	CHECK_ERRNO(chdir(""), ENOENT);
	CHECK_ERRNO(chdir("/proc/self/exe"), ENOTDIR);
	fd = (int)CHECK_OK(open("/proc/self/exe", O_RDONLY));
	CHECK_ERRNO(fchdir(fd), ENOTDIR);
	close(fd);
	CHECK_ERRNO(fchdir(1000), EBADF);
}

static void changed_root(void)
{
	char buf[64];

	CHECK_OK(mkdir("jail", 0755));
	CHECK_OK(mkdir("jail/in", 0755));
	CHECK_OK(symlink("/in", "jail/abs"));
	CHECK_ERRNO(chroot("missing"), ENOENT);
	CHECK_ERRNO(chroot("/proc/self/exe"), ENOTDIR);
	CHECK_OK(chroot("jail"));
	CHECK_OK(access("uno", F_OK)); /* the current directory is outside still */
	CHECK_OK(chdir("/"));
	CHECK_STR(getcwd(buf, sizeof(buf)), "/");
	CHECK_OK(access("/abs", F_OK));
	CHECK_OK(access("/../../../in", F_OK));
	CHECK_ERRNO(access("/proc/self", F_OK), ENOENT);
}

static void tmpfs_mount(void)
{
	struct statfs fs;
	struct stat outside, inside;
	char text[8192];

	CHECK_OK(mkdir("mnt", 0700));
	CHECK_OK(stat("mnt", &outside));
	CHECK_OK(tap_write_file("mnt/hidden", "h", 1, 0600));
	CHECK_OK(mount("source", "mnt", "tmpfs", 0, "size=1m,mode=0751"));
	CHECK_ERRNO(access("mnt/hidden", F_OK), ENOENT);
	CHECK_OK(stat("mnt", &inside));
	CHECK(inside.st_dev != outside.st_dev);
	CHECK_EQ(inside.st_mode, S_IFDIR | 0751);
	CHECK_OK(statfs("mnt", &fs));
	CHECK_EQ(fs.f_type, TMPFS_MAGIC);
	CHECK_EQ(fs.f_blocks * (uint64_t)fs.f_bsize, 1 << 20);
	CHECK(tap_read_file("/proc/self/mounts", text, sizeof(text)) > 0);
	CHECK(strstr(text, "/mnt tmpfs rw") != NULL);
	CHECK_OK(tap_write_file("mnt/file", "x", 1, 0600));
	CHECK_ERRNO(rename("mnt/file", "file"), EXDEV);
	CHECK_ERRNO(link("mnt/file", "file"), EXDEV);
	CHECK_ERRNO(rmdir("mnt"), EBUSY);
	CHECK_OK(chdir("mnt"));
	CHECK_OK(access("../uno", F_OK)); /* dot-dot leaves the mount */
	CHECK_ERRNO(umount2("../mnt", 0), EBUSY);
	CHECK_OK(chdir(".."));
	CHECK_OK(umount2("mnt", 0));
	CHECK_OK(access("mnt/hidden", F_OK));
	CHECK_ERRNO(umount2("mnt", 0), EINVAL);
	CHECK_ERRNO(umount2("mnt", 0x100), EINVAL);
}

static void full_tmpfs(void)
{
	static char block[65536];
	long total = 0, n;
	int fd;

	CHECK_OK(mount("source", "mnt", "tmpfs", 0, "size=256k"));
	fd = (int)CHECK_OK(open("mnt/big", O_WRONLY | O_CREAT, 0600));
	while ((n = write(fd, block, sizeof(block))) > 0)
		total += n;
	CHECK_EQ(errno, ENOSPC);
	CHECK(total > 0 && total <= 256 << 10);
	CHECK_OK(ftruncate(fd, 0));
	CHECK_EQ(write(fd, block, 4096), 4096);
	close(fd);
	CHECK_OK(umount2("mnt", MNT_DETACH));
}

static void read_only(void)
{
	int fd;

	CHECK_OK(mount("source", "mnt", "tmpfs", 0, NULL));
	CHECK_OK(tap_write_file("mnt/file", "x", 1, 0600));
	fd = (int)CHECK_OK(open("mnt/file", O_WRONLY));
	CHECK_ERRNO(mount(NULL, "mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	CHECK_OK(mount(NULL, "mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	CHECK_ERRNO(open("mnt/file", O_WRONLY), EROFS);
	CHECK_ERRNO(open("mnt/new", O_WRONLY | O_CREAT, 0600), EROFS);
	CHECK_ERRNO(unlink("mnt/file"), EROFS);
	CHECK_ERRNO(mkdir("mnt/d", 0700), EROFS);
	CHECK_ERRNO(chmod("mnt/file", 0644), EROFS);
	CHECK_ERRNO(access("mnt/file", W_OK), EROFS);
	CHECK_OK(access("mnt/file", R_OK));
	CHECK_OK(umount("mnt"));
}

static void refused(void)
{
	CHECK_ERRNO(mount("x", "mnt", "nosuchfs", 0, NULL), ENODEV);
	CHECK_ERRNO(mount("x", "missing", "tmpfs", 0, NULL), ENOENT);
	CHECK_ERRNO(mount("x", "mnt/hidden", "tmpfs", 0, NULL), ENOTDIR);
	CHECK_ERRNO(mount("x", "mnt", "tmpfs", 0, "no_such_option=1"), EINVAL);
	CHECK_ERRNO(mount("x", "mnt", NULL, MS_REMOUNT, NULL), EINVAL);
	CHECK_ERRNO(umount2("missing", 0), ENOENT);
}

static void bind_mount(void)
{
	char text[8192], want[128];

	CHECK_OK(mkdir("bound", 0755));
	CHECK_OK(mount("uno/two", "bound", NULL, MS_BIND, NULL));
	CHECK(tap_read_file("/proc/self/mountinfo", text, sizeof(text)) > 0);
	snprintf(want, sizeof(want), "/uno/two %s/bound rw", base);
	CHECK(strstr(text, want) != NULL); /* the directory's whole name in its file system */
	CHECK_OK(umount("bound"));
	CHECK_OK(mount("uno", "bound", NULL, MS_BIND, NULL));
	CHECK_OK(access("bound/two", F_OK));
	CHECK_OK(mkdir("bound/three", 0755));
	CHECK_OK(access("uno/three", F_OK));
	CHECK_ERRNO(rename("bound/three", "uno/four"), EXDEV); /* one file system, two mounts */
	CHECK_OK(umount("bound"));
	CHECK_ERRNO(access("bound/two", F_OK), ENOENT);
	CHECK_ERRNO(mount("missing", "bound", NULL, MS_BIND, NULL), ENOENT);
}

static void ordinary_user(void)
{
	REQUIRE(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(mount("x", "mnt", "tmpfs", 0, NULL), EPERM);
	CHECK_ERRNO(umount("/"), EPERM);
	CHECK_ERRNO(chroot("/"), EPERM);
}

static void privileged(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	TAP_FORK(changed_root);
	TAP_RUN(tmpfs_mount);
	TAP_RUN(full_tmpfs);
	TAP_RUN(read_only);
	TAP_RUN(refused);
	TAP_RUN(bind_mount);
	TAP_FORK(ordinary_user);
}

/* Copies of copies, and a stack of mounts far deeper than a kernel's own stack, go at once. */
static void many(void)
{
	int n = 0;

	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	CHECK_OK(mkdir("many", 0755));
	if (mount("none", "many", "tmpfs", 0, NULL) != 0)
		return;
	CHECK_OK(mkdir("many/in", 0755));
	for (int i = 0; i < 9; i++)
		CHECK_OK(mount("many", "many/in", NULL, MS_BIND | MS_REC, NULL));
	CHECK_OK(umount2("many", MNT_DETACH));
	CHECK_ERRNO(access("many/in", F_OK), ENOENT);
	while (n < 1500 && mount("none", "many", "tmpfs", 0, NULL) == 0)
		n++;
	CHECK_EQ(n, 1500);
	CHECK_OK(mount("many", "many", NULL, MS_BIND, NULL));
	while (umount2("many", MNT_DETACH) == 0)
		n--;
	CHECK_EQ(n, -1);
	CHECK_OK(rmdir("many"));
}

int main(void)
{
	const char *dir = tap_tmpdir();

	umask(022);
	REQUIRE(getcwd(base, sizeof(base)) != NULL);
	TAP_RUN(current_directory);
	if (geteuid() == 0) {
		TAP_FORK(privileged);
		TAP_FORK(many);
	} else {
		NOTE("left out: mounting needs root");
	}
	tap_rmdir(dir);
	return tap_done();
}

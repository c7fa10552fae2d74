/* SPDX-License-Identifier: MIT */
/*
 * Mounting by descriptors: fsopen, fsconfig, fsmount, fspick, open_tree, move_mount, mount_setattr. Needs root; runs in a mount namespace of its own.
 */
#include "tap.h"
#include "mounts.h"
#include <sys/statvfs.h>

#define NR_open_tree	 428
#define NR_move_mount	 429
#define NR_fsopen	 430
#define NR_fsconfig	 431
#define NR_fsmount	 432
#define NR_fspick	 433
#define NR_mount_setattr 442

enum { SET_FLAG, SET_STRING, SET_BINARY, SET_PATH, SET_PATH_EMPTY, SET_FD, CREATE, RECONFIGURE };

#define ATTR_RDONLY	0x1
#define ATTR_NOSUID	0x2
#define ATTR_NODEV	0x4
#define ATTR_NOEXEC	0x8
#define ATTR_ATIME	0x70
#define ATTR_NOATIME	0x10
#define ATTR_STRICT	0x20
#define ATTR_NODIRATIME 0x80

#define CLONE		 1
#define RECURSIVE	 0x8000
#define F_EMPTY_PATH	 4
#define T_EMPTY_PATH	 0x40
#define PICK_NOFOLLOW	 2
#define PICK_EMPTY_PATH	 8

#undef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000

struct attr {
	uint64_t set, clear, propagation, userns;
};

static long fs_open(const char *type, unsigned flags)
{
	return syscall(NR_fsopen, type, flags);
}

static long fs_config(int fd, unsigned cmd, const char *key, const char *value, int aux)
{
	return syscall(NR_fsconfig, fd, cmd, key, value, aux);
}

static long fs_mount(int fd, unsigned flags, unsigned attr)
{
	return syscall(NR_fsmount, fd, flags, attr);
}

static long tree_open(int dfd, const char *path, unsigned flags)
{
	return syscall(NR_open_tree, dfd, path, flags);
}

static long mount_move(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return syscall(NR_move_mount, from, from_path, to, to_path, flags);
}

static long set_attr(int dfd, const char *path, unsigned flags, uint64_t set, uint64_t clear)
{
	struct attr a = { .set = set, .clear = clear };

	return syscall(NR_mount_setattr, dfd, path, flags, &a, sizeof(a));
}

static int is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

/* The options that mountinfo shows of the mount at @dir, a name in the current directory; NULL: nothing is mounted there. */
static const char *options(const char *dir)
{
	static char opts[256];
	char line[512], where[256], want[300], cwd[256];
	const char *found = NULL;
	FILE *f = fopen("/proc/self/mountinfo", "r");

	REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	snprintf(want, sizeof(want), "%s/%s", cwd, dir);
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d %*d %*s %*s %255s %255s", where, opts) == 2 &&
		    !strcmp(where, want)) {
			found = opts;
			break;
		}
	if (f)
		fclose(f);
	return found;
}

static int has(const char *dir, const char *option)
{
	const char *o = options(dir);

	return o && strstr(o, option);
}

/* A detached tmpfs. */
static int new_mount(unsigned attr)
{
	int fs = (int)CHECK_OK(fs_open("tmpfs", 0)), m;

	CHECK_OK(fs_config(fs, SET_STRING, "size", "1m", 0));
	CHECK_OK(fs_config(fs, CREATE, NULL, NULL, 0));
	m = (int)CHECK_OK(fs_mount(fs, 0, attr));
	close(fs);
	return m;
}

static void from_nothing(void)
{
	int fs = (int)CHECK_OK(fs_open("tmpfs", 1)), m, fd;
	struct statvfs sv;
	struct stat st;
	char text[64];

	CHECK(is_cloexec(fs));
	CHECK_ERRNO(read(fs, text, sizeof(text)), ENODATA);
	CHECK_ERRNO(fs_mount(fs, 0, 0), EINVAL);
	CHECK_OK(fs_config(fs, SET_STRING, "source", "me", 0));
	CHECK_OK(fs_config(fs, SET_STRING, "size", "64k", 0));
	CHECK_OK(fs_config(fs, SET_STRING, "mode", "0712", 0));
	CHECK_ERRNO(fs_config(fs, RECONFIGURE, NULL, NULL, 0), EBUSY);
	CHECK_OK(fs_config(fs, CREATE, NULL, NULL, 0));
	CHECK_ERRNO(fs_config(fs, CREATE, NULL, NULL, 0), EBUSY);
	CHECK_ERRNO(fs_config(fs, SET_STRING, "size", "64k", 0), EBUSY);
	m = (int)CHECK_OK(fs_mount(fs, 1, ATTR_NOEXEC | ATTR_NODEV));
	CHECK(is_cloexec(m));
	CHECK_ERRNO(fs_mount(fs, 0, 0), EBUSY);
	close(fs);
	/* A place like any other, before it is anywhere. */
	CHECK_OK(fstat(m, &st));
	CHECK_EQ(st.st_mode & 07777, 0712);
	fd = (int)CHECK_OK(openat(m, "early", O_CREAT | O_RDWR, 0600));
	CHECK_EQ(write(fd, "x", 1), 1);
	close(fd);
	CHECK_OK(mkdir("at", 0755));
	CHECK_OK(mount_move(m, "", AT_FDCWD, "at", F_EMPTY_PATH));
	CHECK_OK(access("at/early", F_OK));
	CHECK(has("at", "noexec") && has("at", "nodev") && has("at", "relatime"));
	CHECK(!has("at", "nosuid"));
	CHECK_OK(statvfs("at", &sv));
	CHECK_EQ(sv.f_blocks * sv.f_frsize, 65536);
	CHECK_ERRNO(umount("at"), EBUSY);
	close(m);
	CHECK_OK(umount("at"));
	CHECK(!options("at"));
	CHECK_ERRNO(access("at/early", F_OK), ENOENT);
	CHECK_OK(rmdir("at"));
}

static void moved_on(void)
{
	int m = new_mount(ATTR_NOATIME | ATTR_NODIRATIME);

	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mkdir("b", 0755));
	CHECK_OK(mkdirat(m, "sub", 0755));
	CHECK_ERRNO(mount_move(m, "sub", AT_FDCWD, "a", 0), EINVAL);
	CHECK_OK(mount_move(m, "", AT_FDCWD, "a", F_EMPTY_PATH));
	CHECK(has("a", "noatime") && has("a", "nodiratime"));
	/* From place to place, by name. */
	CHECK_OK(mount_move(AT_FDCWD, "a", AT_FDCWD, "b", 0));
	CHECK(!options("a"));
	CHECK(has("b", "noatime"));
	CHECK_OK(access("b/sub", F_OK));
	CHECK_ERRNO(mount_move(AT_FDCWD, "b", AT_FDCWD, "b/sub", 0), ELOOP);
	CHECK_ERRNO(mount_move(AT_FDCWD, "a", AT_FDCWD, "b", 0), EINVAL);
	CHECK_OK(tap_write_file("file", "x", 1, 0644));
	CHECK_ERRNO(mount_move(AT_FDCWD, "b", AT_FDCWD, "file", 0), EINVAL);
	/* The descriptor is where the mount is. */
	CHECK_OK(mount_move(m, "", AT_FDCWD, "a", F_EMPTY_PATH));
	CHECK(has("a", "noatime"));
	CHECK_ERRNO(mount_move(m, "", AT_FDCWD, "missing", F_EMPTY_PATH), ENOENT);
	CHECK_ERRNO(mount_move(m, "", AT_FDCWD, "a", 0), ENOENT);
	CHECK_ERRNO(mount_move(-1, "", AT_FDCWD, "a", F_EMPTY_PATH), EBADF);
	CHECK_ERRNO(mount_move(m, "", AT_FDCWD, "b", 0x8000), EINVAL);
	close(m);
	CHECK_OK(umount("a"));
	CHECK_OK(rmdir("a"));
	CHECK_OK(rmdir("b"));
	CHECK_OK(unlink("file"));
}

/* What nobody hung anywhere goes with its last descriptor. */
static void dropped(void)
{
	int m = new_mount(0), copy, fd;

	CHECK_OK(mkdirat(m, "d", 0755));
	copy = dup(m);
	close(m);
	CHECK_OK(faccessat(copy, "d", F_OK, 0));
	fd = (int)CHECK_OK(openat(copy, "d", O_RDONLY | O_DIRECTORY));
	close(copy);
	CHECK_OK(faccessat(fd, ".", F_OK, 0));
	CHECK_ERRNO(mount_move(fd, "", AT_FDCWD, ".", F_EMPTY_PATH), EINVAL);
	close(fd);
}

static void copies(void)
{
	int m = new_mount(0), t, rec;

	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mkdir("b", 0755));
	CHECK_OK(mount_move(m, "", AT_FDCWD, "a", F_EMPTY_PATH));
	close(m);
	CHECK_OK(mkdir("a/in", 0755));
	CHECK_OK(mount("none", "a/in", "tmpfs", 0, NULL));
	CHECK_OK(mkdir("a/in/deep", 0755));
	t = (int)CHECK_OK(tree_open(AT_FDCWD, "a", CLONE | O_CLOEXEC));
	CHECK(is_cloexec(t));
	rec = (int)CHECK_OK(tree_open(AT_FDCWD, "a", CLONE | RECURSIVE));
	CHECK_ERRNO(faccessat(t, "in/deep", F_OK, 0), ENOENT);
	CHECK_OK(faccessat(rec, "in/deep", F_OK, 0));
	CHECK_OK(mount_move(rec, "", AT_FDCWD, "b", F_EMPTY_PATH));
	close(rec);
	CHECK_OK(access("b/in/deep", F_OK));
	CHECK(options("b/in") != NULL);
	CHECK_OK(umount("b/in"));
	CHECK_OK(umount("b"));
	close(t);
	/* A directory that is no mount's root becomes one. */
	CHECK_OK(mkdir("a/plain", 0755));
	CHECK_OK(mkdir("a/plain/x", 0755));
	t = (int)CHECK_OK(tree_open(AT_FDCWD, "a/plain", CLONE));
	CHECK_OK(mount_move(t, "", AT_FDCWD, "b", F_EMPTY_PATH));
	CHECK_OK(access("b/x", F_OK));
	close(t);
	CHECK_OK(umount("b"));
	/* Without CLONE it is a way to say O_PATH. */
	t = (int)CHECK_OK(tree_open(AT_FDCWD, "a", 0));
	CHECK_EQ(fcntl(t, F_GETFL) & O_PATH, O_PATH);
	close(t);
	CHECK_OK(access("a/in/deep", F_OK));
	CHECK_ERRNO(tree_open(AT_FDCWD, "a", RECURSIVE), EINVAL);
	CHECK_ERRNO(tree_open(AT_FDCWD, "a", 0x10), EINVAL);
	CHECK_ERRNO(tree_open(AT_FDCWD, "missing", 0), ENOENT);
	CHECK_ERRNO(tree_open(AT_FDCWD, NULL, 0), EFAULT);
	CHECK_ERRNO(tree_open(-1, "a", 0), EBADF);
	CHECK_OK(umount("a/in"));
	CHECK_OK(umount("a"));
	CHECK_OK(rmdir("a"));
	CHECK_OK(rmdir("b"));
}

static void reconfigured(void)
{
	int fs, m = new_mount(0);
	struct statvfs sv;

	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mount_move(m, "", AT_FDCWD, "a", F_EMPTY_PATH));
	close(m);
	fs = (int)CHECK_OK(syscall(NR_fspick, AT_FDCWD, "a", 1));
	CHECK(is_cloexec(fs));
	CHECK_ERRNO(fs_config(fs, CREATE, NULL, NULL, 0), EBUSY);
	CHECK_OK(fs_config(fs, SET_STRING, "size", "2m", 0));
	CHECK_OK(fs_config(fs, SET_FLAG, "ro", NULL, 0));
	CHECK_OK(fs_config(fs, RECONFIGURE, NULL, NULL, 0));
	CHECK_OK(statvfs("a", &sv));
	CHECK_EQ(sv.f_blocks * sv.f_frsize, 2 << 20);
	CHECK_ERRNO(mkdir("a/x", 0755), EROFS);
	/* And once more, by the same descriptor. */
	CHECK_OK(fs_config(fs, SET_FLAG, "rw", NULL, 0));
	CHECK_OK(fs_config(fs, RECONFIGURE, NULL, NULL, 0));
	CHECK_OK(mkdir("a/x", 0755));
	close(fs);
	CHECK_ERRNO(syscall(NR_fspick, AT_FDCWD, "a/x", 0), EINVAL);
	CHECK_ERRNO(syscall(NR_fspick, AT_FDCWD, "a", 0x10), EINVAL);
	CHECK_ERRNO(syscall(NR_fspick, AT_FDCWD, "missing", 0), ENOENT);
	CHECK_ERRNO(syscall(NR_fspick, AT_FDCWD, "", 0), ENOENT);
	CHECK_OK(umount("a"));
	CHECK_OK(rmdir("a"));
}

static void config_arguments(void)
{
	int fs = (int)CHECK_OK(fs_open("tmpfs", 0)),
	    file = (int)CHECK_OK(open("/dev/null", O_RDWR));
	char longkey[300];

	CHECK_ERRNO(fs_open("nosuchfs", 0), ENODEV);
	CHECK_ERRNO(fs_open("tmpfs", 0x10), EINVAL);
	CHECK_ERRNO(fs_open(NULL, 0), EFAULT);
	CHECK_ERRNO(fs_config(-1, SET_FLAG, "ro", NULL, 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, 100, "ro", NULL, 0), EOPNOTSUPP);
	CHECK_ERRNO(fs_config(fs, SET_FLAG, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_FLAG, "ro", "x", 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_FLAG, "ro", NULL, 1), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_STRING, NULL, "x", 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_STRING, "size", NULL, 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_STRING, "size", "1m", 1), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_BINARY, "size", "1m", 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_BINARY, "size", "1m", -1), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_BINARY, "size", "1m", 2), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_PATH, "size", NULL, AT_FDCWD), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_PATH, "size", "/", -1), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_FD, "size", "x", 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_FD, "size", NULL, -1), EINVAL);
	CHECK_ERRNO(fs_config(fs, CREATE, "x", NULL, 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, CREATE, NULL, NULL, 1), EINVAL);
	CHECK_ERRNO(fs_config(999, SET_FLAG, "ro", NULL, 0), EBADF);
	CHECK_ERRNO(fs_config(file, SET_FLAG, "ro", NULL, 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_FLAG, (char *)8, NULL, 0), EFAULT);
	CHECK_ERRNO(fs_config(fs, SET_STRING, "nosuchoption", "1", 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_FLAG, "nosuchoption", NULL, 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_STRING, "size", "1x", 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_STRING, "mode", "89", 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_FLAG, "size", NULL, 0), EINVAL);
	CHECK_ERRNO(fs_config(fs, SET_STRING, "", "1", 0), EINVAL);
	memset(longkey, 'k', sizeof(longkey) - 1);
	longkey[sizeof(longkey) - 1] = '\0';
	CHECK_ERRNO(fs_config(fs, SET_FLAG, longkey, NULL, 0), EINVAL);
	CHECK_OK(fs_config(fs, SET_STRING, "source", "one", 0));
	CHECK_ERRNO(fs_config(fs, SET_STRING, "source", "two", 0), EINVAL);
	CHECK_OK(fs_config(fs, CREATE, NULL, NULL, 0));
	CHECK_ERRNO(fs_mount(fs, 2, 0), EINVAL);
	CHECK_ERRNO(fs_mount(fs, 0, ATTR_ATIME), EINVAL);
	CHECK_ERRNO(fs_mount(fs, 0, 0x30), EINVAL);
	CHECK_ERRNO(fs_mount(fs, 0, 0x100000), EINVAL);
	CHECK_ERRNO(fs_mount(file, 0, 0), EINVAL);
	CHECK_ERRNO(fs_mount(-1, 0, 0), EBADF);
	close(file);
	close(fs);
}

/* A file system of which there is one, too. */
static void processes(void)
{
	int fs = (int)CHECK_OK(fs_open("proc", 0)), m;

	CHECK_ERRNO(fs_config(fs, SET_STRING, "hidepid", "3", 0), EINVAL);
	CHECK_OK(fs_config(fs, CREATE, NULL, NULL, 0));
	m = (int)CHECK_OK(fs_mount(fs, 0, ATTR_NOSUID));
	CHECK_OK(faccessat(m, "self/status", F_OK, 0));
	close(m);
	close(fs);
}

static void attributes(void)
{
	int m = new_mount(ATTR_NOSUID), fd;
	struct attr a = { 0 };
	char large[64] = { 0 };

	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mount_move(m, "", AT_FDCWD, "a", F_EMPTY_PATH));
	close(m);
	CHECK_OK(set_attr(AT_FDCWD, "a", 0, ATTR_NOEXEC | ATTR_NODEV, ATTR_NOSUID));
	CHECK(has("a", "noexec") && has("a", "nodev") && !has("a", "nosuid"));
	CHECK_OK(set_attr(AT_FDCWD, "a", 0, ATTR_NOATIME, ATTR_ATIME));
	CHECK(has("a", "noatime") && !has("a", "relatime"));
	CHECK_OK(set_attr(AT_FDCWD, "a", 0, 0, ATTR_ATIME | ATTR_NOEXEC));
	CHECK(has("a", "relatime") && !has("a", "noexec"));
	CHECK_OK(set_attr(AT_FDCWD, "a", 0, ATTR_STRICT, ATTR_ATIME));
	CHECK(!has("a", "relatime") && !has("a", "noatime"));
	/* How access times are kept is one thing of several, and is replaced as one. */
	CHECK_ERRNO(set_attr(AT_FDCWD, "a", 0, ATTR_NOATIME, 0), EINVAL);
	CHECK_ERRNO(set_attr(AT_FDCWD, "a", 0, ATTR_NOATIME, ATTR_STRICT), EINVAL);
	CHECK_ERRNO(set_attr(AT_FDCWD, "a", 0, ATTR_ATIME, ATTR_ATIME), EINVAL);
	CHECK_ERRNO(set_attr(AT_FDCWD, "a", 0, 1ull << 40, 0), EINVAL);
	CHECK_ERRNO(set_attr(AT_FDCWD, "a", 0, 0, 1ull << 40), EINVAL);
	CHECK_OK(set_attr(AT_FDCWD, "missing", 0, 0, 0));
	CHECK_ERRNO(set_attr(AT_FDCWD, "missing", 0, ATTR_RDONLY, 0), ENOENT);
	CHECK_ERRNO(set_attr(AT_FDCWD, "a", 1, ATTR_RDONLY, 0), EINVAL);
	CHECK_ERRNO(set_attr(-1, "a", 0, ATTR_RDONLY, 0), EBADF);
	/* Read-only once nobody writes. */
	fd = (int)CHECK_OK(open("a/file", O_CREAT | O_RDWR, 0600));
	CHECK_ERRNO(set_attr(AT_FDCWD, "a", 0, ATTR_RDONLY, 0), EBUSY);
	close(fd);
	fd = (int)CHECK_OK(open("a/file", O_RDONLY));
	CHECK_OK(set_attr(AT_FDCWD, "a", 0, ATTR_RDONLY, 0));
	close(fd);
	CHECK_ERRNO(open("a/file", O_RDWR), EROFS);
	CHECK_OK(set_attr(AT_FDCWD, "a", 0, 0, ATTR_RDONLY));
	CHECK_OK(unlink("a/file"));
	/* Only a mount's root has any. */
	CHECK_OK(mkdir("a/d", 0755));
	CHECK_ERRNO(set_attr(AT_FDCWD, "a/d", 0, ATTR_RDONLY, 0), EINVAL);
	a.set = ATTR_NODEV;
	CHECK_ERRNO(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, &a, sizeof(a) - 8), EINVAL);
	CHECK_ERRNO(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, &a, 1 << 20), E2BIG);
	CHECK_ERRNO(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, NULL, sizeof(a)), EFAULT);
	memcpy(large, &a, sizeof(a));
	CHECK_OK(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, large, sizeof(large)));
	large[40] = 1;
	CHECK_ERRNO(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, large, sizeof(large)), E2BIG);
	a = (struct attr){ .propagation = MS_PRIVATE };
	CHECK_OK(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, &a, sizeof(a)));
	a.propagation = MS_PRIVATE | MS_SLAVE;
	CHECK_ERRNO(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, &a, sizeof(a)), EINVAL);
	a.propagation = MS_REC;
	CHECK_ERRNO(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, &a, sizeof(a)), EINVAL);
	CHECK_OK(umount("a"));
	CHECK_OK(rmdir("a"));
}

static void attributes_of_trees(void)
{
	int m = new_mount(0), fd;

	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mount_move(m, "", AT_FDCWD, "a", F_EMPTY_PATH));
	close(m);
	CHECK_OK(mkdir("a/b", 0755));
	CHECK_OK(mount("none", "a/b", "tmpfs", 0, NULL));
	CHECK_OK(set_attr(AT_FDCWD, "a", 0, ATTR_NODEV, 0));
	CHECK(has("a", "nodev") && !has("a/b", "nodev"));
	CHECK_OK(set_attr(AT_FDCWD, "a", RECURSIVE, ATTR_NOSUID, 0));
	CHECK(has("a", "nosuid") && has("a/b", "nosuid"));
	/* All or none. */
	fd = (int)CHECK_OK(open("a/b/file", O_CREAT | O_RDWR, 0600));
	CHECK_ERRNO(set_attr(AT_FDCWD, "a", RECURSIVE, ATTR_RDONLY, 0), EBUSY);
	CHECK_OK(mkdir("a/still", 0755));
	close(fd);
	CHECK_OK(set_attr(AT_FDCWD, "a", RECURSIVE, ATTR_RDONLY, 0));
	CHECK_ERRNO(mkdir("a/x", 0755), EROFS);
	CHECK_ERRNO(mkdir("a/b/x", 0755), EROFS);
	CHECK_OK(umount("a/b"));
	CHECK_OK(umount("a"));
	/* Before it is hung anywhere. */
	m = new_mount(0);
	CHECK_OK(set_attr(m, "", AT_EMPTY_PATH, ATTR_NOEXEC | ATTR_RDONLY, 0));
	CHECK_ERRNO(mkdirat(m, "d", 0755), EROFS);
	CHECK_OK(mount_move(m, "", AT_FDCWD, "a", F_EMPTY_PATH));
	CHECK(has("a", "noexec") && has("a", "ro"));
	close(m);
	CHECK_OK(umount("a"));
	CHECK_OK(rmdir("a"));
}

static void without_rights(void)
{
	int fs = (int)CHECK_OK(fs_open("tmpfs", 0));

	CHECK_OK(setresgid(1, 1, 1));
	CHECK_OK(setresuid(1, 1, 1));
	CHECK_ERRNO(fs_open("tmpfs", 0), EPERM);
	CHECK_ERRNO(fs_config(fs, CREATE, NULL, NULL, 0), EPERM);
	CHECK_ERRNO(fs_mount(fs, 0, 0), EPERM);
	CHECK_ERRNO(syscall(NR_fspick, AT_FDCWD, "/", 0), EPERM);
	CHECK_ERRNO(tree_open(AT_FDCWD, "/", CLONE), EPERM);
	CHECK_OK(tree_open(AT_FDCWD, "/", 0));
	CHECK_ERRNO(mount_move(AT_FDCWD, "/", AT_FDCWD, "/", 0), EPERM);
	CHECK_ERRNO(set_attr(AT_FDCWD, "/", 0, ATTR_RDONLY, 0), EPERM);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	mounts_unshare();
	/* A mount of its own around it all, so that nothing is shared. */
	mounts_enter_tmpfs("mode=755");
	TAP_RUN(from_nothing);
	TAP_RUN(moved_on);
	TAP_RUN(dropped);
	TAP_RUN(copies);
	TAP_RUN(reconfigured);
	TAP_RUN(config_arguments);
	TAP_RUN(processes);
	TAP_RUN(attributes);
	TAP_RUN(attributes_of_trees);
	TAP_FORK(without_rights);
	mounts_leave_tmpfs();
	tap_rmdir(dir);
	return tap_done();
}

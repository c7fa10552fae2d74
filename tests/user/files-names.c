/* SPDX-License-Identifier: MIT */
/*
 * Names: link, unlink, rename with all its flags, symbolic links, directories and reading them,
 * metadata (chmod, chown, utimensat, statx), permissions of a user who is not root.
 */
#include "tap.h"
#include <dirent.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#endif
#define TMPFS 0x01021994
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

static void make(const char *name, const char *text)
{
	REQUIRE(tap_write_file(name, text, strlen(text), 0644) == 0);
}

static struct stat stat_of(const char *name)
{
	struct stat st = { 0 };

	CHECK_OK(lstat(name, &st));
	return st;
}

static void hard_links(void)
{
	make("a", "data");
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(link("a", "b"));
	CHECK_EQ(stat_of("a").st_ino, stat_of("b").st_ino);
	CHECK_EQ(stat_of("a").st_nlink, 2);
	CHECK_ERRNO(link("a", "b"), EEXIST);
	CHECK_ERRNO(link("missing", "c"), ENOENT);
	CHECK_ERRNO(link("d", "c"), EPERM);
	CHECK_ERRNO(link("a", "missing/c"), ENOENT);
	CHECK_ERRNO(link("a", "b/c"), ENOTDIR);
	CHECK_ERRNO(linkat(AT_FDCWD, "a", AT_FDCWD, "c", 0x80), EINVAL);
	CHECK_OK(unlink("b"));
	CHECK_EQ(stat_of("a").st_nlink, 1);
	CHECK_ERRNO(unlink("d"), EISDIR);
	CHECK_ERRNO(unlink("missing"), ENOENT);
	CHECK_ERRNO(unlink("a/x"), ENOTDIR);
	CHECK_ERRNO(unlink("a/"), ENOTDIR);
	CHECK_ERRNO(unlinkat(AT_FDCWD, "a", 0x40), EINVAL);
}

static void directories(void)
{
	CHECK_ERRNO(mkdir("d", 0755), EEXIST);
	CHECK_ERRNO(mkdir("a", 0755), EEXIST);
	CHECK_ERRNO(mkdir("a/x", 0755), ENOTDIR);
	CHECK_ERRNO(mkdir("no/x", 0755), ENOENT);
	CHECK_ERRNO(mkdir(".", 0755), EEXIST);
	CHECK_ERRNO(mkdir("/", 0755), EEXIST);
	CHECK_OK(mkdir("d/sub/", 0755));
	CHECK_EQ(stat_of("d").st_nlink, 3);
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("d/sub/."), EINVAL);
	CHECK_ERRNO(rmdir("d/sub/.."), ENOTEMPTY);
	CHECK_ERRNO(rmdir("a"), ENOTDIR);
	CHECK_ERRNO(rmdir("missing"), ENOENT);
	CHECK_ERRNO(rmdir("/"), EBUSY);
	CHECK_OK(unlinkat(AT_FDCWD, "d/sub", AT_REMOVEDIR));
	CHECK_EQ(stat_of("d").st_nlink, 2);
	CHECK_ERRNO(unlinkat(AT_FDCWD, "a", AT_REMOVEDIR), ENOTDIR);
}

/* A directory that is removed while someone is in it stays usable for nothing but leaving it. */
static void removed_directory(void)
{
	char buf[64];

	CHECK_OK(mkdir("gone", 0755));
	CHECK_OK(chdir("gone"));
	CHECK_OK(rmdir("../gone"));
	CHECK_ERRNO(open("x", O_CREAT | O_WRONLY, 0600), ENOENT);
	CHECK_ERRNO(mkdir("x", 0700), ENOENT);
	CHECK_ERRNO(syscall(SYS_getcwd, buf, sizeof(buf)), ENOENT);
	CHECK_OK(access(".", F_OK));
	CHECK_OK(chdir(".."));
}

static void renames(void)
{
	struct stat before = stat_of("a");

	make("victim", "old");
	CHECK_OK(rename("a", "victim"));
	CHECK_EQ(stat_of("victim").st_ino, before.st_ino);
	CHECK_ERRNO(lstat("a", &before), ENOENT);
	CHECK_OK(rename("victim", "victim"));
	CHECK_OK(rename("victim", "a"));
	CHECK_OK(link("a", "same"));
	CHECK_OK(rename("a", "same")); /* two names of one file: nothing happens */
	CHECK_EQ(stat_of("a").st_nlink, 2);
	CHECK_OK(unlink("same"));
	CHECK_OK(mkdir("e", 0755));
	CHECK_OK(mkdir("e/f", 0755));
	make("d/file", "x");
	CHECK_ERRNO(rename("missing", "x"), ENOENT);
	CHECK_ERRNO(rename("a", "d"), EISDIR);
	CHECK_ERRNO(rename("d", "a"), ENOTDIR);
	CHECK_ERRNO(rename("d", "e"), ENOTEMPTY);
	CHECK_ERRNO(rename("e", "e/f/g"), EINVAL);
	CHECK_ERRNO(rename("e/f", "e"), ENOTEMPTY);
	CHECK_ERRNO(rename("e/.", "x"), EBUSY);
	CHECK_ERRNO(rename("a", "no/x"), ENOENT);
	CHECK_ERRNO(rename("a", "x/"), ENOTDIR);
	CHECK_ERRNO(rename("a/", "x"), ENOTDIR);
	CHECK_ERRNO(rename("a", "/proc/x"), EXDEV);
	CHECK_OK(rename("d", "e/f")); /* over an empty directory */
	CHECK_OK(access("e/f/file", F_OK));
	CHECK_EQ(stat_of("e").st_nlink, 3);
	CHECK_OK(rename("e/f", "d"));
	CHECK_EQ(stat_of("e").st_nlink, 2);
	CHECK_OK(access("d/../e", F_OK));
}

static long rename2(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void rename_flags(void)
{
	ino_t a = stat_of("a").st_ino, d = stat_of("d").st_ino;

	CHECK_ERRNO(rename2("a", "d", RENAME_NOREPLACE), EEXIST);
	CHECK_OK(rename2("a", "fresh", RENAME_NOREPLACE));
	CHECK_OK(rename2("fresh", "a", 0));
	CHECK_OK(rename2("a", "d", RENAME_EXCHANGE));
	CHECK_EQ(stat_of("d").st_ino, a);
	CHECK_EQ(stat_of("a").st_ino, d);
	CHECK_OK(access("a/file", F_OK));
	CHECK_OK(rename2("a", "d", RENAME_EXCHANGE));
	CHECK_ERRNO(rename2("a", "missing", RENAME_EXCHANGE), ENOENT);
	CHECK_ERRNO(rename2("d", "d/file", RENAME_EXCHANGE), EINVAL);
	CHECK_ERRNO(rename2("d/file", "d", RENAME_EXCHANGE), EINVAL);
	CHECK_ERRNO(rename2("a", "x", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
	CHECK_ERRNO(rename2("a", "x", 0x100), EINVAL);
}

/* A character device 0/0 stays where the file was: a union of directories takes it for a name that is not there. */
static void whiteouts(void)
{
	ino_t a = stat_of("a").st_ino;
	struct statfs fs;
	struct stat st;

	CHECK_OK(statfs(".", &fs));
	if (rename2("a", "moved", RENAME_WHITEOUT)) {
		CHECK_EQ(errno, EINVAL);
		CHECK(fs.f_type != TMPFS); /* others may be without */
		return;
	}
	CHECK_EQ(stat_of("moved").st_ino, a);
	st = stat_of("a");
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(st.st_rdev, 0);
	CHECK_EQ(st.st_mode & 07777, 0);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_ERRNO(open("a/file", O_RDONLY), ENOTDIR);
	/* Over another file, and over a whiteout. */
	make("x", "x");
	make("y", "y");
	CHECK_OK(rename2("x", "y", RENAME_WHITEOUT));
	CHECK(S_ISCHR(stat_of("x").st_mode));
	CHECK_EQ(stat_of("y").st_nlink, 1);
	CHECK_ERRNO(rename2("y", "x", RENAME_WHITEOUT | RENAME_NOREPLACE), EEXIST);
	CHECK_OK(rename2("y", "x", RENAME_WHITEOUT));
	CHECK(S_ISREG(stat_of("x").st_mode));
	CHECK(S_ISCHR(stat_of("y").st_mode));
	CHECK_OK(unlink("x"));
	CHECK_OK(unlink("y"));
	CHECK_ERRNO(access("y", F_OK), ENOENT);
	CHECK_ERRNO(rename2("a", "d", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
	CHECK_OK(unlink("a"));
	CHECK_OK(rename("moved", "a"));
	/* Into another directory, in both views of it. */
	make("w", "w");
	CHECK_OK(rename2("w", "d/w", RENAME_WHITEOUT));
	CHECK(S_ISREG(stat_of("d/w").st_mode));
	CHECK(S_ISCHR(stat_of("w").st_mode));
	CHECK_OK(unlink("w"));
	CHECK_OK(unlink("d/w"));
}

static void symlinks(void)
{
	char buf[32], name[8], previous[8];

	CHECK_OK(symlink("a", "sl"));
	CHECK_EQ(readlink("sl", buf, sizeof(buf)), 1);
	CHECK_EQ(stat_of("sl").st_size, 1);
	CHECK_EQ(stat_of("sl").st_mode, S_IFLNK | 0777);
	CHECK_ERRNO(readlink("a", buf, sizeof(buf)), EINVAL);
	CHECK_ERRNO(syscall(SYS_readlinkat, AT_FDCWD, "sl", buf, 0), EINVAL);
	CHECK_ERRNO(symlink("", "empty"), ENOENT);
	CHECK_ERRNO(symlink("x", "sl"), EEXIST);
	CHECK_OK(symlink("long target of a symbolic link", "sl2"));
	CHECK_EQ(readlink("sl2", buf, 4), 4); /* cut, no NUL */
	strcpy(previous, "a");
	for (int i = 0; i < 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		CHECK_OK(symlink(previous, name));
		strcpy(previous, name);
	}
	CHECK_OK(access("l39", F_OK)); /* 40 links are followed */
	CHECK_ERRNO(access("l40", F_OK), ELOOP);
	CHECK_OK(symlink("d", "dl"));
	CHECK_OK(access("dl/file", F_OK));
	CHECK_ERRNO(rmdir("dl"), ENOTDIR);
	CHECK_ERRNO(mkdir("dl", 0755), EEXIST);
	CHECK_OK(link("sl", "slh")); /* a link to the link itself */
	CHECK(S_ISLNK(stat_of("slh").st_mode));
	CHECK_OK(unlink("slh"));
}

static void modes(void)
{
	struct stat st;

	umask(027);
	make("m", "");
	CHECK_OK(chmod("m", 04755));
	CHECK_EQ(stat_of("m").st_mode, S_IFREG | 04755);
	CHECK_ERRNO(chmod("missing", 0), ENOENT);
	CHECK_EQ(umask(0777), 027);
	CHECK_EQ(umask(01777), 0777);
	CHECK_EQ(umask(022), 0777); /* only permission bits are kept */
	umask(077);
	CHECK_OK(mkdir("md", 0777));
	CHECK_EQ(stat_of("md").st_mode, S_IFDIR | 0700);
	umask(022);
	CHECK_OK(mkdir("mt", 01777));
	CHECK_EQ(stat_of("mt").st_mode, S_IFDIR | 01755);
	CHECK_OK(chmod("sl", 0600));
	CHECK_OK(stat("a", &st));
	CHECK_EQ(st.st_mode & 07777, 0600);
	CHECK_OK(mknod("node", S_IFREG | 0640, 0));
	CHECK_EQ(stat_of("node").st_mode, S_IFREG | 0640);
	CHECK_ERRNO(mknod("bad", S_IFDIR | 0600, 0), EPERM);
}

static void owners(void)
{
	if (geteuid() != 0)
		return;
	CHECK_OK(chmod("m", 06755));
	CHECK_OK(chown("m", 100, 200));
	CHECK_EQ(stat_of("m").st_uid, 100);
	CHECK_EQ(stat_of("m").st_gid, 200);
	CHECK_EQ(stat_of("m").st_mode & 07777, 0755); /* set-id bits go */
	CHECK_OK(chown("m", (uid_t)-1, 300));
	CHECK_EQ(stat_of("m").st_uid, 100);
	CHECK_OK(lchown("sl", 5, 6));
	CHECK_EQ(stat_of("sl").st_uid, 5);
	CHECK_EQ(stat_of("a").st_uid, 0);
	CHECK_OK(fchownat(AT_FDCWD, "sl", 7, 8, AT_SYMLINK_NOFOLLOW));
	CHECK_EQ(stat_of("sl").st_gid, 8);
}

static void times(void)
{
	struct timespec ts[2] = { { 1000000000, 123456789 }, { 1500000000, 987654321 } };
	struct stat st;

	CHECK_OK(utimensat(AT_FDCWD, "a", ts, 0));
	st = stat_of("a");
	CHECK_EQ(st.st_atim.tv_sec, 1000000000);
	CHECK_EQ(st.st_mtim.tv_sec, 1500000000);
	CHECK_EQ(st.st_mtim.tv_nsec, 987654321);
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_nsec = UTIME_NOW;
	CHECK_OK(utimensat(AT_FDCWD, "a", ts, 0));
	st = stat_of("a");
	CHECK_EQ(st.st_atim.tv_sec, 1000000000);
	CHECK(st.st_mtim.tv_sec != 1500000000);
	ts[0].tv_nsec = 1000000000;
	CHECK_ERRNO(utimensat(AT_FDCWD, "a", ts, 0), EINVAL);
	CHECK_ERRNO(utimensat(AT_FDCWD, "missing", NULL, 0), ENOENT);
	ts[0] = ts[1] = (struct timespec){ 5, 0 };
	CHECK_OK(utimensat(AT_FDCWD, "sl", ts, AT_SYMLINK_NOFOLLOW));
	CHECK_EQ(stat_of("sl").st_mtim.tv_sec, 5);
	CHECK(stat_of("a").st_mtim.tv_sec != 5);
}

/* Changes show in the times that POSIX says. */
static void times_follow_changes(void)
{
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	int fd;

	make("t", "x");
	CHECK_OK(utimensat(AT_FDCWD, "t", old, 0));
	CHECK(stat_of("t").st_ctim.tv_sec != 1000);
	fd = (int)CHECK_OK(open("t", O_WRONLY));
	CHECK_EQ(write(fd, "y", 1), 1);
	close(fd);
	CHECK(stat_of("t").st_mtim.tv_sec != 1000);
	CHECK_OK(utimensat(AT_FDCWD, "d", old, 0));
	make("d/new", "");
	CHECK(stat_of("d").st_mtim.tv_sec != 1000);
	CHECK_OK(utimensat(AT_FDCWD, "d", old, 0));
	CHECK_OK(unlink("d/new"));
	CHECK(stat_of("d").st_mtim.tv_sec != 1000);
}

static void statx_call(void)
{
	struct {
		uint32_t mask, blksize;
		uint64_t attributes;
		uint32_t nlink, uid, gid;
		uint16_t mode, spare;
		uint64_t ino, size, blocks, attributes_mask;
		unsigned char rest[256 - 64];
	} sx;

	memset(&sx, 0xff, sizeof(sx));
	CHECK_OK(syscall(SYS_statx, AT_FDCWD, "a", 0, 0x7ff, &sx));
	CHECK_EQ(sx.mask & 0x7ff, 0x7ff & sx.mask);
	CHECK_EQ(sx.mask & 0x6ff, 0x6ff); /* basic stats, at least */
	CHECK_EQ(sx.size, 4);
	CHECK_EQ(sx.ino, stat_of("a").st_ino);
	CHECK_EQ(sx.mode, stat_of("a").st_mode);
	CHECK_OK(syscall(SYS_statx, AT_FDCWD, "sl", AT_SYMLINK_NOFOLLOW, 0x7ff, &sx));
	CHECK(S_ISLNK(sx.mode));
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "a", 0, 0x80000000, &sx), EINVAL);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "a", 0x10, 0x7ff, &sx), EINVAL);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "a", 0x6000, 0x7ff, &sx), EINVAL);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "", 0, 0x7ff, &sx), ENOENT);
	CHECK_OK(syscall(SYS_statx, AT_FDCWD, "", AT_EMPTY_PATH, 0x7ff, &sx));
	CHECK(S_ISDIR(sx.mode));
	/* No name: the descriptor's own file, a symbolic link's too. A null pointer is no name as well since Linux 6.11. */
	int file = open("a", O_RDONLY), link = open("sl", O_PATH | O_NOFOLLOW);

	CHECK_OK(syscall(SYS_statx, file, "", AT_EMPTY_PATH, 0x7ff, &sx));
	CHECK_EQ(sx.ino, stat_of("a").st_ino);
	CHECK_OK(syscall(SYS_statx, link, "", AT_EMPTY_PATH, 0x7ff, &sx));
	CHECK(S_ISLNK(sx.mode));
	CHECK_OK(syscall(SYS_statx, file, NULL, AT_EMPTY_PATH, 0x7ff, &sx));
	CHECK_EQ(sx.ino, stat_of("a").st_ino);
	CHECK_OK(syscall(SYS_statx, AT_FDCWD, NULL, AT_EMPTY_PATH, 0x7ff, &sx));
	CHECK(S_ISDIR(sx.mode));
	CHECK_OK(syscall(SYS_statx, file, "/", AT_EMPTY_PATH, 0x7ff, &sx));
	CHECK(S_ISDIR(sx.mode));
	CHECK_ERRNO(syscall(SYS_statx, file, "b", AT_EMPTY_PATH, 0x7ff, &sx), ENOTDIR);
	CHECK_ERRNO(syscall(SYS_statx, file, "", 0, 0x7ff, &sx), ENOENT);
	CHECK_ERRNO(syscall(SYS_statx, file, NULL, 0, 0x7ff, &sx), EFAULT);
	CHECK_ERRNO(syscall(SYS_statx, file, (char *)8, AT_EMPTY_PATH, 0x7ff, &sx), EFAULT);
	CHECK_ERRNO(syscall(SYS_statx, file, "", AT_EMPTY_PATH, 0x7ff, (void *)8), EFAULT);
	close(link);
	close(file);
	CHECK_ERRNO(syscall(SYS_statx, file, "", AT_EMPTY_PATH, 0x7ff, &sx), EBADF);
	CHECK_ERRNO(syscall(SYS_statx, -5, "", AT_EMPTY_PATH, 0x7ff, &sx), EBADF);
}

struct raw_dirent {
	uint64_t ino, off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static void reading_directories(void)
{
	char name[16], buf[512], tiny[8];
	int seen[100] = { 0 }, dots = 0, fd;
	int64_t cookie = 0;
	long n;

	CHECK_OK(mkdir("many", 0755));
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "many/f%d", i);
		make(name, "");
	}
	fd = (int)CHECK_OK(open("many", O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(syscall(SYS_getdents64, fd, tiny, sizeof(tiny)), EINVAL);
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n;) {
			struct raw_dirent *d = (struct raw_dirent *)(buf + at);

			CHECK_EQ(d->reclen % 8, 0);
			if (d->name[0] == '.')
				dots += d->type == DT_DIR;
			else if (d->type == DT_REG)
				seen[atoi(d->name + 1) % 100]++;
			cookie = (int64_t)d->off;
			at += d->reclen;
		}
	CHECK_EQ(n, 0);
	CHECK_EQ(dots, 2);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(seen[i], 1);
	CHECK_EQ(lseek(fd, cookie, SEEK_SET), cookie);
	CHECK_EQ(syscall(SYS_getdents64, fd, buf, sizeof(buf)), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK(syscall(SYS_getdents64, fd, buf, sizeof(buf)) > 0);
	close(fd);
	fd = (int)CHECK_OK(open("a", O_RDONLY));
	CHECK_ERRNO(syscall(SYS_getdents64, fd, buf, sizeof(buf)), ENOTDIR);
	close(fd);
}

/* Delete files while reading: none is skipped, none comes twice. */
static void unlink_while_reading(void)
{
	DIR *dir = opendir("many");
	struct dirent *d;
	char name[300];
	int n = 0;

	REQUIRE(dir != NULL);
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "many/%s", d->d_name);
		CHECK_OK(unlink(name));
		n++;
	}
	closedir(dir);
	CHECK_EQ(n, 100);
	CHECK_OK(rmdir("many"));
}

/* telldir and seekdir come back to the same entry. */
static void seek_in_directory(void)
{
	DIR *dir = opendir(".");
	struct dirent *d;
	char name[300];
	long where;

	REQUIRE(dir != NULL);
	for (int i = 0; i < 5; i++)
		readdir(dir);
	where = telldir(dir);
	d = readdir(dir);
	REQUIRE(d != NULL);
	snprintf(name, sizeof(name), "%s", d->d_name);
	while (readdir(dir))
		;
	seekdir(dir, where);
	d = readdir(dir);
	CHECK(d != NULL && strcmp(d->d_name, name) == 0);
	closedir(dir);
}

static void extended_attributes(void)
{
	char value[8];

	/* user attributes may be unsupported here; then that is what must be said */
	CHECK(getxattr("a", "user.none", value, 8) == -1 &&
	      (errno == ENODATA || errno == EOPNOTSUPP));
	CHECK_ERRNO(getxattr("missing", "user.x", value, 8), ENOENT);
	CHECK_ERRNO(getxattr("a", "nonamespace", value, 8), EOPNOTSUPP);
	CHECK_ERRNO(setxattr("missing", "user.x", "v", 1, 0), ENOENT);
	CHECK(listxattr("a", NULL, 0) >= 0 || errno == EOPNOTSUPP);
}

static void as_ordinary_user(void)
{
	int fd;

	if (geteuid() != 0) {
		NOTE("left out: not root");
		return;
	}
	make("secret", "x");
	CHECK_OK(chmod("secret", 0600));
	make("readable", "x");
	CHECK_OK(mkdir("closed", 0700));
	make("closed/x", "");
	CHECK_OK(mkdir("sticky", 0777));
	CHECK_OK(chmod("sticky", 01777));
	make("sticky/root", "");
	CHECK_OK(mkdir("open", 0777));
	CHECK_OK(chmod("open", 0777));
	make("open/root", "");
	REQUIRE(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(open("secret", O_RDONLY), EACCES);
	CHECK_ERRNO(open("readable", O_RDWR), EACCES);
	fd = (int)CHECK_OK(open("readable", O_RDONLY));
	CHECK_ERRNO(fchmod(fd, 0666), EPERM);
	CHECK_ERRNO(fchown(fd, 1000, 1000), EPERM);
	close(fd);
	CHECK_ERRNO(open("closed/x", O_RDONLY), EACCES);
	CHECK_ERRNO(access("closed/missing", F_OK), EACCES);
	CHECK_ERRNO(chdir("closed"), EACCES);
	CHECK_ERRNO(open("closed", O_RDONLY), EACCES);
	CHECK_ERRNO(mkdir("mine", 0755), EACCES);
	CHECK_ERRNO(unlink("readable"), EACCES);
	CHECK_ERRNO(unlink("sticky/root"), EPERM);
	CHECK_ERRNO(rename("sticky/root", "sticky/x"), EPERM);
	CHECK_OK(unlink("open/root"));
	CHECK_ERRNO(utimensat(AT_FDCWD, "readable", NULL, 0), EACCES);
	CHECK_ERRNO(utimensat(AT_FDCWD, "readable", (struct timespec[2]){ { 1, 0 }, { 1, 0 } }, 0),
		    EPERM);
	CHECK_ERRNO(access("readable", W_OK), EACCES);
	CHECK_OK(access("readable", R_OK));
	CHECK_ERRNO(mknod("open/dev", S_IFCHR | 0600, 0x103), EPERM);
	CHECK_ERRNO(chroot("/"), EPERM);
	CHECK_OK(close(open("open/mine", O_CREAT | O_WRONLY, 0600)));
	CHECK_EQ(stat_of("open/mine").st_uid, 1000);
	CHECK_ERRNO(chown("open/mine", 0, 0), EPERM);
}

/* access() asks with the real ids, faccessat2(AT_EACCESS) with the effective ones. */
static void real_and_effective(void)
{
	if (geteuid() != 0)
		return;
	REQUIRE(setresuid(1000, 0, 0) == 0);
	CHECK_ERRNO(access("secret", R_OK), EACCES);
#ifdef SYS_faccessat2
	CHECK_OK(syscall(SYS_faccessat2, AT_FDCWD, "secret", R_OK, AT_EACCESS));
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "secret", R_OK, 0x40), EINVAL);
#endif
	CHECK_ERRNO(access("secret", 0x10), EINVAL);
}

int main(void)
{
	const char *dir = tap_tmpdir();

	umask(022);
	TAP_RUN(hard_links);
	TAP_RUN(directories);
	TAP_RUN(removed_directory);
	TAP_RUN(renames);
	TAP_RUN(rename_flags);
	TAP_RUN(whiteouts);
	TAP_RUN(symlinks);
	TAP_RUN(modes);
	TAP_RUN(owners);
	TAP_RUN(times);
	TAP_RUN(times_follow_changes);
	TAP_RUN(statx_call);
	TAP_RUN(reading_directories);
	TAP_RUN(unlink_while_reading);
	TAP_RUN(seek_in_directory);
	TAP_RUN(extended_attributes);
	TAP_FORK(as_ordinary_user);
	TAP_FORK(real_and_effective);
	tap_rmdir(dir);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * A FAT volume: mounting, names, contents, space, what is refused; and that it is still so after it was unmounted and mounted again.
 *
 * Needs the scratch disk that tests/guest.py gives the machine: /dev/vda1 is a FAT of 40 MiB with HELLO.TXT on it. tests/guest.py
 * has fsck look at it afterwards.
 */
#include "tap.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#define DEV "/dev/vda1"
#define MNT "/tmp/fat-mnt"
#define BIG (3 << 20)

static char buf[BIG], want[BIG];

static void pattern(char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(seed * 31 + i * 7 + (i >> 9));
}

static void put(const char *path, const void *data, size_t n)
{
	int fd = (int)CHECK_OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

	CHECK_EQ(write(fd, data, n), n);
	CHECK_OK(close(fd));
}

static ssize_t get(const char *path, void *data, size_t n)
{
	int fd = open(path, O_RDONLY);
	ssize_t r = fd < 0 ? -errno : read(fd, data, n);

	if (fd >= 0)
		close(fd);
	return r;
}

static void mounted(void)
{
	struct statfs st;

	CHECK_OK(mkdir(MNT, 0755));
	CHECK_ERRNO(mount("/dev/vda2", MNT, "vfat", 0, NULL), EINVAL);
	CHECK_ERRNO(mount("/dev/null", MNT, "vfat", 0, NULL), ENOTBLK);
	CHECK_ERRNO(mount("/dev/missing", MNT, "vfat", 0, NULL), ENOENT);
	CHECK_ERRNO(mount(DEV, MNT, "vfat", 0, "nonsense=1"), EINVAL);
	REQUIRE(mount(DEV, MNT, "vfat", 0, NULL) == 0);
	CHECK_EQ(get(MNT "/HELLO.TXT", buf, 100), 6);
	CHECK(!memcmp(buf, "hello\n", 6));
	CHECK_EQ(get(MNT "/hello.txt", buf, 100), 6);
	CHECK_OK(statfs(MNT, &st));
	CHECK_EQ(st.f_type, 0x4d44);
	CHECK(st.f_blocks * (uint64_t)st.f_bsize > 30 << 20);
	CHECK(st.f_bfree < st.f_blocks);
	CHECK_ERRNO(open(DEV, O_RDONLY | O_EXCL), EBUSY);
}

static int names_in(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)))
		n += name ? !strcmp(e->d_name, name)
			  : strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	if (d)
		closedir(d);
	return n;
}

static void names(void)
{
	static const char *const name[] = { "plain.txt",
					    "UPPER.TXT",
					    "A rather long name, with spaces.text",
					    "grüße-日本-😀",
					    ".hidden",
					    "two.dots.tar.gz",
					    "x" };
	char path[300], longest[300];

	CHECK_OK(mkdir(MNT "/names", 0755));
	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		snprintf(path, sizeof(path), MNT "/names/%s", name[i]);
		put(path, name[i], strlen(name[i]));
		CHECK_EQ(names_in(MNT "/names", name[i]), 1);
	}
	CHECK_EQ(names_in(MNT "/names", NULL), ARRAY_SIZE(name));
	/* Case does not matter, and one file has one inode however it is spelled. */
	CHECK_EQ(get(MNT "/names/PLAIN.TXT", buf, 100), 9);
	CHECK_ERRNO(open(MNT "/names/Plain.Txt", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
	put(MNT "/names/pLAIN.TXT", "other", 5);
	CHECK_EQ(get(MNT "/names/plain.txt", buf, 100), 5);
	CHECK_OK(unlink(MNT "/names/Plain.TXT"));
	CHECK_ERRNO(access(MNT "/names/plain.txt", F_OK), ENOENT);
	CHECK_ERRNO(access(MNT "/names/PLAIN.TXT", F_OK), ENOENT);
	put(MNT "/names/PLAIN.txt", "again", 5);
	CHECK_EQ(get(MNT "/names/plain.txt", buf, 100), 5);
	CHECK_ERRNO(open(MNT "/names/what?", O_CREAT | O_RDWR, 0644), EINVAL);
	CHECK_ERRNO(open(MNT "/names/\xff", O_CREAT | O_RDWR, 0644), EINVAL);
	memset(longest, 'n', sizeof(longest));
	memcpy(longest, MNT "/names/", strlen(MNT "/names/"));
	longest[strlen(MNT "/names/") + 255] = '\0';
	put(longest, "n", 1);
	CHECK_EQ(get(longest, buf, 10), 1);
	/* Short names that collide get numbers: many files whose first letters are the same. */
	CHECK_OK(mkdir(MNT "/many", 0755));
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), MNT "/many/the same beginning %d", i);
		put(path, &i, sizeof(i));
	}
	CHECK_EQ(names_in(MNT "/many", NULL), 300);
	for (int i = 0; i < 300; i += 2) {
		snprintf(path, sizeof(path), MNT "/many/the same beginning %d", i);
		CHECK_OK(unlink(path));
	}
	CHECK_EQ(names_in(MNT "/many", NULL), 150);
}

static void contents(void)
{
	int fd = (int)CHECK_OK(open(MNT "/data", O_RDWR | O_CREAT, 0644));
	struct stat st;
	char *map;

	pattern(want, BIG, 1);
	CHECK_EQ(write(fd, want, BIG), BIG);
	CHECK_OK(fsync(fd));
	CHECK_EQ(pread(fd, buf, BIG, 0), BIG);
	CHECK(!memcmp(buf, want, BIG));
	/* A piece in the middle, one over the end, and one that leaves a gap of zeros. */
	CHECK_EQ(pwrite(fd, "middle", 6, 123457), 6);
	memcpy(want + 123457, "middle", 6);
	CHECK_OK(ftruncate(fd, 70001));
	CHECK_EQ(pwrite(fd, "end", 3, 200000), 3);
	memset(want + 70001, 0, 200000 - 70001);
	memcpy(want + 200000, "end", 3);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 200003);
	CHECK(st.st_blocks * 512 >= 200003);
	CHECK_EQ(pread(fd, buf, BIG, 0), 200003);
	CHECK(!memcmp(buf, want, 200003));
	/* Through a mapping. */
	map = mmap(NULL, 200003, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(map != MAP_FAILED);
	CHECK(!memcmp(map, want, 200003));
	for (int i = 0; i < 40; i++)
		map[i * 5000] = want[i * 5000] = (char)i;
	CHECK_OK(msync(map, 200003, MS_SYNC));
	CHECK_OK(munmap(map, 200003));
	close(fd);
	fd = (int)CHECK_OK(open(MNT "/data", O_WRONLY | O_APPEND));
	CHECK_EQ(write(fd, "more", 4), 4);
	memcpy(want + 200003, "more", 4);
	CHECK_OK(close(fd));
	/* A file without a name keeps its contents while it is open. */
	fd = (int)CHECK_OK(open(MNT "/gone", O_RDWR | O_CREAT, 0644));
	CHECK_OK(unlink(MNT "/gone"));
	CHECK_EQ(write(fd, "still", 5), 5);
	CHECK_EQ(pread(fd, buf, 10, 0), 5);
	close(fd);
}

static void moves(void)
{
	struct stat a, b;

	CHECK_OK(mkdir(MNT "/d1", 0755));
	CHECK_OK(mkdir(MNT "/d2", 0755));
	CHECK_OK(mkdir(MNT "/d1/sub", 0755));
	put(MNT "/d1/file", "one", 3);
	put(MNT "/d2/target", "two!", 4);
	CHECK_OK(rename(MNT "/d1/file", MNT "/d1/a new, longer name"));
	CHECK_EQ(get(MNT "/d1/a new, longer name", buf, 10), 3);
	CHECK_ERRNO(access(MNT "/d1/file", F_OK), ENOENT);
	CHECK_OK(rename(MNT "/d1/a new, longer name", MNT "/d2/target"));
	CHECK_EQ(get(MNT "/d2/target", buf, 10), 3);
	CHECK_OK(rename(MNT "/d1/sub", MNT "/d2/moved"));
	put(MNT "/d2/moved/in", "x", 1);
	CHECK_OK(stat(MNT "/d2/moved/..", &a));
	CHECK_OK(stat(MNT "/d2", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_ERRNO(rename(MNT "/d2", MNT "/d2/moved/loop"), EINVAL);
	CHECK_ERRNO(rmdir(MNT "/d2"), ENOTEMPTY);
	CHECK_OK(rmdir(MNT "/d1"));
	CHECK_ERRNO(symlink("x", MNT "/link"), EPERM);
	CHECK_ERRNO(link(MNT "/d2/target", MNT "/hard"), EPERM);
	CHECK_ERRNO(mkfifo(MNT "/fifo", 0644), EPERM);
	CHECK_OK(chmod(MNT "/d2/target", 0555));
	CHECK_OK(stat(MNT "/d2/target", &a));
	CHECK_EQ(a.st_mode & 0222, 0);
	CHECK_OK(chmod(MNT "/d2/target", 0755));
	CHECK_ERRNO(chmod(MNT "/d2/target", 0700), EPERM);
	CHECK_ERRNO(chown(MNT "/d2/target", 12, 12), EPERM);
	CHECK_OK(chown(MNT "/d2/target", 0, 0));
}

/* Until nothing is left; then all of it is free again. */
static void full(void)
{
	struct statfs before, after;
	size_t total = 0;
	ssize_t n;
	int fd;

	CHECK_OK(statfs(MNT, &before));
	fd = (int)CHECK_OK(open(MNT "/full", O_WRONLY | O_CREAT, 0644));
	while ((n = write(fd, want, BIG)) > 0)
		total += (size_t)n;
	CHECK_EQ(errno, ENOSPC);
	CHECK(total > before.f_bfree * (uint64_t)before.f_bsize - 3 * (uint64_t)before.f_bsize);
	CHECK_OK(statfs(MNT, &after));
	CHECK(after.f_bfree <= 1);
	CHECK_ERRNO(mkdir(MNT "/no room", 0755), ENOSPC);
	CHECK_ERRNO(ftruncate(fd, 1ull << 33), EFBIG);
	close(fd);
	CHECK_OK(unlink(MNT "/full"));
	CHECK_OK(statfs(MNT, &after));
	CHECK_EQ(after.f_bfree, before.f_bfree);
}

static void again(void)
{
	char path[100];
	int fd;

	CHECK_OK(chdir(MNT));
	CHECK_ERRNO(umount(MNT), EBUSY);
	CHECK_OK(chdir("/"));
	CHECK_OK(umount(MNT));
	CHECK_ERRNO(access(MNT "/data", F_OK), ENOENT);
	REQUIRE(mount(DEV, MNT, "vfat", MS_RDONLY, NULL) == 0);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(get(MNT "/data", buf, BIG), 200007);
	CHECK(!memcmp(buf, want, 200007));
	CHECK_EQ(get(MNT "/names/grüße-日本-😀", buf, 100), strlen("grüße-日本-😀"));
	CHECK_EQ(names_in(MNT "/many", NULL), 150);
	for (int i = 1; i < 300; i += 2) {
		int value = -1;

		snprintf(path, sizeof(path), MNT "/many/the same beginning %d", i);
		CHECK_EQ(get(path, &value, sizeof(value)), sizeof(value));
		CHECK_EQ(value, i);
	}
	CHECK_EQ(get(MNT "/d2/moved/in", buf, 10), 1);
	CHECK_ERRNO(open(MNT "/new", O_CREAT | O_RDWR, 0644), EROFS);
	CHECK_ERRNO(unlink(MNT "/data"), EROFS);
	CHECK_OK(mount(DEV, MNT, "vfat", MS_REMOUNT, NULL));
	put(MNT "/new", "new", 3);
	fd = (int)CHECK_OK(open(MNT "/new", O_RDWR));
	CHECK_ERRNO(mount(DEV, MNT, "vfat", MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	CHECK_OK(syncfs(fd));
	close(fd);
	CHECK_OK(mount(DEV, MNT, "vfat", MS_REMOUNT | MS_RDONLY, NULL));
	CHECK_ERRNO(unlink(MNT "/new"), EROFS);
	CHECK_OK(umount(MNT));
}

/* A directory has many spellings and is one all the same; what took a moved file's old entry is another file. */
static void identity(void)
{
	struct statfs before, after;
	struct stat a, b;
	char stale;
	int fd;

	REQUIRE(mount(DEV, MNT, "vfat", 0, NULL) == 0);
	CHECK_OK(mkdir(MNT "/self", 0755));
	CHECK_OK(mkdir(MNT "/Self/Sub", 0755));
	CHECK_ERRNO(rename(MNT "/self", MNT "/SELF/x"), EINVAL);
	CHECK_ERRNO(rename(MNT "/SELF", MNT "/self/SUB/x"), EINVAL);
	CHECK_ERRNO(rename(MNT "/self/sub", MNT "/SELF"), ENOTEMPTY);
	CHECK_OK(stat(MNT "/self/sub", &a));
	CHECK_OK(stat(MNT "/SELF/SUB", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	put(MNT "/self/first", "1", 1);
	CHECK_OK(stat(MNT "/self/first", &a));
	fd = (int)CHECK_OK(open(MNT "/self/first", O_RDONLY));
	CHECK_OK(rename(MNT "/self/first", MNT "/self/sub/moved"));
	put(MNT "/self/first", "2", 1);
	CHECK_OK(stat(MNT "/self/first", &b));
	CHECK(a.st_ino != b.st_ino);
	CHECK_OK(stat(MNT "/self/sub/moved", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(pread(fd, &stale, 1, 0), 1);
	CHECK_EQ(stale, '1');
	close(fd);
	CHECK_OK(statfs(MNT, &before));
	put(MNT "/self/Big", buf, BIG);
	CHECK_OK(stat(MNT "/self/BIG", &a));
	CHECK_OK(stat(MNT "/SELF/big", &a));
	CHECK_OK(unlink(MNT "/self/bIG"));
	CHECK_OK(statfs(MNT, &after));
	CHECK_EQ(after.f_bfree, before.f_bfree);
	CHECK_OK(umount(MNT));
}

/* Several processes that make, move and remove files in one directory. */
static void crowd(void)
{
	REQUIRE(mount(DEV, MNT, "vfat", 0, "umask=077") == 0);
	CHECK_OK(mkdir(MNT "/crowd", 0755));
	for (int w = 0; w < 4; w++) {
		if (fork() == 0) {
			char a[100], b[100];

			for (int i = 0; i < 30; i++) {
				snprintf(a, sizeof(a), MNT "/crowd/file of %d number %d", w, i);
				snprintf(b, sizeof(b), MNT "/crowd/%d-%d", w, i);
				put(a, a, strlen(a));
				if (rename(a, b) || get(b, buf, 100) != (ssize_t)strlen(a) ||
				    memcmp(a, buf, strlen(a)) || (i % 3 && unlink(b)))
					_exit(1);
			}
			_exit(tap_nfailed != 0);
		}
	}
	for (int w = 0; w < 4; w++) {
		int status = -1;

		CHECK_OK(wait(&status));
		CHECK_EQ(status, 0);
	}
	CHECK_EQ(names_in(MNT "/crowd", NULL), 40);
	CHECK_OK(umount(MNT));
}

int main(void)
{
	if (access(DEV, R_OK | W_OK) || getuid() != 0)
		SKIP("there is no scratch disk");
	umask(022);
	TAP_RUN(mounted);
	TAP_RUN(names);
	TAP_RUN(contents);
	TAP_RUN(moves);
	TAP_RUN(full);
	TAP_RUN(again);
	TAP_RUN(identity);
	TAP_RUN(crowd);
	rmdir(MNT);
	return tap_done();
}

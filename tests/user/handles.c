/* SPDX-License-Identifier: MIT */
/*
 * name_to_handle_at and open_by_handle_at: a file found again by its handle, whatever its name is by then, and not when it has gone. Needs root and a
 * tmpfs of its own.
 */
#include "tap.h"
#include "mounts.h"

#ifdef __x86_64__
#define NR_name_to_handle 303
#define NR_open_by_handle 304
#else
#define NR_name_to_handle 264
#define NR_open_by_handle 265
#endif

struct handle {
	uint32_t bytes;
	int32_t type;
	unsigned char id[128];
};

static long name_to(const char *path, struct handle *h, int flags)
{
	int mount = -1;

	h->bytes = sizeof(h->id);
	return syscall(NR_name_to_handle, AT_FDCWD, path, h, &mount, flags);
}

static long open_it(const struct handle *h, int flags)
{
	return syscall(NR_open_by_handle, AT_FDCWD, h, flags);
}

static int same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

static void files(void)
{
	struct handle h, again;
	char text[8] = "";
	int fd;

	CHECK_OK(tap_write_file("a", "one", 3, 0644));
	CHECK_OK(name_to("a", &h, 0));
	CHECK(h.bytes > 0 && h.bytes < sizeof(h.id));
	CHECK_OK(name_to("a", &again, 0));
	CHECK(again.bytes == h.bytes && !memcmp(again.id, h.id, h.bytes));
	fd = (int)CHECK_OK(open_it(&h, O_RDWR));
	CHECK(same_file(fd, "a"));
	CHECK_EQ(read(fd, text, sizeof(text)), 3);
	CHECK_STR(text, "one");
	close(fd);
	/* The name does not matter. */
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(rename("a", "d/b"));
	fd = (int)CHECK_OK(open_it(&h, O_RDONLY));
	CHECK(same_file(fd, "d/b"));
	close(fd);
	CHECK_OK(link("d/b", "c"));
	CHECK_OK(unlink("d/b"));
	fd = (int)CHECK_OK(open_it(&h, O_RDONLY));
	CHECK(same_file(fd, "c"));
	/* Open without a name: still there. Closed: gone. */
	CHECK_OK(unlink("c"));
	close(fd);
	CHECK_ERRNO(open_it(&h, O_RDONLY), ESTALE);
	CHECK_OK(rmdir("d"));
}

static void names_come_and_go(void)
{
	struct handle h[50];
	char name[16];

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		CHECK_OK(tap_write_file(name, name, strlen(name), 0600));
		CHECK_OK(name_to(name, &h[i], 0));
	}
	for (int i = 0; i < 50; i += 2) {
		snprintf(name, sizeof(name), "n%d", i);
		CHECK_OK(unlink(name));
	}
	for (int i = 0; i < 50; i++) {
		int fd = (int)open_it(&h[i], O_RDONLY);

		if (i % 2) {
			snprintf(name, sizeof(name), "n%d", i);
			CHECK(same_file(fd, name));
			CHECK_OK(unlink(name));
		} else {
			CHECK(fd < 0 && errno == ESTALE);
		}
		if (fd >= 0)
			close(fd);
	}
}

static void directories(void)
{
	struct handle h, root;
	int fd;

	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(tap_write_file("d/f", "x", 1, 0644));
	CHECK_OK(name_to("d", &h, 0));
	CHECK_OK(name_to(".", &root, 0));
	fd = (int)CHECK_OK(open_it(&h, O_RDONLY | O_DIRECTORY));
	CHECK_OK(faccessat(fd, "f", F_OK, 0));
	CHECK_OK(faccessat(fd, "../d/f", F_OK, 0));
	close(fd);
	fd = (int)CHECK_OK(open_it(&root, O_RDONLY));
	CHECK(same_file(fd, "."));
	close(fd);
	CHECK_ERRNO(open_it(&h, O_RDWR), EISDIR);
	CHECK_OK(unlink("d/f"));
	CHECK_OK(rmdir("d"));
	CHECK_ERRNO(open_it(&h, O_RDONLY), ESTALE);
}

static void links(void)
{
	struct handle link, target, dangling;
	int fd;

	CHECK_OK(tap_write_file("t", "x", 1, 0644));
	CHECK_OK(symlink("t", "l"));
	CHECK_OK(symlink("nowhere", "broken"));
	CHECK_OK(name_to("l", &link, 0));
	CHECK_OK(name_to("l", &target, AT_SYMLINK_FOLLOW));
	CHECK_OK(name_to("broken", &dangling, 0));
	CHECK_ERRNO(name_to("broken", &dangling, AT_SYMLINK_FOLLOW), ENOENT);
	CHECK_ERRNO(open_it(&link, O_RDONLY), ELOOP);
	fd = (int)CHECK_OK(open_it(&link, O_PATH | O_NOFOLLOW));
	CHECK(same_file(fd, "l"));
	close(fd);
	fd = (int)CHECK_OK(open_it(&target, O_RDONLY));
	CHECK(same_file(fd, "t"));
	close(fd);
	CHECK_OK(unlink("l"));
	CHECK_OK(unlink("broken"));
	CHECK_OK(unlink("t"));
}

static void arguments(void)
{
	struct handle h = { .bytes = 0 }, good;
	int mount = -1, fd, mounts, n;
	char line[256];
	FILE *f;

	CHECK_OK(tap_write_file("a", "one", 3, 0644));
	CHECK_OK(name_to("a", &good, 0));
	/* Too little room: how much it takes. */
	CHECK_ERRNO(syscall(NR_name_to_handle, AT_FDCWD, "a", &h, &mount, 0), EOVERFLOW);
	CHECK_EQ(h.bytes, good.bytes);
	CHECK(mount > 0);
	h.bytes = sizeof(h.id) + 1;
	CHECK_ERRNO(syscall(NR_name_to_handle, AT_FDCWD, "a", &h, &mount, 0), EINVAL);
	h.bytes = sizeof(h.id);
	CHECK_ERRNO(syscall(NR_name_to_handle, AT_FDCWD, "a", NULL, &mount, 0), EFAULT);
	CHECK_ERRNO(syscall(NR_name_to_handle, AT_FDCWD, "a", &h, NULL, 0), EFAULT);
	CHECK_ERRNO(syscall(NR_name_to_handle, AT_FDCWD, NULL, &h, &mount, 0), EFAULT);
	CHECK_ERRNO(syscall(NR_name_to_handle, AT_FDCWD, "a", &h, &mount, 0x10000), EINVAL);
	CHECK_ERRNO(syscall(NR_name_to_handle, AT_FDCWD, "", &h, &mount, 0), ENOENT);
	CHECK_ERRNO(syscall(NR_name_to_handle, -1, "a", &h, &mount, 0), EBADF);
	fd = (int)CHECK_OK(open("a", O_RDONLY));
	CHECK_OK(syscall(NR_name_to_handle, fd, "", &h, &mount, AT_EMPTY_PATH));
	CHECK(!memcmp(h.id, good.id, good.bytes));
	/* The number of the mount is that of mountinfo. */
	mounts = 0;
	f = fopen("/proc/self/mountinfo", "r");
	while (f && fgets(line, sizeof(line), f))
		mounts += sscanf(line, "%d", &n) == 1 && n == mount;
	if (f)
		fclose(f);
	CHECK_EQ(mounts, 1);

	h = good;
	h.bytes = 0;
	CHECK_ERRNO(open_it(&h, O_RDONLY), EINVAL);
	h.bytes = sizeof(h.id) + 1;
	CHECK_ERRNO(open_it(&h, O_RDONLY), EINVAL);
	CHECK_ERRNO(open_it(NULL, O_RDONLY), EFAULT);
	CHECK_ERRNO(syscall(NR_open_by_handle, -1, &good, O_RDONLY), EBADF);
	h = good;
	h.id[good.bytes - 1] ^= 0x55;
	CHECK_ERRNO(open_it(&h, O_RDONLY), ESTALE);
	close((int)CHECK_OK(syscall(NR_open_by_handle, fd, &good, O_RDONLY)));
	close(fd);
	/* A file system that has none. */
	h.bytes = sizeof(h.id);
	CHECK_ERRNO(syscall(NR_name_to_handle, AT_FDCWD, "/proc/version", &h, &mount, 0),
		    EOPNOTSUPP);
	fd = (int)CHECK_OK(open("/proc", O_RDONLY));
	CHECK_ERRNO(syscall(NR_open_by_handle, fd, &good, O_RDONLY), ESTALE);
	close(fd);
}

static void without_rights(void)
{
	struct handle h;

	CHECK_OK(setresgid(1, 1, 1));
	CHECK_OK(setresuid(1, 1, 1));
	CHECK_OK(name_to("a", &h, 0));
	CHECK_ERRNO(open_it(&h, O_RDONLY), EPERM);
}

/* The handles of one file system mean nothing in another. */
static void other_mount(void)
{
	struct handle h;

	CHECK_OK(name_to("a", &h, 0));
	CHECK_OK(mkdir("u", 0755));
	CHECK_OK(mount("none", "u", "tmpfs", 0, NULL));
	CHECK_OK(chdir("u"));
	CHECK_OK(tap_write_file("b", "x", 1, 0644));
	CHECK_ERRNO(open_it(&h, O_RDONLY), ESTALE);
	CHECK_OK(chdir(".."));
	CHECK_OK(umount("u"));
	CHECK_OK(rmdir("u"));
}

int main(void)
{
	const char *dir = tap_tmpdir();

	mounts_unshare();
	mounts_enter_tmpfs("mode=755");
	TAP_RUN(files);
	TAP_RUN(names_come_and_go);
	TAP_RUN(directories);
	TAP_RUN(links);
	TAP_RUN(arguments);
	TAP_FORK(without_rights);
	TAP_RUN(other_mount);
	mounts_leave_tmpfs();
	tap_rmdir(dir);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * fanotify: what is told of files, directories, mounts and file systems, by descriptor and by id; questions and their answers; marks and limits.
 *
 * Events are compared as text: the mask in hexadecimal, then what was told, e.g. "20 f" (a descriptor of f was given), "100 name:d/new fid:new".
 */
#include "tap.h"
#include "mounts.h"
#include <linux/fanotify.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#ifdef __aarch64__
#define LARGEFILE 0x20000
#else
#define LARGEFILE 0x8000 /* the library's O_LARGEFILE may be 0 */
#endif
#define AT_FID 0x200
#ifndef FAN_REPORT_DFID_NAME_TARGET
#define FAN_REPORT_TARGET_FID 0x1000
#define FAN_REPORT_DFID_NAME_TARGET (FAN_REPORT_DFID_NAME | FAN_REPORT_FID | FAN_REPORT_TARGET_FID)
#endif

static int group(unsigned flags, unsigned event_flags)
{
	return (int)syscall(SYS_fanotify_init, flags, event_flags);
}

static int mark(int fd, unsigned flags, uint64_t mask, const char *path)
{
	return (int)syscall(SYS_fanotify_mark, fd, flags, mask, AT_FDCWD, path);
}

/* ---- events as text ---- */

struct id {
	struct file_handle head;
	unsigned char bytes[128];
};
static struct {
	char name[32];
	struct id id;
} known[16];
static int nknown;

static bool get_id(const char *path, struct id *id)
{
	int mount;

	memset(id, 0, sizeof(*id));
	id->head.handle_bytes = sizeof(id->bytes);
	if (!name_to_handle_at(AT_FDCWD, path, &id->head, &mount, 0))
		return true;
	id->head.handle_bytes = sizeof(id->bytes);
	return !name_to_handle_at(AT_FDCWD, path, &id->head, &mount, AT_FID);
}

/* Objects are called what they were when they were learned. */
static void learn(const char *path)
{
	snprintf(known[nknown].name, sizeof(known[0].name), "%s", path);
	if (get_id(path, &known[nknown].id))
		nknown++;
}

static const char *name_of(const struct file_handle *h)
{
	for (int i = 0; i < nknown; i++) {
		const struct file_handle *k = &known[i].id.head;

		if (k->handle_bytes == h->handle_bytes && k->handle_type == h->handle_type &&
		    !memcmp(k->f_handle, h->f_handle, h->handle_bytes))
			return known[i].name;
	}
	return "?";
}

static size_t add_record(char *text, size_t room, const char *record)
{
	const struct fanotify_event_info_header *hdr = (const void *)record;
	const struct fanotify_event_info_fid *fid = (const void *)record;
	const struct file_handle *h = (const void *)fid->handle;
	const char *name = (const char *)h->f_handle + h->handle_bytes;
	const char *object = name_of(h);

	switch (hdr->info_type) {
	case FAN_EVENT_INFO_TYPE_FID:
		return (size_t)snprintf(text, room, " fid:%s", object);
	case FAN_EVENT_INFO_TYPE_DFID:
		return (size_t)snprintf(text, room, " dir:%s", object);
	case FAN_EVENT_INFO_TYPE_DFID_NAME:
		return (size_t)snprintf(text, room, " name:%s/%s", object, name);
	case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
		return (size_t)snprintf(text, room, " old:%s/%s", object, name);
	case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
		return (size_t)snprintf(text, room, " new:%s/%s", object, name);
	case FAN_EVENT_INFO_TYPE_PIDFD:
		return (size_t)snprintf(text, room, " pidfd");
	}
	return (size_t)snprintf(text, room, " type%d", hdr->info_type);
}

static size_t add_file(char *text, size_t room, int fd)
{
	char link[40], path[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	return (size_t)snprintf(text, room, " %s",
				strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
}

static char said[4096];
static int last_fd = -1; /* of the last question */
static pid_t last_pid;

/* All events that are there, separated by commas. */
static const char *events(int fd)
{
	static char buf[16384] __attribute__((aligned(8)));
	size_t len = 0;
	ssize_t n;

	said[0] = '\0';
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n;) {
			struct fanotify_event_metadata *m = (void *)p;

			CHECK_EQ(m->vers, 3);
			CHECK_EQ(m->metadata_len, 24);
			last_pid = m->pid;
			len += (size_t)snprintf(said + len, sizeof(said) - len, "%s%llx",
						len ? ", " : "", (unsigned long long)m->mask);
			for (char *r = p + 24; r < p + m->event_len;
			     r += ((struct fanotify_event_info_header *)r)->len)
				len += add_record(said + len, sizeof(said) - len, r);
			if (m->fd >= 0) {
				len += add_file(said + len, sizeof(said) - len, m->fd);
				if (m->mask &
				    (FAN_OPEN_PERM | FAN_ACCESS_PERM | FAN_OPEN_EXEC_PERM))
					last_fd = m->fd;
				else
					close(m->fd);
			}
			p += m->event_len;
		}
	return said;
}

#define EXPECT(fd, want)                                                                           \
	do {                                                                                       \
		const char *got_ = events(fd);                                                     \
		if (strcmp(got_, want))                                                            \
			tap_fail(__FILE__, __LINE__, "events are \"%s\", not \"%s\"", got_, want); \
	} while (0)

static void make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (write(fd, "text", 4) != 4)
		tap_fail(__FILE__, __LINE__, "%s could not be made", path);
	close(fd);
}

static void use(const char *path, int flags)
{
	char c;
	int fd = open(path, flags);

	if ((flags & O_ACCMODE) != O_RDONLY)
		CHECK_EQ(write(fd, "x", 1), 1);
	else if (!(flags & O_DIRECTORY))
		CHECK_EQ(read(fd, &c, 1), 1);
	close(fd);
}

static void arguments(void)
{
	int fd;

	CHECK_ERRNO(group(0x80000000, 0), EINVAL);
	CHECK_ERRNO(group(FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT, 0), EINVAL);
	CHECK_ERRNO(group(FAN_CLASS_CONTENT | FAN_REPORT_FID, 0), EINVAL);
	CHECK_ERRNO(group(FAN_REPORT_NAME, 0), EINVAL);
	CHECK_ERRNO(group(FAN_REPORT_TARGET_FID | FAN_REPORT_DFID_NAME, 0), EINVAL);
	CHECK_ERRNO(group(FAN_REPORT_PIDFD | FAN_REPORT_TID, 0), EINVAL);
	CHECK_ERRNO(group(0, O_ACCMODE), EINVAL);
	CHECK_ERRNO(group(0, O_CREAT), EINVAL);
	make("f");
	fd = group(FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);
	REQUIRE(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD, 0, "f"), EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD, 1ull << 32, "f"), EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD, 0x2000, "f"), EINVAL);
	CHECK_ERRNO(mark(fd, 0, FAN_OPEN, "f"), EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_REMOVE, FAN_OPEN, "f"), EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_FLUSH | FAN_MARK_ONLYDIR, 0, "f"), EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM, FAN_OPEN, "f"),
		    EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORE | FAN_MARK_IGNORED_MASK, FAN_OPEN, "f"),
		    EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT | FAN_MARK_EVICTABLE, FAN_OPEN, "f"),
		    EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, "f"), EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD, FAN_CREATE, "."), EINVAL); /* needs ids */
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD, FAN_OPEN, "none"), ENOENT);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, "f"), ENOTDIR);
	CHECK_ERRNO(mark(fd, FAN_MARK_REMOVE, FAN_OPEN, "f"), ENOENT);
	CHECK_ERRNO(mark(-1, FAN_MARK_ADD, FAN_OPEN, "f"), EBADF);
	CHECK_ERRNO(mark(0, FAN_MARK_ADD, FAN_OPEN, "f"), EINVAL);
	CHECK_ERRNO(syscall(SYS_fanotify_mark, fd, FAN_MARK_ADD, (uint64_t)FAN_OPEN, -1, NULL),
		    EBADF);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT | FAN_MARK_IGNORE, FAN_OPEN, "f"),
		    EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORE, FAN_OPEN, "."), EISDIR);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORE, FAN_OPEN | FAN_ONDIR, "f"), ENOTDIR);
	CHECK_OK(mark(fd, FAN_MARK_FLUSH, 0, NULL));
	close(fd);
	fd = group(FAN_REPORT_FID | FAN_NONBLOCK, 0);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CREATE, "."), EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD, FAN_RENAME, "."), EINVAL);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, "/proc"), EOPNOTSUPP);
	close(fd);
	fd = group(FAN_CLASS_CONTENT | FAN_NONBLOCK, 0);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, "/proc/version"), EINVAL);
	close(fd);
}

/* By descriptor: of a file, of what is in a directory, of what is reached by a mount. */
static void by_descriptor(void)
{
	int fd = group(FAN_NONBLOCK, O_RDONLY), n = 0, held;
	struct pollfd p = { fd, POLLIN, 0 };
	char c[64];

	make("f");
	make("g");
	CHECK_OK(mkdir("d", 0755));
	make("d/f");
	CHECK_ERRNO(read(fd, c, sizeof(c)), EAGAIN);
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_CLOSE, "f"));
	CHECK_EQ(poll(&p, 1, 0), 0);
	use("f", O_RDONLY);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_OK(ioctl(fd, FIONREAD, &n));
	CHECK_EQ(n, 24);
	CHECK_ERRNO(read(fd, c, 23), EINVAL);
	EXPECT(fd, "31 f"); /* one event: they are merged */
	CHECK_EQ(last_pid, getpid());
	use("f", O_WRONLY);
	use("g", O_RDONLY);
	EXPECT(fd, "2a f");
	CHECK_OK(mark(fd, FAN_MARK_REMOVE, FAN_OPEN | FAN_CLOSE, "f"));
	use("f", O_RDONLY);
	EXPECT(fd, "1 f");
	CHECK_OK(mark(fd, FAN_MARK_REMOVE, FAN_ACCESS | FAN_MODIFY, "f"));
	CHECK_ERRNO(mark(fd, FAN_MARK_REMOVE, FAN_ACCESS, "f"), ENOENT);
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, "d"));
	use("d/f", O_RDONLY);
	use("d", O_RDONLY | O_DIRECTORY);
	EXPECT(fd, "20 f");
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_ONDIR, "d"));
	use("d", O_RDONLY | O_DIRECTORY);
	EXPECT(fd, "20 d");
	CHECK_OK(mark(fd, FAN_MARK_FLUSH, 0, NULL));
	use("d/f", O_RDONLY);
	EXPECT(fd, "");
	/* The file that is given is not watched itself. */
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_ACCESS | FAN_CLOSE, "f"));
	use("f", O_RDONLY);
	EXPECT(fd, "31 f");
	EXPECT(fd, "");
	held = open("f", O_RDONLY | O_PATH);
	close(held);
	EXPECT(fd, "");
	if (!fork()) {
		execl("/proc/self/exe", "fanotify", "exit", NULL);
		_exit(9);
	}
	wait(NULL);
	CHECK_OK(mark(fd, FAN_MARK_FLUSH, 0, NULL));
	close(fd);
	CHECK_OK(unlink("d/f"));
	CHECK_OK(rmdir("d"));
}

static void executed(void)
{
	int fd = group(FAN_NONBLOCK, O_RDONLY), self = open("/proc/self/exe", O_RDONLY), copy;
	char buf[65536];
	ssize_t n;
	pid_t pid;

	copy = open("program", O_WRONLY | O_CREAT, 0755);
	while ((n = read(self, buf, sizeof(buf))) > 0)
		REQUIRE(write(copy, buf, (size_t)n) == n);
	close(copy);
	close(self);
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_OPEN_EXEC, "program"));
	use("program", O_RDONLY);
	EXPECT(fd, "20 program");
	pid = fork();
	if (!pid) {
		execl("program", "program", "exit", NULL);
		_exit(9);
	}
	CHECK_EXIT(pid, 0);
	EXPECT(fd, "1020 program");
	CHECK_EQ(last_pid, pid);
	close(fd);
	CHECK_OK(unlink("program"));
}

/* Nothing is told of what is ignored; until it changes, or for good. */
static void ignored(void)
{
	int fd = group(FAN_NONBLOCK, O_RDONLY), held;

	make("f");
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_OPEN, "f"));
	CHECK_OK(mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, "f"));
	use("f", O_RDONLY);
	EXPECT(fd, "");
	use("f", O_WRONLY); /* opened before it was changed */
	EXPECT(fd, "");
	use("f", O_RDONLY);
	EXPECT(fd, "20 f");
	held = open("f", O_WRONLY);
	CHECK_OK(mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, "f"));
	use("f", O_RDONLY); /* it could change at once: not ignored */
	EXPECT(fd, "20 f");
	CHECK_OK(mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY,
		      FAN_OPEN, "f"));
	close(held);
	use("f", O_WRONLY);
	use("f", O_RDONLY);
	EXPECT(fd, "");
	CHECK_OK(mark(fd, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK, FAN_OPEN, "f"));
	use("f", O_RDONLY);
	EXPECT(fd, "20 f");
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_EVICTABLE, FAN_OPEN, "f"), EEXIST);
	CHECK_OK(mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY, FAN_OPEN,
		      "f"));
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, "f"), EEXIST);
	CHECK_ERRNO(mark(fd, FAN_MARK_ADD | FAN_MARK_IGNORE, FAN_OPEN, "f"), EEXIST);
	close(fd);
}

/* By id, as each set of flags says. */
static void in_directory(unsigned flags, const char *opened, const char *made, const char *dir,
			 const char *moved, const char *gone)
{
	uint64_t all = FAN_OPEN | FAN_CREATE | FAN_DELETE | FAN_MOVE | FAN_ATTRIB | FAN_ONDIR |
		       FAN_EVENT_ON_CHILD;
	int fd = group(FAN_NONBLOCK | flags, 0);

	nknown = 0;
	CHECK_OK(mkdir("d", 0755));
	make("d/f");
	learn("d");
	learn("d/f");
	CHECK_OK(mark(fd, FAN_MARK_ADD, all, "d"));
	use("d/f", O_RDONLY);
	EXPECT(fd, opened);
	CHECK_OK(link("d/f", "d/new"));
	EXPECT(fd, made);
	CHECK_OK(mkdir("d/sub", 0755));
	learn("d/sub");
	EXPECT(fd, dir);
	CHECK_OK(rename("d/f", "d/g"));
	EXPECT(fd, moved);
	CHECK_OK(unlink("d/g"));
	EXPECT(fd, gone);
	CHECK_OK(unlink("d/new"));
	CHECK_OK(rmdir("d/sub"));
	close(fd);
	CHECK_OK(rmdir("d"));
}

static void by_id(void)
{
	in_directory(FAN_REPORT_FID, "20 fid:d/f", "100 fid:d", "40000100 fid:d", "c0 fid:d",
		     "200 fid:d");
	in_directory(FAN_REPORT_DIR_FID, "20 fid:d", "100 dir:d", "40000100 dir:d", "c0 dir:d",
		     "200 dir:d");
	in_directory(FAN_REPORT_DFID_NAME, "20 name:d/f", "100 name:d/new", "40000100 name:d/sub",
		     "40 name:d/f, 80 name:d/g", "200 name:d/g");
	in_directory(FAN_REPORT_DFID_NAME | FAN_REPORT_FID, "20 name:d/f fid:d/f", "100 name:d/new",
		     "40000100 name:d/sub", "40 name:d/f, 80 name:d/g", "200 name:d/g");
	in_directory(FAN_REPORT_DFID_NAME_TARGET, "20 name:d/f fid:d/f", "100 name:d/new fid:d/f",
		     "40000100 name:d/sub fid:d/sub", "40 name:d/f fid:d/f, 80 name:d/g fid:d/f",
		     "200 name:d/g fid:d/f");
}

static void of_object(void)
{
	int fd = group(FAN_NONBLOCK | FAN_REPORT_DFID_NAME | FAN_REPORT_FID, 0);
	uint64_t all =
		FAN_OPEN | FAN_ATTRIB | FAN_DELETE_SELF | FAN_MOVE_SELF | FAN_MODIFY | FAN_ONDIR;

	nknown = 0;
	CHECK_OK(mkdir("d", 0755));
	make("d/f");
	learn("d");
	learn("d/f");
	learn(".");
	CHECK_OK(mark(fd, FAN_MARK_ADD, all, "d"));
	CHECK_OK(mark(fd, FAN_MARK_ADD, all, "d/f"));
	use("d", O_RDONLY | O_DIRECTORY);
	EXPECT(fd, "40000020 name:d/.");
	use("d/f", O_RDONLY);
	EXPECT(fd, "20 name:d/f fid:d/f");
	CHECK_OK(chmod("d/f", 0600));
	CHECK_OK(truncate("d/f", 1));
	EXPECT(fd, "6 name:d/f fid:d/f");
	CHECK_OK(rename("d/f", "d/g"));
	EXPECT(fd, "800 fid:d/f");
	CHECK_OK(rename("d", "e"));
	EXPECT(fd, "40000800 name:d/.");
	CHECK_OK(unlink("e/g"));
	EXPECT(fd, "404 fid:d/f");
	CHECK_OK(rmdir("e"));
	EXPECT(fd, "40000400 name:d/.");
	CHECK_OK(mark(fd, FAN_MARK_FLUSH, 0, NULL));
	close(fd);
}

static void renamed(void)
{
	unsigned flags = FAN_NONBLOCK | FAN_REPORT_DFID_NAME;
	int both = group(flags, 0), from = group(flags, 0), to = group(flags, 0);

	nknown = 0;
	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mkdir("b", 0755));
	make("a/f");
	CHECK_OK(mkdir("a/d", 0755));
	learn("a");
	learn("b");
	CHECK_OK(mark(from, FAN_MARK_ADD, FAN_RENAME, "a"));
	CHECK_OK(mark(to, FAN_MARK_ADD, FAN_RENAME | FAN_ONDIR, "b"));
	CHECK_OK(mark(both, FAN_MARK_ADD, FAN_RENAME, "a"));
	CHECK_OK(mark(both, FAN_MARK_ADD, FAN_RENAME, "b"));
	CHECK_ERRNO(mark(from, FAN_MARK_ADD, FAN_RENAME, "a/f"), ENOTDIR);
	CHECK_OK(rename("a/f", "b/g"));
	EXPECT(from, "10000000 old:a/f");
	EXPECT(to, "10000000 new:b/g");
	EXPECT(both, "10000000 old:a/f new:b/g");
	CHECK_OK(rename("a/d", "b/d"));
	EXPECT(from, "");
	EXPECT(to, "50000000 new:b/d");
	close(from);
	close(to);
	close(both);
	CHECK_OK(unlink("b/g"));
	CHECK_OK(rmdir("b/d"));
	CHECK_OK(rmdir("a"));
	CHECK_OK(rmdir("b"));
}

/* A file system of our own, mounted twice: a mark on one mount, on all of it; both end with it. */
static void of_mounts(void)
{
	int on_mount = group(FAN_NONBLOCK, O_RDONLY), held;
	int on_super = group(FAN_NONBLOCK | FAN_REPORT_DFID_NAME, 0);
	struct id id;

	mounts_unshare();
	nknown = 0;
	REQUIRE(!mkdir("m", 0755) && !mkdir("n", 0755));
	REQUIRE(!mount("none", "m", "tmpfs", 0, NULL) && !mount("m", "n", NULL, MS_BIND, NULL));
	make("m/f");
	learn("m");
	CHECK_OK(mark(on_mount, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN | FAN_CLOSE_WRITE, "m"));
	CHECK_OK(mark(on_super, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
		      FAN_OPEN | FAN_CREATE | FAN_DELETE | FAN_ONDIR, "m"));
	use("m/f", O_RDONLY);
	use("n/f", O_WRONLY);
	EXPECT(on_mount, "20 f");
	EXPECT(on_super, "20 name:m/f");
	CHECK_OK(mkdir("n/d", 0755));
	make("n/d/x");
	EXPECT(on_mount, "");
	learn("m/d");
	learn("m/d/x");
	EXPECT(on_super, "40000100 name:m/d, 120 name:m/d/x");
	/* What was told can be opened. */
	REQUIRE(get_id("m/d", &id));
	held = open("m", O_RDONLY | O_DIRECTORY);
	close((int)CHECK_OK(open_by_handle_at(held, &id.head, O_RDONLY)));
	close(held);
	CHECK_OK(mark(on_super, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY,
		      FAN_OPEN, "m/d/x"));
	events(on_super);
	use("m/d/x", O_RDONLY);
	EXPECT(on_super, "");
	CHECK_OK(mark(on_mount, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, NULL));
	events(on_mount);
	use("m/f", O_RDONLY);
	EXPECT(on_mount, "20 f");
	CHECK_OK(umount("n"));
	CHECK_OK(umount("m")); /* although there are marks */
	CHECK_OK(rmdir("m"));
	CHECK_OK(rmdir("n"));
	close(on_mount);
	close(on_super);
}

/* What inotify says of the same: masks and names, separated by commas. */
static const char *watched(int fd)
{
	static char buf[4096] __attribute__((aligned(8)));
	size_t len = 0;
	ssize_t n;

	said[0] = '\0';
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (void *)p;

			len += (size_t)snprintf(said + len, sizeof(said) - len, "%s%x%s%s",
						len ? ", " : "", e->mask, e->len ? " " : "",
						e->len ? e->name : "");
			p += sizeof(*e) + e->len;
		}
	return said;
}

#define WATCHED(fd, want)                                                                          \
	do {                                                                                       \
		const char *got_ = watched(fd);                                                    \
		if (strcmp(got_, want))                                                            \
			tap_fail(__FILE__, __LINE__, "events are \"%s\", not \"%s\"", got_, want); \
	} while (0)

static void inotify_too(void)
{
	int fd = inotify_init1(IN_NONBLOCK), dir;
	struct timespec omit = { 0, UTIME_OMIT }, now = { 0, UTIME_NOW };
	char buf[1024];

	mounts_unshare();
	REQUIRE(!mkdir("m", 0755) && !mount("none", "m", "tmpfs", 0, NULL));
	make("m/f");
	CHECK_OK(mkdir("m/d", 0755));
	make("m/d/f");
	CHECK_OK(inotify_add_watch(fd, "m/f", IN_ALL_EVENTS));
	CHECK_OK(link("m/f", "m/g"));
	WATCHED(fd, "4");
	CHECK_OK(setxattr("m/f", "trusted.x", "y", 1, 0));
	WATCHED(fd, "4");
	CHECK_OK(utimensat(AT_FDCWD, "m/f", (struct timespec[]){ now, omit }, 0));
	WATCHED(fd, "1");
	CHECK_OK(utimensat(AT_FDCWD, "m/f", (struct timespec[]){ omit, now }, 0));
	WATCHED(fd, "2");
	CHECK_OK(utimensat(AT_FDCWD, "m/f", NULL, 0));
	WATCHED(fd, "4");
	make("m/h");
	CHECK_OK(rename("m/h", "m/g")); /* in the place of a name of it */
	WATCHED(fd, "4");
	make("m/h");
	CHECK_OK(rename("m/h", "m/f"));
	WATCHED(fd, "4, 400, 8000");
	CHECK_OK(inotify_add_watch(fd, "m/d", IN_ALL_EVENTS));
	dir = open("m/d", O_RDONLY | O_DIRECTORY);
	CHECK(syscall(SYS_getdents64, dir, buf, sizeof(buf)) > 0);
	close(dir);
	WATCHED(fd, "40000020, 40000001, 40000010");
	CHECK_OK(chmod("m/d/f", 0755));
	WATCHED(fd, "4 f");
	CHECK_ERRNO(execve("m/d/f", NULL, NULL), ENOEXEC);
	WATCHED(fd, "20 f, 1 f, 10 f");
	CHECK_OK(umount("m"));
	WATCHED(fd, "40002000, 8000");
	CHECK_OK(rmdir("m"));
	close(fd);
}

/* ---- questions ---- */

static void answer(int fd, unsigned response)
{
	struct fanotify_response r = { last_fd, response };

	CHECK_EQ(write(fd, &r, sizeof(r)), (ssize_t)sizeof(r));
	close(last_fd);
}

/* Wait for a question, which must be @want, and answer it. */
static void asked(int fd, const char *want, unsigned response)
{
	struct pollfd p = { fd, POLLIN, 0 };

	CHECK_EQ(poll(&p, 1, 20000), 1);
	EXPECT(fd, want);
	answer(fd, response);
}

static int open_and_read(void)
{
	char c;
	int fd = open("f", O_RDONLY);

	if (fd < 0)
		return errno;
	return read(fd, &c, 1) == 1 ? 0 : 100 + errno;
}

static pid_t reader(void)
{
	pid_t pid = fork();

	if (!pid) {
		for (int fd = 3; fd < 20; fd++) /* a group is closed when nobody has it open */
			close(fd);
		_exit(open_and_read());
	}
	return pid;
}

static void questions(void)
{
	int fd = group(FAN_NONBLOCK | FAN_CLASS_CONTENT, O_RDONLY), first, last;
	struct fanotify_response bad = { 12345, FAN_ALLOW };
	pid_t pid;

	make("f");
	CHECK_ERRNO(write(fd, &bad, sizeof(bad)), ENOENT);
	CHECK_ERRNO(write(fd, &bad, sizeof(bad) - 1), EINVAL);
	CHECK_ERRNO(write(fd, (void *)8, sizeof(bad)), EFAULT);
	bad.response = FAN_ALLOW | FAN_DENY;
	CHECK_ERRNO(write(fd, &bad, sizeof(bad)), EINVAL);
	bad = (struct fanotify_response){ -1, FAN_ALLOW };
	CHECK_ERRNO(write(fd, &bad, sizeof(bad)), EINVAL);
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM | FAN_ACCESS_PERM, "f"));
	pid = reader();
	asked(fd, "10000 f", FAN_ALLOW);
	asked(fd, "20000 f", FAN_ALLOW);
	CHECK_EXIT(pid, 0);
	pid = reader();
	asked(fd, "10000 f", FAN_DENY);
	CHECK_EXIT(pid, EPERM);
	pid = reader();
	asked(fd, "10000 f", FAN_ALLOW);
	asked(fd, "20000 f", FAN_DENY);
	CHECK_EXIT(pid, 100 + EPERM);
	/* Killed while it waits: before the question is read, and after. */
	pid = reader();
	CHECK_EQ(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 20000), 1);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	EXPECT(fd, "");
	pid = reader();
	CHECK_EQ(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 20000), 1);
	EXPECT(fd, "10000 f");
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	answer(fd, FAN_ALLOW);
	/* Those before content are asked first; who is told no by them is asked no more. */
	first = group(FAN_NONBLOCK | FAN_CLASS_PRE_CONTENT, O_RDONLY);
	CHECK_OK(mark(first, FAN_MARK_ADD, FAN_OPEN_PERM, "f"));
	pid = reader();
	asked(first, "10000 f", FAN_ALLOW);
	asked(fd, "10000 f", FAN_ALLOW);
	asked(fd, "20000 f", FAN_ALLOW);
	CHECK_EXIT(pid, 0);
	pid = reader();
	asked(first, "10000 f", FAN_DENY);
	CHECK_EXIT(pid, EPERM);
	EXPECT(fd, "");
	close(first);
	/* Nobody is left to ask: allowed. */
	pid = reader();
	CHECK_EQ(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 20000), 1);
	close(fd);
	CHECK_EXIT(pid, 0);
	last = group(FAN_NONBLOCK | FAN_CLASS_CONTENT, O_RDONLY);
	CHECK_OK(mark(last, FAN_MARK_ADD, FAN_OPEN_PERM, "f"));
	pid = reader();
	CHECK_EQ(poll(&(struct pollfd){ last, POLLIN, 0 }, 1, 20000), 1);
	EXPECT(last, "10000 f");
	close(last_fd);
	close(last);
	CHECK_EXIT(pid, 0);
}

/* ---- limits, and who may what ---- */

static void limits(void)
{
	char text[32] = "";
	int fd = group(FAN_NONBLOCK, O_RDONLY);

	CHECK(tap_read_file("/proc/sys/fs/fanotify/max_queued_events", text, sizeof(text)) > 0);
	CHECK_EQ(atol(text), 16384);
	CHECK(tap_read_file("/proc/sys/fs/fanotify/max_user_groups", text, sizeof(text)) > 0);
	CHECK_EQ(atol(text), 128);
	CHECK(tap_read_file("/proc/sys/fs/fanotify/max_user_marks", text, sizeof(text)) > 0);
	CHECK(atol(text) >= 8192);
	make("f");
	make("g");
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_OPEN, "f"));
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_OPEN, "g"));
	use("f", O_RDONLY);
	use("g", O_RDONLY);
	use("f", O_RDONLY);
	EXPECT(fd, "20 f, 20 g");
	close(fd);
}

/* What there is no room for is lost, which is told, once. */
static void overflow(void)
{
	int fd = group(FAN_NONBLOCK | FAN_REPORT_DFID_NAME, 0), n = 0;
	char name[32], buf[4096] __attribute__((aligned(8)));
	uint64_t last = 0;
	ssize_t got;

	close(fd);
	if (!tap_on_caelum()) /* the limit is everybody's */
		return;
	CHECK_OK(tap_write_file("/proc/sys/fs/fanotify/max_queued_events", "20\n", 3, 0));
	fd = group(FAN_NONBLOCK | FAN_REPORT_DFID_NAME, 0);
	CHECK_OK(tap_write_file("/proc/sys/fs/fanotify/max_queued_events", "16384\n", 6, 0));
	CHECK_OK(mkdir("o", 0755));
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_CREATE, "o"));
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "o/%d", i);
		make(name);
	}
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + got; n++) {
			struct fanotify_event_metadata *m = (void *)p;

			last = m->mask;
			if (last == FAN_Q_OVERFLOW) {
				CHECK_EQ(m->event_len, 24);
				CHECK_EQ(m->fd, FAN_NOFD);
			}
			p += m->event_len;
		}
	CHECK_EQ(n, 21);
	CHECK_EQ(last, FAN_Q_OVERFLOW);
	close(fd);
}

static void groups_of_a_user(void)
{
	int fds[200], n = 0;

	REQUIRE(!setresuid(12345, 12345, 12345));
	CHECK_ERRNO(group(0, 0), EPERM);
	CHECK_ERRNO(group(FAN_REPORT_FID | FAN_UNLIMITED_MARKS, 0), EPERM);
	CHECK_ERRNO(group(FAN_REPORT_FID | FAN_CLASS_CONTENT, 0), EPERM);
	CHECK_ERRNO(group(FAN_REPORT_FID | FAN_REPORT_PIDFD, 0), EPERM);
	while (n < 200 && (fds[n] = group(FAN_REPORT_FID | FAN_NONBLOCK, 0)) >= 0)
		n++;
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(n, 128);
	CHECK_ERRNO(mark(fds[0], FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, "/"), EPERM);
	CHECK_ERRNO(mark(fds[0], FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, "/"), EPERM);
	CHECK_OK(mark(fds[0], FAN_MARK_ADD, FAN_OPEN, "/"));
}

/* Someone without rights hears of others, but not who they are. */
static void pids(void)
{
	int fd = group(FAN_NONBLOCK | FAN_REPORT_PIDFD, O_RDONLY), mine;
	pid_t pid;

	make("f");
	CHECK_OK(mark(fd, FAN_MARK_ADD, FAN_OPEN, "f"));
	use("f", O_RDONLY);
	EXPECT(fd, "20 pidfd f");
	close(fd);
	CHECK_OK(chmod(".", 0755));
	REQUIRE(!setresuid(12345, 12345, 12345));
	mine = group(FAN_NONBLOCK | FAN_REPORT_FID, 0);
	nknown = 0;
	learn("f");
	CHECK_OK(mark(mine, FAN_MARK_ADD, FAN_OPEN, "f"));
	use("f", O_RDONLY);
	EXPECT(mine, "20 fid:f");
	CHECK_EQ(last_pid, getpid());
	pid = fork();
	if (!pid) {
		use("f", O_RDONLY);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	EXPECT(mine, "20 fid:f");
	CHECK_EQ(last_pid, 0);
}

static void shown_marks(void)
{
	int fd = group(FAN_NONBLOCK, O_RDONLY);
	char path[64], text[1024], want[128];
	struct stat st;

	make("f");
	CHECK_OK(stat("f", &st));
	CHECK_OK(mark(fd, FAN_MARK_ADD | FAN_MARK_EVICTABLE, FAN_OPEN, "f"));
	CHECK_OK(mark(fd,
		      FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY |
			      FAN_MARK_EVICTABLE,
		      FAN_CLOSE_WRITE, "f"));
	CHECK_OK(mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CLOSE_WRITE, "f"));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	REQUIRE(tap_read_file(path, text, sizeof(text)) > 0);
	snprintf(want, sizeof(want), "\nfanotify flags:2 event-flags:%x\n", LARGEFILE);
	CHECK(strstr(text, want) != NULL);
	snprintf(want, sizeof(want),
		 "\nfanotify ino:%lx sdev:%x mflags:240 mask:20 ignored_mask:8 ",
		 (unsigned long)st.st_ino,
		 (unsigned)(st.st_dev >> 8 & 0xfff) << 20 | (unsigned)(st.st_dev & 0xff));
	CHECK(strstr(text, want) != NULL);
	CHECK(strstr(text, " fhandle-bytes:") != NULL);
	CHECK(strstr(text, "\nfanotify mnt_id:") != NULL);
	CHECK(strstr(text, " mflags:0 mask:8 ignored_mask:0\n") != NULL);
	close(fd);
}

/* Threads that open, mark and read at once. */
static void busy(void)
{
	int fd = group(FAN_NONBLOCK | FAN_REPORT_DFID_NAME, 0);
	pid_t pids[4];

	CHECK_OK(mkdir("d", 0755));
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (int n = 0; n < 300; n++) {
			char name[32], other[32];

			snprintf(name, sizeof(name), "d/%d", i);
			snprintf(other, sizeof(other), "d/x%d", n % 3);
			mark(fd, FAN_MARK_ADD | (n & 8 ? FAN_MARK_EVICTABLE : 0),
			     FAN_OPEN | FAN_CREATE | FAN_EVENT_ON_CHILD, "d");
			close(open(name, O_CREAT | O_RDWR, 0600));
			mark(fd, FAN_MARK_ADD | FAN_MARK_EVICTABLE, FAN_OPEN | FAN_DELETE_SELF,
			     name);
			rename(name, other);
			if (n % 16 == i)
				mark(fd, FAN_MARK_FLUSH, 0, NULL);
			unlink(other);
			events(fd);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		CHECK_EXIT(pids[i], 0);
	close(fd);
	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d/x%d", i);
		unlink(name);
	}
	CHECK_OK(rmdir("d"));
}

int main(int argc, char **argv)
{
	const char *dir;
	int fd;

	if (argc > 1 && !strcmp(argv[1], "exit"))
		return 0;
	fd = group(0, 0);
	if (fd < 0 && (errno == EPERM || errno == ENOSYS) && !tap_on_caelum())
		return TAP_SKIP_STATUS;
	close(fd);
	dir = tap_tmpdir();
	TAP_FORK(arguments);
	TAP_FORK(by_descriptor);
	TAP_FORK(executed);
	TAP_FORK(ignored);
	TAP_FORK(by_id);
	TAP_FORK(of_object);
	TAP_FORK(renamed);
	TAP_FORK(of_mounts);
	TAP_FORK(inotify_too);
	TAP_FORK(questions);
	TAP_FORK(limits);
	TAP_FORK(overflow);
	TAP_FORK(groups_of_a_user);
	TAP_FORK(pids);
	TAP_FORK(shown_marks);
	TAP_FORK(busy);
	tap_rmdir(dir);
	return tap_done();
}

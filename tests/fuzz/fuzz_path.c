/* SPDX-License-Identifier: MIT */
/*
 * Any sequence of operations on names: paths with links, "..", mounts, renames of all kinds. The input is a program: an
 * operation, flags, and one or two paths made of few different names, so that they meet. At the end everything is taken
 * down; then nothing may be left allocated.
 */
#include <fs/internal.h>

#include "../host/fs_stubs.h"
#include "../host/kernel_stubs.h"

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)
#define MAX_OPS 200

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
	const u8 *data;
	size_t left;
};

static u8 next_byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

/* Each byte is a piece of path; 0 ends it. */
static void next_path(struct input *in, char *path, size_t size)
{
	static const char *const piece[] = {
		"",    "a",   "b",    "c",
		"dir", "/",   "/",    "..",
		".",   "/a",  "/b",   "/dir",
		"/..", "lnk", "/lnk", "a-name-longer-than-what-fits-inside-a-dentry"
	};
	u8 c;

	path[0] = '\0';
	while ((c = next_byte(in)) != 0)
		strlcat(path, piece[c % ARRAY_SIZE(piece)], size);
}

static bool failing; /* allocations may fail */
static bool mounted; /* something was mounted: a name may lead elsewhere than it came from */

/* What a path is called leads to it. */
static void check_name(const struct path *p)
{
	char buf[8192], *name = path_name(p, buf, sizeof(buf));
	struct path again;

	if (IS_ERR(name) || mounted || name[0] != '/' || strstr(name, " (deleted)"))
		return;
	CHECK(strlen(name) < sizeof(buf));
	if (path_lookup(AT_FDCWD, name, 0, &again))
		return; /* no longer reachable: below a removed directory */
	CHECK(path_equal(p, &again));
	path_put(&again);
}

static void do_lookup(const char *path, u8 flags)
{
	struct path p;

	if (path_lookup(AT_FDCWD, path,
			flags & (LOOKUP_FOLLOW | LOOKUP_DIRECTORY | LOOKUP_NO_XDEV |
				 LOOKUP_NO_SYMLINKS | LOOKUP_BENEATH | LOOKUP_IN_ROOT),
			&p))
		return;
	check_name(&p);
	path_put(&p);
}

static void do_open(const char *path, u8 a, u8 b)
{
	static const u32 bits[] = { O_CREAT,	O_EXCL, O_TRUNC,     O_DIRECTORY,
				    O_NOFOLLOW, O_PATH, __O_TMPFILE, O_APPEND };
	struct open_how how = { .flags = (b & 3) | O_NONBLOCK, .resolve = b >> 2 & 0x1f };
	struct file *f;

	for (int i = 0; i < 8; i++)
		how.flags |= a >> i & 1 ? bits[i] : 0;
	if (how.flags & (O_CREAT | __O_TMPFILE))
		how.mode = 0644;
	f = file_open_how(AT_FDCWD, path, &how);
	if (IS_ERR(f))
		return;
	if ((f->mode & FMODE_WRITE) && S_ISREG(f->inode->mode) && !failing)
		CHECK(kernel_write(f, "some text", 9, a * 100) == 9);
	check_name(&f->path);
	if (fd_alloc_install(f, 0, false) < 0 || (b & 0x80))
		file_put(f);
}

static void do_chdir(const char *path)
{
	struct path p, old;

	if (path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p))
		return;
	fs_ctx_swap(&current->fs->cwd, &p, &old);
	path_put(&old);
}

static void do_link(const char *from, const char *to, bool follow)
{
	struct path p;

	if (path_lookup(AT_FDCWD, from, follow ? LOOKUP_FOLLOW : 0, &p))
		return;
	vfs_link(&p, AT_FDCWD, to);
	path_put(&p);
}

static void one_operation(struct input *in)
{
	char path[1024], path2[1024];
	u8 op = next_byte(in), flags = next_byte(in);

	next_path(in, path, sizeof(path));
	switch (op % 13) {
	case 0:
		vfs_mkdir(AT_FDCWD, path, 0755);
		break;
	case 1:
		do_open(path, flags, next_byte(in));
		break;
	case 2:
		vfs_unlink(AT_FDCWD, path);
		break;
	case 3:
		vfs_rmdir(AT_FDCWD, path);
		break;
	case 4:
		next_path(in, path2, sizeof(path2));
		vfs_rename(AT_FDCWD, path, AT_FDCWD, path2, flags & 7);
		break;
	case 5:
		next_path(in, path2, sizeof(path2));
		do_link(path, path2, flags & 1);
		break;
	case 6:
		next_path(in, path2, sizeof(path2));
		if (*path)
			vfs_symlink(path, AT_FDCWD, path2);
		break;
	case 7:
		do_chdir(path);
		break;
	case 8:
	case 9:
		do_lookup(path, flags);
		break;
	case 10:
		vfs_mknod(AT_FDCWD, path, S_IFIFO | 0600, 0);
		break;
	case 11:
		next_path(in, path2, sizeof(path2));
		mounted = true;
		do_mount(path2, path, "tmpfs",
			 flags & 1   ? MS_BIND
			 : flags & 2 ? MS_MOVE
			 : flags & 4 ? MS_BIND | MS_REC
				     : 0,
			 NULL);
		break;
	case 12:
		do_umount(path, flags & (MNT_DETACH | UMOUNT_NOFOLLOW));
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct stubs_usage before, after;
	static bool started;
	struct input in = { data, size };

	if (!started) {
		fs_stubs_start();
		mount_max =
			500; /* copies of copies double, and a stack of mounts is walked one by one */
		fs_stubs_reset();
		stubs_in_use(&before);
		started = true;
	}
	mounted = false;
	/* An odd first byte: from some allocation on there is no memory. */
	failing = size > 2 && (data[0] & 1);
	if (failing)
		stubs_fail_at(data[0] / 2 + (data[1] & 3) * 128u);
	for (int i = 0; i < MAX_OPS && in.left; i++)
		one_operation(&in);
	stubs_fail_never();
	fs_stubs_reset();
	stubs_in_use(&after);
	if (after.objects != before.objects || after.cache != before.cache)
		panic("left behind: %lld objects, %lld pages\n",
		      (s64)(after.objects - before.objects), (s64)(after.cache - before.cache));
	CHECK(after.objects == before.objects && after.cache == before.cache);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The operations of path_ops.h on the Linux that runs the test, below a root of their own in a tmpfs. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "path_ops.h"

static char dir[] = "/dev/shm/caelum-path-XXXXXX";
static int old_root = -1, old_cwd = -1;

int linux_ops_init(void)
{
	struct statfs st;

	if (!mkdtemp(dir) || statfs(dir, &st) || st.f_type != 0x01021994)
		return -1;
	old_root = open("/", O_PATH | O_DIRECTORY);
	old_cwd = open(".", O_PATH | O_DIRECTORY);
	if (chmod(dir, 0755) || chdir(dir) || chroot("."))
		return -1;
	linux_ops_clear();
	umask(022);
	return 0;
}

static void fill_stat(struct path_result *r, const struct stat *st)
{
	r->mode = st->st_mode;
	r->nlink = (unsigned int)st->st_nlink;
	r->size = S_ISDIR(st->st_mode) ? 0 : (unsigned long long)st->st_size;
}

static void run_stat(const struct path_op *op, struct path_result *r, int flags)
{
	struct stat st;

	r->ret = fstatat(AT_FDCWD, op->a, &st, flags);
	if (!r->ret)
		fill_stat(r, &st);
}

static void run_open(int fd, const struct path_op *op, struct path_result *r)
{
	static const char buf[256 * 37];
	struct stat st;

	r->ret = fd;
	if (fd < 0)
		return;
	r->ret = 0;
	if (op->kind == OP_WRITE)
		r->ret = write(fd, buf, op->size);
	else if (!fstat(fd, &st))
		fill_stat(r, &st);
	int e = errno;

	close(fd);
	errno = e;
}

void linux_ops_run(const struct path_op *op, struct path_result *r)
{
	struct open_how how = { .flags = path_ops_open_flags(op->flags),
				.resolve = path_ops_resolve(op->flags) };

	memset(r, 0, offsetof(struct path_result, text) + 1);
	if (how.flags & (O_CREAT))
		how.mode = 0666;
	switch (op->kind) {
	case OP_MKDIR:
		r->ret = mkdir(op->a, 0777);
		break;
	case OP_RMDIR:
		r->ret = rmdir(op->a);
		break;
	case OP_UNLINK:
		r->ret = unlink(op->a);
		break;
	case OP_SYMLINK:
		r->ret = symlink(op->b, op->a);
		break;
	case OP_LINK:
		r->ret = linkat(AT_FDCWD, op->a, AT_FDCWD, op->b,
				op->flags & 1 ? AT_SYMLINK_FOLLOW : 0);
		break;
	case OP_RENAME:
		r->ret = syscall(SYS_renameat2, AT_FDCWD, op->a, AT_FDCWD, op->b,
				 path_ops_rename_flags(op->flags));
		break;
	case OP_OPEN:
		run_open(open(op->a, (int)path_ops_open_flags(op->flags), 0666), op, r);
		break;
	case OP_WRITE:
		run_open(open(op->a, O_WRONLY | O_NONBLOCK | (op->flags & 1 ? O_APPEND : 0), 0), op,
			 r);
		break;
	case OP_OPEN2:
		run_open((int)syscall(SYS_openat2, AT_FDCWD, op->a, &how, sizeof(how)), op, r);
		break;
	case OP_STAT:
		run_stat(op, r, 0);
		break;
	case OP_LSTAT:
		run_stat(op, r, AT_SYMLINK_NOFOLLOW);
		break;
	case OP_READLINK:
		r->ret = readlink(op->a, r->text, sizeof(r->text) - 1);
		r->text[r->ret > 0 ? r->ret : 0] = '\0';
		break;
	case OP_CHDIR:
		r->ret = chdir(op->a);
		break;
	case OP_GETCWD:
		r->ret = syscall(SYS_getcwd, r->text, sizeof(r->text));
		if (r->ret > 0)
			r->ret = 0;
		break;
	case OP_TRUNCATE:
		r->ret = truncate(op->a, op->size);
		break;
	case OP_MKFIFO:
		r->ret = mkfifo(op->a, 0666);
		break;
	default:
		abort();
	}
	if (r->ret < 0)
		r->ret = -errno;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type;
	if (ftw->level)
		remove(path);
	return 0;
}

void linux_ops_clear(void)
{
	if (chdir("/"))
		abort();
	nftw("/", remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void linux_ops_fini(void)
{
	linux_ops_clear();
	if (fchdir(old_root) || chroot(".") || rmdir(dir) || fchdir(old_cwd))
		abort();
	close(old_root);
	close(old_cwd);
}

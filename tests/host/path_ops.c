/* SPDX-License-Identifier: MIT */
/* The operations of path_ops.h on Caelum's file system: a tmpfs root, and what its system calls would do. */
#include <hal/upcall.h>

#include <fs/internal.h>

#include "fs_stubs.h"
#include "kernel_stubs.h"
#include "path_ops.h"

static struct stubs_usage at_start;

/* ---- beginning and ending ---- */

static void record_start(void)
{
	stubs_in_use(&at_start);
}

void path_ops_init(void)
{
	fs_stubs_start();
	init_fs_ctx.umask = 022;
	path_ops_clear();
	record_start();
}

/* ---- operations ---- */

/* What getname() says of a string before any look-up. */
static int name_error(const char *name)
{
	return !*name ? -ENOENT : strlen(name) >= 4096 ? -ENAMETOOLONG : 0;
}

static long run_chdir(const char *name)
{
	struct path p, old;
	int r = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (r)
		return r;
	r = inode_permission(d_inode(p.dentry), MAY_EXEC);
	if (r) {
		path_put(&p);
		return r;
	}
	fs_ctx_swap(&current->fs->cwd, &p, &old);
	path_put(&old);
	return 0;
}

static long run_getcwd(char *out)
{
	char *buf = name_alloc(), *text;
	struct path cwd;
	long r = buf ? path_of_fd(AT_FDCWD, &cwd) : -ENOMEM;

	if (!r) {
		text = path_name(&cwd, buf, 4096);
		if (IS_ERR(text))
			r = PTR_ERR(text);
		else if (d_unhashed(cwd.dentry) && cwd.dentry->parent != cwd.dentry)
			r = -ENOENT;
		else
			strscpy(out, text, PATH_OP_TEXT);
		path_put(&cwd);
	}
	if (buf)
		name_free(buf);
	return r;
}

static void fill_stat(struct path_result *r, const struct path *p)
{
	struct kstat st;

	r->ret = vfs_getattr(p, &st);
	if (r->ret)
		return;
	r->mode = st.mode;
	r->nlink = st.nlink;
	r->size = S_ISDIR(st.mode) ? 0 : st.size;
}

static void run_stat(const struct path_op *op, struct path_result *r, unsigned int flags)
{
	struct path p;

	r->ret = path_lookup(AT_FDCWD, op->a, flags, &p);
	if (r->ret)
		return;
	fill_stat(r, &p);
	path_put(&p);
}

static long run_readlink(const char *name, char *out)
{
	struct path p, jump = { NULL, NULL };
	long r = path_lookup(AT_FDCWD, name, 0, &p);
	struct inode *i;

	if (r)
		return r;
	i = d_inode(p.dentry);
	r = S_ISLNK(i->mode) ? i->ops->readlink(i, out, 4096, &jump) : -EINVAL;
	path_put(&p);
	return r;
}

static long run_link(const struct path_op *op)
{
	struct path p;
	long r = path_lookup(AT_FDCWD, op->a, op->flags & 1 ? LOOKUP_FOLLOW : 0, &p);

	if (r)
		return r;
	r = vfs_link(&p, AT_FDCWD, op->b);
	path_put(&p);
	return r;
}

static long run_truncate(const struct path_op *op)
{
	struct path p;
	long r = path_lookup(AT_FDCWD, op->a, LOOKUP_FOLLOW, &p);

	if (r)
		return r;
	r = vfs_truncate(&p, op->size);
	path_put(&p);
	return r;
}

static void run_open(struct file *f, const struct path_op *op, struct path_result *r)
{
	static char buf[256 * 37];
	struct iovec_u iov = { .base = (uaddr_t)buf, .len = op->size };
	struct iov_iter it;
	loff_t pos;

	if (IS_ERR(f)) {
		/* open() looks at its flags before the name, and at all of the name before any of it. */
		r->ret =
			name_error(op->a) && PTR_ERR(f) != -EINVAL ? name_error(op->a) : PTR_ERR(f);
		return;
	}
	if (op->kind == OP_WRITE) {
		iov_iter_init(&it, &iov, 1, op->size);
		it.kernel = true;
		pos = 0;
		r->ret = vfs_write(f, &it, &pos, 0);
	} else {
		fill_stat(r, &f->path);
	}
	file_put(f);
}

void path_ops_run(const struct path_op *op, struct path_result *r)
{
	struct open_how how = { .flags = path_ops_open_flags(op->flags),
				.resolve = path_ops_resolve(op->flags) };
	bool two = op->kind == OP_SYMLINK || op->kind == OP_LINK || op->kind == OP_RENAME;

	memset(r, 0, offsetof(struct path_result, text) + 1);
	how.mode = how.flags & O_CREAT ? 0666 : 0;
	r->ret = op->kind == OP_GETCWD	  ? 0
		 : op->kind == OP_SYMLINK ? name_error(op->b)
					  : name_error(op->a);
	if (!r->ret && two)
		r->ret = op->kind == OP_SYMLINK ? name_error(op->a) : name_error(op->b);
	if (r->ret == -ENOENT && op->kind == OP_RENAME && path_ops_rename_flags(op->flags) > 2)
		r->ret = -EINVAL;
	if (r->ret && (op->kind != OP_OPEN && op->kind != OP_OPEN2))
		return;
	switch (op->kind) {
	case OP_MKDIR:
		r->ret = vfs_mkdir(AT_FDCWD, op->a, 0777);
		break;
	case OP_RMDIR:
		r->ret = vfs_rmdir(AT_FDCWD, op->a);
		break;
	case OP_UNLINK:
		r->ret = vfs_unlink(AT_FDCWD, op->a);
		break;
	case OP_SYMLINK:
		r->ret = vfs_symlink(op->b, AT_FDCWD, op->a);
		break;
	case OP_LINK:
		r->ret = run_link(op);
		break;
	case OP_RENAME:
		r->ret = vfs_rename(AT_FDCWD, op->a, AT_FDCWD, op->b,
				    path_ops_rename_flags(op->flags));
		break;
	case OP_OPEN:
		run_open(file_open(AT_FDCWD, op->a, (int)path_ops_open_flags(op->flags), 0666), op,
			 r);
		break;
	case OP_WRITE:
		run_open(file_open(AT_FDCWD, op->a,
				   O_WRONLY | O_NONBLOCK | (op->flags & 1 ? O_APPEND : 0), 0),
			 op, r);
		break;
	case OP_OPEN2:
		run_open(file_open_how(AT_FDCWD, op->a, &how), op, r);
		break;
	case OP_STAT:
		run_stat(op, r, LOOKUP_FOLLOW);
		break;
	case OP_LSTAT:
		run_stat(op, r, 0);
		break;
	case OP_READLINK:
		r->ret = run_readlink(op->a, r->text);
		break;
	case OP_CHDIR:
		r->ret = run_chdir(op->a);
		break;
	case OP_GETCWD:
		r->ret = run_getcwd(r->text);
		break;
	case OP_TRUNCATE:
		r->ret = run_truncate(op);
		break;
	case OP_MKFIFO:
		r->ret = vfs_mknod(AT_FDCWD, op->a, S_IFIFO | 0666, 0);
		break;
	default:
		panic("no such operation");
	}
}

/* ---- removing everything ---- */

struct first_name {
	struct dir_ctx ctx;
	char name[256];
	bool dir;
};

static bool take_first(struct dir_ctx *ctx, const char *name, size_t len, u64 ino,
		       unsigned int type, s64 next)
{
	struct first_name *first = container_of(ctx, struct first_name, ctx);

	(void)ino, (void)next;
	if ((len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
		return true;
	memcpy(first->name, name, len);
	first->name[len] = '\0';
	first->dir = type == 4;
	return false;
}

/* Remove what is in the current directory, depth first. */
static void clear_here(void)
{
	for (;;) {
		struct first_name first = { .ctx.emit = take_first };
		struct file *f = file_open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY, 0);

		if (IS_ERR(f) || f->ops->iterate(f, &first.ctx) < 0)
			panic("a directory cannot be read");
		file_put(f);
		if (!first.name[0])
			return;
		if (!first.dir) {
			if (vfs_unlink(AT_FDCWD, first.name))
				panic("%s cannot be removed", first.name);
			continue;
		}
		if (run_chdir(first.name))
			panic("%s cannot be entered", first.name);
		clear_here();
		if (run_chdir("..") || vfs_rmdir(AT_FDCWD, first.name))
			panic("%s cannot be removed", first.name);
	}
}

void path_ops_clear(void)
{
	if (run_chdir("/"))
		panic("no way to the root");
	clear_here();
	while (dcache_shrink(1000))
		;
}

long path_ops_leaks(void)
{
	struct stubs_usage now;

	stubs_in_use(&now);
	return (long)(now.objects - at_start.objects) + (long)(now.cache - at_start.cache) +
	       (long)(now.anon - at_start.anon);
}

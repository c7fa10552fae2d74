/* SPDX-License-Identifier: MIT */
/*
 * What kernel/ asks of the file system (kernel/files.h): descriptor tables and directories of tasks, and the files that exec reads.
 */
#include <fs/internal.h>
#include <fs/pipe.h>
#include <fs/tty/tty.h>
#include <fs/vfs.h>
#include <kernel/console.h>
#include <kernel/files.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <uapi/capability.h>
#include <uapi/fcntl.h>
#include <uapi/mount.h>
#include <uapi/prctl.h>
#include <uapi/sched.h>

/* ---- fork, exit, exec ---- */

int files_fork(struct task *child, u64 clone_flags)
{
	struct task *parent = current;

	if (clone_flags & CLONE_FS) {
		fs_ctx_get(parent->fs);
		child->fs = parent->fs;
	} else {
		child->fs = fs_ctx_clone(parent->fs);
		if (IS_ERR(child->fs)) {
			child->fs = NULL;
			return -ENOMEM;
		}
	}
	if (clone_flags & CLONE_FILES) {
		fdtable_get(parent->files);
		child->files = parent->files;
		return 0;
	}
	child->files = fdtable_clone(parent->files);
	if (!IS_ERR(child->files))
		return 0;
	child->files = NULL;
	fs_ctx_put(child->fs);
	child->fs = NULL;
	return -ENOMEM;
}

void files_exit(struct task *t)
{
	task_drop_files(t);
}

/* A session leader ends: its terminal hangs up on the foreground group. */
void files_session_exit(struct process *p)
{
	tty_disassociate(true);
}

int files_unshare(u64 clone_flags)
{
	int r = clone_flags & CLONE_FS ? fs_ctx_unshare() : 0;

	if (r)
		return r;
	return clone_flags & CLONE_FILES ? fdtable_unshare() : 0;
}

int files_exec(void)
{
	int r = fdtable_unshare();

	if (!r)
		fdtable_close_on_exec();
	return r;
}

/* ---- programs ---- */

struct file *exec_open(const char *path)
{
	return file_open_exec(AT_FDCWD, path, 0);
}

void exec_close(struct file *f)
{
	file_exec_done(f);
	file_put(f);
}

ssize_t exec_read(struct file *f, void *buf, size_t n, u64 off)
{
	return kernel_read(f, buf, n, (loff_t)off);
}

u64 exec_size(struct file *f)
{
	return READ_ONCE(f->inode->size);
}

long exec_map(struct vm *vm, struct file *f, uaddr_t addr, size_t len, unsigned int prot,
	      unsigned int flags, u64 pgoff)
{
	unsigned int max = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	struct vm_object *obj;
	int r;

	if (!f->ops->mmap)
		return -ENOEXEC;
	r = f->ops->mmap(f, pgoff, len, prot, flags, &obj, &max);
	return r ? r : vm_map(vm, addr, len, prot, flags, obj, f, pgoff, max, 0);
}

/* Writers stay denied as long as an address space runs the program. */
static void exe_get(void *exe)
{
	struct file *f = exe;

	file_get(f);
	__atomic_fetch_sub(&f->inode->write_denied, 1, __ATOMIC_ACQ_REL);
}

static void exe_put(void *exe)
{
	exec_close(exe);
}

void exec_set_exe(struct vm *vm, struct file *f)
{
	exe_get(f);
	vm->exe = f;
	vm->exe_get = exe_get;
	vm->exe_put = exe_put;
}

bool exec_is_readable(struct file *f)
{
	return !inode_permission(f->inode, MAY_READ);
}

/* ---- core dumps ---- */

/* Is this a file that nobody else can read or has a hold on? */
static bool fit_for_core(struct file *f)
{
	const struct inode *i = f->inode;

	return S_ISREG(i->mode) && i->nlink == 1 && (i->mode & 0677) == 0600 &&
	       i->uid == current->creds->fsuid;
}

static struct file *core_open(const char *path)
{
	struct file *f = file_open(AT_FDCWD, path,
				   O_CREAT | O_RDWR | O_NOFOLLOW | O_LARGEFILE | O_EXCL, 0600);

	if (IS_ERR(f) || fit_for_core(f))
		return f;
	file_put(f);
	return ERR_PTR(-EPERM);
}

/* In a changed root a path could lead to where root would not expect it. */
static bool in_first_root(void)
{
	struct fs_ctx *first = task_fs_get(init_process->leader);
	bool same = first && path_equal(&first->root, &current->fs->root);

	if (first)
		fs_ctx_put(first);
	return same;
}

static struct file *core_open_as_root(const char *path)
{
	struct creds *root;
	const struct creds *mine;
	struct file *f;

	if (path[0] != '/' || !in_first_root())
		return ERR_PTR(-EPERM);
	root = creds_prepare();
	if (!root)
		return ERR_PTR(-ENOMEM);
	root->fsuid = 0;
	mine = creds_override(root);
	f = core_open(path);
	creds_put(creds_override(mine));
	return f;
}

struct file *files_core_create(const char *path, bool safe)
{
	if (safe)
		return core_open_as_root(path);
	(void)vfs_unlink(AT_FDCWD, path);
	return core_open(path);
}

ssize_t files_core_write(struct file *f, const void *buf, size_t n, u64 pos)
{
	return kernel_write(f, buf, n, (loff_t)pos);
}

void files_core_close(struct file *f)
{
	file_put(f);
}

struct file *files_core_pipe(struct file **input)
{
	struct file *end[2];
	int r = pipe_create(end, 0);

	if (r)
		return ERR_PTR(r);
	*input = end[0];
	return end[1];
}

void files_core_wait(struct file *f)
{
	pipe_wait_unread(pipe_of(f));
}

int files_exe_path(struct vm *vm, char *buf, size_t size)
{
	struct file *f = vm->exe;
	char *name, *text;
	int r = 0;

	if (!f)
		return -ENOENT;
	name = kmalloc(size, 0);
	if (!name)
		return -ENOMEM;
	text = path_name(&f->path, name, size);
	if (IS_ERR(text))
		r = (int)PTR_ERR(text);
	else
		strscpy(buf, text, size);
	kfree(name);
	return r;
}

/* ---- programs that the kernel starts ---- */

int files_helper_fork(struct task *child)
{
	struct fs_ctx *first = task_fs_get(init_process->leader);

	if (!first)
		return -ESRCH;
	child->fs = fs_ctx_clone(first);
	fs_ctx_put(first);
	if (IS_ERR(child->fs)) {
		child->fs = NULL;
		return -ENOMEM;
	}
	child->fs->umask = 0022;
	child->files = fdtable_create();
	if (child->files)
		return 0;
	fs_ctx_put(child->fs);
	child->fs = NULL;
	return -ENOMEM;
}

int files_helper_input(struct file *f)
{
	int fd = fd_alloc_install(f, 0, false);

	if (fd < 0)
		file_put(f);
	return min(fd, 0);
}

void files_helper_drop(struct file *f)
{
	file_put(f);
}

/* ---- boot ---- */

void files_init(void)
{
	struct task *t = current;

	vfs_init();
	t->files = fdtable_create();
	if (!t->files)
		panic("no memory for the first descriptor table");
}

int files_unpack_root(const void *image, size_t size, const char *what)
{
	return initramfs_unpack(image, size, what);
}

/* The device that letter @how of caelum.stdio= means for descriptor @fd. */
static const char *stdio_device(int fd, char how)
{
	static const char *const stream[] = { "/dev/stdin-stream", "/dev/stdout-stream",
					      "/dev/stderr-stream" };

	return how == 's' ? stream[fd] : how == 'n' ? "/dev/null" : "/dev/console";
}

int files_open_stdio(void)
{
	for (int fd = 0; fd < 3; fd++) {
		struct file *f =
			file_open(AT_FDCWD, stdio_device(fd, console_stdio[fd]), O_RDWR, 0);
		int r;

		if (IS_ERR(f))
			return PTR_ERR(f);
		r = fd_alloc_install(f, (unsigned int)fd, false);
		if (r < 0) {
			file_put(f);
			return r;
		}
	}
	return 0;
}

ssize_t files_read_whole(const char *path, char **out)
{
	struct file *f = file_open(AT_FDCWD, path, O_RDONLY, 0);
	size_t size;
	ssize_t n;

	if (IS_ERR(f))
		return PTR_ERR(f);
	size = exec_size(f);
	*out = kmalloc(size + 1, 0);
	n = *out ? kernel_read(f, *out, size, 0) : -ENOMEM;
	file_put(f);
	if (n < 0)
		kfree(*out);
	else
		(*out)[n] = '\0';
	return n;
}

int files_unlink(const char *path)
{
	return vfs_unlink(AT_FDCWD, path);
}

int files_chdir(const char *path)
{
	struct fs_ctx *fs = current->fs;
	struct path new, old;
	int r = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);

	if (r)
		return r;
	spin_lock(&fs->lock);
	old = fs->cwd;
	fs->cwd = new;
	spin_unlock(&fs->lock);
	path_put(&old);
	return 0;
}

/* Without CONFIG_BLOCK there are no disks. */
__weak void files_start_disks(void)
{
}

__weak void files_sync(void)
{
}

/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables: small integers to open files.
 *
 * fdget() looks one up; fd_alloc_install() enters one at the lowest free number; fd_close(), fd_dup_to(), fd_close_range()
 * take them out. A table belongs to one task or, with CLONE_FILES, to several.
 *
 * Locking: ft->lock for everything that changes the table, and for look-ups when the table has several users. With one
 * user the owner looks up without it: only the owner changes the table, and others (/proc) only read, under the lock. The
 * pointers in struct task are guarded by task_ptr_lock against look-ups from other tasks.
 */
#include <fs/internal.h>
#include <lib/bitops.h>

#define MAX_FDS (1u << 20)

static struct spinlock task_ptr_lock = SPINLOCK_INIT(RANK_FILES);
static struct kmem_cache *table_cache;

static bool test_bit64(const u64 *map, unsigned int n)
{
	return map[n / 64] >> (n % 64) & 1;
}
static void set_bit64(u64 *map, unsigned int n)
{
	map[n / 64] |= 1ULL << (n % 64);
}
static void clear_bit64(u64 *map, unsigned int n)
{
	map[n / 64] &= ~(1ULL << (n % 64));
}

static unsigned int map_words(const struct fdtable *ft)
{
	return DIV_ROUND_UP(ft->max, 64);
}

void fdtable_init(void)
{
	table_cache = kmem_cache_create("fdtable", sizeof(struct fdtable), 0);
}

struct fdtable *fdtable_create(void)
{
	struct fdtable *ft = kmem_cache_alloc(table_cache, GFP_KERNEL);

	if (!ft)
		return NULL;
	memset(ft, 0, sizeof(*ft));
	refcount_set(&ft->refs, 1);
	spin_init(&ft->lock, RANK_FILES);
	ft->max = FDTABLE_INLINE;
	ft->fds = ft->inline_fds;
	ft->open = &ft->inline_open;
	ft->cloexec = &ft->inline_cloexec;
	return ft;
}

void fdtable_get(struct fdtable *ft)
{
	refcount_inc(&ft->refs);
}

static void free_arrays(struct file **fds, u64 *open, u64 *cloexec, struct fdtable *ft)
{
	if (fds == ft->inline_fds)
		return;
	kfree(fds);
	kfree(open);
	kfree(cloexec);
}

/* Close an entry that was just taken out of a table: locks and flush, as close(2). */
static int filp_close(struct file *f, struct fdtable *ft)
{
	int r = 0;

	if (f->ops->flush)
		r = f->ops->flush(f);
	if (f->inode && f->inode->locks)
		file_locks_close(f, ft);
	file_put(f);
	return r;
}

void fdtable_put(struct fdtable *ft)
{
	if (!refcount_dec_and_test(&ft->refs))
		return;
	for (unsigned int w = 0; w < map_words(ft); w++)
		for (u64 bits = ft->open[w]; bits; bits &= bits - 1) {
			unsigned int fd = w * 64 + (unsigned int)__builtin_ctzll(bits);

			if (ft->fds[fd])
				filp_close(ft->fds[fd], ft);
		}
	free_arrays(ft->fds, ft->open, ft->cloexec, ft);
	kmem_cache_free(table_cache, ft);
}

/* Make room for descriptor @want. ft->lock held; dropped while allocating. 0, -EMFILE, -ENOMEM. */
static int expand(struct fdtable *ft, unsigned int want)
{
	unsigned int max = max(ft->max, 64);
	struct file **fds, **old_fds;
	u64 *open, *cloexec, *old_open, *old_cloexec;

	if (want >= MAX_FDS)
		return -EMFILE;
	while (max <= want)
		max *= 2;
	spin_unlock(&ft->lock);
	fds = kcalloc(max, sizeof(*fds), GFP_KERNEL);
	open = kcalloc(max / 64, sizeof(u64), GFP_KERNEL);
	cloexec = kcalloc(max / 64, sizeof(u64), GFP_KERNEL);
	spin_lock(&ft->lock);
	if (!fds || !open || !cloexec || ft->max >= max) {
		int r = ft->max > want ? 0 : -ENOMEM;

		kfree(fds);
		kfree(open);
		kfree(cloexec);
		return r;
	}
	memcpy(fds, ft->fds, ft->max * sizeof(*fds));
	memcpy(open, ft->open, map_words(ft) * sizeof(u64));
	memcpy(cloexec, ft->cloexec, map_words(ft) * sizeof(u64));
	old_fds = ft->fds;
	old_open = ft->open;
	old_cloexec = ft->cloexec;
	ft->fds = fds;
	ft->open = open;
	ft->cloexec = cloexec;
	ft->max = max;
	free_arrays(old_fds, old_open, old_cloexec, ft);
	return 0;
}

static unsigned int find_free(struct fdtable *ft, unsigned int from)
{
	unsigned int w = from / 64;
	u64 below = from % 64 ? (1ULL << (from % 64)) - 1 : 0;

	for (; w < map_words(ft); w++, below = 0)
		if (~(ft->open[w] | below))
			return w * 64 + (unsigned int)__builtin_ctzll(~(ft->open[w] | below));
	return max(ft->max, from);
}

/* The lowest free number from @min on, marked taken. ft->lock held. */
static int take_slot(struct fdtable *ft, unsigned int min, bool cloexec)
{
	u64 limit = task_rlimit(RLIMIT_NOFILE);
	unsigned int fd;
	int r;

	for (;;) {
		fd = find_free(ft, max(min, ft->next));
		if (fd >= limit)
			return -EMFILE;
		if (fd < ft->max)
			break;
		r = expand(ft, fd);
		if (r)
			return r;
	}
	set_bit64(ft->open, fd);
	if (cloexec)
		set_bit64(ft->cloexec, fd);
	else
		clear_bit64(ft->cloexec, fd);
	if (min <= ft->next)
		ft->next = fd + 1;
	return (int)fd;
}

int fd_reserve(unsigned int min, bool cloexec)
{
	struct fdtable *ft = current->files;
	int fd;

	spin_lock(&ft->lock);
	fd = take_slot(ft, min, cloexec);
	spin_unlock(&ft->lock);
	return fd;
}

void fd_install(int fd, struct file *f)
{
	struct fdtable *ft = current->files;

	spin_lock(&ft->lock);
	ft->fds[fd] = f;
	spin_unlock(&ft->lock);
}

static void release_slot(struct fdtable *ft, unsigned int fd)
{
	clear_bit64(ft->open, fd);
	clear_bit64(ft->cloexec, fd);
	if (fd < ft->next)
		ft->next = fd;
}

void fd_unreserve(int fd)
{
	struct fdtable *ft = current->files;

	spin_lock(&ft->lock);
	release_slot(ft, (unsigned int)fd);
	spin_unlock(&ft->lock);
}

int fd_alloc_install(struct file *f, unsigned int min, bool cloexec)
{
	struct fdtable *ft = current->files;
	int fd;

	spin_lock(&ft->lock);
	fd = take_slot(ft, min, cloexec);
	if (fd >= 0)
		ft->fds[fd] = f;
	spin_unlock(&ft->lock);
	return fd;
}

struct file *fdtable_lookup(struct fdtable *ft, int fd)
{
	struct file *f = NULL;

	spin_lock(&ft->lock);
	if ((unsigned int)fd < ft->max && ft->fds[fd])
		f = file_get(ft->fds[fd]);
	spin_unlock(&ft->lock);
	return f;
}

struct fd fdget_raw(int fd)
{
	struct fdtable *ft = current->files;

	if (likely(refcount_read(&ft->refs) == 1))
		return (struct fd){ (unsigned int)fd < ft->max ? ft->fds[fd] : NULL, false };
	return (struct fd){ fdtable_lookup(ft, fd), true };
}

struct fd fdget_shared(int fd)
{
	struct fd f = fdget_raw(fd);

	if (f.file && unlikely(f.file->mode & FMODE_PATH)) {
		fdput(f);
		f.file = NULL;
	}
	return f;
}

int fd_close(int fd)
{
	struct fdtable *ft = current->files;
	struct file *f = NULL;

	spin_lock(&ft->lock);
	if ((unsigned int)fd < ft->max && (f = ft->fds[fd]) != NULL) {
		ft->fds[fd] = NULL;
		release_slot(ft, (unsigned int)fd);
	}
	spin_unlock(&ft->lock);
	return f ? filp_close(f, ft) : -EBADF;
}

int fd_dup_to(struct file *f, int newfd, bool cloexec)
{
	struct fdtable *ft = current->files;
	unsigned int fd = (unsigned int)newfd;
	struct file *old;
	int r = 0;

	if (newfd < 0 || fd >= task_rlimit(RLIMIT_NOFILE))
		return -EBADF;
	spin_lock(&ft->lock);
	if (fd >= ft->max)
		r = expand(ft, fd);
	old = r ? NULL : ft->fds[fd];
	if (!r && !old && test_bit64(ft->open, fd))
		r = -EBUSY; /* another thread's open() is about to use it */
	if (!r) {
		ft->fds[fd] = file_get(f);
		set_bit64(ft->open, fd);
		if (cloexec)
			set_bit64(ft->cloexec, fd);
		else
			clear_bit64(ft->cloexec, fd);
	}
	spin_unlock(&ft->lock);
	if (old)
		filp_close(old, ft);
	return r ? r : newfd;
}

int fdtable_next(struct fdtable *ft, int fd, bool *cloexec)
{
	spin_lock(&ft->lock);
	for (; (unsigned int)fd < ft->max; fd++)
		if (ft->fds[fd]) {
			if (cloexec)
				*cloexec = test_bit64(ft->cloexec, (unsigned int)fd);
			break;
		}
	if ((unsigned int)fd >= ft->max)
		fd = -1;
	spin_unlock(&ft->lock);
	return fd;
}

/* As Linux, whose smallest table has 64. */
unsigned int fdtable_size(struct fdtable *ft)
{
	return max(READ_ONCE(ft->max), 64);
}

int fd_close_range(unsigned int first, unsigned int last, bool cloexec_only)
{
	struct fdtable *ft = current->files;
	int fd;

	if (first > last)
		return -EINVAL;
	for (fd = (int)min(first, (unsigned int)INT_MAX);
	     (fd = fdtable_next(ft, fd, NULL)) >= 0 && (unsigned int)fd <= last; fd++) {
		if (cloexec_only)
			fd_set_cloexec(fd, true);
		else
			fd_close(fd);
	}
	return 0;
}

int fd_get_cloexec(int fd)
{
	struct fdtable *ft = current->files;
	int r = -EBADF;

	spin_lock(&ft->lock);
	if ((unsigned int)fd < ft->max && ft->fds[fd])
		r = test_bit64(ft->cloexec, (unsigned int)fd);
	spin_unlock(&ft->lock);
	return r;
}

int fd_set_cloexec(int fd, bool on)
{
	struct fdtable *ft = current->files;
	int r = -EBADF;

	spin_lock(&ft->lock);
	if ((unsigned int)fd < ft->max && ft->fds[fd]) {
		if (on)
			set_bit64(ft->cloexec, (unsigned int)fd);
		else
			clear_bit64(ft->cloexec, (unsigned int)fd);
		r = 0;
	}
	spin_unlock(&ft->lock);
	return r;
}

/* ---- whole tables ---- */

/* Copy the entries of @ft, which is locked and fits, to @copy. */
static void copy_entries(struct fdtable *copy, struct fdtable *ft)
{
	for (unsigned int w = 0; w < map_words(ft); w++) {
		copy->cloexec[w] = ft->cloexec[w];
		for (u64 bits = ft->open[w]; bits; bits &= bits - 1) {
			unsigned int fd = w * 64 + (unsigned int)__builtin_ctzll(bits);

			if (!ft->fds[fd])
				continue; /* only reserved */
			copy->fds[fd] = file_get(ft->fds[fd]);
			copy->open[w] |= 1ULL << (fd % 64);
		}
	}
}

struct fdtable *fdtable_clone(struct fdtable *ft)
{
	struct fdtable *copy = fdtable_create();

	if (!copy)
		return ERR_PTR(-ENOMEM);
	spin_lock(&ft->lock);
	while (ft->max > copy->max) {
		unsigned int max = ft->max;
		int r;

		spin_unlock(&ft->lock);
		spin_lock(&copy->lock);
		r = expand(copy, max - 1);
		spin_unlock(&copy->lock);
		if (r) {
			fdtable_put(copy);
			return ERR_PTR(r);
		}
		spin_lock(&ft->lock);
	}
	copy_entries(copy, ft);
	spin_unlock(&ft->lock);
	return copy;
}

static void set_task_files(struct fdtable *ft)
{
	spin_lock(&task_ptr_lock);
	current->files = ft;
	spin_unlock(&task_ptr_lock);
}

int fdtable_unshare(void)
{
	struct fdtable *old = current->files, *copy;

	if (refcount_read(&old->refs) == 1)
		return 0;
	copy = fdtable_clone(old);
	if (IS_ERR(copy))
		return (int)PTR_ERR(copy);
	set_task_files(copy);
	fdtable_put(old);
	return 0;
}

void fdtable_close_on_exec(void)
{
	struct fdtable *ft = current->files;

	for (unsigned int w = 0; w < map_words(ft); w++)
		for (u64 bits = ft->open[w] & ft->cloexec[w]; bits; bits &= bits - 1)
			fd_close((int)(w * 64 + (unsigned int)__builtin_ctzll(bits)));
}

struct fdtable *task_files_get(struct task *t)
{
	struct fdtable *ft;

	spin_lock(&task_ptr_lock);
	ft = t->files;
	if (ft)
		fdtable_get(ft);
	spin_unlock(&task_ptr_lock);
	return ft;
}

struct fs_ctx *task_fs_get(struct task *t)
{
	struct fs_ctx *fs;

	spin_lock(&task_ptr_lock);
	fs = t->fs;
	if (fs)
		fs_ctx_get(fs);
	spin_unlock(&task_ptr_lock);
	return fs;
}

void task_drop_files(struct task *t)
{
	struct fdtable *ft = t->files;
	struct fs_ctx *fs = t->fs;

	spin_lock(&task_ptr_lock);
	t->files = NULL;
	t->fs = NULL;
	spin_unlock(&task_ptr_lock);
	if (ft)
		fdtable_put(ft);
	if (fs)
		fs_ctx_put(fs);
}

/* ---- directories of a task ---- */

struct fs_ctx *fs_ctx_clone(struct fs_ctx *fs)
{
	struct fs_ctx *copy = kzalloc(sizeof(*copy), GFP_KERNEL);

	if (!copy)
		return ERR_PTR(-ENOMEM);
	refcount_set(&copy->refs, 1);
	spin_init(&copy->lock, RANK_FILES);
	spin_lock(&fs->lock);
	copy->root = fs->root;
	copy->cwd = fs->cwd;
	copy->umask = fs->umask;
	path_get(&copy->root);
	path_get(&copy->cwd);
	spin_unlock(&fs->lock);
	return copy;
}

void fs_ctx_get(struct fs_ctx *fs)
{
	refcount_inc(&fs->refs);
}

void fs_ctx_put(struct fs_ctx *fs)
{
	if (!refcount_dec_and_test(&fs->refs))
		return;
	path_put(&fs->root);
	path_put(&fs->cwd);
	kfree(fs);
}

/* Put @next in the place of current's root or cwd; the old one is the caller's to put. */
void fs_ctx_swap(struct path *slot, const struct path *next, struct path *old)
{
	struct fs_ctx *fs = current->fs;

	spin_lock(&fs->lock);
	*old = *slot;
	tree_change_begin(&fs->changes);
	*slot = *next;
	tree_change_end(&fs->changes);
	spin_unlock(&fs->lock);
}

int fs_ctx_unshare(void)
{
	struct fs_ctx *old = current->fs, *copy;

	if (refcount_read(&old->refs) == 1)
		return 0;
	copy = fs_ctx_clone(old);
	if (IS_ERR(copy))
		return (int)PTR_ERR(copy);
	spin_lock(&task_ptr_lock);
	current->fs = copy;
	spin_unlock(&task_ptr_lock);
	fs_ctx_put(old);
	return 0;
}

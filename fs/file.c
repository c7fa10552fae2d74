/* SPDX-License-Identifier: MIT */
/*
 * Open file descriptions: allocation, release, and the checks around reading and writing.
 *
 * file_alloc() makes one, file_put() releases it; vfs_read() and vfs_write() are what every read-like call uses: they check
 * the mode, take the position lock where two could use the position at once, and call the operation.
 * Locking: pos_lock for pos when the file is shared; f_lock for flags and owner.
 * Source: read(2), write(2), lseek(2), preadv2(2).
 */
#include <fs/fasync.h>
#include <fs/internal.h>
#include <fs/lease.h>
#include <hal/boot.h>
#include <uapi/poll.h>
#include <uapi/uio.h>

unsigned long file_max = 1u << 20;
#define COUNT_BATCH 32
/* Files that are there: each CPU counts those it made and freed, and adds to nfiles now and then. */
static atomic64_t nfiles;
static DEFINE_PERCPU(int, nfiles_here);
static struct kmem_cache *file_cache;

void file_init(void)
{
	file_cache = kmem_cache_create("file", sizeof(struct file), 0);
	fdtable_init();
}

u64 file_count(void)
{
	s64 n = atomic64_read(&nfiles);

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		n += READ_ONCE(percpu_of(nfiles_here, cpu));
	return n > 0 ? (u64)n : 0;
}

static void count_file(int by)
{
	int *here = &percpu(nfiles_here), n = *here + by;

	if (unlikely(n == COUNT_BATCH || n == -COUNT_BATCH)) {
		atomic64_add(n, &nfiles);
		n = 0;
	}
	WRITE_ONCE(*here, n);
}

/* May there be as many as there are? The sum is looked at only near the limit. */
static bool too_many_files(void)
{
	u64 unseen = boot_info.ncpus * COUNT_BATCH;

	return unlikely((u64)atomic64_read(&nfiles) + unseen > file_max) && file_count() > file_max;
}

struct file *file_alloc(const struct file_ops *ops, u32 flags, u32 mode)
{
	struct file *f;

	count_file(1);
	if (too_many_files()) {
		count_file(-1);
		return ERR_PTR(-ENFILE);
	}
	f = kmem_cache_alloc(file_cache, GFP_KERNEL | GFP_ZERO);
	if (!f) {
		count_file(-1);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&f->refs, 1);
	f->flags = flags;
	f->mode = mode;
	f->ops = ops;
	mutex_init(&f->pos_lock);
	spin_init(&f->f_lock, RANK_FILES);
	f->creds = creds_get_own();
	list_init(&f->epoll_links);
	return f;
}

void file_put(struct file *f)
{
	if (!refcount_dec_and_test(&f->refs))
		return;
	if (unlikely(!list_empty(&f->epoll_links)))
		epoll_file_release(f);
	if (f->inode && f->inode->locks)
		file_locks_release(f);
	if (f->inode && unlikely(READ_ONCE(f->inode->leases)))
		lease_file_gone(f);
	if (unlikely(f->owner))
		file_owner_free(f);
	if (f->mode & FMODE_OPENED) {
		fsnotify_file(f, f->mode & FMODE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
		if (f->ops->release)
			f->ops->release(f);
	}
	if (f->mode & FMODE_WRITER) {
		__atomic_fetch_sub(&f->inode->write_denied, 1, __ATOMIC_ACQ_REL);
		atomic_dec(&f->inode->sb->writers);
		if (f->path.mnt)
			atomic_dec(&f->path.mnt->writers);
	}
	if (f->path.dentry)
		path_put(&f->path);
	creds_put_own(f->creds);
	count_file(-1);
	kmem_cache_free(file_cache, f);
}

int stream_open(struct inode *inode, struct file *f)
{
	f->mode = (f->mode & ~(FMODE_LSEEK | FMODE_PREAD)) | FMODE_NOPOS;
	return 0;
}

/* ---- reading and writing ---- */

#define MAX_RW ((size_t)INT_MAX & PAGE_MASK)

/* The position lock is needed only when someone else can use the file at the same time. */
static bool pos_shared(struct file *f)
{
	return refcount_read(&f->refs) > 1;
}

static int check_rwf(struct file *f, int rwf)
{
	if (likely(!rwf))
		return 0;
	if (rwf & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND))
		return -EOPNOTSUPP;
	if ((rwf & RWF_APPEND) && (rwf & RWF_NOAPPEND))
		return -EINVAL;
	if ((rwf & RWF_NOWAIT) && !(f->mode & FMODE_NOWAIT))
		return -EOPNOTSUPP;
	return 0;
}

typedef ssize_t (*rw_fn)(struct file *f, struct iov_iter *it, loff_t *pos, int flags);

/* Use the file's own position, locked where it is shared. */
static __noinline ssize_t rw_at_own_pos(struct file *f, rw_fn fn, struct iov_iter *it, int rwf)
{
	bool lock = pos_shared(f);
	loff_t pos;
	ssize_t r;

	if (lock)
		mutex_lock(&f->pos_lock);
	pos = f->pos;
	r = fn(f, it, &pos, rwf);
	if (r > 0)
		f->pos = pos;
	if (lock)
		mutex_unlock(&f->pos_lock);
	return r;
}

/* Does an access of @n bytes at @pos end beyond what an offset can be? */
static bool range_overflows(loff_t pos, size_t n)
{
	loff_t end;

	return pos >= 0 && add_overflow(pos, n, &end);
}

ssize_t vfs_read(struct file *f, struct iov_iter *to, loff_t *pos, int rwf)
{
	ssize_t r;

	if (!(f->mode & FMODE_READ))
		return -EBADF;
	if (unlikely(!f->ops->read))
		return f->inode && S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
	r = check_rwf(f, rwf);
	if (r)
		return r;
	if (pos && unlikely(range_overflows(*pos, to->count)))
		return -EINVAL;
	r = fsnotify_perm(f, FAN_ACCESS_PERM);
	if (unlikely(r))
		return r;
	if (to->count > MAX_RW)
		to->count = MAX_RW;
	if (f->mode & FMODE_NOPOS)
		r = f->ops->read(f, to, NULL, rwf);
	else if (pos)
		r = *pos < 0 ? -EINVAL : f->ops->read(f, to, pos, rwf);
	else
		r = rw_at_own_pos(f, f->ops->read, to, rwf);
	if (r > 0)
		fsnotify_file(f, IN_ACCESS);
	return r;
}

ssize_t vfs_write(struct file *f, struct iov_iter *from, loff_t *pos, int rwf)
{
	ssize_t r;

	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if (unlikely(!f->ops->write))
		return -EINVAL;
	r = check_rwf(f, rwf);
	if (r)
		return r;
	if (pos && unlikely(range_overflows(*pos, from->count)))
		return -EINVAL;
	if (from->count > MAX_RW)
		from->count = MAX_RW;
	if (f->mode & FMODE_NOPOS)
		r = f->ops->write(f, from, NULL, rwf);
	else if (pos)
		r = *pos < 0 ? -EINVAL : f->ops->write(f, from, pos, rwf);
	else
		r = rw_at_own_pos(f, f->ops->write, from, rwf);
	if (r > 0)
		fsnotify_file(f, IN_MODIFY);
	return r;
}

loff_t generic_llseek_size(struct file *f, loff_t off, int whence, loff_t max, loff_t eof)
{
	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		if (add_overflow(off, f->pos, &off))
			return -EINVAL;
		break;
	case SEEK_END:
		if (add_overflow(off, eof, &off))
			return -EINVAL;
		break;
	case SEEK_DATA: /* without knowledge of holes all is data */
		if (off < 0 || off >= eof)
			return -ENXIO;
		break;
	case SEEK_HOLE:
		if (off < 0 || off >= eof)
			return -ENXIO;
		off = eof;
		break;
	default:
		return -EINVAL;
	}
	if (off < 0 || off > max)
		return -EINVAL;
	f->pos = off;
	return off;
}

loff_t noop_llseek(struct file *f, loff_t off, int whence)
{
	(void)f;
	(void)off;
	(void)whence;
	return 0;
}

loff_t vfs_llseek(struct file *f, loff_t off, int whence)
{
	loff_t r;

	if (whence < 0 || whence > SEEK_HOLE)
		return -EINVAL;
	if (!(f->mode & FMODE_LSEEK))
		return f->ops->llseek ? f->ops->llseek(f, off, whence) : -ESPIPE;
	mutex_lock(&f->pos_lock);
	if (f->ops->llseek)
		r = f->ops->llseek(f, off, whence);
	else
		r = generic_llseek_size(f, off, whence, S64_MAX, (loff_t)f->inode->size);
	mutex_unlock(&f->pos_lock);
	return r;
}

long vfs_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	long r = f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;

	return r == -ENOIOCTLCMD ? -ENOTTY : r;
}

int vfs_fsync(struct file *f, bool datasync)
{
	return f->ops->fsync ? f->ops->fsync(f, datasync) : -EINVAL;
}

static void kernel_iter(struct iov_iter *it, struct iovec_u *iov, const void *buf, size_t n)
{
	*iov = (struct iovec_u){ (uaddr_t)buf, n };
	iov_iter_init(it, iov, 1, n);
	it->kernel = true;
}

ssize_t kernel_read(struct file *f, void *buf, size_t n, loff_t pos)
{
	struct iovec_u iov;
	struct iov_iter it;

	kernel_iter(&it, &iov, buf, n);
	return vfs_read(f, &it, &pos, 0);
}

ssize_t kernel_write(struct file *f, const void *buf, size_t n, loff_t pos)
{
	struct iovec_u iov;
	struct iov_iter it;

	kernel_iter(&it, &iov, buf, n);
	return vfs_write(f, &it, &pos, 0);
}

ssize_t text_read(struct iov_iter *to, loff_t *pos, const char *buf, size_t len)
{
	size_t n;

	if (*pos < 0 || (u64)*pos >= len)
		return 0;
	n = min_t(size_t, len - (size_t)*pos, to->count);
	if (n && iov_iter_to(to, buf + *pos, n) != n)
		return -EFAULT;
	*pos += (loff_t)n;
	return (ssize_t)n;
}

/* ---- what file systems share ---- */

void file_map_get(void *owner)
{
	file_get(owner);
}
void file_map_put(void *owner)
{
	file_put(owner);
}

void file_map_describe(void *owner, char *buf, size_t size, u64 *dev, u64 *ino)
{
	struct file *f = owner;
	char *name = name_alloc(), *text;

	*dev = f->inode->sb->dev;
	*ino = f->inode->ino;
	buf[0] = '\0';
	if (!name)
		return;
	text = path_name(&f->path, name, 4096);
	if (!IS_ERR(text))
		strlcpy(buf, text, size);
	name_free(name);
}

bool file_map_may_probe(void *owner)
{
	struct inode *inode = ((struct file *)owner)->inode;

	return inode_owner_or_capable(inode) || !inode_permission(inode, MAY_WRITE);
}

bool dir_emit_dots(struct file *f, struct dir_ctx *ctx)
{
	struct dentry *d = f->path.dentry;

	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, d_inode(d)->ino, 4, 1))
			return false;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		u64 ino;

		spin_lock(&dcache_rename_lock);
		ino = d->parent->inode->ino;
		spin_unlock(&dcache_rename_lock);
		if (!ctx->emit(ctx, "..", 2, ino, 4, 2))
			return false;
		ctx->pos = 2;
	}
	return true;
}

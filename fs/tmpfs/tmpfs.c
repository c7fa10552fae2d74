/* SPDX-License-Identifier: MIT */
/*
 * tmpfs: files in memory. The root file system, /tmp, /dev, and the home of memfds.
 *
 * The dentry cache is the storage of names: a dentry that exists is pinned by one extra reference. Each directory also
 * keeps an array from position (a number that only grows) to dentry, so that reading a directory is stable while it changes.
 * Contents live in inode->object, which is what mmap shows: reads, writes and mappings see the same pages.
 *
 * Mount options: size=BYTES[kmg] or PERCENT%, nr_blocks, nr_inodes, mode, uid, gid.
 * Locking: inode->lock (write) for size, holes and directory contents. A page fault takes only the object's lock; it charges
 * the page after inserting it, and truncation corrects the charge from the number of pages that are left.
 * Source: tmpfs(5).
 */
#include <fs/internal.h>
#include <fs/tmpfs/tmpfs.h>
#include <mm/vm.h>
#include <uapi/capability.h>
#include <uapi/uio.h>

struct tmpfs_super {
	u64 max_pages, max_inodes; /* U64_MAX: no limit */
	atomic64_t pages, inodes;
	struct mount_owner owner; /* of the root */
	struct spinlock handle_lock;
	struct xarray handles; /* handle_lock: number -> inode of which a handle was given */
};

/* inode->priv: of a directory and of a file. */
struct tmpfs_node {
	struct xarray entries; /* directory: position -> dentry */
	u64 next_pos;
	atomic64_t charged; /* file: pages charged to the super */
	char *link;	    /* symlink text */
	struct tmpfs_xattr *xattrs;
	struct dentry *
		alias; /* super's handle_lock: a name in a directory, if it still has the one the handle was made by */
	bool handed; /* is in the super's handles */
};

static const struct inode_ops dir_ops, file_inode_ops, link_ops, special_ops;
static const struct file_ops dir_fops;
static const struct vm_object_ops object_ops;
static struct kmem_cache *node_cache;

static void *node_alloc(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}
static void node_free(void *p, size_t size)
{
	kfree(p);
}
static const struct xa_ops dir_xa_ops = { node_alloc, node_free };

static struct tmpfs_super *tsuper(const struct inode *i)
{
	return i->sb->priv;
}
static struct tmpfs_node *tnode(const struct inode *i)
{
	return i->priv;
}

struct tmpfs_xattr **tmpfs_xattrs(struct inode *inode)
{
	return &tnode(inode)->xattrs;
}

bool inode_is_tmpfs(const struct inode *inode)
{
	return inode->sb->magic == TMPFS_MAGIC;
}

/* ---- accounting ---- */

static bool charge_page(struct inode *inode)
{
	struct tmpfs_super *ts = tsuper(inode);

	if ((u64)atomic64_inc_return(&ts->pages) > ts->max_pages) {
		atomic64_dec(&ts->pages);
		return false;
	}
	atomic64_inc(&tnode(inode)->charged);
	return true;
}

static void uncharge_pages(struct inode *inode, s64 n)
{
	atomic64_sub(n, &tnode(inode)->charged);
	atomic64_sub(n, &tsuper(inode)->pages);
}

/* After pages went: what is charged shall be what is there. */
static void recharge(struct inode *inode)
{
	s64 over = atomic64_read(&tnode(inode)->charged) - (s64)inode->object.npages;

	if (over)
		uncharge_pages(inode, over);
}

/* ---- inodes ---- */

struct inode *tmpfs_new_inode(struct super *sb, struct inode *dir, u32 mode, u64 rdev)
{
	struct tmpfs_super *ts = sb->priv;
	struct tmpfs_node *node;
	struct inode *i;

	if ((u64)atomic64_inc_return(&ts->inodes) > ts->max_inodes) {
		atomic64_dec(&ts->inodes);
		return ERR_PTR(-ENOSPC);
	}
	node = kmem_cache_alloc(node_cache, GFP_KERNEL | GFP_ZERO);
	i = node ? inode_new(sb, dir, mode) : NULL;
	if (!i) {
		if (node)
			kmem_cache_free(node_cache, node);
		atomic64_dec(&ts->inodes);
		return ERR_PTR(-ENOMEM);
	}
	i->priv = node;
	if (S_ISDIR(mode)) {
		xa_init(&node->entries, &dir_xa_ops);
		node->next_pos = 2;
		i->nlink = 2;
		i->ops = &dir_ops;
		i->fops = &dir_fops;
	} else if (S_ISREG(mode)) {
		vm_object_init(&i->object, &object_ops);
		i->seals = F_SEAL_SEAL;
		i->ops = &file_inode_ops;
		i->fops = &tmpfs_file_ops;
	} else if (S_ISLNK(mode)) {
		i->ops = &link_ops;
	} else {
		i->ops = &special_ops;
		inode_init_special(i, rdev);
	}
	return i;
}

static void forget_handle(struct inode *inode)
{
	struct tmpfs_super *ts = tsuper(inode);

	spin_lock(&ts->handle_lock);
	xa_erase(&ts->handles, inode->ino);
	spin_unlock(&ts->handle_lock);
}

static void tmpfs_evict(struct inode *inode)
{
	struct tmpfs_node *node = tnode(inode);

	if (S_ISREG(inode->mode)) {
		vm_object_truncate(&inode->object, 0, U64_MAX);
		uncharge_pages(inode, atomic64_read(&node->charged));
	} else if (S_ISDIR(inode->mode)) {
		xa_destroy(&node->entries);
	}
	if (unlikely(node->handed))
		forget_handle(inode);
	tmpfs_xattr_free(node->xattrs);
	kfree(node->link);
	kmem_cache_free(node_cache, node);
	atomic64_dec(&tsuper(inode)->inodes);
}

/* ---- directories ---- */

static int tmpfs_lookup(struct inode *dir, struct dentry *d)
{
	return 0; /* every name that exists is in the dentry cache: this one does not */
}

/* Enter @d, whose inode is set, into @dir. */
static int dir_add(struct inode *dir, struct dentry *d)
{
	struct tmpfs_node *node = tnode(dir);
	int r = xa_store(&node->entries, node->next_pos, d);

	if (r)
		return r;
	d->cookie = node->next_pos++;
	dget(d);
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
	dir->size += 20;
	return 0;
}

static void forget_alias(struct inode *inode, const struct dentry *d)
{
	struct tmpfs_super *ts = tsuper(inode);

	spin_lock(&ts->handle_lock);
	if (tnode(inode)->alias == d)
		tnode(inode)->alias = NULL;
	spin_unlock(&ts->handle_lock);
}

static void dir_remove(struct inode *dir, struct dentry *d)
{
	xa_erase(&tnode(dir)->entries, d->cookie);
	d->cookie = 0;
	smp_mb(); /* against tmpfs_handle(): it sees that the place has gone, or we see that there is a handle */
	if (unlikely(READ_ONCE(tnode(d_inode(d))->handed)))
		forget_alias(d_inode(d), d);
	dir->size -= 20;
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
	dput(d);
}

static int add_inode(struct inode *dir, struct dentry *d, struct inode *inode)
{
	int r;

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	r = dir_add(dir, d);
	if (r)
		inode_put(inode);
	else
		d_instantiate(d, inode);
	return r;
}

static int tmpfs_create(struct inode *dir, struct dentry *d, u32 mode)
{
	return add_inode(dir, d, tmpfs_new_inode(dir->sb, dir, mode, 0));
}

static int tmpfs_mknod(struct inode *dir, struct dentry *d, u32 mode, u64 rdev)
{
	return add_inode(dir, d, tmpfs_new_inode(dir->sb, dir, mode, rdev));
}

static int tmpfs_mkdir(struct inode *dir, struct dentry *d, u32 mode)
{
	int r = add_inode(dir, d, tmpfs_new_inode(dir->sb, dir, mode, 0));

	if (!r)
		dir->nlink++;
	return r;
}

static int tmpfs_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	struct inode *i = tmpfs_new_inode(dir->sb, dir, S_IFLNK | S_IRWXUGO, 0);

	if (IS_ERR(i))
		return (int)PTR_ERR(i);
	tnode(i)->link = kstrdup(target, GFP_KERNEL);
	if (!tnode(i)->link) {
		inode_put(i);
		return -ENOMEM;
	}
	i->size = strlen(target);
	return add_inode(dir, d, i);
}

static int tmpfs_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct inode *i = d_inode(old);
	int r;

	if (i->nlink == U32_MAX)
		return -EMLINK;
	r = dir_add(dir, d);
	if (r)
		return r;
	__atomic_fetch_add(&i->nlink, 1, __ATOMIC_RELAXED);
	inode_touch(i, ATTR_CTIME);
	d_instantiate(d, inode_get(i));
	return 0;
}

static int tmpfs_unlink(struct inode *dir, struct dentry *d)
{
	struct inode *i = d_inode(d);

	__atomic_fetch_sub(&i->nlink, 1, __ATOMIC_RELAXED);
	inode_touch(i, ATTR_CTIME);
	dir_remove(dir, d);
	return 0;
}

static bool dir_is_empty(struct inode *dir)
{
	return xa_empty(&tnode(dir)->entries);
}

static int tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
	if (!dir_is_empty(d_inode(d)))
		return -ENOTEMPTY;
	d_inode(d)->nlink = 0;
	dir->nlink--;
	dir_remove(dir, d);
	return 0;
}

/* Two names change places: so do their positions. */
static int rename_exchange(struct inode *odir, struct dentry *od, struct inode *ndir,
			   struct dentry *nd)
{
	bool odd = S_ISDIR(d_inode(od)->mode), ndd = S_ISDIR(d_inode(nd)->mode);

	if (xa_store(&tnode(odir)->entries, od->cookie, nd) ||
	    xa_store(&tnode(ndir)->entries, nd->cookie, od))
		return -ENOMEM; /* cannot be: both slots exist */
	swap(od->cookie, nd->cookie);
	if (odir != ndir) {
		odir->nlink += (u32)(ndd - odd);
		ndir->nlink += (u32)(odd - ndd);
	}
	inode_touch(odir, ATTR_MTIME | ATTR_CTIME);
	inode_touch(ndir, ATTR_MTIME | ATTR_CTIME);
	inode_touch(d_inode(nd), ATTR_CTIME);
	return 0;
}

/* RENAME_WHITEOUT: what stays at the old name. In the cache before the name it covers has left it: nobody finds neither. */
static int leave_whiteout(struct inode *odir, struct dentry *od)
{
	struct dentry *d = d_alloc(odir->sb, od->parent, od->name, od->len);
	int r = d ? tmpfs_mknod(odir, d, S_IFCHR, WHITEOUT_DEV) : -ENOMEM;

	if (!r)
		d_hash(d);
	if (d)
		dput(d);
	return r;
}

static int tmpfs_rename(struct inode *odir, struct dentry *od, struct inode *ndir,
			struct dentry *nd, unsigned int flags)
{
	struct inode *victim = d_inode(nd);
	bool isdir = S_ISDIR(d_inode(od)->mode);
	u64 pos;
	int r;

	inode_touch(d_inode(od), ATTR_CTIME);
	if (flags & RENAME_EXCHANGE)
		return rename_exchange(odir, od, ndir, nd);
	if (victim && isdir && !dir_is_empty(victim))
		return -ENOTEMPTY;
	r = xa_store(&tnode(ndir)->entries, tnode(ndir)->next_pos, od);
	if (r)
		return r;
	pos = tnode(ndir)->next_pos++;
	r = flags & RENAME_WHITEOUT ? leave_whiteout(odir, od) : 0;
	if (r) {
		xa_erase(&tnode(ndir)->entries, pos);
		return r;
	}
	if (victim && isdir)
		tmpfs_rmdir(ndir, nd);
	else if (victim)
		tmpfs_unlink(ndir, nd);
	xa_erase(&tnode(odir)->entries, od->cookie);
	od->cookie = pos;
	odir->size -= 20;
	ndir->size += 20;
	if (isdir) {
		odir->nlink--;
		ndir->nlink++;
	}
	inode_touch(odir, ATTR_MTIME | ATTR_CTIME);
	inode_touch(ndir, ATTR_MTIME | ATTR_CTIME);
	return 0;
}

static int tmpfs_tmpfile(struct inode *dir, struct inode **out, u32 mode)
{
	struct inode *i = tmpfs_new_inode(dir->sb, dir, mode, 0);

	if (IS_ERR(i))
		return (int)PTR_ERR(i);
	i->nlink = 0;
	*out = i;
	return 0;
}

static int tmpfs_iterate(struct file *f, struct dir_ctx *ctx)
{
	struct tmpfs_node *node = tnode(f->inode);
	struct dentry *d;
	u64 pos;

	if (!dir_emit_dots(f, ctx))
		return 0;
	xa_for_each_range(&node->entries, pos, d, (u64)ctx->pos, U64_MAX)
	{
		struct inode *i = d_inode(d);

		if (!ctx->emit(ctx, d->name, d->len, i->ino, i->mode >> 12, (s64)pos + 1))
			return 0;
		ctx->pos = (s64)pos + 1;
	}
	return 0;
}

static loff_t dir_llseek(struct file *f, loff_t off, int whence)
{
	return generic_llseek_size(f, off, whence > SEEK_CUR ? -1 : whence, S64_MAX, 0);
}

/* ---- file contents ---- */

/* The page at @index for reading; NULL: a hole. With a reference. */
static struct page *find_page(struct inode *inode, u64 index)
{
	return vm_object_find(&inode->object, index);
}

/* Insert a new page, unless a page fault was faster. Returns with a reference in *out. */
static int insert_page(struct inode *inode, u64 index, struct page *fresh, struct page **out)
{
	int r;

	if (!charge_page(inode)) {
		page_put(fresh);
		return -ENOSPC;
	}
	r = vm_object_insert(&inode->object, index, fresh, out);
	if (r || *out != fresh)
		uncharge_pages(inode, 1);
	page_put(fresh);
	return r;
}

/* @flags: PAGE_UNTOUCHED, or 0: what a new page is. */
static int get_or_make_page(struct inode *inode, u64 index, u8 flags, struct page **out)
{
	struct page *fresh;

	*out = find_page(inode, index);
	if (*out)
		return 0;
	fresh = page_alloc(GFP_KERNEL | GFP_USER | GFP_ZERO, 0);
	if (!fresh)
		return -ENOMEM;
	page_set_type(fresh, PAGE_CACHE);
	fresh->flags |= flags;
	return insert_page(inode, index, fresh, out);
}

static long tmpfs_fallocate(struct file *f, int mode, loff_t off, loff_t len);

/* mm asks for a page of a mapping. */
static int object_get_page(struct vm_object *obj, u64 index, bool write, struct page **out)
{
	struct inode *inode = container_of(obj, struct inode, object);
	int r;

	if (index >= DIV_ROUND_UP(READ_ONCE(inode->size), PAGE_SIZE))
		return -EFAULT;
	r = get_or_make_page(inode, index, 0, out);
	if (!r)
		page_touched(*out);
	return r == -ENOSPC ? -EFAULT : r; /* a full tmpfs is SIGBUS, as on Linux */
}

static int object_remove(void *owner, u64 off, u64 len)
{
	struct file *f = owner;

	return (int)tmpfs_fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (loff_t)off,
				    (loff_t)len);
}

static const struct vm_object_ops object_ops = {
	.get_page = object_get_page,
	.owner_get = file_map_get,
	.owner_put = file_map_put,
	.describe = file_map_describe,
	.may_probe = file_map_may_probe,
	.remove = object_remove,
	.sparse = true,
};

static ssize_t tmpfs_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct inode *inode = f->inode;
	ssize_t done = 0;

	while (to->count) {
		u64 size = READ_ONCE(inode->size);
		size_t off = (size_t)*pos & (PAGE_SIZE - 1), n, got;
		struct page *page;

		if ((u64)*pos >= size)
			break;
		n = min_t(u64, min_t(u64, PAGE_SIZE - off, to->count), size - (u64)*pos);
		page = find_page(inode, (u64)*pos >> PAGE_SHIFT);
		if (page) {
			got = iov_iter_to(to, (char *)page_to_virt(page) + off, n);
			page_put(page);
		} else {
			got = iov_iter_zero(to, n);
		}
		*pos += (loff_t)got;
		done += (ssize_t)got;
		if (got < n) {
			if (!done)
				done = -EFAULT;
			break;
		}
		cond_resched();
	}
	if (done >= 0)
		file_accessed(f);
	return done;
}

/*
 * How much of a write of *n bytes at @pos may be done: RLIMIT_FSIZE, the largest file, seals. inode lock held.
 * 0 with *n shortened, or -Exxx.
 */
static int write_check(struct inode *inode, u64 pos, size_t *n)
{
	int r;

	if (unlikely(inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return -EPERM;
	r = inode_write_limit(inode, pos, n);
	if (r)
		return r;
	if (unlikely(inode->seals & F_SEAL_GROW) && pos + *n > inode->size) {
		if (pos >= inode->size)
			return -EPERM;
		*n = (size_t)(inode->size - pos);
	}
	return 0;
}

/* Copy up to the end of one page. Bytes, or -Exxx. */
static ssize_t write_page(struct inode *inode, struct iov_iter *from, u64 pos, size_t n)
{
	size_t off = (size_t)pos & (PAGE_SIZE - 1), got;
	struct page *page = find_page(inode, pos >> PAGE_SHIFT), *winner;
	int r;

	if (page) {
		got = iov_iter_from(from, (char *)page_to_virt(page) + off, n);
		page_written(page);
		page_touched(page);
		page_put(page);
		return got ? (ssize_t)got : -EFAULT;
	}
	/* Fill a new page before anyone can see it. */
	page = page_alloc(GFP_KERNEL | GFP_USER | (n == PAGE_SIZE ? 0 : GFP_ZERO), 0);
	if (!page)
		return -ENOMEM;
	page_set_type(page, PAGE_CACHE);
	got = iov_iter_from(from, (char *)page_to_virt(page) + off, n);
	if (!got) {
		page_put(page);
		return -EFAULT;
	}
	if (got < n && n == PAGE_SIZE)
		memset((char *)page_to_virt(page) + got, 0, PAGE_SIZE - got);
	r = insert_page(inode, pos >> PAGE_SHIFT, page, &winner);
	if (r)
		return r;
	if (winner !=
	    page) /* a page fault made one meanwhile: ours went unseen; its bytes go there */
		r = -EAGAIN;
	page_put(winner);
	return r ? r : (ssize_t)got;
}

static ssize_t tmpfs_write_locked(struct inode *inode, struct iov_iter *from, loff_t *pos, size_t n)
{
	ssize_t done = 0;

	while (n) {
		size_t len = min_t(size_t, PAGE_SIZE - ((size_t)*pos & (PAGE_SIZE - 1)), n);
		struct iov_iter saved = *from;
		ssize_t got = write_page(inode, from, (u64)*pos, len);

		if (got == -EAGAIN) {
			iov_iter_revert_to(from, &saved);
			continue;
		}
		if (got < 0)
			return done ? done : got;
		*pos += got;
		done += got;
		n -= (size_t)got;
		if ((u64)*pos > inode->size)
			WRITE_ONCE(inode->size, (u64)*pos);
		if ((size_t)got < len)
			break;
		cond_resched();
	}
	return done;
}

static ssize_t tmpfs_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct inode *inode = f->inode;
	size_t n = from->count;
	ssize_t r;

	if (!n)
		return 0;
	rwsem_down_write(&inode->lock);
	if (file_appends(f, flags))
		*pos = (loff_t)inode->size;
	r = write_check(inode, (u64)*pos, &n);
	if (!r) {
		file_remove_privs(inode);
		r = tmpfs_write_locked(inode, from, pos, n);
		if (r > 0)
			inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
	}
	rwsem_up_write(&inode->lock);
	return r;
}

/* Zero [from, to) within one page that exists. */
static void zero_part(struct inode *inode, u64 from, u64 to)
{
	struct page *page = from < to ? find_page(inode, from >> PAGE_SHIFT) : NULL;

	if (!page)
		return;
	memset((char *)page_to_virt(page) + (from & (PAGE_SIZE - 1)), 0, (size_t)(to - from));
	page_put(page);
}

static int set_size(struct inode *inode, u64 size)
{
	u64 old = inode->size;

	if ((size < old && (inode->seals & F_SEAL_SHRINK)) ||
	    (size > old && (inode->seals & F_SEAL_GROW)))
		return -EPERM;
	WRITE_ONCE(inode->size, size);
	if (size < old) {
		zero_part(inode, size, min(ALIGN_UP(size, (u64)PAGE_SIZE), old));
		vm_object_truncate(&inode->object, DIV_ROUND_UP(size, PAGE_SIZE), U64_MAX);
		recharge(inode);
	}
	inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
	return 0;
}

static int tmpfs_setattr(struct inode *inode, const struct iattr *attr)
{
	int r = attr->valid & ATTR_SIZE ? set_size(inode, attr->size) : 0;

	if (!r && (attr->valid & ~ATTR_SIZE))
		generic_setattr(inode, attr);
	return r;
}

static int punch_hole(struct inode *inode, u64 from, u64 to)
{
	u64 first = DIV_ROUND_UP(from, PAGE_SIZE),
	    last = to >> PAGE_SHIFT; /* whole pages: [first, last) */

	if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (first > last) { /* inside one page */
		zero_part(inode, from, to);
		return 0;
	}
	zero_part(inode, from, first << PAGE_SHIFT);
	zero_part(inode, last << PAGE_SHIFT, to);
	if (first < last)
		vm_object_truncate(&inode->object, first, last - 1);
	recharge(inode);
	return 0;
}

/* Pages [first, last] will not be needed. Those within the file stay: a mapping may have begun to use them. */
static void give_back(struct inode *inode, u64 first, u64 last)
{
	first = max(first, DIV_ROUND_UP(inode->size, PAGE_SIZE));
	if (first <= last)
		vm_object_truncate(&inode->object, first, last);
	recharge(inode);
}

static int allocate_range(struct inode *inode, u64 from, u64 to, bool keep_size)
{
	int r = keep_size ? 0 : inode_may_grow(inode, to);

	if (r)
		return r;
	if (to > inode->size && (inode->seals & F_SEAL_GROW))
		return -EPERM;
	if (DIV_ROUND_UP(to - from, PAGE_SIZE) > tsuper(inode)->max_pages)
		return -ENOSPC;
	for (u64 index = from >> PAGE_SHIFT; index < DIV_ROUND_UP(to, PAGE_SIZE); index++) {
		struct page *page;

		r = get_or_make_page(inode, index, PAGE_UNTOUCHED, &page);
		if (!r)
			page_put(page);
		if (!r && fatal_signal_pending())
			r = -EINTR;
		if (r) {
			give_back(inode, from >> PAGE_SHIFT, index);
			return r;
		}
		cond_resched();
	}
	if (!keep_size && to > inode->size)
		WRITE_ONCE(inode->size, to);
	return 0;
}

static long tmpfs_fallocate(struct file *f, int mode, loff_t off, loff_t len)
{
	struct inode *inode = f->inode;
	long r;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	rwsem_down_write(&inode->lock);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		r = punch_hole(inode, (u64)off, (u64)(off + len));
	else
		r = allocate_range(inode, (u64)off, (u64)(off + len), mode & FALLOC_FL_KEEP_SIZE);
	if (!r)
		inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
	rwsem_up_write(&inode->lock);
	return r;
}

/* SEEK_DATA, SEEK_HOLE: page by page. */
static loff_t seek_data(struct inode *inode, u64 off, bool data)
{
	u64 size = inode->size, index = off >> PAGE_SHIFT;

	for (; (index << PAGE_SHIFT) < size; index++) {
		struct page *page = find_page(inode, index);
		bool there = page && !(page->flags & PAGE_UNTOUCHED);

		if (page)
			page_put(page);
		if (there == data)
			return (loff_t)max(off, index << PAGE_SHIFT);
	}
	return data ? -ENXIO : (loff_t)size;
}

static loff_t tmpfs_llseek(struct file *f, loff_t off, int whence)
{
	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		if (off < 0 || (u64)off >= f->inode->size)
			return -ENXIO;
		off = seek_data(f->inode, (u64)off, whence == SEEK_DATA);
		if (off < 0)
			return off;
		whence = SEEK_SET;
	}
	return generic_llseek_size(f, off, whence, S64_MAX, (loff_t)f->inode->size);
}

static int tmpfs_mmap(struct file *f, u64 pgoff, size_t len, unsigned int prot, unsigned int flags,
		      struct vm_object **obj, unsigned int *maxflags)
{
	int r = memfd_check_mmap(f, prot, flags, maxflags);

	*obj = &f->inode->object;
	if (!r)
		file_accessed(f);
	return r;
}

static int tmpfs_fsync(struct file *f, bool datasync)
{
	return 0; /* memory is where the file lives */
}

static ssize_t tmpfs_readlink(struct inode *inode, char *buf, size_t size, struct path *jump)
{
	return (ssize_t)min(strlcpy(buf, tnode(inode)->link, size), size - 1);
}

static int tmpfs_getattr(struct inode *inode, struct kstat *st)
{
	if (!S_ISREG(inode->mode))
		st->blocks = 0;
	return 0;
}

static const struct inode_ops dir_ops = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create,
	.mkdir = tmpfs_mkdir,
	.mknod = tmpfs_mknod,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.getattr = tmpfs_getattr,
};
static const struct inode_ops file_inode_ops = { .setattr = tmpfs_setattr };
static const struct inode_ops link_ops = { .readlink = tmpfs_readlink, .getattr = tmpfs_getattr };
static const struct inode_ops special_ops = { .getattr = tmpfs_getattr };
static const struct file_ops dir_fops = { .iterate = tmpfs_iterate,
					  .llseek = dir_llseek,
					  .fsync = tmpfs_fsync };
const struct file_ops tmpfs_file_ops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.llseek = tmpfs_llseek,
	.mmap = tmpfs_mmap,
	.fsync = tmpfs_fsync,
	.fcntl = memfd_fcntl,
	.fallocate = tmpfs_fallocate,
};

/* ---- file handles ---- */

/*
 * A handle is an inode's number, and its time of birth to tell it from one of another mount. Those that were given are kept in a table, so that files
 * of which nobody wants any pay nothing.
 */
static u32 generation(const struct inode *inode)
{
	return (u32)inode->btime_ns;
}

/* Does @d have a place in a directory? dir_remove() takes it away. */
static bool has_place(const struct dentry *d)
{
	return d == d->sb->root || READ_ONCE(d->cookie);
}

static int tmpfs_handle(struct dentry *d, struct file_id *id)
{
	struct inode *inode = d_inode(d);
	struct tmpfs_super *ts = tsuper(inode);
	int r = 0;

	spin_lock(&ts->handle_lock);
	if (!tnode(inode)->handed)
		r = xa_store(&ts->handles, inode->ino, inode);
	if (!r) {
		WRITE_ONCE(tnode(inode)->handed, true);
		smp_mb();
		if (has_place(d))
			tnode(inode)->alias = d;
	}
	spin_unlock(&ts->handle_lock);
	*id = (struct file_id){ inode->ino, generation(inode) };
	return r;
}

/* A file that is open but has no name any more gets a dentry without a place. A directory would be an empty one then. */
static struct dentry *nameless(struct super *sb, struct inode *inode)
{
	struct dentry *d;

	if (S_ISDIR(inode->mode)) {
		inode_put(inode);
		return ERR_PTR(-ESTALE);
	}
	d = d_alloc(sb, NULL, "/", 1);
	if (!d) {
		inode_put(inode);
		return ERR_PTR(-ENOMEM);
	}
	d->flags |= DENTRY_ANON;
	d_instantiate(d, inode);
	return d;
}

static struct dentry *tmpfs_open_handle(struct super *sb, const struct file_id *id)
{
	struct tmpfs_super *ts = sb->priv;
	struct dentry *d = NULL;
	struct inode *inode;

	spin_lock(&ts->handle_lock);
	inode = xa_load(&ts->handles, id->ino);
	if (inode && generation(inode) != id->generation)
		inode = NULL;
	if (inode && (d = tnode(inode)->alias) != NULL)
		dget(d);
	else if (inode && !refcount_inc_not_zero(&inode->refs))
		inode = NULL; /* about to go */
	spin_unlock(&ts->handle_lock);
	if (d)
		return d;
	return inode ? nameless(sb, inode) : ERR_PTR(-ESTALE);
}

/* ---- initramfs: pages that are in memory already ---- */

int tmpfs_adopt_pages(struct inode *inode, const void *data, size_t size)
{
	struct tmpfs_super *ts = tsuper(inode);

	for (size_t off = 0; off < size; off += PAGE_SIZE) {
		struct page *page = virt_to_page((const char *)data + off), *winner;
		int r;

		if (ts->max_pages != U64_MAX) /* memory that the limit did not know of */
			ts->max_pages++;
		if (!charge_page(inode))
			return -ENOSPC;
		r = vm_object_insert(&inode->object, off >> PAGE_SHIFT, page, &winner);
		if (r) {
			uncharge_pages(inode, 1);
			return r;
		}
		page_set_type(page, PAGE_CACHE);
		page_put(winner);
		page_put(page); /* the boot reference: from now on it is the file's page alone */
	}
	inode->size = size;
	return 0;
}

/* ---- mounting ---- */

/* size=: bytes, or a part of memory; 0 is no limit. */
static int parse_size(struct tmpfs_super *ts, const char *val)
{
	const char *end;
	u64 v = memparse(val, &end);
	struct mm_stats st;

	if (*end == '%') {
		mm_get_stats(&st);
		ts->max_pages = st.total * v / 100;
		return end[1] ? -EINVAL : 0;
	}
	ts->max_pages = v ? DIV_ROUND_UP(v, PAGE_SIZE) : U64_MAX;
	return *val && !*end ? 0 : -EINVAL;
}

static int parse_option(void *ctx, const char *key, const char *val)
{
	struct tmpfs_super *ts = ctx;
	int r = mount_option_owner(key, val, &ts->owner);
	const char *end;
	u64 v, *limit;

	if (r != -ENOENT)
		return r;
	if (!val)
		return -EINVAL;
	if (!strcmp(key, "size"))
		return parse_size(ts, val);
	if (!strcmp(key, "nr_blocks"))
		limit = &ts->max_pages;
	else if (!strcmp(key, "nr_inodes"))
		limit = &ts->max_inodes;
	else
		return -EINVAL;
	v = memparse(val, &end);
	*limit = v ? v : U64_MAX;
	return *val && !*end ? 0 : -EINVAL;
}

static int tmpfs_statfs(struct super *sb, struct statfs *st)
{
	struct tmpfs_super *ts = sb->priv;
	u64 used = (u64)atomic64_read(&ts->pages), inodes = (u64)atomic64_read(&ts->inodes);

	st->f_bsize = PAGE_SIZE;
	if (ts->max_pages != U64_MAX) {
		st->f_blocks = ts->max_pages;
		st->f_bfree = st->f_bavail = ts->max_pages > used ? ts->max_pages - used : 0;
	}
	if (ts->max_inodes != U64_MAX) {
		st->f_files = ts->max_inodes;
		st->f_ffree = ts->max_inodes > inodes ? ts->max_inodes - inodes : 0;
	}
	return 0;
}

/* Let go of every name: deepest first, so that a directory goes when it is empty. */
static void tmpfs_put_super(struct super *sb)
{
	struct dentry *d = sb->root, *child;

	for (;;) {
		u64 pos = 0;

		child = S_ISDIR(d_inode(d)->mode)
				? xa_find(&tnode(d_inode(d))->entries, &pos, U64_MAX)
				: NULL;
		if (child) {
			d = child;
			continue;
		}
		if (d == sb->root)
			break;
		child = d;
		d = d->parent;
		xa_erase(&tnode(d_inode(d))->entries, child->cookie);
		d_drop(child);
		dput(child);
	}
}

static void tmpfs_free_super(struct super *sb)
{
	struct tmpfs_super *ts = sb->priv;

	xa_destroy(&ts->handles);
	kfree(sb->priv);
}

static int tmpfs_remount(struct super *sb, unsigned long flags, const char *data)
{
	struct tmpfs_super *ts = sb->priv, next = *ts;
	int r = mount_options(data, parse_option, &next);

	if (r)
		return r;
	if (next.max_pages < (u64)atomic64_read(&ts->pages) ||
	    next.max_inodes < (u64)atomic64_read(&ts->inodes))
		return -EINVAL;
	ts->max_pages = next.max_pages;
	ts->max_inodes = next.max_inodes;
	return 0;
}

static void tmpfs_show_options(struct super *sb, char *buf, size_t size)
{
	struct tmpfs_super *ts = sb->priv;
	int n = 0;

	if (ts->max_pages != U64_MAX)
		n = scnprintf(buf, size, ",size=%lluk", ts->max_pages * (PAGE_SIZE / 1024));
	if (ts->max_inodes != U64_MAX)
		scnprintf(buf + n, size - (size_t)n, ",nr_inodes=%llu", ts->max_inodes);
}

static const struct super_ops tmpfs_super_ops = {
	.evict = tmpfs_evict,
	.statfs = tmpfs_statfs,
	.put_super = tmpfs_put_super,
	.free_super = tmpfs_free_super,
	.remount = tmpfs_remount,
	.show_options = tmpfs_show_options,
	.handle = tmpfs_handle,
	.open_handle = tmpfs_open_handle,
};

int tmpfs_fill(struct super *sb, const char *source, const char *data)
{
	struct tmpfs_super *ts = kzalloc(sizeof(*ts), GFP_KERNEL);
	struct mm_stats st;
	struct inode *root;
	int r;

	if (!ts)
		return -ENOMEM;
	mm_get_stats(&st);
	ts->max_pages = ts->max_inodes = st.total / 2;
	ts->owner.mode = 01777;
	spin_init(&ts->handle_lock, RANK_DENTRY);
	xa_init(&ts->handles, &kernel_xa_ops);
	r = mount_options(data, parse_option, ts);
	sb->ops = &tmpfs_super_ops;
	sb->magic = TMPFS_MAGIC;
	sb->max_bytes = S64_MAX & PAGE_MASK;
	sb->priv = ts;
	root = r ? ERR_PTR(r) : tmpfs_new_inode(sb, NULL, S_IFDIR | ts->owner.mode, 0);
	if (IS_ERR(root)) {
		kfree(ts);
		return (int)PTR_ERR(root);
	}
	root->uid = ts->owner.uid;
	root->gid = ts->owner.gid;
	sb->root = d_alloc(sb, NULL, "/", 1);
	if (!sb->root) {
		inode_put(root);
		kfree(ts);
		return -ENOMEM;
	}
	d_instantiate(sb->root, root);
	return 0;
}

/* The root: only root may write. A fifth of memory stays for programs, so that a full root is ENOSPC and kills nobody. */
static int rootfs_fill(struct super *sb, const char *source, const char *data)
{
	return tmpfs_fill(sb, source, "mode=0755,size=80%,nr_inodes=0");
}

static int ramfs_fill(struct super *sb, const char *source, const char *data)
{
	return tmpfs_fill(sb, source, "mode=0755,size=0,nr_inodes=0");
}

static struct fs_type tmpfs_type = { .name = "tmpfs",
				     .nodev = true,
				     .fill = tmpfs_fill,
				     .option = parse_option,
				     .options_size = sizeof(struct tmpfs_super) };
struct fs_type rootfs_type = { .name = "rootfs", .nodev = true, .fill = rootfs_fill };
static struct fs_type ramfs_type = { .name = "ramfs", .nodev = true, .fill = ramfs_fill };

void tmpfs_init(void)
{
	node_cache = kmem_cache_create("tmpfs_node", sizeof(struct tmpfs_node), 0);
	fs_type_register(&tmpfs_type);
	fs_type_register(&rootfs_type);
	fs_type_register(&ramfs_type);
}

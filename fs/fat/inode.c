/* SPDX-License-Identifier: MIT */
/*
 * Files and directories of a FAT volume as inodes. See fat.h.
 *
 * An inode belongs to the place of its short entry, and is found by it, because a name may be spelled in several ways: each spelling is
 * a dentry of its own. So a dentry carries the inode's generation, an absent name the number of changes of its directory, and revalidate()
 * drops what no longer fits. What has been removed lives on without an entry until its last user goes; then its clusters are freed.
 *
 * An inode's number is its entry's place, as long as no other has it: one that was renamed or removed keeps its own.
 *
 * On a healthy volume directories form a tree. Where two entries lead to one directory, or two directories share a cluster, a path could
 * come back to where it began; so no two directories in use have one first cluster, and no entry is in two of them: -EIO.
 *
 * Rights are those of the mount, but for the read-only attribute, which chmod sets and clears. Owners cannot be changed.
 */
#include <fs/fat/fat.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <lib/hash.h>

#define MOVED_INO (1ULL << 40) /* above all places */

static const struct inode_ops file_iops;
static const struct file_ops file_fops, dir_fops;
static const struct cache_ops fat_cache_ops;

static u32 clusters_for(const struct fat *fat, u64 size)
{
	return (u32)((size + (1ull << fat->cluster_shift) - 1) >> fat->cluster_shift);
}

/* ---- the page cache ---- */

/* Where the part of a file at @off is: volume offset and how many bytes follow there. */
static int file_place(struct inode *inode, u64 off, u64 *place, u32 *len)
{
	struct fat *fat = fat_of(inode);
	u32 cluster, in = (u32)(off & ((1u << fat->cluster_shift) - 1));
	int r;

	mutex_lock(&fat->lock);
	r = chain_map(fat, fat_inode(inode), (u32)(off >> fat->cluster_shift), &cluster);
	mutex_unlock(&fat->lock);
	if (r)
		return r == -ENOENT ? -EIO : r; /* the chain is shorter than the size says */
	*place = cluster_off(fat, cluster) + in;
	*len = (1u << fat->cluster_shift) - in;
	return 0;
}

static int move_page(struct inode *inode, struct bio *bio, u64 off, struct page *page)
{
	u64 end = min(off + PAGE_SIZE, ALIGN_UP(READ_ONCE(inode->size), (u64)SECTOR_SIZE));

	for (u64 at = off; at < end;) {
		u64 place;
		u32 len;
		int r = file_place(inode, at, &place, &len);

		if (r)
			return r;
		len = (u32)min_t(u64, len, end - at);
		bio_add(bio, place, page_to_phys(page) + (at - off), len);
		at += len;
	}
	return 0;
}

static int move_pages(struct inode *inode, enum disk_op op, u64 index, struct page **pages,
		      unsigned int n)
{
	struct bio bio;
	int r = 0, err;

	bio_init(&bio, fat_of(inode)->bdev, op);
	for (unsigned int i = 0; i < n && !r; i++)
		r = move_page(inode, &bio, (index + i) << PAGE_SHIFT, pages[i]);
	err = bio_finish(&bio);
	return r ? r : err;
}

static int fat_read_pages(struct inode *inode, u64 index, struct page **pages, unsigned int n)
{
	int r = move_pages(inode, DISK_READ, index, pages, n);
	u64 size = READ_ONCE(inode->size), last = size >> PAGE_SHIFT;

	/* The rest of the last sector is no part of the file. */
	if (!r && last >= index && last < index + n)
		memset((char *)page_to_virt(pages[last - index]) + (size & (PAGE_SIZE - 1)), 0,
		       PAGE_SIZE - (size & (PAGE_SIZE - 1)));
	return r;
}

static int fat_write_pages(struct inode *inode, u64 index, struct page **pages, unsigned int n)
{
	return move_pages(inode, DISK_WRITE, index, pages, n);
}

static int fat_grow(struct inode *inode, u64 end)
{
	struct fat *fat = fat_of(inode);
	int r;

	mutex_lock(&fat->lock);
	r = chain_resize(fat, fat_inode(inode), clusters_for(fat, end));
	mutex_unlock(&fat->lock);
	return r;
}

static const struct cache_ops fat_cache_ops = { .read = fat_read_pages,
						.write = fat_write_pages,
						.grow = fat_grow };

/* ---- inodes ---- */

static struct hlist_head *hash_bucket(struct fat *fat, u64 entry)
{
	return &fat->inodes[hash_64(entry, 6)];
}

static struct inode *inode_lookup(struct fat *fat, u64 entry)
{
	struct fat_inode *fi;

again:
	hlist_for_each_entry(fi, hash_bucket(fat, entry), hash_link) {
		if (fi->entry != entry)
			continue;
		if (refcount_inc_not_zero(&fi->inode->refs))
			return fi->inode;
		mutex_unlock(&fat->lock); /* it is going: when it has, the disk says all there is */
		cond_resched();
		mutex_lock(&fat->lock);
		goto again;
	}
	return NULL;
}

static struct hlist_head *ino_bucket(struct fat *fat, u64 ino)
{
	return &fat->inos[hash_64(ino, 6)];
}

static struct hlist_head *dir_bucket(struct fat *fat, u32 start)
{
	return &fat->dirs[hash_64(start, 6)];
}

static u64 choose_ino(struct fat *fat, u64 ino)
{
	struct fat_inode *fi;

	hlist_for_each_entry(fi, ino_bucket(fat, ino), ino_link)
		if (fi->inode->ino == ino)
			return MOVED_INO + fat->next_ino++;
	return ino;
}

/* May a directory begin at @start? Waits for one that is going. lock held, dropped meanwhile. */
static int dir_unique(struct fat *fat, u32 start)
{
	struct fat_inode *fi;

again:
	hlist_for_each_entry(fi, dir_bucket(fat, start), dir_link) {
		if (fi->start != start)
			continue;
		if (refcount_read(&fi->inode->refs))
			return -EIO;
		mutex_unlock(&fat->lock);
		cond_resched();
		mutex_lock(&fat->lock);
		goto again;
	}
	return 0;
}

static u32 mode_of(const struct fat *fat, u8 attr)
{
	u32 mode = attr & FA_DIR ? S_IFDIR | (0777 & ~fat->dmask) : S_IFREG | (0777 & ~fat->fmask);

	return attr & FA_RDONLY ? mode & ~0222u : mode;
}

/* Fill @fi and @inode from an entry. */
static int inode_fill(struct fat *fat, struct inode *inode, struct fat_inode *fi,
		      const struct fat_found *f)
{
	const struct fat_entry *e = &f->raw;

	fi->attr = e->attr;
	fi->start = entry_start(fat, e);
	fi->entry = f->entry;
	fi->slot = f->slot;
	fi->nslots = f->nslots;
	inode->ino = choose_ino(fat, f->entry / SLOT);
	inode->size = get32(e->size);
	inode->mtime_ns = time_from_fat(get16(e->date), get16(e->time));
	inode->atime_ns = time_from_fat(get16(e->adate), 0);
	inode->ctime_ns = inode->mtime_ns;
	inode->btime_ns = time_from_fat(get16(e->cdate), get16(e->ctime));
	if (fi->start && !cluster_ok(fat, fi->start))
		return -EIO;
	return 0;
}

static int inode_setup(struct fat *fat, struct inode *inode, u8 attr)
{
	inode->mode = mode_of(fat, attr);
	inode->uid = fat->uid;
	inode->gid = fat->gid;
	if (attr & FA_DIR) {
		inode->ops = &fat_dir_ops;
		inode->fops = &dir_fops;
		inode->nlink = 2;
		return 0;
	}
	inode->ops = &file_iops;
	inode->fops = &file_fops;
	return cache_create(inode, &fat_cache_ops);
}

/* A directory's size is its chain's. One that is longer than any can be, or never ends, is -EIO. */
static int directory_size(struct fat *fat, struct inode *inode, struct fat_inode *fi)
{
	u32 cluster, n = 0;
	int r = 0;

	if (!fi->start) {
		inode->size = fat->root_size;
		return 0;
	}
	for (; !r; n += !r) {
		if (n > DIR_MAX >> fat->cluster_shift)
			return -EIO;
		r = chain_map(fat, fi, n, &cluster);
	}
	inode->size = (u64)n << fat->cluster_shift;
	return r == -ENOENT ? 0 : r;
}

/* Fill in a new inode. lock held. */
static int inode_start(struct fat *fat, struct inode *inode, struct inode *dir,
		       const struct fat_found *found)
{
	struct fat_inode *fi = inode->priv;
	int r = 0;

	if (found) {
		fi->parent = fat_inode(dir)->start;
		r = inode_fill(fat, inode, fi, found);
	} else {
		fi->attr = FA_DIR;
		fi->start = fat->root_cluster;
		inode->ino = FAT_ROOT_INO;
	}
	if (!r)
		r = inode_setup(fat, inode, fi->attr);
	if (!r && (fi->attr & FA_DIR))
		r = directory_size(fat, inode, fi);
	return r;
}

static struct inode *inode_alloc(struct super *sb)
{
	struct fat *fat = sb->priv;
	struct fat_inode *fi = kzalloc(sizeof(*fi), GFP_KERNEL);
	struct inode *inode = fi ? inode_new(sb, NULL, S_IFREG) : NULL;

	if (!inode) {
		kfree(fi);
		return NULL;
	}
	inode->priv = fi;
	fi->inode = inode;
	fi->length = U32_MAX;
	fi->generation = ++fat->generation;
	hlist_node_init(&fi->hash_link);
	hlist_node_init(&fi->ino_link);
	hlist_node_init(&fi->dir_link);
	return inode;
}

/* Make inodes findable by place, number and, directories, first cluster. lock held. */
static void inode_enter(struct fat *fat, struct inode *inode)
{
	struct fat_inode *fi = inode->priv;

	if (fi->entry)
		hlist_add_head(&fi->hash_link, hash_bucket(fat, fi->entry));
	if ((fi->attr & FA_DIR) && fi->start)
		hlist_add_head(&fi->dir_link, dir_bucket(fat, fi->start));
	hlist_add_head(&fi->ino_link, ino_bucket(fat, inode->ino));
}

/* Drop a reference that may be the last. lock held, dropped meanwhile: evict takes it. */
static void inode_put_locked(struct fat *fat, struct inode *inode)
{
	mutex_unlock(&fat->lock);
	inode_put(inode);
	mutex_lock(&fat->lock);
}

struct inode *fat_iget(struct super *sb, struct inode *dir, const struct fat_found *found)
{
	struct fat *fat = sb->priv;
	struct inode *inode;
	int r = 0;

	if (found && (found->raw.attr & FA_DIR) && entry_start(fat, &found->raw)) {
		inode = inode_lookup(fat, found->entry);
		r = inode ? 0 : dir_unique(fat, entry_start(fat, &found->raw));
	} else {
		inode = found ? inode_lookup(fat, found->entry) : NULL;
	}
	if (inode && fat_inode(inode)->parent != fat_inode(dir)->start) {
		inode_put_locked(fat, inode);
		r = -EIO;
	}
	if (r || inode)
		return r ? ERR_PTR(r) : inode;
	inode = inode_alloc(sb);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	r = inode_start(fat, inode, dir, found);
	if (r) {
		fat_inode(inode)->entry = 0;
		inode_put_locked(fat, inode);
		return ERR_PTR(r);
	}
	inode_enter(fat, inode);
	return inode;
}

int fat_write_entry(struct inode *inode)
{
	struct fat *fat = fat_of(inode);
	struct fat_inode *fi = fat_inode(inode);
	struct fat_entry e;
	int r;

	if (!fi->entry)
		return 0;
	r = vol_read(fat, fi->entry, &e, sizeof(e));
	if (r)
		return r;
	e.attr = fi->attr;
	put16(e.start, fi->start);
	if (fat->bits == 32)
		put16(e.start_high, fi->start >> 16);
	put32(e.size, fi->attr & FA_DIR ? 0 : (u32)inode->size);
	time_to_fat(inode->mtime_ns, e.date, e.time);
	time_to_fat(inode->atime_ns, e.adate, NULL);
	return vol_write(fat, fi->entry, &e, sizeof(e));
}

/* The chain to the length of the size, and the entry on the disk. inode->lock held. */
static int settle(struct inode *inode)
{
	struct fat *fat = fat_of(inode);
	int r;

	mutex_lock(&fat->lock);
	r = chain_resize(fat, fat_inode(inode), clusters_for(fat, inode->size));
	if (!r)
		r = fat_write_entry(inode);
	mutex_unlock(&fat->lock);
	return r;
}

void fat_evict(struct inode *inode)
{
	struct fat *fat = fat_of(inode);
	struct fat_inode *fi = fat_inode(inode);
	bool removed = !fi->entry && inode->ino != FAT_ROOT_INO;

	if (inode->cache && !removed)
		cache_writeback(inode, 0, U64_MAX);
	cache_destroy(inode);
	mutex_lock(&fat->lock);
	hlist_del(&fi->hash_link);
	hlist_del(&fi->ino_link);
	hlist_del(&fi->dir_link);
	if (removed && !inode->nlink) {
		chain_resize(fat, fi, 0);
		fat->removed--;
	}
	mutex_unlock(&fat->lock);
	kfree(fi);
}

/* ---- files ---- */

static ssize_t fat_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct inode *inode = f->inode;
	ssize_t r = cache_write(f, from, pos, flags);
	int err;

	if (r <= 0 && r != -ENOSPC)
		return r;
	rwsem_down_write(&inode->lock);
	inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
	fat_inode(inode)->attr |= FA_ARCHIVE;
	err = settle(inode); /* also takes back what a write that ended early had made room for */
	rwsem_up_write(&inode->lock);
	return err ? err : r;
}

static int fat_fsync(struct file *f, bool datasync)
{
	int r = f->inode->cache ? cache_fsync_pages(f->inode) : 0,
	    err = bdev_sync(fat_of(f->inode)->bdev);

	return r ? r : err;
}

/* What was removed under another spelling meanwhile must not stay in the cache by this one. */
static void fat_release(struct file *f)
{
	if (!f->inode->nlink)
		d_drop(f->path.dentry);
}

static const struct file_ops file_fops = { .release = fat_release,
					   .read = cache_read,
					   .write = fat_write,
					   .mmap = cache_mmap,
					   .fsync = fat_fsync };

/* What a file gains by truncate is zero: the rest of its last page in memory, the clusters behind on the disk. */
static int write_zeros(struct inode *inode, u64 from, u64 to)
{
	struct fat *fat = fat_of(inode);
	struct page *zero;
	struct bio bio;
	int r = 0, err;

	zero = page_alloc(GFP_KERNEL | GFP_ZERO, 0);
	if (!zero)
		return -ENOMEM;
	bio_init(&bio, fat->bdev, DISK_WRITE);
	for (u64 at = ALIGN_UP(from, (u64)PAGE_SIZE); at < to && !r;) {
		u64 place;
		u32 len;

		r = file_place(inode, at, &place, &len);
		len = (u32)min_t(u64, min_t(u64, len, PAGE_SIZE),
				 ALIGN_UP(to - at, (u64)SECTOR_SIZE));
		if (!r)
			bio_add(&bio, place, page_to_phys(zero), len);
		at += len;
		cond_resched();
	}
	err = bio_finish(&bio);
	page_put(zero);
	return r ? r : err;
}

static int extend(struct inode *inode, u64 old, u64 size)
{
	struct page *page;
	int r = fat_grow(inode, size);

	if (!r && (old & (PAGE_SIZE - 1))) {
		r = cache_page(inode, old >> PAGE_SHIFT, &page);
		if (!r) {
			memset((char *)page_to_virt(page) + (old & (PAGE_SIZE - 1)), 0,
			       PAGE_SIZE - (old & (PAGE_SIZE - 1)));
			cache_page_dirty(inode, page);
			page_put(page);
		}
	}
	return r ? r : write_zeros(inode, old, size);
}

static int set_size(struct inode *inode, u64 size)
{
	u64 old = inode->size;
	int r = size > inode->sb->max_bytes ? -EFBIG : 0;

	if (!r && size > old)
		r = extend(inode, old, size);
	else if (!r)
		r = cache_truncate(inode, old, size);
	if (!r)
		WRITE_ONCE(inode->size, size);
	inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
	if (!r)
		return settle(inode);
	settle(inode);
	return r;
}

/* Of the rights only the one to write can change, for all at once. */
static int set_mode(struct inode *inode, u32 mode)
{
	struct fat_inode *fi = fat_inode(inode);
	u8 attr = mode & 0222 ? fi->attr & ~FA_RDONLY : fi->attr | FA_RDONLY;
	u32 can = mode_of(fat_of(inode), attr);

	if (inode->ino == FAT_ROOT_INO || S_ISDIR(inode->mode) ? ((mode ^ inode->mode) & 0777)
							       : ((mode ^ can) & 0777))
		return -EPERM;
	fi->attr = attr;
	inode->mode = can;
	return 0;
}

static int fat_setattr(struct inode *inode, const struct iattr *attr)
{
	struct fat *fat = fat_of(inode);
	int r = 0;

	if (((attr->valid & ATTR_UID) && attr->uid != inode->uid) ||
	    ((attr->valid & ATTR_GID) && attr->gid != inode->gid))
		return -EPERM;
	if (attr->valid & ATTR_MODE)
		r = set_mode(inode, attr->mode);
	if (!r && (attr->valid & ATTR_SIZE))
		r = set_size(inode, attr->size);
	if (r)
		return r;
	if (attr->valid & ATTR_ATIME)
		inode->atime_ns = attr->atime_ns;
	if (attr->valid & ATTR_MTIME)
		inode->mtime_ns = attr->mtime_ns / (2 * NSEC_PER_SEC) * (2 * NSEC_PER_SEC);
	inode->ctime_ns = inode_now();
	mutex_lock(&fat->lock);
	r = fat_write_entry(inode);
	mutex_unlock(&fat->lock);
	return r;
}

static int fat_getattr(struct inode *inode, struct kstat *st)
{
	struct fat *fat = fat_of(inode);

	st->blksize = 1u << fat->cluster_shift;
	st->blocks = (u64)clusters_for(fat, inode->size) << (fat->cluster_shift - SECTOR_SHIFT);
	return 0;
}

static const struct inode_ops file_iops = { .setattr = fat_setattr, .getattr = fat_getattr };

/* ---- names ---- */

static void bind(struct inode *dir, struct dentry *d, struct inode *inode)
{
	d->flags |= DENTRY_REVAL;
	if (inode) {
		d->cookie = fat_inode(inode)->generation;
		d_instantiate(d, inode);
	} else {
		d->cookie = fat_inode(dir)->changes;
	}
}

static int fat_revalidate(struct dentry *d)
{
	struct inode *inode = d_inode(d);

	if (inode)
		return fat_inode(inode)->entry && d->cookie == fat_inode(inode)->generation;
	return d->cookie == fat_inode(d_inode(d->parent))->changes;
}

static int fat_lookup(struct inode *dir, struct dentry *d)
{
	struct fat *fat = fat_of(dir);
	struct inode *inode = NULL;
	struct fat_found f;
	size_t len = d->len;
	int r = 0;

	if (!name_check(d->name, &len)) {
		mutex_lock(&fat->lock);
		r = dir_find(dir, d->name, len, &f);
		if (!r) {
			inode = fat_iget(dir->sb, dir, &f);
			if (IS_ERR(inode))
				r = (int)PTR_ERR(inode);
		}
		mutex_unlock(&fat->lock);
	}
	if (!r || r == -ENOENT)
		bind(dir, d, r ? NULL : inode);
	return r == -ENOENT ? 0 : r;
}

static void entry_init(struct fat *fat, struct fat_entry *e, u8 attr, u32 start)
{
	u64 now = inode_now();

	memset(e, 0, sizeof(*e));
	e->attr = attr;
	time_to_fat(now, e->date, e->time);
	time_to_fat(now, e->cdate, e->ctime);
	time_to_fat(now, e->adate, NULL);
	put16(e->start, start);
	if (fat->bits == 32)
		put16(e->start_high, start >> 16);
}

static void dir_changed(struct inode *dir)
{
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
	if (dir->ino != FAT_ROOT_INO)
		fat_write_entry(dir);
}

/* A new entry with its inode. lock held. */
static int add_inode(struct inode *dir, struct dentry *d, struct fat_entry *e)
{
	struct inode *inode;
	struct fat_found f;
	size_t len = d->len;
	int r = name_check(d->name, &len);

	if (!r)
		r = dir_add(dir, d->name, len, e, &f);
	if (r)
		return r == -ENOENT ? -EINVAL : r;
	inode = fat_iget(dir->sb, dir, &f);
	if (IS_ERR(inode)) {
		dir_remove(dir, f.slot, f.nslots);
		return (int)PTR_ERR(inode);
	}
	dir_changed(dir);
	bind(dir, d, inode);
	return 0;
}

static int fat_create(struct inode *dir, struct dentry *d, u32 mode)
{
	struct fat *fat = fat_of(dir);
	struct fat_entry e;
	int r;

	mutex_lock(&fat->lock);
	entry_init(fat, &e, FA_ARCHIVE | (mode & 0222 ? 0 : FA_RDONLY), 0);
	r = add_inode(dir, d, &e);
	mutex_unlock(&fat->lock);
	return r;
}

static int fat_mknod(struct inode *dir, struct dentry *d, u32 mode, u64 rdev)
{
	return S_ISREG(mode) ? fat_create(dir, d, mode) : -EPERM;
}

/* The first cluster of a new directory, with . and .. in it. */
static int dir_init(struct fat *fat, struct inode *parent, struct fat_inode *fi)
{
	struct fat_entry e;
	u64 off;
	int r = chain_resize(fat, fi, 1);

	if (r)
		return r;
	off = cluster_off(fat, fi->start);
	r = vol_zero(fat, off, 1u << fat->cluster_shift);
	entry_init(fat, &e, FA_DIR, fi->start);
	memcpy(e.name, ".          ", 11);
	if (!r)
		r = vol_write(fat, off, &e, sizeof(e));
	entry_init(fat, &e, FA_DIR, parent->ino == FAT_ROOT_INO ? 0 : fat_inode(parent)->start);
	memcpy(e.name, "..         ", 11);
	return r ? r : vol_write(fat, off + SLOT, &e, sizeof(e));
}

static int fat_mkdir(struct inode *dir, struct dentry *d, u32 mode)
{
	struct fat *fat = fat_of(dir);
	struct fat_inode fresh = { .length = 0 };
	struct fat_entry e;
	int r;

	mutex_lock(&fat->lock);
	r = dir_init(fat, dir, &fresh);
	if (!r) {
		entry_init(fat, &e, FA_DIR, fresh.start);
		r = add_inode(dir, d, &e);
	}
	if (r && fresh.start)
		chain_resize(fat, &fresh, 0);
	else if (!r)
		dir->nlink++;
	mutex_unlock(&fat->lock);
	return r;
}

/* An inode loses its entry, and goes when its last user does. lock held. */
static void unhash(struct inode *inode)
{
	hlist_del(&fat_inode(inode)->hash_link);
	hlist_node_init(&fat_inode(inode)->hash_link);
	fat_inode(inode)->entry = 0;
	inode->nlink = 0;
	fat_of(inode)->removed++;
}

static int remove_entry(struct inode *dir, struct dentry *d)
{
	struct fat *fat = fat_of(dir);
	struct inode *inode = d_inode(d);
	struct fat_inode *fi = fat_inode(inode);
	int r = -ENOENT;

	mutex_lock(&fat->lock);
	if (fi->entry)
		r = dir_remove(dir, fi->slot, fi->nslots);
	if (!r) {
		unhash(inode);
		inode_touch(inode, ATTR_CTIME);
		dir_changed(dir);
	}
	mutex_unlock(&fat->lock);
	if (!r)
		d_forget_inode(inode); /* other spellings would keep its clusters */
	return r;
}

static int fat_unlink(struct inode *dir, struct dentry *d)
{
	return remove_entry(dir, d);
}

static int fat_rmdir(struct inode *dir, struct dentry *d)
{
	struct fat *fat = fat_of(dir);
	int r;

	mutex_lock(&fat->lock);
	r = dir_is_empty(d_inode(d));
	mutex_unlock(&fat->lock);
	if (r <= 0)
		return r ? r : -ENOTEMPTY;
	r = remove_entry(dir, d);
	if (!r)
		dir->nlink--;
	return r;
}

/* ---- rename ---- */

/* Where the moved inode's entry is from now on. */
static void rehash(struct fat *fat, struct inode *inode, struct inode *dir,
		   const struct fat_found *f)
{
	struct fat_inode *fi = fat_inode(inode);

	hlist_del(&fi->hash_link);
	fi->entry = f->entry;
	fi->slot = f->slot;
	fi->nslots = f->nslots;
	fi->parent = fat_inode(dir)->start;
	fi->generation = ++fat->generation;
	hlist_add_head(&fi->hash_link, hash_bucket(fat, fi->entry));
}

/* The entry for the new name: the victim's, or a new one. */
static int target_entry(struct inode *ndir, struct dentry *nd, const struct fat_entry *old,
			struct fat_found *f)
{
	struct fat *fat = fat_of(ndir);
	struct inode *victim = d_inode(nd);
	struct fat_entry e = *old;
	size_t len = nd->len;
	int r = name_check(nd->name, &len);

	if (r)
		return r == -ENOENT ? -EINVAL : r;
	if (!victim) {
		e.lcase = 0;
		return dir_add(ndir, nd->name, len, &e, f);
	}
	f->entry = fat_inode(victim)->entry;
	f->slot = fat_inode(victim)->slot;
	f->nslots = fat_inode(victim)->nslots;
	r = vol_read(fat, f->entry, &f->raw, SLOT);
	memcpy(e.name, f->raw.name, 11);
	e.lcase = f->raw.lcase;
	fat_inode(ndir)->changes++;
	return r ? r : vol_write(fat, f->entry, &e, SLOT);
}

/* A directory that moved says so in its "..". */
static int point_up(struct fat *fat, struct inode *inode, struct inode *parent)
{
	u32 start = parent->ino == FAT_ROOT_INO ? 0 : fat_inode(parent)->start;
	u64 off = cluster_off(fat, fat_inode(inode)->start) + SLOT;
	struct fat_entry e;
	int r;

	if (!cluster_ok(fat, fat_inode(inode)->start))
		return -EIO;
	r = vol_read(fat, off, &e, SLOT);
	put16(e.start, start);
	if (fat->bits == 32)
		put16(e.start_high, start >> 16);
	return r ? r : vol_write(fat, off, &e, SLOT);
}

static int rename_entries(struct inode *odir, struct inode *inode, struct inode *ndir,
			  struct dentry *nd)
{
	struct fat *fat = fat_of(odir);
	struct fat_inode *fi = fat_inode(inode);
	struct inode *victim = d_inode(nd);
	u32 slot = fi->slot, nslots = fi->nslots;
	struct fat_entry old;
	struct fat_found f;
	int r = fi->entry ? fat_write_entry(inode) : -ENOENT;

	if (!r)
		r = vol_read(fat, fi->entry, &old, SLOT);
	if (!r)
		r = target_entry(ndir, nd, &old, &f);
	if (r)
		return r;
	if (victim)
		unhash(victim);
	rehash(fat, inode, ndir, &f);
	r = dir_remove(odir, slot, nslots);
	if (!r && S_ISDIR(inode->mode) && odir != ndir)
		r = point_up(fat, inode, ndir);
	return r;
}

static int fat_rename(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd,
		      unsigned int flags)
{
	struct fat *fat = fat_of(odir);
	struct inode *inode = d_inode(od), *victim = d_inode(nd);
	bool isdir = S_ISDIR(inode->mode);
	int r = 0;

	if (flags & (RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	mutex_lock(&fat->lock);
	if (victim == inode) /* two spellings of one name: it is spelled so already */
		r = -EINVAL;
	else if (victim && isdir)
		r = dir_is_empty(victim) == 1 ? 0 : -ENOTEMPTY;
	if (!r)
		r = rename_entries(odir, inode, ndir, nd);
	if (!r) {
		od->cookie = fat_inode(inode)->generation;
		inode_touch(inode, ATTR_CTIME);
		dir_changed(odir);
		dir_changed(ndir);
		odir->nlink -= isdir;
		ndir->nlink += isdir && !victim;
	}
	mutex_unlock(&fat->lock);
	if (!r && victim)
		d_forget_inode(victim);
	return r;
}

/* ---- reading directories ---- */

/* The number that stat shows for the entry: its inode's, if it is in use. lock held. */
static u64 ino_of(struct fat *fat, u64 entry)
{
	struct fat_inode *fi;

	hlist_for_each_entry(fi, hash_bucket(fat, entry), hash_link)
		if (fi->entry == entry)
			return fi->inode->ino;
	return entry / SLOT;
}

static int fat_iterate(struct file *f, struct dir_ctx *ctx)
{
	struct fat *fat = fat_of(f->inode);
	struct fat_found found;
	u64 ino;
	int r = 1;

	if (!dir_emit_dots(f, ctx))
		return 0;
	for (;;) {
		u32 pos = (u32)(ctx->pos - 2) * SLOT;

		if (ctx->pos < 2 || ctx->pos > DIR_MAX / SLOT)
			return 0;
		mutex_lock(&fat->lock);
		r = dir_next(f->inode, &pos, &found);
		ino = ino_of(fat, found.entry);
		mutex_unlock(&fat->lock);
		if (r <= 0)
			return r;
		if (strcmp(found.name, ".") && strcmp(found.name, "..") &&
		    !ctx->emit(ctx, found.name, strlen(found.name), ino,
			       found.raw.attr & FA_DIR ? 4 : 8, pos / SLOT + 2))
			return 0;
		ctx->pos = pos / SLOT + 2;
	}
}

static loff_t fat_dir_llseek(struct file *f, loff_t off, int whence)
{
	return generic_llseek_size(f, off, whence > SEEK_CUR ? -1 : whence, S64_MAX, 0);
}

static const struct file_ops dir_fops = {
	.release = fat_release, .iterate = fat_iterate, .llseek = fat_dir_llseek, .fsync = fat_fsync
};

const struct inode_ops fat_dir_ops = {
	.lookup = fat_lookup,
	.create = fat_create,
	.mknod = fat_mknod,
	.mkdir = fat_mkdir,
	.unlink = fat_unlink,
	.rmdir = fat_rmdir,
	.rename = fat_rename,
	.setattr = fat_setattr,
	.getattr = fat_getattr,
	.revalidate = fat_revalidate,
};

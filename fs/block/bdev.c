/* SPDX-License-Identifier: MIT */
/*
 * Block devices as files: /dev/vda, /dev/mmcblk0p1. See block.h.
 *
 * Each device has one inode of its own, on a file system that is mounted nowhere, whose page cache all openers share. The inode
 * that a path leads to only holds the number.
 * Locking: bdev_lock (mutex) for the list, sizes, claims and openers.
 * Source: Linux's ioctls as blockdev(8) and sfdisk(8) use them; open(2) for O_EXCL.
 */
#include <fs/block/block.h>
#include <fs/block/pagecache.h>
#include <fs/internal.h>
#include <kernel/files.h>
#include <kernel/sched.h>
#include <uapi/blkdev.h>
#include <uapi/capability.h>
#include <uapi/uio.h>

static struct mutex bdev_lock = MUTEX_INIT(bdev_lock);
static struct bdev *bdevs;
static struct super *bdev_super;

struct bdev *bdev_next(struct bdev *prev)
{
	return prev ? prev->next : bdevs;
}

static struct bdev *bdev_find(u64 rdev)
{
	struct bdev *b = bdevs;

	while (b && (b->rdev != rdev || !b->nsectors))
		b = b->next;
	return b;
}

/* ---- the page cache ---- */

static int bdev_read_pages(struct inode *inode, u64 index, struct page **pages, unsigned int n)
{
	struct bdev *b = inode->priv;
	u64 size = b->nsectors << SECTOR_SHIFT;
	struct bio bio;

	bio_init(&bio, b, DISK_READ);
	for (unsigned int i = 0; i < n; i++) {
		u64 off = (index + i) << PAGE_SHIFT;

		if (off < size)
			bio_add(&bio, off, page_to_phys(pages[i]),
				(u32)min_t(u64, PAGE_SIZE, size - off));
	}
	return bio_finish(&bio);
}

/* Only the sectors that have changed: the others may be file data, which does not go through this cache. */
static int bdev_write_pages(struct inode *inode, u64 index, struct page **pages, unsigned int n)
{
	struct bdev *b = inode->priv;
	u64 sector = index << (PAGE_SHIFT - SECTOR_SHIFT);
	struct bio bio;

	bio_init(&bio, b, DISK_WRITE);
	for (unsigned int i = 0; i < n; i++) {
		u64 changed = __atomic_exchange_n(&pages[i]->private_data, 0, __ATOMIC_ACQUIRE);

		for (unsigned int s = 0; s < PAGE_SIZE / SECTOR_SIZE; s++, sector++)
			if ((changed >> s & 1) && sector < b->nsectors)
				bio_add(&bio, sector << SECTOR_SHIFT,
					page_to_phys(pages[i]) + s * SECTOR_SIZE, SECTOR_SIZE);
	}
	return bio_finish(&bio);
}

static const struct cache_ops bdev_cache_ops = { .read = bdev_read_pages,
						 .write = bdev_write_pages };

struct page *bdev_page(struct bdev *bdev, u64 off)
{
	struct page *page;
	int r;

	if (off >= bdev->nsectors << SECTOR_SHIFT)
		return ERR_PTR(-EIO);
	r = cache_page(bdev->inode, off >> PAGE_SHIFT, &page);
	return r ? ERR_PTR(r) : page;
}

void bdev_page_dirty(struct bdev *bdev, struct page *page, size_t at, size_t len)
{
	cache_part_dirty(bdev->inode, page, at, len);
}

void bdev_forget(struct bdev *bdev, u64 off, size_t len)
{
	struct cache *c = bdev->inode->cache;

	mutex_lock(&c->io); /* a write of it under way ends first */
	for (u64 at = off; at < off + len; at += SECTOR_SIZE) {
		struct page *page = vm_object_find(&bdev->inode->object, at >> PAGE_SHIFT);

		if (!page)
			continue;
		__atomic_fetch_and(&page->private_data,
				   ~(1ULL << ((at & (PAGE_SIZE - 1)) >> SECTOR_SHIFT)),
				   __ATOMIC_RELAXED);
		page_put(page);
	}
	mutex_unlock(&c->io);
}

int bdev_sync(struct bdev *bdev)
{
	int r = cache_fsync_pages(bdev->inode), err = bdev_flush(bdev);

	return r ? r : err;
}

/* The inode, made when it is first wanted. bdev_lock held. */
static int bdev_inode_get(struct bdev *b)
{
	struct inode *inode;
	int r;

	if (b->inode)
		return 0;
	inode = inode_new(bdev_super, NULL, S_IFBLK | 0600);
	if (!inode)
		return -ENOMEM;
	r = cache_create(inode, &bdev_cache_ops);
	if (r) {
		inode_put(inode);
		return r;
	}
	inode->cache->device = true;
	inode->priv = b;
	inode->size = b->nsectors << SECTOR_SHIFT;
	b->inode = inode;
	return 0;
}

static int bdev_get(struct bdev *b, void *holder)
{
	int r = bdev_inode_get(b);

	if (r)
		return r;
	if (holder && b->holder && b->holder != holder)
		return -EBUSY;
	if (holder)
		b->holder = holder;
	b->openers++;
	return 0;
}

static void bdev_put(struct bdev *b, void *holder)
{
	mutex_lock(&bdev_lock);
	b->openers--;
	if (holder && b->holder == holder)
		b->holder = NULL;
	mutex_unlock(&bdev_lock);
}

/* The device that a path names. bdev_lock held. */
static struct bdev *bdev_of_path(const char *path)
{
	struct bdev *b = ERR_PTR(-ENOTBLK);
	struct inode *inode;
	struct path p;
	int r;

	if (!path)
		return ERR_PTR(-EINVAL);
	r = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &p);
	if (r)
		return ERR_PTR(r);
	inode = d_inode(p.dentry);
	if (S_ISBLK(inode->mode) && p.mnt && (p.mnt->flags & MS_NODEV))
		b = ERR_PTR(-EACCES);
	else if (S_ISBLK(inode->mode))
		b = bdev_find(inode->rdev);
	path_put(&p);
	return b ? b : ERR_PTR(-ENXIO);
}

struct bdev *bdev_open(const char *path, void *holder)
{
	struct bdev *b;
	int r;

	mutex_lock(&bdev_lock);
	b = bdev_of_path(path);
	if (!IS_ERR(b)) {
		r = bdev_get(b, holder);
		if (r)
			b = ERR_PTR(r);
	}
	mutex_unlock(&bdev_lock);
	return b;
}

void bdev_close(struct bdev *bdev, void *holder)
{
	bdev_put(bdev, holder);
}

struct super *bdev_mounted(const char *path, const struct fs_type *type)
{
	struct super *sb = NULL;
	struct bdev *b;

	mutex_lock(&bdev_lock);
	b = bdev_of_path(path);
	if (!IS_ERR(b) && b->super && b->super->type == type &&
	    refcount_inc_not_zero(&b->super->refs))
		sb = b->super;
	mutex_unlock(&bdev_lock);
	return sb;
}

void bdev_super_set(struct bdev *bdev, struct super *sb)
{
	mutex_lock(&bdev_lock);
	bdev->super = sb;
	mutex_unlock(&bdev_lock);
}

/* ---- the file ---- */

static int blkdev_open(struct inode *inode, struct file *f)
{
	struct bdev *b;
	int r = -ENXIO;

	mutex_lock(&bdev_lock);
	b = bdev_find(inode->rdev);
	if (b)
		r = (f->mode & FMODE_WRITE) && bdev_read_only(b)
			    ? -EACCES
			    : bdev_get(b, f->flags & O_EXCL ? f : NULL);
	mutex_unlock(&bdev_lock);
	f->priv = r ? NULL : b;
	return r;
}

static int blkdev_fsync(struct file *f, bool datasync)
{
	return bdev_sync(f->priv);
}

static void blkdev_release(struct file *f)
{
	struct bdev *b = f->priv;

	if (b && (f->mode & FMODE_WRITE) && b->openers == 1)
		cache_writeback(b->inode, 0, U64_MAX);
	if (b)
		bdev_put(b, f);
}

static ssize_t blkdev_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct bdev *b = f->priv;

	return cache_read_inode(b->inode, to, pos);
}

static ssize_t blkdev_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct bdev *b = f->priv;
	struct inode *inode = b->inode;
	size_t n = from->count;
	ssize_t r = 0;
	int err;

	if (!n)
		return 0;
	rwsem_down_write(&inode->lock);
	if (file_appends(f, flags))
		*pos = (loff_t)inode->size;
	if ((u64)*pos >= inode->size)
		r = -ENOSPC;
	else
		r = cache_write_inode(inode, from, pos,
				      (size_t)min_t(u64, n, inode->size - (u64)*pos));
	rwsem_up_write(&inode->lock);
	cache_balance(inode);
	if (r > 0 && ((f->flags & (O_DSYNC | __O_SYNC)) || (flags & (RWF_DSYNC | RWF_SYNC)))) {
		err = bdev_sync(b);
		r = err ? err : r;
	}
	return r;
}

static loff_t blkdev_llseek(struct file *f, loff_t off, int whence)
{
	struct bdev *b = f->priv;
	loff_t size = (loff_t)b->inode->size;

	return generic_llseek_size(f, off, whence, size, size);
}

static int blkdev_mmap(struct file *f, u64 pgoff, size_t len, unsigned int prot, unsigned int flags,
		       struct vm_object **obj, unsigned int *maxflags)
{
	struct bdev *b = f->priv;

	*obj = &b->inode->object;
	return 0;
}

static int reread_partitions(struct bdev *b);

/* Write back, and forget what nobody uses: the next read is the disk's. */
static int flush_buffers(struct bdev *b)
{
	int r = bdev_sync(b);

	cache_drop_unused(b->inode);
	return r;
}

static long blkdev_geometry(struct bdev *b, uaddr_t arg)
{
	struct hd_geometry geo = { .heads = 255, .sectors = 63, .start = b->start };

	geo.cylinders = (unsigned short)min_t(u64, b->nsectors / (255 * 63), 0xffff);
	return put_user_obj(arg, &geo);
}

static long blkdev_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct bdev *b = f->priv;
	u64 bytes = b->nsectors << SECTOR_SHIFT;
	unsigned long value = b->nsectors;
	int n = 0;

	switch (cmd) {
	case BLKGETSIZE64:
		return put_user_obj(arg, &bytes);
	case BLKGETSIZE:
		return put_user_obj(arg, &value);
	case BLKRAGET:
		value = 256;
		return put_user_obj(arg, &value);
	case BLKSSZGET:
	case BLKPBSZGET:
	case BLKIOMIN:
		n = (int)b->disk->block_size;
		return put_user_obj(arg, &n);
	case BLKBSZGET:
		n = PAGE_SIZE;
		return put_user_obj(arg, &n);
	case BLKROGET:
		n = bdev_read_only(b);
		return put_user_obj(arg, &n);
	case BLKIOOPT:
	case BLKALIGNOFF:
		return put_user_obj(arg, &n);
	case HDIO_GETGEO:
		return blkdev_geometry(b, arg);
	case BLKFLSBUF:
		return capable(CAP_SYS_ADMIN) ? flush_buffers(b) : -EACCES;
	case BLKRRPART:
		return capable(CAP_SYS_ADMIN) ? reread_partitions(b) : -EACCES;
	default:
		return -ENOTTY;
	}
}

const struct file_ops blkdev_ops = {
	.open = blkdev_open,
	.release = blkdev_release,
	.read = blkdev_read,
	.write = blkdev_write,
	.llseek = blkdev_llseek,
	.mmap = blkdev_mmap,
	.fsync = blkdev_fsync,
	.ioctl = blkdev_ioctl,
};

/* ---- partitions ---- */

static struct bdev *bdev_add(struct disk *disk, unsigned int partition)
{
	struct bdev *b = kzalloc(sizeof(*b), GFP_KERNEL), **p = &bdevs;

	if (!b)
		return NULL;
	b->disk = disk;
	b->partition = partition;
	b->rdev = mkdev(disk->major, disk->index * disk->minors + partition);
	mutex_init(&b->poll);
	strscpy(b->name, disk->name, sizeof(b->name));
	if (partition)
		scnprintf(b->name, sizeof(b->name), disk->number_after_p ? "%sp%u" : "%s%u",
			  disk->name, partition);
	while (*p)
		p = &(*p)->next;
	*p = b;
	return b;
}

static struct bdev *partition_find(struct disk *disk, unsigned int number)
{
	struct bdev *b = bdevs;

	while (b && (b->disk != disk || b->partition != number))
		b = b->next;
	return b;
}

/* Make partition @number what the table says. bdev_lock held; nobody has it open. */
static int partition_set(struct disk *disk, unsigned int number, const struct partition *p)
{
	struct bdev *b = partition_find(disk, number);

	if (!b && !p->nsectors)
		return 0;
	if (!b)
		b = bdev_add(disk, number);
	if (!b)
		return -ENOMEM;
	if (b->inode && (b->start != p->start || b->nsectors != p->nsectors)) {
		inode_put(b->inode);
		b->inode = NULL;
	}
	b->start = p->start;
	b->nsectors = p->nsectors;
	return p->nsectors ? devtmpfs_add(b->name, S_IFBLK | 0660, b->rdev)
			   : devtmpfs_remove(b->name);
}

static bool partitions_busy(struct disk *disk)
{
	for (struct bdev *b = bdevs; b; b = b->next)
		if (b->disk == disk && b->partition && b->openers)
			return true;
	return false;
}

static int read_table(struct bdev *b)
{
	struct partition *table = kcalloc(MAX_PARTITIONS, sizeof(*table), GFP_ZERO);
	int r = table ? partitions_read(b, table) : -ENOMEM;

	for (unsigned int i = 0; r >= 0 && i < min_t(u32, MAX_PARTITIONS, b->disk->minors - 1);
	     i++) {
		int err = partition_set(b->disk, i + 1, &table[i]);

		if (err)
			r = err;
	}
	kfree(table);
	return r < 0 ? r : 0;
}

static int reread_partitions(struct bdev *b)
{
	int r;

	if (b->partition)
		return -EINVAL;
	mutex_lock(&bdev_lock);
	r = partitions_busy(b->disk) ? -EBUSY : read_table(b);
	mutex_unlock(&bdev_lock);
	return r;
}

/* ---- boot ---- */

static void start_disk(struct disk *disk)
{
	struct bdev *b;
	int r = disk->ops->start ? disk->ops->start(disk) : 0;

	if (r) {
		if (r != -ENOMEDIUM)
			pr_warn("%s: cannot be used: %pe\n", disk->name, ERR_PTR(r));
		return;
	}
	b = bdev_add(disk, 0);
	if (!b)
		return;
	disk->poll_lock = &b->poll;
	b->nsectors = disk->nsectors;
	pr_info("%s: %llu MiB%s\n", disk->name, disk->nsectors >> 11,
		disk->read_only ? ", read-only" : "");
	mutex_lock(&bdev_lock);
	r = bdev_inode_get(b);
	if (!r)
		r = devtmpfs_add(b->name, S_IFBLK | 0660, b->rdev);
	if (!r)
		r = read_table(b);
	mutex_unlock(&bdev_lock);
	if (r)
		pr_warn("%s: no partition table: %pe\n", disk->name, ERR_PTR(r));
}

static void bdev_evict(struct inode *inode)
{
	cache_destroy(inode);
}

static int bdev_fill(struct super *sb, const char *source, const char *data)
{
	static const struct super_ops ops = { .evict = bdev_evict };

	sb->ops = &ops;
	sb->max_bytes = S64_MAX;
	return 0;
}

void files_start_disks(void)
{
	static struct fs_type type = { .name = "bdev", .nodev = true, .fill = bdev_fill };

	if (!disk_first())
		return;
	bdev_super = super_create(&type, "bdev", NULL);
	if (IS_ERR(bdev_super))
		return;
	for (struct disk *disk = disk_first(); disk; disk = disk->next)
		start_disk(disk);
}

void files_sync(void)
{
	cache_writeback_all(NULL);
	for (struct bdev *b = bdevs; b; b = b->next)
		if (!b->partition && b->inode)
			bdev_flush(b);
}

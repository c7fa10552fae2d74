/* SPDX-License-Identifier: MIT */
/*
 * The page cache of files on disks: reading, writing, mapping, and writing back.
 *
 * A file system gives an inode a cache by cache_create() with the operations that move pages between memory and disk,
 * and uses cache_read(), cache_write(), cache_mmap() as its file operations. Dirty pages go to disk by fsync, sync, msync, when there are many,
 * and every five seconds.
 * Locking: inode->lock outside; cache->io (mutex) while pages are filled or moved, so that two never read one page. A page fault takes
 * only cache->io. cache_lock (spin) guards the lists of caches.
 */
#ifndef FS_PAGECACHE_H
#define FS_PAGECACHE_H

#include <fs/vfs.h>

struct cache_ops {
	/* Fill, or write, @n pages from @index on. io held. What lies behind the end of the file is the operation's to ignore. 0 or -Exxx. */
	int (*read)(struct inode *inode, u64 index, struct page **pages, unsigned int n);
	int (*write)(struct inode *inode, u64 index, struct page **pages, unsigned int n);
	/* Before bytes up to @end are written: make room. inode->lock held for writing. 0, -ENOSPC, -EIO. NULL: there is. */
	int (*grow)(struct inode *inode, u64 end);
};

struct cache {
	struct inode *inode;
	const struct cache_ops *ops;
	struct mutex io;
	struct list link;  /* cache_lock: all caches */
	struct list dirty; /* cache_lock: those with dirty pages */
	bool device;	   /* a device's own: written after the files */
	int error;	   /* of a write-back that nobody waited for; told once, by fsync */
};

/** cache_create() - give @inode a cache. 0 or -ENOMEM. cache_destroy() - drop its pages, unwritten; evicting. */
int cache_create(struct inode *inode, const struct cache_ops *ops);
void cache_destroy(struct inode *inode);
/** cache_page() - the page at @index, read if it has to be, with a reference. 0, -EIO, -ENOMEM. May sleep. */
int cache_page(struct inode *inode, u64 index, struct page **out);
/** cache_page_dirty() - @page has changed. */
void cache_page_dirty(struct inode *inode, struct page *page);
/** cache_part_dirty() - the same of @len bytes at @at: page->private_data has a bit for each sector that has changed, which a device's
 *  write operation takes, so that it leaves alone what the rest of the page shows of others' data. */
void cache_part_dirty(struct inode *inode, struct page *page, size_t at, size_t len);
/** cache_drop_unused() - forget clean pages that nobody uses. Return: how many. */
u64 cache_drop_unused(struct inode *inode);
/** cache_truncate() - the file ends at @size: pages behind it go, and the rest of the last is zero. inode->lock held. 0 or -EIO. */
int cache_truncate(struct inode *inode, u64 old_size, u64 size);
/** cache_writeback() - write dirty pages [first, last]. Takes inode->lock for reading. 0, or the first error. */
int cache_writeback(struct inode *inode, u64 first, u64 last);
/** cache_writeback_all() - those of one file system, or (NULL) of all, then the devices. 0, or the first error. */
int cache_writeback_all(struct super *sb);
/** cache_balance() - who has made too many dirty pages waits for the disk. No lock held. */
void cache_balance(struct inode *inode);
/** cache_fsync_pages() - cache_writeback() of all, and the error of earlier ones. */
int cache_fsync_pages(struct inode *inode);

/* File operations. */
ssize_t cache_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags);
ssize_t cache_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags);
int cache_mmap(struct file *f, u64 pgoff, size_t len, unsigned int prot, unsigned int flags,
	       struct vm_object **obj, unsigned int *maxflags);
/* The same of an inode that is not the file's (a device's). */
ssize_t cache_read_inode(struct inode *inode, struct iov_iter *to, loff_t *pos);
ssize_t cache_write_inode(struct inode *inode, struct iov_iter *from, loff_t *pos, size_t n);

#endif

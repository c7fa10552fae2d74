/* SPDX-License-Identifier: MIT */
/*
 * Block devices: disks and their partitions as files, and as what file systems stand on.
 *
 * block_start() makes the disks that drivers found ready, reads their partition tables and enters /dev/NAME. A file system opens
 * its device by bdev_open(), moves file data with a struct bio, and its own tables through bdev_page(): pages of the
 * device's page cache, which are the same that a reader of /dev/NAME sees.
 * Locking: bdev_lock (mutex) for the list, openers and claims.
 */
#ifndef FS_BLOCK_H
#define FS_BLOCK_H

#include <drivers/block/disk.h>
#include <fs/vfs.h>

#define MAX_PARTITIONS 15

struct bdev {
	struct disk *disk;
	struct bdev *
		next; /* grows, but for partitions that a new table has not: those have no sectors */
	u64 start, nsectors; /* of 512 bytes; bdev_lock */
	u64 rdev;
	unsigned int partition; /* 0: the whole disk */
	char name[20];
	struct inode *inode; /* whose page cache is the device's; bdev_lock, set once */
	unsigned int openers;
	void *holder;	     /* bdev_lock: who has it for itself (a mount, O_EXCL), or NULL */
	struct super *super; /* bdev_lock: what is mounted from it */
	struct mutex poll;   /* of a whole disk: see disk.h */
};

/* Reads and writes of a device, gathered into few requests. */
struct bio {
	struct bdev *bdev;
	int error; /* the first */
	struct disk_request rq;
};

/** bio_init() - begin; bio_add() - move @len bytes between @pa and byte @off of the device, now or later; bio_finish() - all of it is done:
 *  0 or -EIO. May sleep. What lies beyond the device is -EIO. */
void bio_init(struct bio *bio, struct bdev *bdev, enum disk_op op);
void bio_add(struct bio *bio, u64 off, paddr_t pa, u32 len);
int bio_finish(struct bio *bio);
/** bdev_flush() - what was written is on the medium. 0 or -EIO. */
int bdev_flush(struct bdev *bdev);

/** bdev_open() - the device that @path names, for a file system; @holder has it for itself. ERR_PTR(-ENOTBLK, -ENXIO, -EBUSY, -EACCES ...). */
struct bdev *bdev_open(const char *path, void *holder);
void bdev_close(struct bdev *bdev, void *holder);
/** bdev_mounted() - what is mounted from the device @path, with a reference, or NULL. */
struct super *bdev_mounted(const char *path, const struct fs_type *type);
/** bdev_super_set() - @sb (NULL: nothing any more) is mounted from it. */
void bdev_super_set(struct bdev *bdev, struct super *sb);

/** bdev_page() - the page of the device's cache at byte @off, with a reference. ERR_PTR(-EIO, -ENOMEM). bdev_page_dirty() after changing it. */
struct page *bdev_page(struct bdev *bdev, u64 off);
void bdev_page_dirty(struct bdev *bdev, struct page *page, size_t at, size_t len);
/** bdev_forget() - these bytes, of whole sectors, are file data from now on: what the device's cache has yet to write there must not be written. */
void bdev_forget(struct bdev *bdev, u64 off, size_t len);
/** bdev_sync() - write back the device's cache and flush. 0 or -EIO. */
int bdev_sync(struct bdev *bdev);
static inline bool bdev_read_only(const struct bdev *bdev)
{
	return bdev->disk->read_only;
}

/* partition.c: find the partitions of a whole disk. Return: how many entries of @out (start, nsectors; 0: unused number) are meaningful. */
struct partition {
	u64 start, nsectors;
};
int partitions_read(struct bdev *bdev, struct partition out[MAX_PARTITIONS]);

/* bdev.c, for /proc/partitions. */
struct bdev *bdev_next(struct bdev *prev);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Disks: what a driver of a block device offers, and what is asked of it.
 *
 * A driver fills a struct disk and calls disk_register() while devices are probed. fs/block/ takes it from there: it calls
 * start() once in task context, reads the partition table, and submits requests. The driver ends each request
 * by disk_request_done(), from any context.
 * Locking: the list of disks only grows, on the boot CPU. A driver serialises its own requests.
 */
#ifndef DRIVERS_BLOCK_DISK_H
#define DRIVERS_BLOCK_DISK_H

#include <lib/list.h>
#include <lock.h>
#include <types.h>

#define SECTOR_SHIFT	 9
#define SECTOR_SIZE	 (1u << SECTOR_SHIFT)
#define DISK_MAX_SEGMENTS 32

enum disk_op {
	DISK_READ,
	DISK_WRITE,
	DISK_FLUSH, /* what was written before is on the medium when it ends; no data */
};

/* A piece of memory; length in bytes, a multiple of the sector size. */
struct disk_segment {
	paddr_t pa;
	u32 len;
};

struct disk_request {
	enum disk_op op;
	u64 sector; /* of 512 bytes, whatever the disk's block size is */
	u32 nsectors;
	unsigned int nsegments;
	struct disk_segment segment[DISK_MAX_SEGMENTS];
	void (*done)(struct disk_request *rq, int error); /* any context; 0 or -EIO */
	void *priv;					  /* of who submits */
	struct list link;				  /* the driver's, until it is done */
	void *link_priv;				  /* likewise */
};

struct disk;
struct disk_ops {
	/* Make the medium ready and fill the disk's size; task context, once. NULL: it is. 0, -ENOMEDIUM, -EIO. */
	int (*start)(struct disk *disk);
	/* Begin a request. Task context. Its end may come before submit() returns. */
	void (*submit)(struct disk *disk, struct disk_request *rq);
	/* Look whether requests have ended: of a disk that cannot interrupt. NULL: it can. */
	void (*poll)(struct disk *disk);
};

struct disk {
	const struct disk_ops *ops;
	void *priv;
	const char *driver; /* as /proc/devices calls its major number */
	char name[16];	    /* as in /dev, without a partition's number */
	u64 nsectors;	    /* of 512 bytes */
	u32 block_size;	    /* smallest unit of the medium, in bytes: 512 to 4096 */
	bool read_only;
	bool number_after_p;	 /* partitions are NAMEp1, not NAME1 */
	u32 major, minors;	 /* numbers of one disk: itself and its partitions */
	u32 index;		 /* which of its major's disks */
	struct mutex *poll_lock; /* fs/block's: one request at a time */
	struct disk *next;
};

/** disk_register() - make a disk known. The driver owns the memory, for good. Device probing. */
void disk_register(struct disk *disk);
/** disk_first() - the head of the list of disks, in the order in which they were found; NULL: none. */
struct disk *disk_first(void);

static inline void disk_request_done(struct disk_request *rq, int error)
{
	rq->done(rq, error);
}

#endif

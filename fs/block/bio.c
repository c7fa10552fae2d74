/* SPDX-License-Identifier: MIT */
/*
 * Moving data between memory and a device: struct bio of block.h.
 *
 * bio_add() appends to the request under construction while the new piece follows the last on the device; otherwise that request goes
 * out and the next begins. One is under way at a time, and who asks sleeps until it has ended.
 */
#include <fs/block/block.h>
#include <kernel/sched.h>
#include <kernel/wait.h>

/* Of all waits. What is waited for lives on the waiter's stack, the queue may not: the waker looks at it last. */
static struct waitq waiters = WAITQ_INIT(waiters);

struct completion {
	int error;
	bool done;
};

static void request_ended(struct disk_request *rq, int error)
{
	struct completion *c = rq->priv;

	c->error = error;
	smp_store_release(&c->done, true); /* from here on *c may be gone */
	waitq_wake_all(&waiters);
}

static int request_run(struct bdev *bdev, struct disk_request *rq)
{
	struct completion c = { .done = false };
	struct disk *disk = bdev->disk;

	rq->done = request_ended;
	rq->priv = &c;
	if (disk->ops->poll)
		mutex_lock(disk->poll_lock);
	disk->ops->submit(disk, rq);
	if (disk->ops->poll) {
		while (!smp_load_acquire(&c.done)) {
			disk->ops->poll(disk);
			cond_resched();
		}
		mutex_unlock(disk->poll_lock);
	} else {
		wait_event(&waiters, smp_load_acquire(&c.done));
	}
	return c.error;
}

static void bio_send(struct bio *bio)
{
	int r;

	if (!bio->rq.nsegments)
		return;
	r = request_run(bio->bdev, &bio->rq);
	if (r && !bio->error)
		bio->error = r;
	bio->rq.nsegments = 0;
	bio->rq.nsectors = 0;
}

void bio_init(struct bio *bio, struct bdev *bdev, enum disk_op op)
{
	bio->bdev = bdev;
	bio->error = 0;
	bio->rq.op = op;
	bio->rq.nsegments = 0;
	bio->rq.nsectors = 0;
}

/* Does the piece follow the last one on the device and, then, in memory? */
static bool extends(const struct disk_request *rq, u64 sector, paddr_t pa, bool *merge)
{
	const struct disk_segment *last = &rq->segment[rq->nsegments - 1];

	*merge = last->pa + last->len == pa;
	return sector == rq->sector + rq->nsectors && (*merge || rq->nsegments < DISK_MAX_SEGMENTS);
}

void bio_add(struct bio *bio, u64 off, paddr_t pa, u32 len)
{
	struct disk_request *rq = &bio->rq;
	u64 sector = off >> SECTOR_SHIFT, n = len >> SECTOR_SHIFT;
	bool merge = false;

	if (sector >= bio->bdev->nsectors || n > bio->bdev->nsectors - sector) {
		bio->error = bio->error ? bio->error : -EIO;
		return;
	}
	sector += bio->bdev->start;
	if (rq->nsegments && !extends(rq, sector, pa, &merge))
		bio_send(bio);
	if (!rq->nsegments) {
		rq->sector = sector;
		merge = false;
	}
	if (merge)
		rq->segment[rq->nsegments - 1].len += len;
	else
		rq->segment[rq->nsegments++] = (struct disk_segment){ pa, len };
	rq->nsectors += (u32)n;
}

int bio_finish(struct bio *bio)
{
	bio_send(bio);
	return bio->error;
}

int bdev_flush(struct bdev *bdev)
{
	struct disk_request rq = { .op = DISK_FLUSH };

	return request_run(bdev, &rq);
}

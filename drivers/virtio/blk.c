/* SPDX-License-Identifier: MIT */
/*
 * virtio block devices: /dev/vda, vdb, ...
 *
 * A request is a header, the data, and a byte of status that the device writes. Requests that find the queue full wait in a list and go
 * when others end. Without an interrupt (a PC's device that has no messages and no line that a table tells) fs/block polls.
 * Locking: `lock`, interrupts off, guards the queue and the list; requests are ended outside it.
 * Source: VIRTIO 1.2, 5.2.
 */
#include <drivers/block/disk.h>
#include <drivers/virtio/virtio.h>
#include <err.h>
#include <hal/upcall.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/slab.h>

#define F_RO	   (1ULL << 5)
#define F_BLK_SIZE (1ULL << 6)
#define F_FLUSH	   (1ULL << 9)

#define T_IN	0
#define T_OUT	1
#define T_FLUSH 4

#define CONFIG_CAPACITY 0
#define CONFIG_BLK_SIZE 20

#define QUEUE_SIZE 128

struct blk_command {
	u32 type, reserved;
	u64 sector;
	u8 status; /* the device's */
	struct disk_request *rq;
};

struct blk {
	struct disk disk;
	struct virtio *dev;
	struct spinlock lock;
	struct virtqueue vq;
	struct list waiting;			      /* lock */
	struct virtio_buf buf[DISK_MAX_SEGMENTS + 2]; /* lock: of the command being queued */
};

static const u32 types[] = { [DISK_READ] = T_IN, [DISK_WRITE] = T_OUT, [DISK_FLUSH] = T_FLUSH };

/* Put a command into the queue. lock held. False: it is full. */
static bool enqueue(struct blk *b, struct blk_command *cmd)
{
	struct disk_request *rq = cmd->rq;
	struct virtio_buf *buf = b->buf;
	unsigned int n = 0;

	buf[n++] = (struct virtio_buf){ virt_to_phys(cmd), 16, false };
	for (unsigned int i = 0; i < rq->nsegments; i++)
		buf[n++] = (struct virtio_buf){ rq->segment[i].pa, rq->segment[i].len,
						rq->op == DISK_READ };
	buf[n++] = (struct virtio_buf){ virt_to_phys(&cmd->status), 1, true };
	return virtqueue_add(&b->vq, buf, n, cmd);
}

static void start_waiting(struct blk *b)
{
	while (!list_empty(&b->waiting)) {
		struct disk_request *rq = list_first_entry(&b->waiting, struct disk_request, link);
		struct blk_command *cmd = rq->link_priv;

		if (!enqueue(b, cmd))
			break;
		list_del(&rq->link);
		virtqueue_kick(&b->vq);
	}
}

static void end(struct blk_command *cmd)
{
	struct disk_request *rq = cmd->rq;
	int error = READ_ONCE(cmd->status) ? -EIO : 0;

	kfree(cmd);
	disk_request_done(rq, error);
}

static void blk_poll(struct disk *disk)
{
	struct blk *b = disk->priv;
	struct blk_command *cmd;

	do {
		unsigned long flags = spin_lock_irqsave(&b->lock);

		cmd = virtqueue_take(&b->vq);
		if (cmd)
			start_waiting(b);
		spin_unlock_irqrestore(&b->lock, flags);
		if (cmd)
			end(cmd);
	} while (cmd);
}

static void blk_irq(struct virtio *dev)
{
	blk_poll(dev->priv);
}

static void blk_submit(struct disk *disk, struct disk_request *rq)
{
	struct blk *b = disk->priv;
	struct blk_command *cmd;
	unsigned long flags;

	if (rq->op == DISK_FLUSH && !(b->dev->features & F_FLUSH)) {
		disk_request_done(rq, 0); /* it writes through */
		return;
	}
	cmd = kzalloc(sizeof(*cmd), GFP_KERNEL);
	if (!cmd) {
		disk_request_done(rq, -ENOMEM);
		return;
	}
	cmd->type = types[rq->op];
	cmd->sector = rq->sector;
	cmd->status = 0xff;
	cmd->rq = rq;
	rq->link_priv = cmd;
	flags = spin_lock_irqsave(&b->lock);
	list_add_tail(&rq->link, &b->waiting);
	start_waiting(b);
	spin_unlock_irqrestore(&b->lock, flags);
}

static const struct disk_ops blk_ops = { .submit = blk_submit };
static const struct disk_ops blk_polled_ops = { .submit = blk_submit, .poll = blk_poll };

static void blk_describe(struct blk *b)
{
	static char letter = 'a';
	struct disk *d = &b->disk;

	d->ops = b->dev->has_irq ? &blk_ops : &blk_polled_ops;
	d->priv = b;
	d->read_only = b->dev->features & F_RO;
	d->block_size = SECTOR_SIZE;
	b->dev->transport->config(b->dev, CONFIG_CAPACITY, &d->nsectors, 8);
	if (b->dev->features & F_BLK_SIZE)
		b->dev->transport->config(b->dev, CONFIG_BLK_SIZE, &d->block_size, 4);
	if (d->block_size < SECTOR_SIZE || d->block_size > PAGE_SIZE ||
	    (d->block_size & (d->block_size - 1)))
		d->block_size = SECTOR_SIZE;
	scnprintf(d->name, sizeof(d->name), "vd%c", letter++);
	d->driver = "virtblk";
	d->major = 254;
	d->minors = 16;
}

int virtio_blk_probe(struct virtio *dev)
{
	struct blk *b = kzalloc(sizeof(*b), GFP_KERNEL);
	int r;

	if (!b)
		return -ENOMEM;
	b->dev = dev;
	spin_init(&b->lock, RANK_ANY);
	list_init(&b->waiting);
	r = virtio_begin(dev, F_RO | F_BLK_SIZE | F_FLUSH);
	if (!r)
		r = virtio_queue_setup(dev, &b->vq, 0, QUEUE_SIZE);
	if (r) {
		virtio_fail(dev);
		kfree(b);
		return r;
	}
	dev->priv = &b->disk;
	dev->irq = blk_irq;
	virtio_ready(dev);
	blk_describe(b);
	disk_register(&b->disk);
	return 0;
}

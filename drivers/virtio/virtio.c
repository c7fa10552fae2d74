/* SPDX-License-Identifier: MIT */
/*
 * virtio: starting devices, and split queues. See virtio.h.
 *
 * A queue is one block of memory: descriptors, available ring, used ring at the next page, which is the layout that devices
 * older than version 1.0 insist on. Free descriptors are chained through their next field.
 */
#include <drivers/virtio/virtio.h>
#include <err.h>
#include <lib/atomic.h>
#include <mm/slab.h>

static const struct {
	unsigned int id;
	int (*probe)(struct virtio *dev);
} drivers[] = {
	{ VIRTIO_ID_BLOCK, virtio_blk_probe },
};

int virtio_probe(struct virtio *dev)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (drivers[i].id == dev->id)
			return drivers[i].probe(dev);
	return -ENODEV;
}

static void add_status(struct virtio *dev, u8 bit)
{
	dev->transport->set_status(dev, dev->transport->get_status(dev) | bit);
}

int virtio_begin(struct virtio *dev, u64 wanted)
{
	const struct virtio_transport *t = dev->transport;

	t->set_status(dev, 0);
	add_status(dev, VIRTIO_STATUS_ACKNOWLEDGE);
	add_status(dev, VIRTIO_STATUS_DRIVER);
	dev->features = t->get_features(dev) & (wanted | (dev->legacy ? 0 : VIRTIO_F_VERSION_1));
	t->set_features(dev, dev->features);
	if (dev->legacy)
		return 0;
	add_status(dev, VIRTIO_STATUS_FEATURES_OK);
	return t->get_status(dev) & VIRTIO_STATUS_FEATURES_OK ? 0 : -EIO;
}

void virtio_ready(struct virtio *dev)
{
	add_status(dev, VIRTIO_STATUS_DRIVER_OK);
}

void virtio_fail(struct virtio *dev)
{
	add_status(dev, VIRTIO_STATUS_FAILED);
}

/* ---- queues ---- */

static size_t used_offset(unsigned int size)
{
	return ALIGN_UP(size * sizeof(struct vring_desc) + (3 + size) * sizeof(u16), PAGE_SIZE);
}

static unsigned int ring_order(unsigned int size)
{
	size_t bytes = used_offset(size) + 3 * sizeof(u16) + size * 2 * sizeof(u32);
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

int virtio_queue_setup(struct virtio *dev, struct virtqueue *vq, unsigned int index,
		       unsigned int size)
{
	unsigned int largest = dev->transport->queue_max(dev, index);
	char *ring;

	if (!largest)
		return -ENOENT;
	while (size > largest || (dev->legacy && size < largest)) /* a legacy queue has one size */
		size = size > largest ? size / 2 : size * 2;
	ring = kpages_alloc(GFP_ZERO, ring_order(size));
	vq->token = kcalloc(size, sizeof(void *), GFP_ZERO);
	if (!ring || !vq->token || !size)
		return -ENOMEM;
	vq->dev = dev;
	vq->index = index;
	vq->size = vq->nfree = size;
	vq->desc = (struct vring_desc *)ring;
	vq->avail = (struct vring_avail *)(ring + size * sizeof(struct vring_desc));
	vq->used = (struct vring_used *)(ring + used_offset(size));
	for (unsigned int i = 0; i < size; i++)
		vq->desc[i].next = (u16)(i + 1);
	return dev->transport->queue_set(dev, vq);
}

bool virtqueue_add(struct virtqueue *vq, const struct virtio_buf *buf, unsigned int n, void *token)
{
	u16 head = vq->free_head, at = head;

	if (n > vq->nfree || !n)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		struct vring_desc *d = &vq->desc[at];

		d->addr = buf[i].pa;
		d->len = buf[i].len;
		d->flags = (u16)((buf[i].device_writes ? VRING_WRITE : 0) |
				 (i + 1 < n ? VRING_NEXT : 0));
		at = d->next;
	}
	vq->free_head = at;
	vq->nfree -= n;
	vq->token[head] = token;
	vq->avail->ring[vq->avail_idx++ & (vq->size - 1)] = head;
	smp_wmb(); /* the entry before the index that covers it */
	WRITE_ONCE(vq->avail->idx, vq->avail_idx);
	return true;
}

void virtqueue_kick(struct virtqueue *vq)
{
	smp_mb(); /* the index before the look at what the device wants */
	if (!(vq->used->flags & 1))
		vq->dev->transport->notify(vq->dev, vq);
}

/* Give a chain back. What a device says is not believed: a head that is not ours is ignored. */
static void free_chain(struct virtqueue *vq, u16 head)
{
	u16 at = head;
	unsigned int n = 1;

	while (vq->desc[at].flags & VRING_NEXT) {
		at = vq->desc[at].next;
		n++;
	}
	vq->desc[at].next = vq->free_head;
	vq->free_head = head;
	vq->nfree += n;
}

void *virtqueue_take(struct virtqueue *vq)
{
	void *token;
	u32 head;

	for (;;) {
		if (vq->used->idx == vq->used_idx)
			return NULL;
		smp_rmb(); /* the index before the entry */
		head = vq->used->ring[vq->used_idx++ & (vq->size - 1)].id;
		if (head >= vq->size || !vq->token[head])
			continue;
		token = vq->token[head];
		vq->token[head] = NULL;
		free_chain(vq, (u16)head);
		return token;
	}
}

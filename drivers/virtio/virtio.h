/* SPDX-License-Identifier: MIT */
/*
 * virtio: devices of a hypervisor, whatever the bus.
 *
 * A transport (mmio.c, pci.c) finds a device, fills a struct virtio and calls virtio_probe(), which looks for the driver of its
 * kind. The driver calls virtio_begin() with the features it knows, virtio_queue_setup() for its queues, virtio_ready().
 * Source: Virtual I/O Device (VIRTIO) Version 1.2.
 */
#ifndef DRIVERS_VIRTIO_H
#define DRIVERS_VIRTIO_H

#include <lock.h>
#include <types.h>

#define VIRTIO_ID_BLOCK 2

#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER	  2
#define VIRTIO_STATUS_DRIVER_OK	  4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_FAILED	  128

#define VIRTIO_F_VERSION_1 (1ULL << 32)

struct virtio;
struct virtqueue;

struct virtio_transport {
	u8 (*get_status)(struct virtio *dev);
	void (*set_status)(struct virtio *dev, u8 status);
	u64 (*get_features)(struct virtio *dev);
	void (*set_features)(struct virtio *dev, u64 features);
	/* Read @n bytes of the device's configuration at @off. */
	void (*config)(struct virtio *dev, unsigned int off, void *buf, size_t n);
	/* The largest size of queue @index; 0: there is none. */
	unsigned int (*queue_max)(struct virtio *dev, unsigned int index);
	/* Tell the device where the queue's parts are. 0 or -EIO. */
	int (*queue_set)(struct virtio *dev, struct virtqueue *vq);
	void (*notify)(struct virtio *dev, struct virtqueue *vq);
};

struct virtio {
	const struct virtio_transport *transport;
	unsigned int id;
	bool legacy;  /* before version 1.0 */
	bool has_irq; /* the transport calls irq() */
	u64 features; /* agreed on */
	void (*irq)(
		struct virtio *dev); /* set by the driver before virtio_ready(); interrupts off */
	void *priv;		     /* the driver's */
};

struct vring_desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};
#define VRING_NEXT  1
#define VRING_WRITE 2 /* by the device */

struct vring_avail {
	u16 flags, idx;
	u16 ring[];
};
struct vring_used {
	u16 flags, idx;
	struct {
		u32 id, len;
	} ring[];
};

/* A split queue. The driver serialises. */
struct virtqueue {
	struct virtio *dev;
	unsigned int index, size; /* size: a power of two */
	unsigned int nfree;
	u16 free_head, avail_idx, used_idx;
	struct vring_desc *desc;
	struct vring_avail *avail;
	volatile struct vring_used *used;
	void *notify_reg; /* pci.c */
	void **token;	  /* by first descriptor */
};

/* One part of what a request hands over. */
struct virtio_buf {
	paddr_t pa;
	u32 len;
	bool device_writes;
};

/** virtio_probe() - find and start the driver. 0, -ENODEV: none. Device probing. */
int virtio_probe(struct virtio *dev);
/** virtio_begin() - reset, and agree on features: what the device has of @wanted. 0 or -EIO. */
int virtio_begin(struct virtio *dev, u64 wanted);
/** virtio_queue_setup() - make queue @index with at most @size entries. 0, -ENOENT, -ENOMEM, -EIO. */
int virtio_queue_setup(struct virtio *dev, struct virtqueue *vq, unsigned int index,
		       unsigned int size);
/** virtio_ready() - the device may work from now on. virtio_fail(): it is given up. */
void virtio_ready(struct virtio *dev);
void virtio_fail(struct virtio *dev);
/** virtqueue_add() - hand over @n parts; virtqueue_take() gives @token back. False: the queue is full. Any context, serialised. */
bool virtqueue_add(struct virtqueue *vq, const struct virtio_buf *buf, unsigned int n, void *token);
/** virtqueue_kick() - tell the device that there is something. */
void virtqueue_kick(struct virtqueue *vq);
/** virtqueue_take() - the token of a request that has ended, or NULL. */
void *virtqueue_take(struct virtqueue *vq);

/* The drivers. */
int virtio_blk_probe(struct virtio *dev);

#endif

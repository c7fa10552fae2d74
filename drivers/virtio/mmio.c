/* SPDX-License-Identifier: MIT */
/*
 * virtio devices whose registers are in memory: the slots of QEMU's virt machines.
 *
 * Both the current register layout and the one before version 1.0, which QEMU still has by default, are known.
 * Most slots are empty: their device id is 0, and nothing is allocated for them. Slots share pages, so the page mapped last is kept.
 * Source: VIRTIO 1.2, 4.2.
 */
#include <compiler.h>
#include <drivers/virtio/virtio.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/irq.h>
#include <hal/paging.h>
#include <mm/slab.h>

#define REG_MAGIC	 0x000
#define REG_VERSION	 0x004
#define REG_DEVICE_ID	 0x008
#define REG_FEATURES	 0x010
#define REG_FEATURES_SEL 0x014
#define REG_DRIVER	 0x020
#define REG_DRIVER_SEL	 0x024
#define REG_PAGE_SIZE	 0x028 /* legacy */
#define REG_QUEUE_SEL	 0x030
#define REG_QUEUE_MAX	 0x034
#define REG_QUEUE_NUM	 0x038
#define REG_QUEUE_ALIGN	 0x03c /* legacy */
#define REG_QUEUE_PFN	 0x040 /* legacy */
#define REG_QUEUE_READY	 0x044
#define REG_NOTIFY	 0x050
#define REG_IRQ_STATUS	 0x060
#define REG_IRQ_ACK	 0x064
#define REG_STATUS	 0x070
#define REG_QUEUE_DESC	 0x080
#define REG_QUEUE_AVAIL	 0x090
#define REG_QUEUE_USED	 0x0a0
#define REG_CONFIG	 0x100

#define MAGIC 0x74726976 /* "virt" */

struct mmio_device {
	struct virtio virtio;
	char *regs;
};

static u32 reg_read(struct virtio *dev, unsigned int reg)
{
	return readl(container_of(dev, struct mmio_device, virtio)->regs + reg);
}

static void reg_write(struct virtio *dev, unsigned int reg, u32 value)
{
	writel(value, container_of(dev, struct mmio_device, virtio)->regs + reg);
}

static void reg_write64(struct virtio *dev, unsigned int reg, u64 value)
{
	reg_write(dev, reg, (u32)value);
	reg_write(dev, reg + 4, (u32)(value >> 32));
}

static u8 mmio_get_status(struct virtio *dev)
{
	return (u8)reg_read(dev, REG_STATUS);
}

static void mmio_set_status(struct virtio *dev, u8 status)
{
	reg_write(dev, REG_STATUS, status);
}

static u64 mmio_get_features(struct virtio *dev)
{
	u64 low;

	reg_write(dev, REG_FEATURES_SEL, 0);
	low = reg_read(dev, REG_FEATURES);
	reg_write(dev, REG_FEATURES_SEL, 1);
	return low | (u64)reg_read(dev, REG_FEATURES) << 32;
}

static void mmio_set_features(struct virtio *dev, u64 features)
{
	reg_write(dev, REG_DRIVER_SEL, 0);
	reg_write(dev, REG_DRIVER, (u32)features);
	reg_write(dev, REG_DRIVER_SEL, 1);
	reg_write(dev, REG_DRIVER, (u32)(features >> 32));
}

static void mmio_config(struct virtio *dev, unsigned int off, void *buf, size_t n)
{
	char *regs = container_of(dev, struct mmio_device, virtio)->regs + REG_CONFIG + off;

	for (size_t i = 0; i < n; i++)
		((u8 *)buf)[i] = readb(regs + i);
}

static unsigned int mmio_queue_max(struct virtio *dev, unsigned int index)
{
	reg_write(dev, REG_QUEUE_SEL, index);
	return reg_read(dev, REG_QUEUE_MAX);
}

static int mmio_queue_set(struct virtio *dev, struct virtqueue *vq)
{
	reg_write(dev, REG_QUEUE_SEL, vq->index);
	reg_write(dev, REG_QUEUE_NUM, vq->size);
	if (dev->legacy) {
		reg_write(dev, REG_QUEUE_ALIGN, PAGE_SIZE);
		reg_write(dev, REG_QUEUE_PFN, (u32)(virt_to_phys(vq->desc) >> PAGE_SHIFT));
		return 0;
	}
	reg_write64(dev, REG_QUEUE_DESC, virt_to_phys(vq->desc));
	reg_write64(dev, REG_QUEUE_AVAIL, virt_to_phys(vq->avail));
	reg_write64(dev, REG_QUEUE_USED, virt_to_phys((const void *)vq->used));
	reg_write(dev, REG_QUEUE_READY, 1);
	return 0;
}

static void mmio_notify(struct virtio *dev, struct virtqueue *vq)
{
	reg_write(dev, REG_NOTIFY, vq->index);
}

static const struct virtio_transport mmio_transport = {
	.get_status = mmio_get_status,
	.set_status = mmio_set_status,
	.get_features = mmio_get_features,
	.set_features = mmio_set_features,
	.config = mmio_config,
	.queue_max = mmio_queue_max,
	.queue_set = mmio_queue_set,
	.notify = mmio_notify,
};

static void mmio_irq(void *arg)
{
	struct mmio_device *m = arg;

	writel(readl(m->regs + REG_IRQ_STATUS), m->regs + REG_IRQ_ACK);
	if (m->virtio.irq)
		m->virtio.irq(&m->virtio);
}

static int __init mmio_start(const void *fdt, int node, char *regs, u32 version)
{
	struct mmio_device *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return -ENOMEM;
	m->regs = regs;
	m->virtio = (struct virtio){
		.transport = &mmio_transport,
		.id = readl(regs + REG_DEVICE_ID),
		.legacy = version == 1,
	};
	if (m->virtio.legacy)
		writel(PAGE_SIZE, regs + REG_PAGE_SIZE);
	m->virtio.has_irq = !hal_irq_request_fdt(fdt, node, 0, mmio_irq, m, "virtio");
	return virtio_probe(&m->virtio);
}

static int __init mmio_probe(const void *fdt, int node)
{
	u32 version;
	char *regs;
	int r = fdt_map_regs(fdt, node, 0, REG_CONFIG, &regs, NULL);

	if (r)
		return r;
	if (!readl(regs + REG_DEVICE_ID) || readl(regs + REG_MAGIC) != MAGIC)
		return -ENODEV;
	version = readl(regs + REG_VERSION);
	return version == 1 || version == 2 ? mmio_start(fdt, node, regs, version) : -ENODEV;
}

FDT_DRIVER(virtio_mmio_driver) = {
	.name = "virtio-mmio",
	.compatible = (const char *const[]){ "virtio,mmio", NULL },
	.level = DRIVER_OTHER,
	.probe = mmio_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * virtio devices on PCI, by the register layout of version 1.0 and later.
 *
 * Vendor capabilities say where in which range the groups of registers are.
 * Source: VIRTIO 1.2, 4.1.
 */
#include <drivers/pci/pci.h>
#include <drivers/virtio/virtio.h>
#include <err.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <mm/slab.h>

#define CAP_COMMON 1
#define CAP_NOTIFY 2
#define CAP_ISR	   3
#define CAP_DEVICE 4

#define COMMON_FEATURES_SEL 0
#define COMMON_FEATURES	    4
#define COMMON_DRIVER_SEL   8
#define COMMON_DRIVER	    12
#define COMMON_MSIX	    16
#define COMMON_STATUS	    20
#define COMMON_QUEUE_SEL    22
#define COMMON_QUEUE_SIZE   24
#define COMMON_QUEUE_MSIX   26
#define COMMON_QUEUE_ENABLE 28
#define COMMON_QUEUE_NOTIFY 30
#define COMMON_QUEUE_DESC   32
#define COMMON_QUEUE_AVAIL  40
#define COMMON_QUEUE_USED   48
#define COMMON_SIZE	    56
#define NO_VECTOR	    0xffff

struct pci_virtio {
	struct virtio virtio;
	struct pci_device *pci;
	char *group[CAP_DEVICE + 1];
	u32 group_len[CAP_DEVICE + 1];
	u32 notify_step;
	char *bar[6];
	u64 bar_size[6];
};

static struct pci_virtio *to_pci(struct virtio *dev)
{
	return container_of(dev, struct pci_virtio, virtio);
}

static char *common(struct virtio *dev)
{
	return to_pci(dev)->group[CAP_COMMON];
}

static u8 pci_get_status(struct virtio *dev)
{
	return readb(common(dev) + COMMON_STATUS);
}

static void pci_set_status(struct virtio *dev, u8 status)
{
	writeb(status, common(dev) + COMMON_STATUS);
	while (!status && readb(common(dev) + COMMON_STATUS)) /* a reset takes its time */
		;
}

static u64 pci_get_features(struct virtio *dev)
{
	u64 low;

	writel(0, common(dev) + COMMON_FEATURES_SEL);
	low = readl(common(dev) + COMMON_FEATURES);
	writel(1, common(dev) + COMMON_FEATURES_SEL);
	return low | (u64)readl(common(dev) + COMMON_FEATURES) << 32;
}

static void pci_set_features(struct virtio *dev, u64 features)
{
	writel(0, common(dev) + COMMON_DRIVER_SEL);
	writel((u32)features, common(dev) + COMMON_DRIVER);
	writel(1, common(dev) + COMMON_DRIVER_SEL);
	writel((u32)(features >> 32), common(dev) + COMMON_DRIVER);
}

static void pci_config(struct virtio *dev, unsigned int off, void *buf, size_t n)
{
	struct pci_virtio *p = to_pci(dev);

	for (size_t i = 0; i < n; i++)
		((u8 *)buf)[i] = off + i < p->group_len[CAP_DEVICE]
					 ? readb(p->group[CAP_DEVICE] + off + i)
					 : 0;
}

static unsigned int pci_queue_max(struct virtio *dev, unsigned int index)
{
	writew((u16)index, common(dev) + COMMON_QUEUE_SEL);
	return readw(common(dev) + COMMON_QUEUE_SIZE);
}

static void write64(char *reg, u64 value)
{
	writel((u32)value, reg);
	writel((u32)(value >> 32), reg + 4);
}

static int pci_queue_set(struct virtio *dev, struct virtqueue *vq)
{
	struct pci_virtio *p = to_pci(dev);
	char *c = common(dev);
	u64 off;

	writew((u16)vq->index, c + COMMON_QUEUE_SEL);
	writew((u16)vq->size, c + COMMON_QUEUE_SIZE);
	if (p->pci->msix) {
		writew(NO_VECTOR, c + COMMON_MSIX);
		writew(0, c + COMMON_QUEUE_MSIX);
		/* A device that has no room for it says so. */
		if (readw(c + COMMON_QUEUE_MSIX) != 0)
			return -EIO;
	}
	off = (u64)readw(c + COMMON_QUEUE_NOTIFY) * p->notify_step;
	if (off + 2 > p->group_len[CAP_NOTIFY])
		return -EIO;
	vq->notify_reg = p->group[CAP_NOTIFY] + off;
	write64(c + COMMON_QUEUE_DESC, virt_to_phys(vq->desc));
	write64(c + COMMON_QUEUE_AVAIL, virt_to_phys(vq->avail));
	write64(c + COMMON_QUEUE_USED, virt_to_phys((const void *)vq->used));
	writew(1, c + COMMON_QUEUE_ENABLE);
	return 0;
}

static void pci_notify(struct virtio *dev, struct virtqueue *vq)
{
	writew((u16)vq->index, vq->notify_reg);
}

static const struct virtio_transport pci_transport = {
	.get_status = pci_get_status,
	.set_status = pci_set_status,
	.get_features = pci_get_features,
	.set_features = pci_set_features,
	.config = pci_config,
	.queue_max = pci_queue_max,
	.queue_set = pci_queue_set,
	.notify = pci_notify,
};

static void pci_irq(void *arg)
{
	struct pci_virtio *p = arg;

	readb(p->group[CAP_ISR]); /* takes the line back */
	if (p->virtio.irq)
		p->virtio.irq(&p->virtio);
}

static void pci_message(void *arg)
{
	struct pci_virtio *p = arg;

	if (p->virtio.irq)
		p->virtio.irq(&p->virtio);
}

/* A message, else the line, else none: its driver polls. */
static bool request_irq(struct pci_virtio *p)
{
	return !pci_request_msi(p->pci, pci_message, p, "virtio") ||
	       !pci_request_irq(p->pci, pci_irq, p, "virtio");
}

/* Map the group of registers that the capability at @cap describes. */
static void map_group(struct pci_virtio *p, unsigned int cap)
{
	u32 type = pci_read(p->pci, cap) >> 24, bar = pci_read(p->pci, cap + 4) & 0xff;
	u32 off = pci_read(p->pci, cap + 8), len = pci_read(p->pci, cap + 12);

	if (type < CAP_COMMON || type > CAP_DEVICE || bar > 5 || p->group[type])
		return;
	if (!p->bar[bar])
		p->bar[bar] = pci_map_bar(p->pci, bar, &p->bar_size[bar]);
	if (!p->bar[bar] || off > p->bar_size[bar] || len > p->bar_size[bar] - off)
		return;
	p->group[type] = p->bar[bar] + off;
	p->group_len[type] = len;
	if (type == CAP_NOTIFY)
		p->notify_step = pci_read(p->pci, cap + 16);
}

static bool map_groups(struct pci_virtio *p)
{
	unsigned int cap = 0;

	for (int i = 0; i < 16 && (cap = pci_find_cap(p->pci, PCI_CAP_VENDOR, cap)); i++)
		map_group(p, cap);
	return p->group[CAP_COMMON] && p->group_len[CAP_COMMON] >= COMMON_SIZE &&
	       p->group[CAP_NOTIFY] && p->group[CAP_ISR] && p->group_len[CAP_ISR];
}

int virtio_pci_probe(struct pci_device *dev)
{
	struct pci_virtio *p = kzalloc(sizeof(*p), GFP_KERNEL);
	u32 id = dev->device >= 0x1040 ? dev->device - 0x1040u : pci_read(dev, PCI_SUBSYSTEM) >> 16;
	int r;

	if (!p)
		return -ENOMEM;
	p->pci = dev;
	p->virtio = (struct virtio){ .transport = &pci_transport, .id = id };
	if (!map_groups(p)) {
		kfree(p);
		return -ENODEV;
	}
	pci_enable(dev);
	p->virtio.has_irq = request_irq(p);
	r = virtio_probe(&p->virtio);
	/* A handler that was installed stays, and with it what it looks at. */
	return p->virtio.has_irq ? 0 : r;
}

/* SPDX-License-Identifier: MIT */
/*
 * Messages of PCI devices: MSI-X and MSI. See pci.h, <hal/msi.h>.
 *
 * Which controller takes a device's messages, and what it calls the device, says the bridge's msi-map or msi-parent; on a PC there is one.
 * Source: PCI Local Bus Specification 3.0, 6.8; Linux Documentation/devicetree/bindings/pci/pci-msi.txt.
 */
#include <drivers/pci/pci.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/msi.h>
#include <libfdt.h>

/* Message control is the upper half of a capability's first word. */
#define MSIX_ENABLE    (1u << 31)
#define MSIX_MASK_ALL  (1u << 30)
#define MSIX_SIZE(cap) (((cap) >> 16 & 0x7ff) + 1)
#define MSIX_ENTRY     16u
#define ENTRY_DATA     8
#define ENTRY_CONTROL  12
#define ENTRY_MASKED   1u

#define MSI_ENABLE (1u << 16)
#define MSI_COUNT  (7u << 20) /* of messages that are on, as a power of two */
#define MSI_WIDE   (1u << 23)
#define MSI_MASKS  (1u << 24)

static u32 cell(const fdt32_t *p, int i)
{
	return fdt32_to_cpu(p[i]);
}

/* msi-map: entries of first requester, controller, what it calls that one, how many. 0, or -ENODEV. */
static int map_lookup(const struct pci_host *host, u32 rid, struct hal_msi_request *rq)
{
	int len;
	const fdt32_t *map = fdt_getprop(host->fdt, host->node, "msi-map", &len);

	if (!map)
		return -ENODEV;
	rid &= fdt_node_u32(host->fdt, host->node, "msi-map-mask", 0xffffffff);
	for (int i = 0; i + 4 <= len / 4; i += 4) {
		u32 index = rid - cell(map, i);

		if (rid < cell(map, i) || index >= cell(map, i + 3))
			continue;
		rq->phandle = cell(map, i + 1);
		rq->device = cell(map, i + 2) + index;
		return rq->phandle ? 0 : -ENODEV;
	}
	return -ENODEV;
}

/* Fill in who takes the device's messages. */
static int find_controller(struct pci_device *dev, struct hal_msi_request *rq)
{
	const struct pci_host *host = dev->host;

	rq->device = dev->requester;
	if (!host->fdt)
		return 0;
	rq->phandle = fdt_node_u32(host->fdt, host->node, "msi-parent", 0);
	return rq->phandle ? 0 : map_lookup(host, dev->requester, rq);
}

/* The table of MSI-X, all of it masked. NULL: it is nowhere. */
static char *msix_table(struct pci_device *dev, unsigned int cap)
{
	u32 where = pci_read(dev, cap + 4), n = MSIX_SIZE(pci_read(dev, cap));
	u64 size = 0, off = where & ~7u;
	char *bar = pci_map_bar(dev, where & 7, &size);

	if (!bar || off > size || n * MSIX_ENTRY > size - off)
		return NULL;
	for (u32 i = 0; i < n; i++)
		writel(ENTRY_MASKED, bar + off + i * MSIX_ENTRY + ENTRY_CONTROL);
	return bar + off;
}

/* What the entry says must not be sent half changed. */
static void msix_tell(void *arg, const struct hal_msi *msi)
{
	struct pci_device *dev = arg;
	char *entry = dev->msix_entry;

	writel(ENTRY_MASKED, entry + ENTRY_CONTROL);
	(void)readl(entry + ENTRY_CONTROL);
	writel((u32)msi->addr, entry);
	writel((u32)(msi->addr >> 32), entry + 4);
	writel(msi->data, entry + ENTRY_DATA);
	writel(0, entry + ENTRY_CONTROL);
}

static int msix_start(struct pci_device *dev, unsigned int cap, struct hal_msi_request *rq)
{
	u32 control = pci_read(dev, cap) & ~(MSIX_ENABLE | MSIX_MASK_ALL);
	struct hal_msi msi;
	int r;

	/* The table may only answer when MSI-X is on. */
	pci_write(dev, cap, control | MSIX_ENABLE | MSIX_MASK_ALL);
	dev->msix_entry = msix_table(dev, cap);
	rq->tell = msix_tell;
	r = dev->msix_entry ? hal_msi_request(rq, &msi) : -ENODEV;
	if (r) {
		pci_write(dev, cap, control);
		return r;
	}
	msix_tell(dev, &msi);
	pci_write(dev, cap, control | MSIX_ENABLE);
	dev->msix = true;
	return 0;
}

/* A device without masks is switched off meanwhile; what it has to say waits. */
static void msi_tell(void *arg, const struct hal_msi *msi)
{
	struct pci_device *dev = arg;
	unsigned int cap = dev->msi_cap;
	u32 control = pci_read(dev, cap);
	bool wide = control & MSI_WIDE, masks = control & MSI_MASKS;
	unsigned int mask = cap + (wide ? 16 : 12);

	if (masks)
		pci_write(dev, mask, ~0u);
	else
		pci_write(dev, cap, control & ~MSI_ENABLE);
	pci_write(dev, cap + 4, (u32)msi->addr);
	if (wide)
		pci_write(dev, cap + 8, (u32)(msi->addr >> 32));
	pci_write(dev, cap + (wide ? 12 : 8), msi->data);
	if (masks)
		pci_write(dev, mask, 0);
	pci_write(dev, cap, control);
}

static int msi_start(struct pci_device *dev, unsigned int cap, struct hal_msi_request *rq)
{
	u32 control = pci_read(dev, cap) & ~(MSI_ENABLE | MSI_COUNT);
	struct hal_msi msi;
	int r;

	pci_write(dev, cap, control);
	dev->msi_cap = cap;
	rq->tell = msi_tell;
	r = hal_msi_request(rq, &msi);
	if (r)
		return r;
	if (!(control & MSI_WIDE) && msi.addr >> 32)
		return -EINVAL;
	msi_tell(dev, &msi);
	pci_write(dev, cap, control | MSI_ENABLE);
	return 0;
}

int pci_request_msi(struct pci_device *dev, hal_irq_handler fn, void *arg, const char *name)
{
	struct hal_msi_request rq = { .fn = fn, .arg = arg, .name = name, .dev = dev };
	unsigned int cap;
	int r = find_controller(dev, &rq);

	if (r || !hal_msi_present(rq.phandle))
		return -ENODEV;
	cap = pci_find_cap(dev, PCI_CAP_MSIX, 0);
	if (cap)
		return msix_start(dev, cap, &rq);
	cap = pci_find_cap(dev, PCI_CAP_MSI, 0);
	return cap ? msi_start(dev, cap, &rq) : -ENODEV;
}

/* SPDX-License-Identifier: MIT */
/*
 * PCI: looking for devices on a machine's first bus, and what their drivers need. See pci.h, <hal/pci.h>.
 *
 * Bridges are not crossed. Where no firmware ran, ranges get their addresses when a driver maps them. The bridge of a device tree is
 * reached by its memory window (ECAM); its interrupt-map says which line a device has. Messages are in msi.c.
 * Source: PCI Express Base Specification 3.0, 7.2.2; PCI Bus Binding to IEEE 1275; Linux
 * Documentation/devicetree/bindings/pci/host-generic-pci.yaml.
 */
#include <compiler.h>
#include <drivers/pci/pci.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <libfdt.h>
#include <mm/slab.h>

#define DEVFNS	      256
#define FIRST_BUS     (1u << 20)
#define VENDOR_VIRTIO 0x1af4

static const struct {
	u16 vendor;
	int (*probe)(struct pci_device *dev);
} drivers[] = {
	{ VENDOR_VIRTIO, virtio_pci_probe },
};

/* Without CONFIG_VIRTIO_PCI. */
__weak int virtio_pci_probe(struct pci_device *dev)
{
	return -ENODEV;
}

/* ---- what drivers call ---- */

unsigned int pci_find_cap(struct pci_device *dev, u8 id, unsigned int after)
{
	unsigned int at = after ? pci_read(dev, after) >> 8 & 0xfc : 0;

	if (!after && (pci_read(dev, PCI_COMMAND) & PCI_STATUS_CAPABILITIES))
		at = pci_read(dev, PCI_CAPABILITIES) & 0xfc;
	for (int i = 0; at >= 0x40 && i < 48; i++) {
		u32 cap = pci_read(dev, at);

		if ((cap & 0xff) == id)
			return at;
		at = cap >> 8 & 0xfc;
	}
	return 0;
}

static u64 bar_size(struct pci_device *dev, unsigned int bar, bool wide)
{
	u32 low = pci_read(dev, PCI_BAR(bar)), high = wide ? pci_read(dev, PCI_BAR(bar + 1)) : 0;
	u64 mask;

	pci_write(dev, PCI_BAR(bar), ~0u);
	mask = pci_read(dev, PCI_BAR(bar)) & ~0xfu;
	if (wide) {
		pci_write(dev, PCI_BAR(bar + 1), ~0u);
		mask |= (u64)pci_read(dev, PCI_BAR(bar + 1)) << 32;
		pci_write(dev, PCI_BAR(bar + 1), high);
	} else {
		mask |= 0xffffffffULL << 32;
	}
	pci_write(dev, PCI_BAR(bar), low);
	return mask & ~0xfULL ? -mask : 0;
}

static u64 window_take(struct pci_host *host, u64 size)
{
	u64 at = ALIGN_UP(host->window, size), skip = at - host->window;

	if (skip > host->window_size || size > host->window_size - skip)
		return 0;
	host->window = at + size;
	host->window_size -= skip + size;
	return at;
}

char *pci_map_bar(struct pci_device *dev, unsigned int bar, u64 *size)
{
	u32 low = bar < 6 ? pci_read(dev, PCI_BAR(bar)) : 1;
	bool wide = (low & 6) == 4;
	u64 at = low & ~0xfu;

	if ((low & 1) || (wide && bar == 5))
		return NULL;
	*size = bar_size(dev, bar, wide);
	if (wide)
		at |= (u64)pci_read(dev, PCI_BAR(bar + 1)) << 32;
	if (!at && *size) {
		at = window_take(dev->host, max(*size, (u64)PAGE_SIZE));
		pci_write(dev, PCI_BAR(bar), (u32)at);
		if (wide)
			pci_write(dev, PCI_BAR(bar + 1), (u32)(at >> 32));
	}
	return at && *size ? hal_ioremap(at, *size) : NULL;
}

void pci_enable(struct pci_device *dev)
{
	pci_write(dev, PCI_COMMAND,
		  (pci_read(dev, PCI_COMMAND) & 0xffff) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			  PCI_COMMAND_NO_INTX);
}

/* ---- interrupt-map of the bridge's node ---- */

static u32 cell(const fdt32_t *p, int i)
{
	return fdt32_to_cpu(p[i]);
}

/* The entry for @devfn and @pin: the controller's phandle and the specifier's cells. Return: how many cells, or -ENOENT. */
static int map_lookup(const struct pci_host *host, u32 devfn, u32 pin, u32 *phandle, u32 *spec)
{
	int len, mask_len, pos = 0;
	const fdt32_t *map = fdt_getprop(host->fdt, host->node, "interrupt-map", &len);
	const fdt32_t *mask = fdt_getprop(host->fdt, host->node, "interrupt-map-mask", &mask_len);

	if (!map || !mask || mask_len < 16)
		return -ENOENT;
	while (pos + 5 <= len / 4) {
		int parent = fdt_node_by_phandle(host->fdt, cell(map, pos + 4));
		u32 naddr, nspec;

		if (parent < 0)
			return -ENOENT;
		naddr = fdt_node_u32(host->fdt, parent, "#address-cells", 0);
		nspec = fdt_node_u32(host->fdt, parent, "#interrupt-cells", 1);
		if (naddr > 3 || !nspec || nspec > 4 || pos + 5 + (int)(naddr + nspec) > len / 4)
			return -ENOENT;
		if (((devfn << 8 ^ cell(map, pos)) & cell(mask, 0)) == 0 &&
		    ((pin ^ cell(map, pos + 3)) & cell(mask, 3)) == 0) {
			*phandle = cell(map, pos + 4);
			for (u32 i = 0; i < nspec; i++)
				spec[i] = cell(map, pos + 5 + (int)(naddr + i));
			return (int)nspec;
		}
		pos += 5 + (int)(naddr + nspec);
	}
	return -ENOENT;
}

/* The line of the device's pin by the bridge's node. 0 or -ENOENT. */
static int map_route(struct pci_device *dev, u32 pin, struct irq_chip **chip, unsigned int *hwirq)
{
	u32 phandle, spec[4];
	int n = map_lookup(dev->host, dev->devfn, pin, &phandle, spec);

	*chip = n > 0 ? hal_irq_chip_find(phandle) : NULL;
	n = *chip ? (*chip)->xlate(*chip, spec, (unsigned int)n) : -ENOENT;
	*hwirq = (unsigned int)n;
	return n < 0 ? -ENOENT : 0;
}

int pci_request_irq(struct pci_device *dev, hal_irq_handler fn, void *arg, const char *name)
{
	u32 pin = pci_read(dev, PCI_INTERRUPT) >> 8 & 0xff;
	struct irq_chip *chip;
	unsigned int hwirq;
	int r = -ENOENT;

	if (pin && dev->host->fdt)
		r = map_route(dev, pin, &chip, &hwirq);
	else if (pin && dev->host->route)
		r = dev->host->route(dev->devfn, pin, &chip, &hwirq);
	if (!r)
		r = hal_irq_request(chip, hwirq, fn, arg, name);
	if (!r)
		pci_write(dev, PCI_COMMAND,
			  pci_read(dev, PCI_COMMAND) & 0xffff & ~PCI_COMMAND_NO_INTX);
	return r;
}

/* ---- finding devices ---- */

static void __init start_driver(struct pci_host *host, unsigned int devfn, u32 ids)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		struct pci_device *dev;

		if (drivers[i].vendor != (ids & 0xffff))
			continue;
		dev = kzalloc(sizeof(*dev), GFP_KERNEL);
		if (!dev)
			return;
		*dev = (struct pci_device){ host, devfn, (u16)ids, (u16)(ids >> 16) };
		if (drivers[i].probe(dev))
			kfree(dev);
	}
}

/* What firmware left on must not raise a line that it shares with a device of ours. */
static void __init silence(struct pci_host *host, unsigned int devfn)
{
	u32 command = host->read(host, devfn, PCI_COMMAND) & 0xffff;

	host->write(host, devfn, PCI_COMMAND, command | PCI_COMMAND_NO_INTX);
}

void __init pci_host_scan(struct pci_host *host)
{
	for (unsigned int devfn = 0; devfn < DEVFNS; devfn++) {
		u32 ids = host->read(host, devfn, PCI_VENDOR_DEVICE);
		bool several = (host->read(host, devfn & ~7u, PCI_HEADER) >> 16) & 0x80;

		if ((ids & 0xffff) != 0xffff) {
			silence(host, devfn);
			start_driver(host, devfn, ids);
		}
		if (!(devfn & 7) && (!several || (ids & 0xffff) == 0xffff))
			devfn += 7;
	}
}

/* ---- a bridge of a device tree ---- */

static u32 ecam_read(struct pci_host *host, unsigned int devfn, unsigned int off)
{
	return readl((char *)host->priv + (devfn << 12) + off);
}

static void ecam_write(struct pci_host *host, unsigned int devfn, unsigned int off, u32 value)
{
	writel(value, (char *)host->priv + (devfn << 12) + off);
}

/* The 32-bit memory window: an entry of ranges is 3 cells of bus address, the parent's address, 2 cells of size. */
static void __init ecam_window(struct pci_host *host)
{
	int parent = fdt_node_parent(host->fdt, host->node), len;
	const fdt32_t *p = fdt_getprop(host->fdt, host->node, "ranges", &len);
	int na = parent >= 0 ? (int)fdt_node_u32(host->fdt, parent, "#address-cells", 2) : 0;

	if (!p || na < 1 || na > 2)
		return;
	for (int i = 0; i + 5 + na <= len / 4; i += 5 + na) {
		u64 bus = (u64)cell(p, i + 1) << 32 | cell(p, i + 2), cpu = cell(p, i + 2 + na);

		if (na == 2)
			cpu |= (u64)cell(p, i + 3) << 32;
		if ((cell(p, i) >> 24 & 3) == 2 && bus == cpu) {
			host->window = bus;
			host->window_size = (u64)cell(p, i + 3 + na) << 32 | cell(p, i + 4 + na);
			return;
		}
	}
}

static int __init ecam_probe(const void *fdt, int node)
{
	struct pci_host *host;
	char *regs;
	int r = fdt_map_regs(fdt, node, 0, FIRST_BUS, &regs, NULL);

	if (r)
		return r;
	host = kzalloc(sizeof(*host), GFP_KERNEL);
	if (!host)
		return -ENOMEM;
	*host = (struct pci_host){
		.read = ecam_read, .write = ecam_write, .fdt = fdt, .node = node, .priv = regs
	};
	ecam_window(host);
	pci_host_scan(host);
	return 0;
}

FDT_DRIVER(pci_ecam_driver) = {
	.name = "pci-ecam",
	.compatible = (const char *const[]){ "pci-host-ecam-generic", NULL },
	.level = DRIVER_OTHER,
	.probe = ecam_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * PCI: looking for a machine's devices, and what their drivers need. See pci.h, <hal/pci.h>.
 *
 * Where firmware has not, bridges get bus numbers, depth first, and what is behind them gets addresses at once, one after the other, so that
 * the window of a bridge is what was given out behind it. On the first bus ranges get theirs when a driver maps them. The bridge of a device
 * tree is reached by its memory window (ECAM); its interrupt-map says which line a device has. Messages are in msi.c.
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
#define BUS_SIZE      (1u << 20) /* of a bus in an ECAM window */
#define MAX_DEPTH     8
#define BRIDGE_ALIGN  (1u << 20)
#define NO_IO	      0x00f0u	  /* windows whose limit is below their base */
#define NO_MEMORY     0x0000fff0u
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

/* Where memory range @bar is, with @give given an address if it has none. 0: there is none, or no room. */
static u64 bar_place(struct pci_device *dev, unsigned int bar, u64 *size, bool give)
{
	u32 low = bar < 6 ? pci_read(dev, PCI_BAR(bar)) : 1;
	bool wide = (low & 6) == 4;
	u64 at = low & ~0xfu;

	if ((low & 1) || (wide && bar == 5))
		return 0;
	*size = bar_size(dev, bar, wide);
	if (wide)
		at |= (u64)pci_read(dev, PCI_BAR(bar + 1)) << 32;
	if (!at && *size && give) {
		at = window_take(dev->host, max(*size, (u64)PAGE_SIZE));
		pci_write(dev, PCI_BAR(bar), (u32)at);
		if (wide)
			pci_write(dev, PCI_BAR(bar + 1), (u32)(at >> 32));
	}
	return *size ? at : 0;
}

char *pci_map_bar(struct pci_device *dev, unsigned int bar, u64 *size)
{
	/* What is behind a bridge has got its place, or had none in the bridge's window. */
	u64 at = bar_place(dev, bar, size, dev->bdf >> 8 == dev->host->first_bus);

	return at ? hal_ioremap(at, *size) : NULL;
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
	int n = map_lookup(dev->host, dev->root_devfn, pin, &phandle, spec);

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

	/* Each bridge passes a pin on as the one that is its device's number further. */
	if (pin)
		pin = (pin - 1 + dev->swizzle) % 4 + 1;
	if (pin && dev->host->fdt)
		r = map_route(dev, pin, &chip, &hwirq);
	else if (pin && dev->host->route)
		r = dev->host->route(dev->root_devfn, pin, &chip, &hwirq);
	if (!r)
		r = hal_irq_request(chip, hwirq, fn, arg, name);
	if (!r)
		pci_write(dev, PCI_COMMAND,
			  pci_read(dev, PCI_COMMAND) & 0xffff & ~PCI_COMMAND_NO_INTX);
	return r;
}

/* ---- finding devices ---- */

/* A bus, and how what is on it reaches the first one. */
struct bus {
	struct pci_host *host;
	unsigned int number, depth;
	unsigned int root_devfn, swizzle; /* of the bridge, behind the first bus */
	int requester; /* who all behind seem to be to a controller for messages, or -1: themselves */
	bool one_device; /* an Express link: the other 31 need not be looked for */
	bool give;	 /* addresses are given out here */
};

static void __init scan_bus(const struct bus *bus);

static struct pci_device __init device_of(const struct bus *bus, unsigned int devfn, u32 ids)
{
	unsigned int bdf = bus->number << 8 | devfn;

	return (struct pci_device){
		.host = bus->host,
		.bdf = bdf,
		.root_devfn = bus->depth ? bus->root_devfn : devfn,
		.swizzle = bus->depth ? bus->swizzle + (devfn >> 3) : 0,
		.requester = bus->requester < 0 ? bdf : (unsigned int)bus->requester,
		.vendor = (u16)ids,
		.device = (u16)(ids >> 16),
	};
}

static void __init start_driver(const struct pci_device *found)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		struct pci_device *dev;

		if (drivers[i].vendor != found->vendor)
			continue;
		dev = kzalloc(sizeof(*dev), GFP_KERNEL);
		if (!dev)
			return;
		*dev = *found;
		if (drivers[i].probe(dev))
			kfree(dev);
	}
}

/* What firmware left on must not raise a line that it shares with a device of ours. */
static void __init silence(struct pci_device *dev)
{
	u32 command = pci_read(dev, PCI_COMMAND) & 0xffff;

	pci_write(dev, PCI_COMMAND, command | PCI_COMMAND_NO_INTX);
}

static void __init place_all(struct pci_device *dev, unsigned int bars)
{
	u64 size;

	for (unsigned int bar = 0; bar < bars; bar++) {
		bool wide = (pci_read(dev, PCI_BAR(bar)) & 7) == 4;

		bar_place(dev, bar, &size, true);
		bar += wide;
	}
}

/* ---- bridges ---- */

enum { PORT_ROOT = 4, PORT_UP = 5, PORT_DOWN = 6, PORT_TO_PCI = 7 };

/* What kind of port of an Express fabric a bridge is; -1: none. */
static int __init port_type(struct pci_device *bridge)
{
	unsigned int cap = pci_find_cap(bridge, PCI_CAP_EXPRESS, 0);

	return cap ? (int)(pci_read(bridge, cap) >> 20 & 15) : -1;
}

/* Bus numbers below @bridge: firmware's, or as many as there are left, until it is known how many it takes. 0: there are none. */
static unsigned int __init bridge_number(struct pci_device *bridge)
{
	struct pci_host *host = bridge->host;
	u32 buses = pci_read(bridge, PCI_BUSES);
	unsigned int second = buses >> 8 & 0xff;

	if (second > bridge->bdf >> 8 && second <= host->last_bus)
		return second;
	if (host->next_bus > host->last_bus)
		return 0;
	second = host->next_bus++;
	pci_write(bridge, PCI_BUSES,
		  (buses & 0xff000000) | host->last_bus << 16 | second << 8 | bridge->bdf >> 8);
	return second;
}

/* The window of memory: [base, end) of the host's, or shut. The others are shut. */
static void __init bridge_window(struct pci_device *bridge, u64 base, u64 end)
{
	u32 window = NO_MEMORY;

	if (end > base)
		window = (u32)(base >> 20) << 4 | (u32)((end - 1) >> 20) << 20;
	pci_write(bridge, PCI_MEMORY_WINDOW, window);
	pci_write(bridge, PCI_PREFETCH_WINDOW, NO_MEMORY);
	pci_write(bridge, PCI_IO_WINDOW, NO_IO);
	pci_enable(bridge);
}

/* Align what is left of the host's window. False: nothing is left. */
static bool __init window_align(struct pci_host *host)
{
	u64 skip = -host->window & (BRIDGE_ALIGN - 1);

	if (skip > host->window_size)
		return false;
	host->window += skip;
	host->window_size -= skip;
	return true;
}

/* All behind @bus gets its place, and every bridge its numbers and window. */
static void __init give_bus(const struct bus *bus)
{
	struct bus giving = *bus;

	giving.give = true;
	scan_bus(&giving);
}

static void __init scan_bridge(const struct bus *bus, struct pci_device *bridge)
{
	struct pci_host *host = bridge->host;
	bool ours = !(pci_read(bridge, PCI_BUSES) >> 8 & 0xff);
	int type = port_type(bridge);
	/* Numbers that firmware gave to one above, it gave to all. */
	bool beyond = (ours && bus->depth && !bus->give) || bus->depth + 1 == MAX_DEPTH;
	struct bus below = {
		.host = host,
		.number = beyond ? 0 : bridge_number(bridge),
		.depth = bus->depth + 1,
		.root_devfn = bridge->root_devfn,
		.swizzle = bridge->swizzle,
		.requester = bus->requester,
		.one_device = type == PORT_ROOT || type == PORT_DOWN,
	};
	u64 base;

	if (!below.number) {
		klog(4, "pci: %02x:%02x.%x: no bus number left for what is behind\n",
		     bridge->bdf >> 8, bridge->bdf >> 3 & 31, bridge->bdf & 7);
		return;
	}
	if (below.requester < 0 && type == PORT_TO_PCI)
		below.requester = (int)(below.number << 8);
	else if (below.requester < 0 && type < PORT_ROOT)
		below.requester = (int)bridge->bdf;
	if (ours) {
		bool room;

		place_all(bridge, 2);
		room = window_align(host);
		base = host->window;
		give_bus(&below);
		window_align(host);
		bridge_window(bridge, base, room ? host->window : base);
		pci_write(bridge, PCI_BUSES,
			  (pci_read(bridge, PCI_BUSES) & 0xff00ffff) | (host->next_bus - 1) << 16);
	}
	if (bus->give)
		return;
	pci_enable(bridge);
	scan_bus(&below);
}

/* ---- finding devices ---- */

static void __init scan_function(const struct bus *bus, unsigned int devfn, u32 ids, bool bridge)
{
	struct pci_device dev = device_of(bus, devfn, ids);

	silence(&dev);
	if (bridge)
		scan_bridge(bus, &dev);
	else if (bus->give)
		place_all(&dev, 6);
	else
		start_driver(&dev);
}

static void __init scan_bus(const struct bus *bus)
{
	struct pci_host *host = bus->host;

	for (unsigned int devfn = 0; devfn < (bus->one_device ? 8 : DEVFNS); devfn++) {
		unsigned int bdf = bus->number << 8 | devfn;
		u32 ids = host->read(host, bdf, PCI_VENDOR_DEVICE);
		u32 type = host->read(host, bdf, PCI_HEADER) >> 16 & 0x7f;
		bool several = (host->read(host, bdf & ~7u, PCI_HEADER) >> 16) & 0x80;

		if ((ids & 0xffff) != 0xffff && type <= 1)
			scan_function(bus, devfn, ids, type == 1);
		if (!(devfn & 7) && (!several || (ids & 0xffff) == 0xffff))
			devfn += 7;
	}
}

/* The first bus number behind those that firmware has given to bridges of the first bus. */
static unsigned int __init free_bus(struct pci_host *host)
{
	unsigned int last = host->first_bus;

	for (unsigned int devfn = 0; devfn < DEVFNS; devfn++) {
		unsigned int bdf = host->first_bus << 8 | devfn;

		if ((host->read(host, bdf, PCI_VENDOR_DEVICE) & 0xffff) != 0xffff &&
		    (host->read(host, bdf, PCI_HEADER) >> 16 & 0x7f) == 1)
			last = max(last, host->read(host, bdf, PCI_BUSES) >> 16 & 0xff);
	}
	return last + 1;
}

void __init pci_host_scan(struct pci_host *host)
{
	struct bus first = { .host = host, .number = host->first_bus, .requester = -1 };

	host->next_bus = free_bus(host);
	scan_bus(&first);
}

/* ---- a bridge of a device tree ---- */

static char *ecam_word(struct pci_host *host, unsigned int bdf, unsigned int off)
{
	return (char *)host->priv + ((u64)(bdf - (host->first_bus << 8)) << 12) + off;
}

static u32 ecam_read(struct pci_host *host, unsigned int bdf, unsigned int off)
{
	return readl(ecam_word(host, bdf, off));
}

static void ecam_write(struct pci_host *host, unsigned int bdf, unsigned int off, u32 value)
{
	writel(value, ecam_word(host, bdf, off));
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

/* Which buses the window reaches: as bus-range says, as far as it is large enough. */
static void __init ecam_buses(struct pci_host *host, u64 size)
{
	int len;
	const fdt32_t *range = fdt_getprop(host->fdt, host->node, "bus-range", &len);
	u32 first = range && len >= 8 ? cell(range, 0) : 0,
	    last = range && len >= 8 ? cell(range, 1) : 255;

	host->first_bus = min(first, 255u);
	host->last_bus = max(host->first_bus, min(last, 255u));
	host->last_bus =
		(unsigned int)min((u64)host->last_bus, host->first_bus + size / BUS_SIZE - 1);
}

static int __init ecam_probe(const void *fdt, int node)
{
	struct boot_range where;
	struct pci_host *host;
	char *regs;
	int r = fdt_map_regs(fdt, node, 0, BUS_SIZE, &regs, &where);

	if (r)
		return r;
	host = kzalloc(sizeof(*host), GFP_KERNEL);
	if (!host)
		return -ENOMEM;
	*host = (struct pci_host){
		.read = ecam_read, .write = ecam_write, .fdt = fdt, .node = node, .priv = regs
	};
	ecam_buses(host, where.size);
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

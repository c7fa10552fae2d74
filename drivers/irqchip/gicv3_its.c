/* SPDX-License-Identifier: MIT */
/*
 * The GICv3's interrupt translation service (ITS): messages of devices as LPIs.
 *
 *	its_probe()		tables of devices, collections and LPIs, the command queue; before the GIC's own probe
 *	gicv3_lpi_cpu_init()	called by gicv3.c on each CPU: its redistributor takes LPIs from now on
 *	its_request()		a device's table of events, an event, an LPI
 *
 * A message is an event of the device that writes it. The table of devices leads to the device's own table, which leads from the event
 * to an LPI and a collection; each CPU has one. A message is moved to another CPU by giving its event that collection. All tables are in ordinary memory and shared with the
 * hardware: an ITS that does not see the CPU's caches is not used. One ITS is.
 *
 * Locking: its.lock, interrupts off, for the command queue and the LPIs' configuration bytes; requests come from the boot CPU
 * one at a time. A CPU's rdbase is written by it, under the lock, when it comes up.
 * Source: Arm GIC Architecture Specification versions 3 and 4 (IHI 0069), chapters 5 and 12.19; Linux
 * Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml.
 */
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/irq.h>
#include <hal/msi.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <mm/page.h>
#include <mm/slab.h>

#include "gic.h"

#define GITS_CTLR	0x0000
#define GITS_TYPER	0x0008
#define GITS_CBASER	0x0080
#define GITS_CWRITER	0x0088
#define GITS_CREADR	0x0090
#define GITS_BASER(n)	(0x0100 + 8 * (n))
#define GITS_TRANSLATER 0x10040
#define CTLR_ENABLED	1u
#define CTLR_QUIESCENT	(1u << 31)
#define CREADR_STALLED	1u

#define TYPER_ENTRY(t)	 (((t) >> 4 & 15) + 1) /* bytes of an entry of a device's table */
#define TYPER_DEVBITS(t) (((t) >> 13 & 31) + 1)
#define TYPER_PTA	 (1ULL << 19)
#define TYPER_HCC(t)	 ((u32)((t) >> 24 & 0xff)) /* collections that need no table */

/* GITS_BASER and GITS_CBASER: valid; memory that is write-back and inner shareable. */
#define BASER_VALID	  (1ULL << 63)
#define BASER_CACHED	  (7ULL << 59 | 7ULL << 53)
#define BASER_SHARED	  (1ULL << 10)
#define BASER_SHARE(v)	  ((v) >> 10 & 3)
#define BASER_TYPE(v)	  ((v) >> 56 & 7)
#define BASER_ENTRY(v)	  (((v) >> 48 & 31) + 1)
#define BASER_PAGE	  8 /* shift: 4, 16, 64 KiB */
#define TYPE_DEVICES	  1
#define TYPE_COLLECTIONS  4

/* Of a redistributor. */
#define GICR_CTLR	0x0000
#define GICR_TYPER	0x0008
#define GICR_PROPBASER	0x0070
#define GICR_PENDBASER	0x0078
#define GICR_ENABLE_LPIS 1u
#define GICR_PLPIS	1u
#define RBASER_CACHED	(7ULL << 7 | 7ULL << 56)
#define PENDING_ZERO	(1ULL << 62)

#define CMD_MOVI  0x01
#define CMD_SYNC  0x05
#define CMD_MAPD  0x08
#define CMD_MAPC  0x09
#define CMD_MAPTI 0x0a
#define CMD_INV	  0x0c
#define CMD_SIZE  32u

#define TABLE_SIZE	0x10000u /* and alignment: a page whatever its size */
#define QUEUE_SIZE	0x1000u
#define LPI_BITS	14 /* of an LPI's number: 8192 to 16383 */
#define MAX_LPIS	128
#define EVENT_BITS	5 /* of a device's */
#define LPI_PRIORITY	0xa0
#define LPI_GROUP1	2
#define LPI_ENABLED	1
#define WAIT_SPINS	1000000

struct its_device {
	u32 id;
	u32 nevents;
	struct its_device *next;
};

static struct {
	char *regs;
	paddr_t doorbell;
	u64 typer;
	u64 *queue;
	u32 tail;   /* lock: bytes */
	u8 *config; /* lock: a byte each LPI */
	u64 rdbase
		[CONFIG_NR_CPUS]; /* lock: the CPUs' redistributors, as commands name them, with BASER_VALID; 0: takes no LPIs */
	char *pending[CONFIG_NR_CPUS];
	u32 ncollections;
	u32 nlpis;
	u64 max_device;
	struct its_device *devices;
	struct {
		u32 device, event, cpu;
	} lpi[MAX_LPIS];
	int lock;
	bool up;
	struct irq_chip irq;
	struct hal_msi_chip msi;
} its;

/* ---- commands ---- */

/* One command, done when this returns. lock held. 0, or -EIO: the ITS has stopped. */
static int command(u64 a, u64 b, u64 c)
{
	u64 *slot = its.queue + its.tail / 8;

	slot[0] = a;
	slot[1] = b;
	slot[2] = c;
	slot[3] = 0;
	its.tail = (its.tail + CMD_SIZE) % QUEUE_SIZE;
	mb(); /* the command before the register that hands it over */
	writeq(its.tail, its.regs + GITS_CWRITER);
	for (unsigned int i = 0; i < WAIT_SPINS; i++) {
		u64 done = readq(its.regs + GITS_CREADR);

		if (done & CREADR_STALLED)
			return -EIO;
		if (done == its.tail)
			return 0;
		hal_cpu_relax();
	}
	return -EIO;
}

/* All commands about @cpu's interrupts have come through. */
static int sync(unsigned int cpu)
{
	return command(CMD_SYNC, 0, its.rdbase[cpu] & ~BASER_VALID);
}

/* Set an LPI's configuration, and make the hardware look at it. */
static void lpi_config(unsigned int id, u8 value)
{
	u32 i = id - GIC_FIRST_LPI;
	unsigned long flags;

	if (i >= MAX_LPIS)
		return;
	flags = gic_lock_irqsave(&its.lock);
	its.config[i] = value;
	mb(); /* the byte before the command to read it */
	if (command(CMD_INV | (u64)its.lpi[i].device << 32, its.lpi[i].event, 0) ||
	    sync(its.lpi[i].cpu))
		klog(3, "ITS: a command was not carried out\n");
	gic_unlock_irqrestore(&its.lock, flags);
}

static void lpi_mask(struct irq_chip *chip, unsigned int id)
{
	(void)chip;
	lpi_config(id, LPI_PRIORITY | LPI_GROUP1);
}

static void lpi_unmask(struct irq_chip *chip, unsigned int id)
{
	(void)chip;
	lpi_config(id, LPI_PRIORITY | LPI_GROUP1 | LPI_ENABLED);
}

/* An LPI has no active state; what has been acknowledged must end all the same. */
static void lpi_eoi(struct irq_chip *chip, unsigned int id)
{
	gicv3_eoi(chip, id);
}

void gicv3_lpi_handle(unsigned int id)
{
	hal_irq_dispatch(&its.irq, id);
}

/* The old CPU's redistributor hands over what is pending there. */
static int lpi_set_affinity(struct irq_chip *chip, unsigned int id, unsigned int cpu)
{
	u32 i = id - GIC_FIRST_LPI;
	unsigned long flags;
	int r = -EINVAL;

	(void)chip;
	if (i >= its.nlpis || cpu >= its.ncollections)
		return -EINVAL;
	flags = gic_lock_irqsave(&its.lock);
	if (its.rdbase[cpu]) {
		r = command(CMD_MOVI | (u64)its.lpi[i].device << 32, its.lpi[i].event, cpu);
		if (!r)
			r = sync(its.lpi[i].cpu);
		if (!r)
			its.lpi[i].cpu = cpu;
	}
	gic_unlock_irqrestore(&its.lock, flags);
	return r;
}

/* ---- requests ---- */

/* Its table of events: 256 bytes aligned, never given back. */
static int device_map(struct its_device *dev)
{
	size_t size = TYPER_ENTRY(its.typer) << EVENT_BITS;
	char *raw = kzalloc(size + 255, GFP_KERNEL);
	unsigned long flags;
	int r;

	if (!raw)
		return -ENOMEM;
	raw = (char *)ALIGN_UP((unsigned long)raw, 256UL);
	flags = gic_lock_irqsave(&its.lock);
	r = command(CMD_MAPD | (u64)dev->id << 32, EVENT_BITS - 1, BASER_VALID | virt_to_phys(raw));
	gic_unlock_irqrestore(&its.lock, flags);
	return r;
}

static struct its_device *device_get(u32 id)
{
	struct its_device *dev = its.devices;
	int r;

	while (dev && dev->id != id)
		dev = dev->next;
	if (dev)
		return dev;
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->id = id;
	r = device_map(dev);
	if (r) {
		kfree(dev);
		return ERR_PTR(r);
	}
	dev->next = its.devices;
	its.devices = dev;
	return dev;
}

static int its_request(struct hal_msi_chip *chip, const struct hal_msi_request *rq,
		       struct hal_msi *msi)
{
	struct its_device *dev;
	unsigned long flags;
	u32 i = its.nlpis, event, id;
	int r;

	(void)chip;
	if (!its.up)
		return -ENODEV;
	if (rq->cpu != 0 || rq->device >= its.max_device)
		return -EINVAL;
	dev = device_get(rq->device);
	if (IS_ERR(dev))
		return (int)PTR_ERR(dev);
	if (i == MAX_LPIS || dev->nevents >> EVENT_BITS)
		return -ENOSPC;
	event = dev->nevents++;
	id = GIC_FIRST_LPI + i;
	its.lpi[i].device = dev->id;
	its.lpi[i].event = event;
	its.nlpis++;
	flags = gic_lock_irqsave(&its.lock);
	r = command(CMD_MAPTI | (u64)dev->id << 32, event | (u64)id << 32, 0);
	if (!r)
		r = sync(0);
	gic_unlock_irqrestore(&its.lock, flags);
	*msi = (struct hal_msi){ .addr = its.doorbell, .data = event };
	return r ? r : hal_msi_attach(&its.irq, id, rq, msi);
}

/* ---- redistributors ---- */

static int redist_enable(char *regs, char *pending)
{
	u64 config = virt_to_phys(its.config) | (LPI_BITS - 1) | BASER_SHARED | RBASER_CACHED;

	if (!pending)
		return -ENOMEM;
	if (!(readq(regs + GICR_TYPER) & GICR_PLPIS) ||
	    (readl(regs + GICR_CTLR) & GICR_ENABLE_LPIS))
		return -EBUSY;
	writeq(config, regs + GICR_PROPBASER);
	writeq(virt_to_phys(pending) | BASER_SHARED | RBASER_CACHED | PENDING_ZERO,
	       regs + GICR_PENDBASER);
	if (!BASER_SHARE(readq(regs + GICR_PROPBASER)) ||
	    !BASER_SHARE(readq(regs + GICR_PENDBASER)))
		return -EOPNOTSUPP;
	writel(readl(regs + GICR_CTLR) | GICR_ENABLE_LPIS, regs + GICR_CTLR);
	mb();
	return 0;
}

/* This CPU's collection is its redistributor. */
static int collection_map(unsigned int cpu, u64 rdbase)
{
	unsigned long flags = gic_lock_irqsave(&its.lock);
	int r;

	writel(readl(its.regs + GITS_CTLR) | CTLR_ENABLED, its.regs + GITS_CTLR);
	its.rdbase[cpu] = BASER_VALID | rdbase;
	r = command(CMD_MAPC, 0, BASER_VALID | rdbase | cpu);
	if (!r)
		r = sync(cpu);
	if (r)
		its.rdbase[cpu] = 0;
	gic_unlock_irqrestore(&its.lock, flags);
	return r;
}

void gicv3_lpi_cpu_init(char *regs, paddr_t pa)
{
	unsigned int cpu = hal_cpu_id();
	int r;

	/* The boot CPU comes first: without it there are none. */
	if (!its.regs || its.rdbase[cpu] || cpu >= its.ncollections || (cpu && !its.up))
		return;
	r = redist_enable(regs, its.pending[cpu]);
	if (!r)
		r = collection_map(cpu, its.typer & TYPER_PTA
						? pa
						: (readq(regs + GICR_TYPER) >> 8 & 0xffff) << 16);
	if (!cpu)
		its.up = !r;
	if (r)
		klog(3, "ITS: not used by CPU %u: %d\n", cpu, r);
}

/* ---- the ITS ---- */

/* Give it the table that BASER @n wants: 64 KiB, in whatever pages it knows. */
static int __init table_set(unsigned int n)
{
	char *reg = its.regs + GITS_BASER(n), *table;
	u64 base, got;

	table = kpages_alloc(GFP_ZERO, __builtin_ctz(TABLE_SIZE / PAGE_SIZE));
	if (!table)
		return -ENOMEM;
	base = BASER_VALID | BASER_CACHED | BASER_SHARED | virt_to_phys(table);
	for (u64 page = 2;; page = got >> BASER_PAGE & 3) {
		u64 pages = TABLE_SIZE >> (12 + 2 * page);

		writeq(base | page << BASER_PAGE | (pages - 1), reg);
		got = readq(reg);
		if ((got >> BASER_PAGE & 3) == page)
			break;
		if ((got >> BASER_PAGE & 3) > page)
			return -EIO; /* every page size was refused */
	}
	if (!BASER_SHARE(got))
		return -EOPNOTSUPP;
	if (BASER_TYPE(got) == TYPE_COLLECTIONS)
		its.ncollections += TABLE_SIZE / BASER_ENTRY(got);
	if (BASER_TYPE(got) == TYPE_DEVICES)
		its.max_device =
			min(TABLE_SIZE / BASER_ENTRY(got), 1ULL << TYPER_DEVBITS(its.typer));
	return 0;
}

static int __init tables_init(void)
{
	its.ncollections = TYPER_HCC(its.typer);
	for (unsigned int n = 0; n < 8; n++) {
		u64 type = BASER_TYPE(readq(its.regs + GITS_BASER(n)));
		int r = type == TYPE_DEVICES || type == TYPE_COLLECTIONS ? table_set(n) : 0;

		if (r)
			return r;
	}
	its.ncollections = min(its.ncollections, boot_info.ncpus);
	return its.max_device && its.ncollections ? 0 : -ENODEV;
}

static int __init memory_init(void)
{
	unsigned int order = __builtin_ctz((1u << LPI_BITS) / 2 / PAGE_SIZE);

	its.queue = kpages_alloc(GFP_ZERO, 0);
	its.config = kpages_alloc(GFP_ZERO, order);
	if (!its.queue || !its.config)
		return -ENOMEM;
	for (unsigned int cpu = 0; cpu < its.ncollections; cpu++) {
		its.pending[cpu] = kpages_alloc(GFP_ZERO, __builtin_ctz(TABLE_SIZE / PAGE_SIZE));
		if (!its.pending[cpu])
			its.ncollections = cpu; /* the others stay without */
	}
	if (!its.ncollections)
		return -ENOMEM;
	for (unsigned int i = 0; i < MAX_LPIS; i++)
		its.config[i] = LPI_PRIORITY | LPI_GROUP1;
	writeq(BASER_VALID | BASER_CACHED | BASER_SHARED | virt_to_phys(its.queue),
	       its.regs + GITS_CBASER);
	writeq(0, its.regs + GITS_CWRITER);
	return BASER_SHARE(readq(its.regs + GITS_CBASER)) ? 0 : -EOPNOTSUPP;
}

/* What firmware left running stops before its tables are replaced. */
static int __init its_stop(void)
{
	writel(readl(its.regs + GITS_CTLR) & ~CTLR_ENABLED, its.regs + GITS_CTLR);
	for (unsigned int i = 0; i < WAIT_SPINS; i++)
		if (readl(its.regs + GITS_CTLR) & CTLR_QUIESCENT)
			return 0;
	return -EIO;
}

static int __init its_probe(const void *fdt, int node)
{
	struct boot_range where;
	int r = its.regs ? -EBUSY
			 : fdt_map_regs(fdt, node, 0, GITS_TRANSLATER + 4, &its.regs, &where);

	if (r)
		return r;
	its.doorbell = where.base + GITS_TRANSLATER;
	its.typer = readq(its.regs + GITS_TYPER);
	r = its_stop();
	if (!r)
		r = tables_init();
	if (!r)
		r = memory_init();
	if (r) {
		its.regs = NULL;
		return r;
	}
	its.irq = (struct irq_chip){ .name = "ITS",
				     .mask = lpi_mask,
				     .unmask = lpi_unmask,
				     .eoi = lpi_eoi,
				     .set_affinity = lpi_set_affinity };
	its.msi.phandle = gic_phandle(fdt, node);
	its.msi.request = its_request;
	hal_irq_chip_register(&its.irq);
	hal_msi_chip_register(&its.msi);
	return 0;
}

FDT_DRIVER(its_driver) = {
	.name = "its",
	.compatible = (const char *const[]){ "arm,gic-v3-its", NULL },
	.level = DRIVER_MSI,
	.probe = its_probe,
};

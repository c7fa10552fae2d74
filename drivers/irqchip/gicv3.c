/* SPDX-License-Identifier: MIT */
/*
 * The Arm generic interrupt controller, version 3 (and 4, as a version 3).
 *
 * The distributor routes device interrupts (SPI) by affinity; each CPU has a redistributor, found by
 * its affinity value, for its own interrupts (SGI, PPI), and a CPU interface in system registers.
 * Interrupts are non-secure group 1. Device interrupts go to the boot CPU until set_affinity moves them.
 * Messages come through gicv3_its.c as LPIs, whose numbers begin where the others have long ended.
 *
 * Source: Arm GIC Architecture Specification versions 3 and 4 (IHI 0069); Linux
 * Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml.
 *
 * Locking: as in gicv2.c.
 */
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/ipi.h>
#include <hal/irq.h>
#include <hal/paging.h>
#include <hal/upcall.h>

#include "gic.h"

#define GICD_IGROUPR   0x080
#define GICD_IROUTER   0x6000
#define CTLR_ARE       (1 << 4)
#define CTLR_GRP1      (1 << 1)
#define CTLR_RWP       (1U << 31)

/* Redistributor: two or more frames of 64 KiB, the second for SGIs and PPIs */
#define GICR_CTLR      0x0000
#define GICR_TYPER     0x0008
#define GICR_WAKER     0x0014
#define GICR_SGI       0x10000
#define GICR_FRAME     0x20000
#define CTLR_RWP_R     (1 << 3)
#define WAKER_SLEEP    (1 << 1)
#define WAKER_ASLEEP   (1 << 2)
#define TYPER_VLPIS    (1 << 1)
#define TYPER_LAST     (1 << 4)

#define MAX_REGIONS 4
#define WAIT_SPINS  1000000

/* System registers by encoding, which every assembler knows. */
#define ICC_PMR	    "s3_0_c4_c6_0"
#define ICC_IAR1    "s3_0_c12_c12_0"
#define ICC_EOIR1   "s3_0_c12_c12_1"
#define ICC_BPR1    "s3_0_c12_c12_3"
#define ICC_CTLR    "s3_0_c12_c12_4"
#define ICC_SRE	    "s3_0_c12_c12_5"
#define ICC_IGRPEN1 "s3_0_c12_c12_7"
#define ICC_SGI1R   "s3_0_c12_c11_5"

#define icc_write(reg, v) __asm__ __volatile__("msr " reg ", %0" : : "r"((u64)(v)) : "memory")
#define icc_read(reg)                                                                              \
	({                                                                                         \
		u64 __v;                                                                           \
		__asm__ __volatile__("mrs %0, " reg : "=r"(__v) : : "memory");                     \
		__v;                                                                               \
	})
#define icc_sync() __asm__ __volatile__("isb" ::: "memory")

static struct {
	char *regs;
	struct boot_range where;
} regions[MAX_REGIONS];
static unsigned int nregions;
static u64 region_stride; /* 0: as GICR_TYPER says */
static char *dist;
static char *redist[CONFIG_NR_CPUS];
static unsigned int nirqs;
static int gic_lock;
static u32 ppi_enabled; /* lines the boot CPU uses: every CPU does */

/* Changes of enable bits take a while to have effect. */
static void wait_clear(char *reg, u32 bit)
{
	for (unsigned int i = 0; i < WAIT_SPINS && (readl(reg) & bit); i++)
		hal_cpu_relax();
}

/* The enable registers of an interrupt: this CPU's redistributor or the distributor. */
static char *enable_base(unsigned int hwirq)
{
	return hwirq < GIC_FIRST_SPI ? redist[hal_cpu_id()] + GICR_SGI : dist;
}

static void gicv3_mask(struct irq_chip *chip, unsigned int hwirq)
{
	(void)chip;
	writel(1U << hwirq % 32, enable_base(hwirq) + GICD_ICENABLER + hwirq / 32 * 4);
	if (hwirq < GIC_FIRST_SPI)
		wait_clear(redist[hal_cpu_id()] + GICR_CTLR, CTLR_RWP_R);
	else
		wait_clear(dist + GICD_CTLR, CTLR_RWP);
}

static void gicv3_unmask(struct irq_chip *chip, unsigned int hwirq)
{
	(void)chip;
	if (hwirq < GIC_FIRST_SPI)
		ppi_enabled |= 1U << hwirq;
	writel(1U << hwirq % 32, enable_base(hwirq) + GICD_ISENABLER + hwirq / 32 * 4);
}

void gicv3_eoi(struct irq_chip *chip, unsigned int hwirq)
{
	(void)chip;
	icc_write(ICC_EOIR1, hwirq);
	icc_sync();
}

static int gicv3_set_affinity(struct irq_chip *chip, unsigned int hwirq, unsigned int cpu)
{
	(void)chip;
	if (hwirq < GIC_FIRST_SPI || cpu >= boot_info.ncpus)
		return -EINVAL;
	writeq(boot_info.cpu_hwid[cpu], dist + GICD_IROUTER + hwirq * 8);
	return 0;
}

static int gicv3_xlate(struct irq_chip *chip, const u32 *spec, unsigned int ncells)
{
	bool edge;
	int hwirq = gic_xlate(spec, ncells, nirqs, &edge);
	unsigned long flags;

	(void)chip;
	if (hwirq < 0)
		return hwirq;
	flags = gic_lock_irqsave(&gic_lock);
	gic_set_trigger(enable_base((unsigned int)hwirq) + GICD_ICFGR, (unsigned int)hwirq, edge);
	gic_unlock_irqrestore(&gic_lock, flags);
	return hwirq;
}

static struct irq_chip gicv3_chip = {
	.name = "GICv3",
	.mask = gicv3_mask,
	.unmask = gicv3_unmask,
	.eoi = gicv3_eoi,
	.set_affinity = gicv3_set_affinity,
	.xlate = gicv3_xlate,
};

/* Without CONFIG_GICV3_ITS: none was enabled. */
__weak void gicv3_lpi_handle(unsigned int id)
{
	gicv3_eoi(&gicv3_chip, id);
}

__weak void gicv3_lpi_cpu_init(char *regs, paddr_t pa)
{
	(void)regs;
	(void)pa;
}

static void gicv3_handle(void)
{
	for (;;) {
		unsigned int id = icc_read(ICC_IAR1) & 0xffffff;

		/* The acknowledgement must have happened before the handler looks at the device. */
		__asm__ __volatile__("dsb sy\n\tisb" ::: "memory");
		if (id >= GIC_FIRST_LPI) {
			gicv3_lpi_handle(id);
		} else if (id >= GIC_SPURIOUS) {
			return;
		} else if (id < GIC_FIRST_PPI) {
			gicv3_eoi(&gicv3_chip, id);
			hal_ipi_handle(id);
		} else {
			hal_irq_dispatch(&gicv3_chip, id);
		}
	}
}

/* Affinity levels 3, 2, 1 select up to 16 CPUs (range * 16), of which the list picks one. */
static void gicv3_send(unsigned int cpu, unsigned int ipi)
{
	u64 hwid = boot_info.cpu_hwid[cpu];
	u64 aff0 = hwid & 0xff;
	u64 value = (hwid >> 32 & 0xff) << 48 | (aff0 / 16) << 44 | (hwid >> 16 & 0xff) << 32 |
		    (u64)ipi << 24 | (hwid >> 8 & 0xff) << 16 | 1ULL << aff0 % 16;

	icc_write(ICC_SGI1R, value);
	icc_sync();
}

static u64 redist_size(u64 typer)
{
	if (region_stride)
		return region_stride;
	return typer & TYPER_VLPIS ? 2 * GICR_FRAME : GICR_FRAME;
}

/* The redistributor whose affinity is @hwid (Aff3 in bits 32-39, as in MPIDR), or NULL. *pa: where it is. */
static char *find_redist(u64 hwid, paddr_t *pa)
{
	u32 affinity = (u32)(hwid >> 32 << 24) | (u32)(hwid & 0xffffff);

	for (unsigned int r = 0; r < nregions; r++) {
		u64 offset = 0;

		while (offset + GICR_FRAME <= regions[r].where.size) {
			char *regs = regions[r].regs + offset;
			u64 typer = readq(regs + GICR_TYPER);

			*pa = regions[r].where.base + offset;
			if (typer >> 32 == affinity)
				return regs;
			if (typer & TYPER_LAST)
				break;
			offset += redist_size(typer);
		}
	}
	return NULL;
}

static void redist_init(char *regs)
{
	char *sgi = regs + GICR_SGI;

	writel(readl(regs + GICR_WAKER) & ~WAKER_SLEEP, regs + GICR_WAKER);
	wait_clear(regs + GICR_WAKER, WAKER_ASLEEP);
	writel(U32_MAX, sgi + GICD_ICENABLER);
	wait_clear(regs + GICR_CTLR, CTLR_RWP_R);
	writel(U32_MAX, sgi + GICD_IGROUPR);
	for (unsigned int i = 0; i < 32; i += 4)
		writel(GIC_PRIORITY4, sgi + GICD_IPRIORITYR + i);
	writel(ppi_enabled | 0xffff, sgi + GICD_ISENABLER);
}

static void gicv3_cpu_init(void)
{
	unsigned int cpu = hal_cpu_id();
	paddr_t pa;

	redist[cpu] = find_redist(boot_info.cpu_hwid[cpu], &pa);
	if (!redist[cpu])
		panic("GICv3: CPU %u has no redistributor", cpu);
	redist_init(redist[cpu]);
	gicv3_lpi_cpu_init(redist[cpu], pa);
	icc_write(ICC_SRE, icc_read(ICC_SRE) | 1);
	icc_sync();
	icc_write(ICC_PMR, 0xf0);
	icc_write(ICC_BPR1, 0);
	icc_write(ICC_CTLR, 0);
	icc_write(ICC_IGRPEN1, 1);
	icc_sync();
}

static const struct hal_ipi_ops gicv3_ipi = { .send = gicv3_send, .cpu_init = gicv3_cpu_init };

static void __init dist_init(void)
{
	writel(0, dist + GICD_CTLR);
	wait_clear(dist + GICD_CTLR, CTLR_RWP);
	nirqs = gic_count(dist);
	for (unsigned int i = GIC_FIRST_SPI; i < nirqs; i += 32) {
		writel(U32_MAX, dist + GICD_ICENABLER + i / 8);
		writel(U32_MAX, dist + GICD_IGROUPR + i / 8);
	}
	for (unsigned int i = GIC_FIRST_SPI; i < nirqs; i += 4)
		writel(GIC_PRIORITY4, dist + GICD_IPRIORITYR + i);
	writel(CTLR_ARE | CTLR_GRP1, dist + GICD_CTLR);
	wait_clear(dist + GICD_CTLR, CTLR_RWP);
	for (unsigned int i = GIC_FIRST_SPI; i < nirqs; i++)
		writeq(boot_info.cpu_hwid[0], dist + GICD_IROUTER + i * 8);
}

static int __init gicv3_probe(const void *fdt, int node)
{
	int err = fdt_map_regs(fdt, node, 0, GICD_IROUTER + 8 * GIC_MAX_IRQS, &dist, NULL);
	u32 n = fdt_node_u32(fdt, node, "#redistributor-regions", 1);
	const fdt64_t *stride = fdt_getprop(fdt, node, "redistributor-stride", NULL);

	region_stride = stride ? fdt64_to_cpu(*stride) : 0;
	for (; !err && nregions < n && nregions < MAX_REGIONS; nregions++)
		err = fdt_map_regs(fdt, node, 1 + nregions, GICR_FRAME, &regions[nregions].regs,
				   &regions[nregions].where);
	if (err)
		return err;
	dist_init();
	gicv3_cpu_init();
	gicv3_chip.phandle = gic_phandle(fdt, node);
	hal_irq_chip_register(&gicv3_chip);
	hal_ipi_register(&gicv3_ipi);
	hal_irq_set_root(gicv3_handle);
	return 0;
}

FDT_DRIVER(gicv3_driver) = {
	.name = "gicv3",
	.compatible = (const char *const[]){ "arm,gic-v3", NULL },
	.level = DRIVER_IRQCHIP,
	.probe = gicv3_probe,
};

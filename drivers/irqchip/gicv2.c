/* SPDX-License-Identifier: MIT */
/*
 * The Arm generic interrupt controller, version 2.
 *
 * Interrupts 0-15 are sent by CPUs (SGI), 16-31 belong to each CPU (PPI), the rest to devices (SPI).
 * The distributor is shared, except that its registers for the first 32 are banked by CPU. Device
 * interrupts go to the boot CPU until set_affinity moves them.
 *
 * Source: Arm GIC Architecture Specification version 2.0 (IHI 0048B); Linux
 * Documentation/devicetree/bindings/interrupt-controller/arm,gic.yaml.
 *
 * Locking: gic_lock (interrupts off) for read-modify-write of configuration registers; enabling,
 * disabling and acknowledging are single accesses.
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

#include "gic.h"

/* CPU interface */
#define GICC_CTLR 0x00
#define GICC_PMR  0x04
#define GICC_IAR  0x0c
#define GICC_EOIR 0x10

#define GICD_ITARGETSR 0x800
#define GICD_SGIR      0xf00
#define CTLR_ENABLE    1
#define IAR_ID	       0x3ff

static char *dist, *cpuif;
static unsigned int nirqs;
static int gic_lock;
static u8 cpu_mask[CONFIG_NR_CPUS]; /* of each CPU's interface, as the distributor names it */
static u32 ppi_enabled;		    /* lines the boot CPU uses: every CPU does */

static void gicv2_mask(struct irq_chip *chip, unsigned int hwirq)
{
	(void)chip;
	writel(1U << hwirq % 32, dist + GICD_ICENABLER + hwirq / 32 * 4);
}

static void gicv2_unmask(struct irq_chip *chip, unsigned int hwirq)
{
	(void)chip;
	if (hwirq < GIC_FIRST_SPI)
		ppi_enabled |= 1U << hwirq;
	writel(1U << hwirq % 32, dist + GICD_ISENABLER + hwirq / 32 * 4);
}

static int gicv2_set_affinity(struct irq_chip *chip, unsigned int hwirq, unsigned int cpu)
{
	(void)chip;
	if (hwirq < GIC_FIRST_SPI || !cpu_mask[cpu])
		return -EINVAL;
	writeb(cpu_mask[cpu], dist + GICD_ITARGETSR + hwirq);
	return 0;
}

static int gicv2_xlate(struct irq_chip *chip, const u32 *spec, unsigned int ncells)
{
	bool edge;
	int hwirq = gic_xlate(spec, ncells, nirqs, &edge);
	unsigned long flags;

	(void)chip;
	if (hwirq < 0)
		return hwirq;
	flags = gic_lock_irqsave(&gic_lock);
	gic_set_trigger(dist + GICD_ICFGR, (unsigned int)hwirq, edge);
	gic_unlock_irqrestore(&gic_lock, flags);
	return hwirq;
}

static struct irq_chip gicv2_chip = {
	.name = "GICv2",
	.mask = gicv2_mask,
	.unmask = gicv2_unmask,
	.set_affinity = gicv2_set_affinity,
	.xlate = gicv2_xlate,
};

/* Completion names the sender of an SGI too, so it is done here with the word that was read. */
static void gicv2_handle(void)
{
	for (;;) {
		u32 iar = readl(cpuif + GICC_IAR);
		unsigned int id = iar & IAR_ID;

		if (id >= GIC_SPURIOUS)
			return;
		if (id < GIC_FIRST_PPI) {
			writel(iar, cpuif + GICC_EOIR);
			hal_ipi_handle(id);
		} else {
			hal_irq_dispatch(&gicv2_chip, id);
			writel(iar, cpuif + GICC_EOIR);
		}
	}
}

static void gicv2_send(unsigned int cpu, unsigned int ipi)
{
	writel((u32)cpu_mask[cpu] << 16 | ipi, dist + GICD_SGIR);
}

/* The target registers of the banked interrupts read as the reading CPU's own mask. */
static u8 own_mask(void)
{
	u32 mask = 0;

	for (unsigned int i = 0; i < 32 && !mask; i += 4)
		mask = readl(dist + GICD_ITARGETSR + i);
	mask |= mask >> 16;
	mask |= mask >> 8;
	return (u8)mask;
}

static void gicv2_cpu_init(void)
{
	cpu_mask[hal_cpu_id()] = own_mask();
	writel(U32_MAX, dist + GICD_ICENABLER);
	for (unsigned int i = 0; i < 32; i += 4)
		writel(GIC_PRIORITY4, dist + GICD_IPRIORITYR + i);
	writel(ppi_enabled | 0xffff, dist + GICD_ISENABLER);
	writel(0xff, cpuif + GICC_PMR);
	writel(CTLR_ENABLE, cpuif + GICC_CTLR);
}

static const struct hal_ipi_ops gicv2_ipi = { .send = gicv2_send, .cpu_init = gicv2_cpu_init };

static void __init dist_init(void)
{
	u32 target;

	writel(0, dist + GICD_CTLR);
	nirqs = gic_count(dist);
	gicv2_cpu_init();
	target = cpu_mask[hal_cpu_id()] ? cpu_mask[hal_cpu_id()] : 1;
	target |= target << 8 | target << 16 | target << 24;
	for (unsigned int i = GIC_FIRST_SPI; i < nirqs; i += 4) {
		writel(target, dist + GICD_ITARGETSR + i);
		writel(GIC_PRIORITY4, dist + GICD_IPRIORITYR + i);
	}
	for (unsigned int i = GIC_FIRST_SPI; i < nirqs; i += 32)
		writel(U32_MAX, dist + GICD_ICENABLER + i / 8);
	writel(CTLR_ENABLE, dist + GICD_CTLR);
}

static int __init gicv2_probe(const void *fdt, int node)
{
	int err = fdt_map_regs(fdt, node, 0, GICD_SGIR + 4, &dist, NULL);

	if (!err)
		err = fdt_map_regs(fdt, node, 1, GICC_EOIR + 4, &cpuif, NULL);
	if (err)
		return err;
	dist_init();
	gicv2_chip.phandle = gic_phandle(fdt, node);
	hal_irq_chip_register(&gicv2_chip);
	hal_ipi_register(&gicv2_ipi);
	hal_irq_set_root(gicv2_handle);
	return 0;
}

FDT_DRIVER(gicv2_driver) = {
	.name = "gicv2",
	.compatible = (const char *const[]){ "arm,cortex-a15-gic", "arm,gic-400",
					     "arm,cortex-a9-gic", "arm,cortex-a7-gic", NULL },
	.level = DRIVER_IRQCHIP,
	.probe = gicv2_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * GICv2m: a frame of registers whose writes raise interrupts of a GICv2.
 *
 * The frame has a range of the distributor's interrupts (SPI). Each message that is asked for takes the next; its line is the GIC's.
 * Source: Arm Server Base System Architecture (DEN 0029), appendix E; Linux
 * Documentation/devicetree/bindings/interrupt-controller/arm,gic.yaml.
 *
 * Locking: none; the count of interrupts handed out is atomic.
 */
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <hal/msi.h>

#include "gic.h"

#define MSI_TYPER  0x008
#define MSI_SETSPI 0x040

#define EDGE 1 /* of a specifier's flags */

static struct hal_msi_chip chip;
static paddr_t doorbell;
static u32 parent_phandle, first, count;
static u32 used; /* atomic */

static int v2m_request(struct hal_msi_chip *c, const struct hal_msi_request *rq,
		       struct hal_msi *msi)
{
	struct irq_chip *gic = hal_irq_chip_find(parent_phandle);
	u32 n, spec[3] = { 0, 0, EDGE };
	int r;

	(void)c;
	if (!gic)
		return -ENODEV;
	n = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
	if (n >= count) {
		__atomic_store_n(&used, count, __ATOMIC_RELAXED);
		return -ENOSPC;
	}
	spec[1] = first + n - GIC_FIRST_SPI;
	r = gic->xlate(gic, spec, 3);
	if (r >= 0)
		r = gic->set_affinity(gic, first + n, rq->cpu);
	*msi = (struct hal_msi){ .addr = doorbell, .data = first + n };
	return r ? r : hal_msi_attach(gic, first + n, rq, msi);
}

static int __init v2m_probe(const void *fdt, int node)
{
	struct boot_range where;
	char *regs;
	u32 typer;
	int r = chip.request ? -EBUSY : fdt_map_regs(fdt, node, 0, MSI_SETSPI + 4, &regs, &where);

	if (r)
		return r;
	doorbell = where.base + MSI_SETSPI;
	typer = readl(regs + MSI_TYPER);
	/* The tree knows better where the hardware is wrong. */
	first = fdt_node_u32(fdt, node, "arm,msi-base-spi", typer >> 16 & 0x3ff);
	count = fdt_node_u32(fdt, node, "arm,msi-num-spis", typer & 0x3ff);
	if (first < GIC_FIRST_SPI || !count || count > GIC_MAX_IRQS || first + count > GIC_MAX_IRQS)
		return -EINVAL;
	parent_phandle = gic_phandle(fdt, fdt_node_parent(fdt, node));
	chip.phandle = gic_phandle(fdt, node);
	chip.request = v2m_request;
	hal_msi_chip_register(&chip);
	return 0;
}

FDT_DRIVER(gicv2m_driver) = {
	.name = "gicv2m",
	.compatible = (const char *const[]){ "arm,gic-v2m-frame", NULL },
	.level = DRIVER_MSI,
	.probe = v2m_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * "snps,dw-mshc" and "starfive,jh7110-mmc". The clock's rate is as the firmware, which reads the same card, has left it.
 * Source: Linux Documentation/devicetree/bindings/mmc/synopsys-dw-mshc.yaml, starfive,jh7110-mmc.yaml.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <drivers/mmc/dw.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <libfdt.h>
#include <mm/slab.h>

#define DW_SIZE	  0x208
#define CIU	  1	    /* which of "clocks" is the card interface's */
#define BASE_HZ	  200000000 /* the fastest that a JH7110's can be: too slow is right */

static void dw_irq(void *arg)
{
	struct dw_mmc *d = arg;

	mmc_status_interrupt(&d->status);
}

static bool __init has(const void *fdt, int node, const char *name)
{
	return fdt_getprop(fdt, node, name, NULL) != NULL;
}

/* The bus's clock: what the tree says it is, or was to be set to. */
static u32 __init base_rate(const void *fdt, int node)
{
	u64 hz = clk_rate_fdt(fdt, node, CIU);

	if (!hz)
		hz = fdt_node_u32(fdt, node, "clock-frequency", 0);
	return hz && hz <= U32_MAX ? (u32)hz : BASE_HZ;
}

static int __init dw_probe(const void *fdt, int node)
{
	struct dw_mmc *d;
	char *regs;
	int r = fdt_map_regs(fdt, node, 0, DW_SIZE, &regs, NULL);

	if (r)
		return r;
	r = clk_start_fdt(fdt, node);
	if (r)
		return r;
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	d->base_hz = base_rate(fdt, node);
	d->fifo_depth = fdt_node_u32(fdt, node, "fifo-depth", 0);
	d->no_detect = has(fdt, node, "broken-cd") || has(fdt, node, "non-removable") ||
		       has(fdt, node, "cd-gpios");
	d->no_protect = has(fdt, node, "disable-wp") || has(fdt, node, "wp-gpios");
	mmc_host_from_fdt(&d->host, fdt, node);
	d->regs = regs;
	r = dw_mmc_setup(d);
	if (r) {
		kfree(d);
		return r;
	}
	d->status.has_irq = !hal_irq_request_fdt(fdt, node, 0, dw_irq, d, "dw-mmc");
	return mmc_host_register(&d->host);
}

FDT_DRIVER(dw_mmc_driver) = {
	.name = "dw-mmc",
	.compatible = (const char *const[]){ "snps,dw-mshc", "starfive,jh7110-mmc", NULL },
	.level = DRIVER_OTHER,
	.probe = dw_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * "mmc-spi-slot" nodes whose parent is SiFive's SPI controller, the only one known here.
 * Source: Linux Documentation/devicetree/bindings/mmc/mmc-spi-slot.yaml, spi/spi-sifive.yaml.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <drivers/mmc/spi.h>
#include <err.h>
#include <hal/driver.h>
#include <mm/slab.h>

#define SPI_SIZE   0x78
#define MAX_DEVICE 31
#define IN_HZ	   500000000 /* of a FU540 at its fastest, where the tree does not tell: too slow is right */
#define SLOT_HZ	   20000000

struct slot {
	struct sifive_spi spi;
	struct mmc_spi mmc;
};

static int __init slot_add(const void *fdt, int node, int parent, char *regs)
{
	struct slot *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int r;

	if (!s)
		return -ENOMEM;
	s->spi.regs = regs;
	s->spi.in_hz = clk_rate_fdt(fdt, parent, 0);
	if (!s->spi.in_hz)
		s->spi.in_hz = IN_HZ;
	s->spi.device = fdt_node_u32(fdt, node, "reg", 0);
	sifive_spi_setup(&s->spi);
	s->mmc.bus = &s->spi.bus;
	mmc_host_from_fdt(&s->mmc.host, fdt, node);
	mmc_spi_setup(&s->mmc);
	s->mmc.host.max_hz = fdt_node_u32(fdt, node, "spi-max-frequency", SLOT_HZ);
	r = mmc_host_register(&s->mmc.host);
	if (r)
		kfree(s);
	return r;
}

static int __init slot_probe(const void *fdt, int node)
{
	int parent = fdt_node_parent(fdt, node);
	char *regs;
	int r;

	if (parent < 0 || !fdt_node_is_compatible(fdt, parent, "sifive,spi0") ||
	    !fdt_node_enabled(fdt, parent))
		return -ENODEV;
	if (fdt_node_u32(fdt, node, "reg", 0) > MAX_DEVICE)
		return -EINVAL;
	r = fdt_map_regs(fdt, parent, 0, SPI_SIZE, &regs, NULL);
	return r ? r : slot_add(fdt, node, parent, regs);
}

FDT_DRIVER(mmc_spi_driver) = {
	.name = "mmc-spi",
	.compatible = (const char *const[]){ "mmc-spi-slot", NULL },
	.level = DRIVER_OTHER,
	.probe = slot_probe,
};

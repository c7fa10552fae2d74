/* SPDX-License-Identifier: MIT */
/* "brcm,bcm2835-sdhost". Source: Linux Documentation/devicetree/bindings/mmc/brcm,bcm2835-sdhost.yaml. */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <drivers/mmc/sdhost.h>
#include <drivers/pinctrl/bcm2835.h>
#include <err.h>
#include <hal/driver.h>
#include <mm/slab.h>

#define SDHOST_SIZE 0x54
#define BASE_HZ	    500000000 /* of the fastest board; the tree leaves the rate to firmware: too slow is right */

static int __init sdhost_probe(const void *fdt, int node)
{
	struct sdhost *s;
	char *regs;
	u64 hz;
	int r = fdt_map_regs(fdt, node, 0, SDHOST_SIZE, &regs, NULL);

	if (r)
		return r;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->regs = regs;
	hz = clk_rate_fdt(fdt, node, 0);
	s->base_hz = hz && hz <= U32_MAX ? (u32)hz : BASE_HZ;
	mmc_host_from_fdt(&s->host, fdt, node);
	bcm2835_pins_apply(fdt, node);
	sdhost_setup(s);
	r = mmc_host_register(&s->host);
	if (r)
		kfree(s);
	return r;
}

FDT_DRIVER(sdhost_driver) = {
	.name = "bcm2835-sdhost",
	.compatible = (const char *const[]){ "brcm,bcm2835-sdhost", NULL },
	.level = DRIVER_OTHER,
	.probe = sdhost_probe,
};

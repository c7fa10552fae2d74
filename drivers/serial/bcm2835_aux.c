/* SPDX-License-Identifier: MIT */
/*
 * The block of small devices of the BCM2835 family: its first register lets the mini-UART be used at all.
 *
 * The mini-UART itself is close enough to a 16550 to be driven as one (ns16550.c).
 * Source: BCM2835 ARM Peripherals, chapter 2.
 */
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>

#define AUX_ENABLES 0x04
#define ENABLE_UART 1

static int __init aux_probe(const void *fdt, int node)
{
	char *regs;
	int err = fdt_map_regs(fdt, node, 0, AUX_ENABLES + 4, &regs, NULL);

	if (err)
		return err;
	writel(readl(regs + AUX_ENABLES) | ENABLE_UART, regs + AUX_ENABLES);
	return 0;
}

/* Before the serial ports. */
FDT_DRIVER(bcm2835_aux_driver) = {
	.name = "bcm2835-aux",
	.compatible = (const char *const[]){ "brcm,bcm2835-aux", NULL },
	.level = DRIVER_TIMER,
	.probe = aux_probe,
};

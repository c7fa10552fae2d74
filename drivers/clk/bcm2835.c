/* SPDX-License-Identifier: MIT */
/*
 * Clocks of a Raspberry Pi: the rates of those that lead to card controllers and serial ports, which its firmware sets and tells.
 * Source: Linux Documentation/devicetree/bindings/clock/brcm,bcm2835-cprman.txt, include/dt-bindings/clock/bcm2835.h (the tree's
 * numbers); the maker's documentation of the mailbox's property interface (the firmware's).
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <drivers/firmware/raspberrypi.h>
#include <hal/upcall.h>

static const struct {
	u8 tree, firmware;
	const char *name;
} clocks[] = { { 19, 2, "UART" }, { 20, 4, "core" }, { 28, 1, "EMMC" }, { 51, 12, "EMMC2" } };

static u64 bcm2835_rate(const void *fdt, int node, u32 id)
{
	u32 hz;

	(void)node;
	for (unsigned int i = 0; i < ARRAY_SIZE(clocks); i++) {
		if (clocks[i].tree != id ||
		    rpi_firmware_ask(fdt, RPI_GET_CLOCK_RATE, clocks[i].firmware, &hz))
			continue;
		klog(6, "raspberrypi: the firmware runs the %s clock at %u Hz\n", clocks[i].name,
		     hz);
		return hz;
	}
	return 0;
}

const struct clk_type bcm2835_clk = { "brcm,bcm2835-cprman", bcm2835_rate, NULL };
const struct clk_type bcm2711_clk = { "brcm,bcm2711-cprman", bcm2835_rate, NULL };

/* SPDX-License-Identifier: MIT */
/*
 * Gates of the clocks of Sophgo's CV1800B (its generator is the SG2002's too): serial ports, card controllers, timers, watchdog. Their rates
 * are not read: the drivers' limits are what the chip can have. Nobody has tried it on a board.
 * Source: CV1800B/SG2002 Technical Reference Manual, "Clock"; Linux Documentation/devicetree/bindings/clock/sophgo,cv1800-clk.yaml,
 * include/dt-bindings/clock/sophgo,cv1800.h (the numbers).
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <hal/driver.h>
#include <hal/io.h>

#define ENABLE_SIZE 0x14 /* of the words of gates, at the start */

/* Clocks @first to @last have gates one after the other from @bit of word @word on. */
static const struct {
	u8 first, last, word, bit;
} gates[] = {
	{ 24, 32, 0, 15 }, /* eMMC, SD0, SD1: bus, card, 100 kHz */
	{ 58, 58, 1, 7 },  /* watchdog */
	{ 69, 76, 3, 9 },  /* timers */
	{ 77, 86, 1, 14 }, /* serial ports: baud rate, bus */
};

static void cv1800_enable(const void *fdt, int node, u32 id)
{
	char *regs;

	for (unsigned int i = 0; i < ARRAY_SIZE(gates); i++) {
		char *word;
		u32 bit;

		if (id < gates[i].first || id > gates[i].last ||
		    fdt_map_regs(fdt, node, 0, ENABLE_SIZE, &regs, NULL))
			continue;
		word = regs + 4 * gates[i].word;
		bit = 1u << (gates[i].bit + id - gates[i].first);
		if (!(readl(word) & bit))
			writel(readl(word) | bit, word);
	}
}

const struct clk_type cv1800_clk = { "sophgo,cv1800-clk", NULL, cv1800_enable };

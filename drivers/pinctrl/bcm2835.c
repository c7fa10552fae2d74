/* SPDX-License-Identifier: MIT */
/*
 * The functions of a Raspberry Pi's pins, three bits each, ten in a word.
 *
 * Firmware has set most of them; the card's are set again, because an emulated firmware is none, and because the card can be
 * wired to either of two controllers. Pulls are left as they are.
 * Source: BCM2835 ARM Peripherals, chapter 6; Linux Documentation/devicetree/bindings/pinctrl/brcm,bcm2835-gpio.txt.
 */
#include <compiler.h>
#include <drivers/pinctrl/bcm2835.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <libfdt.h>

#define NPINS	      58
#define PINS_IN_WORD  10
#define SELECT_SIZE   0x18
#define FUNCTION_MASK 7u

static void __init pin_set(char *regs, u32 pin, u32 function)
{
	char *word = regs + pin / PINS_IN_WORD * 4;
	unsigned int shift = pin % PINS_IN_WORD * 3;

	writel((readl(word) & ~(FUNCTION_MASK << shift)) | function << shift, word);
}

static char *__init gpio_regs(const void *fdt, int gpio)
{
	char *regs;

	if (gpio < 0 ||
	    (!fdt_node_is_compatible(fdt, gpio, "brcm,bcm2835-gpio") &&
	     !fdt_node_is_compatible(fdt, gpio, "brcm,bcm2711-gpio")) ||
	    fdt_map_regs(fdt, gpio, 0, SELECT_SIZE, &regs, NULL))
		return NULL;
	return regs;
}

static void __init group_apply(const void *fdt, int group)
{
	int len;
	const fdt32_t *pins = fdt_getprop(fdt, group, "brcm,pins", &len);
	u32 function = fdt_node_u32(fdt, group, "brcm,function", FUNCTION_MASK + 1);
	char *regs = pins ? gpio_regs(fdt, fdt_node_parent(fdt, group)) : NULL;

	if (!regs || function > FUNCTION_MASK)
		return;
	for (int i = 0; i < len / 4; i++)
		if (fdt32_to_cpu(pins[i]) < NPINS)
			pin_set(regs, fdt32_to_cpu(pins[i]), function);
}

void __init bcm2835_pins_apply(const void *fdt, int node)
{
	for (unsigned int i = 0;; i++) {
		int group = fdt_find_phandle(fdt, node, "pinctrl-0", i);

		if (group < 0)
			return;
		group_apply(fdt, group);
	}
}

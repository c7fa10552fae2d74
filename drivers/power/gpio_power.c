/* SPDX-License-Identifier: MIT */
/*
 * Reset and power off by a GPIO line: nodes "gpio-restart" and "gpio-poweroff" whose line belongs to SiFive's GPIO
 * controller, the only controller known here. It is set up by register access alone: nothing else uses it.
 * Source: Linux Documentation/devicetree/bindings/power/reset/gpio-{restart,poweroff}.yaml; SiFive FU540-C000
 * Manual, chapter 17.
 *
 * No locking: one of each, written while probing; called when all else has stopped.
 */
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/power.h>
#include <libfdt.h>

#define GPIO_OUTPUT_EN	0x08
#define GPIO_OUTPUT_VAL 0x0c
#define GPIO_REGS	0x48
#define GPIO_LINES	32
#define GPIO_ACTIVE_LOW 1

#define DEFAULT_DELAY_MS 100
#define GIVE_UP_MS	 3000

struct gpio_line {
	char *regs; /* NULL: not there */
	u32 bit;
	bool active_low;
	u32 active_ms, inactive_ms;
};

static struct gpio_line off_line, reset_line;

static void gpio_drive(const struct gpio_line *line, bool active)
{
	char *value = line->regs + GPIO_OUTPUT_VAL;
	u32 old = readl(value) & ~line->bit;

	writel(active != line->active_low ? old | line->bit : old, value);
	writel(readl(line->regs + GPIO_OUTPUT_EN) | line->bit, line->regs + GPIO_OUTPUT_EN);
}

/* Both edges and both levels, as the binding says: the board may react to any. */
static void gpio_pulse(const struct gpio_line *line)
{
	gpio_drive(line, true);
	hal_power_wait_ms(line->active_ms);
	gpio_drive(line, false);
	hal_power_wait_ms(line->inactive_ms);
	gpio_drive(line, true);
	hal_power_wait_ms(GIVE_UP_MS);
}

static void gpio_off(int code)
{
	(void)code;
	gpio_pulse(&off_line);
}

static void gpio_reset(void)
{
	gpio_pulse(&reset_line);
}

static int __init gpio_line_setup(const void *fdt, int node, struct gpio_line *line)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "gpios", &len);
	int ctrl = fdt_find_phandle(fdt, node, "gpios", 0);

	if (ctrl < 0 || !p || len < 12)
		return -EINVAL;
	if (!fdt_node_is_compatible(fdt, ctrl, "sifive,gpio0"))
		return -ENODEV;
	if (fdt32_to_cpu(p[1]) >= GPIO_LINES)
		return -EINVAL;
	line->bit = 1U << fdt32_to_cpu(p[1]);
	line->active_low = fdt32_to_cpu(p[2]) & GPIO_ACTIVE_LOW;
	line->active_ms = fdt_node_u32(fdt, node, "active-delay", DEFAULT_DELAY_MS);
	line->inactive_ms = fdt_node_u32(fdt, node, "inactive-delay", DEFAULT_DELAY_MS);
	return fdt_map_regs(fdt, ctrl, 0, GPIO_REGS, &line->regs, NULL);
}

static int __init gpio_off_probe(const void *fdt, int node)
{
	int err = gpio_line_setup(fdt, node, &off_line);

	if (!err)
		hal_power_register(POWER_BOARD, gpio_off, NULL);
	return err;
}

static int __init gpio_reset_probe(const void *fdt, int node)
{
	int err = gpio_line_setup(fdt, node, &reset_line);

	if (!err)
		hal_power_register(POWER_BOARD, NULL, gpio_reset);
	return err;
}

FDT_DRIVER(gpio_off_driver) = {
	.name = "gpio-poweroff",
	.compatible = (const char *const[]){ "gpio-poweroff", NULL },
	.level = DRIVER_OTHER,
	.probe = gpio_off_probe,
};

FDT_DRIVER(gpio_reset_driver) = {
	.name = "gpio-restart",
	.compatible = (const char *const[]){ "gpio-restart", NULL },
	.level = DRIVER_OTHER,
	.probe = gpio_reset_probe,
};

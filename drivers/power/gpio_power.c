/* SPDX-License-Identifier: MIT */
/*
 * Reset and power off by a GPIO line: nodes "gpio-restart" and "gpio-poweroff" whose line belongs to one of
 *
 *	sifive,gpio0			a bit for each line
 *	starfive,jh7110-sys-pinctrl	fields that say which of the chip's signals a line has, 0 and 1 among them; nobody has tried it on a board
 *
 * It is set up by register access alone: nothing else uses these controllers.
 * Source: Linux Documentation/devicetree/bindings/power/reset/gpio-{restart,poweroff}.yaml; SiFive FU540-C000
 * Manual, chapter 17; JH7110 Technical Reference Manual, "SYS IOMUX CFG".
 *
 * No locking: one of each, written while probing; called when all else has stopped.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/power.h>
#include <libfdt.h>

#define GPIO_ACTIVE_LOW 1

#define DEFAULT_DELAY_MS 100
#define GIVE_UP_MS	 3000

/* A kind of controller; @drive makes a line an output that is @high. */
struct gpio_type {
	const char *compatible;
	u32 lines, size;
	void (*drive)(char *regs, u32 line, bool high);
};

struct gpio_line {
	const struct gpio_type *type;
	char *regs; /* NULL: not there */
	u32 line;
	bool active_low;
	u32 active_ms, inactive_ms;
};

static struct gpio_line off_line, reset_line;

static void set_field(char *word, u32 mask, u32 value)
{
	writel((readl(word) & ~mask) | value, word);
}

#define SIFIVE_OUTPUT_EN  0x08
#define SIFIVE_OUTPUT_VAL 0x0c
#define SIFIVE_SIZE	  0x48

static void sifive_drive(char *regs, u32 line, bool high)
{
	u32 bit = 1U << line;

	set_field(regs + SIFIVE_OUTPUT_VAL, bit, high ? bit : 0);
	set_field(regs + SIFIVE_OUTPUT_EN, 0, bit);
}

#define JH7110_ENABLE	   0x00 /* which signal enables the output; 0: always. Four lines in a word */
#define JH7110_OUTPUT	   0x40 /* which signal is put out; 0 and 1: these levels */
#define JH7110_ENABLE_MASK 0x3fU
#define JH7110_OUTPUT_MASK 0x7fU
#define JH7110_SIZE	   0x80

static void jh7110_drive(char *regs, u32 line, bool high)
{
	char *word = regs + line / 4 * 4;
	u32 shift = line % 4 * 8;

	set_field(word + JH7110_OUTPUT, JH7110_OUTPUT_MASK << shift, (u32)high << shift);
	set_field(word + JH7110_ENABLE, JH7110_ENABLE_MASK << shift, 0);
}

static const struct gpio_type types[] = {
	{ "sifive,gpio0", 32, SIFIVE_SIZE, sifive_drive },
	{ "starfive,jh7110-sys-pinctrl", 64, JH7110_SIZE, jh7110_drive },
};

static void gpio_drive(const struct gpio_line *line, bool active)
{
	line->type->drive(line->regs, line->line, active != line->active_low);
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

static const struct gpio_type *__init type_of(const void *fdt, int ctrl)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++)
		if (fdt_node_is_compatible(fdt, ctrl, types[i].compatible))
			return &types[i];
	return NULL;
}

static int __init gpio_line_setup(const void *fdt, int node, struct gpio_line *line)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "gpios", &len);
	int ctrl = fdt_find_phandle(fdt, node, "gpios", 0);
	int err;

	if (ctrl < 0 || !p || len < 12)
		return -EINVAL;
	line->type = type_of(fdt, ctrl);
	if (!line->type)
		return -ENODEV;
	line->line = fdt32_to_cpu(p[1]);
	if (line->line >= line->type->lines)
		return -EINVAL;
	line->active_low = fdt32_to_cpu(p[2]) & GPIO_ACTIVE_LOW;
	line->active_ms = fdt_node_u32(fdt, node, "active-delay", DEFAULT_DELAY_MS);
	line->inactive_ms = fdt_node_u32(fdt, node, "inactive-delay", DEFAULT_DELAY_MS);
	err = clk_start_fdt(fdt, ctrl);
	return err ? err : fdt_map_regs(fdt, ctrl, 0, line->type->size, &line->regs, NULL);
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

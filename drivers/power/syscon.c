/* SPDX-License-Identifier: MIT */
/*
 * Power off and reset by writing a value into a register of a system controller.
 *
 * Nodes "syscon-poweroff" and "syscon-reboot": `regmap` points to the controller, or it is the parent;
 * `offset` (or reg), `value` and `mask` say what to write; the controller's `reg-io-width` how wide.
 * Source: Linux Documentation/devicetree/bindings/power/reset/syscon-{poweroff,reboot}.yaml.
 *
 * No locking: one of each, written while probing; called when all else has stopped.
 */
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/power.h>
#include <libfdt.h>

#define SYSCON_WAIT_MS 500

struct syscon_action {
	char *reg; /* NULL: not there */
	u32 width; /* bytes an access has */
	u32 value, mask;
};

static struct syscon_action off_action, reset_action;

static u32 syscon_read(const struct syscon_action *act)
{
	switch (act->width) {
	case 1:
		return readb(act->reg);
	case 2:
		return readw(act->reg);
	default:
		return readl(act->reg);
	}
}

static void syscon_write(const struct syscon_action *act, u32 v)
{
	switch (act->width) {
	case 1:
		writeb((u8)v, act->reg);
		break;
	case 2:
		writew((u16)v, act->reg);
		break;
	default:
		writel(v, act->reg);
		break;
	}
}

static void syscon_do(const struct syscon_action *act)
{
	u32 old = act->mask == U32_MAX ? 0 : syscon_read(act) & ~act->mask;

	syscon_write(act, old | (act->value & act->mask));
}

static void syscon_off(int code)
{
	(void)code;
	syscon_do(&off_action);
	hal_power_wait_ms(SYSCON_WAIT_MS);
}

static void syscon_reset(void)
{
	syscon_do(&reset_action);
	hal_power_wait_ms(SYSCON_WAIT_MS);
}

/* "value" and "mask": with only one of them, it is the value (the old binding). */
static int __init syscon_values(const void *fdt, int node, struct syscon_action *act)
{
	bool has_value = fdt_getprop(fdt, node, "value", NULL);
	bool has_mask = fdt_getprop(fdt, node, "mask", NULL);

	if (!has_value && !has_mask)
		return -EINVAL;
	act->value = fdt_node_u32(fdt, node, has_value ? "value" : "mask", 0);
	act->mask = has_value && has_mask ? fdt_node_u32(fdt, node, "mask", 0) : U32_MAX;
	return 0;
}

static int __init syscon_setup(const void *fdt, int node, struct syscon_action *act)
{
	int regs = fdt_find_phandle(fdt, node, "regmap", 0);
	u32 offset = fdt_node_u32(fdt, node, "offset", fdt_node_u32(fdt, node, "reg", 0));
	char *base;
	int err;

	if (regs < 0)
		regs = fdt_node_parent(fdt, node);
	err = syscon_values(fdt, node, act);
	if (err)
		return err;
	act->width = fdt_node_u32(fdt, regs, "reg-io-width", 4);
	if (act->width != 1 && act->width != 2 && act->width != 4)
		return -EINVAL;
	err = fdt_map_regs(fdt, regs, 0, (u64)offset + act->width, &base, NULL);
	if (!err)
		act->reg = base + offset;
	return err;
}

static int __init syscon_off_probe(const void *fdt, int node)
{
	int err = syscon_setup(fdt, node, &off_action);

	if (!err)
		hal_power_register(POWER_BOARD, syscon_off, NULL);
	return err;
}

static int __init syscon_reset_probe(const void *fdt, int node)
{
	int err = syscon_setup(fdt, node, &reset_action);

	if (!err)
		hal_power_register(POWER_BOARD, NULL, syscon_reset);
	return err;
}

FDT_DRIVER(syscon_off_driver) = {
	.name = "syscon-poweroff",
	.compatible = (const char *const[]){ "syscon-poweroff", NULL },
	.level = DRIVER_OTHER,
	.probe = syscon_off_probe,
};

FDT_DRIVER(syscon_reset_driver) = {
	.name = "syscon-reboot",
	.compatible = (const char *const[]){ "syscon-reboot", NULL },
	.level = DRIVER_OTHER,
	.probe = syscon_reset_probe,
};

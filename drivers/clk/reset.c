/* SPDX-License-Identifier: MIT */
/*
 * The "resets" of a node: released, never asserted. One that is released already is not touched.
 *
 *	starfive,jh7110-syscrg	a bit holds the device in reset; another shows when it has left it, which takes its clock
 *	sophgo,cv1800b-reset	a bit lets the device run
 *
 * Source: JH7110 Technical Reference Manual, "System CRG"; CV1800B Technical Reference Manual, "Reset"; Linux Documentation/devicetree/
 * bindings/reset/.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/timer.h>

#define LEAVE_NS 1000000ULL

static const struct reset_type {
	const char *compatible;
	u32 count;
	u32 control;
	u32 status; /* a bit that is set: it runs; 0: there is none */
	bool runs;  /* what the control bit says of the device when it is set */
} types[] = {
	{ "starfive,jh7110-syscrg", 126, 0x2f8, 0x308, false },
	{ "sophgo,cv1800b-reset", 320, 0, 0, true },
};

static const struct reset_type *type_of(const void *fdt, int node)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++)
		if (fdt_node_is_compatible(fdt, node, types[i].compatible))
			return &types[i];
	return NULL;
}

static int await_running(char *status, u32 bit)
{
	u64 end = hal_clock_ns() + LEAVE_NS;

	while (!(readl(status) & bit)) {
		if (hal_clock_ns() > end)
			return -ETIMEDOUT;
		hal_cpu_relax();
	}
	return 0;
}

static int release(const void *fdt, const struct clk_spec *spec, const struct reset_type *type)
{
	u32 word = spec->id / 32 * 4, bit = 1u << spec->id % 32, old;
	char *regs;

	if (spec->id >= type->count ||
	    fdt_map_regs(fdt, spec->node, 0, max(type->control, type->status) + word + 4, &regs,
			 NULL))
		return 0;
	old = readl(regs + type->control + word);
	if (!(old & bit) == !type->runs)
		return 0;
	writel(old ^ bit, regs + type->control + word);
	return type->status ? await_running(regs + type->status + word, bit) : 0;
}

int reset_release_fdt(const void *fdt, int node)
{
	struct clk_spec spec;
	int err = 0;

	for (unsigned int i = 0;
	     !err && clk_spec_read(fdt, node, "resets", "#reset-cells", i, &spec) == 0; i++) {
		const struct reset_type *type = type_of(fdt, spec.node);

		if (type)
			err = release(fdt, &spec, type);
	}
	return err;
}

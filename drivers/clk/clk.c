/* SPDX-License-Identifier: MIT */
/*
 * The "clocks" of a node: fixed ones here, the FU540's PRCI (whose registers the firmware has set up) here too, others by their files.
 *
 * A rate is found by going up: a controller asks for the rates of its own clocks. In a tree that is wrong that may have no end, so
 * it has one after MAX_DEPTH.
 * Source: Linux Documentation/devicetree/bindings/clock/clock-bindings; SiFive FU540-C000 Manual, chapter 7.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <libfdt.h>

#define MAX_CELLS 4
#define MAX_DEPTH 4

/* FU540: which clock is which, and its registers. */
#define FU540_COREPLL	 0
#define FU540_TLCLK	 3
#define PRCI_COREPLLCFG0 0x04
#define PRCI_CORECLKSEL	 0x24
#define PRCI_SIZE	 0x28
#define CORECLKSEL_HFCLK 1
#define PLL_BYPASS	 (1u << 24)

int clk_spec_read(const void *fdt, int node, const char *list, const char *cells_name,
		  unsigned int index, struct clk_spec *spec)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, list, &len);
	unsigned int left = p ? (unsigned int)len / 4 : 0;

	while (left) {
		int provider = fdt_node_by_phandle(fdt, fdt32_to_cpu(*p));
		u32 cells;

		if (provider < 0)
			return -EINVAL;
		cells = fdt_node_u32(fdt, provider, cells_name, 0);
		if (cells > MAX_CELLS || cells >= left)
			return -EINVAL;
		if (index-- == 0) {
			*spec = (struct clk_spec){ provider, cells ? fdt32_to_cpu(p[1]) : 0 };
			return 0;
		}
		p += cells + 1;
		left -= cells + 1;
	}
	return -ENOENT;
}

/* ---- FU540 ---- */

/* Of the oscillator at @in: in * 2 (f + 1) / (r + 1) / 2^q. */
static u64 wrpll_rate(u32 cfg, u64 in)
{
	u32 r = cfg & 0x3f, f = cfg >> 6 & 0x1ff, q = cfg >> 15 & 7;

	return cfg & PLL_BYPASS ? in : (in * 2 * (f + 1) / (r + 1)) >> q;
}

static u64 fu540_rate(const void *fdt, int node, u32 id)
{
	u64 rate;
	char *regs;

	if ((id != FU540_COREPLL && id != FU540_TLCLK) ||
	    fdt_map_regs(fdt, node, 0, PRCI_SIZE, &regs, NULL))
		return 0;
	rate = clk_rate_fdt(fdt, node, 0);
	if (!(readl(regs + PRCI_CORECLKSEL) & CORECLKSEL_HFCLK))
		rate = wrpll_rate(readl(regs + PRCI_COREPLLCFG0), rate);
	return id == FU540_TLCLK ? rate / 2 : rate;
}

/* ---- any ---- */

static u64 fixed_rate(const void *fdt, int node, u32 id)
{
	(void)id;
	return fdt_node_u32(fdt, node, "clock-frequency", 0);
}

static const struct clk_type fixed_clk = { "fixed-clock", fixed_rate, NULL };
static const struct clk_type fu540_prci = { "sifive,fu540-c000-prci", fu540_rate, NULL };

static const struct clk_type *type_of(const void *fdt, int node)
{
	static const struct clk_type *const types[] = { &fixed_clk,  &fu540_prci, &jh7110_crg,
							&jh7110_pll, &cv1800_clk, &bcm2835_clk,
							&bcm2711_clk };

	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i] && fdt_node_is_compatible(fdt, node, types[i]->compatible))
			return types[i];
	return NULL;
}

u64 clk_rate_fdt(const void *fdt, int node, unsigned int index)
{
	static unsigned int depth;
	const struct clk_type *type;
	struct clk_spec spec;
	u64 rate;

	if (depth == MAX_DEPTH || clk_spec_read(fdt, node, "clocks", "#clock-cells", index, &spec))
		return 0;
	type = type_of(fdt, spec.node);
	if (!type || !type->rate)
		return 0;
	depth++;
	rate = type->rate(fdt, spec.node, spec.id);
	depth--;
	return rate;
}

int clk_start_fdt(const void *fdt, int node)
{
	struct clk_spec spec;

	for (unsigned int i = 0; clk_spec_read(fdt, node, "clocks", "#clock-cells", i, &spec) == 0;
	     i++) {
		const struct clk_type *type = type_of(fdt, spec.node);

		if (type && type->enable)
			type->enable(fdt, spec.node, spec.id);
	}
	return reset_release_fdt(fdt, node);
}

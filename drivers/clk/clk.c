/* SPDX-License-Identifier: MIT */
/*
 * Rates of clocks from the device tree: fixed ones, and those of the FU540's PRCI, whose registers the firmware has set up.
 * Source: Linux Documentation/devicetree/bindings/clock/clock-bindings; SiFive FU540-C000 Manual, chapter 7.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <libfdt.h>

#define MAX_CELLS 4

/* FU540: which clock is which, and its registers. */
#define FU540_COREPLL	 0
#define FU540_TLCLK	 3
#define PRCI_COREPLLCFG0 0x04
#define PRCI_CORECLKSEL	 0x24
#define PRCI_SIZE	 0x28
#define CORECLKSEL_HFCLK 1
#define PLL_BYPASS	 (1u << 24)

struct clk_spec {
	int node; /* of the provider */
	u32 id;
};

static int clk_spec_read(const void *fdt, int node, unsigned int index, struct clk_spec *spec)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "clocks", &len);
	unsigned int left = p ? (unsigned int)len / 4 : 0;

	while (left) {
		int provider = fdt_node_by_phandle(fdt, fdt32_to_cpu(*p));
		u32 cells;

		if (provider < 0)
			return provider;
		cells = fdt_node_u32(fdt, provider, "#clock-cells", 0);
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

/* Of the oscillator at @in: in * 2 (f + 1) / (r + 1) / 2^q. */
static u64 wrpll_rate(u32 cfg, u64 in)
{
	u32 r = cfg & 0x3f, f = cfg >> 6 & 0x1ff, q = cfg >> 15 & 7;

	return cfg & PLL_BYPASS ? in : (in * 2 * (f + 1) / (r + 1)) >> q;
}

static u64 fu540_rate(const void *fdt, int node, u32 id)
{
	struct clk_spec in;
	paddr_t pa;
	u64 size, rate;
	char *regs;

	if ((id != FU540_COREPLL && id != FU540_TLCLK) || clk_spec_read(fdt, node, 0, &in) ||
	    fdt_node_reg(fdt, node, 0, &pa, &size) || size < PRCI_SIZE)
		return 0;
	rate = fdt_node_u32(fdt, in.node, "clock-frequency", 0);
	regs = hal_ioremap(pa, size);
	if (!regs)
		return 0;
	if (!(readl(regs + PRCI_CORECLKSEL) & CORECLKSEL_HFCLK))
		rate = wrpll_rate(readl(regs + PRCI_COREPLLCFG0), rate);
	return id == FU540_TLCLK ? rate / 2 : rate;
}

u64 clk_rate_fdt(const void *fdt, int node, unsigned int index)
{
	struct clk_spec spec;

	if (clk_spec_read(fdt, node, index, &spec))
		return 0;
	if (fdt_node_is_compatible(fdt, spec.node, "fixed-clock"))
		return fdt_node_u32(fdt, spec.node, "clock-frequency", 0);
	if (fdt_node_is_compatible(fdt, spec.node, "sifive,fu540-c000-prci"))
		return fu540_rate(fdt, spec.node, spec.id);
	return 0;
}

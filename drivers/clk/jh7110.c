/* SPDX-License-Identifier: MIT */
/*
 * Clocks of the StarFive JH7110: those that lead to its serial ports, card controllers, timers and watchdog. Nobody has tried it on a board.
 *
 * A clock of the system's generator ("syscrg") has one word at 4 times its number: a gate, a choice of parent, a divider, as far as it has
 * them. Parents from EXTERNAL on are entries of the generator's own "clocks", among them the PLLs, which are registers of the system
 * controller.
 * Source: JH7110 Technical Reference Manual, "System CRG" and "SYS SYSCON"; Linux Documentation/devicetree/bindings/clock/
 * starfive,jh7110-{syscrg,pll}.yaml, include/dt-bindings/clock/starfive,jh7110-crg.h (the numbers).
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <hal/driver.h>
#include <hal/io.h>

#define EXTERNAL 0x100
#define OSC	 (EXTERNAL + 0)
#define PLL0	 (EXTERNAL + 9)
#define PLL2	 (EXTERNAL + 11)

#define GATE	    (1u << 31)
#define CHOICE(reg) ((reg) >> 24 & 0x3f)
#define DIVIDER	    0xffffffu
#define CRG_SIZE    0x318
#define MAX_STEPS   8

enum {
	BUS_ROOT = 5,
	AXI_CFG0 = 7,
	STG_AXIAHB = 8,
	AHB0 = 9,
	APB_BUS = 11,
	APB0 = 12,
	PERH_ROOT = 4
};
enum { GATED = 1, DIVIDED = 2, CHOSEN = 4 };

static const struct jh7110_clock {
	u8 id, has;
	u16 parent[2];
} clocks[] = {
	{ PERH_ROOT, DIVIDED | CHOSEN, { PLL0, PLL2 } },
	{ BUS_ROOT, CHOSEN, { OSC, PLL2 } },
	{ AXI_CFG0, DIVIDED, { BUS_ROOT } },
	{ STG_AXIAHB, DIVIDED, { AXI_CFG0 } },
	{ AHB0, GATED, { STG_AXIAHB } },
	{ APB_BUS, DIVIDED, { STG_AXIAHB } },
	{ APB0, GATED, { APB_BUS } },
	{ 91, GATED, { AHB0 } }, /* the card controllers' buses, then their cards */
	{ 92, GATED, { AHB0 } },
	{ 93, GATED | DIVIDED, { AXI_CFG0 } },
	{ 94, GATED | DIVIDED, { AXI_CFG0 } },
	{ 112, GATED, { APB0 } }, /* the pins' registers */
	{ 122, GATED, { APB0 } }, /* the watchdog's bus, its counter */
	{ 123, GATED, { OSC } },
	{ 124, GATED, { APB0 } }, /* the timers' bus, their counters */
	{ 125, GATED, { OSC } },
	{ 126, GATED, { OSC } },
	{ 127, GATED, { OSC } },
	{ 128, GATED, { OSC } },
	{ 145, GATED, { APB0 } }, /* a serial port's bus, its baud rate's source; six times */
	{ 146, GATED, { OSC } },
	{ 147, GATED, { APB0 } },
	{ 148, GATED, { OSC } },
	{ 149, GATED, { APB0 } },
	{ 150, GATED, { OSC } },
	{ 151, GATED, { APB0 } },
	{ 152, GATED | DIVIDED, { PERH_ROOT } },
	{ 153, GATED, { APB0 } },
	{ 154, GATED | DIVIDED, { PERH_ROOT } },
	{ 155, GATED, { APB0 } },
	{ 156, GATED | DIVIDED, { PERH_ROOT } },
};

static const struct jh7110_clock *clock_find(u32 id)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(clocks); i++)
		if (clocks[i].id == id)
			return &clocks[i];
	return NULL;
}

/* What clock @c comes from, of which @reg is the word. 0: reserved. */
static u32 parent_of(const struct jh7110_clock *c, u32 reg)
{
	u32 choice = c->has & CHOSEN ? CHOICE(reg) : 0;

	return choice < ARRAY_SIZE(c->parent) ? c->parent[choice] : 0;
}

static u64 crg_rate(const void *fdt, int node, u32 id)
{
	u64 divider = 1;
	char *regs;

	if (fdt_map_regs(fdt, node, 0, CRG_SIZE, &regs, NULL))
		return 0;
	for (unsigned int i = 0; i < MAX_STEPS && id < EXTERNAL; i++) {
		const struct jh7110_clock *c = clock_find(id);
		u32 reg = c ? readl(regs + 4 * id) : 0;

		if (!c)
			return 0;
		if (c->has & DIVIDED)
			divider *= reg & DIVIDER;
		id = parent_of(c, reg);
	}
	if (id < EXTERNAL || !divider)
		return 0;
	return clk_rate_fdt(fdt, node, id - EXTERNAL) / divider;
}

/* From the clock up to its root: a gate on the way may be shut too. */
static void crg_enable(const void *fdt, int node, u32 id)
{
	char *regs;

	if (fdt_map_regs(fdt, node, 0, CRG_SIZE, &regs, NULL))
		return;
	for (unsigned int i = 0; i < MAX_STEPS; i++) {
		const struct jh7110_clock *c = clock_find(id);
		char *word = regs + 4 * id;

		if (!c)
			return;
		if ((c->has & GATED) && !(readl(word) & GATE))
			writel(readl(word) | GATE, word);
		id = parent_of(c, readl(word));
	}
}

const struct clk_type jh7110_crg = { "starfive,jh7110-syscrg", crg_rate, crg_enable };

/* ---- PLLs ---- */

#define PLL_FRACTION	 0xffffffu
#define PLL_POST(reg)	 ((reg) >> 28 & 3) /* a power of two */
#define PLL_PRE		 0x3fu
#define PLL_SYSCON_SIZE	 0x38
#define FRACTION_BITS	 24

/* Where a PLL has its parts. Two bits, both set, turn the fraction off. */
static const struct {
	u8 mode, mode_bit, feedback, feedback_bit, fraction, pre;
} plls[] = {
	{ 0x18, 24, 0x1c, 0, 0x20, 0x24 },
	{ 0x24, 15, 0x24, 17, 0x28, 0x2c },
	{ 0x2c, 15, 0x2c, 17, 0x30, 0x34 },
};

/* in * (feedback + fraction / 2^24) / pre / 2^post */
static u64 pll_rate(const void *fdt, int node, u32 id)
{
	u64 in = clk_rate_fdt(fdt, node, 0), factor;
	u32 pre, fraction;
	char *regs;

	if (id >= ARRAY_SIZE(plls) || in > U32_MAX ||
	    fdt_map_regs(fdt, fdt_node_parent(fdt, node), 0, PLL_SYSCON_SIZE, &regs, NULL))
		return 0;
	factor = (u64)(readl(regs + plls[id].feedback) >> plls[id].feedback_bit & 0xfff)
		 << FRACTION_BITS;
	fraction = readl(regs + plls[id].fraction);
	if ((readl(regs + plls[id].mode) >> plls[id].mode_bit & 3) != 3)
		factor += fraction & PLL_FRACTION;
	pre = readl(regs + plls[id].pre) & PLL_PRE;
	/* Less than 2^36 by less than 2^28 at rates that there are: by parts, so that none overflows. */
	return pre ? ((in / pre * factor + in % pre * factor / pre) >> FRACTION_BITS) >>
			       PLL_POST(fraction)
		   : 0;
}

const struct clk_type jh7110_pll = { "starfive,jh7110-pll", pll_rate, NULL };

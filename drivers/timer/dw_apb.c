/* SPDX-License-Identifier: MIT */
/*
 * Synopsys DesignWare's timer: one of it, for a CPU that has none and whose firmware offers none. Nobody has tried it on a board.
 *
 * It counts from the value it was loaded with down to 0, interrupts, and goes on from the top: it is stopped when it has interrupted. A
 * deadline that is seconds away takes several rounds.
 * Source: the register descriptions in manuals of SoCs that have it (Altera Cyclone V HPS TRM, "Timer"); Linux Documentation/devicetree/
 * bindings/timer/snps,dw-apb-timer.yaml.
 *
 * No locking: interrupts are off wherever it is touched, on the one CPU that it is for.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/irq.h>
#include <hal/timer.h>
#include <hal/upcall.h>

#define DW_LOAD	     0x00
#define DW_CONTROL   0x08
#define DW_EOI	     0x0c /* reading it takes the interrupt back */
#define DW_SIZE	     0x14
#define CONTROL_RUN  1u
#define LEAST_TICKS  2ULL
#define MOST_NS	     ((u64)U32_MAX) /* of a round */

static char *regs; /* NULL: there is none */
static u64 hz, deadline;

static void dw_stop(void)
{
	writel(0, regs + DW_CONTROL);
	(void)readl(regs + DW_EOI);
}

static void dw_load(void)
{
	u64 now = hal_clock_ns(), left = deadline > now ? deadline - now : 0;
	u64 ticks = min(left, MOST_NS) * hz / NSEC_PER_SEC + 1;

	dw_stop();
	writel((u32)clamp(ticks, LEAST_TICKS, (u64)U32_MAX), regs + DW_LOAD);
	writel(CONTROL_RUN, regs + DW_CONTROL);
}

static void dw_set(u64 deadline_ns)
{
	deadline = deadline_ns;
	if (deadline == U64_MAX)
		dw_stop();
	else
		dw_load();
}

static void dw_interrupt(void *arg)
{
	(void)arg;
	dw_stop();
	if (deadline == U64_MAX)
		return;
	if (hal_clock_ns() < deadline) {
		dw_load();
		return;
	}
	deadline = U64_MAX;
	upcall_timer();
}

static u64 __init rate_of(const void *fdt, int node)
{
	u64 rate = clk_rate_fdt(fdt, node, 0);

	return rate ? rate : fdt_node_u32(fdt, node, "clock-frequency", 0);
}

static int __init dw_probe(const void *fdt, int node)
{
	char *mapped;
	int err = regs || !hal_timer_wanted() ? -ENODEV
					      : fdt_map_regs(fdt, node, 0, DW_SIZE, &mapped, NULL);

	if (!err)
		err = clk_start_fdt(fdt, node);
	if (err)
		return err;
	hz = rate_of(fdt, node);
	if (!hz || hz > U32_MAX)
		return -EINVAL;
	regs = mapped;
	deadline = U64_MAX;
	dw_stop();
	err = hal_irq_request_fdt(fdt, node, 0, dw_interrupt, NULL, "dw-apb-timer");
	if (err)
		regs = NULL;
	else
		hal_timer_register(dw_set);
	return err;
}

FDT_DRIVER(dw_apb_timer_driver) = {
	.name = "dw-apb-timer",
	.compatible = (const char *const[]){ "snps,dw-apb-timer", "snps,dw-apb-timer-osc",
					     "snps,dw-apb-timer-sp", NULL },
	.level = DRIVER_TIMER,
	.probe = dw_probe,
};

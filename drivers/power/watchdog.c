/* SPDX-License-Identifier: MIT */
/*
 * Reset by a watchdog, on machines where nothing better can: it is set to the shortest time and let run out. Until then it is left as
 * firmware left it.
 *
 *	snps,dw-wdt		Synopsys DesignWare
 *	starfive,jh7110-wdt	the JH7110's, whose registers are those of
 *	arm,sp805		Arm's
 *
 * Its clock and its reset are released while probing. Nobody has tried it on a board.
 * Source: the register descriptions in manuals of SoCs that have it (Altera Cyclone V HPS TRM); Arm SP805 TRM (DDI 0270); Linux
 * Documentation/devicetree/bindings/watchdog/{snps,dw-wdt,starfive,jh7100-wdt,arm,sp805}.yaml.
 *
 * No locking: one of each, written while probing; called when all else has stopped.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/power.h>

#define WAIT_MS 1000

/* ---- DesignWare ---- */

#define DW_CR	    0x00
#define DW_TORR	    0x04 /* time: 2^(16 + n) clocks */
#define DW_CRR	    0x0c
#define CR_ENABLE   1u
#define CR_IRQ_FIRST 2u
#define CRR_RESTART 0x76

static char *dw;

static void dw_reset(void)
{
	writel(0, dw + DW_TORR);
	writel((readl(dw + DW_CR) & ~CR_IRQ_FIRST) | CR_ENABLE, dw + DW_CR);
	writel(CRR_RESTART, dw + DW_CRR); /* only now the new time is taken */
	hal_power_wait_ms(WAIT_MS);
}

/* ---- SP805 ---- */

#define SP_LOAD	      0x000
#define SP_CONTROL    0x008
#define SP_CLEAR      0x00c
#define SP_LOCK	      0xc00
#define CONTROL_COUNT 1u
#define CONTROL_RESET 2u
#define LOCK_OPEN     0x1acce551
#define SHORT	      1000 /* clocks; the second time that it comes to 0 resets */

static char *sp;

static void sp_reset(void)
{
	writel(LOCK_OPEN, sp + SP_LOCK);
	writel(0, sp + SP_CONTROL);
	writel(SHORT, sp + SP_LOAD);
	writel(1, sp + SP_CLEAR);
	writel(CONTROL_COUNT | CONTROL_RESET, sp + SP_CONTROL);
	hal_power_wait_ms(WAIT_MS);
}

/* ---- both ---- */

static int __init watchdog_setup(const void *fdt, int node, u64 size, char **regs,
				 void (*reset)(void))
{
	char *mapped;
	int err = *regs ? -EBUSY : fdt_map_regs(fdt, node, 0, size, &mapped, NULL);

	if (!err)
		err = clk_start_fdt(fdt, node);
	if (err)
		return err;
	*regs = mapped;
	hal_power_register(POWER_WATCHDOG, NULL, reset);
	return 0;
}

static int __init dw_probe(const void *fdt, int node)
{
	return watchdog_setup(fdt, node, DW_CRR + 4, &dw, dw_reset);
}

static int __init sp_probe(const void *fdt, int node)
{
	return watchdog_setup(fdt, node, SP_LOCK + 4, &sp, sp_reset);
}

FDT_DRIVER(dw_watchdog_driver) = {
	.name = "dw-wdt",
	.compatible = (const char *const[]){ "snps,dw-wdt", NULL },
	.level = DRIVER_OTHER,
	.probe = dw_probe,
};

FDT_DRIVER(sp805_driver) = {
	.name = "sp805",
	.compatible = (const char *const[]){ "starfive,jh7110-wdt", "arm,sp805", NULL },
	.level = DRIVER_OTHER,
	.probe = sp_probe,
};

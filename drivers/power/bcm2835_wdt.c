/* SPDX-License-Identifier: MIT */
/*
 * Reset and power off of a Raspberry Pi by the watchdog of its power manager.
 *
 * The watchdog is set to run out at once. The firmware, which runs first after any reset, finds in six bits of a
 * status register which partition to boot; 63 tells it to stay off.
 * Source: BCM2835 ARM Peripherals errata (power manager); Linux
 * Documentation/devicetree/bindings/soc/bcm/brcm,bcm2835-pm.yaml.
 *
 * No locking: one of them, called when all else has stopped.
 */
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/power.h>

#define PM_RSTC 0x1c
#define PM_RSTS 0x20
#define PM_WDOG 0x24

#define PM_PASSWORD	0x5a000000
#define RSTC_HOW	0x30
#define RSTC_FULL	0x20
#define RSTS_PARTITION	0x555 /* every other bit */
#define WDOG_TICKS	10    /* of 1/65536 s */
#define WAIT_MS		100

static char *pm;

static void watchdog_reset(void)
{
	writel(PM_PASSWORD | WDOG_TICKS, pm + PM_WDOG);
	writel(PM_PASSWORD | (readl(pm + PM_RSTC) & ~RSTC_HOW & 0xffffff) | RSTC_FULL,
	       pm + PM_RSTC);
	hal_power_wait_ms(WAIT_MS);
}

/* The firmware has no place for an exit code. */
static void watchdog_off(int code)
{
	(void)code;
	writel(PM_PASSWORD | (readl(pm + PM_RSTS) & 0xffffff) | RSTS_PARTITION, pm + PM_RSTS);
	watchdog_reset();
}

static int __init watchdog_probe(const void *fdt, int node)
{
	int err = pm ? -EBUSY : fdt_map_regs(fdt, node, 0, PM_WDOG + 4, &pm, NULL);

	if (err)
		return err;
	hal_power_register(POWER_WATCHDOG, watchdog_off, watchdog_reset);
	return 0;
}

FDT_DRIVER(bcm2835_wdt_driver) = {
	.name = "bcm2835-wdt",
	.compatible = (const char *const[]){ "brcm,bcm2835-pm-wdt", NULL },
	.level = DRIVER_OTHER,
	.probe = watchdog_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * The Arm PL031 real-time clock: seconds since 1970 in one register.
 * Source: PrimeCell Real Time Clock (PL031) Technical Reference Manual (DDI 0224).
 */
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/timer.h>

#define RTC_DR 0x00

static char *regs;

static u64 pl031_read(void)
{
	return readl(regs + RTC_DR);
}

static int __init pl031_probe(const void *fdt, int node)
{
	int err = fdt_map_regs(fdt, node, 0, RTC_DR + 4, &regs, NULL);

	if (err)
		return err;
	hal_rtc_register(pl031_read);
	return 0;
}

FDT_DRIVER(pl031_driver) = {
	.name = "pl031",
	.compatible = (const char *const[]){ "arm,pl031", NULL },
	.level = DRIVER_OTHER,
	.probe = pl031_probe,
};

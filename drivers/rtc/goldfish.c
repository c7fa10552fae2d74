/* SPDX-License-Identifier: MIT */
/*
 * The goldfish real-time clock of QEMU's virt machine ("google,goldfish-rtc"): nanoseconds since 1970.
 *
 * Source: Android goldfish virtual hardware specification; QEMU hw/rtc/goldfish_rtc.c (the interface).
 */
#include <compiler.h>
#include <hal/timer.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>

#define RTC_TIME_LOW  0x00 /* reading it latches the high half */
#define RTC_TIME_HIGH 0x04

static char *regs;

static u64 goldfish_read(void)
{
	u32 low = readl(regs + RTC_TIME_LOW);
	u32 high = readl(regs + RTC_TIME_HIGH);

	return ((u64)high << 32 | low) / 1000000000;
}

static int __init goldfish_probe(const void *fdt, int node)
{
	int err = fdt_map_regs(fdt, node, 0, RTC_TIME_HIGH + 4, &regs, NULL);

	if (err)
		return err;
	hal_rtc_register(goldfish_read);
	return 0;
}

FDT_DRIVER(goldfish_driver) = {
	.name = "goldfish-rtc",
	.compatible = (const char *const[]){ "google,goldfish-rtc", NULL },
	.level = DRIVER_OTHER,
	.probe = goldfish_probe,
};

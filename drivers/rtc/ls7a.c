/* SPDX-License-Identifier: MIT */
/*
 * The clock of Loongson's bridge chip (LS7A): the "TOY" counter, a calendar in UTC.
 * Source: Loongson 7A1000 user manual, chapter 17. The second word counts years from 1900.
 */
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/timer.h>

#define TOY_READ0 0x2c
#define TOY_READ1 0x30
#define RTC_CTRL  0x40

#define RTC_CTRL_TOYEN BIT(11)
#define RTC_CTRL_EO    BIT(8)

static char *regs;

/* Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March here. */
static s64 days_from_civil(s64 year, unsigned int month, unsigned int day)
{
	s64 y = month <= 2 ? year - 1 : year;
	unsigned int m = (month + 9) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static u64 to_seconds(u32 lo, u32 year)
{
	unsigned int month = lo >> 26 & 63, day = lo >> 21 & 31;
	u64 seconds = (lo >> 16 & 31) * 3600 + (lo >> 10 & 63) * 60 + (lo >> 4 & 63);

	if (month < 1 || month > 12 || day < 1 || year < 70)
		return 0;
	return (u64)days_from_civil(1900 + (s64)year, month, day) * 86400 + seconds;
}

/* The year may change between the two words, once: what changes again is no clock. */
static u64 ls7a_read(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		u32 year = readl(regs + TOY_READ1), lo = readl(regs + TOY_READ0);

		if (readl(regs + TOY_READ1) == year)
			return to_seconds(lo, year);
	}
	return 0;
}

static int __init ls7a_probe(const void *fdt, int node)
{
	int err = fdt_map_regs(fdt, node, 0, RTC_CTRL + 4, &regs, NULL);

	if (err)
		return err;
	writel(readl(regs + RTC_CTRL) | RTC_CTRL_TOYEN | RTC_CTRL_EO, regs + RTC_CTRL);
	hal_rtc_register(ls7a_read);
	return 0;
}

FDT_DRIVER(ls7a_driver) = {
	.name = "ls7a-rtc",
	.compatible = (const char *const[]){ "loongson,ls7a-rtc", NULL },
	.level = DRIVER_OTHER,
	.probe = ls7a_probe,
};

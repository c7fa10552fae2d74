/* SPDX-License-Identifier: MIT */
/*
 * The CMOS real-time clock: seconds since 1970, read once at boot.
 *
 * The clock is read twice until both readings agree and no update was in progress between them. It is
 * taken to run in UTC. Source: Motorola MC146818 data sheet.
 */
#include "pc.h"

#include <hal/timer.h>
#include <lib/string.h>

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

enum {
	RTC_SEC = 0,
	RTC_MIN = 2,
	RTC_HOUR = 4,
	RTC_DAY = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9,
	RTC_A = 10,
	RTC_B = 11
};

#define RTC_A_UPDATING 0x80
#define RTC_B_24H      0x02
#define RTC_B_BINARY   0x04
#define HOUR_PM	       0x80

struct rtc_time {
	u8 sec, min, hour, day, month, year;
};

static u8 cmos_read(u8 reg)
{
	outb(CMOS_INDEX, reg);
	return inb(CMOS_DATA);
}

static bool rtc_read(struct rtc_time *t)
{
	for (unsigned int i = 0; cmos_read(RTC_A) & RTC_A_UPDATING; i++)
		if (i > 100000)
			return false;
	t->sec = cmos_read(RTC_SEC);
	t->min = cmos_read(RTC_MIN);
	t->hour = cmos_read(RTC_HOUR);
	t->day = cmos_read(RTC_DAY);
	t->month = cmos_read(RTC_MONTH);
	t->year = cmos_read(RTC_YEAR);
	return true;
}

static u8 from_bcd(u8 v)
{
	return (u8)((v >> 4) * 10 + (v & 15));
}

static void normalise(struct rtc_time *t)
{
	u8 mode = cmos_read(RTC_B);
	bool pm = t->hour & HOUR_PM;

	t->hour &= (u8)~HOUR_PM;
	if (!(mode & RTC_B_BINARY)) {
		t->sec = from_bcd(t->sec);
		t->min = from_bcd(t->min);
		t->hour = from_bcd(t->hour);
		t->day = from_bcd(t->day);
		t->month = from_bcd(t->month);
		t->year = from_bcd(t->year);
	}
	if (!(mode & RTC_B_24H))
		t->hour = (u8)(t->hour % 12 + (pm ? 12 : 0));
}

/* Days since 1970 of a date of the Gregorian calendar; the year begins in March here. */
static u64 days(unsigned int year, unsigned int month, unsigned int day)
{
	unsigned int y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;

	return 365ULL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static u64 cmos_seconds(void)
{
	struct rtc_time a, b;

	for (unsigned int i = 0; i < 10; i++) {
		if (!rtc_read(&a) || !rtc_read(&b))
			return 0;
		if (memcmp(&a, &b, sizeof(a)) == 0)
			break;
	}
	normalise(&b);
	if (b.month < 1 || b.month > 12 || b.day < 1 || b.day > 31 || b.hour > 23 || b.min > 59 ||
	    b.sec > 60)
		return 0;
	return days(b.year + (b.year < 70 ? 2000 : 1900), b.month, b.day) * 86400 +
	       b.hour * 3600ULL + b.min * 60ULL + b.sec;
}

void cmos_rtc_init(void)
{
	hal_rtc_register(cmos_seconds);
}

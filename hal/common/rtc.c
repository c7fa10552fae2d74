/* SPDX-License-Identifier: MIT */
/*
 * The wall clock at boot: the first real-time clock that gives a time later than 1970.
 * No lock: drivers register while the boot CPU probes devices.
 */
#include <hal/timer.h>

#define MAX_CLOCKS 4

static u64 (*clocks[MAX_CLOCKS])(void);
static unsigned int nclocks;

void hal_rtc_register(u64 (*read)(void))
{
	if (nclocks < MAX_CLOCKS)
		clocks[nclocks++] = read;
}

u64 hal_wallclock(void)
{
	for (unsigned int i = 0; i < nclocks; i++) {
		u64 seconds = clocks[i]();

		if (seconds)
			return seconds;
	}
	return 0;
}

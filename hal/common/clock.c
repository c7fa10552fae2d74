/* SPDX-License-Identifier: MIT */
/*
 * The clock: a counter that runs at a fixed rate, as nanoseconds since boot.
 *
 * The time since boot is <hal/clock_time.h>'s. Differences, either way, are a multiplication by a 32.32 fixed-point factor: exact for the
 * usual rates, off by less than 1 in 10^9 otherwise. A deadline is converted relative to now, so that the error does not grow with uptime.
 */
#include <hal/timer.h>

#define MAX_AHEAD_NS (1ULL << 60) /* 36 years: the counter does not overflow */

struct hal_clock hal_clock;

static u64 scale(u64 v, u64 factor)
{
	return (u64)((unsigned __int128)v * factor >> 32);
}

void hal_clock_init(u64 freq)
{
	hal_clock.freq = freq;
	hal_clock.sec_per_tick = clock_sec_per_tick(freq);
	hal_clock.ns_per_tick = (NSEC_PER_SEC << 32) / freq;
	hal_clock.ticks_per_ns = freq >> 32 ? (freq / 1000 << 32) / (NSEC_PER_SEC / 1000)
					    : (freq << 32) / NSEC_PER_SEC;
	hal_clock.origin = arch_counter_ordered();
}

u64 hal_timer_freq(void)
{
	return hal_clock.freq;
}

u64 hal_counter_to_ns(u64 ticks)
{
	return scale(ticks, hal_clock.ns_per_tick);
}

u64 hal_clock_ns(void)
{
	return clock_ns_of(arch_counter_ordered() - hal_clock.origin, hal_clock.sec_per_tick);
}

u64 hal_deadline_ticks(u64 deadline_ns)
{
	u64 now = arch_counter_ordered();
	u64 now_ns = clock_ns_of(now - hal_clock.origin, hal_clock.sec_per_tick);
	u64 left = deadline_ns > now_ns ? deadline_ns - now_ns : 0;

	return now + scale(min(left, MAX_AHEAD_NS), hal_clock.ticks_per_ns) + (left != 0);
}

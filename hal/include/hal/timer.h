/* SPDX-License-Identifier: MIT */
/*
 * Time: one monotonic nanosecond clock and one one-shot timer per CPU.
 */
#ifndef HAL_TIMER_H
#define HAL_TIMER_H

#include <arch/counter.h>
#include <hal/clock_time.h>
#include <types.h>

/* The clock behind hal_clock_ns(), <hal/clock_time.h>. Constant after boot; the vDSO has a copy. */
struct hal_clock {
	u64 freq, origin;
	u64 sec_per_tick;	       /* 0.64 */
	u64 ns_per_tick, ticks_per_ns; /* 32.32, for differences */
};
extern struct hal_clock hal_clock;

/** hal_clock_init() - the clock begins now; @freq: of the counter, Hz. For machine code, once, on the boot CPU. */
void hal_clock_init(u64 freq);
/** hal_deadline_ticks() - what the counter will show at @deadline_ns or just after; now, if that is past. For timer drivers. */
u64 hal_deadline_ticks(u64 deadline_ns);

/** hal_clock_ns() - nanoseconds since boot; monotonic and equal on all CPUs. Any context. */
u64 hal_clock_ns(void);
/** hal_timer_set() - upcall_timer() on this CPU at or soon after @deadline_ns (of hal_clock_ns); replaces the
 *  earlier deadline; U64_MAX: none. A deadline in the past fires at once. Interrupts off. */
void hal_timer_set(u64 deadline_ns);
/**
 * hal_timer_wanted() - whether this machine's CPU has no timer of its own, nor its firmware one: hal_timer_set() then goes to what
 * hal_timer_register() was told. It is called with interrupts off on the CPU that probes devices. Where a CPU's timer is part of the
 * architecture there are no such functions. Context: device probing, DRIVER_TIMER.
 */
bool hal_timer_wanted(void);
void hal_timer_register(void (*set)(u64 deadline_ns));
/**
 * hal_counter() - the free-running counter behind hal_clock_ns(), in ticks: the cheapest stamp there is, equal on all
 * CPUs. hal_counter_to_ns(): a difference of two stamps in nanoseconds. hal_timer_freq(): ticks per second. Any context.
 */
static __always_inline u64 hal_counter(void)
{
	return arch_counter();
}
u64 hal_counter_to_ns(u64 ticks);
u64 hal_timer_freq(void);
/** hal_wallclock() - seconds since 1970 from an RTC, or 0 where there is none. Boot. */
u64 hal_wallclock(void);
/** hal_rtc_register() - an RTC driver offers its clock: @read returns seconds since 1970, 0 if not set. Device probing. */
void hal_rtc_register(u64 (*read)(void));

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Time: the time CSR counts at a fixed rate on all harts; each hart has one comparator, its own CSR
 * (Sstc) or the firmware's (SBI TIME).
 *
 * Ticks become nanoseconds by a fixed-point multiplication with 1e9/freq, whose fraction has 32 bits:
 * exact for the usual rates, off by less than 1 in 10^9 otherwise.
 */
#include "sbi.h"

#include <arch/csr.h>
#include <arch/trap.h>
#include <compiler.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <libfdt.h>

#define SCALE_SHIFT 32

static u64 freq;
static u64 boot_ticks;
static u64 ns_per_tick; /* << SCALE_SHIFT */
static u64 ticks_per_ns;
static bool has_sstc;

u64 hal_timer_freq(void)
{
	return freq;
}

u64 hal_counter_to_ns(u64 ticks)
{
	return (u64)((unsigned __int128)ticks * ns_per_tick >> SCALE_SHIFT);
}

void hal_clock_scale(u64 *origin_ticks, u64 *mult)
{
	*origin_ticks = boot_ticks;
	*mult = ns_per_tick;
}

u64 hal_clock_ns(void)
{
	return hal_counter_to_ns(hal_counter() - boot_ticks);
}

/* The first tick at or after @ns. */
static u64 ns_to_ticks(u64 ns)
{
	return boot_ticks + (u64)((unsigned __int128)ns * ticks_per_ns >> SCALE_SHIFT) + 1;
}

static void set_comparator(u64 ticks)
{
	if (has_sstc)
		csr_write(0x14d, ticks); /* stimecmp */
	else
		sbi_call(SBI_EXT_TIME, SBI_TIME_SET, ticks, 0, 0, 0, 0);
}

void hal_timer_set(u64 deadline_ns)
{
	if (deadline_ns == U64_MAX) {
		csr_clear(sie, IE_STIE);
		return;
	}
	set_comparator(deadline_ns > S64_MAX ? U64_MAX : ns_to_ticks(deadline_ns));
	csr_set(sie, IE_STIE);
}

/* The comparator keeps the interrupt pending: it stays off until the next deadline is set. */
void riscv64_timer_interrupt(void)
{
	csr_clear(sie, IE_STIE);
	upcall_timer();
}

void __init timer_init(const void *fdt)
{
	int cpus = fdt_path_offset(fdt, "/cpus");

	freq = cpus >= 0 ? fdt_node_u32(fdt, cpus, "timebase-frequency", 0) : 0;
	if (freq == 0)
		panic("the device tree has no /cpus/timebase-frequency");
	ns_per_tick = (1000000000ULL << SCALE_SHIFT) / freq;
	ticks_per_ns = (freq << SCALE_SHIFT) / 1000000000ULL;
	boot_ticks = hal_counter();
	has_sstc = cpuinfo_has("sstc");
}

/* SPDX-License-Identifier: MIT */
/*
 * Time: the time CSR counts at a fixed rate on all harts; each hart has one comparator, its own CSR
 * (Sstc) or the firmware's (SBI TIME). A machine with neither, whose firmware then cannot start other harts
 * either, has a timer on the board.
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

static bool has_sstc, has_comparator;
static void (*board_timer)(u64 deadline_ns);

static void set_comparator(u64 ticks)
{
	if (has_sstc)
		csr_write(0x14d, ticks); /* stimecmp */
	else
		sbi_call(SBI_EXT_TIME, SBI_TIME_SET, ticks, 0, 0, 0, 0);
}

void hal_timer_set(u64 deadline_ns)
{
	if (unlikely(!has_comparator)) {
		if (board_timer)
			board_timer(deadline_ns);
		return;
	}
	if (deadline_ns == U64_MAX) {
		csr_clear(sie, IE_STIE);
		return;
	}
	set_comparator(hal_deadline_ticks(deadline_ns));
	csr_set(sie, IE_STIE);
}

/* The comparator keeps the interrupt pending: it stays off until the next deadline is set. */
void riscv64_timer_interrupt(void)
{
	csr_clear(sie, IE_STIE);
	upcall_timer();
}

bool hal_timer_wanted(void)
{
	return !has_comparator;
}

void hal_timer_register(void (*set)(u64 deadline_ns))
{
	board_timer = set;
}

void __init timer_check(void)
{
	if (!has_comparator && !board_timer)
		panic("neither CPU nor firmware has a timer, and the device tree none that this "
		      "kernel knows");
}

void __init timer_init(const void *fdt)
{
	int cpus = fdt_find_top(fdt, "cpus");
	u32 freq = cpus >= 0 ? fdt_node_u32(fdt, cpus, "timebase-frequency", 0) : 0;

	if (freq == 0)
		panic("the device tree has no /cpus/timebase-frequency");
	hal_clock_init(freq);
	has_sstc = cpuinfo_has("sstc");
	has_comparator = has_sstc || sbi_has(SBI_EXT_TIME);
}

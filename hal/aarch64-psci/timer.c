/* SPDX-License-Identifier: MIT */
/*
 * The generic timer: the virtual counter is the clock, the virtual timer of each CPU its one-shot.
 *
 * Nanoseconds and ticks are converted by multiplication with a 32.32 fixed-point factor; a deadline is
 * converted relative to now, so that the rounding error does not grow with uptime.
 * Source: Arm ARM D12; Linux Documentation/devicetree/bindings/timer/arm,arch_timer.yaml.
 */
#include "psci.h"

#include <arch/barrier.h>
#include <arch/sysreg.h>
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <libfdt.h>

#define NS_PER_SEC    1000000000ULL
#define CTL_ENABLE    1
#define VIRTUAL_TIMER 2 /* index in "interrupts": secure, non-secure, virtual, hypervisor */

static u64 freq, origin;
static u64 ns_per_tick, ticks_per_ns; /* 32.32 */

static u64 scale(u64 v, u64 factor)
{
	return (u64)(((unsigned __int128)v * factor) >> 32);
}

static u64 counter(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

/* The register is the firmware's to set; where it did not, the tree says. */
void __init timer_init(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,armv8-timer");

	freq = read_sysreg(cntfrq_el0);
	if (node >= 0)
		freq = fdt_node_u32(fdt, node, "clock-frequency", (u32)freq);
	if (!freq)
		freq = 62500000;
	ns_per_tick = (NS_PER_SEC << 32) / freq;
	ticks_per_ns = (freq << 32) / NS_PER_SEC;
	origin = counter();
	timer_cpu_init();
}

void timer_cpu_init(void)
{
	write_sysreg(cntv_ctl_el0, 0);
	isb();
}

void hal_clock_scale(u64 *origin_ticks, u64 *mult)
{
	*origin_ticks = origin;
	*mult = ns_per_tick;
}

u64 hal_clock_ns(void)
{
	return scale(counter() - origin, ns_per_tick);
}

u64 hal_counter_to_ns(u64 ticks)
{
	return scale(ticks, ns_per_tick);
}

u64 hal_timer_freq(void)
{
	return freq;
}

void hal_timer_set(u64 deadline_ns)
{
	u64 now = counter();
	u64 now_ns = scale(now - origin, ns_per_tick);

	if (deadline_ns == U64_MAX) {
		write_sysreg(cntv_ctl_el0, 0);
		return;
	}
	if (deadline_ns > now_ns)
		now += scale(deadline_ns - now_ns, ticks_per_ns) + 1;
	write_sysreg(cntv_cval_el0, now);
	write_sysreg(cntv_ctl_el0, CTL_ENABLE);
	isb();
}

/* The line is level-triggered: off until the kernel sets the next deadline. */
static void timer_irq(void *arg)
{
	(void)arg;
	write_sysreg(cntv_ctl_el0, 0);
	isb();
	upcall_timer();
}

static int __init timer_probe(const void *fdt, int node)
{
	return hal_irq_request_fdt(fdt, node, VIRTUAL_TIMER, timer_irq, NULL, "timer");
}

FDT_DRIVER(timer_driver) = {
	.name = "arm-timer",
	.compatible = (const char *const[]){ "arm,armv8-timer", NULL },
	.level = DRIVER_TIMER,
	.probe = timer_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * The generic timer: the virtual counter is the clock, the virtual timer of each CPU its one-shot.
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

#define CTL_ENABLE    1
#define VIRTUAL_TIMER 2 /* index in "interrupts": secure, non-secure, virtual, hypervisor */

/* The register is the firmware's to set; where it did not, the tree says. */
void __init timer_init(const void *fdt)
{
	int node = fdt_find_compatible(fdt, -1, "arm,armv8-timer");
	u64 freq = read_sysreg(cntfrq_el0);

	if (node < 0)
		node = fdt_find_compatible(fdt, -1, "arm,armv7-timer");

	if (node >= 0)
		freq = fdt_node_u32(fdt, node, "clock-frequency", (u32)freq);
	if (!freq)
		freq = 62500000;
	hal_clock_init(freq);
	timer_cpu_init();
}

void timer_cpu_init(void)
{
	write_sysreg(cntv_ctl_el0, 0);
	isb();
}

void hal_timer_set(u64 deadline_ns)
{
	if (deadline_ns == U64_MAX) {
		write_sysreg(cntv_ctl_el0, 0);
		return;
	}
	write_sysreg(cntv_cval_el0, hal_deadline_ticks(deadline_ns));
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

static bool connected;

bool timer_works(void)
{
	return connected;
}

static int __init timer_probe(const void *fdt, int node)
{
	int err = hal_irq_request_fdt(fdt, node, VIRTUAL_TIMER, timer_irq, NULL, "timer");

	connected |= !err;
	return err;
}

FDT_DRIVER(timer_driver) = {
	.name = "arm-timer",
	.compatible = (const char *const[]){ "arm,armv8-timer", "arm,armv7-timer", NULL },
	.level = DRIVER_TIMER,
	.probe = timer_probe,
};

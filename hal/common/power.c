/* SPDX-License-Identifier: MIT */
/*
 * Power off and reset: the ways that drivers and firmware offer, tried by rank, then in the order of registration.
 * A way that returns did not work. No lock: registration happens while the boot CPU probes devices.
 */
#include <compiler.h>
#include <hal/cpu.h>
#include <hal/power.h>
#include <hal/timer.h>
#include <hal/upcall.h>

#define MAX_WAYS 12

static struct way {
	enum hal_power_rank rank;
	void (*off)(int code);
	void (*reset)(void);
} ways[MAX_WAYS];
static unsigned int nways;

void hal_power_register(enum hal_power_rank rank, void (*off)(int code), void (*reset)(void))
{
	unsigned int at;

	if (nways == MAX_WAYS) {
		klog(4, "power: more than %d ways to switch off, one ignored\n", MAX_WAYS);
		return;
	}
	for (at = nways; at > 0 && ways[at - 1].rank > rank; at--)
		ways[at] = ways[at - 1];
	ways[at] = (struct way){ rank, off, reset };
	nways++;
}

void hal_power_wait_ms(u32 ms)
{
	u64 end = hal_clock_ns() + (u64)ms * 1000000;

	while (hal_clock_ns() < end)
		hal_cpu_relax();
}

__noreturn void hal_power_off(int code)
{
	hal_irq_disable();
	for (unsigned int i = 0; i < nways; i++) {
		if (ways[i].off && ways[i].rank == POWER_LAST)
			klog(4, "power: nothing here has switched the machine off, trying the last "
				"way\n");
		if (ways[i].off)
			ways[i].off(code);
	}
	klog(4, "power: nothing here can switch the machine off\n");
	hal_cpu_halt();
}

__noreturn void hal_reset(void)
{
	hal_irq_disable();
	for (unsigned int i = 0; i < nways; i++) {
		if (ways[i].reset)
			ways[i].reset();
	}
	klog(4, "power: nothing here can reset the machine\n");
	hal_cpu_halt();
}

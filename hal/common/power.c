/* SPDX-License-Identifier: MIT */
/*
 * Power off and reset: the ways that drivers and firmware offer, tried in the order of registration.
 * A way that returns did not work. No lock: registration happens while the boot CPU probes devices.
 */
#include <compiler.h>
#include <hal/cpu.h>
#include <hal/power.h>
#include <hal/upcall.h>

#define MAX_WAYS 8

static struct {
	void (*off)(int code);
	void (*reset)(void);
} ways[MAX_WAYS];
static unsigned int nways;

void hal_power_register(void (*off)(int code), void (*reset)(void))
{
	if (nways == MAX_WAYS) {
		klog(4, "power: more than %d ways to switch off, one ignored\n", MAX_WAYS);
		return;
	}
	ways[nways].off = off;
	ways[nways].reset = reset;
	nways++;
}

__noreturn void hal_power_off(int code)
{
	hal_irq_disable();
	for (unsigned int i = 0; i < nways; i++) {
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

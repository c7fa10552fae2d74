/* SPDX-License-Identifier: MIT */
/*
 * The firmware of Arm machines: PSCI starts CPUs and switches the machine off.
 *
 * The device tree says how it is called (HVC or SMC) and, before version 0.2, by which numbers.
 * Source: Arm Power State Coordination Interface (DEN0022); SMC Calling Convention (DEN0028); Linux
 * Documentation/devicetree/bindings/arm/psci.yaml.
 */
#include "psci.h"

#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/power.h>
#include <hal/upcall.h>
#include <libfdt.h>
#include <lib/string.h>

#define PSCI_CPU_ON	  0xc4000003
#define PSCI_SYSTEM_OFF	  0x84000008
#define PSCI_SYSTEM_RESET 0x84000009

static enum { CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC } conduit;
static u32 fn_cpu_on;
static bool has_system; /* SYSTEM_OFF and SYSTEM_RESET, from version 0.2 on */

static long psci_call(u32 fn, u64 a, u64 b, u64 c)
{
	register u64 x0 __asm__("x0") = fn;
	register u64 x1 __asm__("x1") = a;
	register u64 x2 __asm__("x2") = b;
	register u64 x3 __asm__("x3") = c;

	if (conduit == CONDUIT_HVC)
		__asm__ __volatile__("hvc #0"
				     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
				     :
				     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
				       "x13", "x14", "x15", "x16", "x17", "memory");
	else
		__asm__ __volatile__("smc #0"
				     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
				     :
				     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
				       "x13", "x14", "x15", "x16", "x17", "memory");
	return (long)x0;
}

static int find_node(const void *fdt)
{
	static const char *const names[] = { "arm,psci-1.0", "arm,psci-0.2", "arm,psci" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		int node = fdt_find_compatible(fdt, -1, names[i]);

		if (node >= 0)
			return node;
	}
	return -1;
}

void __init psci_init(const void *fdt)
{
	int node = find_node(fdt);
	const char *method = node >= 0 ? fdt_getprop(fdt, node, "method", NULL) : NULL;

	if (!method)
		return;
	if (!strcmp(method, "hvc"))
		conduit = CONDUIT_HVC;
	else if (!strcmp(method, "smc"))
		conduit = CONDUIT_SMC;
	has_system = fdt_node_is_compatible(fdt, node, "arm,psci-0.2") ||
		     fdt_node_is_compatible(fdt, node, "arm,psci-1.0");
	fn_cpu_on = has_system ? PSCI_CPU_ON : fdt_node_u32(fdt, node, "cpu_on", 0);
}

int psci_cpu_on(u64 mpidr, paddr_t entry, u64 context)
{
	long err;

	if (conduit == CONDUIT_NONE || !fn_cpu_on)
		return -ENODEV;
	err = (int)psci_call(fn_cpu_on, mpidr, entry, context);
	if (err)
		klog(3, "psci: CPU %llx: firmware answers %ld\n", mpidr, err);
	return err ? -EIO : 0;
}

/* The firmware has no place for an exit code. */
static void psci_off(int code)
{
	(void)code;
	psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
}

static void psci_reset(void)
{
	psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
}

void __init psci_power_register(void)
{
	if (conduit != CONDUIT_NONE && has_system)
		hal_power_register(POWER_FIRMWARE, psci_off, psci_reset);
}

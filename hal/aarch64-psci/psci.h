/* SPDX-License-Identifier: MIT */
/* What the files of this crate share. */
#ifndef HAL_AARCH64_PSCI_H
#define HAL_AARCH64_PSCI_H

#include <types.h>

/** psci_init() - find the firmware in the device tree. Boot CPU, before psci_cpu_on(). */
void psci_init(const void *fdt);
/** psci_cpu_on() - start a CPU at @entry (physical) with x0 = @context. Return: 0, -ENODEV without PSCI, -EIO if refused. */
int psci_cpu_on(u64 mpidr, paddr_t entry, u64 context);
/** psci_power_register() - offer power off and reset, if there is PSCI. */
void psci_power_register(void);

/** timer_init() - counter frequency and the origin of hal_clock_ns(). Boot CPU, first. */
void timer_init(const void *fdt);
/** timer_cpu_init() - this CPU's timer off until hal_timer_set(). */
void timer_cpu_init(void);

#endif

/* SPDX-License-Identifier: MIT */
/* What the files of this crate share. */
#ifndef HAL_AARCH64_PSCI_H
#define HAL_AARCH64_PSCI_H

#include <compiler.h>
#include <types.h>

/** psci_init() - find the firmware in the device tree. Boot CPU, before psci_cpu_on(). */
void psci_init(const void *fdt);
/** psci_cpu_on() - start a CPU at @entry (physical) with x0 = @context. Return: 0, -ENODEV without PSCI, -EIO if refused. */
int psci_cpu_on(u64 mpidr, paddr_t entry, u64 context);
/** psci_power_register() - offer power off and reset, if there is PSCI. */
void psci_power_register(void);

/** cpu_mpidr() - which CPU a node of the device tree is. 0 or -ENODEV. */
int cpu_mpidr(const void *fdt, int node, u64 *mpidr);

/** spintable_can_start() - the CPU of @node waits for an address; where it waits is reserved. Before boot_finish_memory(). */
bool spintable_can_start(const void *fdt, int node);
/** spintable_cpu_on() - send such a CPU to @entry (physical). Return: 0, -ENODEV for a CPU that waits nowhere, -ENOMEM. */
int spintable_cpu_on(u64 mpidr, paddr_t entry);

/** timer_init() - counter frequency and the origin of hal_clock_ns(). Boot CPU, first. */
void timer_init(const void *fdt);
/** timer_works() - its interrupt was found. After hal_probe_fdt(). */
bool timer_works(void);
/** timer_cpu_init() - this CPU's timer off until hal_timer_set(). */
void timer_cpu_init(void);

#endif

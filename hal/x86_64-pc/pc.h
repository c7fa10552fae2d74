/* SPDX-License-Identifier: MIT */
/*
 * What the files of hal/x86_64-pc share.
 *
 * Order at boot: x86_start() (boot.c) detects the CPU, reads the loader's memory map, then acpi_scan(),
 * pc_clock_init(), and the kernel; hal_probe_devices() (devices.c) does the rest once memory
 * management is up.
 */
#ifndef PC_H
#define PC_H

#include "acpi.h"

#include <arch/x86.h>
#include <hal/boot.h>
#include <hal/irq.h>
#include <types.h>

/* loaders.c: what @loader (X86_LOADER_*) left at @info: RAM and command line into boot_info, the rest here. 0, -EINVAL. */
struct pc_loaded {
	struct boot_range initrd; /* size 0: none */
	paddr_t rsdp;		  /* 0: it did not say */
};
int loader_read(u32 loader, u32 info, struct pc_loaded *loaded);

/* boot.c: what the early table maps at [pa, pa + size), or NULL. Boot CPU, before hal_paging_init(). */
const void *pc_early_map(paddr_t pa, u64 size);

/* clock.c: the TSC's rate; boot CPU, interrupts off. */
void pc_clock_init(void);
void pc_clock_report(void); /* to the log, which there is later */

/* lapic.c */
void lapic_init_cpu(void); /* this CPU's; the first call maps and calibrates */
void lapic_start_cpu(u32 apic_id, unsigned int page, bool init); /* INIT, or SIPI at @page */

/* ioapic.c */
void ioapic_init(void);
/* The controller and pin of a global system interrupt, its trigger set. 0 or -ENODEV. */
int pc_gsi(u32 gsi, bool level, bool low, struct irq_chip **chip, unsigned int *pin);
/* The same for an ISA interrupt line, as the MADT redirects it. */
int pc_isa_irq(unsigned int irq, struct irq_chip **chip, unsigned int *pin);
void ioapic_vector(unsigned int vector);
/* One more than the highest global system interrupt that can have a vector. */
u32 ioapic_end_gsi(void);

/* msi.c; after ioapic_init(). pc_msi_vector(): false: the vector is no message's. */
void pc_msi_init(void);
bool pc_msi_vector(unsigned int vector);

/* power.c, cmos.c */
void pc_power_init(void);
void cmos_rtc_init(void);
void pc_pci_init(void);

/* Spin for @ns by the TSC. */
void pc_delay_ns(u64 ns);
struct pc_reading {
	u64 time;
	u32 count;
};
/** pc_read_clocks() - two clocks at the same time: the best of some readings, as a hypervisor may take the CPU away between the two. */
struct pc_reading pc_read_clocks(u32 (*count)(void), u64 (*time)(void));

#endif

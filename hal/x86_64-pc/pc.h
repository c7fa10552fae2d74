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

#include <arch/x86.h>
#include <hal/boot.h>
#include <hal/irq.h>
#include <types.h>

/* Where a register is: ACPI's Generic Address Structure. */
struct acpi_gas {
	u8 space, width, offset, access;
	u64 address;
} __packed;

#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO	  1

#define PC_MAX_IOAPICS 8

struct pc_isa_override {
	bool present, level, low;
	u32 gsi;
};

/* The facts of the ACPI tables that this kernel uses; 0 or false where a table is missing. */
struct pc_acpi {
	paddr_t lapic;
	unsigned int nioapics;
	struct {
		paddr_t base;
		u32 gsi_base;
	} ioapic[PC_MAX_IOAPICS];
	struct pc_isa_override isa[16];
	paddr_t hpet;
	u16 pm_timer; /* I/O port */
	bool pm_timer_32;
	u16 pm1a, pm1b; /* control ports */
	u16 smi_port;	/* with acpi_enable: switches ACPI mode on */
	u8 acpi_enable;
	bool hw_reduced;
	struct acpi_gas sleep_control, reset;
	bool has_reset;
	u8 reset_value;
	bool has_s5;
	u8 s5_a, s5_b;	      /* SLP_TYP of soft off */
	struct acpi_gas spcr; /* the console UART; address 0: none */
	u32 spcr_gsi;
};
extern struct pc_acpi pc_acpi;

/* loaders.c: what @loader (X86_LOADER_*) left at @info: RAM and command line into boot_info, the rest here. 0, -EINVAL. */
struct pc_loaded {
	struct boot_range initrd; /* size 0: none */
	paddr_t rsdp;		  /* 0: it did not say */
};
int loader_read(u32 loader, u32 info, struct pc_loaded *loaded);

/* acpi.c: read the tables at @rsdp (0: look for it) through the early linear map; adds CPUs to boot_info. */
void acpi_scan(paddr_t rsdp);

/* clock.c: the TSC's rate; boot CPU, interrupts off. */
void pc_clock_init(void);

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

/* power.c, cmos.c */
void pc_power_init(void);
void cmos_rtc_init(void);

/* Spin for @ns by the TSC. */
void pc_delay_ns(u64 ns);

#endif

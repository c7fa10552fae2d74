/* SPDX-License-Identifier: MIT */
/* The facts of a PC's ACPI and MultiProcessor tables, and how they are read: acpi.c, mptable.c. Nothing here needs the machine, so that fuzzing can call it. */
#ifndef PC_ACPI_H
#define PC_ACPI_H

#include <compiler.h>
#include <types.h>

/* Where a register is: ACPI's Generic Address Structure. */
struct acpi_gas {
	u8 space, width, offset, access;
	u64 address;
} __packed;

#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO	  1

#define PC_MAX_IOAPICS 8
#define PC_MAX_MCFG    4

/* A range of buses whose configuration space is memory, from bus 0's address on. */
struct pc_mcfg {
	paddr_t base;
	u16 segment;
	u8 first_bus, last_bus;
};

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
	unsigned int nmcfg;
	struct pc_mcfg mcfg[PC_MAX_MCFG];
	paddr_t hpet;
	u16 pm_timer; /* I/O port */
	bool pm_timer_32;
	u16 pm1a, pm1b; /* control ports */
	u16 smi_port;	/* with acpi_enable: switches ACPI mode on */
	u8 acpi_enable;
	bool hw_reduced, no_msi;
	struct acpi_gas sleep_control, reset;
	bool has_reset;
	u8 reset_value;
	bool has_s5;
	u8 s5_a, s5_b;	      /* SLP_TYP of soft off */
	struct acpi_gas spcr; /* the console UART; address 0: none */
	u32 spcr_gsi;
};
extern struct pc_acpi pc_acpi;

/* Where a PCI device's interrupt goes: mptable.c. */
#define PC_MAX_INTX 128
struct pc_intx {
	u8 slot, pin; /* 1: INTA */
	bool level, low;
	u32 gsi;
};
struct pc_mp {
	unsigned int nintx;
	struct pc_intx intx[PC_MAX_INTX]; /* of bus 0 */
};
extern struct pc_mp pc_mp;

struct acpi_access {
	/* The bytes at [pa, pa + size) as long as acpi_scan() runs, or NULL. */
	const void *(*map)(paddr_t pa, u64 size);
	u32 boot_apic; /* this CPU's APIC identifier */
	bool x2apic;
};

/**
 * acpi_scan() - read the tables at @rsdp (0: look for it) into pc_acpi, and the CPUs into boot_info.
 * Whatever the tables say, only what @access gives is read; a table that is not whole counts as missing.
 * Context: boot CPU, once.
 */
void acpi_scan(paddr_t rsdp, const struct acpi_access *access);

/** mp_scan() - read the MultiProcessor table, if there is one, into pc_mp. Boot CPU, once, after acpi_scan(), with the same care. */
void mp_scan(const struct acpi_access *access);
/** mp_find_intx() - where INTx @pin (1: INTA) of the device in @slot of PCI bus 0 goes. 0, or -ENOENT: no table says so. */
int mp_find_intx(unsigned int slot, unsigned int pin, struct pc_intx *out);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * hal_probe_devices() of a PC: interrupt controllers, power, the serial ports, the clock on the wall.
 *
 * Without AML there is no list of ISA devices: the four ports a PC may have are looked for, and the one
 * that the SPCR table names is the console.
 */
#include "pc.h"

#include <hal/ns16550.h>
#include <hal/driver.h>
#include <hal/paging.h>
#include <hal/rand.h>
#include <hal/tlb.h>
#include <hal/upcall.h>

static u8 port_read(void *base, unsigned int reg)
{
	return inb((u16)((unsigned long)base + reg));
}

static void port_write(void *base, unsigned int reg, u8 value)
{
	outb((u16)((unsigned long)base + reg), value);
}

static void probe_com_ports(void)
{
	static const struct {
		const char *name;
		u16 port;
		u8 irq;
	} coms[] = { { "ttyS0", 0x3f8, 4 },
		     { "ttyS1", 0x2f8, 3 },
		     { "ttyS2", 0x3e8, 4 },
		     { "ttyS3", 0x2e8, 3 } };

	for (size_t i = 0; i < ARRAY_SIZE(coms); i++) {
		struct ns16550_config cfg = {
			.name = coms[i].name,
			.base = (void *)(unsigned long)coms[i].port,
			.reg_width = 1,
			.preferred = pc_acpi.spcr.space == ACPI_SPACE_IO &&
				     pc_acpi.spcr.address == coms[i].port,
			.read = port_read,
			.write = port_write,
		};

		/* The line status of no port is all ones. The second pair shares the first's interrupts. */
		if (inb((u16)(coms[i].port + 5)) == 0xff)
			continue;
		if (i < 2 && pc_isa_irq(coms[i].irq, &cfg.chip, &cfg.hwirq))
			cfg.chip = NULL;
		if (ns16550_init(&cfg))
			klog(4, "x86: %s does not work\n", cfg.name);
	}
}

/* A console UART in memory, as servers have. */
static void probe_spcr(void)
{
	struct ns16550_config cfg = { .name = "ttyS4", .reg_width = 1, .preferred = true };

	if (!pc_acpi.spcr.address || pc_acpi.spcr.space != ACPI_SPACE_MEMORY)
		return;
	cfg.base = hal_ioremap(pc_acpi.spcr.address, 0x100);
	if (pc_acpi.spcr.access == 3) {
		cfg.reg_width = 4;
		cfg.reg_shift = 2;
	}
	if (pc_gsi(pc_acpi.spcr_gsi, true, false, &cfg.chip, &cfg.hwirq))
		cfg.chip = NULL;
	if (!cfg.base || ns16550_init(&cfg))
		klog(4, "x86: the console of SPCR does not work\n");
}

void hal_probe_devices(void)
{
	pc_clock_report();
	lapic_init_cpu();
	tlb_cpu_online();
	ioapic_init();
	pc_msi_init();
	pc_power_init();
	cmos_rtc_init();
	probe_spcr();
	probe_com_ports();
	pc_pci_init();
}

/* RDSEED, else RDRAND: both may fail for a moment. */
static bool hw_random(u64 *v)
{
	bool ok = false;

	for (unsigned int i = 0; i < 16 && !ok; i++) {
		if (x86_features.rdseed)
			__asm__ __volatile__("rdseed %0" : "=r"(*v), "=@ccc"(ok));
		else if (x86_features.rdrand)
			__asm__ __volatile__("rdrand %0" : "=r"(*v), "=@ccc"(ok));
	}
	return ok;
}

unsigned int hal_rand_seed(u8 *buf, size_t n)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < n; i += 8) {
		u64 v = 0;

		if (hw_random(&v))
			bits += 64;
		v ^= rdtsc();
		for (size_t j = i; j < n && j < i + 8; j++, v >>= 8)
			buf[j] ^= (u8)v;
	}
	return bits < n * 8 ? bits : (unsigned int)(n * 8);
}

/* SPDX-License-Identifier: MIT */
/*
 * Off and reset.
 *
 * Off: the sleep registers of ACPI with the soft-off type found in \_S5; QEMU's debug-exit device, which
 * reports the code. Reset: the FADT's register, the keyboard controller, and at last a triple fault.
 * A virtual machine without ACPI is left by a reset (QEMU -no-reboot ends then).
 * Source: ACPI specification 6.5 sections 4.8.3 and 4.8.4.
 */
#include "pc.h"

#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <hal/power.h>
#include <hal/upcall.h>

#define SLP_EN	      (1u << 13)
#define SLP_TYP_SHIFT 10
#define SCI_EN	      1
#define SLEEP_EN      0x20 /* of the hardware-reduced register */
#define DEBUG_EXIT    0x501
#define KBD_STATUS    0x64
#define KBD_BUSY      2
#define KBD_RESET     0xfe
#define SETTLE_NS     10000000

static volatile u8 *sleep_reg, *reset_reg; /* where they are in memory */

static void write_gas(const struct acpi_gas *gas, volatile u8 *mapped, u8 v)
{
	if (gas->space == ACPI_SPACE_IO)
		outb((u16)gas->address, v);
	else if (mapped)
		writeb(v, mapped);
}

static void acpi_off(int code)
{
	(void)code;
	if (!pc_acpi.has_s5)
		return;
	if (pc_acpi.sleep_control.address && pc_acpi.hw_reduced)
		write_gas(&pc_acpi.sleep_control, sleep_reg, (u8)(pc_acpi.s5_a << 2 | SLEEP_EN));
	if (pc_acpi.pm1a) {
		/* Firmware may own these registers until it is told otherwise. */
		if (pc_acpi.smi_port && pc_acpi.acpi_enable && !(inw(pc_acpi.pm1a) & SCI_EN)) {
			outb(pc_acpi.smi_port, pc_acpi.acpi_enable);
			pc_delay_ns(SETTLE_NS);
		}
		outw(pc_acpi.pm1a, (u16)(pc_acpi.s5_a << SLP_TYP_SHIFT | SLP_EN));
		if (pc_acpi.pm1b)
			outw(pc_acpi.pm1b, (u16)(pc_acpi.s5_b << SLP_TYP_SHIFT | SLP_EN));
	}
	pc_delay_ns(SETTLE_NS);
}

static void pc_reset(void)
{
	static const struct {
		u16 limit;
		u64 base;
	} __packed nothing;

	if (pc_acpi.has_reset) {
		write_gas(&pc_acpi.reset, reset_reg, pc_acpi.reset_value);
		pc_delay_ns(SETTLE_NS);
	}
	for (unsigned int i = 0; i < 10000 && (inb(KBD_STATUS) & KBD_BUSY); i++)
		hal_cpu_relax();
	outb(KBD_STATUS, KBD_RESET);
	pc_delay_ns(SETTLE_NS);
	__asm__ __volatile__("lidt %0\n\tint3" ::"m"(nothing));
}

static void emulator_off(int code)
{
	if (!x86_features.hypervisor)
		return;
	outl(DEBUG_EXIT, (u32)code);
	pc_reset();
}

static volatile u8 *map_gas(const struct acpi_gas *gas)
{
	return gas->address && gas->space == ACPI_SPACE_MEMORY ? hal_ioremap(gas->address, 1)
							       : NULL;
}

void pc_power_init(void)
{
	sleep_reg = map_gas(&pc_acpi.sleep_control);
	reset_reg = map_gas(&pc_acpi.reset);
	hal_power_register(POWER_FIRMWARE, acpi_off, pc_reset);
	/* Not the first: where ACPI works, QEMU ends by it, with status 0. */
	hal_power_register(POWER_BOARD, emulator_off, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Messages as interrupts: a write to the local APICs' address is an interrupt with the vector that was written.
 *
 * A message's vector is the same on all CPUs. They are handed out from the highest down, as far as no I/O APIC's line has the vector.
 * Without interrupt remapping the address has room for an 8-bit APIC identifier.
 * Locking: none; the count of vectors handed out is atomic.
 * Source: Intel SDM volume 3A section 11.11.
 */
#include "pc.h"

#include <err.h>
#include <hal/boot.h>
#include <hal/msi.h>

#define MSI_ADDRESS 0xfee00000u
#define MSI_DEST    12 /* shift */

static struct irq_chip lines;
static struct hal_msi_chip chip;
static u32 first_vector; /* of those that no line has */
static u32 used;	 /* atomic */

static void msi_eoi(struct irq_chip *c, unsigned int vector)
{
	(void)c;
	(void)vector;
	x86_lapic_eoi();
}

static int msi_message(struct irq_chip *c, unsigned int vector, unsigned int cpu,
		       struct hal_msi *msi)
{
	(void)c;
	if (cpu >= boot_info.ncpus || boot_info.cpu_hwid[cpu] > 0xff)
		return -EINVAL;
	*msi = (struct hal_msi){ .addr = MSI_ADDRESS | (u32)boot_info.cpu_hwid[cpu] << MSI_DEST,
				 .data = vector };
	return 0;
}

static int msi_request(struct hal_msi_chip *c, const struct hal_msi_request *rq,
		       struct hal_msi *msi)
{
	u32 n, vector;

	(void)c;
	if (msi_message(&lines, 0, rq->cpu, msi))
		return -EINVAL;
	n = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
	if (n > X86_VEC_IRQ_LAST - first_vector) {
		__atomic_fetch_sub(&used, 1, __ATOMIC_RELAXED);
		return -ENOSPC;
	}
	vector = X86_VEC_IRQ_LAST - n;
	msi->data = vector;
	return hal_msi_attach(&lines, vector, rq, msi);
}

bool pc_msi_vector(unsigned int vector)
{
	if (!chip.request || vector < first_vector || vector > X86_VEC_IRQ_LAST)
		return false;
	hal_irq_dispatch(&lines, vector);
	return true;
}

void pc_msi_init(void)
{
	first_vector = X86_VEC_IRQ + ioapic_end_gsi();
	if (pc_acpi.no_msi || first_vector > X86_VEC_IRQ_LAST)
		return;
	lines = (struct irq_chip){ .name = "MSI", .eoi = msi_eoi, .message = msi_message };
	chip.request = msi_request;
	hal_irq_chip_register(&lines);
	hal_msi_chip_register(&chip);
}

/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V incoming MSI controller (IMSIC): a file of interrupt identities at each hart, written by stores to
 * the hart's page, read through its indirect CSRs.
 *
 * Identity numbers are used machine-wide. At the boot hart those are enabled that were handed out, at the others all: nobody writes one to a hart
 * that was not told to, and so a message can be moved without that hart's help.
 * Source: RISC-V Advanced Interrupt Architecture 1.0, chapters 2 and 3; Linux
 * Documentation/devicetree/bindings/interrupt-controller/riscv,imsics.yaml.
 *
 * Locking: next_id and the cpu table are written while the boot CPU probes, or by requests with an atomic
 * counter. A hart's CSRs belong to it: messages are handed out to the boot CPU, and moved later.
 */
#include "sbi.h"

#include <arch/csr.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/msi.h>
#include <libfdt.h>

/* CSRs, by number: siselect 0x150, sireg 0x151, stopei 0x15c. */
#define EIDELIVERY  0x70
#define EITHRESHOLD 0x72
#define EIE0	    0xc0

#define PAGE_SHIFT_MSI 12
#define IMSIC_MAX_IDS  2047
#define S_EXTERNAL     9

struct imsic {
	struct hal_msi_chip msi;
	struct irq_chip irq;
	paddr_t page[CONFIG_NR_CPUS]; /* where a device writes to interrupt the CPU; 0: no file */
	u32 index[CONFIG_NR_CPUS];    /* of the hart among the harts of the files */
	u32 max_id;
	u32 next_id;
	bool present;
};

static struct imsic imsic;

static void imsic_write(unsigned long select, unsigned long value)
{
	csr_write(0x150, select);
	csr_write(0x151, value);
}

static void imsic_enable(u32 id, bool on)
{
	unsigned long flags = hal_irq_save();
	unsigned long bit = 1UL << id % 64;

	csr_write(0x150, EIE0 + id / 64 * 2); /* 64-bit harts have the even numbers only */
	if (on)
		csr_set(0x151, bit);
	else
		csr_clear(0x151, bit);
	hal_irq_restore(flags);
}

/* At this CPU, where it came and nobody wants it: another's file cannot be reached. */
static void imsic_mask(struct irq_chip *chip, unsigned int id)
{
	(void)chip;
	imsic_enable(id, false);
}

static void imsic_unmask(struct irq_chip *chip, unsigned int id)
{
	(void)chip;
	if (hal_cpu_id() == 0)
		imsic_enable(id, true);
}

/* All identities are enabled at the other harts. */
static int imsic_message(struct irq_chip *chip, unsigned int id, unsigned int cpu,
			 struct hal_msi *msi)
{
	(void)chip;
	if (cpu >= boot_info.ncpus || !imsic.page[cpu])
		return -EINVAL;
	*msi = (struct hal_msi){ .addr = imsic.page[cpu], .data = id, .target = imsic.index[cpu] };
	return 0;
}

static int imsic_request(struct hal_msi_chip *chip, const struct hal_msi_request *rq,
			 struct hal_msi *msi)
{
	u32 id;

	(void)chip;
	if (rq->cpu != 0 || hal_cpu_id() != 0)
		return -EINVAL;
	id = __atomic_fetch_add(&imsic.next_id, 1, __ATOMIC_RELAXED);
	if (id > imsic.max_id) {
		__atomic_store_n(&imsic.next_id, imsic.max_id + 1, __ATOMIC_RELAXED);
		return -ENOSPC;
	}
	imsic_message(&imsic.irq, id, 0, msi);
	return hal_msi_attach(&imsic.irq, id, rq, msi);
}

/* Writing stopei takes the identity that it showed; the number is in the upper half. */
static void imsic_handle(void)
{
	unsigned long top;

	for (;;) {
		__asm__ __volatile__("csrrw %0, 0x15c, zero" : "=r"(top)::"memory");
		if (top == 0)
			return;
		hal_irq_dispatch(&imsic.irq, (unsigned int)(top >> 16));
	}
}

void imsic_cpu_init(void)
{
	if (!imsic.present)
		return;
	for (u32 id = 0; id <= imsic.max_id; id += 64)
		imsic_write(EIE0 + id / 64 * 2, hal_cpu_id() ? ~0UL : 0);
	imsic_write(EITHRESHOLD, 0);
	imsic_write(EIDELIVERY, 1);
}

/* The page of file @index: the files of a group lie in the entries of "reg" one after the other. */
static paddr_t __init file_page(const void *fdt, int node, u32 index, u64 stride)
{
	u64 skip = index * stride;
	paddr_t base;
	u64 size;

	for (unsigned int i = 0; fdt_node_reg(fdt, node, i, &base, &size) == 0; i++) {
		if (skip < size)
			return base + skip;
		skip -= size;
	}
	return 0;
}

static int __init find_files(const void *fdt, int node)
{
	u32 guest_bits = fdt_node_u32(fdt, node, "riscv,guest-index-bits", 0);
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "interrupts-extended", &len);

	if (!p || guest_bits > 7)
		return -EINVAL;
	for (u32 i = 0; i < (u32)len / 8; i++) {
		int cpu;

		if (fdt32_to_cpu(p[2 * i + 1]) != S_EXTERNAL)
			return -ENODEV; /* the files of machine mode */
		cpu = fdt_cpu_of_intc(fdt, fdt32_to_cpu(p[2 * i]));
		if (cpu < 0)
			continue;
		imsic.page[cpu] = file_page(fdt, node, i, 1ULL << (PAGE_SHIFT_MSI + guest_bits));
		imsic.index[cpu] = i;
	}
	return imsic.page[0] ? 0 : -ENODEV;
}

static int __init imsic_probe(const void *fdt, int node)
{
	int err = imsic.present ? -EBUSY : find_files(fdt, node);

	if (err)
		return err;
	imsic.max_id = fdt_node_u32(fdt, node, "riscv,num-ids", 0);
	if (imsic.max_id < 63 || imsic.max_id > IMSIC_MAX_IDS)
		return -EINVAL;
	imsic.next_id = 1;
	imsic.present = true;
	imsic.irq = (struct irq_chip){
		.name = "IMSIC",
		.mask = imsic_mask,
		.unmask = imsic_unmask,
		.message = imsic_message,
		.phandle = fdt_get_phandle(fdt, node),
	};
	imsic.msi = (struct hal_msi_chip){ .phandle = imsic.irq.phandle, .request = imsic_request };
	imsic_cpu_init();
	hal_irq_chip_register(&imsic.irq);
	hal_msi_chip_register(&imsic.msi);
	hal_irq_set_root(imsic_handle);
	return 0;
}

FDT_DRIVER(imsic_driver) = {
	.name = "imsic",
	.compatible = (const char *const[]){ "riscv,imsics", NULL },
	.level = DRIVER_MSI,
	.probe = imsic_probe,
};

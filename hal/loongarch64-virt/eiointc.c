/* SPDX-License-Identifier: MIT */
/*
 * Loongson's extended I/O interrupt controller: 256 vectors, each delivered to one core. Part of the CPU
 * package: its registers are in IOCSR space.
 *
 * It is the root of device interrupts. Controllers that feed vectors (PCH-PIC) find it by its phandle
 * and ask for them as for any line. All vectors are raised on the hardware interrupt line of the core
 * that the device tree names, on the boot CPU until set_affinity moves one.
 *
 * A vector is acknowledged before its handler runs; the controller that feeds it sends it again when
 * the line is still active at the end (pch_pic.c).
 *
 * Source: Loongson 3A5000 user manual, chapter 11.
 *
 * Locking: eiointc_lock, interrupts off, because registers are shared by vectors: enable words by 32, those of routes by 4 (they are bytes, but
 * QEMU knows words only).
 */
#include <arch/csr.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <libfdt.h>

#include "machine.h"

#define EIOINTC_NODEMAP 0x14a0
#define EIOINTC_IPMAP	0x14c0
#define EIOINTC_ENABLE	0x1600
#define EIOINTC_BOUNCE	0x1680
#define EIOINTC_ISR	0x1800
#define EIOINTC_ROUTE	0x1c00

#define VECTORS		256
#define ROUTE_MAX_CORES 4

static struct irq_chip chip;
static unsigned int cpu_line; /* bit of ESTAT and ECFG; 0: not probed */
static int eiointc_lock;

/* Change the bits @mask of a register. */
static void change(unsigned int reg, u32 mask, u32 bits)
{
	unsigned long flags = hal_irq_save();

	while (__atomic_exchange_n(&eiointc_lock, 1, __ATOMIC_ACQUIRE))
		hal_cpu_relax();
	iocsr_write32((iocsr_read32(reg) & ~mask) | bits, reg);
	__atomic_store_n(&eiointc_lock, 0, __ATOMIC_RELEASE);
	hal_irq_restore(flags);
}

static void set_enable(unsigned int vector, bool on)
{
	u32 bit = 1U << vector % 32;

	change(EIOINTC_ENABLE + vector / 32 * 4, bit, on ? bit : 0);
}

static void eiointc_mask(struct irq_chip *c, unsigned int vector)
{
	(void)c;
	set_enable(vector, false);
}

static void eiointc_unmask(struct irq_chip *c, unsigned int vector)
{
	(void)c;
	set_enable(vector, true);
}

/* A route is a mask of the four cores of node 0. */
static int eiointc_set_affinity(struct irq_chip *c, unsigned int vector, unsigned int cpu)
{
	u64 core = cpu < boot_info.ncpus ? boot_info.cpu_hwid[cpu] : ROUTE_MAX_CORES;

	(void)c;
	if (vector >= VECTORS || core >= ROUTE_MAX_CORES)
		return -EINVAL;
	change(EIOINTC_ROUTE + vector / 4 * 4, 0xffU << vector % 4 * 8,
	       1U << core << vector % 4 * 8);
	return 0;
}

static int eiointc_xlate(struct irq_chip *c, const u32 *spec, unsigned int ncells)
{
	(void)c;
	return ncells >= 1 && spec[0] < VECTORS ? (int)spec[0] : -EINVAL;
}

static void eiointc_handle(void)
{
	unsigned int word;

	for (word = 0; word < VECTORS / 64; word++) {
		u64 pending = iocsr_read64(EIOINTC_ISR + word * 8);

		if (!pending)
			continue;
		iocsr_write64(pending, EIOINTC_ISR + word * 8);
		for (; pending; pending &= pending - 1)
			hal_irq_dispatch(&chip, word * 64 + (unsigned int)__builtin_ctzll(pending));
	}
}

/* Node i's number in the low, its mask in the high half of each word, two nodes a word. */
static void __init init_nodes(void)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		iocsr_write32((1U << (2 * i + 1)) << 16 | (1U << (2 * i)), EIOINTC_NODEMAP + i * 4);
}

static void __init init_registers(void)
{
	u8 line = (u8)(1U << (cpu_line - INT_HWI0));
	u8 core = (u8)(1U << (boot_info.cpu_hwid[0] % ROUTE_MAX_CORES));
	unsigned int i;

	iocsr_write64(iocsr_read64(IOCSR_MISC) | IOCSR_MISC_EXTIOI, IOCSR_MISC);
	init_nodes();
	for (i = 0; i < VECTORS / 32; i += 4)
		iocsr_write32(line * 0x01010101U, EIOINTC_IPMAP + i);
	for (i = 0; i < VECTORS; i += 4)
		iocsr_write32(core * 0x01010101U, EIOINTC_ROUTE + i);
	for (i = 0; i < VECTORS / 32; i++) {
		iocsr_write32(0, EIOINTC_ENABLE + i * 4);
		iocsr_write32(U32_MAX, EIOINTC_BOUNCE + i * 4);
	}
}

void eiointc_cpu_init(void)
{
	if (cpu_line)
		csr_xchg(BIT(cpu_line), BIT(cpu_line), CSR_ECFG);
}

static int __init eiointc_probe(const void *fdt, int node)
{
	u32 line = fdt_node_u32(fdt, node, "interrupts", 0);

	if (cpu_line)
		return -EBUSY;
	if (line < INT_HWI0 || line >= INT_HWI0 + 4)
		return -EINVAL;
	cpu_line = line;
	init_registers();
	chip = (struct irq_chip){
		.name = "EIOINTC",
		.mask = eiointc_mask,
		.unmask = eiointc_unmask,
		.set_affinity = eiointc_set_affinity,
		.xlate = eiointc_xlate,
		.phandle = fdt_get_phandle(fdt, node),
	};
	hal_irq_chip_register(&chip);
	eiointc_cpu_init();
	hal_irq_set_root(eiointc_handle);
	return 0;
}

FDT_DRIVER(eiointc_driver) = {
	.name = "eiointc",
	.compatible = (const char *const[]){ "loongson,ls2k2000-eiointc",
					     "loongson,ls2k0500-eiointc", NULL },
	.level = DRIVER_IRQCHIP,
	.probe = eiointc_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * I/O APICs: the interrupt lines of devices.
 *
 * Each I/O APIC is a struct irq_chip whose hwirq is the pin. The vector of a line is X86_VEC_IRQ + its global
 * system interrupt number. Lines go to the boot CPU until set_affinity() moves them.
 * Locking: ioapic_lock, interrupts off, for the index/window register pair.
 * Source: Intel 82093AA data sheet.
 */
#include "pc.h"

#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <hal/upcall.h>

#define REG_SELECT  0x00
#define REG_WINDOW  0x10
#define IOAPIC_VER  1
#define IOAPIC_PIN  0x10 /* two registers a pin */
#define PIN_LOW	    (1u << 13)
#define PIN_LEVEL   (1u << 15)
#define PIN_MASKED  (1u << 16)

#define PIC1_CMD  0x20
#define PIC1_DATA 0x21
#define PIC2_CMD  0xa0
#define PIC2_DATA 0xa1

struct ioapic {
	struct irq_chip chip; /* first: the chip is the I/O APIC */
	volatile u8 *regs;
	u32 gsi_base;
	unsigned int npins;
};

static struct ioapic ioapics[PC_MAX_IOAPICS];
static unsigned int nioapics;
static unsigned int ioapic_lock;

static unsigned long lock(void)
{
	unsigned long flags = hal_irq_save();

	while (__atomic_exchange_n(&ioapic_lock, 1, __ATOMIC_ACQUIRE))
		hal_cpu_relax();
	return flags;
}

static void unlock(unsigned long flags)
{
	__atomic_store_n(&ioapic_lock, 0, __ATOMIC_RELEASE);
	hal_irq_restore(flags);
}

static u32 reg_read(struct ioapic *io, u32 reg)
{
	writel(reg, io->regs + REG_SELECT);
	return readl(io->regs + REG_WINDOW);
}

static void reg_write(struct ioapic *io, u32 reg, u32 v)
{
	writel(reg, io->regs + REG_SELECT);
	writel(v, io->regs + REG_WINDOW);
}

/* Change the lower half of a pin's entry. */
static void pin_update(struct ioapic *io, unsigned int pin, u32 clear, u32 set)
{
	unsigned long flags = lock();
	u32 v = reg_read(io, IOAPIC_PIN + 2 * pin);

	reg_write(io, IOAPIC_PIN + 2 * pin, (v & ~clear) | set);
	unlock(flags);
}

static void ioapic_mask(struct irq_chip *chip, unsigned int pin)
{
	pin_update((struct ioapic *)chip, pin, 0, PIN_MASKED);
}

static void ioapic_unmask(struct irq_chip *chip, unsigned int pin)
{
	pin_update((struct ioapic *)chip, pin, PIN_MASKED, 0);
}

static void ioapic_eoi(struct irq_chip *chip, unsigned int pin)
{
	(void)chip;
	(void)pin;
	x86_lapic_eoi();
}

static int ioapic_set_affinity(struct irq_chip *chip, unsigned int pin, unsigned int cpu)
{
	struct ioapic *io = (struct ioapic *)chip;
	unsigned long flags;

	/* The entry has room for an 8-bit identifier. */
	if (cpu >= boot_info.ncpus || boot_info.cpu_hwid[cpu] > 0xff)
		return -EINVAL;
	flags = lock();
	reg_write(io, IOAPIC_PIN + 2 * pin + 1, (u32)boot_info.cpu_hwid[cpu] << 24);
	unlock(flags);
	return 0;
}

static struct ioapic *find_gsi(u32 gsi)
{
	for (unsigned int i = 0; i < nioapics; i++)
		if (gsi - ioapics[i].gsi_base < ioapics[i].npins)
			return &ioapics[i];
	return NULL;
}

int pc_gsi(u32 gsi, bool level, bool low, struct irq_chip **chip, unsigned int *pin)
{
	struct ioapic *io = find_gsi(gsi);

	if (!io || gsi > X86_VEC_IRQ_LAST - X86_VEC_IRQ)
		return -ENODEV;
	*chip = &io->chip;
	*pin = gsi - io->gsi_base;
	pin_update(io, *pin, PIN_LEVEL | PIN_LOW | 0xff,
		   (level ? PIN_LEVEL : 0) | (low ? PIN_LOW : 0) | (X86_VEC_IRQ + gsi));
	return ioapic_set_affinity(&io->chip, *pin, 0);
}

int pc_isa_irq(unsigned int irq, struct irq_chip **chip, unsigned int *pin)
{
	const struct pc_isa_override *o = &pc_acpi.isa[irq];

	if (o->present)
		return pc_gsi(o->gsi, o->level, o->low, chip, pin);
	return pc_gsi(irq, false, false, chip, pin);
}

u32 ioapic_end_gsi(void)
{
	u32 end = 0;

	for (unsigned int i = 0; i < nioapics; i++)
		end = max(end, ioapics[i].gsi_base + ioapics[i].npins);
	return min(end, (u32)(X86_VEC_IRQ_LAST + 1 - X86_VEC_IRQ));
}

void ioapic_vector(unsigned int vector)
{
	u32 gsi = vector - X86_VEC_IRQ;
	struct ioapic *io = vector >= X86_VEC_IRQ ? find_gsi(gsi) : NULL;

	if (io) {
		hal_irq_dispatch(&io->chip, gsi - io->gsi_base);
		return;
	}
	klog(4, "x86: interrupt with unknown vector %u\n", vector);
	x86_lapic_eoi();
}

/* The old controllers: out of the exceptions' way, and silent. */
static void pic_disable(void)
{
	outb(PIC1_CMD, 0x11);
	outb(PIC2_CMD, 0x11);
	outb(PIC1_DATA, X86_VEC_PIC);
	outb(PIC2_DATA, X86_VEC_PIC + 8);
	outb(PIC1_DATA, 4);
	outb(PIC2_DATA, 2);
	outb(PIC1_DATA, 1);
	outb(PIC2_DATA, 1);
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
}

static void add_ioapic(paddr_t base, u32 gsi_base)
{
	struct ioapic *io = &ioapics[nioapics];

	io->regs = hal_ioremap(base, 0x20);
	if (!io->regs) {
		klog(3, "x86: no memory to map an I/O APIC\n");
		return;
	}
	io->gsi_base = gsi_base;
	io->npins = (reg_read(io, IOAPIC_VER) >> 16 & 0xff) + 1;
	io->chip = (struct irq_chip){
		.name = "ioapic",
		.mask = ioapic_mask,
		.unmask = ioapic_unmask,
		.eoi = ioapic_eoi,
		.set_affinity = ioapic_set_affinity,
	};
	for (unsigned int pin = 0; pin < io->npins; pin++)
		pin_update(io, pin, 0, PIN_MASKED);
	nioapics++;
	hal_irq_chip_register(&io->chip);
}

void ioapic_init(void)
{
	pic_disable();
	for (unsigned int i = 0; i < pc_acpi.nioapics; i++)
		add_ioapic(pc_acpi.ioapic[i].base, pc_acpi.ioapic[i].gsi_base);
	/* Without an MADT there is one where they have always been. */
	if (!pc_acpi.nioapics)
		add_ioapic(0xfec00000, 0);
}

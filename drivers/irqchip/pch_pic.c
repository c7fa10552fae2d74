/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller of Loongson's bridge chip (PCH-PIC): 64 lines that it turns into EIOINTC
 * vectors.
 *
 * The device tree may list it before the EIOINTC, so a vector is asked for when its line is. A level-triggered line that is still active after its handler must be sent again: masking and
 * unmasking it makes the controller look.
 *
 * Source: Loongson 7A1000 user manual, chapter 5; Linux Documentation/devicetree/bindings/
 * interrupt-controller/loongson,pch-pic.yaml.
 *
 * Locking: registers and their shadows are shared by all lines: pch_lock, interrupts off.
 */
#include <compiler.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/irq.h>
#include <libfdt.h>

#define PCH_LINES    64
#define PCH_ID_HIGH  0x04
#define PCH_MASK     0x20
#define PCH_HTMSI_EN 0x40
#define PCH_EDGE     0x60
#define PCH_CLEAR    0x80
#define PCH_ROUTE    0x100
#define PCH_VECTOR   0x200
#define PCH_POL	     0x3e0

/* Trigger types of the specifier's second cell. */
#define IRQ_EDGE_RISING	 1
#define IRQ_EDGE_FALLING 2
#define IRQ_LEVEL_HIGH	 4
#define IRQ_LEVEL_LOW	 8

static struct irq_chip chip;
static char *regs;
static unsigned int nlines, base_vector;
static u32 parent_phandle;
static u64 mask_shadow = U64_MAX, edge_shadow, pol_shadow;
static int pch_lock;

static unsigned long pch_lock_irqsave(void)
{
	unsigned long flags = hal_irq_save();

	while (__atomic_exchange_n(&pch_lock, 1, __ATOMIC_ACQUIRE))
		hal_cpu_relax();
	return flags;
}

static void pch_unlock_irqrestore(unsigned long flags)
{
	__atomic_store_n(&pch_lock, 0, __ATOMIC_RELEASE);
	hal_irq_restore(flags);
}

/* Write the half of a 64-bit register that holds @line's bit. */
static void write_half(unsigned int reg, u64 value, unsigned int line)
{
	writel((u32)(value >> (line / 32 * 32)), regs + reg + line / 32 * 4);
}

static void set_bit_in(u64 *shadow, unsigned int reg, unsigned int line, bool on)
{
	*shadow = on ? *shadow | BIT_ULL(line) : *shadow & ~BIT_ULL(line);
	write_half(reg, *shadow, line);
}

static void pch_mask(struct irq_chip *c, unsigned int line)
{
	unsigned long flags = pch_lock_irqsave();

	(void)c;
	set_bit_in(&mask_shadow, PCH_MASK, line, true);
	pch_unlock_irqrestore(flags);
}

static void pch_unmask(struct irq_chip *c, unsigned int line)
{
	unsigned long flags = pch_lock_irqsave();

	(void)c;
	write_half(PCH_CLEAR, BIT_ULL(line), line);
	set_bit_in(&mask_shadow, PCH_MASK, line, false);
	pch_unlock_irqrestore(flags);
}

static void pch_eoi(struct irq_chip *c, unsigned int line)
{
	unsigned long flags = pch_lock_irqsave();

	(void)c;
	if (edge_shadow & BIT_ULL(line)) {
		write_half(PCH_CLEAR, BIT_ULL(line), line);
	} else if (!(mask_shadow & BIT_ULL(line))) {
		write_half(PCH_MASK, mask_shadow | BIT_ULL(line), line);
		write_half(PCH_MASK, mask_shadow, line);
	}
	pch_unlock_irqrestore(flags);
}

static int pch_set_affinity(struct irq_chip *c, unsigned int line, unsigned int cpu)
{
	struct irq_chip *parent = hal_irq_chip_find(parent_phandle);

	(void)c;
	return parent && parent->set_affinity
		       ? parent->set_affinity(parent, base_vector + line, cpu)
		       : -EINVAL;
}

/* The parent's vector arrived; @arg is the line. */
static void pch_handle(void *arg)
{
	hal_irq_dispatch(&chip, (unsigned int)(unsigned long)arg);
}

/* Ask the parent for the line's vector; a second time is no error: the line is shared by its askers. */
static int pch_attach(unsigned int line)
{
	struct irq_chip *parent = hal_irq_chip_find(parent_phandle);
	int err;

	if (!parent)
		return -ENODEV;
	err = hal_irq_request(parent, base_vector + line, pch_handle, (void *)(unsigned long)line,
			      "PCH-PIC");
	return err == -EBUSY ? 0 : err;
}

static int pch_xlate(struct irq_chip *c, const u32 *spec, unsigned int ncells)
{
	u32 type = ncells > 1 ? spec[1] : IRQ_LEVEL_HIGH;
	unsigned long flags;
	unsigned int line;

	(void)c;
	if (ncells < 1 || spec[0] >= nlines || pch_attach(spec[0]) != 0)
		return -EINVAL;
	line = spec[0];
	flags = pch_lock_irqsave();
	set_bit_in(&edge_shadow, PCH_EDGE, line, type & (IRQ_EDGE_RISING | IRQ_EDGE_FALLING));
	set_bit_in(&pol_shadow, PCH_POL, line, type & (IRQ_EDGE_FALLING | IRQ_LEVEL_LOW));
	writeb((u8)(base_vector + line), regs + PCH_VECTOR + line);
	pch_unlock_irqrestore(flags);
	return (int)line;
}

static void __init pch_reset(void)
{
	unsigned int line;

	for (line = 0; line < PCH_LINES; line += 32) {
		write_half(PCH_MASK, U64_MAX, line);
		write_half(PCH_CLEAR, U64_MAX, line);
		write_half(PCH_HTMSI_EN, U64_MAX, line);
		write_half(PCH_EDGE, 0, line);
		write_half(PCH_POL, 0, line);
	}
	for (line = 0; line < nlines; line++)
		writeb(1, regs + PCH_ROUTE + line);
}

static int __init pch_probe(const void *fdt, int node)
{
	int err = regs ? -EBUSY : fdt_map_regs(fdt, node, 0, PCH_POL + 8, &regs, NULL);

	if (err)
		return err;
	parent_phandle = fdt_node_u32(fdt, node, "interrupt-parent", 0);
	base_vector = fdt_node_u32(fdt, node, "loongson,pic-base-vec", 0);
	nlines = min((readl(regs + PCH_ID_HIGH) >> 16 & 0xff) + 1, (u32)PCH_LINES);
	pch_reset();
	chip = (struct irq_chip){
		.name = "PCH-PIC",
		.mask = pch_mask,
		.unmask = pch_unmask,
		.eoi = pch_eoi,
		.set_affinity = pch_set_affinity,
		.xlate = pch_xlate,
		.phandle = fdt_get_phandle(fdt, node),
	};
	hal_irq_chip_register(&chip);
	return 0;
}

FDT_DRIVER(pch_pic_driver) = {
	.name = "pch-pic",
	.compatible = (const char *const[]){ "loongson,pch-pic-1.0", NULL },
	.level = DRIVER_IRQCHIP,
	.probe = pch_probe,
};

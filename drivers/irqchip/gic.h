/* SPDX-License-Identifier: MIT */
/* What versions 2 and 3 of the Arm GIC have in common: most of the distributor. */
#ifndef DRIVERS_IRQCHIP_GIC_H
#define DRIVERS_IRQCHIP_GIC_H

#include <compiler.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <libfdt.h>
#include <types.h>

#define GICD_CTLR	0x000
#define GICD_TYPER	0x004
#define GICD_ISENABLER	0x100
#define GICD_ICENABLER	0x180
#define GICD_IPRIORITYR 0x400
#define GICD_ICFGR	0xc00

#define GIC_FIRST_PPI 16
#define GIC_FIRST_SPI 32
#define GIC_MAX_IRQS  1020
#define GIC_SPURIOUS  1020
#define GIC_FIRST_LPI 8192
#define GIC_PRIORITY4 0xa0a0a0a0 /* one priority for all, four to a register */

/* Number of interrupts the distributor has. */
static inline unsigned int gic_count(char *dist)
{
	unsigned int n = ((readl(dist + GICD_TYPER) & 31) + 1) * 32;

	return n < GIC_MAX_IRQS ? n : GIC_MAX_IRQS;
}

/* Device-tree specifier: 0 SPI or 1 PPI, number, flags (1 or 2: an edge). Return: the interrupt's number or -EINVAL. */
static inline int gic_xlate(const u32 *spec, unsigned int ncells, unsigned int nirqs, bool *edge)
{
	u32 base, limit;

	if (ncells < 3 || spec[0] > 1)
		return -EINVAL;
	base = spec[0] == 0 ? GIC_FIRST_SPI : GIC_FIRST_PPI;
	limit = spec[0] == 0 ? nirqs : GIC_FIRST_SPI;
	if (spec[1] >= limit - base)
		return -EINVAL;
	*edge = spec[2] & 3;
	return (int)(base + spec[1]);
}

/* @icfgr: the configuration registers that @hwirq belongs to. Caller holds the driver's lock. */
static inline void gic_set_trigger(char *icfgr, unsigned int hwirq, bool edge)
{
	char *reg = icfgr + hwirq / 16 * 4;
	u32 bit = 2U << hwirq % 16 * 2;

	writel(edge ? readl(reg) | bit : readl(reg) & ~bit, reg);
}

static inline unsigned long gic_lock_irqsave(int *lock)
{
	unsigned long flags = hal_irq_save();

	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		hal_cpu_relax();
	return flags;
}

static inline void gic_unlock_irqrestore(int *lock, unsigned long flags)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
	hal_irq_restore(flags);
}

static inline u32 gic_phandle(const void *fdt, int node)
{
	return fdt_get_phandle(fdt, node);
}

struct irq_chip;

/* gicv3.c: end the interrupt that this CPU acknowledged. Interrupts off. */
void gicv3_eoi(struct irq_chip *chip, unsigned int hwirq);
/* gicv3_its.c: this CPU's redistributor (@regs, at @pa) is up; an LPI has come. Weak in gicv3.c. */
void gicv3_lpi_cpu_init(char *regs, paddr_t pa);
void gicv3_lpi_handle(unsigned int id);

#endif

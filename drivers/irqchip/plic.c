/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V platform-level interrupt controller.
 *
 * The controller has a context for each privilege mode of each hart that can take its interrupts;
 * "interrupts-extended" lists them, and the supervisor-mode one (local interrupt 9) of each CPU in
 * boot_info is used. A source is enabled in one context at a time: the boot CPU's, until
 * set_affinity moves it. Masking sets the source's priority to 0, because a completion of a source
 * that is not enabled would be ignored and leave the source stuck.
 * Source: RISC-V Platform-Level Interrupt Controller Specification 1.0.0; Linux
 * Documentation/devicetree/bindings/interrupt-controller/sifive,plic-1.0.0.yaml.
 *
 * Locking: enable words are shared by 32 sources: plic_lock, interrupts off. Priorities, claim and
 * complete are single accesses.
 */
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/irq.h>
#include <hal/upcall.h>
#include <libfdt.h>

#define PLIC_PRIORITY	    0x0
#define PLIC_ENABLE	    0x2000
#define PLIC_ENABLE_STRIDE  0x80
#define PLIC_CONTEXT	    0x200000
#define PLIC_CONTEXT_STRIDE 0x1000
#define CTX_THRESHOLD	    0
#define CTX_CLAIM	    4

#define PLIC_MAX_SOURCES 1024
#define S_EXTERNAL	 9

struct plic {
	struct irq_chip chip;
	char *regs;
	u64 size;
	unsigned int nsources;
	u16 target[PLIC_MAX_SOURCES]; /* CPU that takes the source */
	int context[CONFIG_NR_CPUS];  /* -1: the CPU has none */
};

static struct plic plic;
static int plic_lock;

static void *plic_ctx_reg(unsigned int context, unsigned int reg)
{
	return plic.regs + PLIC_CONTEXT + context * PLIC_CONTEXT_STRIDE + reg;
}

static void plic_set_priority(unsigned int source, u32 priority)
{
	writel(priority, plic.regs + PLIC_PRIORITY + source * 4);
}

static void plic_set_enable(int context, unsigned int source, bool on)
{
	char *word = plic.regs + PLIC_ENABLE + (unsigned int)context * PLIC_ENABLE_STRIDE +
		     source / 32 * 4;
	u32 bit = 1U << source % 32;

	writel(on ? readl(word) | bit : readl(word) & ~bit, word);
}

static unsigned long plic_lock_irqsave(void)
{
	unsigned long flags = hal_irq_save();

	while (__atomic_exchange_n(&plic_lock, 1, __ATOMIC_ACQUIRE))
		hal_cpu_relax();
	return flags;
}

static void plic_unlock_irqrestore(unsigned long flags)
{
	__atomic_store_n(&plic_lock, 0, __ATOMIC_RELEASE);
	hal_irq_restore(flags);
}

static void plic_mask(struct irq_chip *chip, unsigned int source)
{
	(void)chip;
	plic_set_priority(source, 0);
}

static void plic_unmask(struct irq_chip *chip, unsigned int source)
{
	unsigned long flags = plic_lock_irqsave();

	(void)chip;
	plic_set_enable(plic.context[plic.target[source]], source, true);
	plic_set_priority(source, 1);
	plic_unlock_irqrestore(flags);
}

/* A completion by a context where the source is off is not heard, and the source would be silent for ever: one that has been moved meanwhile
 * is let on for the moment. */
static void plic_eoi(struct irq_chip *chip, unsigned int source)
{
	int context = plic.context[hal_cpu_id()];
	unsigned long flags = plic_lock_irqsave();
	bool moved = plic.target[source] != hal_cpu_id();

	(void)chip;
	if (moved)
		plic_set_enable(context, source, true);
	writel(source, plic_ctx_reg((unsigned int)context, CTX_CLAIM));
	if (moved)
		plic_set_enable(context, source, false);
	plic_unlock_irqrestore(flags);
}

static int plic_set_affinity(struct irq_chip *chip, unsigned int source, unsigned int cpu)
{
	unsigned long flags;

	(void)chip;
	if (source >= plic.nsources || cpu >= boot_info.ncpus || plic.context[cpu] < 0)
		return -EINVAL;
	flags = plic_lock_irqsave();
	plic_set_enable(plic.context[plic.target[source]], source, false);
	plic.target[source] = (u16)cpu;
	/* Firmware that has started the hart since plic_reset() has set it up as it likes, which is shut. */
	writel(0, plic_ctx_reg((unsigned int)plic.context[cpu], CTX_THRESHOLD));
	plic_set_enable(plic.context[cpu], source, true);
	plic_unlock_irqrestore(flags);
	return 0;
}

/* One cell, the source; two on controllers with edge support (andestech, thead): the type is not needed. */
static int plic_xlate(struct irq_chip *chip, const u32 *spec, unsigned int ncells)
{
	(void)chip;
	if (ncells < 1 || spec[0] == 0 || spec[0] >= plic.nsources)
		return -EINVAL;
	return (int)spec[0];
}

static void plic_handle(void)
{
	int context = plic.context[hal_cpu_id()];
	u32 source;

	if (context < 0)
		return;
	while ((source = readl(plic_ctx_reg((unsigned int)context, CTX_CLAIM))) != 0)
		hal_irq_dispatch(&plic.chip, source);
}

static bool __init plic_context_in_range(unsigned int context)
{
	return PLIC_CONTEXT + ((u64)context + 1) * PLIC_CONTEXT_STRIDE <= plic.size;
}

static int __init plic_find_contexts(const void *fdt, int node)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "interrupts-extended", &len);

	for (unsigned int i = 0; i < CONFIG_NR_CPUS; i++)
		plic.context[i] = -1;
	if (!p)
		return -EINVAL;
	for (unsigned int ctx = 0; ctx < (unsigned int)len / 8; ctx++) {
		int cpu;

		if (fdt32_to_cpu(p[2 * ctx + 1]) != S_EXTERNAL || !plic_context_in_range(ctx))
			continue;
		cpu = fdt_cpu_of_intc(fdt, fdt32_to_cpu(p[2 * ctx]));
		if (cpu >= 0)
			plic.context[cpu] = (int)ctx;
	}
	return plic.context[0] >= 0 ? 0 : -ENODEV;
}

/* All sources off in all contexts that are ours; the threshold lets every priority but 0 pass. */
static void __init plic_reset(void)
{
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		if (plic.context[cpu] < 0)
			continue;
		for (unsigned int word = 0; word < DIV_ROUND_UP(plic.nsources, 32); word++)
			writel(0, plic.regs + PLIC_ENABLE +
					  (unsigned int)plic.context[cpu] * PLIC_ENABLE_STRIDE +
					  word * 4);
		writel(0, plic_ctx_reg((unsigned int)plic.context[cpu], CTX_THRESHOLD));
	}
	for (unsigned int source = 1; source < plic.nsources; source++)
		plic_set_priority(source, 0);
}

static int __init plic_probe(const void *fdt, int node)
{
	struct boot_range where;
	char *regs;
	int err = plic.regs ? -EBUSY
			    : fdt_map_regs(fdt, node, 0, PLIC_CONTEXT + PLIC_CONTEXT_STRIDE, &regs,
					   &where);

	if (err)
		return err;
	plic.size = where.size;
	plic.nsources = min(fdt_node_u32(fdt, node, "riscv,ndev", 0), PLIC_MAX_SOURCES - 1U) + 1;
	err = plic_find_contexts(fdt, node);
	if (err)
		return err;
	plic.regs = regs;
	plic_reset();
	plic.chip = (struct irq_chip){
		.name = "PLIC",
		.mask = plic_mask,
		.unmask = plic_unmask,
		.eoi = plic_eoi,
		.set_affinity = plic_set_affinity,
		.xlate = plic_xlate,
		.phandle = fdt_get_phandle(fdt, node),
	};
	hal_irq_chip_register(&plic.chip);
	hal_irq_set_root(plic_handle);
	return 0;
}

FDT_DRIVER(plic_driver) = {
	.name = "plic",
	.compatible = (const char *const[]){ "sifive,plic-1.0.0", "riscv,plic0", "thead,c900-plic",
					     NULL },
	.level = DRIVER_IRQCHIP,
	.probe = plic_probe,
};

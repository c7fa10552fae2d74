/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V advanced platform-level interrupt controller (APLIC): wired interrupts, to the harts directly or as
 * messages to their IMSICs.
 *
 * Directly: each hart has an interrupt delivery control (IDC) structure, in the order of "interrupts-extended", and
 * claims sources there. As messages ("msi-parent"): each source has an identity at the boot CPU's IMSIC; a
 * level-sensitive source whose line is still high after its handler sends another when it is written to setipnum.
 * Source: RISC-V Advanced Interrupt Architecture 1.0, chapter 4; Linux
 * Documentation/devicetree/bindings/interrupt-controller/riscv,aplic.yaml.
 *
 * Locking: sourcecfg and target are written while a line is asked for, on the boot CPU; enabling, masking and
 * claiming are single accesses.
 */
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/irq.h>
#include <hal/msi.h>
#include <libfdt.h>

#define APLIC_DOMAINCFG	 0x0000
#define APLIC_SOURCECFG	 0x0004 /* of source 1 */
#define APLIC_CLRIE	 0x1f00 /* 32 words */
#define APLIC_SETIPNUM	 0x1cdc
#define APLIC_SETIENUM	 0x1edc
#define APLIC_CLRIENUM	 0x1fdc
#define APLIC_TARGET	 0x3004 /* of source 1 */
#define APLIC_IDC	 0x4000
#define APLIC_IDC_STRIDE 32
#define IDC_DELIVERY	 0x00
#define IDC_THRESHOLD	 0x08
#define IDC_CLAIMI	 0x1c

#define DOMAINCFG_IE (1U << 8)
#define DOMAINCFG_DM (1U << 2)
#define TARGET_HART  18

#define SM_INACTIVE 0
#define SM_RISING   4
#define SM_FALLING  5
#define SM_HIGH	    6
#define SM_LOW	    7

#define APLIC_MAX_SOURCES 1023
#define S_EXTERNAL	  9

struct aplic {
	struct irq_chip chip;
	char *regs;
	u64 size;
	unsigned int nsources;
	bool msi;
	u32 msi_parent;
	int idc[CONFIG_NR_CPUS];	    /* -1: the CPU has none */
	bool routed[APLIC_MAX_SOURCES + 1]; /* as a message: it has an identity */
};

static struct aplic aplic;

static void *idc_reg(unsigned int idc, unsigned int reg)
{
	return aplic.regs + APLIC_IDC + idc * APLIC_IDC_STRIDE + reg;
}

static void aplic_mask(struct irq_chip *chip, unsigned int source)
{
	(void)chip;
	writel(source, aplic.regs + APLIC_CLRIENUM);
}

static void aplic_unmask(struct irq_chip *chip, unsigned int source)
{
	(void)chip;
	writel(source, aplic.regs + APLIC_SETIENUM);
	if (aplic.msi) /* a line that is high already has no edge to send a message for */
		writel(source, aplic.regs + APLIC_SETIPNUM);
}

static void aplic_eoi(struct irq_chip *chip, unsigned int source)
{
	(void)chip;
	if (aplic.msi)
		writel(source, aplic.regs + APLIC_SETIPNUM);
}

/* Let interrupts of every priority through to a CPU. */
static void idc_open(unsigned int cpu)
{
	writel(0, idc_reg((unsigned int)aplic.idc[cpu], IDC_THRESHOLD));
	writel(1, idc_reg((unsigned int)aplic.idc[cpu], IDC_DELIVERY));
}

static int aplic_set_affinity(struct irq_chip *chip, unsigned int source, unsigned int cpu)
{
	(void)chip;
	if (aplic.msi || cpu >= boot_info.ncpus || aplic.idc[cpu] < 0)
		return -EINVAL;
	idc_open(cpu); /* again: firmware may have started the hart since aplic_reset() */
	writel((u32)aplic.idc[cpu] << TARGET_HART | 1,
	       aplic.regs + APLIC_TARGET + (source - 1) * 4);
	return 0;
}

static void aplic_message(void *source)
{
	hal_irq_dispatch(&aplic.chip, (unsigned int)(unsigned long)source);
}

static void aplic_tell(void *source, const struct hal_msi *msi)
{
	writel(msi->target << TARGET_HART | msi->data,
	       aplic.regs + APLIC_TARGET + ((unsigned long)source - 1) * 4);
}

static int aplic_route(unsigned int source)
{
	struct hal_msi_request rq = { .phandle = aplic.msi_parent,
				      .fn = aplic_message,
				      .arg = (void *)(unsigned long)source,
				      .name = "APLIC",
				      .tell = aplic_tell,
				      .dev = (void *)(unsigned long)source };
	struct hal_msi msi;
	int err;

	if (!aplic.msi)
		return aplic_set_affinity(&aplic.chip, source, 0);
	if (aplic.routed[source])
		return 0;
	err = hal_msi_request(&rq, &msi);
	if (err)
		return err;
	aplic.routed[source] = true;
	aplic_tell(rq.dev, &msi);
	return 0;
}

/* Two cells: the source, and the trigger as everywhere in device trees. */
static int aplic_xlate(struct irq_chip *chip, const u32 *spec, unsigned int ncells)
{
	static const u8 modes[] = {
		[1] = SM_RISING, [2] = SM_FALLING, [4] = SM_HIGH, [8] = SM_LOW
	};
	int err;

	(void)chip;
	if (ncells < 2 || spec[0] == 0 || spec[0] > aplic.nsources)
		return -EINVAL;
	if (spec[1] >= ARRAY_SIZE(modes) || !modes[spec[1]])
		return -EINVAL;
	writel(modes[spec[1]], aplic.regs + APLIC_SOURCECFG + (spec[0] - 1) * 4);
	err = aplic_route(spec[0]);
	return err ? err : (int)spec[0];
}

/* Claiming shows the source in the upper half, and 0 when there is none left. */
static void aplic_handle(void)
{
	int idc = aplic.idc[hal_cpu_id()];
	u32 claim;

	if (idc < 0)
		return;
	while ((claim = readl(idc_reg((unsigned int)idc, IDC_CLAIMI))) != 0)
		hal_irq_dispatch(&aplic.chip, claim >> 16);
}

static int __init find_idcs(const void *fdt, int node)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "interrupts-extended", &len);

	for (unsigned int i = 0; i < CONFIG_NR_CPUS; i++)
		aplic.idc[i] = -1;
	if (!p)
		return -ENODEV;
	for (unsigned int i = 0; i < (unsigned int)len / 8; i++) {
		int cpu;

		if (fdt32_to_cpu(p[2 * i + 1]) != S_EXTERNAL)
			return -ENODEV; /* machine mode's domain */
		cpu = fdt_cpu_of_intc(fdt, fdt32_to_cpu(p[2 * i]));
		if (cpu >= 0 && APLIC_IDC + (i + 1) * APLIC_IDC_STRIDE <= aplic.size)
			aplic.idc[cpu] = (int)i;
	}
	return aplic.idc[0] >= 0 ? 0 : -ENODEV;
}

static int __init find_parent(const void *fdt, int node)
{
	u32 parent = fdt_node_u32(fdt, node, "msi-parent", 0);

	if (!parent)
		return find_idcs(fdt, node);
	aplic.msi = true;
	aplic.msi_parent = parent;
	return hal_msi_present(parent) ? 0 : -ENODEV;
}

static void __init aplic_reset(void)
{
	for (unsigned int word = 0; word <= aplic.nsources / 32; word++)
		writel(U32_MAX, aplic.regs + APLIC_CLRIE + word * 4);
	for (unsigned int source = 1; source <= aplic.nsources; source++)
		writel(SM_INACTIVE, aplic.regs + APLIC_SOURCECFG + (source - 1) * 4);
	for (unsigned int cpu = 0; cpu < boot_info.ncpus && !aplic.msi; cpu++) {
		if (aplic.idc[cpu] >= 0)
			idc_open(cpu);
	}
	writel(DOMAINCFG_IE | (aplic.msi ? DOMAINCFG_DM : 0), aplic.regs + APLIC_DOMAINCFG);
}

static int __init aplic_probe(const void *fdt, int node)
{
	struct boot_range where = { 0 };
	char *regs;
	int err = aplic.regs ? -EBUSY : fdt_map_regs(fdt, node, 0, APLIC_IDC, &regs, &where);

	aplic.size = where.size;
	if (!err)
		err = find_parent(fdt, node);
	if (err)
		return err;
	aplic.nsources =
		min(fdt_node_u32(fdt, node, "riscv,num-sources", 0), (u32)APLIC_MAX_SOURCES);
	aplic.regs = regs;
	aplic_reset();
	aplic.chip = (struct irq_chip){
		.name = "APLIC",
		.mask = aplic_mask,
		.unmask = aplic_unmask,
		.eoi = aplic_eoi,
		.set_affinity = aplic_set_affinity,
		.xlate = aplic_xlate,
		.phandle = fdt_get_phandle(fdt, node),
	};
	hal_irq_chip_register(&aplic.chip);
	if (!aplic.msi)
		hal_irq_set_root(aplic_handle);
	return 0;
}

FDT_DRIVER(aplic_driver) = {
	.name = "aplic",
	.compatible = (const char *const[]){ "riscv,aplic", NULL },
	.level = DRIVER_IRQCHIP,
	.probe = aplic_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of the BCM2836 and BCM2837 (Raspberry Pi 2 and 3).
 *
 * Each core has a local controller with ten lines: its four timers, four mailboxes, one line for all devices, and
 * the performance counters. Mailbox 0 carries the interrupts between cores. Behind the devices' line is the
 * controller of the BCM2835, with three banks of enable and pending registers; it is routed to the boot core.
 *
 * Local lines belong to a core: what the boot core uses, every core does. Pending bits follow the devices, so
 * nothing is acknowledged here but a mailbox, by writing its bits back.
 *
 * Source: BCM2836 ARM-local peripherals (QA7) rev 3.4; BCM2835 ARM Peripherals, chapter 7; Linux
 * Documentation/devicetree/bindings/interrupt-controller/brcm,bcm283{5-armctrl-ic,6-l1-intc}.txt.
 *
 * No locking: enable registers take single bits to set or to clear; local ones are written by their own core.
 */
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/ipi.h>
#include <hal/irq.h>
#include <libfdt.h>

/* ---- Of a core ---- */

#define LOCAL_ROUTING	   0x0c /* which core devices interrupt */
#define LOCAL_TIMERS(core) (0x40 + 4 * (core))
#define LOCAL_BOXES(core)  (0x50 + 4 * (core))
#define LOCAL_SOURCE(core) (0x60 + 4 * (core))
#define LOCAL_SEND(core)   (0x80 + 16 * (core)) /* mailbox 0: bits to set */
#define LOCAL_MAIL(core)   (0xc0 + 16 * (core)) /* mailbox 0: read, and write back to clear */

#define LINE_TIMERS  4 /* lines 0 to 3 */
#define LINE_MAILBOX 4
#define LINE_DEVICES 8
#define LINE_COUNT   10
#define MAX_CORES    4

static char *local;
static u32 timers_used;

static unsigned int core_of(unsigned int cpu)
{
	return (unsigned int)boot_info.cpu_hwid[cpu] % MAX_CORES;
}

static void local_set(unsigned int line, bool on)
{
	unsigned int reg = LOCAL_TIMERS(core_of(hal_cpu_id()));
	u32 old;

	/* Devices have no bit of their own: their controller enables each of them. */
	if (line >= LINE_TIMERS)
		return;
	old = readl(local + reg);
	writel(on ? old | 1U << line : old & ~(1U << line), local + reg);
}

static void local_mask(struct irq_chip *chip, unsigned int line)
{
	(void)chip;
	local_set(line, false);
}

static void local_unmask(struct irq_chip *chip, unsigned int line)
{
	(void)chip;
	if (line < LINE_TIMERS)
		timers_used |= 1U << line;
	local_set(line, true);
}

static int local_xlate(struct irq_chip *chip, const u32 *spec, unsigned int ncells)
{
	(void)chip;
	return ncells >= 1 && spec[0] < LINE_COUNT ? (int)spec[0] : -EINVAL;
}

static struct irq_chip local_chip = {
	.name = "bcm2836",
	.mask = local_mask,
	.unmask = local_unmask,
	.xlate = local_xlate,
};

static void take_mail(unsigned int core)
{
	u32 mail = readl(local + LOCAL_MAIL(core));

	writel(mail, local + LOCAL_MAIL(core));
	for (; mail; mail &= mail - 1)
		hal_ipi_handle((unsigned int)__builtin_ctz(mail));
}

static void local_handle(void)
{
	unsigned int core = core_of(hal_cpu_id());
	u32 pending = readl(local + LOCAL_SOURCE(core)) & ((1U << LINE_COUNT) - 1);

	for (; pending; pending &= pending - 1) {
		unsigned int line = (unsigned int)__builtin_ctz(pending);

		if (line == LINE_MAILBOX)
			take_mail(core);
		else
			hal_irq_dispatch(&local_chip, line);
	}
}

static void local_send(unsigned int cpu, unsigned int ipi)
{
	writel(1U << ipi, local + LOCAL_SEND(core_of(cpu)));
}

static void local_cpu_init(void)
{
	unsigned int core = core_of(hal_cpu_id());

	writel(timers_used, local + LOCAL_TIMERS(core));
	writel(1, local + LOCAL_BOXES(core));
}

static const struct hal_ipi_ops local_ipi = { .send = local_send, .cpu_init = local_cpu_init };

static int __init local_probe(const void *fdt, int node)
{
	int err = local ? -EBUSY : fdt_map_regs(fdt, node, 0, LOCAL_MAIL(MAX_CORES), &local, NULL);

	if (err)
		return err;
	writel(core_of(0), local + LOCAL_ROUTING);
	local_cpu_init();
	local_chip.phandle = fdt_get_phandle(fdt, node);
	hal_irq_chip_register(&local_chip);
	hal_ipi_register(&local_ipi);
	hal_irq_set_root(local_handle);
	return 0;
}

FDT_DRIVER(bcm2836_driver) = {
	.name = "bcm2836-l1-intc",
	.compatible = (const char *const[]){ "brcm,bcm2836-l1-intc", NULL },
	.level = DRIVER_IRQCHIP,
	.probe = local_probe,
};

/* ---- Of the devices ---- */

/* Bank 0 are eight lines of the ARM block, 1 and 2 the graphics processor's 64. */
static const struct {
	u16 pending, enable, disable;
	u32 lines;
} bank[] = {
	{ 0x00, 0x18, 0x24, 0xff },
	{ 0x04, 0x10, 0x1c, U32_MAX },
	{ 0x08, 0x14, 0x20, U32_MAX },
};

#define FIQ_CONTROL 0x0c
#define DEVICES_SIZE 0x28

static char *devices;

static void devices_mask(struct irq_chip *chip, unsigned int hwirq)
{
	(void)chip;
	writel(1U << hwirq % 32, devices + bank[hwirq / 32].disable);
}

static void devices_unmask(struct irq_chip *chip, unsigned int hwirq)
{
	(void)chip;
	writel(1U << hwirq % 32, devices + bank[hwirq / 32].enable);
}

static int devices_xlate(struct irq_chip *chip, const u32 *spec, unsigned int ncells)
{
	(void)chip;
	if (ncells < 2 || spec[0] >= ARRAY_SIZE(bank) || spec[1] >= 32 ||
	    !(bank[spec[0]].lines >> spec[1] & 1))
		return -EINVAL;
	return (int)(spec[0] * 32 + spec[1]);
}

static struct irq_chip devices_chip = {
	.name = "bcm2835",
	.mask = devices_mask,
	.unmask = devices_unmask,
	.xlate = devices_xlate,
};

/* Bank 0's pending register has hints on the other banks, which are read anyway. */
static void devices_handle(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < ARRAY_SIZE(bank); i++) {
		u32 pending = readl(devices + bank[i].pending) & bank[i].lines;

		for (; pending; pending &= pending - 1)
			hal_irq_dispatch(&devices_chip,
					 i * 32 + (unsigned int)__builtin_ctz(pending));
	}
}

static int __init devices_probe(const void *fdt, int node)
{
	int err = devices ? -EBUSY : fdt_map_regs(fdt, node, 0, DEVICES_SIZE, &devices, NULL);

	if (err)
		return err;
	writel(0, devices + FIQ_CONTROL);
	for (unsigned int i = 0; i < ARRAY_SIZE(bank); i++)
		writel(bank[i].lines, devices + bank[i].disable);
	devices_chip.phandle = fdt_get_phandle(fdt, node);
	hal_irq_chip_register(&devices_chip);
	return hal_irq_request_fdt(fdt, node, 0, devices_handle, NULL, "devices");
}

/* A level later than the local controller, whose line it needs and behind which it need not come in the tree. */
FDT_DRIVER(bcm2835_driver) = {
	.name = "bcm2836-armctrl-ic",
	.compatible = (const char *const[]){ "brcm,bcm2836-armctrl-ic", NULL },
	.level = DRIVER_TIMER,
	.probe = devices_probe,
};

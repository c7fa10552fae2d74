/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts: the one controller that takes them.
 *
 * No lock: registered while the boot CPU probes devices; the chip serialises alloc().
 */
#include <compiler.h>
#include <err.h>
#include <hal/msi.h>

static struct hal_msi_chip *msi_chip;

void hal_msi_chip_register(struct hal_msi_chip *chip)
{
	hal_irq_chip_register(&chip->irq);
	if (!msi_chip)
		msi_chip = chip;
}

struct hal_msi_chip *hal_msi_chip(void)
{
	return msi_chip;
}

int hal_msi_request(unsigned int cpu, hal_irq_handler fn, void *arg, const char *name,
		    struct hal_msi *msi)
{
	int hwirq;

	if (!msi_chip)
		return -ENODEV;
	hwirq = msi_chip->alloc(msi_chip, cpu, msi);
	if (hwirq < 0)
		return hwirq;
	return hal_irq_request(&msi_chip->irq, (unsigned int)hwirq, fn, arg, name);
}

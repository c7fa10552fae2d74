/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts: the controllers that take them. See <hal/msi.h>.
 *
 * No lock: registered while the boot CPU probes devices; a chip serialises its requests.
 */
#include <compiler.h>
#include <err.h>
#include <hal/msi.h>

static struct hal_msi_chip *first, **last = &first;

void hal_msi_chip_register(struct hal_msi_chip *chip)
{
	chip->next = NULL;
	*last = chip;
	last = &chip->next;
}

static struct hal_msi_chip *chip_find(u32 phandle)
{
	for (struct hal_msi_chip *chip = first; chip; chip = chip->next)
		if (!phandle || chip->phandle == phandle)
			return chip;
	return NULL;
}

bool hal_msi_present(u32 phandle)
{
	return chip_find(phandle);
}

int hal_msi_attach(struct irq_chip *chip, unsigned int hwirq, const struct hal_msi_request *rq,
		   struct hal_msi *msi)
{
	int err = hal_irq_request(chip, hwirq, rq->fn, rq->arg, rq->name);

	if (err)
		return err;
	msi->irq = (unsigned int)hal_irq_number(chip, hwirq);
	hal_irq_set_sender(msi->irq, rq->cpu, rq->tell, rq->dev);
	return 0;
}

int hal_msi_request(const struct hal_msi_request *rq, struct hal_msi *msi)
{
	struct hal_msi_chip *chip = chip_find(rq->phandle);

	return chip ? chip->request(chip, rq, msi) : -ENODEV;
}

/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts: a device writes a word to an address, a CPU takes an interrupt.
 *
 * A controller that can receive messages registers a chip (level DRIVER_MSI, before what sends to it). A line of
 * it is an ordinary hal_irq line whose hwirq the chip hands out.
 */
#ifndef HAL_MSI_H
#define HAL_MSI_H

#include <hal/irq.h>
#include <types.h>

struct hal_msi {
	u64 addr; /* bus address that the device writes to */
	u32 data; /* what it writes */
	u32 target; /* RISC-V: the hart's index, for controllers that compute the address themselves */
};

struct hal_msi_chip {
	struct irq_chip irq;
	/* Reserve a free hwirq that CPU @cpu takes, and say how it is raised. Return: the hwirq, -ENOSPC, -EINVAL. */
	int (*alloc)(struct hal_msi_chip *chip, unsigned int cpu, struct hal_msi *msi);
};

/** hal_msi_chip_register() - the machine's controller for messages; also registers the lines. Device probing. */
void hal_msi_chip_register(struct hal_msi_chip *chip);
/** hal_msi_chip() - that controller, or NULL. */
struct hal_msi_chip *hal_msi_chip(void);
/** hal_msi_request() - reserve a message for CPU @cpu and install its handler. Return: 0, -ENODEV, -ENOSPC, -ENOMEM. */
int hal_msi_request(unsigned int cpu, hal_irq_handler fn, void *arg, const char *name,
		    struct hal_msi *msi);

#endif

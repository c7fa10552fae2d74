/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts: a device writes a word to an address, a CPU takes an interrupt.
 *
 * A controller that receives messages registers a chip (level DRIVER_MSI, before what sends to it). A driver, or its bus
 * on its behalf, asks for one message at a time: hal_msi_request() picks a free one, installs the handler, and
 * says what the device must write. From then on the handler runs for each message, once, on the CPU that was asked for, as handlers of
 * <hal/irq.h> do. Messages are edges: they are never shared, and need nothing at the device to end them. A message is never given back.
 *
 * CPU 0 can take messages of every controller; others can after they have started, as far as the controller reaches them (all of an ITS and of an
 * IMSIC; of local APICs those with numbers below 256; of an EIOINTC the first four). hal_irq_set_affinity() moves a message.
 * The device must be allowed to write to memory, and is told of its message by its bus (drivers/pci/: MSI-X or MSI).
 */
#ifndef HAL_MSI_H
#define HAL_MSI_H

#include <hal/irq.h>
#include <types.h>

/* What raises a message. */
struct hal_msi {
	u64 addr; /* bus address that the device writes to */
	u32 data; /* what it writes */
	u32 target; /* RISC-V: the hart's index, for controllers that compute the address themselves */
	unsigned int irq; /* its number, for hal_irq_set_affinity() */
};

struct hal_msi_request {
	u32 phandle; /* the controller's node; 0: the machine's first */
	u32 device; /* who writes, as that controller tells its senders apart (PCI: what msi-map makes of the requester) */
	unsigned int cpu;
	hal_irq_handler fn;
	void *arg;
	const char *name; /* in /proc/interrupts */
	/* Tell @dev that it must write something else from now on, which is another CPU's; @msi->irq is not set. Interrupts off. NULL: it cannot
	 * be told, and where the sender's word decides, the message cannot be moved. */
	void (*tell)(void *dev, const struct hal_msi *msi);
	void *dev;
};

struct hal_msi_chip {
	u32 phandle; /* of the controller's node, 0: none */
	/* As hal_msi_request(); serialises itself. */
	int (*request)(struct hal_msi_chip *chip, const struct hal_msi_request *rq,
		       struct hal_msi *msi);
	struct hal_msi_chip *next; /* hal/common's list */
};

/** hal_msi_chip_register() - a controller for messages. Boot CPU, device probing. */
void hal_msi_chip_register(struct hal_msi_chip *chip);
/** hal_msi_present() - is there a controller for messages at this node (0: anywhere)? From level DRIVER_IRQCHIP on. */
bool hal_msi_present(u32 phandle);
/** hal_msi_attach() - for controllers: @hwirq of @chip is the line of the message that @rq asked for. As hal_irq_request(). */
int hal_msi_attach(struct irq_chip *chip, unsigned int hwirq, const struct hal_msi_request *rq,
		   struct hal_msi *msi);
/**
 * hal_msi_request() - allocate a message for a device and install its handler.
 * @rq: who sends, who takes it; copied. @msi: what the device is to write; it may do so as soon as this returns.
 * Context: boot CPU or a task on it; may allocate memory.
 * Return: 0; -ENODEV: no such controller; -EINVAL: it cannot tell this device from others or reach this CPU; -ENOSPC: it has no message left;
 * -ENOMEM; -EIO: the controller does not answer.
 */
int hal_msi_request(const struct hal_msi_request *rq, struct hal_msi *msi);

#endif

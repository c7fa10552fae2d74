/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts.
 *
 * An interrupt controller driver registers a chip and the lines it serves; drivers ask for lines by
 * device-tree specifier, ACPI GSI or MSI. hal/common/irq.c keeps the table.
 * Handlers run with interrupts off on the CPU that took the interrupt; they must not sleep and use
 * spin_lock_irqsave() against task context.
 */
#ifndef HAL_IRQ_H
#define HAL_IRQ_H

#include <types.h>

typedef void (*hal_irq_handler)(void *arg);

struct hal_msi;

struct irq_chip {
	const char *name;
	void (*mask)(struct irq_chip *chip, unsigned int hwirq);
	void (*unmask)(struct irq_chip *chip, unsigned int hwirq);
	void (*eoi)(struct irq_chip *chip, unsigned int hwirq); /* may be NULL */
	int (*set_affinity)(struct irq_chip *chip, unsigned int hwirq,
			    unsigned int cpu); /* may be NULL */
	/* Translate a device-tree interrupt specifier (cells in host order) and set the trigger type; returns the hwirq or -EINVAL. */
	int (*xlate)(struct irq_chip *chip, const u32 *spec, unsigned int ncells);
	/* Lines that are messages, which the device itself sends elsewhere: what it must write to interrupt @cpu. 0 or -EINVAL. May be NULL. */
	int (*message)(struct irq_chip *chip, unsigned int hwirq, unsigned int cpu,
		       struct hal_msi *msi);
	u32 phandle; /* of the controller's node, 0: none */
	void *priv;
	struct irq_chip *next; /* hal/common's list */
};

/** hal_irq_chip_register() - make a controller known. Boot or device probing. */
void hal_irq_chip_register(struct irq_chip *chip);
/** hal_irq_chip_find() - the controller whose node has this phandle, or NULL (for interrupt-map). */
struct irq_chip *hal_irq_chip_find(u32 phandle);
/** hal_irq_set_root() - the function called for "an external interrupt is pending" on this CPU; it asks the
 *  controller which and calls hal_irq_dispatch(). */
void hal_irq_set_root(void (*handle)(void));
/** hal_irq_root() - called by trap code, interrupts off. */
void hal_irq_root(void);
/** hal_irq_dispatch() - run the handler of a line; unknown lines are masked and reported once. Interrupts off. */
void hal_irq_dispatch(struct irq_chip *chip, unsigned int hwirq);
/** hal_irq_request() - install @fn for a line and unmask it. Return: 0, -EBUSY, -ENOMEM. */
int hal_irq_request(struct irq_chip *chip, unsigned int hwirq, hal_irq_handler fn, void *arg,
		    const char *name);
/** hal_irq_request_fdt() - the same for interrupt @index of a device-tree node ("interrupts" or "interrupts-extended"). Return: also -ENOENT. */
int hal_irq_request_fdt(const void *fdt, int node, unsigned int index, hal_irq_handler fn,
			void *arg, const char *name);
/** hal_irq_number() - the number of a line in /proc/interrupts; -ENOENT: nobody has asked for it. */
int hal_irq_number(struct irq_chip *chip, unsigned int hwirq);
/**
 * hal_irq_set_affinity() - send a line's interrupts to another CPU, which runs. What is on its way may still come where it was.
 * @irq: its number. Context: task. Return: 0; -EINVAL: no such line in use, or its controller cannot reach the CPU; -EIO: it stays where it is.
 */
int hal_irq_set_affinity(unsigned int irq, unsigned int cpu);
/** hal_irq_cpu() - where a line's interrupts go; -EINVAL: no such line in use. Any context. */
int hal_irq_cpu(unsigned int irq);
/** hal_irq_count() - numbers of lines are below this. */
unsigned int hal_irq_count(void);
/* For hal/common/msi.c: a line's interrupts come from @dev, which is told by @tell (interrupts off) when they are to go elsewhere. */
void hal_irq_set_sender(unsigned int irq, unsigned int cpu,
			void (*tell)(void *dev, const struct hal_msi *msi), void *dev);
/** hal_irq_format_stats() - /proc/interrupts text. Returns length. */
int hal_irq_format_stats(char *buf, size_t size);

#endif

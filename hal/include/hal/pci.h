/* SPDX-License-Identifier: MIT */
/*
 * PCI: how a machine's bridge is reached. drivers/pci/ looks for devices behind it.
 */
#ifndef HAL_PCI_H
#define HAL_PCI_H

#include <hal/irq.h>
#include <types.h>

struct pci_host {
	/* Read and write a word of a function's configuration space; @bdf: bus << 8 | device << 3 | function; @off a multiple of 4, below 256. */
	u32 (*read)(struct pci_host *host, unsigned int bdf, unsigned int off);
	void (*write)(struct pci_host *host, unsigned int bdf, unsigned int off, u32 value);
	unsigned int first_bus, last_bus; /* that it reaches */
	unsigned int next_bus;		  /* drivers/pci/: the next that no bridge has */
	/* The bus's addresses that no firmware has given out, or size 0: it has given out all. CPU and bus addresses are the same. */
	u64 window, window_size;
	const void *
		fdt; /* for interrupt-map and msi-map, or NULL: route(), and the machine's one controller for messages */
	int node;
	/* The line of interrupt @pin (1: INTA) of a function of the first bus, its trigger set. 0 or -ENOENT. May be NULL. */
	int (*route)(unsigned int devfn, unsigned int pin, struct irq_chip **chip,
		     unsigned int *hwirq);
	void *priv;
};

/** pci_host_scan() - find the devices on the first bus and behind its bridges, and start their drivers. Device probing. */
void pci_host_scan(struct pci_host *host);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Devices on PCI: their configuration space, address ranges (BARs) and interrupt.
 * Context: device probing, boot CPU.
 */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include <hal/irq.h>
#include <hal/pci.h>

#define PCI_VENDOR_DEVICE 0x00
#define PCI_COMMAND	  0x04
#define PCI_CLASS	  0x08
#define PCI_HEADER	  0x0c
#define PCI_BUSES	  0x18 /* of a bridge: primary, secondary << 8, subordinate << 16 */
#define PCI_IO_WINDOW	  0x1c /* of a bridge: base, limit << 8; status << 16 */
#define PCI_MEMORY_WINDOW 0x20 /* of a bridge: base, limit << 16, both address bits 31:20 << 4 */
#define PCI_PREFETCH_WINDOW 0x24
#define PCI_BAR(n)	  (0x10 + 4 * (n))
#define PCI_SUBSYSTEM	  0x2c
#define PCI_CAPABILITIES  0x34
#define PCI_INTERRUPT	  0x3c

#define PCI_COMMAND_MEMORY 2u
#define PCI_COMMAND_MASTER 4u
#define PCI_COMMAND_NO_INTX (1u << 10)
#define PCI_STATUS_CAPABILITIES (1u << 20)

#define PCI_CAP_MSI    0x05
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_EXPRESS 0x10
#define PCI_CAP_MSIX   0x11

struct pci_device {
	struct pci_host *host;
	unsigned int bdf; /* bus << 8 | device << 3 | function */
	/* How its interrupts arrive at the first bus: which function's, and by how many pins further. Messages: whose they seem to be. */
	unsigned int root_devfn, swizzle, requester;
	u16 vendor, device;
	bool msix; /* pci_request_msi() chose MSI-X: entry 0 is the handler's */
	char *msix_entry;
	unsigned int msi_cap;
};

static inline u32 pci_read(struct pci_device *dev, unsigned int off)
{
	return dev->host->read(dev->host, dev->bdf, off & ~3u);
}
static inline void pci_write(struct pci_device *dev, unsigned int off, u32 value)
{
	dev->host->write(dev->host, dev->bdf, off & ~3u, value);
}
/** pci_find_cap() - offset of the first capability @id behind @after (0: from the start), or 0. */
unsigned int pci_find_cap(struct pci_device *dev, u8 id, unsigned int after);
/** pci_map_bar() - map memory range @bar; given an address if it has none. *size in bytes. NULL: there is none, or no room. */
char *pci_map_bar(struct pci_device *dev, unsigned int bar, u64 *size);
/** pci_enable() - let it answer and reach memory. */
void pci_enable(struct pci_device *dev);
/**
 * pci_request_msi() - install a handler for one message of the device's: entry 0 of its MSI-X table, else MSI. Messages go to CPU 0 until hal_irq_set_affinity() moves them.
 * Call pci_enable() before. Return: 0, -ENODEV: the device or the machine has none, or as hal_msi_request(); then pci_request_irq() is left.
 */
int pci_request_msi(struct pci_device *dev, hal_irq_handler fn, void *arg, const char *name);
/** pci_request_irq() - install a handler for its line. 0, -ENOENT: cannot be known here, its interrupt is off; -EBUSY: shared. */
int pci_request_irq(struct pci_device *dev, hal_irq_handler fn, void *arg, const char *name);

/* The drivers. */
int virtio_pci_probe(struct pci_device *dev);

#endif

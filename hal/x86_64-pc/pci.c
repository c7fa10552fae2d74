/* SPDX-License-Identifier: MIT */
/*
 * A PC's PCI bridge by its two ports, which all of them have. The firmware has given out addresses; which interrupt line a
 * device has is known to ACPI's byte code alone, so devices are polled.
 * Source: PCI Local Bus Specification 3.0, 3.2.2.3.2.
 */
#include "pc.h"

#include <hal/pci.h>

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000u

static u32 port_config_read(struct pci_host *host, unsigned int devfn, unsigned int off)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | devfn << 8 | off);
	return inl(CONFIG_DATA);
}

static void port_config_write(struct pci_host *host, unsigned int devfn, unsigned int off,
			      u32 value)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | devfn << 8 | off);
	outl(CONFIG_DATA, value);
}

/* Without CONFIG_PCI. */
__weak void pci_host_scan(struct pci_host *host)
{
}

void pc_pci_init(void)
{
	static struct pci_host host = { .read = port_config_read, .write = port_config_write };

	/* The address register reads back what was written where there is a bridge. */
	outl(CONFIG_ADDRESS, CONFIG_ENABLE);
	if (inl(CONFIG_ADDRESS) == CONFIG_ENABLE)
		pci_host_scan(&host);
}

/* SPDX-License-Identifier: MIT */
/*
 * A PC's PCI bridge by its two ports, which all of them have. The firmware has given out bus numbers and addresses. Which interrupt line a
 * device has only ACPI's byte code tells for sure, which is not read; the MultiProcessor table tells it where there is one. What a device's
 * Interrupt Line register holds is a line of the 8259s, which need not reach the I/O APIC, and is not used.
 * Source: PCI Local Bus Specification 3.0, 3.2.2.3.2.
 */
#include "pc.h"

#include <err.h>
#include <hal/pci.h>

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000u

static u32 port_config_read(struct pci_host *host, unsigned int bdf, unsigned int off)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | bdf << 8 | off);
	return inl(CONFIG_DATA);
}

static void port_config_write(struct pci_host *host, unsigned int bdf, unsigned int off, u32 value)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | bdf << 8 | off);
	outl(CONFIG_DATA, value);
}

static int mp_route(unsigned int devfn, unsigned int pin, struct irq_chip **chip,
		    unsigned int *hwirq)
{
	struct pc_intx x;

	return mp_find_intx(devfn >> 3, pin, &x) || pc_gsi(x.gsi, x.level, x.low, chip, hwirq)
		       ? -ENOENT
		       : 0;
}

/* Without CONFIG_PCI. */
__weak void pci_host_scan(struct pci_host *host)
{
}

void pc_pci_init(void)
{
	static struct pci_host host = { .read = port_config_read,
					.write = port_config_write,
					.last_bus = 255,
					.route = mp_route };

	/* The address register reads back what was written where there is a bridge. */
	outl(CONFIG_ADDRESS, CONFIG_ENABLE);
	if (inl(CONFIG_ADDRESS) == CONFIG_ENABLE)
		pci_host_scan(&host);
}

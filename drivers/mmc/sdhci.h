/* SPDX-License-Identifier: MIT */
/* SD Host Controller Interface: sdhci.c; sdhci_fdt.c says which machines have one. */
#ifndef DRIVERS_MMC_SDHCI_H
#define DRIVERS_MMC_SDHCI_H

#include <drivers/mmc/mmc.h>

struct sdhci {
	struct mmc_host host;
	char *regs;
	/* Set by who finds it: */
	u32 base_hz; /* of the controller's clock, where its capabilities do not tell; 0: they must */
	bool no_detect;	 /* the card-detect signal is not wired, or the slot has a chip */
	bool no_protect; /* likewise the write-protect switch */
	/* sdhci.c's: */
	u32 control;		  /* host control register without power */
	unsigned int version;	  /* 0: 1.00, 1: 2.00, 2: 3.00 ... */
	struct mmc_status status; /* status.has_irq: set by who finds it */
};

/** sdhci_setup() - fill @s->host. mmc_host_register() is the caller's. 0, -ENXIO: there are no registers. Device probing. */
int sdhci_setup(struct sdhci *s);

#endif

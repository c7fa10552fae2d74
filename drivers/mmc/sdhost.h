/* SPDX-License-Identifier: MIT */
/* The BCM2835's own controller: sdhost.c; sdhost_fdt.c finds it. */
#ifndef DRIVERS_MMC_SDHOST_H
#define DRIVERS_MMC_SDHOST_H

#include <drivers/mmc/mmc.h>

struct sdhost {
	struct mmc_host host;
	char *regs;
	u32 base_hz; /* the VPU's clock, from which the card's is divided */
	u32 config;
};

/** sdhost_setup() - fill @s->host. mmc_host_register() is the caller's. Device probing. */
void sdhost_setup(struct sdhost *s);

#endif

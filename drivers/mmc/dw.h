/* SPDX-License-Identifier: MIT */
/* Synopsys DesignWare Mobile Storage host: dw.c; dw_fdt.c says which machines have one. */
#ifndef DRIVERS_MMC_DW_H
#define DRIVERS_MMC_DW_H

#include <drivers/mmc/mmc.h>

struct dw_mmc {
	struct mmc_host host;
	char *regs;
	/* Set by who finds it: */
	u32 base_hz;	/* of the card interface's clock */
	u32 fifo_depth; /* in words of the FIFO's width; 0: what the controller's registers say */
	bool no_detect; /* the card-detect line is not wired, or the slot has a chip */
	bool no_protect;
	/* dw.c's: */
	u32 data_reg;
	bool wide;		  /* the FIFO has 64 bits, not 32 */
	struct mmc_status status; /* status.has_irq: set by who finds it */
};

/** dw_mmc_setup() - fill @d->host. mmc_host_register() is the caller's. 0, -EINVAL: a FIFO that is not known. Device probing. */
int dw_mmc_setup(struct dw_mmc *d);

#endif

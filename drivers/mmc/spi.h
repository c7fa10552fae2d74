/* SPDX-License-Identifier: MIT */
/* A card on an SPI bus: spi.c. */
#ifndef DRIVERS_MMC_SPI_H
#define DRIVERS_MMC_SPI_H

#include <drivers/mmc/mmc.h>
#include <drivers/spi/spi.h>

struct mmc_spi {
	struct mmc_host host;
	struct spi_bus *bus;
};

/** mmc_spi_setup() - fill @m->host; @m->bus is set. mmc_host_register() is the caller's. */
void mmc_spi_setup(struct mmc_spi *m);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * SPI buses: what a controller offers to the driver of the one device on it.
 * All is called in task context by that driver, which serialises. Bytes go most significant bit first, mode 0.
 */
#ifndef DRIVERS_SPI_H
#define DRIVERS_SPI_H

#include <types.h>

struct spi_bus;
struct spi_bus_ops {
	/* Run the clock at @hz at most. */
	void (*set_clock)(struct spi_bus *bus, u32 hz);
	void (*select)(struct spi_bus *bus, bool on);
	/* Exchange @n bytes with the selected device. @tx NULL: all ones; @rx NULL: not wanted. 0, or -ENXIO: the controller is stuck. */
	int (*transfer)(struct spi_bus *bus, const u8 *tx, u8 *rx, size_t n);
	/* @n bytes' clocks with nobody selected. */
	int (*idle)(struct spi_bus *bus, size_t n);
};

struct spi_bus {
	const struct spi_bus_ops *ops;
};

struct sifive_spi {
	struct spi_bus bus;
	char *regs;
	u64 in_hz;	     /* of the controller's clock */
	unsigned int device; /* number of the chip select line */
};
/** sifive_spi_setup() - a SiFive controller with one device at line @s->device; @s->regs and @s->in_hz are set. Device probing. */
void sifive_spi_setup(struct sifive_spi *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * SiFive's SPI controller (FU540, FU740), one data line each way.
 *
 * Bytes go through two FIFOs of 8. They take less time than an interrupt, so that they are polled for; a controller that does not move
 * them is given up after a few milliseconds.
 * Source: SiFive FU540-C000 Manual, chapter 19.
 */
#include <compiler.h>
#include <drivers/spi/spi.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/timer.h>

#define SPI_SCKDIV  0x00
#define SPI_SCKMODE 0x04
#define SPI_CSID    0x10
#define SPI_CSDEF   0x14
#define SPI_CSMODE  0x18
#define SPI_FMT	    0x40
#define SPI_TXDATA  0x48
#define SPI_RXDATA  0x4c
#define SPI_FCTRL   0x60
#define SPI_IE	    0x70

#define CSMODE_AUTO 0
#define CSMODE_HOLD 2
#define CSMODE_OFF  3
#define FMT_BYTES   (8u << 16) /* frames of 8 bits on one line, first the highest, received too */
#define RX_EMPTY    (1u << 31)
#define MAX_DIVIDER 0xfff

#define FIFO	 8u
#define STUCK_NS 5000000ULL /* a FIFO at 100 kHz takes 640 us */

static struct sifive_spi *of_bus(struct spi_bus *bus)
{
	return container_of(bus, struct sifive_spi, bus);
}

static void sifive_set_clock(struct spi_bus *bus, u32 hz)
{
	struct sifive_spi *s = of_bus(bus);
	u64 divider = DIV_ROUND_UP(s->in_hz, 2 * (u64)hz);

	writel((u32)min_t(u64, divider ? divider - 1 : 0, MAX_DIVIDER), s->regs + SPI_SCKDIV);
}

/* The line follows with the next frame. */
static void sifive_select(struct spi_bus *bus, bool on)
{
	writel(on ? CSMODE_HOLD : CSMODE_AUTO, of_bus(bus)->regs + SPI_CSMODE);
}

/* The next byte that came in, or -ENXIO. */
static int receive(struct sifive_spi *s)
{
	u32 data = readl(s->regs + SPI_RXDATA);
	u64 end;

	if (!(data & RX_EMPTY))
		return (u8)data;
	end = hal_clock_ns() + STUCK_NS;
	while ((data = readl(s->regs + SPI_RXDATA)) & RX_EMPTY) {
		if (hal_clock_ns() > end)
			return -ENXIO;
		hal_cpu_relax();
	}
	return (u8)data;
}

static int sifive_transfer(struct spi_bus *bus, const u8 *tx, u8 *rx, size_t n)
{
	struct sifive_spi *s = of_bus(bus);

	while (n) {
		size_t piece = min_t(size_t, n, FIFO);

		for (size_t i = 0; i < piece; i++)
			writel(tx ? *tx++ : 0xff, s->regs + SPI_TXDATA);
		for (size_t i = 0; i < piece; i++) {
			int byte = receive(s);

			if (byte < 0)
				return byte;
			if (rx)
				*rx++ = (u8)byte;
		}
		n -= piece;
	}
	return 0;
}

static int sifive_idle(struct spi_bus *bus, size_t n)
{
	struct sifive_spi *s = of_bus(bus);
	int r;

	writel(CSMODE_OFF, s->regs + SPI_CSMODE);
	r = sifive_transfer(bus, NULL, NULL, n);
	writel(CSMODE_AUTO, s->regs + SPI_CSMODE);
	return r;
}

void sifive_spi_setup(struct sifive_spi *s)
{
	static const struct spi_bus_ops ops = {
		.set_clock = sifive_set_clock,
		.select = sifive_select,
		.transfer = sifive_transfer,
		.idle = sifive_idle,
	};

	s->bus.ops = &ops;
	writel(0, s->regs + SPI_IE);
	writel(0, s->regs + SPI_FCTRL); /* registers, not a window onto a flash chip */
	writel(0, s->regs + SPI_SCKMODE);
	writel(FMT_BYTES, s->regs + SPI_FMT);
	writel(s->device, s->regs + SPI_CSID);
	writel(readl(s->regs + SPI_CSDEF) | 1u << s->device, s->regs + SPI_CSDEF);
	writel(CSMODE_AUTO, s->regs + SPI_CSMODE);
	for (unsigned int i = 0; i < FIFO && !(readl(s->regs + SPI_RXDATA) & RX_EMPTY); i++)
		; /* what the firmware left */
}

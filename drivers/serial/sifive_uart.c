/* SPDX-License-Identifier: MIT */
/*
 * SiFive's UART (FU540, FU740). The line's speed is the firmware's.
 *
 * Both data registers show with bit 31 that nothing can be written or read. The receive interrupt is a watermark:
 * it stays while more than rxcnt bytes wait, so with it off the FIFO of 8 bytes is all that holds input back.
 * Source: SiFive FU540-C000 Manual, chapter 13.
 */
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>

#include "uart.h"

#define UART_TXDATA 0x00
#define UART_RXDATA 0x04
#define UART_TXCTRL 0x08
#define UART_RXCTRL 0x0c
#define UART_IE	    0x10

#define DATA_BUSY   (1U << 31) /* txdata: full; rxdata: empty */
#define CTRL_ENABLE 1
#define IE_RX	    2

static bool sifive_uart_send(char *regs, u8 byte)
{
	if (readl(regs + UART_TXDATA) & DATA_BUSY)
		return false;
	writel(byte, regs + UART_TXDATA);
	return true;
}

static int sifive_uart_receive(char *regs)
{
	u32 data = readl(regs + UART_RXDATA);

	return data & DATA_BUSY ? -EAGAIN : (u8)data;
}

static void sifive_uart_rx_enable(char *regs, bool on)
{
	writel(on ? IE_RX : 0, regs + UART_IE);
}

static void __init sifive_uart_setup(char *regs)
{
	writel(0, regs + UART_IE);
	writel(readl(regs + UART_TXCTRL) | CTRL_ENABLE, regs + UART_TXCTRL);
	writel(CTRL_ENABLE, regs + UART_RXCTRL); /* watermark 0: an interrupt for the first byte */
}

static const struct uart_type sifive_uart_type = {
	.prefix = "ttySIF",
	.size = UART_IE + 4,
	.setup = sifive_uart_setup,
	.send = sifive_uart_send,
	.receive = sifive_uart_receive,
	.rx_enable = sifive_uart_rx_enable,
};

static int __init sifive_uart_probe(const void *fdt, int node)
{
	static unsigned int count;

	return uart_probe(fdt, node, &sifive_uart_type, &count);
}

FDT_DRIVER(sifive_uart_driver) = {
	.name = "sifive-uart",
	.compatible = (const char *const[]){ "sifive,uart0", NULL },
	.level = DRIVER_SERIAL,
	.probe = sifive_uart_probe,
};

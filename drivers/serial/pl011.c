/* SPDX-License-Identifier: MIT */
/*
 * The Arm PL011 UART. Line speed and format are left as the firmware set them.
 *
 * Input: the receive interrupt comes when the FIFO is half full, the time-out interrupt when bytes wait
 * in it; both stay asserted until the bytes are taken. Reading the FIFO empty takes them back; clearing them by hand as
 * well would lose the one of a byte that comes after the last look.
 * Source: PrimeCell UART (PL011) Technical Reference Manual (DDI 0183).
 */
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>

#include "uart.h"

#define UART_DR	  0x00
#define UART_FR	  0x18
#define UART_LCRH 0x2c
#define UART_CR	  0x30
#define UART_IFLS 0x34
#define UART_IMSC 0x38
#define UART_ICR  0x44

#define FR_RXFE	  (1 << 4)
#define FR_TXFF	  (1 << 5)
#define LCRH_FEN  (1 << 4)
#define LCRH_8BIT (3 << 5)
#define CR_ENABLE (1 | 1 << 8 | 1 << 9) /* UART, transmit, receive */
#define INT_RX	  (1 << 4)
#define INT_RT	  (1 << 6)
#define DR_ERRORS 0xf00 /* framing, parity, break, overrun */

static bool pl011_send(char *regs, u8 byte)
{
	if (readl(regs + UART_FR) & FR_TXFF)
		return false;
	writel(byte, regs + UART_DR);
	return true;
}

static int pl011_receive(char *regs)
{
	u32 data;

	if (readl(regs + UART_FR) & FR_RXFE)
		return -EAGAIN;
	data = readl(regs + UART_DR);
	return data & DR_ERRORS ? -EIO : (u8)data;
}

static void pl011_rx_enable(char *regs, bool on)
{
	writel(on ? INT_RX | INT_RT : 0, regs + UART_IMSC);
}

static void __init pl011_setup(char *regs)
{
	writel(0, regs + UART_IMSC);
	writel(0x7ff, regs + UART_ICR);
	writel(readl(regs + UART_LCRH) | LCRH_FEN | LCRH_8BIT, regs + UART_LCRH);
	writel(0, regs + UART_IFLS);
	writel(CR_ENABLE | (readl(regs + UART_CR) & 0xfc00), regs + UART_CR);
}

static const struct uart_type pl011_type = {
	.prefix = "ttyAMA",
	.size = UART_ICR + 4,
	.setup = pl011_setup,
	.send = pl011_send,
	.receive = pl011_receive,
	.rx_enable = pl011_rx_enable,
};

static int __init pl011_probe(const void *fdt, int node)
{
	static unsigned int count;

	return uart_probe(fdt, node, &pl011_type, &count);
}

FDT_DRIVER(pl011_driver) = {
	.name = "pl011",
	.compatible = (const char *const[]){ "arm,pl011", NULL },
	.level = DRIVER_SERIAL,
	.probe = pl011_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * The Arm PL011 UART. Line speed and format are left as the firmware set them.
 *
 * Input: the receive interrupt comes when the FIFO is half full, the time-out interrupt when bytes wait
 * in it; both stay asserted until the bytes are taken, so with receive interrupts off the FIFO holds the
 * sender back.
 * Source: PrimeCell UART (PL011) Technical Reference Manual (DDI 0183).
 *
 * Locking: output is serialised by the kernel's console; the interrupt mask is one store.
 */
#include <compiler.h>
#include <err.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/irq.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <lib/printf.h>

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
#define DR_ERRORS 0xf00

#define MAX_PORTS 4
#define TX_SPINS  1000000
#define RX_BURST  256 /* bytes taken in one interrupt */

struct pl011 {
	char *regs;
	char name[12];
	struct hal_console con;
};

static struct pl011 ports[MAX_PORTS];
static unsigned int nports;

static void pl011_write(struct hal_console *con, const char *buf, size_t n)
{
	struct pl011 *uart = con->priv;

	for (size_t i = 0; i < n; i++) {
		unsigned int spins = 0;

		while (readl(uart->regs + UART_FR) & FR_TXFF) {
			if (++spins == TX_SPINS)
				return;
			hal_cpu_relax();
		}
		writel((u8)buf[i], uart->regs + UART_DR);
	}
}

static void pl011_rx_enable(struct hal_console *con, bool on)
{
	struct pl011 *uart = con->priv;

	writel(on ? INT_RX | INT_RT : 0, uart->regs + UART_IMSC);
}

/*
 * A byte with a framing, parity or break error is dropped. Reading the FIFO empty takes both interrupts
 * back; clearing them by hand as well would lose the one of a byte that comes after the last look.
 */
static void pl011_irq(void *arg)
{
	struct pl011 *uart = arg;

	for (unsigned int i = 0; i < RX_BURST && !(readl(uart->regs + UART_FR) & FR_RXFE); i++) {
		u32 data = readl(uart->regs + UART_DR);

		if (data & DR_ERRORS)
			continue;
		if (!upcall_console_rx((u8)data)) {
			pl011_rx_enable(&uart->con, false);
			return;
		}
	}
}

static void __init pl011_setup(struct pl011 *uart)
{
	writel(0, uart->regs + UART_IMSC);
	writel(0x7ff, uart->regs + UART_ICR);
	writel(readl(uart->regs + UART_LCRH) | LCRH_FEN | LCRH_8BIT, uart->regs + UART_LCRH);
	writel(0, uart->regs + UART_IFLS);
	writel(CR_ENABLE | (readl(uart->regs + UART_CR) & 0xfc00), uart->regs + UART_CR);
}

static int __init pl011_probe(const void *fdt, int node)
{
	struct pl011 *uart = &ports[nports];
	paddr_t pa;
	u64 size;
	int err = fdt_node_reg(fdt, node, 0, &pa, &size);

	if (err)
		return err;
	if (nports == MAX_PORTS)
		return -ENOMEM;
	uart->regs = hal_ioremap(pa, size);
	if (!uart->regs)
		return -ENOMEM;
	scnprintf(uart->name, sizeof(uart->name), "ttyAMA%u", nports++);
	pl011_setup(uart);
	uart->con = (struct hal_console){
		.name = uart->name,
		.write = pl011_write,
		.rx_enable = pl011_rx_enable,
		.priv = uart,
		.preferred = fdt_node_is_stdout(fdt, node),
	};
	err = hal_irq_request_fdt(fdt, node, 0, pl011_irq, uart, uart->name);
	hal_console_register(&uart->con);
	return err;
}

FDT_DRIVER(pl011_driver) = {
	.name = "pl011",
	.compatible = (const char *const[]){ "arm,pl011", NULL },
	.level = DRIVER_SERIAL,
	.probe = pl011_probe,
};

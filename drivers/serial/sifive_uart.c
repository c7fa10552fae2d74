/* SPDX-License-Identifier: MIT */
/*
 * SiFive's UART (FU540, FU740). The line's speed is the firmware's.
 *
 * Both data registers show with bit 31 that nothing can be written or read. The receive interrupt is a watermark:
 * it stays while more than rxcnt bytes wait, so with it off the FIFO of 8 bytes is all that holds input back.
 * Source: SiFive FU540-C000 Manual, chapter 13.
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

#define UART_TXDATA 0x00
#define UART_RXDATA 0x04
#define UART_TXCTRL 0x08
#define UART_RXCTRL 0x0c
#define UART_IE	    0x10

#define DATA_BUSY   (1U << 31) /* txdata: full; rxdata: empty */
#define CTRL_ENABLE 1
#define IE_RX	    2

#define MAX_PORTS 4
#define TX_SPINS  1000000
#define RX_BURST  256

struct sifive_uart {
	char *regs;
	char name[12];
	struct hal_console con;
};

static struct sifive_uart ports[MAX_PORTS];
static unsigned int nports;

static void sifive_uart_write(struct hal_console *con, const char *buf, size_t n)
{
	struct sifive_uart *uart = con->priv;

	for (size_t i = 0; i < n; i++) {
		unsigned int spins = 0;

		while (readl(uart->regs + UART_TXDATA) & DATA_BUSY) {
			if (++spins == TX_SPINS)
				return;
			hal_cpu_relax();
		}
		writel((u8)buf[i], uart->regs + UART_TXDATA);
	}
}

static void sifive_uart_rx_enable(struct hal_console *con, bool on)
{
	struct sifive_uart *uart = con->priv;

	writel(on ? IE_RX : 0, uart->regs + UART_IE);
}

/* The kernel says with the byte it takes whether it has room for another. */
static void sifive_uart_irq(void *arg)
{
	struct sifive_uart *uart = arg;

	for (unsigned int i = 0; i < RX_BURST; i++) {
		u32 data = readl(uart->regs + UART_RXDATA);

		if (data & DATA_BUSY)
			return;
		if (!upcall_console_rx((u8)data)) {
			sifive_uart_rx_enable(&uart->con, false);
			return;
		}
	}
}

static int __init sifive_uart_probe(const void *fdt, int node)
{
	struct sifive_uart *uart = &ports[nports];
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
	scnprintf(uart->name, sizeof(uart->name), "ttySIF%u", nports++);
	writel(0, uart->regs + UART_IE);
	writel(readl(uart->regs + UART_TXCTRL) | CTRL_ENABLE, uart->regs + UART_TXCTRL);
	writel(CTRL_ENABLE,
	       uart->regs + UART_RXCTRL); /* watermark 0: an interrupt for the first byte */
	uart->con = (struct hal_console){
		.name = uart->name,
		.write = sifive_uart_write,
		.rx_enable = sifive_uart_rx_enable,
		.priv = uart,
		.preferred = fdt_node_is_stdout(fdt, node),
	};
	err = hal_irq_request_fdt(fdt, node, 0, sifive_uart_irq, uart, uart->name);
	hal_console_register(&uart->con);
	return err;
}

FDT_DRIVER(sifive_uart_driver) = {
	.name = "sifive-uart",
	.compatible = (const char *const[]){ "sifive,uart0", NULL },
	.level = DRIVER_SERIAL,
	.probe = sifive_uart_probe,
};

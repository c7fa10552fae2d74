/* SPDX-License-Identifier: MIT */
/*
 * The 16550 UART: National Semiconductor's, and those that look like it.
 *
 *	ns16550_init()		ISA and ACPI machines
 *	device-tree probe	"ns16550a", "ns16550", "snps,dw-apb-uart", ...
 *
 * Output is polled, with a bound: a UART that never drains loses bytes, not the kernel. Input comes by
 * interrupt; while the kernel's buffer is full the receive interrupt is off and the FIFO holds the
 * sender back. The line settings are the firmware's unless the input clock is known.
 * Source: PC16550D data sheet; Linux Documentation/devicetree/bindings/serial/8250.yaml.
 *
 * Locking: writers are serialised by kernel/console.c. IER is written by the interrupt handler and by
 * rx_enable; both have interrupts off or run before the first interrupt, and a lost race only costs one
 * more interrupt, because the handler looks at the line status and not at IER.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <hal/ns16550.h>
#include <err.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/upcall.h>
#include <lib/printf.h>

enum {
	UART_RBR = 0, /* read: received byte */
	UART_THR = 0, /* write: byte to send */
	UART_DLL = 0, /* with LCR_DLAB: divisor */
	UART_DLM = 1,
	UART_IER = 1,
	UART_IIR = 2, /* read */
	UART_FCR = 2, /* write */
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_USR = 31, /* DesignWare only */
	UART_REGS = 8,
	UART_REGS_DW = 32,
};

#define IER_RX	   0x01
#define IIR_BUSY   0x07 /* DesignWare: LCR was written while busy; reading USR clears it */
#define FCR_ENABLE 0x01
#define FCR_CLEAR  0x06
#define LCR_8N1	   0x03
#define LCR_DLAB   0x80
#define MCR_DTR	   0x01
#define MCR_RTS	   0x02
#define MCR_OUT2   0x08 /* gates the interrupt on PCs */
#define LSR_DR	   0x01
#define LSR_THRE   0x20

#define NS16550_MAX_PORTS 4
#define FIFO_SIZE	  16
#define TX_SPINS	  1000000 /* status reads before a byte is given up, ... */
#define TX_SPINS_STUCK	  100	  /* ... and while the port has taken none since */
#define LCR_TRIES	  100000  /* a byte takes 87 us at 115200 */
#define RX_BURST	  256	  /* bytes an interrupt takes at most */
#define MAX_SHIFT	  4	  /* of the distance between registers */

struct ns16550 {
	struct hal_console con;
	struct ns16550_config cfg;
	char name[8];
	bool stuck; /* writers' */
};

static struct ns16550 ports[NS16550_MAX_PORTS];
static unsigned int nports;

static u8 uart_read(struct ns16550 *uart, unsigned int reg)
{
	void *addr = (char *)uart->cfg.base + (reg << uart->cfg.reg_shift);

	if (uart->cfg.read)
		return uart->cfg.read(uart->cfg.base, reg);
	return uart->cfg.reg_width == 4 ? (u8)readl(addr) : readb(addr);
}

static void uart_write(struct ns16550 *uart, unsigned int reg, u8 value)
{
	void *addr = (char *)uart->cfg.base + (reg << uart->cfg.reg_shift);

	if (uart->cfg.write)
		uart->cfg.write(uart->cfg.base, reg, value);
	else if (uart->cfg.reg_width == 4)
		writel(value, addr);
	else
		writeb(value, addr);
}

static bool uart_wait_empty(struct ns16550 *uart)
{
	unsigned int spins = uart->stuck ? TX_SPINS_STUCK : TX_SPINS;

	for (; spins > 0; spins--) {
		if (uart_read(uart, UART_LSR) & LSR_THRE)
			break;
		hal_cpu_relax();
	}
	uart->stuck = spins == 0;
	return !uart->stuck;
}

static void ns16550_write(struct hal_console *con, const char *buf, size_t n)
{
	struct ns16550 *uart = con->priv;

	while (n > 0 && uart_wait_empty(uart)) {
		size_t burst = min(n, (size_t)FIFO_SIZE);

		n -= burst;
		while (burst-- > 0)
			uart_write(uart, UART_THR, (u8)*buf++);
	}
}

static void ns16550_rx_enable(struct hal_console *con, bool on)
{
	uart_write(con->priv, UART_IER, on ? IER_RX : 0);
}

static void ns16550_irq(void *arg)
{
	struct ns16550 *uart = arg;

	if ((uart_read(uart, UART_IIR) & 0x0f) == IIR_BUSY && uart->cfg.designware)
		(void)uart_read(uart, UART_USR);
	for (unsigned int i = 0; i < RX_BURST && (uart_read(uart, UART_LSR) & LSR_DR); i++) {
		if (!upcall_console_rx(uart_read(uart, UART_RBR))) {
			uart_write(uart, UART_IER, 0);
			return;
		}
	}
}

/* DesignWare's ignores the store, and interrupts, while a byte is on the line: the firmware's last ones may be. */
static bool uart_set_lcr(struct ns16550 *uart, u8 lcr)
{
	for (unsigned int i = 0; i < LCR_TRIES; i++) {
		uart_write(uart, UART_LCR, lcr);
		if (!uart->cfg.designware || uart_read(uart, UART_LCR) == lcr)
			return true;
		(void)uart_read(uart, UART_USR);
	}
	return false;
}

static void uart_set_baud(struct ns16550 *uart)
{
	u32 baud = uart->cfg.baud ? uart->cfg.baud : 115200;
	u32 divisor = (uart->cfg.clock / 16 + baud / 2) / baud;

	if (divisor == 0 || divisor > 0xffff || !uart_set_lcr(uart, LCR_8N1 | LCR_DLAB))
		return;
	uart_write(uart, UART_DLL, (u8)divisor);
	uart_write(uart, UART_DLM, (u8)(divisor >> 8));
}

int __init ns16550_init(const struct ns16550_config *cfg)
{
	struct ns16550 *uart = &ports[nports];
	int err = 0;

	if (nports == NS16550_MAX_PORTS)
		return -ENOMEM;
	uart->cfg = *cfg;
	scnprintf(uart->name, sizeof(uart->name), "%s", cfg->name);
	if (uart_read(uart, UART_LSR) == 0xff)
		return -ENODEV;
	nports++;

	uart_write(uart, UART_IER, 0);
	if (cfg->clock)
		uart_set_baud(uart);
	uart_set_lcr(uart, LCR_8N1);
	uart_write(uart, UART_FCR, FCR_ENABLE);
	uart_write(uart, UART_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);

	uart->con = (struct hal_console){
		.name = uart->name,
		.write = ns16550_write,
		.rx_enable = ns16550_rx_enable,
		.priv = uart,
		.preferred = cfg->preferred,
	};
	if (cfg->chip)
		err = hal_irq_request(cfg->chip, cfg->hwirq, ns16550_irq, uart, uart->name);
	hal_console_register(&uart->con);
	return err;
}

/* Where the registers are, and how far apart. */
static int __init map_fdt(const void *fdt, int node, struct ns16550_config *cfg)
{
	u32 offset = fdt_node_u32(fdt, node, "reg-offset", 0);
	/* The mini-UART's tree node leaves out what is always so. */
	bool aux = fdt_node_is_compatible(fdt, node, "brcm,bcm2835-aux-uart");
	char *regs;
	int err;

	cfg->designware = fdt_node_is_compatible(fdt, node, "snps,dw-apb-uart");
	cfg->reg_shift = fdt_node_u32(fdt, node, "reg-shift", aux ? 2 : 0);
	cfg->reg_width = fdt_node_u32(fdt, node, "reg-io-width", aux ? 4 : 1);
	if (cfg->reg_shift > MAX_SHIFT || (cfg->reg_width != 1 && cfg->reg_width != 4))
		return -EINVAL;
	err = fdt_map_regs(fdt, node, 0,
			   offset + ((u64)(cfg->designware ? UART_REGS_DW : UART_REGS)
				     << cfg->reg_shift),
			   &regs, NULL);
	if (!err)
		cfg->base = regs + offset;
	return err;
}

static int __init ns16550_probe(const void *fdt, int node)
{
	struct ns16550_config cfg = { 0 };
	char name[8];
	int err = map_fdt(fdt, node, &cfg);

	if (!err)
		err = clk_start_fdt(fdt, node);
	if (err)
		return err;
	scnprintf(name, sizeof(name), "ttyS%u", nports);
	cfg.name = name;
	cfg.clock = fdt_node_u32(fdt, node, "clock-frequency", 0);
	cfg.baud = fdt_node_u32(fdt, node, "current-speed", 0);
	cfg.preferred = fdt_node_is_stdout(fdt, node);
	err = ns16550_init(&cfg);
	if (err)
		return err;
	return hal_irq_request_fdt(fdt, node, 0, ns16550_irq, &ports[nports - 1],
				   ports[nports - 1].name);
}

FDT_DRIVER(ns16550_driver) = {
	.name = "ns16550",
	.compatible = (const char *const[]){ "ns16550a", "ns16550", "ns16450", "snps,dw-apb-uart",
					     "ns8250", "brcm,bcm2835-aux-uart", NULL },
	.level = DRIVER_SERIAL,
	.probe = ns16550_probe,
};

/* SPDX-License-Identifier: MIT */
/*
 * What simple serial ports have in common: sending with patience that ends, receiving by interrupt, being found.
 *
 * A port that takes no byte for TX_SPINS looks is stuck: the rest of that output is lost, and later output gets
 * a short look only, until the port takes bytes again.
 *
 * Locking: output is serialised by the kernel's console; the interrupt mask is one store.
 */
#include "uart.h"

#include <err.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <hal/upcall.h>
#include <lib/printf.h>

#define MAX_PORTS      4
#define TX_SPINS       1000000
#define TX_SPINS_STUCK 100
#define RX_BURST       256 /* bytes taken in one interrupt */

struct uart_port {
	const struct uart_type *type;
	char *regs;
	char name[12];
	bool stuck;
	struct hal_console con;
};

static struct uart_port ports[MAX_PORTS];
static unsigned int nports;

static bool send_byte(struct uart_port *port, u8 byte)
{
	unsigned int spins = port->stuck ? TX_SPINS_STUCK : TX_SPINS;

	while (!port->type->send(port->regs, byte)) {
		if (--spins == 0) {
			port->stuck = true;
			return false;
		}
		hal_cpu_relax();
	}
	port->stuck = false;
	return true;
}

static void uart_write(struct hal_console *con, const char *buf, size_t n)
{
	for (size_t i = 0; i < n && send_byte(con->priv, (u8)buf[i]); i++)
		;
}

static void uart_rx_enable(struct hal_console *con, bool on)
{
	struct uart_port *port = con->priv;

	port->type->rx_enable(port->regs, on);
}

/* The kernel says with the byte it takes whether it has room for another. */
static void uart_irq(void *arg)
{
	struct uart_port *port = arg;

	for (unsigned int i = 0; i < RX_BURST; i++) {
		int byte = port->type->receive(port->regs);

		if (byte == -EAGAIN)
			return;
		if (byte >= 0 && !upcall_console_rx((u8)byte)) {
			port->type->rx_enable(port->regs, false);
			return;
		}
	}
}

int __init uart_probe(const void *fdt, int node, const struct uart_type *type, unsigned int *count)
{
	struct uart_port *port = &ports[nports];
	int err = nports == MAX_PORTS ? -ENOMEM
				      : fdt_map_regs(fdt, node, 0, type->size, &port->regs, NULL);

	if (err)
		return err;
	nports++;
	port->type = type;
	scnprintf(port->name, sizeof(port->name), "%s%u", type->prefix, (*count)++);
	type->setup(port->regs);
	port->con = (struct hal_console){
		.name = port->name,
		.write = uart_write,
		.rx_enable = uart_rx_enable,
		.priv = port,
		.preferred = fdt_node_is_stdout(fdt, node),
	};
	err = hal_irq_request_fdt(fdt, node, 0, uart_irq, port, port->name);
	hal_console_register(&port->con);
	return err;
}

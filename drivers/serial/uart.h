/* SPDX-License-Identifier: MIT */
/* A serial port of the device tree whose registers are simple: the driver says how a byte goes out and comes in, uart.c does the rest. */
#ifndef DRIVERS_SERIAL_UART_H
#define DRIVERS_SERIAL_UART_H

#include <compiler.h>
#include <types.h>

struct uart_type {
	const char *prefix; /* of the name: "ttyAMA" */
	u64 size;	    /* of the registers that are used */
	/* Ready to be used, receive interrupts off. */
	void (*setup)(char *regs);
	/* Take @byte if there is room for it. */
	bool (*send)(char *regs, u8 byte);
	/* The next byte that came; -EAGAIN: there is none; -EIO: it was broken. */
	int (*receive)(char *regs);
	/* Interrupts for bytes that came. They stay while there are any, so that the FIFO holds the sender back while they are off. */
	void (*rx_enable)(char *regs, bool on);
};

/** uart_probe() - set up the port of a node, make it a console, take its interrupt. @count: ports of this type so far. 0 or -Exxx. */
int uart_probe(const void *fdt, int node, const struct uart_type *type, unsigned int *count);

#endif

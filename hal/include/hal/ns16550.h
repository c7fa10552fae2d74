/* SPDX-License-Identifier: MIT */
/*
 * The 16550 UART and its relatives, as an ACPI machine or an ISA port sets it up; device-tree nodes
 * are probed by the driver itself.
 */
#ifndef HAL_NS16550_H
#define HAL_NS16550_H

#include <hal/irq.h>
#include <types.h>

struct ns16550_config {
	const char *name;	/* "ttyS0" */
	void *base;		/* hal_ioremap()ed registers, or whatever read and write take */
	unsigned int reg_shift; /* register n is at base + (n << reg_shift) */
	unsigned int reg_width; /* bytes an access has: 1 or 4 */
	bool designware;	/* has a status register more, which ends its "busy" interrupt */
	u32 clock;		/* Hz; 0: leave the divisor as the firmware set it */
	u32 baud;		/* 0: 115200, if clock is known */
	bool preferred;		/* SPCR names it */
	struct irq_chip *chip;	/* its interrupt; NULL: output only */
	unsigned int hwirq;
	/* Register access other than memory (I/O ports); NULL: memory at base. @reg is not shifted. */
	u8 (*read)(void *base, unsigned int reg);
	void (*write)(void *base, unsigned int reg, u8 value);
};

/**
 * ns16550_init() - set a port up, register it as a console and request its interrupt.
 * Context: device probing, boot CPU.
 * Return: 0, -ENODEV (no UART answers), -ENOMEM (more ports than the driver has room for), or what
 * hal_irq_request() returned.
 */
int ns16550_init(const struct ns16550_config *cfg);

#endif

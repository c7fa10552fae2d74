/* SPDX-License-Identifier: MIT */
/*
 * The console line: bytes out, bytes in.
 *
 * Early output works from the first C code on (SBI, UART at its DT/SPCR address). A serial driver
 * replaces it with struct hal_console; input is delivered by interrupt through upcall_console_rx().
 * Output is serialised by the kernel's console code (kernel/console.c).
 */
#ifndef HAL_CONSOLE_H
#define HAL_CONSOLE_H

#include <types.h>

struct hal_console {
	const char *name; /* "ttyS0", "ttyAMA0", ... as console= names it */
	/* Write @n bytes, waiting for the device with a bound (a UART that never drains loses bytes, not the kernel). Any context. */
	void (*write)(struct hal_console *con, const char *buf, size_t n);
	/* Turn receive interrupts on or off: off while the kernel's input buffer is full (the device's FIFO holds back the sender). */
	void (*rx_enable)(struct hal_console *con, bool on);
	void *priv;
	bool preferred; /* /chosen stdout-path or SPCR names it: the driver sets this before registering */
	struct hal_console *next; /* hal/common's list */
};

/** hal_console_register() - a driver offers its port. The one that /chosen stdout-path, SPCR or console= names wins, else the first. */
void hal_console_register(struct hal_console *con);
/** hal_console_write() - the active port, or the early one. Any context. */
void hal_console_write(const char *buf, size_t n);
/** hal_console_rx_enable() - start, stop input. */
void hal_console_rx_enable(bool on);
/** hal_early_putc() - provided by the crate; polled; safe before everything else. */
void hal_early_putc(char c);

#endif

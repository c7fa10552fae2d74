/* SPDX-License-Identifier: MIT */
/*
 * The console line above the UART: channels (docs/console-frames.md) and input distribution.
 * Output of one call is written as one piece. Context: any for output.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include <types.h>

enum console_channel {
	CONSOLE_TTY = 'o',
	CONSOLE_STDERR = 'e',
	CONSOLE_LOG = 'k',
	CONSOLE_PANIC = 'p'
};

void console_init(void); /* after command line parsing: frames on or off */
void console_write(enum console_channel ch, const char *buf, size_t n);
/** console_report_exit() - DLE x N ; */
void console_report_exit(int status);

/* Input sinks, called in interrupt context for each byte; the console tty and the stdin stream register themselves.
 * Return false when full: the line is held until console_rx_resume(). */
struct console_input_ops {
	bool (*tty_byte)(u8 byte);
	bool (*stream_byte)(u8 byte);
	void (*stream_eof)(void);
	void (*winsize)(u16 cols, u16 rows);
};
void console_set_input(const struct console_input_ops *ops);
void console_rx_resume(void);
extern bool console_framed;
extern char console_stdio[3]; /* 't', 's' or 'n' each */

#endif

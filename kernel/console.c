/* SPDX-License-Identifier: MIT */
/*
 * The console line: channels of output, distribution of input (kernel/console.h, docs/console-frames.md).
 *
 * Without caelum.frame=1 all channels go out as they are (kernel log lines with a carriage return before each newline) and
 * all input is the terminal's. With it, DLE sequences select channels in both directions.
 * Locking: out_lock (interrupts off) makes one call's output one piece; the panic channel only tries it. The input state
 * belongs to the receive interrupt, which one CPU takes at a time; in_lock guards it against console_set_input().
 */
#include <hal/console.h>
#include <hal/upcall.h>
#include <kernel/console.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <lock.h>

#define DLE 0x10

bool console_framed;
char console_stdio[3] = { 't', 't', 't' };

static struct spinlock out_lock = SPINLOCK_INIT(RANK_CONSOLE);
static struct spinlock in_lock = SPINLOCK_INIT(RANK_ANY); /* sinks wake tasks under it */
static char out_channel;				  /* out_lock: selected last */
static const struct console_input_ops *input_ops;

/* Input that came before anyone asked for it. */
static u8 early_input[4096];
static unsigned int early_count;

/* ---- output ---- */

struct outbuf {
	char text[256];
	size_t used;
};

static void out_flush(struct outbuf *o)
{
	if (o->used)
		hal_console_write(o->text, o->used);
	o->used = 0;
}

static void out_byte(struct outbuf *o, char c)
{
	if (o->used == sizeof(o->text))
		out_flush(o);
	o->text[o->used++] = c;
}

static void select_channel(struct outbuf *o, char ch)
{
	if (out_channel == ch)
		return;
	out_byte(o, DLE);
	out_byte(o, ch);
	out_channel = ch;
}

static void write_locked(enum console_channel ch, const char *buf, size_t n)
{
	struct outbuf o;
	bool log = ch == CONSOLE_LOG || ch == CONSOLE_PANIC;

	o.used = 0;
	if (console_framed)
		select_channel(&o, (char)ch);
	for (size_t i = 0; i < n; i++) {
		if (console_framed && buf[i] == DLE)
			out_byte(&o, DLE);
		else if (!console_framed && log && buf[i] == '\n')
			out_byte(&o, '\r');
		out_byte(&o, buf[i]);
	}
	out_flush(&o);
}

/* The lock, or, for a panic, what can be had of it in a while: its holder may be the CPU that broke. */
static bool out_lock_get(enum console_channel ch, unsigned long *flags)
{
	if (ch != CONSOLE_PANIC) {
		*flags = spin_lock_irqsave(&out_lock);
		return true;
	}
	*flags = hal_irq_save();
	for (unsigned int i = 0; i < 1000000; i++) {
		if (spin_trylock(&out_lock))
			return true;
		hal_cpu_relax();
	}
	return false;
}

void console_write(enum console_channel ch, const char *buf, size_t n)
{
	unsigned long flags;
	bool locked = out_lock_get(ch, &flags);

	write_locked(ch, buf, n);
	if (locked)
		spin_unlock(&out_lock);
	hal_irq_restore(flags);
}

void console_report_exit(int status)
{
	char text[32];
	unsigned long flags;
	int n;

	if (!console_framed)
		return;
	n = snprintf(text, sizeof(text), "%cx%d;", DLE, status);
	flags = spin_lock_irqsave(&out_lock);
	hal_console_write(text, (size_t)n);
	spin_unlock_irqrestore(&out_lock, flags);
}

void console_init(void)
{
	static const char start[] = { DLE, 'S' };

	if (console_framed)
		hal_console_write(start, sizeof(start));
}

/* ---- input ---- */

enum in_state { IN_DATA, IN_DLE, IN_COLS, IN_ROWS };

static struct {
	enum in_state state;
	bool stream; /* data is the stream's, not the terminal's */
	u32 cols, rows;
} in;

static bool data_byte(u8 byte)
{
	return in.stream ? input_ops->stream_byte(byte) : input_ops->tty_byte(byte);
}

/* The byte after DLE. */
static bool escape_byte(u8 byte)
{
	in.state = IN_DATA;
	switch (byte) {
	case DLE:
		return data_byte(DLE);
	case 't':
		in.stream = false;
		break;
	case 'i':
		in.stream = true;
		break;
	case 'z':
		input_ops->stream_eof();
		break;
	case 'w':
		in.state = IN_COLS;
		in.cols = in.rows = 0;
		break;
	}
	return true;
}

/* COLS , ROWS ; */
static void size_byte(u8 byte)
{
	u32 *n = in.state == IN_COLS ? &in.cols : &in.rows;

	if (byte >= '0' && byte <= '9') {
		*n = (*n * 10 + (byte - '0')) & 0xffff;
	} else if (in.state == IN_COLS && byte == ',') {
		in.state = IN_ROWS;
	} else {
		in.state = IN_DATA;
		if (byte == ';')
			input_ops->winsize((u16)in.cols, (u16)in.rows);
	}
}

static bool input_byte(u8 byte)
{
	if (!console_framed)
		return input_ops->tty_byte(byte);
	if (in.state == IN_DLE)
		return escape_byte(byte);
	if (in.state != IN_DATA) {
		size_byte(byte);
		return true;
	}
	if (byte == DLE) {
		in.state = IN_DLE;
		return true;
	}
	return data_byte(byte);
}

bool upcall_console_rx(u8 byte)
{
	bool room;

	spin_lock(&in_lock);
	if (input_ops) {
		room = input_byte(byte);
	} else {
		if (early_count < sizeof(early_input))
			early_input[early_count++] = byte;
		room = early_count < sizeof(early_input);
	}
	spin_unlock(&in_lock);
	return room;
}

void console_set_input(const struct console_input_ops *ops)
{
	unsigned long flags = spin_lock_irqsave(&in_lock);

	input_ops = ops;
	for (unsigned int i = 0; i < early_count; i++)
		input_byte(early_input[i]);
	early_count = 0;
	spin_unlock_irqrestore(&in_lock, flags);
	console_rx_resume();
}

void console_rx_resume(void)
{
	hal_console_rx_enable(true);
}

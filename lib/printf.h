/* SPDX-License-Identifier: MIT */
/*
 * Formatted text.
 *
 * Conversions: d i u x X o c s p %, with the flags - + space 0 #, width and precision (also *), and
 * the lengths hh h l ll z j t. No floating point; no %n. One extension: %pe prints an error pointer
 * by its name, "-ENOENT", and any other pointer as %p does: 0x and the hexadecimal address.
 * A NULL string prints as (null). An unknown conversion is copied as it stands, and so is the rest
 * of the format, because the types of the arguments that follow are not known then.
 *
 * Nothing here allocates, locks or sleeps: usable in any context.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <compiler.h>
#include <types.h>

#ifdef CAELUM_HOST
#include <stdio.h>
#define snprintf	lib_snprintf
#define vsnprintf	lib_vsnprintf
#endif

/**
 * vsnprintf - format into a buffer
 * @buf: the buffer; always terminated unless @size is 0; may be NULL then
 * @size: its size
 * @fmt: the format
 * @args: its arguments
 *
 * Return: the length of the whole text, which was cut if that is @size or more; INT_MAX at most.
 */
int __printf(3, 0) vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
int __printf(3, 4) snprintf(char *buf, size_t size, const char *fmt, ...);

/* The same, but return the length that is in the buffer: less than @size, 0 if @size is 0. */
int __printf(3, 0) vscnprintf(char *buf, size_t size, const char *fmt, va_list args);
int __printf(3, 4) scnprintf(char *buf, size_t size, const char *fmt, ...);

/*
 * A text that grows in a fixed buffer. The buffer is terminated after each call; what does not fit
 * is counted and dropped.
 */
struct printbuf {
	char *buf;
	size_t size; /* of buf */
	size_t len;  /* of the whole text, fitting or not */
};

static inline void printbuf_init(struct printbuf *pb, char *buf, size_t size)
{
	pb->buf = buf;
	pb->size = size;
	pb->len = 0;
	if (size)
		buf[0] = '\0';
}

void printbuf_putc(struct printbuf *pb, char c);
void printbuf_puts(struct printbuf *pb, const char *s);
void printbuf_write(struct printbuf *pb, const char *s, size_t n);
void __printf(2, 0) printbuf_vprintf(struct printbuf *pb, const char *fmt, va_list args);
void __printf(2, 3) printbuf_printf(struct printbuf *pb, const char *fmt, ...);

/* Whether something was dropped. */
static inline bool printbuf_overflowed(const struct printbuf *pb)
{
	return pb->len >= pb->size;
}

/* The number of bytes in the buffer, without the terminator. */
static inline size_t printbuf_used(const struct printbuf *pb)
{
	if (pb->len < pb->size)
		return pb->len;
	return pb->size ? pb->size - 1 : 0;
}

#endif /* LIB_PRINTF_H */

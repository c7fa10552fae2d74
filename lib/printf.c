/* SPDX-License-Identifier: MIT */
/*
 * Formatted text. The interface, with the list of conversions, is in lib/printf.h.
 *
 * All output goes through emit() and pad() into a struct printbuf, which counts what does not fit;
 * the terminator is written once, at the end of each public function.
 */
#include <err.h>
#include <lib/ctype.h>
#include <lib/errno_name.h>
#include <lib/printf.h>
#include <lib/string.h>

/* One conversion specification. */
struct spec {
	bool left, plus, space, zero, alt; /* the flags - + space 0 # */
	bool upper;			   /* X */
	unsigned int base;
	size_t width;
	bool has_precision;
	size_t precision;
	enum { LEN_INT, LEN_CHAR, LEN_SHORT, LEN_LONG } length;
};

/* ---- Output ---- */

static void emit(struct printbuf *pb, const char *s, size_t n)
{
	if (pb->len < pb->size)
		memcpy(pb->buf + pb->len, s, min(n, pb->size - pb->len));
	pb->len += n;
}

static void pad(struct printbuf *pb, char c, size_t n)
{
	if (pb->len < pb->size)
		memset(pb->buf + pb->len, c, min(n, pb->size - pb->len));
	pb->len += n;
}

static void terminate(struct printbuf *pb)
{
	if (pb->size)
		pb->buf[printbuf_used(pb)] = '\0';
}

/* Text in a field. */
static void emit_field(struct printbuf *pb, const struct spec *spec, const char *s, size_t n)
{
	size_t fill = spec->width > n ? spec->width - n : 0;

	if (!spec->left)
		pad(pb, ' ', fill);
	emit(pb, s, n);
	if (spec->left)
		pad(pb, ' ', fill);
}

/* ---- Numbers ---- */

/* The digits of @v, written so that they end before @end; return where they begin. */
static char *put_digits(char *end, u64 v, unsigned int base, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (; v; v /= base)
		*--end = digits[v % base];
	return end;
}

/* @v after @prefix (sign or 0x), with zeros as precision and flags say. */
static void emit_number(struct printbuf *pb, const struct spec *spec, const char *prefix, u64 v)
{
	char buf[24];
	char *end = buf + sizeof(buf);
	char *digits = put_digits(end, v, spec->base, spec->upper);
	size_t ndigits = (size_t)(end - digits), nprefix = strlen(prefix), zeros = 0, total;
	size_t least = spec->has_precision ? spec->precision : 1;

	if (ndigits < least)
		zeros = least - ndigits;
	else if (spec->alt && spec->base == 8)
		zeros = 1;
	total = nprefix + zeros + ndigits;
	if (spec->zero && !spec->left && !spec->has_precision && total < spec->width) {
		zeros += spec->width - total;
		total = spec->width;
	}
	if (!spec->left && total < spec->width)
		pad(pb, ' ', spec->width - total);
	emit(pb, prefix, nprefix);
	pad(pb, '0', zeros);
	emit(pb, digits, ndigits);
	if (spec->left && total < spec->width)
		pad(pb, ' ', spec->width - total);
}

static void emit_signed(struct printbuf *pb, const struct spec *spec, s64 v)
{
	const char *sign = v < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

	emit_number(pb, spec, sign, v < 0 ? -(u64)v : (u64)v);
}

static void emit_unsigned(struct printbuf *pb, const struct spec *spec, u64 v)
{
	const char *prefix = "";

	if (spec->alt && spec->base == 16 && v)
		prefix = spec->upper ? "0X" : "0x";
	emit_number(pb, spec, prefix, v);
}

/* ---- Strings and pointers ---- */

static void emit_string(struct printbuf *pb, const struct spec *spec, const char *s)
{
	size_t max = spec->has_precision ? spec->precision : (size_t)-1;

	if (!s)
		s = "(null)";
	else if ((unsigned long)s < 4096 || IS_ERR(s))
		s = "(efault)";
	emit_field(pb, spec, s, strnlen(s, max));
}

static void emit_pointer(struct printbuf *pb, struct spec *spec, const void *p)
{
	spec->base = 16;
	emit_number(pb, spec, "0x", (unsigned long)p);
}

static void emit_error_pointer(struct printbuf *pb, struct spec *spec, const void *p)
{
	char name[32];
	struct printbuf text;

	if (!IS_ERR(p)) {
		emit_pointer(pb, spec, p);
		return;
	}
	printbuf_init(&text, name, sizeof(name));
	printbuf_putc(&text, '-');
	printbuf_puts(&text, errno_name((int)PTR_ERR(p)));
	emit_field(pb, spec, name, printbuf_used(&text));
}

/* ---- Specifications ---- */

static const char *parse_flags(const char *p, struct spec *spec)
{
	for (;; p++) {
		switch (*p) {
		case '-':
			spec->left = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		case '0':
			spec->zero = true;
			break;
		case '#':
			spec->alt = true;
			break;
		default:
			return p;
		}
	}
}

/* Decimal digits; values beyond INT_MAX stay there. */
static const char *parse_size(const char *p, size_t *out)
{
	size_t v = 0;

	for (; isdigit((u8)*p); p++)
		v = min(v * 10 + (size_t)(*p - '0'), (size_t)INT_MAX);
	*out = v;
	return p;
}

static const char *parse_width(const char *p, struct spec *spec, va_list *args)
{
	int n;

	if (*p != '*')
		return parse_size(p, &spec->width);
	n = va_arg(*args, int);
	if (n < 0)
		spec->left = true;
	spec->width = n < 0 ? -(size_t)n : (size_t)n;
	return p + 1;
}

static const char *parse_precision(const char *p, struct spec *spec, va_list *args)
{
	int n;

	if (*p != '.')
		return p;
	p++;
	spec->has_precision = true;
	if (*p != '*')
		return parse_size(p, &spec->precision);
	n = va_arg(*args, int);
	spec->has_precision = n >= 0;
	spec->precision = n >= 0 ? (size_t)n : 0;
	return p + 1;
}

static const char *parse_length(const char *p, struct spec *spec)
{
	switch (*p) {
	case 'h':
		spec->length = p[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return p[1] == 'h' ? p + 2 : p + 1;
	case 'l':
		spec->length = LEN_LONG;
		return p[1] == 'l' ? p + 2 : p + 1;
	case 'z':
	case 'j':
	case 't':
		spec->length = LEN_LONG;
		return p + 1;
	default:
		return p;
	}
}

static s64 signed_arg(const struct spec *spec, va_list *args)
{
	switch (spec->length) {
	case LEN_CHAR:
		return (s8)va_arg(*args, int);
	case LEN_SHORT:
		return (s16)va_arg(*args, int);
	case LEN_LONG:
		return va_arg(*args, long);
	default:
		return va_arg(*args, int);
	}
}

static u64 unsigned_arg(const struct spec *spec, va_list *args)
{
	switch (spec->length) {
	case LEN_CHAR:
		return (u8)va_arg(*args, unsigned int);
	case LEN_SHORT:
		return (u16)va_arg(*args, unsigned int);
	case LEN_LONG:
		return va_arg(*args, unsigned long);
	default:
		return va_arg(*args, unsigned int);
	}
}

static void convert_unsigned(struct printbuf *pb, struct spec *spec, char conversion, va_list *args)
{
	spec->upper = conversion == 'X';
	spec->base = conversion == 'o' ? 8 : conversion == 'u' ? 10 : 16;
	emit_unsigned(pb, spec, unsigned_arg(spec, args));
}

/* Do the conversion whose letter is at @p. Return what follows it, NULL if it is unknown. */
static const char *convert(struct printbuf *pb, struct spec *spec, const char *p, va_list *args)
{
	char c;

	switch (*p) {
	case 'd':
	case 'i':
		spec->base = 10;
		emit_signed(pb, spec, signed_arg(spec, args));
		return p + 1;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		convert_unsigned(pb, spec, *p, args);
		return p + 1;
	case 'c':
		c = (char)va_arg(*args, int);
		emit_field(pb, spec, &c, 1);
		return p + 1;
	case 's':
		emit_string(pb, spec, va_arg(*args, const char *));
		return p + 1;
	case 'p':
		if (p[1] == 'e') {
			emit_error_pointer(pb, spec, va_arg(*args, const void *));
			return p + 2;
		}
		emit_pointer(pb, spec, va_arg(*args, const void *));
		return p + 1;
	case '%':
		emit(pb, "%", 1);
		return p + 1;
	default:
		return NULL;
	}
}

static void format(struct printbuf *pb, const char *fmt, va_list *args)
{
	while (*fmt) {
		const char *p = fmt;
		struct spec spec = { .base = 10 };

		while (*p && *p != '%')
			p++;
		emit(pb, fmt, (size_t)(p - fmt));
		if (!*p)
			return;
		fmt = p; /* the % */
		p = parse_flags(p + 1, &spec);
		p = parse_width(p, &spec, args);
		p = parse_precision(p, &spec, args);
		p = parse_length(p, &spec);
		p = convert(pb, &spec, p, args);
		if (!p) {
			emit(pb, fmt, strlen(fmt));
			return;
		}
		fmt = p;
	}
}

/* ---- The public functions ---- */

void printbuf_write(struct printbuf *pb, const char *s, size_t n)
{
	emit(pb, s, n);
	terminate(pb);
}

void printbuf_puts(struct printbuf *pb, const char *s)
{
	printbuf_write(pb, s, strlen(s));
}

void printbuf_putc(struct printbuf *pb, char c)
{
	printbuf_write(pb, &c, 1);
}

void printbuf_vprintf(struct printbuf *pb, const char *fmt, va_list args)
{
	va_list copy;

	/* A va_list parameter may be an array; the address of a copy can be passed on. */
	va_copy(copy, args);
	format(pb, fmt, &copy);
	va_end(copy);
	terminate(pb);
}

void printbuf_printf(struct printbuf *pb, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printbuf_vprintf(pb, fmt, args);
	va_end(args);
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct printbuf pb;

	printbuf_init(&pb, buf, size);
	printbuf_vprintf(&pb, fmt, args);
	return (int)min(pb.len, (size_t)INT_MAX);
}

int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct printbuf pb;

	printbuf_init(&pb, buf, size);
	printbuf_vprintf(&pb, fmt, args);
	return (int)min(printbuf_used(&pb), (size_t)INT_MAX);
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return n;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return n;
}

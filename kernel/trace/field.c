/* SPDX-License-Identifier: MIT */
/* The fields of a record: their values, their text, and the format file of an event. See <kernel/trace.h>. */
#include <kernel/trace/filter.h>
#include <lib/printf.h>
#include <lib/string.h>

const char *trace_field_string(const struct trace_field *f, const struct trace_entry *e, size_t len,
			       size_t *n)
{
	const char *base = (const char *)e;
	size_t offset = f->offset, size = f->size;
	u32 loc;

	if (offset + size > len)
		return NULL;
	if (f->kind == TRACE_DATA_LOC) {
		memcpy(&loc, base + offset, sizeof(loc));
		offset = loc & 0xffff;
		size = loc >> 16;
		if (offset > len || size > len - offset)
			return NULL;
	}
	*n = strnlen(base + offset, size);
	return base + offset;
}

static void number_text(struct printbuf *pb, const struct trace_field *f,
			const struct trace_entry *e)
{
	u64 v = trace_field_number(f, e);

	if (f->is_signed)
		printbuf_printf(pb, "%lld", (s64)v);
	else
		printbuf_printf(pb, "%llu", v);
}

void trace_field_text(struct printbuf *pb, const struct trace_field *f, const struct trace_entry *e,
		      size_t len)
{
	struct trace_field element = *f;
	const char *s;
	size_t n = 0;

	if (f->kind != TRACE_NUMBER) {
		s = trace_field_string(f, e, len, &n);
		printbuf_printf(pb, "\"%.*s\"", s ? (int)n : 7, s ? s : "(fault)");
		return;
	}
	if (f->offset + f->size > len)
		return;
	if (!f->count) {
		number_text(pb, f, e);
		return;
	}
	printbuf_putc(pb, '{');
	for (unsigned int i = 0; i < f->count; i++) {
		printbuf_puts(pb, i ? "," : "");
		number_text(pb, &element, e);
		element.offset += f->size / f->count;
	}
	printbuf_putc(pb, '}');
}

static void show_field(struct printbuf *pb, const struct trace_field *f)
{
	bool strings = f->count && f->kind == TRACE_DATA_LOC;

	printbuf_printf(pb, "\tfield:%s", f->type);
	if (strings)
		printbuf_printf(pb, "[%u]", f->count);
	printbuf_printf(pb, " %s", f->name);
	if (f->count && !strings)
		printbuf_printf(pb, "[%u]", f->count);
	printbuf_printf(pb, ";\toffset:%u;\tsize:%u;\tsigned:%d;\n", f->offset, f->size,
			f->is_signed);
}

/* For an event that has no text of its own: what its records are printed with. */
static void show_made_fmt(struct printbuf *pb, const struct trace_event *ev)
{
	printbuf_putc(pb, '"');
	for (unsigned int i = 0; i < ev->nfields; i++)
		printbuf_printf(pb, "%s%s=%s", i ? " " : "", ev->fields[i].name,
				ev->fields[i].kind == TRACE_NUMBER ? "%lld" : "\\\"%s\\\"");
	printbuf_putc(pb, '"');
	for (unsigned int i = 0; i < ev->nfields; i++)
		printbuf_printf(
			pb, ev->fields[i].kind == TRACE_DATA_LOC ? ", __get_str(%s)" : ", REC->%s",
			ev->fields[i].name);
}

void trace_event_show_format(struct printbuf *pb, const struct trace_event *ev)
{
	printbuf_printf(pb, "name: %s\nID: %u\nformat:\n", ev->name, ev->id);
	for (unsigned int i = 0; i < TRACE_NCOMMON; i++)
		show_field(pb, &trace_common_fields[i]);
	printbuf_putc(pb, '\n');
	for (unsigned int i = 0; i < ev->nfields; i++)
		show_field(pb, &ev->fields[i]);
	printbuf_puts(pb, "\nprint fmt: ");
	if (ev->print_fmt)
		printbuf_puts(pb, ev->print_fmt);
	else
		show_made_fmt(pb, ev);
	printbuf_putc(pb, '\n');
}

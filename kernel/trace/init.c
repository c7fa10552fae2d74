/* SPDX-License-Identifier: MIT */
/*
 * When tracing is first looked at: the kernel's own events are registered. And the text of trace_marker, whose
 * record type every buffer can hold.
 */
#include <kernel/printk.h>
#include <kernel/trace/buffer.h>
#include <kernel/trace/kernel_events.h>
#include <lib/printf.h>
#include <lib/string.h>

#define MARK_MAX 1024u

struct print_record {
	struct trace_entry entry;
	u64 ip;
	char buf[MARK_MAX];
};

static const struct trace_field print_fields[] = {
	TRACE_FIELD(struct print_record, unsigned long, ip),
	{ "char", "buf[]", offsetof(struct print_record, buf), 0, 0, false, TRACE_CHARS },
};

static void print_mark(struct printbuf *pb, const struct trace_event *ev,
		       const struct trace_entry *e, size_t len)
{
	const struct print_record *r = (const void *)e;
	size_t n = len - offsetof(struct print_record, buf);

	while (n && (!r->buf[n - 1] || r->buf[n - 1] == '\n'))
		n--;
	printbuf_puts(pb, "tracing_mark_write: ");
	printbuf_write(pb, r->buf, n);
}

static struct trace_event print_event = {
	.system = "ftrace",
	.name = "print",
	.fields = print_fields,
	.nfields = ARRAY_SIZE(print_fields),
	.print_fmt = "\"%ps: %s\", (void *)REC->ip, REC->buf",
	.print = print_mark,
	.own_name = true,
};

void trace_mark(const char *text, size_t n)
{
	struct print_record r;

	n = min_t(size_t, n, MARK_MAX);
	r.ip = 0;
	memcpy(r.buf, text, n);
	trace_event_write(&print_event, &r.entry, offsetof(struct print_record, buf) + n);
}

void trace_events_prepare(void)
{
	static bool done;
	int r = 0;

	if (likely(done))
		return;
	if (!print_event.id)
		r = trace_event_register_locked(&print_event);
	for (unsigned int i = 0; !r && trace_kernel_events[i]; i++)
		if (!trace_kernel_events[i]->id)
			r = trace_event_register_locked(trace_kernel_events[i]);
	if (!r)
		r = trace_register_syscalls();
	/* Without memory now, perhaps with it next time. */
	done = !r;
}

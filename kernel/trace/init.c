/* SPDX-License-Identifier: MIT */
/*
 * When tracing is first looked at: the kernel's own events are registered. And the records that are not made by events, which every buffer
 * can hold: what programs write to trace_marker and trace_marker_raw, and stacks.
 */
#include <kernel/printk.h>
#include <kernel/ksym.h>
#include <kernel/trace/buffer.h>
#include <kernel/trace/kernel_events.h>
#include <kernel/trace/profile.h>
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

struct raw_record {
	struct trace_entry entry;
	u32 id;
	u8 buf[MARK_MAX];
};

static const struct trace_field raw_fields[] = {
	TRACE_FIELD(struct raw_record, unsigned int, id),
	{ "char", "buf[]", offsetof(struct raw_record, buf), 0, 0, false, TRACE_CHARS },
};

static void print_raw(struct printbuf *pb, const struct trace_event *ev,
		      const struct trace_entry *e, size_t len)
{
	const struct raw_record *r = (const void *)e;

	printbuf_printf(pb, "# %x buf:", r->id);
	for (size_t i = offsetof(struct raw_record, buf); i < len; i++)
		printbuf_printf(pb, " %02x", ((const u8 *)e)[i]);
}

#define STACK_MAX 32

struct stack_record {
	struct trace_entry entry;
	s32 size;
	u64 caller[STACK_MAX];
};

static const struct trace_field stack_fields[] = {
	TRACE_FIELD(struct stack_record, int, size),
	{ "unsigned long", "caller[]", offsetof(struct stack_record, caller), 0, 0, false,
	  TRACE_NUMBER },
};

static void print_stack(struct printbuf *pb, const struct trace_event *ev,
			const struct trace_entry *e, size_t len)
{
	const struct stack_record *r = (const void *)e;

	printbuf_puts(pb, "<stack trace>");
	for (s32 i = 0; i < r->size; i++) {
		printbuf_puts(pb, "\n => ");
		ksym_print(pb, r->caller[i]);
	}
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

static struct trace_event raw_event = {
	.system = "ftrace",
	.name = "raw_data",
	.fields = raw_fields,
	.nfields = ARRAY_SIZE(raw_fields),
	.print_fmt = "\"id:%04x %08x\", REC->id, (int)REC->buf[0]",
	.print = print_raw,
	.own_name = true,
};

static struct trace_event stack_event = {
	.system = "ftrace",
	.name = "kernel_stack",
	.fields = stack_fields,
	.nfields = ARRAY_SIZE(stack_fields),
	.print_fmt = "\"\\t=> %ps\\n\", (void *)REC->caller[0]",
	.print = print_stack,
	.own_name = true,
};

void trace_mark(struct trace_instance *in, const char *text, size_t n, bool raw)
{
	struct print_record r;
	size_t at = raw ? offsetof(struct raw_record, id) : offsetof(struct print_record, buf);
	bool irqs_on = hal_irq_enabled();
	unsigned long flags = hal_irq_save();

	n = min_t(size_t, n, MARK_MAX);
	r.ip = 0;
	memcpy((u8 *)&r + at, text, n);
	trace_entry_fill(&r.entry, irqs_on);
	if (raw) {
		trace_record_put(&raw_event, in, &r.entry, at + n);
	} else {
		trace_event_pull(&print_event, in, &r.entry, at + n, false);
		trace_record_put(&print_event, in, &r.entry, at + n);
		trace_event_pull(&print_event, in, &r.entry, at + n, true);
	}
	hal_irq_restore(flags);
}

void trace_stack(struct trace_instance *in)
{
	struct stack_record r;
	u32 n = trace_profile_kernel_stack(current, (unsigned long)__builtin_return_address(0),
					   (unsigned long)__builtin_frame_address(0), r.caller,
					   STACK_MAX);

	for (r.size = 0; (u32)r.size < n && ksym_start(r.caller[r.size]);)
		r.size++;
	trace_entry_fill(&r.entry, false);
	trace_record_put(&stack_event, in, &r.entry,
			 offsetof(struct stack_record, caller) + 8 * (size_t)r.size);
}

void trace_events_prepare(void)
{
	static bool done;
	static struct trace_event *const records[] = { &print_event, &stack_event, &raw_event };
	int r = 0;

	if (likely(done))
		return;
	for (size_t i = 0; !r && i < ARRAY_SIZE(records); i++)
		if (!records[i]->id)
			r = trace_event_register_locked(records[i]);
	for (unsigned int i = 0; !r && trace_kernel_events[i]; i++)
		if (!trace_kernel_events[i]->id)
			r = trace_event_register_locked(trace_kernel_events[i]);
	if (!r)
		r = trace_register_syscalls();
	/* Without memory now, perhaps with it next time. */
	done = !r;
}

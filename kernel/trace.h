/* SPDX-License-Identifier: MIT */
/*
 * Tracing: events, the buffers they are written into, and who reads them.
 *
 * An event is a struct trace_event: a name in a system, fields, and a way to print a record. It is registered once
 * (trace_event_register) and costs one load where it could happen while nobody wants it:
 *
 *	if (trace_event_on(&trace_sched_switch)) {
 *		struct ... rec = { ... };		begins with struct trace_entry
 *		trace_event_write(&trace_sched_switch, &rec.entry, sizeof(rec));
 *	}
 *
 * Records go into one ring per CPU (kernel/trace/ring.h), the oldest are overwritten. fs/tracefs shows all of it as
 * Linux does at /sys/kernel/tracing. docs/tracing.md tells the whole story.
 *
 * Locking: trace_mutex (sleeping): the list of events, enabling, filters, sizes of buffers, and reading. Writers take no
 * lock: they run with interrupts off on their own CPU's ring; what they look at (ring, filter) is replaced first, then
 * freed after sched_sync_all_cpus().
 * Source: Linux's Documentation/trace/ftrace.rst and events.rst.
 */
#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H

#include <compiler.h>
#include <lib/list.h>
#include <lib/string.h>
#include <lock.h>
#include <types.h>

struct printbuf;
struct trace_event;
struct trace_filter;
struct trace_instance;
struct trace_trigger;

/* What every record begins with: Linux's common fields. Filled in by trace_event_write(). */
struct trace_entry {
	u16 type; /* trace_event->id */
	u8 flags; /* TRACE_FLAG_* */
	u8 preempt_count;
	s32 pid;
};
#define TRACE_FLAG_IRQS_OFF	0x01u
#define TRACE_FLAG_NEED_RESCHED 0x04u
#define TRACE_FLAG_HARDIRQ	0x08u

#define TRACE_ENTRY_MAX 4000u /* bytes of one record, struct trace_entry included */

/* How a field's bytes are to be read. */
enum trace_kind {
	TRACE_NUMBER, /* size 1, 2, 4 or 8; with count: an array of them */
	TRACE_CHARS,  /* char[count], terminated or full */
	TRACE_DATA_LOC, /* u32: length << 16 | offset from the start of the record, of a terminated string */
};

struct trace_field {
	const char *type; /* as in C, of an element: "unsigned long", "char", "__data_loc char[]" */
	const char *name;
	u16 offset, size; /* within the record, struct trace_entry included; of the whole field */
	u16 count;	  /* elements of an array; 0: no array */
	bool is_signed;
	u8 kind; /* enum trace_kind */
};

/* A field of struct @s for tables of fields. */
#define TRACE_FIELD(s, ctype, member)                                                              \
	{                                                                                          \
		.type = #ctype, .name = #member, .offset = offsetof(s, member),                    \
		.size = sizeof_field(s, member), .is_signed = (ctype)-1 < (ctype)1,                \
		.kind = TRACE_NUMBER                                                               \
	}
#define TRACE_FIELD_CHARS(s, member)                                                               \
	{                                                                                          \
		.type = "char", .name = #member, .offset = offsetof(s, member),                    \
		.size = sizeof_field(s, member), .count = sizeof_field(s, member),                 \
		.kind = TRACE_CHARS                                                                \
	}

/* An event in one instance (kernel/trace/buffer.h), if it is not as at first there: off, without filter and triggers. */
struct trace_event_file {
	struct trace_event *ev;
	struct trace_instance *in;
	struct trace_event_file *next;	/* trace_mutex to write; writers with interrupts off */
	bool enabled;			/* trace_mutex: as its file was told */
	bool armed;			/* trace_mutex to write: enabled, or wanted by triggers */
	bool records;			/* atomic: hits are recorded; triggers change it */
	u32 wanted;			/* trace_mutex: triggers on it, and those that switch it */
	struct trace_filter *filter;	/* trace_mutex to write; writers with interrupts off */
	char *filter_text;		/* trace_mutex: what the filter file shows; NULL: none */
	struct trace_trigger *triggers; /* trace_mutex to write; writers with interrupts off */
};

struct trace_event {
	const char *system, *name; /* constant while registered */
	const struct trace_field *fields;
	unsigned int nfields;
	const char *
		print_fmt; /* what the format file says after "print fmt: "; NULL: made from the fields */
	/* The record as text, without the "name: " before it; NULL: name=value for every field. trace_mutex held. */
	void (*print)(struct printbuf *pb, const struct trace_event *ev,
		      const struct trace_entry *e, size_t len);
	/* Arm or disarm what produces the event, before the first record and after the last; NULL: nothing to do.
	 * 0 or -Exxx (refuses enabling). trace_mutex held; may sleep. */
	int (*enable)(struct trace_event *ev, bool on);
	void *priv;    /* the owner's */
	bool own_name; /* @print writes a name of its own: "sys_read(...)" */

	u32 enabled; /* trace_mutex to write, read anywhere: instances where it is armed */
	u16 id;	     /* constant while registered */
	struct trace_event_file top; /* in the top directory; the first of its instances */
	struct list link;	     /* trace_mutex: trace_events */
	struct hlist_node id_link;   /* trace_mutex */
};

extern struct mutex trace_mutex;
extern struct list
	trace_events; /* trace_mutex: struct trace_event.link, by system, then in order of registration */

/** trace_event_on() - does anybody want this event? Any context. */
static __always_inline bool trace_event_on(const struct trace_event *ev)
{
	return unlikely(READ_ONCE(ev->enabled));
}

/**
 * trace_event_write() - put a record into this CPU's buffer, in every instance where the event is on and its filter lets it pass, and pull the triggers.
 * @ev: a registered event
 * @entry: the record: its first fields are filled in here
 * @len: its length, at most TRACE_ENTRY_MAX (longer ones are dropped)
 * Context: any but inside the ring itself; takes no lock, does not sleep.
 */
void trace_event_write(struct trace_event *ev, struct trace_entry *entry, size_t len);

/**
 * trace_event_register() - make an event known. Its fields' memory stays the caller's and in place.
 * Return: 0; -EEXIST: system and name are taken; -ENOSPC: no number is free. Context: may sleep; trace_mutex not held.
 * trace_event_register_locked(): the same with trace_mutex held.
 */
int trace_event_register(struct trace_event *ev);
int trace_event_register_locked(struct trace_event *ev);
/**
 * trace_event_unregister() - forget an event. Records of it that are still in the buffers print as of unknown type.
 * Nobody may write it any more when the caller's own @enable(ev, false) has returned.
 * Return: 0, or -EBUSY while it is enabled anywhere, or a trigger's. Context: as above.
 */
int trace_event_unregister(struct trace_event *ev);
int trace_event_unregister_locked(struct trace_event *ev);

/* Look-ups, trace_mutex held; NULL: there is none. */
struct trace_event *trace_event_find(const char *system, const char *name);
struct trace_event *trace_event_by_id(unsigned int id);
/** trace_event_file() - what an event is in an instance, NULL: as at first. trace_event_file_make(): NULL without memory. trace_mutex held. */
struct trace_event_file *trace_event_file(struct trace_event *ev, struct trace_instance *in);
struct trace_event_file *trace_event_file_make(struct trace_event *ev, struct trace_instance *in);
/** trace_event_files_free() - an instance goes, or (@in NULL) all but the top. trace_mutex held. */
void trace_event_files_free(struct trace_instance *in);
/** trace_event_set() - enable or disable. trace_mutex held. 0, -ENOMEM or what the event's own callback says. */
int trace_event_set(struct trace_event *ev, struct trace_instance *in, bool on);
/** trace_event_want() - a trigger needs it armed, or no more. trace_mutex held. 0 or as trace_event_set(). */
int trace_event_want(struct trace_event_file *f, bool on);
/** trace_event_set_filter() - compile @text into the event's filter; "0" removes it. trace_mutex held. 0, -EINVAL, -ENOMEM. */
int trace_event_set_filter(struct trace_event *ev, struct trace_instance *in, const char *text);
/** trace_event_show_format() - the text of the format file. trace_mutex held. */
void trace_event_show_format(struct printbuf *pb, const struct trace_event *ev);

/**
 * trace_pids_add(), trace_pids_clear() - of which threads alone events are recorded (set_event_pid; none: of all), or, with
 * @except, of which they are not (set_event_notrace_pid). A switch, a wake-up and a new task are recorded if either side is to be.
 * trace_mutex held. 0, -ENOMEM; -EINVAL: no such number can be.
 */
int trace_pids_add(struct trace_instance *in, bool except, u64 pid);
void trace_pids_clear(struct trace_instance *in, bool except);
/** trace_pids_next() - the smallest one >= @pid, or 0. trace_mutex held. */
u32 trace_pids_next(const struct trace_instance *in, bool except, u32 pid);
/** trace_pids_follow() - from now on children of those threads are in the sets, too, and threads that end leave them; or no more. trace_mutex held. */
int trace_pids_follow(struct trace_instance *in, bool on);

/** trace_field_text() - print one field's value as name=value does: numbers decimal, strings quoted. */
void trace_field_text(struct printbuf *pb, const struct trace_field *f, const struct trace_entry *e,
		      size_t len);
/** trace_field_string() - the bytes of a field of characters, and their length without terminator; NULL: none. */
const char *trace_field_string(const struct trace_field *f, const struct trace_entry *e, size_t len,
			       size_t *n);
/** trace_field_number() - the value of a number field, sign extended. */
static __always_inline u64 trace_field_number(const struct trace_field *f,
					      const struct trace_entry *e)
{
	const void *p = (const u8 *)e + f->offset;
	u64 v = 0;

	switch (unlikely(f->count) ? f->size / f->count : f->size) {
	case 1:
		v = *(const u8 *)p;
		return f->is_signed ? (u64)(s64)(s8)v : v;
	case 2:
		memcpy(&v, p, 2);
		return f->is_signed ? (u64)(s64)(s16)v : v;
	case 4:
		memcpy(&v, p, 4);
		return f->is_signed ? (u64)(s64)(s32)v : v;
	default:
		memcpy(&v, p, 8);
		return v;
	}
}

/** trace_init() - prepare the buffers' timer. Boot. */
void trace_init(void);
/** trace_events_prepare() - register the kernel's own events, at the first look at any. trace_mutex held. */
void trace_events_prepare(void);

#endif

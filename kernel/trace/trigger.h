/* SPDX-License-Identifier: MIT */
/*
 * Triggers: what an event does besides being recorded. Lines of its `trigger` file:
 *
 *	traceon|traceoff|snapshot|stacktrace[:TIMES] [if FILTER]
 *	enable_event|disable_event:SYSTEM:EVENT[:TIMES] [if FILTER]
 *	!KIND...						remove
 *
 * An event with a trigger happens even while it is off; then nothing is recorded. trace_mutex is held for all but pulling.
 * Source: Linux's Documentation/trace/events.rst, "Event triggers".
 */
#ifndef KERNEL_TRACE_TRIGGER_H
#define KERNEL_TRACE_TRIGGER_H

#include <kernel/trace.h>

/** trace_trigger_command() - one line. 0 (also if there is nothing to remove), -EINVAL, -EEXIST, -ENOMEM, or why an event cannot be armed. */
int trace_trigger_command(struct trace_event_file *f, char *line);
void trace_triggers_clear(struct trace_event_file *f);
/** trace_triggers_show() - as the file has it. @f may be NULL. */
void trace_triggers_show(struct printbuf *pb, const struct trace_event_file *f);
/** trace_triggers_pull() - the event has happened; @after: after it was recorded. Interrupts off, no lock. */
void trace_triggers_pull(struct trace_trigger *first, const struct trace_entry *e, size_t len,
			 bool after);

#endif

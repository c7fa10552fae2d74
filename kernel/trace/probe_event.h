/* SPDX-License-Identifier: MIT */
/*
 * Events that are made at run time from a probe and a list of arguments: uprobe_events, kprobe_events.
 *
 * fs/tracefs/probes.c reads the commands. trace_mutex protects all of it but what a hit looks at, which is constant while the
 * event is enabled. An event may have several probes, with the same arguments: the first one's struct has the event, the others lead
 * to it. When the first is removed before the others its struct stays, as one that is dead.
 */
#ifndef KERNEL_TRACE_PROBE_EVENT_H
#define KERNEL_TRACE_PROBE_EVENT_H

#include <kernel/trace.h>
#include <kernel/trace/fetch.h>
#include <kernel/uprobe.h>

struct kprobe;

struct probe_event {
	struct trace_event ev;		 /* system and name are own copies */
	struct list link;		 /* probe_events */
	struct probe_event *main, *more; /* the first one of the event; the next one */
	bool is_kernel, is_return, dead;
	unsigned int nargs, nfields;
	struct fetch_arg *args;
	struct trace_field *fields;
	size_t fixed; /* bytes of a record without strings */
	size_t room;  /* bytes of the longest one */
	char *print_fmt;
	u64 (*hits)[8]; /* one cache line per CPU: hits, missed */

	/* In a program. */
	char *path;
	u64 offset, ref_offset; /* ref_offset: of the counter of who looks; 0: none */
	struct vm_object *object;
	u64 size; /* of the file */
	void *owner;
	void (*owner_put)(void *owner);
	struct uprobe_consumer consumer;

	/* In the kernel. */
	char *symbol; /* NULL: by address */
	unsigned long addr;
	unsigned int maxactive;
	struct kprobe *kprobe;
};

extern struct list probe_events; /* trace_mutex: in the order of creation */

/** probe_event_create() - an event that is not yet known. ERR_PTR(-ENOMEM). */
struct probe_event *probe_event_create(const char *group, const char *name, bool is_kernel,
				       bool is_return);
/** probe_event_rename() - before it is added. 0 or -ENOMEM. */
int probe_event_rename(struct probe_event *pe, const char *name);
/** probe_event_parse_args() - its arguments. 0, -EINVAL with @err, -E2BIG, -ENOMEM. */
int probe_event_parse_args(struct probe_event *pe, unsigned int n, char **argv, unsigned int place,
			   struct fetch_error *err);
/** probe_event_add() - register it, as an event or as one more probe of @main. 0, -EEXIST, -ENOMEM, -ENOSPC. probe_event_remove(): undo and free; -EBUSY while enabled. */
int probe_event_add(struct probe_event *pe, struct probe_event *main);
/** probe_event_same_args() - the number of the first argument in which the two differ, from 1 on; 0: none. */
unsigned int probe_event_same_args(const struct probe_event *a, const struct probe_event *b);
int probe_event_remove(struct probe_event *pe);
void probe_event_free(struct probe_event *pe);
/** probe_event_find() - the first probe of an event; NULL: it is none of probes. */
struct probe_event *probe_event_find(const char *group, const char *name);
/** probe_event_hits() - all CPUs' count; @which 0: hits, 1: missed. */
u64 probe_event_hits(const struct probe_event *pe, unsigned int which);
/** probe_event_count() - one more on this CPU. */
void probe_event_count(struct probe_event *pe, unsigned int which);
/** probe_event_write() - fetch and write the record. @ip, @func: where; @func only of a return. @buf: pe->room bytes, but at least those of two places; 8-aligned. */
void probe_event_write(struct probe_event *pe, unsigned long ip, unsigned long func,
		       const struct fetch_source *src, void *buf, size_t room);
/** probe_event_write_plain() - the same of an event without arguments. */
void probe_event_write_plain(struct probe_event *pe, unsigned long ip, unsigned long func);

/* Arms a kernel probe; kernel/trace/kprobe_event.c. */
int kprobe_event_enable(struct probe_event *pe, bool on);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The buffers of all CPUs together: sizes, clock, switching on and off, waiting, and reading them merged by time.
 * fs/tracefs is the user. trace_mutex is held for everything here unless said otherwise.
 */
#ifndef KERNEL_TRACE_BUFFER_H
#define KERNEL_TRACE_BUFFER_H

#include <kernel/task.h>
#include <kernel/trace.h>
#include <kernel/trace/ring.h>

#define TRACE_ALL_CPUS (-1)
#define TRACE_DEFAULT_KB 1408 /* of one CPU, as Linux's */

extern u64 trace_run; /* what marks this run's pages (ring.h); set before the first ring is made */

/* Bits of an instance's options, by number. */
enum trace_option {
	TRACE_OPT_CONTEXT_INFO, /* show task, CPU and time of a record */
	TRACE_OPT_RECORD_TGID,	/* and the process */
	TRACE_OPT_OVERWRITE,	/* a full buffer forgets the oldest */
	TRACE_OPT_IRQ_INFO,	/* show the flags */
	TRACE_OPT_MARKERS,	/* trace_marker takes text */
	TRACE_OPT_EVENT_FORK,	/* the children of threads in set_event_pid are in it, too */
	TRACE_OPT_STACKTRACE,	/* each record is followed by the kernel's stack */
	TRACE_NOPTIONS
};

struct trace_clock {
	const char *name;
	u64 (*now)(void);
	bool in_ns;
};
extern const struct trace_clock trace_clocks[];

struct trace_pids;

/*
 * Buffers, and what is recorded there and how: those of the top directory, and one set more for each directory of instances/.
 * trace_mutex to write; writers of records look with interrupts off.
 */
struct trace_instance {
	struct list link; /* trace_instances */
	char *name;	  /* "": the top */
	u32 users;	  /* open files, streams, triggers' snapshots: it cannot be removed */
	u32 recording;	  /* tracing_on */
	u32 options;
	u32 cpus_off[CONFIG_NR_CPUS / 32 + 1]; /* CPUs that do not record: not in tracing_cpumask */
	const struct trace_clock *clock;
	struct trace_ring *ring[CONFIG_NR_CPUS];     /* and swap_lock */
	struct trace_ring *snapshot[CONFIG_NR_CPUS]; /* and swap_lock; NULL: there is none */
	u64 ring_kb[CONFIG_NR_CPUS];		     /* as it was asked for; 0: the default */
	struct trace_pids *only, *except; /* set_event_pid, set_event_notrace_pid; NULL: none */
	unsigned long piped[CONFIG_NR_CPUS / 64 +
			    1]; /* CPUs whose records somebody has open as trace_pipe */
};
extern struct trace_instance trace_top;
extern struct list trace_instances; /* trace_mutex: with the top, which is the first */

/** trace_instance_create() - with the settings of a fresh top. 0, -EEXIST, -ENOMEM. trace_instance_remove(): -EBUSY while it has users. */
int trace_instance_create(const char *name);
int trace_instance_remove(struct trace_instance *in);
/** trace_instance_find() - NULL: no such name. trace_instance_alive(): whether @in has not been removed. */
struct trace_instance *trace_instance_find(const char *name);
bool trace_instance_alive(const struct trace_instance *in);
/** trace_set_recording() - tracing_on. Any context. */
void trace_set_recording(struct trace_instance *in, bool on);

/** trace_buffers_make() - allocate what is not there yet. 0, -ENOMEM. */
int trace_buffers_make(struct trace_instance *in);
/** trace_buffers_resize() - @kb for one CPU or all; what was recorded there is lost. 0, -ENOMEM. */
int trace_buffers_resize(struct trace_instance *in, int cpu, u64 kb);
/** trace_buffer_kb() - its size, made or not. */
u64 trace_buffer_kb(const struct trace_instance *in, unsigned int cpu);
/** trace_buffers_clear() - forget what was recorded, of one CPU or all; @snapshot: of the snapshot. */
void trace_buffers_clear(struct trace_instance *in, int cpu, bool snapshot);
void trace_buffers_set_overwrite(struct trace_instance *in, bool on);

/** trace_snapshot_make() - have buffers for one. 0, -ENOMEM. trace_snapshot_free(): what it holds is lost. */
int trace_snapshot_make(struct trace_instance *in);
void trace_snapshot_free(struct trace_instance *in);
/** trace_snapshot_take() - what was recorded (by @cpu or all) and the snapshot change places. Any context, no lock. Without buffers for one nothing happens. */
void trace_snapshot_take(struct trace_instance *in, int cpu);

/** trace_record_write() - put a record into this CPU's ring as it is. Interrupts off. */
void trace_record_write(struct trace_instance *in, const struct trace_entry *e, size_t len);

/** trace_record_put() - the same for a record of @ev, if the instance records now. @entry: filled in but for the type. */
void trace_record_put(struct trace_event *ev, struct trace_instance *in, struct trace_entry *entry,
		      size_t len);
/** trace_event_pull() - the triggers of an event that is not recorded by trace_event_write(). Interrupts off. */
void trace_event_pull(struct trace_event *ev, struct trace_instance *in, struct trace_entry *entry,
		      size_t len, bool after);
/** trace_entry_fill() - the common fields but the type. @irqs_on: as they were for what is recorded. Interrupts off. */
void trace_entry_fill(struct trace_entry *entry, bool irqs_on);

/** trace_mark() - what a program wrote to trace_marker (text) or trace_marker_raw, @n bytes, as a record. No lock needed. */
void trace_mark(struct trace_instance *in, const char *text, size_t n, bool raw);
/** trace_stack() - a record of the stack of who calls. Interrupts off. */
void trace_stack(struct trace_instance *in);

/** trace_clock_set() - by name; what was recorded is forgotten. 0, -EINVAL. */
int trace_clock_set(struct trace_instance *in, const char *name);

/* ---- reading ---- */

struct trace_cursor {
	u64 pos, end;		 /* of the ring; end: stop there */
	struct trace_ring *ring; /* that the held record is of */
	u64 serial;		 /* of the ring that pos is in */
	u64 read;		 /* ring->read when the record was taken */
	u64 next_seq;		 /* what comes next if nothing is lost; U64_MAX: anything */
	u64 lost;		 /* before the record that is held */
	bool held;
	struct trace_record rec;
	union {
		struct trace_entry entry;
		u8 bytes[TRACE_ENTRY_MAX];
	};
};

struct trace_iter {
	struct trace_instance *in;
	int cpu; /* or TRACE_ALL_CPUS */
	bool consuming, snapshot;
	struct trace_cursor *cursor[CONFIG_NR_CPUS]; /* NULL: not looked at */
};

/**
 * trace_iter_create() - for one CPU or all. @consuming: a record that is taken is gone (trace_pipe). @snapshot: of that.
 * The caller is a user of @in. ERR_PTR(-ENOMEM). No lock needed.
 */
struct trace_iter *trace_iter_create(struct trace_instance *in, int cpu, bool consuming,
				     bool snapshot);
void trace_iter_free(struct trace_iter *it);
/** trace_iter_rewind() - begin at the oldest records; a look that does not consume ends at what is there now. */
void trace_iter_rewind(struct trace_iter *it);
/** trace_iter_next() - the oldest record of those CPUs, the same one until trace_iter_done(); NULL: there is none now. */
struct trace_cursor *trace_iter_next(struct trace_iter *it);
/** trace_iter_done() - the record was used: go on behind it; if consuming, it is gone now. */
void trace_iter_done(struct trace_iter *it, struct trace_cursor *c);
/** trace_iter_empty() - would trace_iter_next() return NULL? No lock needed: a hint. */
bool trace_iter_empty(const struct trace_iter *it);

/**
 * Waiting for records. Writers cannot wake anybody (an event may lie inside the scheduler), so while somebody waits a timer
 * looks. trace_wait(): 0, or -EINTR; no lock held. For poll: register on trace_wait_queue(), then
 * trace_wait_kick() starts the timer. Sleepers end, too, when recording is switched off.
 */
int trace_wait(const struct trace_iter *it);
struct waitq *trace_wait_queue(void);
void trace_wait_kick(void);
void trace_wait_wake(void); /* what they wait for may have changed otherwise (tracing_on) */

/** trace_show_header(), trace_show_record() - as the `trace` file has it. */
void trace_show_header(struct printbuf *pb, const struct trace_iter *it);
void trace_show_record(struct printbuf *pb, const struct trace_instance *in,
		       const struct trace_cursor *c);

#endif

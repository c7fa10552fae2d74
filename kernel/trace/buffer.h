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

extern u32 trace_recording; /* tracing_on; any context reads it */

/* trace_options: bits by number. trace_mutex to write. */
enum trace_option {
	TRACE_OPT_CONTEXT_INFO, /* show task, CPU and time of a record */
	TRACE_OPT_RECORD_TGID,	/* and the process */
	TRACE_OPT_OVERWRITE,	/* a full buffer forgets the oldest */
	TRACE_OPT_IRQ_INFO,	/* show the flags */
	TRACE_OPT_MARKERS,	/* trace_marker takes text */
	TRACE_NOPTIONS
};
extern u32 trace_options;

/** trace_buffers_make() - allocate what is not there yet. 0, -ENOMEM. */
int trace_buffers_make(void);
/** trace_buffers_resize() - @kb for one CPU or all; what was recorded there is lost. 0, -ENOMEM. */
int trace_buffers_resize(int cpu, u64 kb);
/** trace_buffer_kb() - its size, made or not. */
u64 trace_buffer_kb(unsigned int cpu);
/** trace_buffers_exist() - has anything been allocated? */
bool trace_buffers_exist(void);
/** trace_buffers_clear() - forget what was recorded, of one CPU or all. */
void trace_buffers_clear(int cpu);
void trace_buffers_set_overwrite(bool on);
struct trace_ring *trace_ring_of(unsigned int cpu); /* NULL: not made */

/** trace_record_write() - put a record into this CPU's ring as it is. Interrupts off. */
void trace_record_write(const struct trace_entry *e, size_t len);

/** trace_mark() - the text that a program wrote to trace_marker, @n bytes, as a record. No lock needed. */
void trace_mark(const char *text, size_t n);

struct trace_clock {
	const char *name;
	u64 (*now)(void);
	bool in_ns;
};
extern const struct trace_clock trace_clocks[];
extern const struct trace_clock *trace_clock;
/** trace_clock_set() - by name; what was recorded is forgotten. 0, -EINVAL. */
int trace_clock_set(const char *name);

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
	int cpu; /* or TRACE_ALL_CPUS */
	bool consuming;
	struct trace_cursor *cursor[CONFIG_NR_CPUS]; /* NULL: not looked at */
};

/** trace_iter_create() - for one CPU or all. @consuming: a record that is taken is gone (trace_pipe). ERR_PTR(-ENOMEM). No lock needed. */
struct trace_iter *trace_iter_create(int cpu, bool consuming);
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
void trace_show_header(struct printbuf *pb, int cpu);
void trace_show_record(struct printbuf *pb, const struct trace_cursor *c);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Events: the registry, enabling, filters, writing, and the text of formats and fields. See <kernel/trace.h>.
 */
#include <err.h>
#include <hal/boot.h>
#include <kernel/printk.h>
#include <kernel/sched.h>
#include <kernel/trace/buffer.h>
#include <kernel/trace/export.h>
#include <kernel/trace/filter.h>
#include <kernel/trace/points.h>
#include <kernel/trace/trigger.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/slab.h>

struct mutex trace_mutex = MUTEX_INIT(trace_mutex);
struct list trace_events = LIST_HEAD_INIT(trace_events);

#define FIRST_ID 5u /* "print", the first, has on Linux always had this one */
#define MAX_ID	 65535u
#define BUCKETS	 256u
static unsigned int next_id = FIRST_ID;	 /* trace_mutex */
static struct hlist_head by_id[BUCKETS]; /* trace_mutex */

/* ---- writing ---- */

static bool passes_filter(const struct trace_filter *f, const struct trace_entry *e, size_t len)
{
	struct trace_filter_env env;

	if (!f)
		return true;
	env.comm = current->comm;
	env.cpu = hal_cpu_id();
	return trace_filter_match(f, e, len, &env);
}

/* ---- of which threads ---- */

#define PID_WORDS (PID_MAX / 64)
struct trace_pids {
	u64 bits[PID_WORDS];
};

static struct trace_pids **pids_of(struct trace_instance *in, bool except)
{
	return except ? &in->except : &in->only;
}

static bool has_pid(const struct trace_pids *set, u32 pid)
{
	return pid < PID_MAX && (READ_ONCE(set->bits[pid / 64]) >> (pid % 64) & 1);
}

static void put_pid(struct trace_pids *set, u32 pid, bool there)
{
	if (pid >= PID_MAX)
		return;
	if (there)
		__atomic_fetch_or(&set->bits[pid / 64], 1ULL << (pid % 64), __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&set->bits[pid / 64], ~(1ULL << (pid % 64)), __ATOMIC_RELAXED);
}

static bool is_wanted_pid(const struct trace_pids *only, const struct trace_pids *except, u32 pid)
{
	return (!only || has_pid(only, pid)) && !(except && has_pid(except, pid));
}

/* Events that are about another thread than the one that causes them have its number in one of these. */
static const char *const other_pid[] = { "next_pid", "pid", "child_pid" };

static const struct trace_field *other_pid_field(const struct trace_event *ev)
{
	for (unsigned int i = 0; i < ev->nfields; i++)
		for (size_t j = 0; j < ARRAY_SIZE(other_pid); j++)
			if (!strcmp(ev->fields[i].name, other_pid[j]))
				return &ev->fields[i];
	return NULL;
}

static bool is_wanted_thread(const struct trace_event_file *f, const struct trace_entry *e)
{
	const struct trace_pids *only = __atomic_load_n(&f->in->only, __ATOMIC_ACQUIRE),
				*except = __atomic_load_n(&f->in->except, __ATOMIC_ACQUIRE);
	const struct trace_field *other;

	if ((likely(!only) && likely(!except)) || is_wanted_pid(only, except, (u32)e->pid))
		return true;
	if (strcmp(f->ev->system, "sched"))
		return false;
	other = other_pid_field(f->ev);
	return other && is_wanted_pid(only, except, (u32)trace_field_number(other, e));
}

int trace_pids_add(struct trace_instance *in, bool except, u64 pid)
{
	struct trace_pids **set = pids_of(in, except), *new;

	if (pid == 0 || pid >= PID_MAX)
		return -EINVAL;
	if (!*set) {
		new = kzalloc(sizeof(*new), GFP_KERNEL);
		if (!new)
			return -ENOMEM;
		__atomic_store_n(set, new, __ATOMIC_RELEASE);
	}
	put_pid(*set, (u32)pid, true);
	return 0;
}

void trace_pids_clear(struct trace_instance *in, bool except)
{
	struct trace_pids **set = pids_of(in, except), *old = *set;

	if (!old)
		return;
	__atomic_store_n(set, NULL, __ATOMIC_RELEASE);
	sched_sync_all_cpus();
	kfree(old);
}

u32 trace_pids_next(const struct trace_instance *in, bool except, u32 pid)
{
	const struct trace_pids *set = except ? in->except : in->only;

	for (; set && pid < PID_MAX; pid++)
		if (has_pid(set, pid))
			return pid;
	return 0;
}

static struct trace_event *const followed[] = { &trace_sched_process_fork,
						&trace_sched_process_free };

int trace_pids_follow(struct trace_instance *in, bool on)
{
	for (size_t i = 0; i < ARRAY_SIZE(followed); i++) {
		struct trace_event_file *f = trace_event_file_make(followed[i], in);
		int r = f ? trace_event_want(f, on) : -ENOMEM;

		if (!r)
			continue;
		while (on && i-- > 0)
			(void)trace_event_want(trace_event_file(followed[i], in), false);
		return r;
	}
	return 0;
}

/* A record of one of the followed events. Interrupts off. */
static void follow(struct trace_instance *in, const struct trace_event *ev,
		   const struct trace_entry *e)
{
	bool born = ev == followed[0];
	const struct trace_field *other = other_pid_field(ev);

	for (int except = 0; except < 2; except++) {
		struct trace_pids *set = __atomic_load_n(pids_of(in, except), __ATOMIC_ACQUIRE);
		u32 pid = other ? (u32)trace_field_number(other, e) : 0;

		if (set && (!born || has_pid(set, (u32)e->pid)))
			put_pid(set, pid, born);
	}
}

/* ---- one record ---- */

static bool cpu_records(const struct trace_instance *in)
{
	unsigned int cpu = hal_cpu_id();

	return !(READ_ONCE(in->cpus_off[cpu / 32]) >> (cpu % 32) & 1);
}

void trace_record_put(struct trace_event *ev, struct trace_instance *in, struct trace_entry *entry,
		      size_t len)
{
	entry->type = ev->id;
	if (READ_ONCE(in->recording) && len <= TRACE_ENTRY_MAX && cpu_records(in))
		trace_record_write(in, entry, len);
}

/* A hit of an event in an instance where somebody wants more than its record. */
static __noinline void write_special(struct trace_event_file *f, struct trace_entry *entry,
				     size_t len)
{
	struct trace_trigger *triggers = __atomic_load_n(&f->triggers, __ATOMIC_ACQUIRE);
	struct trace_instance *in = f->in;

	if (triggers)
		trace_triggers_pull(triggers, entry, len, false);
	if (READ_ONCE(f->records) && is_wanted_thread(f, entry) &&
	    passes_filter(__atomic_load_n(&f->filter, __ATOMIC_ACQUIRE), entry, len)) {
		trace_record_put(f->ev, in, entry, len);
		if (READ_ONCE(in->options) & 1u << TRACE_OPT_STACKTRACE)
			trace_stack(in);
	}
	if (triggers)
		trace_triggers_pull(triggers, entry, len, true);
	if ((READ_ONCE(in->options) & 1u << TRACE_OPT_EVENT_FORK) &&
	    (f->ev == followed[0] || f->ev == followed[1]))
		follow(in, f->ev, entry);
}

/* Triggers, sets of threads, and the options that do more than record: mostly there are none. */
static __always_inline bool is_special(const struct trace_event_file *f)
{
	const struct trace_instance *in = f->in;

	return ((uintptr_t)READ_ONCE(f->triggers) | (uintptr_t)READ_ONCE(in->only) |
		(uintptr_t)READ_ONCE(in->except)) ||
	       (READ_ONCE(in->options) & (1u << TRACE_OPT_STACKTRACE | 1u << TRACE_OPT_EVENT_FORK));
}

static __always_inline void write_to(struct trace_event_file *f, struct trace_entry *entry,
				     size_t len)
{
	if (!READ_ONCE(f->armed))
		return;
	if (unlikely(is_special(f)))
		write_special(f, entry, len);
	else if (READ_ONCE(f->records) &&
		 passes_filter(__atomic_load_n(&f->filter, __ATOMIC_ACQUIRE), entry, len))
		trace_record_put(f->ev, f->in, entry, len);
}

void trace_event_pull(struct trace_event *ev, struct trace_instance *in, struct trace_entry *entry,
		      size_t len, bool after)
{
	for (struct trace_event_file *f = &ev->top; f;
	     f = __atomic_load_n(&f->next, __ATOMIC_ACQUIRE)) {
		struct trace_trigger *first = __atomic_load_n(&f->triggers, __ATOMIC_ACQUIRE);

		if (f->in == in && first)
			trace_triggers_pull(first, entry, len, after);
	}
}

void trace_entry_fill(struct trace_entry *entry, bool irqs_on)
{
	const struct task *t = current;

	entry->flags = irqs_on ? 0 : TRACE_FLAG_IRQS_OFF;
	if (READ_ONCE(t->work) & WORK_RESCHED)
		entry->flags |= TRACE_FLAG_NEED_RESCHED;
	entry->preempt_count = 0;
	entry->pid = t->tid ? t->tid->nr : 0;
}

void trace_event_write(struct trace_event *ev, struct trace_entry *entry, size_t len)
{
	bool irqs_on = hal_irq_enabled();

	if (irqs_on)
		hal_irq_disable();
	trace_entry_fill(entry, irqs_on);
	entry->type = ev->id;
	for (struct trace_event_file *f = &ev->top; f;
	     f = __atomic_load_n(&f->next, __ATOMIC_ACQUIRE))
		write_to(f, entry, len);
	if (irqs_on)
		hal_irq_enable();
}

/* ---- the registry; trace_mutex held ---- */

struct trace_event *trace_event_find(const char *system, const char *name)
{
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link)
		if (!strcmp(ev->name, name) && (!system || !strcmp(ev->system, system)))
			return ev;
	return NULL;
}

struct trace_event *trace_event_by_id(unsigned int id)
{
	struct trace_event *ev;

	hlist_for_each_entry(ev, &by_id[id % BUCKETS], id_link)
		if (ev->id == id)
			return ev;
	return NULL;
}

/* Numbers are used again only when all have been used once: records outlive their event. */
static int take_id(void)
{
	for (unsigned int tries = 0; tries < MAX_ID; tries++) {
		unsigned int id = next_id;

		next_id = next_id == MAX_ID ? FIRST_ID : next_id + 1;
		if (!trace_event_by_id(id))
			return (int)id;
	}
	return -ENOSPC;
}

/* Events of one system stay together. */
static void insert(struct trace_event *ev)
{
	struct trace_event *pos;

	list_for_each_entry_reverse(pos, &trace_events, link) {
		if (!strcmp(pos->system, ev->system)) {
			list_add(&ev->link, &pos->link);
			return;
		}
	}
	list_add_tail(&ev->link, &trace_events);
}

int trace_event_register_locked(struct trace_event *ev)
{
	int id;

	if (trace_event_find(ev->system, ev->name))
		return -EEXIST;
	id = take_id();
	if (id < 0)
		return id;
	ev->id = (u16)id;
	ev->enabled = 0;
	ev->top = (struct trace_event_file){ .ev = ev, .in = &trace_top };
	insert(ev);
	hlist_node_init(&ev->id_link);
	hlist_add_head(&ev->id_link, &by_id[id % BUCKETS]);
	return 0;
}

int trace_event_register(struct trace_event *ev)
{
	int r;

	mutex_lock(&trace_mutex);
	r = trace_event_register_locked(ev);
	mutex_unlock(&trace_mutex);
	return r;
}

/* ---- an event in its instances ---- */

struct trace_event_file *trace_event_file(struct trace_event *ev, struct trace_instance *in)
{
	struct trace_event_file *f = &ev->top;

	while (f && f->in != in)
		f = f->next;
	return f;
}

struct trace_event_file *trace_event_file_make(struct trace_event *ev, struct trace_instance *in)
{
	struct trace_event_file *f = trace_event_file(ev, in);

	if (f)
		return f;
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return NULL;
	f->ev = ev;
	f->in = in;
	f->next = ev->top.next;
	__atomic_store_n(&ev->top.next, f, __ATOMIC_RELEASE);
	return f;
}

/* Writers with interrupts off may be looking at the filter. */
static void set_filter(struct trace_event_file *f, struct trace_filter *filter, char *text)
{
	struct trace_filter *old = f->filter;

	__atomic_store_n(&f->filter, filter, __ATOMIC_RELEASE);
	kfree(f->filter_text);
	f->filter_text = text;
	if (old)
		sched_sync_all_cpus();
	trace_filter_free(old);
}

/* What was added to an event in @in goes; the top's memory is the event's own. */
static void free_file(struct trace_event *ev, struct trace_instance *in)
{
	struct trace_event_file **link = &ev->top.next, *f;

	while (*link && (*link)->in != in)
		link = &(*link)->next;
	f = *link;
	if (!f)
		return;
	(void)trace_event_set(ev, in, false);
	__atomic_store_n(link, f->next, __ATOMIC_RELEASE);
	sched_sync_all_cpus();
	set_filter(f, NULL, NULL);
	kfree(f);
}

void trace_event_files_free(struct trace_instance *in)
{
	struct trace_event *ev;

	if (in->options & 1u << TRACE_OPT_EVENT_FORK)
		(void)trace_pids_follow(in, false);
	list_for_each_entry(ev, &trace_events, link) {
		struct trace_event_file *f = trace_event_file(ev, in);

		if (f)
			trace_triggers_clear(f);
	}
	list_for_each_entry(ev, &trace_events, link)
		free_file(ev, in);
}

int trace_event_unregister_locked(struct trace_event *ev)
{
	if (ev->enabled)
		return -EBUSY;
	list_del(&ev->link);
	hlist_del(&ev->id_link);
	while (ev->top.next)
		free_file(ev, ev->top.next->in);
	set_filter(&ev->top, NULL, NULL);
	return 0;
}

int trace_event_unregister(struct trace_event *ev)
{
	int r;

	mutex_lock(&trace_mutex);
	r = trace_event_unregister_locked(ev);
	mutex_unlock(&trace_mutex);
	return r;
}

/* The event happens for an instance if it is enabled there, or a trigger wants it. */
static int arm(struct trace_event_file *f, bool on)
{
	struct trace_event *ev = f->ev;
	int r = 0;

	if (on == f->armed)
		return 0;
	if (on)
		r = trace_buffers_make(f->in);
	if (!r && on && !ev->enabled && ev->enable)
		r = ev->enable(ev, true);
	if (r)
		return r;
	if (on && !ev->enabled)
		trace_export_event(ev);
	WRITE_ONCE(f->armed, on);
	WRITE_ONCE(ev->enabled, on ? ev->enabled + 1 : ev->enabled - 1);
	if (!ev->enabled && ev->enable)
		(void)ev->enable(ev, false);
	return 0;
}

int trace_event_set(struct trace_event *ev, struct trace_instance *in, bool on)
{
	struct trace_event_file *f = on ? trace_event_file_make(ev, in) : trace_event_file(ev, in);
	int r = 0;

	if (!f)
		return on ? -ENOMEM : 0;
	if (on || !f->wanted)
		r = arm(f, on);
	if (r)
		return r;
	f->enabled = on;
	WRITE_ONCE(f->records, on);
	return 0;
}

int trace_event_want(struct trace_event_file *f, bool on)
{
	int r = on ? arm(f, true) : 0;

	if (r)
		return r;
	f->wanted = on ? f->wanted + 1 : f->wanted - 1;
	if (f->wanted)
		return 0;
	/* It stays as the last of them has left it. */
	f->enabled = READ_ONCE(f->records);
	return f->enabled ? 0 : arm(f, false);
}

/* What the file shows after a mistake: the text, a line that points at the place, and what is wrong. */
static char *error_text(const char *text, const char *error, size_t at)
{
	size_t size = strlen(text) + at + strlen(error) + 32;
	char *s = kmalloc(size, GFP_KERNEL);

	if (s)
		snprintf(s, size, "%s\n%*s^\nparse_error: %s", text, (int)at, "", error);
	return s;
}

int trace_event_set_filter(struct trace_event *ev, struct trace_instance *in, const char *text)
{
	struct trace_event_file *f = trace_event_file_make(ev, in);
	struct trace_filter *filter;
	const char *error;
	char *copy;
	size_t at;

	if (!f)
		return -ENOMEM;
	if (!strcmp(text, "0")) {
		set_filter(f, NULL, NULL);
		return 0;
	}
	filter = trace_filter_parse(ev->fields, ev->nfields, text, &error, &at);
	if (PTR_ERR_OR_ZERO(filter) == -EINVAL) {
		set_filter(f, NULL, error_text(text, error, at));
		return -EINVAL;
	}
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	copy = kstrdup(text, GFP_KERNEL);
	if (!copy) {
		trace_filter_free(filter);
		return -ENOMEM;
	}
	set_filter(f, filter, copy);
	return 0;
}

/* ---- records as text ---- */

static void show_columns(struct printbuf *pb, const struct trace_instance *in)
{
	bool tgid = in->options & 1u << TRACE_OPT_RECORD_TGID;
	bool flags = in->options & 1u << TRACE_OPT_IRQ_INFO;
	const char *pad = tgid ? "            " : "";

	if (flags)
		printbuf_printf(pb,
				"#                            %s    _-----=> irqs-off/BH-disabled\n"
				"#                            %s   / _----=> need-resched\n"
				"#                            %s  | / _---=> hardirq/softirq\n"
				"#                            %s  || / _--=> preempt-depth\n"
				"#                            %s  ||| / _-=> migrate-disable\n"
				"#                            %s  |||| /     delay\n",
				pad, pad, pad, pad, pad, pad);
	printbuf_printf(pb, "#           TASK-PID    %s CPU#  %sTIMESTAMP  FUNCTION\n",
			tgid ? "   TGID   " : "", flags ? "|||||  " : "   ");
	printbuf_printf(pb, "#              | |      %s   |   %s   |         |\n",
			tgid ? "     |    " : "", flags ? "|||||  " : "   ");
}

void trace_show_header(struct printbuf *pb, const struct trace_iter *it)
{
	const struct trace_instance *in = it->in;
	u64 entries = 0, written = 0;

	for (int i = 0; i < (int)boot_info.ncpus; i++) {
		const struct trace_ring *r = it->snapshot ? in->snapshot[i] : in->ring[i];

		if (!r || (it->cpu != TRACE_ALL_CPUS && it->cpu != i))
			continue;
		entries += trace_ring_entries(r);
		written += trace_ring_entries(r) + READ_ONCE(r->overrun) - r->cleared;
	}
	printbuf_puts(pb, "# tracer: nop\n#\n");
	if (!(in->options & 1u << TRACE_OPT_CONTEXT_INFO))
		return;
	printbuf_printf(pb, "# entries-in-buffer/entries-written: %llu/%llu   #P:%u\n#\n", entries,
			written, cpu_online_count());
	show_columns(pb, in);
}

static void show_flags(struct printbuf *pb, u8 flags)
{
	printbuf_printf(pb, "%c%c%c.. ", flags & TRACE_FLAG_IRQS_OFF ? 'd' : '.',
			flags & TRACE_FLAG_NEED_RESCHED ? 'N' : '.',
			flags & TRACE_FLAG_HARDIRQ ? 'h' : '.');
}

static void show_prefix(struct printbuf *pb, const struct trace_instance *in,
			const struct trace_cursor *c)
{
	u64 us = (c->rec.time + 500) / 1000;

	printbuf_printf(pb, "%16.16s-%-7d ", c->rec.comm, c->entry.pid);
	if (in->options & 1u << TRACE_OPT_RECORD_TGID)
		printbuf_printf(pb, "(%7d) ", c->rec.tgid);
	printbuf_printf(pb, "[%03u] ", c->rec.cpu);
	if (in->options & 1u << TRACE_OPT_IRQ_INFO)
		show_flags(pb, c->entry.flags);
	if (in->clock->in_ns)
		printbuf_printf(pb, "%5llu.%06llu: ", us / 1000000, us % 1000000);
	else
		printbuf_printf(pb, "%12llu: ", c->rec.time);
}

void trace_show_record(struct printbuf *pb, const struct trace_instance *in,
		       const struct trace_cursor *c)
{
	const struct trace_event *ev = trace_event_by_id(c->entry.type);

	if (c->lost)
		printbuf_printf(pb, "CPU:%u [LOST %llu EVENTS]\n", c->rec.cpu, c->lost);
	if (in->options & 1u << TRACE_OPT_CONTEXT_INFO)
		show_prefix(pb, in, c);
	if (!ev) {
		printbuf_printf(pb, "Unknown type %u\n", c->entry.type);
		return;
	}
	if (ev->print) {
		if (!ev->own_name)
			printbuf_printf(pb, "%s: ", ev->name);
		ev->print(pb, ev, &c->entry, c->rec.len);
	} else {
		printbuf_printf(pb, "%s:", ev->name);
		for (unsigned int i = 0; i < ev->nfields; i++) {
			printbuf_printf(pb, " %s=", ev->fields[i].name);
			trace_field_text(pb, &ev->fields[i], &c->entry, c->rec.len);
		}
	}
	printbuf_putc(pb, '\n');
}

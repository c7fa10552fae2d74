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

static bool passes_filter(const struct trace_event *ev, const struct trace_entry *e, size_t len)
{
	const struct trace_filter *f = __atomic_load_n(&ev->filter, __ATOMIC_ACQUIRE);
	struct trace_filter_env env;

	if (!f)
		return true;
	env.comm = current->comm;
	env.cpu = hal_cpu_id();
	return trace_filter_match(f, e, len, &env);
}

/* ---- of which threads ---- */

#define PID_WORDS (PID_MAX / 64)
struct pid_set {
	u64 bits[PID_WORDS];
};
static struct pid_set *pids; /* trace_mutex to write; writers with interrupts off; NULL: all */

static bool has_pid(const struct pid_set *set, u32 pid)
{
	return pid < PID_MAX && (set->bits[pid / 64] >> (pid % 64) & 1);
}

/* Events that are about another thread than the one that causes them have its number in one of these. */
static const char *const other_pid[] = { "next_pid", "pid", "child_pid" };

static bool concerns(const struct pid_set *set, const struct trace_event *ev,
		     const struct trace_entry *e, size_t len)
{
	if (has_pid(set, (u32)e->pid))
		return true;
	if (strcmp(ev->system, "sched"))
		return false;
	for (unsigned int i = 0; i < ev->nfields; i++)
		for (size_t j = 0; j < ARRAY_SIZE(other_pid); j++)
			if (!strcmp(ev->fields[i].name, other_pid[j]) &&
			    has_pid(set, (u32)trace_field_number(&ev->fields[i], e)))
				return true;
	return false;
}

static bool is_wanted_thread(const struct trace_event *ev, const struct trace_entry *e, size_t len)
{
	const struct pid_set *set = __atomic_load_n(&pids, __ATOMIC_ACQUIRE);

	return likely(!set) || concerns(set, ev, e, len);
}

int trace_pids_add(u64 pid)
{
	if (pid == 0 || pid >= PID_MAX)
		return -EINVAL;
	if (!pids) {
		struct pid_set *set = kzalloc(sizeof(*set), GFP_KERNEL);

		if (!set)
			return -ENOMEM;
		__atomic_store_n(&pids, set, __ATOMIC_RELEASE);
	}
	__atomic_fetch_or(&pids->bits[pid / 64], 1ULL << (pid % 64), __ATOMIC_RELAXED);
	return 0;
}

void trace_pids_clear(void)
{
	struct pid_set *old = pids;

	if (!old)
		return;
	__atomic_store_n(&pids, NULL, __ATOMIC_RELEASE);
	sched_sync_all_cpus();
	kfree(old);
}

u32 trace_pids_next(u32 pid)
{
	for (; pids && pid < PID_MAX; pid++)
		if (has_pid(pids, pid))
			return pid;
	return 0;
}

void trace_event_write(struct trace_event *ev, struct trace_entry *entry, size_t len)
{
	const struct task *t = current;
	bool irqs_on = hal_irq_enabled();
	unsigned int flags = irqs_on ? 0 : TRACE_FLAG_IRQS_OFF;

	if (irqs_on)
		hal_irq_disable();
	if (READ_ONCE(t->work) & WORK_RESCHED)
		flags |= TRACE_FLAG_NEED_RESCHED;
	entry->type = ev->id;
	entry->flags = (u8)flags;
	entry->preempt_count = 0;
	entry->pid = t->tid ? t->tid->nr : 0;
	if (READ_ONCE(trace_recording) && len <= TRACE_ENTRY_MAX &&
	    is_wanted_thread(ev, entry, len) && passes_filter(ev, entry, len))
		trace_record_write(entry, len);
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
	ev->filter = NULL;
	ev->filter_text = NULL;
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

/* Writers with interrupts off may be looking at the filter. */
static void set_filter(struct trace_event *ev, struct trace_filter *filter, char *text)
{
	struct trace_filter *old = ev->filter;

	__atomic_store_n(&ev->filter, filter, __ATOMIC_RELEASE);
	kfree(ev->filter_text);
	ev->filter_text = text;
	if (old)
		sched_sync_all_cpus();
	trace_filter_free(old);
}

int trace_event_unregister_locked(struct trace_event *ev)
{
	if (ev->enabled)
		return -EBUSY;
	list_del(&ev->link);
	hlist_del(&ev->id_link);
	set_filter(ev, NULL, NULL);
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

int trace_event_set(struct trace_event *ev, bool on)
{
	int r = 0;

	if (on == (ev->enabled != 0))
		return 0;
	if (on)
		r = trace_buffers_make();
	if (!r && on && ev->enable)
		r = ev->enable(ev, true);
	if (r)
		return r;
	if (on)
		trace_export_event(ev);
	WRITE_ONCE(ev->enabled, on);
	if (!on && ev->enable)
		(void)ev->enable(ev, false);
	return 0;
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

int trace_event_set_filter(struct trace_event *ev, const char *text)
{
	struct trace_filter *filter;
	const char *error;
	char *copy;
	size_t at;

	if (!strcmp(text, "0")) {
		set_filter(ev, NULL, NULL);
		return 0;
	}
	filter = trace_filter_parse(ev->fields, ev->nfields, text, &error, &at);
	if (PTR_ERR_OR_ZERO(filter) == -EINVAL) {
		set_filter(ev, NULL, error_text(text, error, at));
		return -EINVAL;
	}
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	copy = kstrdup(text, GFP_KERNEL);
	if (!copy) {
		trace_filter_free(filter);
		return -ENOMEM;
	}
	set_filter(ev, filter, copy);
	return 0;
}

/* ---- records as text ---- */

static void show_columns(struct printbuf *pb)
{
	bool tgid = trace_options & 1u << TRACE_OPT_RECORD_TGID;
	bool flags = trace_options & 1u << TRACE_OPT_IRQ_INFO;
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

void trace_show_header(struct printbuf *pb, int cpu)
{
	u64 entries = 0, written = 0;

	for (int i = 0; i < (int)boot_info.ncpus; i++) {
		struct trace_ring *r = trace_ring_of((unsigned int)i);

		if (!r || (cpu != TRACE_ALL_CPUS && cpu != i))
			continue;
		entries += trace_ring_entries(r);
		written += trace_ring_entries(r) + READ_ONCE(r->overrun) - r->cleared;
	}
	printbuf_puts(pb, "# tracer: nop\n#\n");
	if (!(trace_options & 1u << TRACE_OPT_CONTEXT_INFO))
		return;
	printbuf_printf(pb, "# entries-in-buffer/entries-written: %llu/%llu   #P:%u\n#\n", entries,
			written, cpu_online_count());
	show_columns(pb);
}

static void show_flags(struct printbuf *pb, u8 flags)
{
	printbuf_printf(pb, "%c%c%c.. ", flags & TRACE_FLAG_IRQS_OFF ? 'd' : '.',
			flags & TRACE_FLAG_NEED_RESCHED ? 'N' : '.',
			flags & TRACE_FLAG_HARDIRQ ? 'h' : '.');
}

static void show_prefix(struct printbuf *pb, const struct trace_cursor *c)
{
	u64 us = (c->rec.time + 500) / 1000;

	printbuf_printf(pb, "%16.16s-%-7d ", c->rec.comm, c->entry.pid);
	if (trace_options & 1u << TRACE_OPT_RECORD_TGID)
		printbuf_printf(pb, "(%7d) ", c->rec.tgid);
	printbuf_printf(pb, "[%03u] ", c->rec.cpu);
	if (trace_options & 1u << TRACE_OPT_IRQ_INFO)
		show_flags(pb, c->entry.flags);
	if (trace_clock->in_ns)
		printbuf_printf(pb, "%5llu.%06llu: ", us / 1000000, us % 1000000);
	else
		printbuf_printf(pb, "%12llu: ", c->rec.time);
}

void trace_show_record(struct printbuf *pb, const struct trace_cursor *c)
{
	const struct trace_event *ev = trace_event_by_id(c->entry.type);

	if (c->lost)
		printbuf_printf(pb, "CPU:%u [LOST %llu EVENTS]\n", c->rec.cpu, c->lost);
	if (trace_options & 1u << TRACE_OPT_CONTEXT_INFO)
		show_prefix(pb, c);
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

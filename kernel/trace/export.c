/* SPDX-License-Identifier: MIT */
/* See export.h. */
#include <hal/boot.h>
#include <kernel/printk.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <kernel/trace/buffer.h>
#include <kernel/trace/export.h>
#include <kernel/trace/profile.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/slab.h>

#define META_PAGES  64
#define MEMORY_PART 8u /* of free memory, for all buffers together */
#define LEAST_KB    256u
#define MOST_KB	    65536u

static struct trace_ring *meta; /* trace_mutex; NULL: nobody is to be told */

static const struct {
	const char *system, *name;
} exported[] = {
	{ "raw_syscalls", "sys_enter" },   { "raw_syscalls", "sys_exit" },
	{ "sched", "sched_switch" },	   { "sched", "sched_wakeup" },
	{ "sched", "sched_wakeup_new" },   { "sched", "sched_process_fork" },
	{ "sched", "sched_process_exec" }, { "sched", "sched_process_exit" },
	{ "task", "task_rename" },	   { "signal", "signal_generate" },
	{ "signal", "signal_deliver" },	   { "exceptions", "page_fault_user" },
};

void trace_export_event(const struct trace_event *ev)
{
	struct trace_record rec = { .time = hal_clock_ns() };
	struct printbuf pb;
	char *text;

	if (!meta)
		return;
	text = kmalloc(TRACE_ENTRY_MAX, GFP_KERNEL);
	if (!text)
		return;
	printbuf_init(&pb, text, TRACE_ENTRY_MAX);
	printbuf_printf(&pb, "system: %s\n", ev->system);
	trace_event_show_format(&pb, ev);
	rec.len = (u32)printbuf_used(&pb);
	trace_ring_write(meta, &rec, text);
	kfree(text);
}

static u64 kb_for_each_cpu(void)
{
	struct mm_stats st;
	u64 kb;

	mm_get_stats(&st);
	kb = st.free * (PAGE_SIZE / 1024) / MEMORY_PART / boot_info.ncpus;
	return clamp(kb, LEAST_KB, MOST_KB);
}

static int start_events(void)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(exported); i++) {
		struct trace_event *ev = trace_event_find(exported[i].system, exported[i].name);

		r = ev ? trace_event_set(ev, &trace_top, true) : -ENOENT;
	}
	return r;
}

void trace_export_start(bool events, bool profile)
{
	int r;

	mutex_lock(&trace_mutex);
	trace_events_prepare();
	r = trace_buffers_resize(&trace_top, TRACE_ALL_CPUS, kb_for_each_cpu());
	meta = trace_ring_create(TRACE_RING_META, META_PAGES, trace_run);
	if (!meta)
		r = -ENOMEM;
	if (!r && events)
		r = start_events();
	if (!r && profile)
		r = trace_profile_start();
	mutex_unlock(&trace_mutex);
	if (r)
		pr_err("tracing does not start: %pe\n", ERR_PTR(r));
}

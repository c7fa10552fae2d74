/* SPDX-License-Identifier: MIT */
/*
 * The control files of the top directory, of options/ and of per_cpu/cpuN/.
 */
#include <fs/tracefs/tracefs.h>
#include <hal/boot.h>
#include <hal/timer.h>
#include <kernel/sched.h>

/* ---- buffer sizes ---- */

/* Before anything is allocated Linux says how small its buffers are and what they will be; ours are not there at all. */
static int size_show(struct printbuf *pb, const struct tracefs_node *n)
{
	unsigned int first = n->cpu == TRACE_ALL_CPUS ? 0 : (unsigned int)n->cpu;
	u64 kb = trace_buffer_kb(first);
	bool same = true;

	for (unsigned int cpu = 0; n->cpu == TRACE_ALL_CPUS && cpu < boot_info.ncpus; cpu++)
		same &= trace_buffer_kb(cpu) == kb;
	if (!same)
		printbuf_puts(pb, "X\n");
	else if (trace_buffers_exist())
		printbuf_printf(pb, "%llu\n", kb);
	else
		printbuf_printf(pb, "0 (expanded: %llu)\n", kb);
	return 0;
}

static int size_write(const struct tracefs_node *n, char *text, size_t len)
{
	u64 kb;

	if (kstrtou64(tracefs_trim(text), 10, &kb) || kb == 0 || kb > 4u << 20)
		return -EINVAL;
	return trace_buffers_resize(n->cpu, kb);
}

static int total_show(struct printbuf *pb, const struct tracefs_node *n)
{
	u64 kb = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		kb += trace_buffer_kb(cpu);
	printbuf_printf(pb, trace_buffers_exist() ? "%llu\n" : "0 (expanded: %llu)\n", kb);
	return 0;
}

/* ---- tracing_on, current_tracer, trace_clock ---- */

static int on_show(struct printbuf *pb, const struct tracefs_node *n)
{
	printbuf_printf(pb, "%u\n", trace_recording);
	return 0;
}

static int on_write(const struct tracefs_node *n, char *text, size_t len)
{
	u64 v;

	if (kstrtou64(tracefs_trim(text), 10, &v))
		return -EINVAL;
	WRITE_ONCE(trace_recording, v != 0);
	if (!v)
		trace_wait_wake();
	return 0;
}

static int tracer_show(struct printbuf *pb, const struct tracefs_node *n)
{
	printbuf_puts(pb, "nop\n");
	return 0;
}

static int tracer_write(const struct tracefs_node *n, char *text, size_t len)
{
	return strcmp(tracefs_trim(text), "nop") ? -EINVAL : 0;
}

static int clock_show(struct printbuf *pb, const struct tracefs_node *n)
{
	for (const struct trace_clock *c = trace_clocks; c->name; c++)
		printbuf_printf(pb, c == trace_clock ? "%s[%s]" : "%s%s",
				c == trace_clocks ? "" : " ", c->name);
	printbuf_putc(pb, '\n');
	return 0;
}

static int clock_write(const struct tracefs_node *n, char *text, size_t len)
{
	return trace_clock_set(tracefs_trim(text));
}

/* ---- options ---- */

static const char *const option_name[TRACE_NOPTIONS] = {
	[TRACE_OPT_CONTEXT_INFO] = "context-info", [TRACE_OPT_RECORD_TGID] = "record-tgid",
	[TRACE_OPT_OVERWRITE] = "overwrite",	   [TRACE_OPT_IRQ_INFO] = "irq-info",
	[TRACE_OPT_MARKERS] = "markers",
};

static void set_option(unsigned int i, bool on)
{
	trace_options = on ? trace_options | 1u << i : trace_options & ~(1u << i);
	if (i == TRACE_OPT_OVERWRITE)
		trace_buffers_set_overwrite(on);
}

static int options_show(struct printbuf *pb, const struct tracefs_node *n)
{
	for (unsigned int i = 0; i < TRACE_NOPTIONS; i++)
		printbuf_printf(pb, "%s%s\n", trace_options & 1u << i ? "" : "no", option_name[i]);
	return 0;
}

static int options_write(const struct tracefs_node *n, char *text, size_t len)
{
	char *name = tracefs_trim(text);
	bool off = str_has_prefix(name, "no");

	for (unsigned int i = 0; i < TRACE_NOPTIONS; i++) {
		if (strcmp(option_name[i], name + (off ? 2 : 0)))
			continue;
		set_option(i, !off);
		return 0;
	}
	return -EINVAL;
}

static int option_show(struct printbuf *pb, const struct tracefs_node *n)
{
	printbuf_printf(pb, "%u\n", trace_options >> n->option & 1);
	return 0;
}

static int option_write(const struct tracefs_node *n, char *text, size_t len)
{
	u64 v;

	if (kstrtou64(tracefs_trim(text), 10, &v) || v > 1)
		return -EINVAL;
	set_option(n->option, v);
	return 0;
}

static const struct tracefs_file option_file = {
	.name = "option", .mode = 0640, .show = option_show, .write = option_write
};

static int option_lookup(const struct tracefs_node *dir, const char *name, struct tracefs_node *out)
{
	for (unsigned int i = 0; i < TRACE_NOPTIONS; i++) {
		if (strcmp(option_name[i], name))
			continue;
		out->file = &option_file;
		out->option = i;
		return 0;
	}
	return -ENOENT;
}

static void option_list(const struct tracefs_node *dir,
			void (*emit)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	for (unsigned int i = 0; i < TRACE_NOPTIONS; i++)
		emit(ctx, option_name[i], false);
}

const struct tracefs_dir tracefs_options_dir = { .mode = 0750,
						 .lookup = option_lookup,
						 .list = option_list };

/* ---- per_cpu ---- */

static int stats_show(struct printbuf *pb, const struct tracefs_node *n)
{
	const struct trace_ring *r = trace_ring_of((unsigned int)n->cpu);
	u64 now = hal_clock_ns() / 1000, oldest = r ? trace_ring_oldest(r) / 1000 : 0;

	printbuf_printf(pb, "entries: %llu\n", r ? trace_ring_entries(r) : 0);
	printbuf_printf(pb, "overrun: %llu\n", r ? r->overrun - r->cleared : 0);
	printbuf_puts(pb, "commit overrun: 0\n");
	printbuf_printf(pb, "bytes: %llu\n", r ? trace_ring_head(r) - trace_ring_start(r) : 0);
	printbuf_printf(pb, "oldest event ts: %5llu.%06llu\n", oldest / 1000000, oldest % 1000000);
	printbuf_printf(pb, "now ts: %5llu.%06llu\n", now / 1000000, now % 1000000);
	printbuf_printf(pb, "dropped events: %llu\n", r ? r->dropped : 0);
	printbuf_printf(pb, "read events: %llu\n", r ? r->read_records : 0);
	return 0;
}

static const struct tracefs_file cpu_files[] = {
	{ .name = "buffer_size_kb", .mode = 0640, .show = size_show, .write = size_write },
	{ .name = "stats", .mode = 0440, .show = stats_show },
	{ .name = "trace",
	  .mode = 0640,
	  .truncate = tracefs_trace_truncate,
	  .fops = &tracefs_trace_ops },
	{ .name = "trace_pipe", .mode = 0440, .fops = &tracefs_pipe_ops },
	{ .name = NULL },
};
static const struct tracefs_dir cpu_dir = { .mode = 0750, .files = cpu_files };

static int cpu_lookup(const struct tracefs_node *dir, const char *name, struct tracefs_node *out)
{
	char want[16];

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		snprintf(want, sizeof(want), "cpu%u", cpu);
		if (strcmp(want, name))
			continue;
		out->dir = &cpu_dir;
		out->cpu = (int)cpu;
		return 0;
	}
	return -ENOENT;
}

static void cpu_list(const struct tracefs_node *dir,
		     void (*emit)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	char name[16];

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		snprintf(name, sizeof(name), "cpu%u", cpu);
		emit(ctx, name, true);
	}
}

const struct tracefs_dir tracefs_percpu_dir = { .mode = 0750,
						.lookup = cpu_lookup,
						.list = cpu_list };

/* ---- the top ---- */

static int readme_show(struct printbuf *pb, const struct tracefs_node *n)
{
	printbuf_puts(
		pb,
		"tracing mini-HOWTO:\n\n"
		"  available_events\t- every event, as SYSTEM:EVENT\n"
		"  set_event\t\t- events that are on; write names to add, !names to remove\n"
		"  set_event_pid\t\t- record these threads only\n"
		"  events/enable, events/SYSTEM/enable, events/SYSTEM/EVENT/enable\t- 1 on, 0 off\n"
		"  events/SYSTEM/EVENT/format\t- the fields of its records\n"
		"  events/SYSTEM/EVENT/filter\t- FIELD OP VALUE [&& || !], 0 for none\n"
		"  trace\t\t\t- what was recorded; truncate to clear\n"
		"  trace_pipe\t\t- the same, taken out as it is read; waits for more\n"
		"  trace_marker\t\t- writes become records\n"
		"  tracing_on\t\t- 0 stops recording\n"
		"  trace_clock\t\t- the clock of the time stamps\n"
		"  buffer_size_kb\t- kilobytes for each CPU; buffer_total_size_kb for all\n"
		"  trace_options, options/\t- how records are kept and shown\n"
		"  per_cpu/cpuN/\t\t- trace, trace_pipe, stats and buffer_size_kb of one CPU\n"
		"  current_tracer\t- nop: there is no other\n");
	return 0;
}

const struct tracefs_file tracefs_root_files[] = {
	{ .name = "README", .mode = 0440, .show = readme_show },
	{ .name = "available_events", .mode = 0440, .show = tracefs_show_available },
	{ .name = "available_tracers", .mode = 0440, .show = tracer_show },
	{ .name = "buffer_size_kb", .mode = 0640, .show = size_show, .write = size_write },
	{ .name = "buffer_total_size_kb", .mode = 0440, .show = total_show },
	{ .name = "current_tracer", .mode = 0640, .show = tracer_show, .write = tracer_write },
	{ .name = "set_event",
	  .mode = 0640,
	  .show = tracefs_show_set_event,
	  .write = tracefs_write_set_event,
	  .truncate = tracefs_clear_set_event },
	{ .name = "trace",
	  .mode = 0640,
	  .truncate = tracefs_trace_truncate,
	  .fops = &tracefs_trace_ops },
	{ .name = "set_event_pid",
	  .mode = 0640,
	  .show = tracefs_show_pids,
	  .write = tracefs_write_pids,
	  .truncate = tracefs_clear_pids },
	{ .name = "trace_clock", .mode = 0640, .show = clock_show, .write = clock_write },
	{ .name = "trace_marker", .mode = 0220, .fops = &tracefs_marker_ops },
	{ .name = "trace_options", .mode = 0640, .show = options_show, .write = options_write },
	{ .name = "trace_pipe", .mode = 0440, .fops = &tracefs_pipe_ops },
	{ .name = "tracing_on", .mode = 0640, .show = on_show, .write = on_write },
	{ .name = NULL },
};

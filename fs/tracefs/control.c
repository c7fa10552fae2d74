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
	u64 kb = trace_buffer_kb(n->in, first);
	bool same = true;

	for (unsigned int cpu = 0; n->cpu == TRACE_ALL_CPUS && cpu < boot_info.ncpus; cpu++)
		same &= trace_buffer_kb(n->in, cpu) == kb;
	if (!same)
		printbuf_puts(pb, "X\n");
	else if (n->in->ring[0])
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
	return trace_buffers_resize(n->in, n->cpu, kb);
}

static int total_show(struct printbuf *pb, const struct tracefs_node *n)
{
	u64 kb = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		kb += trace_buffer_kb(n->in, cpu);
	printbuf_printf(pb, n->in->ring[0] ? "%llu\n" : "0 (expanded: %llu)\n", kb);
	return 0;
}

/* ---- tracing_on, current_tracer, trace_clock ---- */

static int on_show(struct printbuf *pb, const struct tracefs_node *n)
{
	printbuf_printf(pb, "%u\n", n->in->recording);
	return 0;
}

static int on_write(const struct tracefs_node *n, char *text, size_t len)
{
	u64 v;

	if (kstrtou64(tracefs_trim(text), 10, &v))
		return -EINVAL;
	trace_set_recording(n->in, v);
	return 0;
}

static int tracer_show(struct printbuf *pb, const struct tracefs_node *n)
{
	printbuf_puts(pb, "nop\n");
	return 0;
}

static int tracer_write(const struct tracefs_node *n, char *text, size_t len)
{
	return strcmp(tracefs_trim(text), "nop") ? -EINVAL : trace_buffers_make(n->in);
}

static int clock_show(struct printbuf *pb, const struct tracefs_node *n)
{
	for (const struct trace_clock *c = trace_clocks; c->name; c++)
		printbuf_printf(pb, c == n->in->clock ? "%s[%s]" : "%s%s",
				c == trace_clocks ? "" : " ", c->name);
	printbuf_putc(pb, '\n');
	return 0;
}

static int clock_write(const struct tracefs_node *n, char *text, size_t len)
{
	return trace_clock_set(n->in, tracefs_trim(text));
}

/* ---- options ---- */

static const char *const option_name[TRACE_NOPTIONS] = {
	[TRACE_OPT_CONTEXT_INFO] = "context-info", [TRACE_OPT_RECORD_TGID] = "record-tgid",
	[TRACE_OPT_OVERWRITE] = "overwrite",	   [TRACE_OPT_IRQ_INFO] = "irq-info",
	[TRACE_OPT_MARKERS] = "markers",	   [TRACE_OPT_EVENT_FORK] = "event-fork",
	[TRACE_OPT_STACKTRACE] = "stacktrace",
};

static int set_option(struct trace_instance *in, unsigned int i, bool on)
{
	int r = 0;

	if (on == (in->options >> i & 1))
		return 0;
	if (i == TRACE_OPT_EVENT_FORK)
		r = trace_pids_follow(in, on);
	if (r)
		return r;
	WRITE_ONCE(in->options, in->options ^ 1u << i);
	if (i == TRACE_OPT_OVERWRITE)
		trace_buffers_set_overwrite(in, on);
	return 0;
}

static int options_show(struct printbuf *pb, const struct tracefs_node *n)
{
	for (unsigned int i = 0; i < TRACE_NOPTIONS; i++)
		printbuf_printf(pb, "%s%s\n", n->in->options & 1u << i ? "" : "no", option_name[i]);
	return 0;
}

static int options_write(const struct tracefs_node *n, char *text, size_t len)
{
	char *name = tracefs_trim(text);
	bool off = str_has_prefix(name, "no");

	for (unsigned int i = 0; i < TRACE_NOPTIONS; i++) {
		if (strcmp(option_name[i], name + (off ? 2 : 0)))
			continue;
		return set_option(n->in, i, !off);
	}
	return -EINVAL;
}

static int option_show(struct printbuf *pb, const struct tracefs_node *n)
{
	printbuf_printf(pb, "%u\n", n->in->options >> n->option & 1);
	return 0;
}

static int option_write(const struct tracefs_node *n, char *text, size_t len)
{
	u64 v;

	if (kstrtou64(tracefs_trim(text), 10, &v) || v > 1)
		return -EINVAL;
	return set_option(n->in, n->option, v);
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
	const struct trace_ring *r = n->in->ring[n->cpu];
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
	{ .name = "snapshot", .mode = 0640, .fops = &tracefs_snapshot_ops },
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

/* ---- tracing_cpumask, saved_cmdlines ---- */

static int cpumask_show(struct printbuf *pb, const struct tracefs_node *n)
{
	unsigned int words = DIV_ROUND_UP(boot_info.ncpus, 32), left = boot_info.ncpus % 32;

	for (unsigned int i = words; i-- > 0;) {
		u32 mask = i == words - 1 && left ? (1u << left) - 1 : ~0u;

		if (i == words - 1)
			printbuf_printf(pb, "%0*x", (int)DIV_ROUND_UP(left ? left : 32, 4),
					~n->in->cpus_off[i] & mask);
		else
			printbuf_printf(pb, ",%08x", ~n->in->cpus_off[i]);
	}
	printbuf_putc(pb, '\n');
	return 0;
}

/* Groups of 32 bits in hexadecimal, the highest first. */
static int cpumask_write(const struct tracefs_node *n, char *text, size_t len)
{
	u32 on[ARRAY_SIZE(n->in->cpus_off)] = { 0 };
	char *group = tracefs_trim(text), *comma;
	u64 v;

	do {
		comma = strchr(group, ',');
		if (comma)
			*comma = '\0';
		if (kstrtou64(group, 16, &v) || v > U32_MAX || on[ARRAY_SIZE(on) - 1])
			return -EINVAL;
		memmove(on + 1, on, sizeof(on) - sizeof(on[0]));
		on[0] = (u32)v;
		group = comma ? comma + 1 : NULL;
	} while (group);
	for (size_t i = 0; i < ARRAY_SIZE(on); i++)
		WRITE_ONCE(n->in->cpus_off[i], ~on[i]);
	return 0;
}

/* Records have the names of their tasks in them: what is listed is for who reads numbers elsewhere. */
static int cmdlines_show(struct printbuf *pb, const struct tracefs_node *n)
{
	for (pid_t nr = 1; (nr = pid_next(nr)) != 0; nr++) {
		struct task *t = task_find_get(nr);

		if (!t)
			continue;
		printbuf_printf(pb, "%d %.16s\n", nr, t->comm);
		task_put(t);
	}
	return 0;
}

/* ---- the top ---- */

static int readme_show(struct printbuf *pb, const struct tracefs_node *n)
{
	printbuf_puts(
		pb,
		"tracing mini-HOWTO:\n\n"
		"  available_events\t- every event, as SYSTEM:EVENT\n"
		"  set_event\t\t- events that are on; write names to add, !names to remove\n"
		"  set_event_pid, set_event_notrace_pid\t- record these threads only, or not\n"
		"  events/enable, events/SYSTEM/enable, events/SYSTEM/EVENT/enable\t- 1 on, 0 off\n"
		"  events/SYSTEM/EVENT/format\t- the fields of its records\n"
		"  events/SYSTEM/EVENT/filter\t- FIELD OP VALUE [&& || !], 0 for none\n"
		"  events/SYSTEM/EVENT/trigger\t- <trigger>[:count] [if <filter>], ! to remove\n"
		"\ttrigger: traceon, traceoff, snapshot, stacktrace,\n"
		"\t\t enable_event:<system>:<event>, disable_event:<system>:<event>\n"
		"  trace\t\t\t- what was recorded; truncate to clear\n"
		"  trace_pipe\t\t- the same, taken out as it is read; waits for more\n"
		"  snapshot\t\t- 1 puts what was recorded aside, 0 frees it\n"
		"  trace_marker, trace_marker_raw\t- writes become records\n"
		"  tracing_on, tracing_cpumask\t- whether and which CPUs record\n"
		"  trace_clock\t\t- the clock of the time stamps\n"
		"  buffer_size_kb\t- kilobytes for each CPU; buffer_total_size_kb for all\n"
		"  trace_options, options/\t- how records are kept and shown\n"
		"  per_cpu/cpuN/\t\t- the buffer of one CPU\n"
		"  instances/\t\t- mkdir makes one more of all this\n"
		"  current_tracer\t- nop: there is no other\n"
		"  dynamic_events, kprobe_events, uprobe_events\t- Create/append/remove/show "
		"probes:\n"
		"\tp[:[<group>/][<event>]] <place> [<args>]\n"
		"\tr[maxactive][:[<group>/][<event>]] <place> [<args>]\n"
		"\t-:[<group>/][<event>] [<place> [<args>]]\n"
		"   place (kprobe): <symbol>[+<offset>]|<symbol>[+<offset>]%return|<memaddr>\n"
		"   place (uprobe): <path>:<offset>[%return][(ref_ctr_offset)]\n"
		"    args: <name>=fetcharg[:type]\n"
		"fetcharg: %<register>, @<address>, @<symbol>[+|-<offset>], $stack<index>, "
		"$stack,\n"
		"\t  $retval, $comm, $arg<N>, +|-[u]<offset>(<fetcharg>), \\imm-value, "
		"\\\"imm-string\"\n"
		"    type: s8/16/32/64, u8/16/32/64, x8/16/32/64, char, string, ustring, symbol, "
		"symstr,\n"
		"\t  b<bit-width>@<bit-offset>/<container-size>, <type>\\[<array-size>\\]\n"
		"   mount: [uid=<uid>] [gid=<gid>] [mode=<mode>]\n");
	return 0;
}

const struct tracefs_file tracefs_root_files[] = {
	{ .name = "README", .mode = 0440, .top_only = true, .show = readme_show },
	{ .name = "available_events",
	  .mode = 0440,
	  .top_only = true,
	  .show = tracefs_show_available },
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
	{ .name = "saved_cmdlines", .mode = 0440, .top_only = true, .show = cmdlines_show },
	{ .name = "set_event_notrace_pid",
	  .mode = 0640,
	  .show = tracefs_show_no_pids,
	  .write = tracefs_write_no_pids,
	  .truncate = tracefs_clear_no_pids },
	{ .name = "snapshot", .mode = 0640, .fops = &tracefs_snapshot_ops },
	{ .name = "set_event_pid",
	  .mode = 0640,
	  .show = tracefs_show_pids,
	  .write = tracefs_write_pids,
	  .truncate = tracefs_clear_pids },
	{ .name = "trace_clock", .mode = 0640, .show = clock_show, .write = clock_write },
	{ .name = "trace_marker", .mode = 0220, .fops = &tracefs_marker_ops },
	{ .name = "trace_marker_raw", .mode = 0220, .fops = &tracefs_raw_marker_ops },
	{ .name = "trace_options", .mode = 0640, .show = options_show, .write = options_write },
	{ .name = "trace_pipe", .mode = 0440, .fops = &tracefs_pipe_ops },
	{ .name = "tracing_cpumask", .mode = 0640, .show = cpumask_show, .write = cpumask_write },
	{ .name = "tracing_on", .mode = 0640, .show = on_show, .write = on_write },
	{ .name = NULL },
};

/* SPDX-License-Identifier: MIT */
/*
 * The events directory: events/enable, events/SYSTEM/{enable,filter}, events/SYSTEM/EVENT/{enable,filter,trigger,format,id}; and the
 * files set_event and available_events. trace_mutex is held wherever an event is looked at.
 */
#include <fs/tracefs/tracefs.h>
#include <kernel/trace/trigger.h>
#include <lib/ctype.h>

/* The ring's own record types: they have a format, but nothing to switch. */
static bool is_internal(const char *system)
{
	return !strcmp(system, "ftrace");
}

static bool in_scope(const struct tracefs_node *n, const struct trace_event *ev)
{
	if (n->event)
		return ev->id == n->event;
	return !is_internal(ev->system) && (!n->system || !strcmp(ev->system, n->system));
}

static struct trace_event *event_of(const struct tracefs_node *n)
{
	return trace_event_by_id(n->event);
}

/* ---- files ---- */

/* 0, 1, or X: some are and some are not; a * behind it: triggers keep the event armed and may change that. */
static int enable_show(struct printbuf *pb, const struct tracefs_node *n)
{
	bool on = false, off = false, by_trigger = false;
	const struct trace_event_file *f;
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link) {
		if (!in_scope(n, ev))
			continue;
		f = trace_event_file(ev, n->in);
		on |= f && f->records;
		off |= !f || !f->records;
		by_trigger |= n->event && f && f->wanted;
	}
	if (!on && !off)
		return -ENODEV;
	printbuf_printf(pb, "%c%s\n", on && off ? 'X' : on ? '1' : '0', by_trigger ? "*" : "");
	return 0;
}

static int enable_write(const struct tracefs_node *n, char *text, size_t len)
{
	struct trace_event *ev;
	int r = -ENODEV, first_error = 0;
	u64 v;

	if (kstrtou64(tracefs_trim(text), 10, &v) || v > 1)
		return -EINVAL;
	list_for_each_entry(ev, &trace_events, link) {
		if (!in_scope(n, ev))
			continue;
		r = trace_event_set(ev, n->in, v);
		if (r && !first_error)
			first_error = r;
	}
	return first_error ? first_error : r;
}

static int filter_show(struct printbuf *pb, const struct tracefs_node *n)
{
	struct trace_event *ev = event_of(n);
	const struct trace_event_file *f = ev ? trace_event_file(ev, n->in) : NULL;

	if (!ev)
		return -ENODEV;
	printbuf_printf(pb, "%s\n", f && f->filter_text ? f->filter_text : "none");
	return 0;
}

static int filter_write(const struct tracefs_node *n, char *text, size_t len)
{
	struct trace_event *ev = event_of(n);

	return ev ? trace_event_set_filter(ev, n->in, tracefs_trim(text)) : -ENODEV;
}

/* A filter for all events of a system that have its fields; an error only if none has. */
static int system_filter_write(const struct tracefs_node *n, char *text, size_t len)
{
	struct trace_event *ev;
	int r, last = -ENODEV;
	bool any = false;

	text = tracefs_trim(text);
	list_for_each_entry(ev, &trace_events, link) {
		if (!in_scope(n, ev))
			continue;
		r = trace_event_set_filter(ev, n->in, text);
		any |= r == 0;
		if (r == -EINVAL)
			(void)trace_event_set_filter(ev, n->in, "0");
		last = r;
	}
	return any ? 0 : last;
}

static int system_filter_show(struct printbuf *pb, const struct tracefs_node *n)
{
	printbuf_puts(pb, "### global filter ###\n"
			  "# Use this to set filters for multiple events.\n"
			  "# Only events with the given fields will be affected.\n"
			  "# If no events are modified, an error message will be displayed here\n");
	return 0;
}

static int trigger_show(struct printbuf *pb, const struct tracefs_node *n)
{
	struct trace_event *ev = event_of(n);

	if (!ev)
		return -ENODEV;
	trace_triggers_show(pb, trace_event_file(ev, n->in));
	return 0;
}

static int trigger_write(const struct tracefs_node *n, char *text, size_t len)
{
	struct trace_event *ev = event_of(n);
	struct trace_event_file *f = ev ? trace_event_file_make(ev, n->in) : NULL;

	if (!ev)
		return -ENODEV;
	return f ? trace_trigger_command(f, tracefs_trim(text)) : -ENOMEM;
}

static int format_show(struct printbuf *pb, const struct tracefs_node *n)
{
	const struct trace_event *ev = event_of(n);

	if (!ev)
		return -ENODEV;
	trace_event_show_format(pb, ev);
	return 0;
}

static int id_show(struct printbuf *pb, const struct tracefs_node *n)
{
	if (!event_of(n))
		return -ENODEV;
	printbuf_printf(pb, "%u\n", n->event);
	return 0;
}

#define ENABLE_FILE { .name = "enable", .mode = 0640, .show = enable_show, .write = enable_write }
#define TRIGGER_FILE                                                                               \
	{ .name = "trigger", .mode = 0640, .show = trigger_show, .write = trigger_write }
#define FORMAT_FILE { .name = "format", .mode = 0440, .show = format_show }
#define ID_FILE { .name = "id", .mode = 0440, .show = id_show }

static const struct tracefs_file event_files[] = {
	ENABLE_FILE,
	{ .name = "filter", .mode = 0640, .show = filter_show, .write = filter_write },
	TRIGGER_FILE,
	FORMAT_FILE,
	ID_FILE,
	{ .name = NULL },
};
static const struct tracefs_file internal_files[] = { FORMAT_FILE, ID_FILE, { .name = NULL } };
/* What programs write to trace_marker can be a trigger. */
static const struct tracefs_file print_files[] = {
	TRIGGER_FILE, FORMAT_FILE, ID_FILE, { .name = NULL }
};
static const struct tracefs_file system_files[] = {
	ENABLE_FILE,
	{ .name = "filter",
	  .mode = 0640,
	  .show = system_filter_show,
	  .write = system_filter_write },
	{ .name = NULL },
};
static const struct tracefs_file internal_system_files[] = { { .name = NULL } };
static const struct tracefs_file all_files[] = { ENABLE_FILE, { .name = NULL } };

/* ---- directories ---- */

static const struct tracefs_dir event_dir = { .mode = 0755, .files = event_files };
static const struct tracefs_dir internal_dir = { .mode = 0755, .files = internal_files };
static const struct tracefs_dir print_dir = { .mode = 0755, .files = print_files };

static int system_lookup(const struct tracefs_node *dir, const char *name, struct tracefs_node *out)
{
	const struct trace_event *ev = trace_event_find(dir->system, name);

	if (!ev)
		return -ENOENT;
	out->dir = !is_internal(ev->system)    ? &event_dir
		   : strcmp(ev->name, "print") ? &internal_dir
					       : &print_dir;
	out->event = ev->id;
	return 0;
}

static void system_list(const struct tracefs_node *dir,
			void (*emit)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link)
		if (!strcmp(ev->system, dir->system))
			emit(ctx, ev->name, true);
}

static const struct tracefs_dir system_dir = {
	.mode = 0755, .files = system_files, .lookup = system_lookup, .list = system_list
};
static const struct tracefs_dir internal_system_dir = {
	.mode = 0755, .files = internal_system_files, .lookup = system_lookup, .list = system_list
};

static int events_lookup(const struct tracefs_node *dir, const char *name, struct tracefs_node *out)
{
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link) {
		if (strcmp(ev->system, name))
			continue;
		out->dir = is_internal(name) ? &internal_system_dir : &system_dir;
		out->system = (char *)ev->system;
		return 0;
	}
	return -ENOENT;
}

/* Events of one system lie together in the list. */
static void events_list(const struct tracefs_node *dir,
			void (*emit)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	const char *last = NULL;
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link) {
		if (!last || strcmp(last, ev->system))
			emit(ctx, ev->system, true);
		last = ev->system;
	}
}

const struct tracefs_dir tracefs_events_dir = {
	.mode = 0755, .files = all_files, .lookup = events_lookup, .list = events_list
};

/* ---- set_event, available_events ---- */

/* All events, or those that are on somewhere. */
static int show_names(struct printbuf *pb, struct trace_instance *enabled_in)
{
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link) {
		const struct trace_event_file *f = trace_event_file(ev, enabled_in);

		if (!is_internal(ev->system) && (!enabled_in || (f && f->enabled)))
			printbuf_printf(pb, "%s:%s\n", ev->system, ev->name);
	}
	return 0;
}

int tracefs_show_available(struct printbuf *pb, const struct tracefs_node *n)
{
	return show_names(pb, NULL);
}

int tracefs_show_set_event(struct printbuf *pb, const struct tracefs_node *n)
{
	return show_names(pb, n->in);
}

int tracefs_clear_set_event(const struct tracefs_node *n)
{
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link)
		if (!is_internal(ev->system))
			(void)trace_event_set(ev, n->in, false);
	return 0;
}

/* Nothing and * stand for all. */
static bool is_named(const char *want, const char *name)
{
	return !*want || !strcmp(want, "*") || !strcmp(want, name);
}

/* [!]SYSTEM:EVENT or [!]EVENT-or-SYSTEM. -EINVAL when it names nothing. */
static int set_word(struct trace_instance *in, char *word)
{
	bool on = *word != '!', any = false;
	char *event, *system = word + !on;
	struct trace_event *ev;
	int r = 0;

	event = strchr(system, ':');
	if (event)
		*event++ = '\0';
	list_for_each_entry(ev, &trace_events, link) {
		bool hit;

		if (is_internal(ev->system))
			continue;
		if (event)
			hit = is_named(system, ev->system) && is_named(event, ev->name);
		else
			hit = !strcmp(system, ev->system) || !strcmp(system, ev->name);
		if (!hit)
			continue;
		any = true;
		r = trace_event_set(ev, in, on);
		if (r)
			return r;
	}
	return any ? 0 : -EINVAL;
}

/* Call @fn for each word. 0, or what it said first that was not 0. */
static int each_word(struct trace_instance *in, char *text,
		     int (*fn)(struct trace_instance *in, char *word))
{
	while (*text) {
		size_t word = 0;
		char end;
		int r;

		while (isspace(*text))
			text++;
		while (text[word] && !isspace(text[word]))
			word++;
		end = text[word];
		text[word] = '\0';
		r = word ? fn(in, text) : 0;
		if (r)
			return r;
		text += word + (end != '\0');
	}
	return 0;
}

int tracefs_write_set_event(const struct tracefs_node *n, char *text, size_t len)
{
	return each_word(n->in, text, set_word);
}

/* ---- set_event_pid, set_event_notrace_pid ---- */

static int show_pids(struct printbuf *pb, const struct trace_instance *in, bool except)
{
	for (u32 pid = 1; (pid = trace_pids_next(in, except, pid)) != 0; pid++)
		printbuf_printf(pb, "%u\n", pid);
	return 0;
}

static int add_to(struct trace_instance *in, bool except, const char *word)
{
	u64 pid;

	return kstrtou64(word, 10, &pid) ? -EINVAL : trace_pids_add(in, except, pid);
}

static int add_pid(struct trace_instance *in, char *word)
{
	return add_to(in, false, word);
}

static int add_no_pid(struct trace_instance *in, char *word)
{
	return add_to(in, true, word);
}

int tracefs_show_pids(struct printbuf *pb, const struct tracefs_node *n)
{
	return show_pids(pb, n->in, false);
}

int tracefs_write_pids(const struct tracefs_node *n, char *text, size_t len)
{
	return each_word(n->in, text, add_pid);
}

int tracefs_clear_pids(const struct tracefs_node *n)
{
	trace_pids_clear(n->in, false);
	return 0;
}

int tracefs_show_no_pids(struct printbuf *pb, const struct tracefs_node *n)
{
	return show_pids(pb, n->in, true);
}

int tracefs_write_no_pids(const struct tracefs_node *n, char *text, size_t len)
{
	return each_word(n->in, text, add_no_pid);
}

int tracefs_clear_no_pids(const struct tracefs_node *n)
{
	trace_pids_clear(n->in, true);
	return 0;
}

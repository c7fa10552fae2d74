/* SPDX-License-Identifier: MIT */
/*
 * The events directory: events/enable, events/SYSTEM/{enable,filter}, events/SYSTEM/EVENT/{enable,filter,format,id}; and the
 * files set_event and available_events. trace_mutex is held wherever an event is looked at.
 */
#include <fs/tracefs/tracefs.h>
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

/* 0, 1, or X: some are and some are not. */
static int enable_show(struct printbuf *pb, const struct tracefs_node *n)
{
	bool on = false, off = false;
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link) {
		if (!in_scope(n, ev))
			continue;
		on |= ev->enabled != 0;
		off |= ev->enabled == 0;
	}
	if (!on && !off)
		return -ENODEV;
	printbuf_printf(pb, "%c\n", on && off ? 'X' : on ? '1' : '0');
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
		r = trace_event_set(ev, v);
		if (r && !first_error)
			first_error = r;
	}
	return first_error ? first_error : r;
}

static int filter_show(struct printbuf *pb, const struct tracefs_node *n)
{
	const struct trace_event *ev = event_of(n);

	if (!ev)
		return -ENODEV;
	printbuf_printf(pb, "%s\n", ev->filter_text ? ev->filter_text : "none");
	return 0;
}

static int filter_write(const struct tracefs_node *n, char *text, size_t len)
{
	struct trace_event *ev = event_of(n);

	return ev ? trace_event_set_filter(ev, tracefs_trim(text)) : -ENODEV;
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
		r = trace_event_set_filter(ev, text);
		any |= r == 0;
		if (r == -EINVAL)
			(void)trace_event_set_filter(ev, "0");
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
#define FORMAT_FILE { .name = "format", .mode = 0440, .show = format_show }
#define ID_FILE { .name = "id", .mode = 0440, .show = id_show }

static const struct tracefs_file event_files[] = {
	ENABLE_FILE,
	{ .name = "filter", .mode = 0640, .show = filter_show, .write = filter_write },
	FORMAT_FILE,
	ID_FILE,
	{ .name = NULL },
};
static const struct tracefs_file internal_files[] = { FORMAT_FILE, ID_FILE, { .name = NULL } };
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

static int system_lookup(const struct tracefs_node *dir, const char *name, struct tracefs_node *out)
{
	const struct trace_event *ev = trace_event_find(dir->system, name);

	if (!ev)
		return -ENOENT;
	out->dir = is_internal(ev->system) ? &internal_dir : &event_dir;
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

static int show_names(struct printbuf *pb, bool only_enabled)
{
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link)
		if (!is_internal(ev->system) && (ev->enabled || !only_enabled))
			printbuf_printf(pb, "%s:%s\n", ev->system, ev->name);
	return 0;
}

int tracefs_show_available(struct printbuf *pb, const struct tracefs_node *n)
{
	return show_names(pb, false);
}

int tracefs_show_set_event(struct printbuf *pb, const struct tracefs_node *n)
{
	return show_names(pb, true);
}

int tracefs_clear_set_event(const struct tracefs_node *n)
{
	struct trace_event *ev;

	list_for_each_entry(ev, &trace_events, link)
		if (!is_internal(ev->system))
			(void)trace_event_set(ev, false);
	return 0;
}

/* Nothing and * stand for all. */
static bool is_named(const char *want, const char *name)
{
	return !*want || !strcmp(want, "*") || !strcmp(want, name);
}

/* [!]SYSTEM:EVENT or [!]EVENT-or-SYSTEM. -EINVAL when it names nothing. */
static int set_word(char *word)
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
		r = trace_event_set(ev, on);
		if (r)
			return r;
	}
	return any ? 0 : -EINVAL;
}

/* Call @fn for each word. 0, or what it said first that was not 0. */
static int each_word(char *text, int (*fn)(char *word))
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
		r = word ? fn(text) : 0;
		if (r)
			return r;
		text += word + (end != '\0');
	}
	return 0;
}

int tracefs_write_set_event(const struct tracefs_node *n, char *text, size_t len)
{
	return each_word(text, set_word);
}

/* ---- set_event_pid ---- */

int tracefs_show_pids(struct printbuf *pb, const struct tracefs_node *n)
{
	for (u32 pid = 1; (pid = trace_pids_next(pid)) != 0; pid++)
		printbuf_printf(pb, "%u\n", pid);
	return 0;
}

static int add_pid(char *word)
{
	u64 pid;

	return kstrtou64(word, 10, &pid) ? -EINVAL : trace_pids_add(pid);
}

int tracefs_write_pids(const struct tracefs_node *n, char *text, size_t len)
{
	return each_word(text, add_pid);
}

int tracefs_clear_pids(const struct tracefs_node *n)
{
	trace_pids_clear();
	return 0;
}

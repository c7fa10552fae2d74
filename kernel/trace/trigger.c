/* SPDX-License-Identifier: MIT */
/* See trigger.h. */
#include <err.h>
#include <hal/cpu.h>
#include <kernel/sched.h>
#include <kernel/trace/buffer.h>
#include <kernel/trace/filter.h>
#include <kernel/trace/trigger.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/slab.h>

struct trigger_kind {
	const char *name;
	u8 type; /* an event has one of a type, or one for each other event */
	/* Whether there is anything to do; only then it counts. NULL: always. */
	bool (*useful)(const struct trace_trigger *t);
	void (*pull)(struct trace_trigger *t);
	bool after, has_target;
};

struct trace_trigger {
	struct trace_trigger *next; /* trace_mutex to write; writers with interrupts off */
	const struct trigger_kind *kind;
	struct trace_instance *in;
	struct trace_event_file *target; /* NULL: the kind has none */
	u64 left;			 /* atomic; U64_MAX: no limit */
	struct trace_filter *filter;
	char *filter_text;
};

/* ---- kinds ---- */

static bool is_off(const struct trace_trigger *t)
{
	return !READ_ONCE(t->in->recording);
}

static bool is_on(const struct trace_trigger *t)
{
	return READ_ONCE(t->in->recording);
}

static bool target_off(const struct trace_trigger *t)
{
	return !READ_ONCE(t->target->records);
}

static bool target_on(const struct trace_trigger *t)
{
	return READ_ONCE(t->target->records);
}

/* Nobody may be woken from here: who waits is by the timer. */
static void switch_on(struct trace_trigger *t)
{
	WRITE_ONCE(t->in->recording, 1);
}

static void switch_off(struct trace_trigger *t)
{
	WRITE_ONCE(t->in->recording, 0);
}

static void take_snapshot(struct trace_trigger *t)
{
	trace_snapshot_take(t->in, TRACE_ALL_CPUS);
}

static void record_stack(struct trace_trigger *t)
{
	trace_stack(t->in);
}

static void enable_target(struct trace_trigger *t)
{
	WRITE_ONCE(t->target->records, true);
}

static void disable_target(struct trace_trigger *t)
{
	WRITE_ONCE(t->target->records, false);
}

static const struct trigger_kind kinds[] = {
	{ "traceon", 'o', is_off, switch_on, false, false },
	{ "traceoff", 'o', is_on, switch_off, false, false },
	{ "snapshot", 's', NULL, take_snapshot, false, false },
	{ "stacktrace", 'k', NULL, record_stack, true, false },
	{ "enable_event", 'e', target_off, enable_target, false, true },
	{ "disable_event", 'e', target_on, disable_target, false, true },
};

/* ---- pulling ---- */

/* One of the times that are left. */
static bool take_time(struct trace_trigger *t)
{
	u64 left = __atomic_load_n(&t->left, __ATOMIC_RELAXED);

	do {
		if (left == U64_MAX || !left)
			return left;
	} while (!__atomic_compare_exchange_n(&t->left, &left, left - 1, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return true;
}

void trace_triggers_pull(struct trace_trigger *t, const struct trace_entry *e, size_t len,
			 bool after)
{
	const struct trace_filter_env env = { .comm = current->comm, .cpu = hal_cpu_id() };

	for (; t; t = __atomic_load_n(&t->next, __ATOMIC_ACQUIRE)) {
		if (t->kind->after != after ||
		    (t->filter && !trace_filter_match(t->filter, e, len, &env)))
			continue;
		if ((!t->kind->useful || t->kind->useful(t)) && take_time(t))
			t->kind->pull(t);
	}
}

/* ---- making and removing ---- */

static void free_trigger(struct trace_trigger *t)
{
	trace_filter_free(t->filter);
	kfree(t->filter_text);
	kfree(t);
}

static void unlink_trigger(struct trace_event_file *f, struct trace_trigger **link)
{
	struct trace_trigger *t = *link;

	__atomic_store_n(link, t->next, __ATOMIC_RELEASE);
	sched_sync_all_cpus();
	(void)trace_event_want(f, false);
	if (t->target)
		(void)trace_event_want(t->target, false);
	free_trigger(t);
}

void trace_triggers_clear(struct trace_event_file *f)
{
	while (f->triggers)
		unlink_trigger(f, &f->triggers);
}

/* Where one of the same type, about the same event, is hung in; the end of the list: there is none. */
static struct trace_trigger **find(struct trace_event_file *f, const struct trace_trigger *like)
{
	struct trace_trigger **link = &f->triggers;

	while (*link &&
	       ((*link)->kind->type != like->kind->type || (*link)->target != like->target))
		link = &(*link)->next;
	return link;
}

static const struct trigger_kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static char *cut(char **rest)
{
	char *word = *rest, *colon = word ? strchr(word, ':') : NULL;

	if (colon)
		*colon++ = '\0';
	*rest = colon;
	return word;
}

/* "KIND[:SYSTEM:EVENT][:TIMES]"; the times are left in *@times, NULL: without. */
static int parse_head(struct trace_trigger *t, char *rest, char **times)
{
	struct trace_event *ev;
	char *system, *name;

	t->kind = find_kind(cut(&rest));
	if (!t->kind)
		return -EINVAL;
	if (t->kind->has_target) {
		system = cut(&rest);
		name = cut(&rest);
		if (!name)
			return -EINVAL;
		ev = trace_event_find(system, name);
		if (!ev || !strcmp(system, "ftrace"))
			return -EINVAL;
		t->target = trace_event_file_make(ev, t->in);
		if (!t->target)
			return -ENOMEM;
	}
	*times = rest;
	return 0;
}

static int parse_filter(struct trace_trigger *t, const struct trace_event *ev, const char *text)
{
	const char *error;
	size_t at;

	if (strncmp(text, "if", 2) || (text[2] != ' ' && text[2] != '\t'))
		return -EINVAL;
	text += 3 + strspn(text + 3, " \t");
	t->filter = trace_filter_parse(ev->fields, ev->nfields, text, &error, &at);
	if (IS_ERR(t->filter)) {
		int r = PTR_ERR(t->filter);

		t->filter = NULL;
		return r;
	}
	t->filter_text = kstrdup(text, GFP_KERNEL);
	return t->filter_text ? 0 : -ENOMEM;
}

static int link_trigger(struct trace_event_file *f, struct trace_trigger *t)
{
	struct trace_trigger **end = find(f, t);
	int r;

	if (*end)
		return -EEXIST;
	r = t->kind->pull == take_snapshot ? trace_snapshot_make(f->in) : 0;
	if (!r && t->target)
		r = trace_event_want(t->target, true);
	if (r)
		return r;
	r = trace_event_want(f, true);
	if (r && t->target)
		(void)trace_event_want(t->target, false);
	if (!r)
		__atomic_store_n(end, t, __ATOMIC_RELEASE);
	return r;
}

int trace_trigger_command(struct trace_event_file *f, char *line)
{
	struct trace_trigger *t = kzalloc(sizeof(*t), GFP_KERNEL), **link;
	bool remove = *line == '!';
	char *filter, *times;
	size_t head;
	int r;

	if (!t)
		return -ENOMEM;
	line += remove;
	head = strcspn(line, " \t");
	filter = line + head + strspn(line + head, " \t");
	line[head] = '\0';
	t->in = f->in;
	t->left = U64_MAX;
	r = parse_head(t, line, &times);
	/* To remove one its type is enough. */
	if (!r && !remove && times && kstrtou64(times, 0, &t->left))
		r = -EINVAL;
	if (!r && !remove && *filter)
		r = parse_filter(t, f->ev, filter);
	if (!r && !remove)
		r = link_trigger(f, t);
	if (!r && remove) {
		link = find(f, t);
		if (*link)
			unlink_trigger(f, link);
	}
	if (r || remove)
		free_trigger(t);
	return r;
}

static void show_one(struct printbuf *pb, const struct trace_trigger *t)
{
	printbuf_puts(pb, t->kind->name);
	if (t->target)
		printbuf_printf(pb, ":%s:%s", t->target->ev->system, t->target->ev->name);
	if (t->left == U64_MAX)
		printbuf_puts(pb, ":unlimited");
	else
		printbuf_printf(pb, ":count=%llu", t->left);
	if (t->filter_text)
		printbuf_printf(pb, " if %s", t->filter_text);
	printbuf_putc(pb, '\n');
}

void trace_triggers_show(struct printbuf *pb, const struct trace_event_file *f)
{
	const struct trace_trigger *t = f ? f->triggers : NULL;

	if (!t) {
		printbuf_puts(pb, "# Available triggers:\n#");
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			printbuf_printf(pb, " %s", kinds[i].name);
		printbuf_putc(pb, '\n');
	}
	for (; t; t = t->next)
		show_one(pb, t);
}

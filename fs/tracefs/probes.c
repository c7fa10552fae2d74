/* SPDX-License-Identifier: MIT */
/*
 * uprobe_events, kprobe_events, dynamic_events, uprobe_profile, kprobe_profile, error_log: probes as lines of text.
 *
 *	p[:[GROUP/]EVENT] PATH:OFFSET[%return][(REF)] [ARGS]	a uprobe; r: when the function returns
 *	p[:[GROUP/]EVENT] SYMBOL[+OFFSET][%return]|ADDR [ARGS]	a kprobe; r[MAXACTIVE]
 *	-:[GROUP/]EVENT [PLACE [ARGS]]				remove
 *
 * Opening with O_TRUNC removes all of the file's kind. What was wrong with a line is kept for error_log. All under trace_mutex.
 * Source: Linux's Documentation/trace/uprobetracer.rst and kprobetrace.rst.
 */
#include <fs/tracefs/tracefs.h>
#include <fs/vfs.h>
#include <hal/timer.h>
#include <kernel/kprobe.h>
#include <kernel/trace/probe_event.h>
#include <lib/ctype.h>
#include <uapi/fcntl.h>
#include <uapi/stat.h>

#define MAX_WORDS (FETCH_MAX_ARGS + 2)
#define MAX_NAME  64 /* of groups and events, end included */
#define MAX_ACTIVE 4096
#define PATH_MAX_TEXT 512 /* places that are compared */

/* A command in its words. */
struct command {
	char *argv[MAX_WORDS];
	unsigned int argc;
	struct fetch_error err;
};

/* ---- error_log ---- */

#define ERROR_LOG 8

static char *error_log[ERROR_LOG]; /* oldest first; trace_mutex */

static size_t words_length(const struct command *c)
{
	size_t n = 0;

	for (unsigned int i = 0; i < c->argc; i++)
		n += strlen(c->argv[i]) + 1;
	return n;
}

/* Where in the words, joined by single spaces, the mistake is. */
static size_t error_position(const struct command *c)
{
	size_t pos = 0;

	for (unsigned int i = 0; i < c->argc; i++) {
		size_t n = strlen(c->argv[i]);

		if (c->err.at >= c->argv[i] && c->err.at <= c->argv[i] + n)
			return pos + (size_t)(c->err.at - c->argv[i]);
		pos += n + 1;
	}
	return 0;
}

static void log_error(const struct command *c, const char *who)
{
	size_t size = 2 * words_length(c) + strlen(c->err.message) + 128;
	char *text = kmalloc(size, 0);
	u64 us = hal_clock_ns() / 1000;
	struct printbuf pb;

	if (!text)
		return;
	printbuf_init(&pb, text, size);
	printbuf_printf(&pb, "[%5llu.%06llu] %s: error: %s\n  Command: ", us / 1000000,
			us % 1000000, who, c->err.message);
	for (unsigned int i = 0; i < c->argc; i++)
		printbuf_printf(&pb, "%s%s", i ? " " : "", c->argv[i]);
	printbuf_printf(&pb, "\n           %*s^\n", (int)error_position(c), "");
	kfree(error_log[0]);
	memmove(error_log, error_log + 1, sizeof(error_log) - sizeof(error_log[0]));
	error_log[ERROR_LOG - 1] = text;
}

static int error_log_show(struct printbuf *pb, const struct tracefs_node *n)
{
	for (unsigned int i = 0; i < ERROR_LOG; i++)
		printbuf_puts(pb, error_log[i] ? error_log[i] : "");
	return 0;
}

static int error_log_clear(const struct tracefs_node *n)
{
	for (unsigned int i = 0; i < ERROR_LOG; i++) {
		kfree(error_log[i]);
		error_log[i] = NULL;
	}
	return 0;
}

static int error_log_write(const struct tracefs_node *n, char *text, size_t len)
{
	return 0; /* opening it for writing has cleared it */
}

static int wrong(struct command *c, const char *at, const char *message)
{
	c->err.at = at;
	c->err.message = message;
	return -EINVAL;
}

/* ---- words ---- */

static int split(struct command *c, char *line)
{
	c->argc = 0;
	for (;;) {
		while (isspace((unsigned char)*line))
			line++;
		if (!*line)
			return 0;
		if (c->argc == MAX_WORDS)
			return -E2BIG;
		c->argv[c->argc++] = line;
		while (*line && !isspace((unsigned char)*line))
			line++;
		if (*line)
			*line++ = '\0';
	}
}

/* "[GROUP/]EVENT" at @s into @group (left alone without one) and @name ("" without one). */
static int parse_names(struct command *c, char *s, char *group, char *name)
{
	char *slash = strchr(s, '/');

	if (!slash)
		slash = strchr(s, '.');
	if (slash) {
		if (slash == s)
			return wrong(c, s, "Group name is not specified");
		if (slash - s >= MAX_NAME)
			return wrong(c, s, "Group name is too long");
		memcpy(group, s, (size_t)(slash - s));
		group[slash - s] = '\0';
		if (!fetch_is_name(group))
			return wrong(c, s,
				     "Group name must follow the same rules as C identifiers");
		s = slash + 1;
	}
	name[0] = '\0';
	if (!*s)
		return slash ? 0 : wrong(c, s, "Event name is not specified");
	if (strlen(s) >= MAX_NAME)
		return wrong(c, s, "Event name is too long");
	strscpy(name, s, MAX_NAME);
	if (!fetch_is_name(name))
		return wrong(c, s, "Event name must follow the same rules as C identifiers");
	return 0;
}

/* ---- removing ---- */

/* What is to be removed: empty and NULL stand for all. */
struct match {
	bool is_kernel, any_kind;
	const char *group, *name;
	const struct command *exact; /* its words from the second on: place and arguments */
};

static void show_place(struct printbuf *pb, const struct probe_event *pe);

/* Is @pe the probe of those words? The place may be without its offset of 0. */
static bool is_exact(const struct probe_event *pe, const struct command *c)
{
	char place[PATH_MAX_TEXT];
	struct printbuf pb;

	if (c->argc > 2 && c->argc - 2 != pe->nargs)
		return false;
	for (unsigned int i = 2; i < c->argc; i++) {
		const char *eq = strchr(c->argv[i], '=');

		if (strcmp(eq ? eq + 1 : c->argv[i], pe->args[i - 2].text))
			return false;
	}
	printbuf_init(&pb, place, sizeof(place));
	show_place(&pb, pe);
	return !strcmp(place, c->argv[1]) ||
	       (pe->is_kernel && !pe->offset && pe->symbol && !strcmp(pe->symbol, c->argv[1]));
}

static bool matches(const struct probe_event *pe, const struct match *m)
{
	if (pe->dead || (!m->any_kind && pe->is_kernel != m->is_kernel))
		return false;
	if ((*m->group && strcmp(m->group, pe->ev.system)) ||
	    (*m->name && strcmp(m->name, pe->ev.name)))
		return false;
	return !m->exact || is_exact(pe, m->exact);
}

static int remove_matching(const struct match *m)
{
	struct probe_event *pe;
	int r = -ENOENT;
	bool again;

	/* From the start each time: with a probe its event's first one may go. */
	do {
		again = false;
		list_for_each_entry(pe, &probe_events, link) {
			if (!matches(pe, m))
				continue;
			r = probe_event_remove(pe);
			if (r)
				return r;
			again = true;
			break;
		}
	} while (again);
	return r;
}

static int command_remove(struct command *c, bool is_kernel, bool any_kind)
{
	char group[MAX_NAME] = "", name[MAX_NAME] = "";
	struct match m = { .is_kernel = is_kernel,
			   .any_kind = any_kind,
			   .group = group,
			   .name = name,
			   .exact = c->argc > 1 ? c : NULL };
	int r;

	if (c->argv[0][1] != ':')
		return -EINVAL;
	r = parse_names(c, c->argv[0] + 2, group, name);
	return r ? r : remove_matching(&m);
}

/* All of one kind, or none if one is in use. */
static int remove_all(bool is_kernel, bool any_kind)
{
	const struct match m = {
		.is_kernel = is_kernel, .any_kind = any_kind, .group = "", .name = ""
	};
	struct probe_event *pe;
	int r;

	list_for_each_entry(pe, &probe_events, link)
		if (matches(pe, &m) && pe->main->ev.enabled)
			return -EBUSY;
	r = remove_matching(&m);
	return r == -ENOENT ? 0 : r;
}

/* ---- making ---- */

static void inode_owner_put(void *owner)
{
	inode_put(owner);
}

/* PATH:OFFSET[%return][(REF_OFFSET)]. */
struct place {
	char *path, *offset_text;
	u64 offset, ref_offset;
	bool is_return;
	unsigned int ncuts;
	char *cut[3], was[3]; /* where the word was cut into pieces */
};

static void cut_place(struct place *p, char *at)
{
	p->cut[p->ncuts] = at;
	p->was[p->ncuts++] = *at;
	*at = '\0';
}

/* The word as it was: it may have to be shown. */
static void join_place(struct place *p)
{
	while (p->ncuts) {
		p->ncuts--;
		*p->cut[p->ncuts] = p->was[p->ncuts];
	}
}

/* "(OFFSET)" at the end of a place: of the counter that says whether somebody looks. */
static int parse_ref(struct command *c, struct place *p)
{
	char *open = strchr(p->offset_text, '('), *close;
	int r = 0;

	if (!open)
		return 0;
	close = strchr(open, ')');
	if (!close)
		return wrong(c, open + strlen(open), "Reference counter brace is not closed");
	if (close[1])
		return wrong(c, close + 1, "Reference counter has wrong suffix");
	*close = '\0';
	if (kstrtou64(open + 1, 0, &p->ref_offset))
		r = wrong(c, open + 1, "Invalid reference counter offset");
	*close = ')';
	if (!r)
		cut_place(p, open);
	return r;
}

static int parse_place(struct command *c, struct place *p)
{
	char *word = c->argv[1], *colon = strrchr(word, ':'), *percent;

	if (!strchr(word, '/') || !colon || !isdigit((unsigned char)colon[1]))
		return -EINVAL;
	p->path = word;
	p->offset_text = colon + 1;
	if (parse_ref(c, p))
		return -EINVAL;
	percent = strchr(p->offset_text, '%');
	if (percent) {
		if (strcmp(percent, "%return"))
			return wrong(c, percent, "Invalid probed address suffix");
		p->is_return = true;
		cut_place(p, percent);
	}
	if (kstrtou64(p->offset_text, 0, &p->offset))
		return wrong(c, p->offset_text, "Invalid uprobe offset");
	cut_place(p, colon);
	return 0;
}

/* The file, found without trace_mutex: its path may lead through tracefs. */
static int attach_file(struct command *c, struct probe_event *pe, const struct place *p)
{
	struct path path;
	int r;

	mutex_unlock(&trace_mutex);
	r = path_lookup(AT_FDCWD, p->path, LOOKUP_FOLLOW, &path);
	mutex_lock(&trace_mutex);
	if (r) {
		(void)wrong(c, p->path, "Failed to find the given file");
		return r;
	}
	if (!S_ISREG(path.dentry->inode->mode) || !path.dentry->inode->object.ops) {
		path_put(&path);
		return wrong(c, p->path, "Not a regular file");
	}
	pe->owner = inode_get(path.dentry->inode);
	pe->owner_put = inode_owner_put;
	pe->object = &path.dentry->inode->object;
	pe->size = READ_ONCE(path.dentry->inode->size);
	path_put(&path);
	pe->offset = p->offset;
	pe->ref_offset = p->ref_offset;
	pe->path = kstrdup(p->path, 0);
	return pe->path ? 0 : -ENOMEM;
}

/* p_<file>_0x<offset>; of the file's name what stands before the first '.', '-' or '_'. */
static void default_uprobe_name(const struct place *p, char *name)
{
	const char *base = strrchr(p->path, '/') + 1;
	size_t n = 0;

	while (base[n] && !strchr(".-_", base[n]))
		n++;
	snprintf(name, MAX_NAME, "p_%.*s_0x%llx", (int)min(n, (size_t)32), base, p->offset);
}

/* @pe is to be one more probe of @main's event. */
static int check_joins(struct command *c, const struct probe_event *pe,
		       const struct probe_event *main)
{
	unsigned int differs = probe_event_same_args(main, pe);

	if (main->is_kernel != pe->is_kernel)
		return -EEXIST;
	if (main->is_return != pe->is_return) {
		(void)wrong(c, c->argv[0], "Probe type doesn't match existing probe");
		return -EEXIST;
	}
	if (differs) {
		(void)wrong(c, c->argv[differs + 1 < c->argc ? differs + 1 : c->argc - 1],
			    "Probe argument doesn't match existing probe");
		return -EEXIST;
	}
	for (; main; main = main->more) {
		bool same = !main->dead && main->object == pe->object &&
			    main->offset == pe->offset && main->addr == pe->addr;

		for (unsigned int i = 0; i < pe->nargs; i++)
			same &= !strcmp(main->args[i].text, pe->args[i].text);
		if (same) {
			(void)wrong(c, c->argv[0], "There is already the exact same probe event");
			return -EEXIST;
		}
	}
	return 0;
}

/* Probes of one place have one counter, or none. */
static int check_counter(const struct probe_event *pe)
{
	const struct probe_event *other;

	list_for_each_entry(other, &probe_events, link)
		if (!other->dead && !other->is_kernel && other->object == pe->object &&
		    other->offset == pe->offset && other->ref_offset != pe->ref_offset)
			return -EINVAL;
	return 0;
}

static int finish(struct command *c, struct probe_event *pe, unsigned int place)
{
	struct probe_event *main = probe_event_find(pe->ev.system, pe->ev.name);
	int r = probe_event_parse_args(pe, c->argc - 2, c->argv + 2, place, &c->err);

	if (!r && main)
		r = check_joins(c, pe, main);
	if (!r)
		r = probe_event_add(pe, main);
	if (r == -EEXIST && !c->err.message)
		(void)wrong(c, c->argv[0],
			    "Given group/event name is already used by another event");
	return r;
}

static int create_uprobe(struct command *c)
{
	char group[MAX_NAME] = "uprobes", name[MAX_NAME] = "";
	struct place p = { .is_return = c->argv[0][0] == 'r' };
	struct probe_event *pe;
	int r = 0;

	if (c->argc < 2)
		return -EINVAL;
	if (c->argv[0][1] == ':')
		r = parse_names(c, c->argv[0] + 2, group, name);
	else if (c->argv[0][1])
		r = -EINVAL;
	if (!r)
		r = parse_place(c, &p);
	if (r) {
		join_place(&p);
		return r;
	}
	if (!*name)
		default_uprobe_name(&p, name);
	pe = probe_event_create(group, name, false, p.is_return);
	if (IS_ERR(pe)) {
		join_place(&p);
		return (int)PTR_ERR(pe);
	}
	r = attach_file(c, pe, &p);
	join_place(&p);
	if (!r)
		r = check_counter(pe);
	if (!r)
		r = finish(c, pe, p.is_return ? FETCH_RETURN : FETCH_ENTRY);
	if (r)
		probe_event_free(pe);
	return r;
}

/* SYMBOL[+OFFSET][%return] or ADDRESS. */
static int parse_kernel_place(struct command *c, struct probe_event *pe)
{
	char *word = c->argv[1], *suffix = strchr(word, '%'), *plus;
	u64 v;

	if (suffix) {
		if (strcmp(suffix, "%return"))
			return wrong(c, suffix, "Invalid probed address suffix");
		pe->is_return = true;
		*suffix = '\0';
	}
	if (isdigit((unsigned char)*word)) {
		if (kstrtou64(word, 0, &v))
			return wrong(c, word, "Invalid probed address or symbol");
		pe->addr = (unsigned long)v;
		return 0;
	}
	plus = strchr(word, '+');
	if (plus) {
		if (kstrtou64(plus + 1, 0, &pe->offset))
			return wrong(c, word, "Invalid probed address or symbol");
		*plus = '\0';
	}
	v = ksym_address(word);
	pe->symbol = v ? kstrdup(word, 0) : NULL;
	/* The word may have to be shown. */
	if (plus)
		*plus = '+';
	if (suffix)
		*suffix = '%';
	if (!v)
		return wrong(c, word, "Invalid probed address or symbol");
	pe->addr = v + pe->offset;
	return pe->symbol ? 0 : -ENOMEM;
}

static int check_kernel_place(struct command *c, struct probe_event *pe)
{
	unsigned long start = ksym_start(pe->addr);

	if (pe->is_return && start != pe->addr)
		return wrong(c, c->argv[1], "Retprobe address must be an function entry");
	switch (kprobe_check(pe->addr)) {
	case 0:
		return 0;
	case -EILSEQ:
		wrong(c, c->argv[1], "Probe point is not an instruction boundary");
		return -EILSEQ;
	default:
		return wrong(c, c->argv[1], "Invalid probed address or symbol");
	}
}

/* "r[MAXACTIVE]" or "p", then perhaps ":names". */
static int parse_kernel_head(struct command *c, unsigned int *maxactive, char *group, char *name)
{
	char *s = c->argv[0] + 1, *colon = strchr(s, ':');
	u64 v;
	int r = 0;

	if (colon)
		*colon = '\0';
	if (*s) {
		if (c->argv[0][0] == 'p')
			r = wrong(c, s, "Maxactive is only for function exit");
		else if (kstrtou64(s, 0, &v) || !v)
			r = wrong(c, s, "Invalid maxactive number");
		else if (v > MAX_ACTIVE)
			r = wrong(c, s, "Maxactive is too big");
		else
			*maxactive = (unsigned int)v;
	}
	if (colon)
		*colon = ':';
	return r || !colon ? r : parse_names(c, colon + 1, group, name);
}

static void default_kprobe_name(const struct probe_event *pe, char *name)
{
	char kind = pe->is_return ? 'r' : 'p';

	if (pe->symbol)
		snprintf(name, MAX_NAME, "%c_%.40s_%llu", kind, pe->symbol, pe->offset);
	else
		snprintf(name, MAX_NAME, "%c_0x%lx", kind, pe->addr);
	for (char *s = name; *s; s++)
		if (!isalnum((unsigned char)*s))
			*s = '_';
}

static int create_kprobe(struct command *c)
{
	char group[MAX_NAME] = "kprobes", name[MAX_NAME] = "";
	unsigned int maxactive = 0, place = FETCH_KERNEL;
	struct probe_event *pe;
	int r;

	if (c->argc < 2)
		return -EINVAL;
	r = parse_kernel_head(c, &maxactive, group, name);
	if (r)
		return r;
	pe = probe_event_create(group, "", true, c->argv[0][0] == 'r');
	if (IS_ERR(pe))
		return (int)PTR_ERR(pe);
	r = parse_kernel_place(c, pe);
	if (!r)
		r = check_kernel_place(c, pe);
	if (!r && !*name)
		default_kprobe_name(pe, name);
	if (!r)
		r = probe_event_rename(pe, name);
	pe->maxactive = maxactive;
	if (pe->is_return)
		place |= FETCH_RETURN;
	else if (ksym_start(pe->addr) == pe->addr)
		place |= FETCH_ENTRY;
	if (!r)
		r = finish(c, pe, place);
	if (r)
		probe_event_free(pe);
	return r;
}

/* ---- the files ---- */

enum kind { KIND_UPROBE, KIND_KPROBE, KIND_ANY };

static int run_command(char *line, enum kind kind)
{
	struct command *c = kzalloc(sizeof(*c), 0);
	bool kernel;
	int r;

	if (!c)
		return -ENOMEM;
	r = split(c, line);
	kernel = kind == KIND_KPROBE ||
		 (kind == KIND_ANY && c->argc > 1 && !strchr(c->argv[1], '/'));
	if (r)
		goto out;
	switch (c->argv[0][0]) {
	case '-':
		r = command_remove(c, kernel, kind == KIND_ANY);
		break;
	case 'p':
	case 'r':
		r = kernel ? create_kprobe(c) : create_uprobe(c);
		break;
	default:
		r = -EINVAL;
		break;
	}
	if (r && c->err.message)
		log_error(c, kernel ? "trace_kprobe" : "trace_uprobe");
out:
	kfree(c);
	return r;
}

static int uprobe_line(char *line)
{
	return run_command(line, KIND_UPROBE);
}

static int kprobe_line(char *line)
{
	return run_command(line, KIND_KPROBE);
}

static int any_line(char *line)
{
	return run_command(line, KIND_ANY);
}

static int uprobe_write(const struct tracefs_node *n, char *text, size_t len)
{
	return tracefs_each_line(text, uprobe_line);
}

static int kprobe_write(const struct tracefs_node *n, char *text, size_t len)
{
	return tracefs_each_line(text, kprobe_line);
}

static int any_write(const struct tracefs_node *n, char *text, size_t len)
{
	return tracefs_each_line(text, any_line);
}

static int uprobe_clear(const struct tracefs_node *n)
{
	return remove_all(false, false);
}

static int kprobe_clear(const struct tracefs_node *n)
{
	return remove_all(true, false);
}

static int any_clear(const struct tracefs_node *n)
{
	return remove_all(false, true);
}

static void show_place(struct printbuf *pb, const struct probe_event *pe)
{
	if (!pe->is_kernel)
		printbuf_printf(pb, "%s:0x%016llx", pe->path, pe->offset);
	else if (!pe->symbol)
		printbuf_printf(pb, "0x%lx", pe->addr);
	else if (pe->offset)
		printbuf_printf(pb, "%s+%llu", pe->symbol, pe->offset);
	else
		printbuf_puts(pb, pe->symbol);
	if (pe->ref_offset)
		printbuf_printf(pb, "(0x%llx)", pe->ref_offset);
}

/* A probe as the command that makes it. */
static void show_event(struct printbuf *pb, const struct probe_event *pe)
{
	printbuf_putc(pb, pe->is_return ? 'r' : 'p');
	if (pe->maxactive)
		printbuf_printf(pb, "%u", pe->maxactive);
	printbuf_printf(pb, ":%s/%s ", pe->ev.system, pe->ev.name);
	show_place(pb, pe);
	for (unsigned int i = 0; i < pe->nargs; i++)
		printbuf_printf(pb, " %s=%s", pe->args[i].name, pe->args[i].text);
	printbuf_putc(pb, '\n');
}

static int show_events(struct printbuf *pb, bool kernel, bool programs)
{
	const struct probe_event *pe;

	list_for_each_entry(pe, &probe_events, link)
		if (!pe->dead && (pe->is_kernel ? kernel : programs))
			show_event(pb, pe);
	return 0;
}

static int uprobe_show(struct printbuf *pb, const struct tracefs_node *n)
{
	return show_events(pb, false, true);
}

static int kprobe_show(struct printbuf *pb, const struct tracefs_node *n)
{
	return show_events(pb, true, false);
}

static int any_show(struct printbuf *pb, const struct tracefs_node *n)
{
	return show_events(pb, true, true);
}

static int uprobe_profile(struct printbuf *pb, const struct tracefs_node *n)
{
	const struct probe_event *pe;

	list_for_each_entry(pe, &probe_events, link)
		if (!pe->is_kernel && !pe->dead)
			printbuf_printf(pb, "  %s %-44s %15llu\n", pe->path, pe->ev.name,
					probe_event_hits(pe, 0));
	return 0;
}

static int kprobe_profile(struct printbuf *pb, const struct tracefs_node *n)
{
	const struct probe_event *pe;

	list_for_each_entry(pe, &probe_events, link)
		if (pe->is_kernel && !pe->dead)
			printbuf_printf(pb, "  %-44s %15llu %15llu\n", pe->ev.name,
					probe_event_hits(pe, 0), probe_event_hits(pe, 1));
	return 0;
}

static const struct tracefs_file files[] = {
	{ .name = "uprobe_events",
	  .mode = 0640,
	  .show = uprobe_show,
	  .write = uprobe_write,
	  .truncate = uprobe_clear },
	{ .name = "kprobe_events",
	  .mode = 0640,
	  .show = kprobe_show,
	  .write = kprobe_write,
	  .truncate = kprobe_clear },
	{ .name = "dynamic_events",
	  .mode = 0640,
	  .show = any_show,
	  .write = any_write,
	  .truncate = any_clear },
	{ .name = "uprobe_profile", .mode = 0440, .show = uprobe_profile },
	{ .name = "kprobe_profile", .mode = 0440, .show = kprobe_profile },
	{ .name = "error_log",
	  .mode = 0640,
	  .show = error_log_show,
	  .write = error_log_write,
	  .truncate = error_log_clear },
};

void tracefs_probes_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++)
		tracefs_add_file(&files[i]);
}

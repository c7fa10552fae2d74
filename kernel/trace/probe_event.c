/* SPDX-License-Identifier: MIT */
/*
 * Events made from probes: their records, and uprobes as their source. See probe_event.h.
 *
 * A record is the common fields, the place (for a return: the function, then where it returned to), the
 * arguments, the strings. The format file and the text of a record are Linux's.
 */
#include <err.h>
#include <hal/boot.h>
#include <kernel/ksym.h>
#include <kernel/task.h>
#include <kernel/trace/probe_event.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>

struct list probe_events = LIST_HEAD_INIT(probe_events);

#define STACK_ROOM 256 /* records up to this are built on the stack */

struct probe_head {
	struct trace_entry entry;
	u64 place[2]; /* ip; or function and ip */
};

static size_t head_size(const struct probe_event *pe)
{
	return offsetof(struct probe_head, place) + (pe->is_return ? 16 : 8);
}

/* ---- text ---- */

static void print_place(struct printbuf *pb, const struct probe_event *pe, unsigned long addr)
{
	if (pe->is_kernel)
		ksym_print(pb, addr);
	else
		printbuf_printf(pb, "0x%lx", addr);
}

static void print_record(struct printbuf *pb, const struct trace_event *ev,
			 const struct trace_entry *e, size_t len)
{
	const struct probe_event *pe = ev->priv;
	const struct probe_head *h = (const struct probe_head *)e;

	if (len < head_size(pe))
		return;
	printbuf_putc(pb, '(');
	/* Of a return first where it went, then whence. */
	if (pe->is_return) {
		print_place(pb, pe, h->place[1]);
		printbuf_puts(pb, " <- ");
	}
	print_place(pb, pe, h->place[0]);
	printbuf_putc(pb, ')');
	fetch_print(pb, pe->args, pe->nargs, e, len);
}

static char *make_print_fmt(const struct probe_event *pe)
{
	size_t size = 256 + pe->nargs * 256UL;
	char *text = kmalloc(size, 0);
	struct printbuf pb;

	if (!text)
		return NULL;
	printbuf_init(&pb, text, size);
	printbuf_puts(&pb, pe->is_return ? "\"(%lx <- %lx)" : "\"(%lx)");
	fetch_print_fmt(&pb, pe->args, pe->nargs, false);
	printbuf_puts(&pb, pe->is_return ? "\", REC->__probe_func, REC->__probe_ret_ip"
					 : "\", REC->__probe_ip");
	fetch_print_fmt(&pb, pe->args, pe->nargs, true);
	return text;
}

/* ---- making and unmaking ---- */

static int event_enable(struct trace_event *ev, bool on);

struct probe_event *probe_event_create(const char *group, const char *name, bool is_kernel,
				       bool is_return)
{
	struct probe_event *pe = kzalloc(sizeof(*pe), 0);

	if (!pe)
		return ERR_PTR(-ENOMEM);
	list_init(&pe->link);
	pe->main = pe;
	pe->is_kernel = is_kernel;
	pe->is_return = is_return;
	pe->ev.system = kstrdup(group, 0);
	pe->ev.name = kstrdup(name, 0);
	pe->ev.print = print_record;
	pe->ev.enable = event_enable;
	pe->ev.priv = pe;
	pe->hits = kcalloc(boot_info.ncpus, sizeof(*pe->hits), 0);
	if (pe->ev.system && pe->ev.name && pe->hits)
		return pe;
	probe_event_free(pe);
	return ERR_PTR(-ENOMEM);
}

int probe_event_rename(struct probe_event *pe, const char *name)
{
	kfree(pe->ev.name);
	pe->ev.name = kstrdup(name, 0);
	return pe->ev.name ? 0 : -ENOMEM;
}

void probe_event_free(struct probe_event *pe)
{
	for (unsigned int i = 0; i < pe->nargs; i++)
		fetch_free(&pe->args[i]);
	if (pe->owner)
		pe->owner_put(pe->owner);
	kfree(pe->args);
	kfree(pe->fields);
	kfree(pe->print_fmt);
	kfree(pe->hits);
	kfree(pe->path);
	kfree(pe->symbol);
	kfree(pe->ev.system);
	kfree(pe->ev.name);
	kfree(pe);
}

static bool name_used(const struct probe_event *pe, unsigned int i)
{
	static const char *const reserved[] = { "common_type",		"common_flags",
						"common_preempt_count", "common_pid",
						"common_tgid",		"__probe_ip",
						"__probe_ret_ip",	"__probe_func" };

	for (unsigned int k = 0; k < ARRAY_SIZE(reserved); k++)
		if (!strcmp(pe->args[i].name, reserved[k]))
			return true;
	for (unsigned int k = 0; k < i; k++)
		if (!strcmp(pe->args[i].name, pe->args[k].name))
			return true;
	return false;
}

int probe_event_parse_args(struct probe_event *pe, unsigned int n, char **argv, unsigned int place,
			   struct fetch_error *err)
{
	if (n > FETCH_MAX_ARGS)
		return -E2BIG;
	pe->args = kcalloc(n + 1, sizeof(*pe->args), 0);
	if (!pe->args)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		int r;

		pe->nargs = i + 1;
		r = fetch_parse(&pe->args[i], argv[i], i, place, err);
		if (r)
			return r;
		if (name_used(pe, i)) {
			err->at = argv[i];
			err->message = "This argument name is already used";
			return -EINVAL;
		}
	}
	return 0;
}

static void place_field(struct trace_field *f, const char *name, size_t offset)
{
	*f = (struct trace_field){ .type = "unsigned long",
				   .name = name,
				   .offset = (u16)offset,
				   .size = 8,
				   .kind = TRACE_NUMBER };
}

static int make_fields(struct probe_event *pe)
{
	size_t at = offsetof(struct probe_head, place);
	unsigned int n = 0;

	pe->fields = kcalloc(pe->nargs + 2, sizeof(*pe->fields), 0);
	if (!pe->fields)
		return -ENOMEM;
	place_field(&pe->fields[n++], pe->is_return ? "__probe_func" : "__probe_ip", at);
	if (pe->is_return)
		place_field(&pe->fields[n++], "__probe_ret_ip", at + 8);
	pe->fixed = fetch_layout(pe->args, pe->nargs, head_size(pe));
	pe->room = pe->fixed;
	for (unsigned int i = 0; i < pe->nargs; i++, n++) {
		fetch_field(&pe->args[i], &pe->fields[n]);
		if (pe->fields[n].kind == TRACE_DATA_LOC)
			pe->room += (size_t)FETCH_MAX_STRING * max(pe->fields[n].count, 1);
	}
	pe->room = min(pe->room, (size_t)TRACE_ENTRY_MAX);
	pe->nfields = n;
	return pe->fixed > TRACE_ENTRY_MAX ? -E2BIG : 0;
}

static int arm_one(struct probe_event *pe, bool on);

/* The event is there: one probe more, at once if it is on. */
static int join(struct probe_event *pe, struct probe_event *main)
{
	struct probe_event **end = &main->more;
	int r = main->ev.enabled ? arm_one(pe, true) : 0;

	if (r)
		return r;
	while (*end)
		end = &(*end)->more;
	*end = pe;
	list_add_tail(&pe->link, &probe_events);
	return 0;
}

int probe_event_add(struct probe_event *pe, struct probe_event *main)
{
	int r = make_fields(pe);

	if (r)
		return r;
	if (main) {
		pe->main = main;
		return join(pe, main);
	}
	pe->print_fmt = make_print_fmt(pe);
	if (!pe->print_fmt)
		return -ENOMEM;
	pe->ev.fields = pe->fields;
	pe->ev.nfields = pe->nfields;
	pe->ev.print_fmt = pe->print_fmt;
	r = trace_event_register_locked(&pe->ev);
	if (!r)
		list_add_tail(&pe->link, &probe_events);
	return r;
}

static void unlink_probe(struct probe_event *pe)
{
	struct probe_event **at = &pe->main->more;

	while (*at != pe)
		at = &(*at)->more;
	*at = pe->more;
	list_del(&pe->link);
	probe_event_free(pe);
}

int probe_event_remove(struct probe_event *pe)
{
	struct probe_event *main = pe->main;
	int r = 0;

	if (main->ev.enabled)
		return -EBUSY;
	if (pe != main)
		unlink_probe(pe);
	else
		main->dead = true;
	if (!main->dead || main->more)
		return 0;
	r = trace_event_unregister_locked(&main->ev);
	if (r)
		return r;
	list_del(&main->link);
	probe_event_free(main);
	return 0;
}

struct probe_event *probe_event_find(const char *group, const char *name)
{
	struct probe_event *pe;

	list_for_each_entry(pe, &probe_events, link)
		if (pe->main == pe && !strcmp(pe->ev.system, group) && !strcmp(pe->ev.name, name))
			return pe;
	return NULL;
}

unsigned int probe_event_same_args(const struct probe_event *a, const struct probe_event *b)
{
	unsigned int n = min(a->nargs, b->nargs);

	for (unsigned int i = 0; i < n; i++) {
		const struct fetch_arg *x = &a->args[i], *y = &b->args[i];

		if (strcmp(x->name, y->name) || x->cls != y->cls || x->size != y->size ||
		    x->count != y->count || x->shift != y->shift || x->width != y->width)
			return i + 1;
	}
	return a->nargs == b->nargs ? 0 : n + 1;
}

u64 probe_event_hits(const struct probe_event *pe, unsigned int which)
{
	u64 sum = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		sum += READ_ONCE(pe->hits[cpu][which]);
	return sum;
}

void probe_event_count(struct probe_event *pe, unsigned int which)
{
	pe->hits[hal_cpu_id()][which]++;
}

static __always_inline void set_place(const struct probe_event *pe, struct probe_head *h,
				      unsigned long ip, unsigned long func)
{
	h->place[0] = pe->is_return ? func : ip;
	h->place[1] = ip; /* of no return: not in the record, or overwritten */
}

void probe_event_write(struct probe_event *pe, unsigned long ip, unsigned long func,
		       const struct fetch_source *src, void *buf, size_t room)
{
	struct probe_head *h = buf;
	size_t len;

	set_place(pe, h, ip, func);
	len = fetch_run(pe->args, pe->nargs, src, buf, pe->fixed, room);
	trace_event_write(&pe->main->ev, &h->entry, len);
}

void probe_event_write_plain(struct probe_event *pe, unsigned long ip, unsigned long func)
{
	struct probe_head h;

	set_place(pe, &h, ip, func);
	trace_event_write(&pe->main->ev, &h.entry, pe->fixed);
}

/* ---- programs ---- */

static int user_read(void *dst, unsigned long addr, size_t n, bool user)
{
	(void)user;
	return copy_from_user(dst, addr, n);
}

static int user_read_string(char *dst, unsigned long addr, size_t n, bool user)
{
	long len = hal_strncpy_from_user(dst, addr, n);

	(void)user;
	if (len < 0)
		return -EFAULT;
	if ((size_t)len == n)
		len--;
	dst[len] = '\0';
	return (int)len + 1;
}

static __noinline void uprobe_write_args(struct probe_event *pe, const struct uctx *u,
					 unsigned long func)
{
	u64 small[STACK_ROOM / 8];
	struct fetch_source src = {
		.u = u,
		.comm = current->comm,
		.sp = uctx_sp(u),
		.file_base = (pe->is_return ? func : uctx_ip(u)) - pe->offset,
		.read = user_read,
		.read_string = user_read_string,
	};
	void *buf = pe->room <= sizeof(small) ? small : kmalloc(pe->room, 0);

	if (!buf) {
		probe_event_count(pe, 1);
		return;
	}
	probe_event_write(pe, uctx_ip(u), func, &src, buf, max(pe->room, sizeof(small)));
	if (buf != small)
		kfree(buf);
}

static void uprobe_write(struct probe_event *pe, const struct uctx *u, unsigned long func)
{
	if (pe->nargs)
		uprobe_write_args(pe, u, func);
	else
		probe_event_write_plain(pe, uctx_ip(u), func);
}

/* The profile counts entries, also of those who wait for the return. */
static void uprobe_event_hit(struct uprobe_consumer *c, const struct uctx *u)
{
	struct probe_event *pe = container_of(c, struct probe_event, consumer);

	probe_event_count(pe, 0);
	if (!pe->is_return)
		uprobe_write(pe, u, 0);
}

static void uprobe_event_return(struct uprobe_consumer *c, unsigned long func, const struct uctx *u)
{
	uprobe_write(container_of(c, struct probe_event, consumer), u, func);
}

static int arm_one(struct probe_event *pe, bool on)
{
	if (pe->dead)
		return 0;
	if (pe->is_kernel)
		return kprobe_event_enable(pe, on);
	if (!on) {
		uprobe_unregister(&pe->consumer);
		return 0;
	}
	pe->consumer.hit = uprobe_event_hit;
	pe->consumer.ret = pe->is_return ? uprobe_event_return : NULL;
	return uprobe_register(&pe->consumer, pe->object, pe->offset, pe->ref_offset, pe->size);
}

/* All of its probes, or none. */
static int event_enable(struct trace_event *ev, bool on)
{
	struct probe_event *main = ev->priv, *failed = NULL;
	int r = 0;

	for (struct probe_event *pe = main; pe && !failed; pe = pe->more) {
		r = arm_one(pe, on);
		if (r && on)
			failed = pe;
	}
	for (struct probe_event *pe = main; failed && pe != failed; pe = pe->more)
		(void)arm_one(pe, false);
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * Events of system calls: raw_syscalls:sys_enter and sys_exit for all, syscalls:sys_enter_NAME and sys_exit_NAME for each.
 *
 * While any of them is on, every task has WORK_TRACE, and its calls take the path for watched ones; a task without it
 * executes nothing of this. New tasks get the bit under tasklist_lock, where the loop that gives it to all either meets them or has
 * stored trace_syscalls before they look.
 * The events of single calls are made from the table that syscalls.tbl generates.
 */
#include <err.h>
#include <kernel/sched.h>
#include <kernel/syscall.h>
#include <kernel/trace/kernel_events.h>
#include <kernel/trace/points.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/slab.h>

#define ARGS 6

u32 trace_syscalls; /* trace_mutex to write */

struct raw_enter {
	struct trace_entry entry;
	s64 id;
	u64 args[ARGS];
};

struct raw_exit {
	struct trace_entry entry;
	s64 id, ret;
};

struct one_enter {
	struct trace_entry entry;
	s32 nr;
	u64 args[ARGS];
};

struct one_exit {
	struct trace_entry entry;
	s32 nr;
	s64 ret;
};

/* The pair of events of one call. */
struct call {
	struct trace_event enter, exit;
	unsigned int nargs;
	char *print_fmt;
	char names[2][40]; /* sys_enter_NAME, sys_exit_NAME */
	struct trace_field fields[1 + ARGS];
};

static struct call *calls[SYSCALL_TABLE_SIZE]; /* set once; NULL until then */

/* ---- switching on and off ---- */

static void set_everywhere(bool on)
{
	pid_t nr = 1;

	while ((nr = pid_next(nr)) != 0) {
		unsigned long flags = spin_lock_irqsave(&tasklist_lock);
		struct pid *pid = pid_find(nr);
		struct task *t;

		if (pid && pid->process) {
			list_for_each_entry(t, &pid->process->threads, thread_link) {
				if (on)
					task_set_work(t, WORK_TRACE);
				else
					task_clear_work(t, WORK_TRACE);
			}
		}
		spin_unlock_irqrestore(&tasklist_lock, flags);
		nr++;
	}
}

static int enable(struct trace_event *ev, bool on)
{
	u32 now = trace_syscalls + (on ? 1u : ~0u);

	__atomic_store_n(&trace_syscalls, now, __ATOMIC_SEQ_CST);
	if (now == 0 || (on && now == 1))
		set_everywhere(on);
	return 0;
}

/* ---- raw_syscalls ---- */

static const struct trace_field raw_enter_fields[] = {
	TRACE_FIELD(struct raw_enter, long, id),
	{ "unsigned long", "args", offsetof(struct raw_enter, args), 48, ARGS, false,
	  TRACE_NUMBER },
};

static void print_raw_enter(struct printbuf *pb, const struct trace_event *ev,
			    const struct trace_entry *e, size_t len)
{
	const struct raw_enter *r = (const void *)e;

	printbuf_printf(pb, "NR %lld (%llx, %llx, %llx, %llx, %llx, %llx)", r->id, r->args[0],
			r->args[1], r->args[2], r->args[3], r->args[4], r->args[5]);
}

static const struct trace_field raw_exit_fields[] = {
	TRACE_FIELD(struct raw_exit, long, id),
	TRACE_FIELD(struct raw_exit, long, ret),
};

static void print_raw_exit(struct printbuf *pb, const struct trace_event *ev,
			   const struct trace_entry *e, size_t len)
{
	const struct raw_exit *r = (const void *)e;

	printbuf_printf(pb, "NR %lld = %lld", r->id, r->ret);
}

static struct trace_event raw_enter_event = {
	.system = "raw_syscalls",
	.name = "sys_enter",
	.fields = raw_enter_fields,
	.nfields = ARRAY_SIZE(raw_enter_fields),
	.print_fmt = "\"NR %ld (%lx, %lx, %lx, %lx, %lx, %lx)\", REC->id, REC->args[0], "
		     "REC->args[1], REC->args[2], "
		     "REC->args[3], REC->args[4], REC->args[5]",
	.print = print_raw_enter,
	.enable = enable,
};

static struct trace_event raw_exit_event = {
	.system = "raw_syscalls",
	.name = "sys_exit",
	.fields = raw_exit_fields,
	.nfields = ARRAY_SIZE(raw_exit_fields),
	.print_fmt = "\"NR %ld = %ld\", REC->id, REC->ret",
	.print = print_raw_exit,
	.enable = enable,
};

/* ---- one call's events ---- */

static void print_enter(struct printbuf *pb, const struct trace_event *ev,
			const struct trace_entry *e, size_t len)
{
	const struct call *c = container_of(ev, struct call, enter);
	const struct one_enter *r = (const void *)e;

	printbuf_printf(pb, "sys_%s(", c->names[0] + strlen("sys_enter_"));
	for (unsigned int i = 0; i < c->nargs; i++)
		printbuf_printf(pb, r->args[i] < 10 ? "%s%s: %llu" : "%s%s: 0x%llx", i ? ", " : "",
				c->fields[i + 1].name, r->args[i]);
	printbuf_putc(pb, ')');
}

static void print_exit(struct printbuf *pb, const struct trace_event *ev,
		       const struct trace_entry *e, size_t len)
{
	const struct call *c = container_of(ev, struct call, exit);

	printbuf_printf(pb, "sys_%s -> 0x%llx", c->names[1] + strlen("sys_exit_"),
			((const struct one_exit *)e)->ret);
}

static const struct trace_field nr_field = {
	"int", "__syscall_nr", offsetof(struct one_enter, nr), 4, 0, true, TRACE_NUMBER
};
static const struct trace_field exit_fields[] = {
	{ "int", "__syscall_nr", offsetof(struct one_exit, nr), 4, 0, true, TRACE_NUMBER },
	{ "long", "ret", offsetof(struct one_exit, ret), 8, 0, true, TRACE_NUMBER },
};

static char *make_print_fmt(const struct call *c)
{
	size_t size = 32 + c->nargs * 100;
	char *text = kmalloc(size, GFP_KERNEL);
	struct printbuf pb;

	if (!text)
		return NULL;
	printbuf_init(&pb, text, size);
	printbuf_putc(&pb, '"');
	for (unsigned int i = 0; i < c->nargs; i++)
		printbuf_printf(&pb, "%s%s: 0x%%08lx", i ? ", " : "", c->fields[i + 1].name);
	printbuf_putc(&pb, '"');
	for (unsigned int i = 0; i < c->nargs; i++)
		printbuf_printf(&pb, ", ((unsigned long)(REC->%s))", c->fields[i + 1].name);
	return text;
}

static void describe(struct call *c, const char *info)
{
	const char *arg = info + strlen(info) + 1;

	c->fields[0] = nr_field;
	for (; *arg; c->nargs++, arg += strlen(arg) + 1)
		c->fields[c->nargs + 1] = (struct trace_field){
			.type = syscall_types[*arg - 'A'],
			.name = arg + 1,
			.offset = (u16)(offsetof(struct one_enter, args) + 8 * c->nargs),
			.size = 8,
			.kind = TRACE_NUMBER,
		};
	snprintf(c->names[0], sizeof(c->names[0]), "sys_enter_%s", info);
	snprintf(c->names[1], sizeof(c->names[1]), "sys_exit_%s", info);
	c->enter = (struct trace_event){
		.system = "syscalls",
		.name = c->names[0],
		.fields = c->fields,
		.nfields = c->nargs + 1,
		.print_fmt = c->print_fmt,
		.print = print_enter,
		.own_name = true,
		.enable = enable,
	};
	c->exit = (struct trace_event){
		.system = "syscalls",
		.name = c->names[1],
		.fields = exit_fields,
		.nfields = ARRAY_SIZE(exit_fields),
		.print_fmt = "\"0x%lx\", REC->ret",
		.print = print_exit,
		.own_name = true,
		.enable = enable,
	};
}

static int register_one(unsigned int nr)
{
	struct call *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int r;

	if (!c)
		return -ENOMEM;
	describe(c, syscall_info[nr]);
	c->print_fmt = make_print_fmt(c);
	if (!c->print_fmt) {
		kfree(c);
		return -ENOMEM;
	}
	c->enter.print_fmt = c->print_fmt;
	r = trace_event_register_locked(&c->enter);
	if (!r) {
		r = trace_event_register_locked(&c->exit);
		if (r)
			(void)trace_event_unregister_locked(&c->enter);
	}
	if (r) {
		kfree(c->print_fmt);
		kfree(c);
		return r;
	}
	__atomic_store_n(&calls[nr], c, __ATOMIC_RELEASE);
	return 0;
}

int trace_register_syscalls(void)
{
	int r = 0;

	if (!raw_enter_event.id)
		r = trace_event_register_locked(&raw_enter_event);
	if (!r && !raw_exit_event.id)
		r = trace_event_register_locked(&raw_exit_event);
	for (unsigned int nr = 0; !r && nr < SYSCALL_TABLE_SIZE; nr++)
		if (syscall_info[nr] && !calls[nr])
			r = register_one(nr);
	return r;
}

/* ---- what happens at a call ---- */

static struct call *call_of(long nr)
{
	if ((unsigned long)nr >= SYSCALL_TABLE_SIZE)
		return NULL;
	return __atomic_load_n(&calls[nr], __ATOMIC_ACQUIRE);
}

void trace_syscall_enter(long nr, const struct uctx *u)
{
	struct call *c = call_of(nr);
	struct raw_enter raw = { .id = nr };
	struct one_enter one = { .nr = (s32)nr };

	for (unsigned int i = 0; i < ARGS; i++)
		raw.args[i] = one.args[i] = uctx_arg(u, i);
	if (trace_event_on(&raw_enter_event))
		trace_event_write(&raw_enter_event, &raw.entry, sizeof(raw));
	if (c && trace_event_on(&c->enter))
		trace_event_write(&c->enter, &one.entry,
				  offsetof(struct one_enter, args) + 8 * c->nargs);
}

void trace_syscall_exit(long nr, long result)
{
	struct call *c = call_of(nr);
	struct raw_exit raw = { .id = nr, .ret = result };
	struct one_exit one = { .nr = (s32)nr, .ret = result };

	if (trace_event_on(&raw_exit_event))
		trace_event_write(&raw_exit_event, &raw.entry, sizeof(raw));
	if (c && trace_event_on(&c->exit))
		trace_event_write(&c->exit, &one.entry, sizeof(one));
}

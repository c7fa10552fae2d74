/* SPDX-License-Identifier: MIT */
/* See points.h. The records of the events and their fields, and the functions that fill them in. */
#include <kernel/trace/kernel_events.h>
#include <kernel/trace/points.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <uapi/sched.h>

#define EVENT(system_, name_, text)                                                                \
	struct trace_event trace_##name_ = {                                                       \
		.system = #system_,                                                                \
		.name = #name_,                                                                    \
		.fields = name_##_fields,                                                          \
		.nfields = ARRAY_SIZE(name_##_fields),                                             \
		.print = print_##name_,                                                            \
		.print_fmt = (text),                                                               \
	}

/* A string at the end of a record, and where it is. */
struct tail_string {
	u16 offset, len;
};
#define TAIL(s, member) { "__data_loc char[]", #member, offsetof(s, member), 4, 0, false, TRACE_DATA_LOC }

static void put_tail(struct tail_string *loc, void *rec, char *place, const char *s, size_t max)
{
	size_t n = strnlen(s, max - 1);

	memcpy(place, s, n);
	place[n] = '\0';
	loc->offset = (u16)(place - (char *)rec);
	loc->len = (u16)(n + 1);
}

static const char *tail(const struct tail_string *loc, const struct trace_entry *e, size_t len)
{
	const char *s = (const char *)e + loc->offset;

	return loc->len && loc->offset + loc->len <= len && !s[loc->len - 1] ? s : "(fault)";
}

static int prio_of(const struct task *t)
{
	if (t->flags & TASK_F_IDLE)
		return 120;
	if (t->se.policy == SCHED_FIFO || t->se.policy == SCHED_RR)
		return 99 - t->se.rt_priority;
	return 120 + t->se.nice;
}

static pid_t tid_of(const struct task *t)
{
	return t->tid ? t->tid->nr : 0;
}

static void copy_comm(char *to, const struct task *t)
{
	if (!(t->flags & TASK_F_IDLE))
		memcpy(to, t->comm, 16);
	else
		snprintf(to, 16, "swapper/%u", t->hal.cpu);
}

/* ---- sched_switch ---- */

struct sched_switch {
	struct trace_entry entry;
	char prev_comm[16];
	s32 prev_pid, prev_prio;
	s64 prev_state;
	char next_comm[16];
	s32 next_pid, next_prio;
};

static const struct trace_field sched_switch_fields[] = {
	TRACE_FIELD_CHARS(struct sched_switch, prev_comm),
	TRACE_FIELD(struct sched_switch, pid_t, prev_pid),
	TRACE_FIELD(struct sched_switch, int, prev_prio),
	TRACE_FIELD(struct sched_switch, long, prev_state),
	TRACE_FIELD_CHARS(struct sched_switch, next_comm),
	TRACE_FIELD(struct sched_switch, pid_t, next_pid),
	TRACE_FIELD(struct sched_switch, int, next_prio),
};

/* Bits of prev_state, as Linux numbers them, and their letters. */
static const struct {
	u8 bit;
	char letter;
} state_bits[] = {
	[TASK_RUNNING] = { 0, 'R' },   [TASK_INTERRUPTIBLE] = { 1, 'S' },
	[TASK_KILLABLE] = { 2, 'D' },  [TASK_UNINTERRUPTIBLE] = { 2, 'D' },
	[TASK_STOPPED] = { 4, 'T' },   [TASK_TRACED] = { 8, 't' },
	[TASK_ZOMBIE] = { 0x20, 'Z' }, [TASK_DEAD] = { 0x10, 'X' },
};

static char state_letter(s64 bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(state_bits); i++)
		if (state_bits[i].bit == bits)
			return state_bits[i].letter;
	return '?';
}

static void print_sched_switch(struct printbuf *pb, const struct trace_event *ev,
			       const struct trace_entry *e, size_t len)
{
	const struct sched_switch *r = (const void *)e;

	printbuf_printf(
		pb,
		"prev_comm=%.16s prev_pid=%d prev_prio=%d prev_state=%c ==> next_comm=%.16s "
		"next_pid=%d next_prio=%d",
		r->prev_comm, r->prev_pid, r->prev_prio, state_letter(r->prev_state), r->next_comm,
		r->next_pid, r->next_prio);
}

EVENT(sched, sched_switch,
      "\"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s ==> next_comm=%s next_pid=%d "
      "next_prio=%d\", "
      "REC->prev_comm, REC->prev_pid, REC->prev_prio, REC->prev_state ? "
      "__print_flags(REC->prev_state, \"|\", "
      "{ 0x01, \"S\" }, { 0x02, \"D\" }, { 0x04, \"T\" }, { 0x08, \"t\" }, { 0x10, \"X\" }, { "
      "0x20, \"Z\" }) : \"R\", "
      "REC->next_comm, REC->next_pid, REC->next_prio");

void trace_sched_switch_hit(const struct task *prev, const struct task *next)
{
	struct sched_switch r = {
		.prev_pid = tid_of(prev),
		.prev_prio = prio_of(prev),
		.prev_state = prev->flags & TASK_F_IDLE ? 0 : state_bits[prev->state].bit,
		.next_pid = tid_of(next),
		.next_prio = prio_of(next),
	};

	copy_comm(r.prev_comm, prev);
	copy_comm(r.next_comm, next);
	trace_event_write(&trace_sched_switch, &r.entry, sizeof(r));
}

/* ---- sched_wakeup, sched_wakeup_new ---- */

struct sched_wakeup {
	struct trace_entry entry;
	char comm[16];
	s32 pid, prio, target_cpu;
};

static const struct trace_field sched_wakeup_fields[] = {
	TRACE_FIELD_CHARS(struct sched_wakeup, comm),
	TRACE_FIELD(struct sched_wakeup, pid_t, pid),
	TRACE_FIELD(struct sched_wakeup, int, prio),
	TRACE_FIELD(struct sched_wakeup, int, target_cpu),
};
#define sched_wakeup_new_fields sched_wakeup_fields
#define sched_waking_fields	sched_wakeup_fields

static void print_sched_wakeup(struct printbuf *pb, const struct trace_event *ev,
			       const struct trace_entry *e, size_t len)
{
	const struct sched_wakeup *r = (const void *)e;

	printbuf_printf(pb, "comm=%.16s pid=%d prio=%d target_cpu=%03d", r->comm, r->pid, r->prio,
			r->target_cpu);
}
#define print_sched_wakeup_new print_sched_wakeup
#define print_sched_waking     print_sched_wakeup
#define WAKEUP_TEXT "\"comm=%s pid=%d prio=%d target_cpu=%03d\", REC->comm, REC->pid, REC->prio, REC->target_cpu"

EVENT(sched, sched_waking, WAKEUP_TEXT);
EVENT(sched, sched_wakeup, WAKEUP_TEXT);
EVENT(sched, sched_wakeup_new, WAKEUP_TEXT);

static void wakeup(struct trace_event *ev, const struct task *t, unsigned int cpu)
{
	struct sched_wakeup r = { .pid = tid_of(t), .prio = prio_of(t), .target_cpu = (s32)cpu };

	copy_comm(r.comm, t);
	trace_event_write(ev, &r.entry, sizeof(r));
}

void trace_sched_waking_hit(const struct task *t, unsigned int cpu)
{
	wakeup(&trace_sched_waking, t, cpu);
}

void trace_sched_wakeup_hit(const struct task *t, unsigned int cpu)
{
	wakeup(&trace_sched_wakeup, t, cpu);
}

void trace_sched_wakeup_new_hit(const struct task *t, unsigned int cpu)
{
	wakeup(&trace_sched_wakeup_new, t, cpu);
}

/* ---- sched_migrate_task ---- */

struct sched_migrate {
	struct trace_entry entry;
	struct tail_string comm;
	s32 pid, prio, orig_cpu, dest_cpu;
	char text[16];
};

static const struct trace_field sched_migrate_task_fields[] = {
	TAIL(struct sched_migrate, comm),
	TRACE_FIELD(struct sched_migrate, pid_t, pid),
	TRACE_FIELD(struct sched_migrate, int, prio),
	TRACE_FIELD(struct sched_migrate, int, orig_cpu),
	TRACE_FIELD(struct sched_migrate, int, dest_cpu),
};

static void print_sched_migrate_task(struct printbuf *pb, const struct trace_event *ev,
				     const struct trace_entry *e, size_t len)
{
	const struct sched_migrate *r = (const void *)e;

	printbuf_printf(pb, "comm=%s pid=%d prio=%d orig_cpu=%d dest_cpu=%d",
			tail(&r->comm, e, len), r->pid, r->prio, r->orig_cpu, r->dest_cpu);
}

EVENT(sched, sched_migrate_task,
      "\"comm=%s pid=%d prio=%d orig_cpu=%d dest_cpu=%d\", __get_str(comm), REC->pid, REC->prio, "
      "REC->orig_cpu, "
      "REC->dest_cpu");

void trace_sched_migrate_task_hit(const struct task *t, unsigned int cpu)
{
	struct sched_migrate r = { .pid = tid_of(t),
				   .prio = prio_of(t),
				   .orig_cpu = (s32)t->hal.cpu,
				   .dest_cpu = (s32)cpu };

	put_tail(&r.comm, &r, r.text, t->comm, sizeof(r.text));
	trace_event_write(&trace_sched_migrate_task, &r.entry, sizeof(r));
}

/* ---- sched_process_fork ---- */

struct sched_fork {
	struct trace_entry entry;
	struct tail_string parent_comm;
	s32 parent_pid;
	struct tail_string child_comm;
	s32 child_pid;
	char parent_text[16], child_text[16];
};

static const struct trace_field sched_process_fork_fields[] = {
	TAIL(struct sched_fork, parent_comm),
	TRACE_FIELD(struct sched_fork, pid_t, parent_pid),
	TAIL(struct sched_fork, child_comm),
	TRACE_FIELD(struct sched_fork, pid_t, child_pid),
};

static void print_sched_process_fork(struct printbuf *pb, const struct trace_event *ev,
				     const struct trace_entry *e, size_t len)
{
	const struct sched_fork *r = (const void *)e;

	printbuf_printf(pb, "comm=%s pid=%d child_comm=%s child_pid=%d",
			tail(&r->parent_comm, e, len), r->parent_pid, tail(&r->child_comm, e, len),
			r->child_pid);
}

EVENT(sched, sched_process_fork,
      "\"comm=%s pid=%d child_comm=%s child_pid=%d\", __get_str(parent_comm), REC->parent_pid, "
      "__get_str(child_comm), REC->child_pid");

void trace_sched_process_fork_hit(const struct task *child)
{
	struct sched_fork r = { .parent_pid = tid_of(current), .child_pid = tid_of(child) };

	put_tail(&r.parent_comm, &r, r.parent_text, current->comm, sizeof(r.parent_text));
	put_tail(&r.child_comm, &r, r.child_text, child->comm, sizeof(r.child_text));
	trace_event_write(&trace_sched_process_fork, &r.entry, sizeof(r));
}

/* ---- sched_process_exec ---- */

#define EXEC_NAME_MAX 256
struct sched_exec {
	struct trace_entry entry;
	struct tail_string filename;
	s32 pid, old_pid;
	char text[EXEC_NAME_MAX];
};

static const struct trace_field sched_process_exec_fields[] = {
	TAIL(struct sched_exec, filename),
	TRACE_FIELD(struct sched_exec, pid_t, pid),
	TRACE_FIELD(struct sched_exec, pid_t, old_pid),
};

static void print_sched_process_exec(struct printbuf *pb, const struct trace_event *ev,
				     const struct trace_entry *e, size_t len)
{
	const struct sched_exec *r = (const void *)e;

	printbuf_printf(pb, "filename=%s pid=%d old_pid=%d", tail(&r->filename, e, len), r->pid,
			r->old_pid);
}

EVENT(sched, sched_process_exec,
      "\"filename=%s pid=%d old_pid=%d\", __get_str(filename), REC->pid, REC->old_pid");

void trace_sched_process_exec_hit(const char *filename, pid_t old_pid)
{
	struct sched_exec r = { .pid = tid_of(current), .old_pid = old_pid };

	put_tail(&r.filename, &r, r.text, filename, sizeof(r.text));
	trace_event_write(&trace_sched_process_exec, &r.entry,
			  offsetof(struct sched_exec, text) + r.filename.len);
}

/* ---- sched_process_exit, sched_process_free ---- */

struct sched_exit {
	struct trace_entry entry;
	char comm[16];
	s32 pid, prio;
	bool group_dead;
};

static const struct trace_field sched_process_exit_fields[] = {
	TRACE_FIELD_CHARS(struct sched_exit, comm),
	TRACE_FIELD(struct sched_exit, pid_t, pid),
	TRACE_FIELD(struct sched_exit, int, prio),
	{ "bool", "group_dead", offsetof(struct sched_exit, group_dead), 1, 0, false,
	  TRACE_NUMBER },
};

static void print_sched_process_exit(struct printbuf *pb, const struct trace_event *ev,
				     const struct trace_entry *e, size_t len)
{
	const struct sched_exit *r = (const void *)e;

	printbuf_printf(pb, "comm=%.16s pid=%d prio=%d group_dead=%s", r->comm, r->pid, r->prio,
			r->group_dead ? "true" : "false");
}

EVENT(sched, sched_process_exit,
      "\"comm=%s pid=%d prio=%d group_dead=%s\", REC->comm, REC->pid, REC->prio, REC->group_dead ? "
      "\"true\" : \"false\"");

void trace_sched_process_exit_hit(const struct task *t)
{
	struct sched_exit r = { .pid = tid_of(t),
				.prio = prio_of(t),
				.group_dead = READ_ONCE(t->process->nthreads) == 1 };

	memcpy(r.comm, t->comm, sizeof(r.comm));
	trace_event_write(&trace_sched_process_exit, &r.entry, sizeof(r));
}

struct sched_free {
	struct trace_entry entry;
	struct tail_string comm;
	s32 pid, prio;
	char text[16];
};

static const struct trace_field sched_process_free_fields[] = {
	TAIL(struct sched_free, comm),
	TRACE_FIELD(struct sched_free, pid_t, pid),
	TRACE_FIELD(struct sched_free, int, prio),
};

static void print_sched_process_free(struct printbuf *pb, const struct trace_event *ev,
				     const struct trace_entry *e, size_t len)
{
	const struct sched_free *r = (const void *)e;

	printbuf_printf(pb, "comm=%s pid=%d prio=%d", tail(&r->comm, e, len), r->pid, r->prio);
}

EVENT(sched, sched_process_free,
      "\"comm=%s pid=%d prio=%d\", __get_str(comm), REC->pid, REC->prio");

void trace_sched_process_free_hit(const struct task *t)
{
	struct sched_free r = { .pid = tid_of(t), .prio = prio_of(t) };

	put_tail(&r.comm, &r, r.text, t->comm, sizeof(r.text));
	trace_event_write(&trace_sched_process_free, &r.entry, sizeof(r));
}

/* As sched_process_free, of the child that is waited for: 0 is any. */
#define sched_process_wait_fields sched_process_free_fields
#define print_sched_process_wait  print_sched_process_free

EVENT(sched, sched_process_wait,
      "\"comm=%s pid=%d prio=%d\", __get_str(comm), REC->pid, REC->prio");

void trace_sched_process_wait_hit(pid_t pid)
{
	struct sched_free r = { .pid = pid, .prio = prio_of(current) };

	put_tail(&r.comm, &r, r.text, current->comm, sizeof(r.text));
	trace_event_write(&trace_sched_process_wait, &r.entry, sizeof(r));
}

/* ---- task_rename ---- */

struct task_rename {
	struct trace_entry entry;
	s32 pid;
	char oldcomm[16], newcomm[16];
	s16 oom_score_adj;
};

static const struct trace_field task_rename_fields[] = {
	TRACE_FIELD(struct task_rename, pid_t, pid),
	TRACE_FIELD_CHARS(struct task_rename, oldcomm),
	TRACE_FIELD_CHARS(struct task_rename, newcomm),
	TRACE_FIELD(struct task_rename, short, oom_score_adj),
};

static void print_task_rename(struct printbuf *pb, const struct trace_event *ev,
			      const struct trace_entry *e, size_t len)
{
	const struct task_rename *r = (const void *)e;

	printbuf_printf(pb, "pid=%d oldcomm=%.16s newcomm=%.16s oom_score_adj=%hd", r->pid,
			r->oldcomm, r->newcomm, r->oom_score_adj);
}

EVENT(task, task_rename,
      "\"pid=%d oldcomm=%s newcomm=%s oom_score_adj=%hd\", REC->pid, REC->oldcomm, REC->newcomm, "
      "REC->oom_score_adj");

void trace_task_rename_hit(const struct task *t, const char *name)
{
	struct task_rename r = { .pid = tid_of(t) };

	memcpy(r.oldcomm, t->comm, sizeof(r.oldcomm));
	strscpy(r.newcomm, name, sizeof(r.newcomm));
	trace_event_write(&trace_task_rename, &r.entry, sizeof(r));
}

/* ---- signals ---- */

struct signal_generate {
	struct trace_entry entry;
	s32 sig, errno, code;
	char comm[16];
	s32 pid, group, result;
};

static const struct trace_field signal_generate_fields[] = {
	TRACE_FIELD(struct signal_generate, int, sig),
	TRACE_FIELD(struct signal_generate, int, errno),
	TRACE_FIELD(struct signal_generate, int, code),
	TRACE_FIELD_CHARS(struct signal_generate, comm),
	TRACE_FIELD(struct signal_generate, pid_t, pid),
	TRACE_FIELD(struct signal_generate, int, group),
	TRACE_FIELD(struct signal_generate, int, result),
};

static void print_signal_generate(struct printbuf *pb, const struct trace_event *ev,
				  const struct trace_entry *e, size_t len)
{
	const struct signal_generate *r = (const void *)e;

	printbuf_printf(pb, "sig=%d errno=%d code=%d comm=%.16s pid=%d grp=%d res=%d", r->sig,
			r->errno, r->code, r->comm, r->pid, r->group, r->result);
}

EVENT(signal, signal_generate,
      "\"sig=%d errno=%d code=%d comm=%s pid=%d grp=%d res=%d\", REC->sig, REC->errno, REC->code, "
      "REC->comm, REC->pid, "
      "REC->group, REC->result");

void trace_signal_generate_hit(int sig, const struct siginfo *info, const struct task *t,
			       bool group, int result)
{
	struct signal_generate r = {
		.sig = sig,
		.errno = info ? info->si_errno : 0,
		.code = info ? info->si_code : SI_KERNEL,
		.pid = t ? tid_of(t) : 0,
		.group = group,
		.result = result,
	};

	if (t)
		memcpy(r.comm, t->comm, sizeof(r.comm));
	trace_event_write(&trace_signal_generate, &r.entry, sizeof(r));
}

struct signal_deliver {
	struct trace_entry entry;
	s32 sig, errno, code;
	u64 sa_handler, sa_flags;
};

static const struct trace_field signal_deliver_fields[] = {
	TRACE_FIELD(struct signal_deliver, int, sig),
	TRACE_FIELD(struct signal_deliver, int, errno),
	TRACE_FIELD(struct signal_deliver, int, code),
	TRACE_FIELD(struct signal_deliver, unsigned long, sa_handler),
	TRACE_FIELD(struct signal_deliver, unsigned long, sa_flags),
};

static void print_signal_deliver(struct printbuf *pb, const struct trace_event *ev,
				 const struct trace_entry *e, size_t len)
{
	const struct signal_deliver *r = (const void *)e;

	printbuf_printf(pb, "sig=%d errno=%d code=%d sa_handler=%llx sa_flags=%llx", r->sig,
			r->errno, r->code, r->sa_handler, r->sa_flags);
}

EVENT(signal, signal_deliver,
      "\"sig=%d errno=%d code=%d sa_handler=%lx sa_flags=%lx\", REC->sig, REC->errno, REC->code, "
      "REC->sa_handler, "
      "REC->sa_flags");

void trace_signal_deliver_hit(int sig, const struct siginfo *info, const struct k_sigaction *action)
{
	struct signal_deliver r = {
		.sig = sig,
		.errno = info->si_errno,
		.code = info->si_code,
		.sa_handler = (u64)action->handler,
		.sa_flags = action->flags,
	};

	trace_event_write(&trace_signal_deliver, &r.entry, sizeof(r));
}

/* ---- page faults ---- */

struct page_fault {
	struct trace_entry entry;
	u64 address, ip, error_code;
};

static const struct trace_field page_fault_user_fields[] = {
	TRACE_FIELD(struct page_fault, unsigned long, address),
	TRACE_FIELD(struct page_fault, unsigned long, ip),
	TRACE_FIELD(struct page_fault, unsigned long, error_code),
};
#define page_fault_kernel_fields page_fault_user_fields

static void print_page_fault_user(struct printbuf *pb, const struct trace_event *ev,
				  const struct trace_entry *e, size_t len)
{
	const struct page_fault *r = (const void *)e;

	printbuf_printf(pb, "address=0x%llx ip=0x%llx error_code=0x%llx", r->address, r->ip,
			r->error_code);
}
#define print_page_fault_kernel print_page_fault_user
#define FAULT_TEXT \
	"\"address=%ps ip=%ps error_code=0x%lx\", (void *)REC->address, (void *)REC->ip, REC->error_code"

EVENT(exceptions, page_fault_user, FAULT_TEXT);
EVENT(exceptions, page_fault_kernel, FAULT_TEXT);

#define FAULT_WRITE 2u
#define FAULT_USER  4u
#define FAULT_FETCH 16u

static void page_fault(struct trace_event *ev, unsigned long address, unsigned long ip,
		       unsigned int access, u64 code)
{
	struct page_fault r = { .address = address, .ip = ip, .error_code = code };

	if (access & UCTX_WRITE)
		r.error_code |= FAULT_WRITE;
	if (access & UCTX_EXEC)
		r.error_code |= FAULT_FETCH;
	trace_event_write(ev, &r.entry, sizeof(r));
}

void trace_page_fault_user_hit(unsigned long address, unsigned long ip, unsigned int access)
{
	page_fault(&trace_page_fault_user, address, ip, access, FAULT_USER);
}

void trace_page_fault_kernel_hit(unsigned long address, unsigned int access)
{
	page_fault(&trace_page_fault_kernel, address, 0, access, 0);
}

/* ---- all of them ---- */

struct trace_event *const trace_kernel_events[] = {
	&trace_sched_switch,	   &trace_sched_waking,
	&trace_sched_wakeup,	   &trace_sched_wakeup_new,
	&trace_sched_migrate_task, &trace_sched_process_fork,
	&trace_sched_process_exec, &trace_sched_process_exit,
	&trace_sched_process_free, &trace_sched_process_wait,
	&trace_task_rename,	   &trace_signal_generate,
	&trace_signal_deliver,	   &trace_page_fault_user,
	&trace_page_fault_kernel,  NULL,
};

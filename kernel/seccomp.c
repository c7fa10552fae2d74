/* SPDX-License-Identifier: MIT */
/*
 * seccomp: strict mode, and filters in classic BPF. Source: seccomp(2), and Linux's user-space API page of its filters.
 *
 * A filter never changes and is shared: each task points at its newest, each filter at the one before it, so a fork costs one
 * reference and an older part may be common to many tasks. A program is checked once, when it is added: every jump goes
 * forward and stays inside, every path ends in a return; so running it needs no checks and ends.
 *
 * Locking: a task's state changes under s (sighand->lock), as another thread may set it (TSYNC); its own reads need no lock, because
 * a filter is only ever put in front of what is there.
 */
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/ptrace.h>
#include <kernel/files.h>
#include <kernel/seccomp.h>
#include <kernel/seccomp_notify.h>
#include <kernel/signal.h>
#include <kernel/syscall.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <uapi/machine.h>

#define MAX_INSNS_OF_TASK 32768u /* all its filters together, with a few for each */
#define INSNS_PER_FILTER  4u
#define ERRNO_MAX	  4095u

struct seccomp_filter {
	refcount_t refs;
	struct seccomp_filter *older;  /* a reference */
	struct seccomp_notify *notify; /* its listener, a reference; or NULL */
	bool log;
	u16 len;
	struct sock_filter insn[];
};

/* ---- programs ---- */

static bool alu_valid(const struct sock_filter *f)
{
	switch (BPF_OP(f->code)) {
	case BPF_DIV:
		return (f->code & BPF_X) || f->k;
	case BPF_LSH:
	case BPF_RSH:
		return (f->code & BPF_X) || f->k < 32;
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
		return true;
	case BPF_NEG:
		return !(f->code & BPF_X);
	default:
		return false;
	}
}

/* @left: instructions behind this one. */
static bool jump_valid(const struct sock_filter *f, u32 left)
{
	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return !(f->code & BPF_X) && f->k < left;
	case BPF_JEQ:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JSET:
		return f->jt < left && f->jf < left;
	default:
		return false;
	}
}

static bool insn_valid(const struct sock_filter *f, u32 left)
{
	switch (f->code) {
	case BPF_LD | BPF_ABS:
		return f->k < sizeof(struct seccomp_data) && !(f->k & 3);
	case BPF_LD | BPF_LEN:
	case BPF_LDX | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	}
	if (f->code > 0xff)
		return false;
	if (BPF_CLASS(f->code) == BPF_ALU)
		return alu_valid(f);
	return BPF_CLASS(f->code) == BPF_JMP && jump_valid(f, left);
}

static bool program_valid(const struct sock_filter *f, u32 len)
{
	for (u32 i = 0; i < len; i++)
		if (!insn_valid(&f[i], len - 1 - i))
			return false;
	return BPF_CLASS(f[len - 1].code) == BPF_RET;
}

static u32 compute(u16 code, u32 a, u32 b)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return a / b;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	case BPF_XOR:
		return a ^ b;
	default:
		return -a;
	}
}

static bool compare(u16 code, u32 a, u32 b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default:
		return a & b;
	}
}

static u32 run(const struct sock_filter *f, const struct seccomp_data *data)
{
	u32 a = 0, x = 0, mem[BPF_MEMWORDS] = { 0 };

	for (;; f++) {
		u32 operand = f->code & BPF_X ? x : f->k;

		switch (BPF_CLASS(f->code)) {
		case BPF_RET:
			return f->code & BPF_A ? a : f->k;
		case BPF_LD:
			a = f->code == (BPF_LD | BPF_ABS)   ? ((const u32 *)data)[f->k / 4]
			    : f->code == (BPF_LD | BPF_MEM) ? mem[f->k]
			    : f->code == (BPF_LD | BPF_LEN) ? (u32)sizeof(*data)
							    : f->k;
			break;
		case BPF_LDX:
			x = f->code == (BPF_LDX | BPF_MEM)   ? mem[f->k]
			    : f->code == (BPF_LDX | BPF_LEN) ? (u32)sizeof(*data)
							     : f->k;
			break;
		case BPF_ST:
			mem[f->k] = a;
			break;
		case BPF_STX:
			mem[f->k] = x;
			break;
		case BPF_ALU:
			/* Division by an X of zero ends the program, with the answer that allows least. */
			if (BPF_OP(f->code) == BPF_DIV && !operand)
				return SECCOMP_RET_KILL_THREAD;
			a = compute(f->code, a, operand);
			break;
		case BPF_JMP:
			f += BPF_OP(f->code) == BPF_JA	    ? f->k
			     : compare(f->code, a, operand) ? f->jt
							    : f->jf;
			break;
		default:
			if (f->code == (BPF_MISC | BPF_TAX))
				x = a;
			else
				a = x;
		}
	}
}

/* ---- adding ---- */

static void filter_put(struct seccomp_filter *f)
{
	while (f && refcount_dec_and_test(&f->refs)) {
		struct seccomp_filter *older = f->older;

		if (f->notify) {
			seccomp_notify_orphan(f->notify);
			seccomp_notify_put(f->notify);
		}
		kfree(f);
		f = older;
	}
}

static struct seccomp_filter *read_filter(uaddr_t uprog)
{
	struct seccomp_filter *f;
	struct sock_fprog prog;
	size_t size;

	if (get_user_obj(&prog, uprog))
		return ERR_PTR(-EFAULT);
	if (!prog.len || prog.len > BPF_MAXINSNS)
		return ERR_PTR(-EINVAL);
	if (!current->creds->no_new_privs && !current->no_new_privs && !capable(CAP_SYS_ADMIN))
		return ERR_PTR(-EACCES);
	size = prog.len * sizeof(struct sock_filter);
	f = kzalloc(sizeof(*f) + size, 0);
	if (!f)
		return ERR_PTR(-ENOMEM);
	refcount_set(&f->refs, 1);
	f->len = prog.len;
	if (copy_from_user(f->insn, prog.filter, size)) {
		kfree(f);
		return ERR_PTR(-EFAULT);
	}
	if (!program_valid(f->insn, f->len)) {
		kfree(f);
		return ERR_PTR(-EINVAL);
	}
	return f;
}

static u32 total_length(const struct seccomp_filter *f)
{
	u32 n = 0;

	for (; f; f = f->older)
		n += f->len + INSNS_PER_FILTER;
	return n;
}

/* Is @f what @newest begins with, seen from its oldest on? */
static bool is_part_of(const struct seccomp_filter *f, const struct seccomp_filter *newest)
{
	while (newest && newest != f)
		newest = newest->older;
	return newest == f;
}

/* A thread that has filters which current does not have. s held. NULL: none. */
static struct task *stranger(void)
{
	struct task *t;

	list_for_each_entry(t, &current->process->threads, thread_link)
		if (t != current && t->seccomp_mode &&
		    (t->seccomp_mode != SECCOMP_MODE_FILTER ||
		     !is_part_of(t->seccomp_filter, current->seccomp_filter)))
			return t;
	return NULL;
}

static void assign(struct task *t, struct seccomp_filter *f)
{
	__atomic_store_n(&t->seccomp_filter, f, __ATOMIC_RELEASE);
	t->seccomp_mode = SECCOMP_MODE_FILTER;
	task_set_work(t, WORK_SECCOMP);
}

/* All other threads get what current has. The references they had go into @old. s held. */
static void assign_others(void)
{
	struct task *t;

	list_for_each_entry(t, &current->process->threads, thread_link) {
		struct seccomp_filter *before = t->seccomp_filter;

		if (t == current || before == current->seccomp_filter)
			continue;
		refcount_inc(&current->seccomp_filter->refs);
		assign(t, current->seccomp_filter);
		/* Part of the new chain, which has a reference: so this is not the last, and nothing is freed under the lock. */
		BUG_ON(before && refcount_dec_and_test(&before->refs));
		if (current->creds->no_new_privs || current->no_new_privs)
			t->no_new_privs = true;
	}
}

/* Of the filters of one task, one may have a listener. */
static bool has_listener(const struct seccomp_filter *f)
{
	for (; f; f = f->older)
		if (f->notify && seccomp_notify_listening(f->notify))
			return true;
	return false;
}

/* Put @f in front of what current has, and (TSYNC) all threads have. */
static long install(struct seccomp_filter *f, unsigned int flags)
{
	struct sighand *sh;
	struct task *other = NULL;
	unsigned long irq;
	long r = 0;

	sh = sighand_lock(current->process, &irq);
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		other = stranger();
	if (current->seccomp_mode == SECCOMP_MODE_STRICT)
		r = -EINVAL;
	else if (f->notify && has_listener(current->seccomp_filter))
		r = -EBUSY;
	else if (total_length(current->seccomp_filter) + f->len > MAX_INSNS_OF_TASK)
		r = -ENOMEM;
	else if (other)
		r = flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : task_tid(other);
	if (!r) {
		f->older = current->seccomp_filter; /* its reference moves along */
		assign(current, f);
		if (flags & SECCOMP_FILTER_FLAG_TSYNC)
			assign_others();
	}
	spin_unlock_irqrestore(&sh->lock, irq);
	return r;
}

static long install_with_listener(struct seccomp_filter *f, unsigned int flags)
{
	struct file *file;
	int fd;
	long r;

	f->notify = seccomp_notify_create(flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (!f->notify)
		return -ENOMEM;
	fd = files_reserve_listener(f->notify, &file);
	if (fd < 0)
		return fd;
	r = install(f, flags);
	if (r) {
		pidfd_cancel(fd, file);
		return r;
	}
	pidfd_install(fd, file);
	return fd;
}

long seccomp_add_filter(unsigned int flags, uaddr_t uprog)
{
	struct seccomp_filter *f = read_filter(uprog);
	bool listener = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long r;

	if (IS_ERR(f))
		return PTR_ERR(f);
	f->log = flags & SECCOMP_FILTER_FLAG_LOG;
	r = listener ? install_with_listener(f, flags) : install(f, flags);
	if (listener ? r < 0 : r != 0)
		filter_put(f);
	return r;
}

int seccomp_set_strict(void)
{
	unsigned long irq;
	struct sighand *sh = sighand_lock(current->process, &irq);
	int r = current->seccomp_mode == SECCOMP_MODE_FILTER ? -EINVAL : 0;

	if (!r) {
		current->seccomp_mode = SECCOMP_MODE_STRICT;
		task_set_work(current, WORK_SECCOMP);
	}
	spin_unlock_irqrestore(&sh->lock, irq);
	return r;
}

void seccomp_fork(struct task *t)
{
	struct task *parent = current;

	t->no_new_privs = parent->no_new_privs;
	if (likely(!parent->seccomp_mode))
		return;
	t->seccomp_mode = parent->seccomp_mode;
	t->seccomp_filter = parent->seccomp_filter;
	if (t->seccomp_filter)
		refcount_inc(&t->seccomp_filter->refs);
	task_set_work(t, WORK_SECCOMP);
}

void seccomp_release(struct task *t)
{
	filter_put(t->seccomp_filter);
}

void seccomp_exit(void)
{
	struct seccomp_filter *f;
	struct sighand *sh;
	unsigned long irq;

	if (likely(!current->seccomp_filter))
		return;
	sh = sighand_lock(current->process, &irq);
	f = current->seccomp_filter;
	current->seccomp_filter = NULL;
	spin_unlock_irqrestore(&sh->lock, irq);
	filter_put(f);
}

unsigned int seccomp_filters(const struct task *t)
{
	unsigned long irq;
	struct sighand *sh = sighand_lock(t->process, &irq);
	unsigned int n = 0;

	for (struct seccomp_filter *f = t->seccomp_filter; f; f = f->older)
		n++;
	spin_unlock_irqrestore(&sh->lock, irq);
	return n;
}

/* ---- judging a call ---- */

bool seccomp_action_known(u32 action)
{
	static const u32 known[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
				     SECCOMP_RET_TRAP,	       SECCOMP_RET_ERRNO,
				     SECCOMP_RET_USER_NOTIF,   SECCOMP_RET_TRACE,
				     SECCOMP_RET_LOG,	       SECCOMP_RET_ALLOW };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == action)
			return true;
	return false;
}

/* The answer that allows least: as signed numbers the actions are in that order; the newest filter's data among equals. */
static u32 ask_filters(const struct seccomp_data *data, const struct seccomp_filter **match)
{
	const struct seccomp_filter *f =
		__atomic_load_n(&current->seccomp_filter, __ATOMIC_ACQUIRE);
	u32 least = SECCOMP_RET_ALLOW;

	for (; f; f = f->older) {
		u32 answer = run(f->insn, data);

		if ((s32)(answer & SECCOMP_RET_ACTION_FULL) <
		    (s32)(least & SECCOMP_RET_ACTION_FULL)) {
			least = answer;
			*match = f;
		}
	}
	return least;
}

static bool strict_allows(long nr)
{
	const char *name = nr >= 0 && nr < SYSCALL_TABLE_SIZE ? syscall_table[nr].name : NULL;

	return name && (!strcmp(name, "read") || !strcmp(name, "write") || !strcmp(name, "exit") ||
			!strcmp(name, "rt_sigreturn"));
}

static void send_sigsys(const struct seccomp_data *data, u32 reason)
{
	struct siginfo info = { .si_signo = SIGSYS,
				.si_errno = (s32)reason,
				.si_code = SYS_SECCOMP };

	info.sys.call_addr = data->ip;
	info.sys.syscall = data->nr;
	info.sys.arch = data->arch;
	sig_force_info(&info);
}

static void kill_for(const struct seccomp_data *data, u32 action)
{
	struct process *p = current->process;

	pr_info("%s (pid %d): killed by seccomp for system call %d\n", current->comm,
		task_pid(current), data->nr);
	if (action == SECCOMP_RET_KILL_THREAD && READ_ONCE(p->nthreads) > 1)
		do_exit(SIGSYS);
	sig_kill_self(SIGSYS);
}

/* What a filter's answer other than "go on" makes of the call. */
static long refuse(const struct seccomp_data *data, u32 answer)
{
	u32 reason = answer & SECCOMP_RET_DATA;

	syscall_restart_as(RESTART_NEVER);
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
		return -(long)min(reason, ERRNO_MAX);
	case SECCOMP_RET_TRAP:
		/* The handler finds the registers as they were at the call. */
		send_sigsys(data, reason);
		return uctx_result_untouched(&current->hal.uctx);
	case SECCOMP_RET_USER_NOTIF:
	case SECCOMP_RET_TRACE: /* there is no tracer or listener that asked for it */
		return -ENOSYS;
	default:
		kill_for(data, answer & SECCOMP_RET_ACTION_FULL);
		return -ENOSYS;
	}
}

/*
 * @asked: the tracer has seen this call already: a second TRACE lets it go on.
 */
static bool filters_allow(struct syscall_turn *turn, bool asked, long *result)
{
	const struct uctx *u = &current->hal.uctx;
	struct seccomp_data data = { .nr = (s32)turn->nr, .arch = AUDIT_ARCH, .ip = uctx_ip(u) };
	const struct seccomp_filter *match = NULL;
	u32 answer, action;

	for (unsigned int i = 0; i < 6; i++)
		data.args[i] = uctx_arg(u, i);
	answer = ask_filters(&data, &match);
	action = answer & SECCOMP_RET_ACTION_FULL;
	if (action == SECCOMP_RET_ALLOW || (action == SECCOMP_RET_TRACE && asked))
		return true;
	if (match->log || action == SECCOMP_RET_LOG)
		pr_info("%s (pid %d): seccomp answers %#x to system call %d\n", current->comm,
			task_pid(current), answer, data.nr);
	if (action == SECCOMP_RET_LOG)
		return true;
	if (action == SECCOMP_RET_TRACE && ptrace_seccomp_event(answer & SECCOMP_RET_DATA)) {
		turn->nr = uctx_syscall_nr(u);
		turn->arg0 = uctx_arg(u, 0);
		/* What the tracer made of it may be another call, for the filters to judge; or it left a result. */
		*result = uctx_result(u);
		return !fatal_signal_pending() && turn->nr >= 0 &&
		       filters_allow(turn, true, result);
	}
	*result = refuse(&data, answer);
	return action == SECCOMP_RET_USER_NOTIF && match->notify &&
	       seccomp_notify_ask(match->notify, &data, result);
}

bool seccomp_allows(struct syscall_turn *turn, long *result)
{
	if (READ_ONCE(current->trace.options) & PTRACE_O_SUSPEND_SECCOMP)
		return true;
	if (current->seccomp_mode != SECCOMP_MODE_STRICT)
		return filters_allow(turn, false, result);
	if (strict_allows(turn->nr))
		return true;
	sig_kill_self(SIGKILL);
	*result = -ENOSYS;
	return false;
}

/* ---- for a tracer ---- */

/* A reference on filter @n of @t, counted from the oldest, or an error. */
static struct seccomp_filter *nth_filter(struct task *t, u64 n)
{
	struct seccomp_filter *newest, *f;
	struct sighand *sh;
	unsigned long irq;
	u64 count = 0;

	if (!capable(CAP_SYS_ADMIN) || current->seccomp_mode)
		return ERR_PTR(-EACCES);
	sh = sighand_lock(t->process, &irq);
	newest = t->seccomp_filter;
	for (f = newest; f; f = f->older)
		count++;
	if (n < count) {
		for (f = newest; count > n + 1; count--)
			f = f->older;
		refcount_inc(&f->refs);
	}
	spin_unlock_irqrestore(&sh->lock, irq);
	if (!f)
		return ERR_PTR(newest ? -ENOENT : -EINVAL);
	return f;
}

long seccomp_get_filter(struct task *t, unsigned long n, uaddr_t data)
{
	struct seccomp_filter *f = nth_filter(t, n);
	long r;

	if (IS_ERR(f))
		return PTR_ERR(f);
	r = f->len;
	if (data && copy_to_user(data, f->insn, f->len * sizeof(f->insn[0])))
		r = -EFAULT;
	filter_put(f);
	return r;
}

long seccomp_get_metadata(struct task *t, unsigned long size, uaddr_t data)
{
	struct seccomp_metadata m = { 0 };
	struct seccomp_filter *f;

	if (!capable(CAP_SYS_ADMIN) || current->seccomp_mode)
		return -EACCES;
	size = min(size, sizeof(m));
	if (size < sizeof(m.filter_off))
		return -EINVAL;
	if (get_user_obj(&m.filter_off, data))
		return -EFAULT;
	f = nth_filter(t, m.filter_off);
	if (IS_ERR(f))
		return PTR_ERR(f);
	m.flags = f->log ? SECCOMP_FILTER_FLAG_LOG : 0;
	filter_put(f);
	return copy_to_user(data, &m, size) ? -EFAULT : (long)size;
}

/* SPDX-License-Identifier: MIT */
/*
 * Delivering signals: what happens on the way back to user mode (kernel/user_loop.c calls sig_deliver_all()).
 *
 * The next signal is taken, stops are honoured, default actions carried out, and for a handler a frame is built on the user stack.
 * An interrupted system call is finished here, too: once, by the first signal delivered, it is decided whether the program sees
 * EINTR or the call is made again (see decide_restart()).
 *
 * Sources: signal(7), sigaction(2), sigaltstack(2), restart_syscall(2).
 */
#include <hal/vdso.h>
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/ptrace.h>
#include <kernel/rseq.h>
#include <kernel/sigguard.h>
#include <kernel/signal.h>
#include <kernel/step.h>
#include <kernel/syscall.h>
#include <kernel/trace/points.h>
#include <lib/string.h>
#include <mm/vm.h>

/* ---- group stop ---- */

static void notify_parent(struct process *p)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	sig_notify_parent_locked(p);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/* A thread that stopped of itself in the last group stop, and stays so in the next. */
static bool stays(const struct process *p, const struct task *t)
{
	return p->stopping && !t->trace.tracer && t->stop_gen == p->stop_gen;
}

/*
 * Begin to stop the process; its other threads are told. s held. If it is stopped already, current is one that a tracer let run on:
 * then those that run stop once more, for their tracers; the parent has been told.
 */
static void begin_stop(struct process *p, int sig)
{
	u32 gen = p->stop_gen + 1;
	struct task *t;

	if (p->stopping && current->stop_gen != p->stop_gen)
		return;
	p->nstopped = 0;
	list_for_each_entry(t, &p->threads, thread_link) {
		if (stays(p, t)) {
			t->stop_gen = gen;
			p->nstopped++;
		} else if (t->trace.seized && t != current) {
			ptrace_notify_trap(t);
		} else if (t != current) {
			sig_poke(t);
		}
	}
	if (!p->stopped)
		p->stop_signal = sig;
	p->stopping = true;
	p->stop_gen = gen;
}

void sig_join_stop(struct task *t)
{
	struct process *p = t->process;

	if (!p->stopping || t->stop_gen == p->stop_gen)
		return;
	t->stop_gen = p->stop_gen;
	if (++p->nstopped < p->nthreads || p->stopped)
		return;
	p->stopped = true;
	p->stop_reported = false;
	p->cld_pending = CLD_STOPPED;
}

static bool still_stopped(struct process *p)
{
	return READ_ONCE(p->stopping) && READ_ONCE(p->stop_gen) == current->stop_gen &&
	       !READ_ONCE(current->trace.trap_stop) && !fatal_signal_pending();
}

/* Stay stopped until SIGCONT or the end. */
static void stay_stopped(struct process *p)
{
	notify_parent(p);
	for (;;) {
		task_prepare_sleep(TASK_STOPPED);
		if (!still_stopped(p))
			break;
		schedule();
	}
	task_finish_sleep();
	notify_parent(p);
}

/* A process group without a parent to look after it is not stopped by the terminal. */
static bool may_stop(struct process *p, int sig)
{
	return sig == SIGSTOP || !process_group_is_orphaned(p->pgrp);
}

/* Carry out the default action of a stop signal, unless SIGCONT came after it (@seq) was taken. */
static void stop_by(struct process *p, int sig, u32 seq)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock), ignored;

	if (may_stop(p, sig)) {
		struct sighand *sh = sighand_lock(p, &ignored);

		if (p->cont_seq == seq && !p->group_exit)
			begin_stop(p, sig);
		spin_unlock(&sh->lock);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/* ---- the interrupted system call ---- */

static void rewind(const struct syscall_turn *in, long nr)
{
	uctx_restart_syscall(&current->hal.uctx, in->arg0, nr);
}

/* How a tracer sees the classes. Source: Linux's ptrace interface; strace(1) prints the names. */
static const int restart_code[] = {
	[RESTART_SYS] = ERESTARTSYS,
	[RESTART_NOHAND] = ERESTARTNOHAND,
	[RESTART_BLOCK] = ERESTART_RESTARTBLOCK,
	[RESTART_ALWAYS] = ERESTARTNOINTR,
};

void syscall_restart_as(enum syscall_restart class)
{
	current->restart_class = (u8) class;
	task_set_work(current, WORK_RESTART);
}

/* Number and argument 0 are as they were at the call, or as a tracer has changed them: the result has a place of its own. */
struct syscall_turn syscall_turn_end(struct task *t, bool made)
{
	const struct uctx *u = &t->hal.uctx;
	struct syscall_turn turn = {
		.open = made,
		.restart = RESTART_NEVER,
		.nr = uctx_syscall_nr(u),
		.arg0 = uctx_arg(u, 0),
	};

	if (t->restart_class != RESTART_AS_LISTED) {
		turn.restart = t->restart_class;
		t->restart_class = RESTART_AS_LISTED;
		task_clear_work(t, WORK_RESTART);
	} else if (uctx_in_syscall(u) && (unsigned long)turn.nr < SYSCALL_TABLE_SIZE) {
		turn.restart = syscall_table[turn.nr].restart;
	}
	return turn;
}

/* The class to show; RESTART_NEVER: it is plain EINTR, or none at all. */
static unsigned int open_class(const struct syscall_turn *in)
{
	struct task *t = current;

	if (!in->open || in->resume_ip || uctx_result(&t->hal.uctx) != -EINTR ||
	    (in->restart == RESTART_BLOCK && !t->restart.fn))
		return RESTART_NEVER;
	return in->restart;
}

void sig_restart_show(const struct syscall_turn *in)
{
	unsigned int class = open_class(in);

	if (class != RESTART_NEVER)
		uctx_set_result(&current->hal.uctx, -restart_code[class]);
}

void sig_restart_take(struct syscall_turn *in)
{
	struct task *t = current;
	struct uctx *u = &t->hal.uctx;
	long result = uctx_result(u);

	if (in->resume_ip || !uctx_in_syscall(u)) {
		in->open = in->open && in->resume_ip;
		return;
	}
	in->nr = uctx_syscall_nr(u);
	in->arg0 = uctx_arg(u, 0);
	for (unsigned int class = RESTART_SYS; class < ARRAY_SIZE(restart_code); class ++) {
		if (result != -restart_code[class])
			continue;
		uctx_set_result(u, -EINTR);
		in->restart = (u8) class;
		in->open = true;
		return;
	}
	in->open = false;
}

/* Where Linux rewinds an interrupted call before it looks for signals, a tracer sees it rewound: it may set another ip. */
static void rewind_early(struct syscall_turn *in)
{
	unsigned int class = open_class(in);

	if (class == RESTART_NEVER)
		return;
	in->resume_ip = uctx_ip(&current->hal.uctx);
	rewind(in, class == RESTART_BLOCK ? restart_syscall_nr : in->nr);
}

/* A handler is to run: calls that are not made again after one see EINTR. */
static void undo_rewind(const struct syscall_turn *in, const struct k_sigaction *action)
{
	struct task *t = current;
	struct uctx *u = &t->hal.uctx;
	bool again = in->restart == RESTART_ALWAYS ||
		     (in->restart == RESTART_SYS && (action->flags & SA_RESTART));

	if (again || uctx_ip(u) != in->resume_ip - UCTX_SYSCALL_INSN_SIZE)
		return;
	uctx_restart_syscall(u, in->arg0, in->nr);
	uctx_set_ip(u, in->resume_ip);
	uctx_set_result(u, -EINTR);
}

static void show_to_tracer(struct syscall_turn *in)
{
	if (UCTX_RESTART_EARLY)
		rewind_early(in);
	else
		sig_restart_show(in);
}

/*
 * By the class of the call (syscalls.tbl; a handler of it may have chosen another): SYS is made again if the handler has SA_RESTART;
 * NOHAND and BLOCK never after a handler; ALWAYS always. Without a handler (ignored, or a stop and continuation) all three are made again, BLOCK
 * by restart_syscall, which knows how much time is left. @action NULL: no handler runs.
 */
static void decide_restart(struct syscall_turn *in, const struct k_sigaction *action)
{
	struct task *t = current;

	if (!in->open)
		return;
	in->open = false;
	if (in->resume_ip) {
		if (action)
			undo_rewind(in, action);
		return;
	}
	if (uctx_result(&t->hal.uctx) != -EINTR)
		return;
	switch ((enum syscall_restart)in->restart) {
	case RESTART_AS_LISTED: /* syscall_turn_end() has looked there */
	case RESTART_NEVER:
		break;
	case RESTART_SYS:
		if (!action || (action->flags & SA_RESTART))
			rewind(in, in->nr);
		break;
	case RESTART_NOHAND:
		if (!action)
			rewind(in, in->nr);
		break;
	case RESTART_ALWAYS:
		rewind(in, in->nr);
		break;
	case RESTART_BLOCK:
		if (!action && t->restart.fn)
			rewind(in, restart_syscall_nr);
		break;
	}
}

/* ---- alternate stack ---- */

static bool on_altstack(const struct task *t, uaddr_t sp)
{
	if ((unsigned int)t->altstack_flags & SS_AUTODISARM)
		return false;
	return sp > t->altstack_sp && sp - t->altstack_sp <= t->altstack_size;
}

static void disable_altstack(struct task *t)
{
	t->altstack_sp = 0;
	t->altstack_size = 0;
	t->altstack_flags = SS_DISABLE;
}

int sig_altstack_set(const struct stack_abi *ss, uaddr_t sp, size_t min_size)
{
	struct task *t = current;
	unsigned int mode = (unsigned int)ss->ss_flags & ~SS_AUTODISARM;

	if (on_altstack(t, sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		disable_altstack(t);
		t->altstack_flags = ss->ss_flags;
		return 0;
	}
	if (ss->ss_size < min_size)
		return -ENOMEM;
	t->altstack_sp = ss->ss_sp;
	t->altstack_size = ss->ss_size;
	t->altstack_flags = ss->ss_flags;
	return 0;
}

void sig_altstack_get(struct stack_abi *ss, uaddr_t sp)
{
	const struct task *t = current;
	unsigned int flags = t->altstack_size ? (on_altstack(t, sp) ? SS_ONSTACK : 0) : SS_DISABLE;

	memset(ss, 0, sizeof(*ss));
	ss->ss_sp = t->altstack_sp;
	ss->ss_size = t->altstack_size;
	ss->ss_flags = (s32)(flags | ((unsigned int)t->altstack_flags & SS_AUTODISARM));
}

/* Where the frame goes. False: it would not fit on the alternate stack. */
static bool choose_stack(const struct task *t, unsigned long flags, uaddr_t *sp)
{
	bool alternate = on_altstack(t, *sp);

	if ((flags & SA_ONSTACK) && t->altstack_size && !alternate) {
		*sp = t->altstack_sp + t->altstack_size;
		alternate = true;
	}
	*sp = sigguard_reserve(t, *sp);
	return !alternate || (*sp > t->altstack_sp && *sp - t->altstack_sp >= uctx_sigframe_size());
}

/* ---- handlers ---- */

/* Where a handler returns to: the program's restorer, or where it gave none, the vDSO's; 0 if there is neither. */
static uaddr_t restorer_address(const struct task *t, const struct k_sigaction *action)
{
	if (SIGACTION_HAS_RESTORER && (action->flags & SA_RESTORER))
		return sigaction_restorer(action);
	return t->vm->vdso && hal_vdso_sigreturn() ? t->vm->vdso + hal_vdso_sigreturn() : 0;
}

/* The address of a fault with the tag that the program used, if it asked for that. Source: sigaction(2), SA_EXPOSE_TAGBITS. */
static const struct siginfo *expose_tag(struct task *t, const struct siginfo *info,
					const struct k_sigaction *action, struct siginfo *tagged)
{
	bool fault = info->si_signo == SIGSEGV || info->si_signo == SIGBUS;
	uaddr_t tag = t->fault_tag;

	if (!fault || info->si_code <= 0 || info->si_code == SI_KERNEL)
		return info;
	t->fault_tag = 0;
	if (!tag || !(action->flags & SA_EXPOSE_TAGBITS))
		return info;
	*tagged = *info;
	tagged->fault.addr ^= tag;
	return tagged;
}

static_assert(sizeof(struct siginfo) == UCTX_INFO_BYTES);

static int push_frame(struct task *t, int sig, const struct siginfo *info,
		      const struct k_sigaction *action)
{
	struct siginfo tagged;
	struct sigframe_req req = {
		.sig = sig,
		.handler = action->handler,
		.restorer = restorer_address(t, action),
		.flags = action->flags,
		.info = expose_tag(t, info, action, &tagged),
		.mask = t->restore_blocked ? t->saved_blocked : t->blocked,
		.sp = uctx_sp(&t->hal.uctx),
		.ss_sp = t->altstack_sp,
		.ss_size = t->altstack_size,
		.ss_flags = t->altstack_flags,
	};
	uaddr_t frame;

	if (!choose_stack(t, action->flags, &req.sp))
		return -EFAULT;
	if (uctx_push_sigframe(&t->hal, &req, &frame))
		return -EFAULT;
	return sigguard_push(t, req.sp, req.restorer);
}

static void run_handler(struct task *t, int sig, const struct siginfo *info,
			const struct k_sigaction *action)
{
	u64 mask = t->blocked | action->mask;

	t->restart.fn = NULL;
	step_disarm(t);
	if ((unlikely(t->rseq) && rseq_signal(t)) || push_frame(t, sig, info, action)) {
		pr_debug("%s (pid %d): no room for the frame of signal %d at sp %lx\n", t->comm,
			 task_pid(t), sig, uctx_sp(&t->hal.uctx));
		if (sig == SIGSEGV)
			sig_kill_self(SIGSEGV);
		else
			sig_force(SIGSEGV, SI_KERNEL, 0);
		return;
	}
	if ((unsigned int)t->altstack_flags & SS_AUTODISARM)
		disable_altstack(t);
	t->restore_blocked = false;
	if (!(action->flags & SA_NODEFER))
		mask |= SIGMASK(sig);
	sig_set_blocked(mask);
	if (unlikely(t->trace.step))
		ptrace_handler_entered();
}

/* ---- choosing ---- */

/* Take what is to be delivered next. 0: nothing. s held. */
static int take_next(struct task *t, struct siginfo *info)
{
	int sig = t->forced.si_signo;

	if (!sig)
		return sig_dequeue(t, ~t->blocked, info);
	*info = t->forced;
	t->forced.si_signo = 0;
	return sig;
}

/* What the program wants done with @sig. s held. */
static void look_up_action(struct task *t, int sig, struct k_sigaction *action)
{
	struct k_sigaction *sa = &t->process->sighand->action[sig - 1];

	*action = *sa;
	if (sa->handler != SIG_DFL && sa->handler != SIG_IGN && (sa->flags & SA_RESETHAND))
		sa->handler = SIG_DFL;
}

/* The tracer decides what becomes of a signal. Return: the one to deliver, 0: none. */
static int ask_tracer(struct task *t, int sig, struct siginfo *info, struct k_sigaction *action,
		      struct syscall_turn *turn)
{
	unsigned long flags;
	struct sighand *sh;

	show_to_tracer(turn);
	sig = ptrace_signal_stop(sig, info);
	sig_restart_take(turn);
	if (!sig)
		return 0;
	sh = sighand_lock(t->process, &flags);
	look_up_action(t, sig, action);
	spin_unlock_irqrestore(&sh->lock, flags);
	return sig;
}

/* What delivery has to do next. */
enum step { STEP_DONE, STEP_AGAIN, STEP_HANDLER };

static enum step default_action(struct task *t, int sig, const struct siginfo *info, u32 seq)
{
	u64 bit = SIGMASK(sig);

	if ((bit & SIG_IGNORE_MASK) || sig_init_immune(t->process, info))
		return STEP_AGAIN;
	if (bit & SIG_STOP_MASK) {
		stop_by(t->process, sig, seq);
		return STEP_AGAIN;
	}
	sig_die(info);
	return STEP_DONE;
}

/* What stands before signals. */
enum halt { HALT_NONE, HALT_EXIT, HALT_STOP, HALT_TRAP, HALT_TELL };

/* s held. */
static enum halt next_halt(struct task *t)
{
	struct process *p = t->process;

	if (p->group_exit || fatal_signal_pending())
		return HALT_EXIT;
	if (p->stopping && !t->trace.tracer) {
		sig_join_stop(t);
		return HALT_STOP;
	}
	if (p->stopping && t->stop_gen != p->stop_gen)
		t->trace.trap_stop = true;
	if (ptrace_trap_pending(t))
		return HALT_TRAP;
	return p->cld_pending ? HALT_TELL : HALT_NONE;
}

static enum step carry_out_halt(struct task *t, enum halt halt, struct syscall_turn *turn)
{
	switch (halt) {
	case HALT_STOP:
		stay_stopped(t->process);
		break;
	case HALT_TRAP:
		show_to_tracer(turn);
		ptrace_trap_stop();
		sig_restart_take(turn);
		break;
	case HALT_TELL:
		notify_parent(t->process);
		break;
	default:
		return STEP_DONE;
	}
	return STEP_AGAIN;
}

static enum step next_step(struct task *t, struct siginfo *info, struct k_sigaction *action,
			   int *sig, struct syscall_turn *turn)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	enum halt halt = next_halt(t);
	u32 seq = t->process->cont_seq;
	bool ask = false;

	*sig = 0;
	if (halt == HALT_NONE) {
		*sig = take_next(t, info);
		ask = *sig && t->trace.tracer && *sig != SIGKILL;
		if (!*sig)
			sig_recalc(t);
		else if (!ask)
			look_up_action(t, *sig, action);
	}
	spin_unlock_irqrestore(&sh->lock, flags);
	if (halt != HALT_NONE)
		return carry_out_halt(t, halt, turn);
	if (!*sig)
		return STEP_DONE;
	if (ask) {
		*sig = ask_tracer(t, *sig, info, action, turn);
		if (!*sig)
			return STEP_AGAIN;
	}
	TRACE_POINT(signal_deliver, *sig, info, action);
	if (action->handler == SIG_IGN)
		return STEP_AGAIN;
	return action->handler == SIG_DFL ? default_action(t, *sig, info, seq) : STEP_HANDLER;
}

void sig_deliver_all(struct syscall_turn *turn)
{
	struct task *t = current;
	struct k_sigaction action;
	struct siginfo info;
	enum step step;
	int sig;

	while ((step = next_step(t, &info, &action, &sig, turn)) != STEP_DONE) {
		if (step != STEP_HANDLER)
			continue;
		decide_restart(turn, &action);
		run_handler(t, sig, &info, &action);
		/* The new mask was weighed against all that is pending: often that was all. */
		if (!(READ_ONCE(t->work) & WORK_SIGNAL))
			break;
	}
	decide_restart(turn, NULL);
	turn->resume_ip = 0;
	if (t->restore_blocked) {
		t->restore_blocked = false;
		sig_set_blocked(t->saved_blocked);
	}
}

/* ---- and back ---- */

void sig_return(void)
{
	struct task *t = current;
	struct sigframe_ret ret;
	struct stack_abi ss;
	int err;

	t->restart.fn = NULL;
	if (!sigguard_pop(t)) {
		sig_kill_self(SIGSEGV);
		return;
	}
	ret.taken = ret.tell_sp = false;
	err = uctx_pop_sigframe(&t->hal, &ret);
	if (likely(ret.taken))
		sig_set_blocked(ret.mask);
	if (err) {
		pr_debug("%s (pid %d): bad signal frame at sp %lx\n", t->comm, task_pid(t),
			 uctx_sp(&t->hal.uctx));
		sig_force(SIGSEGV, ret.tell_sp ? SEGV_ACCERR : SI_KERNEL,
			  ret.tell_sp ? uctx_sp(&t->hal.uctx) : 0);
		return;
	}
	ss = (struct stack_abi){ .ss_sp = ret.ss_sp,
				 .ss_size = ret.ss_size,
				 .ss_flags = ret.ss_flags };
	/* As in Linux, a stack that cannot be restored is left as it is. */
	(void)sig_altstack_set(&ss, uctx_sp(&t->hal.uctx), MINSIGSTKSZ);
}

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
#include <kernel/sigguard.h>
#include <kernel/signal.h>
#include <kernel/trace/points.h>
#include <lib/string.h>
#include <mm/vm.h>

/* A system call whose end is still to be decided. */
struct interrupted {
	bool open;
	long nr;
	unsigned long arg0;
};

/* ---- group stop ---- */

static void notify_parent(struct process *p)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	sig_notify_parent_locked(p);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/* Begin to stop the process; its other threads are told. s held. */
static void begin_stop(struct process *p, int sig)
{
	struct task *t;

	if (p->stopping)
		return;
	p->stopping = true;
	p->stopped = false;
	p->stop_signal = sig;
	p->stop_gen++;
	p->nstopped = 0;
	list_for_each_entry(t, &p->threads, thread_link)
		if (t != current)
			sig_poke(t);
}

/* Be one of those who stop. s held. */
static void join_stop(struct process *p)
{
	current->stop_gen = p->stop_gen;
	if (++p->nstopped < p->nthreads)
		return;
	p->stopped = true;
	p->stop_reported = false;
	p->cld_pending = CLD_STOPPED;
}

static bool still_stopped(struct process *p)
{
	return READ_ONCE(p->stopping) && READ_ONCE(p->stop_gen) == current->stop_gen &&
	       !fatal_signal_pending();
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

static void rewind(const struct interrupted *in, long nr)
{
	uctx_restart_syscall(&current->hal.uctx, in->arg0, nr);
}

/*
 * By the class of the call (syscalls.tbl; a handler of it may have chosen another): SYS is made again if the handler has SA_RESTART;
 * NOHAND and BLOCK never after a handler; ALWAYS always. Without a handler (ignored, or a stop and continuation) all three are made again, BLOCK
 * by restart_syscall, which knows how much time is left. @action NULL: no handler runs.
 */
static void decide_restart(struct interrupted *in, const struct k_sigaction *action)
{
	struct task *t = current;

	if (!in->open)
		return;
	in->open = false;
	if (uctx_result(&t->hal.uctx) != -EINTR)
		return;
	switch ((enum syscall_restart)t->restart_class) {
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
		return action->restorer;
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
	if (push_frame(t, sig, info, action)) {
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
}

/* ---- choosing ---- */

/* Take what is to be delivered next. 0: nothing. *action is what the program wants done with it. s held. */
static int take_next(struct task *t, struct siginfo *info, struct k_sigaction *action)
{
	struct k_sigaction *sa;
	int sig = t->forced.si_signo;

	if (sig) {
		*info = t->forced;
		t->forced.si_signo = 0;
	} else {
		sig = sig_dequeue(t, ~t->blocked, info);
	}
	if (!sig)
		return 0;
	sa = &t->process->sighand->action[sig - 1];
	*action = *sa;
	if (sa->handler != SIG_DFL && sa->handler != SIG_IGN && (sa->flags & SA_RESETHAND))
		sa->handler = SIG_DFL;
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

static enum step next_step(struct task *t, struct siginfo *info, struct k_sigaction *action,
			   int *sig)
{
	struct process *p = t->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	bool stop = p->stopping, tell = p->cld_pending;
	u32 seq = p->cont_seq;

	if (p->group_exit || fatal_signal_pending()) {
		spin_unlock_irqrestore(&sh->lock, flags);
		return STEP_DONE;
	}
	*sig = 0;
	if (stop)
		join_stop(p);
	else if (!tell)
		*sig = take_next(t, info, action);
	if (!stop && !tell && !*sig)
		sig_recalc(t);
	spin_unlock_irqrestore(&sh->lock, flags);
	if (stop)
		stay_stopped(p);
	else if (tell)
		notify_parent(p);
	if (stop || tell)
		return STEP_AGAIN;
	if (!*sig)
		return STEP_DONE;
	TRACE_POINT(signal_deliver, *sig, info, action);
	if (action->handler == SIG_IGN)
		return STEP_AGAIN;
	return action->handler == SIG_DFL ? default_action(t, *sig, info, seq) : STEP_HANDLER;
}

void sig_deliver_all(bool in_syscall, long nr, unsigned long arg0)
{
	struct interrupted in = { .open = in_syscall, .nr = nr, .arg0 = arg0 };
	struct task *t = current;
	struct k_sigaction action;
	struct siginfo info;
	enum step step;
	int sig;

	while ((step = next_step(t, &info, &action, &sig)) != STEP_DONE) {
		if (step != STEP_HANDLER)
			continue;
		decide_restart(&in, &action);
		run_handler(t, sig, &info, &action);
	}
	decide_restart(&in, NULL);
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

	t->restart.fn = NULL;
	if (!sigguard_pop(t)) {
		sig_kill_self(SIGSEGV);
		return;
	}
	if (uctx_pop_sigframe(&t->hal, &ret)) {
		pr_debug("%s (pid %d): bad signal frame at sp %lx\n", t->comm, task_pid(t),
			 uctx_sp(&t->hal.uctx));
		sig_force(SIGSEGV, SI_KERNEL, 0);
		return;
	}
	sig_set_blocked(ret.mask);
	ss = (struct stack_abi){ .ss_sp = ret.ss_sp,
				 .ss_size = ret.ss_size,
				 .ss_flags = ret.ss_flags };
	/* As in Linux, a stack that cannot be restored is left as it is. */
	(void)sig_altstack_set(&ss, uctx_sp(&t->hal.uctx), MINSIGSTKSZ);
}

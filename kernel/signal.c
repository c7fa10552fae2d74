/* SPDX-License-Identifier: MIT */
/*
 * Sending signals, and the state they live in. Delivery is in kernel/sigdeliver.c.
 *
 * A signal is first acted on (SIGCONT resumes, stop signals and SIGCONT cancel each other, a fatal one begins the end of the
 * process), then queued for a thread or for the process, then a thread that can take it is woken. WORK_SIGNAL in
 * task->work says "look at your signals": senders set it, only the thread itself clears it (sig_recalc()).
 *
 * Group stop: the first thread that takes a stop signal sets process->stopping and makes the others come; the last one to join
 * completes the stop (process->stopped) and tells the parent. stop_gen keeps apart a stop and the one that follows it.
 *
 * Locking: sighand->lock (s), interrupts off; tasklist_lock outside it. The parent is told with tasklist_lock held and s
 * released, hence process->cld_pending. Sources: signal(7), sigaction(2), kill(2), sigqueue(3), wait(2).
 */
#include <kernel/coredump.h>
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/ptrace.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/trace/points.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>

#define WAKE_SIGNAL (1u << TASK_INTERRUPTIBLE)
#define WAKE_FATAL  (WAKE_SIGNAL | (1u << TASK_KILLABLE) | (1u << TASK_STOPPED) | (1u << TASK_TRACED))

/* An action table that was replaced stays allocated (sighand->older), so that the look is safe; then look again. */
struct sighand *sighand_lock(struct process *p, unsigned long *flags)
{
	for (;;) {
		struct sighand *sh = READ_ONCE(p->sighand);

		*flags = spin_lock_irqsave(&sh->lock);
		if (likely(sh == READ_ONCE(p->sighand)))
			return sh;
		spin_unlock_irqrestore(&sh->lock, *flags);
	}
}

/*
 * The same for current's own, in a system call: there interrupts are on, and only current itself may replace the table. Unlock with
 * spin_unlock_irq().
 */
static struct sighand *sighand_lock_own(void)
{
	struct sighand *sh = current->process->sighand;

	spin_lock_irq(&sh->lock);
	return sh;
}

static void sighand_unlock(struct sighand *sh, unsigned long flags)
{
	spin_unlock_irqrestore(&sh->lock, flags);
}

/* ---- queues; s held ---- */

static void entry_free(struct process *p, struct sigqueue *q)
{
	if (q->taken) {
		list_init(&q->link);
		return;
	}
	sig_user_uncharge(q->user);
	kfree(q);
}

/* NULL: over the limit of the receiver's user, or out of memory. @force: the limit does not matter. */
static struct sigqueue *entry_alloc(struct process *p, bool force)
{
	u64 limit = force ? U64_MAX : p->rlim[RLIMIT_SIGPENDING].rlim_cur;
	struct sigqueue *q = kmalloc(sizeof(*q), GFP_ATOMIC);

	if (!q)
		return NULL;
	q->user = sig_user_charge(READ_ONCE(p->leader)->creds->uid, limit);
	if (!q->user) {
		kfree(q);
		return NULL;
	}
	q->taken = NULL;
	return q;
}

static void fill_info(struct siginfo *to, int sig, const struct siginfo *info)
{
	if (info) {
		*to = *info;
		return;
	}
	memset(to, 0, sizeof(*to));
	to->si_signo = sig;
	to->si_code = SI_KERNEL;
}

/* A standard signal without an entry still arrives, with nothing known about its sender; a queued real-time one must not get lost. */
static int enqueue(struct process *p, struct sigpending *pending, int sig,
		   const struct siginfo *info)
{
	bool from_kernel = !info || info->si_code > 0;
	struct sigqueue *q =
		entry_alloc(p, sig < SIGRTMIN && (from_kernel || info->si_code == SI_USER));

	if (q) {
		fill_info(&q->info, sig, info);
		list_add_tail(&q->link, &pending->queue);
	} else if (sig >= SIGRTMIN && info && info->si_code != SI_USER) {
		return -EAGAIN;
	}
	pending->set |= SIGMASK(sig);
	return 0;
}

static void flush_mask(struct process *p, struct sigpending *pending, u64 mask)
{
	struct sigqueue *q, *next;

	if (!(pending->set & mask))
		return;
	pending->set &= ~mask;
	list_for_each_entry_safe(q, next, &pending->queue, link) {
		if (SIGMASK(q->info.si_signo) & mask) {
			list_del(&q->link);
			entry_free(p, q);
		}
	}
}

static void flush_everywhere(struct process *p, u64 mask)
{
	struct task *t;

	flush_mask(p, &p->shared_pending, mask);
	list_for_each_entry(t, &p->threads, thread_link)
		flush_mask(p, &t->pending, mask);
}

/* Take the oldest entry of @sig out of @pending. */
static void take(struct process *p, struct sigpending *pending, int sig, struct siginfo *info)
{
	struct sigqueue *q, *found = NULL;
	bool more = false;

	list_for_each_entry(q, &pending->queue, link) {
		if (q->info.si_signo != sig)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = q;
	}
	if (!more)
		pending->set &= ~SIGMASK(sig);
	if (!found) {
		memset(info, 0, sizeof(*info));
		info->si_signo = sig;
		return;
	}
	*info = found->info;
	list_del(&found->link);
	if (found->taken) {
		list_init(&found->link);
		found->taken(found, info);
	} else {
		entry_free(p, found);
	}
}

/* Faults come first, then the lowest number. */
static int first_of(u64 set)
{
	if (set & SIG_SYNC_MASK)
		set &= SIG_SYNC_MASK;
	return __builtin_ctzll(set) + 1;
}

int sig_dequeue(struct task *t, u64 set, struct siginfo *info)
{
	struct sigpending *pending = &t->pending;
	int sig;

	if (!(pending->set & set))
		pending = &t->process->shared_pending;
	if (!(pending->set & set))
		return 0;
	sig = first_of(pending->set & set);
	take(t->process, pending, sig, info);
	return sig;
}

/* A traced thread that has joined the group stop may run on: its tracer decides. */
static bool has_to_stop(const struct task *t)
{
	const struct process *p = t->process;

	return (p->stopping && (!t->trace.tracer || t->stop_gen != p->stop_gen)) ||
	       ptrace_trap_pending(t);
}

void sig_recalc(struct task *t)
{
	struct process *p = t->process;

	if (((t->pending.set | p->shared_pending.set) & ~t->blocked) || t->forced.si_signo ||
	    has_to_stop(t) || p->cld_pending)
		task_set_work(t, WORK_SIGNAL);
	else
		task_clear_work(t, WORK_SIGNAL);
}

void sig_flush_queue(struct task *t)
{
	unsigned long flags;
	struct sighand *sh;

	if (!t->process)
		return;
	sh = sighand_lock(t->process, &flags);
	flush_mask(t->process, &t->pending, ~0ULL);
	sighand_unlock(sh, flags);
}

void sig_free_pending(struct process *p)
{
	flush_mask(p, &p->shared_pending, ~0ULL);
}

/* ---- waking threads; s held ---- */

void sig_poke(struct task *t)
{
	task_set_work(t, WORK_SIGNAL);
	if (!task_wake(t, WAKE_SIGNAL))
		sched_kick(t);
}

/* The process ends with wait status @status. */
static void begin_group_exit(struct process *p, int status)
{
	struct task *t;

	if (p->group_exit)
		return;
	p->group_exit = true;
	p->group_exit_code = status;
	p->stopping = p->stopped = false;
	p->cld_pending = 0;
	p->cont_pending = false;
	list_for_each_entry(t, &p->threads, thread_link) {
		task_set_work(t, WORK_EXIT);
		if (!task_wake(t, WAKE_FATAL))
			sched_kick(t);
	}
}

bool sig_begin_dump(struct core_dump *cd, int sig)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	bool begun = !p->group_exit && !p->group_exec;

	if (begun) {
		/* First: a thread that sees that it is to exit must see why, too. */
		WRITE_ONCE(p->core, cd);
		begin_group_exit(p, sig);
		/* The file is to be written as by anybody who is not being killed. */
		task_clear_work(current, WORK_EXIT | WORK_SIGNAL);
	}
	sighand_unlock(sh, flags);
	return begun;
}

void sig_end_dump(struct core_dump *cd, bool dumped)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);

	if (dumped && !cd->killed)
		p->group_exit_code |= 0x80;
	WRITE_ONCE(p->core, NULL);
	task_set_work(current, WORK_EXIT);
	sighand_unlock(sh, flags);
	waitq_wake_all(&p->exit_wait);
}

static bool can_take(const struct task *t, int sig)
{
	return !(t->flags & TASK_F_EXITING) && !(t->blocked & SIGMASK(sig));
}

/* The thread that is to take a signal for the process: one waiting for it, one that is free, any that does not block it. */
static struct task *pick_thread(struct process *p, int sig)
{
	struct task *t, *found = NULL;

	list_for_each_entry(t, &p->threads, thread_link) {
		if (t->sigwait & SIGMASK(sig))
			return t;
		if (!can_take(t, sig))
			continue;
		if (!found || (READ_ONCE(found->work) & WORK_SIGNAL))
			found = t;
	}
	return found;
}

void sig_retarget(struct task *leaving)
{
	struct process *p = leaving->process;
	u64 set = p->shared_pending.set & ~leaving->blocked;
	struct task *t;

	/* One thread less to wait for before a group stop is complete. */
	if (p->stopping && leaving->stop_gen == p->stop_gen && list_empty(&leaving->thread_link))
		p->nstopped--;
	if (p->stopping && !p->stopped && p->nstopped == p->nthreads) {
		p->stopped = true;
		p->stop_reported = false;
		p->cld_pending = CLD_STOPPED;
	}
	list_for_each_entry(t, &p->threads, thread_link)
		if (t != leaving && (set & ~t->blocked) && !(t->flags & TASK_F_EXITING))
			sig_poke(t);
}

void sig_wait_announce(struct task *t, u64 set)
{
	struct process *p = t->process;
	u64 left = t->sigwait & ~set & p->shared_pending.set;
	struct task *other;

	t->sigwait = set;
	/* Signals that came while only this thread was woken for them: the next waiter is to look. */
	if (!left)
		return;
	list_for_each_entry(other, &p->threads, thread_link)
		if (other != t && (other->sigwait & left))
			task_wake(other, WAKE_SIGNAL);
}

/* ---- sending ---- */

static const struct k_sigaction *action_of(const struct process *p, int sig)
{
	return &p->sighand->action[sig - 1];
}

/*
 * The first process has no default actions for what other processes send it (nobody else could reap their orphans); what it does to
 * itself, and the terminal's ^C, end it as they would any program run by itself.
 */
bool sig_init_immune(const struct process *p, const struct siginfo *info)
{
	return p == init_process && info && info->si_code <= 0 && info->si_code != SI_TIMER &&
	       info->rt.pid != p->pid->nr;
}

static bool blocked_by(struct process *p, struct task *t, int sig)
{
	if (t)
		return t->blocked & SIGMASK(sig);
	list_for_each_entry(t, &p->threads, thread_link)
		if (t->blocked & SIGMASK(sig))
			return true;
	return false;
}

/* A blocked signal is kept: its action may change before it is unblocked. A tracer wants to see all but SIGKILL. */
static bool is_ignored(struct process *p, struct task *t, int sig, const struct siginfo *info)
{
	unsigned long handler = action_of(p, sig)->handler;

	if (is_traced(t ? t : p->leader) && sig != SIGKILL)
		return false;
	if (handler != SIG_IGN && handler != SIG_DFL)
		return false;
	if (sig_init_immune(p, info) && handler == SIG_DFL)
		return (SIGMASK(sig) & SIG_KERNEL_MASK) || !blocked_by(p, t, sig);
	if (SIGMASK(sig) & SIG_KERNEL_MASK)
		return false;
	return (handler == SIG_IGN || (SIGMASK(sig) & SIG_IGNORE_MASK)) && !blocked_by(p, t, sig);
}

/* SIGCONT, whatever its action: end a stop. */
static void resume(struct process *p)
{
	struct task *t;

	p->cont_seq++;
	flush_everywhere(p, SIG_STOP_MASK);
	if (!p->stopping)
		return;
	p->cld_pending = p->stopped ? CLD_CONTINUED : CLD_STOPPED;
	p->cont_pending = true;
	p->stopping = p->stopped = false;
	p->nstopped = 0;
	list_for_each_entry(t, &p->threads, thread_link) {
		task_set_work(t, WORK_SIGNAL);
		if (t->trace.seized)
			ptrace_notify_trap(t);
		else
			task_wake(t, 1u << TASK_STOPPED);
	}
}

/* What a signal does just by being sent. Returns whether it is to be queued. */
static bool act_on_sending(struct process *p, struct task *t, int sig, const struct siginfo *info)
{
	if (p->core && sig == SIGKILL) {
		WRITE_ONCE(p->core->killed, true);
		p->group_exit_code = SIGKILL;
		sig_poke(p->core->dumper); /* the reader of a pipe may let it wait */
	}
	if (p->group_exit || list_empty(&p->threads))
		return false;
	if (SIGMASK(sig) & SIG_STOP_MASK)
		flush_everywhere(p, SIGMASK(SIGCONT));
	else if (sig == SIGCONT)
		resume(p);
	return !is_ignored(p, t, sig, info);
}

/* Does @sig end the process as soon as it is sent to @t? A traced thread stops first; for one that leaves a core a thread is taken first, whose
 * registers the core shows. */
static bool is_fatal(const struct process *p, const struct task *t, int sig)
{
	if (is_traced(t) && sig != SIGKILL)
		return false;
	return action_of(p, sig)->handler == SIG_DFL &&
	       !(SIGMASK(sig) & (SIG_IGNORE_MASK | SIG_STOP_MASK | SIG_COREDUMP_MASK));
}

/* A signal was queued: who is to see it? */
static void complete(struct process *p, struct task *t, int sig, const struct siginfo *info)
{
	waitq_wake_all(&p->signalfd_wait);
	/* A timer's goes to the thread that is running, rather than wake another. */
	if (!t && info && info->si_code == SI_TIMER && current->process == p &&
	    can_take(current, sig))
		t = current;
	if (!t)
		t = pick_thread(p, sig);
	if (!t)
		return;
	/* A stopped process dies of SIGKILL only; what else is fatal waits until it continues. */
	if (can_take(t, sig) && is_fatal(p, t, sig) && (!p->stopping || sig == SIGKILL) &&
	    !sig_init_immune(p, info)) {
		begin_group_exit(p, sig);
	} else if (can_take(t, sig)) {
		sig_poke(t);
	} else if (t->sigwait & SIGMASK(sig)) {
		task_wake(t, WAKE_SIGNAL);
	}
}

/* @t NULL: for the process. */
static int send_locked(struct process *p, struct task *t, int sig, const struct siginfo *info)
{
	struct sigpending *pending = t ? &t->pending : &p->shared_pending;
	int r = 0, result = TRACE_SIGNAL_IGNORED;

	/* What is sent to a thread that has flushed its queue for good would never be freed. */
	if ((t && (t->flags & TASK_F_EXITING)) || !act_on_sending(p, t, sig, info))
		goto out;
	result = TRACE_SIGNAL_ALREADY_PENDING;
	if (sig < SIGRTMIN && (pending->set & SIGMASK(sig)))
		goto out;
	r = enqueue(p, pending, sig, info);
	result = r ? TRACE_SIGNAL_OVERFLOW_FAIL : TRACE_SIGNAL_DELIVERED;
	if (!r)
		complete(p, t, sig, info);
out:
	TRACE_POINT(signal_generate, sig, info, t ? t : p->leader, !t, result);
	return r;
}

static int send(struct process *p, struct task *t, int sig, const struct siginfo *info)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	int r = send_locked(p, t, sig, info);

	sighand_unlock(sh, flags);
	return r;
}

int sig_send_task(struct task *t, int sig, const struct siginfo *info)
{
	return t->process ? send(t->process, t, sig, info) : -ESRCH;
}

int sig_send_process(struct process *p, int sig, const struct siginfo *info)
{
	return send(p, NULL, sig, info);
}

void sig_send_process_locked(struct process *p, int sig)
{
	(void)send_locked(p, NULL, sig, NULL);
}

bool sig_send_queued_locked(struct process *p, struct task *t, struct sigqueue *q)
{
	struct sigpending *pending = t ? &t->pending : &p->shared_pending;
	int sig = q->info.si_signo;

	if ((t && (t->flags & TASK_F_EXITING)) || !act_on_sending(p, t, sig, &q->info))
		return false;
	list_add_tail(&q->link, &pending->queue);
	pending->set |= SIGMASK(sig);
	complete(p, t, sig, &q->info);
	return true;
}

/* If @q is in @pending and alone with its signal, that is not pending any more. */
static void withdraw(struct sigpending *pending, const struct sigqueue *q)
{
	const struct sigqueue *e;
	bool here = false, others = false;

	list_for_each_entry(e, &pending->queue, link) {
		here |= e == q;
		others |= e != q && e->info.si_signo == q->info.si_signo;
	}
	if (here && !others)
		pending->set &= ~SIGMASK(q->info.si_signo);
}

void sig_unqueue_locked(struct process *p, struct sigqueue *q)
{
	struct task *t;

	if (list_empty(&q->link))
		return;
	withdraw(&p->shared_pending, q);
	list_for_each_entry(t, &p->threads, thread_link)
		withdraw(&t->pending, q);
	list_del_init(&q->link);
}

void sig_unqueue(struct process *p, struct sigqueue *q)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);

	sig_unqueue_locked(p, q);
	sighand_unlock(sh, flags);
}

int sig_send_pgrp(struct pid *pgrp, int sig, const struct siginfo *info)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct process *p;
	int r = -ESRCH;

	list_for_each_entry(p, &pgrp->group, group_link) {
		sig_send_process(p, sig, info);
		r = 0;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

int sig_check_kill(struct process *p, struct task *t, int sig)
{
	const struct creds *me = current->creds, *to;

	if (!t)
		t = p->leader;
	if (p == current->process || !t)
		return 0;
	to = t->creds;
	if (me->euid == to->suid || me->euid == to->uid || me->uid == to->suid ||
	    me->uid == to->uid || capable(CAP_KILL))
		return 0;
	return sig == SIGCONT && current->process->session == p->session ? 0 : -EPERM;
}

/* ---- faults, and death ---- */

/* Blocked or ignored, it is delivered with its default action: Linux changes action and mask the same way. */
void sig_force_info(const struct siginfo *info)
{
	struct task *t = current;
	struct process *p = t->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	int sig = info->si_signo;
	struct k_sigaction *action = &sh->action[sig - 1];

	if (action->handler == SIG_IGN || (t->blocked & SIGMASK(sig))) {
		if (action->handler != SIG_DFL)
			action->handler = SIG_DFL;
		t->blocked &= ~SIGMASK(sig);
	}
	if (action->handler == SIG_DFL && !t->trace.tracer)
		pr_debug("%s (pid %d): dies of signal %d, ip %lx address %llx\n", t->comm,
			 task_pid(t), sig, uctx_ip(&t->hal.uctx), info->fault.addr);
	t->forced = *info;
	task_set_work(t, WORK_SIGNAL);
	TRACE_POINT(signal_generate, info->si_signo, info, t, false, TRACE_SIGNAL_DELIVERED);
	sighand_unlock(sh, flags);
}

void sig_force(int sig, int code, uaddr_t addr)
{
	struct siginfo info;

	memset(&info, 0, sizeof(info));
	info.si_signo = sig;
	info.si_code = code;
	info.fault.addr = addr;
	sig_force_info(&info);
}

void sig_die(const struct siginfo *info)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh;

	if (SIGMASK(info->si_signo) & SIG_COREDUMP_MASK)
		coredump(info);
	sh = sighand_lock(p, &flags);
	begin_group_exit(p, info->si_signo);
	sighand_unlock(sh, flags);
}

void sig_kill_self(int sig)
{
	struct siginfo info;

	fill_info(&info, sig, NULL);
	sig_die(&info);
}

bool fatal_signal_pending(void)
{
	return READ_ONCE(current->work) & WORK_EXIT;
}

/* ---- masks ---- */

void sig_set_blocked(u64 mask)
{
	struct task *t = current;
	struct sighand *sh;

	mask &= ~SIG_KERNEL_MASK;
	if (mask == t->blocked)
		return;
	sh = sighand_lock_own();
	/* What this thread was woken for and now blocks is for the others. */
	if (t->process->nthreads > 1 && (t->process->shared_pending.set & mask & ~t->blocked))
		sig_retarget(t);
	t->blocked = mask;
	sig_recalc(t);
	spin_unlock_irq(&sh->lock);
}

int sig_set_temp_mask(uaddr_t umask, size_t size)
{
	u64 mask;

	if (!umask)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (get_user_obj(&mask, umask))
		return -EFAULT;
	current->saved_blocked = current->blocked;
	current->restore_blocked = true;
	sig_set_blocked(mask);
	return 0;
}

void sig_end_temp_mask(bool interrupted)
{
	struct task *t = current;

	if (!t->restore_blocked)
		return;
	if (interrupted) {
		task_set_work(t, WORK_SIGNAL);
		return;
	}
	t->restore_blocked = false;
	sig_set_blocked(t->saved_blocked);
}

/* ---- actions ---- */

#define SA_KNOWN (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND | SA_EXPOSE_TAGBITS | \
		  (SIGACTION_HAS_RESTORER ? SA_RESTORER : 0))

/* What is ignored, by the program or by default, does not stay pending. */
static bool forgets_pending(int sig, unsigned long handler)
{
	if (likely(handler > SIG_IGN))
		return false;
	return handler == SIG_IGN || (SIGMASK(sig) & SIG_IGNORE_MASK);
}

/* The end of set_action() for a signal that is ignored from now on. */
static __noinline long forget_and_unlock(struct sighand *sh, int sig)
{
	flush_everywhere(current->process, SIGMASK(sig));
	spin_unlock_irq(&sh->lock);
	return 0;
}

/* @new replaces the action of @sig, unless it is NULL; the one before goes to @old. */
static __always_inline long set_action(struct sighand *sh, int sig, const struct k_sigaction *new,
				       struct k_sigaction *old)
{
	struct k_sigaction *action;

	spin_lock_irq(&sh->lock);
	action = &sh->action[sig - 1];
	if (old)
		*old = *action;
	if (new) {
		*action = *new;
		if (unlikely(forgets_pending(sig, new->handler)))
			return forget_and_unlock(sh, sig);
	}
	spin_unlock_irq(&sh->lock);
	return 0;
}

/* The calls that want the action before: few, and longer. */
static __noinline long exchange_action(int sig, const struct k_sigaction *new, uaddr_t uold)
{
	struct k_sigaction old;

	(void)set_action(current->process->sighand, sig, new, &old);
	return put_user_words(uold, &old);
}

static __noinline long read_action(int sig, uaddr_t uold)
{
	if (sig < 1 || sig > NSIG)
		return -EINVAL;
	return uold ? exchange_action(sig, NULL, uold) : 0;
}

/* The first change, apart: it needs memory. The call begins anew. */
static __noinline long set_first_action(int sig, uaddr_t unew, uaddr_t uold)
{
	int r = sighand_own_actions(current->process->sighand);

	return r ? r : sig_set_action(sig, unew, uold);
}

long sig_set_action(int sig, uaddr_t unew, uaddr_t uold)
{
	struct sighand *sh;
	struct k_sigaction new;

	if (unlikely(!unew))
		return read_action(sig, uold);
	if (get_user_words(&new, unew))
		return -EFAULT;
	if (sig < 1 || sig > NSIG || (SIGMASK(sig) & SIG_KERNEL_MASK))
		return -EINVAL;
	new.flags = (u32) new.flags & SA_KNOWN;
	new.mask &= ~SIG_KERNEL_MASK;
	sh = current->process->sighand;
	if (unlikely(READ_ONCE(sh->action) == sig_no_actions))
		return set_first_action(sig, unew, uold);
	if (unlikely(uold)) {
		struct k_sigaction copy = new; /* so that the other stays in registers */

		return exchange_action(sig, &copy, uold);
	}
	return set_action(sh, sig, &new, NULL);
}

void sig_flush_handlers(struct sighand *sh)
{
	unsigned long flags = spin_lock_irqsave(&sh->lock);
	int n = sh->action == sig_no_actions ? 0 : NSIG;

	for (int i = 0; i < n; i++) {
		struct k_sigaction *sa = &sh->action[i];

		*sa = (struct k_sigaction){ .handler = sa->handler == SIG_IGN ? SIG_IGN : SIG_DFL };
	}
	spin_unlock_irqrestore(&sh->lock, flags);
}

int sig_exec_prepare(void)
{
	struct process *p = current->process;

	if (refcount_read(&p->sighand->refs) == 1 || p->exec_sighand)
		return 0;
	p->exec_sighand = sighand_create();
	if (p->exec_sighand && !sighand_own_actions(p->exec_sighand))
		return 0;
	sighand_put(p->exec_sighand);
	p->exec_sighand = NULL;
	return -ENOMEM;
}

/* The table was shared by CLONE_SIGHAND: go on with a copy. The old one must stay as long as somebody may be about to lock it. */
static void unshare_actions(struct process *p)
{
	struct sighand *old = p->sighand, *new = p->exec_sighand;
	unsigned long flags = spin_lock_irqsave(&old->lock);

	memcpy(new->action, old->action, NSIG * sizeof(*new->action));
	new->older = old;
	p->exec_sighand = NULL;
	WRITE_ONCE(p->sighand, new);
	spin_unlock_irqrestore(&old->lock, flags);
}

void sig_exec(void)
{
	struct process *p = current->process;

	if (p->exec_sighand)
		unshare_actions(p);
	sig_flush_handlers(p->sighand);
	current->forced.si_signo = 0;
	sigguard_clear(current);
}

/* ---- the parent ---- */

void sig_notify_parent_locked(struct process *p)
{
	unsigned long flags;
	struct sighand *sh;
	int code, value;

	if (!READ_ONCE(p->cld_pending))
		return;
	sh = sighand_lock(p, &flags);
	code = p->cld_pending;
	p->cld_pending = 0;
	value = code == CLD_CONTINUED ? SIGCONT : p->stop_signal;
	sighand_unlock(sh, flags);
	if (code)
		process_notify_parent(p, code, value);
}

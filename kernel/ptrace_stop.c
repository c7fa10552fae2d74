/* SPDX-License-Identifier: MIT */
/*
 * ptrace(2), the tracee's side: its stops.
 *
 *	signal-delivery stop	a signal was taken and would be delivered		kernel/sigdeliver.c
 *	group stop		its process is stopped by a signal			kernel/sigdeliver.c
 *	PTRACE_EVENT_STOP	the same, and INTERRUPT, for a seized tracee		kernel/sigdeliver.c
 *	other PTRACE_EVENTs	fork, vfork, clone, exec, exit, seccomp			fork.c, exec.c, exit.c, seccomp.c
 *	syscall stops		before and after a system call				kernel/user_loop.c
 *
 * All end in stop(): say what happened, tell the tracer, sleep until it lets go (or dies, or SIGKILL comes), come back with the
 * signal it gave. Only current stops, and it stops by itself: whoever wants it stopped sets a flag and wakes it.
 *
 * Locking: sighand->lock for the stop's state, tasklist_lock to tell.
 */
#include <kernel/process.h>
#include <kernel/ptrace.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/step.h>
#include <lib/string.h>

struct stop {
	int code; /* as wait reports it */
	int why;  /* CLD_TRAPPED, CLD_STOPPED */
	unsigned long message;
	struct siginfo *info;
	bool is_signal; /* a signal-delivery stop: the signal goes on if nobody holds it */
};

/* The tracer hears of it; and the parent, if this was the last thread to join a group stop. */
static void tell(const struct stop *st)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task *t = current;

	if (t->trace.tracer)
		process_notify_tracer(
			t, st->why,
			(st->why == CLD_STOPPED ? t->process->stop_signal : st->code) & 0x7f);
	sig_notify_parent_locked(t->process);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static void sleep_until_let_go(struct task *t)
{
	for (;;) {
		task_prepare_sleep(TASK_TRACED);
		if (!ptrace_stop_holds(t))
			break;
		schedule();
	}
	task_finish_sleep();
}

/* False: not traced any more, or being killed. s held. */
static bool begin_stop(struct task *t, const struct stop *st)
{
	if (!t->trace.tracer || fatal_signal_pending())
		return false;
	t->trace.stopped = true;
	t->trace.code = st->code;
	t->trace.message = st->message;
	t->trace.info = st->info;
	t->trace.trap_stop = false;
	if (st->info && st->info->si_code >> 8 == PTRACE_EVENT_STOP)
		t->trace.trap_notify = false;
	if (st->why == CLD_STOPPED)
		sig_join_stop(t);
	return true;
}

/* Return: the signal that the tracer gave; without a tracer, that of a signal-delivery stop itself. */
static int stop(const struct stop *st)
{
	struct task *t = current;
	unsigned long flags;
	struct sighand *sh;
	int sig = st->is_signal ? st->code : 0;
	bool stopped;

	step_disarm(t);
	sh = sighand_lock(t->process, &flags);
	stopped = begin_stop(t, st);
	spin_unlock_irqrestore(&sh->lock, flags);
	if (!stopped)
		return sig;
	/* Tracer and tracee take turns. */
	sched_hand_over(true);
	tell(st);
	sched_hand_over(false);
	sleep_until_let_go(t);
	sh = sighand_lock(t->process, &flags);
	sig = t->trace.code;
	t->trace.stopped = t->trace.listening = false;
	t->trace.code = 0;
	t->trace.message = 0;
	t->trace.info = NULL;
	sig_recalc(t);
	spin_unlock_irqrestore(&sh->lock, flags);
	return sig;
}

/* A stop that is no signal: siginfo is made up for it. */
static int stop_with(int sig, int code, int why, unsigned long message)
{
	struct siginfo info;
	struct stop st = { .code = code, .why = why, .message = message, .info = &info };

	memset(&info, 0, sizeof(info));
	info.si_signo = sig;
	info.si_code = code;
	info.rt.pid = task_tid(current);
	info.rt.uid = current->creds->uid;
	return stop(&st);
}

void ptrace_notify_trap(struct task *t)
{
	t->trace.trap_notify = true;
	task_set_work(t, WORK_SIGNAL);
	if (t->trace.listening) {
		t->trace.stopped = t->trace.listening = false;
		task_wake(t, 1u << TASK_TRACED);
	} else {
		sig_poke(t);
	}
}

/* ---- signals ---- */

/* As if the tracer had sent it. */
static void replace_signal(struct siginfo *info, int sig)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task *by = current->trace.tracer ? current->trace.tracer : current;

	memset(info, 0, sizeof(*info));
	info->si_signo = sig;
	info->si_code = SI_USER;
	info->rt.pid = task_pid(by);
	info->rt.uid = by->creds->uid;
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

int ptrace_signal_stop(int sig, struct siginfo *info)
{
	struct stop st = { .code = sig, .why = CLD_TRAPPED, .info = info, .is_signal = true };
	int next = stop(&st);

	if (!next || next > NSIG)
		return 0;
	if (next != info->si_signo)
		replace_signal(info, next);
	/* The tracer may have changed the mask: then it waits there. */
	if (!(current->blocked & SIGMASK(next)))
		return next;
	sig_send_task(current, next, info);
	return 0;
}

void ptrace_trap_stop(void)
{
	struct process *p = current->process;
	int sig = READ_ONCE(p->stop_signal);

	if (current->trace.seized) {
		if (!READ_ONCE(p->stopping))
			sig = SIGTRAP;
		stop_with(sig, sig | PTRACE_EVENT_STOP << 8, CLD_STOPPED, 0);
	} else {
		struct stop st = { .code = sig, .why = CLD_STOPPED };

		stop(&st);
	}
}

/* ---- events ---- */

static bool wants(unsigned int event)
{
	return is_traced(current) && (READ_ONCE(current->trace.options) & (1u << event));
}

void ptrace_event(unsigned int event, unsigned long message)
{
	if (wants(event))
		stop_with(SIGTRAP, (int)(event << 8) | SIGTRAP, CLD_TRAPPED, message);
}

void ptrace_exec_event(pid_t old_tid)
{
	if (wants(PTRACE_EVENT_EXEC))
		ptrace_event(PTRACE_EVENT_EXEC, (unsigned long)old_tid);
	else if (is_traced(current) && !current->trace.seized)
		sig_send_self(SIGTRAP);
}

void ptrace_exit_event(int status)
{
	if (!wants(PTRACE_EVENT_EXIT))
		return;
	/* The end that has begun does not end this stop; another one (exec, a second exit) does. */
	task_clear_work(current, WORK_EXIT);
	ptrace_event(PTRACE_EVENT_EXIT, (unsigned long)status);
}

/* ---- system calls ---- */

static void syscall_stop(unsigned long message)
{
	int good = READ_ONCE(current->trace.options) & PTRACE_O_TRACESYSGOOD ? 0x80 : 0;
	int sig = stop_with(SIGTRAP, SIGTRAP | good, CLD_TRAPPED, message);

	if (sig && sig <= NSIG)
		sig_send_task(current, sig, NULL);
}

bool ptrace_syscall_entry(void)
{
	struct task *t = current;
	bool emulate = t->trace.emulate;

	syscall_stop(PTRACE_EVENTMSG_SYSCALL_ENTRY);
	uctx_trace_syscall_end(&t->hal.uctx);
	return !emulate && !fatal_signal_pending();
}

bool ptrace_seccomp_event(unsigned long data)
{
	if (!wants(PTRACE_EVENT_SECCOMP))
		return false;
	ptrace_event(PTRACE_EVENT_SECCOMP, data);
	uctx_trace_syscall_end(&current->hal.uctx);
	return true;
}

void ptrace_syscall_exit(struct syscall_turn *turn)
{
	struct task *t = current;

	if (t->trace.step) {
		sig_force(SIGTRAP, TRAP_TRACE, uctx_ip(&t->hal.uctx));
		return;
	}
	sig_restart_show(turn);
	syscall_stop(PTRACE_EVENTMSG_SYSCALL_EXIT);
	sig_restart_take(turn);
}

void ptrace_handler_entered(void)
{
	if (current->trace.step)
		stop_with(SIGTRAP, SIGTRAP, CLD_TRAPPED, 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * ptrace(2), the tracer's side: who traces whom, and letting a tracee go. What is asked of a stopped tracee is in
 * kernel/ptrace_request.c, its stops are in kernel/ptrace_stop.c.
 *
 * A request holds the tracee in its stop (trace.frozen): even SIGKILL only acts when the request is done. So the tracee's registers
 * and siginfo, which lie on its kernel stack, stay where they are.
 */
#include <kernel/process.h>
#include <kernel/ptrace.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <lib/string.h>
#include <uapi/sched.h>

#define WAKE_TRACED  (1u << TASK_TRACED)
#define WAKE_STOPPED (1u << TASK_STOPPED)

/* ---- links; tasklist_lock held ---- */

/* s of @t held, too. */
static void link_tracer(struct task *t, struct task *tracer, const struct creds *creds)
{
	t->trace.tracer_creds = creds_get(creds);
	list_add_tail(&t->trace.link, &tracer->trace.tracees);
	WRITE_ONCE(t->trace.tracer, tracer);
}

/* What a new tracee begins with. s held. */
static void reset_state(struct task *t, bool seized, u32 options)
{
	t->trace.seized = seized;
	t->trace.options = options;
	t->trace.trap_stop = t->trace.trap_notify = false;
	t->trace.listening = t->trace.frozen = false;
}

/* Out of a stop with whatever trace.code says. s held. */
static void end_stop(struct task *t)
{
	t->trace.stopped = t->trace.listening = t->trace.frozen = false;
	task_wake(t, WAKE_TRACED);
}

static void stop_watching(struct task *t)
{
	task_clear_work(t, WORK_PTRACE | WORK_SYSCALL_EXIT | WORK_STEP);
	t->trace.emulate = t->trace.step = false;
}

void ptrace_unlink(struct task *t)
{
	struct process *tracer = t->trace.tracer->process;
	unsigned long ignored;
	struct sighand *sh;

	list_del_init(&t->trace.link);
	creds_put(t->trace.tracer_creds);
	t->trace.tracer_creds = NULL;
	sh = sighand_lock(t->process, &ignored);
	WRITE_ONCE(t->trace.tracer, NULL);
	stop_watching(t);
	reset_state(t, false, 0);
	/* If its process is stopped, so is it to be now, as all others are. */
	if (t->process->stopping && !(t->flags & TASK_F_EXITING))
		sig_poke(t);
	if (t->trace.stopped)
		end_stop(t);
	spin_unlock(&sh->lock);
	waitq_wake_all(&tracer->child_wait);
}

/* Let @t go; if it is dead already, the next one who wants to know of that is told, or it is gone. */
static void detach_locked(struct task *t, struct dead_list *dead)
{
	struct process *p = t->process;

	ptrace_unlink(t);
	if (t->thread_zombie)
		thread_reap(t, dead);
	else if (t == p->leader && p->zombie)
		process_zombie_announce(p, dead);
}

void ptrace_exit_tracer(struct dead_list *dead)
{
	struct task *t, *next;

	list_for_each_entry_safe(t, next, &current->trace.tracees, trace.link) {
		if (t->trace.options & PTRACE_O_EXITKILL)
			sig_send_task(t, SIGKILL, NULL);
		detach_locked(t, dead);
	}
}

/* ---- new tasks ---- */

unsigned int ptrace_event_of_clone(u64 flags, int exit_signal)
{
	unsigned int event = PTRACE_EVENT_FORK;

	if (!is_traced(current) || (flags & CLONE_UNTRACED))
		return 0;
	if (flags & CLONE_VFORK)
		event = PTRACE_EVENT_VFORK;
	else if (exit_signal != SIGCHLD)
		event = PTRACE_EVENT_CLONE;
	return READ_ONCE(current->trace.options) & (1u << event) ? event : 0;
}

void ptrace_link_child(struct task *child)
{
	struct trace_state *mine = &current->trace;

	if (!mine->tracer)
		return;
	link_tracer(child, mine->tracer, mine->tracer_creds);
	reset_state(child, mine->seized, mine->options);
	if (mine->seized)
		child->trace.trap_stop = true;
	else
		child->pending.set |= SIGMASK(SIGSTOP);
}

/* ---- TRACEME, ATTACH, SEIZE ---- */

/* May @parent trace current? It is to have all capabilities that current has. */
static bool parent_may_trace(const struct task *parent)
{
	const struct creds *c = parent->creds;

	return !(current->creds->cap_permitted & ~c->cap_permitted) ||
	       (c->cap_effective >> CAP_SYS_PTRACE & 1);
}

/* With a parent that is dying there is nobody to trace, and no error. */
static long trace_me(void)
{
	struct task *t = current, *parent;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock), ignored;
	struct sighand *sh;
	long r = 0;

	parent = t->process->parent_thread;
	if (t->trace.tracer || (parent && !parent_may_trace(parent))) {
		r = -EPERM;
	} else if (parent) {
		sh = sighand_lock(t->process, &ignored);
		link_tracer(t, parent, parent->creds);
		reset_state(t, false, 0);
		spin_unlock(&sh->lock);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

/* 0 or what SETOPTIONS and SEIZE say. */
static int check_options(unsigned long options)
{
	if (options & ~(unsigned long)PTRACE_O_MASK)
		return -EINVAL;
	if (!(options & PTRACE_O_SUSPEND_SECCOMP))
		return 0;
	return capable(CAP_SYS_ADMIN) && !current->seccomp_mode &&
			       !(current->trace.options & PTRACE_O_SUSPEND_SECCOMP)
		       ? 0
		       : -EPERM;
}

/* One that is in a group stop passes from that to a stop for its tracer. s held. Return: whether it is about to. */
static bool convert_stop(struct task *t)
{
	if (!t->process->stopping || t->stop_gen != t->process->stop_gen)
		return false;
	t->trace.trap_stop = true;
	task_set_work(t, WORK_SIGNAL);
	task_wake(t, WAKE_STOPPED);
	return true;
}

/* @wait: the caller is to wait until the group stop has become a trace stop. */
static long attach_locked(struct task *t, bool seize, u32 options, bool *wait)
{
	unsigned long ignored;
	struct sighand *sh;

	if (t->trace.tracer || t->thread_zombie || (t->flags & TASK_F_EXITING))
		return -EPERM;
	sh = sighand_lock(t->process, &ignored);
	link_tracer(t, current, current->creds);
	reset_state(t, seize, options);
	spin_unlock(&sh->lock);
	if (!seize)
		sig_send_task(t, SIGSTOP, NULL);
	sh = sighand_lock(t->process, &ignored);
	*wait = convert_stop(t);
	spin_unlock(&sh->lock);
	return 0;
}

static bool stop_converted(struct task *t)
{
	return READ_ONCE(t->trace.tracer) != current || READ_ONCE(t->trace.stopped) ||
	       !READ_ONCE(t->trace.trap_stop);
}

static long attach(struct task *t, bool seize, unsigned long addr, unsigned long options)
{
	struct process *p = t->process;
	unsigned long flags;
	bool wait = false;
	long r;

	if (seize && (addr || (options & ~(unsigned long)PTRACE_O_MASK)))
		return -EIO;
	r = seize ? check_options(options) : 0;
	if (r)
		return r;
	if (!p || p == current->process)
		return -EPERM;
	r = mutex_lock_killable(&p->exec_mutex);
	if (r)
		return r;
	r = ptrace_may_access(t, PTRACE_MODE_ATTACH_REALCREDS);
	if (!r) {
		flags = spin_lock_irqsave(&tasklist_lock);
		r = attach_locked(t, seize, seize ? (u32)options : 0, &wait);
		spin_unlock_irqrestore(&tasklist_lock, flags);
	}
	mutex_unlock(&p->exec_mutex);
	/* A tracer may count on finding it stopped: wait for what will not take long. */
	if (wait)
		(void)wait_event_killable(&current->process->child_wait, stop_converted(t));
	return r;
}

/* ---- requests ---- */

/* Hold current's tracee @t in its stop. */
static bool freeze(struct task *t)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	bool ok = t->trace.tracer == current && t->trace.stopped && !t->trace.listening &&
		  !(READ_ONCE(t->work) & WORK_EXIT);

	t->trace.frozen = ok;
	spin_unlock_irqrestore(&sh->lock, flags);
	if (!ok)
		return false;
	/* It says it is stopped just before it leaves the CPU; and then it may have to wait for one, if something woke it for nothing. */
	while (READ_ONCE(t->state) != TASK_TRACED ||
	       __atomic_load_n(&t->se.on_cpu, __ATOMIC_ACQUIRE)) {
		hal_cpu_relax();
		if (!READ_ONCE(t->se.on_cpu))
			sched_yield_current();
	}
	return true;
}

static void unfreeze(struct task *t)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);

	/* After a detach it may be another tracer's. */
	if (t->trace.tracer == current) {
		t->trace.frozen = false;
		if (t->trace.stopped && (READ_ONCE(t->work) & WORK_EXIT))
			task_wake(t, WAKE_TRACED);
	}
	spin_unlock_irqrestore(&sh->lock, flags);
}

static long detach(struct task *t, unsigned long sig)
{
	struct dead_list dead;
	unsigned long flags;

	if (sig > NSIG)
		return -EIO;
	dead_list_init(&dead);
	flags = spin_lock_irqsave(&tasklist_lock);
	t->trace.code = (int)sig;
	if (t->trace.tracer == current)
		detach_locked(t, &dead);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	dead_list_release(&dead);
	return 0;
}

static bool steps(long request)
{
	return request == PTRACE_SINGLESTEP || request == PTRACE_SYSEMU_SINGLESTEP;
}

static bool emulates(long request)
{
	return request == PTRACE_SYSEMU || request == PTRACE_SYSEMU_SINGLESTEP;
}

/* Let it run until the next stop of the kind that @request wants. */
static long resume(struct task *t, long request, unsigned long sig)
{
	unsigned long flags;
	struct sighand *sh;
	u32 work = 0;

	if (sig > NSIG)
		return -EIO;
	sh = sighand_lock(t->process, &flags);
	stop_watching(t);
	t->trace.emulate = emulates(request);
	t->trace.step = steps(request);
	if (request == PTRACE_SYSCALL)
		work = WORK_PTRACE | WORK_SYSCALL_EXIT;
	if (t->trace.emulate)
		work |= WORK_PTRACE;
	if (t->trace.step)
		work |= WORK_STEP | (t->trace.emulate ? 0 : WORK_SYSCALL_EXIT);
	task_set_work(t, work);
	t->trace.code = (int)sig;
	/* What a tracer does next is most often to wait for the next stop. */
	sched_hand_over(true);
	end_stop(t);
	sched_hand_over(false);
	spin_unlock_irqrestore(&sh->lock, flags);
	return 0;
}

static long set_options(struct task *t, unsigned long options)
{
	unsigned long flags;
	struct sighand *sh;
	int r = check_options(options);

	if (r)
		return r;
	sh = sighand_lock(t->process, &flags);
	t->trace.options = (u32)options;
	spin_unlock_irqrestore(&sh->lock, flags);
	return 0;
}

/* Make it stop wherever it is. One that listens reports again. */
static long interrupt(struct task *t)
{
	unsigned long flags;
	struct sighand *sh;

	if (!t->trace.seized)
		return -EIO;
	sh = sighand_lock(t->process, &flags);
	if (!(READ_ONCE(t->work) & WORK_EXIT)) {
		t->trace.trap_stop = true;
		sig_poke(t);
		if (t->trace.listening)
			end_stop(t);
	}
	spin_unlock_irqrestore(&sh->lock, flags);
	return 0;
}

/* Stay stopped, but tell when the group stop ends. Only from PTRACE_EVENT_STOP. */
static long listen(struct task *t)
{
	unsigned long flags;
	struct sighand *sh;
	long r = -EIO;

	if (!t->trace.seized)
		return r;
	sh = sighand_lock(t->process, &flags);
	if (t->trace.info && t->trace.info->si_code >> 8 == PTRACE_EVENT_STOP) {
		t->trace.listening = true;
		/* It changed since it stopped: report that now. */
		if (t->trace.trap_notify)
			end_stop(t);
		r = 0;
	}
	spin_unlock_irqrestore(&sh->lock, flags);
	return r;
}

/* @t is held in its stop. */
static long request_stopped(struct task *t, long request, unsigned long addr, unsigned long data)
{
	switch (request) {
	case PTRACE_DETACH:
		return detach(t, data);
	case PTRACE_CONT:
	case PTRACE_SYSCALL:
	case PTRACE_SINGLESTEP:
	case PTRACE_SYSEMU:
	case PTRACE_SYSEMU_SINGLESTEP:
		return resume(t, request, data);
	case PTRACE_SETOPTIONS:
		return set_options(t, data);
	case PTRACE_LISTEN:
		return listen(t);
	default:
		return ptrace_request(t, request, addr, data);
	}
}

static long request_of(struct task *t, long request, unsigned long addr, unsigned long data)
{
	long r;

	if (READ_ONCE(t->trace.tracer) != current)
		return -ESRCH;
	if (request == PTRACE_KILL) {
		sig_send_task(t, SIGKILL, NULL);
		return 0;
	}
	if (request == PTRACE_INTERRUPT)
		return interrupt(t);
	if (!freeze(t))
		return -ESRCH;
	r = request_stopped(t, request, addr, data);
	unfreeze(t);
	return r;
}

long do_ptrace(long request, pid_t pid, unsigned long addr, unsigned long data)
{
	struct task *t;
	long r;

	if (request == PTRACE_TRACEME)
		return trace_me();
	t = task_find_get(pid);
	if (!t)
		return -ESRCH;
	if (request == PTRACE_ATTACH || request == PTRACE_SEIZE)
		r = attach(t, request == PTRACE_SEIZE, addr, data);
	else
		r = request_of(t, request, addr, data);
	task_put(t);
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * Ending tasks: exit_group(2). Waiting for them is kernel/wait_child.c.
 *
 * A thread that exits gives back what it holds and vanishes; the last one of a process turns the process into a zombie,
 * which keeps its number and its status until the parent has waited. Children of a dead process go to the nearest
 * subreaper, or to process 1.
 *
 * Where threads are traced, their tracer comes first: a traced thread that is not the leader stays behind as a zombie of its own
 * (thread_zombie) until its tracer has waited, and the process is a zombie only when there are no such threads any more. A zombie
 * process whose leader is traced is shown to the tracer, then to the parent.
 *
 * Locking: tasklist_lock for the family tree and the zombie state; sighand->lock for the group's exit and stop state.
 */
#include <hal/power.h>
#include <hal/upcall.h>
#include <kernel/console.h>
#include <kernel/coredump.h>
#include <kernel/files.h>
#include <kernel/kill.h>
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/ns.h>
#include <kernel/ptrace.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/seccomp.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <kernel/trace/points.h>
#include <kernel/trace/profile.h>
#include <kernel/uprobe.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/vm.h>
#include <uapi/wait.h>

u64 process_count_of_user(uid_t uid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	u64 n = 0;

	for (pid_t nr = 1; nr < 32768; nr++) {
		struct pid *p = pid_find(nr);

		if (p && p->task && p->task->creds->uid == uid)
			n++;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return n;
}

/* ---- group exit ---- */

/* Make every other thread of the process leave at its next return from the kernel. s held. */
static void kill_other_threads_locked(struct process *p)
{
	struct task *t;

	list_for_each_entry(t, &p->threads, thread_link) {
		if (t == current)
			continue;
		task_set_work(t, WORK_EXIT);
		task_wake(t, (1u << TASK_INTERRUPTIBLE) | (1u << TASK_KILLABLE) |
				     (1u << TASK_STOPPED) | (1u << TASK_TRACED));
		sched_kick(t);
	}
}

void process_group_exit_signal(int status)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irqsave(&p->sighand->lock);

	if (!p->group_exit) {
		p->group_exit = true;
		p->group_exit_code = status;
		kill_other_threads_locked(p);
	}
	spin_unlock_irqrestore(&p->sighand->lock, flags);
}

void do_group_exit(int status)
{
	process_group_exit_signal(status);
	do_exit(current->process->group_exit_code);
}

int process_kill_other_threads(void)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irqsave(&p->sighand->lock);
	struct task *old_leader = NULL;
	struct pid *old;
	bool busy = p->group_exit || p->group_exec;

	if (!busy && p->nthreads > 1) {
		p->group_exec = current;
		kill_other_threads_locked(p);
	}
	spin_unlock_irqrestore(&p->sighand->lock, flags);
	if (busy)
		return -EAGAIN;
	/* Zombies, too, must have gone: a tracer is to know of every end before it hears of the exec. */
	if (wait_event_killable(&p->exit_wait,
				READ_ONCE(p->nthreads) == 1 && !READ_ONCE(p->nzombies)))
		return -EAGAIN;
	/* The survivor takes over the leader's number: to others the process has not changed. */
	flags = spin_lock_irqsave(&tasklist_lock);
	p->group_exec = NULL;
	old = current->tid;
	if (old != p->pid) {
		old->task = NULL;
		current->tid = p->pid;
		pid_get(p->pid);
		p->pid->task = current;
		old_leader = p->leader;
		p->leader = current;
		ptrace_forget(old_leader);
		pid_put_locked(old);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (old_leader)
		task_put(old_leader);
	return 0;
}

/* ---- what a dying thread gives back ---- */

void exit_release_vfork(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&t->wake_lock);
	struct vfork_wait *vw = t->vfork;

	t->vfork = NULL;
	if (vw)
		WRITE_ONCE(vw->done, true);
	spin_unlock_irqrestore(&t->wake_lock, flags);
	/* The parent takes wake_lock before its stack frame goes, so vw is still there while we hold a reason to use it. */
	if (vw)
		waitq_wake_all(&vw->q);
}

static void release_vm(struct task *t)
{
	struct vm *vm = t->vm;

	if (!vm)
		return;
	trace_profile_maps(vm);
	rseq_drop(t);
	futex_exit(t);
	uprobe_task_exit(t);
	spin_lock_irqsave(&t->wake_lock); /* task_vm_get() */
	t->vm = NULL;
	vm_activate(NULL);
	spin_unlock(&t->wake_lock);
	hal_irq_enable();
	exit_release_vfork(t);
	if (vm->rss_peak > t->process->maxrss)
		t->process->maxrss = vm->rss_peak;
	vm_put(vm);
}

/* ---- the family; tasklist_lock held ---- */

static struct process *find_reaper(struct process *dead)
{
	for (struct process *p = dead->parent; p && p != init_process; p = p->parent)
		if (p->child_subreaper && !p->dead)
			return p;
	return init_process;
}

static bool parent_is_outside(const struct process *p)
{
	return p->parent->pgrp != p->pgrp && p->parent->session == p->session;
}

/*
 * Whether @p's parent could continue it when it stops: same session, another group. Linux says that process 1 never does. Here that one may be
 * the shell that a person types into, so it does as to processes that it forked, not as to those it got when their parents died.
 */
static bool has_job_control_parent(const struct process *p)
{
	return parent_is_outside(p) && !(p->adopted && p->parent == init_process);
}

static bool orphaned_and_stopped(struct pid *pgrp, struct process *ignore)
{
	struct process *p;
	bool stopped = false;

	list_for_each_entry(p, &pgrp->group, group_link) {
		if (p == ignore || p->zombie)
			continue;
		if (has_job_control_parent(p))
			return false;
		stopped |= p->stopped;
	}
	return stopped;
}

bool process_group_is_orphaned(struct pid *pgrp)
{
	struct process *p;

	list_for_each_entry(p, &pgrp->group, group_link)
		if (!p->zombie && has_job_control_parent(p))
			return false;
	return true;
}

static void signal_orphaned_group(struct pid *pgrp)
{
	struct process *p;

	list_for_each_entry(p, &pgrp->group, group_link) {
		sig_send_process(p, SIGHUP, NULL);
		sig_send_process(p, SIGCONT, NULL);
	}
}

void process_times(struct process *p, struct cpu_times *out)
{
	struct task *t;

	*out = p->dead_times;
	list_for_each_entry(t, &p->threads, thread_link) {
		struct cpu_times times;

		sched_get_times(t, &times);
		out->user_ns += times.user_ns;
		out->system_ns += times.system_ns;
	}
}

/* What SIGCHLD tells of @t: a thread, to its tracer; a process by its leader. */
static void fill_child_info(struct task *t, struct siginfo *info, int code, int status)
{
	struct cpu_times times;

	process_times(t->process, &times);
	memset(info, 0, sizeof(*info));
	info->si_signo = SIGCHLD;
	info->si_code = code;
	info->chld.pid = task_tid(t);
	info->chld.uid = t->creds->uid;
	info->chld.status = status;
	info->chld.utime = (s64)(times.user_ns / (NSEC_PER_SEC / USER_HZ));
	info->chld.stime = (s64)(times.system_ns / (NSEC_PER_SEC / USER_HZ));
}

int wait_status_code(int status, int *value)
{
	if ((status & 0x7f) == 0) {
		*value = status >> 8 & 0xff;
		return CLD_EXITED;
	}
	*value = status & 0x7f;
	return status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

void process_notify_parent(struct process *p, int code, int value)
{
	struct process *parent = p->parent;
	struct siginfo info;

	if (!parent->leader) /* the kernel's own: it does not want to hear */
		return;
	fill_child_info(p->leader, &info, code, value);
	if (code == CLD_STOPPED || code == CLD_CONTINUED) {
		if (!(READ_ONCE(parent->sighand->action[SIGCHLD - 1].flags) & SA_NOCLDSTOP))
			sig_send_process(parent, SIGCHLD, &info);
	} else if (p->exit_signal) {
		info.si_signo = p->exit_signal;
		sig_send_process(parent, p->exit_signal, &info);
	}
	waitq_wake_all(&parent->child_wait);
}

static bool ignores_children(const struct process *p)
{
	const struct k_sigaction *sa = &p->sighand->action[SIGCHLD - 1];

	return sa->handler == SIG_IGN || (sa->flags & SA_NOCLDWAIT);
}

/* Does the parent not want to hear of its children's end? */
static bool parent_ignores(const struct process *p)
{
	return p->exit_signal == SIGCHLD && ignores_children(p->parent);
}

static void add_io_counts(struct io_counts *to, const struct io_counts *c)
{
	to->rchar += c->rchar;
	to->wchar += c->wchar;
	to->syscr += c->syscr;
	to->syscw += c->syscw;
}

void process_notify_tracer(struct task *t, int code, int value)
{
	struct process *tracer = t->trace.tracer->process;
	struct siginfo info;

	fill_child_info(t, &info, code, value);
	if (code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED ||
	    !(READ_ONCE(tracer->sighand->action[SIGCHLD - 1].flags) & SA_NOCLDSTOP))
		sig_send_process(tracer, SIGCHLD, &info);
	waitq_wake_all(&tracer->child_wait);
}

/* ---- zombies; tasklist_lock held ---- */

void dead_list_init(struct dead_list *dead)
{
	list_init(&dead->processes);
	list_init(&dead->tasks);
}

void process_reap(struct process *p, struct dead_list *dead)
{
	struct process *parent = p->parent;

	ptrace_forget(p->leader);
	parent->child_times.user_ns += p->dead_times.user_ns + p->child_times.user_ns;
	parent->child_times.system_ns += p->dead_times.system_ns + p->child_times.system_ns;
	add_io_counts(&parent->dead_io, &p->dead_io);
	parent->child_minflt += p->dead_minflt + p->child_minflt;
	parent->child_majflt += p->dead_majflt + p->child_majflt;
	parent->child_maxrss = max(parent->child_maxrss, max(p->maxrss, p->child_maxrss));
	list_del_init(&p->sibling);
	list_del_init(&p->group_link);
	list_del_init(&p->session_link);
	p->pid->process = NULL;
	p->pid->task = NULL;
	list_add_tail(&p->sibling, &dead->processes);
}

void process_zombie_announce(struct process *p, struct dead_list *dead)
{
	struct task *leader = p->leader;
	int value, code = wait_status_code(p->group_exit_code, &value);

	if (ptrace_by_stranger(leader)) {
		process_notify_tracer(leader, code, value);
		if (!ignores_children(leader->trace.tracer->process))
			return;
		ptrace_unlink(leader);
	}
	process_notify_parent(p, code, value);
	if (parent_ignores(p))
		process_reap(p, dead);
}

/* All threads are gone, and no tracer has to be told of any: the process itself is to be waited for. */
static void become_zombie(struct process *p, struct dead_list *dead)
{
	p->zombie = true;
	process_zombie_announce(p, dead);
	waitq_wake_all(&p->exit_wait);
}

void thread_reap(struct task *t, struct dead_list *dead)
{
	struct process *p = t->process;

	ptrace_forget(t);
	t->thread_zombie = false;
	t->tid->task = NULL;
	list_add_tail(&t->trace.link, &dead->tasks);
	if (--p->nzombies == 0 && p->dead)
		become_zombie(p, dead);
	else
		waitq_wake_all(&p->exit_wait);
}

/* A thread that is not the leader has left. Its reference from the tables goes, now or when its tracer has waited. */
static void thread_left(struct task *t)
{
	int value, code = wait_status_code(t->exit_code, &value);

	if (is_traced(t) && !ignores_children(t->trace.tracer->process)) {
		t->thread_zombie = true;
		t->process->nzombies++;
		task_get(t);
		process_notify_tracer(t, code, value);
		return;
	}
	if (is_traced(t)) {
		process_notify_tracer(t, code, value);
		ptrace_forget(t);
	}
	t->tid->task = NULL;
}

/* A thread that lives, to be its process's children's parent. */
static struct task *live_thread(struct process *p)
{
	return list_empty(&p->threads) ? NULL
				       : list_first_entry(&p->threads, struct task, thread_link);
}

/* From here on no child takes @t for its tracer (PTRACE_TRACEME): @t has let its tracees go, for the last time. */
static void thread_leaves_children(struct task *t)
{
	struct process *child;

	list_for_each_entry(child, &t->process->children, sibling)
		if (child->parent_thread == t)
			child->parent_thread = live_thread(t->process);
}

/* The threads of @child that asked to hear of their parent's death are told, by the parent. */
static void tell_death(struct process *child)
{
	struct siginfo info;
	struct task *t;

	list_for_each_entry(t, &child->threads, thread_link)
		if (t->pdeath_signal) {
			sig_info_user(&info, t->pdeath_signal, SI_USER);
			sig_send_process(child, t->pdeath_signal, &info);
		}
}

static void give_children_away(struct process *p, struct dead_list *dead)
{
	struct process *reaper = find_reaper(p), *child, *next;

	list_for_each_entry_safe(child, next, &p->children, sibling) {
		bool orphaned;

		child->parent = reaper;
		child->adopted = true;
		child->parent_thread = live_thread(reaper);
		child->exit_signal = SIGCHLD;
		list_move_tail(&child->sibling, &reaper->children);
		tell_death(child);
		if (child->zombie) {
			if (!ptrace_by_stranger(child->leader))
				process_zombie_announce(child, dead);
			continue;
		}
		orphaned = child->pgrp != p->pgrp && child->session == p->session &&
			   orphaned_and_stopped(child->pgrp, NULL);
		if (orphaned)
			signal_orphaned_group(child->pgrp);
	}
}

static void release_process(struct process *p)
{
	struct task *leader = p->leader;

	p->leader = NULL;
	task_put(leader);
	process_put(p);
}

void dead_list_release(struct dead_list *dead)
{
	struct process *p, *next_p;
	struct task *t, *next_t;

	list_for_each_entry_safe(p, next_p, &dead->processes, sibling) {
		list_del_init(&p->sibling);
		release_process(p);
	}
	list_for_each_entry_safe(t, next_t, &dead->tasks, trace.link) {
		list_del_init(&t->trace.link);
		task_put(t);
	}
}

/* The last thread is gone: zombie, or gone at once when nobody cares. */
static void process_died(struct process *p, int status)
{
	struct dead_list dead;
	unsigned long flags;

	posix_timers_exit(p);
	if (unlikely(p->sem_undo))
		ipc_process_exit(p);
	if (p->session_leader)
		files_session_exit(p);
	dead_list_init(&dead);
	flags = spin_lock_irqsave(&tasklist_lock);
	give_children_away(p, &dead);
	if (parent_is_outside(p) && orphaned_and_stopped(p->pgrp, p))
		signal_orphaned_group(p->pgrp);
	p->group_exit_code = status;
	p->dead = true;
	if (!p->nzombies)
		become_zombie(p, &dead);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	dead_list_release(&dead);
}

static void add_times(struct process *p, struct task *t)
{
	struct cpu_times times;

	sched_get_times(t, &times);
	p->dead_times.user_ns += times.user_ns;
	p->dead_times.system_ns += times.system_ns;
	p->dead_nvcsw += t->nvcsw;
	p->dead_nivcsw += t->nivcsw;
	add_io_counts(&p->dead_io, &t->io);
	p->dead_minflt += t->min_flt;
	p->dead_majflt += t->maj_flt;
}

/* Leave the process. Returns whether this was its last thread. */
static bool leave_process(struct task *t)
{
	struct process *p = t->process;
	struct dead_list dead;
	unsigned long flags;
	bool last;

	dead_list_init(&dead);
	flags = spin_lock_irqsave(&tasklist_lock);
	ptrace_exit_tracer(&dead);
	spin_lock(&p->sighand->lock);
	list_del_init(&t->thread_link);
	last = --p->nthreads == 0;
	if (!last)
		sig_retarget(t);
	spin_unlock(&p->sighand->lock);
	sig_notify_parent_locked(p);
	add_times(p, t);
	/* One reference is the run queue's (dropped by sched_exit()); a leader's other one is dropped when it is reaped. */
	if (t == p->leader)
		task_get(t);
	else
		thread_left(t);
	thread_leaves_children(t);
	if (!last)
		waitq_wake_all(&p->exit_wait);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	dead_list_release(&dead);
	return last;
}

/* The whole system ends with its first process. */
static __noreturn void init_died(int status)
{
	int value, code = wait_status_code(status, &value);

	trace_profile_end();
	files_sync();
	console_report_exit(code == CLD_EXITED ? value : 128 + value);
	hal_power_off(code == CLD_EXITED ? value : 128 + value);
}

void do_exit(int status)
{
	struct task *t = current;
	struct process *p = t->process;
	bool last;

	coredump_join();
	ptrace_exit_event(status);
	TRACE_POINT(sched_process_exit, t);
	t->flags |= TASK_F_EXITING;
	t->exit_code = status;
	release_vm(t);
	files_exit(t);
	ns_exit(t);
	seccomp_exit();
	sig_flush_queue(t);
	last = leave_process(t);
	/* Only now nobody can begin a group exit any more. */
	if (p->group_exit)
		status = p->group_exit_code;
	if (last && p == init_process)
		init_died(status);
	if (last)
		process_died(p, status);
	sched_exit();
}

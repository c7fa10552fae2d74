/* SPDX-License-Identifier: MIT */
/*
 * Ending tasks, and waiting for children: exit_group(2), wait4(2), waitid(2).
 *
 * A thread that exits gives back what it holds and vanishes; the last one of a process turns the process into a zombie,
 * which keeps its number and its status until the parent has waited. Children of a dead process go to the nearest
 * subreaper, or to process 1.
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
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <kernel/trace/points.h>
#include <kernel/trace/profile.h>
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
	if (wait_event_killable(&p->exit_wait, READ_ONCE(p->nthreads) == 1))
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
	futex_exit(t);
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
		if (p->child_subreaper && !p->zombie)
			return p;
	return init_process;
}

/*
 * Whether @p's parent could continue it when it stops: same session, another group. Linux makes an
 * exception of the first process; here that one may be the shell that a person types into, so it is
 * a parent like any other (an init proper is in a session of its own and does not count anyway).
 */
static bool has_job_control_parent(const struct process *p)
{
	return p->parent && p->parent->pgrp != p->pgrp && p->parent->session == p->session;
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

static void fill_child_info(struct process *p, struct siginfo *info, int code, int status)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = SIGCHLD;
	info->si_code = code;
	info->chld.pid = p->pid->nr;
	info->chld.uid = p->leader->creds->uid;
	info->chld.status = status;
	info->chld.utime = (s64)(p->dead_times.user_ns / (NSEC_PER_SEC / USER_HZ));
	info->chld.stime = (s64)(p->dead_times.system_ns / (NSEC_PER_SEC / USER_HZ));
}

/* Decode a wait status for SIGCHLD and waitid. */
static int status_code(int status, int *value)
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

	fill_child_info(p, &info, code, value);
	if (code == CLD_STOPPED || code == CLD_CONTINUED) {
		if (!(READ_ONCE(parent->sighand->action[SIGCHLD - 1].flags) & SA_NOCLDSTOP))
			sig_send_process(parent, SIGCHLD, &info);
	} else if (p->exit_signal) {
		info.si_signo = p->exit_signal;
		sig_send_process(parent, p->exit_signal, &info);
	}
	waitq_wake_all(&parent->child_wait);
}

/* Does the parent not want to hear of its children's end? */
static bool parent_ignores(const struct process *p)
{
	const struct k_sigaction *sa = &p->parent->sighand->action[SIGCHLD - 1];

	return p->exit_signal == SIGCHLD && (sa->handler == SIG_IGN || (sa->flags & SA_NOCLDWAIT));
}

static void add_io_counts(struct io_counts *to, const struct io_counts *c)
{
	to->rchar += c->rchar;
	to->wchar += c->wchar;
	to->syscr += c->syscr;
	to->syscw += c->syscw;
}

/* Take a zombie out of all tables. Its structures go with their last references. */
static void reap_locked(struct process *p)
{
	struct process *parent = p->parent;

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

static void give_children_away(struct process *p, struct list *reaped)
{
	struct process *reaper = find_reaper(p), *child, *next;

	list_for_each_entry_safe(child, next, &p->children, sibling) {
		bool orphaned;

		child->parent = reaper;
		child->exit_signal = SIGCHLD;
		list_move_tail(&child->sibling, &reaper->children);
		tell_death(child);
		if (child->zombie) {
			if (parent_ignores(child)) {
				reap_locked(child);
				list_add_tail(&child->sibling, reaped);
			} else {
				process_notify_parent(child, CLD_EXITED, 0);
			}
			continue;
		}
		orphaned = child->pgrp != p->pgrp && orphaned_and_stopped(child->pgrp, NULL);
		if (orphaned)
			signal_orphaned_group(child->pgrp);
	}
}

/* Release processes that were reaped under the lock, and their leaders. */
static void release_process(struct process *p)
{
	struct task *leader = p->leader;

	p->leader = NULL;
	task_put(leader);
	process_put(p);
}

/* The last thread is gone: zombie, or gone at once when nobody cares. */
static void process_died(struct process *p, int status)
{
	struct process *child, *next;
	unsigned long flags;
	bool gone;
	int code, value;
	DEFINE_LIST(reaped);

	posix_timers_exit(p);
	if (unlikely(p->sem_undo))
		ipc_process_exit(p);
	if (p->session_leader)
		files_session_exit(p);
	flags = spin_lock_irqsave(&tasklist_lock);
	give_children_away(p, &reaped);
	if (orphaned_and_stopped(p->pgrp, p))
		signal_orphaned_group(p->pgrp);
	p->group_exit_code = status;
	p->zombie = true;
	gone = parent_ignores(p);
	code = status_code(status, &value);
	process_notify_parent(p, code, value);
	if (gone) {
		reap_locked(p);
		list_add_tail(&p->sibling, &reaped);
	}
	waitq_wake_all(&p->exit_wait);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	list_for_each_entry_safe(child, next, &reaped, sibling) {
		list_del_init(&child->sibling);
		release_process(child);
	}
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
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	bool last;

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
		t->tid->task = NULL;
	if (!last)
		waitq_wake_all(&p->exit_wait);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return last;
}

/* The whole system ends with its first process. */
static __noreturn void init_died(int status)
{
	int value, code = status_code(status, &value);

	trace_profile_end();
	console_report_exit(code == CLD_EXITED ? value : 128 + value);
	hal_power_off(code == CLD_EXITED ? value : 128 + value);
}

void do_exit(int status)
{
	struct task *t = current;
	struct process *p = t->process;
	bool last;

	coredump_join();
	TRACE_POINT(sched_process_exit, t);
	t->flags |= TASK_F_EXITING;
	t->exit_code = status;
	release_vm(t);
	files_exit(t);
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

/* ---- wait ---- */

static bool wait_matches(const struct wait_req *req, const struct process *p)
{
	bool clone_child = p->exit_signal != SIGCHLD;

	switch (req->idtype) {
	case P_PID:
		if (p->pid->nr != req->id)
			return false;
		break;
	case P_PGID:
		if (p->pgrp->nr != req->id)
			return false;
		break;
	}
	return (req->options & __WALL) || clone_child == !!(req->options & (int)__WCLONE);
}

static void fill_result(struct process *p, struct wait_result *res)
{
	memset(res, 0, sizeof(*res));
	res->pid = p->pid->nr;
	res->uid = p->leader ? p->leader->creds->uid : 0;
	res->times.user_ns = p->dead_times.user_ns + p->child_times.user_ns;
	res->times.system_ns = p->dead_times.system_ns + p->child_times.system_ns;
	res->minflt = p->dead_minflt + p->child_minflt;
	res->majflt = p->dead_majflt + p->child_majflt;
	res->maxrss = max(p->maxrss, p->child_maxrss);
}

/* Is there something to report about @p? tasklist_lock held. *reap: the caller must release it. */
static bool try_report(const struct wait_req *req, struct process *p, struct wait_result *res,
		       bool *reap)
{
	if (p->zombie) {
		if (!(req->options & WEXITED))
			return false;
		fill_result(p, res);
		res->status = p->group_exit_code;
		res->code = status_code(res->status, &res->value);
		*reap = !(req->options & WNOWAIT);
		return true;
	}
	if (p->stopped && (req->options & WSTOPPED) && !p->stop_reported) {
		fill_result(p, res);
		res->code = CLD_STOPPED;
		res->value = p->stop_signal;
		res->status = p->stop_signal << 8 | 0x7f;
		if (!(req->options & WNOWAIT))
			p->stop_reported = true;
		return true;
	}
	if (p->cont_pending && (req->options & WCONTINUED)) {
		fill_result(p, res);
		res->code = CLD_CONTINUED;
		res->value = SIGCONT;
		res->status = 0xffff;
		if (!(req->options & WNOWAIT))
			p->cont_pending = false;
		return true;
	}
	return false;
}

/* One look at all children: 1 reported, 0 nothing yet, -ECHILD none fits. */
static int scan_children(const struct wait_req *req, struct wait_result *res)
{
	struct process *self = current->process, *p, *found = NULL;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	bool reap = false;
	int r = -ECHILD;

	list_for_each_entry(p, &self->children, sibling) {
		if (!wait_matches(req, p))
			continue;
		r = 0;
		if (try_report(req, p, res, &reap)) {
			found = p;
			r = 1;
			break;
		}
	}
	if (found && reap)
		reap_locked(found);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (found && reap)
		release_process(found);
	return r;
}

int do_wait(const struct wait_req *req, struct wait_result *res)
{
	struct waitq *q = &current->process->child_wait;
	struct waiter w;
	int r;

	TRACE_POINT(sched_process_wait, req->idtype == P_PID ? (pid_t)req->id : 0);
	r = scan_children(req, res);
	if (r || (req->options & WNOHANG))
		return r;
	waiter_init(&w);
	waitq_add(q, &w);
	for (;;) {
		task_prepare_sleep(TASK_INTERRUPTIBLE);
		r = scan_children(req, res);
		if (r)
			break;
		if (sleep_interrupted(TASK_INTERRUPTIBLE)) {
			r = -EINTR;
			break;
		}
		schedule();
	}
	task_finish_sleep();
	waitq_remove(q, &w);
	return r;
}

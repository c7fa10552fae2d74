/* SPDX-License-Identifier: MIT */
/*
 * Waiting for children and tracees: wait4(2), waitid(2).
 *
 * A process waits for its children, any of its threads for any of them; a tracer (again with all threads of its process) for
 * the threads it traces, one by one. __WNOTHREAD narrows both to those of the calling thread. A child that is traced by somebody else is still
 * reported when it stops or continues as a whole, but its end is the tracer's to see first.
 *
 * Locking: tasklist_lock; a tracee's stop under its sighand->lock. Whoever makes something reportable wakes process->child_wait.
 */
#include <kernel/process.h>
#include <kernel/ptrace.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/trace/points.h>
#include <lib/string.h>
#include <uapi/wait.h>

/* One look at everything. */
struct scan {
	const struct wait_req *req;
	struct wait_result *res;
	struct dead_list dead;
	bool any; /* something fits, though nothing is to be said about it yet */
};

static bool id_matches(const struct wait_req *req, const struct task *t)
{
	switch (req->idtype) {
	case P_PID:
		return task_tid(t) == req->id;
	case P_PGID:
		return t->process->pgrp->nr == req->id;
	default:
		return true;
	}
}

/* __WALL and __WCLONE choose among children; a tracee always fits. */
static bool kind_matches(const struct wait_req *req, const struct process *p)
{
	bool clone_child = p->exit_signal != SIGCHLD;

	return (req->options & __WALL) || clone_child == !!(req->options & (int)__WCLONE);
}

static void fill_result(struct task *t, struct wait_result *res)
{
	struct process *p = t->process;

	memset(res, 0, sizeof(*res));
	res->pid = task_tid(t);
	res->uid = t->creds->uid;
	process_times(p, &res->times);
	res->times.user_ns += p->child_times.user_ns;
	res->times.system_ns += p->child_times.system_ns;
	res->minflt = p->dead_minflt + p->child_minflt;
	res->majflt = p->dead_majflt + p->child_majflt;
	res->maxrss = max(p->maxrss, p->child_maxrss);
}

static void fill_exited(struct task *t, struct wait_result *res, int status)
{
	fill_result(t, res);
	res->status = status;
	res->code = wait_status_code(status, &res->value);
}

static bool report_zombie_process(struct scan *s, struct process *p)
{
	bool keep = s->req->options & WNOWAIT;

	if (!(s->req->options & WEXITED))
		return false;
	fill_exited(p->leader, s->res, p->group_exit_code);
	if (keep)
		return true;
	if (ptrace_by_stranger(p->leader)) {
		/* The tracer has seen it; now it is the parent's. */
		ptrace_unlink(p->leader);
		process_zombie_announce(p, &s->dead);
	} else {
		process_reap(p, &s->dead);
	}
	return true;
}

static bool report_zombie_thread(struct scan *s, struct task *t)
{
	if (!(s->req->options & WEXITED))
		return false;
	fill_exited(t, s->res, t->exit_code);
	if (!(s->req->options & WNOWAIT))
		thread_reap(t, &s->dead);
	return true;
}

/* A stop that a tracer has not yet seen. One that a SIGKILL ends is not seen any more: who has killed waits for the end. */
static bool report_trace_stop(struct scan *s, struct task *t)
{
	unsigned long ignored;
	struct sighand *sh = sighand_lock(t->process, &ignored);
	int code = ptrace_stop_holds(t) && !t->trace.listening ? t->trace.code : 0;

	if (code && !(s->req->options & WNOWAIT))
		t->trace.code = 0;
	spin_unlock(&sh->lock);
	if (!code)
		return false;
	fill_result(t, s->res);
	s->res->code = CLD_TRAPPED;
	s->res->value = code;
	s->res->status = code << 8 | 0x7f;
	return true;
}

static bool report_group_stop(struct scan *s, struct process *p)
{
	if (!p->stopped || !(s->req->options & WSTOPPED) || p->stop_reported)
		return false;
	fill_result(p->leader, s->res);
	s->res->code = CLD_STOPPED;
	s->res->value = p->stop_signal;
	s->res->status = p->stop_signal << 8 | 0x7f;
	if (!(s->req->options & WNOWAIT))
		p->stop_reported = true;
	return true;
}

static bool report_continued(struct scan *s, struct task *t)
{
	struct process *p = t->process;

	if (!p->cont_pending || !(s->req->options & WCONTINUED))
		return false;
	fill_result(t, s->res);
	s->res->code = CLD_CONTINUED;
	s->res->value = SIGCONT;
	s->res->status = 0xffff;
	if (!(s->req->options & WNOWAIT))
		p->cont_pending = false;
	return true;
}

static bool look_at_tracee(struct scan *s, struct task *t)
{
	struct process *p = t->process;

	if (!id_matches(s->req, t))
		return false;
	s->any = true;
	if (t->thread_zombie)
		return report_zombie_thread(s, t);
	if (t == p->leader && p->zombie)
		return report_zombie_process(s, p);
	return report_trace_stop(s, t) || report_continued(s, t);
}

static bool look_at_child(struct scan *s, struct process *p)
{
	struct task *leader = p->leader;

	if (!id_matches(s->req, leader) || !kind_matches(s->req, p))
		return false;
	if (leader->trace.tracer && !ptrace_by_stranger(leader))
		return look_at_tracee(s, leader);
	s->any = true;
	if (p->zombie)
		return !leader->trace.tracer && report_zombie_process(s, p);
	return report_group_stop(s, p) || report_continued(s, leader);
}

static bool scan_tracees(struct scan *s, struct task *tracer)
{
	struct task *t;

	list_for_each_entry(t, &tracer->trace.tracees, trace.link)
		if (look_at_tracee(s, t))
			return true;
	return false;
}

static bool scan_all(struct scan *s)
{
	struct process *self = current->process, *p;
	bool own = s->req->options & __WNOTHREAD;
	struct task *t;

	list_for_each_entry(p, &self->children, sibling)
		if ((!own || p->parent_thread == current) && look_at_child(s, p))
			return true;
	if (own)
		return scan_tracees(s, current);
	list_for_each_entry(t, &self->threads, thread_link)
		if (scan_tracees(s, t))
			return true;
	return false;
}

/* 1 reported, 0 nothing yet, -ECHILD none fits. */
static int scan(const struct wait_req *req, struct wait_result *res)
{
	struct scan s = { .req = req, .res = res };
	unsigned long flags;
	bool found;

	dead_list_init(&s.dead);
	flags = spin_lock_irqsave(&tasklist_lock);
	found = scan_all(&s);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	dead_list_release(&s.dead);
	return found ? 1 : s.any ? 0 : -ECHILD;
}

int do_wait(const struct wait_req *req, struct wait_result *res)
{
	struct waitq *q = &current->process->child_wait;
	struct waiter w;
	int r;

	TRACE_POINT(sched_process_wait, req->idtype == P_PID ? (pid_t)req->id : 0);
	r = scan(req, res);
	if (r || (req->options & WNOHANG))
		return r;
	waiter_init(&w);
	waitq_add(q, &w);
	for (;;) {
		task_prepare_sleep(TASK_INTERRUPTIBLE);
		r = scan(req, res);
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

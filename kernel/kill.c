/* SPDX-License-Identifier: MIT */
/*
 * Signals that programs send each other: who may, and to whom (kill(2), tgkill(2), rt_sigqueueinfo(2)).
 */
#include <kernel/kill.h>
#include <kernel/signal.h>
#include <lib/string.h>

void sig_info_user(struct siginfo *info, int sig, int code)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = sig;
	info->si_code = code;
	info->rt.pid = task_pid(current);
	info->rt.uid = current->creds->uid;
}

void sig_send_self(int sig)
{
	struct siginfo info;

	sig_info_user(&info, sig, SI_USER);
	sig_send_task(current, sig, &info);
}

/* Signal 0 only asks whether it could be sent. */
static int send_checked(struct process *p, struct task *t, int sig, const struct siginfo *info)
{
	int r;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	r = sig_check_kill(p, t, sig);
	if (r || !sig)
		return r;
	return t ? sig_send_task(t, sig, info) : sig_send_process(p, sig, info);
}

int kill_process(struct process *p, int sig, const struct siginfo *info)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	int r = send_checked(p, NULL, sig, info);

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

int kill_pid(pid_t nr, int sig, const struct siginfo *info)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *pid = pid_find(nr);
	struct process *p = pid ? pid->process : NULL;
	int r = -ESRCH;

	/* The number of any thread names its process. */
	if (!p && pid && pid->task)
		p = pid->task->process;
	if (p)
		r = send_checked(p, NULL, sig, info);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

int kill_thread(pid_t tgid, pid_t tid, int sig, const struct siginfo *info)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *pid = pid_find(tid);
	struct task *t = pid ? pid->task : NULL;
	int r = -ESRCH;

	if (t && t->process && (!tgid || task_pid(t) == tgid))
		r = send_checked(t->process, t, sig, info);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

/* @nr 0: the caller's own group. Success if anyone could be signalled. */
static int kill_pgrp(pid_t nr, int sig, const struct siginfo *info)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *pgrp = nr ? pid_find(nr) : current->process->pgrp;
	bool success = false;
	struct process *p;
	int r = -ESRCH;

	if (pgrp) {
		list_for_each_entry(p, &pgrp->group, group_link) {
			r = send_checked(p, NULL, sig, info);
			success |= !r;
		}
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return success ? 0 : r;
}

/* Everybody but process 1 and ourselves. */
static int kill_all(int sig, const struct siginfo *info)
{
	bool found = false;
	int r = 0;

	for (pid_t nr = pid_next(2); nr; nr = pid_next(nr + 1)) {
		struct process *p = process_find_get(nr);
		int one;

		if (p && p != current->process) {
			found = true;
			one = kill_process(p, sig, info);
			if (one != -EPERM)
				r = one;
		}
		if (p)
			process_put(p);
	}
	return found ? r : -ESRCH;
}

int kill_any(pid_t pid, int sig, const struct siginfo *info)
{
	if (pid > 0)
		return kill_pid(pid, sig, info);
	if (pid == -1)
		return kill_all(sig, info);
	return pid == INT_MIN ? -ESRCH : kill_pgrp(-pid, sig, info);
}

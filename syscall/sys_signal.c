/* SPDX-License-Identifier: MIT */
/* Signals: sigaction(2), sigprocmask(2), sigpending(2), sigsuspend(2), sigtimedwait(2), sigaltstack(2), kill(2), sigqueue(3). */
#include <kernel/files.h>
#include <kernel/kill.h>
#include <kernel/siginfo.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <syscall/proto.h>

/* ---- actions ---- */

long sys_rt_sigaction(int sig, uaddr_t unew, uaddr_t uold, size_t size)
{
	return size == sizeof(u64) ? sig_set_action(sig, unew, uold) : -EINVAL;
}

/* ---- masks ---- */

long sys_rt_sigprocmask(int how, uaddr_t uset, uaddr_t uold, size_t size)
{
	u64 old = current->blocked, set;

	if (size != sizeof(set))
		return -EINVAL;
	if (uset) {
		if (get_user_obj(&set, uset))
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK:
			sig_set_blocked(old | set);
			break;
		case SIG_UNBLOCK:
			sig_set_blocked(old & ~set);
			break;
		case SIG_SETMASK:
			sig_set_blocked(set);
			break;
		default:
			return -EINVAL;
		}
	}
	return uold ? put_user_obj(uold, &old) : 0;
}

long sys_rt_sigpending(uaddr_t uset, size_t size)
{
	struct task *t = current;
	unsigned long flags;
	struct sighand *sh;
	u64 set;

	if (size > sizeof(set))
		return -EINVAL;
	sh = sighand_lock(t->process, &flags);
	set = (t->pending.set | t->process->shared_pending.set) & t->blocked;
	spin_unlock_irqrestore(&sh->lock, flags);
	return copy_to_user(uset, &set, size);
}

static long sleep_for_signal(void)
{
	for (;;) {
		task_prepare_sleep(TASK_INTERRUPTIBLE);
		if (sleep_interrupted(TASK_INTERRUPTIBLE))
			break;
		schedule();
	}
	task_finish_sleep();
	return -EINTR;
}

long sys_rt_sigsuspend(uaddr_t uset, size_t size)
{
	int r = uset ? sig_set_temp_mask(uset, size) : -EFAULT;

	if (r)
		return size != sizeof(u64) ? -EINVAL : r;
	sleep_for_signal();
	sig_end_temp_mask(true);
	return -EINTR;
}

long sys_pause(void)
{
	return sleep_for_signal();
}

/* ---- waiting for signals ---- */

/* Take a signal of @set; if there is none, say that we wait for one. */
static int take_or_announce(u64 set, struct siginfo *info)
{
	struct task *t = current;
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	int sig = sig_dequeue(t, set, info);

	sig_wait_announce(t, sig ? 0 : set);
	sig_recalc(t);
	spin_unlock_irqrestore(&sh->lock, flags);
	return sig;
}

static long wait_for_signal(u64 set, struct siginfo *info, u64 deadline_ns)
{
	bool late = false;
	long r;

	for (;;) {
		task_prepare_sleep(TASK_INTERRUPTIBLE);
		r = take_or_announce(set, info);
		if (r)
			break;
		r = late ? -EAGAIN : sleep_interrupted(TASK_INTERRUPTIBLE) ? -EINTR : 0;
		if (r)
			break;
		late = schedule_until(deadline_ns);
	}
	task_finish_sleep();
	if (r < 0)
		(void)take_or_announce(0, info);
	return r;
}

long sys_rt_sigtimedwait(uaddr_t uset, uaddr_t uinfo, uaddr_t utimeout, size_t size)
{
	struct siginfo info;
	u64 set, deadline;
	long r;

	if (size != sizeof(set))
		return -EINVAL;
	if (get_user_obj(&set, uset))
		return -EFAULT;
	r = deadline_from_user(utimeout, &deadline);
	if (r)
		return r;
	r = wait_for_signal(set & ~SIG_KERNEL_MASK, &info, deadline);
	if (r > 0 && uinfo && siginfo_to_user(uinfo, &info))
		return -EFAULT;
	return r;
}

/* ---- handlers' stacks and ends ---- */

long sys_sigaltstack(uaddr_t unew, uaddr_t uold)
{
	uaddr_t sp = uctx_sp(&current->hal.uctx);
	struct stack_abi new, old;

	sig_altstack_get(&old, sp);
	if (unew) {
		int r;

		if (get_user_obj(&new, unew))
			return -EFAULT;
		r = sig_altstack_set(&new, sp, MINSIGSTKSZ);
		if (r)
			return r;
	}
	return uold ? put_user_obj(uold, &old) : 0;
}

/* The frame holds all registers, the result among them. */
long sys_rt_sigreturn(void)
{
	sig_return();
	return uctx_result(&current->hal.uctx);
}

/* ---- sending ---- */

long sys_kill(pid_t pid, int sig)
{
	struct siginfo info;

	sig_info_user(&info, sig, SI_USER);
	return kill_any(pid, sig, &info);
}

long sys_tkill(pid_t tid, int sig)
{
	struct siginfo info;

	if (tid <= 0)
		return -EINVAL;
	sig_info_user(&info, sig, SI_TKILL);
	return kill_thread(0, tid, sig, &info);
}

long sys_tgkill(pid_t tgid, pid_t tid, int sig)
{
	struct siginfo info;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	sig_info_user(&info, sig, SI_TKILL);
	return kill_thread(tgid, tid, sig, &info);
}

/* Only to itself may a thread claim that a signal came from the kernel or from kill. */
static bool may_claim(const struct siginfo *info, pid_t nr)
{
	return (info->si_code < 0 && info->si_code != SI_TKILL) || nr == task_tid(current);
}

static int get_info(struct siginfo *info, uaddr_t uinfo, int sig, pid_t nr)
{
	int r = siginfo_from_user(info, sig, uinfo);

	if (r)
		return r;
	return may_claim(info, nr) ? 0 : -EPERM;
}

long sys_rt_sigqueueinfo(pid_t pid, int sig, uaddr_t uinfo)
{
	struct siginfo info;
	int r = get_info(&info, uinfo, sig, pid);

	return r ? r : kill_pid(pid, sig, &info);
}

long sys_rt_tgsigqueueinfo(pid_t tgid, pid_t tid, int sig, uaddr_t uinfo)
{
	struct siginfo info;
	int r;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	r = get_info(&info, uinfo, sig, tid);
	return r ? r : kill_thread(tgid, tid, sig, &info);
}

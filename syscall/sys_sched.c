/* SPDX-License-Identifier: MIT */
/* Scheduling: sched_yield(2), sched_setscheduler(2), sched_setattr(2), sched_setaffinity(2), getpriority(2), getcpu(2). */
#include <hal/boot.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <syscall/proto.h>
#include <uapi/sched.h>

#define RT_PRIO_MAX 99

struct sched_attr_abi {
	u32 size, sched_policy;
	u64 sched_flags;
	s32 sched_nice;
	u32 sched_priority;
	u64 sched_runtime, sched_deadline, sched_period;
};
#define SCHED_ATTR_SIZE_VER0 48

/* The thread @tid (0: current), with a reference. */
static struct task *target(pid_t tid)
{
	struct task *t;

	if (tid < 0)
		return ERR_PTR(-EINVAL);
	t = task_find_get(tid ? tid : task_tid(current));
	return t ? t : ERR_PTR(-ESRCH);
}

/* May current change @t's scheduling? */
static bool owns(struct task *t)
{
	const struct creds *c = creds_of(t);
	bool ok = current->creds->euid == c->uid || current->creds->euid == c->euid ||
		  capable(CAP_SYS_NICE);

	creds_put(c);
	return ok;
}

long sys_sched_yield(void)
{
	sched_yield_current();
	return 0;
}

static bool policy_is_rt(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static int check_policy(int policy, int priority)
{
	if (policy_is_rt(policy))
		return priority >= 1 && priority <= RT_PRIO_MAX ? 0 : -EINVAL;
	if (policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE)
		return priority ? -EINVAL : 0;
	return -EINVAL;
}

static int set_policy(pid_t tid, int policy, int priority, int nice, bool keep_nice)
{
	struct task *t = target(tid);
	int r = 0;

	if (IS_ERR(t))
		return PTR_ERR(t);
	if (policy < 0) {
		policy = t->se.policy;
		r = check_policy(policy, priority);
	}
	if (keep_nice)
		nice = t->se.nice;
	if (!r && !owns(t))
		r = -EPERM;
	if (!r && policy_is_rt(policy) && !capable(CAP_SYS_NICE) &&
	    (u64)priority > task_rlimit(RLIMIT_RTPRIO))
		r = -EPERM;
	if (!r && nice < t->se.nice && !capable(CAP_SYS_NICE) &&
	    (u64)(20 - nice) > task_rlimit(RLIMIT_NICE))
		r = -EPERM;
	if (!r)
		sched_set(t, (uint)policy, nice, (uint)priority);
	task_put(t);
	return r;
}

long sys_sched_setscheduler(pid_t pid, int policy, uaddr_t uparam)
{
	s32 priority;
	int r;

	if (policy < 0 || !uparam)
		return -EINVAL;
	if (get_user_obj(&priority, uparam))
		return -EFAULT;
	r = check_policy(policy, priority);
	return r ? r : set_policy(pid, policy, priority, 0, true);
}

long sys_sched_setparam(pid_t pid, uaddr_t uparam)
{
	s32 priority;

	if (!uparam)
		return -EINVAL;
	if (get_user_obj(&priority, uparam))
		return -EFAULT;
	return set_policy(pid, -1, priority, 0, true);
}

long sys_sched_getscheduler(pid_t pid)
{
	struct task *t = target(pid);
	long r;

	if (IS_ERR(t))
		return PTR_ERR(t);
	r = t->se.policy;
	task_put(t);
	return r;
}

long sys_sched_getparam(pid_t pid, uaddr_t uparam)
{
	struct task *t;
	s32 priority;

	if (!uparam)
		return -EINVAL;
	t = target(pid);
	if (IS_ERR(t))
		return PTR_ERR(t);
	priority = t->se.rt_priority;
	task_put(t);
	return put_user_obj(uparam, &priority);
}

long sys_sched_setattr(pid_t pid, uaddr_t uattr, uint flags)
{
	struct sched_attr_abi a;
	u32 size;
	int r;

	if (!uattr || flags)
		return -EINVAL;
	if (hal_get_user32(&size, uattr))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0)
		return -E2BIG;
	if (copy_from_user(&a, uattr, sizeof(a)))
		return -EFAULT;
	if (a.sched_policy == SCHED_DEADLINE || a.sched_flags)
		return -EINVAL;
	r = check_policy((int)a.sched_policy, (int)a.sched_priority);
	return r ? r
		 : set_policy(pid, (int)a.sched_policy, (int)a.sched_priority,
			      clamp(a.sched_nice, -20, 19), false);
}

long sys_sched_getattr(pid_t pid, uaddr_t uattr, uint size, uint flags)
{
	struct sched_attr_abi a = { .size = sizeof(a) };
	struct task *t;

	if (!uattr || flags || size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return -EINVAL;
	t = target(pid);
	if (IS_ERR(t))
		return PTR_ERR(t);
	a.sched_policy = t->se.policy;
	a.sched_nice = t->se.nice;
	a.sched_priority = t->se.rt_priority;
	task_put(t);
	return put_user_obj(uattr, &a);
}

long sys_sched_get_priority_max(int policy)
{
	return policy_is_rt(policy)				     ? RT_PRIO_MAX
	       : check_policy(policy, 0) && policy != SCHED_DEADLINE ? -EINVAL
								     : 0;
}

long sys_sched_get_priority_min(int policy)
{
	return policy_is_rt(policy)				     ? 1
	       : check_policy(policy, 0) && policy != SCHED_DEADLINE ? -EINVAL
								     : 0;
}

long sys_sched_rr_get_interval(pid_t pid, uaddr_t uinterval)
{
	struct task *t = target(pid);
	struct timespec64 ts;

	if (IS_ERR(t))
		return PTR_ERR(t);
	ts = ns_to_timespec(sched_rr_interval_ns(t));
	task_put(t);
	return put_user_obj(uinterval, &ts);
}

/* ---- affinity ---- */

long sys_sched_setaffinity(pid_t pid, uint len, uaddr_t umask)
{
	unsigned long bits[ARRAY_SIZE(cpu_online_mask)] = { 0 }, any = 0;
	struct task *t;
	long r = 0;

	if (copy_from_user(bits, umask, min((size_t)len, sizeof(bits))))
		return -EFAULT;
	t = target(pid);
	if (IS_ERR(t))
		return PTR_ERR(t) == -EINVAL ? -ESRCH : PTR_ERR(t);
	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++)
		any |= bits[i] & cpu_online_mask[i];
	if (!owns(t))
		r = -EPERM;
	else if (!any)
		r = -EINVAL;
	else
		sched_set_affinity(t, bits);
	task_put(t);
	return r;
}

long sys_sched_getaffinity(pid_t pid, uint len, uaddr_t umask)
{
	unsigned long bits[ARRAY_SIZE(cpu_online_mask)];
	struct task *t;
	size_t n;

	if (len * 8 < boot_info.ncpus || (len & (sizeof(long) - 1)))
		return -EINVAL;
	t = target(pid);
	if (IS_ERR(t))
		return PTR_ERR(t) == -EINVAL ? -ESRCH : PTR_ERR(t);
	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++)
		bits[i] = t->affinity.bits[i] & cpu_online_mask[i];
	task_put(t);
	n = min((size_t)len, sizeof(bits));
	return copy_to_user(umask, bits, n) ? -EFAULT : (long)n;
}

long sys_getcpu(uaddr_t ucpu, uaddr_t unode, uaddr_t cache)
{
	(void)cache;
	if (ucpu && hal_put_user32(ucpu, hal_cpu_id()))
		return -EFAULT;
	if (unode && hal_put_user32(unode, 0))
		return -EFAULT;
	return 0;
}

/* ---- nice ---- */

/* Is @t what (which, who) means? tasklist_lock held. */
static bool priority_selects(int which, int who, struct task *t)
{
	struct process *p = t->process;

	switch (which) {
	case PRIO_PROCESS:
		return t->tid->nr == (who ? who : task_tid(current));
	case PRIO_PGRP:
		return p && p->pgrp->nr == (who ? who : current->process->pgrp->nr);
	default:
		return t->creds->uid == (who ? (uid_t)who : current->creds->uid);
	}
}

/* Call @fn for each thread selected; its result is kept by @combine rules of the caller through @ctx. */
static int for_each_selected(int which, int who, void (*fn)(struct task *t, void *ctx), void *ctx)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	int n = 0;

	for (pid_t nr = 1; nr < 32768; nr++) {
		struct pid *p = pid_find(nr);

		if (p && p->task && priority_selects(which, who, p->task)) {
			fn(p->task, ctx);
			n++;
		}
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return n;
}

static void take_lowest_nice(struct task *t, void *ctx)
{
	int *nice = ctx;

	*nice = min(*nice, (int)t->se.nice);
}

struct set_nice {
	int nice, err;
};

static void set_nice(struct task *t, void *ctx)
{
	struct set_nice *s = ctx;
	const struct creds *me = current->creds, *it = t->creds;

	if (me->euid != it->euid && me->euid != it->uid && !capable(CAP_SYS_NICE))
		s->err = -EPERM;
	else if (s->nice < t->se.nice && !capable(CAP_SYS_NICE) &&
		 (u64)(20 - s->nice) > task_rlimit(RLIMIT_NICE))
		s->err = -EACCES;
	else
		sched_set(t, t->se.policy, s->nice, t->se.rt_priority);
}

long sys_getpriority(int which, int who)
{
	int nice = 20;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return for_each_selected(which, who, take_lowest_nice, &nice) ? 20 - nice : -ESRCH;
}

long sys_setpriority(int which, int who, int nice)
{
	struct set_nice s = { .nice = clamp(nice, -20, 19) };

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return for_each_selected(which, who, set_nice, &s) ? s.err : -ESRCH;
}

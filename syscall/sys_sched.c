/* SPDX-License-Identifier: MIT */
/* Scheduling: sched_yield(2), ioprio_set(2), sched_setscheduler(2), sched_setattr(2), sched_setaffinity(2), getpriority(2), getcpu(2). */
#include <hal/boot.h>
#include <kernel/posix_timer.h>
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
	u32 sched_util_min, sched_util_max;
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

/* What is wanted of a task's scheduling; a negative policy keeps the present one. */
struct policy_request {
	int policy, priority, nice;
	bool keep_nice, reset_on_fork;
};

/* Would @nice be allowed to who has no CAP_SYS_NICE? */
static bool may_nice(int nice)
{
	return (u64)(20 - nice) <= task_rlimit(RLIMIT_NICE);
}

/* What needs CAP_SYS_NICE. Source: sched(7), "Privileges and resource limits". */
static int check_rights(struct task *t, const struct policy_request *rq)
{
	u64 limit = task_rlimit(RLIMIT_RTPRIO);

	if (!owns(t))
		return -EPERM;
	if (capable(CAP_SYS_NICE))
		return 0;
	if (policy_is_rt(rq->policy) &&
	    ((rq->policy != t->se.policy && !limit) ||
	     (rq->priority > t->se.rt_priority && (u64)rq->priority > limit)))
		return -EPERM;
	if (!policy_is_rt(rq->policy) && rq->nice < t->se.nice && !may_nice(rq->nice))
		return -EPERM;
	if (t->se.policy == SCHED_IDLE && rq->policy != SCHED_IDLE && !may_nice(t->se.nice))
		return -EPERM;
	return t->se.reset_on_fork && !rq->reset_on_fork ? -EPERM : 0;
}

static int set_policy(pid_t tid, struct policy_request rq)
{
	struct task *t = target(tid);
	int r = 0;

	if (IS_ERR(t))
		return PTR_ERR(t);
	if (rq.policy < 0) {
		rq.policy = t->se.policy;
		rq.reset_on_fork |= t->se.reset_on_fork;
		r = check_policy(rq.policy, rq.priority);
	}
	if (rq.keep_nice)
		rq.nice = t->se.nice;
	if (!r)
		r = check_rights(t, &rq);
	if (!r) {
		sched_set(t, (uint)rq.policy, rq.nice, (uint)rq.priority);
		WRITE_ONCE(t->se.reset_on_fork, rq.reset_on_fork);
		if (policy_is_rt(rq.policy) && t->process &&
		    t->process->rlim[RLIMIT_RTTIME].rlim_cur != RLIM_INFINITY)
			posix_timers_recheck(t->process);
	}
	task_put(t);
	return r;
}

long sys_sched_setscheduler(pid_t pid, int policy, uaddr_t uparam)
{
	struct policy_request rq = { .policy = policy & ~SCHED_RESET_ON_FORK,
				     .reset_on_fork = policy & SCHED_RESET_ON_FORK,
				     .keep_nice = true };
	int r;

	if (policy < 0 || !uparam || pid < 0)
		return -EINVAL;
	if (get_user_obj(&rq.priority, uparam))
		return -EFAULT;
	r = check_policy(rq.policy, rq.priority);
	return r ? r : set_policy(pid, rq);
}

long sys_sched_setparam(pid_t pid, uaddr_t uparam)
{
	struct policy_request rq = { .policy = -1, .keep_nice = true };

	if (!uparam || pid < 0)
		return -EINVAL;
	if (get_user_obj(&rq.priority, uparam))
		return -EFAULT;
	return set_policy(pid, rq);
}

long sys_sched_getscheduler(pid_t pid)
{
	struct task *t = target(pid);
	long r;

	if (IS_ERR(t))
		return PTR_ERR(t);
	r = t->se.policy | (t->se.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	task_put(t);
	return r;
}

long sys_sched_getparam(pid_t pid, uaddr_t uparam)
{
	struct task *t;
	s32 priority;

	if (!uparam || pid < 0)
		return -EINVAL;
	t = target(pid);
	if (IS_ERR(t))
		return PTR_ERR(t);
	priority = t->se.rt_priority;
	task_put(t);
	return put_user_obj(uparam, &priority);
}

/* A structure that may have grown: what we do not know must be zero, else the size we know is reported. 0, -EFAULT, -E2BIG. */
static int read_attr(struct sched_attr_abi *a, uaddr_t uattr)
{
	u32 size, known = sizeof(*a);

	if (hal_get_user32(&size, uattr))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size >= SCHED_ATTR_SIZE_VER0 && size <= PAGE_SIZE) {
		int r = copy_struct_from_user(a, sizeof(*a), uattr, size);

		if (r != -E2BIG)
			return r;
	}
	return hal_put_user32(uattr, known) ? -EFAULT : -E2BIG;
}

/* SCHED_FLAG_KEEP_PARAMS: priority and nice as they are. */
static int keep_params(pid_t pid, struct policy_request rq)
{
	struct task *t = target(pid);
	int r;

	if (IS_ERR(t))
		return PTR_ERR(t);
	rq.priority = t->se.rt_priority;
	rq.nice = t->se.nice;
	task_put(t);
	r = rq.policy < 0 ? 0 : check_policy(rq.policy, rq.priority);
	return r ? r : set_policy(pid, rq);
}

long sys_sched_setattr(pid_t pid, uaddr_t uattr, uint flags)
{
	struct sched_attr_abi a;
	struct policy_request rq;
	int r;

	if (!uattr || flags || pid < 0)
		return -EINVAL;
	r = read_attr(&a, uattr);
	if (r)
		return r;
	if ((int)a.sched_policy < 0 || (a.sched_flags & ~(u64)SCHED_FLAG_ALL))
		return -EINVAL;
	if (a.sched_flags & SCHED_FLAG_UTIL_CLAMP)
		return -EOPNOTSUPP;
	rq = (struct policy_request){ .policy = (int)a.sched_policy,
				      .priority = (int)a.sched_priority,
				      .nice = clamp(a.sched_nice, -20, 19),
				      .reset_on_fork = a.sched_flags & SCHED_FLAG_RESET_ON_FORK };
	if (a.sched_flags & SCHED_FLAG_KEEP_POLICY)
		rq.policy = -1;
	if (a.sched_flags & SCHED_FLAG_KEEP_PARAMS)
		return keep_params(pid, rq);
	r = rq.policy < 0 ? 0 : check_policy(rq.policy, rq.priority);
	return r ? r : set_policy(pid, rq);
}

long sys_sched_getattr(pid_t pid, uaddr_t uattr, uint size, uint flags)
{
	struct sched_attr_abi a = { .size = min(size, (uint)sizeof(a)) };
	struct task *t;

	if (!uattr || flags || pid < 0 || size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return -EINVAL;
	t = target(pid);
	if (IS_ERR(t))
		return PTR_ERR(t);
	a.sched_policy = t->se.policy;
	a.sched_flags = t->se.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	if (policy_is_rt(t->se.policy))
		a.sched_priority = t->se.rt_priority;
	else
		a.sched_nice = t->se.nice;
	task_put(t);
	return copy_to_user(uattr, &a, a.size) ? -EFAULT : 0;
}

/* The priorities of policies that cannot be chosen here are known all the same. */
static long priority_limit(int policy, int of_rt)
{
	if (policy_is_rt(policy))
		return of_rt;
	if (policy == SCHED_DEADLINE || policy == SCHED_EXT)
		return 0;
	return check_policy(policy, 0);
}

long sys_sched_get_priority_max(int policy)
{
	return priority_limit(policy, RT_PRIO_MAX);
}

long sys_sched_get_priority_min(int policy)
{
	return priority_limit(policy, 1);
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

/* ---- I/O priority: kept and told, with no disk whose queue would obey it. Source: ioprio_set(2) ---- */

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_WHO_USER	   3
enum { IOPRIO_CLASS_NONE, IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE };
#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_LEVELS	   8

static int ioprio_check(int ioprio)
{
	int class = ioprio >> IOPRIO_CLASS_SHIFT, level = ioprio & (IOPRIO_LEVELS - 1);

	switch (class) {
	case IOPRIO_CLASS_RT:
		return capable(CAP_SYS_ADMIN) || capable(CAP_SYS_NICE) ? 0 : -EPERM;
	case IOPRIO_CLASS_BE:
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return level ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static void set_ioprio(struct task *t, void *ctx)
{
	struct set_nice *s = ctx;
	const struct creds *me = current->creds, *it = t->creds;

	if (it->uid != me->euid && it->uid != me->uid && !capable(CAP_SYS_NICE))
		s->err = -EPERM;
	else
		WRITE_ONCE(t->ioprio, (u16)s->nice);
}

long sys_ioprio_set(int which, int who, int ioprio)
{
	struct set_nice s = { .nice = ioprio };
	int r = ioprio_check(ioprio);

	if (r)
		return r;
	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	return for_each_selected(which - 1, who, set_ioprio, &s) ? s.err : -ESRCH;
}

/* What stands for a thread that was given none: its niceness in eight levels. */
static int ioprio_of(const struct task *t)
{
	int class = t->se.policy == SCHED_IDLE				     ? IOPRIO_CLASS_IDLE
		    : t->se.policy == SCHED_FIFO || t->se.policy == SCHED_RR ? IOPRIO_CLASS_RT
									     : IOPRIO_CLASS_BE;

	return t->ioprio ? t->ioprio : class << IOPRIO_CLASS_SHIFT | (t->se.nice + 20) / 5;
}

static void take_best_ioprio(struct task *t, void *ctx)
{
	int *best = ctx;

	*best = min(*best, ioprio_of(t));
}

static void take_raw_ioprio(struct task *t, void *ctx)
{
	*(int *)ctx = t->ioprio;
}

long sys_ioprio_get(int which, int who)
{
	int value = INT_MAX;

	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	return for_each_selected(which - 1, who,
				 which == IOPRIO_WHO_PROCESS ? take_raw_ioprio : take_best_ioprio,
				 &value)
		       ? value
		       : -ESRCH;
}

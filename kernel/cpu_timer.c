/* SPDX-License-Identifier: MIT */
/*
 * CPU time: the clocks that count it, the timers that run on it, RLIMIT_CPU and RLIMIT_RTTIME; and setitimer(2).
 *
 * There is no periodic tick. While a process has a CPU-time timer, one ktimer looks at it when the nearest can be due at the
 * earliest, given the CPUs. If the process does not run at that moment, its threads are told to look when they next return to user mode
 * (WORK_TIMER): a sleeping process costs nothing.
 *
 * Locking: sighand->lock (s).
 */
#include <kernel/posix_timer.h>
#include <kernel/process.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <mm/slab.h>
#include <uapi/sched.h>

#define MIN_LOOK_NS   (NSEC_PER_MSEC / 2)
#define MIN_REAL_NS   (50 * NSEC_PER_USEC)

/* ---- clocks ---- */

u64 cpu_times_of(const struct cpu_times *t, unsigned int which)
{
	return which == CPU_CLOCK_VIRT ? t->user_ns : t->user_ns + t->system_ns;
}

void process_cpu_times_locked(struct process *p, struct cpu_times *out)
{
	struct task *t;

	*out = p->dead_times;
	list_for_each_entry(t, &p->threads, thread_link) {
		struct cpu_times one;

		sched_get_times(t, &one);
		out->user_ns += one.user_ns;
		out->system_ns += one.system_ns;
	}
}

/* A thread that leaves moves its time to dead_times under tasklist_lock. */
void process_cpu_times(struct process *p, struct cpu_times *out)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	process_cpu_times_locked(p, out);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/* The number of a thread or process is stored inverted above the lowest three bits: per-thread flag and kind. 0: the caller. */
int cpu_clock_get(clockid_t id, struct cpu_clock *c)
{
	bool per_thread = id & 4;
	struct task *t;
	pid_t nr;

	*c = (struct cpu_clock){ .which = (unsigned int)id & 3 };
	if (id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID) {
		nr = 0;
		per_thread = id == CLOCK_THREAD_CPUTIME_ID;
		c->which = CPU_CLOCK_SCHED;
	} else if (id < 0 && c->which <= CPU_CLOCK_SCHED) {
		nr = ~(id >> 3);
	} else {
		return -EINVAL;
	}
	t = task_find_get(nr ? nr : task_tid(current));
	if (!t)
		return -EINVAL;
	if (!t->process || (per_thread && t->process != current->process) ||
	    (!per_thread && nr && t->tid != t->process->pid)) {
		task_put(t);
		return -EINVAL;
	}
	c->process = t->process;
	refcount_inc(&c->process->refs);
	if (per_thread)
		c->task = t;
	else
		task_put(t);
	return 0;
}

void cpu_clock_put(struct cpu_clock *c)
{
	if (c->task)
		task_put(c->task);
	if (c->process)
		process_put(c->process);
}

u64 cpu_clock_read(const struct cpu_clock *c)
{
	struct cpu_times t;

	if (c->task)
		sched_get_times(c->task, &t);
	else
		process_cpu_times(c->process, &t);
	return cpu_times_of(&t, c->which);
}

/* ---- looking at the timers; s held ---- */

static u64 left(u64 deadline, u64 now)
{
	return deadline > now ? deadline - now : 0;
}

/*
 * The longest that a real-time thread has run without sleeping. A sleep is noticed when next somebody looks: the time may be too short by
 * what lies between two looks, never too long. False: there is no such thread, or no limit.
 */
static bool rt_longest(struct process *p, u64 *longest_ns)
{
	struct cpu_times times;
	bool any = false;
	struct task *t;
	u64 all;

	*longest_ns = 0;
	if (likely(p->rlim[RLIMIT_RTTIME].rlim_cur == RLIM_INFINITY))
		return false;
	list_for_each_entry(t, &p->threads, thread_link) {
		bool rt = t->se.policy == SCHED_FIFO || t->se.policy == SCHED_RR;

		sched_get_times(t, &times);
		all = cpu_times_of(&times, CPU_CLOCK_PROF);
		if (!rt || t->rt_nvcsw != READ_ONCE(t->nvcsw)) {
			t->rt_nvcsw = READ_ONCE(t->nvcsw);
			t->rt_since_ns = all;
		}
		any |= rt;
		*longest_ns = max(*longest_ns, all - t->rt_since_ns);
	}
	return any;
}

/* CPU time until a real-time thread may exceed the limit; no more than a fourth of it, so that sleeps are noticed in between. */
static u64 rt_remaining(struct process *p)
{
	u64 limit = min(p->rlim[RLIMIT_RTTIME].rlim_cur, p->rlim[RLIMIT_RTTIME].rlim_max), ran;

	if (!rt_longest(p, &ran) || limit >= U64_MAX / NSEC_PER_USEC)
		return U64_MAX;
	return min(left(limit * NSEC_PER_USEC, ran), limit * NSEC_PER_USEC / 4);
}

/* CPU time until the first timer or limit; U64_MAX: there is none. */
static u64 cpu_remaining(struct process *p)
{
	u64 limit = min(p->rlim[RLIMIT_CPU].rlim_cur, p->rlim[RLIMIT_CPU].rlim_max), least, used;
	struct cpu_times t;

	process_cpu_times_locked(p, &t);
	used = cpu_times_of(&t, CPU_CLOCK_PROF);
	least = posix_timers_cpu_remaining(p);
	if (p->itimer[ITIMER_VIRTUAL].value_ns)
		least = min(least, left(p->itimer[ITIMER_VIRTUAL].value_ns, t.user_ns));
	if (p->itimer[ITIMER_PROF].value_ns)
		least = min(least, left(p->itimer[ITIMER_PROF].value_ns, used));
	if (limit < U64_MAX / NSEC_PER_SEC)
		least = min(least, left(limit * NSEC_PER_SEC, used));
	return min(least, rt_remaining(p));
}

void cpu_timers_arm(struct process *p)
{
	u64 remaining;

	if (!p->timers || p->group_exit)
		return;
	remaining = cpu_remaining(p);
	if (remaining == U64_MAX)
		return;
	remaining /= max(min(p->nthreads, cpu_online_count()), 1u);
	ktimer_start(&p->timers->cpu, hal_clock_ns() + max(remaining, MIN_LOOK_NS));
}

/* An interval timer whose CPU time @now has passed. Returns whether its signal is due. */
static bool itimer_due(struct itimer *it, u64 now)
{
	if (!it->value_ns || now < it->value_ns)
		return false;
	if (it->interval_ns)
		it->value_ns += ((now - it->value_ns) / it->interval_ns + 1) * it->interval_ns;
	else
		it->value_ns = 0;
	return true;
}

/* Source: getrlimit(2): SIGXCPU at the soft limit and every second after it, SIGKILL at the hard one. 0: not reached. */
static int limit_due(struct process *p, u64 used_ns)
{
	struct rlimit64 *limit = &p->rlim[RLIMIT_CPU];
	u64 seconds = used_ns / NSEC_PER_SEC;

	if (seconds >= limit->rlim_max)
		return SIGKILL;
	if (seconds < limit->rlim_cur)
		return 0;
	limit->rlim_cur = seconds + 1;
	return SIGXCPU;
}

/* The same of RLIMIT_RTTIME, which counts microseconds. */
static int rt_limit_due(struct process *p)
{
	struct rlimit64 *limit = &p->rlim[RLIMIT_RTTIME];
	u64 ran;

	if (!rt_longest(p, &ran))
		return 0;
	ran /= NSEC_PER_USEC;
	if (ran >= limit->rlim_max)
		return SIGKILL;
	if (ran < limit->rlim_cur)
		return 0;
	limit->rlim_cur += NSEC_PER_SEC / NSEC_PER_USEC;
	return SIGXCPU;
}

/* A signal for the process that is due; 0: none. s held. */
static int next_due(struct process *p)
{
	struct cpu_times t;
	u64 used;
	int sig;

	process_cpu_times_locked(p, &t);
	used = cpu_times_of(&t, CPU_CLOCK_PROF);
	if (itimer_due(&p->itimer[ITIMER_VIRTUAL], t.user_ns))
		return SIGVTALRM;
	if (itimer_due(&p->itimer[ITIMER_PROF], used))
		return SIGPROF;
	sig = limit_due(p, used);
	return sig ? sig : rt_limit_due(p);
}

/* s held. */
static void fire_all(struct process *p)
{
	int sig;

	while (!p->group_exit && (sig = next_due(p)))
		sig_send_process_locked(p, sig);
	if (!p->group_exit)
		posix_timers_fire_cpu(p);
}

static void tell_threads(struct process *p)
{
	struct task *t;

	list_for_each_entry(t, &p->threads, thread_link) {
		task_set_work(t, WORK_TIMER);
		sched_kick(t);
	}
}

void posix_timers_recheck(struct process *p)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);

	tell_threads(p);
	spin_unlock_irqrestore(&sh->lock, flags);
}

/* A signal for the process is for the thread that spends its time: unless that is the one interrupted here, each looks for itself. */
void cpu_timer_fired(struct ktimer *k)
{
	struct process *p = container_of(k, struct process_timers, cpu)->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);

	if (current->process == p) {
		fire_all(p);
		cpu_timers_arm(p);
	} else if (cpu_remaining(p) != U64_MAX) {
		tell_threads(p);
	}
	spin_unlock_irqrestore(&sh->lock, flags);
}

void posix_timers_poll(void)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh;

	task_clear_work(current, WORK_TIMER);
	/* Without memory for it a CPU limit is looked at whenever a thread is told to. */
	(void)process_timers_get(p);
	sh = sighand_lock(p, &flags);
	fire_all(p);
	cpu_timers_arm(p);
	spin_unlock_irqrestore(&sh->lock, flags);
}

/* ---- interval timers ---- */

static void real_timer_fired(struct ktimer *k)
{
	struct process *p = container_of(k, struct process_timers, real)->process;
	struct itimer *it = &p->itimer[ITIMER_REAL];
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	u64 now = hal_clock_ns();
	bool due = itimer_due(it, now);

	if (due && it->value_ns)
		ktimer_start(k, max(it->value_ns, now + MIN_REAL_NS));
	spin_unlock_irqrestore(&sh->lock, flags);
	if (due)
		sig_send_process(p, SIGALRM, NULL);
}

struct process_timers *process_timers_get(struct process *p)
{
	struct process_timers *timers = READ_ONCE(p->timers), *installed;
	unsigned long flags;
	struct sighand *sh;

	if (timers)
		return timers;
	timers = kzalloc(sizeof(*timers), 0);
	if (!timers)
		return NULL;
	timers->process = p;
	ktimer_init(&timers->real, real_timer_fired);
	ktimer_init(&timers->cpu, cpu_timer_fired);
	sh = sighand_lock(p, &flags);
	if (!p->timers)
		p->timers = timers;
	installed = p->timers;
	spin_unlock_irqrestore(&sh->lock, flags);
	if (installed != timers)
		kfree(timers);
	return installed;
}

/* The clock that an interval timer counts. s held. */
static u64 itimer_now(struct process *p, int which)
{
	struct cpu_times t;

	if (which == ITIMER_REAL)
		return hal_clock_ns();
	process_cpu_times_locked(p, &t);
	return cpu_times_of(&t, which == ITIMER_VIRTUAL ? CPU_CLOCK_VIRT : CPU_CLOCK_PROF);
}

static void read_itimer(struct process *p, int which, struct timer_setting *out)
{
	const struct itimer *it = &p->itimer[which];

	out->interval_ns = it->interval_ns;
	/* One that is due but has not fired yet is not disarmed. */
	out->value_ns =
		it->value_ns ? max(left(it->value_ns, itimer_now(p, which)), NSEC_PER_USEC) : 0;
}

void itimer_get(int which, struct timer_setting *out)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);

	read_itimer(p, which, out);
	spin_unlock_irqrestore(&sh->lock, flags);
}

int itimer_set(int which, const struct timer_setting *new, struct timer_setting *old)
{
	struct process *p = current->process;
	struct process_timers *timers = process_timers_get(p);
	struct itimer *it = &p->itimer[which];
	unsigned long flags;
	struct sighand *sh;

	if (!timers)
		return -ENOMEM;
	sh = sighand_lock(p, &flags);
	read_itimer(p, which, old);
	it->interval_ns = new->interval_ns;
	it->value_ns = 0;
	if (new->value_ns) {
		if (add_overflow(itimer_now(p, which), new->value_ns, &it->value_ns))
			it->value_ns = U64_MAX;
		if (which == ITIMER_REAL)
			ktimer_start(&timers->real, it->value_ns);
		else
			cpu_timers_arm(p);
	}
	spin_unlock_irqrestore(&sh->lock, flags);
	return 0;
}

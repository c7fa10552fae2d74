/* SPDX-License-Identifier: MIT */
/*
 * POSIX timers (kernel/posix_timer.h): timer_create(2) and its family.
 *
 * A timer owns the queue entry of its signal, so that expiry cannot fail. A periodic timer is started anew when its signal is
 * taken, and the periods that went by meanwhile are its overrun: a program that does not take the signals causes no work.
 * Timers of wall clocks have a ktimer; those of the process's own CPU-time clocks are looked at by cpu_timer.c. The CPU time of
 * another process is looked at by a ktimer, too, when it can be up at the earliest. An absolute time of CLOCK_REALTIME stays that
 * time when the clock is set.
 *
 * Locking: all fields under sighand->lock (s). A callback finds out under s whether it is still wanted: disarming does not wait for it; deleting does.
 */
#include <kernel/ntp.h>
#include <kernel/posix_timer.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/slab.h>

#define IGNORED_PERIOD_NS NSEC_PER_MSEC /* how often at most a timer whose signal is ignored fires */
#define FOREIGN_LOOK_NS	  (2 * NSEC_PER_MSEC) /* how often at most another process's CPU time is looked at */
#define FOREIGN_TRIES	  1000

struct posix_timer {
	struct list link; /* s: process->posix_timers */
	struct process *process;
	struct task *target;	/* reference; NULL: the process */
	struct cpu_clock clock; /* references; process NULL: a wall clock */
	bool realtime;		/* counts CLOCK_REALTIME: watches it */
	bool absolute;		/* s: set to a time of that clock */
	struct clock_watch watch;
	int id, notify, clock_id;
	struct ktimer ktimer;
	struct sigqueue entry; /* s */
	bool armed; /* s: will fire at expiry_ns of its clock (wall clocks: of hal_clock_ns()) */
	u64 expiry_ns, interval_ns; /* s */
	u64 foreign_ns;		    /* s: what the clock of another process showed last */
	u64 missed,
		overrun; /* s: periods lost since the signal was sent; those of the last signal taken */
};

static bool is_foreign(const struct posix_timer *pt)
{
	return pt->clock.process && pt->clock.process != pt->process;
}

/* A clock that the process's own timers are looked at with (cpu_timer.c). */
static bool counts_own_time(const struct posix_timer *pt)
{
	return pt->clock.process == pt->process;
}

/* Who was to use the time has been waited for, or is a thread that has ended: the clock has no number any more. */
static bool clock_gone(const struct posix_timer *pt)
{
	const struct cpu_clock *c = &pt->clock;

	if (c->task)
		return READ_ONCE(c->task->tid->task) != c->task;
	return c->process && READ_ONCE(c->process->pid->process) != c->process;
}

/*
 * Two processes may have timers on each other, so the other's lock is only tried for while ours is held. If it cannot be had, that is
 * because its time is being looked at: what it was last time must do, and the timer looks again. Processes of one CLONE_SIGHAND have one lock.
 */
static u64 foreign_now(struct posix_timer *pt)
{
	struct sighand *sh = READ_ONCE(pt->clock.process->sighand);
	bool is_held = sh == pt->process->sighand;
	struct cpu_times t;

	for (unsigned int i = 0; i < FOREIGN_TRIES; i++) {
		if (is_held || spin_trylock(&sh->lock)) {
			process_cpu_times_locked(pt->clock.process, &t);
			if (!is_held)
				spin_unlock(&sh->lock);
			pt->foreign_ns = cpu_times_of(&t, pt->clock.which);
			break;
		}
		hal_cpu_relax();
	}
	return pt->foreign_ns;
}

static u64 timer_now(struct posix_timer *pt)
{
	struct cpu_times t;

	if (!pt->clock.process)
		return hal_clock_ns();
	if (is_foreign(pt))
		return foreign_now(pt);
	if (pt->clock.task)
		return cpu_clock_read(&pt->clock);
	process_cpu_times_locked(pt->process, &t);
	return cpu_times_of(&t, pt->clock.which);
}

/* ---- s held ---- */

/* Move the expiry of a periodic timer past @now. Returns the periods that went by. */
static u64 forward(struct posix_timer *pt, u64 now)
{
	u64 n;

	if (now < pt->expiry_ns)
		return 0;
	n = (now - pt->expiry_ns) / pt->interval_ns + 1;
	pt->expiry_ns += n * pt->interval_ns;
	return n;
}

/* When the other process can have used so much time at the earliest. */
static u64 next_look(struct posix_timer *pt)
{
	u64 now = timer_now(pt), left = pt->expiry_ns > now ? pt->expiry_ns - now : 0;
	u32 nthreads = max(READ_ONCE(pt->clock.process->nthreads), 1u);

	return deadline_after(max(left / nthreads, FOREIGN_LOOK_NS));
}

static void start(struct posix_timer *pt, u64 not_before_ns)
{
	pt->armed = true;
	if (pt->notify == SIGEV_NONE)
		return;
	if (counts_own_time(pt))
		cpu_timers_arm(pt->process);
	else
		ktimer_start(&pt->ktimer,
			     max(is_foreign(pt) ? next_look(pt) : pt->expiry_ns, not_before_ns));
}

/* The signal is being delivered: say how many it stands for, and go on counting. */
static void signal_taken(struct sigqueue *q, struct siginfo *info)
{
	struct posix_timer *pt = container_of(q, struct posix_timer, entry);

	if (pt->interval_ns && !pt->armed) {
		u64 n = forward(pt, timer_now(pt));

		pt->missed += n ? n - 1 : 0;
		start(pt, 0);
	}
	pt->overrun = min(pt->missed, (u64)S32_MAX);
	pt->missed = 0;
	info->timer.overrun = (s32)pt->overrun;
}

static void remaining(struct posix_timer *pt, struct timer_setting *out)
{
	u64 now = timer_now(pt), expiry = pt->expiry_ns;

	out->interval_ns = pt->interval_ns;
	out->value_ns = 0;
	if ((!pt->armed && !pt->interval_ns) || clock_gone(pt))
		return;
	/* Waiting for its signal to be taken, or without a signal at all: what would be left had it been started again. */
	if (pt->interval_ns && expiry <= now && (!pt->armed || pt->notify == SIGEV_NONE))
		expiry += ((now - expiry) / pt->interval_ns + 1) * pt->interval_ns;
	if (expiry > now)
		out->value_ns = expiry - now;
	else if (pt->armed && pt->notify != SIGEV_NONE)
		out->value_ns = 1;
}

static struct posix_timer *find(struct process *p, int id)
{
	struct posix_timer *pt;

	list_for_each_entry(pt, &p->posix_timers, link)
		if (pt->id == id)
			return pt;
	return NULL;
}

u64 posix_timers_cpu_remaining(struct process *p)
{
	struct posix_timer *pt;
	u64 least = U64_MAX;

	list_for_each_entry(pt, &p->posix_timers, link) {
		u64 now;

		if (!counts_own_time(pt) || !pt->armed || pt->notify == SIGEV_NONE)
			continue;
		now = timer_now(pt);
		least = min(least, pt->expiry_ns > now ? pt->expiry_ns - now : 0);
	}
	return least;
}

/* Expired: send the signal, or note that it is still waiting since last time. */
static void fire(struct posix_timer *pt)
{
	struct process *p = pt->process;

	pt->armed = false;
	if (!list_empty(&pt->entry.link)) {
		pt->missed++;
		return;
	}
	if (sig_send_queued_locked(p, pt->target, &pt->entry) || !pt->interval_ns || p->group_exit)
		return;
	/* Ignored: nobody will take it, so go on by ourselves, but slowly. */
	forward(pt, timer_now(pt));
	start(pt, hal_clock_ns() + IGNORED_PERIOD_NS);
}

void posix_timers_fire_cpu(struct process *p)
{
	struct posix_timer *pt;

	list_for_each_entry(pt, &p->posix_timers, link)
		if (counts_own_time(pt) && pt->armed && pt->notify != SIGEV_NONE &&
		    timer_now(pt) >= pt->expiry_ns)
			fire(pt);
}

static void timer_fired(struct ktimer *k)
{
	struct posix_timer *pt = container_of(k, struct posix_timer, ktimer);
	unsigned long flags;
	struct sighand *sh = sighand_lock(pt->process, &flags);

	if (pt->armed && timer_now(pt) >= pt->expiry_ns)
		fire(pt);
	else if (pt->armed && is_foreign(pt) && !READ_ONCE(pt->clock.process->dead))
		start(pt, 0); /* who has ended uses no more time */
	spin_unlock_irqrestore(&sh->lock, flags);
}

/* CLOCK_REALTIME was set: an absolute time stays that time. */
static void clock_set(struct clock_watch *w)
{
	struct posix_timer *pt = container_of(w, struct posix_timer, watch);
	unsigned long flags;
	struct sighand *sh = sighand_lock(pt->process, &flags);

	if (pt->absolute && pt->armed) {
		pt->expiry_ns = clock_watch_again(w, pt->expiry_ns);
		start(pt, 0);
	}
	spin_unlock_irqrestore(&sh->lock, flags);
}

/* ---- the calls ---- */

/* Which clock a timer counts. 0, -EINVAL: no such clock; -EOPNOTSUPP: one without timers. */
static int choose_clock(struct posix_timer *pt, clockid_t id)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_TAI:
		pt->realtime = true;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_REALTIME_ALARM: /* they wake a sleeping machine; ours does not sleep */
	case CLOCK_BOOTTIME_ALARM:
		return -EOPNOTSUPP;
	}
	return cpu_clock_get(id, &pt->clock);
}

static int choose_target(struct posix_timer *pt, const struct timer_event *ev)
{
	pt->notify = ev->notify;
	if (ev->notify == SIGEV_NONE)
		return 0;
	if (ev->notify != SIGEV_SIGNAL && ev->notify != SIGEV_THREAD &&
	    ev->notify != (SIGEV_SIGNAL | SIGEV_THREAD_ID))
		return -EINVAL;
	if (ev->notify & SIGEV_THREAD_ID) {
		pt->target = task_find_get(ev->tid);
		if (!pt->target || pt->target->process != current->process)
			return -EINVAL;
	}
	return ev->sig < 1 || ev->sig > NSIG ? -EINVAL : 0;
}

static void free_timer(struct posix_timer *pt)
{
	clock_watch_remove(&pt->watch);
	if (pt->target)
		task_put(pt->target);
	cpu_clock_put(&pt->clock);
	kfree(pt);
}

/* Give it a number and make it visible. The signal's queue entry counts against RLIMIT_SIGPENDING from now on. */
static int link_timer(struct process *p, struct posix_timer *pt, const struct timer_event *ev)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	int r = -EAGAIN;

	pt->entry.user = sig_user_charge(current->creds->uid, p->rlim[RLIMIT_SIGPENDING].rlim_cur);
	if (pt->entry.user) {
		while (find(p, p->next_timer_id))
			p->next_timer_id = (p->next_timer_id + 1) & S32_MAX;
		pt->id = r = p->next_timer_id;
		p->next_timer_id = (p->next_timer_id + 1) & S32_MAX;
		pt->entry.info.si_signo = ev->sig;
		pt->entry.info.si_code = SI_TIMER;
		pt->entry.info.timer.tid = pt->id;
		pt->entry.info.timer.value = ev->id_is_value ? (u64)pt->id : ev->value;
		list_add_tail(&pt->link, &p->posix_timers);
	}
	spin_unlock_irqrestore(&sh->lock, flags);
	return r;
}

int posix_timer_create(clockid_t clock, const struct timer_event *ev)
{
	struct posix_timer *pt = kzalloc(sizeof(*pt), 0);
	int r;

	if (!pt)
		return -EAGAIN;
	pt->process = current->process;
	pt->clock_id = clock;
	pt->entry.taken = signal_taken;
	list_init(&pt->entry.link);
	ktimer_init(&pt->ktimer, timer_fired);
	r = choose_clock(pt, clock);
	if (!r)
		r = choose_target(pt, ev);
	if (!r && counts_own_time(pt) && !process_timers_get(current->process))
		r = -EAGAIN;
	if (!r && pt->realtime)
		clock_watch_add(&pt->watch, clock_set);
	if (!r)
		r = link_timer(current->process, pt, ev);
	if (r < 0)
		free_timer(pt);
	return r;
}

static u64 expiry_of(struct posix_timer *pt, bool absolute, u64 value_ns)
{
	u64 base = absolute ? 0 : timer_now(pt), expiry;

	if (absolute && pt->clock_id == CLOCK_TAI)
		value_ns -= min(value_ns, ntp_tai_ns());
	if (absolute && pt->realtime)
		return clock_watch_deadline(&pt->watch, value_ns);
	return add_overflow(base, value_ns, &expiry) ? U64_MAX : expiry;
}

int posix_timer_set(int id, bool absolute, const struct timer_setting *new,
		    struct timer_setting *old)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	struct posix_timer *pt = find(p, id);

	if (!pt || clock_gone(pt)) {
		spin_unlock_irqrestore(&sh->lock, flags);
		return pt ? -ESRCH : -EINVAL;
	}
	remaining(pt, old);
	pt->armed = false;
	pt->missed = 0;
	sig_unqueue_locked(p, &pt->entry); /* of the old setting nothing is to come any more */
	pt->interval_ns = new->value_ns ? new->interval_ns : 0;
	pt->absolute = absolute && pt->realtime;
	pt->expiry_ns = 0;
	if (new->value_ns) {
		pt->expiry_ns = expiry_of(pt, absolute, new->value_ns);
		start(pt, 0);
	}
	spin_unlock_irqrestore(&sh->lock, flags);
	return 0;
}

int posix_timer_get(int id, struct timer_setting *out)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	struct posix_timer *pt = find(p, id);

	if (pt)
		remaining(pt, out);
	spin_unlock_irqrestore(&sh->lock, flags);
	return pt ? 0 : -EINVAL;
}

int posix_timer_overrun(int id)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	struct posix_timer *pt = find(p, id);
	int r = pt ? (int)pt->overrun : -EINVAL;

	spin_unlock_irqrestore(&sh->lock, flags);
	return r;
}

void posix_timers_describe(struct process *p,
			   void (*fn)(void *ctx, int id, int sig, u64 value, int notify,
				      pid_t target, int clock),
			   void *ctx)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	struct posix_timer *pt;

	list_for_each_entry(pt, &p->posix_timers, link)
		fn(ctx, pt->id, pt->entry.info.si_signo, pt->entry.info.timer.value, pt->notify,
		   pt->target ? task_tid(pt->target) : p->pid->nr, pt->clock_id);
	spin_unlock_irqrestore(&sh->lock, flags);
}

/* Take the timer with this id (-1: any) off the list. NULL: there is none. */
static struct posix_timer *unlink_timer(struct process *p, int id)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	struct posix_timer *pt;

	if (id < 0)
		pt = list_first_entry_or_null(&p->posix_timers, struct posix_timer, link);
	else
		pt = find(p, id);
	if (pt) {
		list_del(&pt->link);
		pt->armed = false;
		pt->interval_ns = 0;
		sig_user_uncharge(pt->entry.user);
	}
	spin_unlock_irqrestore(&sh->lock, flags);
	return pt;
}

static void destroy(struct process *p, struct posix_timer *pt)
{
	clock_watch_remove(&pt->watch);
	ktimer_cancel(&pt->ktimer);
	sig_unqueue(p, &pt->entry);
	free_timer(pt);
}

int posix_timer_delete(int id)
{
	struct posix_timer *pt = id < 0 ? NULL : unlink_timer(current->process, id);

	if (!pt)
		return -EINVAL;
	destroy(current->process, pt);
	return 0;
}

void posix_timers_exec(struct process *p)
{
	struct posix_timer *pt;

	while ((pt = unlink_timer(p, -1)))
		destroy(p, pt);
}

void posix_timers_exit(struct process *p)
{
	struct process_timers *timers = p->timers;
	unsigned long flags;
	struct sighand *sh;

	posix_timers_exec(p);
	if (!timers)
		return;
	/* A callback that is under way does not start its timer again after this. */
	sh = sighand_lock(p, &flags);
	memset(p->itimer, 0, sizeof(p->itimer));
	p->timers = NULL;
	spin_unlock_irqrestore(&sh->lock, flags);
	ktimer_cancel(&timers->real);
	ktimer_cancel(&timers->cpu);
	kfree(timers);
}

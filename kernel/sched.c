/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: one run queue per CPU.
 *
 * Ordinary tasks share the CPU in proportion to their weights: each has a virtual run time that advances slower the heavier it
 * is, and the one that has run least goes next (a tree ordered by vruntime). Real-time tasks (SCHED_FIFO, SCHED_RR) come
 * first, by priority. A task runs until it sleeps, its slice ends while others wait (a timer), or one with a better claim wakes.
 * The kernel itself is not preempted: WORK_RESCHED makes the task give way at its return to user mode or at cond_resched().
 *
 * Sleeping and waking, the one delicate spot. The sleeper: state = SLEEPING; barrier; test condition; schedule().
 * The waker: condition = true; barrier; read state. One of them sees the other's store. A task that is
 * woken between setting its state and leaving the CPU (se.queued still true) just becomes RUNNING again; one that has left its
 * queue but is still on its old CPU's stack (se.on_cpu) is left to that CPU, which comes to it when it has switched.
 *
 * No CPU waits for another's run queue to wake a task there: it puts the task on that CPU's list of arrivals, from where that CPU takes it
 * at its next turn. See hand_to().
 *
 * Locking: t->wake_lock (RANK_TASK) serialises wakers of one task; rq->lock (RANK_RUNQ) inside it; interrupts off.
 * t->hal.cpu changes only under wake_lock while the task is on no queue. A task among the arrivals is on none.
 */
#include <hal/sync_core.h>
#include <hal/boot.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <kernel/printk.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/time.h>
#include <kernel/trace/points.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <uapi/sched.h>

#define SLICE_NS	    (4 * NSEC_PER_MSEC)
#define WAKEUP_GRANULARITY  (1 * NSEC_PER_MSEC)
#define LEAST_RUN_NS	    (1 * NSEC_PER_MSEC)
#define SLEEPER_CREDIT_NS   (3 * NSEC_PER_MSEC)
#define NICE_0_WEIGHT	    1024

struct runq {
	struct spinlock lock;
	struct rb_root fair;	  /* lock: by vruntime; the running task is not in it */
	struct list rt;		  /* lock: by falling priority */
	unsigned int nr;	  /* lock: queued, the running one included */
	struct task *curr, *idle; /* lock */
	/* lock: of curr, for wakers on other CPUs, who cannot know that it still exists */
	u64 curr_vruntime, curr_start_ns;
	unsigned int curr_claim;
	bool slicing;		   /* this CPU: slice_timer fires within SLICE_NS */
	u64 min_vruntime;	   /* lock */
	struct ktimer slice_timer; /* this CPU */
	u64 idle_ns, idle_since;
	u64 nswitches;
	u64 user_ticks, nice_ticks, system_ticks; /* lock: of tasks that have left this CPU */
	struct task *arriving __aligned(64); /* atomic: by se.arrives_next, the last one first */
	unsigned int narriving;		     /* atomic: at least as many */
};

struct sleep_timer {
	struct ktimer timer;
	struct task *task;
};

static DEFINE_PERCPU(struct runq, runq);
static DEFINE_PERCPU(struct task *, switched_from);
unsigned long cpu_online_mask[(CONFIG_NR_CPUS + 63) / 64];
static u64 idle_mask[(CONFIG_NR_CPUS + 63) / 64]; /* atomic: idle, and no waker has chosen it */

/* Linux's table: one nice level is about 10 % of CPU time, a factor of 1.25 in weight. */
static const u32 nice_weight[40] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548,  7620,  6100,  4904,  3906,  3121,  2501,	 1991,	1586,  1277,
	1024,  820,   655,   526,   423,   335,	  272,	 215,	172,   137,
	110,   87,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

static struct runq *cpu_runq(unsigned int cpu)
{
	return &percpu_of(runq, cpu);
}

static bool is_rt(const struct task *t)
{
	return t->se.policy == SCHED_FIFO || t->se.policy == SCHED_RR;
}

/* ---- one run queue; rq->lock held ---- */

static bool fair_less(const struct rb_node *a, const struct rb_node *b)
{
	const struct task *ta = rb_entry((struct rb_node *)a, struct task, se.node);
	const struct task *tb = rb_entry((struct rb_node *)b, struct task, se.node);

	return (s64)(ta->se.vruntime - tb->se.vruntime) < 0;
}

static void rt_insert(struct runq *rq, struct task *t, bool head)
{
	struct task *pos;

	list_for_each_entry(pos, &rq->rt, se.rt_link)
		if (head ? pos->se.rt_priority <= t->se.rt_priority
			 : pos->se.rt_priority < t->se.rt_priority)
			break;
	list_add_tail(&t->se.rt_link, &pos->se.rt_link);
}

/* Into the waiting set; the running task is taken out of it. */
static void waiting_add(struct runq *rq, struct task *t, bool head)
{
	if (is_rt(t))
		rt_insert(rq, t, head);
	else
		rb_add(&rq->fair, &t->se.node, fair_less);
}

static void waiting_del(struct runq *rq, struct task *t)
{
	if (is_rt(t))
		list_del(&t->se.rt_link);
	else
		rb_erase(&rq->fair, &t->se.node);
}

static u64 weighted(u64 delta_ns, u32 weight)
{
	return weight == NICE_0_WEIGHT ? delta_ns : delta_ns * NICE_0_WEIGHT / weight;
}

static void update_curr(struct runq *rq, struct task *t, u64 now)
{
	u64 delta = now - t->se.exec_start_ns;

	t->se.exec_start_ns = now;
	if (t == rq->idle || is_rt(t))
		return;
	t->se.vruntime += weighted(delta, t->se.weight);
	if ((s64)(t->se.vruntime - rq->min_vruntime) > 0) {
		struct rb_node *first = rb_first(&rq->fair);
		u64 least = t->se.vruntime;

		if (first && (s64)(rb_entry(first, struct task, se.node)->se.vruntime - least) < 0)
			least = rb_entry(first, struct task, se.node)->se.vruntime;
		if ((s64)(least - rq->min_vruntime) > 0)
			rq->min_vruntime = least;
	}
}

static struct task *pick_next(struct runq *rq)
{
	struct rb_node *first;

	if (unlikely(!list_empty(&rq->rt)))
		return list_first_entry(&rq->rt, struct task, se.rt_link);
	first = rb_first(&rq->fair);
	return first ? rb_entry(first, struct task, se.node) : rq->idle;
}

/* Who goes before whom: idle, SCHED_IDLE, ordinary, real-time by priority. */
static unsigned int claim(const struct runq *rq, const struct task *t)
{
	if (is_rt(t))
		return 3u + t->se.rt_priority;
	return t == rq->idle ? 0 : t->se.policy == SCHED_IDLE ? 1 : 2;
}

/* Has @t, which has run @vruntime by the queue's time, a better claim than the running task? Without the lock it is a guess. */
static bool goes_before(const struct runq *rq, const struct task *t, u64 vruntime)
{
	unsigned int wanted = claim(rq, t), curr = READ_ONCE(rq->curr_claim);

	if (wanted != curr || is_rt(t))
		return wanted > curr;
	return (s64)(READ_ONCE(rq->curr_vruntime) - vruntime) > (s64)WAKEUP_GRANULARITY;
}

/*
 * Does it have to wait for the running task, which has just begun? Of two tasks with an equal claim one that fills a pipe would else be
 * interrupted for each message by the one that empties it.
 */
static bool must_wait(const struct runq *rq, const struct task *t, u64 now)
{
	return claim(rq, t) == READ_ONCE(rq->curr_claim) &&
	       (s64)(now - READ_ONCE(rq->curr_start_ns)) < (s64)LEAST_RUN_NS;
}

static void set_curr(struct runq *rq, struct task *t)
{
	WRITE_ONCE(rq->curr, t);
	WRITE_ONCE(rq->curr_vruntime, t->se.vruntime);
	WRITE_ONCE(rq->curr_start_ns, t->se.exec_start_ns);
	WRITE_ONCE(rq->curr_claim, claim(rq, t));
}

static void resched_cpu(unsigned int cpu)
{
	struct runq *rq = cpu_runq(cpu);

	task_set_work(rq->curr, WORK_RESCHED);
	if (cpu != hal_cpu_id())
		hal_ipi_send(cpu, HAL_IPI_RESCHED);
}

/* Have the running task looked at in @ns at the latest. */
static void start_timer(struct runq *rq, u64 now, u64 ns)
{
	if (rq->slice_timer.cpu >= 0 && rq->slice_timer.deadline_ns > now &&
	    rq->slice_timer.deadline_ns <= now + ns)
		return;
	WRITE_ONCE(rq->slicing, ns <= SLICE_NS);
	ktimer_start(&rq->slice_timer, now + ns);
}

u32 sched_rr_slice_ms = SCHED_RR_SLICE_MS;

static u64 rr_slice_ns(void)
{
	return READ_ONCE(sched_rr_slice_ms) * NSEC_PER_MSEC;
}

/* The next task's slice: bounded only while others wait. */
static void start_slice(struct runq *rq, struct task *t, u64 now)
{
	if (rq->nr >= 2 && t != rq->idle && t->se.policy != SCHED_FIFO)
		start_timer(rq, now, t->se.policy == SCHED_RR ? rr_slice_ns() : SLICE_NS);
}

/* What @t has run, by @rq's time. A sleeper does not fall behind for ever, nor hoard credit. */
static u64 vruntime_on(const struct runq *rq, const struct task *t)
{
	const struct runq *old = cpu_runq(t->hal.cpu);
	u64 least = READ_ONCE(rq->min_vruntime), floor = least - SLEEPER_CREDIT_NS;
	u64 v = t->se.vruntime;

	/* Each queue has a virtual time of its own: what counts is how far ahead or behind a task was. */
	if (old != rq)
		v += least - READ_ONCE(old->min_vruntime);
	return (s64)(v - floor) < 0 ? floor : v;
}

/* @t, just queued here, takes the running task's place, now or soon. */
static void preempt(struct runq *rq, const struct task *t)
{
	u64 now = hal_clock_ns();

	if (!current->se.hands_over && must_wait(rq, t, now))
		start_timer(rq, now, rq->curr_start_ns + LEAST_RUN_NS - now);
	else
		task_set_work(rq->curr, WORK_RESCHED);
}

/* Put a runnable task on this CPU's queue. */
static void enqueue(struct task *t)
{
	unsigned int cpu = hal_cpu_id();
	struct runq *rq = cpu_runq(cpu);

	if (t->hal.cpu != cpu)
		TRACE_POINT(sched_migrate_task, t, cpu);
	spin_lock(&rq->lock);
	t->se.vruntime = vruntime_on(rq, t);
	t->hal.cpu = cpu;
	t->se.queued = true;
	waiting_add(rq, t, false);
	rq->nr++;
	if (goes_before(rq, t, t->se.vruntime))
		preempt(rq, t);
	else if (rq->nr == 2) /* who had the CPU alone has no slice timer */
		start_slice(rq, rq->curr, hal_clock_ns());
	spin_unlock(&rq->lock);
}

/*
 * Put a runnable task on the list of another CPU. Whoever finds that list empty sees to it that the CPU looks there soon:
 *
 *	waker					the other CPU
 *	arriving = t				curr_claim = idle, or slicing = false
 *	barrier					barrier
 *	reads curr_claim, slicing		reads arriving: sched_idle(), slice_end()
 *
 * So it finds the task, or the waker finds it idle or without a timer that will make it look, and interrupts it. A task that should run at
 * once is worth an interrupt in any case. Return: whether to send one.
 */
static bool hand_to(struct task *t, unsigned int cpu)
{
	struct runq *rq = cpu_runq(cpu);
	struct task *first = READ_ONCE(rq->arriving);

	__atomic_fetch_add(&rq->narriving, 1, __ATOMIC_RELAXED);
	do
		t->se.arrives_next = first;
	while (!try_cmpxchg(&rq->arriving, &first, t));
	smp_mb();
	if (!first && (!READ_ONCE(rq->curr_claim) || !READ_ONCE(rq->slicing)))
		return true;
	return READ_ONCE(rq->curr_claim) && goes_before(rq, t, vruntime_on(rq, t)) &&
	       !must_wait(rq, t, hal_clock_ns());
}

/* Make @t run on @cpu; its wake_lock is held, and released here. Interrupts off. */
static void place(struct task *t, unsigned int cpu)
{
	bool interrupt = false;

	if (cpu == hal_cpu_id())
		enqueue(t);
	else
		interrupt = hand_to(t, cpu);
	/* Before the interrupt, whose handler wants it. */
	spin_unlock(&t->wake_lock);
	if (interrupt)
		hal_ipi_send(cpu, HAL_IPI_RESCHED);
}

/* ---- placement ---- */

static bool allowed_on(const struct task *t, unsigned int cpu)
{
	return t->affinity.bits[cpu / 64] >> (cpu % 64) & 1;
}

unsigned int cpu_online_count(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(cpu_online_mask); i++)
		n += (unsigned int)__builtin_popcountl(cpu_online_mask[i]);
	return n;
}

bool sched_is_running(const struct task *t)
{
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		if (READ_ONCE(cpu_runq(cpu)->curr) == t)
			return true;
	return false;
}

static unsigned int load_of(unsigned int cpu)
{
	return READ_ONCE(cpu_runq(cpu)->nr) + READ_ONCE(cpu_runq(cpu)->narriving);
}

/* Where a new task runs: on the CPU with the shortest queue. */
static unsigned int shortest_queue(const struct task *t)
{
	unsigned int best = t->hal.cpu, least = ~0u;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		unsigned int load = load_of(cpu);

		if (cpu_online(cpu) && allowed_on(t, cpu) &&
		    (load < least || (load == least && cpu == t->hal.cpu))) {
			least = load;
			best = cpu;
		}
	}
	return best;
}

/* Choose @cpu if it is idle and nobody else has chosen it. */
static bool take_idle(unsigned int cpu)
{
	u64 bit = 1ULL << (cpu % 64), *word = &idle_mask[cpu / 64];

	return (READ_ONCE(*word) & bit) && (__atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED) & bit);
}

/* An idle CPU for @t, best the one it ran on; -1: there is none. */
static int idle_cpu(const struct task *t)
{
	if (allowed_on(t, t->hal.cpu) && take_idle(t->hal.cpu))
		return (int)t->hal.cpu;
	for (unsigned int w = 0; w < ARRAY_SIZE(idle_mask); w++)
		for (u64 left = READ_ONCE(idle_mask[w]) & t->affinity.bits[w]; left;
		     left &= left - 1) {
			unsigned int cpu = w * 64 + (unsigned int)__builtin_ctzll(left);

			if (take_idle(cpu))
				return (int)cpu;
		}
	return -1;
}

/*
 * Where a waking task runs: in the place of one that hands over; where it ran if that is idle, else on any idle CPU; else here, where what it
 * waited for is in the cache, if its own CPU is not less busy. To look at all queues would cost more than it gains: CPUs without work get some.
 */
static unsigned int select_cpu(const struct task *t)
{
	unsigned int self = hal_cpu_id(), old = t->hal.cpu;
	int idle;

	if (cpu_online_count() == 1)
		return old;
	if (unlikely(current->se.hands_over) && allowed_on(t, self) &&
	    READ_ONCE(cpu_runq(self)->nr) == 1)
		return self;
	idle = idle_cpu(t);
	if (idle >= 0)
		return (unsigned int)idle;
	if (is_rt(t) || !allowed_on(t, old))
		return shortest_queue(t);
	return allowed_on(t, self) && load_of(self) <= load_of(old) ? self : old;
}

/* Take in the tasks that were woken for @from, this CPU or one that this one helps. Interrupts off, no lock held. */
static __noinline void take_arrivals(unsigned int from)
{
	struct runq *rq = cpu_runq(from);
	struct task *t = xchg(&rq->arriving, NULL), *next, *in_order = NULL;

	for (; t; t = next) {
		next = t->se.arrives_next;
		t->se.arrives_next = in_order;
		in_order = t;
	}
	for (t = in_order; t; t = next) {
		next = t->se.arrives_next;
		spin_lock(&t->wake_lock);
		__atomic_fetch_sub(&rq->narriving, 1, __ATOMIC_RELAXED);
		while (__atomic_load_n(&t->se.on_cpu, __ATOMIC_ACQUIRE))
			hal_cpu_relax();
		place(t, allowed_on(t, hal_cpu_id()) ? hal_cpu_id() : select_cpu(t));
	}
}

static void look_for_arrivals(struct runq *rq)
{
	if (unlikely(READ_ONCE(rq->arriving)))
		take_arrivals(hal_cpu_id());
}

/* Take a waiting task that may run on CPU @to out of @from's queue; its wake_lock is then held. NULL: none. */
static struct task *take_waiting(unsigned int from, unsigned int to)
{
	struct runq *rq = cpu_runq(from);
	struct task *t, *found = NULL;

	if (!spin_trylock(&rq->lock))
		return NULL;
	rb_for_each_entry(t, &rq->fair, se.node) {
		if (allowed_on(t, to) && !READ_ONCE(t->se.on_cpu) && spin_trylock(&t->wake_lock)) {
			found = t;
			break;
		}
	}
	if (found) {
		waiting_del(rq, found);
		rq->nr--;
		found->se.queued = false;
	}
	spin_unlock(&rq->lock);
	return found;
}

/* Move one waiting task. Interrupts off. */
static bool move_one(unsigned int from, unsigned int to)
{
	struct task *t = take_waiting(from, to);

	if (!t)
		return false;
	place(t, to);
	return true;
}

/* An idle CPU pulls from the fullest queue. Returns whether it got something. */
static bool balance_idle(unsigned int self)
{
	unsigned int victim = self, most = 1;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		unsigned int load = load_of(cpu);

		if (cpu != self && load > most) {
			most = load;
			victim = cpu;
		}
	}
	if (victim == self)
		return false;
	if (READ_ONCE(cpu_runq(victim)->arriving))
		take_arrivals(victim);
	return READ_ONCE(cpu_runq(self)->nr) || move_one(victim, self);
}

/* At the end of a slice: give one away if another CPU has at least two tasks fewer. */
static void balance_push(unsigned int self)
{
	unsigned int target = self, least = READ_ONCE(cpu_runq(self)->nr);

	if (least < 2)
		return;
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		unsigned int load = load_of(cpu);

		if (cpu_online(cpu) && load < least) {
			least = load;
			target = cpu;
		}
	}
	if (least + 2 <= READ_ONCE(cpu_runq(self)->nr))
		move_one(self, target);
}

/* ---- waking ---- */

/*
 * Is a task that sleeps still on its queue? Then it has not left it, and goes on. The lock decides between this and schedule(). What says
 * that it has left is never from an earlier sleep, nor is what is read of se.on_cpu afterwards from before it ran:
 *
 *	who queued it	its CPU, with that queue's lock			waker
 *	queued = true	on_cpu = true, state = ASLEEP			reads state: ASLEEP
 *	unlock, lock	unlock, lock; queued = false; on_cpu = false	reads queued (acquire), then on_cpu
 */
static bool still_queued(struct task *t)
{
	struct runq *rq = cpu_runq(t->hal.cpu);
	bool queued;

	if (!smp_load_acquire(&t->se.queued))
		return false;
	spin_lock(&rq->lock);
	queued = t->se.queued;
	if (queued)
		WRITE_ONCE(t->state, TASK_RUNNING);
	spin_unlock(&rq->lock);
	return queued;
}

bool task_wake(struct task *t, u32 states)
{
	unsigned long flags = spin_lock_irqsave(&t->wake_lock);
	unsigned int cpu = t->hal.cpu;

	if (!((1u << smp_load_acquire(&t->state)) & states)) {
		spin_unlock_irqrestore(&t->wake_lock, flags);
		return false;
	}
	TRACE_POINT(sched_waking, t, cpu);
	if (still_queued(t)) {
		TRACE_POINT(sched_wakeup, t, cpu);
		spin_unlock_irqrestore(&t->wake_lock, flags);
		return true;
	}
	WRITE_ONCE(t->state, TASK_RUNNING);
	if (likely(!__atomic_load_n(&t->se.on_cpu, __ATOMIC_ACQUIRE)))
		cpu = select_cpu(t);
	TRACE_POINT(sched_wakeup, t, cpu);
	place(t, cpu);
	hal_irq_restore(flags);
	return true;
}

void task_prepare_sleep(enum task_state state)
{
	current->wchan = __builtin_return_address(0);
	WRITE_ONCE(current->state, state);
	smp_mb();
}

void task_finish_sleep(void)
{
	WRITE_ONCE(current->state, TASK_RUNNING);
}

bool sleep_interrupted(enum task_state state)
{
	if (state == TASK_INTERRUPTIBLE)
		return READ_ONCE(current->work) & (WORK_SIGNAL | WORK_EXIT);
	return state == TASK_KILLABLE && (READ_ONCE(current->work) & WORK_EXIT);
}

/* ---- switching ---- */

static void slice_end(struct ktimer *timer)
{
	struct runq *rq = &percpu(runq);

	(void)timer;
	WRITE_ONCE(rq->slicing, false);
	smp_mb();
	look_for_arrivals(rq);
	task_set_work(current, WORK_RESCHED);
	balance_push(hal_cpu_id());
}

/* The CPU time of @t up to @now, of which some is user time. Another CPU's task may enter or leave user mode meanwhile. */
static void ticks_of(const struct task *t, u64 now, u64 *user, u64 *all)
{
	s64 in_user = READ_ONCE(t->user_ticks);
	u64 since = now - READ_ONCE(t->stamp);

	*all = READ_ONCE(t->cpu_ticks);
	if (READ_ONCE(t->se.on_cpu) && (s64)since > 0)
		*all += since;
	*user = min((u64)(in_user < 0 ? in_user + (s64)now : in_user), *all);
}

/* Time of @t that no CPU has counted yet counts as @rq's. In the kernel, so user_ticks is what it says. */
static void charge_cpu(struct runq *rq, struct task *t)
{
	u64 user = (u64)t->user_ticks - t->counted_user_ticks;

	if (t->se.nice > 0)
		rq->nice_ticks += user;
	else
		rq->user_ticks += user;
	rq->system_ticks += t->cpu_ticks - t->counted_ticks - user;
	t->counted_user_ticks = (u64)t->user_ticks;
	t->counted_ticks = t->cpu_ticks;
}

/* What the task that was switched to does for the one that was switched from. Interrupts off. */
static void finish_switch(void)
{
	struct runq *rq = &percpu(runq);
	struct task *prev = percpu(switched_from);
	bool dead = READ_ONCE(prev->state) == TASK_DEAD, migrating = prev->se.migrating;

	__atomic_store_n(&prev->se.on_cpu, false, __ATOMIC_RELEASE);
	spin_unlock(&rq->lock);
	if (unlikely(dead)) {
		task_put(prev);
	} else if (unlikely(migrating)) {
		spin_lock(&prev->wake_lock);
		prev->se.migrating = false;
		place(prev, select_cpu(prev));
	}
}

static void switch_to(struct runq *rq, struct task *prev, struct task *next, u64 now)
{
	u64 stamp = hal_counter();

	TRACE_POINT(sched_switch, prev, next);
	prev->cpu_ticks += stamp - prev->stamp;
	prev->stamp = stamp;
	rseq_switched_out(prev);
	if (prev != rq->idle)
		charge_cpu(rq, prev);
	next->stamp = stamp;
	next->se.exec_start_ns = now;
	next->se.on_cpu = true;
	set_curr(rq, next);
	rq->nswitches++;
	if (next->vm != prev->vm)
		vm_activate(next->vm);
	percpu(switched_from) = prev;
	hal_task_switch(&prev->hal, &next->hal);
	finish_switch();
}

void schedule(void)
{
	unsigned long flags;
	struct task *prev = current, *next;
	struct runq *rq;
	u64 now;

	lock_debug_may_sleep("schedule");
	flags = hal_irq_save();
	rq = &percpu(runq);
	now = hal_clock_ns();
	look_for_arrivals(rq);
	spin_lock(&rq->lock);
	task_clear_work(prev, WORK_RESCHED);
	update_curr(rq, prev, now);
	if (prev != rq->idle) {
		if (prev->state == TASK_RUNNING && likely(allowed_on(prev, hal_cpu_id()))) {
			waiting_add(rq, prev, prev->se.policy == SCHED_FIFO && !prev->se.yielding);
			prev->nivcsw++;
		} else {
			/* Asleep, or barred from this CPU by its affinity: then finish_switch() sends it elsewhere. */
			prev->se.migrating = prev->state == TASK_RUNNING;
			WRITE_ONCE(prev->se.queued, false);
			rq->nr--;
			prev->nvcsw++;
		}
	}
	next = pick_next(rq);
	if (next != rq->idle)
		waiting_del(rq, next);
	start_slice(rq, next, now);
	if (next == prev) {
		set_curr(rq, next);
		spin_unlock(&rq->lock);
	} else {
		switch_to(rq, prev, next, now);
	}
	hal_irq_restore(flags);
}

static void timeout_wake(struct ktimer *timer)
{
	task_wake(((struct sleep_timer *)timer)->task, WAKE_NORMAL);
}

bool schedule_until(u64 deadline_ns)
{
	struct sleep_timer st;

	if (deadline_ns == U64_MAX) {
		schedule();
		return false;
	}
	if (hal_clock_ns() >= deadline_ns) {
		task_finish_sleep();
		return true;
	}
	ktimer_init(&st.timer, timeout_wake);
	st.task = current;
	ktimer_start(&st.timer, deadline_ns);
	schedule();
	ktimer_cancel(&st.timer);
	return hal_clock_ns() >= deadline_ns;
}

void cond_resched(void)
{
	if (unlikely(READ_ONCE(current->work) & WORK_RESCHED))
		schedule();
}

void sched_yield_current(void)
{
	unsigned long flags = hal_irq_save();
	struct runq *rq = &percpu(runq);
	struct rb_node *last;

	/* Behind everybody: yield means that the others go first. */
	spin_lock(&rq->lock);
	last = rb_last(&rq->fair);
	if (last && !is_rt(current)) {
		u64 v = rb_entry(last, struct task, se.node)->se.vruntime + 1;

		if ((s64)(v - current->se.vruntime) > 0)
			current->se.vruntime = v;
	}
	current->se.yielding = true;
	spin_unlock(&rq->lock);
	hal_irq_restore(flags);
	schedule();
	current->se.yielding = false;
}

void sched_kick(struct task *t)
{
	unsigned int cpu = READ_ONCE(t->hal.cpu);

	if (t != current && READ_ONCE(t->se.on_cpu) && cpu != hal_cpu_id())
		hal_ipi_send(cpu, HAL_IPI_RESCHED);
}

void upcall_ipi_resched(void)
{
	/* An idle CPU has been woken, or what the sender set in the task's work is looked at on the way out. */
	look_for_arrivals(&percpu(runq));
}

/* ---- barriers on all CPUs: membarrier(2) ---- */

static DEFINE_PERCPU(u64, calls_taken);

void upcall_ipi_call(void)
{
	smp_mb();
	hal_sync_core();
	__atomic_fetch_add(&percpu(calls_taken), 1, __ATOMIC_SEQ_CST);
}

void sched_abort_sequences(const struct vm *vm, int only_cpu)
{
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		struct runq *rq = &percpu_of(runq, cpu);
		unsigned long flags;

		if (!cpu_online(cpu) || (only_cpu >= 0 && cpu != (unsigned int)only_cpu))
			continue;
		flags = spin_lock_irqsave(&rq->lock);
		if (rq->curr->vm == vm && rq->curr->rseq)
			task_set_work(rq->curr, WORK_RSEQ);
		spin_unlock_irqrestore(&rq->lock, flags);
	}
}

void sched_sync_all_cpus(void)
{
	u64 before[CONFIG_NR_CPUS];
	unsigned int self = hal_cpu_id();

	smp_mb();
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++) {
		if (cpu == self || !cpu_online(cpu))
			continue;
		before[cpu] = __atomic_load_n(&percpu_of(calls_taken, cpu), __ATOMIC_SEQ_CST);
		hal_ipi_send(cpu, HAL_IPI_CALL);
	}
	/* Equal interrupts may merge into an earlier one that is still on its way: that one, too, is taken after this point. */
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		while (cpu != self && cpu_online(cpu) &&
		       __atomic_load_n(&percpu_of(calls_taken, cpu), __ATOMIC_SEQ_CST) ==
			       before[cpu])
			hal_cpu_relax();
	smp_mb();
	hal_sync_core();
}

/* ---- beginning and ending ---- */

/* SCHED_RESET_ON_FORK: neither real-time nor favoured, and children of its own inherit. */
static void reset_policy(struct sched_entity *se)
{
	if (se->policy == SCHED_FIFO || se->policy == SCHED_RR) {
		se->policy = SCHED_OTHER;
		se->nice = 0;
	}
	se->nice = max(se->nice, (s8)0);
	se->rt_priority = 0;
	se->weight = se->policy == SCHED_IDLE ? 3 : nice_weight[se->nice + 20];
}

void sched_fork(struct task *t)
{
	struct task *parent = current;

	spin_init(&t->wake_lock, RANK_TASK);
	t->se = (struct sched_entity){
		.policy = parent->se.policy,
		.nice = parent->se.nice,
		.rt_priority = parent->se.rt_priority,
		.weight = parent->se.weight ? parent->se.weight : NICE_0_WEIGHT,
		.vruntime = parent->se.vruntime,
	};
	if (unlikely(parent->se.reset_on_fork))
		reset_policy(&t->se);
	t->affinity = parent->affinity;
	t->hal.cpu = hal_cpu_id();
	t->state = TASK_UNINTERRUPTIBLE;
}

void sched_reset(struct task *t)
{
	t->se.policy = SCHED_OTHER;
	t->se.nice = 0;
	t->se.rt_priority = 0;
	t->se.weight = NICE_0_WEIGHT;
	memset(t->affinity.bits, 0xff, sizeof(t->affinity.bits));
}

void sched_start(struct task *t)
{
	unsigned long flags = hal_irq_save();
	unsigned int cpu;

	/* It starts where its parent stands, not where its sleep would have credited it. */
	spin_lock(&t->wake_lock);
	WRITE_ONCE(t->state, TASK_RUNNING);
	cpu = cpu_online_count() == 1 ? t->hal.cpu : shortest_queue(t);
	TRACE_POINT(sched_wakeup_new, t, cpu);
	place(t, cpu);
	hal_irq_restore(flags);
}

void sched_first_run(void)
{
	finish_switch();
}

void sched_exit(void)
{
	hal_irq_enable();
	WRITE_ONCE(current->state, TASK_DEAD);
	schedule();
	panic("a dead task ran");
}

void sched_init_cpu(struct task *idle)
{
	struct runq *rq = &percpu(runq);
	unsigned int cpu = hal_cpu_id();

	spin_init(&rq->lock, RANK_RUNQ);
	rb_root_init(&rq->fair);
	list_init(&rq->rt);
	ktimer_init(&rq->slice_timer, slice_end);
	idle->se.weight = NICE_0_WEIGHT;
	idle->se.on_cpu = true;
	idle->hal.cpu = cpu;
	idle->flags = TASK_F_KTHREAD | TASK_F_IDLE;
	idle->state = TASK_RUNNING;
	spin_init(&idle->wake_lock, RANK_TASK);
	for (unsigned int i = 0; i < ARRAY_SIZE(idle->affinity.bits); i++)
		idle->affinity.bits[i] = ~0UL;
	rq->idle = idle;
	set_curr(rq, idle);
	hal_set_current(&idle->hal);
	idle->stamp = hal_counter();
	idle->se.exec_start_ns = hal_clock_ns();
	__atomic_fetch_or(&cpu_online_mask[cpu / 64], 1UL << (cpu % 64), __ATOMIC_RELEASE);
}

static bool has_work(const struct runq *rq)
{
	return READ_ONCE(rq->nr) || READ_ONCE(rq->arriving);
}

void sched_idle(void)
{
	struct runq *rq = &percpu(runq);
	unsigned int cpu = hal_cpu_id();
	u64 bit = 1ULL << (cpu % 64);

	for (;;) {
		hal_irq_disable();
		if (!has_work(rq) && !balance_idle(cpu)) {
			rq->idle_since = hal_clock_ns();
			__atomic_fetch_or(&idle_mask[cpu / 64], bit, __ATOMIC_SEQ_CST);
			smp_mb();
			/* A task handed over after this test sends an interrupt, which ends the sleep even if it comes before it. */
			if (!has_work(rq))
				hal_cpu_idle();
			__atomic_fetch_and(&idle_mask[cpu / 64], ~bit, __ATOMIC_SEQ_CST);
			rq->idle_ns += hal_clock_ns() - rq->idle_since;
			WRITE_ONCE(rq->idle_since, 0);
		}
		hal_irq_enable();
		if (has_work(rq))
			schedule();
	}
}

/* ---- tuning and statistics ---- */

void sched_set(struct task *t, unsigned int policy, int nice, unsigned int rt_priority)
{
	unsigned long flags = spin_lock_irqsave(&t->wake_lock);
	struct runq *rq = cpu_runq(t->hal.cpu);
	bool waiting;

	spin_lock(&rq->lock);
	waiting = t->se.queued && rq->curr != t;
	if (waiting)
		waiting_del(rq, t);
	t->se.policy = (u8)policy;
	t->se.nice = (s8)nice;
	t->se.rt_priority = (u8)rt_priority;
	t->se.weight = policy == SCHED_IDLE ? 3 : nice_weight[nice + 20];
	if (waiting)
		waiting_add(rq, t, false);
	if (rq->curr == t)
		set_curr(rq, t);
	if (t->se.queued)
		resched_cpu(t->hal.cpu);
	spin_unlock(&rq->lock);
	spin_unlock_irqrestore(&t->wake_lock, flags);
}

void sched_set_affinity(struct task *t, const unsigned long *bits)
{
	unsigned long flags = spin_lock_irqsave(&t->wake_lock);
	struct runq *rq = cpu_runq(t->hal.cpu);
	bool move;

	memcpy(t->affinity.bits, bits, sizeof(t->affinity.bits));
	spin_lock(&rq->lock);
	move = t->se.queued && rq->curr != t && !allowed_on(t, t->hal.cpu);
	if (move) {
		waiting_del(rq, t);
		rq->nr--;
		t->se.queued = false;
	} else if (t->se.queued) {
		resched_cpu(t->hal.cpu);
	}
	spin_unlock(&rq->lock);
	if (move)
		place(t, select_cpu(t));
	else
		spin_unlock(&t->wake_lock);
	hal_irq_restore(flags);
	if (t == current)
		cond_resched();
}

void sched_get_times(const struct task *t, struct cpu_times *out)
{
	u64 user, all;

	ticks_of(t, hal_counter(), &user, &all);
	out->user_ns = hal_counter_to_ns(user);
	out->system_ns = hal_counter_to_ns(all - user);
}

u64 sched_rr_interval_ns(const struct task *t)
{
	return t->se.policy == SCHED_FIFO ? 0 : t->se.policy == SCHED_RR ? rr_slice_ns() : SLICE_NS;
}

u64 sched_cpu_idle_ns(unsigned int cpu)
{
	struct runq *rq = cpu_runq(cpu);
	u64 ns = READ_ONCE(rq->idle_ns), since = READ_ONCE(rq->idle_since);

	return since ? ns + hal_clock_ns() - since : ns;
}

void sched_cpu_times(unsigned int cpu, struct cpu_split *out)
{
	struct runq *rq = cpu_runq(cpu);
	unsigned long flags = spin_lock_irqsave(&rq->lock);
	u64 user = rq->user_ticks, nice = rq->nice_ticks, system = rq->system_ticks;
	struct task *t = rq->curr;

	/* What runs now has not been counted. */
	if (t != rq->idle) {
		u64 here, all;

		ticks_of(t, hal_counter(), &here, &all);
		here -= min(here, t->counted_user_ticks);
		all -= t->counted_ticks;
		system += all - min(here, all);
		*(t->se.nice > 0 ? &nice : &user) += here;
	}
	spin_unlock_irqrestore(&rq->lock, flags);
	out->user_ns = hal_counter_to_ns(user);
	out->nice_ns = hal_counter_to_ns(nice);
	out->system_ns = hal_counter_to_ns(system);
}

u64 sched_switches(void)
{
	u64 n = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		n += READ_ONCE(cpu_runq(cpu)->nswitches);
	return n;
}

/* ---- load averages: sampled every five seconds, decaying exponentially; 11 bits of fraction ---- */

#define LOAD_PERIOD_NS (5 * NSEC_PER_SEC)
static const u64 load_decay[3] = { 1884, 2014, 2037 }; /* 2048 / exp(5 s / 1, 5, 15 min) */
static u64 load_avg[3];

static unsigned int count_running(void)
{
	unsigned int n = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		n += load_of(cpu);
	return n;
}

static void sample_load(struct ktimer *timer)
{
	u64 active = (u64)count_running() << 11;

	for (int i = 0; i < 3; i++)
		load_avg[i] = (load_avg[i] * load_decay[i] + active * (2048 - load_decay[i])) >> 11;
	ktimer_start(timer, timer->deadline_ns + LOAD_PERIOD_NS);
}

void sched_load(u64 load[3], unsigned int *nrunning)
{
	memcpy(load, load_avg, sizeof(load_avg));
	*nrunning = count_running();
}

void sched_start_load_sampling(void)
{
	static struct ktimer timer;

	ktimer_init(&timer, sample_load);
	ktimer_start(&timer, hal_clock_ns() + LOAD_PERIOD_NS);
}

/* SPDX-License-Identifier: MIT */
/*
 * Sleeping locks: mutex and rwsem (include/lock.h), and the checks of a debug build.
 *
 * Both keep a list of sleepers under a spinlock; the uncontended paths do not touch it. Who finds a lock taken waits a little for its holder, if
 * that runs, before it sleeps. A lock that is released is free for whoever comes first, and the first sleeper is woken to try: to hand
 * it over to a task that has yet to wake would make all others wait for that, and they would then stand in line for good. A sleeper that was
 * woken in vain is starving, and is given the lock the next time (`granted`), so nobody waits for ever.
 */
#include <hal/boot.h>
#include <kernel/printk.h>
#include <kernel/task.h>

#define AWAKE_TURNS 100 /* of a wait before a task sleeps: some microseconds, what a sleep costs */
#define MAY_PASS    256 /* readers past a waiting writer */

struct lock_waiter {
	struct list link;
	struct task *task;
	bool write;
	bool granted;  /* the lock's spinlock: it has the lock, and is off the list */
	bool starving; /* the same: it was woken, and someone else was faster */
	bool told;     /* the same, of an rwsem: somebody is about to wake it, or has */
};

static void waiter_add(struct lock_waiter *w, struct list *waiters)
{
	w->task = current;
	list_add_tail(&w->link, waiters);
}

/* Wake a waiter; the lock's spinlock is held, so it is still there. */
static void waiter_wake(struct lock_waiter *w)
{
	task_wake(w->task, WAKE_NORMAL);
}

/* How long a task may wait awake: a sleep costs two switches, and where CPUs are virtual the waking of one. */
static unsigned int awake_turns(void)
{
	return boot_info.ncpus > 1 ? AWAKE_TURNS : 0;
}

/* ---- mutex ---- */

void mutex_init(struct mutex *m)
{
	spin_init(&m->lock, RANK_WAITQ);
	m->owner = 0;
	list_init(&m->waiters);
}

/* Take it if it is free, sleepers or not. */
static bool mutex_take(struct mutex *m)
{
	unsigned long owner = READ_ONCE(m->owner);

	return !(owner & ~MUTEX_WAITERS) &&
	       try_cmpxchg_acquire(&m->owner, &owner, owner | (unsigned long)current);
}

bool mutex_trylock(struct mutex *m)
{
	return cmpxchg_acquire(&m->owner, 0UL, (unsigned long)current) == 0 || mutex_take(m);
}

/* Wait a little while the owner runs: it is probably about to leave. */
static bool mutex_wait_awake(struct mutex *m)
{
	for (unsigned int n = awake_turns(); n; n--) {
		unsigned long owner = READ_ONCE(m->owner) & ~MUTEX_WAITERS;

		if (!owner) {
			if (mutex_take(m))
				return true;
		} else if (!sched_is_running((struct task *)owner)) {
			return false;
		}
		hal_cpu_relax();
	}
	return false;
}

/*
 * MUTEX_WAITERS is set with m->lock held, in the word that unlocking takes the owner out of by one exchange. So either the owner has left
 * before it could be set, and the lock is free; or it finds the bit and comes to m->lock, where it sees who waits:
 *
 *	locker (m->lock held)			owner
 *	owner: T -> T | WAITERS			owner: T -> 0
 *	  fails: 0 now, take it			  fails: T | WAITERS, slow path
 *
 * The bit may be left when nobody waits any more. Return: whether the caller, which is on the list, has the lock now.
 */
static bool take_or_announce(struct mutex *m)
{
	unsigned long owner = READ_ONCE(m->owner);

	for (;;) {
		bool taken = !(owner & ~MUTEX_WAITERS);
		unsigned long wanted = (taken ? (unsigned long)current : owner) | MUTEX_WAITERS;

		if (owner == wanted || try_cmpxchg_acquire(&m->owner, &owner, wanted))
			return taken;
	}
}

/* Leave the list; m->lock held. Who gives up passes on that the lock is free, in case it was told. */
static void mutex_stop_waiting(struct mutex *m, struct lock_waiter *w, bool gives_up)
{
	list_del(&w->link);
	if (gives_up && !(READ_ONCE(m->owner) & ~MUTEX_WAITERS) && !list_empty(&m->waiters))
		waiter_wake(list_first_entry(&m->waiters, struct lock_waiter, link));
}

static int mutex_lock_slow(struct mutex *m, enum task_state state)
{
	struct lock_waiter w = { .write = false };
	unsigned long flags;
	int r = 0;

	if (mutex_wait_awake(m))
		return 0;
	flags = spin_lock_irqsave(&m->lock);
	waiter_add(&w, &m->waiters);
	for (;;) {
		task_prepare_sleep(state);
		if (w.granted || take_or_announce(m))
			break;
		if (sleep_interrupted(state)) {
			r = -EINTR;
			break;
		}
		spin_unlock_irqrestore(&m->lock, flags);
		schedule();
		flags = spin_lock_irqsave(&m->lock);
		w.starving = true;
	}
	task_finish_sleep();
	if (!w.granted)
		mutex_stop_waiting(m, &w, r);
	spin_unlock_irqrestore(&m->lock, flags);
	return r;
}

void mutex_lock(struct mutex *m)
{
	lock_debug_may_sleep("mutex_lock");
	if (unlikely(cmpxchg_acquire(&m->owner, 0UL, (unsigned long)current) != 0))
		(void)mutex_lock_slow(m, TASK_UNINTERRUPTIBLE);
}

int mutex_lock_killable(struct mutex *m)
{
	lock_debug_may_sleep("mutex_lock_killable");
	return likely(mutex_trylock(m)) ? 0 : mutex_lock_slow(m, TASK_KILLABLE);
}

static __noinline void mutex_unlock_slow(struct mutex *m)
{
	unsigned long flags = spin_lock_irqsave(&m->lock), next = 0;
	struct lock_waiter *w = list_first_entry_or_null(&m->waiters, struct lock_waiter, link);

	if (w) {
		next = MUTEX_WAITERS;
		if (w->starving) {
			list_del(&w->link);
			w->granted = true;
			next |= (unsigned long)w->task;
		}
	}
	__atomic_store_n(&m->owner, next, __ATOMIC_RELEASE);
	if (w)
		waiter_wake(w);
	spin_unlock_irqrestore(&m->lock, flags);
}

void mutex_unlock(struct mutex *m)
{
	unsigned long owner = (unsigned long)current;

	if (unlikely(!__atomic_compare_exchange_n(&m->owner, &owner, 0UL, false, __ATOMIC_RELEASE,
						  __ATOMIC_RELAXED)))
		mutex_unlock_slow(m);
}

/* ---- rwsem ---- */

void rwsem_init(struct rwsem *s)
{
	spin_init(&s->lock, RANK_WAITQ);
	s->count = 0;
	s->waiting = 0;
	s->told = false;
	s->passed = 0;
	list_init(&s->waiters);
}

/* @waiting keeps newcomers from overtaking, but for some. */
static bool try_read(struct rwsem *s)
{
	s32 n = READ_ONCE(s->count);

	while (n >= 0 && !READ_ONCE(s->waiting))
		if (try_cmpxchg_acquire(&s->count, &n, n + 1))
			return true;
	return false;
}

static bool try_write(struct rwsem *s)
{
	return !READ_ONCE(s->waiting) && cmpxchg_acquire(&s->count, 0, -1) == 0;
}

/* One more has passed those who wait. Roughly: it only has to end. */
static void count_pass(struct rwsem *s)
{
	if (READ_ONCE(s->waiting))
		WRITE_ONCE(s->passed, READ_ONCE(s->passed) + 1);
}

static bool may_pass(struct rwsem *s)
{
	return READ_ONCE(s->passed) < MAY_PASS;
}

/* Take it if others hold it as far as that goes, whoever waits. */
static bool rwsem_take(struct rwsem *s, bool write)
{
	s32 n = READ_ONCE(s->count);

	while (write ? n == 0 : n >= 0)
		if (try_cmpxchg_acquire(&s->count, &n, write ? -1 : n + 1))
			return true;
	return false;
}

/* Past those who sleep, within limits: whoever leaves last looks for them, these as well. */
static bool take_past(struct rwsem *s, bool write)
{
	if (!may_pass(s) || !rwsem_take(s, write))
		return false;
	count_pass(s);
	return true;
}

static bool rwsem_wait_awake(struct rwsem *s, bool write)
{
	for (unsigned int n = awake_turns(); n; n--) {
		if (take_past(s, write))
			return true;
		hal_cpu_relax();
	}
	return false;
}

/* Is it @w's turn? The first's, and that of readers with none but readers before them. s->lock held. */
static bool in_front(struct rwsem *s, const struct lock_waiter *w)
{
	struct lock_waiter *other;

	list_for_each_entry(other, &s->waiters, link)
		if (other == w || other->write || w->write)
			return other == w;
	return false;
}

#define WAKE_MOST 8
struct to_wake {
	unsigned int n;
	struct task *task[WAKE_MOST];
};

/*
 * Choose whom to wake: those whose turn it is, if they can have the lock; s->lock held. Until one of them comes, whoever releases the lock need
 * not look again, nor stand in that one's way at s->lock:
 *
 *	releases			who was chosen
 *	count = 0			told = false
 *	barrier				barrier
 *	told? then do not wake		count allows it? then take it, else sleep
 *
 * Each is woken once each time it was chosen, and does not come before.
 */
static void choose_front(struct rwsem *s, struct to_wake *chosen)
{
	struct lock_waiter *w;

	chosen->n = 0;
	list_for_each_entry(w, &s->waiters, link) {
		s32 n = READ_ONCE(s->count);

		if (w->write ? n != 0 || !in_front(s, w) : n < 0)
			return;
		WRITE_ONCE(s->told, true);
		if (!w->told) {
			w->told = true;
			task_get(w->task);
			chosen->task[chosen->n++] = w->task;
		}
		/* The last of so many readers sees to those behind it. */
		if (w->write || chosen->n == WAKE_MOST)
			return;
	}
}

/* No lock held: to interrupt another CPU takes its time. */
static void wake_chosen(struct to_wake *chosen)
{
	for (unsigned int i = 0; i < chosen->n; i++) {
		task_wake(chosen->task[i], WAKE_NORMAL);
		task_put(chosen->task[i]);
	}
}

static void rwsem_slow(struct rwsem *s, bool write)
{
	struct lock_waiter w = { .write = write };
	struct to_wake chosen = { 0 };
	unsigned long flags;

	if (rwsem_wait_awake(s, write))
		return;
	flags = spin_lock_irqsave(&s->lock);
	waiter_add(&w, &s->waiters);
	__atomic_fetch_add(&s->waiting, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		if (w.told)
			WRITE_ONCE(s->told, false);
		w.told = false;
		task_prepare_sleep(TASK_UNINTERRUPTIBLE);
		if (in_front(s, &w) ? rwsem_take(s, write) : take_past(s, write))
			break;
		spin_unlock_irqrestore(&s->lock, flags);
		schedule();
		flags = spin_lock_irqsave(&s->lock);
		/* Woken, and someone may have been faster: it shall be the last. */
		WRITE_ONCE(s->passed, MAY_PASS);
	}
	task_finish_sleep();
	if (in_front(s, &w))
		WRITE_ONCE(s->passed, 0);
	list_del(&w.link);
	__atomic_fetch_sub(&s->waiting, 1, __ATOMIC_SEQ_CST);
	if (!write)
		choose_front(s, &chosen);
	spin_unlock_irqrestore(&s->lock, flags);
	wake_chosen(&chosen);
}

static __noinline void rwsem_wake(struct rwsem *s)
{
	unsigned long flags = spin_lock_irqsave(&s->lock);
	struct to_wake chosen = { 0 };

	if (!s->told)
		choose_front(s, &chosen);
	spin_unlock_irqrestore(&s->lock, flags);
	wake_chosen(&chosen);
}

/* Is there anybody to wake, who has not been? In order after the release: who queues counts itself first, and then looks at the lock. */
static bool wanted(const struct rwsem *s)
{
	return __atomic_load_n(&s->waiting, __ATOMIC_SEQ_CST) && !READ_ONCE(s->told);
}

void rwsem_down_read(struct rwsem *s)
{
	lock_debug_may_sleep("rwsem_down_read");
	if (unlikely(!try_read(s)))
		rwsem_slow(s, false);
}

void rwsem_down_read_past(struct rwsem *s)
{
	lock_debug_may_sleep("rwsem_down_read_past");
	if (unlikely(!try_read(s)) && !take_past(s, false))
		rwsem_slow(s, false);
}

void rwsem_down_write(struct rwsem *s)
{
	lock_debug_may_sleep("rwsem_down_write");
	if (unlikely(!try_write(s)))
		rwsem_slow(s, true);
}

void rwsem_up_read(struct rwsem *s)
{
	s32 n = __atomic_sub_fetch(&s->count, 1, __ATOMIC_SEQ_CST);

	if (unlikely(n == 0 && wanted(s)))
		rwsem_wake(s);
}

void rwsem_up_write(struct rwsem *s)
{
	__atomic_store_n(&s->count, 0, __ATOMIC_SEQ_CST);
	if (unlikely(wanted(s)))
		rwsem_wake(s);
}

void rwsem_downgrade(struct rwsem *s)
{
	__atomic_store_n(&s->count, 1, __ATOMIC_SEQ_CST);
	if (unlikely(wanted(s)))
		rwsem_wake(s);
}

/* ---- debug build ---- */

#ifdef CONFIG_DEBUG

#define MAX_HELD 16
struct held_locks {
	unsigned int n;
	struct spinlock *lock[MAX_HELD];
};
static DEFINE_PERCPU(struct held_locks, held);
static bool checks_off;

void lock_debug_off(void)
{
	WRITE_ONCE(checks_off, true);
}

void lock_debug_wanted(struct spinlock *l)
{
	unsigned long flags = hal_irq_save();
	struct held_locks *h = &percpu(held);

	if (READ_ONCE(checks_off))
		goto out;
	for (unsigned int i = 0; i < h->n; i++) {
		if (h->lock[i] == l)
			panic("spinlock of rank %d wanted by the CPU that holds it", l->rank);
		if (l->rank != RANK_ANY && h->lock[i]->rank > l->rank)
			panic("lock order: rank %d wanted with rank %d held", l->rank,
			      h->lock[i]->rank);
	}
out:
	hal_irq_restore(flags);
}

void lock_debug_acquired(struct spinlock *l)
{
	unsigned long flags = hal_irq_save();
	struct held_locks *h = &percpu(held);

	if (READ_ONCE(checks_off))
		goto out;
	if (h->n == MAX_HELD)
		panic("too many spinlocks held");
	h->lock[h->n++] = l;
	l->owner = hal_cpu_id() + 1;
out:
	hal_irq_restore(flags);
}

void lock_debug_release(struct spinlock *l)
{
	unsigned long flags = hal_irq_save();
	struct held_locks *h = &percpu(held);
	unsigned int i = h->n;

	if (READ_ONCE(checks_off))
		goto out;
	while (i > 0 && h->lock[i - 1] != l)
		i--;
	if (!i)
		panic("spinlock released that is not held by this CPU");
	for (; i < h->n; i++)
		h->lock[i - 1] = h->lock[i];
	h->n--;
	l->owner = 0;
out:
	hal_irq_restore(flags);
}

void lock_debug_may_sleep(const char *where)
{
	if (READ_ONCE(checks_off))
		return;
	/* The boot CPU's idle task initialises with interrupts off, and finds every lock free. */
	if (!hal_irq_enabled() && !(current->flags & TASK_F_IDLE))
		panic("%s with interrupts off", where);
	if (percpu(held).n)
		panic("%s with a spinlock of rank %d held", where,
		      percpu(held).lock[percpu(held).n - 1]->rank);
}

#endif

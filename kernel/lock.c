/* SPDX-License-Identifier: MIT */
/*
 * Sleeping locks: mutex and rwsem (include/lock.h), and the checks of a debug build.
 *
 * Both keep a list of sleepers under a spinlock; the uncontended paths do not touch it. A sleeper waits for its
 * `granted` flag, which the unlocker sets after giving it the lock: ownership is handed over directly, so that a lock that
 * is wanted by many is passed on in order and nobody starves.
 */
#include <hal/boot.h>
#include <kernel/printk.h>
#include <kernel/task.h>

#define AWAKE_TURNS 100 /* of a wait for an rwsem before it sleeps: some microseconds */
#define MAY_PASS    256 /* readers past a waiting writer */

struct lock_waiter {
	struct list link;
	struct task *task;
	bool write;
	bool granted;
};

/* ---- mutex ---- */

void mutex_init(struct mutex *m)
{
	spin_init(&m->lock, RANK_WAITQ);
	m->owner = 0;
	list_init(&m->waiters);
}

bool mutex_trylock(struct mutex *m)
{
	return cmpxchg_acquire(&m->owner, 0UL, (unsigned long)current) == 0;
}

static bool granted(struct lock_waiter *w)
{
	return __atomic_load_n(&w->granted, __ATOMIC_ACQUIRE);
}

/* Sleep until the lock was handed over, or, if @state permits, a signal ends the wait: then false. */
static bool wait_for_grant(struct lock_waiter *w, enum task_state state)
{
	for (;;) {
		task_prepare_sleep(state);
		if (granted(w) || sleep_interrupted(state))
			break;
		schedule();
	}
	task_finish_sleep();
	return granted(w);
}

/*
 * MUTEX_WAITERS is set with m->lock held, in the word that unlocking takes the owner out of by one exchange. So either the owner has left
 * before it could be set, and the lock is free; or it finds the bit and comes to m->lock, where it sees who waits:
 *
 *	locker (m->lock held)			owner
 *	owner: T -> T | WAITERS			owner: T -> 0
 *	  fails: 0 now, take it			  fails: T | WAITERS, slow path
 *
 * The bit may be left when nobody waits any more.
 */
static bool lock_or_announce(struct mutex *m)
{
	unsigned long owner = READ_ONCE(m->owner);

	for (;;) {
		unsigned long wanted = owner ? owner | MUTEX_WAITERS : (unsigned long)current;

		if (owner == wanted || try_cmpxchg_acquire(&m->owner, &owner, wanted))
			return !owner;
	}
}

static int mutex_lock_slow(struct mutex *m, enum task_state state)
{
	struct lock_waiter w = { .task = current };
	unsigned long flags = spin_lock_irqsave(&m->lock);

	if (lock_or_announce(m)) {
		spin_unlock_irqrestore(&m->lock, flags);
		return 0;
	}
	list_add_tail(&w.link, &m->waiters);
	spin_unlock_irqrestore(&m->lock, flags);
	if (wait_for_grant(&w, state))
		return 0;
	flags = spin_lock_irqsave(&m->lock);
	if (granted(&w)) {
		spin_unlock_irqrestore(&m->lock, flags);
		return 0;
	}
	list_del(&w.link);
	spin_unlock_irqrestore(&m->lock, flags);
	return -EINTR;
}

void mutex_lock(struct mutex *m)
{
	lock_debug_may_sleep("mutex_lock");
	if (unlikely(!mutex_trylock(m)))
		(void)mutex_lock_slow(m, TASK_UNINTERRUPTIBLE);
}

int mutex_lock_killable(struct mutex *m)
{
	lock_debug_may_sleep("mutex_lock_killable");
	return likely(mutex_trylock(m)) ? 0 : mutex_lock_slow(m, TASK_KILLABLE);
}

/* Give the lock to @w, which is off the list; its stack frame may vanish as soon as granted is seen. */
static void grant(struct lock_waiter *w)
{
	struct task *t = w->task;

	task_get(t);
	__atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
	task_wake(t, WAKE_NORMAL);
	task_put(t);
}

static __noinline void mutex_unlock_slow(struct mutex *m)
{
	unsigned long flags = spin_lock_irqsave(&m->lock), next = 0;
	struct lock_waiter *w = list_first_entry_or_null(&m->waiters, struct lock_waiter, link);

	if (w) {
		list_del(&w->link);
		next = (unsigned long)w->task | (list_empty(&m->waiters) ? 0 : MUTEX_WAITERS);
	}
	__atomic_store_n(&m->owner, next, __ATOMIC_RELEASE);
	spin_unlock_irqrestore(&m->lock, flags);
	if (w)
		grant(w);
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
	s->passed = 0;
	list_init(&s->waiters);
}

/* @waiting keeps newcomers from overtaking: then only the slow path grants. */
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

/* Hand the lock to those in front that can have it; s->lock held. They are moved to @list to be woken. */
static void grant_waiters(struct rwsem *s, struct list *list)
{
	while (!list_empty(&s->waiters)) {
		struct lock_waiter *w = list_first_entry(&s->waiters, struct lock_waiter, link);
		s32 n = READ_ONCE(s->count);

		if (w->write ? n != 0 : n < 0)
			return;
		/* Readers leave at any time, and those that pass waiters enter: then look again. */
		if (!try_cmpxchg_acquire(&s->count, &n, w->write ? -1 : n + 1))
			continue;
		s->waiting--;
		if (w->write)
			WRITE_ONCE(s->passed, 0);
		list_del(&w->link);
		list_add_tail(&w->link, list);
	}
}

static void wake_granted(struct list *list)
{
	while (!list_empty(list)) {
		struct lock_waiter *w = list_first_entry(list, struct lock_waiter, link);

		list_del(&w->link);
		grant(w);
	}
}

/*
 * Before it sleeps, a task waits a little for a holder that is probably about to leave: a sleep costs two switches, and on a machine whose CPUs
 * are virtual the waking of one. Not behind others who sleep already.
 */
static bool wait_awake(struct rwsem *s, bool write)
{
	for (unsigned int n = boot_info.ncpus > 1 ? AWAKE_TURNS : 0; n; n--) {
		if (READ_ONCE(s->waiting))
			break;
		if (write ? try_write(s) : try_read(s))
			return true;
		hal_cpu_relax();
	}
	return false;
}

static void rwsem_slow(struct rwsem *s, bool write)
{
	struct lock_waiter w = { .task = current, .write = write };
	unsigned long flags;
	DEFINE_LIST(list);

	if (wait_awake(s, write))
		return;
	flags = spin_lock_irqsave(&s->lock);
	list_add_tail(&w.link, &s->waiters);
	__atomic_fetch_add(&s->waiting, 1, __ATOMIC_SEQ_CST);
	grant_waiters(s, &list);
	spin_unlock_irqrestore(&s->lock, flags);
	wake_granted(&list);
	wait_for_grant(&w, TASK_UNINTERRUPTIBLE);
}

static __noinline void rwsem_grant_next(struct rwsem *s)
{
	unsigned long flags;
	DEFINE_LIST(list);

	flags = spin_lock_irqsave(&s->lock);
	grant_waiters(s, &list);
	spin_unlock_irqrestore(&s->lock, flags);
	wake_granted(&list);
}

void rwsem_down_read(struct rwsem *s)
{
	lock_debug_may_sleep("rwsem_down_read");
	if (unlikely(!try_read(s)))
		rwsem_slow(s, false);
}

/* Whoever leaves last looks for waiters, these readers as well. */
static bool try_read_past(struct rwsem *s)
{
	s32 n = READ_ONCE(s->count);

	while (n >= 0 && READ_ONCE(s->passed) < MAY_PASS) {
		if (!try_cmpxchg_acquire(&s->count, &n, n + 1))
			continue;
		WRITE_ONCE(s->passed, READ_ONCE(s->passed) + 1);
		return true;
	}
	return false;
}

void rwsem_down_read_past(struct rwsem *s)
{
	lock_debug_may_sleep("rwsem_down_read_past");
	if (unlikely(!try_read(s)) && !try_read_past(s))
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

	if (unlikely(n == 0 && READ_ONCE(s->waiting)))
		rwsem_grant_next(s);
}

void rwsem_up_write(struct rwsem *s)
{
	__atomic_store_n(&s->count, 0, __ATOMIC_SEQ_CST);
	if (unlikely(READ_ONCE(s->waiting)))
		rwsem_grant_next(s);
}

void rwsem_downgrade(struct rwsem *s)
{
	__atomic_store_n(&s->count, 1, __ATOMIC_SEQ_CST);
	if (unlikely(READ_ONCE(s->waiting)))
		rwsem_grant_next(s);
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

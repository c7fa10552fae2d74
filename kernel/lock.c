/* SPDX-License-Identifier: MIT */
/*
 * Sleeping locks: mutex and rwsem (include/lock.h), and the checks of a debug build.
 *
 * Both keep a list of sleepers under a spinlock; the uncontended paths do not touch it. A sleeper waits for its
 * `granted` flag, which the unlocker sets after giving it the lock: ownership is handed over directly, so that a lock that
 * is wanted by many is passed on in order and nobody starves.
 */
#include <kernel/printk.h>
#include <kernel/task.h>

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
	m->owner = NULL;
	list_init(&m->waiters);
}

bool mutex_trylock(struct mutex *m)
{
	return cmpxchg_acquire(&m->owner, NULL, current) == NULL;
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
 * The unlocker looks at the waiters under m->lock after clearing nothing: it either finds a waiter and makes it the owner, or
 * frees the lock while holding m->lock, so a locker that enqueues under m->lock cannot be overlooked.
 */
static int mutex_lock_slow(struct mutex *m, enum task_state state)
{
	struct lock_waiter w = { .task = current };
	unsigned long flags = spin_lock_irqsave(&m->lock);

	if (mutex_trylock(m)) {
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

void mutex_unlock(struct mutex *m)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);
	struct lock_waiter *w = list_first_entry_or_null(&m->waiters, struct lock_waiter, link);

	if (w) {
		list_del(&w->link);
		WRITE_ONCE(m->owner, w->task);
	} else {
		__atomic_store_n(&m->owner, NULL, __ATOMIC_RELEASE);
	}
	spin_unlock_irqrestore(&m->lock, flags);
	if (w)
		grant(w);
}

/* ---- rwsem ---- */

void rwsem_init(struct rwsem *s)
{
	spin_init(&s->lock, RANK_WAITQ);
	s->count = 0;
	s->waiting = 0;
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
		/* Readers may leave at any time, and nobody enters while `waiting` is set: the exchange fails only upwards to 0. */
		if (!try_cmpxchg_acquire(&s->count, &n, w->write ? -1 : n + 1))
			continue;
		s->waiting--;
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

static void rwsem_slow(struct rwsem *s, bool write)
{
	struct lock_waiter w = { .task = current, .write = write };
	unsigned long flags;
	DEFINE_LIST(list);

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

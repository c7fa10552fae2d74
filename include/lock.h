/* SPDX-License-Identifier: MIT */
/*
 * Locks.
 *
 * spinlock: short sections, never sleeps. spin_lock() for data of task context; spin_lock_irqsave() for
 * data that interrupt handlers share. mutex, rwsem: sleeping. Ranks (docs/locking.md) grow inwards; a debug build checks the
 * order, and that nothing sleeps with a spinlock held.
 * Implemented by kernel/lock.c; here, in include/, because mm and drivers lock too.
 */
#ifndef LOCK_H
#define LOCK_H

#include <compiler.h>
#include <hal/cpu.h>
#include <lib/list.h>
#include <types.h>

/*
 * Of spinlocks, outer to inner: one may be waited for only while those held have the same or a lower rank.
 * RANK_ANY is not checked.
 */
enum lock_rank {
	RANK_ANY,
	RANK_PIPE,   /* counters of eventfds */
	RANK_SOCKET, /* state and queue of a socket; of two the lower address first */
	RANK_FILES,
	RANK_DENTRY,
	RANK_PT,     /* vm->pt_lock */
	RANK_OBJECT, /* vm_object->lock */
	RANK_FUTEX,
	/* From here on with interrupts off: handlers take these, whatever was interrupted holds. */
	RANK_TASKLIST, /* pid table, parent/child links */
	RANK_SIGHAND,
	RANK_SIGUSER, /* signals pending per user */
	RANK_WAITQ,
	RANK_TASK, /* task's wake-up state */
	RANK_RUNQ,
	RANK_TIMER,
	RANK_SLAB,
	RANK_BUDDY,
	RANK_CONSOLE,
};

struct spinlock {
	u32 word; /* 0 free, 1 taken */
#ifdef CONFIG_DEBUG
	u8 rank;
	u32 owner; /* CPU + 1 */
#endif
};

#ifdef CONFIG_DEBUG
#define SPINLOCK_INIT(r) { .word = 0, .rank = (r) }
void lock_debug_wanted(
	struct spinlock *l); /* before waiting: order, and that this CPU does not hold it */
void lock_debug_acquired(struct spinlock *l); /* held now */
void lock_debug_release(struct spinlock *l);
void lock_debug_may_sleep(const char *where); /* panics with a spinlock held or interrupts off */
void lock_debug_off(void);		      /* a panic takes what it needs */
#else
#define SPINLOCK_INIT(r) { .word = 0 }
static inline void lock_debug_wanted(struct spinlock *l)
{
	(void)l;
}
static inline void lock_debug_acquired(struct spinlock *l)
{
	(void)l;
}
static inline void lock_debug_release(struct spinlock *l)
{
	(void)l;
}
static inline void lock_debug_may_sleep(const char *where)
{
	(void)where;
}
static inline void lock_debug_off(void)
{
}
#endif

static inline void spin_init(struct spinlock *l, enum lock_rank rank)
{
	*l = (struct spinlock)SPINLOCK_INIT(rank);
}

/* Unfair on purpose: a virtual CPU that is not running must not hold up a queue. */
static __always_inline void spin_lock(struct spinlock *l)
{
	lock_debug_wanted(l);
	while (unlikely(__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE)))
		while (__atomic_load_n(&l->word, __ATOMIC_RELAXED))
			hal_cpu_relax();
	lock_debug_acquired(l);
}
/* Does not wait, hence may be tried against the order of ranks. */
static __always_inline bool spin_trylock(struct spinlock *l)
{
	if (__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE))
		return false;
	lock_debug_acquired(l);
	return true;
}
static __always_inline void spin_unlock(struct spinlock *l)
{
	lock_debug_release(l);
	__atomic_store_n(&l->word, 0, __ATOMIC_RELEASE);
}
static __always_inline unsigned long spin_lock_irqsave(struct spinlock *l)
{
	unsigned long flags = hal_irq_save();

	spin_lock(l);
	return flags;
}
static __always_inline void spin_unlock_irqrestore(struct spinlock *l, unsigned long flags)
{
	spin_unlock(l);
	hal_irq_restore(flags);
}

/* The same for task context that knows interrupts to be on. */
static __always_inline void spin_lock_irq(struct spinlock *l)
{
	hal_irq_disable();
	spin_lock(l);
}
static __always_inline void spin_unlock_irq(struct spinlock *l)
{
	spin_unlock(l);
	hal_irq_enable();
}

struct task;

/* Sleeping lock, one holder. */
struct mutex {
	struct spinlock lock; /* waiters */
	unsigned long owner;  /* struct task *, 0: free; and MUTEX_WAITERS */
	struct list waiters;
};
#define MUTEX_WAITERS 1UL
void mutex_init(struct mutex *m);
#define MUTEX_INIT(name) { SPINLOCK_INIT(RANK_WAITQ), 0, LIST_HEAD_INIT((name).waiters) }
void mutex_lock(struct mutex *m);
/** mutex_lock_killable() - 0, or -EINTR when a fatal signal arrived. */
int __must_check mutex_lock_killable(struct mutex *m);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
static inline bool mutex_is_locked(const struct mutex *m)
{
	return READ_ONCE(m->owner) & ~MUTEX_WAITERS;
}

/* Sleeping lock, many readers or one writer; writers are not starved. */
struct rwsem {
	struct spinlock lock; /* waiters, slow path */
	s32 count;	      /* atomic: -1 writer, n readers */
	u32 waiting;	      /* sleepers, so that the fast path knows */
	u16 passed;	      /* readers that went past them since the last writer; roughly */
	bool told;	      /* one of the sleepers has been woken, and has not come yet */
	struct list waiters;
};
void rwsem_init(struct rwsem *s);
void rwsem_down_read(struct rwsem *s);
/** rwsem_down_read_past() - for short sections of which there are many: does not stand behind waiting writers, within limits. */
void rwsem_down_read_past(struct rwsem *s);
void rwsem_up_read(struct rwsem *s);
void rwsem_down_write(struct rwsem *s);
void rwsem_up_write(struct rwsem *s);
void rwsem_downgrade(struct rwsem *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Futexes: sleeping on a word of user memory. Source: futex(2), robust_futexes(7).
 *
 * Every call takes the user address and whether the word is shared between address spaces. All in task context, no lock held.
 */
#ifndef KERNEL_FUTEX_H
#define KERNEL_FUTEX_H

#include <kernel/task.h>
#include <mm/vm.h>

/* How long to wait: until @ns of hal_clock_ns(), or (@real) until CLOCK_REALTIME shows @ns, however it is set meanwhile. U64_MAX: for ever. */
struct futex_until {
	u64 ns;
	bool real;
};
/** futex_until_from_user() - the time at @uts, of CLOCK_REALTIME or CLOCK_MONOTONIC; 0: for ever. 0, -EFAULT, -EINVAL. */
int futex_until_from_user(uaddr_t uts, bool real, struct futex_until *until);
#define FUTEX_FOR_EVER ((struct futex_until){ .ns = U64_MAX })

/**
 * futex_wait() - sleep while *@addr is @val, until a wake with a common bit in @bits.
 * Return: 0; -EAGAIN: the word has another value; -ETIMEDOUT; -EINTR; -EFAULT; -EINVAL.
 */
long futex_wait(uaddr_t addr, bool shared, u32 val, u32 bits, struct futex_until until);
/** futex_wake() - wake up to @n waiters with a common bit. Return: how many. */
long futex_wake(uaddr_t addr, bool shared, unsigned int n, u32 bits);
/** futex_requeue() - wake @nwake, move up to @nmove others to @to; if @compare, only while *@addr is @val (else -EAGAIN). Return: all of them (@compare) or those woken. */
long futex_requeue(uaddr_t addr, uaddr_t to, bool shared, bool to_shared, unsigned int nwake,
		   unsigned int nmove, bool compare, u32 val);
/** futex_wait_any() - sleep while all words have their values, until one is woken. Its index; -EAGAIN, -ETIMEDOUT, -EINTR, -EFAULT, -EINVAL, -ENOMEM. */
struct futex_wanted {
	uaddr_t addr;
	u32 val;
	bool shared;
};
long futex_wait_any(const struct futex_wanted *wanted, unsigned int n, struct futex_until until);
/** futex_wake_op() - change *@addr2 as @op says, wake @n at @addr and, if the old value satisfies @op, @n2 at @addr2. */
long futex_wake_op(uaddr_t addr, uaddr_t addr2, bool shared, unsigned int n, unsigned int n2,
		   u32 op);

/*
 * Priority-inheritance locks: the word holds the owner's tid. Ownership is handed over by the kernel; priorities are not
 * lent (the scheduler has no boosting), so only the protocol is that of PI.
 */
/** futex_lock_pi() - 0; -EDEADLK, -ESRCH (no such owner), -ETIMEDOUT, -EINTR, -EFAULT; with @try -EAGAIN when taken. */
long futex_lock_pi(uaddr_t addr, bool shared, bool try, struct futex_until until);
/** futex_unlock_pi() - 0; -EPERM: not the owner. */
long futex_unlock_pi(uaddr_t addr, bool shared);
/**
 * futex_wait_requeue_pi() - sleep while *@addr is @val, until futex_cmp_requeue_pi() has moved us to the lock at @lock and it is ours.
 * Return: 0: holding the lock; -EAGAIN: another value, or a signal came after the move; -ETIMEDOUT; -EINTR; -EFAULT; -EINVAL.
 */
long futex_wait_requeue_pi(uaddr_t addr, bool shared, u32 val, struct futex_until until,
			   uaddr_t lock);
/**
 * futex_cmp_requeue_pi() - while *@addr is @val, move up to 1 + @nmove waiters to the lock at @lock; the first gets it if it is free.
 * Return: how many; -EAGAIN: another value; -EINVAL: waiters of another kind or lock; -ESRCH, -EDEADLK, -EFAULT.
 */
long futex_cmp_requeue_pi(uaddr_t addr, uaddr_t lock, bool shared, unsigned int nmove, u32 val);

/* ---- between futex.c and futex_pi.c ---- */

/* A sleeper, on its own stack. */
struct futex_waiter {
	struct list link;	     /* bucket lock */
	struct futex_bucket *bucket; /* bucket lock; changed by requeue */
	struct futex_key key;	     /* bucket lock */
	struct task *task;
	struct futex_until until;
	u32 bits;
	bool woken; /* set under the bucket lock, after which the waker does not touch this any more */
	bool pi;
	bool granted;			    /* pi: the lock is ours */
	struct task *owner;		    /* pi, bucket lock: who holds the lock; reference */
	const struct futex_key *requeue_to; /* bucket lock: the PI lock it waits to be moved to */
};

struct futex_bucket {
	struct spinlock lock;
	struct list waiters; /* lock: in the order of arrival */
};

struct futex_bucket *futex_bucket_lock(const struct futex_key *key);
/** futex_lock_two() - the buckets of two keys, which may be one; futex_unlock_two(). */
void futex_lock_two(const struct futex_key *key, const struct futex_key *key2,
		    struct futex_bucket **b, struct futex_bucket **b2);
void futex_unlock_two(struct futex_bucket *b, struct futex_bucket *b2);
/** futex_get() - read a user word without sleeping; futex_cmpxchg() likewise. 0 or -EFAULT: try futex_fault_in() with no lock held. */
int futex_get(u32 *val, uaddr_t addr);
int futex_cmpxchg(uaddr_t addr, u32 old, u32 new, u32 *seen);
int futex_fault_in(uaddr_t addr, bool write);
static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->base == b->base && a->offset == b->offset;
}
/** futex_make_key() - check the address and find its key. 0, -EINVAL, -EFAULT. */
int futex_make_key(uaddr_t addr, bool shared, struct futex_key *key);
/** futex_queue_if_equal() - queue @w, whose key is set, if the word still is @val. 0, -EAGAIN, -EFAULT. */
int futex_queue_if_equal(struct futex_waiter *w, uaddr_t addr, u32 val);
/** futex_clock_was_set() - CLOCK_REALTIME was: whoever waits for a time of it looks again. */
void futex_clock_was_set(void);
/** futex_sleep() - until w->woken: 0; -ETIMEDOUT, -EINTR: and then @w is off its queue. */
int futex_sleep(struct futex_waiter *w);
/** futex_release_waiter() - take @w off its queue and wake it. Bucket lock held. */
void futex_release_waiter(struct futex_waiter *w);
/** futex_pi_exit() - whoever waits for a lock of @t goes on. */
void futex_pi_exit(struct task *t);
/** futex_for_each_bucket() - lock each bucket in turn and call @fn. */
void futex_for_each_bucket(void (*fn)(struct futex_bucket *b, void *arg), void *arg);

#endif

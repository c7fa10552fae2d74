/* SPDX-License-Identifier: MIT */
/*
 * Priority-inheritance futexes: the word holds the owner's tid, FUTEX_WAITERS and FUTEX_OWNER_DIED (kernel/futex.h).
 *
 * Uncontended locks never come here. A waiter sets FUTEX_WAITERS, so that the owner must unlock through the kernel, which makes the first
 * waiter the owner in the word itself and wakes it. Waiters remember (with a reference) whose lock they wait for; when that task
 * ends without unlocking they are woken to take the lock over, with FUTEX_OWNER_DIED set.
 * Priorities are not lent. Locking: bucket->lock.
 */
#include <kernel/futex.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <uapi/futex.h>

/* One attempt's outcome, beside errors. */
enum { PI_TAKEN, PI_QUEUED, PI_RETRY };

static struct futex_waiter *first_waiter(struct futex_bucket *b, const struct futex_key *key,
					 const struct futex_waiter *but)
{
	struct futex_waiter *w;

	list_for_each_entry(w, &b->waiters, link)
		if (w != but && futex_key_equal(&w->key, key))
			return w;
	return NULL;
}

static void set_owner(struct futex_waiter *w, struct task *owner)
{
	if (w->owner) {
		__atomic_fetch_sub(&w->owner->pi_waiters, 1, __ATOMIC_RELAXED);
		task_put(w->owner);
	}
	w->owner = owner;
	if (owner) {
		task_get(owner);
		__atomic_fetch_add(&owner->pi_waiters, 1, __ATOMIC_SEQ_CST);
	}
}

/* The lock is free, or its owner @dead is gone: make it ours. Bucket lock held. */
static int take_lock(struct futex_bucket *b, const struct futex_key *key, uaddr_t addr, u32 val,
		     bool dead)
{
	u32 new = (u32)task_tid(current) | (val & FUTEX_OWNER_DIED), seen;

	if (dead)
		new |= FUTEX_OWNER_DIED;
	if (first_waiter(b, key, NULL))
		new |= FUTEX_WAITERS;
	if (futex_cmpxchg(addr, val, new, &seen))
		return -EFAULT;
	return seen == val ? PI_TAKEN : PI_RETRY;
}

/* Wait in line behind @owner, which the word names. Bucket lock held. */
static int wait_in_line(struct futex_bucket *b, struct futex_waiter *w, uaddr_t addr, u32 val,
			struct task *owner)
{
	u32 seen;

	if (futex_cmpxchg(addr, val, val | FUTEX_WAITERS, &seen))
		return -EFAULT;
	if (seen != val)
		return PI_RETRY;
	set_owner(w, owner);
	/* Pairs with futex_exit(): either it sees that we wait, or we see that it has passed that point. */
	if (READ_ONCE(owner->flags) & TASK_F_EXITING) {
		set_owner(w, NULL);
		return PI_RETRY;
	}
	w->bucket = b;
	list_add_tail(&w->link, &b->waiters);
	return PI_QUEUED;
}

/* @owner: the task that the word named a moment ago, with a reference; NULL: no such task. @dead: our last owner ended. */
static int attempt(struct futex_waiter *w, uaddr_t addr, bool try, struct task *owner,
		   u32 owner_tid, u32 dead)
{
	struct futex_bucket *b = futex_bucket_lock(&w->key);
	u32 val, tid;
	int r;

	r = futex_get(&val, addr);
	tid = val & FUTEX_TID_MASK;
	if (r)
		;
	else if (tid == (u32)task_tid(current))
		r = -EDEADLK;
	else if (!tid || (dead && tid == dead))
		r = take_lock(b, &w->key, addr, val, tid != 0);
	else if (try)
		r = -EAGAIN;
	else if (tid != owner_tid)
		r = PI_RETRY;
	else if (!owner)
		r = -ESRCH;
	else
		r = wait_in_line(b, w, addr, val, owner);
	spin_unlock(&b->lock);
	return r;
}

/* Until the lock is taken, the waiter queued, or there is an error. */
static int lock_or_queue(struct futex_waiter *w, uaddr_t addr, bool try, u32 dead)
{
	for (;;) {
		struct task *owner;
		u32 val, tid;
		int r;

		if (hal_get_user32(&val, addr))
			return -EFAULT;
		tid = val & FUTEX_TID_MASK;
		owner = tid ? task_find_get((pid_t)tid) : NULL;
		r = attempt(w, addr, try, owner, tid, dead);
		if (owner)
			task_put(owner);
		if (r == -EFAULT)
			r = futex_fault_in(addr, true) ? -EFAULT : PI_RETRY;
		if (r != PI_RETRY)
			return r;
		if (fatal_signal_pending())
			return -EINTR;
		cond_resched();
	}
}

long futex_lock_pi(uaddr_t addr, bool shared, bool try, u64 deadline_ns)
{
	struct futex_waiter w = { .task = current, .pi = true, .bits = FUTEX_BITSET_MATCH_ANY };
	u32 dead = 0;
	int r = futex_make_key(addr, shared, &w.key);

	while (!r) {
		r = lock_or_queue(&w, addr, try, dead);
		if (r != PI_QUEUED)
			break;
		w.woken = w.granted = false;
		r = futex_sleep(&w, deadline_ns);
		if (w.owner)
			dead = (u32)task_tid(w.owner);
		set_owner(&w, NULL);
		if (!r && w.granted)
			return 0;
	}
	/* The lock is not lost by a signal: the call begins again, whatever SA_RESTART says. */
	if (r == -EINTR)
		current->restart_class = RESTART_ALWAYS;
	return r;
}

/* Give the lock to the first waiter; the others now wait for it. Bucket lock held. 0, -EFAULT, PI_RETRY. */
static int hand_over(struct futex_bucket *b, const struct futex_key *key, uaddr_t addr, u32 val,
		     struct futex_waiter *heir)
{
	struct task *new_owner = heir->task;
	struct futex_waiter *w;
	u32 seen;

	if (futex_cmpxchg(addr, val, (u32)task_tid(new_owner) | FUTEX_WAITERS, &seen))
		return -EFAULT;
	if (seen != val)
		return PI_RETRY;
	list_for_each_entry(w, &b->waiters, link)
		if (w != heir && futex_key_equal(&w->key, key))
			set_owner(w, new_owner);
	heir->granted = true;
	futex_release_waiter(heir);
	return 0;
}

static int try_unlock(const struct futex_key *key, uaddr_t addr)
{
	struct futex_bucket *b = futex_bucket_lock(key);
	struct futex_waiter *heir;
	u32 val, seen;
	int r;

	r = futex_get(&val, addr);
	if (!r && (val & FUTEX_TID_MASK) != (u32)task_tid(current))
		r = -EPERM;
	if (!r) {
		heir = first_waiter(b, key, NULL);
		if (heir && !heir->pi)
			r = -EINVAL;
		else if (heir)
			r = hand_over(b, key, addr, val, heir);
		else if (futex_cmpxchg(addr, val, 0, &seen))
			r = -EFAULT;
		else
			r = seen == val ? 0 : PI_RETRY;
	}
	spin_unlock(&b->lock);
	return r;
}

long futex_unlock_pi(uaddr_t addr, bool shared)
{
	struct futex_key key;
	int r = futex_make_key(addr, shared, &key);

	if (r)
		return r;
	for (;;) {
		r = try_unlock(&key, addr);
		if (r == -EFAULT)
			r = futex_fault_in(addr, true) ? -EFAULT : PI_RETRY;
		if (r != PI_RETRY)
			return r;
		cond_resched();
	}
}

static void wake_heirs(struct futex_bucket *b, void *arg)
{
	struct futex_waiter *w, *next;

	list_for_each_entry_safe(w, next, &b->waiters, link)
		if (w->pi && w->owner == arg)
			futex_release_waiter(w);
}

void futex_pi_exit(struct task *t)
{
	futex_for_each_bucket(wake_heirs, t);
}

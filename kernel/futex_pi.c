/* SPDX-License-Identifier: MIT */
/*
 * Priority-inheritance futexes: the word holds the owner's tid, FUTEX_WAITERS and FUTEX_OWNER_DIED (kernel/futex.h).
 *
 * Uncontended locks never come here. A waiter sets FUTEX_WAITERS, so that the owner must unlock through the kernel, which makes the first
 * waiter the owner in the word itself and wakes it. Waiters remember (with a reference) whose lock they wait for; when that task
 * ends without unlocking they are woken to take the lock over, with FUTEX_OWNER_DIED set.
 * A condition variable's waiters come from another word: they sleep there as futex_wait_requeue_pi(), until futex_cmp_requeue_pi() makes
 * them waiters of the lock. Priorities are not lent. Locking: bucket->lock.
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

/* Wait for @owner, whom the word names. The caller queues @w, in the same hold of the bucket's lock. */
static int wait_for_owner(struct futex_waiter *w, uaddr_t addr, u32 val, struct task *owner)
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
	return PI_QUEUED;
}

/* Wait in line behind @owner. Bucket lock held. */
static int wait_in_line(struct futex_bucket *b, struct futex_waiter *w, uaddr_t addr, u32 val,
			struct task *owner)
{
	int r = wait_for_owner(w, addr, val, owner);

	if (r == PI_QUEUED) {
		w->bucket = b;
		list_add_tail(&w->link, &b->waiters);
	}
	return r;
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
	else if (tid != owner_tid)
		r = PI_RETRY;
	else if (!owner)
		r = -ESRCH;
	else if (try)
		r = -EAGAIN;
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

/* We wait no longer for the lock's owner. Its tid, or 0. */
static u32 leave_owner(struct futex_waiter *w)
{
	u32 tid = w->owner ? (u32)task_tid(w->owner) : 0;

	set_owner(w, NULL);
	return tid;
}

/* Until the lock is ours. @dead: the owner that we waited for and that ended, or 0. */
static int lock_and_wait(struct futex_waiter *w, uaddr_t addr, bool try, u32 dead)
{
	int r;

	for (;;) {
		r = lock_or_queue(w, addr, try, dead);
		if (r != PI_QUEUED)
			return r;
		w->woken = w->granted = false;
		r = futex_sleep(w);
		dead = leave_owner(w);
		if (r || w->granted)
			return r;
	}
}

long futex_lock_pi(uaddr_t addr, bool shared, bool try, struct futex_until until)
{
	struct futex_waiter w = {
		.task = current, .pi = true, .bits = FUTEX_BITSET_MATCH_ANY, .until = until
	};
	int r = futex_make_key(addr, shared, &w.key);

	if (!r)
		r = lock_and_wait(&w, addr, try, 0);
	/* The lock is not lost by a signal: the call begins again, whatever SA_RESTART says. */
	if (r == -EINTR)
		syscall_restart_as(RESTART_ALWAYS);
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

/* ---- from a condition variable to its lock ---- */

long futex_wait_requeue_pi(uaddr_t addr, bool shared, u32 val, struct futex_until until,
			   uaddr_t lock)
{
	struct futex_waiter w = { .task = current, .bits = FUTEX_BITSET_MATCH_ANY, .until = until };
	struct futex_key lock_key;
	int r = futex_make_key(addr, shared, &w.key);
	u32 dead;

	if (!r)
		r = futex_make_key(lock, shared, &lock_key);
	if (!r && futex_key_equal(&w.key, &lock_key))
		r = -EINVAL;
	if (r)
		return r;
	w.requeue_to = &lock_key;
	r = futex_queue_if_equal(&w, addr, val);
	if (r)
		return r;
	r = futex_sleep(&w);
	dead = leave_owner(&w);
	if (!r && !w.granted)
		r = lock_and_wait(&w, lock, false, dead);
	if (r != -EINTR)
		return r;
	/* Once moved the call cannot begin again: the condition's word has changed. */
	if (w.pi)
		return -EAGAIN;
	syscall_restart_as(RESTART_ALWAYS);
	return r;
}

/* A move under way. @owner: who holds the lock, as far as we know, with a reference. */
struct requeue_pi {
	uaddr_t addr, lock;
	struct futex_key key, lock_key;
	struct futex_bucket *from, *to;
	struct task *owner;
	u32 owner_tid;
	unsigned int limit, done;
};

static void move_waiter(struct requeue_pi *q, struct futex_waiter *w)
{
	list_move_tail(&w->link, &q->to->waiters);
	w->key = q->lock_key;
	w->pi = true;
	w->requeue_to = NULL;
	WRITE_ONCE(w->bucket, q->to);
}

static void know_owner(struct requeue_pi *q, struct task *owner)
{
	if (owner)
		task_get(owner);
	if (q->owner)
		task_put(q->owner);
	q->owner = owner;
	q->owner_tid = owner ? (u32)task_tid(owner) : 0;
}

/* The lock is free: it goes to @w, which wakes up with it. */
static int give_lock(struct requeue_pi *q, struct futex_waiter *w, u32 val)
{
	u32 new = (u32)task_tid(w->task) | FUTEX_WAITERS | (val & FUTEX_OWNER_DIED), seen;
	struct futex_waiter *other;

	if (futex_cmpxchg(q->lock, val, new, &seen))
		return -EFAULT;
	if (seen != val)
		return PI_RETRY;
	list_for_each_entry(other, &q->to->waiters, link)
		if (other->pi && futex_key_equal(&other->key, &q->lock_key))
			set_owner(other, w->task);
	know_owner(q, w->task);
	move_waiter(q, w);
	w->granted = true;
	futex_release_waiter(w);
	return 0;
}

static int move_one(struct requeue_pi *q, struct futex_waiter *w)
{
	u32 val, tid;
	int r;

	if (!w->requeue_to || !futex_key_equal(w->requeue_to, &q->lock_key))
		return -EINVAL;
	if (futex_get(&val, q->lock))
		return -EFAULT;
	tid = val & FUTEX_TID_MASK;
	if (!tid)
		return give_lock(q, w, val);
	if (tid == (u32)task_tid(w->task))
		return -EDEADLK;
	if (tid != q->owner_tid)
		return PI_RETRY;
	if (!q->owner)
		return -ESRCH;
	r = wait_for_owner(w, q->lock, val, q->owner);
	if (r != PI_QUEUED)
		return r;
	move_waiter(q, w);
	return 0;
}

/* Both bucket locks held. 0, PI_RETRY, or an error; q->done waiters have been moved. */
static int move_some(struct requeue_pi *q, u32 val)
{
	struct futex_waiter *w, *next;
	int r = 0;
	u32 now;

	if (futex_get(&now, q->addr))
		return -EFAULT;
	/* What has been moved is moved, whatever the word says now. */
	if (!q->done && now != val)
		return -EAGAIN;
	list_for_each_entry_safe(w, next, &q->from->waiters, link) {
		if (q->done >= q->limit)
			break;
		if (!futex_key_equal(&w->key, &q->key))
			continue;
		r = move_one(q, w);
		if (r)
			break;
		q->done++;
	}
	return r;
}

/* Find out who holds the lock, which takes tasklist_lock, and try. */
static int requeue_attempt(struct requeue_pi *q, u32 val)
{
	u32 word;
	int r;

	if (hal_get_user32(&word, q->lock))
		return -EFAULT;
	q->owner_tid = word & FUTEX_TID_MASK;
	q->owner = q->owner_tid ? task_find_get((pid_t)q->owner_tid) : NULL;
	futex_lock_two(&q->key, &q->lock_key, &q->from, &q->to);
	r = move_some(q, val);
	futex_unlock_two(q->from, q->to);
	if (q->owner)
		task_put(q->owner);
	if (r == -EFAULT && !futex_fault_in(q->addr, false) && !futex_fault_in(q->lock, true))
		r = PI_RETRY;
	return r;
}

long futex_cmp_requeue_pi(uaddr_t addr, uaddr_t lock, bool shared, unsigned int nmove, u32 val)
{
	struct requeue_pi q = { .addr = addr, .lock = lock, .limit = nmove + 1 };
	int r = futex_make_key(addr, shared, &q.key);

	if (!r)
		r = futex_make_key(lock, shared, &q.lock_key);
	if (!r && futex_key_equal(&q.key, &q.lock_key))
		r = -EINVAL;
	if (r)
		return r;
	while ((r = requeue_attempt(&q, val)) == PI_RETRY) {
		if (fatal_signal_pending())
			return -EINTR;
		cond_resched();
	}
	return r ? r : (long)q.done;
}

/* ---- the end of an owner ---- */

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

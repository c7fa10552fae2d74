/* SPDX-License-Identifier: MIT */
/*
 * Futexes (kernel/futex.h): waiting, waking, moving; robust lists.
 *
 * A waiter is a structure on the sleeper's stack, queued in a bucket chosen by the word's key; nothing is allocated. That no wake-up
 * is lost rests on the bucket lock: the waiter compares the word and queues itself under it, the waker takes it after the program has
 * changed the word. The word is read under the lock without sleeping (current->nofault): when its page is not there, the lock is
 * released, the page faulted in, and all begins again.
 *
 * Locking: bucket->lock, task context only; two of them in the order of their addresses.
 */
#include <kernel/futex.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <lib/hash.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <uapi/futex.h>

#define BUCKET_BITS  8
#define ROBUST_LIMIT 2048 /* entries looked at, in case the list is a circle */

static struct futex_bucket buckets[1 << BUCKET_BITS] = {
	[0 ...(1 << BUCKET_BITS) - 1] = { .lock = SPINLOCK_INIT(RANK_FUTEX) },
};

/* ---- words ---- */

int futex_make_key(uaddr_t addr, bool shared, struct futex_key *key)
{
	int r;

	if (addr % sizeof(u32))
		return -EINVAL;
	if (addr >= USER_END)
		return -EFAULT;
	r = vm_futex_key(current->vm, addr, shared, key);
	/* A private futex and a shared one are different, even at the same word. */
	key->offset |= shared;
	return r;
}

int futex_get(u32 *val, uaddr_t addr)
{
	int r;

	WRITE_ONCE(current->nofault, true);
	r = hal_get_user32(val, addr);
	WRITE_ONCE(current->nofault, false);
	return r;
}

int futex_cmpxchg(uaddr_t addr, u32 old, u32 new, u32 *seen)
{
	int r;

	WRITE_ONCE(current->nofault, true);
	r = hal_cmpxchg_user32(addr, old, new, seen);
	WRITE_ONCE(current->nofault, false);
	return r;
}

int futex_fault_in(uaddr_t addr, bool write)
{
	u32 val;

	if (hal_get_user32(&val, addr))
		return -EFAULT;
	/* Storing what is there, if it still is, changes nothing but makes the page writable. */
	return write ? hal_cmpxchg_user32(addr, val, val, &val) : 0;
}

/* ---- buckets ---- */

static struct futex_bucket *bucket_of(const struct futex_key *key)
{
	return &buckets[hash_64((u64)(unsigned long)key->base ^ key->offset * HASH_GOLDEN_64,
				BUCKET_BITS)];
}

static void bucket_lock(struct futex_bucket *b)
{
	spin_lock(&b->lock);
	if (unlikely(!b->waiters.next))
		list_init(&b->waiters);
}

struct futex_bucket *futex_bucket_lock(const struct futex_key *key)
{
	struct futex_bucket *b = bucket_of(key);

	bucket_lock(b);
	return b;
}

static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	bucket_lock(a < b ? a : b);
	if (a != b)
		bucket_lock(a < b ? b : a);
}

void futex_lock_two(const struct futex_key *key, const struct futex_key *key2,
		    struct futex_bucket **b, struct futex_bucket **b2)
{
	*b = bucket_of(key);
	*b2 = bucket_of(key2);
	lock_two(*b, *b2);
}

void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

void futex_for_each_bucket(void (*fn)(struct futex_bucket *b, void *arg), void *arg)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(buckets); i++) {
		bucket_lock(&buckets[i]);
		fn(&buckets[i], arg);
		spin_unlock(&buckets[i].lock);
	}
}

/* ---- waiting ---- */

/* Off the queue, unless a waker was faster. Returns whether one was. */
static bool unqueue(struct futex_waiter *w)
{
	bool woken;

	for (;;) {
		struct futex_bucket *b = READ_ONCE(w->bucket);

		bucket_lock(b);
		if (b == w->bucket) {
			woken = w->woken;
			if (!woken)
				list_del(&w->link);
			spin_unlock(&b->lock);
			return woken;
		}
		spin_unlock(&b->lock);
	}
}

static bool any_woken(const struct futex_waiter *w, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (__atomic_load_n(&w[i].woken, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

int futex_until_from_user(uaddr_t uts, bool real, struct futex_until *until)
{
	struct timespec64 ts;

	*until = FUTEX_FOR_EVER;
	if (!uts)
		return 0;
	if (get_user_obj(&ts, uts))
		return -EFAULT;
	until->real = real;
	return timespec_to_ns(&ts, &until->ns);
}

static u64 mono_of(const struct futex_until *until)
{
	return until->real && until->ns != U64_MAX ? ktime_real_to_mono(until->ns) : until->ns;
}

/* Of a time of the day it may not be true any more when the timer that was set for it goes off. */
static bool has_passed(const struct futex_until *until)
{
	return !until->real || ktime_real_ns() >= until->ns;
}

static void wake_timed(struct futex_bucket *b, void *arg)
{
	struct futex_waiter *w;

	(void)arg;
	list_for_each_entry(w, &b->waiters, link)
		if (w->until.real)
			task_wake(w->task, 1u << TASK_INTERRUPTIBLE);
}

void futex_clock_was_set(void)
{
	futex_for_each_bucket(wake_timed, NULL);
}

/* Until one of the first @n is woken, at most until what the first says: 0. -EINTR, -ETIMEDOUT: but one may have been woken since, which unqueue() tells. */
static int sleep_any(const struct futex_waiter *w, unsigned int n)
{
	const struct futex_until *until = &w->until;
	int r = 0;

	for (;;) {
		task_prepare_sleep(TASK_INTERRUPTIBLE);
		if (any_woken(w, n))
			break;
		if (sleep_interrupted(TASK_INTERRUPTIBLE)) {
			r = -EINTR;
			break;
		}
		/* The clock is read here, behind task_prepare_sleep(): if it is set after that, we are woken. */
		if (schedule_until(mono_of(until)) && has_passed(until)) {
			r = -ETIMEDOUT;
			break;
		}
	}
	task_finish_sleep();
	return r;
}

int futex_sleep(struct futex_waiter *w)
{
	int r = sleep_any(w, 1);

	return !r || unqueue(w) ? 0 : r;
}

void futex_release_waiter(struct futex_waiter *w)
{
	struct task *t = w->task;

	list_del(&w->link);
	task_get(t);
	__atomic_store_n(&w->woken, true, __ATOMIC_RELEASE);
	task_wake(t, WAKE_NORMAL);
	task_put(t);
}

int futex_queue_if_equal(struct futex_waiter *w, uaddr_t addr, u32 val)
{
	for (;;) {
		struct futex_bucket *b = futex_bucket_lock(&w->key);
		int r;
		u32 now;

		r = futex_get(&now, addr);
		if (!r && now == val) {
			w->bucket = b;
			list_add_tail(&w->link, &b->waiters);
		}
		spin_unlock(&b->lock);
		if (!r)
			return now == val ? 0 : -EAGAIN;
		if (futex_fault_in(addr, false))
			return -EFAULT;
	}
}

#define RESTART_SHARED 1u
#define RESTART_REAL   2u

static long restart_wait(struct restart_block *rb)
{
	struct futex_until until = { rb->deadline_ns, rb->arg[1] & RESTART_REAL };

	return futex_wait((uaddr_t)rb->arg[0], rb->arg[1] & RESTART_SHARED, (u32)rb->arg[2],
			  (u32)rb->arg[3], until);
}

/* Interrupted: without a deadline the call can simply be made again; with one, what is left of it must be remembered. */
static void prepare_restart(uaddr_t addr, bool shared, u32 val, u32 bits, struct futex_until until)
{
	struct task *t = current;

	if (until.ns == U64_MAX) {
		syscall_restart_as(RESTART_SYS);
		return;
	}
	syscall_restart_as(RESTART_BLOCK);
	t->restart = (struct restart_block){
		.fn = restart_wait,
		.deadline_ns = until.ns,
		.arg = { addr, (shared ? RESTART_SHARED : 0) | (until.real ? RESTART_REAL : 0), val,
			 bits },
	};
}

long futex_wait(uaddr_t addr, bool shared, u32 val, u32 bits, struct futex_until until)
{
	struct futex_waiter w = { .task = current, .bits = bits, .until = until };
	int r;

	if (!bits)
		return -EINVAL;
	r = futex_make_key(addr, shared, &w.key);
	if (!r)
		r = futex_queue_if_equal(&w, addr, val);
	if (r)
		return r;
	r = futex_sleep(&w);
	if (r == -EINTR)
		prepare_restart(addr, shared, val, bits, until);
	return r;
}

/* Take the first @n off their queues. The first that was woken, or @error. */
static long unqueue_all(struct futex_waiter *w, unsigned int n, long error)
{
	long r = error;

	for (unsigned int i = n; i--;)
		if (unqueue(&w[i]))
			r = i;
	return r;
}

long futex_wait_any(const struct futex_wanted *wanted, unsigned int n, struct futex_until until)
{
	struct futex_waiter *w = kcalloc(n, sizeof(*w), 0);
	long r = 0;

	if (!w)
		return -ENOMEM;
	for (unsigned int i = 0; !r && i < n; i++) {
		w[i].task = current;
		w[i].until = until;
		w[i].bits = FUTEX_BITSET_MATCH_ANY;
		r = futex_make_key(wanted[i].addr, wanted[i].shared, &w[i].key);
		if (!r)
			r = futex_queue_if_equal(&w[i], wanted[i].addr, wanted[i].val);
		if (r)
			r = unqueue_all(w, i, r);
	}
	/* A positive number is a waiter that was woken while others were still being queued; so may 0 be. */
	if (!r)
		r = unqueue_all(w, n, sleep_any(w, n));
	kfree(w);
	return r;
}

/* ---- waking ---- */

/* -EINVAL when the word turns out to be a PI lock. Bucket lock held. */
static long wake_locked(struct futex_bucket *b, const struct futex_key *key, unsigned int n,
			u32 bits)
{
	struct futex_waiter *w, *next;
	long woken = 0;

	list_for_each_entry_safe(w, next, &b->waiters, link) {
		if (woken >= n)
			break;
		if (!futex_key_equal(&w->key, key))
			continue;
		if (w->pi || w->requeue_to)
			return -EINVAL;
		if (!(w->bits & bits))
			continue;
		futex_release_waiter(w);
		woken++;
	}
	return woken;
}

long futex_wake(uaddr_t addr, bool shared, unsigned int n, u32 bits)
{
	struct futex_bucket *b;
	struct futex_key key;
	long r;

	if (!bits)
		return -EINVAL;
	r = futex_make_key(addr, shared, &key);
	if (r)
		return r;
	b = futex_bucket_lock(&key);
	r = wake_locked(b, &key, n, bits);
	spin_unlock(&b->lock);
	return r;
}

static long move_locked(struct futex_bucket *from, const struct futex_key *key,
			struct futex_bucket *to, const struct futex_key *to_key, unsigned int n)
{
	struct futex_waiter *w, *next;
	long moved = 0;

	/* When both words share a bucket, those just moved must not be seen again. */
	if (futex_key_equal(key, to_key))
		return 0;
	list_for_each_entry_safe(w, next, &from->waiters, link) {
		if (moved >= n)
			break;
		if (!futex_key_equal(&w->key, key))
			continue;
		if (w->pi || w->requeue_to)
			return -EINVAL;
		list_move_tail(&w->link, &to->waiters);
		w->key = *to_key;
		WRITE_ONCE(w->bucket, to);
		moved++;
	}
	return moved;
}

long futex_requeue(uaddr_t addr, uaddr_t to, bool shared, bool to_shared, unsigned int nwake,
		   unsigned int nmove, bool compare, u32 val)
{
	struct futex_key key, to_key;
	struct futex_bucket *b, *to_b;
	long r = futex_make_key(addr, shared, &key), woken, moved;
	u32 now;

	if (!r)
		r = futex_make_key(to, to_shared, &to_key);
	if (r)
		return r;
	b = bucket_of(&key);
	to_b = bucket_of(&to_key);
	for (;;) {
		lock_two(b, to_b);
		if (!compare || !futex_get(&now, addr))
			break;
		futex_unlock_two(b, to_b);
		if (futex_fault_in(addr, false))
			return -EFAULT;
	}
	if (compare && now != val) {
		futex_unlock_two(b, to_b);
		return -EAGAIN;
	}
	woken = wake_locked(b, &key, nwake, FUTEX_BITSET_MATCH_ANY);
	moved = woken < 0 ? 0 : move_locked(b, &key, to_b, &to_key, nmove);
	futex_unlock_two(b, to_b);
	return moved < 0 ? moved : woken + moved;
}

/* ---- FUTEX_WAKE_OP ---- */

static int sign_extend12(u32 v)
{
	return (int)(v << 20) >> 20;
}

static u32 apply(unsigned int op, u32 old, u32 arg)
{
	switch (op) {
	case FUTEX_OP_SET:
		return arg;
	case FUTEX_OP_ADD:
		return old + arg;
	case FUTEX_OP_OR:
		return old | arg;
	case FUTEX_OP_ANDN:
		return old & ~arg;
	default:
		return old ^ arg;
	}
}

static bool satisfied(unsigned int cmp, int old, int arg)
{
	switch (cmp) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	default:
		return old >= arg;
	}
}

/* Change the word without sleeping. 0 and *old, or -EFAULT. */
static int change_word(uaddr_t addr, u32 encoded, u32 *old)
{
	unsigned int op = encoded >> 28 & 7;
	u32 arg = (u32)sign_extend12(encoded >> 12 & 0xfff), seen;

	if (encoded >> 28 & FUTEX_OP_ARG_SHIFT)
		arg = 1u << (arg & 31);
	if (futex_get(&seen, addr))
		return -EFAULT;
	do {
		*old = seen;
		if (futex_cmpxchg(addr, *old, apply(op, *old, arg), &seen))
			return -EFAULT;
	} while (seen != *old);
	return 0;
}

long futex_wake_op(uaddr_t addr, uaddr_t addr2, bool shared, unsigned int n, unsigned int n2,
		   u32 op)
{
	struct futex_key key, key2;
	struct futex_bucket *b, *b2;
	long r = futex_make_key(addr, shared, &key), more = 0;
	u32 old;

	if (!r)
		r = futex_make_key(addr2, shared, &key2);
	if (r)
		return r;
	if ((op >> 28 & 7) > FUTEX_OP_XOR || (op >> 24 & 0xf) > FUTEX_OP_CMP_GE)
		return -ENOSYS;
	b = bucket_of(&key);
	b2 = bucket_of(&key2);
	for (;;) {
		lock_two(b, b2);
		if (!change_word(addr2, op, &old))
			break;
		futex_unlock_two(b, b2);
		if (futex_fault_in(addr2, true))
			return -EFAULT;
	}
	r = wake_locked(b, &key, n, FUTEX_BITSET_MATCH_ANY);
	if (r >= 0 && satisfied(op >> 24 & 0xf, (int)old, sign_extend12(op & 0xfff)))
		more = wake_locked(b2, &key2, n2, FUTEX_BITSET_MATCH_ANY);
	futex_unlock_two(b, b2);
	return r < 0 ? r : more < 0 ? more : r + more;
}

/* ---- the end of a thread ---- */

/*
 * A robust lock of a dying thread: mark it, wake one waiter. @pending: the thread was just taking or releasing it; having released it (the
 * word is 0) it may not have come to waking.
 */
static void robust_died(struct task *t, uaddr_t addr, bool pi, bool pending)
{
	u32 val, seen;

	if (addr % sizeof(u32) || hal_get_user32(&val, addr))
		return;
	if (pending && !pi && !val) {
		(void)futex_wake(addr, true, 1, FUTEX_BITSET_MATCH_ANY);
		return;
	}
	while ((val & FUTEX_TID_MASK) == (u32)task_tid(t)) {
		if (hal_cmpxchg_user32(addr, val, (val & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen))
			return;
		if (seen == val) {
			if (!pi && (val & FUTEX_WAITERS))
				(void)futex_wake(addr, true, 1, FUTEX_BITSET_MATCH_ANY);
			return;
		}
		val = seen;
	}
}

/* Bit 0 of each pointer says that the lock is a PI one. */
static void walk_robust_list(struct task *t)
{
	struct robust_list_head_abi head;
	u64 entry, next, pending;

	if (get_user_obj(&head, t->robust_list))
		return;
	pending = head.pending & ~1ULL;
	entry = head.next;
	for (int i = 0; i < ROBUST_LIMIT && (entry & ~1ULL) != t->robust_list; i++) {
		int r = hal_get_user64(&next, (uaddr_t)(entry & ~1ULL));

		if ((entry & ~1ULL) != pending)
			robust_died(t, (uaddr_t)((entry & ~1ULL) + (u64)head.futex_offset),
				    entry & 1, false);
		if (r)
			return;
		entry = next;
		cond_resched();
	}
	if (pending)
		robust_died(t, (uaddr_t)(pending + (u64)head.futex_offset), head.pending & 1, true);
}

void futex_exit(struct task *t)
{
	if (t->robust_list)
		walk_robust_list(t);
	t->robust_list = 0;
	/* Pairs with wait_in_line(): our TASK_F_EXITING, then its count. */
	smp_mb();
	if (READ_ONCE(t->pi_waiters))
		futex_pi_exit(t);
	/* pthread_join() waits for this word; nobody is left to look when the address space goes with us. */
	if (t->clear_child_tid && refcount_read(&t->vm->users) > 1 &&
	    !hal_put_user32(t->clear_child_tid, 0))
		(void)futex_wake(t->clear_child_tid, true, 1, FUTEX_BITSET_MATCH_ANY);
	t->clear_child_tid = 0;
}

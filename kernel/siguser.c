/* SPDX-License-Identifier: MIT */
/*
 * How many signals wait for the processes of each user: what RLIMIT_SIGPENDING limits.
 *
 * A count exists while it is not zero. Queue entries and POSIX timers hold one each and remember whose, because a process may change
 * its user while they wait.
 * Locking: count_lock, inside sighand->lock. Source: getrlimit(2), RLIMIT_SIGPENDING.
 */
#include <kernel/signal.h>
#include <mm/slab.h>

#define NBUCKETS 64

struct sig_user {
	struct sig_user *next; /* of its bucket */
	uid_t uid;
	u64 n; /* 0 only in a bucket's first, which is then free */
};

static struct spinlock count_lock = SPINLOCK_INIT(RANK_SIGUSER);
static struct sig_user
	bucket[NBUCKETS]; /* the first of each: most users need no memory of their own */

static struct sig_user *first_of(uid_t uid)
{
	return &bucket[uid % NBUCKETS];
}

static struct sig_user *find(uid_t uid)
{
	struct sig_user *u = first_of(uid);

	while (u && !(u->n && u->uid == uid))
		u = u->next;
	return u;
}

/* An entry for a user that has none. NULL: no memory. */
static struct sig_user *add(uid_t uid)
{
	struct sig_user *first = first_of(uid), *u = first;

	if (first->n) {
		u = kzalloc(sizeof(*u), GFP_ATOMIC);
		if (!u)
			return NULL;
		u->next = first->next;
		first->next = u;
	}
	u->uid = uid;
	return u;
}

static void drop(struct sig_user *u)
{
	struct sig_user *prev = first_of(u->uid);

	if (u == prev)
		return;
	while (prev->next != u)
		prev = prev->next;
	prev->next = u->next;
	kfree(u);
}

struct sig_user *sig_user_charge(uid_t uid, u64 limit)
{
	unsigned long flags = spin_lock_irqsave(&count_lock);
	struct sig_user *u = find(uid);

	if ((u ? u->n : 0) >= limit)
		u = NULL;
	else if (!u)
		u = add(uid);
	if (u)
		u->n++;
	spin_unlock_irqrestore(&count_lock, flags);
	return u;
}

void sig_user_uncharge(struct sig_user *u)
{
	unsigned long flags = spin_lock_irqsave(&count_lock);

	if (!--u->n)
		drop(u);
	spin_unlock_irqrestore(&count_lock, flags);
}

u64 sig_user_count(uid_t uid)
{
	unsigned long flags = spin_lock_irqsave(&count_lock);
	struct sig_user *u = find(uid);
	u64 n = u ? u->n : 0;

	spin_unlock_irqrestore(&count_lock, flags);
	return n;
}

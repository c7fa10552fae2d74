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
	u64 n;
};

static struct spinlock count_lock = SPINLOCK_INIT(RANK_SIGUSER);
static struct sig_user *bucket[NBUCKETS];

static struct sig_user **slot_of(uid_t uid)
{
	struct sig_user **slot = &bucket[uid % NBUCKETS];

	while (*slot && (*slot)->uid != uid)
		slot = &(*slot)->next;
	return slot;
}

struct sig_user *sig_user_charge(uid_t uid, u64 limit)
{
	unsigned long flags = spin_lock_irqsave(&count_lock);
	struct sig_user **slot = slot_of(uid), *u = *slot;

	if ((u ? u->n : 0) >= limit) {
		u = NULL;
	} else if (!u) {
		u = kzalloc(sizeof(*u), GFP_ATOMIC);
		if (u) {
			u->uid = uid;
			*slot = u;
		}
	}
	if (u)
		u->n++;
	spin_unlock_irqrestore(&count_lock, flags);
	return u;
}

void sig_user_uncharge(struct sig_user *u)
{
	unsigned long flags = spin_lock_irqsave(&count_lock);

	if (!--u->n) {
		*slot_of(u->uid) = u->next;
		kfree(u);
	}
	spin_unlock_irqrestore(&count_lock, flags);
}

u64 sig_user_count(uid_t uid)
{
	unsigned long flags = spin_lock_irqsave(&count_lock);
	struct sig_user *u = *slot_of(uid);
	u64 n = u ? u->n : 0;

	spin_unlock_irqrestore(&count_lock, flags);
	return n;
}

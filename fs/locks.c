/* SPDX-License-Identifier: MIT */
/*
 * Advisory file locks: flock(2), POSIX locks and open-file-description locks of fcntl(2).
 *
 * An inode has two lists: whole-file flocks, and byte ranges sorted by start. A range belongs to a descriptor table (POSIX)
 * or to an open file (OFD, flock). Setting a range first cuts it out of what the owner holds, then inserts it.
 * Waiters sleep on the inode's queue and look again when anything is released; a wait of POSIX locks that would close a
 * circle is EDEADLK.
 * Locking: ctx->lock (mutex) for the lists; blocked_lock for the who-waits-for-whom edges.
 */
#include <fs/internal.h>
#include <fs/locks.h>

struct file_lock {
	struct list link;
	const void *owner; /* struct fdtable * (POSIX) or struct file * */
	struct file *file; /* OFD, flock: as the owner; POSIX: NULL */
	pid_t pid;
	u8 type;	/* F_RDLCK, F_WRLCK */
	u64 start, end; /* inclusive */
};

struct lock_context {
	struct mutex lock;
	struct list flocks, ranges;
	struct waitq waiters;
};

struct blocked {
	struct list link;
	const void *owner, *on;
};
static struct mutex blocked_lock;
static struct list blocked_list = LIST_HEAD_INIT(blocked_list);

void locks_init(void)
{
	mutex_init(&blocked_lock);
}

static struct lock_context *lock_ctx(struct inode *inode)
{
	struct lock_context *ctx = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE), *none = NULL;

	if (ctx)
		return ctx;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return NULL;
	mutex_init(&ctx->lock);
	list_init(&ctx->flocks);
	list_init(&ctx->ranges);
	waitq_init(&ctx->waiters);
	if (!__atomic_compare_exchange_n(&inode->locks, &none, ctx, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		kfree(ctx);
		ctx = none;
	}
	return ctx;
}

static void free_list(struct list *head)
{
	struct file_lock *l, *n;

	list_for_each_entry_safe(l, n, head, link)
		kfree(l);
}

void locks_free(struct inode *inode)
{
	struct lock_context *ctx = inode->locks;

	if (!ctx)
		return;
	free_list(&ctx->flocks);
	free_list(&ctx->ranges);
	kfree(ctx);
}

static bool conflicts(const struct file_lock *a, const struct file_lock *b)
{
	return a->owner != b->owner && (a->type == F_WRLCK || b->type == F_WRLCK) &&
	       a->start <= b->end && b->start <= a->end;
}

static struct file_lock *find_conflict(struct list *head, const struct file_lock *want)
{
	struct file_lock *l;

	list_for_each_entry(l, head, link)
		if (conflicts(l, want))
			return l;
	return NULL;
}

/* A lock of @want's owner that touches its range. ctx->lock held. */
static struct file_lock *find_owned(struct list *head, const struct file_lock *want)
{
	struct file_lock *l;

	list_for_each_entry(l, head, link)
		if (l->owner == want->owner && l->start <= want->end && want->start <= l->end)
			return l;
	return NULL;
}

/* Remove all locks of @owner; returns whether there were any. ctx->lock held. */
static bool drop_owner(struct list *head, const void *owner)
{
	struct file_lock *l, *n;
	bool any = false;

	list_for_each_entry_safe(l, n, head, link)
		if (l->owner == owner) {
			list_del(&l->link);
			kfree(l);
			any = true;
		}
	return any;
}

static void release_owner(struct inode *inode, const void *owner, bool flocks_too)
{
	struct lock_context *ctx = inode->locks;
	bool any;

	mutex_lock(&ctx->lock);
	any = drop_owner(&ctx->ranges, owner);
	if (flocks_too)
		any |= drop_owner(&ctx->flocks, owner);
	mutex_unlock(&ctx->lock);
	if (any)
		waitq_wake_all(&ctx->waiters);
}

void file_locks_close(struct file *f, void *owner)
{
	release_owner(f->inode, owner, false);
}

void file_locks_release(struct file *f)
{
	release_owner(f->inode, f, true);
}

/* ---- deadlock ---- */

/* Would @owner, waiting for @on, wait for itself? */
static bool would_deadlock(const void *owner, const void *on)
{
	struct blocked *b;

	for (int steps = 0; steps < 10; steps++) {
		const void *next = NULL;

		if (on == owner)
			return true;
		list_for_each_entry(b, &blocked_list, link)
			if (b->owner == on)
				next = b->on;
		if (!next)
			return false;
		on = next;
	}
	return false;
}

/* Sleep until the queue is woken. 0, -EINTR, -EDEADLK. ctx->lock held at entry, dropped meanwhile. */
static int wait_for(struct lock_context *ctx, const struct file_lock *want,
		    const struct file_lock *holder, struct list *head)
{
	struct blocked edge = { .owner = want->owner, .on = holder->owner };
	bool posix = !want->file;
	int r = 0;

	if (posix) {
		mutex_lock(&blocked_lock);
		if (would_deadlock(edge.owner, edge.on))
			r = -EDEADLK;
		else
			list_add(&edge.link, &blocked_list);
		mutex_unlock(&blocked_lock);
		if (r)
			return r;
	}
	mutex_unlock(&ctx->lock);
	r = wait_event_interruptible(&ctx->waiters, !locks_conflict(ctx, head, want));
	mutex_lock(&ctx->lock);
	if (posix) {
		mutex_lock(&blocked_lock);
		list_del(&edge.link);
		mutex_unlock(&blocked_lock);
	}
	return r;
}

/* ---- byte ranges ---- */

/* What is left of @l when [start, end] is cut out of it: @l itself shrinks, *spare becomes a second piece if needed. */
static void cut(struct file_lock *l, u64 start, u64 end, struct file_lock **spare)
{
	if (l->start < start && l->end > end) {
		struct file_lock *tail = *spare;

		*spare = NULL;
		*tail = *l;
		tail->start = end + 1;
		l->end = start - 1;
		list_add(&tail->link, &l->link);
	} else if (l->start < start) {
		l->end = start - 1;
	} else if (l->end > end) {
		l->start = end + 1;
	} else {
		list_del(&l->link);
		kfree(l);
	}
}

/* Give the owner exactly @want's type on its range. *fresh is used up unless it unlocks. ctx->lock held. */
static void set_range(struct lock_context *ctx, const struct file_lock *want,
		      struct file_lock **fresh, struct file_lock **spare)
{
	struct file_lock *l, *n;
	struct list *at = &ctx->ranges;

	list_for_each_entry_safe(l, n, &ctx->ranges, link)
		if (l->owner == want->owner && l->start <= want->end && want->start <= l->end)
			cut(l, want->start, want->end, spare);
	if (want->type == F_UNLCK)
		return;
	list_for_each_entry(l, &ctx->ranges, link) {
		if (l->start > want->start)
			break;
		at = &l->link;
	}
	**fresh = *want;
	list_add(&(*fresh)->link, at);
	*fresh = NULL;
}

int locks_set(struct inode *inode, const struct lock_request *rq, bool wait)
{
	struct lock_context *ctx = lock_ctx(inode);
	struct file_lock want = { .owner = rq->owner,
				  .file = rq->ofd ? (struct file *)rq->owner : NULL,
				  .pid = rq->ofd ? -1 : task_pid(current),
				  .type = rq->type,
				  .start = rq->start,
				  .end = rq->end };
	struct file_lock *fresh = kmalloc(sizeof(*fresh), GFP_KERNEL),
			 *spare = kmalloc(sizeof(*spare), GFP_KERNEL);
	struct file_lock *holder;
	int r = ctx && fresh && spare ? 0 : -ENOLCK;

	if (!r) {
		mutex_lock(&ctx->lock);
		while (!r && rq->type != F_UNLCK &&
		       (holder = find_conflict(&ctx->ranges, &want)) != NULL)
			r = wait ? wait_for(ctx, &want, holder, &ctx->ranges) : -EAGAIN;
		if (!r)
			set_range(ctx, &want, &fresh, &spare);
		mutex_unlock(&ctx->lock);
		waitq_wake_all(&ctx->waiters);
	}
	kfree(fresh);
	kfree(spare);
	return r;
}

void locks_test(struct inode *inode, struct lock_request *rq)
{
	struct lock_context *ctx = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE);
	struct file_lock want = { .owner = rq->owner,
				  .type = rq->type,
				  .start = rq->start,
				  .end = rq->end },
			 *l = NULL;

	if (ctx) {
		mutex_lock(&ctx->lock);
		l = rq->type == F_UNLCK ? find_owned(&ctx->ranges, &want)
					: find_conflict(&ctx->ranges, &want);
		if (l)
			*rq = (struct lock_request){ NULL,     l->file != NULL, l->type,
						     l->start, l->end,		l->pid };
		mutex_unlock(&ctx->lock);
	}
	if (!l)
		rq->type = F_UNLCK;
}

bool locks_conflict(struct lock_context *ctx, struct list *head, const struct file_lock *want)
{
	bool yes;

	mutex_lock(&ctx->lock);
	yes = find_conflict(head, want);
	mutex_unlock(&ctx->lock);
	return yes;
}

/* ---- flock ---- */

int locks_flock(struct file *f, u8 type, bool wait)
{
	struct lock_context *ctx = lock_ctx(f->inode);
	struct file_lock want = { .owner = f, .file = f, .type = type, .end = U64_MAX }, *fresh,
			 *holder;
	int r = 0;

	if (!ctx)
		return -ENOLCK;
	fresh = kmalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return -ENOLCK;
	mutex_lock(&ctx->lock);
	/* A change of type gives the old lock up first: it is not atomic. */
	if (drop_owner(&ctx->flocks, f))
		waitq_wake_all(&ctx->waiters);
	while (!r && type != F_UNLCK && (holder = find_conflict(&ctx->flocks, &want)) != NULL)
		r = wait ? wait_for(ctx, &want, holder, &ctx->flocks) : -EAGAIN;
	if (!r && type != F_UNLCK) {
		*fresh = want;
		list_add_tail(&fresh->link, &ctx->flocks);
		fresh = NULL;
	}
	mutex_unlock(&ctx->lock);
	kfree(fresh);
	return r;
}

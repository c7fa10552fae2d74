/* SPDX-License-Identifier: MIT */
/*
 * Leases: being told, and given time, before another process opens or truncates a file. Source: fcntl(2), "Leases".
 *
 * A lease belongs to an open file. Who opens or truncates breaks those in the way: each gets a target, a deadline and a signal for
 * its file's owner, and the breaker waits until the holder has given way or the deadline has passed.
 * Locking: lease_mutex. Looking whether an inode has any lease at all takes no lock: one that is set just then comes after the open.
 */
#include <fs/fasync.h>
#include <fs/internal.h>
#include <fs/lease.h>
#include <kernel/time.h>

struct lease {
	struct lease *next; /* of the same inode */
	struct file *file;  /* no reference: file_put() removes the lease */
	int type;
	int target; /* what it is to become; type: nothing asked */
	u64 deadline_ns;
};

u32 lease_break_seconds = 45;
static struct mutex lease_mutex = MUTEX_INIT(lease_mutex);
static struct waitq lease_wait = WAITQ_INIT(lease_wait);
static u64 lease_changes; /* lease_mutex: counts what a breaker may be waiting for */

static struct lease **find_lease(struct file *f)
{
	struct lease **p = &f->inode->leases;

	while (*p && (*p)->file != f)
		p = &(*p)->next;
	return p;
}

static void remove_lease(struct lease **p)
{
	struct lease *l = *p;

	WRITE_ONCE(*p, l->next);
	kfree(l);
}

/* ---- setting ---- */

/* Are there other open files of @f's inode? A name in the hash table of tmpfs holds one reference of its own. */
static bool opened_elsewhere(struct file *f)
{
	struct dentry *d = f->path.dentry;
	u32 own = d_unhashed(d) ? 1 : 2;

	return dentry_users(d) > own || refcount_read(&f->inode->refs) > 1;
}

/* May @f have a lease of this type now? */
static int check_opens(struct file *f, int type)
{
	if (type == F_RDLCK)
		return READ_ONCE(f->inode->write_denied) > 0 ? -EAGAIN : 0;
	return opened_elsewhere(f) ? -EAGAIN : 0;
}

static int conflict_with_others(struct file *f, int type)
{
	struct lease *l;

	for (l = f->inode->leases; l; l = l->next) {
		if (l->file == f)
			continue;
		if (type == F_WRLCK || l->type == F_WRLCK || l->target != l->type)
			return -EAGAIN;
	}
	return 0;
}

static int change_lease(struct lease *l, int type)
{
	/* Whoever was asked to give way cannot take it back. */
	if (l->target != l->type && (l->target == F_UNLCK || type == F_WRLCK))
		return -EAGAIN;
	l->type = l->target = type;
	return 0;
}

static int set_locked(struct file *f, int type, struct lease *new)
{
	struct lease **p = find_lease(f);
	int r = check_opens(f, type);

	if (!r)
		r = conflict_with_others(f, type);
	if (r || *p) {
		kfree(new);
		return r ? r : change_lease(*p, type);
	}
	*new = (struct lease){ .next = f->inode->leases, .file = f, .type = type, .target = type };
	WRITE_ONCE(f->inode->leases, new);
	return 0;
}

static int unset_lease(struct file *f)
{
	struct lease **p;
	bool found;

	mutex_lock(&lease_mutex);
	p = find_lease(f);
	found = *p;
	if (found)
		remove_lease(p);
	lease_changes++;
	mutex_unlock(&lease_mutex);
	waitq_wake_all(&lease_wait);
	return found ? 0 : -EAGAIN;
}

int lease_set(struct file *f, int type)
{
	struct f_owner_ex owner;
	struct lease *new;
	int r;

	if (type == F_UNLCK)
		return unset_lease(f);
	if (type != F_RDLCK && type != F_WRLCK)
		return -EINVAL;
	if (current->creds->fsuid != f->inode->uid && !capable(CAP_LEASE))
		return -EACCES;
	if (!S_ISREG(f->inode->mode))
		return -EINVAL;
	new = kmalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	mutex_lock(&lease_mutex);
	r = set_locked(f, type, new);
	lease_changes++;
	mutex_unlock(&lease_mutex);
	waitq_wake_all(&lease_wait);
	if (r)
		return r;
	file_get_owner(f, &owner);
	return owner.pid ? 0 : file_set_owner(f, F_OWNER_PID, task_pid(current));
}

int lease_get(struct file *f)
{
	struct lease *l;
	int type;

	mutex_lock(&lease_mutex);
	l = *find_lease(f);
	type = l ? l->target : F_UNLCK;
	mutex_unlock(&lease_mutex);
	return type;
}

void lease_file_gone(struct file *f)
{
	(void)unset_lease(f);
}

/* ---- breaking ---- */

static bool in_the_way(const struct lease *l, bool write)
{
	return write || l->type == F_WRLCK;
}

/* Ask those in the way; remove those whose time is over. Returns the earliest deadline, 0: nobody is in the way. lease_mutex held. */
static u64 ask_holders(struct inode *inode, bool write)
{
	u64 now = hal_clock_ns(), first = 0;
	struct lease **p = &inode->leases, *l;

	while ((l = *p)) {
		int target = write ? F_UNLCK : F_RDLCK;

		if (!in_the_way(l, write)) {
			p = &l->next;
			continue;
		}
		if (l->target == l->type || (l->target == F_RDLCK && target == F_UNLCK)) {
			l->target = target;
			l->deadline_ns = now + lease_break_seconds * NSEC_PER_SEC;
			file_signal_owner(l->file);
		} else if (l->deadline_ns <= now) {
			if (l->target == F_UNLCK) {
				remove_lease(p);
				continue;
			}
			l->type = l->target;
			continue; /* looked at anew: a read lease may be in nobody's way */
		}
		if (!first || l->deadline_ns < first)
			first = l->deadline_ns;
		p = &l->next;
	}
	return first;
}

/* Until some lease has changed since @generation. 0, -EINTR, -ETIMEDOUT. */
static int sleep_for_change(u64 generation, u64 deadline_ns)
{
	return wait_event_interruptible_until(&lease_wait, READ_ONCE(lease_changes) != generation,
					      deadline_ns);
}

int __lease_break(struct inode *inode, bool write, bool nonblock)
{
	for (;;) {
		u64 deadline, generation;

		mutex_lock(&lease_mutex);
		generation = lease_changes;
		deadline = ask_holders(inode, write);
		mutex_unlock(&lease_mutex);
		if (!deadline)
			return 0;
		if (nonblock)
			return -EWOULDBLOCK;
		if (sleep_for_change(generation, deadline) == -EINTR)
			return -EINTR;
	}
}

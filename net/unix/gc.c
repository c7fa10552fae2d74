/* SPDX-License-Identifier: MIT */
/*
 * Descriptors in flight: how many each user has, and sockets that nobody can reach any more.
 *
 * A socket that was closed everywhere lives on while a descriptor of it is in some socket's queue. When the queues of a set of
 * such sockets hold all there is of them, nobody can ever receive them: unix_gc() has those queues emptied.
 *
 * It marks and sweeps under gc_mutex. Candidates are sockets all of whose references are in flight; those of them that are in
 * the queue of a socket that is none, and what is reachable from these, stay. While gc_mutex is held no descriptor of an AF_UNIX
 * socket takes off or lands, nor is one looked at with MSG_PEEK, so no candidate gets a new reference: a reference can only be made
 * from a descriptor, which a candidate has not.
 *
 * Locking: gc_mutex, outside u->lock; users_lock, innermost. Source: unix(7).
 */
#include <fs/internal.h>
#include <lib/hash.h>
#include <net/unix/unix.h>
#include <uapi/capability.h>

#define UID_BITS 6

enum mark { MARK_NONE, MARK_CANDIDATE, MARK_LIVE };

static struct mutex gc_mutex;
static DEFINE_LIST(flying); /* gc_mutex: sockets in flight */

/* ---- how many descriptors each user has in flight ---- */

struct unix_user {
	struct hlist_node link;
	uid_t uid;
	u64 n;
};

static struct spinlock users_lock = SPINLOCK_INIT(RANK_ANY);
static struct hlist_head users[1u << UID_BITS];

static struct unix_user *find_user(uid_t uid)
{
	struct unix_user *u;

	hlist_for_each_entry(u, &users[hash_64(uid, UID_BITS)], link)
		if (u->uid == uid)
			return u;
	return NULL;
}

static bool may_exceed(void)
{
	return capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
}

/* Charge current's user with @n. ERR_PTR(-ETOOMANYREFS, -ENOMEM). */
static struct unix_user *charge_user(unsigned int n)
{
	struct unix_user *fresh = kmalloc(sizeof(*fresh), GFP_KERNEL), *u;
	uid_t uid = current_creds()->uid;

	if (!fresh)
		return ERR_PTR(-ENOMEM);
	spin_lock(&users_lock);
	u = find_user(uid);
	if (u && u->n > task_rlimit(RLIMIT_NOFILE) && !may_exceed()) {
		spin_unlock(&users_lock);
		kfree(fresh);
		return ERR_PTR(-ETOOMANYREFS);
	}
	if (!u) {
		u = fresh;
		fresh = NULL;
		u->uid = uid;
		u->n = 0;
		hlist_add_head(&u->link, &users[hash_64(uid, UID_BITS)]);
	}
	u->n += n;
	spin_unlock(&users_lock);
	kfree(fresh);
	return u;
}

static void uncharge_user(struct unix_user *u, unsigned int n)
{
	spin_lock(&users_lock);
	u->n -= n;
	if (u->n)
		u = NULL;
	else
		hlist_del(&u->link);
	spin_unlock(&users_lock);
	kfree(u);
}

/* ---- taking off and landing ---- */

static struct unix_sock *socket_in(const struct unix_fds *fds, unsigned int i)
{
	struct socket *s = socket_of(fds->file[i]);

	return s && s->family == AF_UNIX ? unix_of(s) : NULL;
}

int unix_fds_fly(struct unix_fds *fds)
{
	struct unix_user *user = charge_user(fds->n);

	if (IS_ERR(user))
		return (int)PTR_ERR(user);
	fds->user = user;
	fds->nunix = 0;
	for (unsigned int i = 0; i < fds->n; i++)
		fds->nunix += socket_in(fds, i) != NULL;
	if (!fds->nunix)
		return 0;
	mutex_lock(&gc_mutex);
	for (unsigned int i = 0; i < fds->n; i++) {
		struct unix_sock *u = socket_in(fds, i);

		if (u && !u->inflight++)
			list_add_tail(&u->gc_link, &flying);
	}
	mutex_unlock(&gc_mutex);
	return 0;
}

void unix_fds_land(struct unix_fds *fds)
{
	if (!fds->user)
		return;
	uncharge_user(fds->user, fds->n);
	fds->user = NULL;
	if (!fds->nunix)
		return;
	mutex_lock(&gc_mutex);
	for (unsigned int i = 0; i < fds->n; i++) {
		struct unix_sock *u = socket_in(fds, i);

		if (u && !--u->inflight)
			list_del_init(&u->gc_link);
	}
	mutex_unlock(&gc_mutex);
}

struct unix_fds *unix_fds_dup(struct unix_fds *fds)
{
	struct unix_fds *copy = kmalloc(sizeof(*fds) + fds->n * sizeof(struct file *), GFP_KERNEL);

	if (!copy)
		return NULL;
	if (fds->nunix)
		mutex_lock(&gc_mutex);
	*copy = (struct unix_fds){ .n = fds->n, .nunix = fds->nunix };
	for (unsigned int i = 0; i < fds->n; i++)
		copy->file[i] = file_get(fds->file[i]);
	if (fds->nunix)
		mutex_unlock(&gc_mutex);
	return copy;
}

/* ---- collecting; gc_mutex held ---- */

typedef void child_fn(struct unix_sock *child, struct list *work);

static void visit_queue(struct unix_sock *u, child_fn *fn, struct list *work)
{
	struct unix_msg *msg;

	list_for_each_entry(msg, &u->queue, link)
		for (unsigned int i = 0; msg->fds && msg->fds->nunix && i < msg->fds->n; i++) {
			struct unix_sock *child = socket_in(msg->fds, i);

			if (child && child->gc_mark == MARK_CANDIDATE)
				fn(child, work);
		}
}

/* Call @fn for each candidate in the queue of @u and in those of what waits to be accepted there. */
static void visit_children(struct unix_sock *u, child_fn *fn, struct list *work)
{
	struct unix_sock *e;

	spin_lock(&u->lock);
	visit_queue(u, fn, work);
	list_for_each_entry(e, &u->accept, accept_link) {
		spin_lock(&e->lock);
		visit_queue(e, fn, work);
		spin_unlock(&e->lock);
	}
	spin_unlock(&u->lock);
}

static void count_inner(struct unix_sock *child, struct list *work)
{
	child->gc_inner++;
}

static void keep(struct unix_sock *child, struct list *work)
{
	child->gc_mark = MARK_LIVE;
	list_move_tail(&child->gc_link, work);
}

static void mark_candidates(const struct unix_sock *closing)
{
	struct unix_sock *u;

	list_for_each_entry(u, &flying, gc_link) {
		u32 refs = (u32)refcount_read(&u->s.file->refs) - (u == closing);

		u->gc_inner = 0;
		u->gc_mark = refs == u->inflight ? MARK_CANDIDATE : MARK_NONE;
	}
	list_for_each_entry(u, &flying, gc_link)
		if (u->gc_mark == MARK_CANDIDATE)
			visit_children(u, count_inner, NULL);
}

/* Candidates that are in flight outside of candidates' queues, and what they lead to, live. What lives has left @flying for @live. */
static void mark_live(struct list *live)
{
	struct unix_sock *u, *next;
	DEFINE_LIST(work);

	list_for_each_entry_safe(u, next, &flying, gc_link)
		if (u->gc_mark == MARK_CANDIDATE && u->gc_inner < u->inflight)
			keep(u, &work);
	while (!list_empty(&work)) {
		u = list_first_entry(&work, struct unix_sock, gc_link);
		list_move_tail(&u->gc_link, live);
		visit_children(u, keep, &work);
	}
}

static void take_messages(struct unix_sock *u, struct list *doomed)
{
	struct unix_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &u->queue, link)
		if (msg->fds && msg->fds->nunix) {
			list_move_tail(&msg->link, doomed);
			u->qlen--;
		}
}

static void sweep(struct list *doomed)
{
	struct unix_sock *u, *e;

	list_for_each_entry(u, &flying, gc_link) {
		if (u->gc_mark != MARK_CANDIDATE)
			continue;
		spin_lock(&u->lock);
		if (list_empty(&u->accept))
			take_messages(u, doomed);
		list_for_each_entry(e, &u->accept, accept_link) {
			spin_lock(&e->lock);
			take_messages(e, doomed);
			spin_unlock(&e->lock);
		}
		spin_unlock(&u->lock);
	}
}

bool unix_gc_needed(void)
{
	return !list_empty(&flying);
}

void unix_gc_collect(const struct unix_sock *closing)
{
	DEFINE_LIST(doomed);
	DEFINE_LIST(live);

	mutex_lock(&gc_mutex);
	mark_candidates(closing);
	mark_live(&live);
	sweep(&doomed);
	list_splice(&live, &flying);
	mutex_unlock(&gc_mutex);
	while (!list_empty(&doomed)) {
		struct unix_msg *msg = list_first_entry(&doomed, struct unix_msg, link);

		list_del(&msg->link);
		unix_msg_free(msg);
	}
}

void unix_gc_init(void)
{
	mutex_init(&gc_mutex);
}

/* SPDX-License-Identifier: MIT */
/*
 * Requests of tasks to the listener of a seccomp filter (kernel/seccomp_notify.h).
 *
 * A request is on its task's stack and on the list while the task waits. Its state goes from INIT to SENT when the listener receives it, and
 * to REPLIED with the answer. Descriptors that the listener gives are entered by the task itself, which is woken for it.
 * Locking: notify->lock (mutex) for requests and their lists; the counts are read without it, by those who poll.
 */
#include <kernel/files.h>
#include <kernel/random.h>
#include <kernel/seccomp_notify.h>
#include <kernel/signal.h>
#include <kernel/syscall.h>
#include <mm/slab.h>
#include <uapi/fcntl.h>
#include <uapi/poll.h>

enum request_state { INIT, SENT, REPLIED };

struct seccomp_notify {
	refcount_t refs;
	struct mutex lock;
	struct list requests;	   /* lock */
	unsigned int ninit, nsent; /* lock to change: requests in these states */
	u64 next_id;		   /* lock */
	struct waitq wait;	   /* of the listener */
	bool killable;		   /* constant */
	bool closed;		   /* lock to change: the listener is gone */
	bool orphan;		   /* atomic: the filter is gone */
};

struct request {
	struct list link;
	u64 id;
	struct task *task;
	const struct seccomp_data *data;
	enum request_state state; /* lock */
	struct list gifts;	  /* lock: struct gift */
	bool ready;		  /* there is something to do for the task */
	struct waitq wait;
	s64 val;
	s32 error;
	u32 flags;
};

/* A descriptor for the task. On the listener's stack. */
struct gift {
	struct list link; /* lock; empty: taken */
	struct file *file;
	const struct seccomp_notif_addfd *req;
	int result;
	bool done;
	struct waitq wait;
};

struct seccomp_notify *seccomp_notify_create(bool killable)
{
	struct seccomp_notify *n = kzalloc(sizeof(*n), 0);

	if (!n)
		return NULL;
	refcount_set(&n->refs, 1);
	mutex_init(&n->lock);
	list_init(&n->requests);
	waitq_init(&n->wait);
	n->killable = killable;
	random_bytes(&n->next_id, sizeof(n->next_id));
	return n;
}

void seccomp_notify_get(struct seccomp_notify *n)
{
	refcount_inc(&n->refs);
}

void seccomp_notify_put(struct seccomp_notify *n)
{
	if (refcount_dec_and_test(&n->refs))
		kfree(n);
}

void seccomp_notify_orphan(struct seccomp_notify *n)
{
	__atomic_store_n(&n->orphan, true, __ATOMIC_RELEASE);
	waitq_wake_all(&n->wait);
}

bool seccomp_notify_listening(const struct seccomp_notify *n)
{
	return !READ_ONCE(n->closed);
}

static void set_state(struct seccomp_notify *n, struct request *r, enum request_state state)
{
	n->ninit += (state == INIT) - (r->state == INIT);
	n->nsent += (state == SENT) - (r->state == SENT);
	r->state = state;
}

static void kick(struct request *r)
{
	__atomic_store_n(&r->ready, true, __ATOMIC_RELEASE);
	waitq_wake_all(&r->wait);
}

/* ---- the task that asks ---- */

static void finish_gift(struct gift *g, int result)
{
	list_del_init(&g->link);
	g->result = result;
	/* The giver may leave at once: it takes the lock first. */
	__atomic_store_n(&g->done, true, __ATOMIC_RELEASE);
	waitq_wake_all(&g->wait);
}

/* With SEND, the number is the call's result; when it cannot be entered the request waits on. lock held. */
static void take_gifts(struct seccomp_notify *n, struct request *r)
{
	while (!list_empty(&r->gifts)) {
		struct gift *g = list_first_entry(&r->gifts, struct gift, link);
		bool exactly = g->req->flags & SECCOMP_ADDFD_FLAG_SETFD;
		int fd = files_receive(g->file, exactly ? (int)g->req->newfd : -1,
				       g->req->newfd_flags & O_CLOEXEC);

		if ((g->req->flags & SECCOMP_ADDFD_FLAG_SEND) && fd < 0)
			set_state(n, r, SENT);
		else if (g->req->flags & SECCOMP_ADDFD_FLAG_SEND)
			r->val = fd;
		finish_gift(g, fd);
	}
}

static bool only_killable(const struct seccomp_notify *n, const struct request *r)
{
	return n->killable && READ_ONCE(r->state) == SENT;
}

static int sleep_for_answer(struct seccomp_notify *n, struct request *r)
{
	bool ready;

	if (only_killable(n, r))
		return wait_event_killable(&r->wait, __atomic_load_n(&r->ready, __ATOMIC_ACQUIRE));
	ready = !wait_event_interruptible(&r->wait, __atomic_load_n(&r->ready, __ATOMIC_ACQUIRE));
	/* Received in the meantime: then the signal comes too late to end this. */
	if (!ready && only_killable(n, r))
		return sleep_for_answer(n, r);
	return ready ? 0 : -EINTR;
}

/* lock held, but for sleeping. 0, or -EINTR. */
static int await_answer(struct seccomp_notify *n, struct request *r)
{
	while (r->state != REPLIED) {
		int err;

		mutex_unlock(&n->lock);
		err = sleep_for_answer(n, r);
		mutex_lock(&n->lock);
		if (err)
			return err;
		r->ready = false;
		take_gifts(n, r);
	}
	return 0;
}

static void leave(struct seccomp_notify *n, struct request *r)
{
	while (!list_empty(&r->gifts))
		finish_gift(list_first_entry(&r->gifts, struct gift, link), -ESRCH);
	set_state(n, r, REPLIED);
	list_del(&r->link);
}

bool seccomp_notify_ask(struct seccomp_notify *n, const struct seccomp_data *data, long *result)
{
	struct request r = { .task = current, .data = data, .state = REPLIED };
	int err;

	*result = -ENOSYS;
	list_init(&r.gifts);
	waitq_init(&r.wait);
	mutex_lock(&n->lock);
	if (n->closed) {
		mutex_unlock(&n->lock);
		return false;
	}
	r.id = n->next_id++;
	set_state(n, &r, INIT);
	list_add_tail(&r.link, &n->requests);
	waitq_wake_poll(&n->wait, POLLIN | POLLRDNORM);
	err = await_answer(n, &r);
	leave(n, &r);
	mutex_unlock(&n->lock);
	if (err)
		syscall_restart_as(RESTART_SYS);
	*result = err ? err : r.error ? r.error : (long)r.val;
	return !err && (r.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

/* ---- the listener ---- */

static struct request *find_id(struct seccomp_notify *n, u64 id)
{
	struct request *r;

	list_for_each_entry(r, &n->requests, link)
		if (r->id == id)
			return r;
	return NULL;
}

static struct request *first_new(struct seccomp_notify *n)
{
	struct request *r;

	list_for_each_entry(r, &n->requests, link)
		if (r->state == INIT)
			return r;
	return NULL;
}

int seccomp_notify_recv(struct seccomp_notify *n, struct seccomp_notif *out)
{
	struct request *r;
	int err = wait_event_interruptible(
		&n->wait, READ_ONCE(n->ninit) || __atomic_load_n(&n->orphan, __ATOMIC_ACQUIRE));

	if (err)
		return err;
	mutex_lock(&n->lock);
	r = first_new(n);
	if (r) {
		*out = (struct seccomp_notif){ .id = r->id,
					       .pid = (u32)task_tid(r->task),
					       .data = *r->data };
		set_state(n, r, SENT);
		waitq_wake_poll(&n->wait, POLLOUT | POLLWRNORM);
	}
	mutex_unlock(&n->lock);
	return r ? 0 : -ENOENT;
}

void seccomp_notify_unreceive(struct seccomp_notify *n, u64 id)
{
	struct request *r;

	mutex_lock(&n->lock);
	r = find_id(n, id);
	if (r && r->state == SENT) {
		set_state(n, r, INIT);
		waitq_wake_poll(&n->wait, POLLIN | POLLRDNORM);
	}
	mutex_unlock(&n->lock);
}

/* lock held. A request that waits for its answer, or an error. */
static struct request *find_sent(struct seccomp_notify *n, u64 id)
{
	struct request *r = find_id(n, id);

	if (!r)
		return ERR_PTR(-ENOENT);
	return r->state == SENT ? r : ERR_PTR(-EINPROGRESS);
}

int seccomp_notify_send(struct seccomp_notify *n, const struct seccomp_notif_resp *resp)
{
	struct request *r;

	mutex_lock(&n->lock);
	r = find_sent(n, resp->id);
	if (!IS_ERR(r)) {
		r->val = resp->val;
		r->error = resp->error;
		r->flags = resp->flags;
		set_state(n, r, REPLIED);
		kick(r);
	}
	mutex_unlock(&n->lock);
	return IS_ERR(r) ? (int)PTR_ERR(r) : 0;
}

int seccomp_notify_valid(struct seccomp_notify *n, u64 id)
{
	struct request *r;

	mutex_lock(&n->lock);
	r = find_sent(n, id);
	mutex_unlock(&n->lock);
	return IS_ERR(r) ? -ENOENT : 0;
}

/* lock held. */
static int offer(struct seccomp_notify *n, struct gift *g)
{
	struct request *r = find_sent(n, g->req->id);

	if (IS_ERR(r))
		return (int)PTR_ERR(r);
	if (g->req->flags & SECCOMP_ADDFD_FLAG_SEND) {
		/* The result is one number: that of this descriptor. */
		if (!list_empty(&r->gifts))
			return -EBUSY;
		set_state(n, r, REPLIED);
		r->error = 0;
		r->flags = 0;
	}
	list_add_tail(&g->link, &r->gifts);
	kick(r);
	return 0;
}

/* A signal came before the descriptor was taken: nothing was answered. lock held. */
static void take_back(struct seccomp_notify *n, struct gift *g)
{
	struct request *r = find_id(n, g->req->id);

	list_del(&g->link);
	if (r && (g->req->flags & SECCOMP_ADDFD_FLAG_SEND))
		set_state(n, r, SENT);
}

long seccomp_notify_addfd(struct seccomp_notify *n, struct file *f,
			  const struct seccomp_notif_addfd *req)
{
	struct gift g = { .file = f, .req = req };
	int err;

	waitq_init(&g.wait);
	list_init(&g.link);
	mutex_lock(&n->lock);
	err = offer(n, &g);
	mutex_unlock(&n->lock);
	if (err)
		return err;
	err = wait_event_interruptible(&g.wait, __atomic_load_n(&g.done, __ATOMIC_ACQUIRE));
	mutex_lock(&n->lock);
	if (list_empty(&g.link))
		err = g.result;
	else
		take_back(n, &g);
	mutex_unlock(&n->lock);
	return err;
}

u32 seccomp_notify_events(const struct seccomp_notify *n)
{
	u32 events = READ_ONCE(n->ninit) ? POLLIN | POLLRDNORM : 0;

	if (READ_ONCE(n->nsent))
		events |= POLLOUT | POLLWRNORM;
	if (__atomic_load_n(&n->orphan, __ATOMIC_ACQUIRE))
		events |= POLLHUP;
	return events;
}

struct waitq *seccomp_notify_waitq(struct seccomp_notify *n)
{
	return &n->wait;
}

void seccomp_notify_close(struct seccomp_notify *n)
{
	struct request *r;

	mutex_lock(&n->lock);
	WRITE_ONCE(n->closed, true);
	list_for_each_entry(r, &n->requests, link) {
		if (r->state == REPLIED)
			continue;
		r->error = -ENOSYS;
		r->val = 0;
		set_state(n, r, REPLIED);
		kick(r);
	}
	mutex_unlock(&n->lock);
}

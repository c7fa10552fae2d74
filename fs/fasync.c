/* SPDX-License-Identifier: MIT */
/*
 * Signal-driven I/O: who owns an open file (F_SETOWN, F_SETSIG), and SIGIO when it becomes ready (O_ASYNC).
 *
 * A file with O_ASYNC waits on the queues that poll(2) would wait on, for as long as the flag is set; so what makes files ready
 * knows nothing of this. A waker holds the queue's lock, inside which no signal can be sent: it puts the owner on a list,
 * and deferred work (kernel/defer.h) sends.
 *
 * Locking: owner_lock guards every owner's fields and the list; it is innermost. A file's last reference takes its owner away: who
 * sends copies what it needs under owner_lock. Source: fcntl(2), "Managing signals".
 */
#include <fs/fasync.h>
#include <fs/internal.h>
#include <kernel/defer.h>
#include <kernel/process.h>
#include <uapi/poll.h>

struct file_owner {
	struct list pending_link; /* owner_lock */
	struct pid *pid;	  /* owner_lock: a reference; NULL: nobody */
	int type, sig;		  /* owner_lock: F_OWNER_*, F_SETSIG's */
	uid_t uid, euid;	  /* owner_lock: of who set the owner */
	int fd;			  /* owner_lock: as O_ASYNC was set through it */
	u32 events;		  /* owner_lock: POLL* since the last signal */
	bool watching;		  /* async_mutex */
	struct list queues;	  /* async_mutex: struct async_queue */
};

struct async_queue {
	struct list link;
	struct waiter w;
	struct waitq *q;
	struct file_owner *owner;
	u32 wanted;
};
struct async_table { /* a poll table that registers */
	struct poll_table pt;
	struct file_owner *owner;
	u32 wanted;
	int error;
};

static struct spinlock owner_lock = SPINLOCK_INIT(RANK_ANY);
static struct list pending = LIST_HEAD_INIT(pending); /* owner_lock */
static struct mutex async_mutex = MUTEX_INIT(async_mutex);

/* ---- sending ---- */

static bool may_signal(const struct file_owner *o, const struct creds *c)
{
	return !o->euid || o->euid == c->suid || o->euid == c->uid || o->uid == c->suid ||
	       o->uid == c->uid;
}

static void send_to(const struct file_owner *o, struct task *t, const struct siginfo *info)
{
	const struct creds *c = creds_of(t);
	bool allowed = may_signal(o, c);
	int r = -EAGAIN;

	creds_put(c);
	if (!allowed)
		return;
	if (o->sig)
		r = o->type == F_OWNER_TID ? sig_send_task(t, o->sig, info)
					   : sig_send_process(t->process, o->sig, info);
	/* No room for one more in the queue: at least the plain signal says that something was. */
	if (r == -EAGAIN && o->type == F_OWNER_TID)
		(void)sig_send_task(t, SIGIO, NULL);
	else if (r == -EAGAIN)
		(void)sig_send_process(t->process, SIGIO, NULL);
}

/* The next process of a group behind @after (NULL: the first), with a reference on its leading thread. */
static struct task *next_in_group(struct pid *pgrp, pid_t *after)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task *found = NULL;
	struct process *p;

	list_for_each_entry(p, &pgrp->group, group_link)
		if (p->pid->nr > *after && p->leader && (!found || p->pid->nr < task_pid(found)))
			found = p->leader;
	if (found) {
		task_get(found);
		*after = task_pid(found);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return found;
}

static void send_owner(const struct file_owner *o, const struct siginfo *info)
{
	struct task *t;
	pid_t after = 0;

	if (o->type != F_OWNER_PGRP) {
		t = task_find_get(o->pid->nr);
		if (t && t->tid == o->pid)
			send_to(o, t, info);
		if (t)
			task_put(t);
		return;
	}
	while ((t = next_in_group(o->pid, &after))) {
		send_to(o, t, info);
		task_put(t);
	}
}

/* The reason that si_code gives, and the events that si_band does; the first that fits. */
static const struct {
	u32 event;
	int code;
	u32 band;
} reasons[] = {
	{ POLLHUP, POLL_HUP, POLLHUP | POLLERR },
	{ POLLERR, POLL_ERR, POLLERR },
	{ POLLMSG, POLL_MSG, POLLIN | POLLRDNORM | POLLMSG },
	{ POLLIN, POLL_IN, POLLIN | POLLRDNORM },
	{ POLLOUT, POLL_OUT, POLLOUT | POLLWRNORM | POLLWRBAND },
	{ POLLPRI, POLL_PRI, POLLPRI | POLLRDBAND },
};

static void fill_reason(struct siginfo *info, u32 events)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(reasons) - 1 && !(events & reasons[i].event))
		i++;
	info->si_code = reasons[i].code;
	info->poll.band = reasons[i].band;
}

/* One owner from the list, as a copy with a reference on the pid. False: the list is empty. */
static bool take_pending(struct file_owner *copy)
{
	unsigned long flags = spin_lock_irqsave(&owner_lock);
	struct file_owner *o = NULL;

	while (!list_empty(&pending)) {
		o = list_first_entry(&pending, struct file_owner, pending_link);
		list_del_init(&o->pending_link);
		if (o->pid)
			break;
		o = NULL;
	}
	if (o) {
		*copy = *o;
		pid_get(copy->pid);
		o->events = 0;
	}
	spin_unlock_irqrestore(&owner_lock, flags);
	return o;
}

static void send_pending(struct deferred *d)
{
	struct file_owner o;

	(void)d;
	while (take_pending(&o)) {
		struct siginfo info = { .si_signo = o.sig, .poll.fd = o.fd };

		fill_reason(&info, o.events);
		send_owner(&o, &info);
		pid_put(o.pid);
	}
}

static struct deferred sending = DEFERRED_INIT(sending, send_pending);

/* ---- noticing ---- */

static void note_event(struct file_owner *o, u32 events)
{
	unsigned long flags = spin_lock_irqsave(&owner_lock);

	o->events |= events;
	if (list_empty(&o->pending_link))
		list_add_tail(&o->pending_link, &pending);
	spin_unlock_irqrestore(&owner_lock, flags);
	defer(&sending);
}

void file_signal_owner(struct file *f)
{
	if (f->owner)
		note_event(f->owner, POLLMSG);
}

static bool async_wake(struct waiter *w, u64 key)
{
	struct async_queue *aq = container_of(w, struct async_queue, w);
	u32 events = key ? (u32)key & (aq->wanted | POLLERR | POLLHUP) : aq->wanted;

	if (events)
		note_event(aq->owner, events);
	return false;
}

static void async_queue_add(struct poll_table *pt, struct file *f, struct waitq *q)
{
	struct async_table *at = container_of(pt, struct async_table, pt);
	struct async_queue *aq = kmalloc(sizeof(*aq), GFP_KERNEL);

	(void)f;
	if (!aq) {
		at->error = -ENOMEM;
		return;
	}
	aq->owner = at->owner;
	aq->q = q;
	aq->wanted = at->wanted;
	waiter_init(&aq->w);
	aq->w.wake = async_wake;
	list_add(&aq->link, &at->owner->queues);
	waitq_add(q, &aq->w);
}

static void stop_watching(struct file_owner *o)
{
	struct async_queue *aq, *next;
	unsigned long flags;

	list_for_each_entry_safe(aq, next, &o->queues, link) {
		waitq_remove(aq->q, &aq->w);
		list_del(&aq->link);
		kfree(aq);
	}
	o->watching = false;
	flags = spin_lock_irqsave(&owner_lock);
	list_del_init(&o->pending_link);
	spin_unlock_irqrestore(&owner_lock, flags);
}

static int start_watching(struct file *f, struct file_owner *o, int fd)
{
	struct async_table at = { .pt.queue = async_queue_add,
				  .pt.wanted = POLLIN | POLLOUT | POLLPRI,
				  .owner = o };

	if (f->mode & FMODE_READ)
		at.wanted |= POLLIN | POLLPRI;
	if (f->mode & FMODE_WRITE)
		at.wanted |= POLLOUT;
	o->fd = fd;
	f->ops->poll(f, &at.pt);
	if (at.error)
		stop_watching(o);
	else
		o->watching = true;
	return at.error;
}

/* ---- owners ---- */

/* The owner record of @f, made at first use. async_mutex held. NULL without memory. */
static struct file_owner *get_owner(struct file *f)
{
	struct file_owner *o = f->owner;

	if (o)
		return o;
	o = kzalloc(sizeof(*o), GFP_KERNEL);
	if (!o)
		return NULL;
	list_init(&o->pending_link);
	list_init(&o->queues);
	WRITE_ONCE(f->owner, o);
	return o;
}

void file_owner_free(struct file *f)
{
	struct file_owner *o = f->owner;

	mutex_lock(&async_mutex);
	stop_watching(o);
	mutex_unlock(&async_mutex);
	if (o->pid)
		pid_put(o->pid);
	kfree(o);
	f->owner = NULL;
}

int file_set_async(struct file *f, int fd, bool on)
{
	struct file_owner *o;
	int r = 0;

	if (!file_can_async(f))
		return 0;
	mutex_lock(&async_mutex);
	o = on ? get_owner(f) : f->owner;
	if (on && !o)
		r = -ENOMEM;
	else if (on && !o->watching)
		r = start_watching(f, o, fd);
	else if (!on && o && o->watching)
		stop_watching(o);
	mutex_unlock(&async_mutex);
	return r;
}

/* The number's bearer, with a reference. NULL: no such task, process or group. */
static struct pid *find_owner(int type, pid_t nr)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *p = pid_find(nr);

	if (p && !(type == F_OWNER_TID	 ? p->task != NULL
		   : type == F_OWNER_PID ? p->process != NULL
					 : !list_empty(&p->group)))
		p = NULL;
	if (p)
		pid_get(p);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return p;
}

int file_set_owner(struct file *f, int type, pid_t nr)
{
	struct pid *p = NULL, *old;
	struct file_owner *o;
	unsigned long flags;

	if (nr) {
		p = find_owner(type, nr);
		if (!p)
			return -ESRCH;
	}
	mutex_lock(&async_mutex);
	o = get_owner(f);
	mutex_unlock(&async_mutex);
	if (!o) {
		if (p)
			pid_put(p);
		return -ENOMEM;
	}
	flags = spin_lock_irqsave(&owner_lock);
	old = o->pid;
	o->pid = p;
	o->type = type;
	o->uid = current->creds->uid;
	o->euid = current->creds->euid;
	spin_unlock_irqrestore(&owner_lock, flags);
	if (old)
		pid_put(old);
	return 0;
}

void file_get_owner(struct file *f, struct f_owner_ex *out)
{
	struct file_owner *o = READ_ONCE(f->owner);
	unsigned long flags;
	struct pid *p = NULL;

	*out = (struct f_owner_ex){ F_OWNER_TID, 0 };
	if (!o)
		return;
	flags = spin_lock_irqsave(&owner_lock);
	out->type = o->type;
	out->pid = o->pid ? o->pid->nr : 0;
	spin_unlock_irqrestore(&owner_lock, flags);
	/* Who has gone is nobody. */
	if (out->pid)
		p = find_owner(out->type, out->pid);
	if (p)
		pid_put(p);
	else
		out->pid = 0;
}

int file_owner_signal(struct file *f)
{
	struct file_owner *o = READ_ONCE(f->owner);

	return o ? o->sig : 0;
}

int file_set_owner_signal(struct file *f, int sig)
{
	struct file_owner *o;

	mutex_lock(&async_mutex);
	o = get_owner(f);
	mutex_unlock(&async_mutex);
	if (!o)
		return -ENOMEM;
	WRITE_ONCE(o->sig, sig);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * What travels along with a message: descriptors (SCM_RIGHTS) and credentials (SCM_CREDENTIALS, SCM_PIDFD).
 *
 * A sender's ancillary data becomes a struct unix_scm, whose parts are given to one message; a receiver's is collected
 * from the messages that one call reads. While files are in a queue they are "in flight", which gc.c keeps count of.
 *
 * Dropping files may release sockets, whose queues hold files again. unix_fds_release() keeps a list for each task that is at it, so
 * that an inner call only adds to the outer one's list; collecting, which drops files, too, goes the same way. Locking: drains_lock (innermost) for the list of those tasks.
 * Source: unix(7), "Ancillary messages".
 */
#include <fs/internal.h>
#include <kernel/files.h>
#include <net/unix/unix.h>
#include <uapi/capability.h>

/* ---- dropping files ---- */

struct drain {
	struct list link; /* drains_lock */
	struct task *task;
	struct list pending; /* of struct unix_fds; the task's own */
	bool gc;	     /* wanted: a reference on a socket was dropped */
};

static struct spinlock drains_lock = SPINLOCK_INIT(RANK_ANY);
static DEFINE_LIST(drains);

static struct drain *own_drain(void)
{
	struct drain *d, *found = NULL;

	if (list_empty(&drains))
		return NULL;
	spin_lock(&drains_lock);
	list_for_each_entry(d, &drains, link)
		if (d->task == current)
			found = d;
	spin_unlock(&drains_lock);
	return found;
}

static void put_files(struct drain *d, struct unix_fds *fds)
{
	d->gc |= fds->nunix != 0;
	for (unsigned int i = 0; i < fds->n; i++)
		file_put(fds->file[i]);
	kfree(fds);
}

/* Drop files until there is nothing left to drop, and nothing to collect. @closing: of this socket current has a reference that is no descriptor's. */
static void drain(struct unix_fds *first, bool gc, struct unix_sock *closing)
{
	struct drain d = { .task = current, .gc = gc };

	list_init(&d.pending);
	if (first)
		list_add_tail(&first->link, &d.pending);
	spin_lock(&drains_lock);
	list_add(&d.link, &drains);
	spin_unlock(&drains_lock);
	for (;;) {
		while (!list_empty(&d.pending)) {
			struct unix_fds *fds = list_first_entry(&d.pending, struct unix_fds, link);

			list_del(&fds->link);
			put_files(&d, fds);
			cond_resched();
		}
		if (!d.gc)
			break;
		d.gc = false;
		if (unix_gc_needed())
			unix_gc_collect(closing);
	}
	spin_lock(&drains_lock);
	list_del(&d.link);
	spin_unlock(&drains_lock);
}

void unix_fds_release(struct unix_fds *fds)
{
	struct drain *outer = own_drain();

	if (outer)
		list_add_tail(&fds->link, &outer->pending);
	else
		drain(fds, false, NULL);
}

void unix_gc(struct unix_sock *closing)
{
	struct drain *outer;

	if (likely(!unix_gc_needed()))
		return;
	outer = own_drain();
	if (outer)
		outer->gc = true;
	else
		drain(NULL, true, closing);
}

/* ---- sending ---- */

static int add_file(struct unix_fds *fds, int fd)
{
	struct fd f = fdget_raw(fd);

	if (!f.file)
		return -EBADF;
	fds->file[fds->n++] = f.ref ? f.file : file_get(f.file);
	return 0;
}

static int parse_rights(const struct sock_msg *m, const struct cmsghdr *c, struct unix_scm *scm)
{
	size_t n = (c->len - sizeof(*c)) / sizeof(int);
	const int *fd = cmsg_data(c);
	int r = 0;

	if (!n)
		return 0;
	if (n > SCM_MAX_FD || (scm->fds && scm->fds->n + n > SCM_MAX_FD))
		return -EINVAL;
	if (!scm->fds) {
		size_t room = min_t(size_t, m->controllen / sizeof(int), SCM_MAX_FD);

		scm->fds = kzalloc(sizeof(*scm->fds) + room * sizeof(struct file *), GFP_KERNEL);
		if (!scm->fds)
			return -ENOMEM;
	}
	for (size_t i = 0; i < n && !r; i++)
		r = add_file(scm->fds, fd[i]);
	return r;
}

/* A number that is in use, as a reference. NULL: it is not. */
static struct pid *find_pid(pid_t nr)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *p = pid_find(nr);

	if (p)
		pid_get(p);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return p;
}

/* Who has no rights can only say the truth. */
static int check_creds(const struct ucred *u)
{
	const struct creds *c = current_creds();

	if (u->uid == ~0u || u->gid == ~0u)
		return -EINVAL;
	if (u->pid != task_pid(current) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (u->uid != c->uid && u->uid != c->euid && u->uid != c->suid && !capable(CAP_SETUID))
		return -EPERM;
	if (u->gid != c->gid && u->gid != c->egid && u->gid != c->sgid && !capable(CAP_SETGID))
		return -EPERM;
	return 0;
}

static int parse_creds(const struct cmsghdr *c, struct unix_scm *scm)
{
	struct ucred u;
	struct pid *pid;
	int r;

	if (c->len != CMSG_LEN(sizeof(u)))
		return -EINVAL;
	memcpy(&u, cmsg_data(c), sizeof(u));
	r = check_creds(&u);
	if (r)
		return r;
	pid = find_pid(u.pid);
	if (!pid)
		return -ESRCH;
	if (scm->pid)
		pid_put(scm->pid);
	scm->pid = pid;
	scm->uid = u.uid;
	scm->gid = u.gid;
	return 0;
}

int unix_scm_parse(const struct sock_msg *m, struct unix_scm *scm)
{
	int r = 0;

	for (const struct cmsghdr *c = cmsg_first(m); c && !r; c = cmsg_next(m, c)) {
		if (!cmsg_ok(m, c))
			r = -EINVAL;
		else if (c->level != SOL_SOCKET)
			continue;
		else if (c->type == SCM_RIGHTS)
			r = parse_rights(m, c, scm);
		else if (c->type == SCM_CREDENTIALS)
			r = parse_creds(c, scm);
		else
			r = -EINVAL;
	}
	if (r)
		unix_scm_drop(scm);
	return r;
}

void unix_scm_drop(struct unix_scm *scm)
{
	if (scm->pid)
		pid_put(scm->pid);
	if (scm->fds)
		unix_fds_release(scm->fds);
	scm->pid = NULL;
	scm->fds = NULL;
}

int unix_scm_attach(struct unix_sock *u, struct unix_sock *peer, struct unix_msg *msg,
		    struct unix_scm *scm)
{
	const u32 wanted = SOCK_F_PASSCRED | SOCK_F_PASSPIDFD;

	if (scm->pid) {
		pid_get(scm->pid);
		msg->pid = scm->pid;
		msg->uid = scm->uid;
		msg->gid = scm->gid;
	} else if ((READ_ONCE(u->s.flags) & wanted) ||
		   (peer && ((READ_ONCE(peer->s.flags) & wanted) || !READ_ONCE(peer->s.file)))) {
		msg->pid = current->process->pid;
		pid_get(msg->pid);
		msg->uid = current_creds()->uid;
		msg->gid = current_creds()->gid;
	}
	if (scm->fds) {
		int r = unix_fds_fly(scm->fds);

		if (r)
			return r;
		msg->fds = scm->fds;
		scm->fds = NULL;
	}
	return 0;
}

/* ---- receiving ---- */

bool unix_scm_same(const struct unix_msg *msg, const struct unix_scm *scm)
{
	if (msg->pid != scm->pid)
		return false;
	return !msg->pid || (msg->uid == scm->uid && msg->gid == scm->gid);
}

int unix_scm_take(struct unix_msg *msg, struct unix_scm *scm, bool peek)
{
	if (msg->pid && !scm->pid) {
		pid_get(msg->pid);
		scm->pid = msg->pid;
		scm->uid = msg->uid;
		scm->gid = msg->gid;
	}
	if (!msg->fds)
		return 0;
	if (peek) {
		scm->fds = unix_fds_dup(msg->fds);
		return scm->fds ? 0 : -ENOMEM;
	}
	unix_fds_land(msg->fds);
	scm->fds = msg->fds;
	msg->fds = NULL;
	return 0;
}

/* SCM_PIDFD: a descriptor for the sender's process, or the errno why there is none. */
static void deliver_pidfd(struct sock_msg *m, struct pid *pid)
{
	struct process *p;
	struct file *f = NULL;
	unsigned long flags;
	u32 cut = m->out_flags;
	int fd = -ESRCH;

	if (!pid)
		return;
	if (m->controllen <= sizeof(struct cmsghdr)) {
		m->out_flags |= MSG_CTRUNC;
		return;
	}
	flags = spin_lock_irqsave(&tasklist_lock);
	p = pid->process;
	if (p)
		refcount_inc(&p->refs);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (p) {
		fd = pidfd_reserve(p, NULL, 0, &f);
		process_put(p);
	}
	m->out_flags &= ~MSG_CTRUNC;
	if (cmsg_put(m, SOL_SOCKET, SCM_PIDFD, &fd, sizeof(fd)) || (m->out_flags & MSG_CTRUNC)) {
		if (fd >= 0)
			pidfd_cancel(fd, f);
	} else if (fd >= 0) {
		pidfd_install(fd, f);
	}
	m->out_flags |= cut;
}

void unix_scm_deliver(struct socket *s, struct sock_msg *m, struct unix_scm *scm)
{
	u32 flags = READ_ONCE(s->flags);

	if (likely(!(flags & (SOCK_F_PASSCRED | SOCK_F_PASSPIDFD)) && !scm->fds && !scm->pid))
		return;
	if (!m->ucontrol) {
		if ((flags & (SOCK_F_PASSCRED | SOCK_F_PASSPIDFD)) || scm->fds)
			m->out_flags |= MSG_CTRUNC;
		unix_scm_drop(scm);
		return;
	}
	if (flags & SOCK_F_PASSCRED) {
		struct ucred u = { 0, 65534, 65534 };

		if (scm->pid)
			u = (struct ucred){ scm->pid->nr, scm->uid, scm->gid };
		(void)cmsg_put(m, SOL_SOCKET, SCM_CREDENTIALS, &u, sizeof(u));
	}
	if (scm->fds)
		cmsg_put_files(m, scm->fds->file, scm->fds->n);
	if (flags & SOCK_F_PASSPIDFD)
		deliver_pidfd(m, scm->pid);
	unix_scm_drop(scm);
}

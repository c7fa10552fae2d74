/* SPDX-License-Identifier: MIT */
/*
 * fanotify: marks on inodes, mounts and file systems, and what is queued for the groups that set them.
 *
 * A happening is told to each group that has a mark on what it concerns: the object, its directory, its mount, its file system. Groups are told
 * in the order of their class, so that those that may say no before content is there are asked first; who asks sleeps until
 * the answer comes, the group's descriptor is closed, or it is killed.
 * Locking: fanotify_mutex for everything. mark_lock (spin) in addition for mark->head and the lists of objects, because an object that goes takes
 * its marks off without the mutex: it may go while memory is being made free. Source: fanotify(7), fanotify_mark(2).
 */
#include <fs/fanotify.h>
#include <fs/internal.h>
#include <uapi/poll.h>

#define MERGE_DEPTH 128 /* how far back one looks for the same event */

u32 fanotify_max_queued = 16384, fanotify_max_groups = 128, fanotify_max_marks = 65536;

struct mutex fanotify_mutex = MUTEX_INIT(fanotify_mutex);
static struct spinlock mark_lock = SPINLOCK_INIT(RANK_DENTRY);
static struct list groups = LIST_HEAD_INIT(groups);
/* Of all who wait for an answer: the event is theirs, the group may be gone. */
static struct waitq askers = WAITQ_INIT(askers);

/* ---- groups ---- */

int fan_group_add(struct fan_group *g)
{
	static u32 age;
	struct fan_group *other;
	unsigned int n = 0;

	mutex_lock(&fanotify_mutex);
	list_for_each_entry(other, &groups, link)
		n += other->user == g->user;
	if (n < fanotify_max_groups)
		list_add(&g->link, &groups);
	/* The classes' bits grow with their rank. */
	g->order = (u64)(FAN_CLASS_BITS - (g->flags & FAN_CLASS_BITS)) << 32 | ++age;
	mutex_unlock(&fanotify_mutex);
	return n < fanotify_max_groups ? 0 : -EMFILE;
}

void fan_event_free(struct fan_event *e)
{
	if (e->path.mnt)
		path_put(&e->path);
	if (e->process)
		process_put(e->process);
	kfree(e);
}

void fan_answer(struct fan_event *e, u32 response)
{
	e->response = response;
	smp_store_release(&e->state, FAN_ANSWERED); /* from here on *e may be gone */
	waitq_wake_all(&askers);
}

/* ---- marks ---- */

static void detach(struct fan_mark *m)
{
	spin_lock(&mark_lock);
	if (m->head) {
		struct fan_mark **p = m->head;

		while (*p != m)
			p = &(*p)->next;
		*p = m->next;
		m->head = NULL;
	}
	spin_unlock(&mark_lock);
}

/* Return: the inode whose reference is the caller's now, to put when the mutex is free; or NULL. */
static struct inode *drop_mark(struct fan_mark *m)
{
	struct inode *inode = NULL;

	if (m->type == FAN_OBJECT_INODE && !(m->flags & FAN_MARK_EVICTABLE))
		inode = m->object;
	detach(m);
	list_del(&m->link);
	m->group->nmarks--;
	fsnotify_watches(-1);
	kfree(m);
	return inode;
}

/* Drop all marks of @g of a type (-1: of all), one after the other, so that no inode goes under the mutex. */
static void drop_marks(struct fan_group *g, int type)
{
	struct inode *inode;
	struct fan_mark *m;
	bool found;

	do {
		found = false;
		inode = NULL;
		mutex_lock(&fanotify_mutex);
		list_for_each_entry(m, &g->marks, link)
			if (type < 0 || m->type == type) {
				inode = drop_mark(m);
				found = true;
				break;
			}
		mutex_unlock(&fanotify_mutex);
		if (inode)
			inode_put(inode);
	} while (found);
}

void fanotify_object_gone(struct fan_mark **head)
{
	spin_lock(&mark_lock);
	for (struct fan_mark *m = *head; m; m = m->next)
		m->head = NULL;
	*head = NULL;
	spin_unlock(&mark_lock);
}

/* Marks whose object went without the mutex. Their references went with it. */
static void sweep(struct fan_group *g)
{
	struct fan_mark *m, *next;

	list_for_each_entry_safe(m, next, &g->marks, link)
		if (!READ_ONCE(m->head))
			drop_mark(m);
}

void fanotify_drop_inode(struct inode *inode)
{
	struct inode *ref;

	while (READ_ONCE(inode->marks)) {
		ref = NULL;
		mutex_lock(&fanotify_mutex);
		if (inode->marks)
			ref = drop_mark(inode->marks);
		mutex_unlock(&fanotify_mutex);
		if (ref)
			inode_put(ref);
	}
}

/* A mark that keeps an inode of @sb, dropped; NULL: there is none. */
static struct inode *drop_one_of(struct super *sb)
{
	struct inode *inode = NULL;
	struct fan_group *g;
	struct fan_mark *m;

	mutex_lock(&fanotify_mutex);
	list_for_each_entry(g, &groups, link) {
		list_for_each_entry(m, &g->marks, link)
			if (m->head && m->type == FAN_OBJECT_INODE &&
			    !(m->flags & FAN_MARK_EVICTABLE) &&
			    ((struct inode *)m->object)->sb == sb)
				break;
		if (&m->link == &g->marks)
			continue;
		inode = drop_mark(m);
		break;
	}
	mutex_unlock(&fanotify_mutex);
	return inode;
}

void fanotify_super_gone(struct super *sb)
{
	struct inode *inode;

	fanotify_object_gone(&sb->marks);
	while ((inode = drop_one_of(sb)) != NULL)
		inode_put(inode);
}

void fan_group_gone(struct fan_group *g)
{
	struct fan_event *e, *next;

	drop_marks(g, -1);
	mutex_lock(&fanotify_mutex);
	list_del(&g->link);
	list_for_each_entry_safe(e, next, &g->asked, link) {
		list_del(&e->link);
		if (e->state == FAN_CANCELLED)
			fan_event_free(e);
		else
			fan_answer(e, FAN_ALLOW);
	}
	list_for_each_entry_safe(e, next, &g->events, link) {
		if (!fan_is_question(e))
			continue;
		list_del(&e->link);
		fan_answer(e, FAN_ALLOW);
	}
	mutex_unlock(&fanotify_mutex);
	list_for_each_entry_safe(e, next, &g->events, link)
		fan_event_free(e);
	kfree(g);
}

static struct fan_mark *find_mark(struct fan_mark *list, const struct fan_group *g)
{
	while (list && list->group != g)
		list = list->next;
	return list;
}

static struct fan_mark **object_of(const struct path *p, u32 flags, void **object, u8 *type)
{
	struct inode *inode = d_inode(p->dentry);

	if (flags & FAN_MARK_MOUNT) {
		*type = FAN_OBJECT_MOUNT;
		*object = p->mnt;
		return &p->mnt->marks;
	}
	if (flags & FAN_MARK_FILESYSTEM) {
		*type = FAN_OBJECT_SUPER;
		*object = p->dentry->sb;
		return &p->dentry->sb->marks;
	}
	*type = FAN_OBJECT_INODE;
	*object = inode;
	return &inode->marks;
}

static unsigned int marks_of_user(uid_t user)
{
	struct fan_group *g;
	unsigned int n = 0;

	list_for_each_entry(g, &groups, link)
		if (g->user == user && !(g->flags & FAN_UNLIMITED_MARKS))
			n += g->nmarks;
	return n;
}

static struct fan_mark *new_mark(struct fan_group *g, const struct path *p, u32 flags)
{
	struct fan_mark *m;

	sweep(g);
	if (!(g->flags & FAN_UNLIMITED_MARKS) && marks_of_user(g->user) >= fanotify_max_marks)
		return ERR_PTR(-ENOSPC);
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	if (file_fid(p->dentry, &m->fid)) {
		kfree(m);
		return ERR_PTR(-ENOMEM);
	}
	m->group = g;
	m->flags = flags & FAN_MARK_EVICTABLE;
	spin_lock(&mark_lock);
	m->head = object_of(p, flags, &m->object, &m->type);
	m->next = *m->head;
	WRITE_ONCE(*m->head, m);
	spin_unlock(&mark_lock);
	if (m->type == FAN_OBJECT_INODE && !m->flags)
		inode_get(m->object);
	list_add(&m->link, &g->marks);
	g->nmarks++;
	fsnotify_watches(1);
	return m;
}

/* What was promised of a mark cannot be taken back. */
static int check_update(const struct fan_mark *m, u32 flags)
{
	if ((flags & FAN_MARK_EVICTABLE) && !(m->flags & FAN_MARK_EVICTABLE))
		return -EEXIST;
	if ((flags & FAN_MARK_IGNORED_MASK) && (m->flags & FAN_MARK_IGNORE))
		return -EEXIST;
	if ((flags & FAN_MARK_IGNORE) && !(flags & FAN_MARK_IGNORED_SURV_MODIFY) &&
	    (m->flags & FAN_MARK_IGNORED_SURV_MODIFY))
		return -EEXIST;
	return 0;
}

static void update_mark(struct fan_mark *m, u32 mask, u32 flags)
{
	if (flags & FAN_MARK_IGNORE_BITS) {
		m->flags |= flags & (FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY);
		m->ignore |= mask;
	} else {
		m->mask |= mask;
	}
	if (m->type == FAN_OBJECT_INODE && !(flags & FAN_MARK_EVICTABLE) &&
	    (m->flags & FAN_MARK_EVICTABLE)) {
		m->flags &= ~FAN_MARK_EVICTABLE;
		inode_get(m->object); /* the caller has one */
	}
}

int fanotify_add(struct fan_group *g, const struct path *p, u32 mask, u32 flags)
{
	struct inode *inode = d_inode(p->dentry);
	struct fan_mark *m;
	void *object;
	u8 type;
	int r;

	/* To ignore until it changes is in vain while someone has it open to change it. */
	if (!(flags & FAN_MARK_TYPE_BITS) && (flags & FAN_MARK_IGNORE_BITS) &&
	    !(flags & FAN_MARK_IGNORED_SURV_MODIFY) && READ_ONCE(inode->write_denied) > 0)
		return 0;
	mutex_lock(&fanotify_mutex);
	m = find_mark(*object_of(p, flags, &object, &type), g);
	r = m ? check_update(m, flags) : 0;
	if (!m) {
		m = new_mark(g, p, flags);
		r = IS_ERR(m) ? (int)PTR_ERR(m) : 0;
	}
	if (!r)
		update_mark(m, mask, flags);
	mutex_unlock(&fanotify_mutex);
	return r;
}

int fanotify_remove(struct fan_group *g, const struct path *p, u32 mask, u32 flags, u32 umask)
{
	struct inode *inode = NULL;
	struct fan_mark *m;
	void *object;
	u8 type;

	mutex_lock(&fanotify_mutex);
	m = find_mark(*object_of(p, flags, &object, &type), g);
	if (m && (flags & FAN_MARK_IGNORE_BITS))
		m->ignore &= ~mask;
	else if (m)
		m->mask &= ~mask;
	if (m && !((m->mask | m->ignore) & ~umask))
		inode = drop_mark(m);
	mutex_unlock(&fanotify_mutex);
	if (inode)
		inode_put(inode);
	return m ? 0 : -ENOENT;
}

void fanotify_flush(struct fan_group *g, u32 flags)
{
	drop_marks(g, flags & FAN_MARK_MOUNT	    ? FAN_OBJECT_MOUNT
		      : flags & FAN_MARK_FILESYSTEM ? FAN_OBJECT_SUPER
						    : FAN_OBJECT_INODE);
}

/* Where a mark is. The object cannot go while mark_lock is held. */
static bool show_object(const struct fan_mark *m, struct printbuf *pb)
{
	const struct inode *inode = m->object;

	if (!m->head)
		return false;
	if (m->type == FAN_OBJECT_INODE)
		printbuf_printf(pb, "fanotify ino:%llx sdev:%x ", inode->ino,
				fsnotify_dev(inode->sb));
	else if (m->type == FAN_OBJECT_MOUNT)
		printbuf_printf(pb, "fanotify mnt_id:%x ", ((struct mount *)m->object)->id);
	else
		printbuf_printf(pb, "fanotify sdev:%x ", fsnotify_dev(m->object));
	return true;
}

void fanotify_show_marks(struct fan_group *g, struct printbuf *pb)
{
	struct fan_mark *m;

	mutex_lock(&fanotify_mutex);
	list_for_each_entry(m, &g->marks, link) {
		bool shown;

		spin_lock(&mark_lock);
		shown = show_object(m, pb);
		spin_unlock(&mark_lock);
		if (!shown)
			continue;
		printbuf_printf(pb, "mflags:%x mask:%x ignored_mask:%x", m->flags, m->mask,
				m->ignore);
		if (m->type == FAN_OBJECT_INODE)
			fsnotify_show_fid(pb, &m->fid);
		printbuf_putc(pb, '\n');
	}
	mutex_unlock(&fanotify_mutex);
}

/* ---- who is told ---- */

/* As what a mark's object takes part: a directory may be the one a thing is in, or the one a name came from or went to. */
enum { AS_OBJECT, AS_NEW_DIR, AS_PARENT, AS_MOUNT, AS_SUPER, AS_COUNT };

/* The lists of marks that a happening concerns. */
static void concerned(const struct fan_happening *h, struct fan_mark **list[AS_COUNT])
{
	bool dirent = h->mask & FAN_DIRENT_EVENTS;

	list[AS_OBJECT] = &d_inode(dirent ? h->dir : h->d)->marks;
	list[AS_NEW_DIR] = h->new_dir ? &d_inode(h->new_dir)->marks : NULL;
	list[AS_PARENT] = h->dir && !dirent ? &d_inode(h->dir)->marks : NULL;
	list[AS_MOUNT] = h->path && h->path->mnt ? &h->path->mnt->marks : NULL;
	list[AS_SUPER] = &h->d->sb->marks;
}

bool fanotify_wanted(const struct dentry *d, const struct path *path)
{
	return READ_ONCE(d_inode(d)->marks) || READ_ONCE(d->sb->marks) ||
	       (path && path->mnt && READ_ONCE(path->mnt->marks));
}

static bool applies(u32 mask, u32 event, int as)
{
	if ((event & FAN_ONDIR) && !(mask & FAN_ONDIR))
		return false;
	return as != AS_PARENT || (mask & FAN_EVENT_ON_CHILD);
}

/* Without FAN_MARK_IGNORE what is ignored goes for directories too, and for children if the mark itself does. */
static u32 ignored_by(const struct fan_mark *m, u32 event, int as)
{
	u32 flags =
		m->flags & FAN_MARK_IGNORE ? m->ignore : FAN_ONDIR | (m->mask & FAN_EVENT_ON_CHILD);

	return applies(flags, event, as) ? m->ignore & ~FAN_EVENT_FLAGS : 0;
}

/* What of a happening @g wants to hear; *matched: as what its marks took part. */
static u32 wanted_by(const struct fan_group *g, const struct fan_happening *h,
		     struct fan_mark **list[AS_COUNT], u32 *matched)
{
	u32 marks = 0, ignored = 0, got;

	*matched = 0;
	for (int as = 0; as < AS_COUNT; as++) {
		struct fan_mark *m = list[as] ? find_mark(*list[as], g) : NULL;

		if (!m)
			continue;
		ignored |= ignored_by(m, h->mask, as);
		if (!applies(m->mask, h->mask, as))
			continue;
		marks |= m->mask;
		*matched |= 1u << as;
	}
	got = h->mask & marks & ~ignored;
	if (g->flags & FAN_FID_BITS) {
		/* Without fids of objects there must be a directory to tell. */
		if (!(g->flags & FAN_REPORT_FID) && !h->dir && !(h->mask & FAN_ONDIR))
			return 0;
		return got & ~FAN_EVENT_FLAGS ? got : 0;
	}
	if (!h->path || !(S_ISREG(d_inode(h->d)->mode) || S_ISDIR(d_inode(h->d)->mode)))
		return 0;
	return got & ~FAN_EVENT_FLAGS;
}

/* What is ignored until it changes has changed. */
static void end_ignoring(struct fan_mark **list[AS_COUNT])
{
	for (int as = 0; as < AS_COUNT; as++)
		for (struct fan_mark *m = list[as] ? *list[as] : NULL; m; m = m->next)
			if (!(m->flags & FAN_MARK_IGNORED_SURV_MODIFY) &&
			    (as != AS_PARENT || ((m->mask | m->ignore) & FAN_EVENT_ON_CHILD)))
				m->ignore = 0;
}

/* The group with a mark on any of these that comes next after @order; NULL: that was the last. */
static struct fan_group *next_group(struct fan_mark **list[AS_COUNT], u64 order)
{
	struct fan_group *next = NULL;

	for (int as = 0; as < AS_COUNT; as++)
		for (struct fan_mark *m = list[as] ? *list[as] : NULL; m; m = m->next)
			if (m->group->order > order && (!next || m->group->order < next->order))
				next = m->group;
	return next;
}

/* ---- events ---- */

static int set_fid(struct fan_event *e, int which, struct dentry *d)
{
	int r = file_fid(d, &e->fid[which]);

	e->fids |= 1u << which;
	return r;
}

static void set_names(struct fan_event *e, const char *name, size_t len, const char *new_name,
		      size_t new_len)
{
	e->name_len = (u16)len;
	e->new_len = (u16)new_len;
	memcpy(e->names, name, len);
	memcpy(e->names + len, new_name, new_len);
}

static struct fan_event *event_alloc(const struct fan_group *g, u32 mask, size_t names)
{
	struct fan_event *e = kzalloc(sizeof(*e) + names, GFP_KERNEL);
	struct process *p = current->process;

	if (!e)
		return NULL;
	list_init(&e->link);
	e->mask = mask;
	e->pid = g->flags & FAN_REPORT_TID ? task_tid(current) : p->pid->nr;
	if (g->flags & FAN_REPORT_PIDFD) {
		refcount_inc(&p->refs);
		e->process = p;
	}
	return e;
}

/* Which ids and names the group asked for. The rules: fanotify_init(2), of the FAN_REPORT_ flags. */
static struct fan_event *fid_event(const struct fan_group *g, const struct fan_happening *h,
				   u32 mask, u32 matched)
{
	bool dirent = mask & FAN_DIRENT_EVENTS, ondir = mask & FAN_ONDIR;
	struct dentry *object = dirent && !(g->flags & FAN_REPORT_TARGET_FID) ? h->dir : h->d;
	struct dentry *dir = dirent || !S_ISDIR(d_inode(h->d)->mode) ? h->dir : h->d;
	struct dentry *old_dir = dir, *child = NULL, *new_dir = NULL;
	const char *name = NULL;
	struct fan_event *e;
	size_t len, new_len;
	int r = 0;

	if (!(g->flags & FAN_REPORT_DIR_FID) || !dir) {
		dir = NULL;
	} else {
		if ((dirent ? g->flags & FAN_REPORT_TARGET_FID
			    : (g->flags & FAN_REPORT_FID) && !ondir) &&
		    object != dir)
			child = object;
		object = dir;
		if ((g->flags & FAN_REPORT_NAME) && (dirent || !ondir))
			name = h->name;
	}
	if (dir && (mask & FAN_RENAME)) {
		if (matched & (1u << AS_SUPER | 1u << AS_NEW_DIR))
			new_dir = h->new_dir;
		if (!(matched & (1u << AS_SUPER | 1u << AS_OBJECT)))
			old_dir = NULL;
	}
	len = name && old_dir ? strlen(name) : 0;
	new_len = new_dir ? strlen(h->new_name) : 0;
	e = event_alloc(g, mask, len + new_len);
	if (!e)
		return NULL;
	e->dev = h->d->sb->dev;
	if (name || child || new_dir) {
		if (old_dir)
			r = set_fid(e, FAN_FID_DIR, old_dir);
		if (!r && new_dir)
			r = set_fid(e, FAN_FID_NEW_DIR, new_dir);
		if (!r && child)
			r = set_fid(e, FAN_FID_OBJECT, child);
		set_names(e, name, len, h->new_name, new_len);
	} else {
		r = set_fid(e, FAN_FID_OBJECT, object);
	}
	if (r) {
		fan_event_free(e);
		return NULL;
	}
	return e;
}

static struct fan_event *path_event(const struct fan_group *g, const struct fan_happening *h,
				    u32 mask)
{
	struct fan_event *e = event_alloc(g, mask, 0);

	if (e) {
		e->path = *h->path;
		path_get(h->path);
	}
	return e;
}

static bool same_event(const struct fan_event *a, const struct fan_event *b)
{
	u32 kept = FAN_ONDIR | FAN_RENAME;

	if (fan_is_question(a) || (a->mask & FAN_Q_OVERFLOW) || a->pid != b->pid ||
	    ((a->mask ^ b->mask) & kept))
		return false;
	return a->path.mnt == b->path.mnt && a->path.dentry == b->path.dentry && a->dev == b->dev &&
	       a->fids == b->fids && !memcmp(a->fid, b->fid, sizeof(a->fid)) &&
	       a->name_len == b->name_len && a->new_len == b->new_len &&
	       !memcmp(a->names, b->names, (size_t)a->name_len + a->new_len);
}

static bool merge(struct fan_group *g, const struct fan_event *e)
{
	struct fan_event *old;
	int n = 0;

	for (struct list *l = g->events.prev; l != &g->events && n < MERGE_DEPTH;
	     l = l->prev, n++) {
		old = list_entry(l, struct fan_event, link);
		if (same_event(old, e)) {
			old->mask |= e->mask;
			return true;
		}
	}
	return false;
}

static void queue_overflow(struct fan_group *g)
{
	struct fan_event *e = g->overflowed ? NULL : kzalloc(sizeof(*e), GFP_KERNEL);

	if (!e)
		return;
	e->mask = FAN_Q_OVERFLOW;
	g->overflowed = true;
	list_add_tail(&e->link, &g->events);
	g->nevents++;
	waitq_wake_poll(&g->wait, POLLIN | POLLRDNORM);
}

/* Queue @e, which the queue then owns. False: it is still the caller's, because it was there already, or there is no room. */
static bool queue_event(struct fan_group *g, struct fan_event *e)
{
	if (g->nevents >= g->max_events) {
		queue_overflow(g);
		return false;
	}
	if (!fan_is_question(e) && merge(g, e))
		return false;
	list_add_tail(&e->link, &g->events);
	g->nevents++;
	waitq_wake_poll(&g->wait, POLLIN | POLLRDNORM);
	return true;
}

/* ---- telling and asking ---- */

void fanotify_tell(const struct fan_happening *h)
{
	struct fan_mark **list[AS_COUNT];
	struct fan_event *unused = NULL;
	u32 mask, matched;

	concerned(h, list);
	mutex_lock(&fanotify_mutex);
	if (h->mask & FAN_MODIFY)
		end_ignoring(list);
	for (struct fan_group *g = next_group(list, 0); g; g = next_group(list, g->order)) {
		struct fan_event *e;

		mask = wanted_by(g, h, list, &matched);
		if (!mask)
			continue;
		e = g->flags & FAN_FID_BITS ? fid_event(g, h, mask, matched)
					    : path_event(g, h, mask);
		if (!e) {
			queue_overflow(g);
		} else if (!queue_event(g, e)) {
			/* References are put when the mutex is free. */
			e->link.next = unused ? &unused->link : NULL;
			unused = e;
		}
	}
	mutex_unlock(&fanotify_mutex);
	while (unused) {
		struct fan_event *e = unused;

		unused = e->link.next ? list_entry(e->link.next, struct fan_event, link) : NULL;
		fan_event_free(e);
	}
}

/* Killed while waiting. True: the event is the caller's to free; else it goes with the answer. */
static bool cancel(struct fan_event *e, struct fan_group *g)
{
	bool mine = true;

	mutex_lock(&fanotify_mutex);
	if (e->state == FAN_ASKED) {
		e->state = FAN_CANCELLED;
		mine = false;
	} else if (e->state == FAN_QUEUED) {
		list_del(&e->link);
		g->nevents--; /* an event that is queued has a group */
	}
	mutex_unlock(&fanotify_mutex);
	return mine;
}

/* Queue the question for the next group after *order. NULL: there is none; ERR_PTR(-ENOMEM). */
static struct fan_event *ask_next(const struct fan_happening *h, u64 *order, struct fan_group **g)
{
	struct fan_mark **list[AS_COUNT];
	struct fan_event *e = NULL;
	u32 mask, matched;

	concerned(h, list);
	mutex_lock(&fanotify_mutex);
	while (!e && (*g = next_group(list, *order)) != NULL) {
		*order = (*g)->order;
		mask = wanted_by(*g, h, list, &matched);
		if (!mask)
			continue;
		e = path_event(*g, h, mask);
		if (!e)
			e = ERR_PTR(-ENOMEM);
		else if (!queue_event(*g, e)) {
			e->link.next = NULL; /* no room to ask: allowed, and the loss is told */
			e->state = FAN_ANSWERED;
			e->response = FAN_ALLOW;
		}
	}
	mutex_unlock(&fanotify_mutex);
	return e;
}

int fanotify_ask(const struct fan_happening *h)
{
	struct fan_group *g;
	struct fan_event *e;
	u64 order = 0;
	int r = 0;

	while (!r && (e = ask_next(h, &order, &g)) != NULL) {
		if (IS_ERR(e))
			return (int)PTR_ERR(e);
		r = wait_event_killable(&askers, smp_load_acquire(&e->state) == FAN_ANSWERED);
		if (r && !cancel(e, g))
			return r;
		if (!r && !(e->response & FAN_ALLOW))
			r = -EPERM;
		fan_event_free(e);
	}
	return r;
}

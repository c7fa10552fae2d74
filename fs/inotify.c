/* SPDX-License-Identifier: MIT */
/*
 * inotify: events of files and directories, queued for reading.
 *
 * A watch joins an instance and an inode. What happens to a name is told to the watchers of its directory (with the name)
 * and of the object itself: see fsnotify.h.
 * Locking: inotify_mutex for all watches and queues. Source: inotify(7).
 */
#include <fs/events.h>
#include <fs/internal.h>
#include <uapi/poll.h>

u32 inotify_max_queued = 16384, inotify_max_instances = 128, inotify_max_watches = 65536;

struct event {
	struct list link;
	s32 wd;
	u32 mask, cookie;
	size_t len; /* of name, without the NUL */
	char name[];
};

struct inotify {
	struct list link; /* of all_instances */
	struct list events, watches;
	unsigned int nevents, nwatches, max_events;
	uid_t user; /* who made it, and has its watches counted */
	s32 last_wd;
	struct waitq wait;
};

struct watch {
	struct watch *inode_next; /* of the same inode */
	struct list link;	  /* of the same instance */
	struct inotify *in;
	struct inode *inode; /* a reference */
	s32 wd;
	u32 mask;	     /* events wanted, and IN_ONESHOT, IN_EXCL_UNLINK */
	struct file_fid fid; /* to be shown */
};

static struct mutex inotify_mutex;
static struct list all_instances = LIST_HEAD_INIT(all_instances); /* inotify_mutex */

void inotify_init(void)
{
	mutex_init(&inotify_mutex);
}

/* ---- queueing; inotify_mutex held ---- */

static bool same_event(const struct event *e, s32 wd, u32 mask, u32 cookie, const char *name,
		       size_t len)
{
	return e->wd == wd && e->mask == mask && e->cookie == cookie && e->len == len &&
	       !memcmp(e->name, name, len);
}

static void queue_event(struct inotify *in, s32 wd, u32 mask, u32 cookie, const char *name)
{
	size_t len = name ? strlen(name) : 0;
	struct event *e;

	if (in->nevents >= in->max_events) {
		wd = -1;
		mask = IN_Q_OVERFLOW;
		cookie = 0;
		len = 0;
	}
	e = list_last_entry_or_null(&in->events, struct event, link);
	if (e && same_event(e, wd, mask, cookie, name, len))
		return;
	e = kmalloc(sizeof(*e) + len + 1, GFP_KERNEL);
	if (!e)
		return;
	*e = (struct event){ .wd = wd, .mask = mask, .cookie = cookie, .len = len };
	memcpy(e->name, name ? name : "", len);
	e->name[len] = '\0';
	list_add_tail(&e->link, &in->events);
	in->nevents++;
	waitq_wake_poll(&in->wait, POLLIN | POLLRDNORM);
}

/* Take a watch away and say so. */
static void drop_watch(struct watch *w, bool tell)
{
	struct watch **p = (struct watch **)&w->inode->watches;

	while (*p != w)
		p = &(*p)->inode_next;
	*p = w->inode_next;
	list_del(&w->link);
	w->in->nwatches--;
	fsnotify_watches(-1);
	if (tell)
		queue_event(w->in, w->wd, IN_IGNORED, 0, NULL);
	inode_put(w->inode);
	kfree(w);
}

/* ---- what happens ---- */

void inotify_object(struct inode *inode, u32 mask, u32 cookie, const char *name)
{
	struct watch *w, *next;

	mask &= IN_ALL_EVENTS | IN_ISDIR;
	if (!READ_ONCE(inode->watches))
		return;
	mutex_lock(&inotify_mutex);
	for (w = inode->watches; w; w = next) {
		next = w->inode_next;
		if (!(w->mask & mask & IN_ALL_EVENTS))
			continue;
		queue_event(w->in, w->wd, mask, cookie, name);
		if (w->mask & IN_ONESHOT)
			drop_watch(w, true);
	}
	mutex_unlock(&inotify_mutex);
}

void inotify_drop_inode(struct inode *inode)
{
	struct watch *w, *next;

	mutex_lock(&inotify_mutex);
	for (w = inode->watches; w; w = next) {
		next = w->inode_next;
		drop_watch(w, true);
	}
	mutex_unlock(&inotify_mutex);
}

void inotify_super_gone(struct super *sb)
{
	struct watch *w, *next;
	struct inotify *in;

	mutex_lock(&inotify_mutex);
	list_for_each_entry(in, &all_instances, link)
		list_for_each_entry_safe(w, next, &in->watches, link) {
			if (w->inode->sb != sb)
				continue;
			queue_event(in, w->wd, IN_UNMOUNT | fsnotify_isdir(w->inode), 0, NULL);
			drop_watch(w, true);
		}
	mutex_unlock(&inotify_mutex);
}

/* ---- watches ---- */

static struct watch *find_watch(struct inotify *in, const struct inode *inode)
{
	struct watch *w;

	for (w = inode->watches; w && w->in != in; w = w->inode_next)
		;
	return w;
}

static unsigned int watches_of_user(uid_t user)
{
	unsigned int n = 0;
	struct inotify *in;

	list_for_each_entry(in, &all_instances, link)
		if (in->user == user)
			n += in->nwatches;
	return n;
}

static int new_watch(struct inotify *in, struct dentry *d, u32 mask)
{
	struct inode *inode = d_inode(d);
	struct watch *w;

	if (watches_of_user(in->user) >= inotify_max_watches)
		return -ENOSPC;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w || file_fid(d, &w->fid)) {
		kfree(w);
		return -ENOMEM;
	}
	w->in = in;
	w->inode = inode_get(inode);
	w->mask = mask;
	w->wd = ++in->last_wd;
	w->inode_next = inode->watches;
	inode->watches = w;
	list_add(&w->link, &in->watches);
	in->nwatches++;
	fsnotify_watches(1);
	return w->wd;
}

static const struct file_ops inotify_ops;

int inotify_add_watch(struct file *f, const struct path *p, u32 mask)
{
	struct inode *inode = d_inode(p->dentry);
	struct inotify *in = f->priv;
	struct watch *w;
	u32 keep = mask & (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK);
	int r;

	if (f->ops != &inotify_ops)
		return -EINVAL;
	mutex_lock(&inotify_mutex);
	w = find_watch(in, inode);
	if (w && (mask & IN_MASK_CREATE)) {
		r = -EEXIST;
	} else if (w) {
		w->mask = mask & IN_MASK_ADD ? w->mask | keep : keep;
		r = w->wd;
	} else {
		r = new_watch(in, p->dentry, keep);
	}
	mutex_unlock(&inotify_mutex);
	return r;
}

int inotify_rm_watch(struct file *f, int wd)
{
	struct inotify *in = f->priv;
	struct watch *w;
	int r = -EINVAL;

	if (f->ops != &inotify_ops)
		return -EINVAL;
	mutex_lock(&inotify_mutex);
	list_for_each_entry(w, &in->watches, link)
		if (w->wd == wd) {
			drop_watch(w, true);
			r = 0;
			break;
		}
	mutex_unlock(&inotify_mutex);
	return r;
}

/* ---- the file ---- */

static size_t padded_len(const struct event *e)
{
	return e->len ? ALIGN_UP(e->len + 1, sizeof(struct inotify_event)) : 0;
}

/* Take the first event if it fits. NULL: there is none; ERR_PTR(-EINVAL): it does not fit. */
static struct event *take_event(struct inotify *in, size_t room)
{
	struct event *e;

	mutex_lock(&inotify_mutex);
	e = list_first_entry_or_null(&in->events, struct event, link);
	if (e && sizeof(struct inotify_event) + padded_len(e) > room) {
		e = ERR_PTR(-EINVAL);
	} else if (e) {
		list_del(&e->link);
		in->nevents--;
	}
	mutex_unlock(&inotify_mutex);
	return e;
}

static ssize_t copy_event(struct iov_iter *to, const struct event *e)
{
	struct inotify_event out = { e->wd, e->mask, e->cookie, (u32)padded_len(e) };
	size_t named = e->len ? e->len + 1 : 0;

	if (iov_iter_to(to, &out, sizeof(out)) != sizeof(out) ||
	    iov_iter_to(to, e->name, named) != named ||
	    iov_iter_zero(to, out.len - named) != out.len - named)
		return -EFAULT;
	return (ssize_t)(sizeof(out) + out.len);
}

static ssize_t inotify_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct inotify *in = f->priv;
	ssize_t done = 0, r;

	for (;;) {
		struct event *e = take_event(in, to->count);

		if (IS_ERR(e))
			return done ? done : PTR_ERR(e);
		if (e) {
			r = copy_event(to, e);
			kfree(e);
			if (r < 0)
				return done ? done : r;
			done += r;
			continue;
		}
		if (done)
			return done;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event_interruptible(&in->wait, READ_ONCE(in->nevents) != 0);
		if (r)
			return r;
	}
}

static u32 inotify_poll(struct file *f, struct poll_table *pt)
{
	struct inotify *in = f->priv;

	poll_wait(f, &in->wait, pt);
	return READ_ONCE(in->nevents) ? POLLIN | POLLRDNORM : 0;
}

static long inotify_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct inotify *in = f->priv;
	struct event *e;
	int n = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&inotify_mutex);
	list_for_each_entry(e, &in->events, link)
		n += (int)(sizeof(struct inotify_event) + padded_len(e));
	mutex_unlock(&inotify_mutex);
	return put_user_obj(arg, &n);
}

static void inotify_release(struct file *f)
{
	struct inotify *in = f->priv;
	struct watch *w, *next_w;
	struct event *e, *next_e;

	mutex_lock(&inotify_mutex);
	list_for_each_entry_safe(w, next_w, &in->watches, link)
		drop_watch(w, false);
	list_del(&in->link);
	mutex_unlock(&inotify_mutex);
	list_for_each_entry_safe(e, next_e, &in->events, link)
		kfree(e);
	kfree(in);
}

static void inotify_show(struct file *f, struct printbuf *pb)
{
	struct inotify *in = f->priv;
	struct watch *w;

	mutex_lock(&inotify_mutex);
	list_for_each_entry(w, &in->watches, link) {
		printbuf_printf(pb, "inotify wd:%x ino:%llx sdev:%x mask:%x ignored_mask:0",
				(u32)w->wd, w->inode->ino, fsnotify_dev(w->inode->sb),
				w->mask & IN_ALL_EVENTS);
		fsnotify_show_fid(pb, &w->fid);
		printbuf_putc(pb, '\n');
	}
	mutex_unlock(&inotify_mutex);
}

static const struct file_ops inotify_ops = {
	.show_fdinfo = inotify_show,
	.llseek = noop_llseek,
	.async = true,
	.read = inotify_read,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
};

/* Count @in with its user's instances. Whether there may be one more. */
static bool add_instance(struct inotify *in)
{
	struct inotify *other;
	unsigned int n = 0;

	mutex_lock(&inotify_mutex);
	list_for_each_entry(other, &all_instances, link)
		n += other->user == in->user;
	if (n < inotify_max_instances)
		list_add(&in->link, &all_instances);
	mutex_unlock(&inotify_mutex);
	return n < inotify_max_instances;
}

static void remove_instance(struct inotify *in)
{
	mutex_lock(&inotify_mutex);
	list_del(&in->link);
	mutex_unlock(&inotify_mutex);
	kfree(in);
}

struct file *inotify_create(int flags)
{
	struct inotify *in = kzalloc(sizeof(*in), GFP_KERNEL);
	struct file *f;

	if (!in)
		return ERR_PTR(-ENOMEM);
	in->user = current->creds->uid;
	in->max_events = inotify_max_queued;
	list_init(&in->events);
	list_init(&in->watches);
	waitq_init(&in->wait);
	if (!add_instance(in)) {
		kfree(in);
		return ERR_PTR(-EMFILE);
	}
	f = anon_file_create("anon_inode:inotify", &inotify_ops, in,
			     O_RDONLY | ((unsigned int)flags & O_NONBLOCK));
	if (IS_ERR(f))
		remove_instance(in);
	return f;
}

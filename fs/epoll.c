/* SPDX-License-Identifier: MIT */
/*
 * epoll.
 *
 * An instance holds items, one a (file, descriptor), in a tree, and the list of those that may be ready. An item sits on
 * the wait queues of its file; the queue's waker puts it on the ready list and wakes a sleeper. epoll_wait asks each item on
 * the list for its events: level-triggered items go back to the end of the list, edge-triggered ones leave it.
 *
 * Locking, outer to inner: epoll_mutex (structure: add, remove, close of a file), ep->mtx (looking at items, their
 * settings), ep->lock (spin, interrupts off: the ready list; taken by wakers under the queue's lock).
 * Source: epoll(7), epoll_ctl(2), epoll_wait(2).
 */
#include <fs/events.h>
#include <fs/internal.h>
#include <lib/rbtree.h>
#include <uapi/epoll.h>
#include <uapi/poll.h>

#define PRIVATE_BITS (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
#define MAX_NESTING  5

struct epoll {
	struct mutex mtx;
	struct spinlock lock;
	struct waitq wait;	/* epoll_wait sleepers */
	struct waitq poll_wait; /* pollers of the epoll file itself */
	struct list ready;	/* lock */
	struct rb_root items;	/* epoll_mutex and mtx */
	struct file *file;	/* its own */
	unsigned int nitems;
};

struct item {
	struct rb_node node;
	struct list ready_link; /* ep->lock; list_empty: not ready */
	struct list file_link;	/* epoll_mutex: file->epoll_links */
	struct list queues;	/* struct item_queue */
	struct epoll *ep;
	struct file *file; /* no reference: file_put() removes the item */
	int fd;
	u32 events; /* mtx; wakers read it */
	u64 data;   /* mtx */
	int error;
};

struct item_queue {
	struct list link;
	struct waiter w;
	struct waitq *q;
	struct item *item;
};
struct item_table { /* poll_table that registers an item */
	struct poll_table pt;
	struct item *item;
};

static struct mutex epoll_mutex;
static struct kmem_cache *item_cache, *queue_cache;
static const struct file_ops epoll_ops;

void epoll_init(void)
{
	mutex_init(&epoll_mutex);
	item_cache = kmem_cache_create("epoll_item", sizeof(struct item), 0);
	queue_cache = kmem_cache_create("epoll_queue", sizeof(struct item_queue), 0);
}

/* ---- readiness ---- */

/* Put @it on the ready list; true if it was not there. ep->lock held. */
static bool mark_ready(struct item *it)
{
	if (!list_empty(&it->ready_link))
		return false;
	list_add_tail(&it->ready_link, &it->ep->ready);
	return true;
}

static bool item_wake(struct waiter *w, u64 key)
{
	struct item *it = container_of(w, struct item_queue, w)->item;
	struct epoll *ep = it->ep;
	u32 events = READ_ONCE(it->events);
	unsigned long flags;

	if (!(events & ~PRIVATE_BITS) || (key && !(key & events)))
		return false; /* disarmed by EPOLLONESHOT, or not what is waited for */
	flags = spin_lock_irqsave(&ep->lock);
	mark_ready(it);
	spin_unlock_irqrestore(&ep->lock, flags);
	waitq_wake_one(&ep->wait);
	waitq_wake_poll(&ep->poll_wait, POLLIN | POLLRDNORM);
	return true;
}

static void item_queue_add(struct poll_table *pt, struct file *f, struct waitq *q)
{
	struct item *it = container_of(pt, struct item_table, pt)->item;
	struct item_queue *iq = kmem_cache_alloc(queue_cache, GFP_KERNEL);

	if (!iq) {
		it->error = -ENOMEM;
		return;
	}
	iq->item = it;
	iq->q = q;
	waiter_init(&iq->w);
	iq->w.wake = item_wake;
	list_add(&iq->link, &it->queues);
	if (it->events & EPOLLEXCLUSIVE) {
		iq->w.exclusive = true;
		waitq_add_exclusive(q, &iq->w);
	} else {
		waitq_add(q, &iq->w);
	}
}

static u32 item_poll(struct item *it)
{
	return vfs_poll(it->file, NULL) & it->events;
}

/* ---- items ---- */

static int cmp_key(struct file *f, int fd, const struct item *it)
{
	if (f != it->file)
		return f < it->file ? -1 : 1;
	return fd - it->fd;
}

static struct item *find_item(struct epoll *ep, struct file *f, int fd)
{
	struct rb_node *n = ep->items.node;

	while (n) {
		struct item *it = rb_entry(n, struct item, node);
		int c = cmp_key(f, fd, it);

		if (!c)
			return it;
		n = c < 0 ? n->left : n->right;
	}
	return NULL;
}

static bool item_less(const struct rb_node *a, const struct rb_node *b)
{
	const struct item *x = rb_entry(a, struct item, node), *y = rb_entry(b, struct item, node);

	return cmp_key(x->file, x->fd, y) < 0;
}

/* epoll_mutex and mtx held. */
static void remove_item(struct item *it)
{
	struct epoll *ep = it->ep;
	struct item_queue *iq, *n;
	unsigned long flags;

	list_for_each_entry_safe(iq, n, &it->queues, link) {
		waitq_remove(iq->q, &iq->w);
		kmem_cache_free(queue_cache, iq);
	}
	list_del(&it->file_link);
	rb_erase(&ep->items, &it->node);
	flags = spin_lock_irqsave(&ep->lock);
	list_del_init(&it->ready_link);
	spin_unlock_irqrestore(&ep->lock, flags);
	ep->nitems--;
	kmem_cache_free(item_cache, it);
}

/* A file goes: so do its items, in whatever instances they are. */
void epoll_file_release(struct file *f)
{
	mutex_lock(&epoll_mutex);
	while (!list_empty(&f->epoll_links)) {
		struct item *it = list_first_entry(&f->epoll_links, struct item, file_link);
		struct epoll *ep = it->ep;

		mutex_lock(&ep->mtx);
		remove_item(it);
		mutex_unlock(&ep->mtx);
	}
	mutex_unlock(&epoll_mutex);
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->priv;
	struct rb_node *n;

	mutex_lock(&epoll_mutex);
	mutex_lock(&ep->mtx);
	while ((n = rb_first(&ep->items)) != NULL)
		remove_item(rb_entry(n, struct item, node));
	mutex_unlock(&ep->mtx);
	mutex_unlock(&epoll_mutex);
	kfree(ep);
}

static void wake_if_ready(struct item *it, u32 ready)
{
	struct epoll *ep = it->ep;
	unsigned long flags;

	if (!ready)
		return;
	flags = spin_lock_irqsave(&ep->lock);
	mark_ready(it);
	spin_unlock_irqrestore(&ep->lock, flags);
	waitq_wake_one(&ep->wait);
	waitq_wake_poll(&ep->poll_wait, POLLIN | POLLRDNORM);
}

/* Is @target reachable from @ep, and how deep is @ep's tree? The depth, or -ELOOP. epoll_mutex held. */
static int nesting(struct epoll *ep, struct epoll *target, int depth)
{
	struct item *it;
	int deepest = depth;

	if (ep == target || depth > MAX_NESTING)
		return -ELOOP;
	rb_for_each_entry(it, &ep->items, node)
		if (it->file->ops == &epoll_ops) {
			int d = nesting(it->file->priv, target, depth + 1);

			if (d < 0)
				return d;
			deepest = max(deepest, d);
		}
	return deepest;
}

/* How many instances watch @ep, one above the other. epoll_mutex held. */
static int height_above(struct epoll *ep, int depth)
{
	struct item *it;
	int highest = depth;

	if (depth > MAX_NESTING)
		return depth;
	list_for_each_entry(it, &ep->file->epoll_links, file_link)
		highest = max(highest, height_above(it->ep, depth + 1));
	return highest;
}

static long add_item(struct epoll *ep, struct file *f, int fd, const struct epoll_event *ev)
{
	struct item *it = kmem_cache_alloc(item_cache, GFP_KERNEL);
	struct item_table table = { .pt.queue = item_queue_add, .item = it };
	u32 ready;

	if (!it)
		return -ENOMEM;
	*it = (struct item){
		.ep = ep, .file = f, .fd = fd, .events = ev->events, .data = ev->data
	};
	list_init(&it->ready_link);
	list_init(&it->queues);
	list_add(&it->file_link, &f->epoll_links);
	rb_add(&ep->items, &it->node, item_less);
	ep->nitems++;
	table.pt.wanted = ev->events;
	ready = vfs_poll(f, &table.pt) & it->events;
	if (it->error) {
		remove_item(it);
		return -ENOMEM;
	}
	wake_if_ready(it, ready);
	return 0;
}

static long modify_item(struct item *it, const struct epoll_event *ev)
{
	if ((it->events | ev->events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	WRITE_ONCE(it->events, ev->events);
	it->data = ev->data;
	smp_mb(); /* wakers see the new events, or we see what they brought */
	wake_if_ready(it, item_poll(it));
	return 0;
}

static int check_event(int op, struct file *f, const struct epoll_event *ev)
{
	if (!(ev->events & EPOLLEXCLUSIVE) || op == EPOLL_CTL_DEL)
		return 0;
	if (op == EPOLL_CTL_MOD || f->ops == &epoll_ops)
		return -EINVAL;
	if (ev->events &
	    ~(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE))
		return -EINVAL;
	return 0;
}

static long control_locked(struct epoll *ep, int op, struct file *f, int fd, struct epoll_event *ev)
{
	struct item *it = find_item(ep, f, fd);

	ev->events |= EPOLLERR | EPOLLHUP;
	switch (op) {
	case EPOLL_CTL_ADD:
		return it ? -EEXIST : add_item(ep, f, fd, ev);
	case EPOLL_CTL_MOD:
		return it ? modify_item(it, ev) : -ENOENT;
	case EPOLL_CTL_DEL:
		if (!it)
			return -ENOENT;
		remove_item(it);
		return 0;
	}
	return -EINVAL;
}

long epoll_control(struct file *epf, int op, struct file *f, int fd, struct epoll_event *ev)
{
	struct epoll *ep = epf->priv;
	long r;

	if (!f->ops->poll)
		return -EPERM;
	if (epf == f || epf->ops != &epoll_ops)
		return -EINVAL;
	ev->events &= ~EPOLLWAKEUP; /* there is no suspend to hold off */
	r = check_event(op, f, ev);
	if (r)
		return r;
	mutex_lock(&epoll_mutex);
	if (op == EPOLL_CTL_ADD && f->ops == &epoll_ops) {
		int below = nesting(f->priv, ep, 1);

		if (below < 0 || below + height_above(ep, 0) >= MAX_NESTING)
			r = -ELOOP;
	}
	if (!r) {
		mutex_lock(&ep->mtx);
		r = control_locked(ep, op, f, fd, ev);
		mutex_unlock(&ep->mtx);
	}
	mutex_unlock(&epoll_mutex);
	return r;
}

/* ---- waiting ---- */

static struct item *pop_ready(struct epoll *ep)
{
	unsigned long flags = spin_lock_irqsave(&ep->lock);
	struct item *it = list_first_entry_or_null(&ep->ready, struct item, ready_link);

	if (it)
		list_del_init(&it->ready_link);
	spin_unlock_irqrestore(&ep->lock, flags);
	return it;
}

static void push_ready(struct epoll *ep, struct item *it)
{
	unsigned long flags = spin_lock_irqsave(&ep->lock);

	mark_ready(it);
	spin_unlock_irqrestore(&ep->lock, flags);
}

static unsigned int count_ready(struct epoll *ep)
{
	unsigned long flags = spin_lock_irqsave(&ep->lock);
	unsigned int n = (unsigned int)list_count(&ep->ready);

	spin_unlock_irqrestore(&ep->lock, flags);
	return n;
}

/* Begin to look at those that are ready now: the first of them, out of the list; @last: where to end. NULL: none. */
static struct item *first_ready(struct epoll *ep, struct item **last)
{
	unsigned long flags = spin_lock_irqsave(&ep->lock);
	struct item *it = list_first_entry_or_null(&ep->ready, struct item, ready_link);

	if (it) {
		*last = list_last_entry(&ep->ready, struct item, ready_link);
		list_del_init(&it->ready_link);
	}
	spin_unlock_irqrestore(&ep->lock, flags);
	return it;
}

/* @it has been looked at and @again is to be at the next wait. The one behind it; NULL: it was the @last. */
static struct item *next_ready(struct epoll *ep, struct item *it, bool again,
			       const struct item *last)
{
	unsigned long flags = spin_lock_irqsave(&ep->lock);
	struct item *next = NULL;

	if (again)
		mark_ready(it);
	if (it != last) {
		next = list_first_entry(&ep->ready, struct item, ready_link);
		list_del_init(&next->ready_link);
	}
	spin_unlock_irqrestore(&ep->lock, flags);
	return next;
}

/* Two words; a machine may refuse them where they are not aligned. */
static int put_event(uaddr_t to, u32 events, u64 data)
{
	struct epoll_event ev;

	if (likely(!hal_put_user32(to + offsetof(struct epoll_event, events), events) &&
		   !hal_put_user64(to + offsetof(struct epoll_event, data), data)))
		return 0;
	ev = (struct epoll_event){ .events = events, .data = data };
	return put_user_obj(to, &ev);
}

/* Each item on the list once, at most @max events. Only wakers change the list meanwhile, at its end: mtx is held. */
static long send_events(struct epoll *ep, uaddr_t uevents, int max)
{
	struct item *it, *last = NULL;
	long done = 0, r = 0;

	mutex_lock(&ep->mtx);
	it = first_ready(ep, &last);
	while (it) {
		uaddr_t to = uevents + (size_t)done * sizeof(struct epoll_event);
		u32 events = item_poll(it);
		bool again = false;

		if (events && put_event(to, events, it->data)) {
			next_ready(ep, it, true, it);
			r = -EFAULT;
			break;
		}
		if (events) {
			done++;
			again = !(it->events & (EPOLLONESHOT | EPOLLET));
			if (it->events & EPOLLONESHOT)
				it->events &= PRIVATE_BITS;
		}
		it = next_ready(ep, it, again, done < max ? last : it);
	}
	mutex_unlock(&ep->mtx);
	if (done &&
	    !list_empty(&ep->ready)) /* more than fitted: another sleeper may take the rest */
		waitq_wake_one(&ep->wait);
	return done ? done : r;
}

static bool maybe_ready(void *arg)
{
	struct epoll *ep = arg;

	return !list_empty(&ep->ready);
}

long epoll_wait_events(struct file *f, uaddr_t events, int max, u64 deadline_ns)
{
	struct epoll *ep = f->priv;
	long r;

	if (f->ops != &epoll_ops)
		return -EINVAL;
	for (;;) {
		r = maybe_ready(ep) ? send_events(ep, events, max) : 0;
		if (r)
			return r;
		if (!deadline_ns)
			return 0;
		r = waitq_wait(&ep->wait, maybe_ready, ep, deadline_ns, true);
		if (r)
			return r == -ETIMEDOUT ? 0 : r;
	}
}

/* The instance as a file that is polled: readable when an item really is ready. */
static u32 epoll_poll(struct file *f, struct poll_table *pt)
{
	struct epoll *ep = f->priv;
	bool ready = false;

	poll_wait(f, &ep->poll_wait, pt);
	if (!maybe_ready(ep))
		return 0;
	mutex_lock(&ep->mtx);
	for (unsigned int left = count_ready(ep); left && !ready; left--) {
		struct item *it = pop_ready(ep);

		if (it && item_poll(it)) {
			push_ready(ep, it);
			ready = true;
		}
	}
	mutex_unlock(&ep->mtx);
	return ready ? POLLIN | POLLRDNORM : 0;
}

static void epoll_show(struct file *f, struct printbuf *pb)
{
	struct epoll *ep = f->priv;
	struct item *it;

	mutex_lock(&ep->mtx);
	rb_for_each_entry(it, &ep->items, node)
		printbuf_printf(pb,
				"tfd: %8d events: %8x data: %16llx  pos:%lli ino:%llx sdev:%llx\n",
				it->fd, it->events, it->data, it->file->pos, it->file->inode->ino,
				it->file->inode->sb->dev);
	mutex_unlock(&ep->mtx);
}

static const struct file_ops epoll_ops = { .llseek = noop_llseek,
					   .poll = epoll_poll,
					   .release = epoll_release,
					   .show_fdinfo = epoll_show };

struct file *epoll_create(void)
{
	struct epoll *ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	struct file *f;

	if (!ep)
		return ERR_PTR(-ENOMEM);
	mutex_init(&ep->mtx);
	spin_init(&ep->lock, RANK_ANY); /* inside one queue's lock, outside another's */
	waitq_init(&ep->wait);
	waitq_init(&ep->poll_wait);
	spin_init(&ep->wait.lock, RANK_ANY);
	spin_init(&ep->poll_wait.lock, RANK_ANY);
	list_init(&ep->ready);
	f = anon_file_create("anon_inode:[eventpoll]", &epoll_ops, ep, O_RDWR);
	if (IS_ERR(f))
		kfree(ep);
	else
		ep->file = f;
	return f;
}

const struct file *epoll_watched(struct file *f, int fd, u32 nth)
{
	const struct file *found = ERR_PTR(-ENOENT);
	struct epoll *ep = f->priv;

	if (f->ops != &epoll_ops)
		return ERR_PTR(-EINVAL);
	mutex_lock(&epoll_mutex);
	for (struct rb_node *n = rb_first(&ep->items); n; n = rb_next(n)) {
		struct item *it = rb_entry(n, struct item, node);

		if (it->fd == fd && !nth--) {
			found = it->file;
			break;
		}
	}
	mutex_unlock(&epoll_mutex);
	return found;
}

/* SPDX-License-Identifier: MIT */
/*
 * POSIX message queues.
 *
 * A queue is an inode of a file system that is not in the tree; its name is in a list until it is unlinked, and a
 * descriptor is an open file of it. Messages are kept in the order in which they are received: by priority, then by age.
 *
 * Locking: names_mutex for the list and the bytes that users have; queue->lock (inside it) for what is in a queue.
 * Sources: mq_overview(7), mq_open(3), mq_send(3), mq_receive(3), mq_notify(3), mq_getattr(3), getrlimit(2) RLIMIT_MSGQUEUE.
 */
#include <fs/internal.h>
#include <fs/ipc/mqueue.h>
#include <fs/ipc/sysctl.h>
#include <kernel/kill.h>
#include <kernel/signal.h>
#include <uapi/capability.h>
#include <uapi/poll.h>

/* What Linux counts for a message beside its text: its header, and a node of the tree of priorities. */
#define MESSAGE_OVERHEAD 96u
#define NAME_MAX	 255

unsigned int mq_msg_default = 10, mq_msg_max = 10, mq_msgsize_default = 8192, mq_msgsize_max = 8192,
	     mq_queues_max = 256;

struct mq_message {
	struct list link;
	unsigned int prio;
	size_t size;
	char text[];
};

struct mqueue {
	struct list link;	 /* names_mutex: all queues there are */
	char name[NAME_MAX + 1]; /* names_mutex; empty: unlinked */
	struct inode *inode;
	uid_t user;  /* whose RLIMIT_MSGQUEUE it counts against */
	u64 charged; /* bytes */

	struct mutex lock;
	struct list messages; /* lock: the next one first */
	long maxmsg, msgsize;
	long curmsgs;	/* lock */
	u64 bytes;	/* lock: text in all messages */
	int nreceivers; /* lock: asleep in mq_receive() */
	struct waitq wait;
	struct process *notified; /* lock: a reference; NULL: nobody asked */
	struct mq_notification notification;
};

static struct mutex names_mutex;
static struct list queues;
static unsigned int nqueues; /* names_mutex */
static struct super *mqueue_super;
static const struct file_ops mqueue_ops;

/* ---- notification ---- */

/* queue->lock held. */
static void forget_notification(struct mqueue *q)
{
	if (q->notified)
		process_put(q->notified);
	q->notified = NULL;
}

/* The first message came to an empty queue that nobody was waiting at. queue->lock held. */
static void notify(struct mqueue *q)
{
	struct siginfo info;

	if (!q->notified)
		return;
	if (q->notification.notify == SIGEV_SIGNAL && q->notification.sig) {
		sig_info_user(&info, q->notification.sig, SI_MESGQ);
		info.rt.value = q->notification.value;
		(void)sig_send_process(q->notified, q->notification.sig, &info);
	}
	forget_notification(q);
}

long mq_set_notification(int fd, const struct mq_notification *n)
{
	struct fd f = fdget(fd);
	struct mqueue *q;
	long r = 0;

	if (!f.file || f.file->ops != &mqueue_ops) {
		if (f.file)
			fdput(f);
		return -EBADF;
	}
	q = f.file->inode->priv;
	mutex_lock(&q->lock);
	if (!n) {
		if (q->notified == current->process)
			forget_notification(q);
	} else if (q->notified) {
		r = -EBUSY;
	} else {
		q->notified = current->process;
		refcount_inc(&q->notified->refs);
		q->notification = *n;
	}
	mutex_unlock(&q->lock);
	fdput(f);
	return r;
}

/* ---- queues as files ---- */

static int mqueue_flush(struct file *f)
{
	struct mqueue *q = f->inode->priv;

	mutex_lock(&q->lock);
	if (q->notified == current->process)
		forget_notification(q);
	mutex_unlock(&q->lock);
	return 0;
}

static u32 mqueue_poll(struct file *f, struct poll_table *pt)
{
	struct mqueue *q = f->inode->priv;
	long n;

	poll_wait(f, &q->wait, pt);
	n = READ_ONCE(q->curmsgs);
	return (n ? POLLIN | POLLRDNORM : 0) | (n < q->maxmsg ? POLLOUT | POLLWRNORM : 0);
}

static ssize_t mqueue_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct mqueue *q = f->inode->priv;
	char text[80];
	size_t len, done;

	mutex_lock(&q->lock);
	len = (size_t)snprintf(
		text, sizeof(text), "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
		q->bytes, q->notified ? q->notification.notify : 0,
		q->notified && q->notification.notify == SIGEV_SIGNAL ? q->notification.sig : 0,
		q->notified ? q->notified->pid->nr : 0);
	mutex_unlock(&q->lock);
	if (*pos < 0 || (u64)*pos >= len)
		return 0;
	done = iov_iter_to(to, text + *pos, min(to->count, len - (size_t)*pos));
	*pos += (loff_t)done;
	return done || !to->count ? (ssize_t)done : -EFAULT;
}

static const struct file_ops mqueue_ops = {
	.read = mqueue_read,
	.poll = mqueue_poll,
	.flush = mqueue_flush,
};

/* The last descriptor and the name are gone. */
static void mqueue_evict(struct inode *inode)
{
	struct mqueue *q = inode->priv;
	struct mq_message *m, *next;

	if (!q)
		return;
	list_for_each_entry_safe(m, next, &q->messages, link)
		kfree(m);
	forget_notification(q);
	mutex_lock(&names_mutex);
	list_del(&q->link);
	nqueues--;
	mutex_unlock(&names_mutex);
	kfree(q);
}

static int mqueue_statfs(struct super *sb, struct statfs *st)
{
	return 0;
}

static int mqueue_fill(struct super *sb, const char *source, const char *data)
{
	static const struct super_ops ops = { .evict = mqueue_evict, .statfs = mqueue_statfs };

	sb->ops = &ops;
	sb->magic = 0x19800202;
	return 0;
}

void mqueue_init(void)
{
	static struct fs_type type = {
		.name = "mqueue", .nodev = true, .fill = mqueue_fill, .single = true
	};

	mutex_init(&names_mutex);
	list_init(&queues);
	mqueue_super = super_create(&type, NULL, NULL);
	if (IS_ERR(mqueue_super))
		panic("mqueue: no memory");
}

/* ---- names ---- */

static int check_name(const char *name)
{
	size_t n = strlen(name);

	if (!n)
		return -ENOENT;
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	if (memchr(name, '/', n) || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EACCES;
	return 0;
}

/* names_mutex held. NULL: no queue has that name. */
static struct mqueue *find_queue(const char *name)
{
	struct mqueue *q;

	list_for_each_entry(q, &queues, link)
		if (!strcmp(q->name, name))
			return q;
	return NULL;
}

/* 0, -EINVAL, -EOVERFLOW. */
static int check_sizes(const struct mq_attr_abi *a)
{
	bool may = capable(CAP_SYS_RESOURCE);

	if (a->maxmsg <= 0 || a->msgsize <= 0)
		return -EINVAL;
	if (a->maxmsg > (may ? MQ_HARD_MSGMAX : (long)mq_msg_max) ||
	    a->msgsize > (may ? MQ_HARD_MSGSIZEMAX : (long)mq_msgsize_max))
		return -EINVAL;
	return 0;
}

/* names_mutex held. Does another queue of @bytes fit what this user may have? */
static bool may_charge(uid_t uid, u64 bytes)
{
	u64 sum = bytes;
	struct mqueue *q;

	list_for_each_entry(q, &queues, link)
		if (q->user == uid)
			sum += q->charged;
	return sum <= task_rlimit(RLIMIT_MSGQUEUE);
}

/* names_mutex held. A queue with a reference on its inode for the name, which this returns with. ERR_PTR. */
static struct mqueue *make_queue(const char *name, u32 mode, const struct mq_attr_abi *attr)
{
	struct mq_attr_abi a = { .maxmsg = min(mq_msg_max, mq_msg_default),
				 .msgsize = min(mq_msgsize_max, mq_msgsize_default) };
	struct mqueue *q;
	u64 bytes;
	int r;

	if (nqueues >= mq_queues_max && !capable(CAP_SYS_RESOURCE))
		return ERR_PTR(-ENOSPC);
	if (attr) {
		r = check_sizes(attr);
		if (r)
			return ERR_PTR(r);
		a = *attr;
	}
	bytes = (u64)a.maxmsg * ((u64)a.msgsize + MESSAGE_OVERHEAD);
	if (!may_charge(current->creds->uid, bytes))
		return ERR_PTR(-EMFILE);
	q = kzalloc(sizeof(*q), GFP_KERNEL);
	if (!q)
		return ERR_PTR(-ENOMEM);
	q->inode = inode_new(mqueue_super, NULL, S_IFREG | (mode & ~current->fs->umask & 07777));
	if (!q->inode) {
		kfree(q);
		return ERR_PTR(-ENOMEM);
	}
	q->inode->size = 80; /* what stat shows of the text that can be read */
	q->inode->fops = &mqueue_ops;
	q->inode->priv = q;
	strlcpy(q->name, name, sizeof(q->name));
	q->user = current->creds->uid;
	q->charged = bytes;
	q->maxmsg = a.maxmsg;
	q->msgsize = a.msgsize;
	mutex_init(&q->lock);
	list_init(&q->messages);
	waitq_init(&q->wait);
	list_add_tail(&q->link, &queues);
	nqueues++;
	return q;
}

/* names_mutex held. The queue that open means, a new one if need be. */
static struct mqueue *open_or_make(const char *name, int flags, u32 mode,
				   const struct mq_attr_abi *attr)
{
	static const unsigned int may[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE };
	struct mqueue *q = find_queue(name);
	int r;

	if (!q)
		return flags & O_CREAT ? make_queue(name, mode, attr) : ERR_PTR(-ENOENT);
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return ERR_PTR(-EEXIST);
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return ERR_PTR(-EINVAL);
	r = inode_permission(q->inode, may[flags & O_ACCMODE]);
	return r ? ERR_PTR(r) : q;
}

long mq_open_queue(const char *name, int flags, u32 mode, const struct mq_attr_abi *attr)
{
	char path[NAME_MAX + 2];
	int r = check_name(name), fd;
	struct mqueue *q;
	struct file *f;

	if (r)
		return r;
	fd = fd_reserve(0, true);
	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/%s", name);
	mutex_lock(&names_mutex);
	q = open_or_make(name, flags, mode, attr);
	f = IS_ERR(q) ? ERR_CAST(q)
		      : anon_inode_file(inode_get(q->inode), path, &mqueue_ops, NULL,
					(unsigned int)flags & (O_ACCMODE | O_NONBLOCK));
	mutex_unlock(&names_mutex);
	if (IS_ERR(f)) {
		fd_unreserve(fd);
		return PTR_ERR(f);
	}
	f->mode = (f->mode & ~FMODE_NOPOS) | FMODE_LSEEK | FMODE_PREAD;
	fd_install(fd, f);
	return fd;
}

long mq_unlink_queue(const char *name)
{
	struct inode *inode = NULL;
	struct mqueue *q;
	int r = check_name(name);

	if (r)
		return r;
	mutex_lock(&names_mutex);
	q = find_queue(name);
	if (!q) {
		r = -ENOENT;
	} else if (q->inode->uid != current->creds->fsuid && !capable(CAP_FOWNER)) {
		r = -EPERM; /* their directory is like /tmp */
	} else {
		q->name[0] = '\0';
		inode = q->inode;
	}
	mutex_unlock(&names_mutex);
	if (inode)
		inode_put(inode); /* the name's */
	return r;
}

/* ---- messages ---- */

/* The queue of a descriptor open for @mode, by what must be put back with fdput(). ERR_PTR(-EBADF). */
static struct mqueue *queue_of_fd(int fd, u32 mode, struct fd *f)
{
	*f = fdget(fd);
	if (f->file && f->file->ops == &mqueue_ops && (f->file->mode & mode))
		return f->file->inode->priv;
	if (f->file)
		fdput(*f);
	return ERR_PTR(-EBADF);
}

/* Let go of the queue's lock until @ready or the deadline. 0; -EAGAIN, -EINTR, -ETIMEDOUT. */
#define MQ_SLEEP(q, f, ready, deadline)                                                      \
	({                                                                                   \
		int r_ = -EAGAIN;                                                            \
		if (!((f)->flags & O_NONBLOCK)) {                                            \
			mutex_unlock(&(q)->lock);                                            \
			r_ = wait_event_interruptible_until(&(q)->wait, ready, deadline);    \
			mutex_lock(&(q)->lock);                                              \
		}                                                                            \
		r_;                                                                          \
	})

/* Behind all of its priority. queue->lock held. */
static void insert(struct mqueue *q, struct mq_message *m)
{
	struct list *at = q->messages.prev;

	while (at != &q->messages && list_entry(at, struct mq_message, link)->prio < m->prio)
		at = at->prev;
	list_add(&m->link, at);
	q->curmsgs++;
	q->bytes += m->size;
	inode_touch(q->inode, ATTR_MTIME | ATTR_CTIME);
}

static long send_locked(struct mqueue *q, struct file *f, struct mq_message *m, u64 deadline_ns)
{
	while (q->curmsgs >= q->maxmsg) {
		int r = MQ_SLEEP(q, f, READ_ONCE(q->curmsgs) < q->maxmsg, deadline_ns);

		if (r)
			return r;
	}
	insert(q, m);
	if (q->curmsgs == 1 && !q->nreceivers)
		notify(q);
	return 0;
}

long mq_send(int fd, uaddr_t text, size_t len, unsigned int prio, u64 deadline_ns)
{
	struct fd f;
	struct mqueue *q = queue_of_fd(fd, FMODE_WRITE, &f);
	struct mq_message *m = NULL;
	long r = -EMSGSIZE;

	if (IS_ERR(q))
		return PTR_ERR(q);
	if (len <= (size_t)q->msgsize) {
		m = kmalloc(sizeof(*m) + len, GFP_KERNEL);
		r = !m ? -ENOMEM : copy_from_user(m->text, text, len) ? -EFAULT : 0;
	}
	if (!r) {
		m->prio = prio;
		m->size = len;
		mutex_lock(&q->lock);
		r = send_locked(q, f.file, m, deadline_ns);
		mutex_unlock(&q->lock);
	}
	if (r)
		kfree(m);
	else
		waitq_wake_poll(&q->wait, POLLIN | POLLRDNORM);
	fdput(f);
	return r;
}

/* The next message, out of the queue. ERR_PTR(-EAGAIN, -EINTR, -ETIMEDOUT). queue->lock held. */
static struct mq_message *take_locked(struct mqueue *q, struct file *f, u64 deadline_ns)
{
	struct mq_message *m;
	int r = 0;

	while (!q->curmsgs && !r) {
		q->nreceivers++;
		r = MQ_SLEEP(q, f, READ_ONCE(q->curmsgs) != 0, deadline_ns);
		q->nreceivers--;
	}
	if (r)
		return ERR_PTR(r);
	m = list_first_entry(&q->messages, struct mq_message, link);
	list_del(&m->link);
	q->curmsgs--;
	q->bytes -= m->size;
	inode_touch(q->inode, ATTR_ATIME | ATTR_CTIME);
	return m;
}

long mq_receive(int fd, uaddr_t text, size_t len, unsigned int *prio, u64 deadline_ns)
{
	struct fd f;
	struct mqueue *q = queue_of_fd(fd, FMODE_READ, &f);
	struct mq_message *m;
	long r = -EMSGSIZE;

	if (IS_ERR(q))
		return PTR_ERR(q);
	if (len >= (size_t)q->msgsize) {
		mutex_lock(&q->lock);
		m = take_locked(q, f.file, deadline_ns);
		mutex_unlock(&q->lock);
		r = PTR_ERR(m);
		if (!IS_ERR(m)) {
			waitq_wake_poll(&q->wait, POLLOUT | POLLWRNORM);
			r = copy_to_user(text, m->text, m->size) ? -EFAULT : (long)m->size;
			*prio = m->prio;
			kfree(m);
		}
	}
	fdput(f);
	return r;
}

long mq_attributes(int fd, const struct mq_attr_abi *new, struct mq_attr_abi *old)
{
	struct fd f;
	struct mqueue *q = queue_of_fd(fd, ~0u, &f);

	if (IS_ERR(q))
		return PTR_ERR(q);
	mutex_lock(&q->lock);
	*old = (struct mq_attr_abi){
		f.file->flags & O_NONBLOCK, q->maxmsg, q->msgsize, q->curmsgs, { 0 }
	};
	mutex_unlock(&q->lock);
	if (new) {
		spin_lock(&f.file->f_lock);
		f.file->flags = (f.file->flags & ~(u32)O_NONBLOCK) | ((u32) new->flags &O_NONBLOCK);
		spin_unlock(&f.file->f_lock);
	}
	fdput(f);
	return 0;
}

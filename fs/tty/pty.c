/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-terminals: /dev/ptmx and devpts.
 *
 * Opening ptmx makes a pair: the file is the master, the slave is a terminal that appears as /dev/pts/N. What the slave's
 * programs write goes into the pair's ring, from which the master reads; what the master writes goes through the slave's
 * line discipline as if typed.
 * Locking: the slave's tty->lock for the ring (its output happens under it); ptys_lock for the table of pairs.
 * Source: pty(7), pts(4), ioctl_tty(2).
 */
#include <fs/internal.h>
#include <fs/tty/tty.h>

#define MAX_PTYS  256u
#define RING_SIZE 8192u

struct pty {
	struct tty *slave; /* a reference */
	unsigned int index;
	bool locked; /* until unlockpt */
	bool master_gone;
	bool slave_opened;    /* at least once */
	u32 head, tail;	      /* slave->lock */
	struct waitq rd_wait; /* master's readers */
	struct waitq wr_wait; /* master's writers */
	struct inode *node;   /* in devpts; ptys_lock */
	u8 ring[RING_SIZE];
};

static struct mutex ptys_lock;
static struct pty *ptys[MAX_PTYS];
static struct super *devpts_super;

/* The mount options of devpts: what a new slave is like, and ptmx there; ptys_lock. */
struct devpts_options {
	struct mount_owner owner;
	bool uid_set, gid_set; /* else those of who opened ptmx */
	u32 ptmx_mode, max;
};
static struct devpts_options options = { .owner.mode = 0600, .ptmx_mode = 0, .max = MAX_PTYS };

static const struct file_ops master_ops;

static struct pty *pty_of(struct tty *t)
{
	return t->priv;
}

/* ---- the slave's output ---- */

static size_t slave_room(struct tty *t)
{
	struct pty *p = pty_of(t);

	return RING_SIZE - (p->head - p->tail);
}

static size_t slave_write(struct tty *t, const char *buf, size_t n)
{
	struct pty *p = pty_of(t);
	size_t i;

	for (i = 0; i < n && p->head - p->tail < RING_SIZE; i++)
		p->ring[p->head++ % RING_SIZE] = (u8)buf[i];
	waitq_wake_poll(&p->rd_wait, EPOLLIN_MASK);
	return i;
}

static void slave_packet(struct tty *t)
{
	waitq_wake_poll(&pty_of(t)->rd_wait, EPOLLIN_MASK | POLLPRI);
}

static void pty_free(struct pty *p)
{
	tty_put(p->slave);
	kfree(p);
}

/* The last slave file is closed: the master reads the rest, then EIO. Without a master the pair ends here. */
static void slave_close(struct tty *t)
{
	struct pty *p = pty_of(t);
	bool gone;

	mutex_lock(&ptys_lock);
	gone = p->master_gone && !t->opens;
	mutex_unlock(&ptys_lock);
	if (gone)
		pty_free(p);
	else
		waitq_wake_poll(&p->rd_wait, 0);
}

static const struct tty_ops slave_ops = {
	.write = slave_write, .room = slave_room, .close = slave_close, .packet = slave_packet
};

void pty_input_room(struct tty *t)
{
	waitq_wake_poll(&pty_of(t)->wr_wait, POLLOUT | POLLWRNORM);
}

/* ---- the master ---- */

static bool slave_closed(struct pty *p)
{
	return READ_ONCE(p->slave_opened) && !READ_ONCE(p->slave->opens);
}

static bool master_readable(struct pty *p)
{
	return READ_ONCE(p->head) != READ_ONCE(p->tail) || slave_closed(p) ||
	       READ_ONCE(p->slave->pkt_status);
}

static ssize_t master_take(struct pty *p, struct iov_iter *to)
{
	ssize_t done = 0;
	u8 status = 0;

	if (p->slave->packet) {
		status = p->slave->pkt_status;
		p->slave->pkt_status = 0;
		if (!status && p->head == p->tail)
			return 0;
		if (iov_iter_to(to, &status, 1) != 1)
			return -EFAULT;
		if (status)
			return 1;
		done = 1;
	}
	while (to->count && p->head != p->tail) {
		u32 off = p->tail % RING_SIZE;
		size_t n = min_t(size_t, min(p->head - p->tail, RING_SIZE - off), to->count);

		if (iov_iter_to(to, &p->ring[off], n) != n)
			return done ? done : -EFAULT;
		p->tail += (u32)n;
		done += (ssize_t)n;
	}
	return done;
}

static ssize_t master_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct pty *p = f->priv;
	ssize_t r;

	if (!to->count)
		return 0;
	for (;;) {
		mutex_lock(&p->slave->lock);
		r = master_take(p, to);
		mutex_unlock(&p->slave->lock);
		if (r) {
			tty_wake_writers(p->slave);
			return r;
		}
		if (slave_closed(p))
			return -EIO;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event_interruptible(&p->rd_wait, master_readable(p));
		if (r)
			return r;
	}
}

static ssize_t master_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct pty *p = f->priv;
	u8 buf[512];
	ssize_t done = 0;
	int r = 0;

	while (!r && from->count) {
		struct iov_iter saved = *from;
		size_t n = iov_iter_from(from, buf, min(from->count, sizeof(buf))), taken;

		if (!n)
			return done ? done : -EFAULT;
		taken = tty_receive(p->slave, buf, n);
		done += (ssize_t)taken;
		if (taken == n)
			continue;
		*from = saved;
		iov_iter_advance(from, taken);
		if (f->flags & O_NONBLOCK)
			r = -EAGAIN;
		else
			r = wait_event_interruptible(&p->wr_wait, tty_has_room(p->slave));
	}
	return done ? done : r;
}

static u32 master_poll(struct file *f, struct poll_table *pt)
{
	struct pty *p = f->priv;
	u32 mask = 0;

	poll_wait(f, &p->rd_wait, pt);
	poll_wait(f, &p->wr_wait, pt);
	if (READ_ONCE(p->head) != READ_ONCE(p->tail))
		mask |= POLLIN | POLLRDNORM;
	if (p->slave->packet && p->slave->pkt_status)
		mask |= POLLIN | POLLRDNORM | POLLPRI;
	if (slave_closed(p))
		mask |= POLLHUP;
	if (tty_has_room(p->slave))
		mask |= POLLOUT | POLLWRNORM;
	return mask;
}

static long open_peer(struct pty *p, unsigned long flags)
{
	char name[16];
	struct file *f;
	int fd;

	snprintf(name, sizeof(name), "/dev/pts/%u", p->index);
	f = file_open(AT_FDCWD, name, (int)flags & (O_ACCMODE | O_NOCTTY | O_NONBLOCK | O_CLOEXEC),
		      0);
	if (IS_ERR(f))
		return PTR_ERR(f);
	fd = fd_alloc_install(f, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* TCFLSH on the master: what it has not read yet. What it wrote is with the slave already. */
static long master_flush(struct pty *p, unsigned long queue)
{
	if (queue > TCIOFLUSH)
		return -EINVAL;
	if (queue == TCOFLUSH)
		return 0;
	mutex_lock(&p->slave->lock);
	WRITE_ONCE(p->tail, p->head);
	mutex_unlock(&p->slave->lock);
	tty_wake_writers(p->slave);
	return 0;
}

static long set_packet_mode(struct pty *p, bool on)
{
	mutex_lock(&p->slave->lock);
	if (on != p->slave->packet)
		p->slave->pkt_status = 0;
	p->slave->packet = on;
	mutex_unlock(&p->slave->lock);
	return 0;
}

static long master_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct pty *p = f->priv;
	int n;

	switch (cmd) {
	case TIOCGPTN:
		return put_user_obj(arg, &p->index);
	case TIOCSPTLCK:
		if (get_user_obj(&n, arg))
			return -EFAULT;
		p->locked = n;
		return 0;
	case TIOCGPTLCK:
		n = p->locked;
		return put_user_obj(arg, &n);
	case TIOCGPTPEER:
		return open_peer(p, arg);
	case TIOCPKT:
		if (get_user_obj(&n, arg))
			return -EFAULT;
		return set_packet_mode(p, n);
	case TIOCGPKT:
		n = p->slave->packet;
		return put_user_obj(arg, &n);
	case FIONREAD:
		n = (int)(READ_ONCE(p->head) - READ_ONCE(p->tail));
		return put_user_obj(arg, &n);
	case TCFLSH:
		return master_flush(p, arg);
	case TIOCSCTTY:
	case TIOCNOTTY:
		return -ENOTTY;
	}
	return tty_ioctl(p->slave, f, cmd, arg);
}

/* Take the node out of devpts, so that its name is free again. */
static void remove_node(struct pty *p)
{
	struct dentry *root = devpts_super->root, *d;
	struct inode *dir = d_inode(root);
	char name[12];
	int len = snprintf(name, sizeof(name), "%u", p->index);

	rwsem_down_write(&dir->lock);
	d = lookup_one(root, name, (size_t)len);
	if (!IS_ERR(d)) {
		if (d_inode(d)) {
			dir->ops->unlink(dir, d);
			d_drop(d);
		}
		dput(d);
	}
	rwsem_up_write(&dir->lock);
}

static void master_release(struct file *f)
{
	struct pty *p = f->priv;

	bool unused;

	tty_hangup(p->slave);
	remove_node(p);
	mutex_lock(&ptys_lock);
	ptys[p->index] = NULL;
	p->master_gone = true; /* slave files keep the pair until the last is closed */
	unused = !p->slave->opens;
	mutex_unlock(&ptys_lock);
	if (unused)
		pty_free(p);
}

static const struct file_ops master_ops = {
	.async = true,
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
	.release = master_release,
};

static int add_node(struct pty *p)
{
	struct dentry *root = devpts_super->root, *d;
	struct inode *dir = d_inode(root);
	char name[12];
	int len = snprintf(name, sizeof(name), "%u", p->index), r;

	rwsem_down_write(&dir->lock);
	d = lookup_one(root, name, (size_t)len);
	r = IS_ERR(d) ? (int)PTR_ERR(d)
		      : dir->ops->mknod(dir, d, S_IFCHR | options.owner.mode, mkdev(136, p->index));
	if (!r && options.uid_set)
		d_inode(d)->uid = options.owner.uid;
	if (!r && options.gid_set)
		d_inode(d)->gid = options.owner.gid;
	rwsem_up_write(&dir->lock);
	if (!IS_ERR(d))
		dput(d);
	return r;
}

static struct pty *pty_create(void)
{
	struct pty *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct tty *t = kmalloc(sizeof(*t), GFP_KERNEL);
	char name[16];
	bool full;

	if (!p || !t) {
		kfree(p);
		kfree(t);
		return ERR_PTR(-ENOMEM);
	}
	waitq_init(&p->rd_wait);
	waitq_init(&p->wr_wait);
	p->slave = t;
	p->locked = true;
	mutex_lock(&ptys_lock);
	while (p->index < options.max && ptys[p->index])
		p->index++;
	full = p->index >= options.max;
	if (!full)
		ptys[p->index] = p;
	mutex_unlock(&ptys_lock);
	if (full) {
		kfree(p);
		kfree(t);
		return ERR_PTR(-ENOSPC);
	}
	snprintf(name, sizeof(name), "pts/%u", p->index);
	tty_setup(t, &slave_ops, name, mkdev(136, p->index));
	t->priv = p;
	return p;
}

static int ptmx_open(struct inode *inode, struct file *f)
{
	struct pty *p = pty_create();
	int r;

	if (IS_ERR(p))
		return (int)PTR_ERR(p);
	r = add_node(p);
	if (r) {
		mutex_lock(&ptys_lock);
		ptys[p->index] = NULL;
		mutex_unlock(&ptys_lock);
		pty_free(p);
		return r;
	}
	f->ops = &master_ops;
	f->priv = p;
	f->owner_seen = 0;
	f->mode = (f->mode & ~(FMODE_LSEEK | FMODE_PREAD)) | FMODE_NOPOS;
	return 0;
}

static int pts_open(struct inode *inode, struct file *f)
{
	unsigned int index = dev_minor(inode->rdev);
	struct pty *p;
	int r = -EIO;

	mutex_lock(&ptys_lock);
	p = index < MAX_PTYS ? ptys[index] : NULL;
	if (p && !p->locked) {
		r = tty_open_file(p->slave, f, f->flags & O_NOCTTY);
		if (!r)
			WRITE_ONCE(p->slave_opened, true);
	}
	mutex_unlock(&ptys_lock);
	return r;
}

/* ---- devpts ---- */

static const struct file_ops ptmx_ops = { .open = ptmx_open };
static const struct file_ops pts_ops = { .open = pts_open };
static struct chrdev ptmx = { "ptmx", 0, 0666, &ptmx_ops };
static struct chrdev pts = { "pts/N", 0, 0620, &pts_ops, MAX_PTYS };

static struct dentry *ptmx_node; /* of devpts; a reference */

static int parse_option(void *ctx, const char *key, const char *val)
{
	struct devpts_options *o = ctx;
	int r = mount_option_owner(key, val, &o->owner);
	u32 v;

	if (!r) {
		o->uid_set |= *key == 'u';
		o->gid_set |= *key == 'g';
	}
	if (r != -ENOENT)
		return r;
	if (!strcmp(key, "newinstance") && !val)
		return 0;
	if (!strcmp(key, "ptmxmode")) {
		r = mount_option_u32(val, 8, &v);
		o->ptmx_mode = v & S_IALLUGO;
	} else if (!strcmp(key, "max")) {
		r = mount_option_u32(val, 0, &v);
		o->max = min(v, MAX_PTYS);
	} else {
		r = -EINVAL;
	}
	return r;
}

static int devpts_change(struct super *sb, unsigned long flags, const char *data)
{
	struct devpts_options next = options;
	int r = mount_options(data, parse_option, &next);

	if (r)
		return r;
	mutex_lock(&ptys_lock);
	options = next;
	d_inode(ptmx_node)->mode = S_IFCHR | options.ptmx_mode;
	mutex_unlock(&ptys_lock);
	return 0;
}

static void devpts_show_options(struct super *sb, char *buf, size_t size)
{
	int n = 0;

	if (options.uid_set)
		n += scnprintf(buf, size, ",uid=%u", options.owner.uid);
	if (options.gid_set)
		n += scnprintf(buf + n, size - (size_t)n, ",gid=%u", options.owner.gid);
	n += scnprintf(buf + n, size - (size_t)n, ",mode=%03o,ptmxmode=%03o", options.owner.mode,
		       options.ptmx_mode);
	if (options.max < MAX_PTYS)
		scnprintf(buf + n, size - (size_t)n, ",max=%u", options.max);
}

static struct super_ops devpts_super_ops; /* tmpfs's, but for the options */

/* A small tmpfs with the node ptmx. */
static int devpts_fill(struct super *sb, const char *source, const char *data)
{
	struct dentry *d;
	struct inode *root;
	int r = tmpfs_fill(sb, source, "mode=0755,size=0,nr_inodes=0");

	if (r)
		return r;
	devpts_super_ops = *sb->ops;
	devpts_super_ops.remount = devpts_change;
	devpts_super_ops.show_options = devpts_show_options;
	devpts_super_ops.handle = NULL;
	devpts_super_ops.open_handle = NULL;
	sb->ops = &devpts_super_ops;
	sb->magic = DEVPTS_SUPER_MAGIC;
	root = d_inode(sb->root);
	rwsem_down_write(&root->lock);
	d = lookup_one(sb->root, "ptmx", 4);
	r = IS_ERR(d) ? (int)PTR_ERR(d) : root->ops->mknod(root, d, S_IFCHR, ptmx.rdev);
	rwsem_up_write(&root->lock);
	if (IS_ERR(d))
		return r;
	ptmx_node = d;
	devpts_super = sb;
	return r ? r : devpts_change(sb, 0, data);
}

static struct fs_type devpts_type = {
	.name = "devpts",
	.nodev = true,
	.fill = devpts_fill,
	.single = true,
	.option = parse_option,
	.options_size = sizeof(struct devpts_options),
};

void pty_init(void)
{
	mutex_init(&ptys_lock);
	ptmx.rdev = mkdev(5, 2);
	chrdev_register(&ptmx);
	pts.rdev = mkdev(136, 0);
	chrdev_register(&pts);
	fs_type_register(&devpts_type);
}

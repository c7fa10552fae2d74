/* SPDX-License-Identifier: MIT */
/*
 * procfs: the tree, and files of generated text.
 *
 * Inodes are made when a name is looked up. Names about processes are not kept in the dentry cache: they are dropped with
 * their last user and checked again before each use. A file's text is generated when it is read from position 0 and kept
 * with the open file, so that reading in pieces sees one text. A text without bound (maps) is generated and kept part by part; going
 * back in it begins anew.
 * Locking: the text's own mutex. Source: proc(5).
 */
#include <fs/procfs/proc.h>
#include <kernel/coredump.h>
#include <kernel/ptrace.h>

#define TEXT_MAX (8u << 20)

static const struct inode_ops link_ops, file_iops;
static const struct file_ops text_ops;

/* ---- tasks ---- */

struct task *proc_task(const struct inode *i)
{
	struct pid *tid = proc_i(i)->tid;
	struct task *t;
	unsigned long flags;

	if (!tid)
		return NULL;
	flags = spin_lock_irqsave(&tasklist_lock);
	t = tid->task;
	if (t)
		task_get(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return t;
}

struct process *proc_dir_process(const struct file *f)
{
	struct process *p = ERR_PTR(-ESRCH);
	unsigned long flags;

	if (f->ops != &proc_dir_fops || proc_i(f->inode)->entry != &proc_pid_entry)
		return ERR_PTR(-EBADF);
	flags = spin_lock_irqsave(&tasklist_lock);
	if (proc_i(f->inode)->tid->process) {
		p = proc_i(f->inode)->tid->process;
		refcount_inc(&p->refs);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return p;
}

int proc_may_access(struct task *t)
{
	return ptrace_may_access(t, PTRACE_MODE_READ_FSCREDS) ? -EACCES : 0;
}

/* ---- inodes ---- */

static u64 proc_ino(const struct proc_entry *e, struct pid *tid, int fd)
{
	u64 base = ((u64)(unsigned long)e >> 3) & 0xffff;

	return 1 + (base << 1) + ((u64)(tid ? tid->nr : 0) << 20) + ((u64)(unsigned int)fd << 44);
}

/* Files of a process belong to it, or to root when it is not dumpable or has no memory; directories that all may read belong to it always. */
static void set_owner(struct inode *i, struct task *t)
{
	const struct creds *c = creds_of(t);
	struct vm *vm = task_vm_get(t);
	bool its = i->mode == (S_IFDIR | 0555) || (vm && vm->dumpable == DUMPABLE_USER);

	i->uid = its ? c->euid : 0;
	i->gid = its ? c->egid : 0;
	if (vm)
		vm_put(vm);
	creds_put(c);
}

struct inode *proc_new_inode(struct super *sb, const struct proc_entry *e, struct pid *tid, int fd)
{
	struct proc_inode *pi = kmalloc(sizeof(*pi), GFP_KERNEL);
	struct inode *i = pi ? inode_new(sb, NULL, e->mode) : NULL;
	struct task *t;

	if (!i) {
		kfree(pi);
		return NULL;
	}
	*pi = (struct proc_inode){ e, tid, fd };
	if (tid)
		pid_get(tid);
	i->priv = pi;
	i->ino = proc_ino(e, tid, fd);
	i->uid = i->gid = 0;
	if (S_ISDIR(e->mode)) {
		i->nlink = 2;
		i->ops = e->iops ? e->iops : &proc_dir_ops;
		i->fops = e->fops ? e->fops : &proc_dir_fops;
	} else if (S_ISLNK(e->mode)) {
		i->ops = &link_ops;
	} else {
		i->ops = &file_iops;
		i->fops = e->fops ? e->fops : &text_ops;
	}
	t = proc_task(i);
	if (t) {
		set_owner(i, t);
		task_put(t);
	}
	return i;
}

static void proc_evict(struct inode *i)
{
	struct proc_inode *pi = proc_i(i);

	if (pi->tid)
		pid_put(pi->tid);
	kfree(pi);
}

int proc_instantiate(struct inode *dir, struct dentry *d, const struct proc_entry *e,
		     struct pid *tid, int fd)
{
	struct inode *i = proc_new_inode(dir->sb, e, tid, fd);

	if (!i)
		return -ENOMEM;
	if (tid)
		d->flags |= DENTRY_NOCACHE | DENTRY_REVAL;
	d_instantiate(d, i);
	return 0;
}

/* ---- directories ---- */

const struct proc_entry *proc_find_entry(const struct proc_entry *table, const struct dentry *d)
{
	for (; table && table->name; table++)
		if (strlen(table->name) == d->len && !memcmp(table->name, d->name, d->len))
			return table;
	return NULL;
}

int proc_dir_lookup(struct inode *dir, struct dentry *d)
{
	struct proc_inode *pi = proc_i(dir);
	const struct proc_entry *e = proc_find_entry(pi->entry->children, d);

	return e ? proc_instantiate(dir, d, e, pi->tid, -1) : -ENOENT;
}

int proc_revalidate(struct dentry *d)
{
	struct inode *i = d_inode(d);
	struct task *t = i ? proc_task(i) : NULL;

	if (!t)
		return 0;
	set_owner(i, t);
	task_put(t);
	return 1;
}

bool proc_emit_dots(struct file *f, struct dir_ctx *ctx)
{
	while (ctx->pos < 2) {
		if (!ctx->emit(ctx, "..", ctx->pos ? 2 : 1, f->inode->ino, 4, ctx->pos + 1))
			return false;
		ctx->pos++;
	}
	return true;
}

bool proc_emit_table(struct file *f, struct dir_ctx *ctx, const struct proc_entry *table, s64 base)
{
	for (s64 i = 0; table[i].name; i++) {
		const struct proc_entry *e = &table[i];

		if (ctx->pos > base + i)
			continue;
		if (!ctx->emit(ctx, e->name, strlen(e->name),
			       proc_ino(e, proc_i(f->inode)->tid, -1), e->mode >> 12, base + i + 1))
			return false;
		ctx->pos = base + i + 1;
	}
	return true;
}

static int proc_dir_iterate(struct file *f, struct dir_ctx *ctx)
{
	if (proc_emit_dots(f, ctx))
		proc_emit_table(f, ctx, proc_i(f->inode)->entry->children, 2);
	return 0;
}

const struct inode_ops proc_dir_ops = { .lookup = proc_dir_lookup, .revalidate = proc_revalidate };
const struct file_ops proc_dir_fops = { .iterate = proc_dir_iterate };

/* ---- links ---- */

static ssize_t proc_readlink(struct inode *i, char *buf, size_t size, struct path *jump)
{
	struct proc_inode *pi = proc_i(i);
	struct task *t = proc_task(i);
	ssize_t r;

	if (pi->tid && !t)
		return -ENOENT;
	r = t ? proc_may_access(t) : 0;
	if (!r)
		r = pi->entry->link(t, pi->fd, buf, size, jump);
	if (t)
		task_put(t);
	return r;
}

static const struct inode_ops link_ops = { .readlink = proc_readlink };
/* Opening with O_TRUNC is fine and does nothing: text has no size. Who may look into a process is not its to say. */
static int proc_setattr(struct inode *i, const struct iattr *attr)
{
	if ((attr->valid & ATTR_MODE) && proc_i(i)->tid)
		return -EPERM;
	if (attr->valid & ~ATTR_SIZE)
		generic_setattr(i, attr);
	return 0;
}

static const struct inode_ops file_iops = { .setattr = proc_setattr };

/* ---- generated text ---- */

struct proc_text {
	struct mutex lock;
	char *buf; /* the text from position @base to @base + @len */
	size_t len;
	loff_t base;
	u64 cursor; /* where the next part begins; PROC_TEXT_END: there is none */
	bool made;
	u64 vm_id; /* private entries: the address space that was opened */
};

static int show_entry(const struct proc_inode *pi, struct printbuf *pb, struct task *t, u64 *cursor)
{
	if (pi->entry->show_part)
		return pi->entry->show_part(pb, t, cursor);
	*cursor = PROC_TEXT_END;
	if (pi->entry->show_number)
		return pi->entry->show_number(pb, pi->fd);
	if (pi->fd >= 0)
		return proc_fdinfo_show(pb, t, pi->fd);
	return pi->entry->show(pb, t);
}

static u64 vm_id(struct task *t)
{
	struct vm *vm = task_vm_get(t);
	u64 id = vm ? vm->id : 0;

	if (vm)
		vm_put(vm);
	return id;
}

static bool is_another_program(const struct proc_inode *pi, struct task *t,
			       const struct proc_text *pt)
{
	return pi->entry->private && vm_id(t) != pt->vm_id;
}

/* Into a buffer that grows until the text fits, or a record of it. -ENOMEM also when it never does: text is not cut. lock held. */
static int generate(const struct proc_inode *pi, struct task *t, struct proc_text *pt)
{
	for (size_t size = 4096; size <= TEXT_MAX; size *= 4) {
		u64 cursor = pt->cursor;
		struct printbuf pb;
		int r;

		kfree(pt->buf);
		pt->buf = kmalloc(size, GFP_KERNEL);
		if (!pt->buf)
			return -ENOMEM;
		printbuf_init(&pb, pt->buf, size);
		r = show_entry(pi, &pb, t, &cursor);
		if (r)
			return r;
		if (!printbuf_overflowed(&pb) && (pb.len || cursor == PROC_TEXT_END)) {
			pt->len = pb.len;
			pt->cursor = cursor;
			return 0;
		}
	}
	return -ENOMEM;
}

/* The text, or its next part. lock held. */
static int make_text(struct file *f, struct proc_text *pt)
{
	struct task *t = proc_task(f->inode);
	struct proc_inode *pi = proc_i(f->inode);
	int r = 0;

	if (pi->tid && !t)
		return -ESRCH;
	pt->base += (loff_t)pt->len;
	pt->len = 0;
	/* What has become of the task since it was opened may be none of the reader's business. */
	if (!is_another_program(pi, t, pt))
		r = generate(pi, t, pt);
	if (is_another_program(pi, t, pt)) {
		pt->len = 0;
		pt->cursor = PROC_TEXT_END;
	}
	pt->made = !r;
	if (t)
		task_put(t);
	return r;
}

static int make_text_at(struct file *f, struct proc_text *pt, loff_t pos)
{
	int r = 0;

	if (pos == 0 || !pt->made || pos < pt->base) {
		pt->base = 0;
		pt->len = 0;
		pt->cursor = 0;
		r = make_text(f, pt);
	}
	while (!r && pos >= pt->base + (loff_t)pt->len && pt->cursor != PROC_TEXT_END)
		r = make_text(f, pt);
	return r;
}

static ssize_t text_file_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	const struct proc_entry *e = proc_i(f->inode)->entry;
	struct proc_text *pt = f->priv;
	loff_t at;
	ssize_t r;

	if (!e->show && !e->show_part && proc_i(f->inode)->fd < 0)
		return -EINVAL;

	mutex_lock(&pt->lock);
	r = make_text_at(f, pt, *pos);
	if (!r) {
		at = *pos - pt->base;
		r = text_read(to, &at, pt->buf, pt->len);
		*pos = pt->base + at;
	}
	mutex_unlock(&pt->lock);
	return r;
}

static ssize_t text_file_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct proc_inode *pi = proc_i(f->inode);
	char text[256];
	size_t n = from->count;
	struct task *t;
	ssize_t r;

	if (!pi->entry->write && !pi->entry->write_number)
		return -EIO;
	if (n >= sizeof(text))
		return -EINVAL;
	if (iov_iter_from(from, text, n) != n)
		return -EFAULT;
	text[n] = '\0';
	t = proc_task(f->inode);
	if (pi->tid && !t)
		return -ESRCH;
	r = pi->entry->write ? pi->entry->write(t, text, n) : pi->entry->write_number(pi->fd, text);
	if (t)
		task_put(t);
	if (r >= 0)
		*pos += (loff_t)n;
	return r < 0 ? r : (ssize_t)n;
}

static int text_file_open(struct inode *i, struct file *f)
{
	struct proc_inode *pi = proc_i(i);
	struct task *t = pi->entry->private ? proc_task(i) : NULL;
	struct proc_text *pt;
	struct vm *vm = t ? ptrace_vm_get(t, PTRACE_MODE_READ_FSCREDS) : NULL;
	u64 id;

	if (t)
		task_put(t);
	if (IS_ERR(vm))
		return -EACCES;
	id = vm ? vm->id : 0;
	if (vm)
		vm_put(vm);
	pt = kzalloc(sizeof(*pt), GFP_KERNEL);
	if (!pt)
		return -ENOMEM;
	mutex_init(&pt->lock);
	pt->vm_id = id;
	f->priv = pt;
	return 0;
}

/* There is always something to read. */
static u32 text_file_poll(struct file *f, struct poll_table *pt)
{
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

/* Of the memory that was there when the file was opened. */
static long text_file_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	const struct proc_text *pt = f->priv;
	struct proc_inode *pi = proc_i(f->inode);
	struct task *t;
	struct vm *vm;
	long r;

	if (!pi->entry->ioctl)
		return -ENOTTY;
	t = proc_task(f->inode);
	vm = t ? task_vm_get(t) : NULL;
	r = pi->entry->ioctl(vm && vm->id == pt->vm_id ? vm : NULL, cmd, arg);
	if (vm)
		vm_put(vm);
	if (t)
		task_put(t);
	return r;
}

static void text_file_release(struct file *f)
{
	struct proc_text *pt = f->priv;

	kfree(pt->buf);
	kfree(pt);
}

static const struct file_ops text_ops = {
	.open = text_file_open,
	.read = text_file_read,
	.write = text_file_write,
	.poll = text_file_poll,
	.ioctl = text_file_ioctl,
	.release = text_file_release,
};

/* ---- the root: system files, processes, self ---- */

static ssize_t self_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	return snprintf(buf, size, "%d", task_pid(current));
}

static ssize_t thread_self_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	return snprintf(buf, size, "%d/task/%d", task_pid(current), task_tid(current));
}

static ssize_t mounts_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	return snprintf(buf, size, "self/mounts");
}

static ssize_t net_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	return snprintf(buf, size, "self/net");
}

static const struct proc_entry root_links[] = {
	PROC_LINK("self", self_link),
	PROC_LINK("thread-self", thread_self_link),
	PROC_LINK("mounts", mounts_link),
	PROC_LINK("net", net_link),
	{ .name = NULL },
};

/* The struct pid of a process or thread by number, with a reference; NULL if no task bears it. */
static struct pid *pid_of_task(pid_t nr)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *p = pid_find(nr);

	if (p && p->task)
		pid_get(p);
	else
		p = NULL;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return p;
}

/* By number, for who has no inode; false when the task has gone. */
static bool pid_hidden(pid_t nr, enum proc_hide from)
{
	struct task *t = NULL;
	struct pid *p;
	unsigned long flags;
	bool r;

	flags = spin_lock_irqsave(&tasklist_lock);
	p = pid_find(nr);
	t = p ? p->task : NULL;
	if (t)
		task_get(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	r = t && proc_hides(t, from);
	if (t)
		task_put(t);
	return r;
}

static int root_lookup(struct inode *dir, struct dentry *d)
{
	const struct proc_entry *e = proc_find_entry(root_links, d);
	struct pid *tid;
	u32 nr;
	int r;

	if (!e)
		e = proc_find_entry(proc_system_entries, d);
	if (e)
		return proc_instantiate(dir, d, e, NULL, -1);
	d->flags |= DENTRY_NOCACHE | DENTRY_REVAL;
	if (d->name[0] < '1' || d->name[0] > '9' || d->name[d->len - 1] == '\n' ||
	    kstrtou32(d->name, 10, &nr) || nr > INT_MAX)
		return -ENOENT;
	tid = pid_of_task((pid_t)nr);
	if (!tid)
		return -ENOENT;
	r = pid_hidden((pid_t)nr, HIDE_NOT_PTRACEABLE)
		    ? -ENOENT
		    : proc_instantiate(dir, d, &proc_pid_entry, tid, -1);
	pid_put(tid);
	return r;
}

#define PID_BASE 1000 /* positions below are the system's files */

static int root_iterate(struct file *f, struct dir_ctx *ctx)
{
	pid_t nr;

	if (!proc_emit_dots(f, ctx) || !proc_emit_table(f, ctx, root_links, 2) ||
	    !proc_emit_table(f, ctx, proc_system_entries, 100))
		return 0;
	if (ctx->pos < PID_BASE)
		ctx->pos = PID_BASE;
	while ((nr = pid_next((pid_t)(ctx->pos - PID_BASE))) != 0) {
		char name[12];
		int len = snprintf(name, sizeof(name), "%d", nr);

		if (!pid_hidden(nr, HIDE_INVISIBLE) &&
		    !ctx->emit(ctx, name, (size_t)len, (u64)nr << 20, 4, PID_BASE + nr + 1))
			return 0;
		ctx->pos = PID_BASE + nr + 1;
	}
	return 0;
}

static const struct inode_ops root_ops = { .lookup = root_lookup, .revalidate = proc_revalidate };
static const struct file_ops root_fops = { .iterate = root_iterate };
static const struct proc_entry root_entry = {
	.name = "/", .mode = S_IFDIR | 0555, .iops = &root_ops, .fops = &root_fops
};

static const struct super_ops plain_super_ops = { .evict = proc_evict };

int proc_fill_super(struct super *sb, const struct proc_entry *entry, u64 magic)
{
	struct inode *root;

	sb->ops = &plain_super_ops;
	sb->magic = magic;
	root = proc_new_inode(sb, entry, NULL, -1);
	sb->root = root ? d_alloc(sb, NULL, "/", 1) : NULL;
	if (!sb->root) {
		if (root)
			inode_put(root);
		return -ENOMEM;
	}
	d_instantiate(sb->root, root);
	return 0;
}

/* ---- the options hidepid and gid ---- */

struct proc_options {
	enum proc_hide hide;
	gid_t gid; /* this group sees everything */
};

static struct proc_options options;

bool proc_hides(struct task *t, enum proc_hide from)
{
	if (options.hide < from)
		return false;
	if (options.hide != HIDE_NOT_PTRACEABLE && creds_in_group(current->creds, options.gid))
		return false;
	return ptrace_may_access(t, PTRACE_MODE_READ_FSCREDS) != 0;
}

static int parse_option(void *ctx, const char *key, const char *val)
{
	static const char *const names[] = { "off", "noaccess", "invisible", NULL, "ptraceable" };
	struct proc_options *o = ctx;
	u32 v;

	if (!strcmp(key, "gid"))
		return mount_option_u32(val, 0, &o->gid);
	if (strcmp(key, "hidepid") != 0 || !val)
		return -EINVAL;
	for (v = 0; v < ARRAY_SIZE(names); v++)
		if (names[v] && !strcmp(val, names[v]))
			break;
	if (v == ARRAY_SIZE(names) && kstrtou32(val, 0, &v))
		return -EINVAL;
	if (v >= ARRAY_SIZE(names) || !names[v])
		return -EINVAL;
	o->hide = v;
	return 0;
}

static int proc_change(struct super *sb, unsigned long flags, const char *data)
{
	struct proc_options next = options;
	int r = mount_options(data, parse_option, &next);

	if (!r)
		options = next;
	return r;
}

static void proc_show_options(struct super *sb, char *buf, size_t size)
{
	static const char *const names[] = { "", ",hidepid=noaccess", ",hidepid=invisible", "",
					     ",hidepid=ptraceable" };
	int n = 0;

	if (options.gid)
		n = scnprintf(buf, size, ",gid=%u", options.gid);
	scnprintf(buf + n, size - (size_t)n, "%s", names[options.hide]);
}

static const struct super_ops proc_super_ops = { .evict = proc_evict,
						 .remount = proc_change,
						 .show_options = proc_show_options };

static int proc_fill(struct super *sb, const char *source, const char *data)
{
	int r = proc_fill_super(sb, &root_entry, PROC_SUPER_MAGIC);

	sb->ops = &proc_super_ops;
	return r ? r : proc_change(sb, 0, data);
}

static struct fs_type proc_type = {
	.name = "proc",
	.nodev = true,
	.fill = proc_fill,
	.single = true,
	.option = parse_option,
	.options_size = sizeof(struct proc_options),
};

void procfs_init(void)
{
	fs_type_register(&proc_type);
}

/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/fd, fdinfo and task: directories whose names are numbers. Source: proc_pid_fd(5), proc_pid_fdinfo(5).
 */
#include <fs/procfs/proc.h>

static const struct proc_entry fd_entry = { .name = "FD",
					    .mode = S_IFLNK | 0700,
					    .link = proc_fd_link };
static const struct proc_entry fdinfo_entry = { .name = "FD",
						.mode = S_IFREG | 0400,
						.private = true };

/* The open file of a task's descriptor with a reference, or NULL. */
static struct file *task_file(struct task *t, int fd)
{
	struct fdtable *ft = task_files_get(t);
	struct file *f = ft ? fdtable_lookup(ft, fd) : NULL;

	if (ft)
		fdtable_put(ft);
	return f;
}

ssize_t proc_fd_link(struct task *t, int fd, char *buf, size_t size, struct path *jump)
{
	struct file *f = task_file(t, fd);

	if (!f)
		return -ENOENT;
	*jump = f->path;
	path_get(jump);
	file_put(f);
	return 0;
}

int proc_fdinfo_show(struct printbuf *pb, struct task *t, int fd)
{
	struct file *f = t ? task_file(t, fd) : NULL;
	struct fdtable *ft;
	bool cloexec = false;

	if (!f)
		return -ENOENT;
	ft = task_files_get(t);
	if (ft) {
		fdtable_next(ft, fd, &cloexec);
		fdtable_put(ft);
	}
	printbuf_printf(pb, "pos:\t%lli\nflags:\t0%o\nmnt_id:\t%d\nino:\t%llu\n", f->pos,
			f->flags | (cloexec ? O_CLOEXEC : 0), f->path.mnt ? f->path.mnt->id : 0,
			f->inode->ino);
	if (f->ops->show_fdinfo)
		f->ops->show_fdinfo(f, pb);
	file_put(f);
	return 0;
}

static int lookup_number(struct inode *dir, struct dentry *d, const struct proc_entry *e)
{
	struct task *t;
	struct file *f;
	u32 fd;
	int r;

	d->flags |= DENTRY_NOCACHE | DENTRY_REVAL;
	if ((d->name[0] == '0' && d->len > 1) || d->name[0] < '0' || d->name[0] > '9' ||
	    d->name[d->len - 1] == '\n' || kstrtou32(d->name, 10, &fd))
		return -ENOENT;
	t = proc_task(dir);
	if (!t)
		return -ENOENT;
	r = proc_may_access(t);
	f = r ? NULL : task_file(t, (int)fd);
	if (!r && !f)
		r = -ENOENT;
	if (f) {
		r = proc_instantiate(dir, d, e, proc_i(dir)->tid, (int)fd);
		if (!r && e == &fd_entry) /* the link's mode tells how the file is open */
			d_inode(d)->mode = S_IFLNK |
					   (f->mode & (FMODE_READ | FMODE_PATH) ? 0500 : 0) |
					   (f->mode & FMODE_WRITE ? 0300 : 0);
		file_put(f);
	}
	task_put(t);
	return r;
}

static int fd_lookup(struct inode *dir, struct dentry *d)
{
	return lookup_number(dir, d, &fd_entry);
}
static int fdinfo_lookup(struct inode *dir, struct dentry *d)
{
	return lookup_number(dir, d, &fdinfo_entry);
}

static int fd_revalidate(struct dentry *d)
{
	struct inode *i = d_inode(d);
	struct task *t = i ? proc_task(i) : NULL;
	struct file *f = t ? task_file(t, proc_i(i)->fd) : NULL;

	if (f)
		file_put(f);
	if (t)
		task_put(t);
	return f != NULL;
}

static int fd_iterate(struct file *f, struct dir_ctx *ctx)
{
	struct task *t = proc_task(f->inode);
	struct fdtable *ft;
	int fd, r;

	if (!t)
		return -ENOENT;
	r = proc_may_access(t);
	ft = r ? NULL : task_files_get(t);
	task_put(t);
	if (r)
		return r;
	if (!proc_emit_dots(f, ctx) || !ft)
		goto out;
	while ((fd = fdtable_next(ft, (int)ctx->pos - 2, NULL)) >= 0) {
		char name[12];
		int len = snprintf(name, sizeof(name), "%d", fd);

		if (!ctx->emit(ctx, name, (size_t)len, f->inode->ino + (u64)fd + 1, 10, fd + 3))
			break;
		ctx->pos = fd + 3;
	}
out:
	if (ft)
		fdtable_put(ft);
	return 0;
}

const struct inode_ops proc_fd_dir_ops = { .lookup = fd_lookup, .revalidate = fd_revalidate };
const struct inode_ops proc_fdinfo_dir_ops = { .lookup = fdinfo_lookup,
					       .revalidate = fd_revalidate };
const struct file_ops proc_fd_dir_fops = { .iterate = fd_iterate };
const struct file_ops proc_fdinfo_dir_fops = { .iterate = fd_iterate };

/* ---- task ---- */

/* The thread of @p with the smallest id >= @nr: 0 if there is none. */
static pid_t next_thread(struct process *p, pid_t nr)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task *t;
	pid_t best = 0;

	list_for_each_entry(t, &p->threads, thread_link)
		if (task_tid(t) >= nr && (!best || task_tid(t) < best))
			best = task_tid(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return best;
}

static int tasks_lookup(struct inode *dir, struct dentry *d)
{
	struct task *owner = proc_task(dir), *t;
	u32 nr;
	int r = -ENOENT;

	d->flags |= DENTRY_NOCACHE | DENTRY_REVAL;
	if (!owner)
		return -ENOENT;
	if (d->name[0] >= '1' && d->name[0] <= '9' && !kstrtou32(d->name, 10, &nr) &&
	    nr <= INT_MAX && (t = task_find_get((pid_t)nr)) != NULL) {
		if (t->process == owner->process)
			r = proc_instantiate(dir, d, &proc_task_entry, t->tid, -1);
		task_put(t);
	}
	task_put(owner);
	return r;
}

static int tasks_iterate(struct file *f, struct dir_ctx *ctx)
{
	struct task *owner = proc_task(f->inode);
	pid_t nr;

	if (!owner)
		return -ENOENT;
	if (!proc_emit_dots(f, ctx))
		goto out;
	while ((nr = next_thread(owner->process, (pid_t)ctx->pos - 2)) != 0) {
		char name[12];
		int len = snprintf(name, sizeof(name), "%d", nr);

		if (!ctx->emit(ctx, name, (size_t)len, ((u64)nr << 20) + 1, 4, nr + 3))
			break;
		ctx->pos = nr + 3;
	}
out:
	task_put(owner);
	return 0;
}

static int tasks_revalidate(struct dentry *d)
{
	struct task *t = d_inode(d) ? proc_task(d_inode(d)) : NULL;

	if (t)
		task_put(t);
	return t != NULL;
}

const struct inode_ops proc_tasks_ops = { .lookup = tasks_lookup, .revalidate = tasks_revalidate };
const struct file_ops proc_tasks_fops = { .iterate = tasks_iterate };

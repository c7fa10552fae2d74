/* SPDX-License-Identifier: MIT */
/*
 * Descriptors for processes, or (PIDFD_THREAD) threads: readable when what they stand for has ended. Source: pidfd_open(2).
 */
#include <fs/internal.h>
#include <kernel/files.h>
#include <uapi/poll.h>

struct pidfd {
	struct process *process; /* reference */
	struct task *thread;	 /* reference; NULL: stands for the process */
};

static bool has_ended(const struct pidfd *p)
{
	if (p->thread && READ_ONCE(p->process->nthreads) > 1)
		return list_empty(&p->thread->thread_link);
	return READ_ONCE(p->process->zombie);
}

static bool is_reaped(const struct pidfd *p)
{
	if (p->thread && p->thread->tid != p->process->pid)
		return READ_ONCE(p->thread->tid->task) != p->thread;
	return READ_ONCE(p->process->pid->process) != p->process;
}

static u32 pidfd_poll(struct file *f, struct poll_table *pt)
{
	const struct pidfd *p = f->priv;
	u32 events = 0;

	poll_wait(f, &p->process->exit_wait, pt);
	if (has_ended(p))
		events |= POLLIN | POLLRDNORM;
	if (is_reaped(p))
		events |= POLLIN | POLLRDNORM | POLLHUP;
	return events;
}

static void pidfd_free(struct pidfd *p)
{
	if (p->thread)
		task_put(p->thread);
	process_put(p->process);
	kfree(p);
}

static void pidfd_release(struct file *f)
{
	pidfd_free(f->priv);
}

static void pidfd_show(struct file *f, struct printbuf *pb)
{
	const struct pidfd *p = f->priv;
	pid_t nr = is_reaped(p) ? -1 : p->thread ? task_tid(p->thread) : p->process->pid->nr;

	printbuf_printf(pb, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static const struct file_ops pidfd_ops = { .poll = pidfd_poll,
					   .release = pidfd_release,
					   .show_fdinfo = pidfd_show };

int pidfd_reserve(struct process *process, struct task *thread, unsigned int flags,
		  struct file **out)
{
	struct pidfd *p = kmalloc(sizeof(*p), GFP_KERNEL);
	int fd;

	if (!p)
		return -ENOMEM;
	*p = (struct pidfd){ process, thread };
	refcount_inc(&process->refs);
	if (thread)
		task_get(thread);
	*out = anon_file_create("anon_inode:[pidfd]", &pidfd_ops, p, O_RDWR | flags);
	if (IS_ERR(*out)) {
		pidfd_free(p);
		return (int)PTR_ERR(*out);
	}
	fd = fd_reserve(0, true);
	if (fd < 0)
		file_put(*out);
	return fd;
}

void pidfd_install(int fd, struct file *f)
{
	fd_install(fd, f);
}

void pidfd_cancel(int fd, struct file *f)
{
	fd_unreserve(fd);
	file_put(f);
}

struct process *pidfd_get(int fd, struct task **thread, unsigned int *flags)
{
	struct fd f = fdget(fd);
	struct process *process = ERR_PTR(-EBADF);

	if (f.file && f.file->ops == &pidfd_ops) {
		const struct pidfd *p = f.file->priv;

		process = p->process;
		refcount_inc(&process->refs);
		*flags = f.file->flags & (O_NONBLOCK | O_EXCL);
		*thread = p->thread;
		if (p->thread)
			task_get(p->thread);
	}
	if (f.file)
		fdput(f);
	return process;
}

struct process *pidfd_get_signal(int fd, struct task **thread, unsigned int *flags)
{
	struct process *process = pidfd_get(fd, thread, flags);
	struct fd f;

	if (!IS_ERR(process))
		return process;
	f = fdget(fd);
	if (f.file) {
		process = proc_dir_process(f.file);
		*flags = 0;
		fdput(f);
	}
	return process;
}

struct process *pidfd_get_process(int fd)
{
	struct task *thread = NULL;
	unsigned int flags;
	struct process *p = pidfd_get(fd, &thread, &flags);

	if (!IS_ERR(p) && thread)
		task_put(thread);
	return p;
}

/* SPDX-License-Identifier: MIT */
/*
 * Descriptors for processes: readable when the process has ended. Source: pidfd_open(2).
 */
#include <fs/internal.h>
#include <kernel/files.h>
#include <uapi/poll.h>

static u32 pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct process *p = f->priv;

	poll_wait(f, &p->exit_wait, pt);
	return READ_ONCE(p->zombie) ? POLLIN | POLLRDNORM : 0;
}

static void pidfd_release(struct file *f)
{
	process_put(f->priv);
}

static void pidfd_show(struct file *f, struct printbuf *pb)
{
	struct process *p = f->priv;

	printbuf_printf(pb, "Pid:\t%d\nNSpid:\t%d\n", p->pid->nr, p->pid->nr);
}

static const struct file_ops pidfd_ops = { .poll = pidfd_poll,
					   .release = pidfd_release,
					   .show_fdinfo = pidfd_show };

int pidfd_create(struct process *p, unsigned int flags)
{
	struct file *f;
	int fd;

	refcount_inc(&p->refs);
	f = anon_file_create("anon_inode:[pidfd]", &pidfd_ops, p, O_RDWR | (flags & O_NONBLOCK));
	if (IS_ERR(f)) {
		process_put(p);
		return (int)PTR_ERR(f);
	}
	fd = fd_alloc_install(f, 0, true);
	if (fd < 0)
		file_put(f);
	return fd;
}

struct process *pidfd_get_process(int fd)
{
	struct fd f = fdget(fd);
	struct process *p = ERR_PTR(-EBADF);

	if (f.file && f.file->ops == &pidfd_ops) {
		p = f.file->priv;
		refcount_inc(&p->refs);
	}
	if (f.file)
		fdput(f);
	return p;
}

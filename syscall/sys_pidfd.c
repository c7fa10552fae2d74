/* SPDX-License-Identifier: MIT */
/* Other processes' things by number: pidfd_open(2), pidfd_getfd(2), pidfd_send_signal(2), process_madvise(2), kcmp(2). */
#include <fs/events.h>
#include <fs/file.h>
#include <fs/vfs.h>
#include <kernel/files.h>
#include <kernel/kill.h>
#include <kernel/ptrace.h>
#include <kernel/random.h>
#include <kernel/siginfo.h>
#include <kernel/signal.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <mm/slab.h>
#include <syscall/internal.h>
#include <syscall/proto.h>
#include <uapi/capability.h>
#include <uapi/fcntl.h>
#include <uapi/mman.h>
#include <uapi/uio.h>

#define PIDFD_NONBLOCK O_NONBLOCK
#define PIDFD_THREAD   O_EXCL

/* pidfd_send_signal's flags: whom, whatever the descriptor stands for. */
#define PIDFD_SIGNAL_THREAD	   1u
#define PIDFD_SIGNAL_THREAD_GROUP  2u
#define PIDFD_SIGNAL_PROCESS_GROUP 4u
#define PIDFD_SIGNAL_ANY	   7u

long sys_pidfd_open(pid_t pid, uint flags)
{
	struct task *t;
	struct file *f;
	int fd = -EINVAL;

	if ((flags & ~(PIDFD_NONBLOCK | PIDFD_THREAD)) || pid <= 0)
		return -EINVAL;
	t = task_find_get(pid);
	if (!t || !t->process) {
		if (t)
			task_put(t);
		return -ESRCH;
	}
	if ((flags & PIDFD_THREAD) || t->tid == t->process->pid)
		fd = pidfd_reserve(t->process, flags & PIDFD_THREAD ? t : NULL, flags, &f);
	if (fd >= 0)
		pidfd_install(fd, f);
	task_put(t);
	return fd;
}

/* ---- signals ---- */

static int send_to(struct process *p, struct task *thread, uint flags, int sig,
		   const struct siginfo *info)
{
	switch (flags) {
	case PIDFD_SIGNAL_THREAD:
		return kill_thread(0, thread ? task_tid(thread) : p->pid->nr, sig, info);
	case PIDFD_SIGNAL_PROCESS_GROUP:
		return kill_any(-p->pid->nr, sig, info);
	default:
		return READ_ONCE(p->pid->process) == p ? kill_process(p, sig, info) : -ESRCH;
	}
}

long sys_pidfd_send_signal(fd_t fd, int sig, uaddr_t uinfo, uint flags)
{
	struct task *thread = NULL;
	struct siginfo info;
	struct process *p;
	uint fdflags;
	pid_t nr;
	int r = 0;

	if ((flags & ~PIDFD_SIGNAL_ANY) || (flags & (flags - 1)))
		return -EINVAL;
	p = pidfd_get_signal(fd, &thread, &fdflags);
	if (IS_ERR(p))
		return PTR_ERR(p);
	if (!flags)
		flags = thread ? PIDFD_SIGNAL_THREAD : PIDFD_SIGNAL_THREAD_GROUP;
	nr = thread ? task_tid(thread) : p->pid->nr;
	sig_info_user(&info, sig, flags == PIDFD_SIGNAL_THREAD ? SI_TKILL : SI_USER);
	if (uinfo) {
		r = siginfo_from_user(&info, -1, uinfo);
		if (!r && info.si_signo != sig)
			r = -EINVAL;
		if (!r && (info.si_code >= 0 || info.si_code == SI_TKILL) &&
		    nr != task_tid(current))
			r = -EPERM;
	}
	if (!r)
		r = send_to(p, thread, flags, sig, &info);
	if (thread)
		task_put(thread);
	process_put(p);
	return r;
}

/* ---- descriptors of others ---- */

static struct file *file_of(struct task *t, int fd)
{
	struct fdtable *ft = task_files_get(t);
	struct file *f;

	if (!ft)
		return NULL;
	f = fdtable_lookup(ft, fd);
	fdtable_put(ft);
	return f;
}

/* The main thread of a process, or another while that one has ended, with a reference. */
static struct task *task_of_process(struct process *p)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task *t = list_first_entry_or_null(&p->threads, struct task, thread_link);

	if (t)
		task_get(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return t;
}

static long take_file(struct task *t, int theirs)
{
	struct file *f;
	long r = ptrace_may_access(t, PTRACE_MODE_ATTACH_REALCREDS);

	if (r)
		return r;
	f = file_of(t, theirs);
	if (!f)
		return t->flags & TASK_F_EXITING ? -ESRCH : -EBADF;
	r = fd_alloc_install(f, 0, true);
	if (r < 0)
		file_put(f);
	return r;
}

long sys_pidfd_getfd(fd_t fd, int theirs, uint flags)
{
	struct task *t = NULL;
	struct process *p;
	uint fdflags;
	long r;

	if (flags)
		return -EINVAL;
	p = pidfd_get(fd, &t, &fdflags);
	if (IS_ERR(p))
		return PTR_ERR(p);
	if (!t)
		t = task_of_process(p);
	r = t ? take_file(t, theirs) : -ESRCH;
	if (t)
		task_put(t);
	process_put(p);
	return r;
}

/* ---- memory of others ---- */

/* Advise piece after piece of @iov. Bytes done, or the first error if there are none. */
static long advise_pieces(struct vm *vm, const struct iovec_u *iov, size_t n, int advice)
{
	size_t done = 0;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		r = vm_advise(vm, iov[i].base, iov[i].len, advice);
		if (!r)
			done += iov[i].len;
	}
	return done ? (long)done : r;
}

static long advise_process(fd_t pidfd, const struct iovec_u *iov, size_t n, int advice)
{
	struct process *p = pidfd_get_process(pidfd);
	struct task *t;
	struct vm *vm;
	long r = -EINVAL;

	if (IS_ERR(p))
		return PTR_ERR(p);
	t = task_of_process(p);
	vm = t ? task_vm_get(t) : NULL;
	if (!vm)
		r = -ESRCH;
	else if (ptrace_may_access(t, PTRACE_MODE_READ_FSCREDS))
		r = -EACCES;
	else if (advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED)
		r = capable(CAP_SYS_NICE) ? advise_pieces(vm, iov, n, advice) : -EPERM;
	if (vm)
		vm_put(vm);
	if (t)
		task_put(t);
	process_put(p);
	return r;
}

long sys_process_madvise(fd_t pidfd, uaddr_t uvec, size_t n, int advice, uint flags)
{
	struct iovec_u fast[UIO_FASTIOV], *iov;
	size_t total;
	long r;

	if (flags)
		return -EINVAL;
	iov = import_iov(uvec, n, fast, &total);
	if (IS_ERR(iov))
		return PTR_ERR(iov);
	r = advise_process(pidfd, iov, n, advice);
	if (iov != fast)
		kfree(iov);
	return r;
}

/* ---- kcmp ---- */

enum kcmp_type {
	KCMP_FILE,
	KCMP_VM,
	KCMP_FILES,
	KCMP_FS,
	KCMP_SIGHAND,
	KCMP_IO,
	KCMP_SYSVSEM,
	KCMP_EPOLL_TFD,
	KCMP_TYPES
};

struct kcmp_epoll_slot {
	u32 efd, tfd, toff;
};

/* The order tells nothing of addresses: they are mixed with numbers drawn at the first call. */
static long compare(const void *a, const void *b)
{
	static u64 mix[2];
	u64 x = (u64)(unsigned long)a, y = (u64)(unsigned long)b;

	if (!READ_ONCE(mix[1])) {
		WRITE_ONCE(mix[0], random_u64());
		WRITE_ONCE(mix[1], random_u64() | 1);
	}
	x = (x ^ mix[0]) * mix[1];
	y = (y ^ mix[0]) * mix[1];
	return x == y ? 0 : x < y ? 1 : 2;
}

static long compare_files(struct task *a, struct task *b, ulong fd_a, ulong fd_b)
{
	struct file *x = fd_a <= INT_MAX ? file_of(a, (int)fd_a) : NULL,
		    *y = fd_b <= INT_MAX ? file_of(b, (int)fd_b) : NULL;
	long r = x && y ? compare(x, y) : -EBADF;

	if (x)
		file_put(x);
	if (y)
		file_put(y);
	return r;
}

/* A file of @a against one that an epoll instance of @b watches. */
static long compare_epoll(struct task *a, struct task *b, ulong fd, uaddr_t uslot)
{
	struct kcmp_epoll_slot slot;
	struct file *x, *ep;
	const struct file *watched;
	long r = -EBADF;

	if (get_user_obj(&slot, uslot))
		return -EFAULT;
	x = fd <= INT_MAX ? file_of(a, (int)fd) : NULL;
	ep = file_of(b, (int)slot.efd);
	if (x && ep) {
		watched = epoll_watched(ep, (int)slot.tfd, slot.toff);
		r = IS_ERR(watched) ? PTR_ERR(watched) : compare(x, watched);
	}
	if (x)
		file_put(x);
	if (ep)
		file_put(ep);
	return r;
}

static long kcmp_tasks(struct task *a, struct task *b, int type, ulong idx1, ulong idx2)
{
	switch ((enum kcmp_type)type) {
	case KCMP_FILE:
		return compare_files(a, b, idx1, idx2);
	case KCMP_VM:
		return compare(READ_ONCE(a->vm), READ_ONCE(b->vm));
	case KCMP_FILES:
		return compare(READ_ONCE(a->files), READ_ONCE(b->files));
	case KCMP_FS:
		return compare(READ_ONCE(a->fs), READ_ONCE(b->fs));
	case KCMP_SIGHAND:
		return compare(READ_ONCE(a->process->sighand), READ_ONCE(b->process->sighand));
	case KCMP_IO: /* nobody has an I/O context, nobody has semaphores to undo */
	case KCMP_SYSVSEM:
		return 0;
	case KCMP_EPOLL_TFD:
		return compare_epoll(a, b, idx1, idx2);
	default:
		return -EINVAL;
	}
}

long sys_kcmp(pid_t pid1, pid_t pid2, int type, ulong idx1, ulong idx2)
{
	struct task *a = task_find_get(pid1), *b = task_find_get(pid2);
	long r = -ESRCH;

	if (a && b && a->process && b->process) {
		r = ptrace_may_access(a, PTRACE_MODE_READ_REALCREDS);
		if (!r)
			r = ptrace_may_access(b, PTRACE_MODE_READ_REALCREDS);
		if (!r)
			r = kcmp_tasks(a, b, type, idx1, idx2);
	}
	if (a)
		task_put(a);
	if (b)
		task_put(b);
	return r;
}

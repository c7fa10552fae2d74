/* SPDX-License-Identifier: MIT */
/*
 * signalfd: pending signals read from a file. A read takes signals of the reading task; pollers sleep on a queue of the
 * process that every sent signal wakes. Locking: sighand->lock. Source: signalfd(2).
 */
#include <fs/events.h>
#include <fs/internal.h>
#include <uapi/poll.h>

struct signalfd_siginfo {
	u32 ssi_signo;
	s32 ssi_errno, ssi_code;
	u32 ssi_pid, ssi_uid;
	s32 ssi_fd;
	u32 ssi_tid, ssi_band, ssi_overrun, ssi_trapno;
	s32 ssi_status, ssi_int;
	u64 ssi_ptr, ssi_utime, ssi_stime, ssi_addr;
	u16 ssi_addr_lsb, pad2;
	s32 ssi_syscall;
	u64 ssi_call_addr;
	u32 ssi_arch;
	u8 pad[28];
};
_Static_assert(sizeof(struct signalfd_siginfo) == 128, "ABI");

struct signalfd {
	u64 mask;
};

static const struct file_ops signalfd_ops;

static u64 usable(u64 mask)
{
	return mask & ~((1ULL << (SIGKILL - 1)) | (1ULL << (SIGSTOP - 1)));
}

static bool pending(struct signalfd *s)
{
	struct task *t = current;

	return (READ_ONCE(t->pending.set) | READ_ONCE(t->process->shared_pending.set)) &
	       READ_ONCE(s->mask);
}

/* Which part of a siginfo is filled. Source: sigaction(2), "The siginfo_t argument to a SA_SIGINFO handler". */
enum layout { BY_KILL, BY_TIMER, BY_QUEUE, BY_CHILD, BY_FAULT, BY_POLL, BY_SYSCALL };

static enum layout layout_of(const struct siginfo *in)
{
	if (in->si_code == SI_TIMER)
		return BY_TIMER;
	if (in->si_code == SI_SIGIO)
		return BY_POLL;
	if (in->si_code < 0)
		return BY_QUEUE;
	if (in->si_code == SI_USER || in->si_code >= SI_KERNEL)
		return BY_KILL;
	switch (in->si_signo) {
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP:
		return BY_FAULT;
	case SIGCHLD:
		return BY_CHILD;
	case SIGSYS:
		return BY_SYSCALL;
	default:
		return in->si_code <= POLL_HUP ? BY_POLL : BY_KILL;
	}
}

static void convert(const struct siginfo *in, struct signalfd_siginfo *out)
{
	enum layout layout = layout_of(in);

	memset(out, 0, sizeof(*out));
	out->ssi_signo = (u32)in->si_signo;
	out->ssi_errno = in->si_errno;
	out->ssi_code = in->si_code;
	switch (layout) {
	case BY_TIMER:
		out->ssi_tid = (u32)in->timer.tid;
		out->ssi_overrun = (u32)in->timer.overrun;
		out->ssi_int = (s32)in->timer.value;
		out->ssi_ptr = in->timer.value;
		break;
	case BY_FAULT:
		out->ssi_addr = in->fault.addr;
		out->ssi_addr_lsb = (u16)in->fault.addr_lsb;
		break;
	case BY_POLL:
		out->ssi_band = (u32)in->poll.band;
		out->ssi_fd = in->poll.fd;
		break;
	case BY_SYSCALL:
		out->ssi_call_addr = in->sys.call_addr;
		out->ssi_syscall = in->sys.syscall;
		out->ssi_arch = in->sys.arch;
		break;
	case BY_CHILD:
		out->ssi_status = in->chld.status;
		out->ssi_utime = (u64)in->chld.utime;
		out->ssi_stime = (u64)in->chld.stime;
		goto sender;
	case BY_QUEUE:
		out->ssi_int = (s32)in->rt.value;
		out->ssi_ptr = in->rt.value;
		goto sender;
	case BY_KILL:
sender:
		out->ssi_pid = (u32)in->rt.pid;
		out->ssi_uid = in->rt.uid;
		break;
	}
}

static int take_signal(struct signalfd *s, struct siginfo *info)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(current->process, &flags);
	int sig = sig_dequeue(current, s->mask, info);

	if (sig)
		sig_recalc(current);
	spin_unlock_irqrestore(&sh->lock, flags);
	return sig;
}

static ssize_t signalfd_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct signalfd *s = f->priv;
	struct signalfd_siginfo out;
	struct siginfo info;
	ssize_t done = 0;
	int r;

	if (to->count < sizeof(out))
		return -EINVAL;
	while (to->count >= sizeof(out)) {
		if (!take_signal(s, &info)) {
			if (done)
				break;
			if (f->flags & O_NONBLOCK)
				return -EAGAIN;
			r = wait_event_interruptible(&current->process->signalfd_wait, pending(s));
			if (r)
				return r;
			continue;
		}
		convert(&info, &out);
		if (iov_iter_to(to, &out, sizeof(out)) != sizeof(out))
			return done ? done : -EFAULT;
		done += sizeof(out);
	}
	return done;
}

static u32 signalfd_poll(struct file *f, struct poll_table *pt)
{
	poll_wait(f, &current->process->signalfd_wait, pt);
	return pending(f->priv) ? POLLIN | POLLRDNORM : 0;
}

static void signalfd_release(struct file *f)
{
	kfree(f->priv);
}

static void signalfd_show(struct file *f, struct printbuf *pb)
{
	struct signalfd *s = f->priv;

	printbuf_printf(pb, "sigmask:\t%016llx\n", s->mask);
}

static const struct file_ops signalfd_ops = {
	.llseek = noop_llseek,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.release = signalfd_release,
	.show_fdinfo = signalfd_show,
};

int signalfd_set(struct file *f, u64 mask)
{
	struct signalfd *s = f->priv;

	if (f->ops != &signalfd_ops)
		return -EINVAL;
	WRITE_ONCE(s->mask, usable(mask));
	waitq_wake_all(&current->process->signalfd_wait);
	return 0;
}

struct file *signalfd_create(u64 mask, int flags)
{
	struct signalfd *s = kmalloc(sizeof(*s), GFP_KERNEL);
	struct file *f;

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->mask = usable(mask);
	f = anon_file_create("anon_inode:[signalfd]", &signalfd_ops, s,
			     O_RDWR | ((unsigned int)flags & O_NONBLOCK));
	if (IS_ERR(f))
		kfree(s);
	return f;
}

/* SPDX-License-Identifier: MIT */
/*
 * Terminals as files: reading and writing, settings, sessions and job control.
 *
 * tty_setup() prepares a terminal, tty_file_ops serve its open files. A session's controlling terminal hangs on the session's
 * struct pid, and the terminal knows its session and foreground process group; all three are guarded by tasklist_lock.
 * Locking: tty->lock (mutex), outside tasklist_lock.
 * Source: ioctl_tty(2), termios(3), credentials(7), setsid(2).
 */
#include <fs/internal.h>
#include <fs/tty/tty.h>
#include <kernel/process.h>
#include <kernel/time.h>
#include <uapi/capability.h>

const struct termios2 tty_default_termios = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD | HUPCL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = { [VINTR] = 3,
		  [VQUIT] = 28,
		  [VERASE] = 127,
		  [VKILL] = 21,
		  [VEOF] = 4,
		  [VMIN] = 1,
		  [VSTART] = 17,
		  [VSTOP] = 19,
		  [VSUSP] = 26,
		  [VREPRINT] = 18,
		  [VDISCARD] = 15,
		  [VWERASE] = 23,
		  [VLNEXT] = 22 },
	.c_ispeed = 38400,
	.c_ospeed = 38400,
};

void tty_setup(struct tty *t, const struct tty_ops *ops, const char *name, u64 rdev)
{
	memset(t, 0, sizeof(*t));
	refcount_set(&t->refs, 1);
	t->ops = ops;
	t->rdev = rdev;
	strlcpy(t->name, name, sizeof(t->name));
	mutex_init(&t->lock);
	t->termios = tty_default_termios;
	waitq_init(&t->rd_wait);
	waitq_init(&t->wr_wait);
}

void tty_put(struct tty *t)
{
	if (!refcount_dec_and_test(&t->refs))
		return;
	kfree(t); /* never the console: it keeps a reference of its own */
}

void tty_wake_writers(struct tty *t)
{
	waitq_wake_poll(&t->wr_wait, POLLOUT | POLLWRNORM);
}

static struct tty *tty_of(struct file *f)
{
	return f->priv;
}

static bool is_dead(struct tty *t, struct file *f)
{
	return READ_ONCE(t->hangups) != f->owner_seen;
}

/* ---- sessions ---- */

/* The references of an old association, to be dropped outside the lock. */
struct ctty_refs {
	struct tty *tty;
	struct pid *pgrp, *session;
};

static void ctty_refs_put(struct ctty_refs *r)
{
	if (r->tty)
		tty_put(r->tty);
	if (r->pgrp)
		pid_put(r->pgrp);
	if (r->session)
		pid_put(r->session);
}

/* Undo @session's association with its terminal. tasklist_lock held. */
static struct ctty_refs ctty_clear(struct pid *session)
{
	struct tty *t = session->session_tty;
	struct ctty_refs r = { t, t->pgrp, t->session };

	session->session_tty = NULL;
	t->pgrp = t->session = NULL;
	return r;
}

/* Make @t the controlling terminal of current's session. tasklist_lock held; both are free. */
static void ctty_set(struct tty *t)
{
	struct process *p = current->process;

	p->session->session_tty = tty_get(t);
	t->session = p->session;
	t->pgrp = p->pgrp;
	pid_get(t->session);
	pid_get(t->pgrp);
}

struct tty *tty_of_current(void)
{
	struct tty *t;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	t = current->process->session ? current->process->session->session_tty : NULL;
	if (t)
		tty_get(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return t;
}

static struct pid *get_pid(struct pid **slot)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *p = *slot;

	if (p)
		pid_get(p);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return p;
}

static void signal_pgrp(struct tty *t, int sig)
{
	struct pid *pgrp = get_pid(&t->pgrp);

	if (!pgrp)
		return;
	sig_send_pgrp(pgrp, sig, NULL);
	pid_put(pgrp);
}

/* The session's end of it: SIGHUP and SIGCONT to the foreground. */
void tty_disassociate(bool on_exit)
{
	struct process *p = current->process;
	struct ctty_refs refs = { NULL, NULL, NULL };
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	if (p->session_leader && p->session && p->session->session_tty)
		refs = ctty_clear(p->session);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (refs.pgrp) {
		sig_send_pgrp(refs.pgrp, SIGHUP, NULL);
		if (!on_exit)
			sig_send_pgrp(refs.pgrp, SIGCONT, NULL);
	}
	ctty_refs_put(&refs);
}

/* TIOCSCTTY. */
static int set_ctty(struct tty *t, struct file *f, bool steal)
{
	struct process *p = current->process;
	struct ctty_refs refs = { NULL, NULL, NULL };
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	int r = 0;

	if (p->session_leader && t->session == p->session)
		goto out;
	r = -EPERM;
	if (!p->session_leader || p->session->session_tty)
		goto out;
	if (t->session) {
		if (!steal || !capable(CAP_SYS_ADMIN))
			goto out;
		refs = ctty_clear(t->session);
	}
	if (!(f->mode & FMODE_READ) && !capable(CAP_SYS_ADMIN))
		goto out;
	ctty_set(t);
	r = 0;
out:
	spin_unlock_irqrestore(&tasklist_lock, flags);
	ctty_refs_put(&refs);
	return r;
}

/* Opening a terminal gives a session leader without one its controlling terminal. */
static void open_ctty(struct tty *t)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	if (p->session_leader && p->session && !p->session->session_tty && !t->session)
		ctty_set(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/* ---- job control ---- */

/*
 * A background process wants to use the terminal: 0 if it may; else it is sent @sig, -EINTR; -EIO when that would be
 * pointless (the signal is ignored or blocked, or nobody could continue the group).
 */
static int check_background(struct tty *t, int sig)
{
	struct process *p = current->process;
	struct pid *pgrp = NULL;
	u64 bit = 1ULL << (sig - 1);
	unsigned long flags;
	bool ignored, orphan = false;

	if (likely(READ_ONCE(t->pgrp) == p->pgrp) || READ_ONCE(t->session) != p->session)
		return 0;
	ignored = (current->blocked & bit) || p->sighand->action[sig - 1].handler == SIG_IGN;
	flags = spin_lock_irqsave(&tasklist_lock);
	if (t->pgrp && t->pgrp != p->pgrp) {
		pgrp = p->pgrp;
		pid_get(pgrp);
		orphan = process_group_is_orphaned(pgrp);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (!pgrp)
		return 0;
	if (ignored && sig == SIGTTOU) {
		pid_put(pgrp);
		return 0; /* a writer that ignores the signal may write */
	}
	if (!ignored && !orphan)
		sig_send_pgrp(pgrp, sig, NULL);
	pid_put(pgrp);
	return ignored || orphan ? -EIO : -EINTR;
}

/* ---- reading and writing ---- */

static ssize_t tty_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct tty *t = tty_of(f);
	ssize_t r;

	if (is_dead(t, f))
		return 0;
	r = check_background(t, SIGTTIN);
	if (r || !to->count)
		return r;
	mutex_lock(&t->lock);
	r = ldisc_read(t, f, to);
	mutex_unlock(&t->lock);
	if (r > 0 && t->ops->room)
		tty_input_room(t);
	return r;
}

static bool can_write(struct tty *t)
{
	return !READ_ONCE(t->stopped) && t->ops->room(t) >= 8;
}

/* Wait for room; lock not held. 0, -EAGAIN, -EINTR, -EIO. */
static int wait_room(struct tty *t, struct file *f)
{
	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_event_interruptible(&t->wr_wait, can_write(t) || is_dead(t, f));
}

static ssize_t tty_write(struct file *f, struct iov_iter *from, loff_t *pos, int flags)
{
	struct tty *t = tty_of(f);
	char buf[512];
	ssize_t done = 0;
	int r = t->termios.c_lflag & TOSTOP ? check_background(t, SIGTTOU) : 0;

	while (!r && from->count) {
		struct iov_iter saved = *from;
		size_t n = iov_iter_from(from, buf, min(from->count, sizeof(buf))), out;

		if (!n) {
			r = -EFAULT;
			break;
		}
		if (is_dead(t, f)) {
			r = -EIO;
			break;
		}
		mutex_lock(&t->lock);
		out = READ_ONCE(t->stopped) ? 0 : ldisc_write(t, buf, n);
		mutex_unlock(&t->lock);
		done += (ssize_t)out;
		if (out < n) {
			*from = saved;
			iov_iter_advance(from, out);
			r = wait_room(t, f);
		} else if (from->count) {
			if (signal_pending())
				break;
			cond_resched();
		}
	}
	return done ? done : r;
}

static u32 tty_poll(struct file *f, struct poll_table *pt)
{
	struct tty *t = tty_of(f);
	u32 mask = 0;

	poll_wait(f, &t->rd_wait, pt);
	poll_wait(f, &t->wr_wait, pt);
	if (is_dead(t, f))
		return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
	if (ldisc_readable(t))
		mask |= POLLIN | POLLRDNORM;
	if (can_write(t))
		mask |= POLLOUT | POLLWRNORM;
	return mask;
}

/* ---- settings ---- */

void tty_set_winsize(struct tty *t, const struct winsize *ws)
{
	bool changed;

	mutex_lock(&t->lock);
	changed = memcmp(&t->winsize, ws, sizeof(*ws));
	t->winsize = *ws;
	mutex_unlock(&t->lock);
	if (changed)
		signal_pgrp(t, SIGWINCH);
}

static const u32 baud_rates[] = { 0,   50,   75,   110,	 134,  150,  200,   300,
				  600, 1200, 1800, 2400, 4800, 9600, 19200, 38400 };
static const u32 high_rates[] = { 0, 57600, 115200, 230400, 460800, 500000, 576000, 921600 };

/* The speed that c_cflag names, where the structure has no field for it. */
static u32 baud_of(u32 cflag)
{
	u32 b = cflag & CBAUD;

	if (!(b & BOTHER))
		return baud_rates[b & 15];
	return (b & 15) < ARRAY_SIZE(high_rates) ? high_rates[b & 15] : 38400;
}

static u32 keep(u32 next, u32 old, u32 locked)
{
	return (next & ~locked) | (old & locked);
}

/* @s as it may become: what is locked stays. lock held. */
static void keep_locked(const struct tty *t, struct termios2 *s)
{
	const struct termios2 *old = &t->termios;
	const struct termios *l = &t->locked;

	s->c_iflag = keep(s->c_iflag, old->c_iflag, l->c_iflag);
	s->c_oflag = keep(s->c_oflag, old->c_oflag, l->c_oflag);
	s->c_cflag = keep(s->c_cflag, old->c_cflag, l->c_cflag);
	s->c_lflag = keep(s->c_lflag, old->c_lflag, l->c_lflag);
	if (l->c_line)
		s->c_line = old->c_line;
	for (unsigned int i = 0; i < NCCS; i++)
		if (l->c_cc[i])
			s->c_cc[i] = old->c_cc[i];
}

static int set_termios(struct tty *t, unsigned int cmd, const struct termios2 *next)
{
	struct termios2 old, wanted;
	int r = check_background(t, SIGTTOU);

	if (r)
		return r;
	mutex_lock(&t->lock);
	if (cmd == TCSETSF) {
		ldisc_flush_input(t);
		tty_packet_event(t, TIOCPKT_FLUSHREAD, 0);
	}
	wanted = *next;
	keep_locked(t, &wanted);
	old = t->termios;
	t->termios = wanted;
	if (memcmp(&old, &wanted, sizeof(old)))
		ldisc_termios_changed(t, &old);
	mutex_unlock(&t->lock);
	return 0;
}

static int ioctl_set_termios(struct tty *t, unsigned int cmd, uaddr_t arg)
{
	struct termios2 next = t->termios;

	if (copy_from_user(&next, arg, sizeof(struct termios)))
		return -EFAULT;
	next.c_ispeed = next.c_ospeed = baud_of(next.c_cflag);
	return set_termios(t, cmd, &next);
}

static int ioctl_set_termios2(struct tty *t, unsigned int cmd, uaddr_t arg)
{
	struct termios2 next;

	if (get_user_obj(&next, arg))
		return -EFAULT;
	if ((next.c_cflag & CBAUD) != BOTHER)
		next.c_ispeed = next.c_ospeed = baud_of(next.c_cflag);
	return set_termios(t, cmd, &next);
}

static int ioctl_set_termio(struct tty *t, unsigned int cmd, uaddr_t arg)
{
	struct termios2 next = t->termios;
	struct termio old;

	if (get_user_obj(&old, arg))
		return -EFAULT;
	next.c_iflag = (next.c_iflag & ~0xffffu) | old.c_iflag;
	next.c_oflag = (next.c_oflag & ~0xffffu) | old.c_oflag;
	next.c_cflag = (next.c_cflag & ~0xffffu) | old.c_cflag;
	next.c_lflag = (next.c_lflag & ~0xffffu) | old.c_lflag;
	memcpy(next.c_cc, old.c_cc, sizeof(old.c_cc));
	return set_termios(t, cmd, &next);
}

static int ioctl_get_termio(struct tty *t, uaddr_t arg)
{
	struct termio out = {
		(u16)t->termios.c_iflag, (u16)t->termios.c_oflag, (u16)t->termios.c_cflag,
		(u16)t->termios.c_lflag, t->termios.c_line,
	};

	memcpy(out.c_cc, t->termios.c_cc, sizeof(out.c_cc));
	return put_user_obj(arg, &out);
}

/* ---- process groups ---- */

/* These are for whose controlling terminal it is (and, for reading, the master of a pty). */
static bool is_my_ctty(struct tty *t)
{
	return READ_ONCE(t->session) && READ_ONCE(t->session) == current->process->session;
}

static long get_pid_number(struct pid **slot, uaddr_t arg)
{
	struct pid *p = get_pid(slot);
	int nr = p ? p->nr : 0;

	if (p)
		pid_put(p);
	return put_user_obj(arg, &nr);
}

static long set_pgrp(struct tty *t, uaddr_t arg)
{
	struct pid *pgrp, *old = NULL;
	struct process *p;
	unsigned long flags;
	s32 nr;
	long r = check_background(t, SIGTTOU);

	if (r)
		return r == -EIO ? -ENOTTY : r;
	if (!is_my_ctty(t))
		return -ENOTTY;
	if (get_user_obj(&nr, arg))
		return -EFAULT;
	if (nr < 0)
		return -EINVAL;
	flags = spin_lock_irqsave(&tasklist_lock);
	pgrp = pid_find(nr);
	r = -ESRCH;
	if (pgrp && !list_empty(&pgrp->group)) {
		p = list_first_entry(&pgrp->group, struct process, group_link);
		r = -EPERM;
		if (p->session == current->process->session) {
			old = t->pgrp;
			t->pgrp = pgrp;
			pid_get(pgrp);
			r = 0;
		}
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (old)
		pid_put(old);
	return r;
}

/* ---- the ioctls ---- */

void tty_packet_event(struct tty *t, u8 set, u8 clear)
{
	if (!t->packet)
		return;
	t->pkt_status = (u8)((t->pkt_status & ~clear) | set);
	t->ops->packet(t);
}

static long flow_control(struct tty *t, unsigned long arg)
{
	char c;

	switch (arg) {
	case TCOOFF:
	case TCOON:
		mutex_lock(&t->lock);
		ldisc_set_stopped(t, arg == TCOOFF);
		mutex_unlock(&t->lock);
		return 0;
	case TCIOFF:
	case TCION:
		c = (char)t->termios.c_cc[arg == TCIOFF ? VSTOP : VSTART];
		mutex_lock(&t->lock);
		if (c)
			t->ops->write(t, &c, 1);
		mutex_unlock(&t->lock);
		return 0;
	}
	return -EINVAL;
}

static long flush_queues(struct tty *t, unsigned long arg)
{
	long r = check_background(t, SIGTTOU);

	if (r)
		return r;
	if (arg > TCIOFLUSH)
		return -EINVAL;
	if (arg == TCIFLUSH || arg == TCIOFLUSH) {
		mutex_lock(&t->lock);
		ldisc_flush_input(t);
		tty_packet_event(t, TIOCPKT_FLUSHREAD, 0);
		mutex_unlock(&t->lock);
		tty_input_room(t);
	}
	if (arg == TCOFLUSH || arg == TCIOFLUSH) { /* output is never queued here */
		mutex_lock(&t->lock);
		tty_packet_event(t, TIOCPKT_FLUSHWRITE, 0);
		mutex_unlock(&t->lock);
	}
	return 0;
}

/* TIOCSLCKTRMIOS: from now on what is set in *@arg cannot be changed. */
static long lock_termios(struct tty *t, uaddr_t arg)
{
	struct termios locked;

	if (!capable(CAP_CHECKPOINT_RESTORE) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&locked, arg, sizeof(locked)))
		return -EFAULT;
	mutex_lock(&t->lock);
	t->locked = locked;
	mutex_unlock(&t->lock);
	return 0;
}

static long ioctl_settings(struct tty *t, unsigned int cmd, uaddr_t arg)
{
	switch (cmd) {
	case TCGETS:
		return copy_to_user(arg, &t->termios, sizeof(struct termios));
	case TCGETS2:
		return copy_to_user(arg, &t->termios, sizeof(struct termios2));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return ioctl_set_termios(t, cmd, arg);
	case TCSETS2:
	case TCSETSW2:
		return ioctl_set_termios2(t, TCSETS, arg);
	case TCSETSF2:
		return ioctl_set_termios2(t, TCSETSF, arg);
	case TCGETA:
		return ioctl_get_termio(t, arg);
	case TCSETA:
	case TCSETAW:
		return ioctl_set_termio(t, TCSETS, arg);
	case TCSETAF:
		return ioctl_set_termio(t, TCSETSF, arg);
	case TIOCGLCKTRMIOS:
		return copy_to_user(arg, &t->locked, sizeof(struct termios));
	case TIOCSLCKTRMIOS:
		return lock_termios(t, arg);
	}
	return -ENOIOCTLCMD;
}

static long ioctl_session(struct tty *t, struct file *f, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case TIOCSCTTY:
		return set_ctty(t, f, arg == 1);
	case TIOCNOTTY:
		if (!is_my_ctty(t))
			return -ENOTTY;
		tty_disassociate(false);
		return 0;
	case TIOCGPGRP:
		return is_my_ctty(t) ? get_pid_number(&t->pgrp, arg) : -ENOTTY;
	case TIOCSPGRP:
		return set_pgrp(t, arg);
	case TIOCGSID:
		return is_my_ctty(t) ? get_pid_number(&t->session, arg) : -ENOTTY;
	}
	return -ENOIOCTLCMD;
}

static long ioctl_misc(struct tty *t, unsigned int cmd, unsigned long arg)
{
	struct winsize ws;
	int n;

	switch (cmd) {
	case TIOCGWINSZ:
		return put_user_obj(arg, &t->winsize);
	case TIOCSWINSZ:
		if (get_user_obj(&ws, arg))
			return -EFAULT;
		tty_set_winsize(t, &ws);
		return 0;
	case FIONREAD:
		mutex_lock(&t->lock);
		n = ldisc_inq(t);
		mutex_unlock(&t->lock);
		return put_user_obj(arg, &n);
	case TIOCOUTQ:
		n = 0;
		return put_user_obj(arg, &n);
	case TCXONC:
		return flow_control(t, arg);
	case TCFLSH:
		return flush_queues(t, arg);
	case TCSBRK:
	case TCSBRKP:
		return check_background(
			t, SIGTTOU); /* drained it is always; there is no break to send */
	case TIOCEXCL:
	case TIOCNXCL:
		t->exclusive = cmd == TIOCEXCL;
		return 0;
	case TIOCGETD:
		n = 0;
		return put_user_obj(arg, &n);
	case TIOCSETD:
		return get_user_obj(&n, arg) ? -EFAULT : n ? -EINVAL : 0;
	case TIOCSTI:
		return -EIO; /* as with Linux's dev.tty.legacy_tiocsti=0 */
	}
	return -ENOIOCTLCMD;
}

long tty_ioctl(struct tty *t, struct file *f, unsigned int cmd, unsigned long arg)
{
	long r = ioctl_settings(t, cmd, arg);

	if (r == -ENOIOCTLCMD)
		r = ioctl_session(t, f, cmd, arg);
	if (r == -ENOIOCTLCMD)
		r = ioctl_misc(t, cmd, arg);
	return r;
}

static long tty_file_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct tty *t = tty_of(f);

	return is_dead(t, f) ? (cmd == TIOCSPGRP ? -ENOTTY : -EIO) : tty_ioctl(t, f, cmd, arg);
}

/* ---- opening and the end ---- */

int tty_open_file(struct tty *t, struct file *f, bool noctty)
{
	if (t->exclusive && !capable(CAP_SYS_ADMIN))
		return -EBUSY;
	mutex_lock(&t->lock);
	t->opens++;
	mutex_unlock(&t->lock);
	f->ops = &tty_file_ops;
	f->priv = tty_get(t);
	f->owner_seen = t->hangups;
	f->mode = (f->mode & ~(FMODE_LSEEK | FMODE_PREAD)) | FMODE_NOPOS;
	if (!noctty)
		open_ctty(t);
	return 0;
}

static void tty_release(struct file *f)
{
	struct tty *t = tty_of(f);
	bool last;

	mutex_lock(&t->lock);
	last = --t->opens == 0;
	if (last)
		t->exclusive = false;
	mutex_unlock(&t->lock);
	if (last && t->ops->close)
		t->ops->close(t);
	tty_put(t);
}

void tty_hangup(struct tty *t)
{
	struct ctty_refs refs = { NULL, NULL, NULL };
	unsigned long flags;

	mutex_lock(&t->lock);
	t->hangups++;
	ldisc_flush_input(t);
	t->termios = tty_default_termios;
	mutex_unlock(&t->lock);
	flags = spin_lock_irqsave(&tasklist_lock);
	if (t->session)
		refs = ctty_clear(t->session);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (refs.session && refs.session->process) {
		struct process *leader = process_find_get(refs.session->nr);

		if (leader) {
			sig_send_process(leader, SIGHUP, NULL);
			sig_send_process(leader, SIGCONT, NULL);
			process_put(leader);
		}
	}
	if (refs.pgrp) {
		sig_send_pgrp(refs.pgrp, SIGHUP, NULL);
		sig_send_pgrp(refs.pgrp, SIGCONT, NULL);
	}
	ctty_refs_put(&refs);
	waitq_wake_poll(&t->rd_wait, 0);
	waitq_wake_poll(&t->wr_wait, 0);
}

void tty_vhangup(void)
{
	struct tty *t = tty_of_current();

	if (!t)
		return;
	tty_hangup(t);
	tty_put(t);
}

const struct file_ops tty_file_ops = {
	.async = true,
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_file_ioctl,
	.release = tty_release,
};

/* ---- /dev/tty ---- */

static int devtty_open(struct inode *inode, struct file *f)
{
	struct tty *t = tty_of_current();
	int r;

	if (!t)
		return -ENXIO;
	r = tty_open_file(t, f, true);
	tty_put(t);
	return r;
}

static const struct file_ops devtty_ops = { .open = devtty_open };
static struct chrdev devtty = { "tty", 0, 0666, &devtty_ops };

void tty_init(void)
{
	devtty.rdev = mkdev(5, 0);
	chrdev_register(&devtty);
	console_tty_init();
}

/* SPDX-License-Identifier: MIT */
/*
 * timerfd: expirations of a timer as a file.
 *
 * Locking: t->lock, interrupts off, because the timer's callback runs in interrupt context.
 * Source: timerfd_create(2).
 */
#include <fs/events.h>
#include <fs/internal.h>
#include <kernel/posix_timer.h>
#include <uapi/capability.h>
#include <uapi/poll.h>

struct timerfd {
	struct spinlock lock;
	struct ktimer timer;
	int clock;
	bool real; /* CLOCK_REALTIME: absolute times count from 1970, and it watches the clock */
	int set_flags; /* lock: TFD_TIMER_* it was set with */
	bool canceled; /* lock: the clock was set and TFD_TIMER_CANCEL_ON_SET asked to hear of it */
	struct clock_watch watch;
	u64 deadline_ns; /* lock: of hal_clock_ns(); 0: disarmed */
	u64 interval_ns; /* lock */
	u64 ticks;	 /* lock: not read yet */
	struct waitq wait;
};

static const struct file_ops timerfd_ops;

/* Count what has expired by now. lock held. */
static void catch_up(struct timerfd *t, u64 now)
{
	u64 n;

	if (!t->deadline_ns || now < t->deadline_ns)
		return;
	if (!t->interval_ns) {
		t->ticks++;
		t->deadline_ns = 0;
		return;
	}
	n = (now - t->deadline_ns) / t->interval_ns + 1;
	t->ticks += n;
	t->deadline_ns += n * t->interval_ns;
}

static void expired(struct ktimer *kt)
{
	struct timerfd *t = container_of(kt, struct timerfd, timer);
	unsigned long flags = spin_lock_irqsave(&t->lock);

	catch_up(t, hal_clock_ns());
	if (t->deadline_ns)
		ktimer_start(&t->timer, t->deadline_ns);
	spin_unlock_irqrestore(&t->lock, flags);
	waitq_wake_poll(&t->wait, POLLIN | POLLRDNORM);
}

static u64 take_ticks(struct timerfd *t)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	u64 n;

	catch_up(t, hal_clock_ns());
	n = t->ticks;
	t->ticks = 0;
	spin_unlock_irqrestore(&t->lock, flags);
	return n;
}

static bool watches_clock(const struct timerfd *t)
{
	const int both = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;

	return t->real && (t->set_flags & both) == both;
}

/* CLOCK_REALTIME was set: an absolute time stays that time. */
static void clock_set(struct clock_watch *w)
{
	struct timerfd *t = container_of(w, struct timerfd, watch);
	unsigned long flags = spin_lock_irqsave(&t->lock);

	if (t->deadline_ns && (t->set_flags & TFD_TIMER_ABSTIME)) {
		t->deadline_ns = clock_watch_again(w, t->deadline_ns);
		ktimer_start(&t->timer, t->deadline_ns);
	}
	if (watches_clock(t)) {
		t->canceled = true;
		t->ticks++;
	}
	spin_unlock_irqrestore(&t->lock, flags);
	waitq_wake_poll(&t->wait, POLLIN | POLLRDNORM);
}

/* Was it cancelled? That is told once. */
static bool take_cancel(struct timerfd *t)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	bool yes = t->canceled;

	t->canceled = false;
	if (yes)
		t->ticks = 0;
	spin_unlock_irqrestore(&t->lock, flags);
	return yes;
}

static ssize_t timerfd_read(struct file *f, struct iov_iter *to, loff_t *pos, int flags)
{
	struct timerfd *t = f->priv;
	u64 n;
	int r;

	if (to->count < sizeof(n))
		return -EINVAL;
	for (;;) {
		if (take_cancel(t))
			return -ECANCELED;
		n = take_ticks(t);
		if (n)
			break;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event_interruptible(&t->wait, READ_ONCE(t->ticks) != 0);
		if (r)
			return r;
	}
	return iov_iter_to(to, &n, sizeof(n)) == sizeof(n) ? (ssize_t)sizeof(n) : -EFAULT;
}

static u32 timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *t = f->priv;

	poll_wait(f, &t->wait, pt);
	return READ_ONCE(t->ticks) ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->priv;
	unsigned long flags = spin_lock_irqsave(&t->lock);

	t->deadline_ns = t->interval_ns = 0;
	spin_unlock_irqrestore(&t->lock, flags);
	clock_watch_remove(&t->watch);
	ktimer_cancel(&t->timer);
	kfree(t);
}

static void timerfd_show(struct file *f, struct printbuf *pb);

static const struct file_ops timerfd_ops = { .llseek = noop_llseek,
					     .read = timerfd_read,
					     .poll = timerfd_poll,
					     .release = timerfd_release,
					     .show_fdinfo = timerfd_show };

/* The present setting. lock held. */
static void get_setting(struct timerfd *t, struct timer_spec *out)
{
	u64 now = hal_clock_ns();

	catch_up(t, now);
	out->interval = ns_to_timespec(t->interval_ns);
	out->value = ns_to_timespec(t->deadline_ns ? t->deadline_ns - now : 0);
}

static void timerfd_show(struct file *f, struct printbuf *pb)
{
	struct timerfd *t = f->priv;
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct timer_spec s;

	get_setting(t, &s);
	printbuf_printf(pb,
			"clockid: %d\nticks: %llu\nsettime flags: 0%o\nit_value: (%lld, "
			"%lld)\nit_interval: (%lld, %lld)\n",
			t->clock, t->ticks, (unsigned int)t->set_flags, s.value.tv_sec,
			s.value.tv_nsec, s.interval.tv_sec, s.interval.tv_nsec);
	spin_unlock_irqrestore(&t->lock, flags);
}

int timerfd_gettime(struct file *f, struct timer_spec *out)
{
	struct timerfd *t = f->priv;
	unsigned long flags;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	flags = spin_lock_irqsave(&t->lock);
	get_setting(t, out);
	spin_unlock_irqrestore(&t->lock, flags);
	return 0;
}

/* When a timer set to @value goes off, of hal_clock_ns(). */
static u64 deadline_of(struct timerfd *t, u64 value, bool absolute)
{
	if (!absolute)
		return deadline_after(value);
	return t->real ? clock_watch_deadline(&t->watch, value) : value;
}

int timerfd_settime(struct file *f, int tflags, const struct timer_setting *new,
		    struct timer_spec *old)
{
	struct timerfd *t = f->priv;
	unsigned long flags;
	u64 value = new->value_ns, deadline = 0;
	int r;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	ktimer_cancel(&t->timer);
	flags = spin_lock_irqsave(&t->lock);
	get_setting(t, old);
	if (value)
		deadline = deadline_of(t, value, tflags & TFD_TIMER_ABSTIME);
	t->deadline_ns = deadline;
	t->interval_ns = new->interval_ns; /* also of a timer that is disarmed */
	t->set_flags = tflags;
	t->ticks = 0;
	if (deadline)
		ktimer_start(&t->timer, deadline);
	r = t->canceled ? -ECANCELED : 0;
	t->canceled = false;
	spin_unlock_irqrestore(&t->lock, flags);
	return r;
}

struct file *timerfd_create(int clock, int flags)
{
	struct timerfd *t;
	struct file *f;

	if ((clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) &&
	    !capable(CAP_WAKE_ALARM))
		return ERR_PTR(-EPERM);
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME &&
	    clock != CLOCK_REALTIME_ALARM && clock != CLOCK_BOOTTIME_ALARM)
		return ERR_PTR(-EINVAL);
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return ERR_PTR(-ENOMEM);
	spin_init(&t->lock, RANK_ANY);
	ktimer_init(&t->timer, expired);
	waitq_init(&t->wait);
	t->clock = clock;
	t->real = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
	f = anon_file_create("anon_inode:[timerfd]", &timerfd_ops, t,
			     O_RDWR | ((unsigned int)flags & O_NONBLOCK));
	if (IS_ERR(f))
		kfree(t);
	else if (t->real)
		clock_watch_add(&t->watch, clock_set);
	return f;
}

/* SPDX-License-Identifier: MIT */
/*
 * Timers (kernel/time.h): a tree of deadlines per CPU; the earliest one is programmed into the CPU's one-shot timer.
 *
 * Locking: base->lock (RANK_TIMER), interrupts off. Callbacks run without it. A timer that is being
 * cancelled on one CPU while it fires on another is waited for.
 */
#include <err.h>
#include <hal/boot.h>
#include <hal/upcall.h>
#include <kernel/futex.h>
#include <kernel/process.h>
#include <kernel/time.h>
#include <mm/uaccess.h>

#define MIN_GAP_NS 5000

struct timer_base {
	struct spinlock lock;
	struct rb_root tree;	/* lock */
	u64 programmed_ns;	/* lock: what the hardware will fire at */
	u64 not_before_ns;	/* lock: no sooner, so that programs run between interrupts */
	struct ktimer *running; /* lock */
};

static DEFINE_PERCPU(struct timer_base, timer_base) = { .programmed_ns = U64_MAX };
static u64 real_offset_ns;

static bool timer_less(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry((struct rb_node *)a, struct ktimer, node)->deadline_ns <
	       rb_entry((struct rb_node *)b, struct ktimer, node)->deadline_ns;
}

static void program(struct timer_base *base)
{
	struct rb_node *first = rb_first(&base->tree);
	u64 ns = first ? rb_entry(first, struct ktimer, node)->deadline_ns : U64_MAX;

	if (ns < base->not_before_ns)
		ns = base->not_before_ns;
	/* A later deadline is not worth the hardware access: the early interrupt finds nothing to do and reprograms. */
	if (ns >= base->programmed_ns)
		return;
	base->programmed_ns = ns;
	hal_timer_set(ns);
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *t))
{
	t->fn = fn;
	t->cpu = -1;
	t->running = 0;
}

/* Take @t out of whatever tree it is in. Returns whether it was in one. */
static bool dequeue(struct ktimer *t)
{
	for (;;) {
		int cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);
		struct timer_base *base;
		bool found;

		if (cpu < 0)
			return false;
		base = &percpu_of(timer_base, cpu);
		spin_lock(&base->lock);
		found = t->cpu == cpu;
		if (found) {
			rb_erase(&base->tree, &t->node);
			WRITE_ONCE(t->cpu, -1);
		}
		spin_unlock(&base->lock);
		if (found)
			return true;
	}
}

void ktimer_start(struct ktimer *t, u64 deadline_ns)
{
	unsigned long flags = hal_irq_save();
	struct timer_base *base = &percpu(timer_base);

	dequeue(t);
	spin_lock(&base->lock);
	t->deadline_ns = deadline_ns;
	rb_add(&base->tree, &t->node, timer_less);
	WRITE_ONCE(t->cpu, (int)hal_cpu_id());
	program(base);
	spin_unlock(&base->lock);
	hal_irq_restore(flags);
}

/*
 * A callback that is under way may start the timer again, and may have been overtaken by a start elsewhere: so it is done only when
 * nothing runs and, seen after that, the timer is in no tree. On the CPU that runs the callback, it is the callback that cancels.
 */
bool ktimer_cancel(struct ktimer *t)
{
	bool armed = false;

	for (;;) {
		unsigned long flags = hal_irq_save();
		bool elsewhere;

		armed |= dequeue(t);
		elsewhere = __atomic_load_n(&t->running, __ATOMIC_ACQUIRE) &&
			    percpu(timer_base).running != t;
		hal_irq_restore(flags);
		if (!elsewhere && __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE) < 0)
			return armed;
		hal_cpu_relax();
	}
}

void upcall_timer(void)
{
	struct timer_base *base = &percpu(timer_base);
	u64 now = hal_clock_ns(), end;

	spin_lock(&base->lock);
	base->programmed_ns = U64_MAX;
	for (;;) {
		struct rb_node *node = rb_first(&base->tree);
		struct ktimer *t = rb_entry_safe(node, struct ktimer, node);

		if (!t || t->deadline_ns > now)
			break;
		rb_erase(&base->tree, node);
		__atomic_fetch_add(&t->running, 1, __ATOMIC_RELAXED);
		base->running = t;
		__atomic_store_n(&t->cpu, -1, __ATOMIC_RELEASE);
		spin_unlock(&base->lock);
		t->fn(t);
		spin_lock(&base->lock);
		/* The callback may have started t again; it stays valid until here, see ktimer_cancel(). */
		__atomic_fetch_sub(&t->running, 1, __ATOMIC_RELEASE);
		base->running = NULL;
	}
	/*
	 * A timer with a period shorter than its own handling would leave no time for anything else: tasks get at least as
	 * much as the timers took.
	 */
	end = hal_clock_ns();
	base->not_before_ns = end + (end - now) + MIN_GAP_NS;
	program(base);
	if (base->programmed_ns == U64_MAX)
		hal_timer_set(U64_MAX);
	spin_unlock(&base->lock);
}

/* ---- clocks ---- */

u64 ktime_real_ns(void)
{
	return hal_clock_ns() + READ_ONCE(real_offset_ns);
}

static struct mutex watch_mutex = MUTEX_INIT(watch_mutex);
static struct list watches = LIST_HEAD_INIT(watches);

void ktime_set_real_ns(u64 ns)
{
	struct clock_watch *w;
	u64 offset;

	mutex_lock(&watch_mutex);
	offset = ns - hal_clock_ns();
	WRITE_ONCE(real_offset_ns, offset);
	vdso_set_real_offset(offset);
	list_for_each_entry(w, &watches, link)
		w->set(w);
	futex_clock_was_set();
	mutex_unlock(&watch_mutex);
}

u64 ktime_real_offset(void)
{
	return READ_ONCE(real_offset_ns);
}

void clock_watch_add(struct clock_watch *w, void (*set)(struct clock_watch *w))
{
	mutex_lock(&watch_mutex);
	w->set = set;
	list_add_tail(&w->link, &watches);
	mutex_unlock(&watch_mutex);
}

void clock_watch_remove(struct clock_watch *w)
{
	if (!w->set)
		return;
	mutex_lock(&watch_mutex);
	list_del(&w->link);
	w->set = NULL;
	mutex_unlock(&watch_mutex);
}

u64 clock_watch_deadline(struct clock_watch *w, u64 real_ns)
{
	w->offset_ns = ktime_real_offset();
	if (real_ns == U64_MAX)
		return real_ns;
	return real_ns > w->offset_ns ? real_ns - w->offset_ns : 1;
}

u64 clock_watch_again(struct clock_watch *w, u64 mono_ns)
{
	u64 real_ns;

	if (mono_ns == U64_MAX || add_overflow(mono_ns, w->offset_ns, &real_ns))
		real_ns = U64_MAX;
	return clock_watch_deadline(w, real_ns);
}

void ktime_slew_real(s64 delta_ns)
{
	u64 offset = real_offset_ns + (u64)delta_ns;

	WRITE_ONCE(real_offset_ns, offset);
	vdso_set_real_offset(offset);
}

int timespec_to_ns(const struct timespec64 *ts, u64 *ns)
{
	if (ts->tv_sec < 0 || (u64)ts->tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (mul_overflow((u64)ts->tv_sec, NSEC_PER_SEC, ns) ||
	    add_overflow(*ns, (u64)ts->tv_nsec, ns))
		*ns = U64_MAX;
	return 0;
}

int deadline_from_user(uaddr_t uts, u64 *deadline_ns)
{
	struct timespec64 ts;
	u64 ns;
	int r;

	*deadline_ns = U64_MAX;
	if (!uts)
		return 0;
	if (get_user_obj(&ts, uts))
		return -EFAULT;
	r = timespec_to_ns(&ts, &ns);
	if (!r)
		*deadline_ns = deadline_after(ns);
	return r;
}

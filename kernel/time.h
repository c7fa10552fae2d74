/* SPDX-License-Identifier: MIT */
/*
 * Timers and clocks.
 *
 * struct ktimer: a callback at a time of hal_clock_ns(); callbacks run in interrupt context, interrupts off.
 * ktimer_start() on an armed timer moves it. Per-CPU trees; a timer fires on the CPU that started it.
 */
#ifndef KERNEL_TIME_H
#define KERNEL_TIME_H

#include <hal/timer.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <lock.h>
#include <types.h>
#include <uapi/time.h>

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL

struct ktimer {
	struct rb_node node;
	u64 deadline_ns;
	void (*fn)(struct ktimer *t);
	int cpu;     /* tree it is in, -1: none */
	u32 running; /* atomic: callbacks under way; two, if started again elsewhere */
};
void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *t));
void ktimer_start(struct ktimer *t, u64 deadline_ns);
/** ktimer_cancel() - returns true if it was armed; when it returns the callback is not running (task context) . */
bool ktimer_cancel(struct ktimer *t);

/** ktime_real_ns() - CLOCK_REALTIME, ns since 1970. ktime_real_offset(): what it is ahead of hal_clock_ns(). Any context. */
u64 ktime_real_ns(void);
u64 ktime_real_offset(void);
void ktime_set_real_ns(u64 ns);
/** ktime_slew_real() - move CLOCK_REALTIME by a little (kernel/ntp.c); nobody is told. Interrupts off, one caller at a time. */
void ktime_slew_real(s64 delta_ns);
/*
 * Who must know that CLOCK_REALTIME was set: @set is called after it, in task context, with what was added to the clock.
 * A zeroed watch may be removed. Context: task, may sleep; no spinlocks.
 */
struct clock_watch {
	struct list link;
	void (*set)(struct clock_watch *w, s64 delta_ns);
};
void clock_watch_add(struct clock_watch *w, void (*set)(struct clock_watch *w, s64 delta_ns));
/** clock_watch_remove() - when it returns, @w is not being called. */
void clock_watch_remove(struct clock_watch *w);
/** clock_watch_shift() - the time of hal_clock_ns() at which CLOCK_REALTIME shows what it would have shown at @mono_ns. */
static inline u64 clock_watch_shift(u64 mono_ns, s64 delta_ns)
{
	if (mono_ns == U64_MAX)
		return mono_ns;
	if (delta_ns > 0)
		return mono_ns > (u64)delta_ns ? mono_ns - (u64)delta_ns : 1;
	return mono_ns + (u64)-delta_ns < mono_ns ? U64_MAX : mono_ns + (u64)-delta_ns;
}
struct timespec64 {
	s64 tv_sec;
	s64 tv_nsec;
};
static inline struct timespec64 ns_to_timespec(u64 ns)
{
	return (struct timespec64){ .tv_sec = (s64)(ns / NSEC_PER_SEC),
				    .tv_nsec = (s64)(ns % NSEC_PER_SEC) };
}
/** ktime_real_to_mono() - a time of CLOCK_REALTIME as one of hal_clock_ns(), as the clock stands now. */
static inline u64 ktime_real_to_mono(u64 ns)
{
	u64 offset = ktime_real_ns() - hal_clock_ns();

	return ns == U64_MAX ? ns : ns > offset ? ns - offset : 0;
}
/** timespec_to_ns() - 0 and *ns (saturating), or -EINVAL for a negative or unnormalised time. */
int timespec_to_ns(const struct timespec64 *ts, u64 *ns);
/** deadline_from_user() - read a relative timespec (0: none -> U64_MAX) and turn it into a deadline. 0, -EFAULT, -EINVAL. */
int deadline_from_user(uaddr_t uts, u64 *deadline_ns);

#endif

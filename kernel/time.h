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
 * Who must know that CLOCK_REALTIME was set: @set is called after it, in task context. A time the owner keeps is one of
 * hal_clock_ns(), together with the offset by which it was reckoned: so a clock set in the middle of that is not counted twice.
 * A zeroed watch may be removed. Context of add and remove: task, may sleep; no spinlocks.
 */
struct clock_watch {
	struct list link;
	void (*set)(struct clock_watch *w);
	u64 offset_ns;
};
void clock_watch_add(struct clock_watch *w, void (*set)(struct clock_watch *w));
/** clock_watch_remove() - when it returns, @w is not being called. */
void clock_watch_remove(struct clock_watch *w);
/**
 * clock_watch_deadline() - when CLOCK_REALTIME shows @real_ns as it stands now, of hal_clock_ns(), at least 1; remembered for
 * clock_watch_again(): when that time comes now, of the @mono_ns reckoned last. Context: any, under the owner's lock.
 */
u64 clock_watch_deadline(struct clock_watch *w, u64 real_ns);
u64 clock_watch_again(struct clock_watch *w, u64 mono_ns);
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
	u64 offset = ktime_real_offset();

	return ns == U64_MAX ? ns : ns > offset ? ns - offset : 0;
}
/** timespec_to_ns() - 0 and *ns (saturating), or -EINVAL for a negative or unnormalised time. */
int timespec_to_ns(const struct timespec64 *ts, u64 *ns);
/** deadline_after() - the deadline in @ns from now: 0, which is over already, when that is none; U64_MAX, never, when it is too far. */
static inline u64 deadline_after(u64 ns)
{
	u64 deadline;

	if (!ns)
		return 0;
	return add_overflow(hal_clock_ns(), ns, &deadline) ? U64_MAX : deadline;
}
/** deadline_from_user() - deadline_after() a relative timespec (0: none -> U64_MAX). 0, -EFAULT, -EINVAL. */
int deadline_from_user(uaddr_t uts, u64 *deadline_ns);

#endif

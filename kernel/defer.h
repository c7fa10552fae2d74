/* SPDX-License-Identifier: MIT */
/*
 * Work that is done later, by threads of the kernel: for what is noticed where it cannot be done, in an interrupt or under a lock.
 *
 *	static struct deferred news = DEFERRED_INIT(news, tell_news);
 *	defer(&news);					as often as there is something
 *
 *	static struct deferred_timer flush = DEFERRED_TIMER_INIT(flush, write_back);
 *	defer_after(&flush, 5 * NSEC_PER_SEC);		unless it is already set
 *
 * A work's function never runs twice at a time. What is deferred while it runs makes it run once more, so it finds all that was there
 * before the last defer(). It may sleep, but not for something that only another work brings about.
 */
#ifndef KERNEL_DEFER_H
#define KERNEL_DEFER_H

#include <kernel/time.h>
#include <lib/list.h>

struct deferred {
	void (*fn)(struct deferred *d);
	struct list link;    /* pool_lock: waits for a worker; empty: it does not */
	bool running, again; /* pool_lock */
};
#define DEFERRED_INIT(name, func) { .fn = (func), .link = LIST_HEAD_INIT((name).link) }

struct deferred_timer {
	struct deferred work;
	struct ktimer timer;
	u8 set; /* atomic */
};
void defer_timer_fired(struct ktimer *t);
#define DEFERRED_TIMER_INIT(name, func)                                                            \
	{ .work = DEFERRED_INIT((name).work, func), .timer = { .fn = defer_timer_fired, .cpu = -1 } }

/** defer_init() - at boot, before the first defer(). */
void defer_init(void);
/** defer() - have @d's function run soon. Context: any; also under the lock of a wait queue. */
void defer(struct deferred *d);
void defer_start_timer(struct deferred_timer *d, u64 ns);
/** defer_after() - defer @d in @ns from now, unless it is set already. Context: any; under locks that are outside a timer's. */
static inline void defer_after(struct deferred_timer *d, u64 ns)
{
	if (!__atomic_load_n(&d->set, __ATOMIC_SEQ_CST))
		defer_start_timer(d, ns);
}
/** defer_idle() - whether @d neither waits nor runs. For tests; any context. */
bool defer_idle(struct deferred *d);
/** defer_count() - workers, see defer_count.h. Any context. */
u32 defer_count(void);

#define DEFER_WORKERS_MAX 16
#define DEFER_IDLE_NS	  (2 * NSEC_PER_SEC)

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Time: clock_gettime(2), nanosleep(2), gettimeofday(2), adjtimex(2), times(2), getrusage(2).
 *
 * Clocks: CLOCK_MONOTONIC, _RAW, _COARSE and CLOCK_BOOTTIME are hal_clock_ns(); CLOCK_REALTIME is an offset from it,
 * CLOCK_TAI as much ahead of that as adjtimex(2) was told.
 */
#include <kernel/ntp.h>
#include <kernel/posix_timer.h>
#include <kernel/process.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <syscall/proto.h>

#define MIN_CPU_SLEEP_NS NSEC_PER_MSEC

static int put_ns(uaddr_t uts, u64 ns)
{
	struct timespec64 ts = ns_to_timespec(ns);

	return put_user_obj(uts, &ts);
}

static void ns_to_timeval(u64 ns, struct timeval_abi *tv)
{
	tv->tv_sec = (s64)(ns / NSEC_PER_SEC);
	tv->tv_usec = (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

/* ---- reading and setting clocks ---- */

/* 0 and *ns, or -EINVAL: no such clock (those that wake a sleeping machine among them: it has no such device). */
static int read_clock(clockid_t id, u64 *ns)
{
	struct cpu_clock cpu;
	int r;

	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = ktime_real_ns();
		return 0;
	case CLOCK_TAI:
		*ns = ktime_real_ns() + ntp_tai_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = hal_clock_ns();
		return 0;
	}
	r = cpu_clock_get(id, &cpu);
	if (r)
		return r;
	*ns = cpu_clock_read(&cpu);
	cpu_clock_put(&cpu);
	return 0;
}

long sys_clock_gettime(clockid_t id, uaddr_t uts)
{
	u64 ns;
	int r = read_clock(id, &ns);

	return r ? r : put_ns(uts, ns);
}

/* All of them count nanoseconds, the coarse ones too. */
long sys_clock_getres(clockid_t id, uaddr_t uts)
{
	u64 ns;
	int r = read_clock(id, &ns);

	return r || !uts ? r : put_ns(uts, 1);
}

#define TIME_LEFT_SEC (30ull * 365 * 24 * 3600)

static int set_real(u64 ns)
{
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	/* Linux: not before the machine's start, and with 30 years left until 64 bits end. */
	if (ns < hal_clock_ns() || ns / NSEC_PER_SEC >= S64_MAX / NSEC_PER_SEC - TIME_LEFT_SEC)
		return -EINVAL;
	ktime_set_real_ns(ns);
	ntp_clock_was_set();
	return 0;
}

long sys_clock_settime(clockid_t id, uaddr_t uts)
{
	struct timespec64 ts;
	u64 ns;
	int r = read_clock(id, &ns);

	if (r)
		return r;
	if (id < 0) /* the CPU time of another */
		return -EPERM;
	if (id != CLOCK_REALTIME)
		return -EINVAL;
	if (get_user_obj(&ts, uts))
		return -EFAULT;
	r = timespec_to_ns(&ts, &ns);
	return r ? r : set_real(ns);
}

struct timezone_abi {
	s32 minuteswest, dsttime;
};
static struct timezone_abi timezone;

long sys_gettimeofday(uaddr_t utv, uaddr_t utz)
{
	struct timeval_abi tv;

	ns_to_timeval(ktime_real_ns(), &tv);
	if (utv && put_user_obj(utv, &tv))
		return -EFAULT;
	return utz ? put_user_obj(utz, &timezone) : 0;
}

long sys_settimeofday(uaddr_t utv, uaddr_t utz)
{
	struct timezone_abi tz;
	struct timeval_abi tv;
	struct timespec64 ts;
	u64 ns = 0;

	if (utv) {
		if (get_user_obj(&tv, utv))
			return -EFAULT;
		if ((u64)tv.tv_usec >= 1000000)
			return -EINVAL;
		ts = (struct timespec64){ tv.tv_sec, tv.tv_usec * 1000 };
		if (timespec_to_ns(&ts, &ns))
			return -EINVAL;
	}
	if (utz && get_user_obj(&tz, utz))
		return -EFAULT;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (utz && (tz.minuteswest > 15 * 60 || tz.minuteswest < -15 * 60))
		return -EINVAL;
	if (utz)
		timezone = tz;
	return utv ? set_real(ns) : 0;
}

long sys_time(uaddr_t ut)
{
	s64 seconds = (s64)(ktime_real_ns() / NSEC_PER_SEC);

	if (ut && put_user_obj(ut, &seconds))
		return -EFAULT;
	return seconds;
}

/* ---- adjtimex ---- */

struct timex_abi {
	u32 modes, pad0;
	s64 offset, freq, maxerror, esterror;
	s32 status, pad1;
	s64 constant, precision, tolerance;
	struct timeval_abi time;
	s64 tick, ppsfreq, jitter;
	s32 shift, pad2;
	s64 stabil, jitcnt, calcnt, errcnt, stbcnt;
	s32 tai, reserved[11];
};
static_assert(sizeof(struct timex_abi) == 208, "struct timex is 208 bytes");

/* Times of a struct timex are in microseconds, or in nanoseconds where a bit says so. */
static s64 timex_unit(bool nano)
{
	return nano ? 1 : (s64)NSEC_PER_USEC;
}

static int check_step(const struct timex_abi *tx)
{
	s64 limit = tx->modes & ADJ_NANO ? (s64)NSEC_PER_SEC : 1000000;

	if (tx->time.tv_usec < 0 || tx->time.tv_usec >= limit)
		return -EINVAL;
	return tx->time.tv_sec > S64_MAX / (s64)NSEC_PER_SEC / 2 ||
			       tx->time.tv_sec < S64_MIN / (s64)NSEC_PER_SEC / 2
		       ? -EINVAL
		       : 0;
}

/* Everything that Linux refuses. Source: adjtimex(2), "ERRORS". */
static int check_timex(const struct timex_abi *tx)
{
	u32 modes = tx->modes;
	s64 tick = 1000000 / USER_HZ;

	if (modes & ADJ_ADJTIME) {
		if (!(modes & ADJ_OFFSET_SINGLESHOT))
			return -EINVAL;
		return (modes & ADJ_OFFSET_READONLY) || capable(CAP_SYS_TIME) ? 0 : -EPERM;
	}
	if (modes && !capable(CAP_SYS_TIME))
		return -EPERM;
	if ((modes & ADJ_TICK) && (tx->tick < tick * 9 / 10 || tx->tick > tick * 11 / 10))
		return -EINVAL;
	if (modes & ADJ_SETOFFSET)
		return check_step(tx);
	if ((modes & ADJ_FREQUENCY) &&
	    (tx->freq > S64_MAX / 1000000 || tx->freq < S64_MIN / 1000000))
		return -EINVAL;
	return 0;
}

static void carry_out(const struct timex_abi *tx, bool nano)
{
	struct ntp_request rq = {
		.modes = tx->modes,
		.state = { .status = (u32)tx->status,
			   .freq = tx->freq,
			   .maxerror_us = tx->maxerror,
			   .esterror_us = tx->esterror,
			   .constant = tx->constant,
			   .tick_us = tx->tick },
		.offset_ns = tx->offset * timex_unit(nano || (tx->modes & ADJ_NANO)),
	};

	if (tx->modes & ADJ_SETOFFSET)
		rq.step_ns = tx->time.tv_sec * (s64)NSEC_PER_SEC +
			     tx->time.tv_usec * timex_unit(tx->modes & ADJ_NANO);
	ntp_adjust(&rq);
}

/* The state, into the caller's structure. */
static long report(struct timex_abi *tx, uaddr_t utx)
{
	struct ntp_state s;
	s64 offset_ns;
	u64 now;

	ntp_read(&s, &offset_ns);
	now = ktime_real_ns();
	if (!(tx->modes & ADJ_ADJTIME))
		tx->offset = offset_ns / timex_unit(s.status & STA_NANO);
	tx->freq = s.freq;
	tx->maxerror = s.maxerror_us;
	tx->esterror = s.esterror_us;
	tx->status = (s32)s.status;
	tx->constant = s.constant;
	tx->precision = 1;
	tx->tolerance = NTP_MAX_FREQ;
	tx->tick = s.tick_us;
	tx->tai = s.tai;
	tx->ppsfreq = tx->jitter = tx->stabil = tx->jitcnt = tx->calcnt = tx->errcnt = tx->stbcnt =
		0;
	tx->shift = 0;
	ns_to_timeval(now, &tx->time);
	if (s.status & STA_NANO)
		tx->time.tv_usec = (s64)(now % NSEC_PER_SEC);
	if (put_user_obj(utx, tx))
		return -EFAULT;
	return s.status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}

/* adjtime(3): an offset to be worked off, in microseconds; the answer is what was left of the one before. */
static void adjtime(struct timex_abi *tx)
{
	struct ntp_request rq = { .single_shot = true,
				  .offset_ns = tx->offset * (s64)NSEC_PER_USEC };
	struct ntp_state s;
	s64 left_ns;

	ntp_read(&s, &left_ns);
	if (!(tx->modes & ADJ_OFFSET_READONLY))
		ntp_adjust(&rq);
	tx->offset = left_ns / (s64)NSEC_PER_USEC;
}

static long do_adjtimex(uaddr_t utx)
{
	struct timex_abi tx;
	struct ntp_state s;
	s64 left;
	int r;

	if (get_user_obj(&tx, utx))
		return -EFAULT;
	r = check_timex(&tx);
	if (r)
		return r;
	ntp_read(&s, &left);
	if (tx.modes & ADJ_ADJTIME)
		adjtime(&tx);
	else if (tx.modes)
		carry_out(&tx, s.status & STA_NANO);
	return report(&tx, utx);
}

long sys_adjtimex(uaddr_t utx)
{
	return do_adjtimex(utx);
}

long sys_clock_adjtime(clockid_t id, uaddr_t utx)
{
	u64 ns;
	int r = read_clock(id, &ns);

	if (r)
		return r;
	return id == CLOCK_REALTIME ? do_adjtimex(utx) : -EOPNOTSUPP;
}

/* ---- sleeping ---- */

/* 0, or -EINTR. */
static long sleep_until(u64 deadline_ns)
{
	long r = 0;

	for (;;) {
		task_prepare_sleep(TASK_INTERRUPTIBLE);
		if (sleep_interrupted(TASK_INTERRUPTIBLE)) {
			r = hal_clock_ns() >= deadline_ns ? 0 : -EINTR;
			break;
		}
		if (schedule_until(deadline_ns))
			break;
	}
	task_finish_sleep();
	return r;
}

/* The remaining time is told in any case; whether the sleep goes on is decided by whether a handler runs. */
static long sleep_relative(u64 deadline_ns, uaddr_t urem);

static long restart_sleep(struct restart_block *rb)
{
	return sleep_relative(rb->deadline_ns, (uaddr_t)rb->arg[0]);
}

static long sleep_relative(u64 deadline_ns, uaddr_t urem)
{
	u64 now;

	if (!sleep_until(deadline_ns))
		return 0;
	now = hal_clock_ns();
	if (urem && put_ns(urem, deadline_ns > now ? deadline_ns - now : 0))
		return -EFAULT;
	syscall_restart_as(RESTART_BLOCK);
	current->restart = (struct restart_block){ .fn = restart_sleep,
						   .deadline_ns = deadline_ns,
						   .arg = { urem } };
	return -EINTR;
}

long sys_nanosleep(uaddr_t ureq, uaddr_t urem)
{
	u64 deadline;
	int r = ureq ? deadline_from_user(ureq, &deadline) : -EFAULT;

	return r ? r : sleep_relative(deadline, urem);
}

static long sleep_absolute(u64 deadline_ns)
{
	syscall_restart_as(RESTART_NOHAND);
	return sleep_until(deadline_ns);
}

struct real_sleep {
	struct clock_watch watch;
	struct task *task;
};

static void wake_real_sleep(struct clock_watch *w)
{
	task_wake(container_of(w, struct real_sleep, watch)->task, 1u << TASK_INTERRUPTIBLE);
}

/* Until CLOCK_REALTIME shows @real_ns, however it is set meanwhile. */
static long sleep_until_real(u64 real_ns)
{
	struct real_sleep s = { .task = current };
	long r = 0;

	syscall_restart_as(RESTART_NOHAND);
	clock_watch_add(&s.watch, wake_real_sleep);
	for (;;) {
		task_prepare_sleep(TASK_INTERRUPTIBLE);
		if (ktime_real_ns() >= real_ns)
			break;
		if (sleep_interrupted(TASK_INTERRUPTIBLE)) {
			r = -EINTR;
			break;
		}
		schedule_until(ktime_real_to_mono(real_ns));
	}
	task_finish_sleep();
	clock_watch_remove(&s.watch);
	return r;
}

/* Until other threads have used so much CPU time: looked at when that can be at the earliest. */
static long sleep_cpu(const struct cpu_clock *clock, u64 until_ns)
{
	for (;;) {
		u64 now = cpu_clock_read(clock), wait;
		long r;

		if (now >= until_ns)
			return 0;
		wait = (until_ns - now) / max(READ_ONCE(clock->process->nthreads), 1u);
		r = sleep_until(hal_clock_ns() + max(wait, MIN_CPU_SLEEP_NS));
		if (r)
			return r;
	}
}

/* Interrupted relative sleeps on CPU time are not resumed: EINTR and what is left. */
static long nanosleep_cpu(clockid_t id, bool absolute, u64 ns, uaddr_t urem)
{
	struct cpu_clock clock;
	u64 now;
	long r;

	r = cpu_clock_get(id, &clock);
	if (r)
		return r;
	if (clock.task == current) {
		cpu_clock_put(&clock);
		return -EINVAL;
	}
	if (!absolute)
		ns += cpu_clock_read(&clock);
	syscall_restart_as(absolute ? RESTART_NOHAND : RESTART_NEVER);
	r = sleep_cpu(&clock, ns);
	now = cpu_clock_read(&clock);
	cpu_clock_put(&clock);
	if (r && !absolute && urem && put_ns(urem, ns > now ? ns - now : 0))
		return -EFAULT;
	return r;
}

long sys_clock_nanosleep(clockid_t id, int flags, uaddr_t ureq, uaddr_t urem)
{
	bool absolute = flags & TIMER_ABSTIME;
	struct timespec64 ts;
	u64 ns, deadline;
	int r = read_clock(id, &ns);

	switch (id) {
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
	case CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	}
	if (r)
		return r;
	if (get_user_obj(&ts, ureq))
		return -EFAULT;
	r = timespec_to_ns(&ts, &ns);
	if (r)
		return r;
	if (id < 0 || id == CLOCK_PROCESS_CPUTIME_ID)
		return nanosleep_cpu(id, absolute, ns, urem);
	if (id == CLOCK_TAI && absolute)
		ns -= min(ns, ntp_tai_ns());
	if (absolute)
		return id == CLOCK_REALTIME || id == CLOCK_TAI ? sleep_until_real(ns)
							       : sleep_absolute(ns);
	if (add_overflow(hal_clock_ns(), ns, &deadline))
		deadline = U64_MAX;
	return sleep_relative(deadline, urem);
}

/* ---- CPU time used ---- */

static s64 ticks(u64 ns)
{
	return (s64)(ns / (NSEC_PER_SEC / USER_HZ));
}

long sys_times(uaddr_t ubuf)
{
	struct process *p = current->process;
	struct cpu_times self;
	s64 out[4];

	process_cpu_times(p, &self);
	out[0] = ticks(self.user_ns);
	out[1] = ticks(self.system_ns);
	out[2] = ticks(p->child_times.user_ns);
	out[3] = ticks(p->child_times.system_ns);
	if (ubuf && put_user_obj(ubuf, &out))
		return -EFAULT;
	return ticks(hal_clock_ns());
}

static void add_thread(struct rusage_abi *ru, const struct task *t)
{
	ru->ru_minflt += (s64)t->min_flt;
	ru->ru_majflt += (s64)t->maj_flt;
	ru->ru_nvcsw += (s64)t->nvcsw;
	ru->ru_nivcsw += (s64)t->nivcsw;
}

static void usage_of_self(struct process *p, struct rusage_abi *ru, struct cpu_times *times)
{
	unsigned long flags;
	struct task *t;

	process_cpu_times(p, times);
	flags = spin_lock_irqsave(&tasklist_lock);
	ru->ru_minflt = (s64)p->dead_minflt;
	ru->ru_majflt = (s64)p->dead_majflt;
	ru->ru_nvcsw = (s64)p->dead_nvcsw;
	ru->ru_nivcsw = (s64)p->dead_nivcsw;
	list_for_each_entry(t, &p->threads, thread_link)
		add_thread(ru, t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static void usage_of_children(const struct process *p, struct rusage_abi *ru,
			      struct cpu_times *times)
{
	*times = p->child_times;
	ru->ru_minflt = (s64)p->child_minflt;
	ru->ru_majflt = (s64)p->child_majflt;
}

long sys_getrusage(int who, uaddr_t uru)
{
	struct process *p = current->process;
	struct cpu_times times;
	struct rusage_abi ru;
	u64 rss = max(p->maxrss, current->vm->rss_peak);

	memset(&ru, 0, sizeof(ru));
	switch (who) {
	case RUSAGE_SELF:
		usage_of_self(p, &ru, &times);
		break;
	case RUSAGE_CHILDREN:
		usage_of_children(p, &ru, &times);
		rss = p->child_maxrss;
		break;
	case RUSAGE_THREAD:
		sched_get_times(current, &times);
		add_thread(&ru, current);
		break;
	default:
		return -EINVAL;
	}
	ns_to_timeval(times.user_ns, &ru.ru_utime);
	ns_to_timeval(times.system_ns, &ru.ru_stime);
	ru.ru_maxrss = (s64)(rss * (PAGE_SIZE / 1024));
	return put_user_obj(uru, &ru);
}

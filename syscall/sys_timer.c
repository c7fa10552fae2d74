/* SPDX-License-Identifier: MIT */
/* Timers that send signals: timer_create(2), setitimer(2), alarm(2). */
#include <kernel/posix_timer.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <syscall/proto.h>

struct itimerspec_abi {
	struct timespec64 interval, value;
};
struct itimerval_abi {
	struct timeval_abi interval, value;
};

/* ---- timer_create ---- */

long sys_timer_create(clockid_t clock, uaddr_t uevent, uaddr_t uid)
{
	struct timer_event ev = { .notify = SIGEV_SIGNAL, .sig = SIGALRM, .id_is_value = true };
	struct sigevent_abi abi;
	int id;

	if (uevent) {
		if (get_user_obj(&abi, uevent))
			return -EFAULT;
		ev = (struct timer_event){
			.notify = abi.notify, .sig = abi.signo, .value = abi.value, .tid = abi.tid
		};
	}
	id = posix_timer_create(clock, &ev);
	if (id < 0)
		return id;
	if (put_user_obj(uid, &id)) {
		posix_timer_delete(id);
		return -EFAULT;
	}
	return 0;
}

static int put_setting(uaddr_t uspec, const struct timer_setting *s)
{
	struct itimerspec_abi spec = { ns_to_timespec(s->interval_ns),
				       ns_to_timespec(s->value_ns) };

	return put_user_obj(uspec, &spec);
}

long sys_timer_settime(int id, int flags, uaddr_t unew, uaddr_t uold)
{
	struct itimerspec_abi spec;
	struct timer_setting new, old;
	int r;

	if (!unew)
		return -EINVAL;
	if (get_user_obj(&spec, unew))
		return -EFAULT;
	if (timespec_to_ns(&spec.interval, &new.interval_ns) ||
	    timespec_to_ns(&spec.value, &new.value_ns))
		return -EINVAL;
	r = posix_timer_set(id, flags & TIMER_ABSTIME, &new, &old);
	if (r || !uold)
		return r;
	return put_setting(uold, &old);
}

long sys_timer_gettime(int id, uaddr_t uspec)
{
	struct timer_setting s;
	int r = posix_timer_get(id, &s);

	return r ? r : put_setting(uspec, &s);
}

long sys_timer_getoverrun(int id)
{
	return posix_timer_overrun(id);
}

long sys_timer_delete(int id)
{
	return posix_timer_delete(id);
}

/* ---- setitimer, alarm ---- */

static int timeval_to_ns(const struct timeval_abi *tv, u64 *ns)
{
	struct timespec64 ts = { .tv_sec = tv->tv_sec, .tv_nsec = tv->tv_usec * 1000 };

	return (u64)tv->tv_usec >= 1000000 ? -EINVAL : timespec_to_ns(&ts, ns);
}

static void ns_to_timeval(u64 ns, struct timeval_abi *tv)
{
	tv->tv_sec = (s64)(ns / NSEC_PER_SEC);
	tv->tv_usec = (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

static int put_itimer(uaddr_t uval, const struct timer_setting *s)
{
	struct itimerval_abi val;

	ns_to_timeval(s->interval_ns, &val.interval);
	ns_to_timeval(s->value_ns, &val.value);
	return put_user_obj(uval, &val);
}

long sys_getitimer(int which, uaddr_t uval)
{
	struct timer_setting s;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	itimer_get(which, &s);
	return put_itimer(uval, &s);
}

/* No new value means all zero: Linux's way to disarm. */
long sys_setitimer(int which, uaddr_t unew, uaddr_t uold)
{
	struct timer_setting new = { 0, 0 }, old;
	struct itimerval_abi val;
	int r;

	if (unew) {
		if (get_user_obj(&val, unew))
			return -EFAULT;
		if (timeval_to_ns(&val.interval, &new.interval_ns) ||
		    timeval_to_ns(&val.value, &new.value_ns))
			return -EINVAL;
	}
	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	r = itimer_set(which, &new, &old);
	if (r || !uold)
		return r;
	return put_itimer(uold, &old);
}

/* The seconds left of the last alarm, rounded, but not to 0. */
long sys_alarm(uint seconds)
{
	struct timer_setting new = { .value_ns = seconds * NSEC_PER_SEC }, old;
	int r = itimer_set(ITIMER_REAL, &new, &old);
	u64 left;

	if (r)
		return r;
	left = (old.value_ns + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
	return left || !old.value_ns ? (long)left : 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * poll, select, epoll and the descriptors made to be waited for: eventfd, timerfd, signalfd, inotify.
 * Source: poll(2), select(2), epoll(7), eventfd(2), timerfd_create(2), signalfd(2), inotify(7).
 */
#include <fs/events.h>
#include <fs/internal.h>
#include <fs/poll.h>
#include <kernel/time.h>
#include <kernel/posix_timer.h>
#include <syscall/proto.h>
#include <uapi/personality.h>
#include <uapi/epoll.h>

#define POLL_STACK 16u

/* ---- time limits ---- */

/* ppoll and select tell how much time is left; a fault is not reported. */
static u64 time_left(u64 deadline)
{
	u64 now = hal_clock_ns();

	return deadline > now ? deadline - now : 0;
}

static void put_time_left(uaddr_t uts, u64 deadline)
{
	struct timespec64 ts = ns_to_timespec(time_left(deadline));

	if (uts && !(current->personality & STICKY_TIMEOUTS) && put_user_obj(uts, &ts))
		return;
}

/* ---- poll ---- */

static long poll_user(uaddr_t ufds, uint n, u64 deadline)
{
	struct pollfd fast[POLL_STACK], *fds = fast;
	long r;

	if (n > task_rlimit(RLIMIT_NOFILE))
		return -EINVAL;
	if (n > POLL_STACK && !(fds = kmalloc(n * sizeof(*fds), GFP_KERNEL)))
		return -ENOMEM;
	r = n && copy_from_user(fds, ufds, n * sizeof(*fds)) ? -EFAULT : do_poll(fds, n, deadline);
	for (uint i = 0; r >= 0 && i < n; i++)
		if (copy_to_user(ufds + i * sizeof(*fds) + offsetof(struct pollfd, revents),
				 &fds[i].revents, sizeof(fds[i].revents)))
			r = -EFAULT;
	if (fds != fast)
		kfree(fds);
	return r;
}

static long poll_restart(struct restart_block *rb)
{
	return poll_user(rb->arg[0], (uint)rb->arg[1], rb->deadline_ns);
}

long sys_poll(uaddr_t fds, uint n, int timeout_ms)
{
	u64 deadline = timeout_ms < 0 ? U64_MAX : deadline_after((u64)timeout_ms * NSEC_PER_MSEC);
	long r = poll_user(fds, n, deadline);

	if (r == -EINTR)
		current->restart = (struct restart_block){ poll_restart, deadline, { fds, n } };
	return r;
}

long sys_ppoll(uaddr_t fds, uint n, uaddr_t timeout, uaddr_t sigmask, size_t size)
{
	u64 deadline;
	long r = deadline_from_user(timeout, &deadline);

	if (!r)
		r = sig_set_temp_mask(sigmask, size);
	if (r)
		return r;
	r = poll_user(fds, n, deadline);
	sig_end_temp_mask(r == -EINTR);
	put_time_left(timeout, deadline);
	return r;
}

/* ---- select ---- */

static long select_user(int n, const uaddr_t uset[3], u64 deadline)
{
	u64 fast[6 * 4], *bits = fast, *in[3], *out[3];
	uint words;
	size_t bytes;
	long r = 0;

	if (n < 0)
		return -EINVAL;
	n = (int)min((uint)n, fdtable_size(current->files));
	words = DIV_ROUND_UP((uint)n, 64);
	bytes = words * 8;
	if (words > 4 && !(bits = kmalloc(6 * bytes, GFP_KERNEL)))
		return -ENOMEM;
	memset(bits, 0, 6 * bytes);
	for (int k = 0; k < 3; k++) {
		in[k] = uset[k] ? bits + k * words : NULL;
		out[k] = bits + (3 + k) * words;
		if (uset[k] && bytes && copy_from_user(in[k], uset[k], bytes))
			r = -EFAULT;
	}
	if (!r)
		r = do_select(n, in, out, deadline);
	for (int k = 0; r >= 0 && k < 3; k++)
		if (uset[k] && bytes && copy_to_user(uset[k], out[k], bytes))
			r = -EFAULT;
	if (bits != fast)
		kfree(bits);
	return r;
}

long sys_select(int n, uaddr_t rd, uaddr_t wr, uaddr_t ex, uaddr_t utv)
{
	u64 deadline = U64_MAX;
	s64 tv[2];
	long r;

	if (utv) {
		if (get_user_obj(&tv, utv))
			return -EFAULT;
		if (tv[0] < 0 || tv[1] < 0)
			return -EINVAL;
		tv[0] += tv[1] / 1000000;
		tv[1] %= 1000000;
		deadline = (u64)tv[0] > U64_MAX / NSEC_PER_SEC / 2
				   ? U64_MAX
				   : deadline_after((u64)tv[0] * NSEC_PER_SEC +
						    (u64)tv[1] * NSEC_PER_USEC);
	}
	r = select_user(n, (uaddr_t[3]){ rd, wr, ex }, deadline);
	if (utv && !(current->personality & STICKY_TIMEOUTS)) {
		u64 left = time_left(deadline);

		tv[0] = (s64)(left / NSEC_PER_SEC);
		tv[1] = (s64)(left % NSEC_PER_SEC / NSEC_PER_USEC);
		if (put_user_obj(utv, &tv))
			return r;
	}
	return r;
}

long sys_pselect6(int n, uaddr_t rd, uaddr_t wr, uaddr_t ex, uaddr_t timeout, uaddr_t sig)
{
	u64 mask[2] = { 0, 0 }; /* address and size of the signal mask */
	u64 deadline;
	long r = deadline_from_user(timeout, &deadline);

	if (!r && sig && get_user_obj(&mask, sig))
		r = -EFAULT;
	if (!r)
		r = sig_set_temp_mask(mask[0], mask[1]);
	if (r)
		return r;
	r = select_user(n, (uaddr_t[3]){ rd, wr, ex }, deadline);
	sig_end_temp_mask(r == -EINTR);
	put_time_left(timeout, deadline);
	return r;
}

/* ---- epoll ---- */

static long install_new(struct file *f, bool cloexec)
{
	int fd;

	if (IS_ERR(f))
		return PTR_ERR(f);
	fd = fd_alloc_install(f, 0, cloexec);
	if (fd < 0)
		file_put(f);
	return fd;
}

long sys_epoll_create1(int flags)
{
	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	return install_new(epoll_create(), flags & EPOLL_CLOEXEC);
}

long sys_epoll_create(int size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

long sys_epoll_ctl(fd_t epfd, int op, fd_t fd, uaddr_t uevent)
{
	struct epoll_event ev = { 0 };
	struct fd ep, f;
	long r = -EBADF;

	if (op != EPOLL_CTL_DEL && get_user_obj(&ev, uevent))
		return -EFAULT;
	ep = fdget(epfd);
	f = fdget(fd);
	if (ep.file && f.file)
		r = epoll_control(ep.file, op, f.file, fd, &ev);
	if (f.file)
		fdput(f);
	if (ep.file)
		fdput(ep);
	return r;
}

static long epoll_wait_common(fd_t epfd, uaddr_t events, int max, u64 deadline)
{
	struct fd ep;
	long r;

	if (max <= 0 || (size_t)max > (size_t)INT_MAX / sizeof(struct epoll_event))
		return -EINVAL;
	if (events > USER_END - (size_t)max * sizeof(struct epoll_event))
		return -EFAULT;
	ep = fdget(epfd);
	if (!ep.file)
		return -EBADF;
	r = epoll_wait_events(ep.file, events, max, deadline);
	fdput(ep);
	return r;
}

static u64 ms_deadline(int timeout_ms)
{
	return timeout_ms < 0 ? U64_MAX : deadline_after((u64)timeout_ms * NSEC_PER_MSEC);
}

long sys_epoll_wait(fd_t epfd, uaddr_t events, int max, int timeout_ms)
{
	return epoll_wait_common(epfd, events, max, ms_deadline(timeout_ms));
}

static long epoll_wait_masked(fd_t epfd, uaddr_t events, int max, u64 deadline, uaddr_t mask,
			      size_t size)
{
	long r = sig_set_temp_mask(mask, size);

	if (r)
		return r;
	r = epoll_wait_common(epfd, events, max, deadline);
	sig_end_temp_mask(r == -EINTR);
	return r;
}

long sys_epoll_pwait(fd_t epfd, uaddr_t events, int max, int timeout_ms, uaddr_t mask, size_t size)
{
	return epoll_wait_masked(epfd, events, max, ms_deadline(timeout_ms), mask, size);
}

long sys_epoll_pwait2(fd_t epfd, uaddr_t events, int max, uaddr_t timeout, uaddr_t mask,
		      size_t size)
{
	u64 deadline;
	long r = deadline_from_user(timeout, &deadline);

	return r ? r : epoll_wait_masked(epfd, events, max, deadline, mask, size);
}

/* ---- eventfd, timerfd, signalfd, inotify ---- */

long sys_eventfd2(uint count, int flags)
{
	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	return install_new(eventfd_create(count, flags), flags & O_CLOEXEC);
}

long sys_eventfd(uint count)
{
	return sys_eventfd2(count, 0);
}

long sys_timerfd_create(int clock, int flags)
{
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	return install_new(timerfd_create(clock, flags), flags & O_CLOEXEC);
}

long sys_timerfd_settime(fd_t fd, int flags, uaddr_t unew, uaddr_t uold)
{
	struct timer_spec spec, old;
	struct timer_setting new;
	struct fd f;
	long r;

	if (get_user_obj(&spec, unew))
		return -EFAULT;
	if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) ||
	    timespec_to_ns(&spec.value, &new.value_ns) ||
	    timespec_to_ns(&spec.interval, &new.interval_ns))
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	r = timerfd_settime(f.file, flags, &new, &old);
	fdput(f);
	if (!r && uold && put_user_obj(uold, &old))
		r = -EFAULT;
	return r;
}

long sys_timerfd_gettime(fd_t fd, uaddr_t uold)
{
	struct timer_spec old;
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	r = timerfd_gettime(f.file, &old);
	fdput(f);
	return r ? r : put_user_obj(uold, &old);
}

long sys_signalfd4(fd_t fd, uaddr_t umask, size_t size, int flags)
{
	struct fd f;
	u64 mask;
	long r;

	if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) || size != sizeof(mask))
		return -EINVAL;
	if (get_user_obj(&mask, umask))
		return -EFAULT;
	if (fd == -1)
		return install_new(signalfd_create(mask, flags), flags & O_CLOEXEC);
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	r = signalfd_set(f.file, mask);
	fdput(f);
	return r ? r : fd;
}

long sys_signalfd(fd_t fd, uaddr_t mask, size_t size)
{
	return sys_signalfd4(fd, mask, size, 0);
}

long sys_inotify_init1(int flags)
{
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	return install_new(inotify_create(flags), flags & O_CLOEXEC);
}

long sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

long sys_inotify_add_watch(fd_t fd, path_t upath, uint mask)
{
	unsigned int lookup = (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) |
			      (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
	struct path p;
	struct fd f;
	char *name;
	long r;

	if (!(mask & IN_ALL_BITS) || ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE)))
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	name = getname(upath);
	r = IS_ERR(name) ? PTR_ERR(name) : path_lookup(AT_FDCWD, name, lookup, &p);
	if (!r) {
		r = inode_permission(d_inode(p.dentry), MAY_READ);
		if (!r)
			r = inotify_add_watch(f.file, &p, mask);
		path_put(&p);
	}
	if (!IS_ERR(name))
		putname(name);
	fdput(f);
	return r;
}

long sys_inotify_rm_watch(fd_t fd, int wd)
{
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	r = inotify_rm_watch(f.file, wd);
	fdput(f);
	return r;
}

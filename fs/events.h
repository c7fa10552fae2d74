/* SPDX-License-Identifier: MIT */
/* Files that exist to be waited for: epoll, eventfd, timerfd, signalfd, inotify. */
#ifndef FS_EVENTS_H
#define FS_EVENTS_H

#include <fs/file.h>
#include <kernel/time.h>

struct epoll_event;
struct file *epoll_create(void);
/** epoll_control() - epoll_ctl(2). */
long epoll_control(struct file *ep, int op, struct file *f, int fd, struct epoll_event *ev);
/** epoll_watched() - the file watched by number @fd, the @nth of that number. ERR_PTR(-ENOENT, -EINVAL: no epoll). Only to compare: no reference. */
const struct file *epoll_watched(struct file *ep, int fd, u32 nth);
/** epoll_wait_events() - events copied to user memory; 0 after the deadline (0: do not sleep), -EINTR, -EFAULT, -EINVAL. */
long epoll_wait_events(struct file *ep, uaddr_t events, int max, u64 deadline_ns);

#define EFD_SEMAPHORE 1
struct file *eventfd_create(unsigned int count, int flags);
bool file_is_eventfd(const struct file *f);
/** eventfd_signal() - add one, unless the counter is full. */
void eventfd_signal(struct file *f);

struct timer_setting;
struct timer_spec {
	struct timespec64 interval, value;
};
#define TFD_TIMER_ABSTIME	1
#define TFD_TIMER_CANCEL_ON_SET 2
struct file *timerfd_create(int clock, int flags);
/** timerfd_settime() - @flags: TFD_TIMER_* alone. 0, -EINVAL (no timerfd), -ECANCELED. */
int timerfd_settime(struct file *f, int flags, const struct timer_setting *new,
		    struct timer_spec *old);
int timerfd_gettime(struct file *f, struct timer_spec *out);

struct file *signalfd_create(u64 mask, int flags);
int signalfd_set(struct file *f, u64 mask);

/* Limits, in /proc/sys/fs/inotify: of a queue, and of a user's instances and watches. */
extern u32 inotify_max_queued, inotify_max_instances, inotify_max_watches;
/** inotify_create() - a new instance. ERR_PTR(-EMFILE: the user has as many as he may; -ENOMEM). */
struct file *inotify_create(int flags);
int inotify_add_watch(struct file *f, const struct path *p, u32 mask);
int inotify_rm_watch(struct file *f, int wd);

#endif

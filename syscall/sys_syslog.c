/* SPDX-License-Identifier: MIT */
/* syslog(2): reading and clearing the kernel log, and what of it the console shows. */
#include <kernel/printk.h>
#include <kernel/signal.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/uaccess.h>
#include <syscall/proto.h>

enum {
	SYSLOG_CLOSE,
	SYSLOG_OPEN,
	SYSLOG_READ,
	SYSLOG_READ_ALL,
	SYSLOG_READ_CLEAR,
	SYSLOG_CLEAR,
	SYSLOG_CONSOLE_OFF,
	SYSLOG_CONSOLE_ON,
	SYSLOG_CONSOLE_LEVEL,
	SYSLOG_SIZE_UNREAD,
	SYSLOG_SIZE_BUFFER,
};

#define LOOK_INTERVAL_NS (100 * NSEC_PER_MSEC)

/* Both positions in the log: how far SYSLOG_READ has come, and what SYSLOG_CLEAR hides from READ_ALL. */
static struct mutex syslog_mutex = MUTEX_INIT(syslog_mutex);
static u64 read_pos, clear_pos; /* syslog_mutex */
static int saved_level = -1;	/* syslog_mutex: what CONSOLE_ON brings back */

/* The last @len bytes of what has not been cleared. */
static long read_all(uaddr_t ubuf, size_t len, bool clear)
{
	char *text = kmalloc(KLOG_SIZE, 0);
	u64 pos = clear_pos;
	size_t n, skip;
	long r;

	if (!text)
		return -ENOMEM;
	n = klog_read(&pos, text, KLOG_SIZE);
	skip = n > len ? n - len : 0;
	r = copy_to_user(ubuf, text + skip, n - skip) ? -EFAULT : (long)(n - skip);
	if (clear && r >= 0)
		clear_pos = pos;
	kfree(text);
	return r;
}

/* klog() is called from everywhere, the scheduler included, and so wakes nobody: who waits looks again and again. 0, -EINTR. */
static int wait_for_text(void)
{
	static struct waitq nobody = WAITQ_INIT(nobody);
	int r = -ETIMEDOUT;

	while (r == -ETIMEDOUT)
		r = wait_event_interruptible_until(&nobody, klog_end() != READ_ONCE(read_pos),
						   hal_clock_ns() + LOOK_INTERVAL_NS);
	return r;
}

/* What SYSLOG_READ has not seen; sleeps while there is nothing. */
static long read_next(uaddr_t ubuf, size_t len)
{
	char text[256];
	size_t n;
	u64 pos;
	int r;

	for (;;) {
		r = wait_for_text();
		if (r)
			return r;
		mutex_lock(&syslog_mutex);
		pos = read_pos;
		n = klog_read(&pos, text, min(len, sizeof(text)));
		r = n && copy_to_user(ubuf, text, n) ? -EFAULT : 0;
		if (!r)
			read_pos = pos;
		mutex_unlock(&syslog_mutex);
		if (r || n)
			return r ? r : (long)n;
	}
}

static size_t unread(void)
{
	u64 n = klog_end() - read_pos;

	return (size_t)min(n, (u64)KLOG_SIZE);
}

static long set_level(int level)
{
	if (level < 1 || level > 8)
		return -EINVAL;
	console_loglevel = level - 1;
	saved_level = -1;
	return 0;
}

static long syslog_locked(int type, uaddr_t ubuf, size_t len)
{
	switch (type) {
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return read_all(ubuf, len, type == SYSLOG_READ_CLEAR);
	case SYSLOG_CLEAR:
		clear_pos = klog_end();
		return 0;
	case SYSLOG_CONSOLE_OFF:
		if (saved_level < 0)
			saved_level = console_loglevel;
		console_loglevel = 0;
		return 0;
	case SYSLOG_CONSOLE_ON:
		if (saved_level >= 0)
			console_loglevel = saved_level;
		saved_level = -1;
		return 0;
	case SYSLOG_CONSOLE_LEVEL:
		return set_level((int)len);
	case SYSLOG_SIZE_UNREAD:
		return (long)unread();
	default:
		return 0; /* opening and closing */
	}
}

long sys_syslog(int type, uaddr_t ubuf, int len)
{
	bool reads = type >= SYSLOG_READ && type <= SYSLOG_READ_CLEAR;
	long r;

	/* Everybody may look at the whole; what changes something for others needs the right to. */
	if (type != SYSLOG_READ_ALL && type != SYSLOG_SIZE_BUFFER && !capable(CAP_SYSLOG) &&
	    !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (type < SYSLOG_CLOSE || type > SYSLOG_SIZE_BUFFER)
		return -EINVAL;
	if (type == SYSLOG_SIZE_BUFFER)
		return KLOG_SIZE;
	if (reads && (!ubuf || len < 0))
		return -EINVAL;
	if (reads && !len)
		return 0;
	if (type == SYSLOG_READ)
		return read_next(ubuf, (size_t)len);
	mutex_lock(&syslog_mutex);
	r = syslog_locked(type, ubuf, (size_t)len);
	mutex_unlock(&syslog_mutex);
	return r;
}

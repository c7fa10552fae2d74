/* SPDX-License-Identifier: MIT */
/*
 * The kernel log: a ring of text for dmesg, and the console for what is important enough.
 *
 * klog() works in any context, from the first C code on. A line gets its level and time stamp in the ring as /dev/kmsg readers
 * expect ("<6>[    1.234567] text"). Locking: log_lock, interrupts off; the console is written outside it.
 */
#include <hal/timer.h>
#include <kernel/console.h>
#include <kernel/printk.h>
#include <lib/atomic.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <lock.h>

#define LOG_SIZE KLOG_SIZE
#define LINE_MAX 512

int console_loglevel = CONFIG_LOG_LEVEL;
static char ring[LOG_SIZE];
static u64 ring_end; /* position of the next byte; the ring holds the last LOG_SIZE */
static struct spinlock log_lock = SPINLOCK_INIT(RANK_CONSOLE);

static void ring_put(const char *s, size_t n)
{
	while (n--)
		ring[ring_end++ % LOG_SIZE] = *s++;
}

size_t klog_read(u64 *pos, char *buf, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&log_lock);
	size_t done = 0;

	if (ring_end > LOG_SIZE && *pos < ring_end - LOG_SIZE)
		*pos = ring_end - LOG_SIZE;
	while (done < n && *pos < ring_end)
		buf[done++] = ring[(*pos)++ % LOG_SIZE];
	spin_unlock_irqrestore(&log_lock, flags);
	return done;
}

u64 klog_end(void)
{
	return __atomic_load_n(&ring_end, __ATOMIC_ACQUIRE);
}

void klog(int level, const char *fmt, ...)
{
	char line[LINE_MAX];
	u64 us = hal_clock_ns() / 1000;
	unsigned long flags;
	size_t head = (size_t)scnprintf(line, sizeof(line), "[%5llu.%06llu] ", us / 1000000,
					us % 1000000);
	char prefix[4] = { '<', (char)('0' + level), '>', 0 };
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = head + (size_t)vscnprintf(line + head, sizeof(line) - head, fmt, ap);
	va_end(ap);
	flags = spin_lock_irqsave(&log_lock);
	ring_put(prefix, 3);
	ring_put(line, n);
	if (n && line[n - 1] != '\n')
		ring_put("\n", 1);
	spin_unlock_irqrestore(&log_lock, flags);
	if (level <= console_loglevel)
		console_write(CONSOLE_LOG, line, n);
}

/* hal and lib report a broken reference count here: the object is kept for ever rather than freed twice. */
void refcount_report(refcount_t *r, const char *what)
{
	klog(LOG_ERR, "reference count at %p: %s\n", (void *)r, what);
}

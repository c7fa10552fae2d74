/* SPDX-License-Identifier: MIT */
/* The kernel log: klog(LOG_INFO, "text\n") into a ring (dmesg) and, up to the console log level, to the console. Any context. */
#ifndef KERNEL_PRINTK_H
#define KERNEL_PRINTK_H

#include <hal/upcall.h> /* klog(), panic() */

#define LOG_EMERG 0
#define LOG_ALERT 1
#define LOG_CRIT 2
#define LOG_ERR 3
#define LOG_WARNING 4
#define LOG_NOTICE 5
#define LOG_INFO 6
#define LOG_DEBUG 7

#define pr_err(...)  klog(LOG_ERR, __VA_ARGS__)
#define pr_warn(...) klog(LOG_WARNING, __VA_ARGS__)
#define pr_info(...) klog(LOG_INFO, __VA_ARGS__)
#define pr_debug(...) klog(LOG_DEBUG, __VA_ARGS__)

extern int console_loglevel;
/** klog_read() - copy log text from position *pos (0: oldest kept); advances *pos. Returns bytes. */
size_t klog_read(u64 *pos, char *buf, size_t n);
#define KLOG_SIZE (32 * 1024u)
/** klog_end() - the position behind the newest text. */
u64 klog_end(void);

#ifdef CONFIG_DEBUG
#define ASSERT(cond) do { if (unlikely(!(cond))) panic("assertion failed: %s (%s:%d)", #cond, __FILE__, __LINE__); } while (0)
#else
#define ASSERT(cond) ((void)sizeof(!!(cond)))
#endif
#define BUG_ON(cond) do { if (unlikely(cond)) panic("bug: %s (%s:%d)", #cond, __FILE__, __LINE__); } while (0)

#endif

/* SPDX-License-Identifier: MIT */
/*
 * hal/host: what portable code needs from the HAL when it is linked into a test program on Linux.
 *
 * The early console drops what it is given; panic() aborts, which the sanitizers report with a backtrace;
 * time is the host's monotonic clock; a test may bring its own klog() and hal_clock_ns(). hal/host/include/arch has the inline half.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <compiler.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/power.h>
#include <hal/timer.h>
#include <lock.h>
#include <hal/upcall.h>

struct hal_task *host_current;
unsigned long host_linear_offset, host_image_offset;
unsigned long host_irq_enabled = 1;
unsigned int hal_cpu_number;
unsigned long hal_percpu_offset[CONFIG_NR_CPUS];

void hal_early_putc(char c)
{
	(void)c;
}

__noreturn void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	abort();
}

__weak void klog(int level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

u64 hal_counter_to_ns(u64 ticks)
{
	return ticks;
}

#ifdef CONFIG_DEBUG
/* For tests without kernel/lock.c, whose checks replace these. */
__weak void lock_debug_wanted(struct spinlock *l)
{
	(void)l;
}

__weak void lock_debug_acquired(struct spinlock *l)
{
	(void)l;
}

__weak void lock_debug_release(struct spinlock *l)
{
	(void)l;
}

__weak void lock_debug_may_sleep(const char *where)
{
	(void)where;
}
#endif

void hal_set_current(struct hal_task *task)
{
	host_current = task;
}

__weak u64 hal_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

__weak __noreturn void hal_power_off(int code)
{
	exit(code);
}

__weak __noreturn void hal_cpu_halt(void)
{
	abort();
}

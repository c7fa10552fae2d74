/* SPDX-License-Identifier: MIT */
/*
 * Memory barriers, and the order between device registers and memory.
 * The smp_ barriers are lib/atomic.h's. Source: RISC-V Unprivileged Architecture, RVWMO.
 */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

#include <lib/atomic.h>

#define mb()  __asm__ __volatile__("fence iorw, iorw" ::: "memory")
#define rmb() __asm__ __volatile__("fence ir, ir" ::: "memory")
#define wmb() __asm__ __volatile__("fence ow, ow" ::: "memory")

/* Memory written before a device is told about it is visible to the device first. */
#define io_mb_before_write() __asm__ __volatile__("fence w, o" ::: "memory")
/* Memory read after a device register was is read after it. */
#define io_mb_after_read() __asm__ __volatile__("fence i, r" ::: "memory")
/* Devices that have a driver see the caches. */
#define io_cache_flush(va, len) ((void)(va), (void)(len))

#endif

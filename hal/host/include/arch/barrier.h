/* SPDX-License-Identifier: MIT */
/* The host has no devices: barriers between CPUs are lib/atomic.h's, the others are full fences. */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

#include <lib/atomic.h>

#define mb()		     __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb()		     mb()
#define wmb()		     mb()
#define io_mb_before_write() mb()
#define io_mb_after_read()   mb()

#endif

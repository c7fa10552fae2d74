/* SPDX-License-Identifier: MIT */
/* Memory barriers. x86_64 only lets a load pass an earlier store; device memory is uncached and ordered. */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

#include <compiler.h>

#define mb()	__asm__ __volatile__("mfence" ::: "memory")
#define rmb()	__asm__ __volatile__("lfence" ::: "memory")
#define wmb()	__asm__ __volatile__("sfence" ::: "memory")
#define smp_mb()  __asm__ __volatile__("lock addl $0, -4(%%rsp)" ::: "memory", "cc")
#define smp_rmb() barrier()
#define smp_wmb() barrier()

#define io_mb_before_write() barrier()
#define io_mb_after_read()   barrier()
/* Devices that have a driver see the caches. */
#define io_cache_flush(va, len) ((void)(va), (void)(len))

#endif

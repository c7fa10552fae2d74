/* SPDX-License-Identifier: MIT */
/* Memory barriers. Device memory (nGnRE) keeps the order of accesses to one device; normal memory keeps none. */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

#include <compiler.h>
#include <types.h>

#define isb()	__asm__ __volatile__("isb" ::: "memory")
#define dsb(op) __asm__ __volatile__("dsb " #op ::: "memory")
#define dmb(op) __asm__ __volatile__("dmb " #op ::: "memory")

#define mb()  dsb(sy)
#define rmb() dsb(ld)
#define wmb() dsb(st)

#ifndef smp_mb
#define smp_mb()  dmb(ish)
#define smp_rmb() dmb(ishld)
#define smp_wmb() dmb(ishst)
#endif

/* What was written to memory is seen by the device before the register write; what is read after the register read is new. */
#define io_mb_before_write() dmb(oshst)
#define io_mb_after_read()   dmb(oshld)

#define CACHE_LINE_LEAST 16UL

static inline void io_cache_flush(const void *va, size_t len)
{
	u64 at = (u64)va & ~(CACHE_LINE_LEAST - 1), end = (u64)va + len;

	for (; at < end; at += CACHE_LINE_LEAST)
		__asm__ __volatile__("dc civac, %0" ::"r"(at) : "memory");
	dsb(sy);
}

#endif

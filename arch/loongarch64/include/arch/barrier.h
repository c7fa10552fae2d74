/* SPDX-License-Identifier: MIT */
/*
 * Memory barriers of LoongArch. `dbar 0` orders everything; the hint bits weaken it: 0x10 completion
 * (off) and for the rest which of earlier/later reads/writes are ordered. CPUs that do not know a
 * hint treat it as 0. Device space is mapped strongly ordered, so the accessors need no more than
 * the order against normal memory. Source: LoongArch Reference Manual, volume 1, DBAR.
 */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

#define __dbar(hint)	__asm__ __volatile__("dbar %0" ::"I"(hint) : "memory")

#define mb()		__dbar(0x0)
#define rmb()		__dbar(0x5)
#define wmb()		__dbar(0xa)
#define smp_mb()	__dbar(0x10)
#define smp_rmb()	__dbar(0x15)
#define smp_wmb()	__dbar(0x1a)

#define io_mb_before_write()	wmb()
#define io_mb_after_read()	rmb()
/* Devices that have a driver see the caches. */
#define io_cache_flush(va, len) ((void)(va), (void)(len))

#endif

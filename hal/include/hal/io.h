/* SPDX-License-Identifier: MIT */
/* Device register access and memory barriers. Addresses come from hal_ioremap(). */
#ifndef HAL_IO_H
#define HAL_IO_H

#include <arch/barrier.h> /* mb() rmb() wmb() smp_mb() smp_rmb() smp_wmb(), io_mb_before_write() io_mb_after_read() */
#include <types.h>

/*
 * io_cache_flush(va, len): bring a range of memory out of the caches, for a device, or a CPU whose caches are off, that does not see them, before it reads the range and
 * before the CPU reads what it wrote there. The range is lines of the cache that nothing else is in. Any context.
 */

/* In host tests <arch/barrier.h> has brought others. */
#ifndef HAL_IO_ACCESSORS
#define HAL_IO_ACCESSORS(bits, suffix)                                                             \
	static inline u##bits read##suffix(const volatile void *addr)                              \
	{                                                                                          \
		u##bits v = *(const volatile u##bits *)addr;                                       \
		io_mb_after_read();                                                                \
		return v;                                                                          \
	}                                                                                          \
	static inline void write##suffix(u##bits v, volatile void *addr)                           \
	{                                                                                          \
		io_mb_before_write();                                                              \
		*(volatile u##bits *)addr = v;                                                     \
	}
#endif

HAL_IO_ACCESSORS(8, b)
HAL_IO_ACCESSORS(16, w)
HAL_IO_ACCESSORS(32, l)
HAL_IO_ACCESSORS(64, q)

#endif

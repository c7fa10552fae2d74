/* SPDX-License-Identifier: MIT */
/*
 * The host has no devices: barriers between CPUs are lib/atomic.h's, the others are full fences, and an access to a device's
 * registers goes to the test's model of them.
 */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

#include <lib/atomic.h>
#include <types.h>

#define mb()		     __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb()		     mb()
#define wmb()		     mb()
#define io_mb_before_write() mb()
#define io_mb_after_read()   mb()
#define io_cache_flush(va, len) ((void)(va), (void)(len))

/* The test's: @size in bytes. @addr is what the driver was given as its registers, plus an offset. */
u64 host_io_read(const volatile void *addr, unsigned int size);
void host_io_write(u64 value, volatile void *addr, unsigned int size);

#define HAL_IO_ACCESSORS(bits, suffix)                                                             \
	static inline u##bits read##suffix(const volatile void *addr)                              \
	{                                                                                          \
		return (u##bits)host_io_read(addr, (bits) / 8);                                    \
	}                                                                                          \
	static inline void write##suffix(u##bits v, volatile void *addr)                           \
	{                                                                                          \
		host_io_write(v, addr, (bits) / 8);                                                \
	}

#endif

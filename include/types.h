/* SPDX-License-Identifier: MIT */
/*
 * The scalar types of the kernel.
 *
 * 64-bit integers are `long long` on every architecture, so that %llx always prints a u64; `long`
 * and pointers are 64 bits wide too (LP64). In host tests (-DCAELUM_HOST) the libc's own types of
 * the same name are taken where they are the same type, and hidden behind ours where they are a
 * `long`; tests may include libc headers before or after this one.
 */
#ifndef TYPES_H
#define TYPES_H

#ifndef __ASSEMBLER__

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef signed short s16;
typedef signed int s32;
typedef signed long long s64;

typedef u64 paddr_t;	       /* physical address */
typedef unsigned long vaddr_t; /* kernel virtual address, as a number */
typedef unsigned long uaddr_t; /* address in the running program, as a number */
typedef s64 time64;	       /* nanoseconds; seconds where the name says _sec */

#ifdef CAELUM_HOST
#include <sys/types.h>
#define loff_t		caelum_loff_t
#define dev_t		caelum_dev_t
#define ino_t		caelum_ino_t
#else
typedef unsigned int uint;
typedef unsigned long ulong;
typedef long ssize_t;
typedef int pid_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef unsigned int mode_t;
typedef int clockid_t;
#endif

typedef s64 loff_t; /* file offset or size */
typedef u64 dev_t;  /* device number, Linux's 64-bit user encoding */
typedef u64 ino_t;

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define S32_MAX		((s32)(U32_MAX >> 1))
#define S32_MIN		((s32)(-S32_MAX - 1))
#define U64_MAX		((u64)~0ULL)
#define S64_MAX		((s64)(U64_MAX >> 1))
#define S64_MIN		((s64)(-S64_MAX - 1))
#ifndef CAELUM_HOST
#define INT_MAX		((int)(~0U >> 1))
#define INT_MIN		(-INT_MAX - 1)
#define UINT_MAX	(~0U)
#define LONG_MAX	((long)(~0UL >> 1))
#define LONG_MIN	(-LONG_MAX - 1)
#define ULONG_MAX	(~0UL)
#define SSIZE_MAX	LONG_MAX
#else
#include <limits.h>
#endif

_Static_assert(sizeof(long) == 8 && sizeof(void *) == 8 && sizeof(long long) == 8,
	       "Caelum is LP64 only");

#endif /* !__ASSEMBLER__ */
#endif /* TYPES_H */

/* SPDX-License-Identifier: MIT */
/*
 * How functions report failure.
 *
 * A function that returns an integer returns 0 or a non-negative value, or -Exxx. One that returns
 * a pointer and can fail returns ERR_PTR(-Exxx), an address in the last page of the address space,
 * where nothing is ever mapped; it never returns NULL for a failure. Both kinds are __must_check.
 *
 *	f = file_open(path);
 *	if (IS_ERR(f))
 *		return PTR_ERR(f);
 */
#ifndef ERR_H
#define ERR_H

#include <uapi/errno.h>

/*
 * Results inside the kernel that no program ever sees: syscall/ turns them into a restart or EINTR
 * (Linux's numbers, because a tracer sees them in the result register).
 */
#define ERESTARTSYS		512	/* restart if SA_RESTART, else EINTR */
#define ERESTARTNOINTR		513	/* always restart */
#define ERESTARTNOHAND		514	/* restart if no handler ran, else EINTR */
#define ENOIOCTLCMD		515	/* this layer does not know the ioctl; becomes ENOTTY */
#define ERESTART_RESTARTBLOCK	516	/* restart by restart_syscall if no handler ran, else EINTR */

#define MAX_ERRNO		4095

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

/* The pointer that stands for @error, a -Exxx. */
static __always_inline void *__must_check ERR_PTR(long error)
{
	return (void *)error;
}

/* The -Exxx that @ptr stands for; only after IS_ERR(@ptr). */
static __always_inline long __must_check PTR_ERR(__force const void *ptr)
{
	return (long)ptr;
}

static __always_inline bool __must_check IS_ERR(__force const void *ptr)
{
	return unlikely((unsigned long)ptr >= (unsigned long)-MAX_ERRNO);
}

static __always_inline bool __must_check IS_ERR_OR_NULL(__force const void *ptr)
{
	return unlikely(!ptr) || IS_ERR(ptr);
}

/* @ptr, which IS_ERR, as a pointer of another type. */
static __always_inline void *__must_check ERR_CAST(__force const void *ptr)
{
	return (void *)ptr;
}

/* 0 for a good pointer, its -Exxx otherwise. */
static __always_inline int __must_check PTR_ERR_OR_ZERO(__force const void *ptr)
{
	return IS_ERR(ptr) ? (int)PTR_ERR(ptr) : 0;
}

/* Whether @value, returned as a number (an address or -Exxx), is an error. */
#define IS_ERR_VALUE(value)	unlikely((unsigned long)(value) >= (unsigned long)-MAX_ERRNO)

#endif /* !__ASSEMBLER__ */
#endif /* ERR_H */

/* SPDX-License-Identifier: MIT */
/*
 * User memory for the rest of the kernel: hal's copies with errno results.
 * Context: current task, may sleep, no spinlock and no address-space lock held.
 */
#ifndef MM_UACCESS_H
#define MM_UACCESS_H

#include <err.h>
#include <hal/paging.h>
#include <hal/user_words.h>

/* 0 or -EFAULT. */
static inline int __must_check copy_from_user(void *dst, uaddr_t src, size_t n)
{
	return hal_copy_from_user(dst, src, n) ? -EFAULT : 0;
}
static inline int __must_check copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	return hal_copy_to_user(dst, src, n) ? -EFAULT : 0;
}
static inline int __must_check clear_user(uaddr_t dst, size_t n)
{
	return hal_clear_user(dst, n) ? -EFAULT : 0;
}
/* Whole objects: get_user_obj(&kernel_struct, uaddr) */
#define get_user_obj(ptr, uaddr) copy_from_user((ptr), (uaddr), sizeof(*(ptr)))
#define put_user_obj(uaddr, ptr) copy_to_user((uaddr), (ptr), sizeof(*(ptr)))
/* The same for objects of up to four 64-bit words, where each instruction counts: the copy is inline. */
#define get_user_words(ptr, uaddr) hal_get_user_words((u64 *)(ptr), (uaddr), sizeof(*(ptr)) / 8)
#define put_user_words(uaddr, ptr) hal_put_user_words((uaddr), (const u64 *)(ptr), sizeof(*(ptr)) / 8)

/**
 * strncpy_from_user() - copy a NUL-terminated string of at most @n bytes, NUL included.
 * Return: its length, -EFAULT, or -ENAMETOOLONG when there is no NUL within @n bytes.
 */
long __must_check strncpy_from_user(char *dst, uaddr_t src, size_t n);

/**
 * copy_struct_from_user() - copy a structure of @usize bytes that may be older or newer than our @size: what is
 * missing becomes zero, what we do not know must be zero. Return: 0, -EFAULT, -E2BIG.
 */
int __must_check copy_struct_from_user(void *dst, size_t size, uaddr_t src, size_t usize);

/* A user I/O vector: what read/write-like file operations consume. Also works on kernel memory (kernel readers). */
struct iovec_u {
	uaddr_t base;
	u64 len;
};
struct iov_iter {
	const struct iovec_u *iov; /* current element */
	unsigned int niov;	   /* left, current one included */
	size_t off;		   /* into the current element */
	size_t count;		   /* bytes left in all */
	bool kernel;		   /* base are kernel addresses */
};
void iov_iter_init(struct iov_iter *it, const struct iovec_u *iov, unsigned int niov, size_t count);
/* Copy up to n bytes and advance; returns bytes copied (short on a fault). */
size_t iov_iter_to(struct iov_iter *it, const void *src, size_t n); /* kernel -> user */
size_t iov_iter_from(struct iov_iter *it, void *dst, size_t n);	    /* user -> kernel */
size_t iov_iter_zero(struct iov_iter *it, size_t n);
void iov_iter_advance(struct iov_iter *it, size_t n);
void iov_iter_revert_to(struct iov_iter *it, const struct iov_iter *saved);

#endif

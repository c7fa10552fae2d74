/* SPDX-License-Identifier: MIT */
/*
 * A few words of user memory, inline: for fast paths, where the call and the set-up of hal_copy_from_user() cost more than
 * the copy. A word is one instruction, and goes through a register.
 *
 * <arch/uaccess.h> has the instructions, with %[word], %[addr] and the constant %c[at]; what opens user memory to the kernel and
 * closes it; and whether the words at an address must be copied by bytes.
 */
#ifndef HAL_USER_WORDS_H
#define HAL_USER_WORDS_H

#include <compiler.h>
#include <err.h>
#include <hal/paging.h>
#include <types.h>

#ifndef CAELUM_HOST
#include <arch/uaccess.h>
#include <hal/extable.h>

#define USER_WORDS_MAX 4

/* A fault that cannot be mended goes on at the label. */
#define USER_LOAD(dst, src, i, label)                                                              \
	__asm__ goto("1:	" ARCH_USER_LOAD "\n" __EXTABLE("1b", "%l[" #label "]")            \
		     : [word] "=r"((dst)[i])                                                       \
		     : [addr] "r"(src), [at] "i"(8 * (i))                                          \
		     : "memory"                                                                    \
		     : label)
#define USER_STORE(dst, src, i, label)                                                             \
	__asm__ goto("1:	" ARCH_USER_STORE "\n" __EXTABLE("1b", "%l[" #label "]")           \
		     :                                                                             \
		     : [word] "r"((src)[i]), [addr] "r"(dst), [at] "i"(8 * (i))                    \
		     : "memory"                                                                    \
		     : label)

#ifdef ARCH_HAS_USER_COPY_BYTES
static __always_inline size_t user_words_in_bytes(void *dst, uaddr_t src, size_t n)
{
	size_t left;

	arch_user_open();
	left = arch_user_copy_bytes(dst, (const void *)src, n);
	arch_user_close();
	return left;
}
#else
#define user_words_in_bytes hal_copy_from_user
#endif

/**
 * hal_get_user_words() - @n words, a constant of 1 to 4, from @src.
 * hal_put_user_words() - the other way.
 * Context: as hal_copy_from_user(). Return: 0, or -EFAULT; then some of them may have been copied.
 */
static __always_inline int hal_get_user_words(u64 *dst, uaddr_t src, const unsigned int n)
{
	if (unlikely(src > USER_END - 8 * n))
		return -EFAULT;
	if (unlikely(ARCH_USER_BYTES(src))) {
		u64 words[USER_WORDS_MAX];

		if (user_words_in_bytes(words, src, 8 * n))
			return -EFAULT;
		for (unsigned int i = 0; i < n; i++)
			dst[i] = words[i];
		return 0;
	}
	arch_user_open();
	USER_LOAD(dst, src, 0, fault);
	if (n > 1)
		USER_LOAD(dst, src, 1, fault);
	if (n > 2)
		USER_LOAD(dst, src, 2, fault);
	if (n > 3)
		USER_LOAD(dst, src, 3, fault);
	arch_user_close();
	return 0;
fault:
	arch_user_close();
	return -EFAULT;
}

static __always_inline int hal_put_user_words(uaddr_t dst, const u64 *src, const unsigned int n)
{
	if (unlikely(dst > USER_END - 8 * n))
		return -EFAULT;
	if (unlikely(ARCH_USER_BYTES(dst)))
		return hal_copy_to_user(dst, src, 8 * n) ? -EFAULT : 0;
	arch_user_open();
	USER_STORE(dst, src, 0, fault);
	if (n > 1)
		USER_STORE(dst, src, 1, fault);
	if (n > 2)
		USER_STORE(dst, src, 2, fault);
	if (n > 3)
		USER_STORE(dst, src, 3, fault);
	arch_user_close();
	return 0;
fault:
	arch_user_close();
	return -EFAULT;
}

#else

static inline int hal_get_user_words(u64 *dst, uaddr_t src, unsigned int n)
{
	return hal_copy_from_user(dst, src, 8 * n) ? -EFAULT : 0;
}
static inline int hal_put_user_words(uaddr_t dst, const u64 *src, unsigned int n)
{
	return hal_copy_to_user(dst, src, 8 * n) ? -EFAULT : 0;
}

#endif
#endif

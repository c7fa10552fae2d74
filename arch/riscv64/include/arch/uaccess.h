/* SPDX-License-Identifier: MIT */
/* One word of user memory by one instruction, for <hal/user_words.h>, with SUM set; only aligned ones suit every CPU. */
#ifndef ARCH_UACCESS_H
#define ARCH_UACCESS_H

#include <arch/csr.h>
#include <compiler.h>
#include <types.h>

#define ARCH_USER_LOAD	      "ld %[word], %c[at](%[addr])"
#define ARCH_USER_STORE	      "sd %[word], %c[at](%[addr])"
#define ARCH_USER_BYTES(addr) ((addr) & 7)

static __always_inline void arch_user_open(void)
{
	csr_set(sstatus, SR_SUM);
}

static __always_inline void arch_user_close(void)
{
	csr_clear(sstatus, SR_SUM);
}

/* @n bytes, one by one; SUM is set. No call of C, for which the compiler would keep registers free. Return: bytes not copied. */
#define ARCH_HAS_USER_COPY_BYTES
static __always_inline size_t arch_user_copy_bytes(void *dst, const void *src, size_t n)
{
	register void *to __asm__("t1") = dst;
	register const void *from __asm__("t2") = src;
	register size_t left __asm__("t3") = n;

	__asm__ __volatile__("call t0, riscv64_copy_bytes"
			     : "+r"(to), "+r"(from), "+r"(left)
			     :
			     : "t0", "t4", "memory");
	return left;
}

#endif

/* SPDX-License-Identifier: MIT */
/* One word of user memory by one instruction, for <hal/user_words.h>; between STAC and CLAC where the CPU has SMAP. */
#ifndef ARCH_UACCESS_H
#define ARCH_UACCESS_H

#include <arch/smap.h>
#include <compiler.h>

#define ARCH_USER_LOAD	      "movq %c[at](%[addr]), %[word]"
#define ARCH_USER_STORE	      "movq %[word], %c[at](%[addr])"
#define ARCH_USER_BYTES(addr) false

static __always_inline void arch_user_open(void)
{
	__asm__ __volatile__(STAC ::: "memory");
}

static __always_inline void arch_user_close(void)
{
	__asm__ __volatile__(CLAC ::: "memory");
}

#endif

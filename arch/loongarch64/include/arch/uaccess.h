/* SPDX-License-Identifier: MIT */
/* One word of user memory by one instruction, for <hal/user_words.h>; only aligned ones suit every CPU. */
#ifndef ARCH_UACCESS_H
#define ARCH_UACCESS_H

#include <compiler.h>

#define ARCH_USER_LOAD	      "ld.d %[word], %[addr], %c[at]"
#define ARCH_USER_STORE	      "st.d %[word], %[addr], %c[at]"
#define ARCH_USER_BYTES(addr) ((addr) & 7)

static __always_inline void arch_user_open(void)
{
}

static __always_inline void arch_user_close(void)
{
}

#endif

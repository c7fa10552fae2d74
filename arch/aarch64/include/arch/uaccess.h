/* SPDX-License-Identifier: MIT */
/* One word of user memory by one instruction, for <hal/user_words.h>: unprivileged ones, as in usercopy.S, which PAN does not mind. */
#ifndef ARCH_UACCESS_H
#define ARCH_UACCESS_H

#include <compiler.h>

#define ARCH_USER_LOAD	      "ldtr %[word], [%[addr], #%c[at]]"
#define ARCH_USER_STORE	      "sttr %[word], [%[addr], #%c[at]]"
#define ARCH_USER_BYTES(addr) false

static __always_inline void arch_user_open(void)
{
}

static __always_inline void arch_user_close(void)
{
}

#endif

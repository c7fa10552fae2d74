/* SPDX-License-Identifier: MIT */
/* What handlers of one system call in different files share. */
#ifndef SYSCALL_INTERNAL_H
#define SYSCALL_INTERNAL_H

#include <types.h>

/** prctl_own() - the operations of prctl(2) that read or set a plain property of current. */
long prctl_set_seccomp(ulong mode, uaddr_t prog);
long prctl_own(int option, ulong arg2, ulong arg3, ulong arg4, ulong arg5);

#endif

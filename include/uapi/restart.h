/* SPDX-License-Identifier: MIT */
/* The number of restart_syscall(2), which the kernel puts into the program's registers. */
#ifndef UAPI_RESTART_H
#define UAPI_RESTART_H

#define NR_restart_syscall 128

#endif

/* SPDX-License-Identifier: MIT */
/* The O_* values that differ between architectures; these are asm-generic's. aarch64 overrides this file. */
#ifndef UAPI_FCNTL_ARCH_H
#define UAPI_FCNTL_ARCH_H

#define O_DIRECT    00040000
#define O_LARGEFILE 00100000
#define O_DIRECTORY 00200000
#define O_NOFOLLOW  00400000

#endif

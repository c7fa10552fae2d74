/* SPDX-License-Identifier: MIT */
/* The O_* values of aarch64 (those of 32-bit ARM). */
#ifndef UAPI_FCNTL_ARCH_H
#define UAPI_FCNTL_ARCH_H

#define O_DIRECTORY 00040000
#define O_NOFOLLOW  00100000
#define O_DIRECT    00200000
#define O_LARGEFILE 00400000

#endif

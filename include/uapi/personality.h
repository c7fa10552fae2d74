/* SPDX-License-Identifier: MIT */
/* personality(2). */
#ifndef UAPI_PERSONALITY_H
#define UAPI_PERSONALITY_H

#define UNAME26		   0x0020000u
#define ADDR_NO_RANDOMIZE  0x0040000u
#define MMAP_PAGE_ZERO	   0x0100000u
#define ADDR_COMPAT_LAYOUT 0x0200000u
#define READ_IMPLIES_EXEC  0x0400000u
#define STICKY_TIMEOUTS	   0x4000000u
/* What a program that gains privileges must not inherit. */
#define PER_CLEAR_ON_SETID (READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO)

#endif

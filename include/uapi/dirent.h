/* SPDX-License-Identifier: MIT */
/* getdents64(2). */
#ifndef UAPI_DIRENT_H
#define UAPI_DIRENT_H

#include <types.h>

struct linux_dirent64 {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
	char d_name[];
};
struct linux_dirent { /* getdents(2), x86_64 only; d_type is the record's last byte */
	u64 d_ino, d_off;
	u16 d_reclen;
	char d_name[];
};

#define DT_UNKNOWN 0
#define DT_FIFO	   1
#define DT_CHR	   2
#define DT_DIR	   4
#define DT_BLK	   6
#define DT_REG	   8
#define DT_LNK	   10
#define DT_SOCK	   12

#endif

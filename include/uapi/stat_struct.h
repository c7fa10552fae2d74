/* SPDX-License-Identifier: MIT */
/* struct stat of asm-generic (riscv64, aarch64, loongarch64). An architecture with its own overrides this file. */
#ifndef UAPI_STAT_STRUCT_H
#define UAPI_STAT_STRUCT_H

#include <types.h>

struct stat {
	u64 st_dev, st_ino;
	u32 st_mode, st_nlink;
	u32 st_uid, st_gid;
	u64 st_rdev, __pad1;
	s64 st_size;
	s32 st_blksize, __pad2;
	s64 st_blocks;
	s64 st_atime_sec;
	u64 st_atime_nsec;
	s64 st_mtime_sec;
	u64 st_mtime_nsec;
	s64 st_ctime_sec;
	u64 st_ctime_nsec;
	u32 __unused4, __unused5;
};
_Static_assert(sizeof(struct stat) == 128, "struct stat is ABI");

#endif

/* SPDX-License-Identifier: MIT */
/* struct stat of x86_64. */
#ifndef UAPI_STAT_STRUCT_H
#define UAPI_STAT_STRUCT_H

#include <types.h>

struct stat {
	u64 st_dev, st_ino, st_nlink;
	u32 st_mode, st_uid, st_gid, __pad0;
	u64 st_rdev;
	s64 st_size, st_blksize, st_blocks;
	s64 st_atime_sec;
	u64 st_atime_nsec;
	s64 st_mtime_sec;
	u64 st_mtime_nsec;
	s64 st_ctime_sec;
	u64 st_ctime_nsec;
	s64 st_reserved[3];
};
_Static_assert(sizeof(struct stat) == 144, "struct stat is ABI");

#endif

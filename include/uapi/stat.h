/* SPDX-License-Identifier: MIT */
/* File modes, struct stat, struct statx. Source: inode(7), stat(2), statx(2). */
#ifndef UAPI_STAT_H
#define UAPI_STAT_H

#include <types.h>
#include <uapi/stat_struct.h>

#define S_IFMT	 0170000
#define S_IFSOCK 0140000
#define S_IFLNK	 0120000
#define S_IFREG	 0100000
#define S_IFBLK	 0060000
#define S_IFDIR	 0040000
#define S_IFCHR	 0020000
#define S_IFIFO	 0010000
#define S_ISUID	 0004000
#define S_ISGID	 0002000
#define S_ISVTX	 0001000
#define S_IRWXU	 0700
#define S_IRUSR	 0400
#define S_IWUSR	 0200
#define S_IXUSR	 0100
#define S_IRWXG	 0070
#define S_IRGRP	 0040
#define S_IWGRP	 0020
#define S_IXGRP	 0010
#define S_IRWXO	 0007
#define S_IROTH	 0004
#define S_IWOTH	 0002
#define S_IXOTH	 0001
#define S_IALLUGO 07777
#define S_IRWXUGO 0777
#define S_IXUGO	 0111

#define S_ISLNK(m)  (((m) & S_IFMT) == S_IFLNK)
#define S_ISREG(m)  (((m) & S_IFMT) == S_IFREG)
#define S_ISDIR(m)  (((m) & S_IFMT) == S_IFDIR)
#define S_ISCHR(m)  (((m) & S_IFMT) == S_IFCHR)
#define S_ISBLK(m)  (((m) & S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m) & S_IFMT) == S_IFIFO)
#define S_ISSOCK(m) (((m) & S_IFMT) == S_IFSOCK)

#define UTIME_NOW  ((1l << 30) - 1l)
#define UTIME_OMIT ((1l << 30) - 2l)

struct statx_timestamp {
	s64 tv_sec;
	u32 tv_nsec;
	s32 __reserved;
};
struct statx {
	u32 stx_mask, stx_blksize;
	u64 stx_attributes;
	u32 stx_nlink, stx_uid, stx_gid;
	u16 stx_mode, __spare0;
	u64 stx_ino, stx_size, stx_blocks, stx_attributes_mask;
	struct statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
	u32 stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
	u64 stx_mnt_id;
	u32 stx_dio_mem_align, stx_dio_offset_align;
	u64 __spare3[12];
};
_Static_assert(sizeof(struct statx) == 256, "struct statx is ABI");

#define STATX_TYPE	  0x001u
#define STATX_MODE	  0x002u
#define STATX_NLINK	  0x004u
#define STATX_UID	  0x008u
#define STATX_GID	  0x010u
#define STATX_ATIME	  0x020u
#define STATX_MTIME	  0x040u
#define STATX_CTIME	  0x080u
#define STATX_INO	  0x100u
#define STATX_SIZE	  0x200u
#define STATX_BLOCKS	  0x400u
#define STATX_BASIC_STATS 0x7ffu
#define STATX_BTIME	  0x800u
#define STATX_MNT_ID	  0x1000u
#define STATX_MNT_ID_UNIQUE 0x4000u
#define STATX__RESERVED	  0x80000000u

#define STATX_ATTR_MOUNT_ROOT 0x2000u

#endif

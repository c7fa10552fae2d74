/* SPDX-License-Identifier: MIT */
/* statfs(2). */
#ifndef UAPI_STATFS_H
#define UAPI_STATFS_H

#include <types.h>

struct statfs {
	s64 f_type, f_bsize;
	u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	s32 f_fsid[2];
	s64 f_namelen, f_frsize, f_flags, f_spare[4];
};
_Static_assert(sizeof(struct statfs) == 120, "struct statfs is ABI");

#define TMPFS_MAGIC    0x01021994
#define PROC_SUPER_MAGIC 0x9fa0
#define SYSFS_MAGIC    0x62656572
#define TRACEFS_MAGIC  0x74726163
#define DEVPTS_SUPER_MAGIC 0x1cd1
#define ANON_INODE_FS_MAGIC 0x09041934
#define PIPEFS_MAGIC   0x50495045
#define SOCKFS_MAGIC   0x534f434b

#define ST_RDONLY      0x0001
#define ST_NOSUID      0x0002
#define ST_NODEV       0x0004
#define ST_NOEXEC      0x0008
#define ST_SYNCHRONOUS 0x0010
#define ST_VALID       0x0020
#define ST_NOATIME     0x0400
#define ST_NODIRATIME  0x0800
#define ST_RELATIME    0x1000
#define ST_NOSYMFOLLOW 0x2000

#endif

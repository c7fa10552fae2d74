/* SPDX-License-Identifier: MIT */
/* mount(2), umount2(2). */
#ifndef UAPI_MOUNT_H
#define UAPI_MOUNT_H

#define MS_RDONLY      0x1ul
#define MS_NOSUID      0x2ul
#define MS_NODEV       0x4ul
#define MS_NOEXEC      0x8ul
#define MS_SYNCHRONOUS 0x10ul
#define MS_REMOUNT     0x20ul
#define MS_MANDLOCK    0x40ul
#define MS_DIRSYNC     0x80ul
#define MS_NOSYMFOLLOW 0x100ul
#define MS_NOATIME     0x400ul
#define MS_NODIRATIME  0x800ul
#define MS_BIND	       0x1000ul
#define MS_MOVE	       0x2000ul
#define MS_REC	       0x4000ul
#define MS_SILENT      0x8000ul
#define MS_UNBINDABLE  (1ul << 17)
#define MS_PRIVATE     (1ul << 18)
#define MS_SLAVE       (1ul << 19)
#define MS_SHARED      (1ul << 20)
#define MS_RELATIME    (1ul << 21)
#define MS_STRICTATIME (1ul << 24)
#define MS_LAZYTIME    (1ul << 25)
#define MS_MGC_VAL     0xC0ED0000ul
#define MS_MGC_MSK     0xffff0000ul

/* fsmount(2), mount_setattr(2). */
#define MOUNT_ATTR_RDONLY      0x1ull
#define MOUNT_ATTR_NOSUID      0x2ull
#define MOUNT_ATTR_NODEV       0x4ull
#define MOUNT_ATTR_NOEXEC      0x8ull
#define MOUNT_ATTR__ATIME      0x70ull
#define MOUNT_ATTR_NOATIME     0x10ull
#define MOUNT_ATTR_STRICTATIME 0x20ull
#define MOUNT_ATTR_NODIRATIME  0x80ull
#define MOUNT_ATTR_IDMAP       0x100000ull
#define MOUNT_ATTR_NOSYMFOLLOW 0x200000ull
#define MOUNT_ATTR_ALL                                                                             \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |            \
	 MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

#define MNT_FORCE	1
#define MNT_DETACH	2
#define MNT_EXPIRE	4
#define UMOUNT_NOFOLLOW 8

#endif

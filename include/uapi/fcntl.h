/* SPDX-License-Identifier: MIT */
/* open, fcntl, *at flags, locks, fallocate. Source: open(2), fcntl(2), openat2(2). */
#ifndef UAPI_FCNTL_H
#define UAPI_FCNTL_H

#include <types.h>
#include <uapi/fcntl_arch.h>

#define O_ACCMODE   00000003
#define O_RDONLY    00000000
#define O_WRONLY    00000001
#define O_RDWR	    00000002
#define O_CREAT	    00000100
#define O_EXCL	    00000200
#define O_NOCTTY    00000400
#define O_TRUNC	    00001000
#define O_APPEND    00002000
#define O_NONBLOCK  00004000
#define O_DSYNC	    00010000
#define FASYNC	    00020000
#define O_NOATIME   01000000
#define O_CLOEXEC   02000000
#define __O_SYNC    04000000
#define O_SYNC	    (__O_SYNC | O_DSYNC)
#define O_PATH	    010000000
#define __O_TMPFILE 020000000
#define O_TMPFILE   (__O_TMPFILE | O_DIRECTORY)

#define F_DUPFD	   0
#define F_GETFD	   1
#define F_SETFD	   2
#define F_GETFL	   3
#define F_SETFL	   4
#define F_GETLK	   5
#define F_SETLK	   6
#define F_SETLKW   7
#define F_SETOWN   8
#define F_GETOWN   9
#define F_SETSIG   10
#define F_GETSIG   11
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#define F_SETLEASE 1024
#define F_GETLEASE 1025
#define F_NOTIFY   1026
#define F_DUPFD_QUERY 1027
#define F_CREATED_QUERY 1028
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#define F_GET_RW_HINT 1035
#define F_SET_RW_HINT 1036
#define RWH_WRITE_LIFE_EXTREME 5 /* the last of the hints */
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define FD_CLOEXEC 1

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
struct flock {
	s16 l_type, l_whence;
	s64 l_start, l_len;
	s32 l_pid;
};
_Static_assert(sizeof(struct flock) == 32, "struct flock is ABI");
#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_MAND 32
#define LOCK_UN 8

struct f_owner_ex {
	s32 type, pid;
};
#define F_OWNER_TID  0
#define F_OWNER_PID  1
#define F_OWNER_PGRP 2

#define AT_FDCWD	     (-100)
#define AT_SYMLINK_NOFOLLOW  0x100
#define AT_EACCESS	     0x200
#define AT_REMOVEDIR	     0x200
#define AT_SYMLINK_FOLLOW    0x400
#define AT_NO_AUTOMOUNT	     0x800
#define AT_EMPTY_PATH	     0x1000
#define AT_STATX_FORCE_SYNC  0x2000
#define AT_STATX_DONT_SYNC   0x4000

#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

struct open_how {
	u64 flags, mode, resolve;
};
#define RESOLVE_NO_XDEV	      0x01
#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_NO_SYMLINKS   0x04
#define RESOLVE_BENEATH	      0x08
#define RESOLVE_IN_ROOT	      0x10
#define RESOLVE_CACHED	      0x20

#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE	 2u
#define RENAME_WHITEOUT	 4u

#define FALLOC_FL_KEEP_SIZE	 0x01
#define FALLOC_FL_PUNCH_HOLE	 0x02
#define FALLOC_FL_COLLAPSE_RANGE 0x08
#define FALLOC_FL_ZERO_RANGE	 0x10
#define FALLOC_FL_INSERT_RANGE	 0x20
#define FALLOC_FL_UNSHARE_RANGE	 0x40

#define POSIX_FADV_NOREUSE 5

#define SPLICE_F_MOVE	  1u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE	  4u
#define SPLICE_F_GIFT	  8u

#define SYNC_FILE_RANGE_ALL 7u
#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u
#define XATTR_CREATE  1
#define XATTR_REPLACE 2

#endif

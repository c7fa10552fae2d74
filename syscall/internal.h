/* SPDX-License-Identifier: MIT */
/* What handlers of one system call in different files share. */
#ifndef SYSCALL_INTERNAL_H
#define SYSCALL_INTERNAL_H

#include <mm/uaccess.h>
#include <types.h>

/** prctl_own() - the operations of prctl(2) that read or set a plain property of current. */
long prctl_set_seccomp(ulong mode, uaddr_t prog);
long prctl_own(int option, ulong arg2, ulong arg3, ulong arg4, ulong arg5);

struct path;
/** path_at() - what (@dfd, @upath) names with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH of @flags; references in *@out. 0 or -Exxx. */
int path_at(int dfd, uaddr_t upath, int flags, struct path *out);

/** import_iov() - read a vector of @n elements into @fast (UIO_FASTIOV of them) or memory that is to be freed; *@total gets its bytes. ERR_PTR. */
struct iovec_u *import_iov(uaddr_t uvec, ulong n, struct iovec_u *fast, size_t *total);

#endif

/* SPDX-License-Identifier: MIT */
/* Leases on open files (fs/lease.c). Task context; all may sleep. */
#ifndef FS_LEASE_H
#define FS_LEASE_H

#include <fs/vfs.h>

/** lease_set() - F_SETLEASE. 0, -EAGAIN (opened by others, or none to give up), -EACCES, -EINVAL, -ENOMEM. */
int lease_set(struct file *f, int type);
/** lease_get() - F_GETLEASE: F_RDLCK, F_WRLCK or F_UNLCK; what it is to become while it is being broken. */
int lease_get(struct file *f);
/** lease_file_gone() - the last reference on a file of an inode that has leases. */
void lease_file_gone(struct file *f);

/**
 * lease_break() - have leases in the way given up, before opening (@write: for writing) or truncating.
 * Waits for their holders, up to lease_break_seconds. Return: 0, -EWOULDBLOCK (@nonblock), -EINTR.
 */
int __lease_break(struct inode *inode, bool write, bool nonblock);
static inline int lease_break(struct inode *inode, bool write, bool nonblock)
{
	return unlikely(READ_ONCE(inode->leases)) ? __lease_break(inode, write, nonblock) : 0;
}
extern u32 lease_break_seconds; /* /proc/sys/fs/lease-break-time */

#endif

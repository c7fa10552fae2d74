/* SPDX-License-Identifier: MIT */
/* Advisory locks for their system calls. */
#ifndef FS_LOCKS_H
#define FS_LOCKS_H

#include <fs/vfs.h>

struct lock_request {
	const void *owner; /* the descriptor table, or the open file */
	bool ofd;
	u8 type;	/* F_RDLCK, F_WRLCK, F_UNLCK */
	u64 start, end; /* inclusive */
	pid_t pid;	/* result of a test */
};
/** locks_set() - lock or unlock a range. 0, -EAGAIN, -EDEADLK, -EINTR, -ENOLCK. */
int locks_set(struct inode *inode, const struct lock_request *rq, bool wait);
/** locks_test() - who would be in the way: fills *rq, or sets its type to F_UNLCK. Of type F_UNLCK itself: a lock the owner has there. */
void locks_test(struct inode *inode, struct lock_request *rq);
int locks_flock(struct file *f, u8 type, bool wait);

struct file_lock;
bool locks_conflict(struct lock_context *ctx, struct list *head, const struct file_lock *want);

#endif

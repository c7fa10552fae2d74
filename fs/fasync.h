/* SPDX-License-Identifier: MIT */
/* Who owns an open file, and signals when it becomes ready (fs/fasync.c). Task context; all may sleep. */
#ifndef FS_FASYNC_H
#define FS_FASYNC_H

#include <fs/file.h>
#include <uapi/fcntl.h>

/** file_can_async() - can files of this kind send signals? Others do not keep FASYNC. */
static inline bool file_can_async(const struct file *f)
{
	return f->ops->async && f->ops->poll;
}
/** file_set_async() - begin or end signals for @f; @fd is what siginfo tells. 0 or -ENOMEM. */
int file_set_async(struct file *f, int fd, bool on);
/** file_set_owner() - F_SETOWN: @nr 0: nobody. 0, -ESRCH, -ENOMEM. file_get_owner(): who it is, if still there. */
int file_set_owner(struct file *f, int type, pid_t nr);
void file_get_owner(struct file *f, struct f_owner_ex *out);
/** file_set_owner_signal() - F_SETSIG: 0: plain SIGIO. 0 or -ENOMEM. file_owner_signal(): what it is. */
int file_set_owner_signal(struct file *f, int sig);
int file_owner_signal(struct file *f);
/** file_signal_owner() - have the owner told that the file's state has changed (a lease is being broken). */
void file_signal_owner(struct file *f);
/** file_owner_free() - the last reference on @f has gone. */
void file_owner_free(struct file *f);

#endif

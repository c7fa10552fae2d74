/* SPDX-License-Identifier: MIT */
/* Moving data between files inside the kernel. All return bytes, or -Exxx if none was moved. */
#ifndef FS_SPLICE_H
#define FS_SPLICE_H

#include <fs/pipe.h>

ssize_t do_sendfile(struct file *in, loff_t *pos, struct file *out, size_t n);
ssize_t do_copy_range(struct file *in, loff_t *ipos, struct file *out, loff_t *opos, size_t n);
ssize_t splice_from_pipe(struct pipe *p, struct file *out, loff_t *pos, size_t n, bool nonblock);
ssize_t splice_to_pipe(struct file *in, loff_t *pos, struct pipe *p, size_t n, bool nonblock);
/* @dup: tee(2). */
ssize_t splice_pipes(struct pipe *in, struct pipe *out, size_t n, bool dup, bool nonblock);
/** check_copy_files() - may a range of @in be copied to @out? 0, -EISDIR, -EINVAL: no regular file, -EBADF: not open for it. */
int check_copy_files(const struct file *in, const struct file *out);

#endif

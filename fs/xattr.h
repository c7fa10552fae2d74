/* SPDX-License-Identifier: MIT */
/* Extended attributes for their system calls; kernel memory. @size 0: how large it is. */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include <fs/vfs.h>

#define XATTR_NAME_MAX 255
#define XATTR_SIZE_MAX 65536

ssize_t xattr_get(struct inode *inode, const char *name, void *value, size_t size);
int xattr_set(const struct path *p, const char *name, const void *value, size_t size, int flags);
int xattr_remove(const struct path *p, const char *name);
ssize_t xattr_list(struct inode *inode, char *list, size_t size);

#endif

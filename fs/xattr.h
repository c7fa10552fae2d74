/* SPDX-License-Identifier: MIT */
/* Extended attributes for their system calls; kernel memory. @size 0: how large it is. */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include <fs/vfs.h>

#define XATTR_NAME_MAX 255
#define XATTR_SIZE_MAX 65536
#define XATTR_CAPS     "security.capability"

ssize_t xattr_get(struct inode *inode, const char *name, void *value, size_t size);
int xattr_set(const struct path *p, const char *name, const void *value, size_t size, int flags);
int xattr_remove(const struct path *p, const char *name);
ssize_t xattr_list(struct inode *inode, char *list, size_t size);
/** xattr_drop_caps() - a changed file has no capabilities any more. inode->lock held for writing. */
void xattr_drop_caps(struct inode *inode);
/** file_caps_check() - may this be written as XATTR_CAPS? 0, -EINVAL. */
int file_caps_check(const void *value, size_t size);

#endif

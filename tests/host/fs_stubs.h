/* SPDX-License-Identifier: MIT */
/* A root file system and a task that uses it, for host tests and fuzz targets of fs/. */
#ifndef FS_STUBS_H
#define FS_STUBS_H

#include <stdlib.h>

/* What a block device's node does when it is opened; NULL: nothing (disk_stubs.c has one). */
struct file_ops;
extern const struct file_ops *fs_stubs_blkdev_ops;

/** fs_stubs_start() - memory, caches, an empty tmpfs as root, a descriptor table. Once in a program. */
void fs_stubs_start(void);
/** fs_stubs_reset() - close and unmount everything and begin with an empty root; panics when a file was not released. */
void fs_stubs_reset(void);

#endif

/* SPDX-License-Identifier: MIT */
/* A root file system and a task that uses it, for host tests and fuzz targets of fs/. */
#ifndef FS_STUBS_H
#define FS_STUBS_H

#include <stdlib.h>

/** fs_stubs_start() - memory, caches, an empty tmpfs as root, a descriptor table. Once in a program. */
void fs_stubs_start(void);
/** fs_stubs_reset() - close and unmount everything and begin with an empty root; panics when a file was not released. */
void fs_stubs_reset(void);

#endif

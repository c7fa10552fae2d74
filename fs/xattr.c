/* SPDX-License-Identifier: MIT */
#include <fs/internal.h>
#include <fs/tmpfs/tmpfs.h>
void tmpfs_xattr_free(struct tmpfs_xattr *list) { }

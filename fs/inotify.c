/* SPDX-License-Identifier: MIT */
#include <fs/internal.h>
bool inotify_active;
void inotify_inode_gone(struct inode *inode) { }
void __fsnotify_dentry(struct dentry *d, u32 mask) { }
void __fsnotify_name(struct inode *dir, const char *name, u32 mask, u32 cookie) { }

/* SPDX-License-Identifier: MIT */
/* Files that stand for namespaces (fs/nsfs.c). */
#ifndef FS_NSFS_H
#define FS_NSFS_H

#include <fs/file.h>
#include <fs/vfs.h>
#include <kernel/ns.h>

void nsfs_init(void);
/** nsfs_path() - where /proc/PID/ns/... of @t leads, @kind: CLONE_NEW*; references for the caller. 0 or -ENOMEM. */
int nsfs_path(struct task *t, u64 kind, struct path *out);
/** nsfs_get() - the namespace that @f keeps alive, NULL: it is another kind of file. */
const struct ns_ref *nsfs_get(const struct file *f);

#endif

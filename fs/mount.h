/* SPDX-License-Identifier: MIT */
/* What mount.c (mount, umount2) and newmount.c (fsopen and its relatives) share. Task context; may sleep. */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include <fs/vfs.h>

/* Outside mount_lock: held while the tree of mounts or the flags of a mount change. */
extern struct mutex mount_mutex;

/** super_obtain() - the instance that a new mount is to show: one that is there already, or a new one. ERR_PTR(-Exxx). */
struct super *super_obtain(struct fs_type *t, const char *source, const char *data,
			   unsigned long flags);
/** super_remount() - other options, and those of SB_FLAGS in @mask as @flags say. 0, -EBUSY, -EINVAL. */
int super_remount(struct super *sb, unsigned long flags, unsigned long mask, const char *data);
#define SB_FLAGS (MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME)

/** mount_alloc() - a mount of @root that hangs nowhere. Takes over the caller's reference on @sb if it succeeds. ERR_PTR(-ENOMEM, -ENOSPC). */
struct mount *mount_alloc(struct super *sb, struct dentry *root, const char *source, u32 flags);
/** mount_clone_tree() - a copy of the mount at @src that begins at its dentry, with those below it if @rec; hangs nowhere. mount_mutex held. ERR_PTR. */
struct mount *mount_clone_tree(const struct path *src, bool rec);
/** mount_attach() - hang @m with all that is on it on @at. mount_detach() - take it off; the references on the place are the caller's to put. mount_mutex held. */
void mount_attach(struct mount *m, const struct path *at);
struct path mount_detach(struct mount *m);
/** mount_is_ours() - is @m part of the tree that current may change? mount_mutex held. */
bool mount_is_ours(const struct mount *m);
/** mount_tree_of() - the tree that @fs has its root in; NULL: in none. mount_mutex held. */
struct mnt_ns *mount_tree_of(struct fs_ctx *fs);
/** mount_next() - the tree of @top in order, a mount before those on it. NULL: that was the last. mount_mutex held. */
struct mount *mount_next(struct mount *m, const struct mount *top);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the files of fs/ share and nobody else needs.
 */
#ifndef FS_INTERNAL_H
#define FS_INTERNAL_H

#include <fs/fsnotify.h>
#include <fs/vfs.h>
#include <kernel/printk.h>
#include <kernel/signal.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <uapi/ioctl.h>
#include <uapi/memfd.h>

void dcache_init(void);
void inode_init(void);
void file_init(void);
void fdtable_init(void);
void mount_init(void);
void namei_init(void);
void pipe_init(void);
void locks_init(void);
void anon_init(void);
void epoll_init(void);
void devfs_init(void);
void tmpfs_init(void);
void procfs_init(void);
void sysfs_init(void);
void tracefs_init(void);
void fat_init(void);
void tty_init(void);
void pty_init(void);

void file_accessed(struct file *f);

/* locks.c */
void locks_free(struct inode *inode);

/* Character devices by number (devfs.c). The fops that the node gets when it is opened, or NULL. */
struct chrdev {
	const char *name; /* as in /dev, may hold a directory */
	u64 rdev;	  /* the first number */
	u32 mode;
	const struct file_ops *ops;
	u32 count; /* of minors, 0: one */
	struct chrdev *next;
};
void chrdev_register(struct chrdev *dev);
/* Enter a node into /dev, or take it away; one that is there already stays. 0 or -Exxx. */
int devtmpfs_add(const char *name, u32 mode, u64 rdev);
int devtmpfs_remove(const char *name);
extern const struct file_ops chrdev_ops, fifo_ops, blkdev_ops, sock_ops, tmpfs_file_ops;

/**
 * mount_options() - call @fn for each option of @data (NULL: none), until one fails. @val: NULL without "=". 0, -ENOMEM, what @fn says
 * (-EINVAL for what it does not know). May sleep.
 */
typedef int mount_option_fn(void *ctx, const char *key, const char *val);
int mount_options(const char *data, mount_option_fn *fn, void *ctx);
/** mount_option_u32() - @val as a number in @base (0: as in C). 0, -EINVAL. */
int mount_option_u32(const char *val, unsigned int base, u32 *out);
/** mount_option_owner() - the options uid, gid and mode. 0, -EINVAL for a bad value, -ENOENT: is another option. */
struct mount_owner {
	uid_t uid;
	gid_t gid;
	u32 mode;
};
int mount_option_owner(const char *key, const char *val, struct mount_owner *owner);

/* tmpfs, shared with devfs. */
struct inode *tmpfs_new_inode(struct super *sb, struct inode *dir, u32 mode, u64 rdev);
int tmpfs_fill(struct super *sb, const char *source, const char *data);

/* fs.c: a directory and file tree of generated text (procfs, sysfs share none of it with tmpfs). */
#define PATH_MAX 4096 /* bytes of what name_alloc() gives */
char *name_alloc(void);
void name_free(char *name);

/* The part of a read of generated text @buf[0..len) that @pos asks for. */
ssize_t text_read(struct iov_iter *to, loff_t *pos, const char *buf, size_t len);

/* namei.c */
struct dentry *lookup_one(struct dentry *dir, const char *name,
			  size_t len); /* dir->lock held (write) */
int may_create(struct inode *dir);
int may_delete(struct inode *dir, struct dentry *victim, bool isdir);
struct lookup_last;
int path_parent(int dfd, const char *name, unsigned int flags, struct path *parent,
		struct filename_last *last);
struct dentry *create_begin(int dfd, const char *name, bool isdir, struct path *parent);
void create_end(struct path *parent, struct dentry *d);

/* anon.c: a file on an inode of its own; takes over the reference, also on failure */
struct file *anon_inode_file(struct inode *inode, const char *name, const struct file_ops *ops,
			     void *priv, unsigned int flags);
struct fs_type *fs_type_next(struct fs_type *t);

/* mount.c: take a mount and what hangs on it off the tree. mount_mutex, or nobody else there. */
void mount_detach_tree(struct mount *m);

/* What a reader of a "file system of numbers" sees: the smallest unused device number for a super. */
u64 anon_dev(void);

/* file.c: the owner of a mapping is the file (struct vm_object_ops); "." and ".." as positions 0 and 1 of a directory, true: go on at 2. */
void file_map_get(void *owner);
void file_map_put(void *owner);
void file_map_describe(void *owner, char *buf, size_t size, u64 *dev, u64 *ino);
bool file_map_may_probe(void *owner);
bool dir_emit_dots(struct file *f, struct dir_ctx *ctx);

/* Copy between files through a kernel buffer, for splice, sendfile and copy_file_range. */
ssize_t file_copy_bytes(struct file *in, loff_t *ipos, struct file *out, loff_t *opos, size_t n);

#endif

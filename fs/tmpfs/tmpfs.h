/* SPDX-License-Identifier: MIT */
/* tmpfs inside: what its files share with memfd, extended attributes and the initramfs. */
#ifndef FS_TMPFS_H
#define FS_TMPFS_H

#include <fs/vfs.h>

struct tmpfs_xattr;
bool inode_is_tmpfs(const struct inode *inode);
struct tmpfs_xattr **tmpfs_xattrs(struct inode *inode);
void tmpfs_xattr_free(struct tmpfs_xattr *list);

/* memfd.c: seals. */
int memfd_check_mmap(struct file *f, unsigned int prot, unsigned int flags, unsigned int *maxflags);
int memfd_fcntl(struct file *f, unsigned int cmd, unsigned long arg, long *ret);
struct file *memfd_create(const char *name, unsigned int flags);
/** tmpfs_anon_file() - a file without a name in the tree, open for reading and writing; @name is what /proc shows. ERR_PTR. */
struct file *tmpfs_anon_file(const char *name, u32 mode, const struct file_ops *ops);
/** tmpfs_resident_pages() - how many pages a regular file has in memory. */
static inline u64 tmpfs_resident_pages(const struct inode *inode)
{
	return READ_ONCE(inode->object.npages);
}

/** tmpfs_adopt_pages() - make reserved boot memory, page-aligned, the contents of an empty file, which owns the pages from then on. 0, -ENOMEM. */
int tmpfs_adopt_pages(struct inode *inode, const void *data, size_t size);
extern struct fs_type rootfs_type;

#endif

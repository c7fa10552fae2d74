/* SPDX-License-Identifier: MIT */
/*
 * The virtual file system: inodes, dentries, mounts, path resolution.
 *
 * A dentry is a name in a directory, hashed by (parent, name); negative ones remember absence. Reference counted.
 * Every path operation ends in inode_permission() with the resolved object and the rights wanted.
 * Locks: inode->lock (mutex-like rwsem): directory content and file size/content changes. dcache: per-bucket spin locks.
 */
#ifndef FS_VFS_H
#define FS_VFS_H

#include <fs/file.h>
#include <uapi/stat.h>
#include <uapi/time.h>

struct super;

struct kstat {
	u64 dev, ino, rdev, size, blocks;
	u32 mode, nlink, blksize;
	uid_t uid;
	gid_t gid;
	u64 atime_ns, mtime_ns, ctime_ns, btime_ns; /* since 1970 */
	u64 mnt_id;
	u32 attributes;
};
struct iattr {
	unsigned int valid; /* ATTR_* */
	u32 mode;
	uid_t uid;
	gid_t gid;
	u64 size;
	u64 atime_ns, mtime_ns, ctime_ns;
};
#define ATTR_MODE 1u
#define ATTR_UID 2u
#define ATTR_GID 4u
#define ATTR_SIZE 8u
#define ATTR_ATIME 16u
#define ATTR_MTIME 32u
#define ATTR_CTIME 64u

/* Rights of inode_permission(). */
#define MAY_EXEC 1u
#define MAY_WRITE 2u
#define MAY_READ 4u

struct inode_ops {
	/* dir lock held; fills the dentry (d_instantiate) or leaves it negative. 0 or -Exxx. */
	int (*lookup)(struct inode *dir, struct dentry *d);
	int (*create)(struct inode *dir, struct dentry *d, u32 mode);
	int (*mkdir)(struct inode *dir, struct dentry *d, u32 mode);
	int (*mknod)(struct inode *dir, struct dentry *d, u32 mode, u64 rdev);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target);
	int (*link)(struct dentry *old, struct inode *dir, struct dentry *d);
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*rmdir)(struct inode *dir, struct dentry *d);
	int (*rename)(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned int flags);
	int (*tmpfile)(struct inode *dir, struct inode **out, u32 mode);
	/* Symlink text into @buf (NUL-terminated), length or -Exxx; or jump: fill *jump (proc magic links) and return 0. */
	ssize_t (*readlink)(struct inode *inode, char *buf, size_t size, struct path *jump);
	int (*getattr)(struct inode *inode, struct kstat *st); /* NULL: generic */
	int (*setattr)(struct inode *inode, const struct iattr *attr); /* NULL: generic */
	int (*permission)(struct inode *inode, unsigned int may);      /* NULL: generic modes */
	int (*revalidate)(struct dentry *d); /* 1 valid, 0 drop (procfs) */
};

struct inode {
	refcount_t refs;
	struct super *sb;
	u64 ino;
	u32 mode;	   /* lock */
	u32 nlink;
	uid_t uid;
	gid_t gid;
	u64 rdev;
	u64 size;	   /* lock */
	u64 atime_ns, mtime_ns, ctime_ns, btime_ns;
	struct rwsem lock;
	const struct inode_ops *ops;
	const struct file_ops *fops;
	struct vm_object object; /* page cache of regular files */
	u32 seals;	   /* memfd: lock */
	s32 write_denied;  /* >0 open for writing, <0 being executed (ETXTBSY): atomic */
	void *priv;
	void *locks;	   /* advisory locks */
	void *pipe;	   /* FIFO */
	struct waitq *notify;
};

/** vfs_init() - mount the root tmpfs, set init's fs context, register devfs, procfs, sysfs types. */
void vfs_init(void);
/** initramfs_unpack() - fill the root from a cpio (newc, gzip) image; one-line errors. 0 or -Exxx. Pages of an uncompressed, page-aligned file body may be adopted without copying. */
int initramfs_unpack(const void *data, size_t size, const char *what);

#define LOOKUP_FOLLOW	 1u
#define LOOKUP_DIRECTORY 2u
#define LOOKUP_PARENT	 4u /* stop at the last component; its name is returned */
#define LOOKUP_EMPTY	 8u
#define LOOKUP_NO_XDEV	 16u /* openat2 RESOLVE_* */
#define LOOKUP_NO_SYMLINKS 32u
#define LOOKUP_BENEATH	 64u
#define LOOKUP_IN_ROOT	 128u
#define LOOKUP_NO_MAGICLINKS 256u
#define AT_FDCWD_KERNEL	 (-100)

/** path_lookup() - resolve a kernel string relative to @dfd (AT_FDCWD: cwd). References in *out; path_put(). */
int path_lookup(int dfd, const char *name, unsigned int flags, struct path *out);
void path_get(const struct path *p);
void path_put(const struct path *p);
/** path_name() - absolute name as getcwd and /proc show it; ERR_PTR(-ENAMETOOLONG), "(unreachable)" and " (deleted)" rules as d_path. Pointer into buf. */
char *path_name(const struct path *p, char *buf, size_t size);
/** file_open() - open by kernel string, flags O_*, mode. ERR_PTR. For exec: O_EXEC-like with MAY_EXEC check by file_open_exec(). */
struct file *file_open(int dfd, const char *name, int flags, u32 mode);
struct file *file_open_exec(int dfd, const char *name, int at_flags); /* denies writers: pair with file_exec_done() */
void file_exec_done(struct file *f);
int inode_permission(struct inode *inode, unsigned int may);

/* Names from user space: up to PATH_MAX; ERR_PTR(-EFAULT, -ENAMETOOLONG, -ENOENT for empty). */
char *getname(uaddr_t uname);
char *getname_flags(uaddr_t uname, bool allow_empty);
void putname(char *name);

struct fs_ctx {
	refcount_t refs;
	struct spinlock lock;
	struct path root, cwd;
	u32 umask;
};
struct fs_ctx *fs_ctx_clone(struct fs_ctx *fs); /* ERR_PTR */
void fs_ctx_get(struct fs_ctx *fs);
void fs_ctx_put(struct fs_ctx *fs);

#endif

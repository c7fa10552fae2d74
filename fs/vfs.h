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
#include <kernel/retire.h>
#include <lib/list.h>
#include <uapi/fcntl.h>
#include <uapi/mount.h>
#include <uapi/stat.h>
#include <uapi/uio.h>
#include <uapi/statfs.h>
#include <uapi/time.h>

struct super;
struct fs_type;
struct fan_mark;

/* A name in a directory. Hashed dentries may have no user (refs 0): then they are on the LRU list and can be dropped. */
struct dentry {
	u32 refs;		     /* atomic: how many, and DREF_* */
	u32 flags;		     /* bucket's lock */
	u64 hash;		     /* of (parent, name) */
	struct hlist_node hash_link; /* bucket's lock */
	struct dentry *parent;	     /* rename lock; a reference, itself for a root */
	struct inode *inode;	     /* set once (release), NULL: negative */
	const char *name;	     /* rename lock and bucket's lock */
	u32 len;
	u32 mounts; /* mount_lock: how many mounts have this as their mountpoint */
	struct super *sb;
	union {
		struct list lru;	/* lru lock */
		struct retired retired; /* after its end */
	};
	u64 cookie;	      /* the file system's own: directory position */
	char inline_name[32]; /* the last byte is always 0 */
};
/* Two cache lines of its own: CPUs that count users of neighbours do not disturb each other. */
static_assert(sizeof(struct dentry) == 128, "size of a dentry");
#define DREF_LAST (1u << 31) /* when it has no user any more there is something to do: it is not hashed, or not on the LRU list */
#define DREF_DEAD (1u << 30) /* nobody can get a reference any more; alone */
#define DREF_COUNT (DREF_DEAD - 1)
#define DENTRY_LRU	1u  /* on the LRU list */
#define DENTRY_NOCACHE	4u  /* drop with the last reference */
#define DENTRY_ANON	8u  /* no place in a tree: shown as the name alone (pipes, memfd) */
#define DENTRY_REVAL	16u /* ask inode_ops.revalidate of the parent before use */

static inline bool d_unhashed(const struct dentry *d)
{
	return hlist_unhashed(&d->hash_link);
}
static inline struct inode *d_inode(const struct dentry *d)
{
	return __atomic_load_n(&d->inode, __ATOMIC_ACQUIRE);
}
static inline struct dentry *dget(struct dentry *d)
{
	__atomic_fetch_add(&d->refs, 1,
			   __ATOMIC_RELAXED); /* the caller holds one, or the bucket's lock */
	return d;
}
/** dget_alive() - a reference on what a reader without references has found. False: it is being freed. A full barrier. */
static inline bool dget_alive(struct dentry *d)
{
	u32 old = READ_ONCE(d->refs);

	do {
		if (old & DREF_DEAD)
			return false;
	} while (!try_cmpxchg(&d->refs, &old, old + 1));
	return true;
}
/** dentry_users() - how many references there are. */
static inline u32 dentry_users(const struct dentry *d)
{
	return READ_ONCE(d->refs) & DREF_COUNT;
}
void dput(struct dentry *d);
/** d_alloc() - a dentry with one reference, not hashed, negative. @parent NULL: root or anonymous. NULL: no memory. */
struct dentry *d_alloc(struct super *sb, struct dentry *parent, const char *name, size_t len);
/** d_lookup() - the cached dentry of a name, with a reference; NULL if it is not cached. */
struct dentry *d_lookup(struct dentry *parent, const char *name, size_t len);
/** d_lookup_quick() - the same for a reader (kernel/retire.h) that has seen @seen of tree_changes: no reference; NULL also if there are changes. */
struct dentry *d_lookup_quick(struct dentry *parent, const char *name, size_t len, u64 seen);
/** d_instantiate() - give a negative dentry its inode; takes over the reference. */
void d_instantiate(struct dentry *d, struct inode *inode);
/** d_hash() / d_drop() - enter into, take out of the hash. */
void d_hash(struct dentry *d);
void d_drop(struct dentry *d);
/** d_move() - give @d the parent and name of @target, which is dropped; @exchange swaps both. Directories locked. */
int d_move(struct dentry *d, struct dentry *target, bool exchange);
/** d_forget_inode() - take unused dentries of @inode, and of names in it, out of the cache: one that was removed is to go with its last user. The caller holds a dentry of it. */
void d_forget_inode(struct inode *inode);
bool d_is_ancestor(struct dentry *a, struct dentry *d); /* a is d, or above it */
unsigned long dcache_shrink(unsigned long n);
void dcache_shrink_super(struct super *sb);
extern struct spinlock dcache_rename_lock;
/* How often a name (rename lock) or a mount (mount_lock) has changed its place, twice: odd while one does. */
struct tree_changes {
	u32 names, mounts;
} __aligned(64);
extern struct tree_changes tree_changes;
static inline void tree_change_begin(u32 *count)
{
	WRITE_ONCE(*count, *count + 1);
	smp_mb();
}
static inline void tree_change_end(u32 *count)
{
	smp_store_release(count, *count + 1);
}
/* Both counts. What is read afterwards is not older. */
static inline u64 tree_changes_read(void)
{
	u64 names = smp_load_acquire(&tree_changes.names);

	return names << 32 | smp_load_acquire(&tree_changes.mounts);
}
#define TREE_CHANGING (1ull << 32 | 1)
/* What was read before is not younger. */
static inline bool tree_changed(u64 seen)
{
	smp_rmb();
	return tree_changes_read() != seen;
}

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
#define ATTR_CHOWN 128u /* chown was called, be it with no id */

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
	int (*rename)(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd,
		      unsigned int flags);
	int (*tmpfile)(struct inode *dir, struct inode **out, u32 mode);
	/* Symlink text into @buf (NUL-terminated), length or -Exxx; or jump: fill *jump (proc magic links) and return 0. */
	ssize_t (*readlink)(struct inode *inode, char *buf, size_t size, struct path *jump);
	int (*getattr)(struct inode *inode, struct kstat *st);	       /* NULL: generic */
	int (*setattr)(struct inode *inode, const struct iattr *attr); /* NULL: generic */
	int (*permission)(struct inode *inode, unsigned int may);      /* NULL: generic modes */
	int (*revalidate)(struct dentry *d); /* 1 valid, 0 drop (procfs) */
};

struct inode {
	refcount_t refs;
	struct super *sb;
	u64 ino;
	u32 mode; /* lock */
	u32 nlink;
	uid_t uid;
	gid_t gid;
	u64 rdev;
	u64 size; /* lock */
	u64 atime_ns, mtime_ns, ctime_ns, btime_ns;
	struct rwsem lock;
	const struct inode_ops *ops;
	const struct file_ops *fops;
	struct vm_object object; /* page cache of regular files */
	struct cache *cache;	 /* of a file on a disk (fs/block/pagecache.h); set once */
	u32 seals;		 /* F_SEAL_*: lock */
	bool has_caps;		 /* XATTR_CAPS is there; lock */
	u8 write_hint;		 /* RWH_*, told and not used: atomic */
	bool linkable;		 /* O_TMPFILE without O_EXCL: may be given its first name; lock */
	s32 write_denied;	 /* >0 open for writing, <0 being executed (ETXTBSY): atomic */
	void *priv;
	union {
		struct {
			struct lock_context *locks; /* advisory locks; set once */
			struct pipe *pipe;	    /* FIFO; lock */
		};
		struct retired retired; /* after its end */
	};
	void *watches;		/* inotify; inotify lock */
	struct fan_mark *marks; /* fanotify (fs/fanotify.c) */
	struct lease *leases;	/* lease_mutex (fs/lease.c) */
};

/** inode_new() - an inode of @sb with one reference, owned by current's fsuid/fsgid (setgid of @dir honoured). NULL: no memory. */
struct inode *inode_new(struct super *sb, struct inode *dir, u32 mode);
static inline struct inode *inode_get(struct inode *i)
{
	refcount_inc(&i->refs);
	return i;
}
void inode_put(struct inode *inode);
u64 inode_now(void);					   /* CLOCK_REALTIME in ns */
void inode_touch(struct inode *inode, unsigned int which); /* ATTR_ATIME | MTIME | CTIME := now */
void inode_init_special(struct inode *inode,
			u64 rdev); /* fops of devices, FIFOs, sockets by mode */
/** inode_may_grow() - do the limits of current and of the file system allow this size? 0, -EFBIG (with SIGXFSZ). */
int inode_may_grow(const struct inode *i, u64 size);
void generic_fill_stat(struct inode *inode, struct kstat *st);
int vfs_getattr(const struct path *p, struct kstat *st);
/** vfs_setattr() - check rights, clear setuid bits, apply. Takes the inode lock. */
int vfs_setattr(const struct path *p, struct iattr *attr);
void generic_setattr(struct inode *inode, const struct iattr *attr);
int generic_permission(struct inode *inode, unsigned int may);
bool inode_owner_or_capable(struct inode *inode);

/* A mounted file system type and an instance of it. */
/* What a handle says of a file (name_to_handle_at). */
struct file_id {
	u64 ino;
	u32 generation;
};
/* The same as programs see it: struct file_handle's type and content. */
struct file_fid {
	s32 type;
	u32 id[3];
};
/** file_fid() - what identifies @d. File systems that cannot find a file by it have it all the same. Directory locks may be held. 0 or -ENOMEM. */
int file_fid(struct dentry *d, struct file_fid *fid);
#define WHITEOUT_DEV 0 /* a character device of this number says that a name is not there; anyone may make one */
struct super_ops {
	void (*evict)(struct inode *inode); /* last reference: free priv and pages */
	int (*statfs)(struct super *sb,
		      struct statfs *st);     /* f_type, f_bsize, f_namelen are preset */
	void (*put_super)(struct super *sb);  /* let go of dentries: the root's goes next */
	void (*free_super)(struct super *sb); /* the last inode has gone: free sb->priv */
	int (*remount)(struct super *sb, unsigned long flags, const char *data);
	int (*sync)(struct super *sb);					/* NULL: there is no disk */
	void (*show_options)(struct super *sb, char *buf, size_t size); /* ",size=..." */
	/* Handles: the one of @d, 0 or -ENOMEM (directory locks may be held); what one names, with a reference, ERR_PTR(-ESTALE, -ENOMEM). NULL: there are none. */
	int (*handle)(struct dentry *d, struct file_id *id);
	struct dentry *(*open_handle)(struct super *sb, const struct file_id *id);
};
struct super {
	refcount_t refs; /* one per mount */
	const struct fs_type *type;
	const struct super_ops *ops;
	struct dentry *root;
	u64 dev;
	u64 magic;
	u64 flags; /* SB_RDONLY = MS_RDONLY */
	u64 max_bytes;
	atomic_t writers;	/* files open for writing */
	struct fan_mark *marks; /* fanotify */
	atomic64_t next_ino;
	void *priv;
};
struct fs_type {
	const char *name;
	bool nodev; /* needs no block device (/proc/filesystems) */
	/* Fill a new super: ops, magic, root dentry. 0 or -Exxx. */
	int (*fill)(struct super *sb, const char *source, const char *data);
	/* What is mounted from @source already, with a reference, or NULL. Of types that stand on a device. */
	struct super *(*find)(const char *source);
	/* One option of a mount, into an object of @options_size bytes; to check it only: into one of zeros. NULL: it has none. */
	int (*option)(void *options, const char *key, const char *val);
	size_t options_size;
	bool single; /* one instance, shared by all its mounts */
	struct super *instance;
	struct fs_type *next;
};
void fs_type_register(struct fs_type *type);
/** super_create() - an instance with a root, without a mount (kernel's own: pipes, memfd). ERR_PTR. */
struct super *super_create(struct fs_type *type, const char *source, const char *data);
/** super_sync() - what was changed is on the disk when it returns. 0 or -EIO. */
int super_sync(struct super *sb);
void super_put(struct super *sb);

struct mount_users;
struct mount {
	struct mount_users *users; /* references, see mnt_get() */
	bool held;		   /* mount_lock to change: the first reference is still there */
	bool dead;		   /* mount_lock: the last one is gone */
	bool detached; /* mount_mutex: a tree that only a descriptor knows (fs/newmount.c) */
	struct super *sb;
	struct dentry *root;	     /* a reference */
	struct mount *parent;	     /* mount_lock; NULL: root of the tree, or detached */
	struct dentry *mountpoint;   /* mount_lock; a reference */
	struct hlist_node hash_link; /* mount_lock */
	union {
		struct list all_link;	/* mount_lock: all mounts, in order */
		struct retired retired; /* after its end */
	};
	struct mnt_ns *ns;    /* mount_lock and mount_mutex: whose tree it is in; NULL: detached */
	struct list children; /* mount_lock: mounts on this one, in order */
	struct list child_link; /* mount_lock: parent->children */
	u32 flags; /* MS_RDONLY, NOSUID, NODEV, NOEXEC, NOATIME, NODIRATIME, RELATIME */
	u32 expiry_mark;
	atomic_t writers; /* files open for writing through it */
	int id;
	struct fan_mark *marks; /* fanotify */
	char *source;
};
/* Numbers of mounts are never used again. Linux tells the two kinds of number apart by this bit. */
static inline u64 mount_unique_id(u64 id)
{
	return id ? id | (1ull << 31) : 0;
}
struct fs_ctx;
struct mnt_ns {
	refcount_t refs;
	u32 id;		    /* st_ino of /proc/PID/ns/mnt */
	struct mount *root; /* its tree's reference */
};
extern struct mnt_ns init_mnt_ns;
extern struct spinlock mount_lock;
/*
 * References on a mount are counted by each CPU for itself, because every path takes one: @users has the gets less the puts of each. Only the sum
 * is a number of references. It is not needed while the mount is `held` by its first reference, that of the tree it hangs in, of its namespace,
 * or of the descriptor of a detached tree; mount_detach_tree() drops that one.
 */
struct mount_users {
	int n;
} __aligned(64);
static inline struct mount *mnt_get(struct mount *m)
{
	int *n = &m->users[hal_cpu_id()].n;

	WRITE_ONCE(*n, *n + 1);
	return m;
}
void mnt_put(struct mount *m);
/** mount_lookup() - what is mounted at (@mnt, @d), with a reference, or NULL. */
struct mount *mount_lookup(struct mount *mnt, struct dentry *d);
/** mount_lookup_quick() - the same for a reader (kernel/retire.h), without a reference. Good for nothing if the tree has changed. */
struct mount *mount_lookup_quick(struct mount *mnt, struct dentry *d);
/** path_get_quick() - references on what a reader has found, if the tree is still as it was when tree_changes were @seen. Ends the reader in any case. */
bool path_get_quick(const struct path *p, u64 seen);
/** path_noexec() - may nothing there be executed, by exec or by a mapping? */
static inline bool path_noexec(const struct path *p)
{
	return p->mnt && (p->mnt->flags & MS_NOEXEC);
}
/** mnt_want_write() - 0, or -EROFS for a read-only mount or file system. */
int mnt_want_write(const struct mount *m);
int do_mount(const char *source, const char *target, const char *type, unsigned long flags,
	     const char *data);
int do_umount(const char *target, int flags);
/** do_pivot_root() - @new_root, a mount, becomes the root; the old one goes to @put_old below it. 0, -EPERM, -EINVAL, -EBUSY, lookup errors. */
int do_pivot_root(const char *new_root, const char *put_old);
/** mount_set_root() - @m, which hangs nowhere, is what the tree of @ns begins with. */
void mount_set_root(struct mnt_ns *ns, struct mount *m);
/** The new interface (fs/newmount.c). Descriptors' files, or ERR_PTR; @flags as the calls have them, checked. Right and flags are the caller's to check. */
struct file *mount_context_open(const char *type);
struct file *mount_context_pick(const struct path *p);
/** mount_context_set() - fsconfig's FSCONFIG_SET_FLAG (@val NULL) and FSCONFIG_SET_STRING. 0, -EINVAL, -EBUSY, -ENOMEM. */
int mount_context_set(struct file *f, const char *key, const char *val);
int mount_context_create(struct file *f);
int mount_context_reconfigure(struct file *f);
bool file_is_mount_context(const struct file *f);
/** mount_context_mount() - fsmount: a detached mount, as an O_PATH file. @attr: MOUNT_ATTR_*. */
struct file *mount_context_mount(struct file *f, u64 attr);
/** mount_open_clone() - open_tree with OPEN_TREE_CLONE. */
struct file *mount_open_clone(const struct path *p, bool rec);
int mount_move_path(const struct path *from, const struct path *to);
/** mount_change_attr() - mount_setattr: MOUNT_ATTR_* to set and to clear. */
int mount_change_attr(const struct path *p, u64 set, u64 clear, bool rec);
struct mount *kern_mount(struct fs_type *type);
struct fs_type *fs_type_find(const char *name);
/** mounts_show() - print the /proc/PID/mounts, or mountinfo if @info, of a task with @fs. 0, -ENOMEM. */
int mounts_show(struct printbuf *pb, struct fs_ctx *fs, bool info);
extern u32 mount_max; /* /proc/sys/fs/mount-max */

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

struct filename_last {
	const char *
		name; /* into the string that was looked up, or a link's text that lives until path_parent_end() */
	u32 len;
	bool is_dir_syntax; /* trailing slash */
	u8 type;	    /* LAST_* */
};
enum { LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT };

/** path_lookup() - resolve a kernel string relative to @dfd (AT_FDCWD: cwd). References in *out; path_put(). */
int path_lookup(int dfd, const char *name, unsigned int flags, struct path *out);
void path_get(const struct path *p);
void path_put(const struct path *p);
/** path_name() - absolute name as getcwd and /proc show it; ERR_PTR(-ENAMETOOLONG), "(unreachable)" and " (deleted)" rules as d_path. Pointer into buf. */
char *path_name(const struct path *p, char *buf, size_t size);
/** dentry_name() - name of @d in its own file system, from that file system's root. As path_name(). */
char *dentry_name(struct dentry *d, char *buf, size_t size);
/** file_open() - open by kernel string, flags O_*, mode. ERR_PTR. For exec: O_EXEC-like with MAY_EXEC check by file_open_exec(). */
struct file *file_open(int dfd, const char *name, int flags, u32 mode);
struct file *file_open_exec(int dfd, const char *name,
			    int at_flags); /* denies writers: pair with file_exec_done() */
void file_exec_done(struct file *f);
int inode_permission(struct inode *inode, unsigned int may);

/* Changes of the name space; kernel strings. Source: the man page of the call. */
int vfs_mkdir(int dfd, const char *name, u32 mode);
int vfs_mknod(int dfd, const char *name, u32 mode, u64 rdev);
/** vfs_mknod_path() - the same, no device; *@out is the new node, with references. */
int vfs_mknod_path(int dfd, const char *name, u32 mode, struct path *out);
int vfs_symlink(const char *target, int dfd, const char *name);
int vfs_link(const struct path *old, int dfd, const char *name);
int vfs_unlink(int dfd, const char *name);
int vfs_rmdir(int dfd, const char *name);
int vfs_rename(int odfd, const char *oname, int ndfd, const char *nname, unsigned int flags);
int vfs_truncate(const struct path *p, u64 size);
int file_truncate(struct file *f, u64 size);
/** file_open_path() - open what @p names (references stay the caller's). ERR_PTR. */
struct file *file_open_path(const struct path *p, int flags);
/** file_open_unnoticed() - the same without a look at rights, for fanotify: nobody is told of it or asked. ERR_PTR. */
struct file *file_open_unnoticed(const struct path *p, int flags);
/** file_open_path_only() - an O_PATH file of @p, with @ops that may have a release(). ERR_PTR. */
struct file *file_open_path_only(const struct path *p, int flags, const struct file_ops *ops);
/** file_open_how() - openat2: @how checked as Linux does. ERR_PTR. */
struct file *file_open_how(int dfd, const char *name, const struct open_how *how);
/** path_of_fd() / path_at() - the path a *at call means: with LOOKUP_EMPTY and "" the descriptor's own. */
int path_of_fd(int fd, struct path *out);
/** file_appends() - does a write with RWF_* @flags go to the end, wherever the position is? Any context. */
static inline bool file_appends(const struct file *f, int flags)
{
	return ((f->flags & O_APPEND) && !(flags & RWF_NOAPPEND)) || (flags & RWF_APPEND);
}
/**
 * inode_write_limit() - shorten a write of *n bytes at @pos to what RLIMIT_FSIZE and the largest file allow.
 * 0, or -EFBIG when that is nothing (with SIGXFSZ when it is the limit). Inode lock held.
 */
int inode_write_limit(const struct inode *inode, u64 pos, size_t *n);
/** file_remove_privs() - a write by someone else clears setuid and setgid. Inode lock held. */
void file_remove_privs(struct inode *inode);
bool path_equal(const struct path *a, const struct path *b);
static inline u64 mkdev(unsigned int major, unsigned int minor)
{
	return (minor & 0xff) | ((u64)(major & 0xfff) << 8) | ((u64)(minor & ~0xffu) << 12) |
	       ((u64)(major & ~0xfffu) << 32);
}
static inline unsigned int dev_major(u64 d)
{
	return ((d >> 8) & 0xfff) | ((d >> 32) & ~0xfffu);
}
static inline unsigned int dev_minor(u64 d)
{
	return (d & 0xff) | ((d >> 12) & ~0xffu);
}

#define PATH_MAX 4096 /* with the NUL */
/* Names from user space: up to PATH_MAX; ERR_PTR(-EFAULT, -ENAMETOOLONG, -ENOENT for empty). */
char *getname(uaddr_t uname);
char *getname_flags(uaddr_t uname, bool allow_empty);
void putname(char *name);

struct fs_ctx {
	refcount_t refs;
	struct spinlock lock;
	struct path root, cwd; /* lock; readers without it: changes */
	u32 umask;
	u32 changes; /* lock: odd while root or cwd changes */
};
/** fs_ctx_quick() - *@slot, the root or the directory of @fs, for a reader (kernel/retire.h). False: it is changing. */
static inline bool fs_ctx_quick(const struct fs_ctx *fs, const struct path *slot, struct path *out)
{
	u32 seen = smp_load_acquire(&fs->changes);

	out->mnt = READ_ONCE(slot->mnt);
	out->dentry = READ_ONCE(slot->dentry);
	smp_rmb();
	return !(seen & 1) && READ_ONCE(fs->changes) == seen;
}
extern struct fs_ctx init_fs_ctx;
struct fs_ctx *fs_ctx_clone(struct fs_ctx *fs); /* ERR_PTR */
void fs_ctx_swap(struct path *slot, const struct path *next, struct path *old);
int fs_ctx_unshare(void);
void fs_ctx_get(struct fs_ctx *fs);
void fs_ctx_put(struct fs_ctx *fs);

/** proc_dir_process() - the process whose directory /proc/PID is open, with a reference. ERR_PTR(-EBADF, -ESRCH). */
struct process *proc_dir_process(const struct file *f);

#endif

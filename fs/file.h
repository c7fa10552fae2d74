/* SPDX-License-Identifier: MIT */
/*
 * Open files and descriptor tables.
 *
 * struct file is an open file description (shared by dup and fork); struct fdtable maps descriptors to files.
 * fdget() returns a file without taking a reference when the table is not shared (fast path); fdput() undoes it.
 */
#ifndef FS_FILE_H
#define FS_FILE_H

#include <kernel/task.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <uapi/poll.h>

struct inode;
struct dentry;
struct mount;
struct poll_table;
struct printbuf;
struct dir_ctx;

struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

/* "Directory entry" sink for getdents64: returns false when the buffer is full. */
struct dir_ctx {
	bool (*emit)(struct dir_ctx *ctx, const char *name, size_t len, u64 ino,
		     unsigned int d_type, s64 next_pos);
	s64 pos;
};

struct file_ops {
	/* Bytes moved, or -Exxx. *pos is advanced by the operation; NULL for streams. May be NULL: -EINVAL. */
	ssize_t (*read)(struct file *f, struct iov_iter *to, loff_t *pos, int flags);
	ssize_t (*write)(struct file *f, struct iov_iter *from, loff_t *pos, int flags);
	loff_t (*llseek)(struct file *f, loff_t off, int whence);
	int (*iterate)(struct file *f, struct dir_ctx *ctx);
	/* EPOLL*-style readiness; registers on wait queues through pt (NULL: just ask). */
	u32 (*poll)(struct file *f, struct poll_table *pt);
	long (*ioctl)(struct file *f, unsigned int cmd, unsigned long arg);
	/* The object to map and what it allows: fills obj and maxflags (VM_MAY*). -ENODEV: cannot be mapped. */
	int (*mmap)(struct file *f, u64 pgoff, size_t len, unsigned int prot, unsigned int flags,
		    struct vm_object **obj, unsigned int *maxflags);
	int (*open)(struct inode *inode, struct file *f);
	int (*flush)(struct file *f);	 /* each close() */
	void (*release)(struct file *f); /* last reference */
	int (*fsync)(struct file *f, bool datasync);
	long (*fallocate)(struct file *f, int mode, loff_t off, loff_t len);
	ssize_t (*splice_read)(struct file *f, struct file *out, loff_t *pos, size_t n);
	int (*fcntl)(struct file *f, unsigned int cmd, unsigned long arg,
		     long *ret); /* 0 handled, -ENOTTY not ours */
	void (*show_fdinfo)(struct file *f, struct printbuf *pb);
	int (*set_flags)(struct file *f, unsigned int flags);
	bool async; /* O_ASYNC gives signals */
};

struct file {
	refcount_t refs;
	u32 flags;	  /* O_* status flags; f_lock */
	u32 mode;	  /* FMODE_* */
	struct path path; /* references; anonymous files have a pseudo dentry */
	struct inode *inode;
	const struct file_ops *ops;
	struct mutex pos_lock;
	loff_t pos; /* pos_lock */
	void *priv;
	struct spinlock f_lock;
	const struct creds *creds;
	struct file_owner *owner; /* F_SETOWN, O_ASYNC (fs/fasync.c); NULL: nobody */
	u32 owner_seen;		  /* FIFO: writers ever, when this reader opened without one */
	struct list epoll_links;
};
#define FMODE_READ	 1u
#define FMODE_WRITE	 2u
#define FMODE_PATH	 4u
#define FMODE_LSEEK	 8u
#define FMODE_NOPOS	 16u /* stream: no f_pos, no pos_lock */
#define FMODE_PREAD	 32u
#define FMODE_OPENED	 64u  /* release() is owed */
#define FMODE_WRITER	 128u /* counted in inode->write_denied */
#define FMODE_CREATED	 256u /* O_CREAT of this open made the file */
#define FMODE_NOWAIT	 512u /* RWF_NOWAIT is honoured */
#define FMODE_NONOTIFY	 1024u /* made by fanotify: nobody is told what happens to it */
#define FMODE_EXEC	 2048u /* opened to be executed */

static inline struct file *file_get(struct file *f)
{
	refcount_inc(&f->refs);
	return f;
}
/** file_can_direct() - O_DIRECT means something here: memory is as direct as it gets. */
bool file_can_direct(const struct file *f);
void file_put(struct file *f); /* may sleep at the last reference */

/** file_alloc() - a file of @ops without a path; one reference. ERR_PTR(-ENFILE, -ENOMEM). */
struct file *file_alloc(const struct file_ops *ops, u32 flags, u32 mode);
extern unsigned long file_max;
u64 file_count(void);

struct fd {
	struct file *file;
	bool ref;
};
/* A descriptor table: see fdtable.c, which alone changes it and says what guards it. */
#define FDTABLE_INLINE 16 /* what most programs need; the bits are whole words all the same */
struct fdtable {
	refcount_t refs;
	struct spinlock lock;
	unsigned int max;  /* slots: those inside, or a multiple of 64 */
	unsigned int next; /* no free slot below this */
	struct file **fds;
	u64 *open; /* bit set: taken, maybe only reserved */
	u64 *cloexec;
	/* What each open and close writes is together: between it and that of the next table lie entries that are seldom used. */
	u64 inline_open, inline_cloexec;
	struct file *inline_fds[FDTABLE_INLINE];
};

struct fd fdget_shared(int fd); /* fdget() on a table with several users */
struct fd fdget_raw(int fd);	/* O_PATH descriptors included */
/* The file of @fd in a table that nobody else uses; NULL as with fdget(). */
static inline struct file *fdtable_own(const struct fdtable *ft, unsigned int fd)
{
	struct file *f = likely(fd < ft->max) ? ft->fds[fd] : NULL;

	return f && likely(!(f->mode & FMODE_PATH)) ? f : NULL;
}
/** fdget() - current's file of @fd; .file NULL: EBADF (O_PATH descriptors too). */
static inline struct fd fdget(int fd)
{
	const struct fdtable *ft = current->files;

	if (unlikely(refcount_read(&ft->refs) != 1))
		return fdget_shared(fd);
	return (struct fd){ fdtable_own(ft, (unsigned int)fd), false };
}
static inline void fdput(struct fd f)
{
	if (f.ref)
		file_put(f.file);
}

/** fd_alloc_install() - the lowest free descriptor >= @min. Takes over the caller's reference on success. -EMFILE, -ENOMEM. */
int fd_alloc_install(struct file *f, unsigned int min, bool cloexec);
/* In two steps, when something between them may fail: fd_reserve, then fd_install or fd_unreserve. */
int fd_reserve(unsigned int min, bool cloexec);
void fd_install(int fd, struct file *f);
void fd_unreserve(int fd);
int fd_dup_to(struct file *f, int newfd,
	      bool cloexec); /* dup3: takes its own reference; newfd or -EBADF, -EBUSY */
int fd_close_range(unsigned int first, unsigned int last, bool cloexec_only);
int fd_get_cloexec(int fd);
int fd_set_cloexec(int fd, bool on);
/** fdtable_lookup() - the file of @fd in a table, with a reference, or NULL. fdtable_next(): the first used >= @fd, or -1. */
struct file *fdtable_lookup(struct fdtable *ft, int fd);
int fdtable_next(struct fdtable *ft, int fd, bool *cloexec);
unsigned int fdtable_size(struct fdtable *ft);
/* Another task's table and directories, with a reference; NULL when it has exited. */
struct fdtable *task_files_get(struct task *t);
struct fs_ctx *task_fs_get(struct task *t);
/** task_drop_files() - drop a task's descriptor table and directories (exit, failed fork). */
void task_drop_files(struct task *t);
int fd_close(int fd);
struct fdtable *fdtable_create(void);
struct fdtable *fdtable_clone(struct fdtable *ft); /* fork without CLONE_FILES; ERR_PTR */
void fdtable_get(struct fdtable *ft);
void fdtable_put(struct fdtable *ft);
void fdtable_close_on_exec(void); /* current, unshares first */
int fdtable_unshare(void);

/** anon_file_create() - a file without a name on disk ("anon_inode:[eventfd]", pipes...). ERR_PTR. */
struct file *anon_file_create(const char *name, const struct file_ops *ops, void *priv,
			      unsigned int flags);

/* Kernel-side I/O (exec, init): bytes or -Exxx. */
ssize_t kernel_read(struct file *f, void *buf, size_t n, loff_t pos);
ssize_t kernel_write(struct file *f, const void *buf, size_t n, loff_t pos);

/** vfs_read(), vfs_write() - checks, then the operation; @pos NULL: the file's own position. Bytes or -Exxx. */
ssize_t vfs_read(struct file *f, struct iov_iter *to, loff_t *pos, int rwf);
ssize_t vfs_write(struct file *f, struct iov_iter *from, loff_t *pos, int rwf);
/* For .llseek of a file that has no position and yet may be asked for it: 0. */
loff_t noop_llseek(struct file *f, loff_t off, int whence);
loff_t vfs_llseek(struct file *f, loff_t off, int whence);
loff_t generic_llseek_size(struct file *f, loff_t off, int whence, loff_t max, loff_t eof);
int stream_open(struct inode *inode, struct file *f);
long vfs_ioctl(struct file *f, unsigned int cmd, unsigned long arg);
int vfs_fsync(struct file *f, bool datasync);

/** file_get_id - the descriptor's advisory locks and epoll items go with close. */
void file_locks_close(struct file *f, void *owner); /* POSIX locks of a table */
void file_locks_release(struct file *f);	    /* flock, OFD */
void epoll_file_release(struct file *f);

/*
 * Polling. A poll operation calls poll_wait() for every queue that a change of readiness wakes, then returns the
 * present readiness. The queue's waker passes the events as key; 0 stands for any.
 */
struct poll_table {
	void (*queue)(struct poll_table *pt, struct file *f,
		      struct waitq *q); /* NULL: enough is ready, do not register */
	u32 wanted;
};
static inline u32 vfs_poll(struct file *f, struct poll_table *pt)
{
	return f->ops->poll ? f->ops->poll(f, pt) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}
static inline void poll_wait(struct file *f, struct waitq *q, struct poll_table *pt)
{
	if (pt && pt->queue)
		pt->queue(pt, f, q);
}

#endif

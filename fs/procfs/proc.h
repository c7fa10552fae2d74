/* SPDX-License-Identifier: MIT */
/*
 * The inside of procfs.
 *
 * A directory is a table of struct proc_entry. An entry is a file of generated text (show), a directory (children), or a
 * link (link). Tables are the same for all processes; the inode knows the task.
 */
#ifndef FS_PROC_H
#define FS_PROC_H

#include <fs/internal.h>
#include <mm/vm.h>

#define PROC_TEXT_END U64_MAX

struct proc_inode;
struct proc_entry {
	const char *name;
	u32 mode; /* with type */
	/* Write the text into @pb: the whole, anew for each read from the start. @t NULL: not about a task. 0 or -Exxx. */
	int (*show)(struct printbuf *pb, struct task *t);
	/*
	 * The same of a text without bound, in parts: whole records from the one that *@cursor names (0: the first), as many as fit. *@cursor
	 * becomes the first that is left, PROC_TEXT_END after the last. What changes meanwhile is seen, or not, record by record.
	 */
	int (*show_part)(struct printbuf *pb, struct task *t, u64 *cursor);
	ssize_t (*write)(struct task *t, const char *text, size_t n);
	/* The same of a file in a directory that stands for a number (an interrupt's), without a task. write_number: 0 or -Exxx. */
	int (*show_number)(struct printbuf *pb, int nr);
	int (*write_number)(int nr, const char *text);
	const struct proc_entry *children; /* ends with a NULL name */
	/* A link: the path it jumps to (references for the caller), or its text; 0 or length or -Exxx. */
	ssize_t (*link)(struct task *t, int fd, char *buf, size_t size, struct path *jump);
	/* @vm: NULL when the task runs another program by now, or has ended. */
	long (*ioctl)(struct vm *vm, unsigned int cmd, uaddr_t arg);
	const struct file_ops *fops;  /* other than generated text */
	const struct inode_ops *iops; /* a directory with names of its own making */
	bool private;		      /* only for who may trace the task */
};

struct proc_inode {
	const struct proc_entry *entry;
	struct pid *tid; /* a reference; NULL: not about a task */
	int fd; /* entries of fd and fdinfo; the number of a directory of them, and of its files */
};

static inline struct proc_inode *proc_i(const struct inode *i)
{
	return i->priv;
}
struct inode *proc_new_inode(struct super *sb, const struct proc_entry *e, struct pid *tid, int fd);
/* Make the root directory of a super from a table (sysfs is made of the same parts). 0, -ENOMEM. */
int proc_fill_super(struct super *sb, const struct proc_entry *root, u64 magic);
/* What the option hidepid says of processes that the caller may not trace. Source: proc(5). */
enum proc_hide {
	HIDE_NOTHING,
	HIDE_CONTENT,		 /* their files */
	HIDE_INVISIBLE,		 /* their directories, too */
	HIDE_NOT_PTRACEABLE = 4, /* as INVISIBLE, and the option gid does not help */
};
/** proc_hides() - is @t hidden from current if hidepid is @from or more? Takes no lock that a caller may hold. */
bool proc_hides(struct task *t, enum proc_hide from);
/** proc_task() - the task an inode is about, with a reference, or NULL when it has gone. */
struct task *proc_task(const struct inode *i);
/** proc_may_access() - may current look into @t as ptrace would? 0, -EACCES. */
int proc_may_access(struct task *t);
int proc_instantiate(struct inode *dir, struct dentry *d, const struct proc_entry *e,
		     struct pid *tid, int fd);
bool proc_emit_dots(struct file *f, struct dir_ctx *ctx);
/* Entries of a table at positions from @base on. False: the buffer is full. */
bool proc_emit_table(struct file *f, struct dir_ctx *ctx, const struct proc_entry *table, s64 base);

/* The entry of a table that has @d's name, or NULL. */
const struct proc_entry *proc_find_entry(const struct proc_entry *table, const struct dentry *d);
int proc_dir_lookup(struct inode *dir, struct dentry *d);
int proc_revalidate(struct dentry *d);
extern const struct inode_ops proc_dir_ops;
extern const struct file_ops proc_dir_fops;
extern const struct proc_entry proc_pid_entry,
	proc_task_entry; /* the directory of a process, of a thread */
extern const struct proc_entry proc_system_entries[], proc_sys_entry;
extern struct proc_entry proc_net_entries[]; /* net.c: filled at boot */
extern const struct proc_entry proc_sys_net[];
extern const struct inode_ops proc_fd_dir_ops, proc_fdinfo_dir_ops, proc_tasks_ops;
extern const struct inode_ops proc_irq_ops;
extern const struct file_ops proc_irq_fops;
/** proc_cpu_list() - the numbers of a mask's CPUs, as ranges: "0-2,5". */
void proc_cpu_list(struct printbuf *pb, u64 mask);
extern const struct file_ops proc_fd_dir_fops, proc_fdinfo_dir_fops, proc_tasks_fops, proc_mem_fops;
/** proc_number() - a number as users write it to a file: C notation, white space around it. 0, -EINVAL, -ERANGE. */
int proc_number(const char *text, u32 *value);
/** proc_small_number() - a number from @min to @max that may be negative. 0, -EINVAL. */
int proc_small_number(const char *text, int min, int max, int *val);
int proc_number64(const char *text, u64 *value);
/** proc_number_write() - such a number to *@where, if it is from @min to @max. @n, or an error of proc_number(). */
ssize_t proc_number_write(const char *text, size_t n, u32 *where, u32 min, u32 max);
ssize_t proc_fd_link(struct task *t, int fd, char *buf, size_t size, struct path *jump);
int proc_fdinfo_show(struct printbuf *pb, struct task *t, int fd);

/* pid_mem.c: the files about a process's memory. */
long proc_maps_ioctl(struct vm *vm, unsigned int cmd, uaddr_t arg);
int proc_maps_show(struct printbuf *pb, struct task *t, u64 *cursor);
int proc_smaps_show(struct printbuf *pb, struct task *t, u64 *cursor);
int proc_smaps_rollup_show(struct printbuf *pb, struct task *t);
ssize_t proc_clear_refs_write(struct task *t, const char *text, size_t n);
extern const struct file_ops proc_pagemap_fops;

#define PROC_FILE(n, show_)	   { .name = n, .mode = S_IFREG | 0444, .show = show_ }
#define PROC_PRIVATE(n, m, show_)  { .name = n, .mode = S_IFREG | (m), .show = show_, .private = true }
#define PROC_WRITABLE(n, show_, write_) { .name = n, .mode = S_IFREG | 0644, .show = show_, .write = write_ }
/* Functions name_show() and name_write() of a file that is one number, the u32 @variable. */
#define PROC_NUMBER_FILE(name, variable, min, max)                                    \
	static int name##_show(struct printbuf *pb, struct task *t)                   \
	{                                                                             \
		printbuf_printf(pb, "%u\n", READ_ONCE(variable));                     \
		return 0;                                                             \
	}                                                                             \
	static ssize_t name##_write(struct task *t, const char *text, size_t n)       \
	{                                                                             \
		return proc_number_write(text, n, &(variable), min, max);             \
	}
#define PROC_LINK(n, link_)	   { .name = n, .mode = S_IFLNK | 0777, .link = link_ }
#define PROC_DIR(n, table)	   { .name = n, .mode = S_IFDIR | 0555, .children = table }

#endif

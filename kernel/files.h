/* SPDX-License-Identifier: MIT */
/*
 * What fork, exec and exit ask of the file system: implemented in fs/task_files.c, declared here because kernel/ may not
 * include fs/. All in task context; may sleep.
 */
#ifndef KERNEL_FILES_H
#define KERNEL_FILES_H

#include <kernel/task.h>

struct vm;

/** files_fork() - descriptor table and fs context for @child, shared or copied as @clone_flags say. 0 or -ENOMEM. */
int files_fork(struct task *child, u64 clone_flags);
/** files_exit() - drop both. */
void files_exit(struct task *t);
/** files_unshare() - current gets its own of what CLONE_FS and CLONE_FILES name. 0 or -ENOMEM. */
int files_unshare(u64 clone_flags);
struct mnt_ns;
struct fs_ctx;
/** files_mounts_copy() - a copy of @from with all its mounts; @fs, which the caller alone uses, is in the copy then. ERR_PTR(-ENOMEM, -ENOSPC). */
struct mnt_ns *files_mounts_copy(struct mnt_ns *from, struct fs_ctx *fs);
struct mnt_ns *files_mounts_get(struct mnt_ns *ns);
u32 files_mounts_id(const struct mnt_ns *ns);
/** files_enter_mounts() - current's root and working directory are the root of @ns from now on. 0, or -EINVAL: another task shares them. */
int files_enter_mounts(struct mnt_ns *ns);
/** files_mounts_put() - the last one unmounts everything. */
void files_mounts_put(struct mnt_ns *ns);
/** files_exec() - a table of its own, close-on-exec descriptors closed. 0 or -ENOMEM. */
int files_exec(void);
/** ipc_process_exit() - take back what SEM_UNDO operations of @p did (fs/ipc/sem.c). */
void ipc_process_exit(struct process *p);
/** files_session_exit() - a session leader ends: its terminal is hung up. */
void files_session_exit(struct process *p);

/** exec_open() - open a program or interpreter by kernel string: rights checked, writers denied (ETXTBSY). ERR_PTR. */
struct file *exec_open(const char *path);
/** exec_close() - undo exec_open(). */
void exec_close(struct file *f);
/** exec_read() - bytes read at @off, short at the end of the file, or -Exxx. */
ssize_t exec_read(struct file *f, void *buf, size_t n, u64 off);
u64 exec_size(struct file *f);
/** exec_map() - map a private part of the file. Address or -Exxx. */
long exec_map(struct vm *vm, struct file *f, uaddr_t addr, size_t len, unsigned int prot,
	      unsigned int flags, u64 pgoff);
/** exec_set_exe() - record the program in @vm for /proc/PID/exe. */
void exec_set_exe(struct vm *vm, struct file *f);
/** exec_is_readable() - may current read the program? If not, its memory is not to be looked into either. */
bool exec_is_readable(struct file *f);
/**
 * exec_creds() - what set-user-id and set-group-id bits and capabilities of the file make of @creds.
 * Return: 1: privileges were raised (AT_SECURE), 0: not; -EPERM: it would not get what it needs; -EINVAL: its capabilities are none.
 */
int exec_creds(struct file *f, struct creds *creds);

/**
 * files_core_create() - a fresh regular file for a core dump, written by current only. An old one of that name is removed. @safe: as root, and only
 * by an absolute path. ERR_PTR(-EPERM): not a place for a core. files_core_write(): bytes or -Exxx.
 */
struct file *files_core_create(const char *path, bool safe);
ssize_t files_core_write(struct file *f, const void *buf, size_t n, u64 pos);
void files_core_close(struct file *f);
/**
 * files_core_pipe() - a pipe for a core dump: the end to write to, and in *@input the one to read from. ERR_PTR. files_core_wait(): the core
 * is complete; sleep until nobody has the other end open any more, or a signal comes.
 */
struct file *files_core_pipe(struct file **input);
void files_core_wait(struct file *f);
/** files_helper_fork() - for @child an empty descriptor table, process 1's root and directory, umask 022. 0 or -Exxx. */
int files_helper_fork(struct task *child);
/** files_helper_input() - make @f current's descriptor 0; takes over the reference. files_helper_drop(): give it up instead. */
int files_helper_input(struct file *f);
void files_helper_drop(struct file *f);
/** files_exe_path() - the path of the program that @vm runs. 0, -ENOENT, -ENAMETOOLONG. */
int files_exe_path(struct vm *vm, char *buf, size_t size);

/* Boot. */
/** files_init() - bring the file systems up; current (boot task) and later init see the root. */
void files_init(void);
/** files_unpack_root() - fill the root from an initramfs image; errors are logged with @what. 0 or -Exxx. */
int files_unpack_root(const void *image, size_t size, const char *what);
/** files_open_stdio() - current's descriptors 0, 1, 2 as the command line's caelum.stdio= says. 0 or -Exxx. */
int files_open_stdio(void);
/** files_read_whole() - a file's content in kmalloc()ed memory with a NUL behind it. Length or -Exxx. */
ssize_t files_read_whole(const char *path, char **out);
/** files_start_disks() - make the disks that drivers found ready, with their partitions in /dev. files_sync() - write all back. */
void files_start_disks(void);
void files_sync(void);
int files_unlink(const char *path);
int files_chdir(const char *path);

struct seccomp_notify;
/** files_reserve_listener() - a file for @n, which it refers to, and a number for it. Then pidfd_install() or pidfd_cancel(). Number or -Exxx. */
int files_reserve_listener(struct seccomp_notify *n, struct file **out);
/** files_receive() - enter @f, with a reference of its own, in current's table: as @fd, or (-1) the lowest free number. Number or -EMFILE, -EBADF, -EBUSY. */
int files_receive(struct file *f, int fd, bool cloexec);

/**
 * pidfd_reserve() - a file for @p, or for its thread @t (NULL: the process), and a number for it in current's table. @flags: O_NONBLOCK, O_EXCL.
 * Then pidfd_install(), or pidfd_cancel(). Number or -Exxx.
 */
int pidfd_reserve(struct process *p, struct task *t, unsigned int flags, struct file **out);
void pidfd_install(int fd, struct file *f);
void pidfd_cancel(int fd, struct file *f);
/** pidfd_get() - what a descriptor stands for, with references; *@thread is not touched if it is a process. ERR_PTR(-EBADF). */
struct process *pidfd_get(int fd, struct task **thread, unsigned int *flags);
/** pidfd_get_signal() - the same for a signal's sake: the directory /proc/PID will do, too. ERR_PTR(-EBADF, -ESRCH). */
struct process *pidfd_get_signal(int fd, struct task **thread, unsigned int *flags);
/** pidfd_get_process() - only the process. */
struct process *pidfd_get_process(int fd);

#endif

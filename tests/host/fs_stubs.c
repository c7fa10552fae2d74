/* SPDX-License-Identifier: MIT */
/* What fs/ needs of the kernel in host tests: one task, root, without limits, that gets no signals (fs_stubs.h). */
#include "fs_stubs.h"

#include <fs/fasync.h>
#include <fs/internal.h>
#include <fs/lease.h>
#include <fs/tmpfs/tmpfs.h>
#include <hal/host/host.h>
#include <mm/internal.h>

#include "kernel_stubs.h"

#define RAM_SIZE (64UL << 20)

static const struct creds root_creds = { .cap_effective = ~0ULL };

const struct creds *creds_get(const struct creds *c)
{
	return c;
}
void creds_put(const struct creds *c)
{
	(void)c;
}
const struct creds *creds_get_spare(void)
{
	current->spare_creds = SPARE_CREDS - 1;
	return current->creds;
}
bool capable(int cap)
{
	return true;
}
bool creds_in_group(const struct creds *c, gid_t gid)
{
	return gid == 0;
}
u64 task_rlimit(unsigned int which)
{
	return which == RLIMIT_NOFILE ? 1024 : RLIM_INFINITY;
}
void sig_send_self(int sig)
{
}
bool fatal_signal_pending(void)
{
	return false;
}
int file_caps_check(const void *value, size_t size)
{
	return 0;
}
u32 ns_new_id(void)
{
	return 1;
}
/* No file here has an owner or a lease. */
void file_owner_free(struct file *f)
{
	(void)f;
}

void lease_file_gone(struct file *f)
{
	(void)f;
}

int __lease_break(struct inode *inode, bool write, bool nonblock)
{
	(void)inode;
	(void)write;
	(void)nonblock;
	return 0;
}

void epoll_file_release(struct file *f)
{
	abort();
}

void process_put(struct process *p)
{
	(void)p;
	abort();
}

/* A clock that moves with every look: two events never have the same time. */
u64 ktime_real_ns(void)
{
	static u64 now = 1000000000;

	return now += 1000;
}

const struct file_ops *fs_stubs_blkdev_ops;

void inode_init_special(struct inode *inode, u64 rdev)
{
	inode->rdev = rdev;
	inode->fops = S_ISFIFO(inode->mode)  ? &fifo_ops
		      : S_ISBLK(inode->mode) ? fs_stubs_blkdev_ops
					     : NULL;
}

static struct ns_set only_ns = { .mnt = &init_mnt_ns };

static void make_root(void)
{
	struct mount *m = kern_mount(&rootfs_type);

	if (IS_ERR(m))
		panic("no root");
	mount_set_root(&init_mnt_ns, m);
	init_fs_ctx.root = init_fs_ctx.cwd = (struct path){ m, m->root };
	path_get(&init_fs_ctx.root);
	path_get(&init_fs_ctx.cwd);
	current->fs = &init_fs_ctx;
}

void fs_stubs_start(void)
{
	host_ram_init(RAM_SIZE, 0x80000000);
	stubs_start_mm();
	current->creds = &root_creds;
	current->ns = &only_ns;
	dcache_init();
	inode_init();
	file_init();
	namei_init();
	mount_init();
	locks_init();
	inotify_init();
	anon_init();
	pipe_init();
	tmpfs_init();
	current->files = fdtable_create();
	make_root();
}

void fs_stubs_reset(void)
{
	struct mount *root = init_mnt_ns.root;

	fd_close_range(0, ~0u, false);
	path_put(&init_fs_ctx.cwd);
	init_fs_ctx.cwd = init_fs_ctx.root;
	path_get(&init_fs_ctx.cwd);
	path_put(&init_fs_ctx.cwd);
	path_put(&init_fs_ctx.root);
	mount_detach_tree(root);
	dcache_shrink(~0ul);
	if (file_count())
		panic("%llu files were not released", file_count());
	make_root();
}
/* One CPU, which reads nothing meanwhile. */
void sched_sync_all_cpus(void)
{
}

/* SPDX-License-Identifier: MIT */
/*
 * Bringing the file systems up: vfs_init() prepares the caches, mounts the root tmpfs with /dev, /proc and /sys on it, and
 * gives the boot task its directories.
 * Context: boot CPU, once, after mm and the scheduler are up; the current task becomes init.
 */
#include <fs/internal.h>
#include <fs/ipc/mqueue.h>
#include <fs/nsfs.h>
#include <fs/tmpfs/tmpfs.h>

/* Without CONFIG_FAT. */
__weak void fat_init(void)
{
}

static void mount_or_panic(const char *type, const char *where, unsigned long flags,
			   const char *data)
{
	int r = vfs_mkdir(AT_FDCWD, where, 0755);

	if (!r || r == -EEXIST)
		r = do_mount(type, where, type, flags, data);
	if (r)
		panic("cannot mount %s on %s: error %d", type, where, -r);
}

static void mount_root(void)
{
	struct mount *m = kern_mount(&rootfs_type);

	if (IS_ERR(m))
		panic("cannot make the root file system: error %d", (int)-PTR_ERR(m));
	mount_set_root(&init_mnt_ns, m);
	init_fs_ctx.root = (struct path){ m, m->root };
	init_fs_ctx.cwd = init_fs_ctx.root;
	path_get(&init_fs_ctx.root);
	path_get(&init_fs_ctx.cwd);
	current->fs = &init_fs_ctx;
	if (current->ns)
		current->ns->mnt = &init_mnt_ns;
}

void vfs_init(void)
{
	dcache_init();
	inode_init();
	file_init();
	namei_init();
	mount_init();
	locks_init();
	inotify_init();
	anon_init();
	nsfs_init();
	mqueue_init();
	pipe_init();
	epoll_init();
	tmpfs_init();
	tty_init();
	devfs_init();
	pty_init();
	procfs_init();
	sysfs_init();
	tracefs_init();
	fat_init();
	mount_root();
	mount_or_panic("devtmpfs", "/dev", MS_NOSUID, NULL);
	mount_or_panic("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
	mount_or_panic("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_or_panic("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_or_panic("tracefs", "/sys/kernel/tracing", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

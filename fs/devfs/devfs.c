/* SPDX-License-Identifier: MIT */
/*
 * Character devices by number, and devtmpfs, the tmpfs that holds their nodes.
 *
 * chrdev_register() makes a driver known; opening any node with its number, wherever mknod made it, reaches its operations.
 * The one devtmpfs instance is filled from the list when it is first mounted.
 * Locking: the list only grows, at boot.
 */
#include <fs/devfs/devfs.h>
#include <fs/internal.h>

static struct chrdev *chrdevs;

void chrdev_register(struct chrdev *dev)
{
	struct chrdev **p = &chrdevs;

	while (*p)
		p = &(*p)->next;
	*p = dev;
}

static int chrdev_open(struct inode *inode, struct file *f)
{
	struct chrdev *dev;

	for (dev = chrdevs; dev && inode->rdev - dev->rdev >= max(dev->count, 1u); dev = dev->next)
		;
	if (!dev)
		return -ENXIO;
	f->ops = dev->ops;
	return f->ops->open ? f->ops->open(inode, f) : 0;
}

static int no_device(struct inode *inode, struct file *f)
{
	return -ENXIO;
}

const struct file_ops chrdev_ops = { .open = chrdev_open };
__weak const struct file_ops blkdev_ops = { .open = no_device }; /* without CONFIG_BLOCK */
const struct file_ops sock_ops = { .open = no_device };

void inode_init_special(struct inode *inode, u64 rdev)
{
	switch (inode->mode & S_IFMT) {
	case S_IFCHR:
		inode->fops = &chrdev_ops;
		inode->rdev = rdev;
		break;
	case S_IFBLK:
		inode->fops = &blkdev_ops;
		inode->rdev = rdev;
		break;
	case S_IFIFO:
		inode->fops = &fifo_ops;
		break;
	default:
		inode->fops = &sock_ops;
	}
}

/* ---- devtmpfs ---- */

/* An entry of the root directory, by the directory's own operations. */
static int add_entry(struct super *sb, const char *name, u32 mode, u64 rdev, const char *target)
{
	struct inode *root = d_inode(sb->root);
	struct dentry *d;
	int r;

	rwsem_down_write(&root->lock);
	d = lookup_one(sb->root, name, strlen(name));
	if (IS_ERR(d))
		r = (int)PTR_ERR(d);
	else if (d_inode(d))
		r = 0;
	else if (target)
		r = root->ops->symlink(root, d, target);
	else if (S_ISDIR(mode))
		r = root->ops->mkdir(root, d, mode);
	else
		r = root->ops->mknod(root, d, mode, rdev);
	rwsem_up_write(&root->lock);
	if (!IS_ERR(d))
		dput(d);
	return r;
}

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

static int devtmpfs_fill(struct super *sb, const char *source, const char *data)
{
	int r = tmpfs_fill(sb, source, "mode=0755,size=0,nr_inodes=0");

	for (struct chrdev *dev = chrdevs; dev && !r; dev = dev->next)
		if (!strchr(dev->name, '/'))
			r = add_entry(sb, dev->name, S_IFCHR | dev->mode, dev->rdev, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(links) && !r; i++)
		r = add_entry(sb, links[i].name, 0, 0, links[i].target);
	if (!r)
		r = add_entry(sb, "pts", S_IFDIR | 0755, 0, NULL);
	if (!r)
		r = add_entry(sb, "shm", S_IFDIR | 01777, 0, NULL);
	return r;
}

static struct fs_type devtmpfs_type = {
	.name = "devtmpfs", .nodev = true, .fill = devtmpfs_fill, .single = true
};

int devtmpfs_add(const char *name, u32 mode, u64 rdev)
{
	return devtmpfs_type.instance ? add_entry(devtmpfs_type.instance, name, mode, rdev, NULL)
				      : -ENODEV;
}

int devtmpfs_remove(const char *name)
{
	struct super *sb = devtmpfs_type.instance;
	struct inode *root = sb ? d_inode(sb->root) : NULL;
	struct dentry *d;
	int r = 0;

	if (!root)
		return -ENODEV;
	rwsem_down_write(&root->lock);
	d = lookup_one(sb->root, name, strlen(name));
	if (!IS_ERR(d) && d_inode(d)) {
		r = root->ops->unlink(root, d);
		d_drop(d);
	}
	rwsem_up_write(&root->lock);
	if (!IS_ERR(d))
		dput(d);
	return r;
}

void devfs_init(void)
{
	mem_devices_init();
	stream_devices_init();
	fs_type_register(&devtmpfs_type);
}

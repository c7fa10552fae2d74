/* SPDX-License-Identifier: MIT */
/*
 * Files that stand for namespaces: what the links in /proc/PID/ns lead to. Whoever has one open keeps the namespace alive.
 * nsfs_path() makes the place a link leads to; nsfs_get() tells setns(2) what a file stands for. All may sleep.
 * Source: namespaces(7), ioctl_nsfs(2).
 */
#include <fs/internal.h>
#include <fs/nsfs.h>
#include <kernel/ns.h>

#define NSFS_MAGIC	 0x6e736673
#define NS_GET_USERNS	 0xb701
#define NS_GET_PARENT	 0xb702
#define NS_GET_NSTYPE	 0xb703
#define NS_GET_OWNER_UID 0xb704

static const struct file_ops nsfs_fops;
static struct super *nsfs_super;

static void nsfs_evict(struct inode *inode)
{
	struct ns_ref *ns = inode->priv;

	if (ns)
		ns_ref_put(ns);
	kfree(ns);
}

static int nsfs_statfs(struct super *sb, struct statfs *st)
{
	return 0;
}

static int nsfs_fill(struct super *sb, const char *source, const char *data)
{
	static const struct super_ops ops = { .evict = nsfs_evict, .statfs = nsfs_statfs };

	sb->ops = &ops;
	sb->magic = NSFS_MAGIC;
	return 0;
}

static struct fs_type nsfs_type = {
	.name = "nsfs", .nodev = true, .fill = nsfs_fill, .single = true
};

void nsfs_init(void)
{
	nsfs_super = super_create(&nsfs_type, NULL, NULL);
	if (IS_ERR(nsfs_super))
		panic("nsfs: no memory");
}

/* An inode for a namespace: each time another one, of the same number. */
static struct inode *nsfs_inode(struct task *t, u64 kind)
{
	struct inode *inode = inode_new(nsfs_super, NULL, S_IFREG | 0444);
	struct ns_ref *ns = kmalloc(sizeof(*ns), GFP_KERNEL);

	if (!inode || !ns || ns_ref_get(t, kind, ns)) {
		kfree(ns);
		if (inode)
			inode_put(inode);
		return NULL;
	}
	inode->uid = inode->gid = 0;
	inode->ino = ns_ref_id(ns);
	inode->fops = &nsfs_fops;
	inode->priv = ns;
	return inode;
}

int nsfs_path(struct task *t, u64 kind, struct path *out)
{
	struct inode *inode = nsfs_inode(t, kind);
	char name[32];
	struct dentry *d;

	if (!inode)
		return -ENOMEM;
	scnprintf(name, sizeof(name), "%s:[%llu]", kind == CLONE_NEWNS ? "mnt" : "uts", inode->ino);
	d = d_alloc(nsfs_super, NULL, name, strlen(name));
	if (!d) {
		inode_put(inode);
		return -ENOMEM;
	}
	d->flags |= DENTRY_ANON;
	d_instantiate(d, inode);
	*out = (struct path){ NULL, d };
	return 0;
}

const struct ns_ref *nsfs_get(const struct file *f)
{
	return f->ops == &nsfs_fops ? f->inode->priv : NULL;
}

/* There is one namespace of users, which nobody may have a descriptor of; the kinds that are there have no parents. */
static long nsfs_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	const struct ns_ref *ns = f->inode->priv;

	switch (cmd) {
	case NS_GET_NSTYPE:
		return (long)ns->kind;
	case NS_GET_USERNS:
		return -EPERM;
	case NS_GET_PARENT:
	case NS_GET_OWNER_UID:
		return -EINVAL;
	default:
		return -ENOTTY;
	}
}

static const struct file_ops nsfs_fops = { .ioctl = nsfs_ioctl };

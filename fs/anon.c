/* SPDX-License-Identifier: MIT */
/*
 * Files without a place in the tree: pipes, eventfds, epoll instances, memfds.
 *
 * anon_file_create() makes a file on the one inode of "anon_inodefs"; anon_inode_file() on an inode of its own. Their
 * dentries are nameless: /proc/PID/fd shows the dentry's text alone.
 */
#include <fs/internal.h>

static struct super *anon_super;
static struct inode *anon_inode;

static int anon_statfs(struct super *sb, struct statfs *st)
{
	return 0;
}

static const struct super_ops anon_super_ops = { .statfs = anon_statfs };

static int anon_fill(struct super *sb, const char *source, const char *data)
{
	sb->ops = &anon_super_ops;
	sb->magic = ANON_INODE_FS_MAGIC;
	return 0;
}

static struct fs_type anon_type = {
	.name = "anon_inodefs", .nodev = true, .fill = anon_fill, .single = true
};

void anon_init(void)
{
	anon_super = super_create(&anon_type, NULL, NULL);
	if (IS_ERR(anon_super))
		panic("anon_inodefs: no memory");
	anon_inode = inode_new(anon_super, NULL, S_IRUSR | S_IWUSR);
	if (!anon_inode)
		panic("anon_inodefs: no memory");
}

struct file *anon_inode_file(struct inode *inode, const char *name, const struct file_ops *ops,
			     void *priv, unsigned int flags)
{
	static const u32 modes[] = { FMODE_READ, FMODE_WRITE, FMODE_READ | FMODE_WRITE, 0 };
	struct dentry *d;
	struct file *f;

	d = d_alloc(inode->sb, NULL, name, strlen(name));
	if (!d) {
		inode_put(inode);
		return ERR_PTR(-ENOMEM);
	}
	d->flags |= DENTRY_ANON;
	d_instantiate(d, inode);
	f = file_alloc(ops, flags & ~O_CLOEXEC,
		       modes[flags & O_ACCMODE] | FMODE_NOPOS | FMODE_OPENED);
	if (IS_ERR(f)) {
		dput(d);
		return f;
	}
	f->path = (struct path){ NULL, d };
	f->inode = inode;
	f->priv = priv;
	return f;
}

struct file *anon_file_create(const char *name, const struct file_ops *ops, void *priv,
			      unsigned int flags)
{
	return anon_inode_file(inode_get(anon_inode), name, ops, priv, flags);
}

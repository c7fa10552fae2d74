/* SPDX-License-Identifier: MIT */
/*
 * File handles: name_to_handle_at(2), open_by_handle_at(2). A handle is a file's number and generation, in the form Linux's tmpfs has; file systems that
 * cannot find a file by it give, if asked for no more (AT_HANDLE_FID), one that only identifies.
 */
#include <fs/file.h>
#include <fs/vfs.h>
#include <kernel/signal.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <syscall/internal.h>
#include <syscall/proto.h>
#include <uapi/capability.h>
#include <uapi/fcntl.h>

#define AT_HANDLE_MNT_ID_UNIQUE 0x001
#define AT_HANDLE_FID		0x200
#define MAX_HANDLE_SZ		128

/* struct file_handle with the content that ours have. */
struct handle {
	u32 bytes;
	struct file_fid fid;
};
#define HEADER_SIZE offsetof(struct handle, fid.id)

static int encode(struct dentry *d, int flags, struct handle *h)
{
	const struct super_ops *ops = d->sb->ops;

	if (!(ops && ops->handle) && !(flags & AT_HANDLE_FID))
		return -EOPNOTSUPP;
	h->bytes = sizeof(h->fid.id);
	return file_fid(d, &h->fid);
}

static long put_mount_id(uaddr_t to, const struct mount *m, int flags)
{
	u64 unique = mount_unique_id((u64)m->id);

	if (flags & AT_HANDLE_MNT_ID_UNIQUE)
		return put_user_obj(to, &unique);
	return put_user_obj(to, &m->id);
}

static long put_handle(const struct path *p, uaddr_t uh, uaddr_t mount_id, int flags)
{
	struct handle h = { 0 };
	bool fits;
	u32 room;
	long r;

	r = p->mnt ? encode(p->dentry, flags, &h) : -EOPNOTSUPP;
	if (r)
		return r;
	if (get_user_obj(&room, uh))
		return -EFAULT;
	if (room > MAX_HANDLE_SZ)
		return -EINVAL;
	fits = room >= sizeof(h.fid.id);
	r = put_mount_id(mount_id, p->mnt, flags);
	if (!r && copy_to_user(uh, &h, HEADER_SIZE + (fits ? sizeof(h.fid.id) : 0)))
		r = -EFAULT;
	return r ? r : fits ? 0 : -EOVERFLOW;
}

long sys_name_to_handle_at(fd_t dfd, path_t path, uaddr_t uh, uaddr_t mount_id, int flags)
{
	int at = (flags & AT_EMPTY_PATH) | (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW);
	struct path p;
	long r;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID | AT_HANDLE_MNT_ID_UNIQUE))
		return -EINVAL;
	r = path_at(dfd, path, at, &p);
	if (r)
		return r;
	r = put_handle(&p, uh, mount_id, flags);
	path_put(&p);
	return r;
}

/* ---- and back ---- */

static int get_handle(struct handle *h, uaddr_t uh)
{
	if (copy_from_user(h, uh, HEADER_SIZE))
		return -EFAULT;
	if (!h->bytes || h->bytes > MAX_HANDLE_SZ)
		return -EINVAL;
	if (h->bytes != sizeof(h->fid.id))
		return -ESTALE;
	return copy_from_user(h->fid.id, uh + HEADER_SIZE, sizeof(h->fid.id)) ? -EFAULT : 0;
}

static struct file *open_handle(const struct path *at, const struct handle *h, int flags)
{
	struct file_id id = { (u64)h->fid.id[2] << 32 | h->fid.id[1], h->fid.id[0] };
	struct super *sb = at->dentry->sb;
	struct path p = { at->mnt, NULL };
	struct file *f;

	if (!at->mnt || !sb->ops || !sb->ops->open_handle || h->fid.type != 1)
		return ERR_PTR(-ESTALE);
	p.dentry = sb->ops->open_handle(sb, &id);
	if (IS_ERR(p.dentry))
		return ERR_CAST(p.dentry);
	f = file_open_path(&p, flags);
	dput(p.dentry);
	return f;
}

long sys_open_by_handle_at(fd_t mount_fd, uaddr_t uh, int flags)
{
	struct handle h;
	struct path at;
	struct file *f;
	long r = path_of_fd(mount_fd, &at);

	if (r)
		return r;
	r = capable(CAP_DAC_READ_SEARCH) ? get_handle(&h, uh) : -EPERM;
	if (!r) {
		f = open_handle(&at, &h, flags);
		r = IS_ERR(f) ? PTR_ERR(f) : fd_alloc_install(f, 0, flags & O_CLOEXEC);
		if (!IS_ERR(f) && r < 0)
			file_put(f);
	}
	path_put(&at);
	return r;
}

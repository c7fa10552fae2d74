/* SPDX-License-Identifier: MIT */
/*
 * The credentials a program starts with: set-user-id and set-group-id bits, capabilities of the file (security.capability), what root
 * gets, what nobody gets who is traced or has promised to gain nothing.
 *
 * exec_creds() for exec; file_caps_check() for setxattr(2).
 * Source: capabilities(7), "File capabilities", "Transformation of capabilities during execve()"; execve(2).
 */
#include <fs/internal.h>
#include <fs/xattr.h>
#include <kernel/files.h>
#include <kernel/ptrace.h>
#include <lib/string.h>
#include <uapi/capability.h>
#include <uapi/mount.h>
#include <uapi/prctl.h>

#define CAPS_REVISION	0xff000000u
#define CAPS_REVISION_1 0x01000000u
#define CAPS_REVISION_2 0x02000000u
#define CAPS_REVISION_3 0x03000000u /* with the root user whose capabilities they are */
#define CAPS_EFFECTIVE	1u

/* As it lies on the disk, little-endian. */
struct file_caps_disk {
	u32 magic;
	struct {
		u32 permitted, inheritable;
	} words[2];
	u32 rootid;
};

struct file_caps {
	u64 permitted, inheritable;
	bool present, effective;
};

/* How long an attribute of this revision is; 0: there is no such. */
static size_t caps_size(u32 magic)
{
	switch (magic & CAPS_REVISION) {
	case CAPS_REVISION_1:
		return offsetof(struct file_caps_disk, words[1]);
	case CAPS_REVISION_2:
		return offsetof(struct file_caps_disk, rootid);
	case CAPS_REVISION_3:
		return sizeof(struct file_caps_disk);
	default:
		return 0;
	}
}

int file_caps_check(const void *value, size_t size)
{
	u32 magic;

	if (!size) /* Linux lets that pass; such a file cannot be executed */
		return 0;
	if (size < sizeof(magic))
		return -EINVAL;
	memcpy(&magic, value, sizeof(magic));
	return (magic & CAPS_REVISION) == CAPS_REVISION_1 || caps_size(magic) != size ? -EINVAL : 0;
}

/* The capabilities of @f. 0, also when it has none; -EINVAL: the attribute is none. */
static int read_caps(struct file *f, struct file_caps *caps)
{
	struct file_caps_disk d = { 0 };
	ssize_t n = xattr_get(f->inode, XATTR_CAPS, &d, sizeof(d));

	*caps = (struct file_caps){ 0 };
	if (n == -ENODATA || n == -EOPNOTSUPP)
		return 0;
	if (n < 0 || (size_t)n < sizeof(d.magic) || caps_size(d.magic) != (size_t)n)
		return -EINVAL;
	/* Those that the root of another user namespace gave count there: there is none. */
	if (d.rootid)
		return 0;
	caps->present = true;
	caps->effective = d.magic & CAPS_EFFECTIVE;
	caps->permitted = ((u64)d.words[1].permitted << 32 | d.words[0].permitted) & CAP_FULL;
	caps->inheritable = ((u64)d.words[1].inheritable << 32 | d.words[0].inheritable) & CAP_FULL;
	return 0;
}

/* Can a program on this mount gain anything? One in a memfd, which is in no mount, cannot. */
static bool mount_raises(const struct file *f)
{
	return f->path.mnt && !(f->path.mnt->flags & MS_NOSUID);
}

static void set_ids(const struct inode *inode, struct creds *c)
{
	if (inode->mode & S_ISUID)
		c->euid = inode->uid;
	if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->egid = inode->gid;
}

/* Root has all, but for a user who runs a set-user-id-root file that says what it needs. Returns whether they are effective. */
static bool root_caps(struct creds *c, const struct file_caps *caps)
{
	if ((c->securebits & SECURE_NOROOT) || (caps->present && c->uid && !c->euid))
		return caps->effective;
	if (!c->uid || !c->euid)
		c->cap_permitted = c->cap_bset | c->cap_inheritable;
	return caps->effective || !c->euid;
}

int exec_creds(struct file *f, struct creds *c)
{
	const struct creds *old = current->creds;
	struct file_caps caps = { 0 };
	bool effective;
	int r = 0;

	if (mount_raises(f))
		r = read_caps(f, &caps);
	if (r)
		return r;
	if (mount_raises(f) && !c->no_new_privs && !current->no_new_privs)
		set_ids(f->inode, c);
	c->cap_permitted = (c->cap_bset & caps.permitted) | (c->cap_inheritable & caps.inheritable);
	/* A program that does not ask which it has must have all. */
	if (caps.effective && (caps.permitted & ~c->cap_permitted))
		return -EPERM;
	effective = root_caps(c, &caps);
	if (caps.present || c->euid != old->euid || c->egid != old->egid)
		c->cap_ambient = 0;
	ptrace_exec_creds(c);
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->cap_permitted |= c->cap_ambient;
	c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
	c->securebits &= ~SECURE_KEEP_CAPS;
	return c->euid != c->uid || c->egid != c->gid ||
	       (c->uid && (effective || (c->cap_permitted & ~c->cap_ambient)));
}

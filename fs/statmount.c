/* SPDX-License-Identifier: MIT */
/*
 * What there is to know of one mount, by its number, and which mounts there are: statmount(2), listmount(2).
 * Mounts of the caller's tree only. Locking: mount_mutex.
 */
#include <fs/internal.h>
#include <fs/mount.h>
#include <fs/statmount.h>
#include <lib/sort.h>
#include <uapi/capability.h>
#include <uapi/mount.h>

#define STATMOUNT_SB_BASIC	  0x01u
#define STATMOUNT_MNT_BASIC	  0x02u
#define STATMOUNT_PROPAGATE_FROM	  0x04u
#define STATMOUNT_MNT_ROOT	  0x08u
#define STATMOUNT_MNT_POINT	  0x10u
#define STATMOUNT_FS_TYPE		  0x20u
#define STATMOUNT_MNT_NS_ID	  0x40u
#define STATMOUNT_MNT_OPTS	  0x80u

static u64 number_of(const struct mount *m)
{
	return mount_unique_id((u64)m->id);
}

static struct mount *find(const struct mnt_ns *ns, u64 number)
{
	struct mount *m = ns ? ns->root : NULL;

	while (m && number_of(m) != number)
		m = mount_next(m, ns->root);
	return m;
}

/* Where it is, from current's root; NULL: not below that. @buf: PATH_MAX. */
static const char *place(struct mount *m, char *buf)
{
	struct path p = { m, m->root };
	char *name = path_name(&p, buf, PATH_MAX);

	return IS_ERR(name) || *name != '/' ? NULL : name;
}

static u64 attributes(const struct mount *m)
{
	static const struct {
		u32 flag;
		u64 attr;
	} same[] = {
		{ MS_RDONLY, MOUNT_ATTR_RDONLY },
		{ MS_NOSUID, MOUNT_ATTR_NOSUID },
		{ MS_NODEV, MOUNT_ATTR_NODEV },
		{ MS_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
		{ MS_NOATIME, MOUNT_ATTR_NOATIME },
		{ MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
	};
	u64 attr = m->flags & (MS_NOATIME | MS_RELATIME) ? 0 : MOUNT_ATTR_STRICTATIME;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (m->flags & same[i].flag)
			attr |= same[i].attr;
	return attr;
}

static void fill_numbers(struct mount *m, const struct mnt_ns *ns, u64 wanted,
			 struct statmount_abi *st)
{
	const struct mount *parent = m->parent ? m->parent : m;

	if (wanted & STATMOUNT_SB_BASIC) {
		st->sb_dev_major = dev_major(m->sb->dev);
		st->sb_dev_minor = dev_minor(m->sb->dev);
		st->sb_magic = m->sb->magic;
		st->sb_flags = (u32)(m->sb->flags & SB_FLAGS);
	}
	if (wanted & STATMOUNT_MNT_BASIC) {
		st->mnt_id = number_of(m);
		st->mnt_parent_id = number_of(parent);
		st->mnt_id_old = (u32)m->id;
		st->mnt_parent_id_old = (u32)parent->id;
		st->mnt_attr = attributes(m);
		st->mnt_propagation = MS_PRIVATE;
	}
	if (wanted & STATMOUNT_MNT_NS_ID)
		st->mnt_ns_id = ns->id;
	st->mask = wanted & (STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM |
			     STATMOUNT_MNT_NS_ID);
}

/* One string behind those that are there; *@at: where. */
static void add_string(struct statmount_abi *st, struct printbuf *pb, u32 *at, u64 bit,
		       const char *text)
{
	*at = (u32)pb->len;
	printbuf_puts(pb, text);
	printbuf_putc(pb, '\0');
	st->mask |= bit;
}

/* @buf: PATH_MAX. */
static void fill_strings(struct mount *m, u64 wanted, struct statmount_abi *st, struct printbuf *pb,
			 char *buf)
{
	char opts[128] = "", *in_fs;
	const char *where;

	if (wanted & STATMOUNT_FS_TYPE)
		add_string(st, pb, &st->fs_type, STATMOUNT_FS_TYPE, m->sb->type->name);
	if (wanted & STATMOUNT_MNT_ROOT) {
		in_fs = dentry_name(m->root, buf, PATH_MAX);
		if (!IS_ERR(in_fs))
			add_string(st, pb, &st->mnt_root, STATMOUNT_MNT_ROOT, in_fs);
	}
	if (wanted & STATMOUNT_MNT_POINT) {
		where = place(m, buf);
		add_string(st, pb, &st->mnt_point, STATMOUNT_MNT_POINT, where ? where : "");
	}
	if ((wanted & STATMOUNT_MNT_OPTS) && m->sb->ops && m->sb->ops->show_options) {
		m->sb->ops->show_options(m->sb, opts, sizeof(opts));
		if (opts[0])
			add_string(st, pb, &st->mnt_opts, STATMOUNT_MNT_OPTS, opts + 1);
	}
}

int mount_stat(u64 number, u64 ns_id, u64 wanted, struct statmount_abi *st, struct printbuf *pb)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL);
	struct mnt_ns *ns;
	struct mount *m;
	int r = 0;

	if (!buf)
		return -ENOMEM;
	mutex_lock(&mount_mutex);
	ns = mount_tree_of(current->fs);
	m = ns && ns_id && ns->id != ns_id ? NULL : find(ns, number);
	if (!m)
		r = -ENOENT;
	else if (!place(m, buf) && !capable(CAP_SYS_ADMIN))
		r = -EPERM;
	if (!r) {
		fill_numbers(m, ns, wanted, st);
		fill_strings(m, wanted, st, pb, buf);
	}
	mutex_unlock(&mount_mutex);
	kfree(buf);
	return r;
}

/* ---- listmount ---- */

static bool is_below(const struct mount *m, const struct mount *top)
{
	while (m && m != top)
		m = m->parent;
	return m;
}

static int by_number(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Those below @top, but not it; NULL: all that can be seen. Return: how many, of which at most @room are in @numbers. */
static size_t collect(struct mnt_ns *ns, const struct mount *top, char *buf, u64 *numbers,
		      size_t room)
{
	size_t n = 0;

	for (struct mount *m = ns->root; m; m = mount_next(m, ns->root)) {
		if (top ? m == top || !is_below(m, top) : !place(m, buf))
			continue;
		if (n < room)
			numbers[n] = number_of(m);
		n++;
	}
	return n;
}

/* mount_mutex held. */
static long list_below(struct mnt_ns *ns, const struct mount *top, char *buf, u64 **out)
{
	size_t n = collect(ns, top, buf, NULL, 0);

	*out = kmalloc(max_t(size_t, n, 1) * sizeof(u64), GFP_KERNEL);
	if (!*out)
		return -ENOMEM;
	collect(ns, top, buf, *out, n);
	sort(*out, n, sizeof(u64), by_number);
	return (long)n;
}

long mount_list(u64 number, u64 ns_id, u64 **out)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL);
	struct mount *top = NULL;
	struct mnt_ns *ns;
	long r;

	if (!buf)
		return -ENOMEM;
	mutex_lock(&mount_mutex);
	ns = mount_tree_of(current->fs);
	if (number != LSMT_ROOT)
		top = find(ns, number);
	if (!ns || (ns_id && ns->id != ns_id) || (number != LSMT_ROOT && !top))
		r = -ENOENT;
	else if (top && !place(top, buf) && !capable(CAP_SYS_ADMIN))
		r = -EPERM;
	else
		r = list_below(ns, top, buf, out);
	mutex_unlock(&mount_mutex);
	kfree(buf);
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * The first contents of the root file system: cpio archives, plain or gzip, one after the other.
 *
 * initramfs_unpack() makes directories, files, links and devices through the same operations as system calls. A file's body
 * that lies page-aligned in the loader's initrd is adopted: its whole pages become the page cache without a copy, and only
 * the rest behind them is copied.
 * A bad archive ends with one line that says why; what came before stays.
 * Context: boot, kernel task with the root mounted. Source: Linux's buffer-format.rst.
 */
#include <fs/internal.h>
#include <fs/tmpfs/tmpfs.h>
#include <hal/boot.h>
#include <lib/cpio.h>
#include <lib/hash.h>
#define ZLIB_CONST /* next_in is const */
#include <zlib.h>

/* Hard links: the first name of (archive, dev, ino). */
struct link_seen {
	struct link_seen *next;
	u32 archive, major, minor, ino;
	char name[];
};
struct unpack {
	const char *what;
	struct link_seen *links[64];
};

static struct link_seen **link_slot(struct unpack *u, const struct cpio_entry *e)
{
	struct link_seen **p = &u->links[hash_64(((u64)e->ino << 16) ^ e->dev_minor, 6)];

	while (*p && ((*p)->ino != e->ino || (*p)->archive != e->archive ||
		      (*p)->major != e->dev_major || (*p)->minor != e->dev_minor))
		p = &(*p)->next;
	return p;
}

static void remember_link(struct unpack *u, const struct cpio_entry *e)
{
	struct link_seen **slot = link_slot(u, e), *l;

	if (*slot)
		return;
	l = kmalloc(sizeof(*l) + e->name_len + 1, GFP_KERNEL);
	if (!l)
		return;
	*l = (struct link_seen){ NULL, e->archive, e->dev_major, e->dev_minor, e->ino };
	memcpy(l->name, e->name, e->name_len + 1);
	*slot = l;
}

/* Make the directories above @name that are missing. */
static void make_parents(const char *name)
{
	char *copy = kstrdup(name, GFP_KERNEL);

	if (!copy)
		return;
	for (char *p = copy; *p; p++)
		if (*p == '/' && p != copy) {
			int r;

			*p = '\0';
			r = vfs_mkdir(AT_FDCWD, copy, 0755);
			(void)r; /* it may exist */
			*p = '/';
		}
	kfree(copy);
}

static int write_all(struct file *f, const u8 *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = kernel_write(f, data + done, size - done, (loff_t)done);

		if (n <= 0)
			return n ? (int)n : -ENOSPC;
		done += (size_t)n;
	}
	return 0;
}

/* Lies @data, a whole number of pages, in the loader's initrd, whose memory nobody else owns? */
static bool adoptable(const u8 *data, size_t whole)
{
	const u8 *base = phys_to_virt(boot_info.initrd.base);

	if (!whole || !IS_ALIGNED((unsigned long)data, PAGE_SIZE))
		return false;
	if (!boot_info.initrd.size || data < base || data + whole > base + boot_info.initrd.size)
		return false;
	return virt_to_page(data)->type == PAGE_RESERVED;
}

/* Whole pages of @e's body as they lie in memory; returns how many bytes the file has now. */
static int fill_file(struct file *f, const struct cpio_entry *e, bool may_adopt)
{
	size_t whole = e->size & PAGE_MASK;
	int r;

	if (!may_adopt || !adoptable(e->data, whole))
		return write_all(f, e->data, e->size);
	r = tmpfs_adopt_pages(f->inode, e->data, whole);
	if (!r && e->size > whole) {
		ssize_t n = kernel_write(f, e->data + whole, e->size - whole, (loff_t)whole);

		r = n == (ssize_t)(e->size - whole) ? 0 : n < 0 ? (int)n : -ENOSPC;
	}
	return r;
}

static void set_attributes(const struct cpio_entry *e)
{
	struct path p;
	struct inode *i;

	if (path_lookup(AT_FDCWD, e->name, 0, &p))
		return;
	i = d_inode(p.dentry);
	i->uid = e->uid;
	i->gid = e->gid;
	if (!S_ISLNK(i->mode))
		i->mode = (i->mode & S_IFMT) | (e->mode & S_IALLUGO);
	i->atime_ns = i->mtime_ns = (u64)e->mtime * 1000000000u;
	path_put(&p);
}

static int unpack_regular(struct unpack *u, const struct cpio_entry *e, bool may_adopt)
{
	struct link_seen *seen = e->nlink > 1 ? *link_slot(u, e) : NULL;
	struct file *f;
	int r = 0;

	if (seen) {
		struct path old;

		r = path_lookup(AT_FDCWD, seen->name, 0, &old);
		if (r)
			return r;
		vfs_unlink(AT_FDCWD, e->name);
		r = vfs_link(&old, AT_FDCWD, e->name);
		path_put(&old);
		if (r || !e->size)
			return r;
	}
	f = file_open(AT_FDCWD, e->name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	r = fill_file(f, e, may_adopt);
	file_put(f);
	if (e->nlink > 1)
		remember_link(u, e);
	return r;
}

static int unpack_symlink(const struct cpio_entry *e)
{
	char *target = kmalloc(e->size + 1, GFP_KERNEL);
	int r;

	if (!target)
		return -ENOMEM;
	memcpy(target, e->data, e->size);
	target[e->size] = '\0';
	vfs_unlink(AT_FDCWD, e->name);
	r = vfs_symlink(target, AT_FDCWD, e->name);
	kfree(target);
	return r;
}

static int make_entry(struct unpack *u, const struct cpio_entry *e, bool may_adopt)
{
	int r;

	switch (e->mode & S_IFMT) {
	case S_IFREG:
		return unpack_regular(u, e, may_adopt);
	case S_IFDIR:
		r = vfs_mkdir(AT_FDCWD, e->name, 0700);
		return r == -EEXIST ? 0 : r;
	case S_IFLNK:
		return unpack_symlink(e);
	default:
		vfs_unlink(AT_FDCWD, e->name);
		return vfs_mknod(AT_FDCWD, e->name, e->mode, mkdev(e->rdev_major, e->rdev_minor));
	}
}

static int unpack_entry(struct unpack *u, const struct cpio_entry *e, bool may_adopt)
{
	int r;

	if (e->name_len == 1 && e->name[0] == '.')
		return 0;
	r = make_entry(u, e, may_adopt);
	if (r == -ENOENT) {
		make_parents(e->name);
		r = make_entry(u, e, may_adopt);
	}
	if (!r)
		set_attributes(e);
	return r;
}

static int unpack_cpio(struct unpack *u, struct cpio_reader *rd, bool may_adopt)
{
	struct cpio_entry e;
	int r;

	while ((r = cpio_next(rd, &e)) == CPIO_ENTRY) {
		int err = unpack_entry(u, &e, may_adopt);

		if (err) {
			pr_err("%s: cannot make %s: error %d\n", u->what, e.name, -err);
			if (err == -ENOMEM || err == -ENOSPC)
				return err;
		}
	}
	if (r < 0)
		pr_err("%s: %s at byte %zu\n", u->what, rd->why, rd->where);
	return r;
}

/* ---- gzip ---- */

static voidpf z_alloc(voidpf opaque, uInt n, uInt size)
{
	return kmalloc((size_t)n * size, GFP_KERNEL);
}
static void z_free(voidpf opaque, voidpf p)
{
	kfree(p);
}

struct grow {
	u8 *buf;
	size_t size, used;
};

static int grow_more(struct grow *g)
{
	size_t size = g->size ? g->size * 2 : 1u << 20;
	u8 *buf = kmalloc(size, GFP_KERNEL);

	if (!buf)
		return -ENOMEM;
	if (g->used)
		memcpy(buf, g->buf, g->used);
	kfree(g->buf);
	g->buf = buf;
	g->size = size;
	return 0;
}

/* Inflate one gzip stream. Bytes consumed go to *eaten. 0, -EINVAL, -ENOMEM. */
static int gunzip(const u8 *data, size_t size, struct grow *out, size_t *eaten)
{
	z_stream z = { .next_in = data, .zalloc = z_alloc, .zfree = z_free };
	size_t fed = 0;
	int r = 0, zr = Z_OK;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	while (!r && zr != Z_STREAM_END) {
		if (!z.avail_in) {
			z.avail_in = (uInt)min_t(size_t, size - fed, 1u << 30);
			fed += z.avail_in;
		}
		if (out->used == out->size && (r = grow_more(out)) != 0)
			break;
		z.next_out = out->buf + out->used;
		z.avail_out = (uInt)min_t(size_t, out->size - out->used, 1u << 30);
		zr = inflate(&z, Z_NO_FLUSH);
		out->used = (size_t)(z.next_out - out->buf);
		if (zr != Z_OK && zr != Z_STREAM_END)
			r = -EINVAL;
	}
	*eaten = fed - z.avail_in;
	inflateEnd(&z);
	return r;
}

static int unpack_gzip(struct unpack *u, const u8 *data, size_t size, size_t *eaten)
{
	struct grow g = { 0 };
	struct cpio_reader rd;
	int r = gunzip(data, size, &g, eaten);

	if (r)
		pr_err("%s: %s\n", u->what,
		       r == -ENOMEM ? "out of memory while unpacking" : "broken gzip data");
	if (!r) {
		cpio_init(&rd, g.buf, g.used);
		r = unpack_cpio(u, &rd, false);
		if (r == CPIO_GZIP) {
			pr_err("%s: compressed twice\n", u->what);
			r = -EINVAL;
		}
	}
	kfree(g.buf);
	return r;
}

static void forget_links(struct unpack *u)
{
	for (size_t i = 0; i < ARRAY_SIZE(u->links); i++)
		for (struct link_seen *l = u->links[i], *next; l; l = next) {
			next = l->next;
			kfree(l);
		}
}

int initramfs_unpack(const void *data, size_t size, const char *what)
{
	struct unpack *u = kzalloc(sizeof(*u), GFP_KERNEL);
	struct cpio_reader rd;
	int r;

	if (!u)
		return -ENOMEM;
	u->what = what;
	cpio_init(&rd, data, size);
	while ((r = unpack_cpio(u, &rd, true)) == CPIO_GZIP) {
		size_t eaten = 0, at = rd.pos;

		r = unpack_gzip(u, (const u8 *)data + at, size - at, &eaten);
		if (r < 0)
			break;
		data = (const u8 *)data + at + eaten;
		size -= at + eaten;
		cpio_init(&rd, data, size);
	}
	forget_links(u);
	kfree(u);
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * Any FAT volume, and any sequence of operations on it. The first byte chooses a whole volume (FAT12, 16, 32), with or without a partition
 * table and damage, or the input as the disk's first bytes. Damage is a list of changed bytes where they hurt: boot sector, tables, directories.
 * Then follow operations on few names, so that they meet. At the end all is unmounted; then nothing may be left allocated, and a volume that
 * was whole must still be.
 */
#include <fs/block/block.h>
#include <fs/internal.h>
#include <mm/slab.h>
#include <uapi/blkdev.h>

#include "../host/disk_stubs.h"
#include "../host/fs_stubs.h"
#include "../host/kernel_stubs.h"

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)
#define MAX_OPS	   30
#define MAX_DEPTH  6
#define MAX_VISITS 60
#define PART_START 64 /* sectors */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
	const u8 *data;
	size_t left;
};

static u8 image[DISK_STUB_SIZE];
static bool failing; /* allocations may fail */
static unsigned int visits;

static u8 next_byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

/* Each byte is a piece of path; 0 ends it. */
static void next_path(struct input *in, char *path, size_t size)
{
	static const char *const piece[] = {
		"",	     "/A.TXT",
		"/a.txt",    "/DIR",
		"/dir",	     "/b.txt",
		"/x",	     "/X",
		"/new dir",  "/..",
		"/a~1",	     "/LONGNA~1.TXT",
		"/y",	     "/long name file.txt",
		"/\xc3\xa9", "/another name that is long enough for several slots of a directory"
	};
	u8 c;

	strlcpy(path, "/mnt", size);
	while ((c = next_byte(in)) != 0)
		strlcat(path, piece[c % ARRAY_SIZE(piece)], size);
}

/* ---- what is done ---- */

static struct file *open_file(const char *path, u32 flags)
{
	struct open_how how = { .flags = flags, .mode = flags & O_CREAT ? 0644 : 0 };

	return file_open_how(AT_FDCWD, path, &how);
}

static void do_write(const char *path, u8 a, u8 b)
{
	static char text[3000];
	struct file *f = open_file(path, O_RDWR | (a & 1 ? O_CREAT : 0) | (a & 2 ? O_TRUNC : 0) |
						 (a & 4 ? O_APPEND : 0));

	if (IS_ERR(f))
		return;
	memset(text, 'a' + b % 26, sizeof(text));
	kernel_write(f, text, (size_t)b * 11 + 1, (a >> 3) * 500);
	if (b & 1)
		f->ops->fsync(f, false);
	kernel_read(f, text, sizeof(text), 0);
	file_put(f);
}

static void do_truncate(const char *path, u32 size)
{
	struct path p;

	if (path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &p))
		return;
	vfs_truncate(&p, size);
	path_put(&p);
}

static void do_chmod(const char *path, u8 mode)
{
	struct iattr attr = { .valid = ATTR_MODE, .mode = mode & 1 ? 0755 : 0555 };
	struct path p;

	if (path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &p))
		return;
	vfs_setattr(&p, &attr);
	path_put(&p);
}

struct names {
	struct dir_ctx ctx;
	char name[8][256];
	unsigned int n;
};

static bool take_name(struct dir_ctx *ctx, const char *name, size_t len, u64 ino, unsigned int type,
		      s64 next)
{
	struct names *names = container_of(ctx, struct names, ctx);

	CHECK(len && len < 256 && !memchr(name, '/', len) && !memchr(name, 0, len));
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return true;
	if (names->n == ARRAY_SIZE(names->name))
		return false;
	memcpy(names->name[names->n], name, len);
	names->name[names->n++][len] = '\0';
	return true;
}

/* Look at all there is, a few levels deep. */
static void walk(const char *path, unsigned int depth)
{
	struct names *names = kmalloc(sizeof(*names), GFP_KERNEL);
	struct file *f = names ? open_file(path, O_RDONLY) : NULL;
	static char buf[5000];

	if (!names || IS_ERR_OR_NULL(f) || visits++ > MAX_VISITS) {
		kfree(names);
		if (!IS_ERR_OR_NULL(f))
			file_put(f);
		return;
	}
	names->ctx = (struct dir_ctx){ .emit = take_name };
	names->n = 0;
	if (S_ISDIR(f->inode->mode) && depth < MAX_DEPTH) {
		rwsem_down_read(&f->inode->lock);
		f->ops->iterate(f, &names->ctx);
		rwsem_up_read(&f->inode->lock);
	} else if (S_ISREG(f->inode->mode)) {
		kernel_read(f, buf, sizeof(buf), 0);
		if (f->inode->size > sizeof(buf))
			kernel_read(f, buf, sizeof(buf), (loff_t)f->inode->size - 100);
	}
	file_put(f);
	for (unsigned int i = 0; i < names->n; i++) {
		char *next = name_alloc();

		if (next && strlen(path) + strlen(names->name[i]) + 2 < 2000) {
			scnprintf(next, 4096, "%s/%s", path, names->name[i]);
			walk(next, depth + 1);
		}
		if (next)
			name_free(next);
	}
	kfree(names);
}

static void do_statfs(void)
{
	struct statfs st = { 0 };
	struct path p;

	if (path_lookup(AT_FDCWD, "/mnt", LOOKUP_FOLLOW, &p))
		return;
	if (p.dentry->sb->ops->statfs && !p.dentry->sb->ops->statfs(p.dentry->sb, &st))
		CHECK(st.f_bfree <= st.f_blocks || p.dentry->sb->magic != 0x4d44);
	path_put(&p);
}

static int mount_volume(bool partition, unsigned long flags)
{
	return do_mount(partition ? "/part" : "/disk", "/mnt", "vfat", flags, NULL);
}

static void one_operation(struct input *in, bool partition)
{
	char path[700], path2[700];
	u8 op = next_byte(in), flags = next_byte(in);

	next_path(in, path, sizeof(path));
	switch (op % 12) {
	case 0:
		vfs_mkdir(AT_FDCWD, path, 0755);
		break;
	case 1:
	case 2:
		do_write(path, flags, next_byte(in));
		break;
	case 3:
		vfs_unlink(AT_FDCWD, path);
		break;
	case 4:
		vfs_rmdir(AT_FDCWD, path);
		break;
	case 5:
	case 6:
		next_path(in, path2, sizeof(path2));
		vfs_rename(AT_FDCWD, path, AT_FDCWD, path2, flags & 1);
		break;
	case 7:
		do_truncate(path, flags * 37u);
		break;
	case 8:
		do_chmod(path, flags);
		break;
	case 9:
		walk(path, MAX_DEPTH - flags % 3);
		break;
	case 10:
		do_statfs();
		break;
	case 11:
		if (flags & 1) {
			do_mount(NULL, "/mnt", NULL, MS_REMOUNT | (flags & 2 ? MS_RDONLY : 0),
				 NULL);
		} else if (!do_umount("/mnt", 0)) {
			dcache_shrink(~0ul);
			mount_volume(partition, 0);
		}
		break;
	}
}

/* ---- volumes ---- */

/* An MBR with the volume as its first partition, behind which the volume moves. */
static size_t add_table(size_t size, u32 sectors)
{
	u8 *e = image + 446;

	memmove(image + PART_START * 512, image, size);
	memset(image, 0, PART_START * 512);
	e[4] = 0x0c;
	e[8] = PART_START;
	e[12] = (u8)sectors;
	e[13] = (u8)(sectors >> 8);
	image[510] = 0x55;
	image[511] = 0xaa;
	return size + PART_START * 512;
}

/* Where it hurts: boot sector, first table, second, the first clusters. Values: what was there and one, or as they come. */
static void damage(struct input *in, unsigned int bits, size_t size)
{
	u32 table = bits == 32 ? 32 * 512 : 512, tables = (bits == 12	? 3
							   : bits == 16 ? 20
									: 10) *
							  512;
	u32 data = table + 2 * tables;

	for (unsigned int n = next_byte(in) % 24; n && in->left; n--) {
		u8 where = next_byte(in), low = next_byte(in), value = next_byte(in);
		u32 off = where % 5 == 0   ? low % 64u
			  : where % 5 == 1 ? table + low % 48u
			  : where % 5 == 2 ? table + tables + low % 48u
			  : where % 5 == 3
				  ? data + (low & 31) + (where / 5 % 6) * 32
				  : data + low * 8u + where / 5 % 8 + (bits == 32 ? 0 : 2048);

		if (off < size)
			image[off] = value;
	}
}

static void read_partitions(void)
{
	struct file *f = open_file("/disk", O_RDWR);

	if (IS_ERR(f))
		return;
	f->ops->ioctl(f, BLKRRPART, 0);
	file_put(f);
}

/* Return: the width of a whole volume's entries, 0: it is damaged, or anything. */
static unsigned int make_disk(struct input *in, u8 how)
{
	unsigned int bits = (how & 3) == 0 ? 12 : (how & 3) == 1 ? 16 : 32;
	u32 sectors;
	size_t size;

	if ((how & 3) == 3) {
		size = min(in->left, (size_t)2048);
		memset(image, 0, 8192);
		memcpy(image, in->data, size);
		in->data += size;
		in->left -= size;
		disk_stubs_reset(image, 8192);
		return 0;
	}
	size = fat_make(image, bits, &sectors);
	if (how & 4)
		damage(in, bits, size);
	if (how & 8)
		size = add_table(size, sectors);
	disk_stubs_reset(image, size);
	return how & 4 ? 0 : bits;
}

static void check_volume(unsigned int bits, bool partition)
{
	const char *what = fat_check(disk_stubs_data() + (partition ? PART_START * 512 : 0), bits);

	if (what)
		panic("the volume of FAT%u is broken: %s\n", bits, what);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct stubs_usage before, after;
	static bool started;
	struct input in = { data, size };
	u8 how = next_byte(&in);
	unsigned int bits;

	if (!started) {
		fs_stubs_start();
		disk_stubs_start();
		fs_stubs_reset();
		stubs_in_use(&before);
		started = true;
	}
	visits = 0;
	bits = make_disk(&in, how);
	disk_stubs_node();
	if (how & 8)
		read_partitions();
	/* From some allocation on there is no memory. */
	failing = (how & 0xf0) == 0xf0;
	if (failing)
		stubs_fail_at(next_byte(&in));
	if (!mount_volume(how & 8, how & 16 ? MS_RDONLY : 0)) {
		walk("/mnt", 0);
		for (int i = 0; i < MAX_OPS && in.left; i++)
			one_operation(&in, how & 8);
		walk("/mnt", 0);
	} else {
		CHECK(!bits || failing);
	}
	stubs_fail_never();
	fs_stubs_reset();
	if (bits && !failing)
		check_volume(bits, how & 8);
	stubs_in_use(&after);
	if (after.objects > before.objects + 64)
		panic("left behind: %lld objects\n", (s64)(after.objects - before.objects));
	return 0;
}

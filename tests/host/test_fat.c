/* SPDX-License-Identifier: MIT */
/* FAT volumes that are broken on purpose, and what a whole one looks like after use. */
#include "test_lib.h"

#include <fs/block/block.h>
#include <fs/internal.h>
#include <mm/slab.h>

#include "disk_stubs.h"
#include "fs_stubs.h"
#include "kernel_stubs.h"

#define ROOT16	((1 + 2 * 20) * 512)
#define DATA16	(ROOT16 + 64 * 32)
#define ENTRY	32
#define DIR_CLUSTER 5 /* as fat_make() lays a FAT16 out */

static u8 image[DISK_STUB_SIZE];

static int setup(void **state)
{
	fs_stubs_start();
	disk_stubs_start();
	fs_stubs_reset();
	return 0;
}

static void fresh(unsigned int bits)
{
	u32 sectors;

	fs_stubs_reset();
	disk_stubs_reset(image, fat_make(image, bits, &sectors));
	disk_stubs_node();
}

static void put(u32 off, u32 value, u32 len)
{
	disk_stubs_write(off, &value, len);
}

static void table16(u32 cluster, u32 value)
{
	put(512 + cluster * 2, value, 2);
	put(512 + 20 * 512 + cluster * 2, value, 2);
}

static int mount_it(void)
{
	return do_mount("/disk", "/mnt", "vfat", 0, NULL);
}

static struct file *open_it(const char *path, u32 flags)
{
	struct open_how how = { .flags = flags, .mode = flags & O_CREAT ? 0644 : 0 };

	return file_open_how(AT_FDCWD, path, &how);
}

static int lookup(const char *path)
{
	struct path p;
	int r = path_lookup(AT_FDCWD, path, 0, &p);

	if (!r)
		path_put(&p);
	return r;
}

static ssize_t read_at(const char *path, loff_t pos)
{
	struct file *f = open_it(path, O_RDONLY);
	char buf[16];
	ssize_t n;

	if (IS_ERR(f))
		return PTR_ERR(f);
	n = kernel_read(f, buf, sizeof(buf), pos);
	file_put(f);
	return n;
}

/* ---- whole volumes ---- */

static void use(void)
{
	char path[64], text[700];
	struct file *f;

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 40; i++) {
		scnprintf(path, sizeof(path), "/mnt/dir/file number %d with a name", i);
		f = open_it(path, O_RDWR | O_CREAT);
		assert_false(IS_ERR(f));
		assert_int_equal(kernel_write(f, text, sizeof(text), i * 100), sizeof(text));
		file_put(f);
		if (i % 3 == 0)
			assert_int_equal(vfs_unlink(AT_FDCWD, path), 0);
	}
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/mnt/DIR/new", 0755), 0);
	assert_int_equal(vfs_rename(AT_FDCWD, "/mnt/dir/new", AT_FDCWD, "/mnt/moved", 0), 0);
	assert_int_equal(vfs_rename(AT_FDCWD, "/mnt/dir", AT_FDCWD, "/mnt/MOVED/dir", 0), 0);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/mnt/Long Name File.TXT"), 0);
	assert_int_equal(read_at("/mnt/moved/DIR/b.txt", 0), 10);
}

static void test_whole(void **state)
{
	static const unsigned int kinds[] = { 12, 16, 32 };

	for (int i = 0; i < 3; i++) {
		fresh(kinds[i]);
		assert_null(fat_check(disk_stubs_data(), kinds[i]));
		assert_int_equal(mount_it(), 0);
		use();
		fs_stubs_reset(); /* unmounts */
		assert_string_equal(fat_check(disk_stubs_data(), kinds[i]) ?: "whole", "whole");
	}
}

/* A directory cannot be moved into itself, however that is spelled. */
static void test_spellings(void **state)
{
	fresh(16);
	assert_int_equal(mount_it(), 0);
	assert_int_equal(vfs_rename(AT_FDCWD, "/mnt/dir", AT_FDCWD, "/mnt/DIR/x", 0), -EINVAL);
	assert_int_equal(vfs_rename(AT_FDCWD, "/mnt/Dir/b.txt", AT_FDCWD, "/mnt/dir", 0),
			 -ENOTEMPTY);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/mnt/dir/sub", 0755), 0);
	assert_int_equal(vfs_rename(AT_FDCWD, "/mnt/DIR", AT_FDCWD, "/mnt/dir/SUB/x", 0), -EINVAL);
	fs_stubs_reset();
	assert_null(fat_check(disk_stubs_data(), 16));
}

static u64 free_clusters(void)
{
	struct statfs st = { 0 };
	struct path p;

	assert_int_equal(path_lookup(AT_FDCWD, "/mnt", 0, &p), 0);
	assert_int_equal(p.dentry->sb->ops->statfs(p.dentry->sb, &st), 0);
	path_put(&p);
	return st.f_bfree;
}

/* What is removed under one spelling is gone, with its clusters, though others are in the cache. Not while it is open. */
static void test_space(void **state)
{
	u64 before;
	struct file *f;

	fresh(32);
	assert_int_equal(mount_it(), 0);
	before = free_clusters();
	assert_int_equal(lookup("/mnt/a.txt"), 0);
	assert_int_equal(lookup("/mnt/A.TXT"), 0);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/mnt/A.txt"), 0);
	assert_int_equal(free_clusters(), before + 3);
	assert_int_equal(lookup("/mnt/DIR/B.TXT"), 0);
	assert_int_equal(
		vfs_rename(AT_FDCWD, "/mnt/long name file.txt", AT_FDCWD, "/mnt/dir/b.txt", 0), 0);
	assert_int_equal(free_clusters(), before + 4);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/mnt/d", 0755), 0);
	assert_int_equal(lookup("/mnt/D/nothing"), -ENOENT);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/mnt/d"), 0);
	assert_int_equal(free_clusters(), before + 4);
	f = open_it("/mnt/dir/b.txt", O_RDONLY);
	assert_false(IS_ERR(f));
	assert_int_equal(vfs_unlink(AT_FDCWD, "/mnt/dir/B.txt"), 0);
	assert_int_equal(do_mount(NULL, "/mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL), -EBUSY);
	file_put(f);
	assert_int_equal(free_clusters(), before + 5);
	assert_int_equal(do_mount(NULL, "/mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	fs_stubs_reset();
	assert_string_equal(fat_check(disk_stubs_data(), 32) ?: "whole", "whole");
}

static u64 ino_of(const char *path)
{
	struct path p;
	u64 ino;

	assert_int_equal(path_lookup(AT_FDCWD, path, 0, &p), 0);
	ino = d_inode(p.dentry)->ino;
	path_put(&p);
	return ino;
}

/* Two files in use never have one number, though the second takes the first's old place. */
static void test_numbers(void **state)
{
	u64 a, b;
	struct file *f, *g;

	fresh(16);
	assert_int_equal(mount_it(), 0);
	a = ino_of("/mnt/a.txt");
	assert_int_equal(vfs_rename(AT_FDCWD, "/mnt/a.txt", AT_FDCWD, "/mnt/dir/z", 0), 0);
	f = open_it("/mnt/a.txt", O_RDWR | O_CREAT);
	assert_false(IS_ERR(f));
	b = ino_of("/mnt/a.txt");
	assert_int_equal(ino_of("/mnt/dir/z"), a);
	assert_int_not_equal(a, b);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/mnt/a.txt"), 0);
	g = open_it("/mnt/a.txt", O_RDWR | O_CREAT);
	assert_int_not_equal(f->inode->ino, g->inode->ino);
	file_put(g);
	file_put(f);
}

/* ---- broken ones ---- */

/* A chain that comes back to itself: what is in it can be read as far as the size goes, but not changed. */
static void test_chain_loop(void **state)
{
	struct file *f;

	fresh(16);
	table16(4, 2);
	put(ROOT16 + 28, 1000000, 4);
	assert_int_equal(mount_it(), 0);
	assert_int_equal(read_at("/mnt/a.txt", 999000), 16);
	f = open_it("/mnt/a.txt", O_WRONLY | O_APPEND);
	assert_false(IS_ERR(f));
	assert_int_equal(kernel_write(f, "x", 1, 1000000), -EIO);
	file_put(f);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/mnt/a.txt"), 0);
}

/* A page that goes beyond the chain, though not beyond the size, cannot be read; numbers outside the volume are never followed. */
static void test_sizes_lie(void **state)
{
	fresh(16);
	put(ROOT16 + 28, 0xffffffff, 4);
	assert_int_equal(mount_it(), 0);
	assert_int_equal(read_at("/mnt/a.txt", 0), -EIO);
	assert_int_equal(read_at("/mnt/a.txt", 1 << 20), -EIO);
	assert_int_equal(read_at("/mnt/a.txt", 0xfffffff0), -EIO);
	fresh(16);
	put(ROOT16 + 26, 0xfff0, 2);
	assert_int_equal(mount_it(), 0);
	assert_int_equal(lookup("/mnt/a.txt"), -EIO);
	assert_int_equal(lookup("/mnt/dir/b.txt"), 0);
}

/* A directory whose entry leads to itself, to the root, or to a directory that is elsewhere too. */
static void test_directory_cycles(void **state)
{
	u32 entry = DATA16 + (DIR_CLUSTER - 2) * 512 + 2 * ENTRY; /* DIR/B.TXT */

	fresh(16);
	put(entry + 11, 0x10, 1);
	put(entry + 26, DIR_CLUSTER, 2);
	assert_int_equal(mount_it(), 0);
	assert_int_equal(lookup("/mnt/dir"), 0);
	assert_int_equal(lookup("/mnt/dir/b.txt"), -EIO);
	assert_int_equal(lookup("/mnt/dir/b.txt/b.txt"), -EIO);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/mnt/dir/b.txt"), -EIO);
	assert_int_equal(vfs_rename(AT_FDCWD, "/mnt/dir/b.txt", AT_FDCWD, "/mnt/y", 0), -EIO);

	fresh(16); /* A.TXT is DIR, too */
	put(ROOT16 + 11, 0x10, 1);
	put(ROOT16 + 26, DIR_CLUSTER, 2);
	assert_int_equal(mount_it(), 0);
	assert_int_equal(lookup("/mnt/a.txt/b.txt"), 0);
	assert_int_equal(lookup("/mnt/dir/b.txt"), -EIO);

	fresh(16); /* a chain that never ends */
	table16(DIR_CLUSTER, DIR_CLUSTER);
	assert_int_equal(mount_it(), 0);
	assert_int_equal(lookup("/mnt/dir"), -EIO);
	fresh(32);
	for (u32 i = 0; i < 2; i++)
		put((32 + 10 * i) * 512 + 2 * 4, 2, 4);
	assert_int_equal(mount_it(), -EIO);

	fresh(32); /* an entry that is the root */
	put((32 + 20) * 512 + 11, 0x10, 1);
	put((32 + 20) * 512 + 26, 2, 2);
	assert_int_equal(mount_it(), 0);
	assert_int_equal(lookup("/mnt/a.txt"), -EIO);
	assert_int_equal(lookup("/mnt/dir/b.txt"), 0);
}

/* Directories that share only their second cluster: what is in it belongs to the first that was seen. */
static void test_shared_tail(void **state)
{
	u32 tail = DATA16 + (7 - 2) * 512; /* the long file's */

	fresh(16);
	table16(DIR_CLUSTER, 7);
	put(ROOT16 + 11, 0x10, 1); /* A.TXT, a directory of one cluster that is not ended */
	table16(2, 7);
	for (u32 i = 0; i < 16; i++) {
		put(DATA16 + i * ENTRY, 0xe5, 1);
		put(DATA16 + (DIR_CLUSTER - 2) * 512 + i * ENTRY, 0xe5, 1);
	}
	disk_stubs_write(tail, "T       TXT\x20", 12);
	put(tail + 20, 0, 4);
	put(tail + 26, 0, 4);
	put(tail + 28, 0, 4);
	put(tail + ENTRY, 0, 4);
	assert_int_equal(mount_it(), 0);
	assert_int_equal(lookup("/mnt/dir/t.txt"), 0);
	assert_int_equal(lookup("/mnt/a.txt/t.txt"), -EIO);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/mnt/dir/t.txt"), 0);
	assert_int_equal(lookup("/mnt/a.txt/t.txt"), -ENOENT);
}

/* Boot sectors that no volume has: not mounted, whatever else is there. */
static void test_boot_sectors(void **state)
{
	static const struct {
		u16 off, len;
		u32 value;
	} bad[] = { { 11, 2, 0 },      { 11, 2, 513 },	{ 11, 2, 8192 },   { 13, 1, 0 },
		    { 13, 1, 3 },      { 14, 2, 0 },	{ 14, 2, 0xffff }, { 16, 1, 0 },
		    { 16, 1, 200 },    { 17, 2, 0 },	{ 17, 2, 0xffff }, { 19, 2, 1 },
		    { 19, 2, 0xffff }, { 21, 1, 0x10 }, { 22, 2, 0xffff }, { 510, 2, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fresh(16);
		put(bad[i].off, bad[i].value, bad[i].len);
		if (mount_it() != -EINVAL)
			fail_msg("byte %u as %x", bad[i].off, bad[i].value);
	}
	fresh(32);
	put(44, 0, 4); /* the root's cluster */
	assert_int_equal(mount_it(), -EINVAL);
	fresh(32);
	put(44, 0x0ffffff7, 4);
	assert_int_equal(mount_it(), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_space),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_chain_loop),
		cmocka_unit_test(test_sizes_lie),
		cmocka_unit_test(test_directory_cycles),
		cmocka_unit_test(test_shared_tail),
		cmocka_unit_test(test_boot_sectors),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

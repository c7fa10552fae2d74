/* SPDX-License-Identifier: MIT */
/* A disk in memory for host tests, and FAT volumes on it: disk_stubs.h. */
#include "disk_stubs.h"

#include <drivers/block/disk.h>
#include <fs/block/block.h>
#include <fs/block/pagecache.h>
#include <fs/internal.h>
#include <kernel/defer.h>
#include <kernel/files.h>
#include <uapi/fcntl.h>

#include "fs_stubs.h"

#define SECTOR 512u

static u8 content[DISK_STUB_SIZE];
static u32 used_end; /* bytes that may differ from zero */

static void submit(struct disk *disk, struct disk_request *rq)
{
	u8 *at = content + rq->sector * SECTOR;
	u64 n = 0;

	(void)disk;
	for (unsigned int i = 0; i < rq->nsegments; i++)
		n += rq->segment[i].len;
	if (rq->op == DISK_FLUSH) {
		disk_request_done(rq, 0);
		return;
	}
	if (n != (u64)rq->nsectors * SECTOR || rq->sector * SECTOR + n > sizeof(content))
		panic("a request beyond the disk");
	for (unsigned int i = 0; i < rq->nsegments; i++) {
		void *mem = phys_to_virt(rq->segment[i].pa);

		if (rq->op == DISK_READ)
			memcpy(mem, at, rq->segment[i].len);
		else
			memcpy(at, mem, rq->segment[i].len);
		at += rq->segment[i].len;
	}
	if (rq->op == DISK_WRITE)
		used_end = max(used_end, (u32)(at - content));
	disk_request_done(rq, 0);
}

static const struct disk_ops ops = { .submit = submit };
static struct disk disk = { .ops = &ops,
			    .name = "ram",
			    .nsectors = DISK_STUB_SIZE / SECTOR,
			    .block_size = SECTOR,
			    .major = 254,
			    .minors = 16 };

/* The test makes its own nodes. */
int devtmpfs_add(const char *name, u32 mode, u64 rdev)
{
	return 0;
}

int devtmpfs_remove(const char *name)
{
	return 0;
}

/* Write-back is the tests'. */
void defer_start_timer(struct deferred_timer *d, u64 ns)
{
}

void defer_timer_fired(struct ktimer *t)
{
}

void disk_stubs_start(void)
{
	fs_stubs_blkdev_ops = &blkdev_ops;
	disk_register(&disk);
	files_start_disks();
	fat_init();
}

void disk_stubs_node(void)
{
	if (vfs_mknod(AT_FDCWD, "/disk", S_IFBLK | 0600, mkdev(254, 0)) ||
	    vfs_mknod(AT_FDCWD, "/part", S_IFBLK | 0600, mkdev(254, 1)) ||
	    vfs_mkdir(AT_FDCWD, "/mnt", 0755))
		panic("no nodes");
}

void disk_stubs_reset(const u8 *image, size_t size)
{
	for (struct bdev *b = bdev_next(NULL); b; b = b->next) {
		if (b->openers)
			panic("%s is still open", b->name);
		if (!b->inode)
			continue;
		cache_writeback(b->inode, 0, U64_MAX);
		cache_drop_unused(b->inode);
		if (b->inode->object.npages)
			panic("%s: pages are still in use", b->name);
	}
	memset(content, 0, used_end);
	memcpy(content, image, size);
	used_end = (u32)size;
}

void disk_stubs_write(u32 off, const void *data, u32 len)
{
	memcpy(content + off, data, len);
	used_end = max(used_end, off + len);
}

const u8 *disk_stubs_data(void)
{
	return content;
}

/* ---- volumes ---- */

struct geometry {
	u32 bits, reserved, table_sectors, root_entries, sectors;
};

static const struct geometry *geometry_of(unsigned int bits)
{
	static const struct geometry all[] = { { 12, 1, 3, 64, 720 },
					       { 16, 1, 20, 64, 5000 },
					       { 32, 32, 10, 0, 1200 } };

	return &all[bits == 12 ? 0 : bits == 16 ? 1 : 2];
}

static u32 root_at(const struct geometry *g)
{
	return (g->reserved + 2 * g->table_sectors) * SECTOR;
}

static u32 data_at(const struct geometry *g)
{
	return root_at(g) + g->root_entries * 32;
}

static u32 end_cluster(const struct geometry *g)
{
	return (g->sectors * SECTOR - data_at(g)) / SECTOR + 2;
}

static void le(u8 *p, u32 v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		p[i] = (u8)(v >> 8 * i);
}

static u32 rd(const u8 *p, unsigned int n)
{
	u32 v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static u32 table_read(const struct geometry *g, const u8 *table, u32 c)
{
	if (g->bits == 12)
		return rd(table + c + c / 2, 2) >> (c & 1 ? 4 : 0) & 0xfff;
	return g->bits == 16 ? rd(table + c * 2, 2) : rd(table + c * 4, 4) & 0x0fffffff;
}

static void table_write(const struct geometry *g, u8 *image, u32 c, u32 v)
{
	for (u32 i = 0; i < 2; i++) {
		u8 *t = image + (g->reserved + i * g->table_sectors) * SECTOR;
		u8 *p = t + c + c / 2;

		if (g->bits == 12)
			le(p, c & 1 ? (rd(p, 2) & 0xf) | v << 4 : (rd(p, 2) & 0xf000) | (v & 0xfff),
			   2);
		else
			le(t + c * g->bits / 8, v, g->bits / 8);
	}
}

static u8 *entry_write(u8 *p, const char *name, u8 attr, u32 start, u32 size)
{
	memcpy(p, name, 11);
	p[11] = attr;
	le(p + 20, start >> 16, 2);
	le(p + 26, start, 2);
	le(p + 28, size, 4);
	return p + 32;
}

static u8 *long_write(u8 *p, const char *name, const char *alias)
{
	static const u8 place[] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
	size_t len = strlen(name);
	u8 sum = 0;

	for (int i = 0; i < 11; i++)
		sum = (u8)((sum & 1 ? 0x80 : 0) + (sum >> 1) + (u8)alias[i]);
	for (size_t piece = (len + 12) / 13, n = piece; piece; piece--, p += 32) {
		p[0] = (u8)(piece | (piece == n ? 0x40 : 0));
		p[11] = 0x0f;
		p[13] = sum;
		for (size_t i = 0, at = (piece - 1) * 13; i < 13; i++, at++)
			le(p + place[i], at < len ? (u8)name[at] : at == len ? 0 : 0xffff, 2);
	}
	return p;
}

static void boot_write(const struct geometry *g, u8 *b)
{
	le(b + 11, SECTOR, 2);
	b[13] = 1;
	le(b + 14, g->reserved, 2);
	b[16] = 2;
	le(b + 17, g->root_entries, 2);
	le(b + 19, g->sectors, 2);
	b[21] = 0xf8;
	le(b + 22, g->bits == 32 ? 0 : g->table_sectors, 2);
	if (g->bits == 32) {
		le(b + 36, g->table_sectors, 4);
		le(b + 44, 2, 4);
		le(b + 48, 1, 2);
		le(b + 512, 0x41615252, 4);
		le(b + 512 + 484, 0x61417272, 4);
		le(b + 512 + 488, 0xffffffff, 4);
		le(b + 512 + 492, 0xffffffff, 4);
	}
	le(b + 510, 0xaa55, 2);
}

size_t fat_make(u8 *image, unsigned int bits, u32 *sectors)
{
	const struct geometry *g = geometry_of(bits);
	u32 c = bits == 32 ? 3 : 2, end = bits == 12 ? 0xfff : bits == 16 ? 0xffff : 0x0fffffff;
	u8 *data = image + data_at(g) - 2 * SECTOR, *root = image + root_at(g);

	memset(image, 0, data_at(g) + 16 * SECTOR);
	boot_write(g, image);
	table_write(g, image, 0, end & ~7u);
	table_write(g, image, 1, end);
	if (bits == 32)
		table_write(g, image, 2, end);
	for (u32 i = 0; i < 6; i++) /* A.TXT has the first three */
		table_write(g, image, c + i, i < 2 ? c + i + 1 : end);
	root = entry_write(root, "A       TXT", 0x20, c, 1100);
	root = entry_write(root, "DIR        ", 0x10, c + 3, 0);
	root = long_write(root, "long name file.txt", "LONGNA~1TXT");
	entry_write(root, "LONGNA~1TXT", 0x20, c + 5, 512);
	root = entry_write(data + (c + 3) * SECTOR, ".          ", 0x10, c + 3, 0);
	root = entry_write(root, "..         ", 0x10, 0, 0);
	entry_write(root, "B       TXT", 0x20, c + 4, 10);
	memset(data + c * SECTOR, 'a', 1100);
	memset(data + (c + 4) * SECTOR, 'b', 10);
	memset(data + (c + 5) * SECTOR, 'l', SECTOR);
	*sectors = g->sectors;
	return data_at(g) + 16 * SECTOR;
}

/* ---- checking ---- */

struct check {
	const struct geometry *g;
	const u8 *image, *table;
	u8 seen[8192]; /* clusters */
	const char *wrong;
};

static bool wrong(struct check *k, const char *what)
{
	if (!k->wrong)
		k->wrong = what;
	return false;
}

/* Mark a chain. Return: its length. */
static u32 check_chain(struct check *k, u32 c)
{
	u32 n = 0, end = k->g->bits == 12 ? 0xff8 : k->g->bits == 16 ? 0xfff8 : 0x0ffffff8;

	for (; c < end; c = table_read(k->g, k->table, c), n++) {
		if (c < 2 || c >= end_cluster(k->g)) {
			wrong(k, "a chain leads out of the volume");
			break;
		}
		if (k->seen[c]++) {
			wrong(k, "a cluster is in two chains");
			break;
		}
	}
	return n;
}

static void check_dir(struct check *k, u32 start, u32 parent);

static void check_entry(struct check *k, const u8 *e, u32 dir)
{
	u32 start = rd(e + 26, 2) | (k->g->bits == 32 ? rd(e + 20, 2) << 16 : 0);
	u32 size = rd(e + 28, 4), n;

	if (e[11] & 0x08)
		return;
	if (e[11] & 0x10) {
		if (size || !start)
			wrong(k, "a directory without clusters, or with a size");
		else if (!k->wrong)
			check_dir(k, start, dir);
		return;
	}
	n = start ? check_chain(k, start) : 0;
	if (n != (size + SECTOR - 1) / SECTOR)
		wrong(k, "a file's chain is not as long as its size says");
}

/* Slots of a directory at @p. Return: it goes on behind them. */
static bool check_slots(struct check *k, const u8 *p, u32 n, u32 start, u32 parent, bool first)
{
	for (u32 i = 0; i < n; i++, p += 32) {
		u32 up = rd(p + 26, 2) | (k->g->bits == 32 ? rd(p + 20, 2) << 16 : 0);

		if (!p[0])
			return false;
		if (p[0] == 0xe5)
			continue;
		if (!memcmp(p, ".          ", 11)) {
			if (!first || i != 0 || up != start)
				return wrong(k, "a wrong .");
		} else if (!memcmp(p, "..         ", 11)) {
			if (!first || i != 1 || up != parent)
				return wrong(k, "a wrong ..");
		} else {
			check_entry(k, p, start);
		}
	}
	return !k->wrong;
}

static void check_dir(struct check *k, u32 start, u32 parent)
{
	u32 root = k->g->bits == 32 ? 2 : 0;
	bool is_root = start == root, go = true;
	u32 up = parent == root ? 0 : parent;

	if (!start) {
		check_slots(k, k->image + root_at(k->g), k->g->root_entries, 0, 0, false);
		return;
	}
	check_chain(k, start);
	for (u32 c = start, n = 0; !k->wrong && go && c < end_cluster(k->g); n++) {
		go = check_slots(k, k->image + data_at(k->g) + (c - 2) * SECTOR, SECTOR / 32, start,
				 up, !n && !is_root);
		c = table_read(k->g, k->table, c);
	}
}

const char *fat_check(const u8 *image, unsigned int bits)
{
	static struct check k;
	u32 nfree = 0, told;

	k = (struct check){ .g = geometry_of(bits), .image = image };
	k.table = image + k.g->reserved * SECTOR;
	if (memcmp(k.table, k.table + k.g->table_sectors * SECTOR, k.g->table_sectors * SECTOR))
		wrong(&k, "the two tables differ");
	check_dir(&k, bits == 32 ? 2 : 0, 0);
	for (u32 c = 2; c < end_cluster(k.g) && !k.wrong; c++) {
		u32 v = table_read(k.g, k.table, c);

		nfree += !v;
		if (v && !k.seen[c])
			wrong(&k, "a cluster is lost");
	}
	told = bits == 32 ? rd(image + 512 + 488, 4) : ~0u;
	if (!k.wrong && told != ~0u && told != nfree)
		wrong(&k, "the count of free clusters is wrong");
	return k.wrong;
}

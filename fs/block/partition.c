/* SPDX-License-Identifier: MIT */
/*
 * Partition tables: GPT, and MBR with extended partitions.
 *
 * A table is input like any other: an entry that is empty, or reaches beyond the disk, is left out, and a chain of extended partitions
 * that never ends stops at the largest number.
 * Source: UEFI specification 2.10, chapter 5; for extended partitions the practice of fdisk(8).
 */
#include <fs/block/block.h>
#include <kernel/printk.h>
#include <zlib.h>
#include <lib/string.h>
#include <mm/slab.h>

#define MBR_TABLE     446
#define MBR_SIGNATURE 510
#define TYPE_GPT      0xee

struct mbr_entry {
	u8 boot, chs_first[3];
	u8 type, chs_last[3];
	u8 start[4], size[4];
} __packed;

struct gpt_header {
	char signature[8];
	u32 revision, header_size, header_crc, reserved;
	u64 this_block, other_block, first_usable, last_usable;
	u8 guid[16];
	u64 entries_block;
	u32 nentries, entry_size, entries_crc;
} __packed;

struct gpt_entry {
	u8 type[16], guid[16];
	u64 first, last, flags;
	u16 name[36];
} __packed;

static u32 le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

/* @n bytes at @off of the device. 0, -EIO, -ENOMEM. */
static int read_bytes(struct bdev *bdev, u64 off, void *buf, size_t n)
{
	while (n) {
		struct page *page = bdev_page(bdev, off);
		size_t in_page = off & (PAGE_SIZE - 1), len = min(n, PAGE_SIZE - in_page);

		if (IS_ERR(page))
			return (int)PTR_ERR(page);
		memcpy(buf, (char *)page_to_virt(page) + in_page, len);
		page_put(page);
		buf = (char *)buf + len;
		off += len;
		n -= len;
	}
	return 0;
}

static void set_partition(struct bdev *bdev, struct partition *p, u64 start, u64 nsectors)
{
	if (start < bdev->nsectors && nsectors <= bdev->nsectors - start)
		*p = (struct partition){ start, nsectors };
}

/* ---- GPT ---- */

static bool gpt_header_ok(struct gpt_header *h, u64 block)
{
	u32 crc = h->header_crc;

	h->header_crc = 0;
	return !memcmp(h->signature, "EFI PART", 8) && h->header_size == 92 &&
	       h->this_block == block && crc32(0, (const u8 *)h, 92) == crc &&
	       h->entry_size == sizeof(struct gpt_entry) && h->nentries <= 1024;
}

/* The table that a header at @block describes. How many entries are in it, or -Exxx. */
static int gpt_read(struct bdev *bdev, u64 block, struct partition *out)
{
	u64 unit = bdev->disk->block_size;
	struct gpt_header h;
	struct gpt_entry *table;
	u64 scale = unit >> SECTOR_SHIFT;
	size_t size;
	int r = read_bytes(bdev, block * unit, &h, sizeof(h));

	if (r)
		return r;
	if (!gpt_header_ok(&h, block) || h.entries_block > U64_MAX / unit)
		return -EINVAL;
	size = h.nentries * sizeof(*table);
	table = kmalloc(size, GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	r = read_bytes(bdev, h.entries_block * unit, table, size);
	if (!r && crc32(0, (const u8 *)table, (u32)size) != h.entries_crc)
		r = -EINVAL;
	for (u32 i = 0; !r && i < min_t(u32, h.nentries, MAX_PARTITIONS); i++) {
		static const u8 unused[16];
		struct gpt_entry *e = &table[i];

		if (memcmp(e->type, unused, 16) && e->first <= e->last &&
		    e->last < bdev->nsectors / scale)
			set_partition(bdev, &out[i], e->first * scale,
				      (e->last - e->first + 1) * scale);
	}
	kfree(table);
	return r ? r : MAX_PARTITIONS;
}

/* ---- MBR ---- */

static bool is_extended(u8 type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* Logical partitions: each sector of the chain holds one, and where the next is. Numbers from 5 on. */
static int read_extended(struct bdev *bdev, u64 base, struct partition *out)
{
	u8 sector[SECTOR_SIZE];
	u64 at = base;

	for (int number = 4; number < MAX_PARTITIONS; number++) {
		const struct mbr_entry *e = (const void *)(sector + MBR_TABLE);
		int r = read_bytes(bdev, at << SECTOR_SHIFT, sector, sizeof(sector));

		if (r || sector[MBR_SIGNATURE] != 0x55 || sector[MBR_SIGNATURE + 1] != 0xaa)
			return r;
		if (le32(e->size) && !is_extended(e->type))
			set_partition(bdev, &out[number], at + le32(e->start), le32(e->size));
		if (!is_extended(e[1].type) || !le32(e[1].size))
			break;
		at = base + le32(e[1].start);
	}
	return 0;
}

/* A FAT's boot sector bears the same signature: entries whose boot flag is neither on nor off are none. */
static bool mbr_ok(const struct mbr_entry *e)
{
	for (int i = 0; i < 4; i++)
		if (e[i].boot & 0x7f)
			return false;
	return true;
}

static int mbr_read(struct bdev *bdev, const u8 *sector, struct partition *out)
{
	const struct mbr_entry *e = (const void *)(sector + MBR_TABLE);
	int r = 0;

	if (!mbr_ok(e))
		return 0;
	for (int i = 0; i < 4; i++) {
		u64 start = le32(e[i].start);

		if (!e[i].type || !le32(e[i].size))
			continue;
		/* Of an extended partition only the two sectors that a loader could use can be seen, as on Linux. */
		set_partition(bdev, &out[i], start,
			      is_extended(e[i].type) ? min(2u, le32(e[i].size)) : le32(e[i].size));
		if (is_extended(e[i].type) && !r)
			r = read_extended(bdev, start, out);
	}
	return r ? r : MAX_PARTITIONS;
}

static bool is_gpt(const u8 *sector)
{
	const struct mbr_entry *e = (const void *)(sector + MBR_TABLE);

	return e[0].type == TYPE_GPT || e[1].type == TYPE_GPT || e[2].type == TYPE_GPT ||
	       e[3].type == TYPE_GPT;
}

int partitions_read(struct bdev *bdev, struct partition out[MAX_PARTITIONS])
{
	u64 blocks = (bdev->nsectors << SECTOR_SHIFT) / bdev->disk->block_size;
	u8 sector[SECTOR_SIZE];
	int r;

	memset(out, 0, sizeof(*out) * MAX_PARTITIONS);
	if (blocks < 2)
		return 0;
	r = read_bytes(bdev, 0, sector, sizeof(sector));
	if (r || sector[MBR_SIGNATURE] != 0x55 || sector[MBR_SIGNATURE + 1] != 0xaa)
		return r;
	if (!is_gpt(sector))
		return mbr_read(bdev, sector, out);
	r = gpt_read(bdev, 1, out);
	if (r < 0) {
		pr_warn("%s: the first GPT is damaged, trying the copy at the end\n", bdev->name);
		r = gpt_read(bdev, blocks - 1, out);
	}
	return r == -EINVAL ? 0 : r;
}

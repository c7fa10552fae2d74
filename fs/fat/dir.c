/* SPDX-License-Identifier: MIT */
/*
 * Directories: finding, adding and removing entries. See fat.h.
 *
 * A long name is in up to 20 slots before the short entry, last piece first, each with the short name's checksum; pieces that do
 * not fit together are ignored, and the short name stands for itself.
 */
#include <fs/fat/fat.h>
#include <lib/hash.h>

#define LONG_CHARS 13
#define LONG_SLOTS 20
#define REMOVED	   0xe5

struct long_entry {
	u8 order, name1[10], attr, type, checksum, name2[12], start[2], name3[4];
} __packed;

/* Where byte @pos of a directory is on the volume. 0, -ENOENT: behind its end, -EIO. */
static int dir_place(struct inode *dir, u32 pos, u64 *off)
{
	struct fat *fat = fat_of(dir);
	struct fat_inode *fi = fat_inode(dir);
	u32 cluster;
	int r;

	if (pos >= DIR_MAX)
		return -ENOENT;
	if (!fi->start) {
		*off = fat->root_off + pos;
		return dir->ino != FAT_ROOT_INO || pos >= fat->root_size ? -ENOENT : 0;
	}
	r = chain_map(fat, fi, pos >> fat->cluster_shift, &cluster);
	if (!r)
		*off = cluster_off(fat, cluster) + (pos & ((1u << fat->cluster_shift) - 1));
	return r;
}

static int slot_read(struct inode *dir, u32 pos, void *raw, u64 *off)
{
	int r = dir_place(dir, pos, off);

	return r ? r : vol_read(fat_of(dir), *off, raw, SLOT);
}

/* ---- long names ---- */

static void long_chars(const struct long_entry *e, u16 *out)
{
	for (int i = 0; i < LONG_CHARS; i++)
		out[i] = (u16)get16(i < 5    ? &e->name1[2 * i]
				    : i < 11 ? &e->name2[2 * (i - 5)]
					     : &e->name3[2 * (i - 11)]);
}

/* A long name as its pieces come by. */
struct long_name {
	u16 chars[LONG_SLOTS * LONG_CHARS];
	u32 slot;	     /* of the first piece */
	unsigned int pieces; /* in all; 0: none */
	unsigned int left;
	u8 checksum;
};

static void long_piece(struct long_name *ln, const struct long_entry *e, u32 pos)
{
	unsigned int number = e->order & 0x3f;

	if ((e->order & 0x40) && number >= 1 && number <= LONG_SLOTS) {
		ln->pieces = number;
		ln->left = number;
		ln->slot = pos;
		ln->checksum = e->checksum;
	} else if (!ln->pieces || number != ln->left || e->checksum != ln->checksum) {
		ln->pieces = 0;
		return;
	}
	ln->left--;
	long_chars(e, &ln->chars[(number - 1) * LONG_CHARS]);
}

/* Does the long name belong to this entry, and can it be shown? */
static bool long_take(const struct long_name *ln, struct fat_found *f)
{
	size_t n = 0, max = ln->pieces * LONG_CHARS;
	int len;

	if (!ln->pieces || ln->left || ln->checksum != short_checksum(f->raw.name))
		return false;
	while (n < max && ln->chars[n])
		n++;
	len = utf16_to_utf8(ln->chars, n, f->name, sizeof(f->name));
	if (len <= 0)
		return false;
	f->name[len] = '\0';
	return true;
}

/* ---- reading ---- */

int dir_next(struct inode *dir, u32 *pos, struct fat_found *out)
{
	struct long_name ln = { .pieces = 0 };

	for (;; *pos += SLOT) {
		int r = slot_read(dir, *pos, &out->raw, &out->entry);

		if (r == -ENOENT || (!r && !out->raw.name[0]))
			return 0;
		if (r)
			return r;
		if (out->raw.name[0] == REMOVED) {
			ln.pieces = 0;
		} else if (out->raw.attr == FA_LONG) {
			long_piece(&ln, (const void *)&out->raw, *pos);
		} else if (out->raw.attr & FA_LABEL) {
			ln.pieces = 0;
		} else {
			break;
		}
	}
	short_to_text(&out->raw, out->alias);
	out->slot = *pos;
	if (long_take(&ln, out))
		out->slot = ln.slot;
	else
		strscpy(out->name, out->alias, sizeof(out->name));
	*pos += SLOT;
	out->nslots = (*pos - out->slot) / SLOT;
	return 1;
}

int dir_find(struct inode *dir, const char *name, size_t len, struct fat_found *out)
{
	u32 pos = 0;
	int r;

	while ((r = dir_next(dir, &pos, out)) > 0)
		if (name_equal(name, len, out->name) || name_equal(name, len, out->alias))
			return 0;
	return r ? r : -ENOENT;
}

int dir_is_empty(struct inode *dir)
{
	struct fat_found f;
	u32 pos = 0;
	int r;

	while ((r = dir_next(dir, &pos, &f)) > 0)
		if (strcmp(f.name, ".") && strcmp(f.name, ".."))
			return 0;
	return r ? r : 1;
}

/* ---- writing ---- */

static int slot_write(struct inode *dir, u32 pos, const void *raw)
{
	u64 off;
	int r = dir_place(dir, pos, &off);

	return r ? r : vol_write(fat_of(dir), off, raw, SLOT);
}

/* One more cluster of empty slots. */
static int dir_grow(struct inode *dir, u32 size)
{
	struct fat *fat = fat_of(dir);
	struct fat_inode *fi = fat_inode(dir);
	u32 cluster;
	int r;

	if (!fi->start || size >= DIR_MAX)
		return -ENOSPC;
	r = chain_resize(fat, fi, (size >> fat->cluster_shift) + 1);
	if (!r)
		r = chain_map(fat, fi, size >> fat->cluster_shift, &cluster);
	if (!r)
		r = vol_zero(fat, cluster_off(fat, cluster), 1u << fat->cluster_shift);
	if (!r)
		dir->size = size + (1u << fat->cluster_shift);
	return r;
}

/* Room for @n slots in a row. *at_end: nothing in use follows them. */
static int find_room(struct inode *dir, u32 n, u32 *slot, bool *at_end)
{
	struct fat_entry e;
	u32 run = 0, pos;
	bool end = false;
	u64 off;
	int r;

	for (pos = 0; run < n; pos += SLOT) {
		r = slot_read(dir, pos, &e, &off);
		if (r == -ENOENT) {
			r = dir_grow(dir, pos);
			if (!r)
				r = slot_read(dir, pos, &e, &off);
		}
		if (r)
			return r;
		end |= !e.name[0];
		run = end || e.name[0] == REMOVED ? run + 1 : 0;
	}
	*slot = pos - n * SLOT;
	*at_end = end;
	return 0;
}

static int short_exists(struct inode *dir, const u8 *name)
{
	struct fat_found f;
	u32 pos = 0;
	int r;

	while ((r = dir_next(dir, &pos, &f)) > 0)
		if (!memcmp(f.raw.name, name, 11))
			return 1;
	return r;
}

/* A short name that the directory does not have. After a few numbers the long name's hash goes in, so that numbers stay small. */
static int make_alias(struct inode *dir, const char *name, size_t len, u8 out[11])
{
	u8 basis[11];
	int r = 1;

	name_basis(name, len, basis);
	for (u32 n = 1; r == 1 && n < 1000; n++) {
		char text[8];

		memcpy(out, basis, 11);
		if (n > 4) {
			scnprintf(text, sizeof(text), "%04X",
				  ((u32)full_name_hash(NULL, name, len) + n / 10) & 0xffff);
			memcpy(out + min_t(size_t, 2, strnlen((char *)basis, 8)), text, 4);
		}
		name_number(out, n > 4 ? n % 10 : n);
		r = short_exists(dir, out);
	}
	return r == 1 ? -ENOSPC : r;
}

static int write_long(struct inode *dir, const char *name, size_t len, u32 slot, u32 pieces,
		      u8 checksum)
{
	u16 chars[LONG_SLOTS * LONG_CHARS + 2];
	int n = utf8_to_utf16(name, len, chars, ARRAY_SIZE(chars)), r = 0;

	for (int i = n; i < (int)(pieces * LONG_CHARS); i++)
		chars[i] = i == n ? 0 : 0xffff;
	for (u32 p = pieces; p && !r; p--, slot += SLOT) {
		struct long_entry e = { .attr = FA_LONG, .checksum = checksum };
		const u16 *c = &chars[(p - 1) * LONG_CHARS];

		e.order = (u8)(p | (p == pieces ? 0x40 : 0));
		for (int i = 0; i < LONG_CHARS; i++)
			put16(i < 5    ? &e.name1[2 * i]
			      : i < 11 ? &e.name2[2 * (i - 5)]
				       : &e.name3[2 * (i - 11)],
			      c[i]);
		r = slot_write(dir, slot, &e);
	}
	return r;
}

/* How many slots a long name takes, 0: the short one says it all; or -EINVAL, -ENAMETOOLONG. */
static int long_slots(const char *name, size_t len, u8 out[11])
{
	u16 chars[LONG_SLOTS * LONG_CHARS];
	int n;

	if (name_is_short(name, len, out))
		return 0;
	n = utf8_to_utf16(name, len, chars, 256);
	return n > 0 ? DIV_ROUND_UP(n, LONG_CHARS) : n;
}

int dir_add(struct inode *dir, const char *name, size_t len, struct fat_entry *raw,
	    struct fat_found *out)
{
	static const u8 end_mark[SLOT];
	int pieces = long_slots(name, len, raw->name), r = 0;
	bool at_end;
	u32 slot;
	u64 off;

	if (pieces < 0)
		return pieces;
	if (pieces)
		r = make_alias(dir, name, len, raw->name);
	if (!r)
		r = find_room(dir, (u32)pieces + 1, &slot, &at_end);
	if (r)
		return r;
	out->slot = slot;
	out->nslots = (u32)pieces + 1;
	if (at_end && !dir_place(dir, slot + out->nslots * SLOT, &off))
		r = vol_write(fat_of(dir), off, end_mark, SLOT);
	if (!r && pieces)
		r = write_long(dir, name, len, slot, (u32)pieces, short_checksum(raw->name));
	if (!r)
		r = dir_place(dir, slot + (u32)pieces * SLOT, &out->entry);
	if (!r)
		r = vol_write(fat_of(dir), out->entry, raw, SLOT);
	out->raw = *raw;
	fat_inode(dir)->changes++;
	return r;
}

int dir_remove(struct inode *dir, u32 slot, u32 nslots)
{
	int r = 0;

	fat_inode(dir)->changes++;
	for (u32 i = 0; i < nslots && !r; i++) {
		u64 off;

		r = dir_place(dir, slot + i * SLOT, &off);
		if (!r)
			r = vol_write(fat_of(dir), off, &(u8){ REMOVED }, 1);
	}
	return r;
}

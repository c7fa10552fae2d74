/* SPDX-License-Identifier: MIT */
/*
 * The allocation table: an entry for each cluster says which one follows it in its file. See fat.h.
 *
 * What is read is not believed: numbers outside the volume and chains longer than it are -EIO.
 */
#include <fs/fat/fat.h>
#include <kernel/sched.h>

#define CHAIN_END 0x0ffffff8u

static int vol_access(struct fat *fat, u64 off, void *to, const void *from, size_t n)
{
	while (n) {
		struct page *page = bdev_page(fat->bdev, off);
		size_t at = off & (PAGE_SIZE - 1), len = min(n, PAGE_SIZE - at);
		char *data;

		if (IS_ERR(page))
			return (int)PTR_ERR(page);
		data = (char *)page_to_virt(page) + at;
		if (to) {
			memcpy(to, data, len);
			to = (char *)to + len;
		} else if (from) {
			memcpy(data, from, len);
			from = (const char *)from + len;
		} else {
			memset(data, 0, len);
		}
		if (!to)
			bdev_page_dirty(fat->bdev, page, at, len);
		page_put(page);
		off += len;
		n -= len;
	}
	return 0;
}

int vol_read(struct fat *fat, u64 off, void *buf, size_t n)
{
	return vol_access(fat, off, buf, NULL, n);
}

int vol_write(struct fat *fat, u64 off, const void *buf, size_t n)
{
	return vol_access(fat, off, NULL, buf, n);
}

int vol_zero(struct fat *fat, u64 off, size_t n)
{
	return vol_access(fat, off, NULL, NULL, n);
}

/* ---- entries ---- */

static u64 table_place(const struct fat *fat, u32 cluster)
{
	return fat->bits == 12 ? cluster + cluster / 2 : (u64)cluster * (fat->bits / 8);
}

/* Ends are CHAIN_END whatever the width; a free cluster is 0. */
static int table_get(struct fat *fat, u32 cluster, u32 *value)
{
	u8 raw[4] = { 0 };
	u32 mask = fat->bits == 32 ? 0x0fffffff : (1u << fat->bits) - 1, v;
	int r = vol_read(fat, fat->table_off + table_place(fat, cluster), raw,
			 fat->bits == 32 ? 4 : 2);

	v = get32(raw);
	if (fat->bits == 12 && (cluster & 1))
		v >>= 4;
	v &= mask;
	*value = v >= (mask & ~7u) ? CHAIN_END : v;
	return r;
}

static int table_set(struct fat *fat, u32 cluster, u32 value)
{
	u64 place = table_place(fat, cluster);
	size_t n = fat->bits == 32 ? 4 : 2;
	int r = 0;

	for (unsigned int i = 0; i < fat->ntables && !r; i++) {
		u64 off = fat->table_off + i * fat->table_size + place;
		u8 raw[4] = { 0 };
		u32 old, v;

		r = vol_read(fat, off, raw, n);
		old = get32(raw);
		if (fat->bits == 12)
			v = cluster & 1 ? (old & 0xf) | (value & 0xfff) << 4
					: (old & 0xf000) | (value & 0xfff);
		else
			v = fat->bits == 32 ? (old & 0xf0000000) | (value & 0x0fffffff)
					    : value & 0xffff;
		put32(raw, v);
		if (!r)
			r = vol_write(fat, off, raw, n);
	}
	return r;
}

int fat_count_free(struct fat *fat, u32 *nfree)
{
	u32 n = 0, value;

	for (u32 c = 2; fat->nfree == U32_MAX && c < fat->end_cluster; c++) {
		int r = table_get(fat, c, &value);

		if (r)
			return r;
		n += !value;
		if (!(c & 4095))
			cond_resched();
	}
	if (fat->nfree == U32_MAX)
		fat->nfree = n;
	*nfree = fat->nfree;
	return 0;
}

static void free_changed(struct fat *fat, int by)
{
	if (fat->nfree != U32_MAX)
		fat->nfree = (u32)clamp((s64)fat->nfree + by, 0LL, (s64)fat->end_cluster - 2);
}

/* A free cluster, taken: it ends a chain. 0, -ENOSPC, -EIO. */
static int cluster_alloc(struct fat *fat, u32 *out)
{
	u32 c = cluster_ok(fat, fat->hint) ? fat->hint : 2, value;

	for (u32 n = fat->end_cluster - 2; n; n--, c = c + 1 < fat->end_cluster ? c + 1 : 2) {
		int r = table_get(fat, c, &value);

		if (r)
			return r;
		if (value)
			continue;
		r = table_set(fat, c, CHAIN_END | 7);
		if (r)
			return r;
		bdev_forget(fat->bdev, cluster_off(fat, c), 1u << fat->cluster_shift);
		fat->hint = c + 1;
		free_changed(fat, -1);
		*out = c;
		return 0;
	}
	return -ENOSPC;
}

/* ---- chains ---- */

int chain_map(struct fat *fat, struct fat_inode *fi, u32 index, u32 *cluster)
{
	u32 at = 0, c = fi->start, next;

	if (!c)
		return -ENOENT;
	if (fi->seen_cluster && fi->seen_index <= index) {
		at = fi->seen_index;
		c = fi->seen_cluster;
	}
	if (!cluster_ok(fat, c) || index >= fat->end_cluster)
		return -EIO;
	for (; at < index; at++, c = next) {
		int r = table_get(fat, c, &next);

		if (r)
			return r;
		if (next == CHAIN_END)
			return -ENOENT;
		if (!cluster_ok(fat, next))
			return -EIO;
	}
	fi->seen_index = at;
	fi->seen_cluster = *cluster = c;
	return 0;
}

/* How long is it? A chain that comes back to itself is never left: -EIO. */
static int chain_length(struct fat *fat, struct fat_inode *fi)
{
	u32 n = 0, c = fi->start;

	if (fi->length != U32_MAX)
		return 0;
	while (c) {
		int r;

		if (!cluster_ok(fat, c) || ++n >= fat->end_cluster)
			return -EIO;
		r = table_get(fat, c, &c);
		if (r)
			return r;
		if (c == CHAIN_END)
			break;
	}
	fi->length = n;
	return 0;
}

/* Free from @c to the end. */
static int free_from(struct fat *fat, u32 c)
{
	for (u32 n = fat->end_cluster; n && cluster_ok(fat, c); n--) {
		u32 next;
		int r = table_get(fat, c, &next);

		if (!r && !next)
			break; /* free already: the image is broken, it does not matter any more */
		if (!r)
			r = table_set(fat, c, 0);
		if (r)
			return r;
		free_changed(fat, 1);
		fat->hint = min(fat->hint, c);
		c = next;
	}
	return 0;
}

static int chain_cut(struct fat *fat, struct fat_inode *fi, u32 n)
{
	u32 last, rest = fi->start;
	int r = 0;

	fi->seen_cluster = 0;
	if (n) {
		r = chain_map(fat, fi, n - 1, &last);
		if (!r)
			r = table_get(fat, last, &rest);
		if (!r)
			r = table_set(fat, last, CHAIN_END | 7);
	} else {
		fi->start = 0;
	}
	if (r)
		return r;
	fi->length = n;
	return free_from(fat, rest);
}

static int chain_append(struct fat *fat, struct fat_inode *fi)
{
	u32 last = 0, c;
	int r = fi->length ? chain_map(fat, fi, fi->length - 1, &last) : 0;

	if (!r)
		r = cluster_alloc(fat, &c);
	if (r)
		return r;
	if (last)
		r = table_set(fat, last, c);
	else
		fi->start = c;
	if (!r)
		fi->length++;
	return r;
}

int chain_resize(struct fat *fat, struct fat_inode *fi, u32 n)
{
	int r = chain_length(fat, fi);
	u32 old = fi->length;

	if (r || n == old)
		return r;
	if (n < old)
		return chain_cut(fat, fi, n);
	while (!r && fi->length < n) {
		r = chain_append(fat, fi);
		cond_resched();
	}
	if (r)
		chain_cut(fat, fi, old);
	return r;
}

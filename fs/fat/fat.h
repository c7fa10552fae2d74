/* SPDX-License-Identifier: MIT */
/*
 * FAT12, FAT16 and FAT32 with long names: what the files of fs/fat/ share.
 *
 * table.c: clusters and their chains. name.c: directory entries and what they are called. dir.c: finding, adding and removing entries.
 * inode.c: files and directories as inodes. super.c: mounting.
 * Tables and directories live in the page cache of the device, file contents in each file's own.
 * Locking: fat->lock (mutex) for tables, chains, entries and the hash of inodes; inside inode->lock and cache->io, outside the device's cache.
 * User memory is never touched with it held.
 * Source: Microsoft Extensible Firmware Initiative FAT32 File System Specification 1.03.
 */
#ifndef FS_FAT_H
#define FS_FAT_H

#include <fs/block/block.h>
#include <fs/block/pagecache.h>
#include <fs/internal.h>

#define FAT_HASH 64
#define FAT_ROOT_INO 1
#define SLOT	 32u /* bytes of a directory entry */
#define DIR_MAX	 (65536 * SLOT)

#define FA_RDONLY 0x01
#define FA_HIDDEN 0x02
#define FA_SYSTEM 0x04
#define FA_LABEL  0x08
#define FA_DIR	  0x10
#define FA_ARCHIVE 0x20
#define FA_LONG	  0x0f

struct fat {
	struct bdev *bdev;
	struct mutex lock;
	unsigned int bits;	    /* of an entry of the table: 12, 16, 32 */
	unsigned int cluster_shift; /* of bytes */
	unsigned int ntables;
	u64 table_off, table_size; /* bytes; table_size of one copy */
	u64 root_off, root_size;   /* FAT12 and 16: the root's place */
	u32 root_cluster;	   /* FAT32 */
	u64 data_off;
	u32 end_cluster; /* the first number that is none; they begin at 2 */
	u64 info_off;	 /* FAT32: the sector with the count of free clusters, 0: none */
	u32 nfree, hint; /* lock; nfree: U32_MAX not counted yet */
	bool was_dirty;	 /* not unmounted cleanly before */
	uid_t uid;
	gid_t gid;
	u32 fmask, dmask;
	u32 generation; /* lock: of names */
	u32 next_ino;	/* lock */
	u32 removed;	/* lock: inodes without an entry that are still in use */
	struct hlist_head inodes[FAT_HASH]; /* lock; by entry */
	struct hlist_head inos[FAT_HASH];   /* lock; all inodes in use, by number */
	struct hlist_head dirs[FAT_HASH];   /* lock; directories in use, by first cluster */
};

struct fat_inode {
	struct inode *inode;
	struct hlist_node hash_link;  /* lock */
	struct hlist_node ino_link;   /* lock */
	struct hlist_node dir_link;   /* lock */
	u32 start;		      /* lock: first cluster, 0: none */
	u32 length;		      /* lock: clusters in the chain, U32_MAX: not counted */
	u32 seen_index, seen_cluster; /* lock: a place in the chain that was found */
	u64 entry; /* lock: of the short entry, in bytes of the device; 0: the root, or removed */
	u32 slot, nslots; /* lock: of all its entries in the directory */
	u32 parent;	  /* lock: the directory's first cluster, 0: a root that has none */
	u32 generation;	  /* lock: a dentry with another is stale */
	u32 changes;	  /* directory; lock: as above for absent names */
	u8 attr;
};

/* An entry as it is on the disk. */
struct fat_entry {
	u8 name[11];
	u8 attr, lcase, ctime_tenths;
	u8 ctime[2], cdate[2], adate[2];
	u8 start_high[2];
	u8 time[2], date[2];
	u8 start[2];
	u8 size[4];
} __packed;

/* One that was found. */
struct fat_found {
	struct fat_entry raw;
	u64 entry; /* as in struct fat_inode */
	u32 slot, nslots;
	char name[256]; /* UTF-8 */
	char alias[13]; /* the short name */
};

static inline u32 get16(const u8 *p)
{
	return p[0] | p[1] << 8;
}
static inline u32 get32(const u8 *p)
{
	return get16(p) | get16(p + 2) << 16;
}
static inline void put16(u8 *p, u32 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
}
static inline void put32(u8 *p, u32 v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}
static inline struct fat *fat_of(const struct inode *inode)
{
	return inode->sb->priv;
}
static inline struct fat_inode *fat_inode(const struct inode *inode)
{
	return inode->priv;
}
static inline u64 cluster_off(const struct fat *fat, u32 cluster)
{
	return fat->data_off + ((u64)(cluster - 2) << fat->cluster_shift);
}
static inline bool cluster_ok(const struct fat *fat, u32 cluster)
{
	return cluster >= 2 && cluster < fat->end_cluster;
}
static inline u32 entry_start(const struct fat *fat, const struct fat_entry *e)
{
	return get16(e->start) | (fat->bits == 32 ? get16(e->start_high) << 16 : 0);
}

/* table.c; fat->lock held. */
/** vol_read(), vol_write(), vol_zero() - bytes of the volume. 0 or -EIO, -ENOMEM. */
int vol_read(struct fat *fat, u64 off, void *buf, size_t n);
int vol_write(struct fat *fat, u64 off, const void *buf, size_t n);
int vol_zero(struct fat *fat, u64 off, size_t n);
/** chain_map() - cluster number @index of a file. 0, -ENOENT: the chain is shorter, -EIO: it is broken. */
int chain_map(struct fat *fat, struct fat_inode *fi, u32 index, u32 *cluster);
/** chain_resize() - make the chain @n clusters long. 0, -ENOSPC (nothing was added), -EIO. */
int chain_resize(struct fat *fat, struct fat_inode *fi, u32 n);
/** fat_count_free() - how many clusters are free; counts them if nobody has. 0 or -EIO. */
int fat_count_free(struct fat *fat, u32 *nfree);

/* name.c */
u8 short_checksum(const u8 *name);
void short_to_text(const struct fat_entry *e, char *out);
/** utf8_to_utf16(), utf16_to_utf8() - lengths in units and bytes, or -EINVAL, -ENAMETOOLONG. */
int utf8_to_utf16(const char *s, size_t len, u16 *out, size_t max);
int utf16_to_utf8(const u16 *s, size_t n, char *out, size_t max);
/** name_check() - may a file be called so? Takes trailing dots off *len. 0, -EINVAL, -ENOENT (nothing is left). */
int name_check(const char *name, size_t *len);
/** name_equal() - the same name, whatever its (ASCII) case. */
bool name_equal(const char *a, size_t alen, const char *b);
/** name_is_short() - it is a short name as it stands; fills it. name_basis() - what a short name for it begins with. */
bool name_is_short(const char *name, size_t len, u8 out[11]);
void name_basis(const char *name, size_t len, u8 out[11]);
void name_number(u8 name[11], u32 n);
u64 time_from_fat(u32 date, u32 time);
void time_to_fat(u64 ns, u8 *date, u8 *time);

/* dir.c; fat->lock held. */
/** dir_next() - the next entry at or behind *pos, which moves behind it. 1, 0: the end, -EIO. */
int dir_next(struct inode *dir, u32 *pos, struct fat_found *out);
/** dir_find() - the entry called so. 0, -ENOENT, -EIO. */
int dir_find(struct inode *dir, const char *name, size_t len, struct fat_found *out);
/** dir_add() - enter @raw, whose name is made here; @out: where. 0, -ENOSPC, -EIO, -EINVAL. */
int dir_add(struct inode *dir, const char *name, size_t len, struct fat_entry *raw,
	    struct fat_found *out);
int dir_remove(struct inode *dir, u32 slot, u32 nslots);
/** dir_is_empty() - but for . and ..; 1, 0, -EIO. */
int dir_is_empty(struct inode *dir);

/* inode.c */
extern const struct inode_ops fat_dir_ops;
/** fat_iget() - the inode of an entry in @dir, or (NULL) the root's. lock held, dropped for a moment while one of that place goes. ERR_PTR;
 *  -EIO: it cannot be, or is in another directory already. */
struct inode *fat_iget(struct super *sb, struct inode *dir, const struct fat_found *found);
/** fat_write_entry() - bring the entry on the disk up to date. lock held. 0 or -EIO. */
int fat_write_entry(struct inode *inode);
int fat_sync(struct super *sb);
void fat_evict(struct inode *inode);

#endif

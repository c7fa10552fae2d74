/* SPDX-License-Identifier: MIT */
/*
 * Mounting a FAT volume: the boot sector, options, statistics, sync and umount. See fat.h.
 *
 * Options: uid=, gid=, umask=, fmask=, dmask=. A volume that is mounted for writing is marked so, and when it is unmounted the mark goes, unless
 * it was there before.
 * Source: mount(8), "Mount options for vfat".
 */
#include <fs/fat/fat.h>
#include <lib/string.h>

#define MSDOS_MAGIC 0x4d44
#define STATE_DIRTY 1

struct boot_sector {
	u8 jump[3], oem[8];
	u8 bytes_per_sector[2];
	u8 sectors_per_cluster;
	u8 reserved[2];
	u8 ntables;
	u8 root_entries[2];
	u8 sectors16[2];
	u8 media;
	u8 table_sectors16[2];
	u8 track[2], heads[2], hidden[4];
	u8 sectors32[4];
	/* FAT32 only: */
	u8 table_sectors32[4];
	u8 flags[2], version[2];
	u8 root_cluster[4];
	u8 info_sector[2];
	u8 backup[2], reserved2[12];
	u8 drive, state;
} __packed;

#define STATE16_OFFSET 37 /* of the state in FAT12 and FAT16 */
#define INFO_MAGIC1 0x41615252u
#define INFO_MAGIC2 0x61417272u

static bool power_of_two(u32 v)
{
	return v && !(v & (v - 1));
}

/* The geometry of the volume. 0, or -EINVAL: no FAT, or one that cannot be. */
static int read_geometry(struct fat *fat, const struct boot_sector *b)
{
	u32 sector = get16(b->bytes_per_sector), tables = get16(b->table_sectors16);
	u64 total = get16(b->sectors16) ? get16(b->sectors16) : get32(b->sectors32), clusters;
	u64 volume = fat->bdev->nsectors << SECTOR_SHIFT;
	bool fat32 = !tables;

	if (!power_of_two(sector) || sector < 512 || sector > 4096 ||
	    !power_of_two(b->sectors_per_cluster) || !get16(b->reserved) || !b->ntables ||
	    b->ntables > 4 || b->media < 0xf0)
		return -EINVAL;
	if (fat32)
		tables = get32(b->table_sectors32);
	fat->cluster_shift = (unsigned int)__builtin_ctz(sector * b->sectors_per_cluster);
	fat->ntables = b->ntables;
	fat->table_off = (u64)get16(b->reserved) * sector;
	fat->table_size = (u64)tables * sector;
	fat->root_off = fat->table_off + fat->ntables * fat->table_size;
	fat->root_size = get16(b->root_entries) * SLOT;
	fat->data_off = ALIGN_UP(fat->root_off + fat->root_size, (u64)sector);
	if (fat->cluster_shift > 17 || !fat->table_size || fat->table_size > 1u << 30 ||
	    total * sector > volume || fat->data_off >= total * sector ||
	    (!fat32 && (!fat->root_size || fat->root_size % sector)))
		return -EINVAL;
	clusters = (total * sector - fat->data_off) >> fat->cluster_shift;
	fat->bits = fat32 ? 32 : clusters < 4085 ? 12 : 16;
	clusters = min(clusters, fat->table_size * 8 / fat->bits -
					 min(2ull, fat->table_size * 8 / fat->bits));
	if (!clusters || clusters > 0x0ffffff4u)
		return -EINVAL;
	fat->end_cluster = (u32)clusters + 2;
	return 0;
}

static int read_fat32(struct fat *fat, const struct boot_sector *b)
{
	u64 info = (u64)get16(b->info_sector) * get16(b->bytes_per_sector);
	u8 raw[8], magic[4];

	if (fat->bits != 32)
		return 0;
	fat->root_cluster = get32(b->root_cluster);
	if (!cluster_ok(fat, fat->root_cluster) || get16(b->version))
		return -EINVAL;
	if (!info || info + 512 > fat->table_off || vol_read(fat, info, magic, 4) ||
	    get32(magic) != INFO_MAGIC1 || vol_read(fat, info + 484, magic, 4) ||
	    get32(magic) != INFO_MAGIC2 || vol_read(fat, info + 488, raw, 8))
		return 0;
	fat->info_off = info;
	if (get32(raw) <= fat->end_cluster - 2)
		fat->nfree = get32(raw);
	fat->hint = get32(raw + 4);
	return 0;
}

static int read_volume(struct fat *fat)
{
	struct boot_sector b;
	u8 signature[2];
	int r = vol_read(fat, 0, &b, sizeof(b));

	if (!r)
		r = vol_read(fat, 510, signature, 2);
	if (r)
		return r;
	if (get16(signature) != 0xaa55)
		return -EINVAL;
	r = read_geometry(fat, &b);
	return r ? r : read_fat32(fat, &b);
}

static u64 state_off(const struct fat *fat)
{
	return fat->bits == 32 ? offsetof(struct boot_sector, state) : STATE16_OFFSET;
}

/* Mark the volume as in use for writing, or as clean again. */
static int set_state(struct fat *fat, bool dirty)
{
	u8 state;
	int r = vol_read(fat, state_off(fat), &state, 1);

	if (dirty)
		fat->was_dirty = state & STATE_DIRTY;
	state = (u8)(dirty ? state | STATE_DIRTY : state & ~STATE_DIRTY);
	return r || fat->was_dirty ? r : vol_write(fat, state_off(fat), &state, 1);
}

static int write_info(struct fat *fat)
{
	u8 raw[8];

	if (!fat->info_off)
		return 0;
	put32(raw, fat->nfree);
	put32(raw + 4, fat->hint);
	return vol_write(fat, fat->info_off + 488, raw, 8);
}

/* Tables, directories and the count of free clusters to the disk. */
static int sync_volume(struct super *sb)
{
	struct fat *fat = sb->priv;
	int r = 0, err;

	mutex_lock(&fat->lock);
	if (!(sb->flags & MS_RDONLY))
		r = write_info(fat);
	mutex_unlock(&fat->lock);
	err = bdev_sync(fat->bdev);
	return r ? r : err;
}

int fat_sync(struct super *sb)
{
	int r = cache_writeback_all(sb), err = sync_volume(sb);

	return r ? r : err;
}

static int fat_statfs(struct super *sb, struct statfs *st)
{
	struct fat *fat = sb->priv;
	u32 nfree;
	int r;

	mutex_lock(&fat->lock);
	r = fat_count_free(fat, &nfree);
	mutex_unlock(&fat->lock);
	if (r)
		return r;
	st->f_bsize = 1 << fat->cluster_shift;
	st->f_blocks = fat->end_cluster - 2;
	st->f_bfree = st->f_bavail = nfree;
	return 0;
}

static void fat_put_super(struct super *sb)
{
	struct fat *fat = sb->priv;

	bdev_super_set(fat->bdev, NULL);
	if (!(sb->flags & MS_RDONLY)) {
		mutex_lock(&fat->lock);
		set_state(fat, false);
		mutex_unlock(&fat->lock);
	}
	if (sync_volume(sb))
		pr_err("fat: %s: not everything could be written\n", fat->bdev->name);
}

static void fat_free(struct fat *fat)
{
	bdev_close(fat->bdev, fat);
	kfree(fat);
}

static void fat_free_super(struct super *sb)
{
	fat_free(sb->priv);
}

/* ---- options ---- */

static int parse_option(void *ctx, const char *key, const char *val)
{
	struct fat *fat = ctx;
	struct mount_owner owner = { .uid = fat->uid, .gid = fat->gid };
	int r = strcmp(key, "mode") ? mount_option_owner(key, val, &owner) : -EINVAL;
	u32 mask;

	fat->uid = owner.uid;
	fat->gid = owner.gid;
	if (r != -ENOENT)
		return r;
	r = mount_option_u32(val, 8, &mask);
	mask &= 0777;
	if (!strcmp(key, "umask"))
		fat->fmask = fat->dmask = mask;
	else if (!strcmp(key, "fmask"))
		fat->fmask = mask;
	else if (!strcmp(key, "dmask"))
		fat->dmask = mask;
	else
		r = -EINVAL;
	return r;
}

static int fat_remount(struct super *sb, unsigned long flags, const char *data)
{
	struct fat *fat = sb->priv;
	bool was = sb->flags & MS_RDONLY, will = flags & MS_RDONLY;
	int r = 0;

	if (data && *data)
		return -EINVAL; /* only read-only and back */
	if (was && !will && bdev_read_only(fat->bdev))
		return -EACCES;
	if (was != will && !(will && atomic_read(&sb->writers))) {
		if (will && READ_ONCE(fat->removed))
			return -EBUSY; /* they have clusters to give back */
		if (will)
			cache_writeback_all(sb);
		mutex_lock(&fat->lock);
		r = set_state(fat, !will);
		mutex_unlock(&fat->lock);
		if (!r && will)
			r = sync_volume(sb);
	}
	return r;
}

static void fat_show_options(struct super *sb, char *buf, size_t size)
{
	struct fat *fat = sb->priv;

	scnprintf(buf, size, ",uid=%u,gid=%u,fmask=%04o,dmask=%04o", fat->uid, fat->gid, fat->fmask,
		  fat->dmask);
}

static const struct super_ops fat_super_ops = {
	.evict = fat_evict,
	.statfs = fat_statfs,
	.sync = fat_sync,
	.put_super = fat_put_super,
	.free_super = fat_free_super,
	.remount = fat_remount,
	.show_options = fat_show_options,
};

/* ---- mounting ---- */

static int fill_root(struct super *sb, struct fat *fat)
{
	struct inode *root;
	int r = 0;

	sb->ops = &fat_super_ops;
	sb->magic = MSDOS_MAGIC;
	sb->max_bytes = U32_MAX;
	sb->priv = fat;
	sb->dev = fat->bdev->rdev;
	mutex_lock(&fat->lock);
	root = fat_iget(sb, NULL, NULL);
	mutex_unlock(&fat->lock);
	if (IS_ERR(root))
		return (int)PTR_ERR(root);
	sb->root = d_alloc(sb, NULL, "/", 1);
	if (!sb->root) {
		inode_put(root);
		return -ENOMEM;
	}
	d_instantiate(sb->root, root);
	if (!(sb->flags & MS_RDONLY)) {
		mutex_lock(&fat->lock);
		r = set_state(fat, true);
		mutex_unlock(&fat->lock);
	}
	if (r) {
		dput(sb->root);
		return r;
	}
	bdev_super_set(fat->bdev, sb);
	return 0;
}

static int fat_fill(struct super *sb, const char *source, const char *data)
{
	struct fat *fat = kzalloc(sizeof(*fat), GFP_KERNEL);
	int r;

	if (!fat)
		return -ENOMEM;
	fat->bdev = bdev_open(source, fat);
	if (IS_ERR(fat->bdev)) {
		r = (int)PTR_ERR(fat->bdev);
		kfree(fat);
		return r;
	}
	mutex_init(&fat->lock);
	fat->nfree = U32_MAX;
	fat->fmask = fat->dmask = current->fs->umask;
	fat->uid = current_creds()->uid;
	fat->gid = current_creds()->gid;
	r = bdev_read_only(fat->bdev) && !(sb->flags & MS_RDONLY)
		    ? -EACCES
		    : mount_options(data, parse_option, fat);
	if (!r)
		r = read_volume(fat);
	if (!r)
		r = fill_root(sb, fat);
	if (r)
		fat_free(fat);
	return r;
}

static struct super *vfat_find(const char *source);

static struct fs_type vfat_type = { .name = "vfat",
				    .fill = fat_fill,
				    .find = vfat_find,
				    .option = parse_option,
				    .options_size = sizeof(struct fat) };

static struct super *vfat_find(const char *source)
{
	return bdev_mounted(source, &vfat_type);
}

void fat_init(void)
{
	fs_type_register(&vfat_type);
}

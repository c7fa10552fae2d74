/* SPDX-License-Identifier: MIT */
/*
 * The cpio reader. The interface is in lib/cpio.h.
 *
 * A member is a header of ASCII hexadecimal numbers, the name with its NUL, and the data; name and
 * data are each padded to a multiple of four bytes, counted from the start of the header, which is
 * itself at such a multiple. The member "TRAILER!!!" ends an archive.
 */
#include <err.h>
#include <lib/cpio.h>
#include <lib/string.h>

#define MAGIC_SIZE	6
#define FIELD_SIZE	8
#define HEADER_SIZE	(MAGIC_SIZE + FIELD_COUNT * FIELD_SIZE)
#define TRAILER		"TRAILER!!!"
#define ALIGNMENT	4
#define ZEROS		0x3030303030303030ULL /* "00000000" */

/* The numbers of a header, in their order. */
enum field {
	F_INO,
	F_MODE,
	F_UID,
	F_GID,
	F_NLINK,
	F_MTIME,
	F_FILESIZE,
	F_DEV_MAJOR,
	F_DEV_MINOR,
	F_RDEV_MAJOR,
	F_RDEV_MINOR,
	F_NAMESIZE,
	F_CHECKSUM,
	FIELD_COUNT
};

#define S_IFMT		0170000
#define S_IFREG		0100000

static int fail(struct cpio_reader *r, size_t where, const char *why)
{
	r->why = why;
	r->where = where;
	return -EINVAL;
}

bool cpio_is_gzip(const void *data, size_t size)
{
	const u8 *p = data;

	return size >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8; /* 8: deflate */
}

/* "070701", or "070702" for members with a checksum. */
bool cpio_is_newc(const void *data, size_t size)
{
	const char *p = data;

	return size >= MAGIC_SIZE && memcmp(p, "07070", 5) == 0 && (p[5] == '1' || p[5] == '2');
}

/* Exactly eight hexadecimal digits. Most fields of most members are 0. */
static bool parse_hex(const u8 *p, u32 *out)
{
	u64 word;
	u32 v = 0;

	memcpy(&word, p, sizeof(word));
	if (word == ZEROS) {
		*out = 0;
		return true;
	}
	for (int i = 0; i < FIELD_SIZE; i++) {
		u8 c = p[i];

		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return false;
		v = v << 4 | c;
	}
	*out = v;
	return true;
}

static bool parse_fields(const u8 *header, u32 fields[FIELD_COUNT])
{
	for (int i = 0; i < FIELD_COUNT; i++)
		if (!parse_hex(header + MAGIC_SIZE + i * FIELD_SIZE, &fields[i]))
			return false;
	return true;
}

static void fill_entry(struct cpio_entry *e, const u32 fields[FIELD_COUNT])
{
	*e = (struct cpio_entry){
		.size = fields[F_FILESIZE],
		.ino = fields[F_INO],
		.dev_major = fields[F_DEV_MAJOR],
		.dev_minor = fields[F_DEV_MINOR],
		.nlink = fields[F_NLINK],
		.mode = fields[F_MODE],
		.uid = fields[F_UID],
		.gid = fields[F_GID],
		.mtime = fields[F_MTIME],
		.rdev_major = fields[F_RDEV_MAJOR],
		.rdev_minor = fields[F_RDEV_MINOR],
	};
}

/* The name may be padded with further NULs, which some tools use to align the data. */
static int read_name(struct cpio_reader *r, size_t where, u32 namesize, struct cpio_entry *e)
{
	size_t offset = where + HEADER_SIZE;

	if (namesize < 2)
		return fail(r, where, "member without a name");
	if (namesize > CPIO_NAME_MAX)
		return fail(r, where, "name too long");
	if (namesize > r->size - offset)
		return fail(r, where, "name cut short");
	e->name = (const char *)r->data + offset;
	e->name_len = strnlen(e->name, namesize);
	if (e->name[namesize - 1] != '\0')
		return fail(r, where, "name without an end");
	if (!e->name_len)
		return fail(r, where, "member without a name");
	return 0;
}

/* Where the piece after one that ends at @end begins; the padding of the last may be missing. */
static size_t next_piece(const struct cpio_reader *r, size_t end)
{
	return min(ALIGN_UP(end, ALIGNMENT), r->size);
}

static bool checksum_good(const struct cpio_entry *e, u32 checksum)
{
	u32 sum = 0;

	for (size_t i = 0; i < e->size; i++)
		sum += e->data[i];
	return sum == checksum;
}

/* The member whose header is at @where, read into @e; the reader moves past it. */
static int read_member(struct cpio_reader *r, size_t where, struct cpio_entry *e)
{
	const u8 *header = r->data + where;
	u32 fields[FIELD_COUNT];
	size_t offset;
	int err;

	if (r->size - where < HEADER_SIZE)
		return fail(r, where, "header cut short");
	if (!cpio_is_newc(header, r->size - where))
		return fail(r, where, "not a cpio header in newc format");
	if (!parse_fields(header, fields))
		return fail(r, where, "header with a malformed number");
	fill_entry(e, fields);
	e->archive = r->archive;
	err = read_name(r, where, fields[F_NAMESIZE], e);
	if (err)
		return err;
	offset = next_piece(r, where + HEADER_SIZE + fields[F_NAMESIZE]);
	if (e->size > r->size - offset)
		return fail(r, where, "data cut short");
	e->data = r->data + offset;
	if (header[MAGIC_SIZE - 1] == '2' && (e->mode & S_IFMT) == S_IFREG &&
	    !checksum_good(e, fields[F_CHECKSUM]))
		return fail(r, where, "wrong checksum");
	r->pos = next_piece(r, offset + e->size);
	return 0;
}

/*
 * Between archives: skip zero bytes. Return CPIO_ENTRY when another archive begins here, or else
 * what cpio_next should return.
 */
static int find_archive(struct cpio_reader *r)
{
	while (r->pos < r->size && r->data[r->pos] == 0)
		r->pos++;
	if (r->pos == r->size)
		return CPIO_END;
	if (cpio_is_gzip(r->data + r->pos, r->size - r->pos))
		return CPIO_GZIP;
	if (r->pos % ALIGNMENT)
		return fail(r, r->pos, "archive at an odd place");
	return CPIO_ENTRY;
}

int cpio_next(struct cpio_reader *r, struct cpio_entry *e)
{
	int ret;

	if (r->why)
		return -EINVAL;
	for (;;) {
		if (!r->inside) {
			ret = find_archive(r);
			if (ret != CPIO_ENTRY)
				return ret;
			r->inside = true;
		}
		if (r->pos == r->size)
			return fail(r, r->pos, "no trailer: archive cut short");
		ret = read_member(r, r->pos, e);
		if (ret)
			return ret;
		if (strcmp(e->name, TRAILER) != 0)
			return CPIO_ENTRY;
		r->inside = false;
		r->archive++;
	}
}

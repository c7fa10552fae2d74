/* SPDX-License-Identifier: MIT */
/*
 * cpio archives in the "newc" format, as an initramfs is made of.
 *
 *	cpio_init(&r, data, size);
 *	while ((ret = cpio_next(&r, &e)) == CPIO_ENTRY)
 *		create(e.name, ...);
 *	if (ret < 0)
 *		error("initramfs: %s at byte %zu", r.why, r.where);
 *
 * Several archives may follow each other, with zero bytes between; any of them may be compressed,
 * which ends the iteration with CPIO_GZIP so that the caller can unpack r.data + r.pos and go on
 * with a new reader there. The archive is not changed and not copied: names and data point into it.
 *
 * Source: Linux Documentation/driver-api/early-userspace/buffer-format.rst; cpio(5).
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include <compiler.h>
#include <types.h>

#define CPIO_NAME_MAX	4096	/* PATH_MAX, with the NUL */

struct cpio_reader {
	const u8 *data;
	size_t size;
	size_t pos;	 /* next byte to look at */
	u32 archive;	 /* number of the archive, from 0: inode numbers are per archive */
	bool inside;	 /* between the first member of an archive and its trailer */
	const char *why; /* after an error: the reason, one line */
	size_t where;	 /* ... and the offset of the header it is about */
};

struct cpio_entry {
	const char *name; /* NUL-terminated, as stored: "./" or "/" may come first */
	size_t name_len;  /* without the NUL; at least 1 */
	const u8 *data;	  /* contents, or the target of a symlink (not terminated) */
	size_t size;
	u32 ino; /* with nlink > 1, (archive, dev, ino) names one file ... */
	u32 archive;
	u32 dev_major, dev_minor; /* the device the file was on */
	u32 nlink;		  /* ... whose data comes with one of its names only */
	u32 mode;		  /* type and permissions, as st_mode */
	u32 uid, gid;
	u32 mtime;		    /* seconds since 1970 */
	u32 rdev_major, rdev_minor; /* the device that a device node is */
};

/* What cpio_next returns, beside -EINVAL. */
#define CPIO_END	0	/* nothing but zero bytes is left */
#define CPIO_ENTRY	1
#define CPIO_GZIP	2	/* a gzip stream begins at data + pos */

static inline void cpio_init(struct cpio_reader *r, const void *data, size_t size)
{
	*r = (struct cpio_reader){ .data = data, .size = size };
}

/**
 * cpio_next - the next file of an archive
 * @r: the reader
 * @e: where to describe it, for CPIO_ENTRY
 *
 * Names may contain ".." and need not be in any order: it is for the caller to stay inside its root
 * and to make missing directories or refuse.
 * Context: any.
 * Return: CPIO_ENTRY, CPIO_END, CPIO_GZIP, or -EINVAL: malformed or cut short, r->why says how; the
 * entries before are good; every later call returns the same.
 */
int __must_check cpio_next(struct cpio_reader *r, struct cpio_entry *e);

/* Whether a gzip stream, or a cpio archive, begins at @data. */
bool cpio_is_gzip(const void *data, size_t size);
bool cpio_is_newc(const void *data, size_t size);

#endif /* LIB_CPIO_H */

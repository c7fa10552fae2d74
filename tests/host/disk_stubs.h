/* SPDX-License-Identifier: MIT */
/* A disk in memory, as /disk of the host tests' root file system, and a maker of small FAT volumes. */
#ifndef DISK_STUBS_H
#define DISK_STUBS_H

#include <types.h>

#define DISK_STUB_SIZE (4u << 20)

/** disk_stubs_start() - make the disk known; after fs_stubs_start(). Once in a program. */
void disk_stubs_start(void);
/** disk_stubs_node() - enter /disk and the directory /mnt into the root. */
void disk_stubs_node(void);
/** disk_stubs_reset() - @image (@size bytes, zeros behind) is on the disk, and nothing of it in the caches. Unmounted. */
void disk_stubs_reset(const u8 *image, size_t size);
/** disk_stubs_write() - change bytes of the disk behind the caches. disk_stubs_data() - what is on it. */
void disk_stubs_write(u32 off, const void *data, u32 len);
const u8 *disk_stubs_data(void);

/** fat_make() - a volume of FAT12, 16 or 32 with a file, a directory and a file with a long name. *sectors: its size. Return: bytes of @image; all
 *  that follows is zero. */
size_t fat_make(u8 *image, unsigned int bits, u32 *sectors);
/** fat_check() - is the volume of @bits as fat_make() made it and a file system left it whole? NULL, or what is wrong. */
const char *fat_check(const u8 *image, unsigned int bits);

#endif

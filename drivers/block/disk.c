/* SPDX-License-Identifier: MIT */
/* The list of disks: disk.h. */
#include <drivers/block/disk.h>

static struct disk *disks;

void disk_register(struct disk *disk)
{
	struct disk **p = &disks;

	for (; *p; p = &(*p)->next)
		if ((*p)->major == disk->major)
			disk->index++;
	disk->next = NULL;
	*p = disk;
}

struct disk *disk_first(void)
{
	return disks;
}

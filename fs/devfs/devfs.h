/* SPDX-License-Identifier: MIT */
/* The drivers behind /dev, announced at boot. */
#ifndef FS_DEVFS_H
#define FS_DEVFS_H

void mem_devices_init(void);	/* null zero full random urandom kmsg */
void stream_devices_init(void); /* stdin-stream stdout-stream stderr-stream */

#endif

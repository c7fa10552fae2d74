/* SPDX-License-Identifier: MIT */
/* ioctl numbers of block devices. Source: Linux's uapi/linux/fs.h and hdreg.h. */
#ifndef UAPI_BLKDEV_H
#define UAPI_BLKDEV_H

#include <uapi/ioctl.h>

#define BLKROSET	 _IO(0x12, 93)
#define BLKROGET	 _IO(0x12, 94)
#define BLKRRPART	 _IO(0x12, 95)
#define BLKGETSIZE	 _IO(0x12, 96)
#define BLKFLSBUF	 _IO(0x12, 97)
#define BLKRAGET	 _IO(0x12, 99)
#define BLKSSZGET	 _IO(0x12, 104)
#define BLKBSZGET	 _IOR(0x12, 112, unsigned long)
#define BLKGETSIZE64	 _IOR(0x12, 114, unsigned long)
#define BLKIOMIN	 _IO(0x12, 120)
#define BLKIOOPT	 _IO(0x12, 121)
#define BLKALIGNOFF	 _IO(0x12, 122)
#define BLKPBSZGET	 _IO(0x12, 123)
#define BLKROTATIONAL	 _IO(0x12, 126)
#define HDIO_GETGEO	 0x0301

struct hd_geometry {
	unsigned char heads, sectors;
	unsigned short cylinders;
	unsigned long start;
};

#endif

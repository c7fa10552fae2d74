/* SPDX-License-Identifier: MIT */
/* readv(2), preadv2(2). struct iovec is struct iovec_u of mm/uaccess.h. */
#ifndef UAPI_UIO_H
#define UAPI_UIO_H

#define UIO_FASTIOV 8
#define UIO_MAXIOV  1024

#define RWF_HIPRI  0x01
#define RWF_DSYNC  0x02
#define RWF_SYNC   0x04
#define RWF_NOWAIT 0x08
#define RWF_APPEND 0x10
#define RWF_NOAPPEND 0x20

#endif

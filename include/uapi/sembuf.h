/* SPDX-License-Identifier: MIT */
/* semctl(2): what IPC_STAT fills. x86_64 has a layout of its own. */
#ifndef UAPI_SEMBUF_H
#define UAPI_SEMBUF_H

#include <types.h>

struct semid_tail {
	s64 otime, ctime;
	u64 nsems, unused[2];
};

#endif

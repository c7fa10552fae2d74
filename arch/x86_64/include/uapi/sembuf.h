/* SPDX-License-Identifier: MIT */
/* semctl(2): what IPC_STAT fills, with the gaps that x86_64 has. */
#ifndef UAPI_SEMBUF_H
#define UAPI_SEMBUF_H

#include <types.h>

struct semid_tail {
	s64 otime, unused1, ctime, unused2;
	u64 nsems, unused[2];
};

#endif

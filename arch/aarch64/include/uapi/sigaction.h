/* SPDX-License-Identifier: MIT */
/* struct sigaction of rt_sigaction(2), with the restorer that this ABI has. */
#ifndef UAPI_SIGACTION_H
#define UAPI_SIGACTION_H

#include <compiler.h>
#include <types.h>

struct sigaction_abi {
	u64 handler;
	u64 flags;
	u64 restorer;
	u64 mask;
};
#define SIGACTION_HAS_RESTORER 1
#define MINSIGSTKSZ 5120

#endif

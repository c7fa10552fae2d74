/* SPDX-License-Identifier: MIT */
/* struct sigaction of rt_sigaction(2): the generic form, without a restorer (riscv64, loongarch64). */
#ifndef UAPI_SIGACTION_H
#define UAPI_SIGACTION_H

#include <compiler.h>
#include <types.h>

struct sigaction_abi {
	u64 handler;
	u64 flags;
	u64 mask;
};
#define SIGACTION_HAS_RESTORER 0

#endif

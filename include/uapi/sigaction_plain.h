/* SPDX-License-Identifier: MIT */
/* struct sigaction of rt_sigaction(2), which is how the kernel keeps it, too: the generic form, without a restorer. */
#ifndef UAPI_SIGACTION_PLAIN_H
#define UAPI_SIGACTION_PLAIN_H

#include <compiler.h>
#include <types.h>

struct k_sigaction {
	u64 handler;
	u64 flags;
	u64 mask;
};
#define SIGACTION_HAS_RESTORER 0
static inline u64 sigaction_restorer(const struct k_sigaction *sa)
{
	(void)sa;
	return 0;
}

#endif

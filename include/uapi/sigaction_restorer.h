/* SPDX-License-Identifier: MIT */
/* struct sigaction of rt_sigaction(2), which is how the kernel keeps it, too, of those ABIs that have a restorer. */
#ifndef UAPI_SIGACTION_RESTORER_H
#define UAPI_SIGACTION_RESTORER_H

#include <compiler.h>
#include <types.h>

struct k_sigaction {
	u64 handler;
	u64 flags;
	u64 restorer;
	u64 mask;
};
#define SIGACTION_HAS_RESTORER 1
static inline u64 sigaction_restorer(const struct k_sigaction *sa)
{
	return sa->restorer;
}

#endif

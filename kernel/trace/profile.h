/* SPDX-License-Identifier: MIT */
/*
 * Samples: where each CPU is, at regular times, and in which functions that lies. `caelum run --profile` draws them.
 */
#ifndef KERNEL_TRACE_PROFILE_H
#define KERNEL_TRACE_PROFILE_H

#include <kernel/trace.h>

struct vm;
struct process;

extern u32 trace_profile_hz; /* 0: off; set once, at boot */

/** trace_profile_start() - register and switch on the events of a profile. trace_mutex held. 0 or -Exxx. */
int trace_profile_start(void);
/** trace_profile_cpu() - begin to sample this CPU, if a profile is wanted. Each CPU once, when it can take timers. */
void trace_profile_cpu(void);
/** trace_profile_maps() - the address space is about to be left: record what lies where in it. Task context, may sleep. */
void trace_profile_maps(struct vm *vm);
/** trace_profile_end() - the machine is about to be switched off: record the address spaces that still live. */
void trace_profile_end(void);

#endif

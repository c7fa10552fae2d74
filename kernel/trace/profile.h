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

struct task;
/**
 * trace_profile_kernel_stack() - return addresses on @t's kernel stack, @first and what lies above frame @fp, to @ip, at most @most.
 * Without frame pointers it is @first, and perhaps others that mean nothing. Return: how many. Context: on @t's CPU, any.
 */
u32 trace_profile_kernel_stack(const struct task *t, unsigned long first, unsigned long fp, u64 *ip,
			       u32 most);
/** trace_profile_start() - register and switch on the events of a profile. trace_mutex held. 0 or -Exxx. */
int trace_profile_start(void);
/** trace_profile_cpu() - begin to sample this CPU, if a profile is wanted. Each CPU once, when it can take timers. */
void trace_profile_cpu(void);
/** trace_profile_maps() - the address space is about to be left: record what lies where in it. Task context, may sleep. */
void trace_profile_maps(struct vm *vm);
/** trace_profile_end() - the machine is about to be switched off: record the address spaces that still live. */
void trace_profile_end(void);

#endif

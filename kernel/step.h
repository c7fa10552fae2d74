/* SPDX-License-Identifier: MIT */
/*
 * Single-step: one instruction in user mode, then SIGTRAP (TRAP_TRACE). For current, in task context without locks.
 *
 * The tracer's wish is trace.step and WORK_STEP; while user mode is set up to trap, trace.step_armed is set, too. The two
 * implementations: kernel/step_hw.c, where the CPU can do it, and kernel/step_soft.c, with breakpoints.
 */
#ifndef KERNEL_STEP_H
#define KERNEL_STEP_H

#include <kernel/task.h>

/** step_arm() - the next thing is one instruction of user mode. May sleep. */
void step_arm(struct task *t);
/** step_trapped() - user mode was left, for whatever reason: was the instruction carried out? Then SIGTRAP is on its way. */
void step_trapped(struct task *t);
/** step_breakpoint() - was the breakpoint that trapped put there for a step? Then it is dealt with. */
bool step_breakpoint(struct task *t);
void step_take_back(struct task *t);
/** step_disarm() - registers and memory as the program knows them; the step may be armed again. */
static inline void step_disarm(struct task *t)
{
	if (unlikely(t->trace.step_armed))
		step_take_back(t);
}

#endif

/* SPDX-License-Identifier: MIT */
/* Single-step by the CPU: x86_64, aarch64. The trap itself comes as UCTX_EXC_DEBUG, which becomes SIGTRAP. See kernel/step.h. */
#include <hal/debug.h>
#include <kernel/step.h>

void step_arm(struct task *t)
{
	t->trace.step_armed = true;
	uctx_step_arm(&t->hal);
}

/* An interrupt or fault before the instruction was complete: the CPU still knows. */
void step_trapped(struct task *t)
{
	(void)t;
}

bool step_breakpoint(struct task *t)
{
	(void)t;
	return false;
}

void step_take_back(struct task *t)
{
	t->trace.step_armed = false;
	uctx_step_disarm(&t->hal);
}

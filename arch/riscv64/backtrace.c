/* SPDX-License-Identifier: MIT */
/*
 * Backtraces without frame pointers: every word of the stack that is an address just behind a call
 * instruction of the kernel counts as a return address. Stale ones may appear; none is missed.
 */
#include <arch/trap.h>
#include <compiler.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/upcall.h>

extern char __text_start[], __text_end[];

/* The instruction before @ip is jal ra, jalr ra or c.jalr. */
static bool follows_call(unsigned long ip)
{
	const u16 *p = (const u16 *)ip;
	u32 insn;

	if ((ip & 1) || ip < (unsigned long)__text_start + 4 || ip > (unsigned long)__text_end)
		return false;
	insn = p[-2] | (u32)p[-1] << 16;
	if ((insn & 0xfff) == 0x0ef || (insn & 0x7fff) == 0x00e7)
		return true;
	return (p[-1] & 0xf07f) == 0x9002 && (p[-1] & 0x0f80) != 0;
}

/* Where the stack that @sp is in ends; the page's end if it is nobody's known stack. */
static unsigned long stack_end(unsigned long sp)
{
	const struct arch_thread *thread = &arch_current()->arch;

	if (hal_in_irq_stack(sp))
		return percpu(hal_irq_stack).top;
	if (sp >= thread->stack_low && sp < thread->stack_high)
		return thread->stack_high;
	if (sp >= (unsigned long)boot_stack && sp < (unsigned long)boot_stack_top)
		return (unsigned long)boot_stack_top;
	return ALIGN_UP(sp + 1, PAGE_SIZE);
}

void arch_backtrace(unsigned long fp, void (*fn)(unsigned long ip))
{
	unsigned long sp = fp ? fp & ~7UL : (unsigned long)__builtin_frame_address(0);
	unsigned long end = stack_end(sp);

	for (; sp < end; sp += sizeof(unsigned long)) {
		unsigned long ip = *(unsigned long *)sp;

		if (follows_call(ip))
			fn(ip);
		if (sp == percpu(hal_irq_stack).top - sizeof(unsigned long)) {
			sp = *(unsigned long *)(sp + sizeof(unsigned long));
			end = stack_end(sp);
		}
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * The stacks of interrupt handlers: <hal/cpu.h>.
 *
 * No locking: each CPU has its own, and uses it with interrupts off.
 */
#include <hal/cpu.h>
#include <hal/paging.h>

#define WORD_ABOVE 16 /* of the interrupted stack pointer, and keeps the alignment */

DEFINE_PERCPU(struct hal_irq_stack, hal_irq_stack);

/* Each page is touched where a fault for an old TLB entry can still be handled: riscv64. */
void hal_irq_stack_set(unsigned int cpu, void *stack, size_t size)
{
	struct hal_irq_stack *s = &percpu_of(hal_irq_stack, cpu);

	for (size_t at = 0; at < size; at += PAGE_SIZE)
		*(volatile unsigned long *)((char *)stack + at) = 0;
	s->low = (unsigned long)stack;
	s->top = s->low + size - WORD_ABOVE;
}

void hal_irq_on_stack(void (*handler)(unsigned long), unsigned long arg)
{
	struct hal_irq_stack *s = &percpu(hal_irq_stack);

	if (s->busy || !s->top) {
		handler(arg);
		return;
	}
	s->busy = true;
	arch_call_on_stack(handler, arg, s->top, s->low);
	s->busy = false;
}

/* SPDX-License-Identifier: MIT */
/*
 * Kernel address space beyond the linear map, and the kernel stacks in it.
 *
 * A stack is KSTACK_SIZE bytes of single pages mapped above an unmapped guard page, so that an overflow faults
 * instead of corrupting. Mapping and unmapping costs TLB flushes on all CPUs, so a freed stack stays mapped and is
 * kept for the next task: first on this CPU's short list, then on the common one.
 *
 * Locking: kva_lock for the address space and the common list; the per-CPU list with interrupts off.
 */
#include <hal/cpu.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <lock.h>
#include <mm/internal.h>

#define STACK_PAGES (KSTACK_SIZE / PAGE_SIZE)
#define CPU_STACKS  8

struct stack_list {
	unsigned int count;
	void *stack[CPU_STACKS];
};

/* A free stack's lowest word links it. */
struct free_stack {
	struct free_stack *next;
};

static struct spinlock kva_lock = SPINLOCK_INIT(RANK_BUDDY);
static vaddr_t kva_next = VMALLOC_BASE; /* kva_lock */
static struct free_stack *free_stacks;	/* kva_lock */
static DEFINE_PERCPU(struct stack_list, cpu_stacks);

vaddr_t kernel_va_reserve(u64 size)
{
	unsigned long flags = spin_lock_irqsave(&kva_lock);
	vaddr_t va = 0;

	size = ALIGN_UP(size, PAGE_SIZE);
	if (size <= VMALLOC_END - kva_next) {
		va = kva_next;
		kva_next += size;
	}
	spin_unlock_irqrestore(&kva_lock, flags);
	return va;
}

/* Back [va, va + KSTACK_SIZE) with pages. Return: false without memory, with nothing left mapped. */
static bool stack_map(vaddr_t va)
{
	struct page *page[STACK_PAGES];
	unsigned int n;

	for (n = 0; n < STACK_PAGES; n++) {
		page[n] = page_alloc(GFP_KERNEL, 0);
		if (!page[n])
			goto undo;
		if (hal_kernel_map(va + n * PAGE_SIZE, page_to_phys(page[n]), PAGE_SIZE,
				   HAL_READ | HAL_WRITE | HAL_GLOBAL)) {
			page_put(page[n]);
			goto undo;
		}
	}
	return true;
undo:
	if (n)
		hal_kernel_unmap(va, n * PAGE_SIZE);
	while (n-- > 0)
		page_put(page[n]);
	return false;
}

/* A new stack above an unmapped guard page. NULL without memory or address space. */
static void *stack_create(void)
{
	vaddr_t va = kernel_va_reserve(PAGE_SIZE + KSTACK_SIZE);

	if (!va || !stack_map(va + PAGE_SIZE))
		return NULL; /* the address range, if there was one, is lost */
	return (void *)(va + PAGE_SIZE);
}

static void *stack_from_cpu(void)
{
	unsigned long flags = hal_irq_save();
	struct stack_list *list = &percpu(cpu_stacks);
	void *stack = list->count ? list->stack[--list->count] : NULL;

	hal_irq_restore(flags);
	return stack;
}

void *kstack_alloc(void)
{
	void *stack = stack_from_cpu();
	unsigned long flags;

	if (stack)
		return stack;
	flags = spin_lock_irqsave(&kva_lock);
	stack = free_stacks;
	if (stack)
		free_stacks = free_stacks->next;
	spin_unlock_irqrestore(&kva_lock, flags);
	return stack ? stack : stack_create();
}

void kstack_free(void *stack)
{
	unsigned long flags = hal_irq_save();
	struct stack_list *list = &percpu(cpu_stacks);

	if (list->count < CPU_STACKS) {
		list->stack[list->count++] = stack;
	} else {
		struct free_stack *s = stack;

		spin_lock(&kva_lock);
		s->next = free_stacks;
		free_stacks = s;
		spin_unlock(&kva_lock);
	}
	hal_irq_restore(flags);
}

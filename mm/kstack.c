/* SPDX-License-Identifier: MIT */
/*
 * Kernel address space beyond the linear map, and the kernel stacks in it.
 *
 * A stack is KSTACK_SIZE bytes of single pages mapped above an unmapped guard page, so that an overflow faults
 * instead of corrupting. Mapping and unmapping costs TLB flushes on all CPUs, so a freed stack stays mapped and is
 * kept for the next task: first on this CPU's short list, then on the common one. When memory is short, those on the common list give
 * their pages back (a shrinker); their addresses are remembered and used first.
 *
 * Locking: kva_lock for the address space, the common list and which stacks are hollow; the per-CPU list with interrupts off.
 */
#include <hal/cpu.h>
#include <hal/upcall.h>
#include <lib/bitmap.h>
#include <lib/string.h>
#include <lock.h>
#include <mm/internal.h>

static_assert(KSTACK_SIZE % PAGE_SIZE == 0);

#define STACK_PAGES (KSTACK_SIZE / PAGE_SIZE)
#define CPU_STACKS  8
#define MAX_STACKS  40000u /* a little more than there can be tasks */
#define STACK_STRIDE (PAGE_SIZE + KSTACK_SIZE)
#define SHRINK_BATCH 64u /* stacks a turn: each costs a TLB flush */

struct stack_list {
	unsigned int count;
	void *stack[CPU_STACKS];
};

/* A free stack's lowest word links it. */
struct free_stack {
	struct free_stack *next;
};

static struct spinlock kva_lock = SPINLOCK_INIT(RANK_BUDDY);
static vaddr_t kva_next = VMALLOC_BASE;		     /* kva_lock */
static struct free_stack *free_stacks;		     /* kva_lock */
static vaddr_t stack_area;			     /* where they begin; set by the first */
static unsigned int nstacks;			     /* kva_lock: had addresses so far */
static unsigned long hollow[(MAX_STACKS + 63) / 64]; /* kva_lock: had, and have no pages */
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

static void stack_unmap(vaddr_t va)
{
	struct hal_pte_info pte[STACK_PAGES];

	for (unsigned int n = 0; n < STACK_PAGES; n++)
		if (!hal_kernel_query(va + n * PAGE_SIZE, &pte[n]))
			panic("a kernel stack is not mapped");
	hal_kernel_unmap(va, KSTACK_SIZE);
	for (unsigned int n = 0; n < STACK_PAGES; n++)
		page_put(phys_to_page(pte[n].pa));
}

static void set_hollow(unsigned int number)
{
	unsigned long flags = spin_lock_irqsave(&kva_lock);

	bitmap_set_bit(hollow, number);
	spin_unlock_irqrestore(&kva_lock, flags);
}

/* When memory is short. Interrupts must be on, for the TLB flush; who asks with them off gets nothing. */
static u64 shrink_stacks(void)
{
	u64 freed = 0;

	while (hal_irq_enabled() && freed < SHRINK_BATCH * STACK_PAGES) {
		unsigned long flags = spin_lock_irqsave(&kva_lock);
		struct free_stack *s = free_stacks;

		if (s)
			free_stacks = s->next;
		spin_unlock_irqrestore(&kva_lock, flags);
		if (!s)
			break;
		stack_unmap((vaddr_t)s);
		set_hollow((unsigned int)(((vaddr_t)s - stack_area) / STACK_STRIDE));
		freed += STACK_PAGES;
	}
	return freed;
}

/* Addresses for a stack that has no pages; MAX_STACKS: there are none left. */
static unsigned int take_number(void)
{
	unsigned long flags = spin_lock_irqsave(&kva_lock);
	unsigned int n = (unsigned int)bitmap_find_first(hollow, nstacks);

	if (n < nstacks)
		bitmap_clear_bit(hollow, n);
	else if (nstacks < MAX_STACKS)
		nstacks++;
	else
		n = MAX_STACKS;
	spin_unlock_irqrestore(&kva_lock, flags);
	return n;
}

/* A new stack above an unmapped guard page. NULL without memory or address space. */
static void *stack_create(void)
{
	unsigned int number;
	vaddr_t va;

	if (!stack_area) { /* for the boot CPU's first task: nobody else is there yet */
		stack_area = kernel_va_reserve(MAX_STACKS * STACK_STRIDE);
		mm_register_shrinker(shrink_stacks);
	}
	number = stack_area ? take_number() : MAX_STACKS;
	if (number == MAX_STACKS)
		return NULL;
	va = stack_area + number * STACK_STRIDE + PAGE_SIZE;
	if (stack_map(va))
		return (void *)va;
	set_hollow(number);
	return NULL;
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

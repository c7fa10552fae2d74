/* SPDX-License-Identifier: MIT */
/*
 * The user's floating-point and vector state.
 *
 * A task's state is live on a CPU while x86_fpu_owner is the task there and task->arch.fpu_cpu is that
 * CPU; otherwise it is in task->arch.fpu. A switch saves the leaving task's live state and leaves
 * the registers alone: a task that comes back to the same CPU, with no other user task in between, restores
 * nothing. uctx_run() calls x86_fpu_restore() when the owner is another.
 *
 * Areas are carved out of whole pages and kept on a list of their own when free, so there are as many
 * as there were user threads at one time.
 *
 * Locking: area_lock guards the free list, interrupts off. Everything else is the current task's own.
 * Source: Intel SDM volume 1 chapter 13.
 */
#include <arch/x86.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <lib/string.h>

DEFINE_PERCPU(struct hal_task *, x86_fpu_owner);

struct x86_xcomp x86_xcomp[X86_XCOMP_MAX];
u32 x86_mxcsr_mask;

/* No component present, so each gets its initial state; MXCSR is loaded in any case. */
static const u8 initial[X86_XSAVE_MIN] __aligned(64) = {
	[X86_FX_MXCSR] = X86_MXCSR_INIT & 0xff,
	[X86_FX_MXCSR + 1] = X86_MXCSR_INIT >> 8,
};

struct free_area {
	struct free_area *next;
};
static struct free_area *free_areas;
static unsigned int area_lock;

static unsigned long areas_lock(void)
{
	unsigned long flags = hal_irq_save();

	while (__atomic_exchange_n(&area_lock, 1, __ATOMIC_ACQUIRE))
		hal_cpu_relax();
	return flags;
}

static void areas_unlock(unsigned long flags)
{
	__atomic_store_n(&area_lock, 0, __ATOMIC_RELEASE);
	hal_irq_restore(flags);
}

static void find_mxcsr_mask(void)
{
	static u8 image[X86_FX_SIZE] __aligned(16);
	u32 mask;

	__asm__ __volatile__("fxsave64 %0" : "=m"(image));
	memcpy(&mask, image + X86_FX_MXCSR_MASK, sizeof(mask));
	x86_mxcsr_mask = mask ? mask : 0xffbf;
}

void x86_fpu_init(void)
{
	struct x86_features *f = &x86_features;

	f->xsave_size = X86_FX_SIZE;
	find_mxcsr_mask();
	if (!f->xsave)
		return;
	f->xsave_size = cpuid(0xd, 0).b;
	if (f->xsave_size > PAGE_SIZE)
		panic("x86: XSAVE area of %u bytes", f->xsave_size);
	for (unsigned int i = 2; i < X86_XCOMP_MAX; i++) {
		struct cpuid c = cpuid(0xd, i);

		if (f->xfeatures & BIT(i))
			x86_xcomp[i] = (struct x86_xcomp){ .offset = c.b, .size = c.a };
	}
}

void *x86_fpu_alloc(void)
{
	size_t size = ALIGN_UP(x86_features.xsave_size, 64U);
	unsigned long flags = areas_lock();
	struct free_area *area = free_areas;

	if (!area) {
		paddr_t pa = upcall_pt_alloc();
		char *page = pa ? phys_to_virt(pa) : NULL;

		for (size_t at = 0; page && at + size <= PAGE_SIZE; at += size) {
			area = (struct free_area *)(page + at);
			area->next = free_areas;
			free_areas = area;
		}
	}
	if (area)
		free_areas = area->next;
	areas_unlock(flags);
	if (area)
		area->next = NULL;
	return area;
}

void x86_fpu_free(void *ptr)
{
	struct free_area *area = ptr;
	unsigned long flags = areas_lock();

	area->next = free_areas;
	free_areas = area;
	areas_unlock(flags);
}

/* Leaves out what is in its initial state or unchanged since it was loaded from @area. */
static void save_changed(void *area)
{
	if (x86_features.xsaveopt)
		__asm__ __volatile__("xsaveopt64 (%0)" ::"r"(area), "a"(~0U), "d"(~0U) : "memory");
	else if (x86_features.xsave)
		__asm__ __volatile__("xsave64 (%0)" ::"r"(area), "a"(~0U), "d"(~0U) : "memory");
	else
		__asm__ __volatile__("fxsave64 (%0)" ::"r"(area) : "memory");
}

static void save_all(void *area)
{
	if (x86_features.xsave)
		__asm__ __volatile__("xsave64 (%0)" ::"r"(area), "a"(~0U), "d"(~0U) : "memory");
	else
		__asm__ __volatile__("fxsave64 (%0)" ::"r"(area) : "memory");
}

/* Make what is in @area @task's live state. Interrupts off. */
static void load(struct hal_task *task, const void *area)
{
	if (x86_features.xsave)
		__asm__ __volatile__("xrstor64 (%0)" ::"r"(area), "a"(~0U), "d"(~0U) : "memory");
	else
		__asm__ __volatile__("fxrstor64 (%0)" ::"r"(area) : "memory");
	percpu(x86_fpu_owner) = task;
	task->arch.fpu_cpu = hal_cpu_id();
}

void x86_fpu_restore(struct hal_task *task)
{
	load(task, task->arch.fpu);
}

static bool is_live(const struct hal_task *task)
{
	return percpu(x86_fpu_owner) == task && task->arch.fpu_cpu == hal_cpu_id();
}

void x86_fpu_switch(struct hal_task *prev, struct hal_task *next)
{
	struct hal_task *owner = percpu(x86_fpu_owner);

	if (owner == prev && prev->arch.fpu)
		save_changed(prev->arch.fpu);
	/* It ran elsewhere since: what is in the registers here is old. */
	if (owner == next && next->arch.fpu_cpu != hal_cpu_id())
		percpu(x86_fpu_owner) = NULL;
}

void x86_fpu_save(struct hal_task *task, void *area)
{
	unsigned long flags = hal_irq_save();

	if (!is_live(task))
		x86_fpu_restore(task);
	save_all(area);
	hal_irq_restore(flags);
}

int x86_fpu_save_user(struct hal_task *task, uaddr_t area)
{
	unsigned long flags = hal_irq_save();
	int r;

	if (!is_live(task))
		x86_fpu_restore(task);
	r = x86_xsave_user(area, x86_features.xsave_size);
	hal_irq_restore(flags);
	return r;
}

int x86_fpu_load_user(struct hal_task *task, uaddr_t area, u64 components)
{
	unsigned long flags = hal_irq_save();
	int r;

	load(task, initial);
	r = x86_xrstor_user(area, x86_features.xsave_size, components);
	hal_irq_restore(flags);
	return r;
}

u8 *x86_fpu_image(struct hal_task *task)
{
	if (task == arch_current())
		x86_fpu_save(task, task->arch.fpu);
	return task->arch.fpu;
}

void x86_fpu_changed(struct hal_task *task)
{
	unsigned long flags = hal_irq_save();

	if (percpu(x86_fpu_owner) == task)
		percpu(x86_fpu_owner) = NULL;
	task->arch.fpu_cpu = ~0U;
	hal_irq_restore(flags);
}

static void reset_image(struct hal_task *task)
{
	u8 *area = task->arch.fpu;

	memset(area, 0, x86_features.xsave ? X86_XSAVE_MIN : X86_FX_SIZE);
	*(u16 *)area = X86_FCW_INIT;
	*(u32 *)(area + X86_FX_MXCSR) = X86_MXCSR_INIT;
	x86_fpu_changed(task);
}

void x86_fpu_reset(struct hal_task *task)
{
	unsigned long flags;

	if (!x86_features.xsave || task != arch_current()) {
		reset_image(task);
		return;
	}
	flags = hal_irq_save();
	load(task, initial);
	hal_irq_restore(flags);
}

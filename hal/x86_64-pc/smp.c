/* SPDX-License-Identifier: MIT */
/*
 * Starting the other CPUs: INIT, then SIPI to the trampoline of arch/x86_64/entry.S.
 *
 * The boot CPU starts them one at a time. The trampoline runs on the boot table, whose first entry maps low
 * memory at its own address; for this its kernel half is replaced by the final table's.
 * Source: Intel SDM volume 3A section 9.4.
 */
#include "pc.h"

#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <hal/pt_radix.h>
#include <hal/timer.h>
#include <hal/tlb.h>
#include <hal/upcall.h>
#include <lib/string.h>

#define START_TIMEOUT_NS 200000000

struct trampoline_args {
	u64 cr3, stack, percpu_offset, entry;
};

extern char x86_trampoline[], x86_trampoline_end[], x86_trampoline_args[];
extern u64 early_pml4[512];
extern unsigned long x86_percpu_offset;

static unsigned int arrived; /* atomic: the CPU that left the trampoline last */

static void secondary_start(void)
{
	unsigned int cpu = hal_cpu_id();
	struct hal_task *task = percpu(x86_current);

	x86_cpu_enable();
	x86_desc_init(cpu);
	hal_pt_activate(NULL);
	arch_tlb_flush_local_kernel(0, ~0UL); /* what the trampoline's table left behind */
	hal_set_current(task);
	lapic_init_cpu();
	tlb_cpu_online();
	__atomic_store_n(&arrived, cpu, __ATOMIC_RELEASE);
	upcall_secondary_main();
}

/* The table below 4 GiB that a CPU in 32-bit mode can load: identity below, the kernel above. */
static void prepare_table(void)
{
	const u64 *kernel = phys_to_virt(pt_kernel_root());

	memcpy(early_pml4 + 256, kernel + 256, 256 * sizeof(u64));
}

static void prepare_trampoline(unsigned int cpu, void *stack)
{
	u8 *page = phys_to_virt(X86_TRAMPOLINE);
	struct trampoline_args *args = (void *)(page + (x86_trampoline_args - x86_trampoline));

	memcpy(page, x86_trampoline, (size_t)(x86_trampoline_end - x86_trampoline));
	args->cr3 = arch_image_to_phys(early_pml4);
	args->stack = (u64)stack;
	args->percpu_offset = hal_percpu_offset[cpu];
	args->entry = (u64)secondary_start;
	smp_mb();
}

static bool wait_arrived(unsigned int cpu, u64 ns)
{
	u64 end = hal_clock_ns() + ns;

	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) != cpu) {
		if (hal_clock_ns() >= end)
			return false;
		hal_cpu_relax();
	}
	return true;
}

int hal_cpu_start(unsigned int cpu, void *stack, struct hal_task *task)
{
	u32 apic_id = (u32)boot_info.cpu_hwid[cpu];

	/* The old interrupt command register addresses 8 bits, of which all ones mean everyone. */
	if (!x86_features.x2apic && apic_id >= 0xff)
		return -ENODEV;
	if (x86_desc_alloc(cpu))
		return -ENOMEM;
	percpu_of(x86_percpu_offset, cpu) = hal_percpu_offset[cpu];
	percpu_of(x86_current, cpu) = task;
	prepare_table();
	prepare_trampoline(cpu, stack);
	lapic_start_cpu(apic_id, 0, true);
	/* Real CPUs of the nineties want 10 ms here; those with x2APIC want nothing. */
	pc_delay_ns(x86_features.x2apic || x86_features.hypervisor ? 10000 : 10000000);
	lapic_start_cpu(apic_id, X86_TRAMPOLINE >> 12, false);
	if (wait_arrived(cpu, 1000000))
		return 0;
	lapic_start_cpu(apic_id, X86_TRAMPOLINE >> 12, false);
	return wait_arrived(cpu, START_TIMEOUT_NS) ? 0 : -EIO;
}

void hal_cpu_idle(void)
{
	/* The interrupt that STI lets in comes after HLT has begun, so it ends it. */
	__asm__ __volatile__("sti\n\thlt" ::: "memory");
}

__noreturn void hal_cpu_halt(void)
{
	for (;;)
		__asm__ __volatile__("cli\n\thlt" ::: "memory");
}

/* SPDX-License-Identifier: MIT */
/*
 * Starting the other CPUs and interrupting them.
 *
 * A secondary CPU gets its struct secondary_boot (linear-map or image address) from PSCI in x0; entry.S
 * reads it after the MMU is on. One that comes from a spin table has nothing in x0 and looks for its MPIDR in the array. TLB maintenance is broadcast by hardware, so HAL_IPI_TLB is never sent.
 */
#include "psci.h"

#include <arch/barrier.h>
#include <arch/cpufeature.h>
#include <arch/layout.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/ipi.h>
#include <hal/upcall.h>

/* The layout is known to entry.S. */
struct secondary_boot {
	u64 percpu;
	void *stack;
	struct hal_task *task;
	u64 mpidr;
};

static_assert(sizeof(struct secondary_boot) == 32 && offsetof(struct secondary_boot, mpidr) == 24);

struct secondary_boot secondary_boot[CONFIG_NR_CPUS];
static const struct hal_ipi_ops *ipi_ops;

extern char secondary_entry[], secondary_spin_entry[];
__noreturn void hal_secondary_boot(void);

int hal_cpu_start(unsigned int cpu, void *stack, struct hal_task *task)
{
	struct secondary_boot *sb = &secondary_boot[cpu];
	int err;

	sb->percpu = hal_percpu_offset[cpu];
	sb->stack = stack;
	sb->task = task;
	sb->mpidr = boot_info.cpu_hwid[cpu];
	io_cache_flush(sb, sizeof(*sb));
	err = spintable_cpu_on(sb->mpidr, arch_image_to_phys(secondary_spin_entry));
	if (err != -ENODEV)
		return err;
	return psci_cpu_on(sb->mpidr, arch_image_to_phys(secondary_entry), (u64)sb);
}

__noreturn void hal_secondary_boot(void)
{
	aarch64_cpu_init();
	timer_cpu_init();
	if (ipi_ops)
		ipi_ops->cpu_init();
	upcall_secondary_main();
}

void hal_ipi_register(const struct hal_ipi_ops *ops)
{
	ipi_ops = ops;
}

/* What was stored before is seen by the CPU that takes the interrupt. */
void hal_ipi_send(unsigned int cpu, enum hal_ipi ipi)
{
	dsb(ishst);
	if (ipi_ops)
		ipi_ops->send(cpu, ipi);
}

void hal_ipi_handle(unsigned int ipi)
{
	switch (ipi) {
	case HAL_IPI_RESCHED:
		upcall_ipi_resched();
		break;
	case HAL_IPI_CALL:
		upcall_ipi_call();
		break;
	case HAL_IPI_STOP:
		hal_cpu_halt();
	default:
		klog(4, "ipi: unexpected number %u\n", ipi);
	}
}

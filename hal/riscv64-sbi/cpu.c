/* SPDX-License-Identifier: MIT */
/*
 * CPUs: start (HSM), interrupting each other (IPI), idling, stopping.
 *
 * An interprocessor interrupt carries no data: the sender sets a bit in the receiver's per-CPU word
 * first, and the receiver takes all bits at once after it has cleared the interrupt.
 *
 *	sender				receiver
 *	set bit (release)		clear SSIP
 *	raise SSIP			exchange the word with 0 (acquire)
 *
 * A bit set after the exchange raises SSIP after it was cleared, so it is seen by the next interrupt.
 */
#include "sbi.h"

#include <arch/barrier.h>
#include <arch/csr.h>
#include <arch/trap.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/pt_radix.h>
#include <hal/tlb.h>
#include <hal/upcall.h>

static DEFINE_PERCPU(u32, ipi_pending);
static struct riscv64_start_args start_args[CONFIG_NR_CPUS];

void riscv64_cpu_init(void)
{
	csr_write(sie, IE_SSIE | IE_SEIE);
	csr_write(scounteren, SCOUNTEREN_TM);
	if (riscv64_cbo_zero_size)
		csr_write(senvcfg, SENVCFG_CBZE);
	imsic_cpu_init();
}

int hal_cpu_start(unsigned int cpu, void *stack, struct hal_task *task)
{
	struct riscv64_start_args *args = &start_args[cpu];
	struct sbi_ret ret;

	args->satp = SATP_SV39 | pt_kernel_root() >> 12;
	args->stack = (unsigned long)stack;
	args->task = (unsigned long)task;
	task->arch.percpu = hal_percpu_offset[cpu];
	mb();
	ret = sbi_call(SBI_EXT_HSM, SBI_HSM_START, boot_info.cpu_hwid[cpu],
		       arch_image_to_phys(riscv64_secondary), arch_image_to_phys(args), 0, 0);
	return ret.error ? -EIO : 0;
}

__noreturn void riscv64_secondary_start(void)
{
	riscv64_cpu_init();
	tlb_cpu_online();
	arch_tlb_flush_local_kernel(0, ~0UL); /* what changed since the first fetch */
	csr_set(sip,
		IE_SSIE); /* a bit may have been set while this hart could not be interrupted */
	upcall_secondary_main();
}

void hal_cpu_idle(void)
{
	/* wfi ends for a pending interrupt even while interrupts are off. */
	__asm__ __volatile__("wfi" ::: "memory");
	hal_irq_enable();
}

__noreturn void hal_cpu_halt(void)
{
	hal_irq_disable();
	csr_write(sie, 0);
	for (;;)
		__asm__ __volatile__("wfi" ::: "memory");
}

void hal_ipi_send(unsigned int cpu, enum hal_ipi ipi)
{
	u32 old = __atomic_fetch_or(&percpu_of(ipi_pending, cpu), 1U << ipi, __ATOMIC_SEQ_CST);

	if (old == 0) /* else an interrupt is on its way already */
		sbi_call(SBI_EXT_IPI, SBI_IPI_SEND, 1, boot_info.cpu_hwid[cpu], 0, 0, 0);
}

void riscv64_ipi_interrupt(void)
{
	u32 pending;

	csr_clear(sip, IE_SSIE);
	pending = __atomic_exchange_n(&percpu(ipi_pending), 0, __ATOMIC_SEQ_CST);
	if (pending & (1U << HAL_IPI_STOP))
		hal_cpu_halt();
	if (pending & (1U << HAL_IPI_TLB))
		tlb_handle_ipi();
	if (pending & (1U << HAL_IPI_CALL))
		upcall_ipi_call();
	if (pending & (1U << HAL_IPI_RESCHED))
		upcall_ipi_resched();
}

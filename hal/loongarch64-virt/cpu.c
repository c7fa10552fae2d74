/* SPDX-License-Identifier: MIT */
/*
 * CPUs of Loongson machines: interprocessor interrupts and starting, both through IOCSR.
 *
 * Each core has a status word of 32 interrupt bits, of which one is used: what is wanted is in a word
 * of per-CPU memory, so that several requests cost one interrupt.
 *
 *	sender				receiver
 *	set bit in ipi_wanted		clear the hardware's status
 *	IPI_SEND			take and clear ipi_wanted
 *
 * A bit that is set after it was taken comes with an interrupt that was sent after the clearing.
 *
 * A core that has not been started waits in the firmware's loop until its mailbox 0 is not zero and
 * jumps there, translation off. Its stack, task and per-CPU offset are in arch_secondary_args (entry.S).
 *
 * Source: Loongson 3A5000 user manual, chapter 10 (interprocessor interrupts).
 */
#include "machine.h"

#include <arch/layout.h>
#include <arch/pte.h>
#include <arch/trap.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/tlb.h>
#include <hal/upcall.h>

#define SEND_BLOCKING  (1ULL << 31)
#define SEND_CPU(hwid) ((u64)(hwid) << 16)
#define MAIL_BOX(n, high) ((u64)((n) * 2 + (high)) << 2)

static DEFINE_PERCPU(u32, ipi_wanted); /* atomic: a bit for each enum hal_ipi */

extern char arch_secondary_entry[];

/* Page table with which entry.S starts a CPU, and what the CPU of a number is to use. entry.S knows the layout. */
paddr_t arch_secondary_root __section(".data");
struct secondary_args {
	u64 hwid;
	void *stack;
	struct hal_task *task;
	u64 percpu;
};
static_assert(sizeof(struct secondary_args) == 32);
struct secondary_args arch_secondary_args[CONFIG_NR_CPUS];

static void send_interrupt(unsigned int cpu)
{
	iocsr_write32((u32)(SEND_BLOCKING | SEND_CPU(boot_info.cpu_hwid[cpu])), IOCSR_IPI_SEND);
}

void hal_ipi_send(unsigned int cpu, enum hal_ipi ipi)
{
	u32 old = __atomic_fetch_or(&percpu_of(ipi_wanted, cpu), 1U << ipi, __ATOMIC_SEQ_CST);

	if (old == 0)
		send_interrupt(cpu);
}

void machine_ipi(void)
{
	u32 wanted;

	iocsr_write32(iocsr_read32(IOCSR_IPI_STATUS), IOCSR_IPI_CLEAR);
	wanted = __atomic_exchange_n(&percpu(ipi_wanted), 0, __ATOMIC_SEQ_CST);
	if (wanted & (1U << HAL_IPI_STOP))
		hal_cpu_halt();
	if (wanted & (1U << HAL_IPI_TLB))
		tlb_handle_ipi();
	if (wanted & (1U << HAL_IPI_CALL))
		upcall_ipi_call();
	if (wanted & (1U << HAL_IPI_RESCHED))
		upcall_ipi_resched();
}

/* What was sent before this CPU ran may have been cleared by the firmware's loop: it is sent again. */
void cpu_init_ipi(void)
{
	iocsr_write32(U32_MAX, IOCSR_IPI_EN);
	if (__atomic_load_n(&percpu(ipi_wanted), __ATOMIC_SEQ_CST))
		send_interrupt(hal_cpu_id());
}

static void send_mail(unsigned int cpu, unsigned int box, u64 value)
{
	u64 head = SEND_BLOCKING | SEND_CPU(boot_info.cpu_hwid[cpu]);

	/* The low half last: the waiting loop looks at it. */
	iocsr_write64((value & 0xffffffff00000000ULL) | head | MAIL_BOX(box, 1), IOCSR_MAIL_SEND);
	iocsr_write64(value << 32 | head | MAIL_BOX(box, 0), IOCSR_MAIL_SEND);
}

int hal_cpu_start(unsigned int cpu, void *stack, struct hal_task *task)
{
	arch_secondary_root = pt_kernel_root();
	arch_secondary_args[cpu] = (struct secondary_args){ boot_info.cpu_hwid[cpu], stack, task,
							    hal_percpu_offset[cpu] };
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	send_mail(cpu, 0, arch_image_to_phys(arch_secondary_entry));
	send_interrupt(cpu);
	return 0;
}

void machine_secondary(void)
{
	arch_cpu_init();
	arch_timer_init_cpu();
	cpu_init_ipi();
	eiointc_cpu_init();
	tlb_cpu_online();
	upcall_secondary_main();
}

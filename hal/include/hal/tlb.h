/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown by interprocessor interrupt, for CPUs that cannot flush each other in hardware
 * (x86_64, loongarch64, riscv64 without the SBI's RFENCE).
 *
 * hal/common/tlb.c implements hal_tlb_flush_page(), _range(), _all() and arch_tlb_flush_kernel() for
 * an arch whose Kconfig selects ARCH_TLB_IPI. In return the arch
 *
 *	- puts `struct tlb_cpus tlb;` into its struct hal_pt (zeroed by arch_pt_init),
 *	- calls tlb_activate(pt) in hal_pt_activate() BEFORE it loads the table,
 *	- calls tlb_handle_ipi() when HAL_IPI_TLB arrives,
 *	- calls tlb_cpu_online() on each CPU once it can take that interrupt,
 *	- defines the four arch_ functions below.
 *
 * A CPU stays in the mask of a table after it has switched away, because translations tagged with an
 * ASID survive the switch. The first request that finds the table inactive there flushes all of it and
 * takes the CPU out of the mask, so an address space is not followed by interrupts to every CPU it
 * ever ran on.
 *
 * Locking: none. Each CPU has one request of its own (the kernel is not preemptible, and interrupt
 * handlers do not flush) and one inbox, a bit mask of the CPUs whose requests wait for it.
 *
 *	flushing CPU				CPU that activates the table
 *	store the changed entry			set own bit in the mask
 *	full barrier				full barrier
 *	read the mask				load the table, walk it
 *
 * Either the flusher sees the bit, or the other CPU sees the changed entry.
 */
#ifndef HAL_TLB_H
#define HAL_TLB_H

#include <types.h>

#define TLB_CPU_WORDS ((CONFIG_NR_CPUS + 63) / 64)

struct hal_pt;

/* CPUs that may hold translations of a table; atomic. */
struct tlb_cpus {
	u64 mask[TLB_CPU_WORDS];
};

/** tlb_activate() - this CPU is about to load the table. Interrupts off; full barrier included. */
void tlb_activate(struct hal_pt *pt);

/** tlb_cpu_online() - this CPU holds kernel translations from now on and answers requests. */
void tlb_cpu_online(void);

/** tlb_handle_ipi() - carry out what other CPUs asked of this one. Interrupts off. */
void tlb_handle_ipi(void);

/*
 * Provided by the arch; each works on the calling CPU only, interrupts off.
 * arch_tlb_flush_local():	  forget @pt's translations of [start, end)
 * arch_tlb_flush_local_all():	  forget all of @pt's translations
 * arch_tlb_flush_local_kernel(): forget the kernel's translations of [start, end)
 * arch_pt_is_active():		  @pt is the table this CPU has loaded
 */
void arch_tlb_flush_local(struct hal_pt *pt, uaddr_t start, uaddr_t end);
void arch_tlb_flush_local_all(struct hal_pt *pt);
void arch_tlb_flush_local_kernel(vaddr_t start, vaddr_t end);
bool arch_pt_is_active(const struct hal_pt *pt);

#endif

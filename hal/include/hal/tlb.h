/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown by interprocessor interrupt, for CPUs that cannot flush each other in hardware
 * (x86_64, loongarch64, riscv64).
 *
 * hal/common/tlb.c implements hal_tlb_flush_page(), _range(), _all() and arch_tlb_flush_kernel() for
 * an arch whose Kconfig selects ARCH_TLB_IPI. In return the arch
 *
 *	- puts `struct tlb_cpus tlb;` into its struct hal_pt (zeroed by arch_pt_init),
 *	- in hal_pt_activate() notes the table as active, calls tlb_activate(pt), and then loads the table; leaving one for
 *	  the kernel's it notes that after loading,
 *	- calls tlb_handle_ipi() when HAL_IPI_TLB arrives,
 *	- calls tlb_cpu_online() on each CPU once it can take that interrupt,
 *	- defines the arch_ functions below.
 *
 * A CPU stays in the mask of a table after it has switched away, because translations tagged with an
 * ASID survive the switch. A CPU that does not run the address space is not interrupted: its bit in `stale` says that it
 * has to forget all of the table's translations before it uses them again. So a process whose threads sleep does not wake
 * idle CPUs with every page it unmaps.
 *
 * Locking: none. Each CPU has one request of its own (the kernel is not preemptible, and interrupt
 * handlers do not flush) and one inbox, a bit mask of the CPUs whose requests wait for it.
 *
 *	flushing CPU				CPU that activates the table
 *	store the changed entry			set own bit in the mask
 *	full barrier				full barrier
 *	read the mask				load the table, walk it
 *
 * Either the flusher sees the bit, or the other CPU sees the changed entry. Likewise for a CPU that is not active now:
 *
 *	flushing CPU				CPU that activates the table
 *	set its stale bit			note the table as active
 *	full barrier				full barrier
 *	active there by now? then interrupt	stale? then flush when it is loaded
 */
#ifndef HAL_TLB_H
#define HAL_TLB_H

#include <types.h>

#define TLB_CPU_WORDS ((CONFIG_NR_CPUS + 63) / 64)

struct hal_pt;

/* CPUs that may hold translations of a table; atomic. */
struct tlb_cpus {
	u64 mask[TLB_CPU_WORDS];
	u64 stale[TLB_CPU_WORDS]; /* of those: translations are old, to be flushed before use */
};

/**
 * tlb_activate() - this CPU, which is noted as active, is about to load the table. Interrupts off; full barrier included.
 * Return: what this CPU holds of it is to be forgotten as it is loaded.
 */
bool tlb_activate(struct hal_pt *pt);

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
 * arch_pt_is_active_on():	  the same of any CPU, as noted
 */
void arch_tlb_flush_local(struct hal_pt *pt, uaddr_t start, uaddr_t end);
void arch_tlb_flush_local_all(struct hal_pt *pt);
void arch_tlb_flush_local_kernel(vaddr_t start, vaddr_t end);
bool arch_pt_is_active(const struct hal_pt *pt);
bool arch_pt_is_active_on(const struct hal_pt *pt, unsigned int cpu);

#endif

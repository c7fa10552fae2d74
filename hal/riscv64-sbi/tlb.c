/* SPDX-License-Identifier: MIT */
/*
 * Address-space switches, ASIDs, TLB and instruction cache of a hart.
 *
 * Other harts are asked to flush by interrupt (<hal/tlb.h>), not by the firmware's RFENCE: that waits in M-mode for harts that may be
 * virtual and have to be run first, perhaps where this one spins.
 *
 * Instruction caches: a new page of code is fetched by CPUs that run the same address space, which are told at
 * once, and later by others, which are told when they load a table (icache_stale).
 */
#include "sbi.h"

#include <arch/barrier.h>
#include <arch/csr.h>
#include <arch/trap.h>
#include <compiler.h>
#include <hal/asid.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/pt_radix.h>
#include <hal/tlb.h>
#include <lib/atomic.h>

static_assert(CONFIG_NR_CPUS <= 64, "other_cpus() has a word");

/* More pages of the kernel than this are forgotten by flushing everything. */
#define KERNEL_MAX_PAGES 64

static unsigned int asid_bits;

static DEFINE_PERCPU(unsigned long, loaded_satp);
static DEFINE_PERCPU(struct hal_pt *, loaded_pt); /* other CPUs read it */
static DEFINE_PERCPU(u32, icache_stale);	  /* other CPUs set it */

/* ---- This hart ---- */

static void flush_local_all(void)
{
	__asm__ __volatile__("sfence.vma" ::: "memory");
}

static void flush_local_asid(unsigned long asid)
{
	__asm__ __volatile__("sfence.vma zero, %0" ::"r"(asid) : "memory");
}

static void flush_local_page(unsigned long va, unsigned long asid)
{
	__asm__ __volatile__("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
}

static void load_satp(unsigned long satp)
{
	if (percpu(loaded_satp) == satp)
		return;
	percpu(loaded_satp) = satp;
	csr_write(satp, satp);
	if (asid_bits == 0)
		flush_local_all();
}

void arch_tlb_flush_local(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	for (uaddr_t va = start; va < end; va += PAGE_SIZE)
		flush_local_page(va, asid_hw(&pt->asid));
}

void arch_tlb_flush_local_all(struct hal_pt *pt)
{
	if (asid_bits)
		flush_local_asid(asid_hw(&pt->asid));
	else
		flush_local_all();
}

void arch_tlb_flush_local_kernel(vaddr_t start, vaddr_t end)
{
	if (end - start > KERNEL_MAX_PAGES * PAGE_SIZE) {
		flush_local_all();
		return;
	}
	for (vaddr_t va = start; va < end; va += PAGE_SIZE)
		__asm__ __volatile__("sfence.vma %0" ::"r"(va) : "memory");
}

bool arch_pt_is_active(const struct hal_pt *pt)
{
	return percpu(loaded_pt) == pt;
}

bool arch_pt_is_active_on(const struct hal_pt *pt, unsigned int cpu)
{
	return READ_ONCE(percpu_of(loaded_pt, cpu)) == pt;
}

/* ---- Switching ---- */

/* How many ASID bits satp keeps; too few are not worth an allocator. */
static void __init probe_asid(unsigned long satp)
{
	unsigned long bits;

	csr_write(satp, satp | SATP_ASID_MASK << SATP_ASID_SHIFT);
	bits = csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK;
	csr_write(satp, satp);
	flush_local_all();
	asid_bits = (unsigned int)__builtin_popcountl(bits);
	if (asid_bits < 4)
		asid_bits = 0;
	else
		asid_init(asid_bits, flush_local_all);
}

void __init arch_kernel_activate(paddr_t root)
{
	unsigned long satp = SATP_SV39 | root >> 12;

	csr_write(satp, satp);
	flush_local_all();
	percpu(loaded_satp) = satp;
	probe_asid(satp);
	tlb_cpu_online();
}

int arch_pt_init(struct hal_pt *pt)
{
	pt->asid = (struct hal_asid){ 0 };
	pt->tlb = (struct tlb_cpus){ { 0 } };
	return 0;
}

void arch_pt_fini(struct hal_pt *pt)
{
	/* Its ASID is not given out again before everything was flushed; without ASIDs each switch flushes. */
	(void)pt;
}

/* Other CPUs wrote code that this one may have seen in an older form. The bit was set after the code was. */
static void icache_catch_up(void)
{
	if (unlikely(READ_ONCE(percpu(icache_stale)))) {
		__atomic_exchange_n(&percpu(icache_stale), 0, __ATOMIC_ACQUIRE);
		__asm__ __volatile__("fence.i" ::: "memory");
	}
}

void hal_pt_activate(struct hal_pt *pt)
{
	unsigned long satp = SATP_SV39;
	bool stale;

	if (!pt) {
		load_satp(satp | pt_kernel_root() >> 12);
		WRITE_ONCE(percpu(loaded_pt), NULL);
		return;
	}
	WRITE_ONCE(percpu(loaded_pt), pt);
	stale = tlb_activate(pt);
	icache_catch_up();
	if (asid_bits)
		satp |= (unsigned long)asid_activate(&pt->asid) << SATP_ASID_SHIFT;
	load_satp(satp | virt_to_phys(pt->radix.root) >> 12);
	if (unlikely(stale))
		arch_tlb_flush_local_all(pt);
}

/* ---- Instruction caches ---- */

/* Hart mask words of the SBI: bit i stands for hart base + i. One call for each CPU whose id is far off. */
static void fence_i_on(u64 cpus)
{
	while (cpus) {
		unsigned int first = (unsigned int)__builtin_ctzll(cpus);
		u64 base = boot_info.cpu_hwid[first];
		unsigned long mask = 0;

		for (unsigned int cpu = first; cpu < boot_info.ncpus; cpu++) {
			u64 off = boot_info.cpu_hwid[cpu] - base;

			if ((cpus >> cpu & 1) && off < 64) {
				mask |= 1UL << off;
				cpus &= ~(1ULL << cpu);
			}
		}
		sbi_call(SBI_EXT_RFENCE, SBI_RFENCE_FENCE_I, mask, base, 0, 0, 0);
	}
}

static u64 other_cpus(void)
{
	u64 all = boot_info.ncpus == 64 ? ~0ULL : (1ULL << boot_info.ncpus) - 1;

	return all & ~(1ULL << hal_cpu_id());
}

/* Whole pages are new to their address space; a part of one is being patched, perhaps in another's. */
void hal_icache_sync(const void *va, size_t len)
{
	struct hal_pt *pt = percpu(loaded_pt);
	u64 others = other_cpus(), now = 0;

	(void)va;
	__asm__ __volatile__("fence.i" ::: "memory");
	for (u64 left = others; left; left &= left - 1)
		WRITE_ONCE(percpu_of(icache_stale, __builtin_ctzll(left)), 1);
	mb();
	for (u64 left = others; left; left &= left - 1)
		if (len < PAGE_SIZE || READ_ONCE(percpu_of(loaded_pt, __builtin_ctzll(left))) == pt)
			now |= left & -left;
	fence_i_on(now);
}

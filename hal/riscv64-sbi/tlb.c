/* SPDX-License-Identifier: MIT */
/*
 * Address-space switches and TLB flushes: ASIDs on this hart, the firmware's RFENCE for others.
 *
 * A CPU whose bit is set in pt->cpus may hold translations of the table. Translations survive a switch,
 * but the first flush that finds the table not loaded on a CPU flushes all of the address space there and
 * takes the CPU out of the mask, so a process that moves about does not drag all CPUs along.
 *
 *	flushing CPU				CPU that activates the table
 *	store the changed entry			store loaded_pt
 *	full barrier				full barrier
 *	read the mask				set own bit in the mask
 *	clear a bit, full barrier		full barrier
 *	read loaded_pt there, if it is		load satp, walk the table
 *	the table set the bit again
 *
 * Either the flusher sees the bit, or the other CPU sees the changed entry. A bit that is cleared while
 * the table is being loaded is set again by one of the two.
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
#include <lib/atomic.h>

static_assert(CONFIG_NR_CPUS <= 64, "struct hal_pt has a 64-bit CPU mask");

/* Above so many pages everything of the address space is flushed. */
#define FLUSH_MAX_PAGES 32

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
}

int arch_pt_init(struct hal_pt *pt)
{
	pt->asid = (struct hal_asid){ 0 };
	pt->cpus = 0;
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
	u64 self = 1ULL << hal_cpu_id();
	unsigned long satp = SATP_SV39;

	WRITE_ONCE(percpu(loaded_pt), pt);
	if (!pt) {
		load_satp(satp | pt_kernel_root() >> 12);
		return;
	}
	smp_mb();
	if (!(READ_ONCE(pt->cpus) & self))
		__atomic_fetch_or(&pt->cpus, self, __ATOMIC_SEQ_CST);
	smp_mb();
	icache_catch_up();
	if (asid_bits)
		satp |= (unsigned long)asid_activate(&pt->asid) << SATP_ASID_SHIFT;
	load_satp(satp | virt_to_phys(pt->radix.root) >> 12);
}

/* ---- Flushing ---- */

/* Hart mask words of the SBI: bit i stands for hart base + i. One call for each CPU whose id is far off. */
static void sbi_for_harts(u64 cpus, unsigned long fid, unsigned long start, unsigned long size,
			  unsigned long asid)
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
		sbi_call(SBI_EXT_RFENCE, fid, mask, base, start, size, asid);
	}
}

/* Those of @cpus that have the table loaded; the others leave its mask. */
static u64 drop_inactive(struct hal_pt *pt, u64 cpus)
{
	u64 active = 0;

	for (u64 left = cpus; left; left &= left - 1) {
		unsigned int cpu = (unsigned int)__builtin_ctzll(left);
		u64 bit = 1ULL << cpu;

		if (READ_ONCE(percpu_of(loaded_pt, cpu)) != pt) {
			__atomic_fetch_and(&pt->cpus, ~bit, __ATOMIC_SEQ_CST);
			smp_mb();
			if (READ_ONCE(percpu_of(loaded_pt, cpu)) != pt)
				continue;
			__atomic_fetch_or(&pt->cpus, bit, __ATOMIC_SEQ_CST);
		}
		active |= bit;
	}
	return active;
}

static void flush_harts(struct hal_pt *pt, u64 cpus, uaddr_t start, size_t size)
{
	if (!cpus)
		return;
	if (asid_bits)
		sbi_for_harts(cpus, SBI_RFENCE_SFENCE_VMA_ASID, start, size, asid_hw(&pt->asid));
	else
		sbi_for_harts(cpus, SBI_RFENCE_SFENCE_VMA, start, size, 0);
}

static void flush_others(struct hal_pt *pt, u64 others, uaddr_t start, size_t size)
{
	u64 active;

	if (!others)
		return;
	active = drop_inactive(pt, others);
	flush_harts(pt, active, start, size);
	/* Without ASIDs a CPU flushes everything when it loads a table. */
	if (asid_bits)
		flush_harts(pt, others & ~active, 0, USER_END);
}

static void flush_self(struct hal_pt *pt, uaddr_t start, size_t size)
{
	unsigned long asid = asid_hw(&pt->asid);

	if (!asid_bits && size > FLUSH_MAX_PAGES * PAGE_SIZE)
		flush_local_all();
	else if (size > FLUSH_MAX_PAGES * PAGE_SIZE)
		flush_local_asid(asid);
	else
		for (uaddr_t va = start; va < start + size; va += PAGE_SIZE)
			flush_local_page(va, asid);
}

static void flush(struct hal_pt *pt, uaddr_t start, size_t size)
{
	unsigned long flags = hal_irq_save(); /* the task must not move between the two halves */
	u64 self = 1ULL << hal_cpu_id();
	u64 cpus;

	smp_mb();
	cpus = READ_ONCE(pt->cpus);
	if (cpus & self)
		flush_self(pt, start, size);
	flush_others(pt, cpus & ~self, start, size);
	hal_irq_restore(flags);
}

void hal_tlb_flush_page(struct hal_pt *pt, uaddr_t va)
{
	flush(pt, va & PAGE_MASK, PAGE_SIZE);
}

void hal_tlb_flush_range(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	flush(pt, start, end - start);
}

void hal_tlb_flush_all(struct hal_pt *pt)
{
	flush(pt, 0, USER_END);
}

static u64 other_cpus(void)
{
	u64 all = boot_info.ncpus == 64 ? ~0ULL : (1ULL << boot_info.ncpus) - 1;

	return all & ~(1ULL << hal_cpu_id());
}

void arch_tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	for (vaddr_t va = start; va < end; va += PAGE_SIZE)
		__asm__ __volatile__("sfence.vma %0" ::"r"(va) : "memory");
	sbi_for_harts(other_cpus(), SBI_RFENCE_SFENCE_VMA, start, end - start, 0);
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
	sbi_for_harts(now, SBI_RFENCE_FENCE_I, 0, 0, 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * Address-space switches and TLB flushes: ASIDs on this hart, the firmware's RFENCE for others.
 *
 * A CPU whose bit is set in pt->cpus may hold translations of the table. The bit is set before the
 * table is loaded and cleared by nobody: a flush is sent to CPUs that ran it, by ASID, and they need not
 * be interrupted by us, the firmware does it. Most tables only ever run on one CPU.
 *
 *	flushing CPU			CPU that activates the table
 *	store the changed entry		set own bit
 *	full barrier			full barrier
 *	read the mask			load satp, walk the table
 *
 * Either the flusher sees the bit, or the other CPU sees the changed entry.
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

void hal_pt_activate(struct hal_pt *pt)
{
	u64 self = 1ULL << hal_cpu_id();
	unsigned long satp = SATP_SV39;

	if (!pt) {
		load_satp(satp | pt_kernel_root() >> 12);
		return;
	}
	if (!(READ_ONCE(pt->cpus) & self))
		__atomic_fetch_or(&pt->cpus, self, __ATOMIC_SEQ_CST);
	smp_mb();
	if (asid_bits)
		satp |= (unsigned long)asid_activate(&pt->asid) << SATP_ASID_SHIFT;
	load_satp(satp | virt_to_phys(pt->radix.root) >> 12);
}

/* ---- Flushing ---- */

/* Hart mask words of the SBI: bit i stands for hart base + i. One call for each CPU whose id is far off. */
static void sbi_for_harts(u64 cpus, unsigned long fid, unsigned long start, unsigned long size, unsigned long asid)
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

static void flush_others(struct hal_pt *pt, u64 others, uaddr_t start, size_t size)
{
	if (!others)
		return;
	if (asid_bits)
		sbi_for_harts(others, SBI_RFENCE_SFENCE_VMA_ASID, start, size, asid_hw(&pt->asid));
	else
		sbi_for_harts(others, SBI_RFENCE_SFENCE_VMA, start, size, 0);
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

void hal_icache_sync(const void *va, size_t len)
{
	(void)va;
	(void)len;
	__asm__ __volatile__("fence.i" ::: "memory");
	mb();
	sbi_for_harts(other_cpus(), SBI_RFENCE_FENCE_I, 0, 0, 0);
}

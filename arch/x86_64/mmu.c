/* SPDX-License-Identifier: MIT */
/*
 * CR3 and the TLB of this CPU. Tables: hal/common/pagetable.c; other CPUs: hal/common/tlb.c.
 *
 * With PCIDs an address space keeps its translations while others run; hal/common/asid.c hands the
 * numbers out. Without, loading CR3 forgets all that is not global. PCID 0 is the kernel's own table.
 * Source: Intel SDM volume 3A section 4.10.
 */
#include <arch/pte.h>
#include <arch/x86.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/tlb.h>
#include <lib/string.h>

#define CR3_NOFLUSH	  (1ULL << 63)
#define PCID_BITS	  12
#define MAX_SINGLE	  64 /* pages forgotten one by one */
#define INVPCID_CONTEXT	  1
#define INVPCID_NONGLOBAL 3

/* The user table in CR3, NULL: the kernel's. */
static DEFINE_PERCPU(struct hal_pt *, active_pt);

static void invpcid(unsigned long type, u64 pcid)
{
	struct {
		u64 pcid, addr;
	} desc = { pcid, 0 };

	__asm__ __volatile__("invpcid %0, %1" ::"m"(desc), "r"(type) : "memory");
}

static void invlpg(unsigned long va)
{
	__asm__ __volatile__("invlpg (%0)" ::"r"(va) : "memory");
}

/* Global translations and all PCIDs too. */
static void flush_everything(void)
{
	unsigned long flags = hal_irq_save(); /* another task may have another CR4 */
	u64 cr4 = read_cr4();

	write_cr4(cr4 & ~(u64)CR4_PGE);
	write_cr4(cr4);
	hal_irq_restore(flags);
}

static void flush_nonglobal(void)
{
	if (x86_features.invpcid)
		invpcid(INVPCID_NONGLOBAL, 0);
	else
		flush_everything();
}

void arch_kernel_activate(paddr_t root)
{
	write_cr3(root);
	flush_everything();
	if (x86_features.pcid)
		asid_init(PCID_BITS, flush_nonglobal);
}

int arch_pt_init(struct hal_pt *pt)
{
	pt->asid = (struct hal_asid){ 0 };
	memset(&pt->tlb, 0, sizeof(pt->tlb));
	return 0;
}

void arch_pt_fini(struct hal_pt *pt)
{
	(void)pt;
}

static u64 pt_cr3(const struct hal_pt *pt)
{
	return virt_to_phys(pt->radix.root) | (x86_features.pcid ? asid_hw(&pt->asid) : 0);
}

void hal_pt_activate(struct hal_pt *pt)
{
	u64 keep = x86_features.pcid ? CR3_NOFLUSH : 0;

	if (!pt) {
		write_cr3(pt_kernel_root() | keep);
		WRITE_ONCE(percpu(active_pt), NULL);
		return;
	}
	WRITE_ONCE(percpu(active_pt), pt);
	if (tlb_activate(pt))
		keep = 0;
	if (x86_features.pcid)
		asid_activate(&pt->asid);
	write_cr3(pt_cr3(pt) | keep);
}

bool arch_pt_is_active(const struct hal_pt *pt)
{
	return percpu(active_pt) == pt;
}

bool arch_pt_is_active_on(const struct hal_pt *pt, unsigned int cpu)
{
	return READ_ONCE(percpu_of(active_pt, cpu)) == pt;
}

void arch_tlb_flush_local(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	if (!arch_pt_is_active(pt)) {
		arch_tlb_flush_local_all(pt);
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		invlpg(start);
}

void arch_tlb_flush_local_all(struct hal_pt *pt)
{
	if (arch_pt_is_active(pt))
		write_cr3(pt_cr3(pt));
	else if (x86_features.invpcid && x86_features.pcid)
		invpcid(INVPCID_CONTEXT, asid_hw(&pt->asid));
	else if (x86_features.pcid)
		flush_everything();
}

void arch_tlb_flush_local_kernel(vaddr_t start, vaddr_t end)
{
	if (end - start > MAX_SINGLE * PAGE_SIZE) {
		flush_everything();
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		invlpg(start);
}

/* Instruction caches are coherent with stores, and returning to user mode serialises. */
void hal_icache_sync(const void *va, size_t len)
{
	(void)va;
	(void)len;
}

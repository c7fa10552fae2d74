/* SPDX-License-Identifier: MIT */
/*
 * The MMU of aarch64: the early linear map, which table is active, and the TLB.
 *
 * TTBR1_EL1 holds the kernel's table for good, TTBR0_EL1 the program's with its ASID, or an empty table
 * where there is no program. TLB maintenance is broadcast by the hardware (the inner-shareable forms), so
 * no CPU interrupts another for it and there is nothing to lock.
 *
 * Source: Arm ARM D8 (translation), D8.16 (TLB maintenance and what must precede it).
 */
#include <arch/layout.h>
#include <arch/mmu.h>
#include <arch/pte.h>
#include <arch/sysreg.h>
#include <hal/boot.h>
#include <hal/paging.h>
#include <hal/pt_radix.h>
#include <hal/upcall.h>

#define EARLY_TABLES 16
#define BLOCK_SIZE   (2UL << 20)
#define GIANT_SIZE   (1UL << 30)
#define FLUSH_MAX    64 /* pages: from here on all of an ASID is forgotten at once */

paddr_t image_phys_base;
paddr_t secondary_ttbr1; /* the kernel's table, for entry.S */
u64 empty_user_table[PT_ENTRIES] __aligned(4096);

extern pte_t early_l0[];

static pte_t early_tables[EARLY_TABLES][PT_ENTRIES] __aligned(4096);
static unsigned int nearly_tables;
static paddr_t early_device_pa;

/* ---- Before hal_paging_init() ---- */

static pte_t *image_table(pte_t e)
{
	return (pte_t *)(pte_pa(e, 1) - image_phys_base + KERNEL_BASE);
}

/* The slot of @va at @level, tables made from the pool; NULL when that is empty or a block is in the way. */
static pte_t *early_slot(vaddr_t va, unsigned int level)
{
	pte_t *table = early_l0;

	for (unsigned int l = PT_LEVELS - 1; l > level; l--) {
		pte_t *slot = &table[(va >> (PAGE_SHIFT + 9 * l)) & (PT_ENTRIES - 1)];

		if (!pte_present(*slot, l)) {
			if (nearly_tables == EARLY_TABLES)
				return NULL;
			*slot = pte_table(arch_image_to_phys(early_tables[nearly_tables++]), false);
		}
		if (pte_is_leaf(*slot, l))
			return NULL;
		table = image_table(*slot);
	}
	return &table[(va >> (PAGE_SHIFT + 9 * level)) & (PT_ENTRIES - 1)];
}

/* Enter the block of @level at @pa, unless a table of smaller ones is there already. */
static int early_block(paddr_t pa, unsigned int level)
{
	pte_t *slot = early_slot((vaddr_t)phys_to_virt(pa), level);

	if (!slot)
		return -1;
	if (pte_present(*slot, level))
		return pte_is_leaf(*slot, level) ? 0 : 1;
	*slot = pte_leaf(pa, HAL_READ | HAL_WRITE | HAL_GLOBAL, level);
	return 0;
}

int aarch64_early_map(paddr_t pa, u64 size)
{
	paddr_t end = pa + size;
	int err = 0;

	pa &= ~(BLOCK_SIZE - 1);
	while (pa < end && err >= 0) {
		bool giant = !(pa & (GIANT_SIZE - 1)) && end - pa >= GIANT_SIZE;

		err = giant ? early_block(pa, 2) : 1;
		if (err == 0) {
			pa += GIANT_SIZE;
		} else if (err > 0) {
			err = early_block(pa, 1);
			pa += BLOCK_SIZE;
		}
	}
	pte_publish();
	return err < 0 ? -1 : 0;
}

void *aarch64_early_map_device(paddr_t pa)
{
	pte_t *slot = early_slot(EARLYCON_BASE, 0);

	if (!slot)
		return NULL;
	early_device_pa = pa & PAGE_MASK;
	*slot = pte_leaf(early_device_pa, HAL_READ | HAL_WRITE | HAL_DEVICE | HAL_GLOBAL, 0);
	pte_publish();
	return (void *)(EARLYCON_BASE + (pa & ~PAGE_MASK));
}

/* ---- Tables ---- */

static void flush_local(void)
{
	dsb(nshst);
	__asm__ __volatile__("tlbi vmalle1" ::: "memory");
	dsb(nsh);
	isb();
}

void arch_kernel_activate(paddr_t root)
{
	if (early_device_pa && pt_kernel_map(EARLYCON_BASE, early_device_pa, PAGE_SIZE,
					     HAL_READ | HAL_WRITE | HAL_DEVICE))
		panic("no memory for the kernel's page table");
	secondary_ttbr1 = root;
	pte_publish();
	write_sysreg(ttbr1_el1, root);
	isb();
	flush_local();
}

void aarch64_asid_init(void)
{
	bool wide = id_field(read_sysreg(id_aa64mmfr0_el1), 4) == 2;

	asid_init(wide ? 16 : 8, flush_local);
}

int arch_pt_init(struct hal_pt *pt)
{
	pt->asid.ctx = 0;
	return 0;
}

/* Walkers may still hold copies of upper entries, whose tables are about to become other pages. */
void arch_pt_fini(struct hal_pt *pt)
{
	hal_tlb_flush_all(pt);
}

void hal_pt_activate(struct hal_pt *pt)
{
	u64 ttbr = arch_image_to_phys(empty_user_table);

	if (pt)
		ttbr = virt_to_phys(pt->radix.root) | (u64)asid_activate(&pt->asid) << 48;
	write_sysreg(ttbr0_el1, ttbr);
	isb();
}

/* ---- TLB ---- */

#define tlbi(op, arg) __asm__ __volatile__("tlbi " #op ", %0" : : "r"(arg) : "memory")

static u64 tlbi_page(u64 asid, unsigned long va)
{
	return asid << 48 | ((va >> PAGE_SHIFT) & ((1ULL << 44) - 1));
}

void hal_tlb_flush_page(struct hal_pt *pt, uaddr_t va)
{
	u64 asid = asid_hw(&pt->asid);

	if (!asid)
		return;
	dsb(ishst);
	tlbi(vale1is, tlbi_page(asid, va));
	dsb(ish);
}

void hal_tlb_flush_range(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	u64 asid = asid_hw(&pt->asid);

	if (!asid)
		return;
	if (end - start > FLUSH_MAX * PAGE_SIZE) {
		hal_tlb_flush_all(pt);
		return;
	}
	dsb(ishst);
	for (; start < end; start += PAGE_SIZE)
		tlbi(vale1is, tlbi_page(asid, start));
	dsb(ish);
}

void hal_tlb_flush_all(struct hal_pt *pt)
{
	u64 asid = asid_hw(&pt->asid);

	if (!asid)
		return;
	dsb(ishst);
	tlbi(aside1is, asid << 48);
	dsb(ish);
}

void arch_tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	dsb(ishst);
	if (end - start > FLUSH_MAX * PAGE_SIZE) {
		__asm__ __volatile__("tlbi vmalle1is" ::: "memory");
	} else {
		for (; start < end; start += PAGE_SIZE)
			tlbi(vaale1is, tlbi_page(0, start));
	}
	dsb(ish);
	isb();
}

/* ---- Instruction fetch ---- */

void aarch64_cache_sync_range(const void *start, const void *end, unsigned long dline,
			      unsigned long iline);

/*
 * CTR_EL0 says what is needed: IDC, no cleaning; DIC, no invalidation. An instruction cache whose index
 * may use virtual address bits (L1Ip = VIPT) has to be invalidated as a whole, because programs run the
 * page at another address than the linear map's.
 */
void hal_icache_sync(const void *va, size_t len)
{
	u64 ctr = read_sysreg(ctr_el0);
	unsigned long dline = ctr & (1 << 28) ? 0 : 4UL << ((ctr >> 16) & 15);
	unsigned long iline = ctr & (1 << 29) ? 0 : 4UL << (ctr & 15);
	bool aliasing = iline && ((ctr >> 14) & 3) == 2;

	if (!len)
		return;
	aarch64_cache_sync_range(va, (const char *)va + len, dline, aliasing ? 0 : iline);
	if (aliasing) {
		__asm__ __volatile__("ic ialluis" ::: "memory");
		dsb(ish);
		isb();
	}
}

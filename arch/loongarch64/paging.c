/* SPDX-License-Identifier: MIT */
/*
 * TLB, address-space switch and user access of loongarch64.
 *
 * The TLB is filled by software (trap.S) and keeps entries for pairs of pages, invalid halves
 * included. So a page that was just entered into a table may still look absent to a CPU: the fault
 * that follows is recognised here as stale, the TLB entry is dropped, and the instruction runs again.
 *
 * The CPU has no way to forbid the kernel user memory (no PAN, SUM or SMAP). A fault on a user
 * address outside usercopy.S is a panic nevertheless.
 */
#include <arch/pte.h>
#include <arch/trap.h>
#include <err.h>
#include <hal/asid.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/extable.h>
#include <hal/paging.h>
#include <hal/tlb.h>

#define ASID_MASK	0x3ffUL
#define CSR_ASID_BITS(v) ((v) >> 16 & 0xff)

/* usercopy.S */
size_t arch_copy_user(void *dst, const void *src, size_t n);
size_t arch_clear_user(uaddr_t dst, size_t n);
long arch_strncpy_user(char *dst, uaddr_t src, size_t n);
int arch_get_user32(u32 *val, uaddr_t src);
int arch_get_user64(u64 *val, uaddr_t src);
int arch_put_user32(uaddr_t dst, u32 val);
int arch_put_user64(uaddr_t dst, u64 val);
int arch_cmpxchg_user32(uaddr_t addr, u32 expected, u32 desired, u32 *old);

paddr_t arch_image_phys __section(".data");

/* The user table this CPU has loaded; NULL: the kernel's. */
static DEFINE_PERCPU(struct hal_pt *, active_pt);

/* ---- TLB of this CPU ---- */

/* invtlb needs its operation as a constant. */
#define invtlb(op, asid, va) \
	__asm__ __volatile__("invtlb %0, %1, %2" ::"i"(op), "r"(asid), "r"(va) : "memory")
#define INVTLB_ALL	     0x0
#define INVTLB_NOT_GLOBAL    0x3
#define INVTLB_ASID	     0x4
#define INVTLB_ASID_VA	     0x5
#define INVTLB_VA_OR_GLOBAL  0x6

static void flush_not_global(void)
{
	invtlb(INVTLB_NOT_GLOBAL, 0, 0);
}

void arch_tlb_flush_local_all(struct hal_pt *pt)
{
	invtlb(INVTLB_ASID, (unsigned long)asid_hw(&pt->asid), 0);
}

/*
 * Every invtlb may go through the whole TLB (QEMU's does, 3 us), whether it is for a pair or for all that the ASID has; what it takes too much
 * comes back by refills (0.8 us each there). From so many pairs on all of it goes.
 */
#define FLUSH_MAX_PAIRS 4

void arch_tlb_flush_local(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	unsigned long asid = asid_hw(&pt->asid);
	uaddr_t va;

	if (end - start > FLUSH_MAX_PAIRS * 2 * PAGE_SIZE) {
		arch_tlb_flush_local_all(pt);
		return;
	}
	/* An entry covers a pair of pages. */
	for (va = start & ~(2 * PAGE_SIZE - 1); va < end; va += 2 * PAGE_SIZE)
		invtlb(INVTLB_ASID_VA, asid, va);
}

void arch_tlb_flush_local_kernel(vaddr_t start, vaddr_t end)
{
	vaddr_t va;

	if (end - start > 64 * PAGE_SIZE) {
		invtlb(INVTLB_ALL, 0, 0);
		return;
	}
	for (va = start & ~(2 * PAGE_SIZE - 1); va < end; va += 2 * PAGE_SIZE)
		invtlb(INVTLB_VA_OR_GLOBAL, 0, va);
}

bool arch_pt_is_active(const struct hal_pt *pt)
{
	return percpu(active_pt) == pt;
}

bool arch_pt_is_active_on(const struct hal_pt *pt, unsigned int cpu)
{
	return READ_ONCE(percpu_of(active_pt, cpu)) == pt;
}

/* ---- Stale entries ---- */

/* Where the loaded tables have the entry for @va, NULL where there is no table. */
static const pte_t *lookup_slot(vaddr_t va)
{
	paddr_t table = va >> 63 ? csr_read(CSR_PGDH) : csr_read(CSR_PGDL);
	unsigned int level;

	for (level = PT_LEVELS - 1; table; level--) {
		const pte_t *t = phys_to_virt(table);
		const pte_t *slot = &t[va >> (PAGE_SHIFT + 9 * level) & (PT_ENTRIES - 1)];

		if (level == 0)
			return slot;
		table = READ_ONCE(*slot);
	}
	return NULL;
}

static pte_t lookup(vaddr_t va)
{
	const pte_t *slot = lookup_slot(va);

	return slot ? READ_ONCE(*slot) : 0;
}

/*
 * Drop the entry for the pair of pages at @va that the loaded ASID sees, if there is one, by writing an invalid one over it:
 * one search, where invtlb may go through the whole TLB. Only for entries that grant less than the table: QEMU (10.0)
 * does not forget what it has derived from an entry that is written over. Interrupts off.
 */
static void drop_entry(vaddr_t va)
{
	unsigned long index;

	csr_write(va & ~(2 * PAGE_SIZE - 1), CSR_TLBEHI);
	__asm__ __volatile__("tlbsrch" ::: "memory");
	index = csr_read(CSR_TLBIDX);
	if (index & TLBIDX_NE)
		return;
	csr_write(index | TLBIDX_NE, CSR_TLBIDX);
	__asm__ __volatile__("tlbwr" ::: "memory");
}

/*
 * Return: true if the table allows the access, so that the fault was only the TLB's. This CPU's entry for @va is
 * dropped, unless it is a fault in user mode: then arch_tlb_load() writes over it. Interrupts off.
 */
bool arch_tlb_fault_is_stale(vaddr_t va, unsigned int access, bool user)
{
	pte_t e = lookup(va);

	if (!user)
		drop_entry(va);
	if (!(e & PTE_V) || (user && !(e & PTE_PLV_USER)))
		return false;
	if (access == UCTX_WRITE)
		return e & PTE_D;
	return !(e & (access == UCTX_EXEC ? PTE_NX : PTE_NR));
}

/* ---- Loading an entry ---- */

/* The rights that LDPTE keeps of a page entry. What is loaded here must be what the refill handler would load. */
static pte_t kept_rights;

#define PROBE_ENTRY (0x5a5a5a000ULL | PTE_NR | PTE_NX)

/*
 * QEMU (10.0) loses NX and NR in LDPTE, and does not survive their violation (trap.S). @table: a page whose first entry is
 * empty, and is so again. Interrupts off.
 */
static void probe_kept_rights(paddr_t table)
{
	pte_t *first = phys_to_virt(table);
	unsigned long e;

	*first = PROBE_ENTRY;
	do { /* a TLB miss of the kernel in between would use the same registers */
		csr_write(0, CSR_TLBRBADV);
		__asm__ __volatile__("ldpte %0, 0" ::"r"(table) : "memory");
		e = csr_read(CSR_TLBRELO0);
	} while ((e & PTE_ADDR_MASK) != (PROBE_ENTRY & PTE_ADDR_MASK));
	*first = 0;
	kept_rights = e & (PTE_NR | PTE_NX);
}

static unsigned long entry_word(pte_t e)
{
	return e & (PTE_ADDR_MASK | PTE_CPU_FLAGS | kept_rights);
}

/* Nothing is done where no page is. */
void arch_tlb_load(vaddr_t va)
{
	const pte_t *slot = lookup_slot(va & ~(2 * PAGE_SIZE - 1));
	unsigned long index;

	if (!slot || !(READ_ONCE(slot[va / PAGE_SIZE % 2]) & PTE_V))
		return;
	csr_write(va & ~(2 * PAGE_SIZE - 1), CSR_TLBEHI);
	__asm__ __volatile__("tlbsrch" ::: "memory");
	index = csr_read(CSR_TLBIDX);
	csr_write((index & TLBIDX_INDEX) | TLBIDX_PS_4K, CSR_TLBIDX);
	csr_write(entry_word(READ_ONCE(slot[0])), CSR_TLBELO0);
	csr_write(entry_word(READ_ONCE(slot[1])), CSR_TLBELO1);
	if (index & TLBIDX_NE)
		__asm__ __volatile__("tlbfill" ::: "memory");
	else
		__asm__ __volatile__("tlbwr" ::: "memory");
}

/* ---- Tables ---- */

int arch_pt_init(struct hal_pt *pt)
{
	pt->asid = (struct hal_asid){ 0 };
	pt->tlb = (struct tlb_cpus){ { 0 } };
	return 0;
}

void arch_pt_fini(struct hal_pt *pt)
{
	(void)pt; /* its ASID is not given out again before every TLB was flushed */
}

void arch_kernel_activate(paddr_t root)
{
	asid_init((unsigned int)CSR_ASID_BITS(csr_read(CSR_ASID)), flush_not_global);
	probe_kept_rights(root);
	csr_write(root, CSR_PGDH);
	csr_write(root, CSR_PGDL);
	invtlb(INVTLB_ALL, 0, 0);
	tlb_cpu_online();
}

/* The pointer alone says little: a table may have been freed and another made in its place. */
static bool is_loaded(const struct hal_pt *pt)
{
	return percpu(active_pt) == pt && asid_hw(&pt->asid) &&
	       (csr_read(CSR_ASID) & ASID_MASK) == asid_hw(&pt->asid);
}

/*
 * The kernel's table has nothing in the user half. The ASID stays: it is most often that of the address
 * space which runs next (idling between two turns), and QEMU empties its TLB when the ASID changes.
 */
static void activate_kernel(void)
{
	csr_write(pt_kernel_root(), CSR_PGDL);
	WRITE_ONCE(percpu(active_pt), NULL);
}

void hal_pt_activate(struct hal_pt *pt)
{
	bool stale;

	if (!pt) {
		activate_kernel();
		return;
	}
	if (is_loaded(pt))
		return;
	WRITE_ONCE(percpu(active_pt), pt);
	stale = tlb_activate(pt);
	csr_write(virt_to_phys(pt->radix.root), CSR_PGDL);
	csr_write(asid_activate(&pt->asid), CSR_ASID);
	if (unlikely(stale))
		arch_tlb_flush_local_all(pt);
}

void *hal_ioremap(paddr_t pa, size_t size)
{
	if (pa > PHYS_ADDR_MASK || size > PHYS_ADDR_MASK - pa)
		return NULL;
	return (void *)(pa | UNCACHED_BASE);
}

/* Instruction caches are coherent with stores; what the pipeline has fetched already is not. */
void hal_icache_sync(const void *va, size_t len)
{
	(void)va;
	(void)len;
	__asm__ __volatile__("dbar 0\n\tibar 0" ::: "memory");
}

/* ---- User access ---- */

static __always_inline bool user_range_ok(uaddr_t start, size_t n)
{
	return n <= USER_END && start <= USER_END - n;
}

size_t hal_copy_from_user(void *dst, uaddr_t src, size_t n)
{
	return user_range_ok(src, n) ? arch_copy_user(dst, (const void *)src, n) : n;
}

size_t hal_copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	return user_range_ok(dst, n) ? arch_copy_user((void *)dst, src, n) : n;
}

size_t hal_clear_user(uaddr_t dst, size_t n)
{
	return user_range_ok(dst, n) ? arch_clear_user(dst, n) : n;
}

long hal_strncpy_from_user(char *dst, uaddr_t src, size_t n)
{
	size_t room;
	long len;

	if (src >= USER_END)
		return -EFAULT;
	room = USER_END - src;
	len = arch_strncpy_user(dst, src, n < room ? n : room);
	if (len < 0 || ((size_t)len == room && room < n))
		return -EFAULT;
	return len;
}

int hal_get_user32(u32 *val, uaddr_t src)
{
	return user_range_ok(src, 4) && arch_get_user32(val, src) == 0 ? 0 : -EFAULT;
}

int hal_get_user64(u64 *val, uaddr_t src)
{
	return user_range_ok(src, 8) && arch_get_user64(val, src) == 0 ? 0 : -EFAULT;
}

int hal_put_user32(uaddr_t dst, u32 val)
{
	return user_range_ok(dst, 4) && arch_put_user32(dst, val) == 0 ? 0 : -EFAULT;
}

int hal_put_user64(uaddr_t dst, u64 val)
{
	return user_range_ok(dst, 8) && arch_put_user64(dst, val) == 0 ? 0 : -EFAULT;
}

int hal_cmpxchg_user32(uaddr_t addr, u32 expected, u32 desired, u32 *old)
{
	if (!user_range_ok(addr, 4) || addr % 4)
		return -EFAULT;
	return arch_cmpxchg_user32(addr, expected, desired, old) == 0 ? 0 : -EFAULT;
}

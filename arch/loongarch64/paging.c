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

void arch_tlb_flush_local(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	unsigned long asid = asid_hw(&pt->asid);
	uaddr_t va;

	/* An entry covers a pair of pages. */
	for (va = start & ~(2 * PAGE_SIZE - 1); va < end; va += 2 * PAGE_SIZE)
		invtlb(INVTLB_ASID_VA, asid, va);
}

void arch_tlb_flush_local_all(struct hal_pt *pt)
{
	invtlb(INVTLB_ASID, (unsigned long)asid_hw(&pt->asid), 0);
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

static pte_t lookup(vaddr_t va)
{
	paddr_t table = va >> 63 ? csr_read(CSR_PGDH) : csr_read(CSR_PGDL);
	unsigned int level;

	for (level = PT_LEVELS - 1; table; level--) {
		const pte_t *t = phys_to_virt(table);
		pte_t e = READ_ONCE(t[va >> (PAGE_SHIFT + 9 * level) & (PT_ENTRIES - 1)]);

		if (level == 0)
			return e;
		table = e;
	}
	return 0;
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
 * Drop this CPU's entry for @va. Return: true if the table allows the access, so that the fault was
 * only the TLB's. Interrupts off.
 */
bool arch_tlb_fault_is_stale(vaddr_t va, unsigned int access, bool user)
{
	pte_t e = lookup(va);

	drop_entry(va);
	if (!(e & PTE_V) || (user && !(e & PTE_PLV_USER)))
		return false;
	if (access == UCTX_WRITE)
		return e & PTE_D;
	return !(e & (access == UCTX_EXEC ? PTE_NX : PTE_NR));
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

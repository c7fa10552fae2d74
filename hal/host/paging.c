/* SPDX-License-Identifier: MIT */
/*
 * The paging hardware of host tests: a TLB, and the user-copy functions that go through it.
 *
 * hal/common/pagetable.c keeps the tables. An access looks for its page in the TLB, then in the table; what
 * it found there stays cached until hal_tlb_flush_*(). An access that is not permitted goes to
 * upcall_kernel_fault(), which the test or the kernel provides.
 */
#include <string.h>

#include <arch/pte.h>
#include <err.h>
#include <hal/host/host.h>
#include <hal/paging.h>
#include <hal/uctx.h>
#include <hal/upcall.h>

#define TLB_SIZE   1024
#define MAX_FAULTS 64

static struct tlb_entry {
	struct hal_pt *pt; /* NULL: empty */
	uaddr_t va;
	struct hal_pte_info pte;
} tlb[TLB_SIZE];

struct hal_pt *host_active_pt;
u64 host_tlb_flushes;

/* ---- what hal/common/pagetable.c wants ---- */

int arch_pt_init(struct hal_pt *pt)
{
	(void)pt;
	return 0;
}

static void tlb_drop(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	for (unsigned int i = 0; i < TLB_SIZE; i++)
		if (tlb[i].pt == pt && tlb[i].va >= start && tlb[i].va < end)
			tlb[i].pt = NULL;
}

void arch_pt_fini(struct hal_pt *pt)
{
	tlb_drop(pt, 0, USER_END);
	if (host_active_pt == pt)
		host_active_pt = NULL;
}

void arch_kernel_activate(paddr_t root)
{
	(void)root;
}

void arch_tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	(void)start, (void)end;
}

void hal_pt_activate(struct hal_pt *pt)
{
	host_active_pt = pt;
}

/* ---- the TLB ---- */

static void flush(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	if (!host_irq_enabled)
		panic("a TLB flush with interrupts off: two CPUs that do this wait for each other "
		      "for ever");
	host_tlb_flushes++;
	tlb_drop(pt, start, end);
}

void hal_tlb_flush_page(struct hal_pt *pt, uaddr_t va)
{
	flush(pt, va & PAGE_MASK, (va & PAGE_MASK) + PAGE_SIZE);
}

void hal_tlb_flush_range(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	flush(pt, start & PAGE_MASK, end);
}

void hal_tlb_flush_all(struct hal_pt *pt)
{
	flush(pt, 0, USER_END);
}

void hal_icache_sync(const void *va, size_t len)
{
	(void)va, (void)len;
}

unsigned int host_tlb_check(void)
{
	unsigned int stale = 0;

	for (unsigned int i = 0; i < TLB_SIZE; i++) {
		struct hal_pte_info now = { 0 };

		if (tlb[i].pt && (!hal_pt_query(tlb[i].pt, tlb[i].va, &now) ||
				  now.pa != tlb[i].pte.pa || (tlb[i].pte.prot & ~now.prot)))
			stale++;
	}
	return stale;
}

static bool permits(unsigned int prot, unsigned int access)
{
	return access & UCTX_READ ? prot & (HAL_READ | HAL_WRITE | HAL_EXEC)
				  : (prot & access) == access;
}

/* For tests without user memory. */
__weak bool upcall_kernel_fault(vaddr_t addr, unsigned int access)
{
	(void)addr, (void)access;
	return false;
}

/* The linear-map address of user address @va, or NULL after a fault that could not be resolved. */
static char *translate(uaddr_t va, unsigned int access)
{
	uaddr_t page = va & PAGE_MASK;
	struct tlb_entry *e =
		&tlb[((page >> PAGE_SHIFT) ^ (unsigned long)host_active_pt >> 6) % TLB_SIZE];

	for (unsigned int faults = 0; va < USER_END && faults < MAX_FAULTS; faults++) {
		struct hal_pte_info pte = { 0 };

		if (host_active_pt && e->pt == host_active_pt && e->va == page &&
		    permits(e->pte.prot, access))
			return (char *)phys_to_virt(e->pte.pa) + (va & ~PAGE_MASK);
		if (host_active_pt && (e->pt != host_active_pt || e->va != page) &&
		    hal_pt_query(host_active_pt, page, &pte) && permits(pte.prot, access)) {
			*e = (struct tlb_entry){ host_active_pt, page, pte };
			continue;
		}
		if (!upcall_kernel_fault(va, access))
			return NULL;
	}
	if (va < USER_END)
		panic("user address %lx faults for ever", va);
	return NULL;
}

/* ---- user copies ---- */

enum copy_kind { COPY_FROM, COPY_TO, COPY_CLEAR };

/* Return: bytes not copied. */
static size_t copy(enum copy_kind kind, char *kernel, uaddr_t user, size_t n)
{
	while (n) {
		size_t part = PAGE_SIZE - (user & ~PAGE_MASK);
		char *p = translate(user, kind == COPY_FROM ? UCTX_READ : UCTX_WRITE);

		if (!p)
			break;
		part = part < n ? part : n;
		if (kind == COPY_FROM)
			memcpy(kernel, p, part);
		else if (kind == COPY_TO)
			memcpy(p, kernel, part);
		else
			memset(p, 0, part);
		kernel = kernel ? kernel + part : NULL;
		user += part;
		n -= part;
	}
	return n;
}

size_t hal_copy_from_user(void *dst, uaddr_t src, size_t n)
{
	return copy(COPY_FROM, dst, src, n);
}

size_t hal_copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	return copy(COPY_TO, (char *)src, dst, n);
}

size_t hal_clear_user(uaddr_t dst, size_t n)
{
	return copy(COPY_CLEAR, NULL, dst, n);
}

long hal_strncpy_from_user(char *dst, uaddr_t src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (copy(COPY_FROM, dst + i, src + i, 1))
			return -EFAULT;
		if (!dst[i])
			return (long)i;
	}
	return (long)n;
}

int hal_get_user32(u32 *val, uaddr_t src)
{
	return hal_copy_from_user(val, src, sizeof(*val)) ? -EFAULT : 0;
}

int hal_get_user64(u64 *val, uaddr_t src)
{
	return hal_copy_from_user(val, src, sizeof(*val)) ? -EFAULT : 0;
}

int hal_put_user32(uaddr_t dst, u32 val)
{
	return hal_copy_to_user(dst, &val, sizeof(val)) ? -EFAULT : 0;
}

int hal_put_user64(uaddr_t dst, u64 val)
{
	return hal_copy_to_user(dst, &val, sizeof(val)) ? -EFAULT : 0;
}

int hal_cmpxchg_user32(uaddr_t addr, u32 expected, u32 desired, u32 *old)
{
	u32 *word = (u32 *)(void *)translate(addr, UCTX_WRITE);

	if (!word)
		return -EFAULT;
	*old = *word;
	if (*word == expected)
		*word = desired;
	return 0;
}

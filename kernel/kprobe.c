/* SPDX-License-Identifier: MIT */
/*
 * kprobes: breakpoints in the kernel's own text.
 *
 * struct kprobe_place is one instruction under a breakpoint, with its struct kprobes. A hit traps, with interrupts off: the handlers run, then
 * the instruction is emulated, or executed in a slot from which it jumps back. A slot lies in the kernel's text, so near
 * jumps reach; nothing has to be remembered between the trap and the way back, so hits may nest: a hit inside a handler goes on without
 * handlers and counts as missed.
 *
 * A function whose return is wanted finds, in place of its return address, that of slot 0, which holds a breakpoint; the address
 * itself is kept in a struct kprobe_return in a list of the task.
 *
 * This file, the decoder, trap code and copying are linked into __noprobe_text, where no probe may be.
 *
 * Locking: kprobe_mutex for places and registration. A hit takes no lock: it looks into a hash table and lists that change by single
 * stores, and what was taken out is freed after sched_sync_all_cpus(), when no handler that saw it is running any more. Text is written through
 * a mapping that exists only for that.
 */
#include <err.h>
#include <hal/boot.h>
#include <hal/paging.h>
#include <hal/probe.h>
#include <hal/upcall.h>
#include <kernel/kprobe.h>
#include <kernel/sched.h>
#include <lib/string.h>
#include <mm/internal.h>
#include <mm/slab.h>

#define NSLOTS	128u
#define NO_SLOT 0u /* slot 0 is where functions return to */
#define BUCKETS 256u

struct kprobe_return {
	struct kprobe_return *next; /* of the task: entered before */
	struct kprobe_pool *pool;
	struct kprobe *kp; /* NULL: unregistered meanwhile */
	unsigned long func, address;
	u32 used; /* atomic */
};

/* What waits for the returns of one probe; outlives it while functions have not returned. */
struct kprobe_pool {
	struct kprobe_pool *next; /* of the dead ones: kprobe_mutex */
	unsigned int n;
	struct kprobe_return ret[];
};

struct kprobe {
	struct kprobe *next; /* of the place */
	const struct kprobe_ops *ops;
	void *ctx;
	struct kprobe_place *place;
	struct kprobe_pool *pool; /* NULL: no return wanted */
};

struct kprobe_place {
	struct kprobe_place *next; /* of the bucket */
	unsigned long addr;
	unsigned int slot; /* NO_SLOT: emulated */
	struct probe_insn insn;
	struct kprobe *probes;
};

/* The slots, in the text of the kernel. */
__asm__(".pushsection .text.kprobe_slots, \"ax\"\n"
	".balign 64\n"
	".globl kprobe_slots\n"
	"kprobe_slots: .fill 4096, 1, 0\n"
	".popsection\n");
static_assert(NSLOTS * PROBE_SLOT == 4096);
extern u8 kprobe_slots[];
extern char __noprobe_text_start[], __noprobe_text_end[], __text_start[], __text_end[];

static struct mutex kprobe_mutex = MUTEX_INIT(kprobe_mutex);
static struct kprobe_place *buckets[BUCKETS];
static bool slot_used[NSLOTS]; /* kprobe_mutex */
static unsigned int
	slot_next;     /* kprobe_mutex: taken round, so that one is not used again at once */
static vaddr_t window; /* kprobe_mutex: two pages through which text is written */
static struct kprobe_pool *dead; /* kprobe_mutex */
static DEFINE_PERCPU(bool, in_handler);

static unsigned int bucket_of(unsigned long addr)
{
	return (unsigned int)(addr >> 1 ^ addr >> 9) % BUCKETS;
}

static struct kprobe_place *place_find(unsigned long addr)
{
	struct kprobe_place *p = READ_ONCE(buckets[bucket_of(addr)]);

	while (p && p->addr != addr)
		p = READ_ONCE(p->next);
	return p;
}

static unsigned long slot_addr(unsigned int slot)
{
	return (unsigned long)kprobe_slots + slot * PROBE_SLOT;
}

/* ---- a hit: interrupts off, anywhere in the kernel ---- */

static int kernel_get(unsigned long addr, u64 *val, unsigned int size)
{
	*val = 0;
	memcpy(val, (const void *)addr, size);
	return 0;
}

static int kernel_put(unsigned long addr, u64 val)
{
	memcpy((void *)addr, &val, sizeof(val));
	return 0;
}

static const struct probe_mem kernel_mem = { kernel_get, kernel_put };

static bool page_readable(unsigned long addr)
{
	struct hal_pte_info pte;

	return hal_kernel_query(addr & PAGE_MASK, &pte) && !(pte.prot & HAL_DEVICE);
}

int kprobe_read(void *dst, unsigned long addr, size_t n, bool user)
{
	struct task *t = current;
	bool nofault = t->nofault;
	int r;

	if (user || addr < USER_END) {
		WRITE_ONCE(t->nofault, true);
		r = t->vm && !hal_copy_from_user(dst, addr, n) ? 0 : -EFAULT;
		WRITE_ONCE(t->nofault, nofault);
		return r;
	}
	if (addr + n < addr || !page_readable(addr) || !page_readable(addr + n - 1))
		return -EFAULT;
	memcpy(dst, (const void *)addr, n);
	return 0;
}

static struct kprobe_return *return_take(struct kprobe_pool *pool)
{
	for (unsigned int i = 0; i < pool->n; i++)
		if (!READ_ONCE(pool->ret[i].used) &&
		    !__atomic_exchange_n(&pool->ret[i].used, true, __ATOMIC_ACQUIRE))
			return &pool->ret[i];
	return NULL;
}

/* The function that begins here is to return to slot 0. */
static __noinline void return_prepare(struct kprobe *kp, struct uctx *u)
{
	struct kprobe_return *r = return_take(kp->pool);

	if (!r) {
		kp->ops->missed(kp->ctx);
		return;
	}
	r->kp = kp;
	r->func = kp->place->addr;
	(void)probe_return_address(u, &kernel_mem, &r->address);
	(void)probe_set_return_address(u, &kernel_mem, slot_addr(0));
	r->next = current->kreturns;
	current->kreturns = r;
}

/* A function came back to slot 0. One with several probes returns as often: each address but the last leads here again. */
static bool return_hit(struct uctx *u)
{
	struct kprobe_return *r = current->kreturns;
	struct kprobe *kp;

	if (!r)
		return false;
	current->kreturns = r->next;
	uctx_set_ip(u, r->address);
	kp = READ_ONCE(r->kp);
	if (kp && percpu(in_handler)) {
		kp->ops->missed(kp->ctx);
	} else if (kp) {
		percpu(in_handler) = true;
		kp->ops->ret(kp->ctx, r->func, u);
		percpu(in_handler) = false;
	}
	__atomic_store_n(&r->used, false, __ATOMIC_RELEASE);
	return true;
}

static void run_handlers(struct kprobe_place *p, struct uctx *u)
{
	bool *in = &percpu(in_handler), nested = *in;

	*in = true;
	for (struct kprobe *kp = READ_ONCE(p->probes); kp; kp = READ_ONCE(kp->next)) {
		if (unlikely(nested)) {
			kp->ops->missed(kp->ctx);
			continue;
		}
		kp->ops->hit(kp->ctx, u);
		if (kp->pool)
			return_prepare(kp, u);
	}
	*in = nested;
}

/* A breakpoint that is no place's: the one that functions return to; or removed while we were on the way here, then the instruction is back. */
static __noinline bool no_place(struct uctx *u, unsigned long ip)
{
	u8 code[4];
	unsigned int n = probe_breakpoint(code);

	if (ip == slot_addr(0))
		return return_hit(u);
	if (ip < (unsigned long)__text_start || ip >= (unsigned long)__text_end ||
	    !memcmp((const void *)ip, code, n))
		return false;
	uctx_set_ip(u, ip);
	return true;
}

static __noinline void emulate(const struct kprobe_place *p, struct uctx *u)
{
	struct probe_fault fault;

	(void)probe_emulate(&p->insn, u, p->addr, &kernel_mem, &fault);
}

bool upcall_kernel_break(struct uctx *u)
{
	unsigned long ip = probe_trap_ip(u);
	struct kprobe_place *p = place_find(ip);

	if (unlikely(!p))
		return no_place(u, ip);
	uctx_set_ip(u, ip);
	run_handlers(p, u);
	if (p->slot != NO_SLOT)
		uctx_set_ip(u, slot_addr(p->slot));
	else
		emulate(p, u);
	return true;
}

/* ---- writing text; kprobe_mutex held ---- */

/* Write @n bytes, which may go over a page's end, where the kernel executes. 0 or -ENOMEM. */
static int write_text(unsigned long addr, const u8 *code, size_t n)
{
	unsigned long page = addr & PAGE_MASK, off = addr & ~PAGE_MASK;
	u8 *to;

	if (!window)
		window = kernel_va_reserve(2 * PAGE_SIZE);
	if (!window || hal_kernel_map(window, arch_image_to_phys((const void *)page), 2 * PAGE_SIZE,
				      HAL_READ | HAL_WRITE))
		return -ENOMEM;
	to = (u8 *)window + off;
	/* Shorter than a word it must be there at once: others may be executing it. */
	if (n == 4 && !(off & 3))
		WRITE_ONCE(*(u32 *)to, *(const u32 *)code);
	else if (n == 2)
		WRITE_ONCE(*(u16 *)to, *(const u16 *)code);
	else if (n == 1)
		WRITE_ONCE(*to, *code);
	else
		memcpy(to, code, n);
	hal_icache_sync(to, n);
	hal_kernel_unmap(window, 2 * PAGE_SIZE);
	hal_icache_sync((const void *)addr, n);
	sched_sync_all_cpus();
	return 0;
}

/* Text as it is without probes. */
static void read_text(unsigned long addr, u8 *buf, size_t n)
{
	memcpy(buf, (const void *)addr, n);
	for (size_t i = 0; i < n; i++) {
		const struct kprobe_place *p = place_find(addr + i);

		for (size_t k = 0; p && k < 4 && k < p->insn.len && i + k < n; k++)
			buf[i + k] = p->insn.bytes[k];
	}
}

static int decode_at(unsigned long addr, struct probe_insn *insn)
{
	u8 bytes[PROBE_INSN_MAX];
	size_t n = min((unsigned long)__text_end - addr, (unsigned long)sizeof(bytes));

	read_text(addr, bytes, n);
	return probe_decode(insn, bytes, n);
}

static bool in_noprobe(unsigned long addr)
{
	return (addr >= (unsigned long)__noprobe_text_start &&
		addr < (unsigned long)__noprobe_text_end) ||
	       addr - (unsigned long)kprobe_slots < NSLOTS * PROBE_SLOT;
}

/* Walk from the function's start: an instruction must begin at @addr. */
static int check_boundary(unsigned long addr)
{
	unsigned long at = ksym_start(addr);
	struct probe_insn insn;

	while (at < addr) {
		/* What may not be probed has a length, too; what is no instruction ends the walk. */
		if (decode_at(at, &insn) == -ENOEXEC || !insn.len)
			return -EILSEQ;
		at += insn.len;
	}
	return at == addr ? 0 : -EILSEQ;
}

static int check_locked(unsigned long addr, struct probe_insn *insn)
{
	u8 slot[PROBE_SLOT];
	int r;

	if (!ksym_start(addr) || in_noprobe(addr) || addr % probe_align())
		return -EINVAL;
	r = check_boundary(addr);
	if (!r && decode_at(addr, insn))
		r = -EINVAL;
	if (!r && probe_kernel_slot(insn, addr, slot_addr(1), slot) < 0)
		r = -EINVAL;
	return r;
}

int kprobe_check(unsigned long addr)
{
	struct probe_insn insn;
	int r;

	mutex_lock(&kprobe_mutex);
	r = check_locked(addr, &insn);
	mutex_unlock(&kprobe_mutex);
	return r;
}

/* ---- places; kprobe_mutex held ---- */

static unsigned int slot_alloc(void)
{
	for (unsigned int i = 0; i < NSLOTS; i++) {
		unsigned int slot = slot_next++ % NSLOTS;

		if (slot != NO_SLOT && !slot_used[slot]) {
			slot_used[slot] = true;
			return slot;
		}
	}
	return NO_SLOT;
}

/* 0, -EINVAL, -ENOMEM. */
static int fill_slot(struct kprobe_place *p)
{
	u8 code[PROBE_SLOT] __aligned(4);
	int r = probe_kernel_slot(&p->insn, p->addr, slot_addr(1), code);

	if (r)
		return r < 0 ? r : 0;
	p->slot = slot_alloc();
	if (p->slot == NO_SLOT)
		return -ENOMEM;
	r = probe_kernel_slot(&p->insn, p->addr, slot_addr(p->slot), code);
	if (!r)
		r = write_text(slot_addr(p->slot), code, sizeof(code));
	if (r)
		slot_used[p->slot] = false;
	return r;
}

/* Slot 0 holds a breakpoint. */
static int trampoline_make(void)
{
	u8 code[4] __aligned(4);

	if (slot_used[0])
		return 0;
	if (write_text(slot_addr(0), code, probe_breakpoint(code)))
		return -ENOMEM;
	slot_used[0] = true;
	return 0;
}

static struct kprobe_place *place_create(unsigned long addr)
{
	struct kprobe_place *p = kzalloc(sizeof(*p), 0), **bucket = &buckets[bucket_of(addr)];
	u8 code[4] __aligned(4);
	int r;

	if (!p)
		return ERR_PTR(-ENOMEM);
	p->addr = addr;
	r = check_locked(addr, &p->insn);
	if (!r)
		r = trampoline_make();
	if (!r)
		r = fill_slot(p);
	if (r) {
		kfree(p);
		return ERR_PTR(r);
	}
	p->next = *bucket;
	smp_store_release(bucket, p);
	if (!write_text(addr, code, probe_breakpoint(code)))
		return p;
	WRITE_ONCE(*bucket, p->next);
	sched_sync_all_cpus();
	kfree(p);
	return ERR_PTR(-ENOMEM);
}

static void place_destroy(struct kprobe_place *p)
{
	struct kprobe_place **q = &buckets[bucket_of(p->addr)];
	u8 code[4] __aligned(4), n = (u8)probe_breakpoint(code);

	memcpy(code, p->insn.bytes, n);
	/* Without the mapping's tables the first write would have failed: they stay. */
	(void)write_text(p->addr, code, n);
	while (*q != p)
		q = &(*q)->next;
	WRITE_ONCE(*q, p->next);
	sched_sync_all_cpus();
	if (p->slot != NO_SLOT)
		slot_used[p->slot] = false;
	kfree(p);
}

/* ---- registration ---- */

static struct kprobe_pool *pool_create(unsigned int n)
{
	struct kprobe_pool *pool;

	if (!n)
		n = max(10u, 2 * boot_info.ncpus);
	pool = kzalloc(sizeof(*pool) + n * sizeof(pool->ret[0]), 0);
	if (!pool)
		return NULL;
	pool->n = n;
	for (unsigned int i = 0; i < n; i++)
		pool->ret[i].pool = pool;
	return pool;
}

/* Free pools whose functions have all returned. */
static void reap_pools(void)
{
	struct kprobe_pool **q = &dead, *pool;

	while ((pool = *q)) {
		bool used = false;

		for (unsigned int i = 0; i < pool->n; i++)
			used |= __atomic_load_n(&pool->ret[i].used, __ATOMIC_ACQUIRE);
		if (used) {
			q = &pool->next;
			continue;
		}
		*q = pool->next;
		kfree(pool);
	}
}

static void pool_bury(struct kprobe_pool *pool)
{
	for (unsigned int i = 0; i < pool->n; i++)
		WRITE_ONCE(pool->ret[i].kp, NULL);
	pool->next = dead;
	dead = pool;
}

static int attach(struct kprobe *kp, unsigned long addr)
{
	struct kprobe_place *p = place_find(addr);

	if (!p)
		p = place_create(addr);
	if (IS_ERR(p))
		return (int)PTR_ERR(p);
	kp->place = p;
	kp->next = p->probes;
	smp_store_release(&p->probes, kp);
	return 0;
}

struct kprobe *kprobe_register(unsigned long addr, const struct kprobe_ops *ops, void *ctx,
			       unsigned int maxactive)
{
	struct kprobe *kp = kzalloc(sizeof(*kp), 0);
	int r = -ENOMEM;

	if (!kp)
		return ERR_PTR(-ENOMEM);
	kp->ops = ops;
	kp->ctx = ctx;
	if (ops->ret)
		kp->pool = pool_create(maxactive);
	mutex_lock(&kprobe_mutex);
	reap_pools();
	if (!ops->ret || kp->pool)
		r = attach(kp, addr);
	mutex_unlock(&kprobe_mutex);
	if (!r)
		return kp;
	kfree(kp->pool);
	kfree(kp);
	return ERR_PTR(r);
}

void kprobe_unregister(struct kprobe *kp)
{
	struct kprobe **q = &kp->place->probes;

	mutex_lock(&kprobe_mutex);
	while (*q != kp)
		q = &(*q)->next;
	WRITE_ONCE(*q, kp->next);
	if (!kp->place->probes)
		place_destroy(kp->place);
	sched_sync_all_cpus();
	/* No entry any more: what is awaited now comes back without us. */
	if (kp->pool)
		pool_bury(kp->pool);
	sched_sync_all_cpus();
	reap_pools();
	mutex_unlock(&kprobe_mutex);
	kfree(kp);
}

void kprobe_task_free(struct task *t)
{
	while (t->kreturns) {
		struct kprobe_return *r = t->kreturns;

		t->kreturns = r->next;
		__atomic_store_n(&r->used, false, __ATOMIC_RELEASE);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * User memory from inside the kernel: copies that meet bad addresses stop there and say how far they came; other CPUs see
 * a page's new rights and contents as soon as the call that changed them returns.
 */
#include <kernel/sched.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <mm/vm.h>
#include <uapi/mman.h>

#include "ktest.h"

#define BASE 0x10000000UL
#define ANON (MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS)
#define MAY  (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

static void enter(struct vm *vm)
{
	unsigned long flags = hal_irq_save();

	current->vm = vm;
	vm_activate(vm);
	hal_irq_restore(flags);
}

static struct vm *new_vm(void)
{
	struct vm *vm = vm_create();

	if (!EXPECT(!IS_ERR(vm)))
		return NULL;
	vm->rlimit_as = vm->rlimit_data = vm->rlimit_stack = vm->rlimit_memlock = ~0ULL;
	return vm;
}

static void map(struct vm *vm, uaddr_t at, u64 npages, unsigned int prot)
{
	EXPECT(vm_map(vm, at, npages * PAGE_SIZE, prot, ANON, NULL, NULL, 0, MAY, 0) == (long)at);
}

/* ---- bad addresses ---- */

static const uaddr_t bad_addresses[] = {
	0,
	8,
	PAGE_SIZE - 1,
	BASE - PAGE_SIZE,
	USER_END - 1,
	USER_END,
	USER_END + PAGE_SIZE,
	1UL << 62,
	1UL << 63,
	0x8000000000000000UL + BASE,
	LINEAR_BASE,
	KERNEL_BASE,
	~0UL - 64,
	~0UL,
};

static void check_bad_address(uaddr_t bad)
{
	char buf[64];
	u32 old = 0, v32 = 0;
	u64 v64 = 0;

	memset(buf, 0x55, sizeof(buf));
	EXPECT(hal_copy_from_user(buf, bad, 64) == 64);
	EXPECT(hal_copy_to_user(bad, buf, 64) == 64);
	EXPECT(hal_clear_user(bad, 64) == 64);
	EXPECT(hal_strncpy_from_user(buf, bad, 64) == -EFAULT);
	EXPECT(hal_get_user32(&v32, bad & ~3UL) == -EFAULT);
	EXPECT(hal_get_user64(&v64, bad & ~7UL) == -EFAULT);
	EXPECT(hal_put_user32(bad & ~3UL, 1) == -EFAULT);
	EXPECT(hal_put_user64(bad & ~7UL, 1) == -EFAULT);
	EXPECT(hal_cmpxchg_user32(bad & ~3UL, 0, 1, &old) == -EFAULT);
	EXPECT(copy_from_user(buf, bad, 1) == -EFAULT);
	EXPECT(copy_from_user(buf, bad, 0) == 0);
}

static void test_bad_addresses(void)
{
	struct vm *vm = new_vm();

	if (!vm)
		return;
	enter(vm);
	map(vm, BASE, 2, PROT_READ | PROT_WRITE);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_addresses); i++)
		check_bad_address(bad_addresses[i]);
	/* A length that wraps past the end of the address space. */
	EXPECT(hal_clear_user(BASE, ~0UL - BASE) != 0);
	EXPECT(hal_clear_user(BASE, 1UL << 63) != 0);
	enter(NULL);
	vm_put(vm);
}

/* Two pages, then nothing: every distance from the end, every alignment. */
static void check_short(unsigned int before_end, unsigned int len)
{
	uaddr_t at = BASE + 2 * PAGE_SIZE - before_end;
	size_t wanted = len > before_end ? len - before_end : 0;
	char buf[128], back[128];

	memset(buf, 0x5a, sizeof(buf));
	memset(back, 0, sizeof(back));
	EXPECT(hal_copy_to_user(at, buf, len) == wanted);
	EXPECT(hal_copy_from_user(back, at, len) == wanted);
	EXPECT(memcmp(buf, back, len - wanted) == 0);
	EXPECT(hal_clear_user(at, len) == wanted);
	EXPECT(hal_copy_from_user(back, at, len) == wanted);
	for (unsigned int i = 0; i < len - wanted; i++)
		EXPECT(back[i] == 0);
}

static void test_short_copies(void)
{
	struct vm *vm = new_vm();
	char buf[40];

	if (!vm)
		return;
	enter(vm);
	map(vm, BASE, 2, PROT_READ | PROT_WRITE);
	for (unsigned int before = 0; before < 70; before += before < 20 ? 1 : 7)
		for (unsigned int len = 1; len < 100; len += len < 20 ? 1 : 9)
			check_short(before, len);
	EXPECT(hal_copy_to_user(BASE + 2 * PAGE_SIZE - 6, "string", 6) == 0);
	EXPECT(hal_strncpy_from_user(buf, BASE + 2 * PAGE_SIZE - 6, sizeof(buf)) == -EFAULT);
	EXPECT(hal_strncpy_from_user(buf, BASE + 2 * PAGE_SIZE - 6, 6) == 6);
	EXPECT(hal_copy_to_user(BASE + 2 * PAGE_SIZE - 7, "string", 7) == 0);
	EXPECT(hal_strncpy_from_user(buf, BASE + 2 * PAGE_SIZE - 7, sizeof(buf)) == 6 &&
	       !strcmp(buf, "string"));
	enter(NULL);
	vm_put(vm);
}

/* Rights: PROT_NONE and read-only pages stop a copy as a hole does. */
static void test_rights(void)
{
	struct vm *vm = new_vm();
	static char buf[3 * PAGE_SIZE];
	u32 old;

	if (!vm)
		return;
	enter(vm);
	map(vm, BASE, 3, PROT_READ | PROT_WRITE);
	EXPECT(hal_copy_to_user(BASE, buf, sizeof(buf)) == 0);
	EXPECT(vm_protect(vm, BASE + PAGE_SIZE, PAGE_SIZE, PROT_READ) == 0);
	EXPECT(hal_copy_to_user(BASE, buf, sizeof(buf)) == 2 * PAGE_SIZE);
	EXPECT(hal_copy_from_user(buf, BASE, sizeof(buf)) == 0);
	EXPECT(hal_cmpxchg_user32(BASE + PAGE_SIZE, 0, 1, &old) == -EFAULT);
	EXPECT(vm_protect(vm, BASE + PAGE_SIZE, PAGE_SIZE, PROT_NONE) == 0);
	EXPECT(hal_copy_from_user(buf, BASE, sizeof(buf)) == 2 * PAGE_SIZE);
	EXPECT(vm_protect(vm, BASE + PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE) == 0);
	EXPECT(hal_copy_to_user(BASE, buf, sizeof(buf)) == 0);
	EXPECT(hal_put_user32(BASE + PAGE_SIZE, 5) == 0);
	EXPECT(hal_cmpxchg_user32(BASE + PAGE_SIZE, 4, 6, &old) == 0 && old == 5);
	EXPECT(hal_cmpxchg_user32(BASE + PAGE_SIZE, 5, 6, &old) == 0 && old == 5);
	EXPECT(hal_get_user32(&old, BASE + PAGE_SIZE) == 0 && old == 6);
	enter(NULL);
	vm_put(vm);
}

/* ---- fork ---- */

static void test_fork_cow(void)
{
	struct vm *parent = new_vm(), *child;
	u64 v = 0;

	if (!parent)
		return;
	enter(parent);
	map(parent, BASE, 64, PROT_READ | PROT_WRITE);
	for (u64 i = 0; i < 64; i++)
		EXPECT(hal_put_user64(BASE + i * PAGE_SIZE, i) == 0);
	child = vm_fork(parent);
	if (!EXPECT(!IS_ERR(child)))
		goto out;
	for (u64 i = 0; i < 64; i += 2)
		EXPECT(hal_put_user64(BASE + i * PAGE_SIZE, 1000 + i) == 0);
	enter(child);
	for (u64 i = 0; i < 64; i++)
		EXPECT(hal_get_user64(&v, BASE + i * PAGE_SIZE) == 0 && v == i);
	for (u64 i = 0; i < 64; i += 3)
		EXPECT(hal_put_user64(BASE + i * PAGE_SIZE, 2000 + i) == 0);
	enter(parent);
	for (u64 i = 0; i < 64; i++)
		EXPECT(hal_get_user64(&v, BASE + i * PAGE_SIZE) == 0 &&
		       v == (i % 2 ? i : 1000 + i));
	vm_put(child);
out:
	enter(NULL);
	vm_put(parent);
}

/* ---- other CPUs' TLBs ---- */

static struct vm *shared;
static u32 published, locked_gen, finished;

/* The page is replaced and its new contents published; a reader never sees older contents than were published when it began. */
static void replace_worker(unsigned int self)
{
	u32 v = 0;

	enter(shared);
	if (!self) {
		for (u32 i = 1; i <= 60; i++) {
			map(shared, BASE, 1, PROT_READ | PROT_WRITE);
			EXPECT(hal_put_user32(BASE, i) == 0);
			__atomic_store_n(&published, i, __ATOMIC_SEQ_CST);
			if (i % 4 == 0)
				ktest_sleep_ns(20 * NSEC_PER_USEC);
		}
		__atomic_store_n(&finished, 1, __ATOMIC_SEQ_CST);
	}
	while (!__atomic_load_n(&finished, __ATOMIC_SEQ_CST)) {
		u32 least = __atomic_load_n(&published, __ATOMIC_SEQ_CST);

		if (!hal_get_user32(&v, BASE))
			EXPECT(v == 0 || v >= least);
		cond_resched();
	}
	enter(NULL);
}

static void run_shared(void (*fn)(unsigned int self))
{
	shared = new_vm();
	published = locked_gen = finished = 0;
	if (!shared)
		return;
	map(shared, BASE, 1, PROT_READ | PROT_WRITE);
	ktest_parallel(cpu_online_count(), fn, true);
	vm_put(shared);
}

static void test_tlb_replace(void)
{
	run_shared(replace_worker);
}

/* While locked_gen is odd the page is read-only: no write may succeed from its beginning to its end. */
static void protect_worker(unsigned int self)
{
	u32 writes = 0;

	enter(shared);
	if (!self) {
		for (u32 i = 0; i < 40; i++) {
			EXPECT(vm_protect(shared, BASE, PAGE_SIZE, PROT_READ) == 0);
			__atomic_add_fetch(&locked_gen, 1, __ATOMIC_SEQ_CST);
			ktest_sleep_ns(5 * NSEC_PER_USEC);
			__atomic_add_fetch(&locked_gen, 1, __ATOMIC_SEQ_CST);
			EXPECT(vm_protect(shared, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE) == 0);
			EXPECT(hal_put_user32(BASE, i) == 0);
		}
		__atomic_store_n(&finished, 1, __ATOMIC_SEQ_CST);
	}
	while (!__atomic_load_n(&finished, __ATOMIC_SEQ_CST)) {
		u32 gen = __atomic_load_n(&locked_gen, __ATOMIC_SEQ_CST);
		int r = hal_put_user32(BASE + 8 * self, writes++);

		if ((gen & 1) && gen == __atomic_load_n(&locked_gen, __ATOMIC_SEQ_CST))
			EXPECT(r == -EFAULT);
		cond_resched();
	}
	enter(NULL);
}

static void test_tlb_protect(void)
{
	run_shared(protect_worker);
}

/* Threads fault on the same pages at once; every store lands on the one page that stays. */
static void fault_worker(unsigned int self)
{
	enter(shared);
	for (u64 i = 0; i < 200; i++) {
		EXPECT(hal_put_user32(BASE + i * PAGE_SIZE + self * 4, (u32)(self + i)) == 0);
		cond_resched();
	}
	enter(NULL);
}

static void test_parallel_faults(void)
{
	u32 v = 0;

	shared = new_vm();
	if (!shared)
		return;
	map(shared, BASE, 200, PROT_READ | PROT_WRITE);
	ktest_parallel(cpu_online_count(), fault_worker, true);
	enter(shared);
	for (u64 i = 0; i < 200; i++)
		for (u32 self = 0; self < cpu_online_count(); self++)
			EXPECT(hal_get_user32(&v, BASE + i * PAGE_SIZE + self * 4) == 0 &&
			       v == self + i);
	EXPECT(shared->rss_anon == 200);
	enter(NULL);
	vm_put(shared);
}

const struct ktest ktest_user[] = {
	{ "bad_addresses", test_bad_addresses, false },
	{ "short_copies", test_short_copies, false },
	{ "copy_rights", test_rights, false },
	{ "fork_cow", test_fork_cow, false },
	{ "tlb_replace", test_tlb_replace, true },
	{ "tlb_protect", test_tlb_protect, true },
	{ "parallel_faults", test_parallel_faults, true },
	KTEST_END,
};

/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown by interprocessor interrupt. Interface, protocol and locking: <hal/tlb.h>.
 */
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/pt_radix.h>
#include <hal/tlb.h>

/* More pages than this are forgotten by flushing the whole table's translations. */
#define TLB_MAX_PAGES 32
/* Of waiting for answers, before the CPU halts: about what being woken costs. */
#define AWAKE_TURNS 50

/* What a CPU asks of others; stable while `waiting` is not 0. */
struct tlb_request {
	struct hal_pt *pt;    /* NULL: kernel addresses */
	vaddr_t start, end;   /* 0, 0: everything of @pt */
	unsigned int waiting; /* atomic: CPUs that have not answered */
	bool halted;	      /* the last one to answer is to send an interrupt */
};

struct tlb_inbox {
	u64 from[TLB_CPU_WORDS]; /* atomic: CPUs whose request waits for this one */
};

static DEFINE_PERCPU(struct tlb_request, tlb_request);
static DEFINE_PERCPU(struct tlb_inbox, tlb_inbox);

/* CPUs that run kernel code and answer; atomic. */
static u64 tlb_online[TLB_CPU_WORDS];

static u64 cpu_bit(unsigned int cpu)
{
	return 1ULL << (cpu % 64);
}

static bool has_bit(const u64 *words, unsigned int cpu)
{
	return __atomic_load_n(&words[cpu / 64], __ATOMIC_RELAXED) & cpu_bit(cpu);
}

bool tlb_activate(struct hal_pt *pt)
{
	unsigned int cpu = hal_cpu_id();

	if (!has_bit(pt->tlb.mask, cpu))
		__atomic_fetch_or(&pt->tlb.mask[cpu / 64], cpu_bit(cpu), __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (likely(!has_bit(pt->tlb.stale, cpu)))
		return false;
	__atomic_fetch_and(&pt->tlb.stale[cpu / 64], ~cpu_bit(cpu), __ATOMIC_SEQ_CST);
	return true;
}

void tlb_cpu_online(void)
{
	unsigned int cpu = hal_cpu_id();

	__atomic_fetch_or(&tlb_online[cpu / 64], cpu_bit(cpu), __ATOMIC_SEQ_CST);
}

/* Interrupts off. */
static void flush_here(const struct tlb_request *req)
{
	struct hal_pt *pt = req->pt;
	unsigned int cpu = hal_cpu_id();

	if (!pt) {
		arch_tlb_flush_local_kernel(req->start, req->end);
	} else if (!arch_pt_is_active(pt)) {
		arch_tlb_flush_local_all(pt);
		__atomic_fetch_and(&pt->tlb.mask[cpu / 64], ~cpu_bit(cpu), __ATOMIC_SEQ_CST);
	} else if (req->end == 0) {
		arch_tlb_flush_local_all(pt);
	} else {
		arch_tlb_flush_local(pt, req->start, req->end);
	}
}

static void answer(unsigned int cpu)
{
	struct tlb_request *req = &percpu_of(tlb_request, cpu);

	flush_here(req);
	/* What is read of a request that is done may be the next one's: then the interrupt is for nothing. */
	if (__atomic_sub_fetch(&req->waiting, 1, __ATOMIC_SEQ_CST) == 0 &&
	    __atomic_load_n(&req->halted, __ATOMIC_SEQ_CST))
		hal_ipi_send(cpu, HAL_IPI_TLB);
}

void tlb_handle_ipi(void)
{
	struct tlb_inbox *inbox = &percpu(tlb_inbox);
	unsigned int w;

	for (w = 0; w < TLB_CPU_WORDS; w++) {
		u64 from = __atomic_exchange_n(&inbox->from[w], 0, __ATOMIC_ACQUIRE);

		for (; from; from &= from - 1)
			answer(w * 64 + (unsigned int)__builtin_ctzll(from));
	}
}

static void ask(unsigned int cpu)
{
	unsigned int self = hal_cpu_id();
	struct tlb_inbox *inbox = &percpu_of(tlb_inbox, cpu);

	__atomic_fetch_or(&inbox->from[self / 64], cpu_bit(self), __ATOMIC_RELEASE);
	hal_ipi_send(cpu, HAL_IPI_TLB);
}

/* Leave it to @cpu to flush before it uses @pt again. False: it uses it now. */
static bool defer(struct hal_pt *pt, unsigned int cpu)
{
	if (arch_pt_is_active_on(pt, cpu))
		return false;
	if (!has_bit(pt->tlb.stale, cpu))
		__atomic_fetch_or(&pt->tlb.stale[cpu / 64], cpu_bit(cpu), __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !arch_pt_is_active_on(pt, cpu);
}

/* Take the CPUs that do not run @pt out of @targets. */
static void defer_inactive(struct hal_pt *pt, u64 *targets)
{
	for (unsigned int w = 0; w < TLB_CPU_WORDS; w++)
		for (u64 left = targets[w]; left; left &= left - 1)
			if (defer(pt, w * 64 + (unsigned int)__builtin_ctzll(left)))
				targets[w] &= ~(left & -left);
}

/* The other CPUs of @mask that have to be interrupted; returns how many. */
static unsigned int collect(const u64 *mask, struct hal_pt *pt, u64 *out)
{
	unsigned int w, n = 0, self = hal_cpu_id();

	for (w = 0; w < TLB_CPU_WORDS; w++) {
		out[w] = __atomic_load_n(&mask[w], __ATOMIC_RELAXED);
		if (w == self / 64)
			out[w] &= ~cpu_bit(self);
	}
	if (pt)
		defer_inactive(pt, out);
	for (w = 0; w < TLB_CPU_WORDS; w++)
		n += (unsigned int)__builtin_popcountll(out[w]);
	return n;
}

/*
 * CPUs that are virtual may have to be run before they can answer, perhaps where this one is: after a while it gives its place up.
 *
 *	asking CPU, interrupts off		the last to answer
 *	halted = true				waiting = 0
 *	waiting is 0? then do not halt		halted? then interrupt
 *
 * Interrupts are on, but for a CPU that is being started: requests of others are answered meanwhile.
 */
static void wait_for_answers(struct tlb_request *req)
{
	for (unsigned int n = AWAKE_TURNS; __atomic_load_n(&req->waiting, __ATOMIC_ACQUIRE); n--) {
		if (n || !hal_irq_enabled()) {
			hal_cpu_relax();
			n = max(n, 1U);
			continue;
		}
		hal_irq_disable();
		__atomic_store_n(&req->halted, true, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&req->waiting, __ATOMIC_SEQ_CST)) {
			hal_cpu_idle();
			hal_irq_disable();
		}
		__atomic_store_n(&req->halted, false, __ATOMIC_RELAXED);
		hal_irq_enable();
		return;
	}
}

static void shoot(const u64 *mask, struct hal_pt *pt, vaddr_t start, vaddr_t end)
{
	struct tlb_request *req = &percpu(tlb_request);
	u64 targets[TLB_CPU_WORDS];
	unsigned long flags;
	unsigned int w, n;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	req->pt = pt;
	req->start = start;
	req->end = end;
	n = collect(mask, pt, targets);
	__atomic_store_n(&req->waiting, n, __ATOMIC_RELEASE);
	for (w = 0; n && w < TLB_CPU_WORDS; w++)
		for (; targets[w]; targets[w] &= targets[w] - 1)
			ask(w * 64 + (unsigned int)__builtin_ctzll(targets[w]));
	flags = hal_irq_save();
	flush_here(req);
	hal_irq_restore(flags);
	wait_for_answers(req);
}

void hal_tlb_flush_range(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	if (start >= end)
		return;
	if (end - start > TLB_MAX_PAGES * PAGE_SIZE)
		shoot(pt->tlb.mask, pt, 0, 0);
	else
		shoot(pt->tlb.mask, pt, start, end);
}

void hal_tlb_flush_page(struct hal_pt *pt, uaddr_t va)
{
	shoot(pt->tlb.mask, pt, va & PAGE_MASK, (va & PAGE_MASK) + PAGE_SIZE);
}

void hal_tlb_flush_all(struct hal_pt *pt)
{
	shoot(pt->tlb.mask, pt, 0, 0);
}

void arch_tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	shoot(tlb_online, NULL, start, end);
}

/* SPDX-License-Identifier: MIT */
/*
 * The local APIC: end of interrupt, IPIs, the one-shot timer.
 *
 * x2APIC (MSRs) where x86_cpu_detect() chose it, else registers in memory. The timer runs in TSC-deadline mode where the
 * CPU offers it; else it counts down at a rate measured once. A count that is too short for the deadline is
 * continued by the interrupt, so upcall_timer() never comes early.
 * Source: Intel SDM volume 3A chapter 11.
 */
#include "pc.h"

#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <hal/timer.h>
#include <hal/tlb.h>
#include <hal/upcall.h>

#define LAPIC_ID	0x20
#define LAPIC_TPR	0x80
#define LAPIC_EOI	0xb0
#define LAPIC_SPURIOUS	0xf0
#define LAPIC_ICR	0x300
#define LAPIC_ICR_HIGH	0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_COUNT	0x380
#define LAPIC_NOW	0x390
#define LAPIC_DIVIDE	0x3e0

#define SPURIOUS_ENABLE	 0x100
#define LVT_MASKED	 0x10000
#define LVT_NMI		 0x400
#define LVT_DEADLINE	 0x40000
#define DIVIDE_BY_1	 0xb
#define ICR_PENDING	 0x1000
#define ICR_INIT	 0x4500
#define ICR_SIPI	 0x4600
#define ICR_NMI		 0x4400
#define ICR_FIXED	 0x4000

#define CALIBRATE_NS 200000
#define NS_PER_SEC   1000000000ULL

static volatile u8 *lapic; /* NULL with x2APIC */
static u64 counts_per_ns;  /* 32.32 fixed point */
static bool stopping;	   /* an NMI now means: halt */

static DEFINE_PERCPU(u64, timer_deadline);
/* NMIs to be reported: they come where no lock may be taken, so the next timer interrupt tells. */
static DEFINE_PERCPU(unsigned int, nmis);

static u32 lapic_read(u32 reg)
{
	return x86_features.x2apic ? (u32)rdmsr(MSR_X2APIC + reg / 16) : readl(lapic + reg);
}

static void lapic_write(u32 reg, u32 v)
{
	if (x86_features.x2apic)
		wrmsr(MSR_X2APIC + reg / 16, v);
	else
		writel(v, lapic + reg);
}

static void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

void x86_lapic_eoi(void)
{
	lapic_eoi();
}

/* ---- Interrupting other CPUs ---- */

static void send_icr(u32 apic_id, u32 command)
{
	if (x86_features.x2apic) {
		smp_mb(); /* an MSR write does not wait for earlier stores */
		wrmsr(MSR_X2APIC + LAPIC_ICR / 16, (u64)apic_id << 32 | command);
		return;
	}
	unsigned long flags = hal_irq_save();

	while (lapic_read(LAPIC_ICR) & ICR_PENDING)
		hal_cpu_relax();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR, command);
	hal_irq_restore(flags);
}

void lapic_start_cpu(u32 apic_id, unsigned int page, bool init)
{
	send_icr(apic_id, init ? ICR_INIT : ICR_SIPI | page);
}

void hal_ipi_send(unsigned int cpu, enum hal_ipi ipi)
{
	static const u32 commands[] = {
		[HAL_IPI_RESCHED] = ICR_FIXED | X86_VEC_RESCHED,
		[HAL_IPI_TLB] = ICR_FIXED | X86_VEC_TLB,
		[HAL_IPI_STOP] = ICR_NMI, /* reaches CPUs with interrupts off, too */
		[HAL_IPI_CALL] = ICR_FIXED | X86_VEC_CALL,
	};

	if (ipi == HAL_IPI_STOP)
		WRITE_ONCE(stopping, true);
	send_icr((u32)boot_info.cpu_hwid[cpu], commands[ipi]);
}

/* ---- The timer ---- */

static void arm(u64 deadline_ns)
{
	u64 now = hal_clock_ns(), left = deadline_ns > now ? deadline_ns - now : 0;

	if (x86_features.tsc_deadline) {
		wrmsr(MSR_TSC_DEADLINE,
		      deadline_ns == U64_MAX ? 0 : hal_deadline_ticks(deadline_ns));
	} else if (deadline_ns == U64_MAX) {
		lapic_write(LAPIC_COUNT, 0);
	} else {
		left = min(left, 4 * NS_PER_SEC) * (counts_per_ns >> 8) >> 24;
		lapic_write(LAPIC_COUNT, (u32)clamp(left + 1, 1ULL, 0xffffffffULL));
	}
}

void hal_timer_set(u64 deadline_ns)
{
	/* The sum in arm() must not overflow: a hundred years are never. */
	if (deadline_ns > 100ULL * 365 * 86400 * NS_PER_SEC)
		deadline_ns = U64_MAX;
	percpu(timer_deadline) = deadline_ns;
	arm(deadline_ns);
}

static void timer_interrupt(void)
{
	u64 deadline = percpu(timer_deadline);

	if (unlikely(percpu(nmis)))
		klog(4, "x86: %u NMIs on CPU %u\n", percpu(nmis), hal_cpu_id());
	percpu(nmis) = 0;
	if (deadline == U64_MAX)
		return;
	if (hal_clock_ns() < deadline) {
		arm(deadline);
		return;
	}
	percpu(timer_deadline) = U64_MAX;
	upcall_timer();
}

static u32 timer_left(void)
{
	return lapic_read(LAPIC_NOW);
}

static void calibrate(void)
{
	struct pc_reading begin, end;

	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | X86_VEC_TIMER);
	lapic_write(LAPIC_COUNT, 0xffffffff);
	begin = pc_read_clocks(timer_left, hal_clock_ns);
	pc_delay_ns(CALIBRATE_NS);
	end = pc_read_clocks(timer_left, hal_clock_ns);
	lapic_write(LAPIC_COUNT, 0);
	counts_per_ns = ((u64)(begin.count - end.count) << 32) / (end.time - begin.time);
	if (!counts_per_ns)
		panic("the local APIC's timer does not run");
}

/* ---- Dispatch ---- */

void x86_irq_vector(unsigned int vector)
{
	switch (vector) {
	case X86_VEC_TIMER:
		lapic_eoi();
		timer_interrupt();
		break;
	case X86_VEC_RESCHED:
		lapic_eoi();
		upcall_ipi_resched();
		break;
	case X86_VEC_TLB:
		lapic_eoi();
		tlb_handle_ipi();
		break;
	case X86_VEC_CALL:
		lapic_eoi();
		upcall_ipi_call();
		break;
	case X86_VEC_ERROR:
		lapic_eoi();
		klog(4, "x86: local APIC error on CPU %u\n", hal_cpu_id());
		break;
	case X86_VEC_SPURIOUS: /* has no end */
		break;
	default:
		if (!pc_msi_vector(vector))
			ioapic_vector(vector);
	}
}

void x86_nmi(void)
{
	if (READ_ONCE(stopping))
		hal_cpu_halt();
	percpu(nmis)++;
}

static void enable(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	wrmsr(MSR_APIC_BASE, base);
	if (x86_features.x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	else if (!lapic)
		lapic = hal_ioremap(pc_acpi.lapic, PAGE_SIZE);
	if (!x86_features.x2apic && !lapic)
		panic("no memory to map the local APIC");
}

void lapic_init_cpu(void)
{
	percpu(timer_deadline) = U64_MAX;
	enable();
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
	lapic_write(LAPIC_LVT_ERROR, X86_VEC_ERROR);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | X86_VEC_SPURIOUS);
	if (x86_features.tsc_deadline) {
		lapic_write(LAPIC_LVT_TIMER, LVT_DEADLINE | X86_VEC_TIMER);
		/* The mode must be in place before the first deadline is written. */
		mb();
		return;
	}
	lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
	if (!counts_per_ns)
		calibrate();
	lapic_write(LAPIC_LVT_TIMER, X86_VEC_TIMER);
}

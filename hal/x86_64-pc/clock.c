/* SPDX-License-Identifier: MIT */
/*
 * The clock: nanoseconds from the TSC.
 *
 * The TSC's rate comes from CPUID where it says (leaf 0x15, a hypervisor's 0x40000010), else from counting
 * it against the HPET, the ACPI timer or the PIT for a millisecond or two. The TSCs of all CPUs are
 * taken to agree, as they do on every machine with an invariant TSC and in every hypervisor.
 * Source: Intel SDM volume 2A CPUID, volume 3B section 18.17; 8254 data sheet.
 */
#include "pc.h"

#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <hal/timer.h>
#include <hal/upcall.h>

#define HPET_PERIOD	0x004 /* upper half of the capabilities: femtoseconds a tick */
#define HPET_CONFIG	0x010
#define HPET_COUNTER	0x0f0
#define HPET_WINDOW_NS	1000000

#define PM_TIMER_HZ    3579545
#define PM_WINDOW      7159 /* ticks: 2 ms */

#define PIT_HZ	    1193182
#define PIT_CH0	    0x40
#define PIT_CMD	    0x43
#define PIT_MODE2   0x34 /* channel 0: count down from 65536, again and again */
#define PIT_LATCH   0x00
#define PIT_WINDOW  2386 /* ticks: 2 ms */

static u64 hz_from_cpuid(void)
{
	struct cpuid c;

	if (cpuid(0, 0).a >= 0x15) {
		c = cpuid(0x15, 0);
		if (c.a && c.b && c.c)
			return (u64)c.c * c.b / c.a;
	}
	if (x86_features.hypervisor && cpuid(0x40000000, 0).a >= 0x40000010)
		return (u64)cpuid(0x40000010, 0).a * 1000;
	return 0;
}

/* @ticks of the TSC passed during @n ticks of a clock of @hz; no more than milliseconds of both. */
static u64 rate(u64 ticks, u64 n, u64 hz)
{
	return n ? ticks * hz / n : 0;
}

static u64 hz_from_hpet(void)
{
	volatile u8 *hpet = (volatile u8 *)pc_early_map(pc_acpi.hpet, 0x400);
	u32 period, config, begin, end;
	u64 t0, t1, hz;

	if (!hpet)
		return 0;
	period = readl(hpet + HPET_PERIOD);
	config = readl(hpet + HPET_CONFIG);

	/* The specification's limits: 0 < period <= 100 ns. */
	if (!period || period > 100000000)
		return 0;
	hz = 1000000000000000ULL / period;
	writel(config | 1, hpet + HPET_CONFIG);
	begin = readl(hpet + HPET_COUNTER);
	t0 = rdtsc();
	for (unsigned int i = 0; i < 10000000; i++) {
		end = readl(hpet + HPET_COUNTER);
		if ((u64)(end - begin) * period / 1000000 >= HPET_WINDOW_NS)
			break;
	}
	t1 = rdtsc();
	writel(config, hpet + HPET_CONFIG);
	return rate(t1 - t0, end - begin, hz);
}

static u64 hz_from_pm_timer(void)
{
	u32 mask = pc_acpi.pm_timer_32 ? ~0u : 0xffffff;
	u32 begin = inl(pc_acpi.pm_timer), now = begin;
	u64 t0, t1;

	/* Start at the edge of a tick. */
	for (unsigned int i = 0; i < 100000 && now == begin; i++)
		now = inl(pc_acpi.pm_timer);
	t0 = rdtsc();
	begin = now;
	for (unsigned int i = 0; i < 10000000 && ((now - begin) & mask) < PM_WINDOW; i++)
		now = inl(pc_acpi.pm_timer);
	t1 = rdtsc();
	return rate(t1 - t0, (now - begin) & mask, PM_TIMER_HZ);
}

static u16 pit_read(void)
{
	u8 low;

	outb(PIT_CMD, PIT_LATCH);
	low = inb(PIT_CH0);
	return (u16)(inb(PIT_CH0) << 8 | low);
}

/* Channel 0, because small virtual machines have no speaker port, which channel 2 would need. */
static u64 hz_from_pit(void)
{
	u16 begin, now;
	u64 t0, t1;

	outb(PIT_CMD, PIT_MODE2);
	outb(PIT_CH0, 0);
	outb(PIT_CH0, 0);
	begin = now = pit_read();
	for (unsigned int i = 0; i < 100000 && now == begin; i++)
		now = pit_read();
	t0 = rdtsc();
	begin = now;
	for (unsigned int i = 0; i < 100000 && (u16)(begin - now) < PIT_WINDOW; i++)
		now = pit_read();
	t1 = rdtsc();
	/* No PIT: the count stands still. */
	return rate(t1 - t0, (u16)(begin - now), PIT_HZ);
}

static u64 tsc_hz;
static const char *measured_by;

void pc_clock_init(void)
{
	tsc_hz = hz_from_cpuid();
	measured_by = "CPUID";

	if (!tsc_hz && pc_acpi.hpet) {
		measured_by = "HPET";
		tsc_hz = hz_from_hpet();
	}
	if (!tsc_hz && pc_acpi.pm_timer) {
		measured_by = "ACPI timer";
		tsc_hz = hz_from_pm_timer();
	}
	if (!tsc_hz) {
		measured_by = "PIT";
		tsc_hz = hz_from_pit();
	}
	if (!tsc_hz)
		panic("no clock to measure the TSC with");
	hal_clock_init(tsc_hz);
}

void pc_clock_report(void)
{
	klog(6, "x86: TSC %llu kHz, by the %s\n", tsc_hz / 1000, measured_by);
}

void pc_delay_ns(u64 ns)
{
	u64 end = hal_clock_ns() + ns;

	while (hal_clock_ns() < end)
		hal_cpu_relax();
}

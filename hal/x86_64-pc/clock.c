/* SPDX-License-Identifier: MIT */
/*
 * The clock: nanoseconds from the TSC.
 *
 * The TSC's rate comes from CPUID where it says (leaf 0x15, a hypervisor's 0x40000010), else from counting
 * it against the HPET, the ACPI timer or the PIT for some milliseconds. The TSCs of all CPUs are
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
#define HPET_WINDOW_NS	1000000ULL

#define PM_TIMER_HZ    3579545
#define PM_WINDOW      7159 /* ticks: 2 ms */

#define PIT_HZ	    1193182
#define PIT_CH0	    0x40
#define PIT_CMD	    0x43
#define PIT_MODE2   0x34 /* channel 0: count down from 65536, again and again */
#define PIT_LATCH   0x00
#define PIT_WINDOW  4772 /* ticks: 4 ms */
#define PIT_TRIES   3	 /* the count is back where it was in 55 ms, which a hypervisor may take at a time */

#define READINGS 8

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

struct pc_reading pc_read_clocks(u32 (*count)(void), u64 (*time)(void))
{
	struct pc_reading best = { 0, 0 };
	u64 least = U64_MAX;

	for (unsigned int i = 0; i < READINGS; i++) {
		u64 before = time();
		u32 n = count();
		u64 took = time() - before;

		if (took < least) {
			least = took;
			best = (struct pc_reading){ before + took / 2, n };
		}
	}
	return best;
}

static u64 tsc(void)
{
	return rdtsc();
}

/* The TSC's rate by a clock of @hz that counts up in @mask, over @window ticks of it. 0: it stands still. */
static u64 measure(u32 (*count)(void), u32 mask, u32 window, u64 hz)
{
	struct pc_reading begin = pc_read_clocks(count, tsc), end;
	u32 n;

	for (unsigned int i = 0; i < 100000 && ((count() - begin.count) & mask) < window; i++)
		;
	end = pc_read_clocks(count, tsc);
	n = (end.count - begin.count) & mask;
	/* Seconds of both fit; longer than that no hypervisor takes. */
	return n ? (end.time - begin.time) * hz / n : 0;
}

static volatile u8 *hpet;

static u32 hpet_count(void)
{
	return readl(hpet + HPET_COUNTER);
}

static u64 hz_from_hpet(void)
{
	u32 period, config;
	u64 hz;

	hpet = (volatile u8 *)pc_early_map(pc_acpi.hpet, 0x400);

	if (!hpet)
		return 0;
	period = readl(hpet + HPET_PERIOD);
	config = readl(hpet + HPET_CONFIG);

	/* The specification's limits: 0 < period <= 100 ns. */
	if (!period || period > 100000000)
		return 0;
	hz = 1000000000000000ULL / period;
	writel(config | 1, hpet + HPET_CONFIG);
	hz = measure(hpet_count, ~0u, (u32)(HPET_WINDOW_NS * 1000000 / period), hz);
	writel(config, hpet + HPET_CONFIG);
	return hz;
}

static u32 pm_count(void)
{
	return inl(pc_acpi.pm_timer);
}

static u64 hz_from_pm_timer(void)
{
	return measure(pm_count, pc_acpi.pm_timer_32 ? ~0u : 0xffffff, PM_WINDOW, PM_TIMER_HZ);
}

/* It counts down. */
static u32 pit_count(void)
{
	u32 low;

	outb(PIT_CMD, PIT_LATCH);
	low = inb(PIT_CH0);
	return 0xffff - ((u32)inb(PIT_CH0) << 8 | low);
}

/* Channel 0, because small virtual machines have no speaker port, which channel 2 would need. */
static u64 hz_from_pit(void)
{
	u64 least = U64_MAX;

	outb(PIT_CMD, PIT_MODE2);
	outb(PIT_CH0, 0);
	outb(PIT_CH0, 0);
	/* Ticks that went round unseen make the TSC look faster. */
	for (unsigned int i = 0; i < PIT_TRIES; i++)
		least = min(least, measure(pit_count, 0xffff, PIT_WINDOW, PIT_HZ));
	return least;
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

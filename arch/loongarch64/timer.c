/* SPDX-License-Identifier: MIT */
/*
 * Time of loongarch64: the stable counter (rdtime.d), the same on all CPUs, and each CPU's constant
 * timer, used one-shot. Frequency: CPUCFG words 4 and 5. Source: LoongArch Reference Manual, volume
 * 1, 2.2.10.4 and 7.6.
 */
#include <arch/trap.h>
#include <hal/cpu.h>
#include <hal/timer.h>
#include <hal/upcall.h>

#define NS_PER_SEC	1000000000ULL
#define TCFG_MAX_TICKS	((1ULL << 47) - 1)
#define TCFG_MIN_TICKS	4ULL

static u64 freq, boot_ticks;
/* Nanoseconds a tick and ticks a nanosecond, as 32.32 fixed point. */
static u64 ns_per_tick, ticks_per_ns;

static u64 scale(u64 v, u64 fixed)
{
	return (u64)(((unsigned __int128)v * fixed) >> 32);
}

static void timer_init_boot(void)
{
	u32 mul = cpucfg(5) & 0xffff, div = cpucfg(5) >> 16;

	freq = (u64)cpucfg(4) * mul / (div ? div : 1);
	if (!freq)
		panic("CPUCFG does not tell the counter's frequency");
	ns_per_tick = (NS_PER_SEC << 32) / freq;
	ticks_per_ns = (freq << 32) / NS_PER_SEC; /* the counter is slower than 4 GHz */
	boot_ticks = hal_counter();
}

void arch_timer_init_cpu(void)
{
	if (!freq)
		timer_init_boot();
	csr_write(hal_cpu_id(), CSR_TID);
	csr_write(0, CSR_TCFG);
	csr_write(TICLR_CLEAR, CSR_TICLR);
}

void hal_clock_scale(u64 *origin_ticks, u64 *mult)
{
	*origin_ticks = boot_ticks;
	*mult = ns_per_tick;
}

u64 hal_clock_ns(void)
{
	return scale(hal_counter() - boot_ticks, ns_per_tick);
}

u64 hal_counter_to_ns(u64 ticks)
{
	return scale(ticks, ns_per_tick);
}

u64 hal_timer_freq(void)
{
	return freq;
}

void hal_timer_set(u64 deadline_ns)
{
	u64 now, ticks;

	if (deadline_ns == U64_MAX) {
		csr_write(0, CSR_TCFG);
		return;
	}
	now = hal_clock_ns();
	ticks = deadline_ns > now ? scale(deadline_ns - now, ticks_per_ns) + 1 : 0;
	if (ticks < TCFG_MIN_TICKS)
		ticks = TCFG_MIN_TICKS;
	if (ticks > TCFG_MAX_TICKS)
		ticks = TCFG_MAX_TICKS;
	csr_write(((ticks + 3) & ~3ULL) | TCFG_EN, CSR_TCFG);
}

void arch_timer_interrupt(void)
{
	csr_write(TICLR_CLEAR, CSR_TICLR);
	upcall_timer();
}

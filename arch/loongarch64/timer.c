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

#define TCFG_MAX_TICKS	((1LL << 47) - 1)
#define TCFG_MIN_TICKS	4LL

static void timer_init_boot(void)
{
	u32 mul = cpucfg(5) & 0xffff, div = cpucfg(5) >> 16;
	u64 freq = (u64)cpucfg(4) * mul / (div ? div : 1);

	if (!freq)
		panic("CPUCFG does not tell the counter's frequency");
	hal_clock_init(freq);
}

void arch_timer_init_cpu(void)
{
	if (!hal_clock.freq)
		timer_init_boot();
	csr_write(hal_cpu_id(), CSR_TID);
	csr_write(0, CSR_TCFG);
	csr_write(TICLR_CLEAR, CSR_TICLR);
}

void hal_timer_set(u64 deadline_ns)
{
	s64 ticks;

	if (deadline_ns == U64_MAX) {
		csr_write(0, CSR_TCFG);
		return;
	}
	ticks = (s64)(hal_deadline_ticks(deadline_ns) - hal_counter());
	if (ticks < TCFG_MIN_TICKS)
		ticks = TCFG_MIN_TICKS;
	if (ticks > TCFG_MAX_TICKS)
		ticks = TCFG_MAX_TICKS;
	csr_write(ALIGN_UP((u64)ticks, 4ULL) | TCFG_EN, CSR_TCFG);
}

void arch_timer_interrupt(void)
{
	csr_write(TICLR_CLEAR, CSR_TICLR);
	upcall_timer();
}

/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a controller: at first by looking, then asleep.
 *
 * What is waited for appears in a status register, whatever is let to interrupt. Who waits looks at it; when it is not there yet, lets it
 * interrupt, and sleeps. The handler takes the permission back and leaves the status alone. Without an interrupt who waits looks again after
 * short sleeps.
 * Locking: the host's; the handler writes one register, that of the permissions.
 */
#include <compiler.h>
#include <drivers/mmc/mmc.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/timer.h>

#define SPIN_NS 10000
#define NAP_NS	50000

bool mmc_wait_turn(u64 since, u64 ns)
{
	u64 now = hal_clock_ns();

	if (now - since > ns)
		return false;
	if (now - since > SPIN_NS)
		sleep_until_ns(now + NAP_NS);
	else
		hal_cpu_relax();
	return true;
}

int mmc_settle(const char *reg, u32 mask, u32 want, u32 ms, int late)
{
	u64 since = hal_clock_ns();

	while ((readl(reg) & mask) != want)
		if (!mmc_wait_turn(since, ms * MMC_MS))
			return late;
	return 0;
}

void mmc_status_interrupt(struct mmc_status *s)
{
	if (!(readl(s->status) & readl(s->enable)))
		return;
	writel(0, s->enable);
	completion_signal(&s->irq);
}

static void sleep_for(struct mmc_status *s, u32 bits, u64 deadline)
{
	if (!s->has_irq) {
		sleep_until_ns(hal_clock_ns() + NAP_NS);
		return;
	}
	completion_reset(&s->irq);
	writel(bits, s->enable);
	completion_wait(&s->irq, deadline);
	writel(0, s->enable);
}

u32 mmc_status_wait(struct mmc_status *s, u32 bits, u64 deadline)
{
	u64 spin = hal_clock_ns() + SPIN_NS;

	for (;;) {
		u32 status = readl(s->status);
		u64 now;

		if (status & bits)
			return status;
		now = hal_clock_ns();
		if (now >= deadline)
			return 0;
		if (now >= spin)
			sleep_for(s, bits, deadline);
	}
}

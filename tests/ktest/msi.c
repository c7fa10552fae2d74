/* SPDX-License-Identifier: MIT */
/* Messages as interrupts, on machines that have a controller for them: the test writes what a device would. */
#include <hal/io.h>
#include <hal/msi.h>
#include <hal/paging.h>
#include <err.h>
#include <hal/cpu.h>
#include <kernel/sched.h>
#include <kernel/time.h>

#include "ktest.h"

#define MESSAGES 20

static u32 came[2];

static void on_message(void *arg)
{
	__atomic_fetch_add((u32 *)arg, 1, __ATOMIC_SEQ_CST);
}

/* Wait until @word is @wanted. Return: whether it is. */
static bool wait_for(const u32 *word, u32 wanted)
{
	u64 end = hal_clock_ns() + KTEST_LIMIT_NS;

	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != wanted && hal_clock_ns() < end)
		hal_cpu_relax();
	return __atomic_load_n(word, __ATOMIC_SEQ_CST) == wanted;
}

/* Each message reaches its own handler, once. */
static void test_msi_delivery(void)
{
	struct hal_msi msi[2];
	char *bell[2];

	if (!hal_msi_present(0)) {
		ktest_skip("no controller for messages");
		return;
	}
	ktest_pin(0);
	for (unsigned int i = 0; i < 2; i++) {
		struct hal_msi_request rq = { .fn = on_message, .arg = &came[i], .name = "ktest" };

		came[i] = 0;
		EXPECT(hal_msi_request(&rq, &msi[i]) == 0);
		bell[i] = hal_ioremap(msi[i].addr, 8);
		EXPECT(bell[i] != NULL);
	}
	EXPECT(msi[0].data != msi[1].data);
	for (u32 n = 1; n <= MESSAGES; n++) {
		writel(msi[0].data, bell[0]);
		EXPECT(wait_for(&came[0], n));
		EXPECT(came[1] == n - 1);
		writel(msi[1].data, bell[1]);
		EXPECT(wait_for(&came[1], n));
		EXPECT(came[0] == n);
	}
}

static u32 took_on; /* CPU of the last message that moves about */

static void on_moving(void *arg)
{
	__atomic_store_n((u32 *)arg, hal_cpu_id(), __ATOMIC_SEQ_CST);
}

static void tell(void *dev, const struct hal_msi *msi)
{
	struct hal_msi *now = dev;

	now->addr = msi->addr;
	now->data = msi->data;
}

/* A message goes to each CPU that it is sent to, twice around, and back. QEMU's EIOINTC sends the last one again when it is moved. */
static void test_msi_moves(void)
{
	struct hal_msi now;
	struct hal_msi_request rq = {
		.fn = on_moving, .arg = &took_on, .name = "ktest", .tell = tell, .dev = &now
	};
	unsigned int n = cpu_online_count(), moves = 0;

	if (!hal_msi_present(0)) {
		ktest_skip("no controller for messages");
		return;
	}
	ktest_pin(0);
	EXPECT(hal_msi_request(&rq, &now) == 0);
	for (unsigned int i = 0; i <= 2 * n; i++) {
		unsigned int cpu = i % n;
		char *bell;

		if (!cpu_online(cpu) || hal_irq_set_affinity(now.irq, cpu))
			continue;
		bell = hal_ioremap(now.addr, 8);
		EXPECT(hal_irq_cpu(now.irq) == (int)cpu);
		__atomic_store_n(&took_on, n, __ATOMIC_SEQ_CST);
		writel(now.data, bell);
		EXPECT(wait_for(&took_on, cpu));
		moves++;
	}
	EXPECT(moves >= 5);
	EXPECT(hal_irq_set_affinity(now.irq, n + 100) == -EINVAL);
	EXPECT(hal_irq_set_affinity(100000, 0) == -EINVAL);
	EXPECT(hal_irq_set_affinity(now.irq, 0) == 0);
}

const struct ktest ktest_msi[] = {
	{ "msi_delivery", test_msi_delivery, false },
	{ "msi_moves", test_msi_moves, true },
	KTEST_END,
};

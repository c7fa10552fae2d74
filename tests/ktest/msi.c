/* SPDX-License-Identifier: MIT */
/* Messages as interrupts, on machines that have a controller for them: the test writes what a device would. */
#include <hal/io.h>
#include <hal/msi.h>
#include <hal/paging.h>
#include <kernel/sched.h>
#include <kernel/time.h>

#include "ktest.h"

#define MESSAGES 20

static u32 came[2];

static void on_message(void *arg)
{
	__atomic_fetch_add((u32 *)arg, 1, __ATOMIC_SEQ_CST);
}

static bool wait_for(const u32 *count, u32 wanted)
{
	u64 end = hal_clock_ns() + KTEST_LIMIT_NS;

	while (__atomic_load_n(count, __ATOMIC_SEQ_CST) < wanted && hal_clock_ns() < end)
		hal_cpu_relax();
	return __atomic_load_n(count, __ATOMIC_SEQ_CST) == wanted;
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

const struct ktest ktest_msi[] = {
	{ "msi_delivery", test_msi_delivery, false },
	KTEST_END,
};

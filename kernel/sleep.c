/* SPDX-License-Identifier: MIT */
/* Sleeping for drivers: <sleep.h>. All completions share one queue: there are few waiters at a time, one for each controller. */
#include <hal/timer.h>
#include <kernel/task.h>
#include <kernel/wait.h>
#include <sleep.h>

static struct waitq waiters = WAITQ_INIT(waiters);

void completion_signal(struct completion *c)
{
	__atomic_store_n(&c->signalled, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&waiters);
}

bool completion_wait(struct completion *c, u64 deadline_ns)
{
	(void)__wait_event(&waiters, __atomic_load_n(&c->signalled, __ATOMIC_ACQUIRE),
			   TASK_UNINTERRUPTIBLE, deadline_ns);
	return __atomic_exchange_n(&c->signalled, 0, __ATOMIC_ACQUIRE);
}

void sleep_until_ns(u64 deadline_ns)
{
	while (hal_clock_ns() < deadline_ns) {
		task_prepare_sleep(TASK_UNINTERRUPTIBLE);
		schedule_until(deadline_ns);
		task_finish_sleep();
	}
}

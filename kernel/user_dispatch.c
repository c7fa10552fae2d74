/* SPDX-License-Identifier: MIT */
/*
 * Syscall user dispatch: which of a thread's system calls are the program's own business. It is set by the thread itself (prctl(2),
 * PR_SET_SYSCALL_USER_DISPATCH) or by its tracer; syscall/dispatch.c asks it, when WORK_DISPATCH is set.
 *
 * Source: Linux's syscall-user-dispatch.rst.
 */
#include <hal/paging.h>
#include <kernel/syscall.h>
#include <uapi/prctl.h>

int user_dispatch_set(struct task *t, u64 mode, const struct user_dispatch *want)
{
	static const struct user_dispatch none;

	if (mode == PR_SYS_DISPATCH_OFF) {
		if (want->offset || want->len || want->selector)
			return -EINVAL;
		t->dispatch = none;
		task_clear_work(t, WORK_DISPATCH);
		return 0;
	}
	if (mode != PR_SYS_DISPATCH_ON ||
	    (want->offset && want->offset + want->len <= want->offset))
		return -EINVAL;
	if (want->selector >= USER_END)
		return -EFAULT;
	t->dispatch = *want;
	task_set_work(t, WORK_DISPATCH);
	return 0;
}

u64 user_dispatch_mode(const struct task *t)
{
	return READ_ONCE(t->work) & WORK_DISPATCH ? PR_SYS_DISPATCH_ON : PR_SYS_DISPATCH_OFF;
}

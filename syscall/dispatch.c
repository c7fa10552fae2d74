/* SPDX-License-Identifier: MIT */
/*
 * From a system call number to its handler. The table is generated from syscalls.tbl: one small function per call takes the
 * arguments out of the user context with their types, so that no handler sees garbage in the upper half of an int.
 * The plain path is inline in kernel/syscall.h; here is the path for calls that are watched.
 */
#include <kernel/ptrace.h>
#include <kernel/seccomp.h>
#include <kernel/signal.h>
#include <kernel/step.h>
#include <kernel/syscall.h>
#include <kernel/trace/points.h>
#include <syscall/proto.h>
#include <syscall/strace.h>
#include <mm/uaccess.h>
#include <uapi/machine.h>
#include <uapi/prctl.h>

#include <generated/syscall_table.h>

const long restart_syscall_nr = NR_RESTART_SYSCALL;

static const struct syscall_desc *find(long nr)
{
	unsigned long n = (unsigned long)nr;

	return n < SYSCALL_TABLE_SIZE && syscall_table[n].name ? &syscall_table[n] : NULL;
}

static long call(struct task *t, struct syscall_turn *turn)
{
	const struct syscall_desc *desc;
	long r;

	if ((READ_ONCE(t->work) & WORK_SECCOMP) && !seccomp_allows(turn, &r))
		return r;
	/* No call: what uctx_trace_syscall_begin() or a tracer left there is the result. */
	if (turn->nr == -1)
		return uctx_result(&t->hal.uctx);
	desc = find(turn->nr);
	if (!desc)
		return -ENOSYS;
	syscall_restart_as(desc->restart);
	return desc->call(&t->hal.uctx);
}

/* Apart, so that other calls do not bear the line on their stack. */
static __noinline long call_logged(struct task *t, struct syscall_turn *turn)
{
	struct uctx *u = &t->hal.uctx;
	const long nr = turn->nr;
	const struct syscall_desc *desc = find(nr);
	struct strace_line line;
	bool strace = t->work & WORK_STRACE;
	long r;

	if (t->work & WORK_TRACE)
		trace_syscall_enter(nr, u);
	if (strace)
		strace_enter(&line, desc, nr, u);
	r = call(t, turn);
	if (strace)
		strace_exit(&line, desc, u, r);
	if (READ_ONCE(t->work) & WORK_TRACE)
		trace_syscall_exit(nr, r);
	return r;
}

/* A tracer may change everything about the call, or take its place. Return: whether it is to be made. */
static bool ask_tracer(struct task *t, struct syscall_turn *turn)
{
	struct uctx *u = &t->hal.uctx;
	bool make = ptrace_syscall_entry();

	turn->nr = uctx_syscall_nr(u);
	turn->arg0 = uctx_arg(u, 0);
	return make;
}

/* Is the call the program's own business? Then it gets SIGSYS, with the registers as they were. */
static bool user_dispatches(struct task *t)
{
	const struct user_dispatch *d = &t->dispatch;
	struct uctx *u = &t->hal.uctx;
	struct siginfo info = { .si_signo = SIGSYS, .si_code = SYS_USER_DISPATCH };
	u8 state = DISPATCH_BLOCK;

	if (uctx_ip(u) - d->offset < d->len)
		return false;
	if (d->selector && copy_from_user(&state, d->selector, 1)) {
		sig_kill_self(SIGSEGV);
		return true;
	}
	if (state == DISPATCH_ALLOW)
		return false;
	if (state != DISPATCH_BLOCK) {
		sig_kill_self(SIGSYS);
		return true;
	}
	info.sys.call_addr = uctx_ip(u);
	info.sys.syscall = (s32)uctx_syscall_nr(u);
	info.sys.arch = AUDIT_ARCH;
	sig_force_info(&info);
	uctx_set_result(u, uctx_result_untouched(u));
	return true;
}

void syscall_watched(struct task *t)
{
	struct uctx *u = &t->hal.uctx;
	struct syscall_turn turn = { .nr = uctx_syscall_nr(u), .arg0 = uctx_arg(u, 0) };
	u32 work = READ_ONCE(t->work);
	long r;

	step_disarm(t);
	syscall_restart_as(RESTART_NEVER); /* until there is a call to be made */
	if ((work & WORK_DISPATCH) && user_dispatches(t))
		return;
	if ((work & WORK_STEP) && !t->trace.emulate)
		task_set_work(t, WORK_SYSCALL_EXIT);
	uctx_trace_syscall_begin(u);
	if ((work & WORK_PTRACE) && !ask_tracer(t, &turn))
		return;
	r = work & (WORK_STRACE | WORK_TRACE) ? call_logged(t, &turn) : call(t, &turn);
	uctx_set_result(u, r);
}

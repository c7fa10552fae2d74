/* SPDX-License-Identifier: MIT */
/*
 * The user-task loop: the life of a thread that runs a program.
 *
 * uctx_run() enters user mode and comes back, as a function does, when user code traps. So this is ordinary code: run, look
 * why it stopped, handle that, do what is pending, and round again. Everything meets here: system calls, page faults,
 * exceptions, signals, tracing, timers, CPU time. docs/user-loop.md tells the whole story.
 *
 * One word, task->work, says whether there is anything beside the plain path: it is tested once on the way
 * in (WORK_ENTRY) and once on the way out, with interrupts off, so that an interrupt cannot set a bit unseen.
 */
#include <hal/uctx.h>
#include <kernel/oom.h>
#include <kernel/printk.h>
#include <kernel/process.h>
#include <kernel/ptrace.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/step.h>
#include <kernel/syscall.h>
#include <kernel/time.h>
#include <kernel/trace/points.h>
#include <kernel/uprobe.h>
#include <mm/vm.h>

#define OOM_TRIES 1000 /* of 10 ms each, for what a user copy touches */

/* User time: from here ... */
static __always_inline void enter_user(struct task *t)
{
	t->user_ticks -= (s64)hal_counter();
}

/* ... to here. */
static __always_inline void enter_system(struct task *t)
{
	t->user_ticks += (s64)hal_counter();
}

/* ---- page faults ---- */

/* si_addr is the fault's address. What the program gets to see of a tag in it is for the handler's flags to say. */
static void fault_signal(struct task *t, const struct uctx_event *ev, int sig, int code)
{
	t->fault_tag = ev->tag;
	sig_force(sig, code, ev->addr);
}

static void handle_page_fault(struct task *t, const struct uctx_event *ev)
{
	enum vm_fault r;

	TRACE_POINT(page_fault_user, ev->addr, uctx_ip(&t->hal.uctx), ev->access);
	r = vm_handle_fault(t->vm, ev->addr, ev->access);
	t->min_flt++;
	if (unlikely(r != VM_FAULT_OK && t->utask))
		uprobe_abort(t);
	switch (r) {
	case VM_FAULT_OK:
		return;
	case VM_FAULT_MAPERR:
		fault_signal(t, ev, SIGSEGV, SEGV_MAPERR);
		return;
	case VM_FAULT_ACCERR:
		fault_signal(t, ev, SIGSEGV, SEGV_ACCERR);
		return;
	case VM_FAULT_BUS:
		fault_signal(t, ev, SIGBUS, BUS_ADRERR);
		return;
	case VM_FAULT_OOM:
		if (oom_relief())
			return;
		pr_err("out of memory: killing %s (pid %d)\n", t->comm, task_pid(t));
		sig_kill_self(SIGKILL);
		return;
	}
}

/* A fault of the kernel on a user address, in a user copy (hal/upcall.h). */
bool upcall_kernel_fault(vaddr_t addr, unsigned int access)
{
	struct task *t = current;

	if (!t->vm || t->nofault)
		return false;
	t->min_flt++;
	TRACE_POINT(page_fault_kernel, addr, access);
	for (int tries = 0; tries < OOM_TRIES; tries++) {
		enum vm_fault r = vm_handle_fault(t->vm, addr, access);

		if (r != VM_FAULT_OOM || !oom_relief())
			return r == VM_FAULT_OK;
	}
	return false;
}

/* ---- exceptions ---- */

/* What an exception becomes when nobody else wants it. */
static const struct {
	int sig, code;
} exception_signal[] = {
	[UCTX_EXC_BREAKPOINT] = { SIGTRAP, TRAP_BRKPT },
	[UCTX_EXC_DEBUG] = { SIGTRAP, TRAP_TRACE },
	[UCTX_EXC_ILLEGAL] = { SIGILL, ILL_ILLOPC },
	[UCTX_EXC_MISALIGNED] = { SIGBUS, BUS_ADRALN },
	[UCTX_EXC_ARITH] = { SIGFPE, FPE_FLTUNK },
	[UCTX_EXC_ACCESS] = { SIGSEGV, SI_KERNEL },
	[UCTX_EXC_OTHER] = { SIGTRAP, TRAP_BRKPT },
};

static void handle_exception(struct task *t, struct uctx_event *ev)
{
	int sig = exception_signal[ev->kind].sig;
	int code = ev->code ? ev->code : exception_signal[ev->kind].code;
	bool has_address = ev->kind == UCTX_EXC_MISALIGNED || ev->kind == UCTX_EXC_ACCESS ||
			   (ev->kind == UCTX_EXC_DEBUG && code == TRAP_HWBKPT);

	switch (uctx_emulate(&t->hal, ev)) {
	case UCTX_EMULATED:
		return;
	case UCTX_EMULATION_FAULT:
		handle_page_fault(t, ev);
		return;
	case UCTX_NOT_EMULATED:
		break;
	}
	if (unlikely(t->utask))
		uprobe_abort(t);
	if (ev->kind == UCTX_EXC_BREAKPOINT && step_breakpoint(t))
		return;
	pr_debug("%s (pid %d): exception %d at ip %lx address %lx raw %lx %lx %lx\n", t->comm,
		 task_pid(t), ev->kind, uctx_ip(&t->hal.uctx), ev->addr, ev->raw[0], ev->raw[1],
		 ev->raw[2]);
	sig_force(sig, code, has_address ? ev->addr : uctx_ip(&t->hal.uctx));
}

static void handle_unknown(struct task *t, const struct uctx_event *ev)
{
	pr_err("%s (pid %d): unknown trap %lx %lx %lx at %lx\n", t->comm, task_pid(t), ev->raw[0],
	       ev->raw[1], ev->raw[2], uctx_ip(&t->hal.uctx));
	sig_force(SIGSEGV, SI_KERNEL, 0);
}

/* ---- the loop ---- */

/* The first stops a tracer asked for, and the child's own number where clone wants it. */
static void start_task(struct task *t)
{
	if (t->set_child_tid)
		(void)hal_put_user32(t->set_child_tid, (u32)task_tid(t));
	/* The call that made this thread ends here, too. */
	if ((READ_ONCE(t->work) & WORK_TRACE) && (t->flags & TASK_F_FORKNOEXEC))
		trace_syscall_exit(uctx_syscall_nr(&t->hal.uctx), 0);
}

/* A restart is decided by the first signal delivered: the second round knows no syscall. */
static void do_one_round(struct task *t, struct syscall_turn *turn, u32 work)
{
	if (work & WORK_EXIT)
		do_exit(t->process->group_exit ? t->process->group_exit_code : 0);
	if (work & WORK_SYSCALL_EXIT) {
		task_clear_work(t, WORK_SYSCALL_EXIT);
		if (turn->open)
			ptrace_syscall_exit(turn);
	}
	if (work & WORK_RESCHED)
		schedule();
	if (work & WORK_TIMER)
		posix_timers_poll();
	if ((work & WORK_SIGNAL) && !(t->utask && uprobe_defer_work(t, work & WORK_SIGNAL))) {
		sig_deliver_all(turn);
		turn->open = false;
	}
	if (work & WORK_RSEQ)
		rseq_resume(t);
}

/* Do what is pending until nothing is. @made: this turn was a system call. Returns with interrupts off. */
static __noinline void do_pending_work(struct task *t, bool made)
{
	struct syscall_turn turn;

	hal_irq_enable();
	turn = syscall_turn_end(t, made);
	step_trapped(t);
	for (;;) {
		u32 work = READ_ONCE(t->work) & WORK_BEFORE_USER;

		if (work & ~WORK_STEP) {
			do_one_round(t, &turn, work);
			continue;
		}
		if (work)
			step_arm(t);
		hal_irq_disable();
		if (!(READ_ONCE(t->work) & WORK_BEFORE_USER & ~WORK_STEP))
			return;
		hal_irq_enable();
	}
}

/* All that may stand between here and user mode. Returns with interrupts off and nothing pending. */
static __always_inline void before_user(struct task *t, bool made)
{
	hal_irq_disable();
	if (unlikely(READ_ONCE(t->work) & WORK_BEFORE_USER))
		do_pending_work(t, made);
}

/* All that is no system call. Return: what is left to be done; UCTX_SYSCALL if a probe stood where the program makes one. */
static __noinline long handle_trap(struct task *t, long reason)
{
	struct uctx_event *ev = &t->hal.event;

	if (reason == UCTX_EXCEPTION && unlikely(t->vm->probes))
		reason = uprobe_exception(t, ev);
	switch (reason) {
	case UCTX_SYSCALL:
	case UCTX_INTERRUPT:
		break;
	case UCTX_PAGE_FAULT:
		handle_page_fault(t, ev);
		break;
	case UCTX_EXCEPTION:
		handle_exception(t, ev);
		break;
	case UCTX_UNKNOWN:
	default:
		handle_unknown(t, ev);
		break;
	}
	return reason;
}

void user_task_loop(void *task)
{
	struct task *t = task;
	long reason = UCTX_INTERRUPT;

	start_task(t);
	for (;;) {
		before_user(t, reason == UCTX_SYSCALL);
		enter_user(t);
		reason = uctx_run(&t->hal);
		enter_system(t);
		if (unlikely(reason != UCTX_SYSCALL))
			reason = handle_trap(t, reason);
		if (likely(reason == UCTX_SYSCALL))
			syscall_dispatch(t);
	}
}

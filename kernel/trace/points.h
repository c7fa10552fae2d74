/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own events: what the scheduler, signals, faults and system calls call when something happens. Each costs
 * one load and a branch while its event is off; the system call ones cost nothing then, because only a task with
 * WORK_TRACE comes to them. Field names and texts are Linux's.
 */
#ifndef KERNEL_TRACE_POINTS_H
#define KERNEL_TRACE_POINTS_H

#include <kernel/task.h>
#include <kernel/trace.h>

extern struct trace_event trace_sched_switch, trace_sched_waking, trace_sched_wakeup,
	trace_sched_wakeup_new, trace_sched_migrate_task, trace_sched_process_fork,
	trace_sched_process_exec, trace_sched_process_exit, trace_sched_process_free,
	trace_sched_process_wait, trace_task_rename, trace_signal_generate, trace_signal_deliver,
	trace_page_fault_user, trace_page_fault_kernel;

/* TRACE_POINT(event, arguments): call event_hit(arguments) if somebody wants the event. */
#define TRACE_POINT(event, ...)                                                                    \
	do {                                                                                       \
		if (trace_event_on(&trace_##event))                                                \
			trace_##event##_hit(__VA_ARGS__);                                          \
	} while (0)

void trace_sched_switch_hit(const struct task *prev, const struct task *next);
void trace_sched_waking_hit(const struct task *t, unsigned int cpu);
void trace_sched_wakeup_hit(const struct task *t, unsigned int cpu);
void trace_sched_wakeup_new_hit(const struct task *t, unsigned int cpu);
void trace_sched_migrate_task_hit(const struct task *t, unsigned int cpu);
void trace_sched_process_fork_hit(const struct task *child);
void trace_sched_process_exec_hit(const char *filename, pid_t old_pid);
void trace_sched_process_exit_hit(const struct task *t);
void trace_sched_process_free_hit(const struct task *t);
void trace_sched_process_wait_hit(pid_t pid);
void trace_task_rename_hit(const struct task *t, const char *name);
/* @result: 0 delivered, 1 ignored, 2 already pending, 3 queue full, 4 information lost: TRACE_SIGNAL_*. */
void trace_signal_generate_hit(int sig, const struct siginfo *info, const struct task *t,
			       bool group, int result);
void trace_signal_deliver_hit(int sig, const struct siginfo *info,
			      const struct k_sigaction *action);
/* @code: bit 0 not set, 1 write, 2 user, 4 instruction fetch, as x86's error code numbers them. */
void trace_page_fault_user_hit(unsigned long address, unsigned long ip, unsigned int access);
void trace_page_fault_kernel_hit(unsigned long address, unsigned int access);

enum {
	TRACE_SIGNAL_DELIVERED,
	TRACE_SIGNAL_IGNORED,
	TRACE_SIGNAL_ALREADY_PENDING,
	TRACE_SIGNAL_OVERFLOW_FAIL,
	TRACE_SIGNAL_LOSE_INFO
};

/* ---- system calls: for tasks with WORK_TRACE ---- */

extern u32 trace_syscalls; /* events of system calls that are on: new tasks get WORK_TRACE */
void trace_syscall_enter(long nr, const struct uctx *u);
void trace_syscall_exit(long nr, long result);

#endif

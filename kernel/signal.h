/* SPDX-License-Identifier: MIT */
/*
 * Signals: sending (any context that may take sighand->lock) and delivery (kernel/user_loop.c).
 */
#ifndef KERNEL_SIGNAL_H
#define KERNEL_SIGNAL_H

#include <kernel/task.h>

struct sigqueue {
	struct list link;
	struct siginfo info;
	bool prealloc; /* belongs to a POSIX timer */
};

/** sig_send_task() / sig_send_process() - queue for one thread, or for the process (any thread). @info NULL: from the kernel (SI_KERNEL).
 *  Return: 0; -EAGAIN: queue limit (real-time signals from sigqueue only). Ignored signals are dropped. Any context. */
int sig_send_task(struct task *t, int sig, const struct siginfo *info);
int sig_send_process(struct process *p, int sig, const struct siginfo *info);
/** sig_send_pgrp() - every process of a group. tasklist_lock not held. Return: 0, -ESRCH. */
int sig_send_pgrp(struct pid *pgrp, int sig, const struct siginfo *info);
/** sig_force() - synchronous fault for current: blocked or ignored, it kills. */
void sig_force(int sig, int code, uaddr_t addr);
void sig_force_info(const struct siginfo *info);
/** sig_kill_self() - make current's process die of @sig with default action (bad frame, OOM). */
void sig_kill_self(int sig);
/** sig_pending_deliverable() - recompute whether WORK_SIGNAL must be set. s held. */
void sig_recalc(struct task *t);
/** signal_pending() / fatal_signal_pending() of current. */
static inline bool signal_pending(void) { return READ_ONCE(current->work) & (WORK_SIGNAL | WORK_EXIT | WORK_STOP); }
bool fatal_signal_pending(void);
/** sig_set_blocked() - change current's mask (KILL and STOP never blocked). */
void sig_set_blocked(u64 mask);
/** sig_dequeue() - take the next pending signal in @set; 0 if none. s held. */
int sig_dequeue(struct task *t, u64 set, struct siginfo *info);
void sig_flush_handlers(struct sighand *sh); /* exec */
/** signal_deliver() - deliver until none is left; user_loop only. */
struct uctx_event;
void sig_deliver_all(bool from_syscall, long orig_nr, unsigned long orig_arg0);
/* permission of current to signal @p */
int sig_check_kill(struct process *p, int sig);

#endif

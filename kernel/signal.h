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
void sig_flush_handlers(struct sighand *sh); /* caught signals back to default */
/** sig_exec_prepare() - make current's actions its own before exec (they may be shared by CLONE_SIGHAND). 0 or -ENOMEM. sig_exec(): reset them. */
int __must_check sig_exec_prepare(void);
void sig_exec(void);
/**
 * sig_deliver_all() - deliver signals until none is left, stop where told to; the loop's way out only.
 * @in_syscall: the turn's trap was a syscall that this call decides the restart of (once, by the first signal delivered);
 * @nr, @arg0: its number and first argument.
 */
void sig_deliver_all(bool in_syscall, long nr, unsigned long arg0);
/** sig_retarget() - a thread leaves: shared signals it was woken for go to another one. s held. */
void sig_retarget(struct task *leaving);
/** sig_flush_queue() - free a dead thread's private signals. sig_free_pending(): the entries of a queue nobody else sees. */
void sig_flush_queue(struct task *t);
void sig_free_pending(struct sigpending *pending);
/** process_notify_parent() - SIGCHLD with CLD_* @code and si_status @value, and wake waiters. tasklist_lock held. (kernel/exit.c) */
void process_notify_parent(struct process *p, int code, int value);
/** posix_timers_poll() - fire expired CPU-time timers of current's process (kernel/posix_timer.c). */
void posix_timers_poll(void);
/* permission of current to signal @p */
int sig_check_kill(struct process *p, int sig);

#endif

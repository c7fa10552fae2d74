/* SPDX-License-Identifier: MIT */
/*
 * Signals: sending (any context that may take sighand->lock) and delivery (kernel/user_loop.c).
 */
#ifndef KERNEL_SIGNAL_H
#define KERNEL_SIGNAL_H

#include <kernel/task.h>

#define SIGMASK(sig) (1ULL << ((sig) - 1))
#define SIG_SYNC_MASK (SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) | SIGMASK(SIGFPE) | SIGMASK(SIGSYS))
#define SIG_STOP_MASK (SIGMASK(SIGSTOP) | SIGMASK(SIGTSTP) | SIGMASK(SIGTTIN) | SIGMASK(SIGTTOU))
#define SIG_IGNORE_MASK (SIGMASK(SIGCONT) | SIGMASK(SIGCHLD) | SIGMASK(SIGWINCH) | SIGMASK(SIGURG))
#define SIG_KERNEL_MASK (SIGMASK(SIGKILL) | SIGMASK(SIGSTOP)) /* never blocked, caught or ignored */

struct sig_user;
struct sigqueue {
	struct list link;
	struct sig_user *user; /* whose count it is in */
	struct siginfo info;
	void (*taken)(
		struct sigqueue *q,
		struct siginfo *
			info); /* entry is part of a timer, called as it is delivered, s held; NULL: from the heap */
};

/**
 * sig_user_charge() - one more signal for the processes of user @uid, unless there are @limit. NULL: there are, or no memory.
 * sig_user_uncharge(): one less. sig_user_count(): how many. Any context, s may be held.
 */
struct sig_user *sig_user_charge(uid_t uid, u64 limit);
void sig_user_uncharge(struct sig_user *u);
u64 sig_user_count(uid_t uid);

/** sig_send_task() / sig_send_process() - queue for one thread, or for the process (any thread). @info NULL: from the kernel (SI_KERNEL).
 *  Return: 0; -EAGAIN: queue limit (real-time signals from sigqueue only). Ignored signals are dropped. Any context. */
int sig_send_task(struct task *t, int sig, const struct siginfo *info);
int sig_send_process(struct process *p, int sig, const struct siginfo *info);
/** sig_send_queued_locked() - queue the caller's own entry @q (q->taken set), which is on no queue; @t NULL: for the process. s held. Return: false: ignored. */
bool sig_send_queued_locked(struct process *p, struct task *t, struct sigqueue *q);
/** sig_send_process_locked() - from the kernel, s held. */
void sig_send_process_locked(struct process *p, int sig);
/** sig_unqueue() - take such an entry back. _locked: s held. */
void sig_unqueue(struct process *p, struct sigqueue *q);
void sig_unqueue_locked(struct process *p, struct sigqueue *q);
/** sig_send_self() - SIGPIPE, SIGXFSZ: to current, by its own doing. */
void sig_send_self(int sig);
/** sig_send_pgrp() - every process of a group. tasklist_lock not held. Return: 0, -ESRCH. */
int sig_send_pgrp(struct pid *pgrp, int sig, const struct siginfo *info);
/** sig_force() - synchronous fault for current: blocked or ignored, it kills. */
void sig_force(int sig, int code, uaddr_t addr);
void sig_force_info(const struct siginfo *info);
/** sig_kill_self() - make current's process die of @sig with default action (bad frame, OOM). */
void sig_kill_self(int sig);
/** sig_die() - carry out the default action of a fatal signal: core file (kernel/coredump.h) and end. May sleep. */
void sig_die(const struct siginfo *info);
/** sig_pending_deliverable() - recompute whether WORK_SIGNAL must be set. s held. */
void sig_recalc(struct task *t);
/** signal_pending() / fatal_signal_pending() of current. */
static inline bool signal_pending(void)
{
	return READ_ONCE(current->work) & (WORK_SIGNAL | WORK_EXIT);
}
bool fatal_signal_pending(void);
/** sig_set_blocked() - change current's mask (KILL and STOP never blocked). */
void sig_set_blocked(u64 mask);
/**
 * sig_set_action() - sigaction(2): replace the action for @sig by that at @unew and/or write the one before to @uold; 0: not wanted. Flags that
 * nobody knows are dropped, what becomes ignored is forgotten. Context: current task, may sleep. Return: 0, -EINVAL, -EFAULT.
 */
long sig_set_action(int sig, uaddr_t unew, uaddr_t uold);
/**
 * sig_set_temp_mask() - the mask argument of ppoll, pselect, epoll_pwait: @umask 0: none. 0, -EINVAL (size), -EFAULT.
 * sig_end_temp_mask() - the call ends; @interrupted: with -EINTR: then the old mask returns once the signal was delivered.
 */
int __must_check sig_set_temp_mask(uaddr_t umask, size_t size);
void sig_end_temp_mask(bool interrupted);
/** sighand_lock() - lock the actions and queues of @p; unlock with spin_unlock_irqrestore(&sh->lock). Any context. */
struct sighand *sighand_lock(struct process *p, unsigned long *flags);
/** sig_poke() - make @t look at its signals. s held. */
void sig_poke(struct task *t);
/** sig_init_immune() - is @info from another process, and @p the first process, which then has no default actions? */
bool sig_init_immune(const struct process *p, const struct siginfo *info);
/** sig_notify_parent_locked() - tell the parent of a finished stop or a continuation, if there is one to tell. tasklist_lock held, s not. */
void sig_notify_parent_locked(struct process *p);
/** sig_altstack_set() - sigaltstack(2) at user stack pointer @sp. 0, -EINVAL, -ENOMEM, -EPERM. sig_altstack_get(): what it reports. */
int sig_altstack_set(const struct stack_abi *ss, uaddr_t sp, size_t min_size);
void sig_altstack_get(struct stack_abi *ss, uaddr_t sp);
/** sig_return() - rt_sigreturn(2). */
void sig_return(void);
/** sig_dequeue() - take the next pending signal in @set; 0 if none. s held. */
int sig_dequeue(struct task *t, u64 set, struct siginfo *info);
/** sig_wait_announce() - @t waits for the signals of @set with sigtimedwait(2); 0: does so no longer. s held. */
void sig_wait_announce(struct task *t, u64 set);
void sig_flush_handlers(struct sighand *sh); /* caught signals back to default */
/** sig_exec_prepare() - make current's actions its own before exec (they may be shared by CLONE_SIGHAND). 0 or -ENOMEM. sig_exec(): reset them. */
int __must_check sig_exec_prepare(void);
void sig_exec(void);
/* The system call of this turn of the user loop, as far as its restart needs to know it. */
struct syscall_turn {
	bool open;  /* there was one, and whether it is made again is still to be decided */
	u8 restart; /* enum syscall_restart: when it is */
	long nr;
	unsigned long arg0;
	unsigned long
		resume_ip; /* rewound already, as a tracer expects it: where it goes on if it is not made again; 0: not */
};
/** syscall_turn_end() - the system call that @u has made, as sig_deliver_all() and tracers want it. @made: there was one. Forgets syscall_restart_as(). */
struct syscall_turn syscall_turn_end(struct task *t, bool made);
/** sig_deliver_all() - deliver signals until none is left, stop where told to; the loop's way out only. Decides about @turn's restart, once, by the first signal. */
void sig_deliver_all(struct syscall_turn *turn);
/**
 * sig_restart_show() - put into the result register what a tracer expects of an interrupted call: one of ERESTARTSYS and its like.
 * sig_restart_take() - the tracer has had its way with the registers: what is the state of the call now?
 */
void sig_restart_show(const struct syscall_turn *turn);
void sig_restart_take(struct syscall_turn *turn);
/** sig_join_stop() - @t, current or one that does not run, takes part in its process's group stop. s held. */
void sig_join_stop(struct task *t);
/** sig_retarget() - a thread leaves: shared signals it was woken for go to another one. s held. */
void sig_retarget(struct task *leaving);
/** sig_flush_queue() - free a dead thread's private signals. sig_free_pending(): those of a process that nobody else sees. */
void sig_flush_queue(struct task *t);
void sig_free_pending(struct process *p);
/** process_notify_parent() - SIGCHLD with CLD_* @code and si_status @value, and wake waiters. tasklist_lock held. (kernel/exit.c) */
void process_notify_parent(struct process *p, int code, int value);
/** posix_timers_poll() - fire expired CPU-time timers of current's process (kernel/posix_timer.c). */
void posix_timers_poll(void);
/** sig_check_kill() - may current signal @p, or its thread @t (NULL: any)? 0 or -EPERM. tasklist_lock held. */
int sig_check_kill(struct process *p, struct task *t, int sig);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Who may look into whom, and tracing: ptrace(2).
 *
 * A thread is traced by another thread (task->trace, struct trace_state in <kernel/task.h>). It stops for its tracer by itself,
 * in kernel/ptrace_stop.c; the tracer is told as a parent is, waits with wait4(2) (kernel/wait_child.c), makes requests while the
 * tracee is stopped (kernel/ptrace_request.c) and lets it go (kernel/ptrace.c). docs/ptrace.md tells the whole story.
 *
 * Locking: who traces whom is guarded by tasklist_lock; what a tracee is about to do, by sighand->lock. trace.tracer and trace.options
 * change under both, so that either is enough to read them.
 */
#ifndef KERNEL_PTRACE_H
#define KERNEL_PTRACE_H

#include <kernel/task.h>
#include <uapi/ptrace.h>

/* ---- permission (kernel/ptrace_access.c) ---- */

/* What is wanted, and with which of current's ids it is judged. Source: ptrace(2), "Ptrace access mode checking". */
#define PTRACE_MODE_READ      0x01u
#define PTRACE_MODE_ATTACH    0x02u
#define PTRACE_MODE_FSCREDS   0x08u /* file system ids, effective capabilities: /proc */
#define PTRACE_MODE_REALCREDS 0x10u /* real ids, permitted capabilities: system calls */
#define PTRACE_MODE_READ_FSCREDS     (PTRACE_MODE_READ | PTRACE_MODE_FSCREDS)
#define PTRACE_MODE_READ_REALCREDS   (PTRACE_MODE_READ | PTRACE_MODE_REALCREDS)
#define PTRACE_MODE_ATTACH_FSCREDS   (PTRACE_MODE_ATTACH | PTRACE_MODE_FSCREDS)
#define PTRACE_MODE_ATTACH_REALCREDS (PTRACE_MODE_ATTACH | PTRACE_MODE_REALCREDS)

/**
 * ptrace_may_access() - may current look into @t, or attach to it?
 * @t: a task of a process, referenced by the caller. @mode: one of the four above.
 * Its own process may always; else all ids of @t must be current's, its memory dumpable, its capabilities no more than current's; or
 * current has CAP_SYS_PTRACE. Context: any task context, tasklist_lock not held. Return: 0, -EPERM (/proc makes it -EACCES).
 */
int ptrace_may_access(struct task *t, unsigned int mode);
/**
 * ptrace_vm_get() - the address space of @t, if current may look into it. Context, @t, @mode: as above.
 * What was judged is what is given, though @t be in the middle of exec: a new address space is nobody's to look into until the
 * credentials that go with it count, and if there is another one after the judgement, that is made again.
 * Return: with a reference; NULL: it has none; ERR_PTR(-EPERM).
 */
struct vm *ptrace_vm_get(struct task *t, unsigned int mode);
/** ptrace_exec_creds() - take back what a program would gain while a tracer without rights watches, another process shares its directories, or after no_new_privs. @new: current's next credentials. */
void ptrace_exec_creds(struct creds *new);

/* ---- the tracee's side (kernel/ptrace_stop.c): all for current, in task context without locks ---- */

static inline bool is_traced(const struct task *t)
{
	return READ_ONCE(t->trace.tracer) != NULL;
}
/** ptrace_stop_holds() - @t is in a stop and stays there: nobody kills it, or its tracer is just looking at it. */
static inline bool ptrace_stop_holds(const struct task *t)
{
	return READ_ONCE(t->trace.stopped) &&
	       (READ_ONCE(t->trace.frozen) || !(READ_ONCE(t->work) & WORK_EXIT));
}
static inline bool ptrace_seized(const struct task *t)
{
	return t->trace.seized;
}
/** ptrace_trap_pending() - has @t to stop for its tracer without a signal? s held. */
static inline bool ptrace_trap_pending(const struct task *t)
{
	return t->trace.trap_stop || t->trace.trap_notify;
}
/** ptrace_notify_trap() - make a seized @t report that its group stop changed. s held. */
void ptrace_notify_trap(struct task *t);
/**
 * ptrace_signal_stop() - signal-delivery stop. @info: the signal; the tracer may change it.
 * Return: the signal to deliver instead, 0 for none.
 */
int ptrace_signal_stop(int sig, struct siginfo *info);
/** ptrace_trap_stop() - group stop and PTRACE_EVENT_STOP. */
void ptrace_trap_stop(void);
/** ptrace_event() - PTRACE_EVENT_* @event with @message, if the tracer asked for it. */
void ptrace_event(unsigned int event, unsigned long message);
/** ptrace_exec_event() - the new program is ready. @old_tid: the thread's number before. */
void ptrace_exec_event(pid_t old_tid);
/** ptrace_syscall_entry() - stop before a system call. Return: whether it is to be carried out (the number may have changed). */
bool ptrace_syscall_entry(void);
/** ptrace_seccomp_event() - a filter answered TRACE with @data. Return: false if no tracer asked for it; else number and arguments may have changed. */
bool ptrace_seccomp_event(unsigned long data);
/** ptrace_syscall_exit() - stop after one, or report that it was stepped over. @turn: its restart may still be to be decided. */
struct syscall_turn;
void ptrace_syscall_exit(struct syscall_turn *turn);
/** ptrace_handler_entered() - current was single-stepped into a signal handler. */
void ptrace_handler_entered(void);

/** ptrace_exit_event() - current is about to end with wait status @status. */
void ptrace_exit_event(int status);

/* ---- the family tree (kernel/ptrace.c); tasklist_lock held ---- */

struct dead_list;
/** ptrace_by_stranger() - is @t traced by another process than its parent? */
static inline bool ptrace_by_stranger(const struct task *t)
{
	return t->trace.tracer && t->trace.tracer->process != t->process->parent;
}
/** ptrace_event_of_clone() - the event that a clone with these flags is, if current's tracer wants to hear of it; else 0. Needs no lock. */
unsigned int ptrace_event_of_clone(u64 flags, int exit_signal);
/** ptrace_link_child() - a new task inherits current's tracer and begins with a stop. s of the child held, too. */
void ptrace_link_child(struct task *child);
/** ptrace_unlink() - @t, which is traced, is traced no more; what it waits for its tracer for ends. */
void ptrace_unlink(struct task *t);
/** ptrace_forget() - the same, if it is traced at all. */
static inline void ptrace_forget(struct task *t)
{
	if (t->trace.tracer)
		ptrace_unlink(t);
}
/** ptrace_exit_tracer() - current dies: its tracees are let go, or killed. */
void ptrace_exit_tracer(struct dead_list *dead);

/** do_ptrace() - ptrace(2). */
long do_ptrace(long request, pid_t pid, unsigned long addr, unsigned long data);
/** ptrace_request() - what asks for or changes something of a stopped tracee (kernel/ptrace_request.c). */
long ptrace_request(struct task *t, long request, unsigned long addr, unsigned long data);

#endif

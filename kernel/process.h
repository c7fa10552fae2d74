/* SPDX-License-Identifier: MIT */
/* Making, replacing and ending tasks. Sources: clone(2), execve(2), exit_group(2), wait4(2), waitid(2). */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <kernel/task.h>

struct clone_req {
	u64 flags;
	uaddr_t stack; /* 0: the parent's */
	uaddr_t parent_tid, child_tid, tls, pidfd;
	int exit_signal;
};
/** do_clone() - tid of the child, or -EINVAL, -EAGAIN, -ENOMEM ... as clone(2). */
long do_clone(const struct clone_req *req);
/** do_exec() - replace the current program; on success returns 0 with a fresh user context. argv/envp are user (or, for @kernel, kernel) pointer arrays. */
struct exec_args {
	struct file *file;    /* resolved; reference kept by caller */
	const char *filename; /* AT_EXECFN */
	uaddr_t argv, envp;
	bool kernel; /* argv/envp are kernel arrays of kernel strings */
	bool inaccessible; /* filename goes through a descriptor that exec closes: no interpreter could open it */
};
int do_exec(const struct exec_args *args);
__noreturn void do_exit(int status);	   /* this thread; @status as wait4 shows it */
__noreturn void do_group_exit(int status); /* the process */
/** process_begin_group_exit() - mark; other threads die at their next return. s held by caller: no. */
void process_group_exit_signal(int status);

struct wait_req {
	int idtype; /* P_ALL, P_PID, P_PGID, P_PIDFD */
	pid_t id;
	int options;
	bool old; /* wait4: status word, not siginfo */
};
struct wait_result {
	pid_t pid;
	uid_t uid;
	int status;	 /* wait4 form */
	int code, value; /* waitid: CLD_*, si_status */
	struct cpu_times times;
	u64 minflt, majflt, maxrss;
};
/** wait_status_code() - take a wait status apart: CLD_*; *value is si_status. */
int wait_status_code(int status, int *value);
/** do_wait() - 1: result filled; 0: nothing with WNOHANG; -ECHILD, -EINTR, -EINVAL. */
int do_wait(const struct wait_req *req, struct wait_result *res);

/* What was reaped with tasklist_lock held, to be released without it. */
struct dead_list {
	struct list processes; /* process->sibling */
	struct list tasks;     /* task->trace.link */
};
void dead_list_init(struct dead_list *dead);
void dead_list_release(struct dead_list *dead);
/* The next five with tasklist_lock held. process_times(): CPU time of all threads, dead ones included. */
void process_times(struct process *p, struct cpu_times *out);
/** process_reap() - a zombie that was waited for leaves all tables. thread_reap(): a thread that was a zombie for its tracer. */
void process_reap(struct process *p, struct dead_list *dead);
void thread_reap(struct task *t, struct dead_list *dead);
/** process_zombie_announce() - tell who is to wait for it next: a tracer that is not the parent, then the parent. */
void process_zombie_announce(struct process *p, struct dead_list *dead);
/** process_notify_tracer() - SIGCHLD for the tracer of @t, which has one, and wake it from wait. */
void process_notify_tracer(struct task *t, int code, int value);

/** user_task_loop() - the life of a user task; see kernel/user_loop.c. */
__noreturn void user_task_loop(void *task);

/* Inner interface of fork.c, exit.c, init.c. */
void fork_init(void);
struct sighand *sighand_create(void); /* NULL: no memory */
/* A table in which every action is the default, for all who have changed none. */
extern const struct k_sigaction sig_no_actions[];
/** sighand_own_actions() - before the first change: give @sh a table of its own. 0 or -ENOMEM. No lock held; may sleep. */
int sighand_own_actions(struct sighand *sh);
void sighand_put(struct sighand *sh);
/** process_group_is_orphaned() - has no member whose parent is in the same session but another group. tasklist_lock held. */
bool process_group_is_orphaned(struct pid *pgrp);
u32 task_count(void);
u64 fork_count(void);
/** process_count_of_user() - processes with real user id @uid. */
u64 process_count_of_user(uid_t uid);
struct task *init_task_create(void (*fn)(void *), void *arg);
/** helper_task_start() - @fn in a new process that is the kernel's own child (kernel/helper.c); it returns 0 or -ENOMEM, -EAGAIN. */
int helper_task_start(void (*fn)(void *), void *arg);
/** exit_release_vfork() - tell a parent waiting in vfork that current no longer uses its address space. */
void exit_release_vfork(struct task *t);
/** process_kill_other_threads() - exec: 0 when current is the only thread left (and has become the leader), -EAGAIN if the process is exiting. */
int process_kill_other_threads(void);
/** vdso_map() - map the vDSO anywhere and note it in @vm. 0 or -Exxx. vdso_init(): boot. */
struct vm;
int vdso_map(struct vm *vm);
void vdso_init(void);
/** vdso_set_real_offset() - CLOCK_REALTIME was set: CLOCK_MONOTONIC plus @ns. Any context. */
void vdso_set_real_offset(u64 ns);
/** vdso_set_tai_offset() - CLOCK_TAI is CLOCK_REALTIME plus @ns. Any context. */
void vdso_set_tai_offset(u64 ns);
/** futex_exit() - robust list and clear_child_tid of an exiting or execing thread (kernel/futex.c). */
void futex_exit(struct task *t);
/** posix_timers_exit() - delete all timers of a process (kernel/posix_timer.c). */
void posix_timers_exit(struct process *p);

/* RESTART_ALWAYS is for handlers that choose it; no call has it in the table. */
enum syscall_restart {
	RESTART_AS_LISTED, /* in syscalls.tbl */
	RESTART_NEVER,
	RESTART_SYS,
	RESTART_NOHAND,
	RESTART_BLOCK,
	RESTART_ALWAYS
};
extern const long restart_syscall_nr;

/**
 * syscall_restart_as() - the running system call, if interrupted, is made again by @class, and not as syscalls.tbl lists it. Until the way
 * back to user mode. Context: current task.
 */
void syscall_restart_as(enum syscall_restart class);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Tasks and processes.
 *
 * struct task is one thread: what the scheduler runs and what owns a user context. struct process is
 * a thread group: what has a pid for wait(), signals and limits. current is the running task.
 *
 * Locks: tasklist_lock (spin, irqsave: terminals signal groups from interrupts; parent/child, thread lists, pid table,
 * process groups, sessions): letter p. A thread list changes under both locks: either one suffices to read it.
 * process->sighand->lock (spin, irqsave): pending signals, actions, stop state: letter s.
 * Fields without a letter belong to the task itself or are constant.
 */
#ifndef KERNEL_TASK_H
#define KERNEL_TASK_H

#include <err.h>
#include <hal/cpu.h>
#include <hal/uctx.h>
#include <kernel/sigguard.h>
#include <kernel/wait.h>
#include <lib/atomic.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <lock.h>
#include <types.h>
#include <uapi/capability.h>
#include <uapi/resource.h>
#include <uapi/signal.h>

struct vm;
struct fdtable;
struct fs_ctx;
struct file;
struct tty;
struct process;
struct uprobe_task;
struct kprobe_return;

/*
 * task->work, atomic: WORK_BEFORE_USER is tested once on the way out of the kernel, WORK_ENTRY once on the way into a system call. The bits lie
 * so that both masks are constants in one instruction of every CPU (riscv64: 12 bits, signed).
 */
#define WORK_SIGNAL	  0x01u /* a signal may be deliverable */
#define WORK_RESCHED	  0x02u
#define WORK_TIMER	  0x04u /* POSIX timers to poll */
#define WORK_EXIT	  0x08u /* the process is exiting: this thread must, too */
#define WORK_SYSCALL_EXIT 0x10u /* a tracer is to see this call's end */
#define WORK_RSEQ	  0x20u /* was away from its CPU: kernel/rseq.h */
#define WORK_STEP	  0x40u /* both ways: single-stepped, kernel/step.h */
#define WORK_SECCOMP	  0x80u /* this and those after the next: on the way in */
#define WORK_RESTART	  0x100u /* on the way out: syscall_restart_as() */
#define WORK_STRACE	  0x200u /* kernel's own --strace */
#define WORK_PTRACE	  0x400u /* syscall stops wanted */
#define WORK_SILO	  0x800u
#define WORK_TRACE	  0x1000u /* events of system calls are on */
#define WORK_DISPATCH	  0x2000u /* calls may be the program's own to handle: user_dispatch */
#define WORK_BEFORE_USER  0x17fu
#define WORK_ENTRY	  (~WORK_BEFORE_USER | WORK_STEP)

/* Immutable and shared; a change makes a new one (creds_prepare, creds_commit). */
struct creds {
	refcount_t refs;
	uid_t uid, euid, suid, fsuid;
	gid_t gid, egid, sgid, fsgid;
	u64 cap_permitted, cap_effective, cap_inheritable, cap_bset, cap_ambient;
	u32 securebits;
	bool no_new_privs;
	unsigned int ngroups;
	gid_t groups[]; /* sorted */
};

/* What a task has of each kind of namespace: kernel/ns.h. */
struct mnt_ns;
struct uts_ns {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
	refcount_t refs; /* behind what uname(2) copies */
	u32 id;		 /* st_ino of /proc/PID/ns/uts */
};
struct ns_set {
	refcount_t refs;
	struct mnt_ns *mnt;
	struct uts_ns *uts;
};

/* A number in the pid table and what bears it: a thread, a process, a group, a session. */
struct pid {
	refcount_t refs;
	pid_t nr;
	struct pid *hash_next;	 /* p */
	struct task *task;	 /* p: the thread with this tid, until reaped */
	struct process *process; /* p: the process with this pid, until reaped */
	struct list group;	 /* p: process->group_link of the process group with this id */
	struct list session;	 /* p: process->session_link of the session with this id */
	struct tty *session_tty; /* p: controlling terminal of that session (reference held) */
};

struct sigpending {
	u64 set;	   /* s: bit n-1 for signal n */
	struct list queue; /* s: struct sigqueue */
};

struct sighand {
	refcount_t refs;
	struct spinlock lock;
	struct k_sigaction
		*action; /* s: 64; sig_no_actions until one is changed, and from then on its own */
	struct sighand *
		older; /* reference on the one this replaced at exec: senders may still be looking at it */
};

struct cpu_times {
	u64 user_ns, system_ns;
};

/* What read(2) and write(2) and their kin moved, and how often they were called (/proc/PID/io). */
struct io_counts {
	u64 rchar, wchar, syscr, syscw;
};

/* What restart_syscall continues. */
struct restart_block {
	long (*fn)(struct restart_block *rb); /* NULL: none (EINTR) */
	u64 deadline_ns;
	u64 arg[5];
};

/* Where the parent of a vfork waits. */
struct vfork_wait {
	struct waitq q;
	bool done;
};

struct sched_entity {
	struct rb_node node;	   /* run queue lock */
	struct list rt_link;	   /* run queue lock */
	struct task *arrives_next; /* kernel/sched.c: woken, on the way to another CPU's queue */
	u64 vruntime;
	u64 exec_start_ns;
	u64 slice_end_ns;
	u32 weight;
	s8 nice;
	u8 policy; /* SCHED_* */
	u8 rt_priority;
	bool reset_on_fork; /* SCHED_RESET_ON_FORK: children start with ordinary scheduling */
	bool queued;	    /* on a run queue's tree or list */
	bool on_cpu;	    /* running or switching away: atomic */
	bool migrating;	    /* leaving a CPU that affinity forbids; run queue lock */
	bool yielding;	    /* own */
	bool hands_over;    /* own: about to sleep, and what it wakes goes on in its place */
};

/* A thread that is traced, and one that traces: kernel/ptrace.h. */
struct trace_state {
	struct list tracees;		  /* p: those this thread traces */
	struct task *tracer;		  /* p and s; NULL: not traced */
	struct list link;		  /* p: tracer->trace.tracees */
	const struct creds *tracer_creds; /* p: as they were when it attached */
	u32 options;			  /* p and s: PTRACE_O_* */
	bool seized;			  /* p and s */
	bool trap_stop;			  /* s: stop without a signal (INTERRUPT, group stop) */
	bool trap_notify;		  /* s: seized: report a change of the group stop */
	bool stopped;			  /* s: in a stop; what ends it clears this */
	bool listening;			  /* s: PTRACE_LISTEN: stopped, but not for requests */
	bool frozen;	 /* s: a request is being carried out: not even SIGKILL ends the stop */
	bool emulate;	 /* s: PTRACE_SYSEMU */
	bool step;	 /* s: PTRACE_SINGLESTEP */
	bool step_armed; /* own: user mode will trap after one instruction */
	unsigned long step_ip;	     /* own: of the instruction to step (kernel/step_soft.c) */
	struct step_plant *plant[4]; /* own: breakpoints where it may go */
	int code; /* s: in a stop, what wait has to report, then 0; the signal to go on with */
	unsigned long message; /* s: PTRACE_GETEVENTMSG */
	struct siginfo *info;  /* s: on the tracee's stack; NULL: group stop of one not seized */
};

/* PR_SET_SYSCALL_USER_DISPATCH: calls are made from [offset, offset + len), or while the byte at selector is 0. */
struct user_dispatch {
	uaddr_t selector; /* 0: none */
	u64 offset, len;
};

struct task {
	struct hal_task hal; /* must be first */
	u32 work;	     /* atomic, WORK_* */
	u32 state;	     /* atomic, enum task_state */
	refcount_t refs;
	u32 flags; /* own, TASK_F_* */
	struct process *process;
	struct pid *tid;
	struct list thread_link; /* p: process->threads */
	struct vm *vm;		 /* NULL: kernel thread */
	struct fdtable *files;
	struct fs_ctx *fs;
	const struct creds *creds;
	struct ns_set *ns;
	u32 spare_creds; /* own: references on creds beyond the task's one, see creds_get_own() */
	void *kstack;
	char comm[16];

	struct sched_entity se;
	struct spinlock wake_lock; /* state changes against wake-ups */
	struct {
		unsigned long bits[(CONFIG_NR_CPUS + 63) / 64];
	} affinity;
	struct kprobe_return *kreturns; /* own: functions of the kernel whose return is awaited */
	struct uprobe_task *utask;	/* own; NULL: hit no probe yet */
	/*
	 * CPU time, in ticks of hal_counter(); sched_get_times() converts. In user mode user_ticks is less by the counter's value at the
	 * entry, hence negative: entry and exit are one subtraction and one addition. System time is what cpu_ticks has beyond it.
	 */
	s64 user_ticks; /* own */
	u64 cpu_ticks;	/* before stamp; run queue lock */
	u64 stamp;	/* when it got the CPU that it has */
	u64 counted_user_ticks,
		counted_ticks; /* run queue lock: what its CPUs have counted of them */
	u64 nvcsw, nivcsw, min_flt, maj_flt;
	/* sighand->lock: RLIMIT_RTTIME counts from this CPU time on while nvcsw is that. */
	u64 rt_nvcsw, rt_since_ns;
	u64 start_ns;
	struct io_counts io; /* own */

#ifdef CONFIG_SIGRETURN_GUARD
	struct sigguard sigguard; /* own */
#endif
	u64 blocked;	   /* own writes, s for others */
	u64 saved_blocked; /* sigsuspend, ppoll: restored after delivery if restore_blocked */
	bool restore_blocked;
	u8 restart_class; /* own: enum syscall_restart that the running call chose; syscall_restart_as() */
	int altstack_flags;
	struct sigpending pending; /* s */
	uaddr_t altstack_sp;
	u64 altstack_size;
	struct restart_block restart;
	struct trace_state trace;
	struct siginfo
		forced; /* own: synchronous signal to deliver before all others; si_signo 0: none */
	uaddr_t fault_tag; /* own: address bits that its si_addr lacks (SA_EXPOSE_TAGBITS) */
	u64 sigwait;	   /* s: what sigtimedwait waits for */

	uaddr_t set_child_tid, clear_child_tid;
	uaddr_t robust_list;
	size_t robust_list_len;
	struct user_dispatch dispatch; /* own, with WORK_DISPATCH */
	uaddr_t rseq;		       /* own: kernel/rseq.h; 0: not registered */
	u32 rseq_len, rseq_sig;
	int rseq_cid;	/* own, with interrupts off: our bit in vm->cids; -1: none */
	u32 pi_waiters; /* atomic: tasks waiting for PI futexes that this one holds */
	struct vfork_wait *
		vfork; /* wake_lock: on the stack of the parent that waits for us; NULL otherwise */
	int exit_code; /* wait status of this thread */
	bool nofault;  /* own: user access may not sleep; a missing page is a fault */
	bool thread_zombie; /* p: dead, not the leader, its tracer is still to be told */
	int pdeath_signal;
	u8 seccomp_mode;   /* s to change */
	bool no_new_privs; /* s: as in creds, but given by another thread (seccomp) */
	struct seccomp_filter *seccomp_filter; /* s to change; a reference */
	u32 personality;		       /* own: personality(2) */
	u32 stop_gen;			       /* s: process->stop_gen of the stop it is part of */
	u64 timer_slack_ns, default_slack_ns;  /* own: prctl(2) */
	u16 ioprio;			       /* tasklist_lock: ioprio_set(2); 0: as nice says */
	u8 memory_failure;		       /* own: PR_MCE_KILL_DEFAULT less what was set */
	bool io_flusher;		       /* own: prctl(2) */
	void (*kthread_fn)(void *);
	void *kthread_arg;
	const void *wchan; /* where it sleeps, or slept last */
};
#define TASK_F_KTHREAD 1u
#define TASK_F_EXITING 2u
#define TASK_F_FORKNOEXEC 4u
#define TASK_F_IDLE    8u

struct posix_timer;
struct seccomp_filter;

struct process {
	refcount_t refs;
	unsigned int nthreads; /* p */
	struct pid *pid;
	struct sighand *sighand;
	struct sigpending shared_pending; /* s */
	struct list threads;		  /* p */
	struct task *leader;		  /* p: may be a zombie while threads live */
	struct process *parent;		  /* p: never NULL */
	struct task *parent_thread; /* p: that forked, or another one after it exited; NULL: none */
	struct list children;	    /* p */
	struct list sibling;	    /* p: parent->children */
	struct pid *pgrp, *session; /* p, references */
	struct list group_link, session_link; /* p */
	bool session_leader;
	bool group_exit;		  /* s */
	bool dead;			  /* p: all threads gone */
	bool stopping;			  /* s: group stop begun: every thread is to join it */
	bool stopped;			  /* s: all have joined */
	bool stop_reported, cont_pending; /* s: for wait */
	bool zombie;   /* p: ... and no traced one unreaped: waiting to be reaped itself */
	bool sem_undo; /* semaphores are to be taken back at its end */
	bool child_subreaper;
	bool adopted; /* p: the parent is not the one that forked it */
	bool has_execed;
	s16 oom_adj,
		oom_adj_min; /* kernel/oom.h; the least that a process without CAP_SYS_RESOURCE may set */
	struct waitq child_wait;    /* wait4 sleepers */
	struct waitq signalfd_wait; /* signalfd readers and pollers: any signal sent */
	struct waitq exit_wait;	    /* pidfd pollers, exec waiting for its other threads */
	int exit_signal;	    /* to the parent; 0 for none */
	int group_exit_code;	    /* s: wait status */
	unsigned int nstopped;	    /* s */
	unsigned int nzombies;	    /* p: dead threads that tracers have not waited for */
	struct task *group_exec;    /* s: thread doing exec */
	u32 stop_gen;		    /* s: counts group stops */
	u32 cont_seq;		    /* s: counts SIGCONTs, for a stop signal that is about to act */
	int cld_pending; /* s: CLD_STOPPED or CLD_CONTINUED that the parent is still to be told; 0: none */
	int stop_signal;			  /* s */
	struct sighand *exec_sighand;		  /* own: actions that sig_exec() will install */
	struct rlimit64 rlim[RLIM_NLIMITS];	  /* s */
	struct cpu_times dead_times, child_times; /* p */
	u64 dead_nvcsw, dead_nivcsw, dead_minflt, dead_majflt, child_minflt, child_majflt;
	u64 maxrss, child_maxrss;
	struct io_counts
		dead_io; /* p: of threads that have ended, and of children that were waited for */
	u64 start_ns;
	struct list posix_timers; /* s */
	struct itimer {
		u64 value_ns, interval_ns;
	} itimer[3];		       /* s: REAL as deadline; VIRTUAL, PROF as CPU-time deadline */
	struct process_timers *timers; /* kernel/posix_timer.h; NULL: has none yet */
	struct core_dump *core;	       /* s: under way; NULL otherwise */
	u32 membarrier;		       /* atomic: MEMBARRIER_CMD_REGISTER_* commands given */
	int next_timer_id;
	struct mutex exec_mutex; /* nobody attaches while exec decides about credentials */
};

static __always_inline struct task *current_task(void)
{
	return (struct task *)arch_current();
}
#define current (current_task())

extern struct spinlock tasklist_lock;
extern struct process *init_process;

static inline void task_get(struct task *t)
{
	refcount_inc(&t->refs);
}
void task_put(struct task *t);
static inline pid_t task_tid(const struct task *t)
{
	return t->tid->nr;
}
static inline pid_t task_pid(const struct task *t)
{
	return t->process->pid->nr;
}
static inline void task_set_work(struct task *t, u32 bits)
{
	__atomic_fetch_or(&t->work, bits, __ATOMIC_ACQ_REL);
}
static inline void task_clear_work(struct task *t, u32 bits)
{
	__atomic_fetch_and(&t->work, ~bits, __ATOMIC_ACQ_REL);
}

/** pid_find() - look a number up. tasklist_lock held. NULL if unused. */
struct pid *pid_find(pid_t nr);
/** pid_init() - boot, before the first task. */
void pid_init(void);
/** pid_alloc() - a new number with one reference. ERR_PTR(-EAGAIN, -ENOMEM). */
struct pid *pid_alloc(void);
void pid_put_locked(struct pid *p); /* tasklist_lock held */
void pid_get(struct pid *p);
void pid_put(struct pid *p);
/** task_find_get() / process_find_get() - with a reference; NULL if there is none (zombies are found). */
struct task *task_find_get(pid_t tid);
struct process *process_find_get(pid_t pid);
void process_put(struct process *p);
/** task_vm_get() - another task's address space with a reference; NULL if it has none (kernel threads, zombies). */
struct vm *task_vm_get(struct task *t);
#define PID_MAX 32768 /* one above the largest number */
/** pid_last() - the number given out last (/proc/loadavg). */
pid_t pid_last(void);
/** pid_next() - the smallest used process id >= @nr, or 0 (/proc listing). */
pid_t pid_next(pid_t nr);

/** task_wake() - make a sleeping task runnable. Returns false if it was not asleep in a state that @states (bit per enum) names. Any context. */
bool task_wake(struct task *t, u32 states);
#define WAKE_NORMAL ((1u << TASK_INTERRUPTIBLE) | (1u << TASK_KILLABLE) | (1u << TASK_UNINTERRUPTIBLE))

/** sched_is_running() - whether some CPU runs @t just now; it is not looked into, and may be gone. Any context. */
bool sched_is_running(const struct task *t);
/** cond_resched() - let others run if they should. Task context, no spinlocks. */
void cond_resched(void);
/** kthread_create() - start a kernel thread. ERR_PTR(-ENOMEM). */
struct task *kthread_create(void (*fn)(void *), void *arg, const char *name);

/** capable() - effective capability test; CAP_* numbers. */
bool capable(int cap);
bool creds_in_group(const struct creds *c, gid_t gid);
static inline const struct creds *current_creds(void)
{
	return current->creds;
}
struct creds *creds_prepare(void);  /* a copy of current's to edit; NULL: no memory */
void creds_commit(struct creds *c); /* becomes current's */
/** creds_changes_trust() - other rights than before: what is in memory may have come by them, so nobody else is to see it. */
bool creds_changes_trust(const struct creds *old, const struct creds *new);
const struct creds *creds_override(
	const struct creds
		*c); /* the same for a while: returns the old ones, references stay as they are */
#define CAP_FULL ((1ULL << (CAP_LAST_CAP + 1)) - 1)
struct creds *creds_prepare_groups(unsigned int ngroups); /* with room for that many groups */
const struct creds *creds_root(void);			  /* a reference to the first task's */
const struct creds *creds_of(struct task *t);		  /* another task's, with a reference */
const struct creds *creds_get(const struct creds *c);
void creds_put(const struct creds *c);
/*
 * creds_get_own() / creds_put_own() - a reference on current's, and any reference back. Tasks share credentials, and open files have
 * a reference each: so that CPUs that open files do not write to one count all the time, a task keeps some that it was given back.
 */
#define SPARE_CREDS 32
const struct creds *creds_get_spare(void);
static inline const struct creds *creds_get_own(void)
{
	struct task *t = current;

	if (unlikely(!t->spare_creds))
		return creds_get_spare();
	t->spare_creds--;
	return t->creds;
}
static inline void creds_put_own(const struct creds *c)
{
	struct task *t = current;

	if (likely(c == t->creds) && t->spare_creds < 2 * SPARE_CREDS)
		t->spare_creds++;
	else
		creds_put(c);
}
/** creds_drop_spares() - give back what @t keeps. Before its credentials change, and at its end. */
void creds_drop_spares(struct task *t);
u64 task_rlimit(unsigned int which); /* soft limit of current */

/** sig_send_group() etc.: kernel/signal.h. do_exit, do_group_exit, do_clone, do_exec: kernel/process.h */

/* How late timers of @t may be. Ours are exact, which every slack allows. */
#define DEFAULT_SLACK_NS 50000
static inline u64 task_timer_slack(const struct task *t)
{
	u64 ns = READ_ONCE(t->timer_slack_ns);

	return ns ? ns : DEFAULT_SLACK_NS;
}

#endif

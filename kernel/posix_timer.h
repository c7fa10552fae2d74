/* SPDX-License-Identifier: MIT */
/*
 * Timers of processes: timer_create(2), setitimer(2), RLIMIT_CPU; and the CPU-time clocks they may count.
 * All in task context unless said otherwise.
 */
#ifndef KERNEL_POSIX_TIMER_H
#define KERNEL_POSIX_TIMER_H

#include <kernel/task.h>
#include <kernel/time.h>
#include <uapi/time.h>

/* Times in nanoseconds; value 0: disarmed. */
struct timer_setting {
	u64 value_ns, interval_ns;
};

struct timer_event {
	int notify, sig;
	u64 value;
	pid_t tid;
	bool id_is_value; /* no sigevent given: the value is the timer's id */
};

/* A clock that counts CPU time: of one thread, or (task NULL) of all of a process. */
struct cpu_clock {
	struct process *process; /* reference */
	struct task *task;	 /* reference */
	unsigned int which;	 /* CPU_CLOCK_* */
};
#define CPU_CLOCK_PROF	0 /* user and system */
#define CPU_CLOCK_VIRT	1 /* user */
#define CPU_CLOCK_SCHED 2 /* both, precisely: here the same as PROF */

/** cpu_clock_get() - decode CLOCK_*_CPUTIME_ID and clock_getcpuclockid(3) numbers. 0 (then put it), or -EINVAL: no such clock. */
int cpu_clock_get(clockid_t id, struct cpu_clock *c);
void cpu_clock_put(struct cpu_clock *c);
u64 cpu_clock_read(const struct cpu_clock *c);
/** process_cpu_times() - of all threads, dead and alive. */
void process_cpu_times(struct process *p, struct cpu_times *out);

/** posix_timer_create() - timer_create(2) for current's process. Its id, or -EINVAL, -EAGAIN, -EOPNOTSUPP. */
int posix_timer_create(clockid_t clock, const struct timer_event *ev);
/** posix_timer_set() - @absolute: value_ns is a time of the timer's clock. 0, -EINVAL (no such timer), -ESRCH (whose CPU time it counts is gone). */
int posix_timer_set(int id, bool absolute, const struct timer_setting *new,
		    struct timer_setting *old);
int posix_timer_get(int id, struct timer_setting *out);
/** posix_timer_overrun() - of the last signal delivered; -EINVAL. */
int posix_timer_overrun(int id);
int posix_timer_delete(int id);

/** posix_timers_describe() - call @fn for each timer of @p, under a spinlock. @target: the thread or process that gets the signal. */
void posix_timers_describe(struct process *p,
			   void (*fn)(void *ctx, int id, int sig, u64 value, int notify,
				      pid_t target, int clock),
			   void *ctx);

/** itimer_set() - setitimer(2), @new relative. 0 or -ENOMEM. itimer_get(): what is left. */
int itimer_set(int which, const struct timer_setting *new, struct timer_setting *old);
void itimer_get(int which, struct timer_setting *out);

/** posix_timers_recheck() - a CPU-time limit of @p changed. s not held. Any context. */
void posix_timers_recheck(struct process *p);
/** posix_timers_exec() - timer_create() timers end with the program, interval timers stay. */
void posix_timers_exec(struct process *p);

/* ---- between posix_timer.c and cpu_timer.c ---- */

/* What a process needs to have timers; made when it first sets one. */
struct process_timers {
	struct process *process;
	struct ktimer real; /* ITIMER_REAL */
	struct ktimer cpu;  /* next look at the CPU-time timers */
};
/** process_timers_get() - NULL: no memory. */
struct process_timers *process_timers_get(struct process *p);
/** cpu_timers_arm() - have CPU-time timers looked at when the first can be due. s held. */
void cpu_timers_arm(struct process *p);
void cpu_timer_fired(struct ktimer *k);
/** posix_timers_cpu_remaining() - the least CPU time that a timer of @p still has to run; U64_MAX: none. s held. */
u64 posix_timers_cpu_remaining(struct process *p);
/** posix_timers_fire_cpu() - send the signals of those whose CPU time is up. s held. */
void posix_timers_fire_cpu(struct process *p);
/** process_cpu_times_locked() - s held. */
void process_cpu_times_locked(struct process *p, struct cpu_times *out);
u64 cpu_times_of(const struct cpu_times *t, unsigned int which);

/* struct sigevent of the calls. */
struct sigevent_abi {
	u64 value;
	s32 signo, notify;
	s32 tid;
	u8 pad[44];
};
static_assert(sizeof(struct sigevent_abi) == 64, "struct sigevent is 64 bytes");

#endif

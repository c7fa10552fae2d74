/* SPDX-License-Identifier: MIT */
/* The scheduler's inner interface: for fork, exit, init and the system calls that tune it. */
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include <kernel/task.h>

/** sched_init_cpu() - make @idle this CPU's idle task and current. Boot and secondary start, interrupts off. */
void sched_init_cpu(struct task *idle);
/** sched_idle() - the idle task's life. */
__noreturn void sched_idle(void);
/** sched_fork() - scheduling state of a new task, from current's. */
void sched_fork(struct task *t);
/** sched_reset() - ordinary scheduling on any CPU instead; not yet started. */
void sched_reset(struct task *t);
/** sched_start() - make a new task runnable for the first time. */
void sched_start(struct task *t);
/** sched_first_run() - a new task's first instruction in C: finish the switch that led here. Interrupts off. */
void sched_first_run(void);
/** sched_exit() - leave for good; current->state becomes @state (TASK_ZOMBIE or TASK_DEAD). */
__noreturn void sched_exit(void);
void sched_yield_current(void);
/**
 * sched_hand_over() - current is about to wait for what it wakes from now on (or, @on false, is not any more): unless others wait for this CPU
 * too, that one runs here, when current sleeps. Two that take turns then need neither interrupts between CPUs nor idle CPUs' time to wake.
 */
static inline void sched_hand_over(bool on)
{
	current->se.hands_over = on;
}
/** sched_set() - policy, nice and real-time priority of a task; the caller checked permission. */
void sched_set(struct task *t, unsigned int policy, int nice, unsigned int rt_priority);
/** sched_kick() - make a task that runs in user mode on another CPU enter the kernel soon, to see its work flags. */
void sched_kick(struct task *t);
/** sched_set_affinity() - restrict to CPUs; the mask has at least one that is online. Moves a running task at its next turn. */
void sched_set_affinity(struct task *t, const unsigned long *bits);
/** sched_get_runtime_ns() - CPU time of a task including the current stretch. */
void sched_get_times(const struct task *t, struct cpu_times *out);
u64 sched_rr_interval_ns(const struct task *t);
/* How long a SCHED_RR thread runs while others of its priority wait: kernel.sched_rr_timeslice_ms. */
#define SCHED_RR_SLICE_MS 100
extern u32 sched_rr_slice_ms;
extern unsigned long cpu_online_mask[(CONFIG_NR_CPUS + 63) / 64];
unsigned int cpu_online_count(void);
static inline bool cpu_online(unsigned int cpu)
{
	return cpu_online_mask[cpu / 64] >> (cpu % 64) & 1;
}
/** sched_cpu_idle_ns() - time a CPU has idled (/proc/stat); sched_load(): 1, 5, 15 minute load, 11-bit fixed point; nrunning. */
u64 sched_cpu_idle_ns(unsigned int cpu);
/** sched_cpu_times() - what a CPU did when it was not idle. Any context. */
struct cpu_split {
	u64 user_ns, nice_ns, system_ns;
};
void sched_cpu_times(unsigned int cpu, struct cpu_split *out);
void sched_load(u64 load[3], unsigned int *nrunning);
u64 sched_switches(void);
/** sched_abort_sequences() - threads of @vm that run now, on CPU @only_cpu or (-1) anywhere, have WORK_RSEQ: at the latest when sched_sync_all_cpus() has interrupted them. */
void sched_abort_sequences(const struct vm *vm, int only_cpu);
/** sched_sync_all_cpus() - returns when every CPU has executed a full memory barrier since the call and fetches code anew. Interrupts on. */
void sched_sync_all_cpus(void);
void sched_start_load_sampling(void);

#endif

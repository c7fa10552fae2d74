/* SPDX-License-Identifier: MIT */
/*
 * The user context: running user code as if it were a function call.
 *
 * uctx_run() enters user mode with the registers in struct uctx and returns to its caller, in plain
 * C, when user code traps. struct uctx is defined by <arch/uctx.h>, which also defines the accessors below as
 * static inline functions; all of them are for the current task's own context or for a task that is
 * stopped (ptrace).
 *
 *	unsigned long uctx_ip(const struct uctx *)          program counter
 *	void uctx_set_ip(struct uctx *, unsigned long)
 *	unsigned long uctx_sp(const struct uctx *)          stack pointer
 *	void uctx_set_sp(struct uctx *, unsigned long)
 *	long uctx_syscall_nr(const struct uctx *)           number as the program gave it
 *	void uctx_set_syscall_nr(struct uctx *, long)
 *	unsigned long uctx_arg(const struct uctx *, unsigned n)    argument 0..5 (riscv64/aarch64/loongarch64: arg 0 from the saved original)
 *	void uctx_set_arg(struct uctx *, unsigned n, unsigned long)
 *	long uctx_result(const struct uctx *)
 *	void uctx_set_result(struct uctx *, long)
 *	void uctx_restart_syscall(struct uctx *, unsigned long arg0, long nr)
 *		rewind so that the same syscall is executed again: argument 0 and number restored,
 *		ip moved back over the trap instruction
 *	long uctx_result_untouched(const struct uctx *)     what was in the result's register when the program made its syscall
 *	void uctx_trace_syscall_begin(struct uctx *)        once, before a tracer or filter sees a syscall: registers as Linux shows them
 *	void uctx_trace_syscall_end(struct uctx *)          after each stop before it: what the tracer changed counts
 *	UCTX_SYSCALL_INSN_SIZE	bytes of the trap instruction
 *	UCTX_RESTART_EARLY	1: Linux rewinds an interrupted syscall before a tracer sees the signal, 0: after
 *	bool uctx_in_syscall(const struct uctx *)           the last trap was a syscall (for restart and ptrace)
 *	void uctx_set_tls(struct uctx *, unsigned long)     CLONE_SETTLS / arch_prctl value, loaded at entry
 *	unsigned long uctx_tls(const struct uctx *)
 */
#ifndef HAL_UCTX_H
#define HAL_UCTX_H

#include <arch/uctx.h>
#include <compiler.h>
#include <err.h>
#include <hal/uctx_event.h>
#include <types.h>

struct hal_task;

/**
 * uctx_run() - run user code of the current task until it traps.
 * @task: the current task; its uctx is loaded and, on return, holds the user registers again; its event is
 * filled for page faults, exceptions and unknown traps
 * Called with interrupts off (so that a work flag set by an interrupt cannot be missed between the
 * caller's check and user mode). Returns with interrupts ON. Makes the task's FPU state live if it
 * is not. An interrupt is handled (upcalls run) before it returns.
 *
 * Return: an enum uctx_reason, as wide as a register so that no instruction narrows it. The arch's asm tells the compiler that all registers change, so only what is live is saved.
 */
#ifdef ARCH_HAS_INLINE_UCTX_RUN
static __always_inline long uctx_run(struct hal_task *task)
{
	return arch_uctx_run(task);
}
#endif

/**
 * uctx_emulate() - carry out the instruction that trapped, where Linux does so for programs.
 * aarch64: reads of the ID registers; loongarch64, riscv64: unaligned accesses. On others there is nothing.
 * Context: current task, right after uctx_run() returned @ev; interrupts on, may sleep.
 */
enum uctx_emulation {
	UCTX_NOT_EMULATED,    /* the exception becomes a signal */
	UCTX_EMULATED,	      /* done, the ip is moved on */
	UCTX_EMULATION_FAULT, /* @ev now tells of a page fault */
};
enum uctx_emulation uctx_emulate(struct hal_task *task, struct uctx_event *ev);

/**
 * uctx_init_user() - registers of a new program: everything zero but these.
 * @ip, @sp: user addresses. FPU and vector state, TLS and debug state become their initial values.
 * Used at exec by the current task. Interrupts on or off.
 */
void uctx_init_user(struct hal_task *task, uaddr_t ip, uaddr_t sp);

/**
 * uctx_fork() - copy the current task's user context, FPU state included, for a new task.
 * The child's syscall result is set to 0; @sp nonzero replaces its stack pointer; @tls applies if
 * @set_tls. Return: 0 or -ENOMEM.
 */
int uctx_fork(struct hal_task *child, struct hal_task *parent, uaddr_t sp, bool set_tls,
	      uaddr_t tls);

/** uctx_exit() - release what the arch allocated for a dead task (large FPU areas). */
void uctx_exit(struct hal_task *task);

/**
 * uctx_arch_prctl() - the system call arch_prctl; only x86_64 has it (and defines this).
 * Context: current task, may sleep. Return: 0, a value, -EINVAL, -EPERM, -EFAULT, -ENODEV.
 */
long uctx_arch_prctl(struct hal_task *task, int code, unsigned long arg);

/**
 * uctx_prctl() - the options of prctl that only this architecture has: vector lengths and rights, time stamps, speculation.
 * @value: the second argument of those that have one.
 * Context: current task, may sleep. Return: 0, a value, -EINVAL (no such option here), as prctl(2).
 */
long uctx_prctl(struct hal_task *task, int option, unsigned long arg, unsigned long value);

/**
 * uctx_riscv_hwprobe() - the system call riscv_hwprobe; only riscv64 has it (and defines this).
 * @pairs: user array of @count { s64 key; u64 value }; values are filled in, unknown keys become -1
 * Context: current task, may sleep. Return: 0, -EINVAL, -EFAULT.
 * Source: Linux Documentation/arch/riscv/hwprobe.rst.
 */
long uctx_riscv_hwprobe(uaddr_t pairs, size_t count, size_t cpusetsize, uaddr_t cpus,
			unsigned int flags);

/* What a signal frame is made of; all of it Linux's own layout. */
#define UCTX_INFO_BYTES 48
struct sigframe_req {
	int sig;
	uaddr_t handler;
	uaddr_t restorer;    /* 0: the vDSO's */
	unsigned long flags; /* SA_* */
	const void *info;    /* the first UCTX_INFO_BYTES of siginfo_t; the others are 0 */
	u64 mask;	     /* blocked set to be restored by sigreturn */
	uaddr_t sp;	     /* where to build: user sp or top of the alternate stack */
	uaddr_t ss_sp;	     /* uc_stack */
	u64 ss_size;
	int ss_flags;
};

/**
 * uctx_push_sigframe() - build rt_sigframe on the user stack and point the context at the handler.
 * Return: 0, or -EFAULT if the stack cannot be written (the caller forces SIGSEGV).
 * Context: current task, may sleep (page faults). @frame gets the frame's address.
 */
int uctx_push_sigframe(struct hal_task *task, const struct sigframe_req *req, uaddr_t *frame);

/* What rt_sigreturn brings back. */
struct sigframe_ret {
	bool taken; /* the rest, and the general registers, are the frame's */
	bool tell_sp; /* of a bad frame Linux tells where the stack is, as of a page that may not be accessed */
	u64 mask;
	uaddr_t ss_sp;
	u64 ss_size;
	int ss_flags;
};

/**
 * uctx_pop_sigframe() - restore the context from the frame that the stack pointer designates.
 * Every register is sanitised (flags, modes, FPU headers): user mode stays user mode.
 * Return: 0, or -EFAULT/-EINVAL for a bad frame (the caller forces SIGSEGV). If only its vector state is bad, @out->taken is set
 * nevertheless: as in Linux, a handler of that signal returns to what the frame says. The syscall result must not be written afterwards.
 */
int uctx_pop_sigframe(struct hal_task *task, struct sigframe_ret *out);

/** uctx_sigframe_size() - AT_MINSIGSTKSZ: the largest frame this CPU can produce, bytes. */
size_t uctx_sigframe_size(void);

/** hal_hwcap() - AT_HWCAP (n=0), AT_HWCAP2 (n=1) as Linux reports them. hal_platform_name(): AT_PLATFORM or NULL. */
unsigned long hal_hwcap(unsigned int n);
const char *hal_platform_name(void);

/*
 * The one number in /proc/sys/abi: HAL_ABI_NUMBER is its name there, NULL where there is none.
 * hal_abi_number() - its value, or -EINVAL if this CPU has not what it is about; hal_abi_number_set() - 0 or -EINVAL. Any context.
 */
#ifdef ARCH_ABI_NUMBER
#define HAL_ABI_NUMBER ARCH_ABI_NUMBER
int hal_abi_number(void);
int hal_abi_number_set(int value);
#else
#define HAL_ABI_NUMBER NULL
static inline int hal_abi_number(void)
{
	return -EINVAL;
}
static inline int hal_abi_number_set(int value)
{
	(void)value;
	return -EINVAL;
}
#endif

/** hal_cpuinfo() - write /proc/cpuinfo's entry of one CPU, Linux's format, into @buf; returns length. */
int hal_cpuinfo(unsigned int cpu, char *buf, size_t size);

#endif

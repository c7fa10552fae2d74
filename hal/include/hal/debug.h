/* SPDX-License-Identifier: MIT */
/*
 * A user context as a debugger sees it: register sets, single-step, hardware breakpoints.
 *
 * Everything here is for the current task or for one that is stopped and not on a CPU (ptrace, core dumps): nothing serialises
 * but that. Register sets are numbered by the note types of ELF core files, which are what PTRACE_GETREGSET takes, and have
 * Linux's layout to the byte.
 *
 * A set may be written at a stop inside a system call. At entry: number and arguments are read from the context afterwards
 * (aarch64: NT_ARM_SYSTEM_CALL; loongarch64: orig_a0; riscv64's argument 0 cannot be changed, as under Linux). At a signal's
 * stop: do not restart the call if the debugger said there is none (x86_64: orig_ax -1, so uctx_in_syscall() is false) or moved ip.
 */
#ifndef HAL_DEBUG_H
#define HAL_DEBUG_H

#include <compiler.h>
#include <hal/uctx.h>
#include <types.h>

/* One register set of this architecture. */
struct hal_regset {
	u32 note;	   /* NT_PRSTATUS, NT_PRFPREG, ... */
	const char *owner; /* name of the note in a core file: "CORE" or "LINUX" */
	u32 element;	   /* bytes: sizes that user space passes are a multiple of this */
	/* Bytes the set has for this task now; 0: the CPU or this task does not have it. */
	size_t (*size)(const struct hal_task *task);
	/* Write the whole set, size() bytes, to @buf. Return: 0; without it, Linux's errno (-ENODEV, -EINVAL), @buf is not touched. */
	int (*get)(struct hal_task *task, void *buf);
	/* Replace the first @len bytes (a multiple of element, at most size()). Privileged bits are kept or cleared, values Linux refuses give its errno. */
	int (*set)(struct hal_task *task, const void *buf, size_t len);
};

/** hal_regsets() - all sets of this architecture, NT_PRSTATUS first. @n: their number. Any context. */
const struct hal_regset *hal_regsets(unsigned int *n);

/**
 * hal_ptrace() - the ptrace requests that only this architecture has.
 * x86_64: PEEKUSR, POKEUSR (user_regs and debug registers of struct user), GETREGS, SETREGS, GETFPREGS, SETFPREGS, ARCH_PRCTL.
 * Context: @task stopped; may sleep and fault on @data. Return: 0 or a value, -EIO for a request that is not one, else as ptrace(2).
 */
long hal_ptrace(struct hal_task *task, long request, unsigned long addr, uaddr_t data);

/*
 * Single-step. With ARCH_HAS_HW_STEP the CPU steps: arm before user mode is entered, the trap comes back as UCTX_EXC_DEBUG.
 * A step over the system call instruction ends when the call is done, and the portable kernel reports it: the CPU does not.
 * A step that a signal's handler interrupts ends at the handler's first instruction; frames never show that the debugger steps.
 * Arm before each return to user mode until the trap came. Without the CPU's help, the portable kernel plants a breakpoint at every possible next pc (kernel/step.c), which hal_next_pcs() computes.
 */
#ifdef CONFIG_ARCH_HAS_HW_STEP
/**
 * uctx_step_arm() - trap after the next user instruction. Context: current task, about to enter user mode; it may still sleep or
 * move to another CPU before it does. Reads the instruction (x86_64: a popf makes the step flag the program's own, as under Linux).
 */
void uctx_step_arm(struct hal_task *task);
/** uctx_step_disarm() - back to running free; also hides the step flag from what user space can read. */
void uctx_step_disarm(struct hal_task *task);
#else
#define HAL_NEXT_PCS 4
/* Reads @len bytes of the program's code. Return: 0 or -EFAULT. */
typedef int (*hal_fetch_t)(void *ctx, uaddr_t addr, void *buf, size_t len);
/**
 * hal_next_pcs() - every address that may be executed next.
 * @pcs: HAL_NEXT_PCS entries. A load-linked/store-conditional sequence is stepped over as one instruction (its exits are returned):
 * a breakpoint inside would make it fail for ever.
 * Return: how many, or -EFAULT (no instruction there: just run, and fault).
 */
int hal_next_pcs(const struct uctx *u, hal_fetch_t fetch, void *ctx, uaddr_t *pcs);
#endif

/**
 * hal_debug_reset() - forget hardware breakpoints and stepping. uctx_init_user(), uctx_fork() and uctx_exit() do so themselves: a new
 * program, a new thread and a dead one have none. UCTX_EXC_DEBUG with code TRAP_HWBKPT: ev->addr is the address watched on aarch64
 * (the access has not been made yet), ip on x86_64 (it has).
 */
void hal_debug_reset(struct hal_task *task);

/* The breakpoint instruction: HAL_BREAKPOINT_MAX bytes at most. */
#define HAL_BREAKPOINT_MAX 4
/** hal_breakpoint() - the breakpoint instruction that replaces @insn (first bytes of what stands there; riscv64: 2 bytes for a compressed one). Return: its length. */
unsigned int hal_breakpoint(const u8 *insn, u8 out[HAL_BREAKPOINT_MAX]);

#endif

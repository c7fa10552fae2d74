/* SPDX-License-Identifier: MIT */
/*
 * The user context of riscv64: see <hal/uctx.h> for the contract.
 *
 * The first 32 words are Linux's struct user_regs_struct (pc, then x1 to x31), which signal frames and
 * ptrace use as they stand. entry.S knows the offsets; uctx.c asserts them.
 */
#ifndef ARCH_UCTX_H
#define ARCH_UCTX_H

/* Offsets in struct uctx; register xN is at 8 * N. */
#define UCTX_PC	     0
#define UCTX_ORIG_A0 256
#define UCTX_CAUSE   264
#define UCTX_SIZE    272

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

enum {
	REG_PC = 0,
	REG_RA = 1,
	REG_SP = 2,
	REG_GP = 3,
	REG_TP = 4,
	REG_FP = 8,
	REG_A0 = 10,
	REG_A7 = 17
};

struct uctx {
	unsigned long regs[32]; /* pc, x1 .. x31 */
	unsigned long orig_a0;	/* argument 0 of the syscall; a0 becomes its result */
	unsigned long cause;	/* scause of the last trap */
};

#ifndef CAELUM_HOST /* the decoder of probes is also built for tests */
#define ARCH_HAS_INLINE_UCTX_RUN
#define UCTX_SYSCALL_INSN_SIZE 4
#define UCTX_RESTART_EARLY 1
#define ARCH_ABI_NUMBER "riscv_v_default_allow"

/* entry.S: returns when user code traps, with every register but sp, s0 and tp changed. tp is the task. */
static __always_inline long arch_uctx_run(void *task)
{
	register long a0 __asm__("a0");

	(void)task;
	__asm__ __volatile__("call riscv64_run_user"
			     : "=r"(a0)
			     :
			     : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a1", "a2", "a3",
			       "a4", "a5", "a6", "a7", "s1", "s2", "s3", "s4", "s5", "s6", "s7",
			       "s8", "s9", "s10", "s11", "memory");
	return a0;
}
#endif

#include <hal/uctx_regs.h>

static inline unsigned long uctx_ip(const struct uctx *u)
{
	return u->regs[REG_PC];
}

static inline void uctx_set_ip(struct uctx *u, unsigned long ip)
{
	u->regs[REG_PC] = ip;
}

static inline void uctx_set_arg(struct uctx *u, unsigned int n, unsigned long v)
{
	if (n == 0)
		u->orig_a0 = v;
	else
		u->regs[REG_A0 + n] = v;
}

/* ecall has no compressed form: the instruction is 4 bytes long. */
static inline void uctx_restart_syscall(struct uctx *u, unsigned long arg0, long nr)
{
	u->regs[REG_A0] = arg0;
	u->regs[REG_A7] = (unsigned long)nr;
	u->regs[REG_PC] -= 4;
}

static inline bool uctx_in_syscall(const struct uctx *u)
{
	return u->cause == 8;
}

#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * The user context of loongarch64: 32 integer registers and the program counter. FPU and vector
 * state is in struct arch_thread (<arch/cpu.h>). Accessors are documented in <hal/uctx.h>.
 * Offsets are used by trap.S; they are asserted in traps.c.
 */
#ifndef ARCH_UCTX_H
#define ARCH_UCTX_H

#define UCTX_ERA	256
#define UCTX_ORIG_A0	264
#define UCTX_IN_SYSCALL 272

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

enum { REG_RA = 1, REG_TP = 2, REG_SP = 3, REG_A0 = 4, REG_A7 = 11, REG_FP = 22 };

struct uctx {
	unsigned long regs[32]; /* regs[0] stays 0 */
	unsigned long era;
	unsigned long orig_a0; /* argument 0 of the last syscall */
	u32 in_syscall;
};

#ifndef CAELUM_HOST /* the decoder of probes is also built for tests */
#define ARCH_HAS_INLINE_UCTX_RUN
#define UCTX_SYSCALL_INSN_SIZE 4
#define UCTX_RESTART_EARLY 0

/* trap.S: returns when user code traps, with every register but $sp, $fp, $tp and $r21 changed. $tp is the task. */
static __always_inline long arch_uctx_run(void *task)
{
	register long a0 __asm__("$a0");

	(void)task;
	__asm__ __volatile__("bl arch_run_user"
			     : "=r"(a0)
			     :
			     : "$ra", "$a1", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7",
			       "$t8", "$a2", "$a3", "$a4", "$a5", "$a6", "$a7", "$s0", "$s1", "$s2",
			       "$s3", "$s4", "$s5", "$s6", "$s7", "$s8", "memory");
	return a0;
}
#endif

#include <hal/uctx_regs.h>

static inline unsigned long uctx_ip(const struct uctx *u)
{
	return u->era;
}

static inline void uctx_set_ip(struct uctx *u, unsigned long ip)
{
	u->era = ip;
}

static inline void uctx_set_arg(struct uctx *u, unsigned int n, unsigned long v)
{
	if (n == 0)
		u->orig_a0 = v;
	u->regs[REG_A0 + n] = v;
}

static inline void uctx_restart_syscall(struct uctx *u, unsigned long arg0, long nr)
{
	u->regs[REG_A0] = arg0;
	u->orig_a0 = arg0;
	u->regs[REG_A7] = (unsigned long)nr;
	u->era -= 4;
}

static inline bool uctx_in_syscall(const struct uctx *u)
{
	return u->in_syscall;
}

#endif
#endif

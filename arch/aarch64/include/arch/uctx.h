/* SPDX-License-Identifier: MIT */
/*
 * The user registers of aarch64: Linux's user_pt_regs, then what only the kernel keeps.
 * trap_asm.S saves and loads them all at each trap; the offsets are asserted in arch/aarch64/uctx.c.
 */
#ifndef ARCH_UCTX_H
#define ARCH_UCTX_H

#define UCTX_SP	     248
#define UCTX_PC	     256
#define UCTX_PSTATE  264
#define UCTX_TLS     272
#define UCTX_ORIG_X0 280
#define UCTX_SYSCALL_NR 288

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

struct uctx {
	u64 x[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	u64 tls;	/* TPIDR_EL0 */
	u64 orig_x0;	/* argument 0 of the last system call */
	s64 syscall_nr; /* of the last trap, if it was a system call; else -1 */
	u64 pad;
} __aligned(16);

#ifndef CAELUM_HOST /* the decoder of probes is also built for tests */
#define ARCH_HAS_INLINE_UCTX_RUN
#define UCTX_SYSCALL_INSN_SIZE 4
#define UCTX_RESTART_EARLY 1
#define ARCH_ABI_NUMBER "sve_default_vector_length"

/* trap_asm.S: returns when user code traps, with every register but sp and x29 changed. */
static __always_inline long arch_uctx_run(void *task)
{
	register void *x0 __asm__("x0") = task;

	__asm__ __volatile__("bl aarch64_run_user"
			     : "+r"(x0)
			     :
			     : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
			       "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
			       "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "cc",
			       "memory");
	return (long)x0;
}
#endif

static inline unsigned long uctx_ip(const struct uctx *u)
{
	return u->pc;
}
static inline void uctx_set_ip(struct uctx *u, unsigned long ip)
{
	u->pc = ip;
}
/* The frame pointer, and where a frame has the caller's and the return address (hal/cpu.h). */
#define ARCH_FRAME_PREV	  (0)
#define ARCH_FRAME_RETURN (8)
static inline unsigned long uctx_fp(const struct uctx *u)
{
	return u->x[29];
}
static inline unsigned long uctx_sp(const struct uctx *u)
{
	return u->sp;
}
static inline void uctx_set_sp(struct uctx *u, unsigned long sp)
{
	u->sp = sp;
}
/* Linux looks at w8 only. */
static inline long uctx_syscall_nr(const struct uctx *u)
{
	return (int)u->syscall_nr;
}
static inline void uctx_set_syscall_nr(struct uctx *u, long nr)
{
	u->syscall_nr = nr;
}
static inline unsigned long uctx_arg(const struct uctx *u, unsigned int n)
{
	return n ? u->x[n] : u->orig_x0;
}
static inline void uctx_set_arg(struct uctx *u, unsigned int n, unsigned long v)
{
	u->x[n] = v;
	if (n == 0)
		u->orig_x0 = v;
}
static inline long uctx_result(const struct uctx *u)
{
	return (long)u->x[0];
}
static inline long uctx_result_untouched(const struct uctx *u)
{
	return (long)u->orig_x0;
}
static inline void uctx_set_result(struct uctx *u, long v)
{
	u->x[0] = (u64)v;
}
static inline bool uctx_in_syscall(const struct uctx *u)
{
	return (int)u->syscall_nr >= 0;
}
static inline void uctx_restart_syscall(struct uctx *u, unsigned long arg0, long nr)
{
	u->x[0] = arg0;
	u->x[8] = (u64)nr;
	u->pc -= 4;
}
/* Stops for a tracer around a call: x0 is its first argument, and the tracer may change it. Of call -1 it is the result. */
static inline void uctx_trace_syscall_begin(struct uctx *u)
{
	if ((int)u->syscall_nr == -1)
		u->x[0] = (u64)-38; /* ENOSYS */
}
static inline void uctx_trace_syscall_end(struct uctx *u)
{
	if ((int)u->syscall_nr != -1)
		u->orig_x0 = u->x[0];
}
static inline void uctx_set_tls(struct uctx *u, unsigned long tls)
{
	u->tls = tls;
}
static inline unsigned long uctx_tls(const struct uctx *u)
{
	return u->tls;
}

#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * The user registers of x86_64, in the order of Linux's user_regs_struct.
 *
 * While user code runs, the TSS's rsp0 points behind `ss`: the CPU itself pushes ss, sp, flags, cs and
 * ip into this structure when it traps, and trap_asm.S pushes the rest below. FS and GS bases of the
 * running task live in the CPU; fs_base and gs_base hold those of a task that is switched away.
 */
#ifndef ARCH_UCTX_H
#define ARCH_UCTX_H

#define UCTX_TOP 176 /* offset of the end of the trap frame; a multiple of 16 */

#ifndef __ASSEMBLER__

#include <compiler.h>
#include <types.h>

struct uctx {
	u64 fs_base;
	u64 r15, r14, r13, r12, bp, bx;
	u64 r11, r10, r9, r8, ax, cx, dx, si, di;
	u64 orig_ax; /* syscall number; -1 after other traps */
	u64 ip, cs, flags, sp, ss;
	u64 gs_base;
	u64 pad;
} __aligned(16);

static_assert(offsetof(struct uctx, ss) + 8 == UCTX_TOP);

#define ARCH_HAS_INLINE_UCTX_RUN
#define UCTX_SYSCALL_INSN_SIZE 2
#define UCTX_RESTART_EARLY 0

/*
 * trap_asm.S: returns when user code traps, with every register but rsp and rbp changed. So the loop around it
 * saves what it needs, and no more.
 */
static __always_inline long arch_uctx_run(void *task)
{
	long reason;

	__asm__ __volatile__("call x86_run_user"
			     : "=a"(reason), "+D"(task)
			     :
			     : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13",
			       "r14", "r15", "cc", "memory");
	return reason;
}

static inline unsigned long uctx_ip(const struct uctx *u)
{
	return u->ip;
}
static inline void uctx_set_ip(struct uctx *u, unsigned long ip)
{
	u->ip = ip;
}
/* The frame pointer, and where a frame has the caller's and the return address (hal/cpu.h). */
#define ARCH_FRAME_PREV	  (0)
#define ARCH_FRAME_RETURN (8)
static inline unsigned long uctx_fp(const struct uctx *u)
{
	return u->bp;
}
static inline unsigned long uctx_sp(const struct uctx *u)
{
	return u->sp;
}
static inline void uctx_set_sp(struct uctx *u, unsigned long sp)
{
	u->sp = sp;
}
/* Linux looks at eax only. */
static inline long uctx_syscall_nr(const struct uctx *u)
{
	return (int)u->orig_ax;
}
static inline void uctx_set_syscall_nr(struct uctx *u, long nr)
{
	u->orig_ax = (u64)nr;
}
static inline unsigned long uctx_arg(const struct uctx *u, unsigned int n)
{
	switch (n) {
	case 0:
		return u->di;
	case 1:
		return u->si;
	case 2:
		return u->dx;
	case 3:
		return u->r10;
	case 4:
		return u->r8;
	default:
		return u->r9;
	}
}
static inline void uctx_set_arg(struct uctx *u, unsigned int n, unsigned long v)
{
	switch (n) {
	case 0:
		u->di = v;
		break;
	case 1:
		u->si = v;
		break;
	case 2:
		u->dx = v;
		break;
	case 3:
		u->r10 = v;
		break;
	case 4:
		u->r8 = v;
		break;
	default:
		u->r9 = v;
		break;
	}
}
static inline long uctx_result(const struct uctx *u)
{
	return (long)u->ax;
}
static inline long uctx_result_untouched(const struct uctx *u)
{
	return (long)u->orig_ax;
}
static inline void uctx_set_result(struct uctx *u, long v)
{
	u->ax = (u64)v;
}
static inline bool uctx_in_syscall(const struct uctx *u)
{
	return (long)u->orig_ax >= 0;
}
/* The syscall instruction is two bytes long. */
static inline void uctx_restart_syscall(struct uctx *u, unsigned long arg0, long nr)
{
	u->di = arg0;
	u->ax = (u64)nr;
	u->ip -= 2;
	u->cx = u->ip;
}

/* Stops for a tracer around a call: Linux shows -ENOSYS as its result until it has one. */
static inline void uctx_trace_syscall_begin(struct uctx *u)
{
	u->ax = (u64)-38; /* ENOSYS */
}
static inline void uctx_trace_syscall_end(struct uctx *u)
{
	(void)u;
}

/* Of the current task or a stopped one; arch/x86_64/uctx.c knows which. */
void x86_set_fs_base(struct uctx *u, unsigned long base);
unsigned long x86_fs_base(const struct uctx *u);
void x86_set_gs_base(struct uctx *u, unsigned long base);
unsigned long x86_gs_base(const struct uctx *u);

static inline void uctx_set_tls(struct uctx *u, unsigned long tls)
{
	x86_set_fs_base(u, tls);
}
static inline unsigned long uctx_tls(const struct uctx *u)
{
	return x86_fs_base(u);
}

#endif
#endif

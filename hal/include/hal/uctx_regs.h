/* SPDX-License-Identifier: MIT */
/*
 * Accessors of <hal/uctx.h> for ports whose user context has an array `regs` of integer registers and `orig_a0`, argument 0 of the
 * last system call. Included by <arch/uctx.h>, which defines struct uctx, the indices REG_SP, REG_TP, REG_FP, REG_A0 and REG_A7, and
 * the rest of the contract.
 */
#ifndef HAL_UCTX_REGS_H
#define HAL_UCTX_REGS_H

/* Where a frame has the caller's frame pointer and the return address (hal/cpu.h). */
#define ARCH_FRAME_PREV	  (-16)
#define ARCH_FRAME_RETURN (-8)

static inline unsigned long uctx_fp(const struct uctx *u)
{
	return u->regs[REG_FP];
}
static inline unsigned long uctx_sp(const struct uctx *u)
{
	return u->regs[REG_SP];
}
static inline void uctx_set_sp(struct uctx *u, unsigned long sp)
{
	u->regs[REG_SP] = sp;
}
static inline long uctx_syscall_nr(const struct uctx *u)
{
	return (long)u->regs[REG_A7];
}
static inline void uctx_set_syscall_nr(struct uctx *u, long nr)
{
	u->regs[REG_A7] = (unsigned long)nr;
}
static inline unsigned long uctx_arg(const struct uctx *u, unsigned int n)
{
	return n == 0 ? u->orig_a0 : u->regs[REG_A0 + n];
}
static inline long uctx_result(const struct uctx *u)
{
	return (long)u->regs[REG_A0];
}
static inline long uctx_result_untouched(const struct uctx *u)
{
	return (long)u->orig_a0;
}
static inline void uctx_set_result(struct uctx *u, long v)
{
	u->regs[REG_A0] = (unsigned long)v;
}
/* Stops for a tracer around a call: Linux shows -ENOSYS as its result until it has one. */
static inline void uctx_trace_syscall_begin(struct uctx *u)
{
	u->regs[REG_A0] = (unsigned long)-38; /* ENOSYS */
}
static inline void uctx_trace_syscall_end(struct uctx *u)
{
	(void)u;
}
static inline void uctx_set_tls(struct uctx *u, unsigned long tls)
{
	u->regs[REG_TP] = tls;
}
static inline unsigned long uctx_tls(const struct uctx *u)
{
	return u->regs[REG_TP];
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Register sets of aarch64 for debuggers and core files.
 *
 *	NT_PRSTATUS		x0-x30, sp, pc, pstate
 *	NT_PRFPREG		v0-v31, fpsr, fpcr
 *	NT_ARM_TLS		TPIDR_EL0, and TPIDR2_EL0, which is 0 without SME
 *	NT_ARM_SYSTEM_CALL	the system call's number; -1: none
 *	NT_ARM_HW_BREAK, NT_ARM_HW_WATCH	breakpoints and watchpoints (debug.c)
 *
 * A stopped task's FP registers are in memory since it left the CPU; the current one's are brought there.
 *
 * Source: ptrace(2); Linux asm/ptrace.h of arm64 (layouts), linux/elf.h.
 */
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <err.h>
#include <hal/debug.h>
#include <lib/string.h>
#include <uapi/elfnote.h>

struct user_pt_regs {
	u64 x[31];
	u64 sp, pc, pstate;
};

struct user_fpsimd {
	unsigned __int128 v[32];
	u32 fpsr, fpcr;
	u32 pad[2];
};

static_assert(sizeof(struct user_pt_regs) == 272);
static_assert(sizeof(struct user_fpsimd) == 528);
static_assert(sizeof(struct user_hw_debug) == 264);

/* Bits of pstate that no debugger may set: they would leave AArch64 user mode, or mask exceptions. */
#define PSR_FORBIDDEN (PSR_MODE_MASK | PSR_D | PSR_A | PSR_I | PSR_F)

/* ---- General registers ---- */

static size_t gp_size(const struct hal_task *task)
{
	(void)task;
	return sizeof(struct user_pt_regs);
}

static int gp_get(struct hal_task *task, void *buf)
{
	struct user_pt_regs *r = buf;

	memcpy(r->x, task->uctx.x, sizeof(r->x));
	r->sp = task->uctx.sp;
	r->pc = task->uctx.pc;
	r->pstate = task->uctx.pstate & ~(u64)PSR_SS;
	return 0;
}

static int gp_set(struct hal_task *task, const void *buf, size_t len)
{
	struct uctx *u = &task->uctx;
	struct user_pt_regs r;

	(void)gp_get(task, &r);
	memcpy(&r, buf, len);
	if (r.pstate & PSR_FORBIDDEN)
		return -EINVAL;
	/* Arguments are taken from the registers after a tracer's stop at entry. */
	if (uctx_in_syscall(u) && r.x[0] != u->x[0])
		u->orig_x0 = r.x[0];
	memcpy(u->x, r.x, sizeof(u->x));
	u->sp = r.sp;
	u->pc = r.pc;
	u->pstate = (u->pstate & PSR_SS) | (r.pstate & (PSR_NZCV | PSR_DIT | PSR_SSBS));
	return 0;
}

/* ---- FP and SIMD ---- */

static size_t fp_size(const struct hal_task *task)
{
	(void)task;
	return sizeof(struct user_fpsimd);
}

static int fp_get(struct hal_task *task, void *buf)
{
	struct user_fpsimd *r = buf;

	aarch64_fp_sync(task);
	memset(r, 0, sizeof(*r));
	memcpy(r->v, task->arch.fp.v, sizeof(r->v));
	r->fpsr = task->arch.fp.fpsr;
	r->fpcr = task->arch.fp.fpcr;
	return 0;
}

static int fp_set(struct hal_task *task, const void *buf, size_t len)
{
	struct user_fpsimd r;

	(void)fp_get(task, &r);
	memcpy(&r, buf, len);
	memcpy(task->arch.fp.v, r.v, sizeof(r.v));
	task->arch.fp.fpsr = r.fpsr;
	task->arch.fp.fpcr = r.fpcr;
	task->arch.fp_used = 1;
	aarch64_fp_replaced(task);
	return 0;
}

/* ---- TLS, system call ---- */

static size_t tls_size(const struct hal_task *task)
{
	(void)task;
	return 2 * sizeof(u64);
}

static int tls_get(struct hal_task *task, void *buf)
{
	u64 *r = buf;

	r[0] = task->uctx.tls;
	r[1] = 0;
	return 0;
}

static int tls_set(struct hal_task *task, const void *buf, size_t len)
{
	if (len >= sizeof(u64))
		memcpy(&task->uctx.tls, buf, sizeof(u64));
	return 0;
}

static size_t syscall_size(const struct hal_task *task)
{
	(void)task;
	return sizeof(s32);
}

static int syscall_get(struct hal_task *task, void *buf)
{
	s32 nr = (s32)uctx_syscall_nr(&task->uctx);

	memcpy(buf, &nr, sizeof(nr));
	return 0;
}

static int syscall_set(struct hal_task *task, const void *buf, size_t len)
{
	s32 nr;

	if (len < sizeof(nr))
		return 0;
	memcpy(&nr, buf, sizeof(nr));
	uctx_set_syscall_nr(&task->uctx, nr);
	return 0;
}

/* ---- Breakpoints and watchpoints ---- */

static size_t hw_size(const struct hal_task *task)
{
	(void)task;
	return sizeof(struct user_hw_debug);
}

static int break_get(struct hal_task *task, void *buf)
{
	aarch64_hw_debug_get(task, false, buf);
	return 0;
}

static int break_set(struct hal_task *task, const void *buf, size_t len)
{
	return aarch64_hw_debug_set(task, false, buf, len);
}

static int watch_get(struct hal_task *task, void *buf)
{
	aarch64_hw_debug_get(task, true, buf);
	return 0;
}

static int watch_set(struct hal_task *task, const void *buf, size_t len)
{
	return aarch64_hw_debug_set(task, true, buf, len);
}

static const struct hal_regset regsets[] = {
	{ NT_PRSTATUS, "CORE", 8, gp_size, gp_get, gp_set },
	{ NT_PRFPREG, "CORE", 4, fp_size, fp_get, fp_set },
	{ NT_ARM_TLS, "LINUX", 8, tls_size, tls_get, tls_set },
	{ NT_ARM_HW_BREAK, "LINUX", 4, hw_size, break_get, break_set },
	{ NT_ARM_HW_WATCH, "LINUX", 4, hw_size, watch_get, watch_set },
	{ NT_ARM_SYSTEM_CALL, "LINUX", 4, syscall_size, syscall_get, syscall_set },
};

const struct hal_regset *hal_regsets(unsigned int *n)
{
	*n = ARRAY_SIZE(regsets);
	return regsets;
}

long hal_ptrace(struct hal_task *task, long request, unsigned long addr, uaddr_t data)
{
	(void)task;
	(void)request;
	(void)addr;
	(void)data;
	return -EIO;
}

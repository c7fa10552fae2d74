/* SPDX-License-Identifier: MIT */
/*
 * Register sets of aarch64 for debuggers and core files.
 *
 *	NT_PRSTATUS		x0-x30, sp, pc, pstate
 *	NT_PRFPREG		v0-v31, fpsr, fpcr
 *	NT_ARM_TLS		TPIDR_EL0, and TPIDR2_EL0, which is 0 without SME
 *	NT_ARM_SYSTEM_CALL	the system call's number; -1: none
 *	NT_ARM_SVE		a header, then the SVE registers or, without USE_SVE, those of NT_PRFPREG
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
	task->arch.fp_used |= USE_FP;
	aarch64_sve_merge(task, true);
	aarch64_fp_replaced(task);
	return 0;
}

/* ---- SVE ---- */

struct user_sve_header {
	u32 size, max_size;
	u16 vl, max_vl, flags, reserved;
};

static_assert(sizeof(struct user_sve_header) == 16);

#define SVE_FLAG_REGS	1U /* SVE registers follow, not FP ones */
#define SVE_FLAGS_SHIFT 16 /* the others are prctl's, shifted */

/* Offsets in the set at length @vl: FFR ends the registers, FPSR and FPCR come at the next multiple of 16. */
static size_t sve_fpsr_offset(unsigned int vl)
{
	return (sizeof(struct user_sve_header) + aarch64_sve_bytes(vl) + 15) & ~15UL;
}

static size_t sve_full_size(unsigned int vl)
{
	return sve_fpsr_offset(vl) + 16;
}

static size_t sve_size(const struct hal_task *task)
{
	(void)task;
	return aarch64_sve_max() ? sve_full_size(aarch64_sve_max()) : 0;
}

static int sve_get(struct hal_task *task, void *buf)
{
	struct user_sve_header h = { .vl = task->arch.sve_vl, .max_vl = (u16)aarch64_sve_max() };
	const struct arch_fpstate *fp = &task->arch.fp;
	u8 *out = buf;

	if (!aarch64_sve_max())
		return -EINVAL; /* Linux's word for it */
	aarch64_fp_sync(task);
	memset(out, 0, sve_size(task));
	h.max_size = (u32)sve_size(task);
	h.flags = (u16)(aarch64_sve_flags(task) >> SVE_FLAGS_SHIFT);
	h.size = sizeof(h) + sizeof(struct user_fpsimd);
	if (aarch64_sve_used(task)) {
		h.flags |= SVE_FLAG_REGS;
		h.size = (u32)sve_full_size(h.vl);
		memcpy(out + sizeof(h), task->arch.sve, aarch64_sve_bytes(h.vl));
		memcpy(out + sve_fpsr_offset(h.vl), fp, 2 * sizeof(u32));
	} else {
		(void)fp_get(task, out + sizeof(h));
	}
	memcpy(out, &h, sizeof(h));
	return 0;
}

static int set_sve_registers(struct hal_task *task, const u8 *in, size_t len)
{
	unsigned int vl = task->arch.sve_vl;
	size_t regs = aarch64_sve_bytes(vl), fpsr = sve_fpsr_offset(vl);
	int err = aarch64_sve_use(task);

	if (err)
		return err;
	memcpy(task->arch.sve, in + sizeof(struct user_sve_header),
	       min(len - sizeof(struct user_sve_header), regs));
	aarch64_sve_split(task);
	if (len >= fpsr + 2 * sizeof(u32))
		memcpy(&task->arch.fp, in + fpsr, 2 * sizeof(u32));
	aarch64_fp_replaced(task);
	return 0;
}

static int sve_set(struct hal_task *task, const void *buf, size_t len)
{
	const u8 *in = buf;
	struct user_sve_header h;
	int err;

	if (!aarch64_sve_max() || len < sizeof(h))
		return -EINVAL;
	memcpy(&h, in, sizeof(h));
	err = aarch64_sve_set_length(task, h.vl,
				     (unsigned long)(h.flags & ~SVE_FLAG_REGS) << SVE_FLAGS_SHIFT);
	if (err)
		return err;
	if (h.flags & SVE_FLAG_REGS) {
		if (len > sizeof(h) && h.vl != task->arch.sve_vl)
			return -EIO; /* laid out for another length */
		return set_sve_registers(task, in, len);
	}
	aarch64_sve_drop(task);
	return fp_set(task, in + sizeof(h), min(len - sizeof(h), sizeof(struct user_fpsimd)));
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
	{ NT_ARM_SVE, "LINUX", 16, sve_size, sve_get, sve_set },
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

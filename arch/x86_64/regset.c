/* SPDX-License-Identifier: MIT */
/*
 * Register sets of x86_64 for debuggers and core files, and the ptrace requests that only x86_64 has.
 *
 *	NT_PRSTATUS	struct user_regs_struct, 27 words
 *	NT_PRFPREG	the FXSAVE image
 *	NT_X86_XSTATE	the XSAVE area in its standard format; XCR0 is in the bytes that belong to software
 *
 * Nothing a debugger writes can take user mode out of user mode: selectors are fixed, privileged flags
 * kept, bases are user addresses; an instruction pointer that is none faults as a jump there would.
 *
 * Source: ptrace(2); Linux asm/user_64.h, Documentation of NT_X86_XSTATE in linux/elf.h; Intel SDM
 * volume 1 chapter 13.
 */
#include <arch/x86.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/debug.h>
#include <hal/paging.h>
#include <lib/string.h>
#include <uapi/elfnote.h>

/* Words of struct user_regs_struct; those up to R_SS lie in struct uctx in the same order. */
enum { R_CS = 17, R_FLAGS = 18, R_SS = 20, R_FS_BASE, R_GS_BASE, R_DS, R_ES, R_FS, R_GS, R_NUM };

static_assert(offsetof(struct uctx, cs) - offsetof(struct uctx, r15) == 8 * R_CS);
static_assert(offsetof(struct uctx, flags) - offsetof(struct uctx, r15) == 8 * R_FLAGS);
static_assert(offsetof(struct uctx, ss) - offsetof(struct uctx, r15) == 8 * R_SS);

/* struct user: what PTRACE_PEEKUSR and POKEUSR reach of it. */
#define USER_REGS_SIZE	 (8 * R_NUM)
#define USER_DEBUGREG	 848
#define USER_DEBUGREGS	 8
#define USER_STRUCT_SIZE 928

#define PTRACE_PEEKUSR	  3
#define PTRACE_POKEUSR	  6
#define PTRACE_GETREGS	  12
#define PTRACE_SETREGS	  13
#define PTRACE_GETFPREGS  14
#define PTRACE_SETFPREGS  15
#define PTRACE_ARCH_PRCTL 30

#define ARCH_SET_GS 0x1001
#define ARCH_GET_GS 0x1004

/* ---- General registers ---- */

static u64 get_reg(const struct hal_task *task, unsigned int n)
{
	const u64 *words = &task->uctx.r15;

	if (n == R_FLAGS)
		return x86_debug_flags(task);
	if (n <= R_SS)
		return words[n];
	if (n == R_FS_BASE)
		return x86_fs_base(&task->uctx);
	if (n == R_GS_BASE)
		return x86_gs_base(&task->uctx);
	return 0; /* data selectors are not kept: 64-bit mode ignores them */
}

static int set_base(struct uctx *u, void (*set)(struct uctx *, unsigned long), u64 base)
{
	if (base >= USER_END)
		return -EIO;
	set(u, base);
	return 0;
}

/* There is one selector for each: anything else could not be loaded on the way to user mode. */
static int check_selector(unsigned int n, u64 v)
{
	if (n == R_CS)
		return v == X86_USER_CS ? 0 : -EIO;
	if (n == R_SS)
		return v == X86_USER_DS ? 0 : -EIO;
	return v == 0 || v == X86_USER_DS ? 0 : -EIO;
}

static int set_reg(struct hal_task *task, unsigned int n, u64 v)
{
	struct uctx *u = &task->uctx;
	u64 *words = &u->r15;

	switch (n) {
	case R_CS:
	case R_SS:
	case R_DS:
	case R_ES:
	case R_FS:
	case R_GS:
		return check_selector(n, v);
	case R_FLAGS:
		x86_debug_set_flags(task, v);
		return 0;
	case R_FS_BASE:
		return set_base(u, x86_set_fs_base, v);
	case R_GS_BASE:
		return set_base(u, x86_set_gs_base, v);
	default:
		words[n] = v;
		return 0;
	}
}

static size_t gp_size(const struct hal_task *task)
{
	(void)task;
	return USER_REGS_SIZE;
}

static int gp_get(struct hal_task *task, void *buf)
{
	u64 *out = buf;

	for (unsigned int n = 0; n < R_NUM; n++)
		out[n] = get_reg(task, n);
	return 0;
}

/* As Linux: registers before the one that is refused have been written. */
static int gp_set(struct hal_task *task, const void *buf, size_t len)
{
	const u64 *in = buf;
	int err = 0;

	for (unsigned int n = 0; n < len / 8 && !err; n++)
		err = set_reg(task, n, in[n]);
	return err;
}

/* ---- x87, SSE and the rest of the XSAVE area ---- */

static u64 present_components(const u8 *area)
{
	u64 present = X86_XSTATE_X87 | X86_XSTATE_SSE;

	if (x86_features.xsave)
		memcpy(&present, area + X86_XSAVE_HEADER, sizeof(present));
	return present & (x86_features.xfeatures | X86_XSTATE_X87 | X86_XSTATE_SSE);
}

/* The FXSAVE image without software's bytes; what @present leaves out has its initial value. */
static void get_fx(u8 *out, const u8 *area, u64 present)
{
	u16 fcw = X86_FCW_INIT;

	memset(out, 0, X86_FX_SIZE);
	if (present & X86_XSTATE_X87) {
		memcpy(out, area, X86_FX_MXCSR);
		memcpy(out + X86_FX_ST, area + X86_FX_ST, X86_FX_XMM - X86_FX_ST);
	} else {
		memcpy(out, &fcw, sizeof(fcw));
	}
	if (present & X86_XSTATE_SSE)
		memcpy(out + X86_FX_XMM, area + X86_FX_XMM, X86_FX_RESERVED - X86_FX_XMM);
	memcpy(out + X86_FX_MXCSR, area + X86_FX_MXCSR, sizeof(u32));
	memcpy(out + X86_FX_MXCSR_MASK, &x86_mxcsr_mask, sizeof(x86_mxcsr_mask));
}

static bool is_mxcsr(const u8 *image)
{
	u32 mxcsr;

	memcpy(&mxcsr, image + X86_FX_MXCSR, sizeof(mxcsr));
	return !(mxcsr & ~x86_mxcsr_mask);
}

static size_t fp_size(const struct hal_task *task)
{
	(void)task;
	return X86_FX_SIZE;
}

static int fp_get(struct hal_task *task, void *buf)
{
	const u8 *area = x86_fpu_image(task);

	get_fx(buf, area, present_components(area));
	return 0;
}

/* Only whole, and MXCSR must be loadable. */
static int fp_set(struct hal_task *task, const void *buf, size_t len)
{
	u8 *area;
	u64 present;

	if (len != X86_FX_SIZE || !is_mxcsr(buf))
		return -EINVAL;
	area = x86_fpu_image(task);
	memcpy(area, buf, X86_FX_RESERVED);
	if (x86_features.xsave) {
		present = present_components(area) | X86_XSTATE_X87 | X86_XSTATE_SSE;
		memcpy(area + X86_XSAVE_HEADER, &present, sizeof(present));
	}
	x86_fpu_changed(task);
	return 0;
}

static size_t xstate_size(const struct hal_task *task)
{
	(void)task;
	return x86_features.xsave ? x86_features.xsave_size : 0;
}

static int xstate_get(struct hal_task *task, void *buf)
{
	const u8 *area;
	u8 *out = buf;
	u64 present;

	if (!x86_features.xsave)
		return -ENODEV;
	area = x86_fpu_image(task);
	present = present_components(area);
	memset(out, 0, x86_features.xsave_size);
	get_fx(out, area, present);
	memcpy(out + X86_FX_SW, &x86_features.xfeatures, sizeof(u64));
	memcpy(out + X86_XSAVE_HEADER, &present, sizeof(present));
	for (unsigned int i = 2; i < X86_XCOMP_MAX; i++) {
		const struct x86_xcomp *c = &x86_xcomp[i];

		if (present & BIT(i))
			memcpy(out + c->offset, area + c->offset, c->size);
	}
	return 0;
}

/* The header: known components, standard format, the rest 0. MXCSR counts if SSE or AVX are there. */
static bool is_xstate(const u8 *in)
{
	u64 header[8];

	memcpy(header, in + X86_XSAVE_HEADER, sizeof(header));
	if (header[0] & ~x86_features.xfeatures)
		return false;
	for (unsigned int i = 1; i < ARRAY_SIZE(header); i++)
		if (header[i])
			return false;
	return !(header[0] & (X86_XSTATE_X87 | X86_XSTATE_SSE | X86_XSTATE_YMM)) || is_mxcsr(in);
}

static void set_components(u8 *area, const u8 *in)
{
	u64 present;

	memcpy(&present, in + X86_XSAVE_HEADER, sizeof(present));
	if (present & X86_XSTATE_X87) {
		memcpy(area, in, X86_FX_MXCSR);
		memcpy(area + X86_FX_ST, in + X86_FX_ST, X86_FX_XMM - X86_FX_ST);
	}
	if (present & X86_XSTATE_SSE)
		memcpy(area + X86_FX_XMM, in + X86_FX_XMM, X86_FX_RESERVED - X86_FX_XMM);
	if (present & (X86_XSTATE_X87 | X86_XSTATE_SSE | X86_XSTATE_YMM))
		memcpy(area + X86_FX_MXCSR, in + X86_FX_MXCSR, sizeof(u32));
	for (unsigned int i = 2; i < X86_XCOMP_MAX; i++) {
		const struct x86_xcomp *c = &x86_xcomp[i];

		if (present & BIT(i))
			memcpy(area + c->offset, in + c->offset, c->size);
	}
	memset(area + X86_XSAVE_HEADER, 0, X86_XSAVE_MIN - X86_XSAVE_HEADER);
	memcpy(area + X86_XSAVE_HEADER, &present, sizeof(present));
}

static int xstate_set(struct hal_task *task, const void *buf, size_t len)
{
	if (!x86_features.xsave)
		return -ENODEV;
	if (len != x86_features.xsave_size)
		return -EFAULT;
	if (!is_xstate(buf))
		return -EINVAL;
	set_components(x86_fpu_image(task), buf);
	x86_fpu_changed(task);
	return 0;
}

static const struct hal_regset regsets[] = {
	{ NT_PRSTATUS, "CORE", 8, gp_size, gp_get, gp_set },
	{ NT_PRFPREG, "CORE", 8, fp_size, fp_get, fp_set },
	{ NT_X86_XSTATE, "LINUX", 8, xstate_size, xstate_get, xstate_set },
};

const struct hal_regset *hal_regsets(unsigned int *n)
{
	*n = ARRAY_SIZE(regsets);
	return regsets;
}

/* ---- ptrace ---- */

static long peek_user(struct hal_task *task, unsigned long addr, uaddr_t data)
{
	u64 v = 0;
	int err = 0;

	if (addr % 8 || addr >= USER_STRUCT_SIZE)
		return -EIO;
	if (addr < USER_REGS_SIZE)
		v = get_reg(task, (unsigned int)addr / 8);
	else if (addr - USER_DEBUGREG < 8 * USER_DEBUGREGS)
		err = x86_debug_peek(task, (unsigned int)(addr - USER_DEBUGREG) / 8, &v);
	return err ? err : hal_put_user64(data, v);
}

static long poke_user(struct hal_task *task, unsigned long addr, u64 v)
{
	if (addr % 8 || addr >= USER_STRUCT_SIZE)
		return -EIO;
	if (addr < USER_REGS_SIZE)
		return set_reg(task, (unsigned int)addr / 8, v);
	if (addr - USER_DEBUGREG < 8 * USER_DEBUGREGS)
		return x86_debug_poke(task, (unsigned int)(addr - USER_DEBUGREG) / 8, v);
	return -EIO;
}

static long get_general(struct hal_task *task, uaddr_t data)
{
	u64 regs[R_NUM];

	(void)gp_get(task, regs);
	return hal_copy_to_user(data, regs, sizeof(regs)) ? -EFAULT : 0;
}

static long set_general(struct hal_task *task, uaddr_t data)
{
	u64 regs[R_NUM];

	if (hal_copy_from_user(regs, data, sizeof(regs)))
		return -EFAULT;
	return gp_set(task, regs, sizeof(regs));
}

static long get_fpregs(struct hal_task *task, uaddr_t data)
{
	u8 image[X86_FX_SIZE];

	(void)fp_get(task, image);
	return hal_copy_to_user(data, image, sizeof(image)) ? -EFAULT : 0;
}

static long set_fpregs(struct hal_task *task, uaddr_t data)
{
	u8 image[X86_FX_SIZE];

	if (hal_copy_from_user(image, data, sizeof(image)))
		return -EFAULT;
	return fp_set(task, image, sizeof(image));
}

long hal_ptrace(struct hal_task *task, long request, unsigned long addr, uaddr_t data)
{
	switch (request) {
	case PTRACE_PEEKUSR:
		return peek_user(task, addr, data);
	case PTRACE_POKEUSR:
		return poke_user(task, addr, data);
	case PTRACE_GETREGS:
		return get_general(task, data);
	case PTRACE_SETREGS:
		return set_general(task, data);
	case PTRACE_GETFPREGS:
		return get_fpregs(task, data);
	case PTRACE_SETFPREGS:
		return set_fpregs(task, data);
	case PTRACE_ARCH_PRCTL: /* here the code is in @data */
		if ((int)data < ARCH_SET_GS || (int)data > ARCH_GET_GS)
			return -EINVAL;
		return uctx_arch_prctl(task, (int)data, addr);
	default:
		return -EIO;
	}
}

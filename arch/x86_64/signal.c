/* SPDX-License-Identifier: MIT */
/*
 * Signal frames: Linux's struct rt_sigframe of x86_64, with the FPU state in XSAVE's standard format.
 *
 *	higher	[red zone of 128 bytes, if the stack is not switched]
 *		fpstate, 64-byte aligned: XSAVE area, then FP_XSTATE_MAGIC2
 *		struct rt_sigframe; sp & 15 == 8 as after a call
 *
 * Whatever comes back in a frame is only data: selectors, privileged flags and the header of the XSAVE area
 * are never taken from it. Source: Linux arch/x86/include/uapi/asm/sigcontext.h, ucontext.h.
 */
#include <arch/x86.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/uctx.h>
#include <lib/string.h>

#define UC_FP_XSTATE	     0x1
#define UC_SIGCONTEXT_SS     0x2
#define UC_STRICT_RESTORE_SS 0x4

#define SA_SIGINFO	 4
#define FP_XSTATE_MAGIC1 0x46505853u
#define FP_XSTATE_MAGIC2 0x46505845u
#define RED_ZONE	 128
#define XSTATE_FP_SSE	 3

struct x86_sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	u64 fpstate;
	u64 reserved[8];
};

struct x86_ucontext {
	u64 flags, link;
	u64 ss_sp;
	s32 ss_flags, pad;
	u64 ss_size;
	struct x86_sigcontext mc;
	u64 sigmask;
};

struct rt_sigframe {
	u64 pretcode;
	struct x86_ucontext uc;
	u8 info[128];
};

struct fx_sw_bytes {
	u32 magic1, extended_size;
	u64 xfeatures;
	u32 xstate_size;
	u32 padding[7];
};

static_assert(sizeof(struct x86_sigcontext) == 256);
static_assert(sizeof(struct x86_ucontext) == 304);
static_assert(sizeof(struct rt_sigframe) == 440);
static_assert(sizeof(struct fx_sw_bytes) == 48);
static_assert(X86_FLAGS_USER ==
	      (X86_FLAGS_AC | X86_FLAGS_RF | X86_FLAGS_DF | X86_FLAGS_TF | 0x8d5));

static size_t fpstate_size(void)
{
	return x86_features.xsave_size + (x86_features.xsave ? sizeof(u32) : 0);
}

size_t uctx_sigframe_size(void)
{
	return sizeof(struct rt_sigframe) + 16 + fpstate_size() + 64 + RED_ZONE;
}

/* ---- Building ---- */

static void fill_sigcontext(const struct hal_task *task, struct x86_sigcontext *mc, u64 mask,
			    uaddr_t fp)
{
	const struct uctx *u = &task->uctx;

	*mc = (struct x86_sigcontext){
		.r8 = u->r8,
		.r9 = u->r9,
		.r10 = u->r10,
		.r11 = u->r11,
		.r12 = u->r12,
		.r13 = u->r13,
		.r14 = u->r14,
		.r15 = u->r15,
		.di = u->di,
		.si = u->si,
		.bp = u->bp,
		.bx = u->bx,
		.dx = u->dx,
		.ax = u->ax,
		.cx = u->cx,
		.sp = u->sp,
		.ip = u->ip,
		.flags = x86_debug_flags(task),
		.cs = (u16)u->cs,
		.ss = (u16)u->ss,
		.err = task->arch.trap_error,
		.trapno = task->arch.trap_no,
		.cr2 = task->arch.trap_addr,
		.oldmask = mask,
		.fpstate = fp,
	};
}

/* By way of the task's area: the pages that are not there come on the way. */
static int copy_fpstate(struct hal_task *task, uaddr_t fp, const struct fx_sw_bytes *sw)
{
	u8 *area = x86_fpu_image(task);

	memcpy(area + X86_FX_SW, sw, sizeof(*sw));
	return hal_copy_to_user(fp, area, x86_features.xsave_size) ? -EFAULT : 0;
}

/*
 * The live FPU state to @fp. The frame's own marks go into the bytes that hardware leaves alone; behind them is the header, which it only
 * writes in part.
 */
static int push_fpstate(struct hal_task *task, uaddr_t fp)
{
	const struct x86_features *f = &x86_features;
	struct {
		struct fx_sw_bytes sw;
		u64 header[8];
	} middle = { 0 };

	static_assert(X86_FX_SW + sizeof(middle) == X86_XSAVE_MIN);
	if (!f->xsave)
		return copy_fpstate(task, fp, &middle.sw);
	middle.sw.magic1 = FP_XSTATE_MAGIC1;
	middle.sw.extended_size = (u32)fpstate_size();
	middle.sw.xfeatures = f->xfeatures;
	middle.sw.xstate_size = f->xsave_size;
	if (hal_copy_to_user(fp + X86_FX_SW, &middle, sizeof(middle)) ||
	    hal_put_user32(fp + f->xsave_size, FP_XSTATE_MAGIC2))
		return -EFAULT;
	return x86_fpu_save_user(task, fp) ? copy_fpstate(task, fp, &middle.sw) : 0;
}

static void enter_handler(struct uctx *u, const struct sigframe_req *req, uaddr_t frame)
{
	u->di = (u64)req->sig;
	u->si = frame + offsetof(struct rt_sigframe, info);
	u->dx = frame + offsetof(struct rt_sigframe, uc);
	u->ax = 0;
	u->ip = req->handler;
	u->sp = frame;
	u->flags &= ~(u64)(X86_FLAGS_DF | X86_FLAGS_RF | X86_FLAGS_TF);
	u->orig_ax = ~0ULL;
}

int uctx_push_sigframe(struct hal_task *task, const struct sigframe_req *req, uaddr_t *out)
{
	uaddr_t sp = req->sp == task->uctx.sp ? req->sp - RED_ZONE : req->sp;
	uaddr_t fp = ALIGN_DOWN(sp - fpstate_size(), 64UL);
	uaddr_t frame = ALIGN_DOWN(fp - sizeof(struct rt_sigframe), 16UL) - 8;
	size_t size = offsetof(struct rt_sigframe, info);
	struct rt_sigframe f;

	/* This ABI has no trampoline of the kernel's: SA_RESTORER is not optional. */
	if (!req->restorer || push_fpstate(task, fp))
		return -EFAULT;
	f.pretcode = req->restorer;
	f.uc.link = 0;
	f.uc.flags =
		UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (x86_features.xsave ? UC_FP_XSTATE : 0);
	f.uc.ss_sp = req->ss_sp;
	f.uc.ss_flags = req->ss_flags;
	f.uc.pad = 0;
	f.uc.ss_size = req->ss_size;
	f.uc.sigmask = req->mask;
	fill_sigcontext(task, &f.uc.mc, req->mask, fp);
	/* As Linux, only for a handler that is told of it. */
	if (req->flags & SA_SIGINFO) {
		memcpy(f.info, req->info, UCTX_INFO_BYTES);
		memset(f.info + UCTX_INFO_BYTES, 0, sizeof(f.info) - UCTX_INFO_BYTES);
		size = sizeof(f);
	}
	if (hal_copy_to_user(frame, &f, size))
		return -EFAULT;
	x86_fpu_reset(task);
	enter_handler(&task->uctx, req, frame);
	task->arch.forced_tf = false;
	*out = frame;
	return 0;
}

/* ---- Coming back ---- */

static void take_sigcontext(struct uctx *u, const struct x86_sigcontext *mc)
{
	u->r8 = mc->r8;
	u->r9 = mc->r9;
	u->r10 = mc->r10;
	u->r11 = mc->r11;
	u->r12 = mc->r12;
	u->r13 = mc->r13;
	u->r14 = mc->r14;
	u->r15 = mc->r15;
	u->di = mc->di;
	u->si = mc->si;
	u->bp = mc->bp;
	u->bx = mc->bx;
	u->dx = mc->dx;
	u->ax = mc->ax;
	u->cx = mc->cx;
	u->sp = mc->sp;
	u->ip = mc->ip;
	u->flags = (u->flags & ~X86_FLAGS_USER) | (mc->flags & X86_FLAGS_USER);
	u->orig_ax = ~0ULL;
}

/* Whether the frame at @fp has more than the FXSAVE image: its marks are in place, its sizes ours. */
static bool has_xstate(uaddr_t fp, const struct fx_sw_bytes *sw)
{
	u32 magic2;

	return x86_features.xsave && sw->magic1 == FP_XSTATE_MAGIC1 &&
	       sw->xstate_size >= X86_XSAVE_HEADER + 64 &&
	       sw->xstate_size <= x86_features.xsave_size &&
	       sw->extended_size >= sw->xstate_size + 4 &&
	       hal_get_user32(&magic2, fp + sw->xstate_size) == 0 && magic2 == FP_XSTATE_MAGIC2;
}

/* Component by component, so that nothing of the frame gets into the gaps of the area. */
static int take_components(u8 *area, uaddr_t fp, const struct fx_sw_bytes *sw, u64 *present)
{
	u64 header[3]; /* components, format (0: standard), 0 */

	if (hal_copy_from_user(header, fp + X86_XSAVE_HEADER, sizeof(header)))
		return -EFAULT;
	if (header[0] & ~x86_features.xfeatures || header[1] || header[2])
		return -EINVAL;
	*present = header[0] & sw->xfeatures;
	for (unsigned int i = 2; i < X86_XCOMP_MAX; i++) {
		const struct x86_xcomp *c = &x86_xcomp[i];

		if (!(*present & BIT(i)))
			continue;
		if (c->offset + c->size > sw->xstate_size)
			return -EINVAL;
		if (hal_copy_from_user(area + c->offset, fp + c->offset, c->size))
			return -EFAULT;
	}
	return 0;
}

/* By way of the task's area, and checked. */
static int take_fpstate(struct hal_task *task, uaddr_t fp, const struct fx_sw_bytes *sw)
{
	u8 *area = task->arch.fpu;
	u64 present = XSTATE_FP_SSE;
	u32 mxcsr;
	int err = 0;

	x86_fpu_changed(task);
	if (hal_copy_from_user(area, fp, X86_FX_SW))
		return -EFAULT;
	memcpy(&mxcsr, area + X86_FX_MXCSR, sizeof(mxcsr));
	if (mxcsr & ~x86_mxcsr_mask)
		return -EINVAL;
	if (has_xstate(fp, sw))
		err = take_components(area, fp, sw, &present);
	if (x86_features.xsave) {
		memset(area + X86_XSAVE_HEADER, 0, 64);
		memcpy(area + X86_XSAVE_HEADER, &present, sizeof(present));
	}
	return err;
}

/*
 * A frame as the kernel wrote it goes straight into the registers; any other, or one whose pages are not there, takes the long way. MXCSR is
 * looked at here, because emulators take reserved bits that a CPU refuses.
 */
static int pop_fpstate(struct hal_task *task, uaddr_t fp)
{
	struct fx_sw_bytes sw;
	u32 mxcsr;

	if (hal_copy_from_user(&sw, fp + X86_FX_SW, sizeof(sw)) ||
	    hal_get_user32(&mxcsr, fp + X86_FX_MXCSR))
		return -EFAULT;
	if (mxcsr & ~x86_mxcsr_mask)
		return -EINVAL;
	if (has_xstate(fp, &sw) && sw.xstate_size == x86_features.xsave_size &&
	    !x86_fpu_load_user(task, fp, sw.xfeatures & x86_features.xfeatures))
		return 0;
	return take_fpstate(task, fp, &sw);
}

int uctx_pop_sigframe(struct hal_task *task, struct sigframe_ret *out)
{
	/* The handler's return has taken pretcode off the stack. */
	uaddr_t frame = task->uctx.sp - 8;
	struct x86_ucontext uc;
	int err;

	if (hal_copy_from_user(&uc, frame + offsetof(struct rt_sigframe, uc), sizeof(uc)))
		return -EFAULT;
	take_sigcontext(&task->uctx, &uc.mc);
	task->arch.forced_tf = false;
	out->taken = true;
	out->mask = uc.sigmask;
	out->ss_sp = uc.ss_sp;
	out->ss_size = uc.ss_size;
	out->ss_flags = uc.ss_flags;
	err = uc.mc.fpstate ? pop_fpstate(task, uc.mc.fpstate) : 0;
	if (err || !uc.mc.fpstate)
		x86_fpu_reset(task);
	return err;
}

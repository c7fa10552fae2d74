/* SPDX-License-Identifier: MIT */
/*
 * Signal frames of riscv64, as Linux lays them out.
 *
 *	struct rt_sigframe, 16-byte aligned at sp:
 *		siginfo		 128 bytes
 *		ucontext	 flags, link, stack, mask (1024 bits reserved), then at a multiple of 16:
 *		sigcontext	 32 registers; floating-point state of 528 bytes, the size of the Q
 *				 extension's. D's uses 260 of it; its last 12 bytes are a reserved word that
 *				 must be 0 and the first header of a list of extension records, the END
 *				 record (magic 0, size 0) when there are none.
 *
 * Nothing of what comes back is trusted: addresses and registers can only be user mode's own, sstatus is
 * not part of the frame.
 * Source: Linux uapi asm/{sigcontext,ucontext,ptrace}.h (the interface).
 */
#include <arch/csr.h>
#include <arch/trap.h>
#include <compiler.h>
#include <err.h>
#include <hal/paging.h>
#include <hal/uctx.h>
#include <lib/string.h>

struct user_stack {
	u64 sp;
	s32 flags;
	u32 pad;
	u64 size;
};

struct sigcontext {
	u64 regs[32];
	u64 f[32];
	u32 fcsr;
	u32 unused[64]; /* of the 516 bytes before the reserved word */
	u32 reserved;
	u32 ext_magic;
	u32 ext_size;
} __aligned(16);

struct ucontext {
	u64 flags;
	u64 link;
	struct user_stack stack;
	u64 mask;
	u8 mask_reserved[120];
	struct sigcontext mc;
};

struct rt_sigframe {
	u8 info[128];
	struct ucontext uc;
};

static_assert(offsetof(struct ucontext, mc) == 176);
static_assert(sizeof(struct sigcontext) == 784);
static_assert(offsetof(struct sigcontext, reserved) == 256 + 516);
static_assert(sizeof(struct rt_sigframe) == 1088);

static void fill_frame(struct rt_sigframe *frame, struct hal_task *task,
		       const struct sigframe_req *req)
{
	struct sigcontext *mc = &frame->uc.mc;

	memset(frame, 0, sizeof(*frame));
	memcpy(frame->info, req->info, sizeof(frame->info));
	frame->uc.stack = (struct user_stack){ .sp = req->ss_sp,
					       .flags = req->ss_flags,
					       .size = req->ss_size };
	frame->uc.mask = req->mask;
	memcpy(mc->regs, task->uctx.regs, sizeof(mc->regs));
	if (task->arch.fpu_used) {
		riscv64_fpu_sync(task);
		memcpy(mc->f, task->arch.fpu.f, sizeof(mc->f));
		mc->fcsr = task->arch.fpu.fcsr;
	}
}

int uctx_push_sigframe(struct hal_task *task, const struct sigframe_req *req, uaddr_t *frame_out)
{
	uaddr_t at = (req->sp - sizeof(struct rt_sigframe)) & ~15UL;
	struct rt_sigframe frame;
	struct uctx *u = &task->uctx;

	if (!req->restorer || req->sp < sizeof(struct rt_sigframe))
		return -EFAULT;
	fill_frame(&frame, task, req);
	if (hal_copy_to_user(at, &frame, sizeof(frame)))
		return -EFAULT;
	u->regs[REG_RA] = req->restorer;
	u->regs[REG_SP] = at;
	u->regs[REG_PC] = req->handler;
	u->regs[REG_A0] = (unsigned long)req->sig;
	u->regs[REG_A0 + 1] = at + offsetof(struct rt_sigframe, info);
	u->regs[REG_A0 + 2] = at + offsetof(struct rt_sigframe, uc);
	*frame_out = at;
	return 0;
}

/* A program that never used the FPU gets it with the first frame that holds anything but zeroes. */
static void restore_fpu(struct hal_task *task, const struct sigcontext *mc)
{
	struct fpu_state state = { .fcsr = mc->fcsr & 0xff };
	u64 any = state.fcsr;

	for (unsigned int i = 0; i < 32; i++)
		any |= state.f[i] = mc->f[i];
	if (!any && !task->arch.fpu_used)
		return;
	riscv64_fpu_replace(task, &state);
}

int uctx_pop_sigframe(struct hal_task *task, struct sigframe_ret *out)
{
	uaddr_t at = uctx_sp(&task->uctx);
	struct rt_sigframe frame;
	struct sigcontext *mc = &frame.uc.mc;

	if (at & 15)
		return -EFAULT;
	if (hal_copy_from_user(&frame, at, sizeof(frame)))
		return -EFAULT;
	if (mc->reserved || mc->ext_magic || mc->ext_size)
		return -EINVAL;
	memcpy(task->uctx.regs, mc->regs, sizeof(mc->regs));
	restore_fpu(task, mc);
	task->uctx.cause = CAUSE_BREAKPOINT; /* not a syscall any more: nothing to restart */
	out->mask = frame.uc.mask;
	out->ss_sp = frame.uc.stack.sp;
	out->ss_size = frame.uc.stack.size;
	out->ss_flags = frame.uc.stack.flags;
	return 0;
}

size_t uctx_sigframe_size(void)
{
	return sizeof(struct rt_sigframe) + 16;
}

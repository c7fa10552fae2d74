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
 *				 record (magic 0, size 0) when there are none
 *	if the task has used vectors: struct v_context, v0-v31, END; the header is that first one
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

#define RISCV_V_MAGIC 0x53465457U
#define EXT_HEADER    8 /* bytes: magic, size */

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

/* What follows RISCV_V_MAGIC's header; the registers lie where data says, behind it as the kernel writes it. */
struct v_context {
	struct v_header v;
	u64 data;
};

static_assert(sizeof(struct v_context) == 48);
static_assert(offsetof(struct ucontext, mc) == 176);
static_assert(sizeof(struct sigcontext) == 784);
static_assert(offsetof(struct sigcontext, reserved) == 256 + 516);
static_assert(sizeof(struct rt_sigframe) == 1088);

/* The parts of the ucontext that are copied from and to a struct of their own. */
struct uc_head {
	u64 flags;
	u64 link;
	struct user_stack stack;
	u64 mask;
};

static_assert(sizeof(struct uc_head) == offsetof(struct ucontext, mask_reserved));
static_assert(offsetof(struct fpu_state, fcsr) ==
	      offsetof(struct sigcontext, fcsr) - offsetof(struct sigcontext, f));

#define FRAME_UC   offsetof(struct rt_sigframe, uc)
#define FRAME_REGS offsetof(struct rt_sigframe, uc.mc.regs)
#define FRAME_FPU  offsetof(struct rt_sigframe, uc.mc.f)
#define FRAME_TAIL offsetof(struct rt_sigframe, uc.mc.reserved)
#define FRAME_EXT  offsetof(struct rt_sigframe, uc.mc.ext_magic)
#define FPU_BYTES  (FPU_FCSR + sizeof(u32))

/*
 * The frame at @at, each part from where it is kept. What is reserved between them stays as it was on the user's stack. 0, or not 0:
 * it could not be written.
 */
static size_t write_frame(uaddr_t at, struct hal_task *task, const struct sigframe_req *req,
			  u32 ext_magic, u32 ext_size)
{
	struct uc_head head = {
		.stack = { .sp = req->ss_sp, .flags = req->ss_flags, .size = req->ss_size },
		.mask = req->mask,
	};
	size_t left = hal_copy_to_user(at, req->info, UCTX_INFO_BYTES);

	left |= hal_clear_user(at + UCTX_INFO_BYTES, FRAME_UC - UCTX_INFO_BYTES);
	left |= hal_copy_to_user(at + FRAME_UC, &head, sizeof(head));
	left |= hal_copy_to_user(at + FRAME_REGS, task->uctx.regs, sizeof(task->uctx.regs));
	riscv64_fpu_sync(task);
	left |= task->arch.used & USE_FPU
			? hal_copy_to_user(at + FRAME_FPU, &task->arch.fpu, FPU_BYTES)
			: hal_clear_user(at + FRAME_FPU, FPU_BYTES);
	left |= (size_t)hal_put_user32(at + FRAME_TAIL, 0);
	return left | (size_t)hal_put_user64(at + FRAME_EXT, (u64)ext_size << 32 | ext_magic);
}

/* Bytes of extension records in a frame for @task, headers included, but for the first one's, which is inside the frame. */
static size_t extensions_size(const struct hal_task *task)
{
	size_t size = riscv64_v_used_size(task);

	return size ? sizeof(struct v_context) + size + EXT_HEADER : 0;
}

static u32 v_record_size(const struct hal_task *task)
{
	return (u32)(EXT_HEADER + sizeof(struct v_context) + riscv64_v_used_size(task));
}

/* The vector record and the end mark at @at, behind the frame. */
static int push_vector(struct hal_task *task, uaddr_t at)
{
	size_t size = riscv64_v_used_size(task);
	struct v_context ctx = { .v = task->arch.v, .data = at + sizeof(ctx) };

	if (hal_copy_to_user(at, &ctx, sizeof(ctx)) ||
	    hal_copy_to_user(ctx.data, task->arch.v_data, size))
		return -EFAULT;
	return hal_put_user64(ctx.data + size, 0);
}

int uctx_push_sigframe(struct hal_task *task, const struct sigframe_req *req, uaddr_t *frame_out)
{
	size_t extensions = extensions_size(task), size = sizeof(struct rt_sigframe) + extensions;
	uaddr_t at = (req->sp - size) & ~15UL;
	struct uctx *u = &task->uctx;

	if (!req->restorer || req->sp < size)
		return -EFAULT;
	if (write_frame(at, task, req, extensions ? RISCV_V_MAGIC : 0,
			extensions ? v_record_size(task) : 0))
		return -EFAULT;
	if (extensions && push_vector(task, at + sizeof(struct rt_sigframe)))
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
static int first_fpu(struct hal_task *task, uaddr_t from)
{
	struct fpu_state state;
	u64 any;

	if (hal_copy_from_user(&state, from, FPU_BYTES))
		return -EFAULT;
	state.pad = 0;
	state.fcsr &= 0xff;
	any = state.fcsr;
	for (unsigned int i = 0; i < 32; i += 4)
		any |= state.f[i] | state.f[i + 1] | state.f[i + 2] | state.f[i + 3];
	if (any)
		riscv64_fpu_replace(task, &state);
	return 0;
}

static int restore_fpu(struct hal_task *task, uaddr_t from)
{
	size_t left;

	if (!(task->arch.used & USE_FPU))
		return first_fpu(task, from);
	riscv64_fpu_drop(task);
	left = hal_copy_from_user(&task->arch.fpu, from, FPU_BYTES);
	task->arch.fpu.fcsr &= 0xff;
	riscv64_fpu_replaced(task);
	return left ? -EFAULT : 0;
}

/* A vector record at @at, behind its header. */
static int pop_vector(struct hal_task *task, uaddr_t at)
{
	struct v_context ctx;

	if (hal_copy_from_user(&ctx, at, sizeof(ctx)))
		return -EFAULT;
	riscv64_v_drop(task);
	task->arch.v = ctx.v;
	if (hal_copy_from_user(task->arch.v_data, ctx.data, riscv64_v_used_size(task)))
		return -EFAULT;
	riscv64_v_replaced(task);
	return 0;
}

/* The records behind the frame at @frame, whose own part of them is @ext: magic, and size in the upper half. */
static int pop_extensions(struct hal_task *task, uaddr_t frame, u64 ext)
{
	u32 header[2] = { (u32)ext, (u32)(ext >> 32) };
	uaddr_t at = frame + sizeof(struct rt_sigframe);
	int err;

	if (!header[0])
		return header[1] ? -EINVAL : 0;
	if (header[0] != RISCV_V_MAGIC || !riscv64_v_used_size(task) ||
	    header[1] != v_record_size(task))
		return -EINVAL;
	err = pop_vector(task, at);
	if (err)
		return err;
	if (hal_copy_from_user(header, at + header[1] - EXT_HEADER, sizeof(header)))
		return -EFAULT;
	return header[0] || header[1] ? -EINVAL : 0;
}

int uctx_pop_sigframe(struct hal_task *task, struct sigframe_ret *out)
{
	uaddr_t at = uctx_sp(&task->uctx);
	struct uc_head head;
	u32 reserved;
	u64 ext;
	int err;

	if (at & 15)
		return -EFAULT;
	if (hal_copy_from_user(&head, at + FRAME_UC, sizeof(head)) ||
	    hal_get_user32(&reserved, at + FRAME_TAIL) || hal_get_user64(&ext, at + FRAME_EXT))
		return -EFAULT;
	if (hal_copy_from_user(task->uctx.regs, at + FRAME_REGS, sizeof(task->uctx.regs)))
		return -EFAULT;
	task->uctx.cause = CAUSE_BREAKPOINT; /* not a syscall any more: nothing to restart */
	out->taken = true;
	out->mask = head.mask;
	out->ss_sp = head.stack.sp;
	out->ss_size = head.stack.size;
	out->ss_flags = head.stack.flags;
	if (reserved)
		return -EINVAL;
	err = pop_extensions(task, at, ext);
	return err ? err : restore_fpu(task, at + FRAME_FPU);
}

size_t uctx_sigframe_size(void)
{
	size_t size = sizeof(struct rt_sigframe) + 16;

	if (riscv64_vlenb)
		size += sizeof(struct v_context) + 32 * riscv64_vlenb + EXT_HEADER;
	return size;
}

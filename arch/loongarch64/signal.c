/* SPDX-License-Identifier: MIT */
/*
 * Signal frames of loongarch64, in Linux's layout:
 *
 *	sp ->	struct rt_sigframe	siginfo, ucontext; the sigcontext ends it
 *		sctx_info, context	the FPU, LSX or LASX record, if the task has used one: the largest
 *		sctx_info		magic 0, size 0: the end
 *
 * A record's context is aligned to its kind (16; LASX 32); `size` leads from one sctx_info to the
 * next. Returning from a handler goes through the vDSO's __vdso_rt_sigreturn. Source: Linux's
 * uapi/asm/sigcontext.h and ucontext.h of loongarch.
 */
#include <arch/trap.h>
#include <err.h>
#include <hal/paging.h>
#include <hal/uctx.h>
#include <lib/string.h>
#include <uapi/sigcontext.h>
#include <uapi/signal.h>

/* Extension records by level; room is the context's size, and its alignment. */
static const struct {
	u32 magic, room, align, regs;
} records[] = {
	[FPU_FP] = { FPU_CTX_MAGIC, sizeof(struct fpu_context), 16, 1 },
	[FPU_LSX] = { LSX_CTX_MAGIC, sizeof(struct lsx_context), 16, 2 },
	[FPU_LASX] = { LASX_CTX_MAGIC, sizeof(struct lasx_context), 32, 4 },
};

/* Largest of the three contexts: registers, then fcc, fcsr. */
union any_context {
	struct fpu_context fpu;
	struct lsx_context lsx;
	struct lasx_context lasx;
	u64 words[130];
};
static_assert(sizeof(union any_context) == sizeof(struct lasx_context));

/* ---- Extension records ---- */

/* A record as it lies in the frame. */
struct record {
	struct sctx_info info;
	union any_context ctx;
};

static void pack_context(union any_context *ctx, const struct fpu_state *s, unsigned int words)
{
	u64 *to = ctx->words;

	for (unsigned int r = 0; r < 32; r++, to += words) {
		const u64 *reg = s->reg[r];

		to[0] = reg[0];
		if (words > 1)
			to[1] = reg[1];
		if (words > 2) {
			to[2] = reg[2];
			to[3] = reg[3];
		}
	}
	to[0] = s->fcc;
	to[1] = s->fcsr;
}

static void unpack_context(struct fpu_state *s, const union any_context *ctx, unsigned int words)
{
	const u64 *from = ctx->words;

	for (unsigned int r = 0; r < 32; r++, from += words) {
		u64 *reg = s->reg[r];

		reg[0] = from[0];
		reg[1] = words > 1 ? from[1] : 0;
		reg[2] = words > 2 ? from[2] : 0;
		reg[3] = words > 2 ? from[3] : 0;
	}
	s->fcc = from[0] & FCC_WRITABLE;
	s->fcsr = (u32)from[1] & FCSR_WRITABLE;
}

/* Write the end mark and the record below @top. Return: the lowest address used, 0 on a fault. */
static uaddr_t push_extensions(struct hal_task *task, uaddr_t top)
{
	unsigned int level = task->arch.fpu_level;
	struct sctx_info mark = { 0 };
	struct record r;
	uaddr_t end = top - sizeof(mark), at;

	if (hal_copy_to_user(end, &mark, sizeof(mark)) != 0)
		return 0;
	if (level == FPU_NONE)
		return end;
	at = ALIGN_DOWN(end - records[level].room, (uaddr_t)records[level].align) - sizeof(r.info);
	r.info = (struct sctx_info){ records[level].magic, (u32)(end - at), 0 };
	pack_context(&r.ctx, &task->arch.fpu, records[level].regs);
	if (hal_copy_to_user(at, &r, sizeof(r.info) + records[level].room) != 0)
		return 0;
	return at;
}

static int pop_record(struct hal_task *task, unsigned int level, uaddr_t at)
{
	union any_context ctx;

	if (level > arch_fpu_max())
		return -EINVAL;
	if (hal_copy_from_user(&ctx, at, records[level].room) != 0)
		return -EFAULT;
	task->arch.fpu_level = (u8)level;
	unpack_context(&task->arch.fpu, &ctx, records[level].regs);
	arch_fpu_set_stale(task);
	return 0;
}

/* Read the records from @at on. Linux takes unknown ones as an error. None: a task without such state. */
static int pop_extensions(struct hal_task *task, uaddr_t at)
{
	struct sctx_info info;
	unsigned int level, n;
	int err;

	for (n = 0; n < 4; n++, at += info.size) {
		if (hal_copy_from_user(&info, at, sizeof(info)) != 0)
			return -EFAULT;
		if (info.magic == 0) {
			if (n == 0)
				arch_fpu_reset(task);
			return info.size == 0 ? 0 : -EINVAL;
		}
		for (level = FPU_FP; level <= FPU_LASX; level++)
			if (records[level].magic == info.magic)
				break;
		if (level > FPU_LASX || info.size < sizeof(info) + records[level].room)
			return -EINVAL;
		err = pop_record(task, level, at + sizeof(info));
		if (err)
			return err;
	}
	return -EINVAL;
}

/* ---- The frame ---- */

static void fill_frame(struct rt_sigframe *f, const struct hal_task *task,
		       const struct sigframe_req *req)
{
	struct sigcontext *sc = &f->uc.uc_mcontext;

	memset(f, 0, sizeof(*f));
	memcpy(f->info, req->info, UCTX_INFO_BYTES);
	f->uc.uc_stack.ss_sp = req->ss_sp;
	f->uc.uc_stack.ss_flags = req->ss_flags;
	f->uc.uc_stack.ss_size = req->ss_size;
	f->uc.uc_sigmask = req->mask;
	sc->sc_pc = task->uctx.era;
	memcpy(sc->sc_regs, task->uctx.regs, sizeof(sc->sc_regs));
	sc->sc_regs[0] = 0;
	sc->sc_flags = task->arch.fpu_level ? SC_USED_FP : 0;
}

static void save_fpu(struct hal_task *task)
{
	unsigned long flags = hal_irq_save();

	arch_fpu_save(task);
	hal_irq_restore(flags);
}

int uctx_push_sigframe(struct hal_task *task, const struct sigframe_req *req, uaddr_t *frame)
{
	struct rt_sigframe f;
	uaddr_t at;

	if (!req->restorer)
		return -EFAULT;
	save_fpu(task);
	at = push_extensions(task, ALIGN_DOWN(req->sp, 16UL));
	if (!at)
		return -EFAULT;
	at -= sizeof(f);
	fill_frame(&f, task, req);
	if (hal_copy_to_user(at, &f, sizeof(f)) != 0)
		return -EFAULT;
	task->uctx.regs[REG_A0] = (unsigned long)req->sig;
	task->uctx.regs[REG_A0 + 1] = at + offsetof(struct rt_sigframe, info);
	task->uctx.regs[REG_A0 + 2] = at + offsetof(struct rt_sigframe, uc);
	task->uctx.regs[REG_SP] = at;
	task->uctx.regs[REG_RA] = req->restorer;
	task->uctx.era = req->handler;
	*frame = at;
	return 0;
}

int uctx_pop_sigframe(struct hal_task *task, struct sigframe_ret *out)
{
	uaddr_t at = task->uctx.regs[REG_SP];
	struct rt_sigframe f;

	if (at % 16 || hal_copy_from_user(&f, at, sizeof(f)) != 0)
		return -EFAULT;
	memcpy(task->uctx.regs, f.uc.uc_mcontext.sc_regs, sizeof(task->uctx.regs));
	task->uctx.regs[0] = 0;
	task->uctx.era = f.uc.uc_mcontext.sc_pc;
	task->uctx.in_syscall = 0;
	out->taken = true;
	out->mask = f.uc.uc_sigmask;
	out->ss_sp = f.uc.uc_stack.ss_sp;
	out->ss_size = f.uc.uc_stack.ss_size;
	out->ss_flags = f.uc.uc_stack.ss_flags;
	if (f.uc.uc_mcontext.sc_flags & SC_USED_FP)
		return pop_extensions(task, at + sizeof(f));
	arch_fpu_reset(task);
	return 0;
}

size_t uctx_sigframe_size(void)
{
	unsigned int level = arch_fpu_max();
	size_t size = sizeof(struct rt_sigframe) + sizeof(struct sctx_info) + 16;

	if (level)
		size += sizeof(struct sctx_info) + records[level].room + records[level].align;
	return size;
}

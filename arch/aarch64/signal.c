/* SPDX-License-Identifier: MIT */
/*
 * Signal frames of aarch64, as Linux lays them out.
 *
 *	sp ->	struct rt_sigframe:
 *			siginfo		128 bytes
 *			ucontext	flags, link, stack, mask (1024 bits reserved), then at a multiple of 16:
 *			sigcontext	fault address, x0-x30, sp, pc, pstate; at a multiple of 16 4096 bytes
 *					of records {magic, size, ...}: FPSIMD, ESR after a fault, end (0, 0)
 *		frame record {fp, lr}, so that unwinders by frame pointer walk through the handler
 *
 * What comes back may be anything: pstate is reduced to what user mode may choose, records are bounded.
 * Source: Linux uapi asm/sigcontext.h, asm/ucontext.h (the interface).
 */
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <compiler.h>
#include <err.h>
#include <hal/paging.h>
#include <hal/uctx.h>
#include <lib/string.h>

#define FPSIMD_MAGIC 0x46508001
#define ESR_MAGIC    0x45535201
#define RECORDS_SIZE 4096

#define SI_SIGNO_OFFSET 0
#define SI_CODE_OFFSET	8

struct user_stack {
	u64 sp;
	s32 flags;
	u32 pad;
	u64 size;
};

struct ucontext {
	u64 flags;
	u64 link;
	struct user_stack stack;
	u64 mask;
	u8 mask_reserved[120];
};

struct sigcontext {
	u64 fault_address;
	u64 x[31];
	u64 sp, pc, pstate;
};

struct record {
	u32 magic, size;
};

struct fpsimd_record {
	struct record head;
	u32 fpsr, fpcr;
	unsigned __int128 v[32];
};

struct esr_record {
	struct record head;
	u64 esr;
};

/* Offsets in the frame. */
#define FRAME_UC      128
#define FRAME_SC      (FRAME_UC + 176)
#define FRAME_RECORDS (FRAME_SC + 288)
#define FRAME_SIZE    (FRAME_RECORDS + RECORDS_SIZE)
#define FRAME_RECORD  16 /* {fp, lr} above */

static_assert(sizeof(struct ucontext) == 168);
static_assert(sizeof(struct sigcontext) == 280);
static_assert(sizeof(struct record) == 8);
static_assert(sizeof(struct fpsimd_record) == 528);
static_assert(offsetof(struct fpsimd_record, v) == 16);
static_assert(FRAME_SIZE == 4688);

/* What the signal mask, stack and registers were. */
static int push_context(uaddr_t frame, struct hal_task *task, const struct sigframe_req *req)
{
	struct {
		struct ucontext uc;
		u64 pad;
		struct sigcontext sc;
	} __aligned(8) part = {
		.uc.stack = { .sp = req->ss_sp, .flags = req->ss_flags, .size = req->ss_size },
		.uc.mask = req->mask,
		.sc.fault_address = task->arch.fault_addr,
		.sc.sp = task->uctx.sp,
		.sc.pc = task->uctx.pc,
		.sc.pstate = task->uctx.pstate & ~(u64)PSR_SS,
	};

	static_assert(sizeof(part) == FRAME_SC - FRAME_UC + sizeof(struct sigcontext));
	memcpy(part.sc.x, task->uctx.x, sizeof(part.sc.x));
	return hal_copy_to_user(frame + FRAME_UC, &part, sizeof(part)) ? -EFAULT : 0;
}

/* Whether the kernel sends this signal for the exception that just happened: then its ESR is of interest. */
static bool is_fault(const struct sigframe_req *req)
{
	s32 code;

	memcpy(&code, (const char *)req->info + SI_CODE_OFFSET, sizeof(code));
	return code > 0 && (req->sig == 11 || req->sig == 7); /* SIGSEGV, SIGBUS */
}

static int push_records(uaddr_t at, struct hal_task *task, const struct sigframe_req *req)
{
	const struct arch_fpstate *fp = &task->arch.fp;
	struct fpsimd_record head = { .head = { FPSIMD_MAGIC, sizeof(struct fpsimd_record) } };
	struct {
		struct esr_record esr;
		struct record end;
	} tail = { .esr = { .head = { ESR_MAGIC, sizeof(struct esr_record) },
			    .esr = task->arch.fault_esr } };
	bool with_esr = task->arch.fault_esr && is_fault(req);
	const void *rest = with_esr ? (const void *)&tail : (const void *)&tail.end;
	size_t nrest = with_esr ? sizeof(tail) : sizeof(tail.end);

	aarch64_fp_sync(task);
	head.fpsr = fp->fpsr;
	head.fpcr = fp->fpcr;
	if (hal_copy_to_user(at, &head, offsetof(struct fpsimd_record, v)) ||
	    hal_copy_to_user(at + offsetof(struct fpsimd_record, v), fp->v, sizeof(fp->v)) ||
	    hal_copy_to_user(at + sizeof(head), rest, nrest))
		return -EFAULT;
	return 0;
}

static void enter_handler(struct uctx *u, const struct sigframe_req *req, uaddr_t frame,
			  uaddr_t record)
{
	u->x[0] = (u64)req->sig;
	if (req->flags & 4) { /* SA_SIGINFO */
		u->x[1] = frame;
		u->x[2] = frame + FRAME_UC;
	}
	u->x[29] = record;
	u->x[30] = req->restorer;
	u->sp = frame;
	u->pc = req->handler;
}

int uctx_push_sigframe(struct hal_task *task, const struct sigframe_req *req, uaddr_t *frame_out)
{
	uaddr_t record = (req->sp - FRAME_RECORD) & ~15UL;
	uaddr_t frame = record - FRAME_SIZE;
	u64 link[2] = { task->uctx.x[29], task->uctx.x[30] };

	if (req->sp < FRAME_SIZE + FRAME_RECORD || !req->restorer)
		return -EFAULT;
	if (hal_copy_to_user(record, link, sizeof(link)) || push_context(frame, task, req) ||
	    push_records(frame + FRAME_RECORDS, task, req) ||
	    hal_copy_to_user(frame, req->info, 128))
		return -EFAULT;
	enter_handler(&task->uctx, req, frame, record);
	*frame_out = frame;
	return 0;
}

static int pop_context(uaddr_t frame, struct hal_task *task, struct sigframe_ret *out)
{
	struct ucontext uc;
	struct sigcontext sc;

	if (hal_copy_from_user(&uc, frame + FRAME_UC, sizeof(uc)) ||
	    hal_copy_from_user(&sc, frame + FRAME_SC, sizeof(sc)))
		return -EFAULT;
	out->mask = uc.mask;
	out->ss_sp = uc.stack.sp;
	out->ss_size = uc.stack.size;
	out->ss_flags = uc.stack.flags;
	/* AArch64 user mode with every kind of exception enabled, or it is not ours. */
	if (sc.pstate & (PSR_MODE_MASK | PSR_D | PSR_A | PSR_I | PSR_F))
		return -EFAULT;
	memcpy(task->uctx.x, sc.x, sizeof(sc.x));
	task->uctx.sp = sc.sp;
	task->uctx.pc = sc.pc;
	task->uctx.pstate = sc.pstate & (PSR_NZCV | PSR_DIT | PSR_SSBS);
	task->uctx.syscall_nr = -1;
	return 0;
}

static bool is_initial(const struct fpsimd_record *rec)
{
	unsigned __int128 any = rec->fpsr | rec->fpcr;

	for (unsigned int i = 0; i < ARRAY_SIZE(rec->v); i++)
		any |= rec->v[i];
	return any == 0;
}

/* A program that has used no FP stays one that uses none. */
static int pop_fpsimd(uaddr_t at, struct hal_task *task)
{
	struct fpsimd_record rec;

	if (hal_copy_from_user(&rec, at, sizeof(rec)))
		return -EFAULT;
	if (!task->arch.fp_used && is_initial(&rec))
		return 0;
	task->arch.fp.fpsr = rec.fpsr;
	task->arch.fp.fpcr = rec.fpcr;
	memcpy(task->arch.fp.v, rec.v, sizeof(rec.v));
	task->arch.fp_used = 1;
	aarch64_fp_replaced(task);
	return 0;
}

/* One FPSIMD record must be there; ESR is for information; nothing else is ever put into a frame here. */
static int pop_records(uaddr_t base, struct hal_task *task)
{
	u32 offset = 0;
	uaddr_t fpsimd = 0;
	struct record rec;

	for (;;) {
		if (RECORDS_SIZE - offset < sizeof(rec))
			return -EINVAL;
		if (hal_copy_from_user(&rec, base + offset, sizeof(rec)))
			return -EFAULT;
		if (!rec.magic && !rec.size)
			break;
		if (rec.size < sizeof(rec) || (rec.size & 15) || rec.size > RECORDS_SIZE - offset)
			return -EINVAL;
		if (rec.magic == FPSIMD_MAGIC && !fpsimd &&
		    rec.size >= sizeof(struct fpsimd_record))
			fpsimd = base + offset;
		else if (rec.magic != ESR_MAGIC)
			return -EINVAL;
		offset += rec.size;
	}
	return fpsimd ? pop_fpsimd(fpsimd, task) : -EINVAL;
}

int uctx_pop_sigframe(struct hal_task *task, struct sigframe_ret *out)
{
	uaddr_t frame = task->uctx.sp;
	int err;

	if (frame & 15)
		return -EFAULT;
	err = pop_context(frame, task, out);
	return err ? err : pop_records(frame + FRAME_RECORDS, task);
}

/* The frame, its frame record, and what aligning both may cost. */
size_t uctx_sigframe_size(void)
{
	return FRAME_SIZE + FRAME_RECORD + 16;
}

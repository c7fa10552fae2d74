/* SPDX-License-Identifier: MIT */
/*
 * Signal frames of aarch64, as Linux lays them out.
 *
 *	sp ->	struct rt_sigframe:
 *			siginfo		128 bytes
 *			ucontext	flags, link, stack, mask (1024 bits reserved), then at a multiple of 16:
 *			sigcontext	fault address, x0-x30, sp, pc, pstate; at a multiple of 16 4096 bytes
 *					of records {magic, size, ...}: FPSIMD, ESR after a fault, with SVE
 *					its length and, once the task has used it, registers; end (0, 0)
 *		if the SVE registers do not fit: EXTRA and end there, and here SVE and another end
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
#define SVE_MAGIC    0x53564501
#define EXTRA_MAGIC  0x45585401
#define RECORDS_SIZE 4096

#define SA_SIGINFO	4
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

/* Registers follow, unless size says that there are none. */
struct sve_record {
	struct record head;
	u16 vl, flags;
	u16 reserved[2];
};

/* Where more records are: behind the end record that follows this one. */
struct extra_record {
	struct record head;
	u64 data;
	u32 size;
	u32 reserved[3];
};

/* Offsets in the frame. */
#define FRAME_UC      128
#define FRAME_SC      (FRAME_UC + 176)
#define FRAME_RECORDS (FRAME_SC + 288)
#define FRAME_MAX     65536 /* bytes of records, more than the longest vectors need */
#define FRAME_RECORD  16 /* {fp, lr} above */

static_assert(sizeof(struct ucontext) == 168);
static_assert(sizeof(struct sigcontext) == 280);
static_assert(sizeof(struct record) == 8);
static_assert(sizeof(struct fpsimd_record) == 528);
static_assert(offsetof(struct fpsimd_record, v) == 16);
static_assert(sizeof(struct sve_record) == 16);
static_assert(sizeof(struct extra_record) == 32);
static_assert(FRAME_RECORDS + RECORDS_SIZE == 4688);

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

/* Offsets of the records, from the first on; 0: not in this frame. */
struct layout {
	size_t esr, sve, extra, end;
	size_t sve_size;
	size_t size; /* of it all, at least RECORDS_SIZE */
};

#define ALIGN_RECORD(n) (((n) + 15) & ~15UL)

static size_t sve_record_size(unsigned int vl)
{
	return ALIGN_RECORD(sizeof(struct sve_record) + (vl ? aarch64_sve_bytes(vl) : 0));
}

/* @vl: length of the SVE registers that go into the frame; 0: none. */
static struct layout lay_out(bool with_esr, unsigned int vl)
{
	struct layout l = { .size = RECORDS_SIZE };
	size_t at = sizeof(struct fpsimd_record);

	if (with_esr) {
		l.esr = at;
		at += sizeof(struct esr_record);
	}
	if (aarch64_sve_max()) {
		l.sve_size = sve_record_size(vl);
		if (at + l.sve_size + sizeof(struct extra_record) +
			    ALIGN_RECORD(sizeof(struct record)) >
		    RECORDS_SIZE) {
			l.extra = at;
			at += sizeof(struct extra_record) + ALIGN_RECORD(sizeof(struct record));
		}
		l.sve = at;
		at += l.sve_size;
	}
	l.end = at;
	l.size = max(l.size, at + ALIGN_RECORD(sizeof(struct record)));
	return l;
}

static struct layout layout_for(const struct hal_task *task, const struct sigframe_req *req)
{
	return lay_out(task->arch.fault_esr && is_fault(req),
		       aarch64_sve_used(task) ? task->arch.sve_vl : 0);
}

static int push_fpsimd(uaddr_t at, const struct hal_task *task)
{
	const struct arch_fpstate *fp = &task->arch.fp;
	struct fpsimd_record head = { .head = { FPSIMD_MAGIC, sizeof(struct fpsimd_record) },
				      .fpsr = fp->fpsr,
				      .fpcr = fp->fpcr };

	return hal_copy_to_user(at, &head, offsetof(struct fpsimd_record, v)) ||
			       hal_copy_to_user(at + offsetof(struct fpsimd_record, v), fp->v,
						sizeof(fp->v))
		       ? -EFAULT
		       : 0;
}

static int push_sve(uaddr_t at, const struct hal_task *task, size_t size)
{
	struct sve_record head = { .head = { SVE_MAGIC, (u32)size }, .vl = task->arch.sve_vl };

	if (hal_copy_to_user(at, &head, sizeof(head)))
		return -EFAULT;
	if (!aarch64_sve_used(task))
		return 0;
	return hal_copy_to_user(at + sizeof(head), task->arch.sve,
				aarch64_sve_bytes(task->arch.sve_vl))
		       ? -EFAULT
		       : 0;
}

/* The record that leads to the SVE record, and the end of the first list. */
static int push_extra(uaddr_t base, const struct layout *l)
{
	struct {
		struct extra_record extra;
		struct record end, pad;
	} part = { .extra = { .head = { EXTRA_MAGIC, sizeof(struct extra_record) },
			      .data = base + l->sve,
			      .size = (u32)(l->size - l->sve) } };

	return hal_copy_to_user(base + l->extra, &part, sizeof(part)) ? -EFAULT : 0;
}

static int push_records(uaddr_t base, struct hal_task *task, const struct layout *l)
{
	struct esr_record esr = { .head = { ESR_MAGIC, sizeof(esr) }, .esr = task->arch.fault_esr };
	static const struct record end[2];

	aarch64_fp_sync(task);
	if (push_fpsimd(base, task) ||
	    (l->esr && hal_copy_to_user(base + l->esr, &esr, sizeof(esr))) ||
	    (l->extra && push_extra(base, l)) ||
	    (l->sve && push_sve(base + l->sve, task, l->sve_size)))
		return -EFAULT;
	return hal_copy_to_user(base + l->end, end, sizeof(end)) ? -EFAULT : 0;
}

static void enter_handler(struct uctx *u, const struct sigframe_req *req, uaddr_t frame,
			  uaddr_t record)
{
	u->x[0] = (u64)req->sig;
	if (req->flags & SA_SIGINFO) {
		u->x[1] = frame;
		u->x[2] = frame + FRAME_UC;
	}
	u->x[29] = record;
	u->x[30] = req->restorer;
	u->sp = frame;
	u->pc = req->handler;
}

/* As Linux, only for a handler that is told of it. */
static int push_info(uaddr_t frame, const struct sigframe_req *req)
{
	if (!(req->flags & SA_SIGINFO))
		return 0;
	return hal_copy_to_user(frame, req->info, UCTX_INFO_BYTES) ||
			       hal_clear_user(frame + UCTX_INFO_BYTES, FRAME_UC - UCTX_INFO_BYTES)
		       ? -EFAULT
		       : 0;
}

int uctx_push_sigframe(struct hal_task *task, const struct sigframe_req *req, uaddr_t *frame_out)
{
	struct layout layout = layout_for(task, req);
	size_t size = FRAME_RECORDS + layout.size;
	uaddr_t record = (req->sp - FRAME_RECORD) & ~15UL;
	uaddr_t frame = record - size;
	u64 link[2] = { task->uctx.x[29], task->uctx.x[30] };

	if (req->sp < size + FRAME_RECORD || !req->restorer)
		return -EFAULT;
	if (hal_copy_to_user(record, link, sizeof(link)) || push_context(frame, task, req) ||
	    push_records(frame + FRAME_RECORDS, task, &layout) || push_info(frame, req))
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
	out->taken = true;
	memcpy(task->uctx.x, sc.x, sizeof(sc.x));
	task->uctx.sp = sc.sp;
	task->uctx.pc = sc.pc;
	task->uctx.pstate = sc.pstate & (PSR_NZCV | PSR_DIT | PSR_SSBS);
	task->uctx.syscall_nr = -1;
	/* AArch64 user mode with every kind of exception enabled, or it is not ours. */
	return sc.pstate & (PSR_MODE_MASK | PSR_D | PSR_A | PSR_I | PSR_F) ? -EINVAL : 0;
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
	task->arch.fp_used |= USE_FP;
	aarch64_sve_merge(task, false);
	aarch64_fp_replaced(task);
	return 0;
}

/* What the lists of a frame hold. */
struct found {
	uaddr_t fpsimd, sve; /* 0: there is none */
	uaddr_t extra;
	u32 sve_size, extra_size;
};

/* A record of SVE: of the task's length, with no registers or all. The FPSIMD record counts for their low parts. */
static int pop_sve(struct hal_task *task, const struct found *f)
{
	struct sve_record rec;
	int err;

	if (hal_copy_from_user(&rec, f->sve, sizeof(rec)))
		return -EFAULT;
	if (rec.flags || rec.vl != task->arch.sve_vl)
		return -EINVAL;
	if (f->sve_size == sizeof(rec)) {
		aarch64_sve_drop(task);
		return 0;
	}
	if (f->sve_size < sve_record_size(rec.vl))
		return -EINVAL;
	err = aarch64_sve_use(task);
	if (err)
		return err;
	/* What the registers hold does not matter any more, even if the copy fails. */
	aarch64_fp_replaced(task);
	if (hal_copy_from_user(task->arch.sve, f->sve + sizeof(rec), aarch64_sve_bytes(rec.vl)))
		return -EFAULT;
	aarch64_fp_replaced(task);
	return 0;
}

/* EXTRA must be followed by the end of its list, and lead behind that. */
static int note_extra(struct found *f, uaddr_t at)
{
	struct {
		struct extra_record extra;
		struct record end, pad;
	} part;

	if (hal_copy_from_user(&part, at, sizeof(part)))
		return -EFAULT;
	if (f->extra || part.extra.head.size != sizeof(part.extra) || part.end.magic ||
	    part.end.size || part.extra.data != at + sizeof(part) || part.extra.size % 16 ||
	    part.extra.size > FRAME_MAX)
		return -EINVAL;
	f->extra = part.extra.data;
	f->extra_size = part.extra.size;
	return 0;
}

static int note_record(struct found *f, const struct record *rec, uaddr_t at)
{
	switch (rec->magic) {
	case FPSIMD_MAGIC:
		if (f->fpsimd || rec->size < sizeof(struct fpsimd_record))
			return -EINVAL;
		f->fpsimd = at;
		return 0;
	case SVE_MAGIC:
		if (f->sve || rec->size < sizeof(struct sve_record) || !aarch64_sve_max())
			return -EINVAL;
		f->sve = at;
		f->sve_size = rec->size;
		return 0;
	case EXTRA_MAGIC:
		return note_extra(f, at);
	case ESR_MAGIC: /* for information */
		return 0;
	default: /* nothing else is ever put into a frame here */
		return -EINVAL;
	}
}

/* One list: to its end record, or to EXTRA. */
static int walk_list(struct found *f, uaddr_t base, u32 limit)
{
	uaddr_t extra = f->extra;
	u32 offset = 0;
	struct record rec;
	int err = 0;

	while (!err && f->extra == extra) {
		if (limit - offset < sizeof(rec))
			return -EINVAL;
		if (hal_copy_from_user(&rec, base + offset, sizeof(rec)))
			return -EFAULT;
		if (!rec.magic)
			return rec.size ? -EINVAL : 0;
		if (rec.size < sizeof(rec) || (rec.size & 15) || rec.size > limit - offset)
			return -EINVAL;
		err = note_record(f, &rec, base + offset);
		offset += rec.size;
	}
	return err;
}

/* One FPSIMD record must be there. */
static int pop_records(uaddr_t base, struct hal_task *task)
{
	struct found f = { 0 };
	int err = walk_list(&f, base, RECORDS_SIZE);

	if (!err && f.extra)
		err = walk_list(&f, f.extra, f.extra_size);
	if (err || !f.fpsimd)
		return err ? err : -EINVAL;
	if (f.sve)
		err = pop_sve(task, &f);
	else
		aarch64_sve_drop(task);
	return err ? err : pop_fpsimd(f.fpsimd, task);
}

int uctx_pop_sigframe(struct hal_task *task, struct sigframe_ret *out)
{
	uaddr_t frame = task->uctx.sp;
	int err;

	out->tell_sp = true;
	if (frame & 15)
		return -EFAULT;
	err = pop_context(frame, task, out);
	return err ? err : pop_records(frame + FRAME_RECORDS, task);
}

/* The frame, its frame record, and what aligning both may cost. */
size_t uctx_sigframe_size(void)
{
	return FRAME_RECORDS + lay_out(true, aarch64_sve_max()).size + FRAME_RECORD + 16;
}

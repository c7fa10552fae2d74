/* SPDX-License-Identifier: MIT */
/*
 * Register sets of loongarch64 for debuggers and core files.
 *
 *	NT_PRSTATUS		r0-r31, argument 0 of the system call, pc, bad address, 10 words of 0
 *	NT_PRFPREG		f0-f31, condition flags, fcsr
 *	NT_LOONGARCH_CPUCFG	CPUCFG words 0-63; writing it has no effect
 *	NT_LOONGARCH_LSX, NT_LOONGARCH_LASX	vector registers; what the task has not used yet reads as ones
 *
 * A stopped task's state is in memory since it left the CPU; the current one's is brought there. Writing a
 * vector set gives the task that unit. Any value is harmless: PRMD is not among the registers, and the
 * cause bits of fcsr, which would trap, are dropped.
 *
 * Source: ptrace(2); Linux asm/ptrace.h of loongarch, linux/elf.h.
 */
#include <arch/trap.h>
#include <err.h>
#include <hal/debug.h>
#include <hal/paging.h>
#include <lib/string.h>
#include <uapi/elfnote.h>

#define CPUCFG_WORDS 64

struct user_pt_regs {
	u64 regs[32];
	u64 orig_a0, era, badv;
	u64 reserved[10];
};

struct user_fp_state {
	u64 fpr[32];
	u64 fcc;
	u32 fcsr, pad;
};

static_assert(sizeof(struct user_pt_regs) == 360);
static_assert(sizeof(struct user_fp_state) == 272);

/* ---- General registers ---- */

static size_t gp_size(const struct hal_task *task)
{
	(void)task;
	return sizeof(struct user_pt_regs);
}

static int gp_get(struct hal_task *task, void *buf)
{
	struct user_pt_regs *r = buf;

	memset(r, 0, sizeof(*r));
	memcpy(r->regs, task->uctx.regs, sizeof(r->regs));
	r->regs[0] = 0;
	r->orig_a0 = task->uctx.orig_a0;
	r->era = task->uctx.era;
	r->badv = task->arch.badv;
	return 0;
}

static int gp_set(struct hal_task *task, const void *buf, size_t len)
{
	struct uctx *u = &task->uctx;
	struct user_pt_regs r;

	(void)gp_get(task, &r);
	memcpy(&r, buf, len);
	memcpy(u->regs, r.regs, sizeof(u->regs));
	u->regs[0] = 0;
	u->orig_a0 = r.orig_a0;
	u->era = r.era;
	task->arch.badv = r.badv;
	return 0;
}

/* ---- FPU ---- */

static void sync(struct hal_task *task)
{
	unsigned long flags = hal_irq_save();

	if (task == arch_current())
		arch_fpu_save(task);
	hal_irq_restore(flags);
}

/* The task has at least the unit @level now, and its saved copy is what counts. */
static void own(struct hal_task *task, unsigned int level)
{
	sync(task);
	if (task->arch.fpu_level < level)
		task->arch.fpu_level = (u8)level;
	arch_fpu_set_stale(task);
}

static size_t fp_size(const struct hal_task *task)
{
	(void)task;
	return arch_fpu_max() == FPU_NONE ? 0 : sizeof(struct user_fp_state);
}

static int fp_get(struct hal_task *task, void *buf)
{
	struct user_fp_state *r = buf;

	if (!fp_size(task))
		return -ENODEV;
	sync(task);
	for (unsigned int n = 0; n < 32; n++)
		r->fpr[n] = task->arch.fpu.reg[n][0];
	r->fcc = task->arch.fpu.fcc;
	r->fcsr = task->arch.fpu.fcsr;
	r->pad = 0;
	return 0;
}

static int fp_set(struct hal_task *task, const void *buf, size_t len)
{
	struct user_fp_state r;

	if (!fp_size(task))
		return -ENODEV;
	(void)fp_get(task, &r);
	memcpy(&r, buf, len);
	own(task, FPU_FP);
	for (unsigned int n = 0; n < 32; n++)
		task->arch.fpu.reg[n][0] = r.fpr[n];
	task->arch.fpu.fcc = r.fcc & FCC_WRITABLE;
	task->arch.fpu.fcsr = r.fcsr & FCSR_WRITABLE;
	return 0;
}

/* ---- CPUCFG ---- */

static size_t cpucfg_size(const struct hal_task *task)
{
	(void)task;
	return CPUCFG_WORDS * sizeof(u32);
}

static int cpucfg_get(struct hal_task *task, void *buf)
{
	u32 *r = buf;

	(void)task;
	for (u32 n = 0; n < CPUCFG_WORDS; n++)
		r[n] = cpucfg(n);
	return 0;
}

static int cpucfg_set(struct hal_task *task, const void *buf, size_t len)
{
	(void)task;
	(void)buf;
	(void)len;
	return 0;
}

/* ---- Vector registers ---- */

/* Words of a register that a level has. */
static const u8 level_words[] = { [FPU_NONE] = 0, [FPU_FP] = 1, [FPU_LSX] = 2, [FPU_LASX] = 4 };

static size_t vector_size(unsigned int level)
{
	return arch_fpu_max() < level ? 0 : (size_t)32 * 8 * level_words[level];
}

static int vector_get(struct hal_task *task, unsigned int level, u64 *out)
{
	unsigned int words = level_words[level];

	if (!vector_size(level))
		return -ENODEV;
	sync(task);
	for (unsigned int n = 0; n < 32; n++)
		for (unsigned int w = 0; w < words; w++)
			out[n * words + w] = w < level_words[task->arch.fpu_level]
						     ? task->arch.fpu.reg[n][w]
						     : ~0ULL;
	return 0;
}

static int vector_set(struct hal_task *task, unsigned int level, const void *buf, size_t len)
{
	size_t size = (size_t)8 * level_words[level];

	if (!vector_size(level))
		return -ENODEV;
	own(task, level);
	for (unsigned int n = 0; (n + 1) * size <= len; n++)
		memcpy(task->arch.fpu.reg[n], (const u8 *)buf + n * size, size);
	return 0;
}

static size_t lsx_size(const struct hal_task *task)
{
	(void)task;
	return vector_size(FPU_LSX);
}

static int lsx_get(struct hal_task *task, void *buf)
{
	return vector_get(task, FPU_LSX, buf);
}

static int lsx_set(struct hal_task *task, const void *buf, size_t len)
{
	return vector_set(task, FPU_LSX, buf, len);
}

static size_t lasx_size(const struct hal_task *task)
{
	(void)task;
	return vector_size(FPU_LASX);
}

static int lasx_get(struct hal_task *task, void *buf)
{
	return vector_get(task, FPU_LASX, buf);
}

static int lasx_set(struct hal_task *task, const void *buf, size_t len)
{
	return vector_set(task, FPU_LASX, buf, len);
}

static const struct hal_regset regsets[] = {
	{ NT_PRSTATUS, "CORE", 8, gp_size, gp_get, gp_set },
	{ NT_PRFPREG, "CORE", 8, fp_size, fp_get, fp_set },
	{ NT_LOONGARCH_CPUCFG, "LINUX", 4, cpucfg_size, cpucfg_get, cpucfg_set },
	{ NT_LOONGARCH_LSX, "LINUX", 16, lsx_size, lsx_get, lsx_set },
	{ NT_LOONGARCH_LASX, "LINUX", 32, lasx_size, lasx_get, lasx_set },
};

const struct hal_regset *hal_regsets(unsigned int *n)
{
	*n = ARRAY_SIZE(regsets);
	return regsets;
}

/* ---- ptrace ---- */

#define PTRACE_PEEKUSR 3
#define PTRACE_POKEUSR 6

/* The registers that PEEKUSR and POKEUSR know, by number: NT_PRSTATUS without what is reserved. */
#define USER_REGISTERS (offsetof(struct user_pt_regs, reserved) / sizeof(u64))

static long access_user(struct hal_task *task, bool write, unsigned long n, uaddr_t data)
{
	union {
		struct user_pt_regs regs;
		u64 word[sizeof(struct user_pt_regs) / sizeof(u64)];
	} r;

	if (n >= USER_REGISTERS)
		return -EIO;
	(void)gp_get(task, &r);
	if (!write)
		return hal_put_user64(data, r.word[n]);
	r.word[n] = data;
	return gp_set(task, &r, sizeof(r));
}

long hal_ptrace(struct hal_task *task, long request, unsigned long addr, uaddr_t data)
{
	if (request == PTRACE_PEEKUSR || request == PTRACE_POKEUSR)
		return access_user(task, request == PTRACE_POKEUSR, addr, data);
	return -EIO;
}

/* Hardware watchpoints are not used: see docs/loongarch64.md. */
void hal_debug_reset(struct hal_task *task)
{
	(void)task;
}

unsigned int hal_breakpoint(const u8 *insn, u8 out[HAL_BREAKPOINT_MAX])
{
	static const u8 brk[4] = { 0x05, 0x00, 0x2a, 0x00 }; /* break 5 */

	(void)insn;
	memcpy(out, brk, sizeof(brk));
	return sizeof(brk);
}

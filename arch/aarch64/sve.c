/* SPDX-License-Identifier: MIT */
/*
 * The Scalable Vector Extension: lengths, and state of tasks that use it.
 *
 * A task's registers are as long as its vector length says (sve_vl, bytes), which prctl and debuggers
 * choose among those the CPU has. EL0 gets the unit at its first SVE instruction, which traps; from
 * then on arch.sve holds Z0-Z31, P0-P15 and FFR, in the layout of signal frames, whenever the FP state is
 * not live, and the low 128 bits of each Z equal arch.fp.v. Both are saved and loaded together (fpu.c).
 * Exec, fork and a change of length go back to plain FP state. A system call keeps the FP registers and clears the rest
 * (trap_asm.S), while they are in the CPU: a task that comes from user mode has them there.
 *
 * SME is not offered: there are no streaming vectors.
 *
 * Locking: a task's own, or its tracer's while it is stopped.
 * Source: Arm ARM B1.2 (SVE), D23 (ZCR_EL1, CPACR_EL1); Linux Documentation/arch/arm64/sve.rst.
 */
#include <arch/barrier.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <err.h>
#include <hal/upcall.h>
#include <lib/string.h>

#define VQ_BYTES   16U /* lengths are multiples of this */
#define VQ_MAX	   16U
#define VL_LIMIT   8192U /* what the ABI has room for */
#define VL_DEFAULT 64U

/* prctl: the length, and flags. */
#define PR_VL_MASK 0xffffUL

static u32 supported;  /* bit n: length (n + 1) * 16 */
static u32 default_vl; /* of new programs; /proc/sys/abi/sve_default_vector_length */

static unsigned int longest(void)
{
	return VQ_BYTES * (32 - (unsigned int)__builtin_clz(supported));
}

/* The longest that the CPU has, not longer than @vl if there is one so short. */
static unsigned int best_length(unsigned int vl)
{
	for (unsigned int vq = min(vl / VQ_BYTES, VQ_MAX); vq > 0; vq--)
		if (supported & BIT(vq - 1))
			return vq * VQ_BYTES;
	return VQ_BYTES * ((unsigned int)__builtin_ctz(supported) + 1);
}

void aarch64_sve_init(void)
{
	u64 cpacr = read_sysreg(cpacr_el1);

	if (!id_field(read_sysreg(id_aa64pfr0_el1), 32))
		return;
	write_sysreg(cpacr_el1, cpacr | CPACR_SVE_EL1 | CPACR_FP_EL1);
	isb();
	for (unsigned int vq = 1; vq <= VQ_MAX; vq++) {
		write_sysreg(S3_0_C1_C2_0, vq - 1);
		isb();
		if (aarch64_sve_length() == vq * VQ_BYTES)
			supported |= (u32)BIT(vq - 1);
	}
	write_sysreg(cpacr_el1, cpacr);
	isb();
	default_vl = best_length(VL_DEFAULT);
}

unsigned int aarch64_sve_max(void)
{
	return supported ? longest() : 0;
}

size_t aarch64_sve_bytes(unsigned int vl)
{
	return 32 * vl + 17 * (vl / 8);
}

bool aarch64_sve_used(const struct hal_task *task)
{
	return task->arch.fp_used & USE_SVE;
}

/* ---- Between registers and memory; see fpu.c ---- */

void aarch64_sve_enable(const struct hal_task *task)
{
	write_sysreg(S3_0_C1_C2_0, task->arch.sve_vl / VQ_BYTES - 1);
	isb();
}

/* The FP registers in memory were replaced: they are the low parts of Z. */
void aarch64_sve_merge(struct hal_task *task, bool clear_rest)
{
	if (!aarch64_sve_used(task))
		return;
	if (clear_rest)
		memset(task->arch.sve, 0, aarch64_sve_bytes(task->arch.sve_vl));
	for (unsigned int n = 0; n < 32; n++)
		memcpy(task->arch.sve + n * task->arch.sve_vl, &task->arch.fp.v[n], VQ_BYTES);
}

/* Low parts of Z in memory were replaced: they are the FP registers. */
void aarch64_sve_split(struct hal_task *task)
{
	for (unsigned int n = 0; n < 32; n++)
		memcpy(&task->arch.fp.v[n], task->arch.sve + n * task->arch.sve_vl, VQ_BYTES);
}

int aarch64_sve_use(struct hal_task *task)
{
	if (aarch64_sve_used(task))
		return 0;
	task->arch.sve = upcall_state_alloc(aarch64_sve_bytes(task->arch.sve_vl));
	if (!task->arch.sve)
		return -ENOMEM;
	aarch64_fp_sync(task);
	task->arch.fp_used |= USE_FP | USE_SVE;
	aarch64_sve_merge(task, false);
	aarch64_fp_replaced(task);
	return 0;
}

void aarch64_sve_drop(struct hal_task *task)
{
	if (!aarch64_sve_used(task))
		return;
	aarch64_fp_sync(task);
	task->arch.fp_used &= ~USE_SVE;
	aarch64_fp_replaced(task);
	upcall_state_free(task->arch.sve, aarch64_sve_bytes(task->arch.sve_vl));
	task->arch.sve = NULL;
}

/* The first SVE instruction. Return: 1: try it again; 0: it is illegal; -ENOMEM. */
int aarch64_sve_trap(struct hal_task *task)
{
	int err;

	if (!supported || aarch64_sve_used(task))
		return 0;
	err = aarch64_sve_use(task);
	return err ? err : 1;
}

/* ---- Lengths ---- */

void aarch64_sve_exec(struct hal_task *task)
{
	struct arch_thread *t = &task->arch;

	if (!supported)
		return;
	aarch64_sve_drop(task);
	t->sve_vl = t->sve_vl_exec ? t->sve_vl_exec : (u16)READ_ONCE(default_vl);
	if (!t->sve_inherit)
		t->sve_vl_exec = 0;
}

/* The child has FP state alone: the call that made it need not keep more. */
void aarch64_sve_fork(struct hal_task *child, const struct hal_task *parent)
{
	child->arch.fp_used &= ~USE_SVE;
	child->arch.sve = NULL;
	child->arch.sve_vl = parent->arch.sve_vl;
	child->arch.sve_vl_exec = parent->arch.sve_vl_exec;
	child->arch.sve_inherit = parent->arch.sve_inherit;
}

static bool is_length(unsigned int vl)
{
	return vl % VQ_BYTES == 0 && vl >= VQ_BYTES && vl <= VL_LIMIT;
}

int aarch64_sve_set_length(struct hal_task *task, unsigned int vl, unsigned long flags)
{
	struct arch_thread *t = &task->arch;

	if (!supported || flags & ~(SVE_VL_INHERIT | SVE_VL_ONEXEC) || !is_length(vl))
		return -EINVAL;
	vl = best_length(vl);
	t->sve_vl_exec = flags ? (u16)vl : 0;
	if (!(flags & SVE_VL_ONEXEC) && vl != t->sve_vl) {
		aarch64_sve_drop(task);
		t->sve_vl = (u16)vl;
	}
	t->sve_inherit = (flags & SVE_VL_INHERIT) != 0;
	return 0;
}

unsigned long aarch64_sve_flags(const struct hal_task *task)
{
	return task->arch.sve_inherit ? SVE_VL_INHERIT : 0;
}

long aarch64_sve_prctl_get(const struct hal_task *task)
{
	return supported ? (long)(task->arch.sve_vl | aarch64_sve_flags(task)) : -EINVAL;
}

long aarch64_sve_prctl_set(struct hal_task *task, unsigned long arg)
{
	int err = aarch64_sve_set_length(task, arg & PR_VL_MASK, arg & ~PR_VL_MASK);
	unsigned int vl = arg & SVE_VL_ONEXEC ? task->arch.sve_vl_exec : task->arch.sve_vl;

	return err ? err : (long)(vl | aarch64_sve_flags(task));
}

int hal_abi_number(void)
{
	return supported ? (int)READ_ONCE(default_vl) : -EINVAL;
}

/* -1: the longest. */
int hal_abi_number_set(int value)
{
	unsigned int vl = value == -1 ? VL_LIMIT : (unsigned int)value;

	if (!supported || !is_length(vl))
		return -EINVAL;
	WRITE_ONCE(default_vl, best_length(vl));
	return 0;
}

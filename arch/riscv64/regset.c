/* SPDX-License-Identifier: MIT */
/*
 * Register sets of riscv64 for debuggers and core files.
 *
 *	NT_PRSTATUS	pc, x1-x31 (struct user_regs_struct)
 *	NT_PRFPREG	f0-f31 as D's, fcsr (struct __riscv_d_ext_state)
 *	NT_RISCV_VECTOR	vstart, vl, vtype, vcsr, vlenb, then v0-v31; only of a task that has used them
 *
 * A stopped task's FPU state is in memory since it left the CPU; the current one's is brought there. Any
 * value is harmless: sstatus is not among the registers, and an address that is not the user's faults.
 *
 * Source: ptrace(2); Linux asm/ptrace.h of riscv, linux/elf.h.
 */
#include <arch/csr.h>
#include <arch/trap.h>
#include <err.h>
#include <hal/debug.h>
#include <lib/string.h>
#include <uapi/elfnote.h>

static_assert(sizeof(struct fpu_state) == 264);

static size_t gp_size(const struct hal_task *task)
{
	return sizeof(task->uctx.regs);
}

static int gp_get(struct hal_task *task, void *buf)
{
	memcpy(buf, task->uctx.regs, sizeof(task->uctx.regs));
	return 0;
}

static int gp_set(struct hal_task *task, const void *buf, size_t len)
{
	memcpy(task->uctx.regs, buf, len);
	return 0;
}

static size_t fp_size(const struct hal_task *task)
{
	(void)task;
	return riscv64_isa_letters & BIT('d' - 'a') ? sizeof(struct fpu_state) : 0;
}

/* The saved state becomes the newest. */
static void sync(struct hal_task *task)
{
	unsigned long flags = hal_irq_save();

	if (task == arch_current())
		riscv64_fpu_sync(task);
	hal_irq_restore(flags);
}

static struct fpu_state read_fpu(struct hal_task *task)
{
	struct fpu_state state;

	sync(task);
	state = task->arch.fpu;
	state.pad = 0;
	return state;
}

static int fp_get(struct hal_task *task, void *buf)
{
	if (!fp_size(task))
		return -ENODEV;
	*(struct fpu_state *)buf = read_fpu(task);
	return 0;
}

static int fp_set(struct hal_task *task, const void *buf, size_t len)
{
	struct fpu_state state;

	if (!fp_size(task))
		return -ENODEV;
	state = read_fpu(task);
	memcpy(&state, buf, len);
	state.fcsr &= 0xff;
	state.pad = 0;
	riscv64_fpu_replace(task, &state);
	return 0;
}

static size_t vector_size(const struct hal_task *task)
{
	size_t size = riscv64_v_used_size(task);

	return size ? sizeof(struct v_header) + size : 0;
}

static int vector_get(struct hal_task *task, void *buf)
{
	size_t size = riscv64_v_used_size(task);

	if (!size)
		return -EINVAL; /* Linux's word for it */
	sync(task);
	memcpy(buf, &task->arch.v, sizeof(task->arch.v));
	memcpy((u8 *)buf + sizeof(task->arch.v), task->arch.v_data, size);
	return 0;
}

/* The length of a register is the CPU's; the CSRs take of any value what they can hold. */
static int vector_set(struct hal_task *task, const void *buf, size_t len)
{
	struct v_header v;

	if (!riscv64_v_used_size(task))
		return -EINVAL;
	sync(task);
	v = task->arch.v;
	memcpy(&v, buf, min(len, sizeof(v)));
	if (v.vlenb != riscv64_vlenb)
		return -EINVAL;
	riscv64_v_drop(task);
	task->arch.v = v;
	if (len > sizeof(v))
		memcpy(task->arch.v_data, (const u8 *)buf + sizeof(v), len - sizeof(v));
	riscv64_v_replaced(task);
	return 0;
}

static const struct hal_regset regsets[] = {
	{ NT_PRSTATUS, "CORE", 8, gp_size, gp_get, gp_set },
	{ NT_PRFPREG, "CORE", 8, fp_size, fp_get, fp_set },
	{ NT_RISCV_VECTOR, "LINUX", 4, vector_size, vector_get, vector_set },
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

/* There are no hardware breakpoints for user mode. */
void hal_debug_reset(struct hal_task *task)
{
	(void)task;
}

/* A compressed instruction must not be replaced by a longer one: the next may be jumped to. */
unsigned int hal_breakpoint(const u8 *insn, u8 out[HAL_BREAKPOINT_MAX])
{
	static const u8 ebreak[4] = { 0x73, 0x00, 0x10, 0x00 }, c_ebreak[2] = { 0x02, 0x90 };

	if ((insn[0] & 3) == 3) {
		memcpy(out, ebreak, sizeof(ebreak));
		return sizeof(ebreak);
	}
	memcpy(out, c_ebreak, sizeof(c_ebreak));
	return sizeof(c_ebreak);
}

/* SPDX-License-Identifier: MIT */
/*
 * Register sets of riscv64 for debuggers and core files.
 *
 *	NT_PRSTATUS	pc, x1-x31 (struct user_regs_struct)
 *	NT_PRFPREG	f0-f31 as D's, fcsr (struct __riscv_d_ext_state)
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

/* The saved state, newest; interrupts cannot take the task off the CPU in between. */
static void read_fpu(struct hal_task *task, struct fpu_state *out)
{
	unsigned long flags = hal_irq_save();

	if (task == arch_current())
		riscv64_fpu_sync(task);
	hal_irq_restore(flags);
	*out = task->arch.fpu;
	out->pad = 0;
}

static int fp_get(struct hal_task *task, void *buf)
{
	if (!fp_size(task))
		return -ENODEV;
	read_fpu(task, buf);
	return 0;
}

static int fp_set(struct hal_task *task, const void *buf, size_t len)
{
	struct fpu_state state;

	if (!fp_size(task))
		return -ENODEV;
	read_fpu(task, &state);
	memcpy(&state, buf, len);
	state.fcsr &= 0xff;
	state.pad = 0;
	riscv64_fpu_replace(task, &state);
	return 0;
}

static const struct hal_regset regsets[] = {
	{ NT_PRSTATUS, "CORE", 8, gp_size, gp_get, gp_set },
	{ NT_PRFPREG, "CORE", 8, fp_size, fp_get, fp_set },
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

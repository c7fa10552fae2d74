/* SPDX-License-Identifier: MIT */
/*
 * Who owns the floating-point and vector registers.
 *
 * Both units are off (sstatus.FS, VS) until a program first uses them. Then the state stays in the
 * registers across syscalls and interrupts; hal_task_switch() stores what is dirty, and the next
 * uctx_run() loads it again unless this CPU still holds it: percpu(fpu_owner) is the task whose state was
 * loaded last, fpu_cpu the CPU where a task's state was loaded last; they must agree. The same for the
 * vector unit. arch.used and arch.reload have a bit for each unit, so that a program that uses none pays
 * the test of one word.
 *
 * A vector register has riscv64_vlenb bytes; its area is allocated at the first use and goes with exec and
 * exit. A child begins without vector state: system calls need not keep it.
 *
 * No locking: a task's state belongs to the task, to its creator before it first runs, or to its tracer
 * while it is stopped. What is said to be for the current task may not sleep in between.
 * Source: RISC-V Unprivileged ISA 20240411 chapter 30 (V); Privileged ISA 3.1.6.6 (FS, VS, SD); Linux
 * Documentation/arch/riscv/vector.rst (prctl).
 */
#include <arch/csr.h>
#include <arch/trap.h>
#include <compiler.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/upcall.h>
#include <lib/string.h>

#define UNIT_NOWHERE (~0U)

/* PR_RISCV_V_SET_CONTROL: two bits for this program, two for the next, and whether those stay. */
#define V_CTRL_MASK    0x1fUL
#define V_CTRL_CUR(c)  ((c) & 3)
#define V_CTRL_NEXT(c) ((c) >> 2 & 3)
#define V_CTRL_INHERIT 0x10UL
enum { V_CTRL_DEFAULT, V_CTRL_OFF, V_CTRL_ON };

unsigned long riscv64_vlenb;
/* /proc/sys/abi/riscv_v_default_allow is 0: new programs may not use vectors. */
static bool default_off;

static DEFINE_PERCPU(struct hal_task *, fpu_owner);
static DEFINE_PERCPU(struct hal_task *, v_owner);

/* sstatus.FS and VS are the current task's: what its next instructions in user mode find. */
static void set_units(unsigned long mask, unsigned long state)
{
	csr_clear(sstatus, mask);
	csr_set(sstatus, state);
}

static bool has_fpu(void)
{
	return riscv64_isa_letters & BIT('d' - 'a');
}

void riscv64_fpu_sync(struct hal_task *task)
{
	unsigned long status = csr_read(sstatus);

	if (!(status & SR_SD))
		return;
	if ((status & SR_FS) == SR_FS_DIRTY) {
		riscv64_fpu_store(&task->arch.fpu);
		set_units(SR_FS, SR_FS_CLEAN);
	}
	if ((status & SR_VS) == SR_VS_DIRTY) {
		riscv64_v_store(&task->arch.v, task->arch.v_data);
		set_units(SR_VS, SR_VS_CLEAN);
	}
}

/* From uctx_run(): the current task is about to use registers that do not hold its state. */
void riscv64_fpu_reload(void)
{
	struct hal_task *task = arch_current();

	if (task->arch.reload & USE_FPU) {
		set_units(SR_FS, SR_FS_CLEAN);
		riscv64_fpu_load(&task->arch.fpu);
		set_units(SR_FS, SR_FS_CLEAN);
		task->arch.fpu_cpu = hal_cpu_id();
		percpu(fpu_owner) = task;
	}
	if (task->arch.reload & USE_V) {
		set_units(SR_VS, SR_VS_CLEAN);
		riscv64_v_load(&task->arch.v, task->arch.v_data);
		set_units(SR_VS, SR_VS_CLEAN);
		task->arch.v_cpu = hal_cpu_id();
		percpu(v_owner) = task;
	}
	task->arch.reload = 0;
}

void riscv64_fpu_switch(struct hal_task *prev, struct hal_task *next)
{
	u32 used = next->arch.used;

	if (prev->arch.used != used)
		set_units(SR_FS | SR_VS, (used & USE_FPU ? SR_FS_CLEAN : SR_FS_OFF) |
						 (used & USE_V ? SR_VS_CLEAN : SR_VS_OFF));
	if (!used)
		return;
	if (percpu(fpu_owner) != next || next->arch.fpu_cpu != hal_cpu_id())
		next->arch.reload |= used & USE_FPU;
	if (percpu(v_owner) != next || next->arch.v_cpu != hal_cpu_id())
		next->arch.reload |= used & USE_V;
}

/* What the registers hold is stale now. */
void riscv64_fpu_drop(struct hal_task *task)
{
	if (task == arch_current())
		set_units(SR_FS, SR_FS_CLEAN);
}

void riscv64_fpu_replaced(struct hal_task *task)
{
	task->arch.used |= USE_FPU;
	task->arch.reload |= USE_FPU;
	task->arch.fpu_cpu = UNIT_NOWHERE;
}

void riscv64_fpu_replace(struct hal_task *task, const struct fpu_state *state)
{
	if (!has_fpu())
		return;
	riscv64_fpu_drop(task);
	task->arch.fpu = *state;
	riscv64_fpu_replaced(task);
}

/* ---- First use ---- */

static bool fpu_first_use(struct hal_task *task)
{
	if (!has_fpu() || task->arch.used & USE_FPU)
		return false;
	set_units(SR_FS, SR_FS_CLEAN);
	task->arch.used |= USE_FPU;
	task->arch.reload |= USE_FPU;
	return true;
}

/* Vector arithmetic, vector cryptography, loads and stores of vector width, the unit's CSRs. */
static bool is_vector(u32 insn)
{
	u32 width = insn >> 12 & 7, csr = insn >> 20;

	switch (insn & 0x7f) {
	case 0x57:
	case 0x77:
		return true;
	case 0x07:
	case 0x27:
		return width == 0 || width >= 5;
	case 0x73:
		return width && ((csr >= 0x008 && csr <= 0x00a) || csr == 0x00f ||
				 (csr >= 0xc20 && csr <= 0xc22));
	default:
		return false;
	}
}

static size_t v_size(void)
{
	return 32 * riscv64_vlenb;
}

static int v_first_use(struct hal_task *task)
{
	if (!riscv64_vlenb || task->arch.used & USE_V || V_CTRL_CUR(task->arch.v_ctrl) != V_CTRL_ON)
		return 0;
	task->arch.v_data = upcall_state_alloc(v_size());
	if (!task->arch.v_data)
		return -ENOMEM;
	task->arch.v = (struct v_header){ .vlenb = riscv64_vlenb };
	set_units(SR_VS, SR_VS_CLEAN);
	task->arch.used |= USE_V;
	task->arch.reload |= USE_V;
	return 1;
}

int riscv64_unit_first_use(struct hal_task *task, u32 insn)
{
	int r = is_vector(insn) ? v_first_use(task) : 0;

	return r ? r : fpu_first_use(task);
}

/* ---- Vector state from outside ---- */

size_t riscv64_v_used_size(const struct hal_task *task)
{
	return task->arch.used & USE_V ? v_size() : 0;
}

/* The current task's registers are not worth saving any more: the caller writes v and v_data. */
void riscv64_v_drop(struct hal_task *task)
{
	if (task == arch_current())
		set_units(SR_VS, SR_VS_CLEAN);
}

void riscv64_v_replaced(struct hal_task *task)
{
	task->arch.v.vlenb = riscv64_vlenb;
	task->arch.reload |= USE_V;
	task->arch.v_cpu = UNIT_NOWHERE;
}

/* ---- Vectors for the kernel ---- */

/* The registers' content is kept in memory meanwhile, and loaded again on the way to user mode. */
void riscv64_v_borrow(void)
{
	struct hal_task *task = arch_current();

	if ((csr_read(sstatus) & SR_VS) == SR_VS_DIRTY)
		riscv64_v_store(&task->arch.v, task->arch.v_data);
	set_units(SR_VS, SR_VS_CLEAN);
}

void riscv64_v_give_back(void)
{
	struct hal_task *task = arch_current();
	bool used = task->arch.used & USE_V;

	percpu(v_owner) = NULL;
	set_units(SR_VS, used ? SR_VS_CLEAN : SR_VS_OFF);
	if (used)
		task->arch.reload |= USE_V;
}

long riscv64_v_get_control(const struct hal_task *task)
{
	return riscv64_vlenb ? (long)task->arch.v_ctrl : -EINVAL;
}

/* What V_CTRL_CUR of the task's next program will be. */
static u32 next_control(const struct hal_task *task)
{
	u32 next = V_CTRL_NEXT(task->arch.v_ctrl);

	if (next == V_CTRL_DEFAULT)
		return READ_ONCE(default_off) ? V_CTRL_OFF : V_CTRL_ON;
	return next;
}

/* Whether the program that the current task is about to execute may use the unit. */
bool riscv64_v_next_allowed(void)
{
	return riscv64_vlenb && next_control(arch_current()) == V_CTRL_ON;
}

int hal_abi_number(void)
{
	return riscv64_vlenb ? !READ_ONCE(default_off) : -EINVAL;
}

int hal_abi_number_set(int value)
{
	if (!riscv64_vlenb)
		return -EINVAL;
	WRITE_ONCE(default_off, !value);
	return 0;
}

long riscv64_v_set_control(struct hal_task *task, unsigned long arg)
{
	unsigned long cur = V_CTRL_CUR(arg);

	if (!riscv64_vlenb || arg & ~V_CTRL_MASK)
		return -EINVAL;
	if (cur == V_CTRL_OFF && V_CTRL_CUR(task->arch.v_ctrl) != V_CTRL_OFF)
		return -EPERM; /* the program's libraries have seen the unit */
	if (cur > V_CTRL_ON || V_CTRL_NEXT(arg) > V_CTRL_ON)
		return -EINVAL;
	if (cur == V_CTRL_DEFAULT)
		arg |= V_CTRL_CUR(task->arch.v_ctrl);
	task->arch.v_ctrl = (u32)arg;
	return 0;
}

/* ---- Beginnings and ends ---- */

static void v_free(struct hal_task *task)
{
	if (task->arch.v_data)
		upcall_state_free(task->arch.v_data, v_size());
	task->arch.v_data = NULL;
}

void riscv64_fpu_exec(struct hal_task *task)
{
	u32 cur = next_control(task);

	set_units(SR_FS | SR_VS, SR_FS_OFF | SR_VS_OFF);
	memset(&task->arch.fpu, 0, sizeof(task->arch.fpu));
	v_free(task);
	task->arch.used = 0;
	task->arch.reload = 0;
	task->arch.fpu_cpu = UNIT_NOWHERE;
	task->arch.v_cpu = UNIT_NOWHERE;
	if (!(task->arch.v_ctrl & V_CTRL_INHERIT))
		task->arch.v_ctrl = cur;
	else
		task->arch.v_ctrl = (task->arch.v_ctrl & ~3U) | cur;
}

void riscv64_fpu_fork(struct hal_task *child, struct hal_task *parent)
{
	if (parent->arch.used & USE_FPU) {
		riscv64_fpu_sync(parent);
		child->arch.fpu = parent->arch.fpu;
	}
	child->arch.used = parent->arch.used & USE_FPU;
	child->arch.reload = child->arch.used;
	child->arch.fpu_cpu = UNIT_NOWHERE;
	child->arch.v_cpu = UNIT_NOWHERE;
	child->arch.v_data = NULL;
	child->arch.v_ctrl = parent->arch.v_ctrl;
}

void riscv64_fpu_exit(struct hal_task *task)
{
	v_free(task);
	task->arch.used = 0;
}

/* Before any program: how long the registers are, if there are any. */
void riscv64_v_init(void)
{
	if (!(riscv64_isa_letters & BIT('v' - 'a')))
		return;
	set_units(SR_VS, SR_VS_CLEAN);
	riscv64_vlenb = riscv64_read_vlenb();
	set_units(SR_VS, SR_VS_OFF);
}

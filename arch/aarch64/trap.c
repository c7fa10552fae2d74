/* SPDX-License-Identifier: MIT */
/*
 * What exceptions mean.
 *
 * aarch64_user_trap() turns an exception from EL0 into the reason and the event that uctx_run()
 * returns; aarch64_kernel_sync() mends faults of the user-copy functions and reports everything else.
 * Called from trap_asm.S with interrupts off. Source: Arm ARM D24.2.40 (ESR_EL1); which si_code goes
 * with what: Linux's arm64 fault table.
 */
#include <arch/layout.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <hal/extable.h>
#include <hal/irq.h>
#include <hal/upcall.h>
#include <lib/string.h>

/* Fault status codes, without the level. */
#define FSC_TYPE(esr)	(ESR_FSC(esr) & 0x3c)
#define FSC_TRANSLATION 0x04
#define FSC_ACCESS	0x08
#define FSC_PERMISSION	0x0c
#define FSC_ALIGNMENT	0x21

/* Linux's si_code values; 0 leaves the choice to the kernel. */
enum {
	CODE_MAPERR = 1,
	CODE_ACCERR = 2,
	CODE_FLTDIV = 3,
	CODE_FLTOVF = 4,
	CODE_FLTUND = 5,
	CODE_FLTRES = 6,
	CODE_FLTINV = 7,
	CODE_FLTUNK = 14,
	CODE_TRACE = 2,
	CODE_HWBKPT = 4,
};

/* The address without the tag in its top byte (TBI). */
static u64 untag(u64 addr)
{
	return (u64)((s64)(addr << 8) >> 8);
}

static bool is_page_fault(u64 esr)
{
	u64 type = FSC_TYPE(esr);

	return type == FSC_TRANSLATION || type == FSC_ACCESS || type == FSC_PERMISSION;
}

/* Cache maintenance reports itself as a write but only needs to read. */
static unsigned int data_access(u64 esr)
{
	return (esr & ESR_WNR) && !(esr & ESR_CM) ? UCTX_WRITE : UCTX_READ;
}

static enum uctx_reason exception(struct uctx_event *ev, enum uctx_exception kind, int code)
{
	ev->kind = kind;
	ev->code = code;
	return UCTX_EXCEPTION;
}

static enum uctx_reason user_abort(struct hal_task *task, u64 esr, struct uctx_event *ev,
				   unsigned int access)
{
	task->arch.fault_addr = ev->addr;
	task->arch.fault_esr = esr;
	ev->access = access;
	if (is_page_fault(esr) && ev->addr < USER_END)
		return UCTX_PAGE_FAULT;
	if (is_page_fault(esr))
		return exception(ev, UCTX_EXC_ACCESS,
				 FSC_TYPE(esr) == FSC_PERMISSION ? CODE_ACCERR : CODE_MAPERR);
	if (ESR_FSC(esr) == FSC_ALIGNMENT)
		return exception(ev, UCTX_EXC_MISALIGNED, 0);
	return exception(ev, UCTX_EXC_ACCESS, 0);
}

/* Trapped IEEE exceptions; the flags are valid only with TFV. */
static int fp_trap_code(u64 esr)
{
	if (!(esr & (1 << 23)))
		return CODE_FLTUNK;
	if (esr & (1 << 0))
		return CODE_FLTINV;
	if (esr & (1 << 1))
		return CODE_FLTDIV;
	if (esr & (1 << 2))
		return CODE_FLTOVF;
	if (esr & (1 << 3))
		return CODE_FLTUND;
	return esr & (1 << 4) ? CODE_FLTRES : CODE_FLTUNK;
}

static enum uctx_reason sve_access(struct hal_task *task, struct uctx_event *ev)
{
	int r = aarch64_sve_trap(task);

	if (r > 0)
		return UCTX_INTERRUPT;
	ev->addr = task->uctx.pc;
	return exception(ev, r < 0 ? UCTX_EXC_ACCESS : UCTX_EXC_ILLEGAL, 0);
}

/*
 * A memory copy or set (prologue, main, epilogue, one behind another) goes on upon a CPU that does it in the other of
 * the two ways, which keep their progress differently: make of it what the prologue expects for the rest, and go back
 * there. Source: Arm ARM, MOPSExceptionSyndrome and "exceptions from memory copy and set instructions".
 */
static enum uctx_reason mops_restart(struct hal_task *task, u64 esr)
{
	u64 *x = task->uctx.x;
	unsigned int dst = esr >> 10 & 31, src = esr >> 5 & 31, size = esr & 31;
	bool option_a = !(esr & ESR_MOPS_OPTION_A) != !(esr & ESR_MOPS_WRONG_OPTION);
	bool copy = !(esr & ESR_MOPS_SET);

	if (dst == 31 || size == 31 || (copy && src == 31)) /* no such instruction */
		return UCTX_UNKNOWN;
	if (option_a && (!copy || (s64)x[size] < 0)) {
		/* The registers stand at the end, the size counts up to 0. */
		x[dst] += x[size];
		if (copy)
			x[src] += x[size];
		x[size] = -x[size];
	} else if (!option_a && copy && (task->uctx.pstate & PSR_N)) {
		/* Downwards: they stand at the end of what is left. */
		x[dst] -= x[size];
		x[src] -= x[size];
	}
	task->uctx.pc -= esr & ESR_MOPS_EPILOGUE ? 8 : 4;
	/* Of who is stepped, the step ends before the prologue. */
	task->uctx.pstate &= ~(u64)PSR_SS;
	return UCTX_INTERRUPT;
}

static enum uctx_reason user_exception(struct hal_task *task, u64 esr, struct uctx_event *ev)
{
	switch (ESR_EC(esr)) {
	case EC_DABT_EL0:
		return user_abort(task, esr, ev, data_access(esr));
	case EC_IABT_EL0:
		return user_abort(task, esr, ev, UCTX_EXEC);
	case EC_FP_ACCESS:
		aarch64_fp_trap(task);
		return UCTX_INTERRUPT;
	case EC_SVE:
		return sve_access(task, ev);
	case EC_UNKNOWN:
	case EC_SYSREG:
	case EC_SME:
	case EC_ILL_STATE:
		ev->addr = task->uctx.pc;
		return exception(ev, UCTX_EXC_ILLEGAL, 0);
	case EC_MOPS:
		return mops_restart(task, esr);
	case EC_PC_ALIGN:
	case EC_SP_ALIGN:
		ev->addr = ESR_EC(esr) == EC_SP_ALIGN ? task->uctx.sp : task->uctx.pc;
		return exception(ev, UCTX_EXC_MISALIGNED, 0);
	case EC_FP_TRAP:
		ev->addr = task->uctx.pc;
		return exception(ev, UCTX_EXC_ARITH, fp_trap_code(esr));
	case EC_BRK64:
		ev->addr = task->uctx.pc;
		return exception(ev, UCTX_EXC_BREAKPOINT, 0);
	case EC_BREAK_EL0:
	case EC_STEP_EL0:
		ev->addr = task->uctx.pc;
		return exception(ev, UCTX_EXC_DEBUG,
				 ESR_EC(esr) == EC_STEP_EL0 ? CODE_TRACE : CODE_HWBKPT);
	case EC_WATCH_EL0: /* before the access; FAR has its address */
		return exception(ev, UCTX_EXC_DEBUG, CODE_HWBKPT);
	default:
		return UCTX_UNKNOWN;
	}
}

long aarch64_user_trap(struct hal_task *task, u64 esr, u64 far)
{
	struct uctx_event *ev = &task->event;
	enum uctx_reason reason;

	ev->addr = untag(far);
	ev->tag = far ^ ev->addr;
	ev->raw[0] = esr;
	ev->raw[1] = far;
	ev->raw[2] = task->uctx.pstate;
	reason = user_exception(task, esr, ev);
	if (reason == UCTX_EXCEPTION)
		task->arch.fault_esr = 0;
	hal_irq_enable();
	return reason;
}

long aarch64_user_irq(struct hal_task *task)
{
	hal_irq_root();
	hal_irq_enable();
	return UCTX_INTERRUPT;
}

static void irq_root(unsigned long unused)
{
	(void)unused;
	hal_irq_root();
}

void aarch64_kernel_irq(const struct kframe *f)
{
	hal_interrupted_set(f->pc, f->x[29]);
	hal_irq_on_stack(irq_root, 0);
	hal_interrupted_set(0, 0);
}

/* An error that the memory system reports late. It cannot be said whose it is. */
long aarch64_user_serror(struct hal_task *task, u64 esr)
{
	struct uctx_event *ev = &task->event;

	ev->addr = task->uctx.pc;
	ev->raw[0] = esr;
	ev->raw[1] = 0;
	ev->raw[2] = task->uctx.pstate;
	hal_irq_enable();
	return exception(ev, UCTX_EXC_ACCESS, 0);
}

/* ---- Kernel mode ---- */

static void print_address(unsigned long ip)
{
	klog(0, "  %016lx\n", ip);
}

static void print_frame(const struct kframe *f, u64 esr, u64 far)
{
	klog(0, "pc %016llx lr %016llx sp %016llx pstate %08llx\n", f->pc, f->x[30], f->sp,
	     f->pstate);
	klog(0, "esr %08llx far %016llx cpu %u task %p\n", esr, far, hal_cpu_id(),
	     (void *)arch_current());
	for (unsigned int i = 0; i < 30; i += 3)
		klog(0, "x%-2u %016llx x%-2u %016llx x%-2u %016llx\n", i, f->x[i], i + 1,
		     f->x[i + 1], i + 2, f->x[i + 2]);
	arch_backtrace(f->x[29], print_address);
}

/* Bit 55 chooses the table. A word that begins below USER_END may end above it. */
static bool is_kernel_address(u64 addr)
{
	return addr >> 55 & 1;
}

/* A user-copy function touched a user address. Return: the instruction may go on. */
static bool mend_user_copy(struct kframe *f, u64 esr, u64 addr)
{
	unsigned long fixup = extable_fixup(f->pc);
	bool mended;

	if (!fixup)
		return false;
	mended = false;
	if (is_page_fault(esr) && addr < USER_END) {
		if (!(f->pstate & PSR_I))
			hal_irq_enable();
		mended = upcall_kernel_fault(addr, data_access(esr));
		hal_irq_disable();
	}
	if (!mended)
		f->pc = fixup;
	return true;
}

static const char *access_name(u64 esr)
{
	if (ESR_EC(esr) == EC_IABT_EL1)
		return "execute";
	return data_access(esr) == UCTX_WRITE ? "write" : "read";
}

/* A breakpoint is offered to the kernel's probes. The frame is what a context begins with; no more of it is looked at. */
static bool kernel_break(struct kframe *f)
{
	static_assert(offsetof(struct kframe, sp) == offsetof(struct uctx, sp) &&
		      offsetof(struct kframe, pc) == offsetof(struct uctx, pc) &&
		      offsetof(struct kframe, pstate) == offsetof(struct uctx, pstate));
	return upcall_kernel_break((struct uctx *)f);
}

void aarch64_kernel_sync(struct kframe *f, u64 esr, u64 far)
{
	u64 addr = untag(far);

	if (ESR_EC(esr) == EC_BRK64 && kernel_break(f))
		return;

	if (ESR_EC(esr) == EC_DABT_EL1 && !is_kernel_address(addr) && mend_user_copy(f, esr, addr))
		return;
	/* A copy that slept in a fault and went on on another kind of CPU, which cannot use what the first one left in the registers. */
	if (ESR_EC(esr) == EC_MOPS && extable_fixup(f->pc)) {
		f->pc = extable_fixup(f->pc);
		return;
	}
	print_frame(f, esr, far);
	if (ESR_EC(esr) == EC_DABT_EL1 || ESR_EC(esr) == EC_IABT_EL1)
		panic("kernel fault at %016llx (%s), pc %016llx", addr, access_name(esr), f->pc);
	if (ESR_EC(esr) == EC_BRK64)
		panic("trap instruction %#x at pc %016llx (undefined behaviour, or unreachable)",
		      (unsigned int)(esr & 0xffff), f->pc);
	panic("unexpected exception in the kernel, class %#x, pc %016llx",
	      (unsigned int)ESR_EC(esr), f->pc);
}

__noreturn void aarch64_stack_overflow(struct kframe *f, u64 esr, u64 far)
{
	print_frame(f, esr, far);
	panic("kernel stack overflow: sp %016llx, pc %016llx", f->sp, f->pc);
}

__noreturn void aarch64_unexpected(struct kframe *f, u64 esr, u64 far)
{
	print_frame(f, esr, far);
	panic("unexpected exception, class %#x, pc %016llx", (unsigned int)ESR_EC(esr), f->pc);
}

/* Whether the kernel can read the word at @addr. */
static bool readable(unsigned long addr)
{
	u64 par;

	if ((addr & 7) || addr < LINEAR_BASE)
		return false;
	__asm__ __volatile__("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1"
			     : "=r"(par)
			     : "r"(addr)
			     : "memory");
	return !(par & 1);
}

/* A frame record is {older frame pointer, return address}; older ones lie higher, or on the stack that was interrupted. */
void arch_backtrace(unsigned long fp, void (*fn)(unsigned long ip))
{
	for (unsigned int depth = 0; depth < 32 && readable(fp) && readable(fp + 8); depth++) {
		const unsigned long *record = (const unsigned long *)fp;

		if (!record[1])
			return;
		fn(record[1]);
		if (record[0] <= fp && (!hal_in_irq_stack(fp) || hal_in_irq_stack(record[0])))
			return;
		fp = record[0];
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * The C half of trap.S: decoding traps from user mode for uctx_run(), handling interrupts, and faults
 * of the kernel itself. Also what hangs on them: task switch, idling, per-CPU set-up.
 *
 * Everything here runs with interrupts off unless it says otherwise. Signal codes follow Linux's
 * arch/loongarch traps as described in spec/user-task-loop.md.
 */
#include <arch/layout.h>
#include <arch/trap.h>
#include <hal/cpu.h>
#include <hal/extable.h>
#include <hal/irq.h>
#include <hal/paging.h>
#include <hal/uctx.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <uapi/signal.h>

static_assert(offsetof(struct uctx, era) == UCTX_ERA);
static_assert(offsetof(struct uctx, orig_a0) == UCTX_ORIG_A0);
static_assert(offsetof(struct uctx, in_syscall) == UCTX_IN_SYSCALL);
static_assert(offsetof(struct hal_task, uctx) == 0);
static_assert(offsetof(struct hal_task, arch.fpu) == TASK_FPU);
static_assert(offsetof(struct hal_task, arch.sp) == TASK_SP);
static_assert(offsetof(struct hal_task, arch.run_sp) == TASK_RUN_SP);
static_assert(offsetof(struct hal_task, arch.run_fp) == TASK_RUN_FP);
static_assert(offsetof(struct hal_task, arch.run_ra) == TASK_RUN_RA);
static_assert(offsetof(struct hal_task, arch.stack_low) == TASK_STACK_LOW);
static_assert(offsetof(struct hal_task, arch.estat) == TASK_ESTAT);
static_assert(offsetof(struct hal_task, arch.badv) == TASK_BADV);
static_assert(offsetof(struct hal_task, arch.badi) == TASK_BADI);
static_assert(offsetof(struct hal_task, arch.entry_work) == TASK_ENTRY_WORK);
static_assert(offsetof(struct hal_task, arch.irq_off) == TASK_IRQ_OFF);
static_assert(offsetof(struct hal_task, arch.irq_masked) == TASK_IRQ_MASKED);
static_assert(offsetof(struct fpu_state, fcc) == FPU_FCC);
static_assert(offsetof(struct fpu_state, fcsr) == FPU_FCSR);
static_assert(offsetof(struct trap_frame, prmd) == FRAME_PRMD);
static_assert(offsetof(struct trap_frame, estat) == FRAME_ESTAT);
static_assert(offsetof(struct trap_frame, badv) == FRAME_BADV);
static_assert(sizeof(struct trap_frame) == FRAME_SIZE);

/* Codes of the break instruction that compilers emit for checks they insert. */
#define BRK_OVERFLOW 6
#define BRK_DIVZERO  7
#define BRK_CODE_MASK 0x7fff

/* FCSR cause bits. */
#define FCSR_CAUSE_INVALID   (1U << 28)
#define FCSR_CAUSE_DIVZERO   (1U << 27)
#define FCSR_CAUSE_OVERFLOW  (1U << 26)
#define FCSR_CAUSE_UNDERFLOW (1U << 25)
#define FCSR_CAUSE_INEXACT   (1U << 24)

/* The boot CPU's task until hal_set_current(). */
struct hal_task arch_boot_task;

DEFINE_PERCPU(u8, arch_overflow_stack[OVERFLOW_STACK_SIZE]) __aligned(16);

static unsigned int ecode(unsigned long estat)
{
	return estat >> ESTAT_ECODE_SHIFT & ESTAT_ECODE_MASK;
}

static unsigned int esubcode(unsigned long estat)
{
	return estat >> ESTAT_ESUBCODE_SHIFT & ESTAT_ESUBCODE_MASK;
}

static void handle_interrupts(unsigned long estat)
{
	unsigned long pending = estat & csr_read(CSR_ECFG) & INT_MASK;

	if (pending & BIT(INT_IPI))
		machine_ipi();
	if (pending & BIT(INT_TIMER))
		arch_timer_interrupt();
	if (pending & ~(BIT(INT_IPI) | BIT(INT_TIMER)))
		hal_irq_root();
}

/* What a page exception says about the access. PPI does not say it: a store is assumed to be a load. */
static unsigned int fault_access(unsigned int code, unsigned long ip, unsigned long badv)
{
	switch (code) {
	case EXC_PIS:
	case EXC_PME:
		return UCTX_WRITE;
	case EXC_PIF:
	case EXC_PNX:
		return UCTX_EXEC;
	case EXC_PPI:
		return ip == badv ? UCTX_EXEC : UCTX_READ;
	default:
		return UCTX_READ;
	}
}

static int fpe_code(u32 causes)
{
	if (causes & FCSR_CAUSE_INVALID)
		return FPE_FLTINV;
	if (causes & FCSR_CAUSE_DIVZERO)
		return FPE_FLTDIV;
	if (causes & FCSR_CAUSE_OVERFLOW)
		return FPE_FLTOVF;
	if (causes & FCSR_CAUSE_UNDERFLOW)
		return FPE_FLTUND;
	if (causes & FCSR_CAUSE_INEXACT)
		return FPE_FLTRES;
	return FPE_FLTUNK;
}

static void decode_break(const struct hal_task *task, struct uctx_event *ev)
{
	unsigned int code = task->arch.badi & BRK_CODE_MASK;

	ev->kind = UCTX_EXC_BREAKPOINT;
	ev->code = TRAP_BRKPT;
	if (code == BRK_DIVZERO || code == BRK_OVERFLOW) {
		ev->kind = UCTX_EXC_ARITH;
		ev->code = code == BRK_DIVZERO ? FPE_INTDIV : FPE_INTOVF;
	}
	ev->addr = task->uctx.era;
}

static void event_exception(struct uctx_event *ev, enum uctx_exception kind, int code, uaddr_t addr)
{
	ev->kind = kind;
	ev->code = code;
	ev->addr = addr;
}

static enum uctx_reason decode_exception(struct hal_task *task, struct uctx_event *ev)
{
	unsigned long ip = task->uctx.era, badv = task->arch.badv;

	switch (ecode(task->arch.estat)) {
	case EXC_ADE:
		/* Linux: SIGBUS, which is what the kind "misaligned" becomes; the code tells them apart. */
		event_exception(ev, UCTX_EXC_MISALIGNED, BUS_ADRERR, badv);
		break;
	case EXC_ALE:
		event_exception(ev, UCTX_EXC_MISALIGNED, BUS_ADRALN, badv);
		break;
	case EXC_BCE:
		event_exception(ev, UCTX_EXC_ACCESS, SEGV_BNDERR, badv);
		break;
	case EXC_BRK:
		decode_break(task, ev);
		break;
	case EXC_SYS: /* cannot be: it has a vector of its own */
		return UCTX_UNKNOWN;
	case EXC_INE:
	case EXC_FPD:
	case EXC_SXD:
	case EXC_ASXD:
		event_exception(ev, UCTX_EXC_ILLEGAL, ILL_ILLOPC, ip);
		break;
	case EXC_IPE:
		event_exception(ev, UCTX_EXC_ILLEGAL, ILL_PRVOPC, ip);
		break;
	case EXC_FPE:
		event_exception(ev, UCTX_EXC_ARITH, fpe_code(arch_fpu_take_causes(task)), ip);
		break;
	case EXC_WPE:
		event_exception(ev, UCTX_EXC_DEBUG, TRAP_HWBKPT, ip);
		break;
	default:
		return UCTX_UNKNOWN;
	}
	return UCTX_EXCEPTION;
}

static int user_page_fault(struct hal_task *task, struct uctx_event *ev, unsigned int code)
{
	unsigned int access = fault_access(code, task->uctx.era, task->arch.badv);

	task->arch.tlb_load = task->arch.badv < USER_END;
	if (arch_tlb_fault_is_stale(task->arch.badv, access, true))
		return TRAP_RESUME;
	ev->addr = task->arch.badv;
	ev->access = access;
	return UCTX_PAGE_FAULT;
}

/* First use of the FPU or a vector unit, which is not an event for the kernel. */
static bool is_fpu_first_use(struct hal_task *task, unsigned int code)
{
	switch (code) {
	case EXC_FPD:
		return arch_fpu_raise(task, FPU_FP);
	case EXC_SXD:
		return arch_fpu_raise(task, FPU_LSX);
	case EXC_ASXD:
		return arch_fpu_raise(task, FPU_LASX);
	default:
		return false;
	}
}

/* What entry_work says, the last thing before user mode. */
void arch_before_user(struct hal_task *task)
{
	if (task->arch.fpu_load)
		arch_fpu_load(task);
	if (task->arch.tlb_load) {
		task->arch.tlb_load = 0;
		arch_tlb_load(task->arch.badv);
	}
}

/* A trap other than a syscall. Return: enum uctx_reason with interrupts on, or TRAP_RESUME with them off. */
int arch_trap_user(struct hal_task *task)
{
	struct uctx_event *ev = &task->event;
	unsigned long estat = task->arch.estat;
	unsigned int code = ecode(estat);
	int reason;

	task->arch.irq = IRQ_OFF_MASKED;
	if (code == EXC_INT) {
		handle_interrupts(estat);
		hal_irq_enable();
		return UCTX_INTERRUPT;
	}
	if (is_fpu_first_use(task, code))
		return TRAP_RESUME;
	ev->raw[0] = estat;
	ev->raw[1] = task->arch.badv;
	ev->raw[2] = task->arch.badi;
	if (code >= EXC_PIL && code <= EXC_PPI)
		reason = user_page_fault(task, ev, code);
	else
		reason = decode_exception(task, ev);
	if (reason != TRAP_RESUME)
		hal_irq_enable();
	return reason;
}

/* The ip is not a user address: what user mode would have met there. As arch_trap_user(). */
int arch_bad_user_ip(struct hal_task *task)
{
	struct uctx_event *ev = &task->event;
	unsigned long ip = task->uctx.era;
	bool canonical = (long)(ip << 16) >> 16 == (long)ip;

	task->uctx.in_syscall = 0;
	task->arch.badv = ip;
	ev->raw[0] = (canonical ? EXC_PIF : EXC_ADE) << ESTAT_ECODE_SHIFT;
	ev->raw[1] = ip;
	ev->raw[2] = 0;
	hal_irq_enable();
	if (!canonical) {
		event_exception(ev, UCTX_EXC_MISALIGNED, BUS_ADRERR, ip);
		return UCTX_EXCEPTION;
	}
	ev->addr = ip;
	ev->access = UCTX_EXEC;
	return UCTX_PAGE_FAULT;
}

static __noreturn void kernel_panic(const struct trap_frame *f, const char *what)
{
	unsigned int i;

	klog(0, "%s: ip %016lx estat %08lx badv %016lx prmd %lx\n", what, f->u.era, f->estat,
	     f->badv, f->prmd);
	for (i = 0; i < 32; i += 4)
		klog(0, "r%-2u %016lx %016lx %016lx %016lx\n", i, f->u.regs[i], f->u.regs[i + 1],
		     f->u.regs[i + 2], f->u.regs[i + 3]);
	panic("%s at %016lx (called from %016lx), address %016lx", what, f->u.era,
	      f->u.regs[REG_RA], f->badv);
}

/* A user address, touched by one of the functions in usercopy.S. */
static void kernel_user_fault(struct trap_frame *f, unsigned int access, bool irqs_off)
{
	unsigned long fixup = extable_fixup(f->u.era);
	bool resolved;

	if (!fixup)
		kernel_panic(f, f->badv < PAGE_SIZE ? "kernel used a null pointer"
						    : "kernel touched user memory");
	if (!irqs_off)
		hal_irq_enable();
	resolved = upcall_kernel_fault(f->badv, access);
	hal_irq_disable();
	if (!resolved)
		f->u.era = fixup;
}

static void kernel_page_fault(struct trap_frame *f, bool irqs_off)
{
	unsigned int access = fault_access(ecode(f->estat), f->u.era, f->badv);

	if (arch_tlb_fault_is_stale(f->badv, access, false))
		return;
	if (f->badv < USER_END)
		kernel_user_fault(f, access, irqs_off);
	else
		kernel_panic(f, "kernel page fault");
}

/* A breakpoint: offered to the kernel's probes, which may change registers. */
static bool kernel_break(struct trap_frame *f)
{
	f->u.orig_a0 = 0;
	f->u.in_syscall = 0;
	return upcall_kernel_break(&f->u);
}

static void kernel_interrupt(struct trap_frame *f)
{
	if (f->u.era >= (unsigned long)arch_idle_start && f->u.era < (unsigned long)arch_idle_end)
		f->u.era = (unsigned long)arch_idle_end;
	hal_interrupted_set(f->u.era, f->u.regs[REG_FP]);
	hal_irq_on_stack(handle_interrupts, f->estat);
	hal_interrupted_set(0, 0);
}

static void kernel_exception(struct trap_frame *f, bool irqs_off)
{
	unsigned int code = ecode(f->estat);

	csr_write(0, CSR_KS_RETRY);
	if (code >= EXC_PIL && code <= EXC_PPI)
		kernel_page_fault(f, irqs_off);
	else if (code == EXC_BRK && kernel_break(f))
		return;
	else if (code == EXC_ADE)
		kernel_panic(f, esubcode(f->estat) ? "kernel address error"
						   : "kernel jump to nowhere");
	else
		kernel_panic(f, "kernel exception");
}

/* Returns with the CPU's interrupts off, as it was entered, and the task's flags as they were. */
void arch_trap_kernel(struct trap_frame *f)
{
	struct arch_thread *t = &arch_current()->arch;
	u16 irq = t->irq;

	t->irq = IRQ_OFF_MASKED;
	if (ecode(f->estat) == EXC_INT)
		kernel_interrupt(f);
	else
		kernel_exception(f, irq & 1);
	if (!t->irq_masked)
		arch_irq_mask();
	t->irq = irq;
}

void arch_stack_overflow(struct trap_frame *f)
{
	kernel_panic(f, "kernel stack overflow");
}

/* ---- Tasks ---- */

void hal_task_init_kernel(struct hal_task *task, void *stack, size_t size, void (*entry)(void *),
			  void *arg)
{
	unsigned long *frame = (unsigned long *)((char *)stack + size - 96);

	/* What arch_switch() loads: ra, fp, s0, s1, ... */
	frame[0] = (unsigned long)arch_task_start;
	frame[1] = 0;
	frame[2] = (unsigned long)entry;
	frame[3] = (unsigned long)arg;
	task->arch.irq_off = 1;
	task->arch.sp = (unsigned long)frame;
	task->arch.stack_low = (unsigned long)stack;
}

struct hal_task *hal_task_switch(struct hal_task *prev, struct hal_task *next)
{
	arch_fpu_switch_out(prev);
	return arch_switch(prev, next);
}

void hal_set_current(struct hal_task *task)
{
	task->arch.irq = arch_current()->arch.irq;
	__asm__ __volatile__("move $tp, %0" ::"r"(task) : "memory");
}

void hal_cpu_idle(void)
{
	arch_idle();
}

void hal_cpu_halt(void)
{
	hal_irq_disable();
	csr_xchg(0, INT_MASK, CSR_ECFG);
	for (;;)
		__asm__ __volatile__("idle 0");
}

void arch_cpu_init(void)
{
	csr_write(0, CSR_KS_RETRY);
	csr_write(EXC_VS << 16 | BIT(INT_IPI) | BIT(INT_TIMER), CSR_ECFG);
	csr_write(0, CSR_EUEN);
	csr_write(0, CSR_TCFG);
	csr_write(TICLR_CLEAR, CSR_TICLR);
}

#define BACKTRACE_DEPTH 32
#define BACKTRACE_STACK 65536UL

/*
 * Return address at fp - 8, caller's fp at fp - 16, in builds that keep frame pointers. In others fp may be
 * anything: only what lies on the current stack is followed.
 */
void arch_backtrace(unsigned long fp, void (*fn)(unsigned long ip))
{
	unsigned long low = (unsigned long)__builtin_frame_address(0);

	if (!fp)
		fp = low;
	for (unsigned int depth = 0; depth < BACKTRACE_DEPTH; depth++) {
		const unsigned long *frame = (const unsigned long *)fp;

		if (fp < low || fp - low > BACKTRACE_STACK || fp % 8 || frame[-1] < KERNEL_BASE)
			return;
		fn(frame[-1] - 4);
		low = hal_in_irq_stack(fp - 1) && !hal_in_irq_stack(frame[-2] - 1) ? frame[-2]
										   : fp + 1;
		fp = frame[-2];
	}
}

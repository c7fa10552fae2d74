/* SPDX-License-Identifier: MIT */
/*
 * What traps mean: exceptions and interrupts of user code become events for uctx_run()'s caller;
 * those of the kernel are handled here or are the end.
 *
 * Called from trap_asm.S with interrupts off. Source: Intel SDM volume 3A chapter 6; si_code values as
 * Linux reports them.
 */
#include <arch/x86.h>
#include <hal/cpu.h>
#include <hal/extable.h>
#include <hal/paging.h>
#include <hal/uctx.h>
#include <hal/upcall.h>
#include <lib/string.h>

#define PF_PRESENT 1
#define PF_WRITE   2
#define PF_USER	   4
#define PF_FETCH   16

#define FPE_INTDIV 1
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define ILL_ILLOPN 2
#define SI_KERNEL  0x80

DEFINE_PERCPU(struct hal_task *, x86_current);
DEFINE_PERCPU(unsigned long, x86_percpu_offset);
DEFINE_PERCPU(u64, x86_kernel_sp);
DEFINE_PERCPU(u64, x86_scratch);

long x86_user_trap(unsigned int vector, struct hal_task *task);
long x86_bad_user_ip(struct hal_task *task);
unsigned int x86_ist_to_uctx(const struct uctx *regs, unsigned int vector);
void x86_kernel_trap(struct uctx *regs, unsigned int vector);

static unsigned int fault_access(u64 error)
{
	if (error & PF_FETCH)
		return UCTX_EXEC;
	return error & PF_WRITE ? UCTX_WRITE : UCTX_READ;
}

/* The si_code of unmasked exceptions: @pending are the flags that are raised and not masked. */
static int fpe_code(u32 pending)
{
	if (pending & 0x01)
		return FPE_FLTINV;
	if (pending & 0x04)
		return FPE_FLTDIV;
	if (pending & 0x08)
		return FPE_FLTOVF;
	if (pending & 0x12)
		return FPE_FLTUND;
	return pending & 0x20 ? FPE_FLTRES : 0;
}

static int x87_code(void)
{
	u16 status, control;

	__asm__ __volatile__("fnstsw %0\n\tfnstcw %1" : "=m"(status), "=m"(control));
	return fpe_code(status & ~control & 0x3f);
}

static int sse_code(void)
{
	u32 mxcsr;

	__asm__ __volatile__("stmxcsr %0" : "=m"(mxcsr));
	return fpe_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
}

static void set_exception(struct uctx_event *ev, enum uctx_exception kind, int code, uaddr_t addr)
{
	ev->kind = kind;
	ev->code = code;
	ev->addr = addr;
}

static void decode_exception(unsigned int vector, struct hal_task *task, struct uctx_event *ev)
{
	const struct uctx *u = &task->uctx;

	switch (vector) {
	case X86_VEC_DE:
		set_exception(ev, UCTX_EXC_ARITH, FPE_INTDIV, u->ip);
		break;
	case X86_VEC_MF:
		set_exception(ev, UCTX_EXC_ARITH, x87_code(), u->ip);
		break;
	case X86_VEC_XM:
		set_exception(ev, UCTX_EXC_ARITH, sse_code(), u->ip);
		break;
	case X86_VEC_BP:
		set_exception(ev, UCTX_EXC_BREAKPOINT, SI_KERNEL, u->ip);
		break;
	case X86_VEC_DB:
		set_exception(ev, UCTX_EXC_DEBUG, x86_debug_trap(task), u->ip);
		break;
	case X86_VEC_UD:
		set_exception(ev, UCTX_EXC_ILLEGAL, ILL_ILLOPN, u->ip);
		break;
	case X86_VEC_AC:
		set_exception(ev, UCTX_EXC_MISALIGNED, 0, 0);
		break;
	case X86_VEC_GP:
	case X86_VEC_SS:
	case X86_VEC_OF:
		set_exception(ev, UCTX_EXC_ACCESS, 0, 0);
		break;
	default:
		set_exception(ev, UCTX_EXC_OTHER, 0, u->ip);
		break;
	}
}

/* The raw facts, for the log and for the signal frame. */
static void note_trap(struct hal_task *task, struct uctx_event *ev, unsigned int vector, u64 error,
		      u64 addr)
{
	ev->raw[0] = addr;
	ev->raw[1] = error;
	ev->raw[2] = vector;
	task->arch.trap_no = vector;
	task->arch.trap_error = error;
	task->arch.trap_addr = addr;
}

long x86_user_trap(unsigned int vector, struct hal_task *task)
{
	struct uctx_event *ev = &task->event;
	struct uctx *u = &task->uctx;
	u64 error = u->orig_ax;
	enum uctx_reason reason = UCTX_EXCEPTION;

	u->orig_ax = ~0ULL;
	if (vector >= X86_VEC_PIC || vector == X86_VEC_NMI || vector == X86_VEC_MC) {
		x86_interrupt(vector);
		reason = UCTX_INTERRUPT;
	} else if (vector == X86_VEC_PF) {
		ev->addr = read_cr2();
		ev->access = fault_access(error);
		reason = UCTX_PAGE_FAULT;
	} else {
		decode_exception(vector, task, ev);
	}
	if (reason != UCTX_INTERRUPT)
		note_trap(task, ev, vector, error, reason == UCTX_PAGE_FAULT ? ev->addr : 0);
	hal_irq_enable();
	return reason;
}

/* uctx->ip is not a user address: what user mode would have met there. */
long x86_bad_user_ip(struct hal_task *task)
{
	struct uctx_event *ev = &task->event;
	u64 ip = task->uctx.ip;
	bool canonical = (s64)(ip << 16) >> 16 == (s64)ip;

	task->uctx.orig_ax = ~0ULL;
	note_trap(task, ev, canonical ? X86_VEC_PF : X86_VEC_GP, canonical ? PF_USER | PF_FETCH : 0,
		  canonical ? ip : 0);
	if (!canonical) {
		set_exception(ev, UCTX_EXC_ACCESS, 0, 0);
		return UCTX_EXCEPTION;
	}
	ev->addr = ip;
	ev->access = UCTX_EXEC;
	return UCTX_PAGE_FAULT;
}

/* A trap of user code that arrived on an exception stack: put its registers where the others are. Return: @vector. */
unsigned int x86_ist_to_uctx(const struct uctx *regs, unsigned int vector)
{
	struct uctx *u = &arch_current()->uctx;

	memcpy(&u->r15, &regs->r15, UCTX_TOP - offsetof(struct uctx, r15));
	return vector;
}

/* ---- Traps of the kernel ---- */

static const char *const trap_names[32] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound",
	"invalid opcode",
	"no FPU",
	"double fault",
	"9",
	"invalid TSS",
	"segment not present",
	"stack segment",
	"general protection",
	"page fault",
	"15",
	"x87 error",
	"alignment check",
	"machine check",
	"SIMD error",
	"virtualization",
	"control protection",
};

static void dump_regs(const struct uctx *r)
{
	klog(0, "ip  %016llx sp  %016llx flags %08llx cs %llx cpu %u\n", r->ip, r->sp, r->flags,
	     r->cs, hal_cpu_id());
	klog(0, "ax  %016llx bx  %016llx cx  %016llx dx  %016llx\n", r->ax, r->bx, r->cx, r->dx);
	klog(0, "si  %016llx di  %016llx bp  %016llx r8  %016llx\n", r->si, r->di, r->bp, r->r8);
	klog(0, "r9  %016llx r10 %016llx r11 %016llx r12 %016llx\n", r->r9, r->r10, r->r11, r->r12);
	klog(0, "r13 %016llx r14 %016llx r15 %016llx\n", r->r13, r->r14, r->r15);
	klog(0, "cr2 %016llx cr3 %016llx error %llx\n", read_cr2(), read_cr3(), r->orig_ax);
}

__noreturn static void fatal(const struct uctx *r, unsigned int vector)
{
	const struct hal_task *task = arch_current();
	u64 guard = task && task->arch.stack ? (u64)task->arch.stack - PAGE_SIZE : 0;
	u64 irq_guard = percpu(hal_irq_stack).low - PAGE_SIZE;
	const char *name = vector < 32 ? trap_names[vector] : NULL;

	dump_regs(r);
	if (vector == X86_VEC_DF && guard && read_cr2() - guard < PAGE_SIZE)
		panic("kernel stack overflow at ip %#llx", r->ip);
	if (vector == X86_VEC_DF && read_cr2() - irq_guard < PAGE_SIZE)
		panic("interrupt stack overflow at ip %#llx", r->ip);
	panic("%s in the kernel at ip %#llx", name ? name : "unexpected trap", r->ip);
}

/*
 * True if the faulting instruction is one of the user-copy functions': it goes on, here or at its fixup. With interrupts off nobody may sleep
 * for a page. A general protection fault is XRSTOR's, which was given a malformed area.
 */
static bool user_copy_fault(struct uctx *r, unsigned int vector)
{
	u64 addr = read_cr2();
	unsigned long fixup = extable_fixup(r->ip);
	bool resolved = false;

	if (!fixup)
		return false;
	if (vector == X86_VEC_PF && addr < USER_END && (r->flags & X86_FLAGS_IF)) {
		hal_irq_restore(r->flags);
		resolved = upcall_kernel_fault(addr, fault_access(r->orig_ax));
		hal_irq_disable();
	}
	if (!resolved)
		r->ip = fixup;
	return true;
}

static void irq_vector(unsigned long vector)
{
	x86_irq_vector((unsigned int)vector);
}

/* Of @r only what is up to ss: trap_asm.S. A breakpoint is offered to the kernel's probes. */
void x86_kernel_trap(struct uctx *r, unsigned int vector)
{
	if (vector >= X86_VEC_PIC || vector == X86_VEC_NMI) {
		hal_interrupted_set(r->ip, r->bp);
		if (vector == X86_VEC_NMI) /* on its own stack */
			x86_nmi();
		else
			hal_irq_on_stack(irq_vector, vector);
		hal_interrupted_set(0, 0);
	} else if (vector == X86_VEC_DB) {
		x86_debug_ignore(); /* a user watchpoint hit by a user copy */
	} else if (vector == X86_VEC_BP && upcall_kernel_break(r)) {
		return;
	} else if ((vector != X86_VEC_PF && vector != X86_VEC_GP) || !user_copy_fault(r, vector)) {
		fatal(r, vector);
	}
}

void x86_interrupt(unsigned int vector)
{
	switch (vector) {
	case X86_VEC_NMI:
		x86_nmi();
		break;
	case X86_VEC_MC:
		panic("machine check");
	default:
		x86_irq_vector(vector);
	}
}

/* ---- Backtrace ---- */

extern char __text_start[], __text_end[], boot_stack[], boot_stack_top[];

static bool is_text(unsigned long ip)
{
	return ip >= (unsigned long)__text_start + 8 && ip < (unsigned long)__text_end;
}

/* The end of the stack that holds @fp. */
static unsigned long stack_end(unsigned long fp)
{
	const struct hal_task *task = arch_current();

	if (fp >= (unsigned long)boot_stack && fp < (unsigned long)boot_stack_top)
		return (unsigned long)boot_stack_top;
	if (hal_in_irq_stack(fp))
		return percpu(hal_irq_stack).top;
	if (task && fp - (unsigned long)task->arch.stack < task->arch.stack_size)
		return (unsigned long)task->arch.stack + task->arch.stack_size;
	return ALIGN_UP(fp + 1, PAGE_SIZE);
}

#ifdef CONFIG_DEBUG
void arch_backtrace(unsigned long fp, void (*fn)(unsigned long ip))
{
	unsigned long end = stack_end(fp);

	for (unsigned int depth = 0; depth < 64 && fp && fp % 8 == 0 && fp + 16 <= end; depth++) {
		const unsigned long *frame = (const unsigned long *)fp;

		if (!is_text(frame[1]))
			break;
		fn(frame[1]);
		if (hal_in_irq_stack(fp) && !hal_in_irq_stack(frame[0]))
			end = stack_end(frame[0]);
		else if (frame[0] <= fp)
			break;
		fp = frame[0];
	}
}
#else
static bool after_call(unsigned long ip)
{
	const u8 *p = (const u8 *)ip;

	return p[-5] == 0xe8 || (p[-2] == 0xff && (p[-1] & 0x38) == 0x10) ||
	       (p[-3] == 0xff && (p[-2] & 0x38) == 0x10);
}

/* No frame pointers: every word that looks like a return address, stale ones included. */
void arch_backtrace(unsigned long fp, void (*fn)(unsigned long ip))
{
	unsigned long end = stack_end(fp);
	unsigned int found = 0;

	for (fp = ALIGN_DOWN(fp, 8UL); fp < end && found < 32; fp += 8) {
		unsigned long ip = *(const unsigned long *)fp;

		if (is_text(ip) && after_call(ip)) {
			fn(ip);
			found++;
		}
		if (fp == percpu(hal_irq_stack).top - 8) {
			fp = *(const unsigned long *)(fp + 8);
			end = stack_end(fp);
		}
	}
}
#endif

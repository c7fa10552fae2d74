/* SPDX-License-Identifier: MIT */
/*
 * Traps, in C: what user code did (riscv64_user_trap), what kernel code did (riscv64_kernel_trap).
 *
 * User traps become an enum uctx_reason and an event; the kernel's task loop acts on them. Kernel traps
 * are interrupts, page faults of the user-copy functions, or bugs.
 * Source: RISC-V Privileged Architecture, scause and stval; <hal/uctx.h>.
 *
 * No locking: everything here belongs to the trapping CPU or its current task.
 */
#include <arch/csr.h>
#include <arch/pte.h>
#include <arch/trap.h>
#include <compiler.h>
#include <hal/cpu.h>
#include <hal/extable.h>
#include <hal/irq.h>
#include <hal/paging.h>
#include <hal/pt_radix.h>
#include <hal/uctx.h>
#include <hal/upcall.h>
#include <lib/string.h>

#define SEGV_ACCERR 2 /* what Linux gives for access faults */
#define SI_KERNEL   0x80

static void interrupt(unsigned long cause)
{
	switch (cause & ~CAUSE_INTERRUPT) {
	case IRQ_TIMER:
		riscv64_timer_interrupt();
		break;
	case IRQ_SOFT:
		riscv64_ipi_interrupt();
		break;
	case IRQ_EXT:
		hal_irq_root();
		break;
	default: /* nothing else is enabled */
		panic("interrupt %lu from nowhere", cause & ~CAUSE_INTERRUPT);
	}
}

static unsigned int fault_access(unsigned long cause)
{
	switch (cause) {
	case CAUSE_INSN_PAGE:
		return UCTX_EXEC;
	case CAUSE_STORE_PAGE:
		return UCTX_WRITE;
	default:
		return UCTX_READ;
	}
}

static bool is_page_fault(unsigned long cause)
{
	return cause == CAUSE_INSN_PAGE || cause == CAUSE_LOAD_PAGE || cause == CAUSE_STORE_PAGE;
}

/*
 * A page that faults again right after it was resolved may be one whose old, invalid entry this CPU
 * remembers (see pte_publish()): forget it.
 */
static void fault_note(struct hal_task *task, uaddr_t addr)
{
	unsigned long page = addr & PAGE_MASK;

	if (task->arch.last_fault == page)
		__asm__ __volatile__("sfence.vma %0" ::"r"(page) : "memory");
	task->arch.last_fault = page;
}

static enum uctx_reason exception(struct uctx_event *ev, enum uctx_exception kind, int code)
{
	ev->kind = kind;
	ev->code = code;
	return UCTX_EXCEPTION;
}

/* CPUs and firmware need not say which instruction it was. The read may sleep. */
static u32 illegal_insn(const struct hal_task *task, const struct uctx_event *ev)
{
	u16 half[2] = { 0 };

	if (ev->addr)
		return (u32)ev->addr;
	hal_irq_enable();
	if (!hal_copy_from_user(&half[0], uctx_ip(&task->uctx), 2) && (half[0] & 3) == 3 &&
	    hal_copy_from_user(&half[1], uctx_ip(&task->uctx) + 2, 2))
		half[0] = 0;
	hal_irq_disable();
	return (u32)half[1] << 16 | half[0];
}

/* Perhaps the first use of a unit: then try again; if it is illegal indeed, we are back. */
static enum uctx_reason illegal(struct hal_task *task, struct uctx_event *ev)
{
	int r = riscv64_unit_first_use(task, illegal_insn(task, ev));

	if (r > 0)
		return UCTX_INTERRUPT;
	ev->addr = uctx_ip(&task->uctx);
	if (r < 0)
		return exception(ev, UCTX_EXC_MISALIGNED, SI_KERNEL); /* SIGBUS, as Linux */
	return exception(ev, UCTX_EXC_ILLEGAL, 0);
}

static enum uctx_reason decode(struct hal_task *task, struct uctx_event *ev, unsigned long cause)
{
	switch (cause) {
	case CAUSE_ILLEGAL:
		return illegal(task, ev);
	case CAUSE_BREAKPOINT:
		ev->addr = uctx_ip(&task->uctx);
		return exception(ev, UCTX_EXC_BREAKPOINT, 0);
	case CAUSE_INSN_MISALGN:
	case CAUSE_LOAD_MISALGN:
	case CAUSE_STORE_MISALGN:
		return exception(ev, UCTX_EXC_MISALIGNED, 0);
	case CAUSE_INSN_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		return exception(ev, UCTX_EXC_ACCESS, SEGV_ACCERR);
	default:
		return UCTX_UNKNOWN;
	}
}

/* A trap from user mode that is not a syscall; interrupts are off. */
long riscv64_user_trap(struct hal_task *task)
{
	struct uctx_event *ev = &task->event;
	unsigned long cause = task->uctx.cause;

	if (cause & CAUSE_INTERRUPT) {
		interrupt(cause);
		return UCTX_INTERRUPT;
	}
	ev->addr = csr_read(stval);
	ev->code = 0;
	ev->raw[0] = cause;
	ev->raw[1] = ev->addr;
	ev->raw[2] = csr_read(sstatus);
	if (is_page_fault(cause)) {
		ev->access = fault_access(cause);
		fault_note(task, ev->addr);
		return UCTX_PAGE_FAULT;
	}
	return decode(task, ev, cause);
}

/* ---- The kernel's own ---- */

static const char *const cause_names[16] = {
	[CAUSE_INSN_MISALGN] = "misaligned jump",
	[CAUSE_INSN_ACCESS] = "instruction access fault",
	[CAUSE_ILLEGAL] = "illegal instruction",
	[CAUSE_BREAKPOINT] = "breakpoint",
	[CAUSE_LOAD_MISALGN] = "misaligned load",
	[CAUSE_LOAD_ACCESS] = "load access fault",
	[CAUSE_STORE_MISALGN] = "misaligned store",
	[CAUSE_STORE_ACCESS] = "store access fault",
	[CAUSE_INSN_PAGE] = "instruction page fault",
	[CAUSE_LOAD_PAGE] = "load page fault",
	[CAUSE_STORE_PAGE] = "store page fault",
};

static const char *cause_name(unsigned long cause)
{
	return cause < 16 && cause_names[cause] ? cause_names[cause] : "unknown trap";
}

static void dump_frame(const struct kframe *frame)
{
	static const char names[32][4] = { "pc", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
					   "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
					   "a6", "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
					   "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6" };

	for (unsigned int i = 0; i < 32; i += 4)
		klog(0, "%3s %016lx %3s %016lx %3s %016lx %3s %016lx\n", names[i], frame->regs[i],
		     names[i + 1], frame->regs[i + 1], names[i + 2], frame->regs[i + 2],
		     names[i + 3], frame->regs[i + 3]);
	klog(0, "status %lx cause %lx tval %lx\n", frame->status, frame->cause, frame->tval);
}

__noreturn static void kernel_bug(struct kframe *frame)
{
	dump_frame(frame);
	panic("%s in the kernel at %016lx, address %016lx", cause_name(frame->cause),
	      frame->regs[0], frame->tval);
}

__noreturn void riscv64_stack_overflow(struct kframe *frame)
{
	/* The frame could not be pushed: the guard page below the stack would have faulted for ever. */
	arch_current()->arch.stack_low = 0;
	dump_frame(frame);
	panic("kernel stack overflow at %016lx, sp %016lx", frame->regs[0], frame->regs[REG_SP]);
}

/* The upcall may sleep: it runs as the interrupted code did. */
static bool resolve_user_fault(struct kframe *frame)
{
	bool resolved;

	fault_note(arch_current(), frame->tval);
	if (frame->status & SR_SPIE)
		hal_irq_enable();
	resolved = upcall_kernel_fault(frame->tval, fault_access(frame->cause));
	hal_irq_disable();
	return resolved;
}

/* Whether the kernel's table allows what faulted. */
static bool kernel_allows(unsigned long va, unsigned int access)
{
	const pte_t *table = phys_to_virt(pt_kernel_root());
	unsigned int want = access == UCTX_EXEC	   ? HAL_EXEC
			    : access == UCTX_WRITE ? HAL_WRITE
						   : HAL_READ;

	for (unsigned int level = PT_LEVELS; level-- > 0;) {
		pte_t e = READ_ONCE(table[va >> (12 + 9 * level) & (PT_ENTRIES - 1)]);

		if (!pte_present(e, level))
			return false;
		if (pte_is_leaf(e, level))
			return pte_prot(e) & want;
		table = phys_to_virt(pte_pa(e, level));
	}
	return false;
}

/* A new mapping whose old, invalid entry this CPU still had: try again. */
static bool resolve_stale_kernel(struct kframe *frame)
{
	unsigned long page = frame->tval & PAGE_MASK;

	if (frame->tval < VMALLOC_BASE || frame->tval >= IOREMAP_END ||
	    !kernel_allows(page, fault_access(frame->cause)))
		return false;
	__asm__ __volatile__("sfence.vma %0" ::"r"(page) : "memory");
	return true;
}

/* Go on where the exception table says. */
static void kernel_fixup(struct kframe *frame)
{
	unsigned long fixup = extable_fixup(frame->regs[0]);

	if (!fixup)
		kernel_bug(frame);
	frame->regs[0] = fixup;
}

/* The vector registers would be another task's after a sleep. */
static bool in_vector_copy(unsigned long ip)
{
	return ip >= riscv64_v_copy_range[0] && ip < riscv64_v_copy_range[1];
}

static void kernel_page_fault(struct kframe *frame)
{
	if (frame->tval >= USER_END) {
		if (!resolve_stale_kernel(frame))
			kernel_bug(frame);
		return;
	}
	if (!(frame->status & SR_SUM)) /* not one of the user-copy functions */
		kernel_bug(frame);
	if (in_vector_copy(frame->regs[0]) || !resolve_user_fault(frame))
		kernel_fixup(frame);
}

/* A breakpoint is offered to the kernel's probes. The frame is what a context begins with; no more of it is looked at. */
static bool kernel_break(struct kframe *frame)
{
	static_assert(offsetof(struct kframe, regs) == offsetof(struct uctx, regs) &&
		      sizeof_field(struct kframe, regs) == sizeof_field(struct uctx, regs));
	return upcall_kernel_break((struct uctx *)frame);
}

void riscv64_kernel_trap(struct kframe *frame)
{
	if (frame->cause & CAUSE_INTERRUPT) {
		hal_interrupted_set(frame->regs[REG_PC], frame->regs[REG_FP]);
		hal_irq_on_stack(interrupt, frame->cause);
		hal_interrupted_set(0, 0);
	} else if (is_page_fault(frame->cause)) {
		kernel_page_fault(frame);
	} else if (frame->cause == CAUSE_BREAKPOINT && kernel_break(frame)) {
		return;
	} else { /* a user copy may also meet misaligned words and access faults */
		kernel_fixup(frame);
	}
	/* FPU and vector unit may have changed hands while the fault was resolved. */
	frame->status = (frame->status & ~(unsigned long)(SR_FS | SR_VS)) |
			(csr_read(sstatus) & (SR_FS | SR_VS));
}
